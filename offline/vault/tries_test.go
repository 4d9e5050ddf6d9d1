package vault

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"bianmin/offline/words"
)

func argsOf(t *testing.T, err error) map[string]string {
	t.Helper()
	_, args := words.KeyOf(err)
	return args
}

// fail makes n wrong tries, waiting out the delays between them.
func (f *fixture) fail(t *testing.T, n int) error {
	t.Helper()
	var err error
	for range n {
		f.clock.forward(2 * time.Minute)
		if _, err = f.ring.Unlock("wang", "000000"); err == nil {
			t.Fatal("wrong PIN accepted")
		}
	}
	return err
}

func stateOf(t *testing.T, r *Ring, id string) OperatorInfo {
	t.Helper()
	for _, o := range r.Operators() {
		if o.ID == id {
			return o
		}
	}
	t.Fatalf("no operator %s", id)
	return OperatorInfo{}
}

func TestWrongPINDelaysThenLocks(t *testing.T) {
	f := newFixture(t)
	if _, err := f.ring.Unlock("nobody", "1"); !errors.Is(err, ErrNoOperator) {
		t.Errorf("unknown operator: %v", err)
	}
	for i, wait := range []time.Duration{1, 2, 5, 15} {
		_, err := f.ring.Unlock("wang", "000000")
		if !errors.Is(err, ErrWrongPIN) || argsOf(t, err)["left"] != strconv.Itoa(4-i) {
			t.Fatalf("try %d: %v %v", i+1, err, argsOf(t, err))
		}
		wait *= time.Second
		if o := stateOf(t, f.ring, "wang"); o.Failed != i+1 || o.Locked || !o.NotBefore.Equal(f.clock.now().Add(wait)) {
			t.Fatalf("after try %d: %+v", i+1, o)
		}
		f.clock.forward(wait - time.Millisecond)
		_, err = f.ring.Unlock("wang", "204816") // the right PIN does not get in before the delay is over
		if !errors.Is(err, ErrWait) || argsOf(t, err)["seconds"] != "1" {
			t.Fatalf("before delay %d is over: %v %v", i+1, err, argsOf(t, err))
		}
		f.clock.forward(time.Millisecond)
	}
	at := f.clock.now()
	_, err := f.ring.Unlock("wang", "000000")
	if !errors.Is(err, ErrLocked) || argsOf(t, err)["until"] != at.Add(lockTime).In(china).Format("15:04") || argsOf(t, err)["minutes"] != "15" {
		t.Fatalf("fifth wrong PIN: %v %v", err, argsOf(t, err))
	}
	mustUnlock(t, f.ring, "li", "activate-9") // the others are not locked
	f.clock.forward(lockTime - time.Second)
	if _, err := f.ring.Unlock("wang", "204816"); !errors.Is(err, ErrLocked) {
		t.Fatalf("within the lock: %v", err)
	}
	if o := stateOf(t, f.ring, "wang"); !o.Locked || o.Failed != maxWrong {
		t.Fatalf("within the lock: %+v", o)
	}
	f.clock.forward(time.Second)
	if o := stateOf(t, f.ring, "wang"); o.Locked || o.Failed != 0 || !o.NotBefore.IsZero() {
		t.Fatalf("after the lock: %+v", o)
	}
	// A second round has five tries again, but each costs a minute.
	if _, err := f.ring.Unlock("wang", "000000"); !errors.Is(err, ErrWrongPIN) || argsOf(t, err)["left"] != "4" {
		t.Fatalf("after the lock: %v", err)
	}
	if o := stateOf(t, f.ring, "wang"); !o.NotBefore.Equal(f.clock.now().Add(laterDelay)) {
		t.Fatalf("second round: %+v", o)
	}
	f.clock.forward(laterDelay)
	mustUnlock(t, f.ring, "wang", "204816")
	if o := stateOf(t, f.ring, "wang"); o.Failed != 0 || !o.NotBefore.IsZero() {
		t.Fatalf("a right PIN forgets: %+v", o)
	}
	if len(f.ring.tries.Ops) != 0 {
		t.Error("counters left behind")
	}
}

func TestCounterSurvivesRestart(t *testing.T) {
	f := newFixture(t)
	f.fail(t, 3)
	r := f.reopen(t)
	if o := stateOf(t, r, "wang"); o.Failed != 3 || !o.NotBefore.Equal(f.clock.now().Add(5*time.Second)) {
		t.Fatalf("after restart: %+v", o)
	}
	if _, err := r.Unlock("wang", "204816"); !errors.Is(err, ErrWait) {
		t.Fatalf("delay after restart: %v", err)
	}
	f.fail(t, 2)
	r = f.reopen(t)
	if _, err := r.Unlock("wang", "204816"); !errors.Is(err, ErrLocked) {
		t.Fatalf("lock after restart: %v", err)
	}
	f.clock.forward(lockTime)
	mustUnlock(t, f.reopen(t), "wang", "204816")
}

// killed is an Unlock whose process is killed while Argon2 runs.
func (f *fixture) killed(t *testing.T) {
	t.Helper()
	f.ring.kdf = func(Argon, []byte, []byte) []byte { panic("killed") }
	func() {
		defer func() {
			if recover() == nil {
				t.Fatal("the PIN was not looked at")
			}
		}()
		f.ring.Unlock("wang", "204816") //nolint:errcheck // it panics
	}()
	f.reopen(t)
}

// A village with bad power is not locked out by cuts in the middle of the check; whoever cuts on purpose gets five
// guesses more, once.
func TestKilledCheckIsForgivenFiveTimes(t *testing.T) {
	f := newFixture(t)
	for i := 1; i <= freeCuts; i++ {
		f.killed(t)
		if o := stateOf(t, f.ring, "wang"); o.Failed != 0 || !o.NotBefore.IsZero() {
			t.Fatalf("after %d cuts: %+v", i, o)
		}
	}
	mustUnlock(t, f.ring, "wang", "204816")
	for range freeCuts {
		f.killed(t)
	}
	for i := 1; i <= maxWrong; i++ {
		f.clock.forward(time.Minute)
		f.killed(t)
		if o := stateOf(t, f.ring, "wang"); o.Failed != i {
			t.Fatalf("after %d more kills: %+v", i, o)
		}
	}
	if _, err := f.ring.Unlock("wang", "204816"); !errors.Is(err, ErrLocked) {
		t.Fatalf("after five spent tries: %v", err)
	}
}

// Wrong PINs count in full, with cuts between them.
func TestCutsDoNotHideWrongPINs(t *testing.T) {
	f := newFixture(t)
	f.killed(t)
	f.ring.kdf = argon
	f.fail(t, 2)
	f.clock.forward(time.Minute)
	f.killed(t)
	f.ring.kdf = argon
	f.clock.forward(time.Minute)
	f.fail(t, 3)
	if _, err := f.ring.Unlock("wang", "204816"); !errors.Is(err, ErrLocked) {
		t.Fatalf("five wrong PINs and two cuts: %v", err)
	}
}

// When the counter cannot be made durable, the PIN is not looked at.
func TestNoTryWithoutDisk(t *testing.T) {
	f := newFixture(t)
	f.ring.write = func(string, string, []byte) error { return os.ErrPermission }
	f.ring.kdf = func(Argon, []byte, []byte) []byte { t.Error("PIN was looked at"); return make([]byte, 32) }
	if _, err := f.ring.Unlock("wang", "204816"); !errors.Is(err, ErrWrite) {
		t.Fatalf("without disk: %v", err)
	}
	f.ring.write, f.ring.kdf = writePair, argon
	mustUnlock(t, f.ring, "wang", "204816")
}

func TestClockSetBackStartsTheWaitOver(t *testing.T) {
	f := newFixture(t)
	f.fail(t, 5)
	f.clock.forward(10 * time.Minute) // five minutes to go
	f.reopen(t)
	f.clock.forward(-time.Hour)
	r := f.reopen(t)
	if o := stateOf(t, r, "wang"); !o.Locked || !o.NotBefore.Equal(f.clock.now().Add(lockTime)) {
		t.Fatalf("clock set back: %+v at %v", o, f.clock.now())
	}
	f.clock.forward(lockTime - time.Second)
	if _, err := f.reopen(t).Unlock("wang", "204816"); !errors.Is(err, ErrLocked) {
		t.Fatalf("the whole wait has to pass: %v", err)
	}
	f.clock.forward(time.Second)
	mustUnlock(t, f.ring, "wang", "204816")

	// A clock that was once far ahead must not lock for years when it is put right.
	f.clock.forward(100 * 365 * 24 * time.Hour)
	f.fail(t, 5)
	f.clock.forward(-100 * 365 * 24 * time.Hour)
	r = f.reopen(t)
	f.clock.forward(lockTime)
	mustUnlock(t, r, "wang", "204816")
}

// Within one process the monotonic clock counts: setting the wall clock forward does not end the wait.
func TestWallClockForwardDoesNotHelp(t *testing.T) {
	f := newFixture(t)
	began := time.Now() // carries a monotonic reading
	f.ring.now = func() time.Time { return began }
	f.fail(t, 1)
	f.ring.tries.Ops[0].Since -= time.Hour.Milliseconds() // as if the wall clock stood an hour later
	if _, err := f.ring.Unlock("wang", "204816"); !errors.Is(err, ErrWait) {
		t.Fatalf("wall clock forward: %v", err)
	}
}

// Removing or damaging both files does not give new tries: it locks everybody once.
func TestTriesRemoved(t *testing.T) {
	f := newFixture(t)
	a, b := filepath.Join(f.dir, "tries.a"), filepath.Join(f.dir, "tries.b")
	f.fail(t, 4)
	if err := os.Remove(a); err != nil {
		t.Fatal(err)
	}
	if o := stateOf(t, f.reopen(t), "wang"); o.Failed != 4 {
		t.Fatalf("one copy removed: %+v", o)
	}
	data, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if restored, err := os.ReadFile(a); err != nil || string(restored) != string(data) {
		t.Fatalf("copy not written again: %v", err)
	}
	data[len(data)-1] ^= 1
	writeFile(t, a, data)
	writeFile(t, b, nil)
	for range 2 { // and it is durable
		r := f.reopen(t)
		for _, id := range []string{"wang", "li"} {
			if _, err := r.Unlock(id, "204816"); !errors.Is(err, ErrLocked) {
				t.Fatalf("%s after both copies were damaged: %v", id, err)
			}
		}
	}
	f.clock.forward(lockTime)
	mustUnlock(t, f.ring, "wang", "204816")
}
