package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/packet"
	"bianmin/offline/words"
	"bianmin/sync/wire"
)

// errWoken ends a long poll because there is something to send.
var errWoken = errors.New("engine: woken")

// Words of faults that this package finds.
const (
	keyFork  = "sync.fork"      // the platform holds another past of this device
	keyStuck = "sync.stuck"     // the platform answers but takes nothing
	keyNeed  = "sync.needCodec" // the platform reads none of our encodings
)

// maxNeeds is how often the platform may ask for another encoding of the same records: codec 1, codec 0 and dict.
const maxNeeds = 3

// turnOnce does one round.
func (e *Engine) turnOnce(ctx context.Context) (Result, error) {
	if e.Status().At.IsZero() || e.failures > 0 {
		if err := e.report(ctx, Connecting, nil); err != nil {
			return Result{}, err
		}
	}
	e.soft = nil
	var r Result
	wait, err := e.restore(ctx)
	if wait || err != nil {
		r.LastAck = e.lastAck
		return r, err
	}
	err = e.renew(ctx)
	if e.forked && e.soft == nil {
		e.soft = words.New(keyFork, nil)
	}
	if err == nil {
		err = e.records(ctx, &r)
	}
	if err == nil && e.forked && e.c.Recovery != nil {
		if err = e.renew(ctx); err == nil && !e.forked {
			err = e.records(ctx, &r)
		}
	}
	if err == nil && e.c.Recovery != nil {
		if ferr := e.c.Recovery.Follow(ctx); wire.CodeOf(ferr) != "" && !wire.Permanent(ferr) {
			err = ferr
		} else if ferr != nil && e.soft == nil {
			e.soft = ferr
		}
	}
	if err == nil {
		err = e.packs(ctx, &r)
	}
	if err == nil {
		err = e.blobs(ctx, &r)
	}
	if err == nil {
		err = e.back(ctx, &r)
	}
	r.LastAck = e.lastAck
	return r, err
}

// restore gets back what this machine has lost. wait: nothing else can be done before somebody did something.
func (e *Engine) restore(ctx context.Context) (wait bool, err error) {
	if e.c.Recovery == nil {
		return false, nil
	}
	lost, err := e.c.Recovery.Lost(ctx)
	if err != nil {
		return false, fmt.Errorf("look for lost records: %w", err)
	}
	if !lost {
		return false, nil
	}
	err = e.c.Recovery.Restore(ctx, nil)
	if err == nil || wire.CodeOf(err) != "" && !wire.Permanent(err) {
		return false, err
	}
	e.soft = err
	return true, nil
}

// renew goes on under a new number when the journal is forked. What it waits for is told as soft: events are still heard
// under the old one. An error of the line ends the round.
func (e *Engine) renew(ctx context.Context) error {
	if e.c.Recovery == nil {
		return nil
	}
	forked, err := e.c.Recovery.Forked(ctx)
	if err != nil {
		return fmt.Errorf("look for a fork: %w", err)
	}
	if e.forked = forked; !forked {
		return nil
	}
	switch err := e.c.Recovery.Renew(ctx); {
	case err == nil:
		e.forked, e.soft = false, nil
		e.log.WarnContext(ctx, "the journal goes on under a new number")
		return nil
	case wire.CodeOf(err) != "" && !wire.Permanent(err):
		return err
	default:
		e.soft = err
		return nil
	}
}

// records exchanges until the platform holds the journal's head and no event waits.
func (e *Engine) records(ctx context.Context, r *Result) error {
	var (
		platform *uint64 // what the platform said it holds
		evErr    error   // events that do not verify; records still go out
		more     = true  // the first knock also hears
		needs    int
		idle     int // answers without progress
		next     *ahead
	)
	defer func() { next.drop() }()
	for {
		device, head, acked, cursor, err := e.c.Journal.Position(ctx)
		if err != nil {
			return fmt.Errorf("read journal position: %w", err)
		}
		r.Head, r.Acked = head, acked
		after := acked
		if platform != nil && *platform < acked {
			after = *platform // the platform was set back: what it lost is sent again
		}
		q := wire.Request{Device: device, Cursor: cursor}
		last := after
		if head > after && !e.forked {
			if next.fits(after, e.budget) {
				q.Packets, last, err = next.packets, next.last, next.err
			} else {
				q.Packets, last, err = e.c.Journal.Outgoing(ctx, after, e.budget)
			}
			if err != nil {
				return fmt.Errorf("read records after %d: %w", after, err)
			}
			if all := len(q.Packets); all > 0 {
				if q.Packets = fit(q.Packets); len(q.Packets) < all {
					last = head // where the next begins is not known: nothing ahead
				}
			}
			if len(q.Packets) == 0 {
				return words.New(keyStuck, fmt.Errorf("engine: journal gives no packet after %d, head is %d", after, head))
			}
		}
		if len(q.Packets) == 0 && !more {
			return evErr
		}
		if len(q.Packets) > 0 {
			if err := e.report(ctx, Sending, nil); err != nil {
				return err
			}
		}
		next = nil
		if last > after && last < head {
			next = e.ahead(ctx, last)
		}
		reply, err := e.ask(ctx, q)
		next.wait(err != nil)
		if err != nil {
			if len(q.Packets) > 0 && e.shrink() && wire.CodeOf(err) == wire.CodeTooLarge {
				continue
			}
			return err
		}
		a, err := e.take(ctx, reply, r)
		if err != nil {
			return err
		}
		if a.events != nil {
			evErr = a.events
		}
		platform = &a.to
		more = reply.More && evErr == nil
		switch {
		case a.to > after || a.news > 0 || len(q.Packets) == 0:
			idle, needs = 0, 0
		case reply.Need != "":
			next = nil // made the way that the platform cannot read
			if needs++; needs > maxNeeds {
				return words.New(keyNeed, fmt.Errorf("engine: platform needs %q again", reply.Need))
			}
			if err := e.c.Journal.Need(ctx, reply.Need); err != nil {
				return fmt.Errorf("re-encode records after %d: %w", a.to, err)
			}
		case a.to < after || e.forked:
			idle++ // go back, or stop sending
		default:
			idle += 2
		}
		if idle > 4 {
			return words.New(keyStuck, fmt.Errorf("engine: platform stays at %d, journal is at %d", a.to, head))
		}
	}
}

// ahead is the packets after those on the line, made while the platform answers: packing and answering take about equal
// time. Nobody else calls the journal meanwhile.
type ahead struct {
	after   uint64
	packets [][]byte
	last    uint64
	err     error
	cancel  context.CancelFunc
	done    chan struct{}
}

func (e *Engine) ahead(ctx context.Context, after uint64) *ahead {
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{after: after, cancel: cancel, done: make(chan struct{})}
	budget := e.budget
	go func() {
		defer close(a.done)
		a.packets, a.last, a.err = e.c.Journal.Outgoing(ctx, after, budget)
	}()
	return a
}

// wait ends when the journal is free again. stop: what is being made is of no use any more.
func (a *ahead) wait(stop bool) {
	if a == nil {
		return
	}
	if stop {
		a.cancel()
	}
	<-a.done
	a.cancel()
}

// drop gives up what was made.
func (a *ahead) drop() {
	if a != nil {
		a.wait(true)
	}
}

// fits reports whether these are the packets to send now.
func (a *ahead) fits(after uint64, budget int) bool {
	if a == nil || a.after != after || a.err != nil {
		return false
	}
	size := 0
	for _, p := range a.packets {
		size += len(p)
	}
	return size <= budget || len(a.packets) == 1
}

// fit keeps a request within the limits of count and size; the packets left out are asked for again.
func fit(packets [][]byte) [][]byte {
	size := 0
	for i, p := range packets {
		size += len(p)
		if i == wire.MaxPackets || i > 0 && size > wire.MaxPacket {
			return packets[:i]
		}
	}
	return packets
}

// ask sends one request and keeps the line's speed.
func (e *Engine) ask(ctx context.Context, q wire.Request) (wire.Reply, error) {
	size := 0
	for _, p := range q.Packets {
		size += len(p)
	}
	start := time.Now()
	reply, err := e.c.Platform.Exchange(ctx, q)
	if err != nil {
		return wire.Reply{}, err
	}
	took := time.Since(start)
	e.measure(size, took)
	if size > 0 && took < quickAnswer {
		e.budget = min(e.budget*2, maxBudget)
	} else if took > 4*quickAnswer {
		e.shrink()
	}
	return reply, nil
}

// shrink halves the budget; false when it is as small as it gets.
func (e *Engine) shrink() bool {
	if e.budget <= minBudget {
		return false
	}
	e.budget = max(e.budget/2, minBudget)
	return true
}

func (e *Engine) measure(size int, took time.Duration) {
	if size == 0 {
		return
	}
	e.sentBytes += int64(size)
	now := float64(size) / max(took.Seconds(), 0.001)
	if e.speed == 0 {
		e.speed = now
	}
	e.speed += (now - e.speed) / 4
}

type answer struct {
	to     uint64 // what the platform holds
	news   int    // events stored
	events error  // events that were refused
}

// take stores what an answer carries. A foreign ack keeps no event from being heard. An error other than answer.events ends the round.
func (e *Engine) take(ctx context.Context, reply wire.Reply, r *Result) (answer, error) {
	j := e.c.Journal
	e.advice = time.Time{}
	if reply.RetryAfterMS > 0 {
		e.advice = e.patience(reply.RetryAfterMS)
	}
	if reply.Time.At != 0 {
		if err := j.TakeTime(ctx, reply.Time.At); err != nil {
			return answer{}, fmt.Errorf("take the platform's time: %w", err)
		}
	}
	_, head, before, _, err := j.Position(ctx)
	if err != nil {
		return answer{}, fmt.Errorf("read journal position: %w", err)
	}
	if len(reply.Fork) > 0 && !e.forked {
		if err := j.TakeFork(ctx, reply.Fork); err != nil {
			return answer{}, fmt.Errorf("keep the platform's fork notice: %w", err)
		}
		e.log.ErrorContext(ctx, "platform holds another past of this device", slog.Uint64("acked", before))
		e.forked, e.soft = true, words.New(keyFork, nil)
	}
	a := answer{to: before}
	acked, ackErr := j.TakeAck(ctx, reply.Ack)
	switch {
	case ackErr == nil:
		var ack packet.Ack // signature and hash were checked by TakeAck
		if err := canon.Unmarshal(reply.Ack, &ack); err != nil {
			return answer{}, fmt.Errorf("read acknowledgement: %w", err)
		}
		a.to, e.lastAck = ack.To, e.c.Clock.Now()
	case e.forked:
		acked, ackErr = before, nil // it names a record of the other past
	case e.aheadOf(reply.Ack, head):
		// The platform holds more than is here, or another past: what it gives back tells.
		acked, ackErr = before, e.c.Recovery.Restore(ctx, reply.Ack)
	default:
		acked, ackErr = before, fmt.Errorf("take acknowledgement: %w", ackErr)
	}
	if acked > before {
		n := acked - before
		r.Sent, r.Acked = r.Sent+n, acked
		if e.sentBytes > 0 {
			e.perRecord = float64(e.sentBytes) / float64(max(r.Sent, 1))
		}
	}
	if len(reply.Events) > 0 {
		_, _, _, was, err := j.Position(ctx)
		if err != nil {
			return a, fmt.Errorf("read journal position: %w", err)
		}
		cursor, err := j.TakeEvents(ctx, reply.Events)
		if err != nil {
			a.events = fmt.Errorf("take events after %d: %w", was, err)
			if _, _, _, c, perr := j.Position(ctx); perr == nil {
				cursor = c
			}
		}
		a.news = int(cursor - min(was, cursor))
		r.Events += a.news
	}
	if acked > before || a.news > 0 {
		s := e.Status().State
		if s != Sending && s != Idle {
			s = Sending
		}
		if err := e.report(ctx, s, func(ev *Event) { ev.News = a.news }); err != nil {
			return a, err
		}
	}
	return a, ackErr
}

// aheadOf reports whether an ack that was not taken names a record after the last one here. Who restores checks its signature.
func (e *Engine) aheadOf(reply []byte, head uint64) bool {
	var ack packet.Ack
	return e.c.Recovery != nil && canon.Unmarshal(reply, &ack) == nil && ack.To > head
}

// listen holds a long poll. again: there is something to do.
func (e *Engine) listen(ctx context.Context) (again bool, err error) {
	wait := time.Until(e.advice)
	if e.c.Poll < 0 {
		wait = max(wait, time.Minute)
	}
	if wait > 0 && e.rest(ctx, wait) || ctx.Err() != nil {
		return true, nil
	}
	if e.c.Poll < 0 {
		return true, nil
	}
	device, head, acked, cursor, err := e.c.Journal.Position(ctx)
	if err != nil {
		return false, fmt.Errorf("read journal position: %w", err)
	}
	if head > acked && !e.forked {
		return true, nil
	}
	start := time.Now()
	reply, err := e.hold(ctx, wire.Request{Device: device, Cursor: cursor, WaitMS: e.c.Poll.Milliseconds()})
	switch {
	case errors.Is(err, errWoken):
		return true, nil
	case err != nil:
		return false, err
	}
	var r Result
	a, err := e.take(ctx, reply, &r)
	if err == nil {
		err = a.events
	}
	if err != nil {
		return false, err
	}
	if a.news > 0 || reply.More || a.to < head && !e.forked || e.soft != nil && time.Since(start) >= e.c.Poll/2 {
		return true, nil
	}
	if gap := minPollGap - time.Since(start); gap > 0 && e.rest(ctx, gap) {
		return true, nil // a platform that does not hold the poll is not asked all the time
	}
	return false, nil
}

// hold exchanges until answered or woken.
func (e *Engine) hold(ctx context.Context, q wire.Request) (wire.Reply, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type got struct {
		reply wire.Reply
		err   error
	}
	done := make(chan got, 1)
	go func() {
		reply, err := e.c.Platform.Exchange(ctx, q)
		done <- got{reply, err}
	}()
	select {
	case g := <-done:
		return g.reply, g.err
	case <-e.wake:
		cancel()
		if g := <-done; g.err == nil {
			e.Wake() // the answer came at the same moment: use it, then look again
			return g.reply, nil
		}
		return wire.Reply{}, errWoken
	}
}
