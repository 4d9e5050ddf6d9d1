package vault

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"bianmin/offline/canon"
	"bianmin/offline/words"
)

// Least lengths of a new PIN, in characters.
const (
	leastDemo      = 4  // a sample county
	leastProtected = 6  // the machine secret is out of a thief's reach
	leastFile      = 10 // the machine secret lies on the same disk: a pass phrase
)

// china is the zone whose months name periods; villages have no other.
var china = time.FixedZone("CST", 8*3600)

func argon(a Argon, pin, salt []byte) []byte {
	return argon2.IDKey(pin, salt, a.Time, a.MemoryKiB, a.Threads, 32)
}

// plainPIN folds full-width forms, which a Chinese input method types, to the ASCII ones.
func plainPIN(pin string) []byte {
	return []byte(strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			return r - '！' + '!'
		}
		return r
	}, pin))
}

// Unlocked is the ring with an operator logged in: it reads what the master opens. Close it when the operator leaves.
// All methods may be called from any goroutine.
type Unlocked struct {
	ring *Ring
	slot slotID

	mu     sync.Mutex // protects the rest; taken before the ring's
	closed bool
	seal   PrivateKey
	known  map[string]Period // periods opened so far
}

// Unlock logs an operator in. The try is counted, and the count durable, before the PIN is looked at; a right PIN
// clears it. Errors: ErrNoOperator, ErrWrongPIN, ErrWait, ErrLocked, ErrActivate, ErrWaiting, ErrWrite, ErrDamaged. It takes
// as long as Argon2id does.
func (r *Ring) Unlock(id, pin string) (*Unlocked, error) {
	op, a, ok := r.operator(id)
	if !ok {
		return nil, ErrNoOperator
	}
	r.checkMu.Lock()
	defer r.checkMu.Unlock()
	d, err := r.checkPIN(op, a, pin)
	if err != nil {
		return nil, err
	}
	defer clear(d)
	// The PIN was checked without mu: the slot may have been admitted or replaced meanwhile.
	if op, _, ok = r.operator(id); !ok {
		return nil, ErrNoOperator
	}
	switch {
	case len(op.Master) > 0:
		return r.open(op, d)
	case op.MustChange:
		return nil, ErrActivate
	}
	return nil, ErrWaiting
}

func (r *Ring) operator(id string) (operator, Argon, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, op := range r.ops {
		if op.ID == id {
			return op, r.file.Argon, true
		}
	}
	return operator{}, Argon{}, false
}

// checkPIN spends a try and returns the operator's scalar. Called with checkMu held; the slow part runs without tryMu,
// so that the login screen can go on asking for Operators.
func (r *Ring) checkPIN(op operator, a Argon, pin string) ([]byte, error) {
	r.tryMu.Lock()
	o, err := r.spendTry(op)
	r.tryMu.Unlock()
	if err != nil {
		return nil, err
	}
	d, err := r.suite.Open(pinKey(r.suite, r.secret, a, r.kdf, op.operatorSlot, pin), op.Key, aadOf(op.Slot.name("key")))
	r.tryMu.Lock()
	defer r.tryMu.Unlock()
	if err != nil {
		return nil, r.wrong(o)
	}
	if err := r.right(op.Slot); err != nil {
		clear(d)
		return nil, err
	}
	return d, nil
}

// open goes from the operator's key to the master and the device's encryption key.
func (r *Ring) open(op operator, d []byte) (*Unlocked, error) {
	k, err := r.suite.ParsePrivateKey(d)
	if err != nil {
		return nil, withCause(ErrDamaged, err)
	}
	plain, err := k.OpenSealed(op.Master)
	if err != nil {
		return nil, withCause(ErrDamaged, err)
	}
	defer clear(plain)
	var m masterSlot
	if err := canon.Unmarshal(plain, &m); err != nil {
		return nil, withCause(ErrDamaged, err)
	}
	if m.Slot != op.Slot {
		return nil, withCause(ErrDamaged, errors.New("vault: master of another operator"))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if again := r.file.slot(op.Slot); again < 0 || !Equal(r.file.Operators[again].Master, op.Master) {
		return nil, withCause(ErrNoOperator, errors.New("vault: the operator's slot was changed meanwhile"))
	}
	sd, err := r.suite.Open(m.Master, r.file.Device, aadOf(slotDeviceKey))
	if err != nil {
		return nil, withCause(ErrDamaged, err)
	}
	defer clear(sd)
	seal, err := r.suite.ParsePrivateKey(sd)
	if err != nil {
		return nil, withCause(ErrDamaged, err)
	}
	r.live, r.master = r.live+1, m.Master
	return &Unlocked{ring: r, slot: op.Slot, seal: seal, known: map[string]Period{}}, nil
}

// Format keeps the keys out of formatted text and logs, whatever the verb.
func (*Unlocked) Format(f fmt.State, _ rune) { hide(f, "[unlocked ring]") }

// Operator tells who is logged in.
func (u *Unlocked) Operator() OperatorInfo {
	u.ring.mu.Lock()
	var op operator
	for _, o := range u.ring.ops {
		if o.Slot == u.slot {
			op = o
		}
	}
	u.ring.mu.Unlock()
	u.ring.tryMu.Lock()
	defer u.ring.tryMu.Unlock()
	return u.ring.infoOf(op)
}

// SealKey returns the device's encryption key; nil after Close.
func (u *Unlocked) SealKey() PrivateKey {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.seal
}

// PeriodID names the period of a moment: the month in China, for example "2026-11".
func PeriodID(at time.Time) string { return at.In(china).Format("2006-01") }

// Period returns the keys of the month of at, making them when there are none. New keys are durable before they are
// returned. Errors: ErrClosed, ErrWrite, ErrDamaged.
func (u *Unlocked) Period(at time.Time) (Period, error) {
	id := PeriodID(at)
	p, err := u.PeriodByID(id)
	if err == nil || !errors.Is(err, ErrNoPeriod) {
		return p, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return Period{}, ErrClosed
	}
	r := u.ring
	r.mu.Lock()
	defer r.mu.Unlock()
	if slot, ok := r.file.period(id); ok { // another login made it meanwhile
		return u.openPeriod(slot, r.master)
	}
	if len(r.file.Periods) >= maxPeriods {
		return Period{}, fmt.Errorf("vault: more than %d periods", maxPeriods)
	}
	keys, err := newPeriodKeys(r.suite)
	if err != nil {
		return Period{}, err
	}
	sealed, err := sealSlot(r.suite, r.master, "period/"+id, keys)
	if err != nil {
		return Period{}, err
	}
	if err := r.save(r.file.withPeriod(periodSlot{ID: id, Keys: sealed})); err != nil {
		return Period{}, err
	}
	u.known[id] = keys.period(id)
	return u.known[id], nil
}

// PeriodByID returns the keys of a period that exists, the machine's included. Errors: ErrNoPeriod, ErrClosed, ErrDamaged.
func (u *Unlocked) PeriodByID(id string) (Period, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return Period{}, ErrClosed
	}
	if id == MachinePeriodID {
		return u.ring.mperiod, nil
	}
	if p, ok := u.known[id]; ok {
		return p, nil
	}
	u.ring.mu.Lock()
	slot, ok := u.ring.file.period(id)
	master := u.ring.master
	u.ring.mu.Unlock()
	defer clear(master[:])
	if !ok {
		return Period{}, withCause(ErrNoPeriod, fmt.Errorf("vault: period %q", id))
	}
	return u.openPeriod(slot, master)
}

// openPeriod opens a slot and remembers it. Called with u.mu held.
func (u *Unlocked) openPeriod(slot periodSlot, master Key) (Period, error) {
	var keys periodKeys
	if err := openSlot(u.ring.suite, master, "period/"+slot.ID, slot.Keys, &keys); err != nil {
		return Period{}, withCause(ErrDamaged, err)
	}
	u.known[slot.ID] = keys.period(slot.ID)
	return u.known[slot.ID], nil
}

// ChangePIN gives the operator a new PIN, and ends a one-time one. A wrong old PIN counts as in Unlock. Errors: those
// of Unlock, and ErrShortPIN, ErrSimplePIN, ErrSamePIN for the new one.
func (u *Unlocked) ChangePIN(old, fresh string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return ErrClosed
	}
	r := u.ring
	if err := r.checkNewPIN(old, fresh); err != nil {
		return err
	}
	r.checkMu.Lock()
	defer r.checkMu.Unlock()
	return r.changePIN(u.slot, old, fresh)
}

// changePIN wraps an operator's key under a new PIN. Called with checkMu held.
func (r *Ring) changePIN(slot slotID, old, fresh string) error {
	r.mu.Lock()
	at := r.file.slot(slot)
	f, ops := r.file, r.ops
	r.mu.Unlock()
	if at < 0 {
		return ErrNoOperator
	}
	d, err := r.checkPIN(ops[at], f.Argon, old)
	if err != nil {
		return err
	}
	defer clear(d)
	wrapped, err := wrapOperatorKey(r.suite, r.secret, f.Argon, r.kdf, ops[at].operatorSlot, d, fresh)
	if err != nil {
		return err
	}
	info := ops[at].operatorInfo
	info.MustChange = false
	if wrapped.Info, err = sealSlot(r.suite, derive(r.suite, r.secret, "wrap"), wrapped.Slot.name("info"), info); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if at = r.file.slot(slot); at < 0 || !Equal(r.file.Operators[at].Public, wrapped.Public) {
		return withCause(ErrNoOperator, errors.New("vault: the operator's slot was changed meanwhile"))
	}
	wrapped.Master = r.file.Operators[at].Master // admitted, or the master rotated, meanwhile
	return r.save(r.file.withOperator(wrapped))
}

// checkNewPIN applies the rules for PINs people choose.
func (r *Ring) checkNewPIN(old, fresh string) error {
	least := leastFile
	switch {
	case r.demo:
		least = leastDemo
	case protectedBy(r.mach):
		least = leastProtected
	}
	chars := []rune(string(plainPIN(fresh)))
	switch {
	case !utf8.ValidString(fresh) || len(chars) < least:
		return words.New(ErrShortPIN.Key, nil, "least", strconv.Itoa(least))
	case string(chars) == string(plainPIN(old)):
		return ErrSamePIN
	case !r.demo && simple(chars):
		return ErrSimplePIN
	}
	return nil
}

// simple reports one repeated character, or a straight run up or down.
func simple(chars []rune) bool {
	if len(chars) < 2 {
		return true
	}
	step := chars[1] - chars[0]
	if step < -1 || step > 1 {
		return false
	}
	for i := 2; i < len(chars); i++ {
		if chars[i]-chars[i-1] != step {
			return false
		}
	}
	return true
}

// Close forgets the keys. Further calls return ErrClosed.
func (u *Unlocked) Close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return
	}
	u.closed, u.seal = true, nil
	u.ring.mu.Lock()
	defer u.ring.mu.Unlock()
	if u.ring.live--; u.ring.live == 0 {
		clear(u.ring.master[:])
	}
	for id := range u.known {
		delete(u.known, id)
	}
}
