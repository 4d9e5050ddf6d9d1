package gateway

import (
	"context"
	"sync"
	"time"

	"bianmin/offline/journal"
)

// What may wait for its projection; anything else is projected before it is answered.
const (
	maxBacklog      = 16       // exchanges
	maxBacklogBytes = 32 << 20 // bodies of their records
	leastBacklog    = 64       // records of one exchange; fewer are projected at once
)

// work is records that are durable and wait for their projection.
type work struct {
	device  DeviceRow
	records []journal.Record
}

// backlog is the projections that Run does after the answer. What is lost with the process, CatchUp finds in the store.
type backlog struct {
	mu      sync.Mutex // guards the rest
	c       chan work  // nil while Run is not running
	pending map[uint32]*pending
	bytes   int
}

type pending struct {
	n    int
	idle chan struct{} // closed when n is zero again
}

// open begins to take work.
func (b *backlog) open() <-chan work {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.c, b.pending, b.bytes = make(chan work, maxBacklog), map[uint32]*pending{}, 0
	return b.c
}

// close gives up what waits.
func (b *backlog) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.pending {
		close(p.idle)
	}
	b.c, b.pending = nil, nil
}

func (w work) bytes() int {
	n := 0
	for _, r := range w.records {
		n += len(r.Body)
	}
	return n
}

// put hands over work; false when it is too little or too much, or nobody takes it now.
func (b *backlog) put(w work) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	size := w.bytes()
	p := b.pending[w.device.Device]
	if b.c == nil || len(w.records) == 0 || p == nil && len(w.records) < leastBacklog || b.bytes+size > maxBacklogBytes {
		return false
	}
	select {
	case b.c <- w:
	default:
		return false
	}
	b.bytes += size
	if p == nil {
		p = &pending{idle: make(chan struct{})}
		b.pending[w.device.Device] = p
	}
	p.n++
	return true
}

// done says that work is projected.
func (b *backlog) done(w work) {
	b.mu.Lock()
	defer b.mu.Unlock()
	device := w.device.Device
	p := b.pending[device]
	if p == nil {
		return
	}
	b.bytes -= w.bytes()
	if p.n--; p.n == 0 {
		close(p.idle)
		delete(b.pending, device)
	}
}

// has reports whether records of a device wait for their projection.
func (b *backlog) has(device uint32) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pending[device] != nil
}

// wait returns when nothing of a device waits, or after a while.
func (b *backlog) wait(ctx context.Context, device uint32, limit time.Duration) {
	b.mu.Lock()
	p := b.pending[device]
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
