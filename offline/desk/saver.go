package desk

import (
	"errors"
	"sync"
	"time"

	"bianmin/offline/store"
)

// saveDelay is how long a change waits for others before it is written. The promise to the clerk is one second.
const saveDelay = 300 * time.Millisecond

// saver writes the newest state of one draft. A change waits at most saveDelay; changes in between share one write.
type saver struct {
	write func(store.Draft) error
	now   func() time.Time

	gone func() // called once when the saver is stopped; nil: nobody listens

	writing sync.Mutex // held over a write, so that an older state never follows a newer one

	mu     sync.Mutex // guards what follows
	next   *store.Draft
	timer  *time.Timer
	saved  time.Time
	err    error
	closed bool
}

// put takes the newest state. It does not wait for the disk.
func (v *saver) put(d store.Draft) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return
	}
	v.next = &d
	if v.timer == nil {
		v.timer = time.AfterFunc(saveDelay, func() { v.flush() })
	}
}

// flush writes what waits and returns the newest write's error.
func (v *saver) flush() error {
	v.writing.Lock()
	defer v.writing.Unlock()
	v.mu.Lock()
	d := v.next
	v.next = nil
	if v.timer != nil {
		v.timer.Stop()
		v.timer = nil
	}
	v.mu.Unlock()
	if d == nil {
		return v.lastError()
	}
	err := v.write(*d)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err = err
	if err == nil {
		v.saved = v.now()
	} else if v.next == nil && !v.closed {
		v.next = d                                           // the next change, or Flush, tries again
		if v.timer == nil && errors.Is(err, store.ErrTask) { // it ends by itself
			v.timer = time.AfterFunc(saveDelay, func() { v.flush() })
		}
	}
	return err
}

// stop ends the saver: nothing is written any more.
func (v *saver) stop() {
	v.writing.Lock() // after a write under way
	defer v.writing.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.closed && v.gone != nil {
		v.gone()
	}
	v.closed, v.next = true, nil
	if v.timer != nil {
		v.timer.Stop()
		v.timer = nil
	}
}

func (v *saver) lastError() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.err
}

func (v *saver) lastSaved() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.saved
}

// newSaver makes a saver that an order of the platform flushes before it locks the machine.
func (d *Desk) newSaver() *saver {
	v := &saver{write: d.store.SaveDraft, now: d.cfg.Now}
	v.gone = func() {
		d.guard.mu.Lock()
		defer d.guard.mu.Unlock()
		delete(d.guard.savers, v)
	}
	d.guard.mu.Lock()
	defer d.guard.mu.Unlock()
	d.guard.savers[v] = true
	return v
}
