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

// Task returns the rebuild or check under way.
func (a asCounter) Task() (counter.Task, bool) {
	t, ok := a.store.Task()
	return counter.Task{Kind: t.Kind, Done: t.Done, Total: t.Total}, ok
}

// Login opens a session for an operator.
func (a asCounter) Login(ctx context.Context, id, pin string) (counter.Session, error) {
	s, err := a.Desk.Login(ctx, id, pin)
	if err != nil {
		return nil, err
	}
	return s, nil
}
