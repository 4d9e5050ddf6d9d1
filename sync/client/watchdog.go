package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// errStalled is the cause of a request that made no progress.
var errStalled = errors.New("client: no progress")

type holdKey struct{}

// withHold tells the watchdog that the gateway may keep silent for d before it answers.
func withHold(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, holdKey{}, d)
}

// watchdog gives a request up when no byte moved for stall: while it is sent, while the answer is awaited (plus what
// withHold allows), and while the answer is read. Dialling has its own limit and is counted too.
type watchdog struct {
	base  http.RoundTripper
	stall time.Duration
}

// RoundTrip implements http.RoundTripper.
func (w *watchdog) RoundTrip(r *http.Request) (*http.Response, error) {
	hold, _ := r.Context().Value(holdKey{}).(time.Duration)
	ctx, cancel := context.WithCancelCause(r.Context())
	d := &dog{cancel: cancel, stall: w.stall}
	d.timer = time.AfterFunc(w.stall+hold, func() { cancel(errStalled) })
	out := r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = &watched{ReadCloser: r.Body, dog: d, grace: hold}
	}
	resp, err := w.base.RoundTrip(out)
	if err != nil {
		d.stop()
		if cause := context.Cause(ctx); errors.Is(cause, errStalled) {
			err = cause
		}
		cancel(nil)
		return nil, err
	}
	d.pat(0)
	resp.Body = &watched{ReadCloser: resp.Body, dog: d, ctx: ctx, last: true}
	return resp, nil
}

// dog barks when it is not patted for stall.
type dog struct {
	mu     sync.Mutex // protects timer against pats after stop
	timer  *time.Timer
	done   bool
	stall  time.Duration
	cancel context.CancelCauseFunc
}

func (d *dog) pat(grace time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.done {
		d.timer.Reset(d.stall + grace)
	}
}

func (d *dog) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done = true
	d.timer.Stop()
}

// watched is a body that pats the dog at each read.
type watched struct {
	io.ReadCloser
	dog   *dog
	grace time.Duration   // silence allowed after this read
	ctx   context.Context //nolint:containedctx // lives as long as the answer's body
	last  bool            // the answer's body: its end is the request's
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.dog.pat(w.grace)
	if err != nil && err != io.EOF && w.last {
		if cause := context.Cause(w.ctx); errors.Is(cause, errStalled) {
			err = cause
		}
	}
	return n, err
}

// Close implements io.Closer.
func (w *watched) Close() error {
	if w.last {
		w.dog.stop()
		defer w.dog.cancel(nil)
	}
	return w.ReadCloser.Close()
}
