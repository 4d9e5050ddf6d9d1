package spool

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"bianmin/app/device/printer"
	"bianmin/offline/counter"
	"bianmin/offline/paper"
	"bianmin/offline/words"
)

// Run prints until ctx ends.
func (s *Spool) Run(ctx context.Context) error {
	for {
		switch err := s.Once(ctx); {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			continue
		case !errors.Is(err, ErrIdle):
			key, _ := words.KeyOf(err)
			s.o.Log.Warn("print job held", slog.String("key", key), slog.Any("cause", err))
		}
		t := time.NewTimer(s.rest())
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-s.wake:
		case <-t.C:
		}
		t.Stop()
	}
}

// rest is how long nothing can be done.
func (s *Spool) rest() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := time.Hour
	for _, j := range s.q.Jobs {
		if at, due := s.next[j.ID]; due && s.may(j) {
			d = min(d, time.Until(at))
		}
	}
	return max(d, time.Millisecond)
}

// Once prints one job whose turn it is. Errors: ErrIdle; why the job is held now.
func (s *Spool) Once(ctx context.Context) error {
	j, src, ok := s.turn()
	if !ok {
		return ErrIdle
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s.mu.Lock()
	s.current, s.stop = j.ID, stop
	s.mu.Unlock()
	begun := false
	err := s.print(ctx, j, src, &begun)
	s.mu.Lock()
	s.current, s.stop = 0, nil
	s.mu.Unlock()
	return s.settle(j, err, begun)
}

// may reports whether a job can be laid out now: papers about people need an operator at work. mu is held.
func (s *Spool) may(j Job) bool { return s.source != nil || j.What == Test }

// turn returns the job whose turn it is: the oldest that waits, or that is held and is to be tried again by itself.
func (s *Spool) turn() (Job, Source, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, j := range s.q.Jobs {
		at, due := s.next[j.ID]
		if !s.may(j) || j.State != Waiting && !(j.State == Held && due && !now.Before(at)) {
			continue
		}
		delete(s.next, j.ID)
		return j, s.source, true
	}
	return Job{}, nil, false
}

// print prints one job. begun is set when the printer was ready for it.
func (s *Spool) print(ctx context.Context, j Job, src Source, begun *bool) error {
	c, ok := s.o.Book.Get(j.Printer)
	if !ok {
		return words.New("print.noPrinter", nil)
	}
	p, err := printer.Open(c, s.o.Printers)
	if err != nil {
		return err
	}
	return p.Print(ctx, func() (*paper.Sheet, error) {
		*begun = true
		if err := s.change(j.ID, func(j *Job) { j.State, j.Begun = Printing, true }); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if j.What == Test {
			return s.o.Test(j, c)
		}
		return src.Sheet(ctx, j, c.Dots)
	})
}

// settle writes down how a job went. Only a printer's trouble before the first ink is waited for: what else went wrong goes
// wrong again.
func (s *Spool) settle(j Job, err error, begun bool) error {
	if err == nil {
		s.mu.Lock()
		next := s.copy()
		i := slices.IndexFunc(next.Jobs, func(o Job) bool { return o.ID == j.ID })
		if i >= 0 { // not cancelled meanwhile
			next.Jobs = slices.Delete(next.Jobs, i, i+1)
			err = s.keep(next)
		}
		j.State, j.Cause, j.Begun = Done, "", false
		s.done = append(s.done, j)
		s.done = s.done[max(0, len(s.done)-mostDone):]
		s.mu.Unlock()
		s.changed()
		return err
	}
	key, _ := words.KeyOf(err)
	if errors.Is(err, context.Canceled) {
		key = "print.interrupted"
	}
	ink := j.Begun || errors.Is(err, printer.ErrStarted)
	kept := s.change(j.ID, func(j *Job) {
		j.State, j.Cause, j.Begun = Held, key, ink
		if errors.Is(err, counter.ErrLocked) { // in the middle of it: it waits for the next login
			j.State, j.Cause = Waiting, ""
		} else if !begun && !ink {
			s.next[j.ID] = time.Now().Add(s.o.Again)
		}
	})
	return errors.Join(err, kept)
}
