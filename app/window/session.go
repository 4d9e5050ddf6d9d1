package window

import (
	"context"

	"bianmin/offline/counter"
	"bianmin/offline/people"
)

// waking is a session that tells when something was committed that has to be sent.
type waking struct {
	counter.Session
	wake func()
}

// Start begins a case.
func (w *waking) Start(ctx context.Context, service string, person *people.Person) (counter.Intake, error) {
	return w.intake(w.Session.Start(ctx, service, person))
}

// Resume goes on with a draft.
func (w *waking) Resume(ctx context.Context, draft string) (counter.Intake, error) {
	return w.intake(w.Session.Resume(ctx, draft))
}

// Correct opens the answer to a correction.
func (w *waking) Correct(ctx context.Context, caseSeq uint64) (counter.Intake, error) {
	return w.intake(w.Session.Correct(ctx, caseSeq))
}

// HandIn opens the papers that a case still lacks.
func (w *waking) HandIn(ctx context.Context, caseSeq uint64) (counter.Intake, error) {
	return w.intake(w.Session.HandIn(ctx, caseSeq))
}

func (w *waking) intake(in counter.Intake, err error) (counter.Intake, error) {
	if err != nil {
		return nil, err
	}
	return &wakingIntake{in, w.wake}, nil
}

type wakingIntake struct {
	counter.Intake
	wake func()
}

// Submit commits, then wakes the line.
func (w *wakingIntake) Submit(ctx context.Context) (counter.Submitted, error) {
	done, err := w.Intake.Submit(ctx)
	if err == nil {
		w.wake()
	}
	return done, err
}
