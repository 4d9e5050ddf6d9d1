package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	gosync "sync"
	"time"

	"bianmin/offline/clocks"
	"bianmin/sync/wire"
)

const wireMaxWait = wire.MaxWaitMS * time.Millisecond

// Config is what an engine needs. Journal and Platform are required; the zero value of the rest is usable.
type Config struct {
	Journal  Journal
	Platform Platform
	Packs    Packs // nil: packs are not fetched
	// Recovery goes on after a fork. nil: the journal stays as it is, and sends no more records.
	Recovery Recovery
	// OnEvent is called on the engine's goroutine at each change; it must return quickly and not call back. nil: nobody
	// looks.
	OnEvent func(Event)
	Log     *slog.Logger               // nil: discard
	Clock   clocks.Clock               // stamps of events; nil: the system's
	Random  io.Reader                  // jitter; nil: crypto/rand.Reader
	Poll    time.Duration              // how long the platform may hold an idle exchange; 0: 25 s, negative: do not hold, ask once a minute
	Addrs   func() ([]net.Addr, error) // the machine's addresses, to notice a new network; nil: net.InterfaceAddrs
}

// Engine moves records out and events in. Make it with New; Run or Once does the work.
type Engine struct {
	c    Config
	log  *slog.Logger
	wake chan struct{} // size 1

	mu      gosync.Mutex // protects the fields up to the blank line
	last    Event
	running bool
	started chan struct{} // closed while Run is running
	waiters []chan outcome

	turn chan struct{} // size 1, held by whoever uses the fields below and the journal

	budget    int       // bytes of packets in one request
	notBefore time.Time // the platform said "later": not before then, whoever wakes
	advice    time.Time // the platform said "not before, unless there is news"
	forked    bool      // the platform refuses this journal's past: no more records
	soft      error     // what needs a person but does not stop the line
	skip      map[[32]byte]aside
	speed     float64 // bytes a second, smoothed
	perRecord float64 // bytes a record, smoothed
	sentBytes int64
	lastAck   time.Time
	failures  int // since the last good answer, for the log
}

// aside is a pack or blob left alone for a while, and why.
type aside struct {
	until time.Time
	err   error
}

type outcome struct {
	r   Result
	err error
}

// Budget of packets in one request, in bytes.
const (
	minBudget   = 16 << 10
	startBudget = 256 << 10
	maxBudget   = wire.MaxPacket
	quickAnswer = 5 * time.Second // an answer within this doubles the budget
)

// New checks c and returns an engine at rest.
func New(c Config) (*Engine, error) {
	if c.Journal == nil || c.Platform == nil {
		return nil, errors.New("engine: Config needs Journal and Platform")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Clock = clocks.Or(c.Clock)
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Addrs == nil {
		c.Addrs = net.InterfaceAddrs
	}
	if c.Poll == 0 || c.Poll > defaultPoll {
		c.Poll = defaultPoll
	}
	e := &Engine{
		c: c, log: c.Log, wake: make(chan struct{}, 1), turn: make(chan struct{}, 1),
		budget: startBudget, skip: make(map[[32]byte]aside), started: make(chan struct{}),
	}
	return e, nil
}

// Wake says that there is something to send or that the network may be back. It never blocks; any goroutine may call it.
func (e *Engine) Wake() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Status returns the last event. Any goroutine may call it.
func (e *Engine) Status() Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

// Once does one round: everything out, everything in, without long poll and without a second try after a failure. While
// Run is running it asks for a round there and returns that one's result. Errors: *wire.Error from the line, else the
// journal's own.
func (e *Engine) Once(ctx context.Context) (Result, error) {
	for {
		e.mu.Lock()
		started := e.started
		if e.running {
			done := make(chan outcome, 1)
			e.waiters = append(e.waiters, done)
			e.mu.Unlock()
			e.Wake()
			select {
			case o := <-done:
				return o.r, o.err
			case <-ctx.Done():
				return Result{}, ctx.Err()
			}
		}
		e.mu.Unlock()
		select {
		case e.turn <- struct{}{}:
			defer func() { <-e.turn }()
			return e.once(ctx)
		case <-started: // Run was quicker
		case <-ctx.Done():
			return Result{}, ctx.Err()
		}
	}
}

func (e *Engine) once(ctx context.Context) (Result, error) {
	r, err := e.turnOnce(ctx)
	if ctx.Err() == nil {
		if merr := e.settle(ctx, err, time.Time{}); merr != nil {
			return r, merr
		}
	}
	if err == nil {
		err = e.soft
	}
	return r, err
}

// Run works until ctx ends, and returns nil then. Any other return is a fault of this package. Only one Run at a time.
func (e *Engine) Run(ctx context.Context) error {
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return nil
	}
	e.mu.Lock()
	e.running = true
	close(e.started)
	e.mu.Unlock()
	defer e.stopped()

	var b backoff
	for ctx.Err() == nil {
		waiters := e.takeWaiters()
		r, err := e.turnOnce(ctx)
		for _, w := range waiters {
			o := outcome{r, err}
			if o.err == nil {
				o.err = e.soft
			}
			w <- o
		}
		for err == nil && ctx.Err() == nil {
			if merr := e.settle(ctx, nil, time.Time{}); merr != nil {
				return merr
			}
			b.reset()
			var again bool
			if again, err = e.listen(ctx); again {
				break
			}
		}
		if err == nil || ctx.Err() != nil {
			continue
		}
		if errors.Is(err, ErrMove) {
			return err
		}
		d := e.delay(&b, err)
		if merr := e.settle(ctx, err, time.Now().Add(d)); merr != nil {
			return merr
		}
		if e.rest(ctx, d) {
			b.reset()
		}
	}
	return nil
}

// stopped answers those who wait for a round that will not come.
func (e *Engine) stopped() {
	e.mu.Lock()
	e.running = false
	e.started = make(chan struct{})
	left := e.waiters
	e.waiters = nil
	e.mu.Unlock()
	for _, w := range left {
		w <- outcome{err: context.Canceled}
	}
}

func (e *Engine) takeWaiters() []chan outcome {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.waiters
	e.waiters = nil
	return w
}

// delay chooses how long to wait after err.
func (e *Engine) delay(b *backoff, err error) time.Duration {
	d := b.next(time.Now(), e.c.Random)
	if wire.Permanent(err) {
		d = maxDelay - spread(maxDelay/4, e.c.Random) // a withdrawn device does not hammer
	}
	var w *wire.Error
	if errors.As(err, &w) && w.RetryAfterMS > 0 {
		e.notBefore = e.patience(w.RetryAfterMS)
	}
	return max(d, time.Until(e.notBefore))
}

// patience returns when a wish of the platform is over, with up to a quarter more, so that stations spread.
func (e *Engine) patience(ms int64) time.Time {
	d := min(time.Duration(ms)*time.Millisecond, time.Hour)
	return time.Now().Add(d + spread(d/4, e.c.Random))
}

// rest waits d, or less when woken or when the machine's addresses change, but never ends before the platform's wish.
// It reports whether it was woken.
func (e *Engine) rest(ctx context.Context, d time.Duration) (woken bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	tick := time.NewTicker(addrsEvery)
	defer tick.Stop()
	before := e.addresses()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return woken
		case <-e.wake:
			woken = true
		case <-tick.C:
			now := e.addresses()
			if !slices.Equal(before, now) {
				e.log.InfoContext(ctx, "network changed", slog.Int("addresses", len(now)))
				before, woken = now, true
			}
		}
		if !woken {
			continue
		}
		left := time.Until(e.notBefore)
		if left <= 0 {
			return true
		}
		timer.Reset(left)
	}
}

// settle tells how things stand after a round or a poll: Idle, Offline or NeedsAttention.
func (e *Engine) settle(ctx context.Context, err error, next time.Time) error {
	switch {
	case err != nil:
		e.failures++
		if e.failures == 1 || e.failures%100 == 0 {
			e.log.WarnContext(ctx, "exchange did not succeed", slog.Int("times", e.failures), slog.Any("err", err))
		}
	case e.failures > 0:
		e.log.InfoContext(ctx, "exchange works again", slog.Int("failures", e.failures))
		e.failures = 0
	}
	if err == nil {
		err = e.soft
	}
	to := Idle
	switch {
	case err != nil && needsPerson(err):
		to = NeedsAttention
	case err != nil:
		to = Offline
	}
	return e.report(ctx, to, func(ev *Event) {
		ev.Err, ev.NextTry = err, next
		ev.Key, ev.Args = KeyOf(err)
	})
}

// report moves to a state and calls OnEvent.
func (e *Engine) report(ctx context.Context, to State, more func(*Event)) error {
	e.mu.Lock()
	from := e.last
	e.mu.Unlock()
	if err := checkMove(from.State, to); err != nil {
		return err
	}
	if to != Sending {
		e.sentBytes = 0
	}
	ev := Event{
		State: to, At: e.c.Clock.Now(), Head: from.Head, Acked: from.Acked, Pending: from.Pending,
		Blobs: from.Blobs, BlobBytes: from.BlobBytes, LastAck: e.lastAck, Sent: e.sentBytes,
	}
	if _, head, acked, _, err := e.c.Journal.Position(ctx); err == nil {
		ev.Head, ev.Acked, ev.Pending = head, acked, head-min(head, acked)
	}
	if more != nil {
		more(&ev)
	}
	if to == Sending && e.speed > 0 {
		waiting := float64(ev.Pending)*e.perRecord + float64(ev.BlobBytes)
		ev.Left = time.Duration(waiting / e.speed * float64(time.Second)).Round(time.Second)
	}
	e.mu.Lock()
	e.last = ev
	e.mu.Unlock()
	if e.c.OnEvent != nil {
		e.c.OnEvent(ev)
	}
	return nil
}
