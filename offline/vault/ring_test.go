package vault

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"bianmin/offline/words"

	"bianmin/offline/clocks"
)

var cheap = Argon{Time: 1, MemoryKiB: 8, Threads: 1}

// clock is a wall clock that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time          { return c.t }
func (c *clock) forward(d time.Duration) { c.t = c.t.Add(d) }

func newClock() *clock { return &clock{time.Date(2026, 11, 20, 9, 0, 0, 0, china).UTC()} }

// fixture is an enrolled folder.
type fixture struct {
	dir        string
	suite      Suite
	machine    Machine
	clock      *clock
	sign, seal PrivateKey
	ring       *Ring
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	return newFixtureOn(t, func(dir string) Machine { return KeyFile(filepath.Join(dir, "machine.key")) })
}

func newFixtureOn(t *testing.T, machine func(dir string) Machine) *fixture {
	t.Helper()
	f := &fixture{dir: t.TempDir(), suite: SM(nil), clock: newClock()}
	f.machine = machine(f.dir)
	f.sign, f.seal = mustKey(t), mustKey(t)
	var err error
	f.ring, err = CreateRing(f.dir, f.suite, f.machine, RingOptions{
		Sign: f.sign, Seal: f.seal, Argon: cheap, Clock: clocks.Wall(f.clock.now),
		Operators: []NewOperator{
			{ID: "wang", Name: "王小满", Role: "clerk", Division: "999901001001", PIN: "204816"},
			{ID: "li", Name: "李谷雨", Role: "lead", Division: "999901001001", PIN: "activate-9", OneTime: true},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustKey(t testing.TB) PrivateKey {
	t.Helper()
	k, err := SM(nil).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (f *fixture) reopen(t *testing.T) *Ring {
	t.Helper()
	r, err := OpenRing(f.dir, f.suite, f.machine, OpenOptions{Clock: clocks.Wall(f.clock.now)})
	if err != nil {
		t.Fatal(err)
	}
	f.ring = r
	return r
}

func mustUnlock(t *testing.T, r *Ring, id, pin string) *Unlocked {
	t.Helper()
	u, err := r.Unlock(id, pin)
	if err != nil {
		t.Fatalf("unlock %s: %v", id, err)
	}
	return u
}

func TestRingKeepsKeys(t *testing.T) {
	f := newFixture(t)
	u := mustUnlock(t, f.ring, "wang", "204816")
	p1, err := u.Period(f.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	if p1.ID != "2026-11" {
		t.Fatalf("period %q", p1.ID)
	}
	mkey, mp := f.ring.MachineKey(), f.ring.MachinePeriod()

	r := f.reopen(t)
	if r.MachineKey() != mkey || r.MachinePeriod() != mp || mp.ID != MachinePeriodID {
		t.Error("machine key or machine period changed by reopening")
	}
	if !bytes.Equal(r.DeviceKey().Public(), f.sign.Public()) || !bytes.Equal(r.SealPublic(), f.seal.Public()) {
		t.Error("device keys changed by reopening")
	}
	u = mustUnlock(t, r, "li", "activate-9") // another operator reaches the same keys
	if !bytes.Equal(u.SealKey().Public(), f.seal.Public()) {
		t.Error("device encryption key changed")
	}
	p2, err := u.PeriodByID("2026-11")
	if err != nil || p2 != p1 {
		t.Errorf("period differs after reopening: %v", err)
	}
	p3, err := u.Period(f.clock.now().AddDate(0, 1, 0))
	if err != nil || p3.ID != "2026-12" || p3.Store == p1.Store || p3.Blob == p1.Blob || p3.Salt == p1.Salt {
		t.Errorf("next month: %q %v, or keys repeat", p3.ID, err)
	}
	if got, err := u.PeriodByID(MachinePeriodID); err != nil || got != mp {
		t.Errorf("machine period by id: %v", err)
	}
	if _, err := u.PeriodByID("2025-01"); !errors.Is(err, ErrNoPeriod) {
		t.Errorf("period that never was: %v", err)
	}
	if !u.Operator().MustChange || mustUnlock(t, r, "wang", "204816").Operator().MustChange {
		t.Error("only the one-time PIN must be changed")
	}
	u.Close()
	if _, err := u.Period(f.clock.now()); !errors.Is(err, ErrClosed) {
		t.Errorf("period after Close: %v", err)
	}
	if _, err := u.PeriodByID("2026-11"); !errors.Is(err, ErrClosed) {
		t.Errorf("known period after Close: %v", err)
	}
	if u.SealKey() != nil {
		t.Error("seal key after Close")
	}
}

func TestPeriodNamesMonthInChina(t *testing.T) {
	for _, c := range []struct{ at, want string }{
		{"2026-11-30T15:59:59Z", "2026-11"},
		{"2026-11-30T16:00:00Z", "2026-12"},
		{"1970-01-01T00:00:00Z", "1970-01"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := PeriodID(at); got != c.want {
			t.Errorf("%s: %s, want %s", c.at, got, c.want)
		}
	}
}

func TestCreateRingRefuses(t *testing.T) {
	f := newFixture(t)
	good := RingOptions{Sign: f.sign, Seal: f.seal, Argon: cheap, Operators: []NewOperator{{ID: "a", PIN: "1"}}}
	if _, err := CreateRing(f.dir, f.suite, f.machine, good); !errors.Is(err, ErrRingExists) {
		t.Errorf("over an existing ring: %v", err)
	}
	for name, change := range map[string]func(*RingOptions){
		"no operators": func(o *RingOptions) { o.Operators = nil },
		"same id":      func(o *RingOptions) { o.Operators = append(o.Operators, o.Operators[0]) },
		"no id":        func(o *RingOptions) { o.Operators = []NewOperator{{PIN: "1"}} },
		"no PIN":       func(o *RingOptions) { o.Operators = []NewOperator{{ID: "a"}} },
		"no keys":      func(o *RingOptions) { o.Sign = nil },
		"cost":         func(o *RingOptions) { o.Argon.Time = 1000 },
	} {
		o := good
		change(&o)
		dir := t.TempDir()
		if _, err := CreateRing(dir, f.suite, KeyFile(filepath.Join(dir, "m")), o); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := os.Stat(filepath.Join(dir, "keys.a")); err == nil {
			t.Errorf("%s: left a key file", name)
		}
	}
}

func TestOpenRingFaults(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenRing(dir, SM(nil), KeyFile(filepath.Join(dir, "m")), OpenOptions{}); !errors.Is(err, ErrNoRing) {
		t.Errorf("empty folder: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "m")); err == nil {
		t.Error("opening made a machine secret")
	}
	f := newFixture(t)
	other := KeyFile(filepath.Join(dir, "other"))
	if _, err := other.Secret(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRing(f.dir, f.suite, other, OpenOptions{}); !errors.Is(err, ErrOtherMachine) {
		t.Errorf("another machine's secret: %v", err)
	}
	if _, err := OpenRing(f.dir, f.suite, KeyFile(filepath.Join(dir, "gone")), OpenOptions{}); !errors.Is(err, ErrNoMachine) {
		t.Errorf("machine secret gone: %v", err)
	}
}

// Every single-byte change of one copy is repaired from the other; changes of both are refused in words.
func TestRingCopies(t *testing.T) {
	f := newFixture(t)
	path := map[string]string{"a": filepath.Join(f.dir, "keys.a"), "b": filepath.Join(f.dir, "keys.b")}
	sound, err := os.ReadFile(path["a"])
	if err != nil {
		t.Fatal(err)
	}
	step := 7
	if os.Getenv("BIANMIN_FULL") == "1" {
		step = 1
	}
	for _, which := range []string{"a", "b"} {
		for i := 0; i < len(sound); i += step {
			bad := bytes.Clone(sound)
			bad[i] ^= 0x10
			writeFile(t, path[which], bad)
			r := f.reopen(t)
			if got := r.Repaired(); len(got) != 1 || got[0] != "keys."+which {
				t.Fatalf("byte %d of %s: repaired %v", i, which, got)
			}
			if now, err := os.ReadFile(path[which]); err != nil || !bytes.Equal(now, sound) {
				t.Fatalf("byte %d of %s: copy not repaired: %v", i, which, err)
			}
		}
	}
	for name, bad := range map[string][]byte{"empty": {}, "half": sound[:len(sound)/2], "long": append(bytes.Clone(sound), 0)} {
		writeFile(t, path["a"], bad)
		writeFile(t, path["b"], bad)
		if _, err := OpenRing(f.dir, f.suite, f.machine, OpenOptions{}); !errors.Is(err, ErrDamaged) {
			t.Errorf("both copies %s: %v", name, err)
		}
		if now, err := os.ReadFile(path["a"]); err != nil || !bytes.Equal(now, bad) {
			t.Errorf("both copies %s: evidence was overwritten", name)
		}
	}
	if err := os.Remove(path["a"]); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path["b"], sound)
	f.reopen(t)
	mustUnlock(t, f.ring, "wang", "204816")
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A crash between the two copies leaves one older: the newer wins, and the older is brought up.
func TestRingNewestCopyWins(t *testing.T) {
	f := newFixture(t)
	b := filepath.Join(f.dir, "keys.b")
	old, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	p, err := mustUnlock(t, f.ring, "wang", "204816").Period(f.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, b, old)
	r := f.reopen(t)
	got, err := mustUnlock(t, r, "wang", "204816").PeriodByID(p.ID)
	if err != nil || got != p {
		t.Fatalf("period of the newer copy: %v", err)
	}
	if now, err := os.ReadFile(b); err != nil || bytes.Equal(now, old) {
		t.Fatal("older copy was not brought up")
	}
	if len(r.Repaired()) != 0 {
		t.Errorf("an older copy is not damage: %v", r.Repaired())
	}
}

func TestNewerFormatIsLeftAlone(t *testing.T) {
	f := newFixture(t)
	a := filepath.Join(f.dir, "keys.a")
	data, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	// A newer program keeps two things: the version comes first, the MAC last.
	newer := func(head ...byte) []byte {
		b := append(head, data[3:len(data)-HashSize-2]...)
		key := f.suite.MAC(f.ring.secret, []byte(keysDomain+"file\x00"))
		mac := f.suite.MAC(key[:], b, []byte{0x40})
		return append(append(b, 0x58, HashSize), mac[:]...)
	}
	writeFile(t, a, newer(data[0], 1, ringVersion+1))
	if _, err := OpenRing(f.dir, f.suite, f.machine, OpenOptions{}); !errors.Is(err, ErrNewer) {
		t.Errorf("one newer copy: %v", err)
	}
	writeFile(t, filepath.Join(f.dir, "keys.b"), newer(0xab, 1, 24, 99))
	if _, err := OpenRing(f.dir, f.suite, f.machine, OpenOptions{}); !errors.Is(err, ErrNewer) {
		t.Errorf("two newer copies: %v", err)
	}
	if now, err := os.ReadFile(a); err != nil || !bytes.Equal(now, newer(data[0], 1, ringVersion+1)) {
		t.Error("newer copy was overwritten")
	}
}

// A failed write changes nothing: not the file, not the ring in memory.
func TestPeriodIsDurableBeforeUse(t *testing.T) {
	f := newFixture(t)
	u := mustUnlock(t, f.ring, "wang", "204816")
	full := errors.New("no space")
	f.ring.write = func(string, string, []byte) error { return full }
	if _, err := u.Period(f.clock.now()); !errors.Is(err, ErrWrite) || !errors.Is(err, full) {
		t.Fatalf("period without disk: %v", err)
	}
	if _, err := u.PeriodByID("2026-11"); !errors.Is(err, ErrNoPeriod) {
		t.Fatalf("period exists though it was not written: %v", err)
	}
	f.ring.write = writePair
	p, err := u.Period(f.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := mustUnlock(t, f.reopen(t), "li", "activate-9").PeriodByID(p.ID); err != nil || got != p {
		t.Fatalf("period after restart: %v", err)
	}
}

func TestNoClearTextInKeyFiles(t *testing.T) {
	f := newFixture(t)
	u := mustUnlock(t, f.ring, "wang", "204816")
	p, err := u.Period(f.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	mk, d, e := f.ring.MachineKey(), mustScalar(t, f.sign), mustScalar(t, f.seal)
	secrets := map[string][]byte{
		"name": []byte("王小满"), "id": []byte("wang"), "role": []byte("clerk"), "division": []byte("999901001001"),
		"pin": []byte("204816"), "machine key": mk[:], "signing key": d, "encryption key": e, "store key": p.Store[:],
		"blob key": p.Blob[:], "salt": p.Salt[:], "master": f.ring.master[:],
	}
	for _, name := range []string{"keys.a", "keys.b", "tries.a", "tries.b"} {
		data, err := os.ReadFile(filepath.Join(f.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for what, s := range secrets {
			if bytes.Contains(data, s) {
				t.Errorf("%s holds the %s in clear", name, what)
			}
		}
	}
}

func mustScalar(t *testing.T, k PrivateKey) []byte {
	t.Helper()
	d, err := k.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Slots are bound to their place: another operator's wrapped key does not open in this one's slot.
func TestSlotsAreBound(t *testing.T) {
	f := newFixture(t)
	r := f.ring
	swapped := r.file
	swapped.Operators = append([]operatorSlot{}, swapped.Operators...)
	swapped.Operators[0].Key, swapped.Operators[0].Salt = swapped.Operators[1].Key, swapped.Operators[1].Salt
	if err := r.save(swapped); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Unlock("wang", "activate-9"); !errors.Is(err, ErrWrongPIN) {
		t.Errorf("another operator's PIN in this slot: %v", err)
	}
	swapped.Operators[0].Info = swapped.Operators[1].Info
	if err := r.save(swapped); !errors.Is(err, ErrOpen) {
		t.Errorf("another operator's information in this slot: %v", err)
	}
}

type protectedMachine struct{ Machine }

func (protectedMachine) Protected() bool { return true }

func TestChangePIN(t *testing.T) {
	f := newFixture(t)
	u := mustUnlock(t, f.ring, "li", "activate-9")
	if err := u.ChangePIN("wrong", "Osmanthus 38"); !errors.Is(err, ErrWrongPIN) {
		t.Errorf("wrong old PIN: %v", err)
	}
	f.clock.forward(time.Minute)
	for _, c := range []struct {
		pin  string
		want error
	}{
		{"short", ErrShortPIN},
		{"aaaaaaaaaaaa", ErrSimplePIN},
		{"0123456789", ErrSimplePIN},
		{"zyxwvutsrq", ErrSimplePIN},
		{"\xff\xfe56789012", ErrShortPIN},
	} {
		if err := u.ChangePIN("activate-9", c.pin); !errors.Is(err, c.want) {
			t.Errorf("%q: %v, want %v", c.pin, err, c.want)
		}
	}
	if err := u.ChangePIN("Osmanthus 38", "Osmanthus 38"); !errors.Is(err, ErrSamePIN) {
		t.Errorf("same PIN: %v", err)
	}
	if err := u.ChangePIN("activate-9", "Osmanthus 38"); err != nil {
		t.Fatal(err)
	}
	if u.Operator().MustChange {
		t.Error("one-time PIN still stands")
	}
	r := f.reopen(t)
	if _, err := r.Unlock("li", "activate-9"); !errors.Is(err, ErrWrongPIN) {
		t.Errorf("old PIN: %v", err)
	}
	f.clock.forward(time.Minute)
	u = mustUnlock(t, r, "li", "Ｏsmanthus ３８") // full-width forms are the same keys
	if u.Operator().MustChange {
		t.Error("one-time PIN is back after restart")
	}
	if !bytes.Equal(u.SealKey().Public(), f.seal.Public()) {
		t.Error("keys lost by changing the PIN")
	}
	mustUnlock(t, r, "wang", "204816")
	u.Close()
	if err := u.ChangePIN("Osmanthus 38", "Chrysanthemum 40"); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestLeastPIN(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		name string
		m    Machine
		demo bool
		pin  string
		want error
	}{
		{"key file, six digits", f.machine, false, "730519", ErrShortPIN},
		{"key file, ten characters", f.machine, false, "7305191846", nil},
		{"protected secret, six digits", protectedMachine{f.machine}, false, "730519", nil},
		{"protected secret, five digits", protectedMachine{f.machine}, false, "73051", ErrShortPIN},
		{"protected secret, simple", protectedMachine{f.machine}, false, "123456", ErrSimplePIN},
		{"demo, four simple", f.machine, true, "1234", nil},
		{"demo, three", f.machine, true, "135", ErrShortPIN},
	} {
		r, err := OpenRing(f.dir, f.suite, c.m, OpenOptions{Demo: c.demo})
		if err != nil {
			t.Fatal(err)
		}
		if r.Demo() != c.demo {
			t.Errorf("%s: demo %t", c.name, r.Demo())
		}
		if err := r.checkNewPIN("204816", c.pin); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// The ring remembers that it belongs to a sample county.
func TestDemoIsKept(t *testing.T) {
	dir := t.TempDir()
	m := KeyFile(filepath.Join(dir, "m"))
	if _, err := CreateRing(dir, SM(nil), m, RingOptions{Sign: mustKey(t), Seal: mustKey(t), Argon: cheap, Demo: true, Operators: []NewOperator{{ID: "a", PIN: "1111"}}}); err != nil {
		t.Fatal(err)
	}
	r, err := OpenRing(dir, SM(nil), m, OpenOptions{})
	if err != nil || !r.Demo() {
		t.Fatalf("demo lost: %v", err)
	}
	if err := mustUnlock(t, r, "a", "1111").ChangePIN("1111", "1234"); err != nil {
		t.Error(err)
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "machine.key")
	k := KeyFile(path)
	s1, err := k.Secret()
	if err != nil || len(s1) != MachineSecretSize {
		t.Fatalf("first use: %d bytes, %v", len(s1), err)
	}
	for _, p := range []string{path, path + ".b"} {
		info, err := os.Stat(p)
		if err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
			t.Fatalf("%s: %v %v", p, info, err)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		writeFile(t, path, bad)
		if s, err := k.Secret(); err != nil || !bytes.Equal(s, s1) {
			t.Fatalf("byte %d changed in one copy: %v", i, err)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, data) {
			t.Fatalf("byte %d: not repaired: %v", i, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("left open to others: %v %v", info, err)
	}
	writeFile(t, path, data[:20])
	writeFile(t, path+".b", data[:20])
	if _, err := k.Secret(); !errors.Is(err, ErrMachineDamaged) {
		t.Errorf("both damaged: %v", err)
	}
}

// Errors that reach the clerk carry a key of their own, and keys never repeat.
func TestErrorsHaveKeys(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range []*words.Error{
		ErrNoRing, ErrRingExists, ErrDamaged, ErrNewer, ErrNoMachine, ErrMachineDamaged, ErrOtherMachine, ErrWrite, ErrClosed,
		ErrNoPeriod, ErrNoOperator, ErrWrongPIN, ErrWait, ErrLocked, ErrShortPIN, ErrSimplePIN, ErrSamePIN,
	} {
		if seen[e.Key] || !strings.Contains(e.Key, ".") {
			t.Errorf("key %q is empty or repeats", e.Key)
		}
		seen[e.Key] = true
		if !errors.Is(fmt.Errorf("outer: %w", withCause(e, os.ErrPermission)), e) {
			t.Errorf("%q is not found in its chain", e.Key)
		}
	}
}
