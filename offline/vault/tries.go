package vault

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/words"
)

// Rules for wrong PINs. A round is maxWrong tries; each wrong one makes the next wait longer, the last one locks.
const (
	triesName  = "tries"
	maxWrong   = 5
	lockTime   = 15 * time.Minute
	laterDelay = time.Minute // each wrong try in every round after the first lock

	// freeCuts is how many checks in a row may be cut short (power, kill) before a check that has not ended counts as
	// wrong from its start. Whoever can cut the power gets so many guesses more, once; a village with bad power is not
	// locked out.
	freeCuts = 5
)

// firstDelays are the waits after the wrong tries of the first round; the fifth locks instead.
var firstDelays = [maxWrong - 1]time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 15 * time.Second}

// delayAfter returns how long to wait after wrong try number failed (from 1) when rounds locks came before.
func delayAfter(failed uint8, rounds uint32) time.Duration {
	switch {
	case failed >= maxWrong:
		return lockTime
	case rounds > 0:
		return laterDelay
	}
	return firstDelays[failed-1]
}

// tries counts wrong PINs of all operators. It is written before a PIN is looked at, so that a kill in the middle of
// the check is known: the first freeCuts of them are forgiven, the others are spent tries.
type tries struct {
	Version uint64     `cbor:"1,keyasint"` // counts writes
	Seen    int64      `cbor:"2,keyasint"` // latest wall clock seen, Unix milliseconds
	Ops     []tryState `cbor:"3,keyasint"` // by slot; operators without a wrong try are left out
}

type tryState struct {
	Slot   slotID `cbor:"1,keyasint"`
	Failed uint8  `cbor:"2,keyasint"`           // wrong tries in this round
	Rounds uint32 `cbor:"3,keyasint"`           // locks since the last right PIN
	Since  int64  `cbor:"4,keyasint"`           // when the wait began, Unix milliseconds
	Wait   int64  `cbor:"5,keyasint"`           // how long it is, milliseconds
	Cut    uint8  `cbor:"6,keyasint,omitempty"` // checks begun and not ended since the last right PIN, at most freeCuts

	counted bool // this try was counted as wrong at its start
}

// triesFile is the file: the counters sealed under a key derived from the machine key.
type triesFile struct {
	V      uint8  `cbor:"1,keyasint"`
	Sealed []byte `cbor:"2,keyasint"`
}

func triesKey(s Suite, mkey Key) Key { return derive(s, mkey[:], "tries") }

func parseTries(s Suite, mkey Key, data []byte) (tries, error) {
	var f triesFile
	if err := canon.Unmarshal(data, &f); err != nil {
		return tries{}, fmt.Errorf("vault: tries: %w", err)
	}
	if f.V != triesVersion {
		return tries{}, fmt.Errorf("vault: tries of version %d", f.V)
	}
	var t tries
	err := openSlot(s, triesKey(s, mkey), triesName, f.Sealed, &t)
	return t, err
}

func writeTries(s Suite, mkey Key, dir string, write func(dir, name string, data []byte) error, t tries) error {
	sort.Slice(t.Ops, func(i, j int) bool { return string(t.Ops[i].Slot[:]) < string(t.Ops[j].Slot[:]) })
	sealed, err := sealSlot(s, triesKey(s, mkey), triesName, t)
	if err != nil {
		return err
	}
	data, err := canon.Marshal(triesFile{V: triesVersion, Sealed: sealed})
	if err != nil {
		return err
	}
	if err := write(dir, triesName, data); err != nil {
		return withCause(ErrWrite, err)
	}
	return nil
}

func (t tries) of(id slotID) tryState {
	for _, o := range t.Ops {
		if o.Slot == id {
			return o
		}
	}
	return tryState{Slot: id}
}

// with returns a copy of t in which o replaces the operator's state; a state without wrong tries is dropped.
func (t tries) with(o tryState) tries {
	ops := make([]tryState, 0, len(t.Ops)+1)
	for _, old := range t.Ops {
		if old.Slot != o.Slot {
			ops = append(ops, old)
		}
	}
	if o.Failed > 0 || o.Rounds > 0 || o.Cut > 0 {
		ops = append(ops, o)
	}
	t.Ops = ops
	return t
}

// setTries makes t durable, then current. Called with tryMu held.
func (r *Ring) setTries(t tries) error {
	t.Version = r.tries.Version + 1
	if err := writeTries(r.suite, r.mkey, r.dir, r.write, t); err != nil {
		return err
	}
	r.tries = t
	return nil
}

// loadTries reads the counters. When neither copy is sound, somebody may have removed them to get new tries:
// every operator is locked once, which costs honest people a quarter of an hour. Called with mu and tryMu held.
func (r *Ring) loadTries() error {
	p := readPair(r.dir, triesName, func(data []byte) (uint64, error) {
		t, err := parseTries(r.suite, r.mkey, data)
		return t.Version, err
	})
	if p.data == nil {
		now := r.now()
		t := tries{Seen: now.UnixMilli()}
		for _, op := range r.ops {
			t = t.with(tryState{Slot: op.Slot, Failed: maxWrong, Since: now.UnixMilli(), Wait: lockTime.Milliseconds()})
		}
		r.repaired = append(r.repaired, p.damaged...)
		return r.setTries(t)
	}
	t, err := parseTries(r.suite, r.mkey, p.data)
	if err != nil {
		return withCause(ErrDamaged, err)
	}
	r.tries = t
	if len(p.damaged) > 0 || p.stale {
		if err := r.write(r.dir, triesName, p.data); err != nil {
			return withCause(ErrWrite, err)
		}
		r.repaired = append(r.repaired, p.damaged...)
	}
	return r.seeClock(r.now())
}

// seeClock notes the wall clock. When it went back since it was last seen, every wait starts over: nobody can tell how
// much time has passed. Called with tryMu held; writes only in that case.
func (r *Ring) seeClock(now time.Time) error {
	ms := now.UnixMilli()
	if ms >= r.tries.Seen {
		r.tries.Seen = ms
		return nil
	}
	t := r.tries
	t.Seen = ms
	t.Ops = append([]tryState{}, t.Ops...)
	for i := range t.Ops {
		// A wait measured by this process's own monotonic clock does not depend on the wall clock.
		if began, ok := r.waits[t.Ops[i].Slot]; ok && now.Sub(began) >= 0 {
			t.Ops[i].Since = ms - now.Sub(began).Milliseconds()
			continue
		}
		t.Ops[i].Since = ms
		delete(r.waits, t.Ops[i].Slot)
	}
	return r.setTries(t)
}

// remaining returns how long o still waits. Inside one process the monotonic clock counts, so that setting the wall
// clock forward does not help. Called with tryMu held.
func (r *Ring) remaining(o tryState, now time.Time) time.Duration {
	if o.Failed == 0 {
		return 0
	}
	wait := time.Duration(o.Wait) * time.Millisecond
	passed := time.Duration(now.UnixMilli()-o.Since) * time.Millisecond
	if began, ok := r.waits[o.Slot]; ok {
		passed = now.Sub(began)
	}
	if passed < 0 {
		passed = 0 // the clock went back: the wait starts over
	}
	return max(0, wait-passed)
}

// infoOf joins what is known of an operator with the wrong tries. Called with tryMu held.
func (r *Ring) infoOf(op operator) OperatorInfo {
	i := OperatorInfo{
		ID: op.ID, Name: op.Name, Role: op.Role, Division: op.Division, MustChange: op.MustChange, Waiting: len(op.Master) == 0,
	}
	o, now := r.tries.of(op.Slot), r.now()
	left := r.remaining(o, now)
	i.Failed = int(o.Failed)
	if left > 0 {
		i.NotBefore, i.Locked = now.Add(left), o.Failed >= maxWrong
	} else if o.Failed >= maxWrong {
		i.Failed = 0 // the lock is over, a new round begins
	}
	return i
}

// spendTry makes durable that a check begins, before anybody looks at the PIN. The words error says to wait, or that the
// lock still holds; then nothing was counted. Called with tryMu held.
func (r *Ring) spendTry(op operator) (tryState, error) {
	now := r.now()
	if err := r.seeClock(now); err != nil {
		return tryState{}, err
	}
	o := r.tries.of(op.Slot)
	if left := r.remaining(o, now); left > 0 {
		return tryState{}, waitError(o, now, left)
	}
	if o.Cut < freeCuts {
		o.Cut++
		return o, r.setTries(r.tries.with(o))
	}
	o = o.failed(now)
	if err := r.setTries(r.tries.with(o)); err != nil {
		return tryState{}, err
	}
	o.counted = true
	r.waits[op.Slot] = now
	return o, nil
}

// failed returns o with one more wrong try.
func (o tryState) failed(now time.Time) tryState {
	if o.Failed >= maxWrong {
		o.Failed, o.Rounds = 0, o.Rounds+1
	}
	o.Failed++
	o.Since, o.Wait = now.UnixMilli(), delayAfter(o.Failed, o.Rounds).Milliseconds()
	return o
}

// wrong counts the try that ended, starts the wait, and returns the words. Called with tryMu held.
func (r *Ring) wrong(begun tryState) error {
	now := r.now()
	o := r.tries.of(begun.Slot) // another check may have ended meanwhile
	if !begun.counted {
		o = o.failed(now)
		if o.Cut > 0 {
			o.Cut--
		}
		if err := r.setTries(r.tries.with(o)); err != nil {
			return err
		}
	}
	r.waits[o.Slot] = now
	if o.Failed >= maxWrong {
		return waitError(o, now, lockTime)
	}
	return words.New(ErrWrongPIN.Key, ErrOpen, "left", strconv.Itoa(maxWrong-int(o.Failed)))
}

// right forgets the wrong tries of an operator. Called with tryMu held.
func (r *Ring) right(id slotID) error {
	if err := r.setTries(r.tries.with(tryState{Slot: id})); err != nil {
		return err
	}
	delete(r.waits, id)
	return nil
}

var errTooSoon = errors.New("vault: too soon after a wrong PIN")

func waitError(o tryState, now time.Time, left time.Duration) error {
	secs := int64((left + time.Second - 1) / time.Second)
	if o.Failed >= maxWrong {
		return words.New(ErrLocked.Key, errTooSoon,
			"until", now.Add(left).In(china).Format("15:04"), "minutes", strconv.FormatInt((secs+59)/60, 10))
	}
	return words.New(ErrWait.Key, errTooSoon, "seconds", strconv.FormatInt(secs, 10))
}
