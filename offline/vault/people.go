package vault

import (
	"errors"
	"fmt"
	"slices"

	"bianmin/offline/words"
)

// Errors of changing who may log in. Compare with errors.Is.
var (
	// ErrOperatorExists reports an operator id that is taken.
	ErrOperatorExists = words.New("operator.exists", nil)
	// ErrTooManyOperators reports that the ring holds as many operators as it can.
	ErrTooManyOperators = words.New("operator.tooMany", nil)
	// ErrAdmitted reports an operator who does not wait to be admitted.
	ErrAdmitted = words.New("operator.admitted", nil)
	// ErrLastOperator reports that nobody would be left who opens the machine.
	ErrLastOperator = words.New("operator.last", nil)
	// ErrSelf reports that operators neither remove themselves nor reset their own PIN.
	ErrSelf = words.New("operator.self", nil)
)

// slot returns where a slot stands; -1 when it does not.
func (f ringFile) slot(id slotID) int {
	return slices.IndexFunc(f.Operators, func(o operatorSlot) bool { return o.Slot == id })
}

// withOperator returns the file with a slot in place of the one of the same name, or at the end; the receiver keeps its
// own slice.
func (f ringFile) withOperator(o operatorSlot) ringFile {
	f.Operators = slices.Clone(f.Operators)
	if at := f.slot(o.Slot); at >= 0 {
		f.Operators[at] = o
	} else {
		f.Operators = append(f.Operators, o)
	}
	return f
}

// Invite adds somebody who may log in once an operator, or the county, has admitted them: until then the code in op.PIN
// opens nothing but Activate. It needs nobody logged in, because it gives nothing away. Errors: ErrOperatorExists,
// ErrTooManyOperators, ErrWrite.
func (r *Ring) Invite(op NewOperator) error {
	if op.ID == "" || op.PIN == "" {
		return errors.New("vault: an operator needs an id and a one-time code")
	}
	op.OneTime = true
	r.mu.Lock()
	a := r.file.Argon
	r.mu.Unlock()
	slot, err := newOperatorSlot(r.suite, r.secret, a, r.kdf, op)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.file.slot(slot.Slot) >= 0:
		return ErrOperatorExists
	case len(r.file.Operators) >= maxOperators:
		return ErrTooManyOperators
	}
	return r.save(r.file.withOperator(slot))
}

// Activate replaces the one-time code of somebody who waits to be admitted by a PIN of their own: what the code's maker
// knows opens nothing any more. A wrong code counts as in Unlock. Errors: those of Unlock and of ChangePIN, ErrAdmitted
// for somebody who may log in.
func (r *Ring) Activate(id, code, fresh string) error {
	op, _, ok := r.operator(id)
	switch {
	case !ok:
		return ErrNoOperator
	case len(op.Master) > 0 || !op.MustChange:
		return ErrAdmitted
	}
	if err := r.checkNewPIN(code, fresh); err != nil {
		return err
	}
	r.checkMu.Lock()
	defer r.checkMu.Unlock()
	return r.changePIN(op.Slot, code, fresh)
}

// change makes a new file out of the present one and the master, and saves it. Called with nothing held.
func (u *Unlocked) change(fn func(f ringFile, master Key) (ringFile, Key, error)) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return ErrClosed
	}
	r := u.ring
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file.slot(u.slot) < 0 { // removed by another
		return ErrClosed
	}
	f, master, err := fn(r.file, r.master)
	if err != nil {
		return err
	}
	if err := r.save(f); err != nil {
		return err
	}
	r.master = master
	return nil
}

// Admit seals the master to somebody who waits: from now on their PIN opens the machine. Errors: ErrNoOperator, ErrAdmitted,
// ErrClosed, ErrWrite.
func (u *Unlocked) Admit(id string) error {
	r := u.ring
	return u.change(func(f ringFile, master Key) (ringFile, Key, error) {
		at := f.slot(slotOf(r.suite, r.secret, id))
		switch {
		case at < 0:
			return f, master, ErrNoOperator
		case len(f.Operators[at].Master) > 0:
			return f, master, ErrAdmitted
		}
		slot, err := f.Operators[at].admit(r.suite, master)
		return f.withOperator(slot), master, err
	})
}

// Reset gives an operator a new key pair under a one-time code, and seals the master to it: the forgotten PIN is worth
// nothing from now on, and nobody else's is needed. The code must be changed at the next login. Errors: ErrNoOperator,
// ErrSelf, ErrClosed, ErrWrite.
func (u *Unlocked) Reset(id, code string) error {
	r := u.ring
	op, a, ok := r.operator(id)
	switch {
	case !ok:
		return ErrNoOperator
	case op.Slot == u.slot:
		return ErrSelf
	}
	fresh, err := newOperatorSlot(r.suite, r.secret, a, r.kdf, NewOperator{
		ID: id, Name: op.Name, Role: op.Role, Division: op.Division, PIN: code, OneTime: true,
	})
	if err != nil {
		return err
	}
	if err := u.change(func(f ringFile, master Key) (ringFile, Key, error) {
		if f.slot(fresh.Slot) < 0 {
			return f, master, ErrNoOperator
		}
		slot, err := fresh.admit(r.suite, master)
		return f.withOperator(slot), master, err
	}); err != nil {
		return err
	}
	return r.forgive(op.Slot)
}

// forgive forgets the wrong tries of somebody whose PIN is a new one, or who is gone.
func (r *Ring) forgive(slot slotID) error {
	r.tryMu.Lock()
	defer r.tryMu.Unlock()
	if r.tries.of(slot) == (tryState{Slot: slot}) {
		return nil
	}
	return r.right(slot)
}

// Remove takes an operator out and rotates the master in the same step, so that nothing the operator kept opens what is
// wrapped from now on. What was wrapped before stays under its periods' keys. Errors: ErrNoOperator, ErrSelf,
// ErrLastOperator, ErrClosed, ErrWrite.
func (u *Unlocked) Remove(id string) error {
	r := u.ring
	gone := slotOf(r.suite, r.secret, id)
	if gone == u.slot {
		return ErrSelf
	}
	if err := u.change(func(f ringFile, master Key) (ringFile, Key, error) {
		at := f.slot(gone)
		if at < 0 {
			return f, master, ErrNoOperator
		}
		f.Operators = slices.Delete(slices.Clone(f.Operators), at, at+1)
		if !slices.ContainsFunc(f.Operators, func(o operatorSlot) bool { return len(o.Master) > 0 }) {
			return f, master, ErrLastOperator
		}
		return f.rotate(r.suite, r.secret, master)
	}); err != nil {
		return err
	}
	return r.forgive(gone)
}

// Rotate makes a new master, wraps the device's encryption key and every period anew, and seals it to every operator who
// was admitted and to the county, in one write of the key file. Others who are logged in go on. Errors: ErrClosed, ErrWrite.
func (u *Unlocked) Rotate() error {
	r := u.ring
	return u.change(func(f ringFile, master Key) (ringFile, Key, error) { return f.rotate(r.suite, r.secret, master) })
}

// rotate returns the file under a new master, and that master; the receiver keeps its own slices.
func (f ringFile) rotate(s Suite, secret []byte, old Key) (ringFile, Key, error) {
	fail := func(err error) (ringFile, Key, error) { return ringFile{}, Key{}, err }
	fresh, err := s.NewKey()
	if err != nil {
		return fail(err)
	}
	rewrap := func(slot string, sealed []byte) ([]byte, error) {
		plain, err := s.Open(old, sealed, aadOf(slot))
		if err != nil {
			return nil, withCause(ErrDamaged, fmt.Errorf("slot %s: %w", slot, err))
		}
		defer clear(plain)
		return s.Seal(fresh, plain, aadOf(slot))
	}
	if f.Device, err = rewrap(slotDeviceKey, f.Device); err != nil {
		return fail(err)
	}
	f.Periods = slices.Clone(f.Periods)
	for i, p := range f.Periods {
		if f.Periods[i].Keys, err = rewrap("period/"+p.ID, p.Keys); err != nil {
			return fail(err)
		}
	}
	f.Operators = slices.Clone(f.Operators)
	for i, o := range f.Operators {
		if len(o.Master) == 0 {
			continue
		}
		if f.Operators[i], err = o.admit(s, fresh); err != nil {
			return fail(err)
		}
	}
	if f.County != nil {
		if f, err = f.withCounty(s, secret, fresh, f.County.Public); err != nil {
			return fail(err)
		}
	}
	return f, fresh, nil
}
