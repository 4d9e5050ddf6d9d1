package desk

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/counter"
	"bianmin/offline/journal"
	"bianmin/offline/store"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Orders of the platform — lock, unlock, wipe, lease — come as signed events in clear, so that a machine obeys with nobody
// logged in. What is in force is kept in the document "orders" and read from the events after it.

// Errors of a machine that may not be opened now.
var (
	// ErrRemoteLocked reports that the county has locked the machine; argument reason.
	ErrRemoteLocked = words.New("desk.remoteLocked", nil)
	// ErrWiped reports that the county has destroyed the machine's keys.
	ErrWiped = words.New("desk.wiped", nil)
	// ErrLeaseOver reports that the machine did not reach the platform for too long; argument days.
	ErrLeaseOver = words.New("desk.leaseOver", nil)
)

const (
	ordersDoc = "orders"
	wipedName = "wiped"

	defaultLease = 30 // days without contact after which nothing opens
	leaseWarn    = 7  // days before that in which it is said
	day          = 24 * time.Hour

	// maxAbsence bounds how far the wall clock is believed to have run while nobody looked. A machine that claims more has
	// a wrong clock (an empty battery), and only the time it was seen running counts: wrong clocks lock out no village.
	maxAbsence = 366 * day
)

// orders are the platform's orders in force.
type orders struct {
	V      uint8    `cbor:"1,keyasint"` // 1
	Cursor uint64   `cbor:"2,keyasint"` // events looked at
	Locked bool     `cbor:"3,keyasint"`
	Reason string   `cbor:"4,keyasint"`
	Lease  uint32   `cbor:"5,keyasint"` // days; 0: the default
	Wipe   []byte   `cbor:"6,keyasint"` // the event that orders a wipe, as signed
	People uint64   `cbor:"7,keyasint"` // sealed events about operators that were applied
	Gone   []string `cbor:"8,keyasint"` // operators withdrawn and not removed yet: somebody else has to log in for that
	County []byte   `cbor:"9,keyasint"` // county's newest recovery key, a document signed by the root; empty: that of the enrolment
}

// guard holds the orders and who has to be stopped by them.
type guard struct {
	mu       sync.Mutex // guards what follows
	orders   orders
	wiped    bool // the keys are gone
	sessions map[*Session]bool
	savers   map[*saver]bool
}

// enforce reports why nobody may log in now; nil when one may.
func (d *Desk) enforce() error {
	d.guard.mu.Lock()
	o := d.guard.orders
	d.guard.mu.Unlock()
	switch {
	case len(o.Wipe) > 0:
		return ErrWiped
	case o.Locked:
		return words.New(ErrRemoteLocked.Key, nil, "reason", o.Reason)
	}
	if l := d.lease(); l.State == counter.LeaseOver {
		return words.New(ErrLeaseOver.Key, nil, "days", strconv.Itoa(l.Days))
	}
	return nil
}

// lease says how long the machine may be opened without contact.
func (d *Desk) lease() counter.Lease {
	d.guard.mu.Lock()
	days := int(d.guard.orders.Lease)
	d.guard.mu.Unlock()
	if days == 0 {
		days = defaultLease
	}
	left := time.Duration(days)*day - sinceContact(d.cfg.Now(), d.store.Clock(), d.en.At)
	l := counter.Lease{Days: days, Left: int((left + day - 1) / day), State: counter.LeaseOK}
	switch {
	case left <= 0:
		l.Left, l.State = 0, counter.LeaseOver
	case left <= leaseWarn*day:
		l.State = counter.LeaseSoon
	}
	return l
}

// sinceContact is how long ago the platform signed a time for this machine. Within one run of the machine its running time
// is exact; across restarts the wall clock is believed within reason.
func sinceContact(now time.Time, c journal.Clock, enrolled int64) time.Duration {
	if c.Signed < enrolled {
		c = journal.Clock{Signed: enrolled}
	}
	since := time.Duration(c.Since) * time.Millisecond
	if c.Exact {
		return since
	}
	wall := now.Sub(time.UnixMilli(c.Signed))
	if wall > since && wall-since <= maxAbsence {
		return wall
	}
	return since
}

// loadOrders reads the orders in force and what came after they were written. Called once, by Open.
func (d *Desk) loadOrders() error {
	raw, err := d.store.Doc(ordersDoc)
	switch {
	case isGone(err):
		d.guard.orders = orders{V: 1}
	case err != nil:
		return err
	default:
		if err := canon.Unmarshal(raw, &d.guard.orders); err != nil {
			return words.New("store.damagedValue", err)
		}
	}
	_, err = d.readOrders()
	return err
}

// readOrders looks at the events that came since the last look, and returns those that are new orders.
func (d *Desk) readOrders() ([]journal.Kind, error) {
	d.guard.mu.Lock()
	defer d.guard.mu.Unlock()
	o := d.guard.orders
	var given []journal.Kind
	keep := false
	const page, keepEvery = 500, 1000
	for {
		list, err := d.store.Events(o.Cursor, page)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			o.Cursor = e.Event.Cursor
			if e.Event.Sealed {
				continue
			}
			b, err := journal.DecodeBody[journal.Order](e.Event.Body)
			switch e.Event.Kind {
			case journal.EventDeviceLocked:
				o.Locked, o.Reason = true, b.Reason
			case journal.EventDeviceUnlocked:
				o.Locked, o.Reason = false, ""
			case journal.EventDeviceWiped:
				o.Wipe = e.Event.Marshal()
			case journal.EventDeviceLease:
				if err == nil {
					o.Lease = b.Days
				}
			case journal.EventRecovery:
				if b, err := journal.DecodeBody[journal.Document](e.Event.Body); err == nil && d.newerCounty(b.Data, o.County) {
					o.County, keep = b.Data, true
				}
				continue
			default:
				continue
			}
			given = append(given, e.Event.Kind)
		}
		if len(list) < page {
			break
		}
	}
	if keep || len(given) > 0 || o.Cursor-d.guard.orders.Cursor >= keepEvery {
		if err := d.keepOrders(o); err != nil {
			d.cfg.Log.Error("keep orders", slog.Any("cause", err)) // they are read from the events again
			o.Cursor = d.guard.orders.Cursor
		}
	}
	d.guard.orders = o
	return given, nil
}

func (d *Desk) keepOrders(o orders) error { return d.store.PutDoc(ordersDoc, canon.MustMarshal(o)) }

// Journal is the two logs as the line to the platform sees them: orders that arrive are obeyed at once.
type Journal struct {
	*store.Store
	d *Desk
}

// Journal returns the two logs, for the line to the platform.
func (d *Desk) Journal() *Journal { return &Journal{d.store, d} }

// TakeEvents takes events and obeys the orders among them.
func (j *Journal) TakeEvents(ctx context.Context, events [][]byte) (uint64, error) {
	cursor, err := j.Store.TakeEvents(ctx, events)
	j.d.heard(ctx)
	return cursor, err
}

// heard obeys what came.
func (d *Desk) heard(ctx context.Context) {
	given, err := d.readOrders()
	if err != nil {
		d.cfg.Log.ErrorContext(ctx, "read orders", slog.Any("cause", err))
		return
	}
	d.guard.mu.Lock()
	stop := d.guard.orders.Locked || len(d.guard.orders.Wipe) > 0
	d.guard.mu.Unlock()
	if stop {
		d.endSessions(ctx)
	} else {
		var withdrawn []string
		d.mu.Lock()
		if d.unlocked != nil {
			withdrawn = d.follow(ctx, d.unlocked)
		}
		d.mu.Unlock()
		for _, id := range withdrawn {
			d.endSessionsOf(ctx, id)
		}
	}
	for _, kind := range given {
		// The record says to the platform that its order was carried out; when the disk is full the order counts all the same.
		if _, err := d.store.Commit(ctx, store.Act{Kind: journal.KindOrderKept, Body: journal.Note{What: string(kind)}}); err != nil {
			d.cfg.Log.ErrorContext(ctx, "record an order", slog.Any("cause", err))
		}
	}
}

// endSessions puts drafts on the disk, ends every session and locks the machine. It goes on sending.
func (d *Desk) endSessions(ctx context.Context) {
	d.guard.mu.Lock()
	var list []*Session
	for s := range d.guard.sessions {
		list = append(list, s)
	}
	savers := make([]*saver, 0, len(d.guard.savers))
	for v := range d.guard.savers {
		savers = append(savers, v)
	}
	d.guard.mu.Unlock()
	for _, v := range savers {
		if err := v.flush(); err != nil {
			d.cfg.Log.ErrorContext(ctx, "save draft before locking", slog.Any("cause", err))
		}
	}
	for _, s := range list {
		if err := s.Close(ctx); err != nil {
			d.cfg.Log.ErrorContext(ctx, "end session", slog.Any("cause", err))
		}
	}
}

// Wiping reports whether the platform has ordered the keys to be destroyed. What waits may still be sent; then call Wipe.
func (d *Desk) Wiping() bool {
	d.guard.mu.Lock()
	defer d.guard.mu.Unlock()
	return len(d.guard.orders.Wipe) > 0
}

// Wipe carries the order out: it closes the folder and destroys every key. Nothing here opens any more, and [Open] says so.
// Without an order it does nothing.
func (d *Desk) Wipe() error {
	d.guard.mu.Lock()
	event, was := d.guard.orders.Wipe, d.guard.wiped
	d.guard.wiped = len(event) > 0
	d.guard.mu.Unlock()
	if len(event) == 0 || was {
		return nil
	}
	d.endSessions(context.Background())
	if err := writeFile(filepath.Join(d.cfg.Dir, wipedName), event); err != nil {
		d.cfg.Log.Error("mark the wipe", slog.Any("cause", err)) // the keys go all the same
	}
	return errors.Join(d.store.Close(), destroy(d.cfg))
}

// destroy makes the folder unreadable.
func destroy(cfg Config) error {
	err := vault.Destroy(cfg.Dir, cfg.Machine)
	for _, path := range []string{candidatePath(cfg.Dir), enrolmentPath(cfg.Dir)} {
		if rerr := os.Remove(path); rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}
	return err
}

// Wiped reports whether the folder's keys were destroyed by order.
func Wiped(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, wipedName))
	return err == nil && !Enrolled(dir) && !vault.RingExists(dir)
}

// finishWipe ends a wipe that a power cut interrupted. The mark counts only with the platform's signature while the keys
// still open: nobody wipes a machine with a file.
func finishWipe(cfg Config, en Enrolment) error {
	raw, err := os.ReadFile(filepath.Join(cfg.Dir, wipedName))
	if err != nil {
		return nil
	}
	ev, err := journal.ParseEvent(raw)
	if err != nil || ev.Kind != journal.EventDeviceWiped || ev.Device != en.Device || ev.Verify(cfg.Suite, en.SignKey) != nil {
		cfg.Log.Warn("a mark of a wipe that the platform did not order")
		return nil
	}
	return errors.Join(ErrWiped, destroy(cfg))
}
