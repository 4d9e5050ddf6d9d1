package gateway

import (
	"context"
	"sync"
	"time"

	"bianmin/offline/journal"
)

// What may wait for its projection; anything else is projected before it is answered.
const (
	leastBacklog    = 64               // records of one exchange; fewer are projected at once
	maxBacklogBytes = 32 << 20         // bodies kept in memory; beyond, they are read from the store again
	settle          = 2 * time.Second  // without another packet of a device: its backlog is in
	maxSettle       = 15 * time.Second // a device that never stops sending is projected all the same
)

// work is records of one device that are durable and wait for their projection.
type work struct {
	device  DeviceRow
	records []journal.Record
	stored  bool // more of them are in the store only
}

// backlog is the projections that Run does after the answer. They begin when a device has sent all: when it listens, or is
// silent for a while. Until then both ends have the processor for what makes records safe. What is lost with the
// process, CatchUp finds in the store.
type backlog struct {
	mu      sync.Mutex // guards the rest
	wake    chan struct{}
	pending map[uint32]*pending // nil while Run is not running
	bytes   int
}

type pending struct {
	work
	bytes       int
	first, last time.Time     // when packets came
	asked       bool          // the device listens: it has nothing more to send
	idle        chan struct{} // closed when nothing waits
}

// open begins to take work. The channel tells that there may be some.
func (b *backlog) open() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wake, b.pending, b.bytes = make(chan struct{}, 1), map[uint32]*pending{}, 0
	return b.wake
}

// close gives up what waits.
func (b *backlog) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.pending {
		close(p.idle)
	}
	b.pending = nil
}

func (b *backlog) ring() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// put hands over records; false when they are few, or nobody takes them now.
func (b *backlog) put(d DeviceRow, records []journal.Record, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pending[d.Device]
	if b.pending == nil || len(records) == 0 || p == nil && len(records) < leastBacklog {
		return false
	}
	if p == nil {
		p = &pending{work: work{device: d}, first: now, idle: make(chan struct{})}
		b.pending[d.Device] = p
	}
	p.last, p.asked = now, false
	size := 0
	for _, r := range records {
		size += len(r.Body)
	}
	if p.stored = p.stored || b.bytes+size > maxBacklogBytes; !p.stored {
		p.records = append(p.records, records...)
		p.bytes += size
		b.bytes += size
	}
	b.ring()
	return true
}

// next takes the work of a device whose backlog is in. Without one it says when to look again.
func (b *backlog) next(now time.Time) (w work, ok bool, again time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	again = time.Hour
	for _, p := range b.pending {
		due := min(p.last.Add(settle).Sub(now), p.first.Add(maxSettle).Sub(now))
		if !p.asked && due > 0 {
			again = min(again, due)
			continue
		}
		w = p.work
		p.records, p.stored = nil, false
		b.bytes -= p.bytes
		p.bytes = 0
		return w, true, 0
	}
	return w, false, again
}

// done says that a device's work is projected.
func (b *backlog) done(device uint32, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pending[device]
	if p == nil {
		return
	}
	if len(p.records) == 0 && !p.stored {
		close(p.idle)
		delete(b.pending, device)
	} else {
		p.first = now
	}
	b.ring()
}

// has reports whether records of a device wait for their projection.
func (b *backlog) has(device uint32) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pending[device] != nil
}

// wait returns when nothing of a device waits, or after a while. The device listens now: what waits is begun.
func (b *backlog) wait(ctx context.Context, device uint32, limit time.Duration) {
	b.mu.Lock()
	p := b.pending[device]
	if p != nil {
		p.asked = true
		b.ring()
	}
	b.mu.Unlock()
	if p == nil {
		return
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-p.idle:
	case <-t.C:
	case <-ctx.Done():
	}
}
