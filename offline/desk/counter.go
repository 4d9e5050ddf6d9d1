package desk

import (
	"context"

	"bianmin/offline/counter"
)

// Counter returns the machine as screens see it.
func (d *Desk) Counter() counter.Counter { return asCounter{d} }

type asCounter struct{ *Desk }

var (
	_ counter.Counter = asCounter{}
	_ counter.Session = (*Session)(nil)
)

// Login opens a session for an operator.
func (a asCounter) Login(ctx context.Context, id, pin string) (counter.Session, error) {
	s, err := a.Desk.Login(ctx, id, pin)
	if err != nil {
		return nil, err
	}
	return s, nil
}
