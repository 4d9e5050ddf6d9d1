package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
)

// hub wakes devices that wait for events.
type hub struct {
	mu sync.Mutex // guards m
	m  map[*waiter]struct{}
}

type waiter struct {
	device uint32
	cursor uint64
	c      chan struct{} // capacity 1
}

func (h *hub) join(device uint32, cursor uint64) *waiter {
	w := &waiter{device: device, cursor: cursor, c: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.m == nil {
		h.m = make(map[*waiter]struct{})
	}
	h.m[w] = struct{}{}
	return w
}

func (h *hub) leave(w *waiter) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.m, w)
}

func (w *waiter) wake() {
	select {
	case w.c <- struct{}{}:
	default:
	}
}

// wake wakes the waiters of some devices.
func (h *hub) wake(devices ...uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.m {
		for _, d := range devices {
			if w.device == d {
				w.wake()
			}
		}
	}
}

func (h *hub) waiting() []*waiter {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]*waiter, 0, len(h.m))
	for w := range h.m {
		out = append(out, w)
	}
	return out
}

// wakeChanged wakes the waiters for whom somebody, perhaps another process, wrote an event.
func (g *Gateway) wakeChanged(ctx context.Context) {
	all := g.hub.waiting()
	if len(all) == 0 {
		return
	}
	err := g.store.View(ctx, func(tx Tx) error {
		for _, w := range all {
			h, err := tx.Head(w.device)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			if h.Cursor > w.cursor {
				w.wake()
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		g.log.WarnContext(ctx, "look for events", slog.Any("cause", err))
	}
}
