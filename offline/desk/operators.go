package desk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"bianmin/offline/counter"
	"bianmin/offline/ident"
	"bianmin/offline/journal"
	"bianmin/offline/store"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Errors of managing operators.
var (
	// ErrForbidden reports an operator whose role or division does not reach so far.
	ErrForbidden = words.New("operator.forbidden", nil)
	// ErrWithdrawn reports an operator whom the platform has withdrawn.
	ErrWithdrawn = words.New("operator.withdrawn", nil)
)

var operatorID = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,31}$`)

// newCode makes a one-time code of ten digits.
func newCode() (string, error) {
	const limit = 10_000_000_000
	n, err := rand.Int(rand.Reader, big.NewInt(limit))
	if err != nil {
		return "", fmt.Errorf("desk: make one-time code: %w", err)
	}
	return fmt.Sprintf("%010d", n), nil
}

// managed returns an operator whom the session may manage.
func (s *Session) managed(id string) (vault.OperatorInfo, error) {
	if err := s.open(); err != nil {
		return vault.OperatorInfo{}, err
	}
	op, ok := s.d.operator(id)
	switch {
	case !ok:
		return op, vault.ErrNoOperator
	case !s.scope.manages(op.Division):
		return op, ErrForbidden
	}
	return op, nil
}

func (s *Session) noted(ctx context.Context, kind journal.Kind, id string) error {
	_, err := s.d.store.Commit(ctx, store.Act{Operator: s.op.ID, Kind: kind, Body: journal.Note{What: id}})
	return err
}

// AddOperator invites somebody, who logs in with the one-time code that it returns, chooses a PIN, and waits to be admitted.
// It needs the role of a head of station over the newcomer's division. Errors: ErrForbidden, vault.ErrOperatorExists and words
// about what is missing.
func (s *Session) AddOperator(ctx context.Context, op counter.NewOperator) (code string, err error) {
	if err := s.open(); err != nil {
		return "", err
	}
	op.ID, op.Name = strings.TrimSpace(op.ID), strings.TrimSpace(op.Name)
	if op.Division == "" {
		op.Division = s.scope.place()
	}
	div, err := ident.ParseDivision(op.Division)
	switch {
	case s.op.Role != roleLead:
		return "", ErrForbidden
	case !operatorID.MatchString(op.ID):
		return "", words.New("operator.badID", nil)
	case op.Name == "":
		return "", words.New("operator.noName", nil)
	case !roles[op.Role]:
		return "", words.New("operator.badRole", nil)
	case err != nil || !s.scope.covers(op.Division):
		return "", words.New("operator.badDivision", err)
	}
	if code, err = newCode(); err != nil {
		return "", err
	}
	if err := s.d.ring.Invite(vault.NewOperator{ID: op.ID, Name: op.Name, Role: op.Role, Division: div.Code(), PIN: code}); err != nil {
		return "", err
	}
	return code, s.noted(ctx, journal.KindOperatorAdded, op.ID)
}

// AdmitOperator seals the machine's master to somebody who waits for it. Any operator may whose division covers the
// newcomer's: it is the colleague's word that this is the person.
func (s *Session) AdmitOperator(ctx context.Context, id string) error {
	if err := s.open(); err != nil {
		return err
	}
	op, ok := s.d.operator(id)
	switch {
	case !ok:
		return vault.ErrNoOperator
	case !s.scope.covers(op.Division):
		return ErrForbidden
	}
	if err := s.keys.Admit(id); err != nil {
		return err
	}
	return s.noted(ctx, journal.KindOperatorAdmitted, id)
}

// ResetOperator replaces a forgotten PIN by a one-time code, which it returns. It needs the role of a head of station.
func (s *Session) ResetOperator(ctx context.Context, id string) (code string, err error) {
	if _, err := s.managed(id); err != nil {
		return "", err
	}
	if code, err = newCode(); err != nil {
		return "", err
	}
	if err := s.keys.Reset(id, code); err != nil {
		return "", err
	}
	return code, s.noted(ctx, journal.KindOperatorReset, id)
}

// RemoveOperator takes an operator out, ends their session and rotates the master. It needs the role of a head of station.
func (s *Session) RemoveOperator(ctx context.Context, id string) error {
	if _, err := s.managed(id); err != nil {
		return err
	}
	if err := s.keys.Remove(id); err != nil {
		return err
	}
	s.d.endSessionsOf(ctx, id)
	if err := removeLearned(s.d.learnedFile(id)); err != nil {
		return err
	}
	return s.noted(ctx, journal.KindOperatorRemoved, id)
}

// RotateMaster makes a new master. Nobody notices: everybody logs in as before. It needs the role of a head of station.
func (s *Session) RotateMaster(ctx context.Context) error {
	if err := s.open(); err != nil {
		return err
	}
	if s.op.Role != roleLead {
		return ErrForbidden
	}
	if err := s.keys.Rotate(); err != nil {
		return err
	}
	return s.noted(ctx, journal.KindMasterRotated, "")
}

// Colleagues lists who may log in or waits to, and what the session may do about them.
func (s *Session) Colleagues() []counter.Colleague {
	var out []counter.Colleague
	for _, op := range s.d.Operators() {
		self := op.ID == s.op.ID
		out = append(out, counter.Colleague{
			OperatorInfo: op, Self: self, Admit: op.Waiting && s.scope.covers(op.Division), Manage: !self && s.scope.manages(op.Division),
		})
	}
	return out
}

// Manages reports whether the session may invite others and rotate the master.
func (s *Session) Manages() bool { return s.op.Role == roleLead }

// Activate replaces a newcomer's one-time code by a PIN of their own. Then they wait to be admitted. Errors carry the keys
// "pin.…", and "operator.admitted" for somebody who needs no activation.
func (d *Desk) Activate(ctx context.Context, id, code, fresh string) error {
	if err := d.enforce(); err != nil {
		return err
	}
	if err := d.ring.Activate(id, code, fresh); err != nil {
		return err
	}
	_, err := d.store.Commit(ctx, store.Act{Kind: journal.KindPINChanged, Body: journal.Note{What: id}})
	return err
}

// RequestOperator asks the county to let an operator in; see vault.Ring.RequestOperator.
func (d *Desk) RequestOperator(id, pin string) ([]byte, error) {
	return d.ring.RequestOperator(id, pin)
}

// TakeOperator takes the county's answer, and returns who may log in from now on.
func (d *Desk) TakeOperator(ctx context.Context, answer []byte) (string, error) {
	id, err := d.ring.TakeOperator(answer)
	if err != nil {
		return "", err
	}
	_, err = d.store.Commit(ctx, store.Act{Kind: journal.KindRecovered, Body: journal.Note{What: vault.RecoverOperator, To: id}})
	return id, err
}

func (d *Desk) endSessionsOf(ctx context.Context, id string) {
	d.guard.mu.Lock()
	var list []*Session
	for s := range d.guard.sessions {
		if s.op.ID == id {
			list = append(list, s)
		}
	}
	d.guard.mu.Unlock()
	for _, s := range list {
		if err := s.Close(ctx); err != nil {
			d.cfg.Log.ErrorContext(ctx, "end session", slog.Any("cause", err))
		}
	}
}

// follow does what the platform wants and only a login makes possible: it seals the master to the county's newest recovery
// key, invites new operators and removes those withdrawn, whose ids it returns. What does not succeed is tried at the next
// login. d.mu is held.
func (d *Desk) follow(ctx context.Context, u *vault.Unlocked) (withdrawn []string) {
	if pub := d.countyKey(); pub != nil {
		if err := u.SetCounty(pub); err != nil {
			d.cfg.Log.ErrorContext(ctx, "seal to the county's recovery key", slog.Any("cause", err))
		}
	}
	d.guard.mu.Lock()
	defer d.guard.mu.Unlock()
	o := d.guard.orders
	o.Gone = slices.Clone(o.Gone)
	const page = 500
	for {
		list, err := d.store.Events(o.People, page)
		if err != nil {
			d.cfg.Log.ErrorContext(ctx, "read events", slog.Any("cause", err))
			return nil
		}
		for _, e := range list {
			d.person(ctx, e, &o)
			o.People = e.Event.Cursor
		}
		if len(list) < page {
			break
		}
	}
	withdrawn = slices.Clone(o.Gone)
	left := o.Gone[:0]
	for _, id := range o.Gone {
		switch err := u.Remove(id); {
		case errors.Is(err, vault.ErrNoOperator):
		case err != nil: // oneself, or the last one: Login refuses them until somebody else comes
			left = append(left, id)
		default:
			d.note(ctx, journal.KindOperatorRemoved, id)
		}
	}
	o.Gone = left
	if o.People != d.guard.orders.People || !slices.Equal(o.Gone, d.guard.orders.Gone) {
		if err := d.keepOrders(o); err != nil {
			d.cfg.Log.ErrorContext(ctx, "keep orders", slog.Any("cause", err)) // the same events are applied again
			return withdrawn
		}
		d.guard.orders = o
	}
	return withdrawn
}

// person applies one event about an operator.
func (d *Desk) person(ctx context.Context, e store.Told, o *orders) {
	kind := e.Event.Kind
	if kind != journal.EventOperator && kind != journal.EventOperatorWithdraw || e.Body == nil {
		return
	}
	b, err := journal.DecodeBody[journal.OperatorGranted](e.Body)
	if err != nil {
		d.cfg.Log.ErrorContext(ctx, "event about an operator", slog.Any("cause", err))
		return
	}
	o.Gone = slices.DeleteFunc(o.Gone, func(id string) bool { return id == b.ID })
	if kind == journal.EventOperatorWithdraw {
		o.Gone = append(o.Gone, b.ID)
		return
	}
	err = d.ring.Invite(vault.NewOperator{ID: b.ID, Name: b.Name, Role: b.Role, Division: b.Division, PIN: b.Code})
	switch {
	case err == nil:
		d.note(ctx, journal.KindOperatorAdded, b.ID)
	case !errors.Is(err, vault.ErrOperatorExists):
		d.cfg.Log.ErrorContext(ctx, "invite an operator", slog.Any("cause", err))
	}
}

func (d *Desk) note(ctx context.Context, kind journal.Kind, id string) {
	if _, err := d.store.Commit(ctx, store.Act{Kind: kind, Body: journal.Note{What: id, From: "platform"}}); err != nil {
		d.cfg.Log.ErrorContext(ctx, "record a change of operators", slog.Any("cause", err))
	}
}

// withdrawn reports whether the platform has withdrawn an operator.
func (d *Desk) withdrawn(id string) bool {
	d.guard.mu.Lock()
	defer d.guard.mu.Unlock()
	return slices.Contains(d.guard.orders.Gone, id)
}

// newerCounty reports whether a recovery key's document is the root's, and newer than another.
func (d *Desk) newerCounty(data, than []byte) bool {
	_, at, err := vault.OpenCountyKey(d.cfg.Suite, d.en.Root, data)
	if err != nil {
		d.cfg.Log.Warn("county key refused", slog.Any("cause", err))
		return false
	}
	_, old, err := vault.OpenCountyKey(d.cfg.Suite, d.en.Root, than)
	return err != nil || at >= old
}

// countyKey returns the newest recovery key that the platform root signed; nil when there is none.
func (d *Desk) countyKey() vault.PublicKey {
	d.guard.mu.Lock()
	data := d.guard.orders.County
	d.guard.mu.Unlock()
	if len(data) == 0 {
		data = d.en.Recovery
	}
	pub, _, err := vault.OpenCountyKey(d.cfg.Suite, d.en.Root, data)
	if err != nil {
		return nil
	}
	return pub
}
