package vault

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"bianmin/offline/canon"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) invite(t *testing.T) {
	t.Helper()
	must(t, f.ring.Invite(NewOperator{ID: "zhao", Name: "赵立春", Role: "staff", Division: "999901001001", PIN: "3141592653"}))
}

func period(t *testing.T, u *Unlocked, f *fixture) Period {
	t.Helper()
	p, err := u.Period(f.clock.now())
	must(t, err)
	return p
}

// A newcomer's code opens nothing; the PIN of their own opens the machine once an operator admits them, in either order.
func TestNewcomerIsAdmitted(t *testing.T) {
	for _, first := range []string{"activated first", "admitted first"} {
		t.Run(first, func(t *testing.T) {
			f := newFixture(t)
			wang := mustUnlock(t, f.ring, "wang", "204816")
			want := period(t, wang, f)
			f.invite(t)
			if err := f.ring.Invite(NewOperator{ID: "zhao", PIN: "1"}); !errors.Is(err, ErrOperatorExists) {
				t.Errorf("invited twice: %v", err)
			}
			f.reopen(t) // nothing of it is in memory only
			wang = mustUnlock(t, f.ring, "wang", "204816")
			if op := f.ring.Operators()[2]; !op.Waiting || !op.MustChange || op.Name != "赵立春" {
				t.Fatalf("newcomer: %+v", op)
			}
			if _, err := f.ring.Unlock("zhao", "3141592653"); !errors.Is(err, ErrActivate) {
				t.Fatalf("code: %v", err)
			}
			if first == "admitted first" {
				must(t, wang.Admit("zhao"))
				u := mustUnlock(t, f.ring, "zhao", "3141592653")
				if !u.Operator().MustChange {
					t.Error("a one-time code need not be changed")
				}
				must(t, u.ChangePIN("3141592653", "seven grey geese"))
			} else {
				if err := f.ring.Activate("zhao", "3141592654", "seven grey geese"); !errors.Is(err, ErrWrongPIN) {
					t.Fatalf("wrong code: %v", err)
				}
				f.clock.forward(firstDelays[0])
				must(t, f.ring.Activate("zhao", "3141592653", "seven grey geese"))
				if err := f.ring.Activate("zhao", "seven grey geese", "eight grey geese"); !errors.Is(err, ErrAdmitted) {
					t.Errorf("activated twice: %v", err)
				}
				if _, err := f.ring.Unlock("zhao", "seven grey geese"); !errors.Is(err, ErrWaiting) {
					t.Fatalf("before admission: %v", err)
				}
				must(t, wang.Admit("zhao"))
			}
			if err := wang.Admit("zhao"); !errors.Is(err, ErrAdmitted) {
				t.Errorf("admitted twice: %v", err)
			}
			if _, err := f.ring.Unlock("zhao", "3141592653"); !errors.Is(err, ErrWrongPIN) {
				t.Errorf("the code still opens: %v", err)
			}
			f.clock.forward(lockTime)
			f.reopen(t)
			if got := period(t, mustUnlock(t, f.ring, "zhao", "seven grey geese"), f); got != want {
				t.Error("the newcomer reads other keys")
			}
			mustUnlock(t, f.ring, "li", "activate-9") // others are untouched
		})
	}
}

func TestResetPIN(t *testing.T) {
	f := newFixture(t)
	wang := mustUnlock(t, f.ring, "wang", "204816")
	want := period(t, wang, f)
	for range maxWrong { // forgotten
		if _, err := f.ring.Unlock("li", "x"); err == nil {
			t.Fatal("a wrong PIN opened")
		}
		f.clock.forward(firstDelays[3])
	}
	if !f.ring.Operators()[1].Locked {
		t.Fatal("not locked")
	}
	if err := wang.Reset("wang", "1"); !errors.Is(err, ErrSelf) {
		t.Errorf("own PIN: %v", err)
	}
	if err := wang.Reset("nobody", "1"); !errors.Is(err, ErrNoOperator) {
		t.Errorf("nobody's PIN: %v", err)
	}
	must(t, wang.Reset("li", "2718281828"))
	f.reopen(t)
	u := mustUnlock(t, f.ring, "li", "2718281828") // at once: the lock was for the old PIN
	if !u.Operator().MustChange || u.Operator().Name != "李谷雨" || period(t, u, f) != want {
		t.Errorf("after reset: %+v", u.Operator())
	}
	if _, err := f.ring.Unlock("li", "activate-9"); !errors.Is(err, ErrWrongPIN) {
		t.Errorf("the old PIN still opens: %v", err)
	}
}

// After a rotation nothing that was sealed to the old master opens with it, everybody logs in with the same PIN, and who
// was logged in goes on.
func TestRotateMaster(t *testing.T) {
	f := newFixture(t)
	county := mustKey(t)
	wang := mustUnlock(t, f.ring, "wang", "204816")
	li := mustUnlock(t, f.ring, "li", "activate-9")
	want := period(t, wang, f)
	must(t, wang.SetCounty(county.Public()))
	f.invite(t)
	old, before := f.ring.master, f.ring.file
	must(t, wang.Rotate())
	if f.ring.master == old {
		t.Fatal("same master")
	}
	for _, slot := range append([]periodSlot{{ID: "", Keys: f.ring.file.Device}}, f.ring.file.Periods...) {
		place := slotDeviceKey
		if slot.ID != "" {
			place = "period/" + slot.ID
		}
		if _, err := f.suite.Open(old, slot.Keys, aadOf(place)); err == nil {
			t.Errorf("%s opens with the old master", place)
		}
		if _, err := f.suite.Open(f.ring.master, slot.Keys, aadOf(place)); err != nil {
			t.Errorf("%s does not open with the new one: %v", place, err)
		}
	}
	if e, err := openEscrow(f.suite, county, f.ring.file.County.Sealed, f.seal.Public()); err != nil || e.Master != f.ring.master {
		t.Errorf("county's copy: %v", err)
	}
	if bytes.Equal(before.Operators[0].Master, f.ring.file.Operators[0].Master) || len(f.ring.file.Operators[2].Master) != 0 {
		t.Error("the master was not sealed anew to those who have it, and to nobody else")
	}
	f.clock.forward(31 * 24 * 3600e9)
	next := period(t, li, f) // made by somebody who logged in before: under the new master
	wang.Close()
	li.Close()
	if f.ring.master != (Key{}) {
		t.Error("the master stays in memory while nobody is logged in")
	}
	f.reopen(t)
	for id, pin := range map[string]string{"wang": "204816", "li": "activate-9"} {
		u := mustUnlock(t, f.ring, id, pin)
		if p, err := u.PeriodByID(want.ID); err != nil || p != want {
			t.Errorf("%s: old month: %v", id, err)
		}
		if p, err := u.PeriodByID(next.ID); err != nil || p != next {
			t.Errorf("%s: new month: %v", id, err)
		}
	}
}

// A power cut at any write of a rotation leaves a ring that opens for everybody: with the old master or with the new one.
func TestRotationSurvivesEveryCut(t *testing.T) {
	names := []string{"keys.a", "keys.b"}
	for cut := 0; cut <= len(names); cut++ {
		for _, then := range []string{"keys.a", "keys.b", ""} { // and then one copy is lost as well
			t.Run(fmt.Sprintf("%d written, %s lost", cut, then), func(t *testing.T) {
				f := newFixture(t)
				u := mustUnlock(t, f.ring, "wang", "204816")
				want := period(t, u, f)
				whole := f.ring.write
				f.ring.write = func(dir, name string, data []byte) error {
					for _, n := range names[:cut] {
						must(t, writeDurable(filepath.Join(dir, n), data))
					}
					if cut == len(names) {
						return whole(dir, name, data)
					}
					return errors.New("power cut")
				}
				if err := u.Rotate(); (err == nil) != (cut == len(names)) || err != nil && !errors.Is(err, ErrWrite) {
					t.Fatalf("rotate: %v", err)
				}
				if then != "" {
					must(t, os.Truncate(filepath.Join(f.dir, then), 100))
				}
				f.reopen(t)
				for id, pin := range map[string]string{"wang": "204816", "li": "activate-9"} {
					if got := period(t, mustUnlock(t, f.ring, id, pin), f); got != want {
						t.Errorf("%s reads other keys", id)
					}
				}
				a, err := os.ReadFile(filepath.Join(f.dir, "keys.a"))
				must(t, err)
				if b, err := os.ReadFile(filepath.Join(f.dir, "keys.b")); err != nil || !bytes.Equal(a, b) {
					t.Error("the copies differ after opening")
				}
			})
		}
	}
}

func TestRemoveOperator(t *testing.T) {
	f := newFixture(t)
	wang, li := mustUnlock(t, f.ring, "wang", "204816"), mustUnlock(t, f.ring, "li", "activate-9")
	want := period(t, wang, f)
	old := f.ring.master
	if err := wang.Remove("wang"); !errors.Is(err, ErrSelf) {
		t.Errorf("oneself: %v", err)
	}
	if err := wang.Remove("nobody"); !errors.Is(err, ErrNoOperator) {
		t.Errorf("nobody: %v", err)
	}
	must(t, wang.Remove("li"))
	if f.ring.master == old {
		t.Error("the master was not rotated")
	}
	if err := li.Admit("wang"); !errors.Is(err, ErrClosed) {
		t.Errorf("somebody removed still changes the ring: %v", err)
	}
	f.reopen(t)
	if _, err := f.ring.Unlock("li", "activate-9"); !errors.Is(err, ErrNoOperator) {
		t.Errorf("somebody removed logs in: %v", err)
	}
	if got := period(t, mustUnlock(t, f.ring, "wang", "204816"), f); got != want {
		t.Error("who stays reads other keys")
	}
	if len(f.ring.Operators()) != 1 {
		t.Error("still listed")
	}
	f.invite(t) // the place is free again, also for the same person
	must(t, f.ring.Invite(NewOperator{ID: "li", Name: "李谷雨", PIN: "1618033988"}))
}

// Forgotten PINs: the county seals the master to an operator; nobody's PIN is needed, and nothing is lost when it never
// answers.
func TestCountyAdmitsOperator(t *testing.T) {
	f := newFixture(t)
	county := mustKey(t)
	if _, err := f.ring.RequestOperator("wang", "nine brown bears"); !errors.Is(err, ErrNoCounty) {
		t.Errorf("without a county: %v", err)
	}
	u := mustUnlock(t, f.ring, "wang", "204816")
	want := period(t, u, f)
	must(t, u.SetCounty(county.Public()))
	u.Close()
	f.reopen(t)

	if _, err := f.ring.TakeOperator([]byte{1}); !errors.Is(err, ErrNoRequest) {
		t.Errorf("answer to nothing: %v", err)
	}
	if _, err := f.ring.RequestOperator("wang", "short"); !errors.Is(err, ErrShortPIN) {
		t.Errorf("short PIN: %v", err)
	}
	ask, err := f.ring.RequestOperator("wang", "nine brown bears")
	must(t, err)
	mustUnlock(t, f.ring, "wang", "204816").Close() // asking changes nothing
	q, err := ParseRecoveryRequest(ask)
	must(t, err)
	if err := q.Verify(f.suite, f.sign.Public()); err != nil || q.Operator != "wang" || !bytes.Equal(q.Seal, f.seal.Public()) {
		t.Errorf("request %+v: %v", q, err)
	}
	q.Operator = "li"
	if q.Verify(f.suite, f.sign.Public()) == nil {
		t.Error("a changed request verifies")
	}
	if _, err := AnswerRecovery(f.suite, mustKey(t), ask); !errors.Is(err, ErrRecovery) {
		t.Errorf("another county: %v", err)
	}
	answer, err := AnswerRecovery(f.suite, county, ask)
	must(t, err)
	if bytes.Contains(answer, f.ring.secret) {
		t.Error("the machine secret travels")
	}
	for i := range answer { // no changed answer is taken
		bad := bytes.Clone(answer)
		bad[i] ^= 1
		if _, err := f.ring.TakeOperator(bad); !errors.Is(err, ErrRecovery) && !errors.Is(err, ErrRecoveryText) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	f.reopen(t) // the answer may come days later
	id, err := f.ring.TakeOperator(answer)
	if err != nil || id != "wang" {
		t.Fatal(id, err)
	}
	if _, err := f.ring.TakeOperator(answer); !errors.Is(err, ErrNoRequest) {
		t.Errorf("taken twice: %v", err)
	}
	f.reopen(t)
	if got := period(t, mustUnlock(t, f.ring, "wang", "nine brown bears"), f); got != want {
		t.Error("reads other keys")
	}
	if _, err := f.ring.Unlock("wang", "204816"); !errors.Is(err, ErrWrongPIN) {
		t.Errorf("the old PIN still opens: %v", err)
	}
}

// A newcomer on a machine where nobody else logs in any more, and an answer that came too late.
func TestCountyAdmitsNewcomerOnceOnly(t *testing.T) {
	f := newFixture(t)
	county := mustKey(t)
	u := mustUnlock(t, f.ring, "wang", "204816")
	must(t, u.SetCounty(county.Public()))
	f.invite(t)
	if _, err := f.ring.RequestOperator("zhao", ""); !errors.Is(err, ErrAdmitted) {
		t.Errorf("before a PIN was chosen: %v", err)
	}
	must(t, f.ring.Activate("zhao", "3141592653", "seven grey geese"))
	ask, err := f.ring.RequestOperator("zhao", "")
	must(t, err)
	stale, err := AnswerRecovery(f.suite, county, ask)
	must(t, err)
	must(t, u.Rotate())
	if _, err := f.ring.TakeOperator(stale); !errors.Is(err, ErrRecovery) {
		t.Fatalf("a master of yesterday: %v", err)
	}
	ask, err = f.ring.RequestOperator("zhao", "")
	must(t, err)
	answer, err := AnswerRecovery(f.suite, county, ask)
	must(t, err)
	_, err = f.ring.TakeOperator(answer)
	must(t, err)
	if got := period(t, mustUnlock(t, f.ring, "zhao", "seven grey geese"), f); got != period(t, u, f) {
		t.Error("reads other keys")
	}
}

// The machine secret is gone (a dead TPM, a deleted file): the county gives it back, and every PIN is the old one.
func TestCountyBringsMachineBack(t *testing.T) {
	f := newFixture(t)
	county := mustKey(t)
	if _, err := RequestMachine(f.dir, f.suite, 1); !errors.Is(err, ErrNoCounty) {
		t.Errorf("without a county: %v", err)
	}
	u := mustUnlock(t, f.ring, "wang", "204816")
	want := period(t, u, f)
	must(t, u.SetCounty(county.Public()))
	for _, n := range []string{"machine.key", "machine.key.b"} {
		must(t, os.Remove(filepath.Join(f.dir, n)))
	}
	if _, err := OpenRing(f.dir, f.suite, f.machine, OpenOptions{}); !errors.Is(err, ErrNoMachine) {
		t.Fatalf("without a secret: %v", err)
	}
	ask, err := RequestMachine(f.dir, f.suite, 1)
	must(t, err)
	answer, err := AnswerRecovery(f.suite, county, ask)
	must(t, err)
	forged, err := AnswerRecovery(f.suite, county, mustRequest(t, f, county))
	must(t, err)
	if err := TakeMachine(f.dir, f.suite, f.machine, forged); !errors.Is(err, ErrRecovery) {
		t.Errorf("an answer to another request: %v", err)
	}
	must(t, TakeMachine(f.dir, f.suite, f.machine, answer))
	if _, err := os.Stat(filepath.Join(f.dir, pendingName)); !errors.Is(err, os.ErrNotExist) {
		t.Error("what opened the answer stays")
	}
	f.reopen(t)
	if got := period(t, mustUnlock(t, f.ring, "wang", "204816"), f); got != want {
		t.Error("reads other keys")
	}
}

// mustRequest makes a request of the same folder that the folder does not remember.
func mustRequest(t *testing.T, f *fixture, county PrivateKey) []byte {
	t.Helper()
	dir := t.TempDir()
	for _, n := range []string{"keys.a", "keys.b"} {
		data, err := os.ReadFile(filepath.Join(f.dir, n))
		must(t, err)
		writeFile(t, filepath.Join(dir, n), data)
	}
	ask, err := RequestMachine(dir, f.suite, 1)
	must(t, err)
	return ask
}

func TestRecoveryText(t *testing.T) {
	s := SM(nil)
	data := bytes.Repeat([]byte{7, 0, 255}, 100)
	text := RecoveryText(s, RequestText, data)
	for name, typed := range map[string]string{
		"as written": text, "one line": string(bytes.ReplaceAll([]byte(text), []byte("\n"), nil)), "lower case": string(bytes.ToLower([]byte(text))),
		"windows": string(bytes.ReplaceAll([]byte(text), []byte("\n"), []byte("\r\n"))), "full width": fullWidth(text), "byte order mark": "\ufeff" + text,
	} {
		if got, err := ParseRecoveryText(s, RequestText, typed); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseRecoveryText(s, AnswerText, text); !errors.Is(err, ErrRecoveryText) {
		t.Errorf("the other way: %v", err)
	}
	for i, c := range []byte(text) {
		if c == '\n' || c == '-' {
			continue
		}
		bad := []byte(text)
		bad[i] = "23"[b2i(c == '2')]
		if _, err := ParseRecoveryText(s, RequestText, string(bad)); !errors.Is(err, ErrRecoveryText) {
			t.Fatalf("character %d changed: %v", i, err)
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func fullWidth(s string) string {
	var out []rune
	for _, r := range s {
		if r > ' ' && r <= '~' {
			r = r - '!' + '！'
		}
		out = append(out, r)
	}
	return string(out)
}

func FuzzRecovery(f *testing.F) {
	s := SM(nil)
	county, _ := s.GenerateKey()
	q := RecoveryRequest{V: 1, Kind: RecoverMachine, Seal: county.Public(), Escrow: make([]byte, 200), To: county.Public(), Slot: []byte{}, Sig: []byte{}}
	f.Add(RecoveryText(s, RequestText, []byte{1, 2}), canon.MustMarshal(q))
	f.Fuzz(func(t *testing.T, text string, data []byte) {
		if got, err := ParseRecoveryText(s, RequestText, text); err == nil {
			if again, err := ParseRecoveryText(s, RequestText, RecoveryText(s, RequestText, got)); err != nil || !bytes.Equal(again, got) {
				t.Fatalf("text reads but does not write: %v", err)
			}
		}
		if q, err := ParseRecoveryRequest(data); err == nil && !bytes.Equal(canon.MustMarshal(q), data) {
			t.Fatal("request reads but encodes differently")
		}
		if _, err := AnswerRecovery(s, county, data); err == nil {
			t.Fatal("an answer to what was not sealed to the county")
		}
	})
}
