package store

import (
	"time"

	"bianmin/offline/clocks"
	"bianmin/offline/journal"
)

// jumpTolerance is how far the wall clock may drift from the running time between two acts before it counts as a jump.
const jumpTolerance = 90 * time.Second

// clockState is the last signed time, and where the two clocks of the machine were when it was last looked at.
type clockState struct {
	Signed int64  `cbor:"1,keyasint"` // platform's time, Unix milliseconds; 0 never
	Base   int64  `cbor:"2,keyasint"` // least milliseconds from Signed to the mark
	BootID string `cbor:"3,keyasint"`
	Up     int64  `cbor:"4,keyasint"` // mark: running time, milliseconds
	Wall   int64  `cbor:"5,keyasint"` // mark: wall clock, Unix milliseconds
	Exact  bool   `cbor:"6,keyasint"`
}

// at moves the mark to now. jump is how far the wall clock was moved since the last mark, 0 when not noticeably.
func (c clockState) at(wall time.Time, b clocks.Boot) (next clockState, jump time.Duration) {
	up, now := b.Up.Milliseconds(), wall.UnixMilli()
	next = c
	next.BootID, next.Up, next.Wall = b.ID, up, now
	if b.ID == "" || b.ID != c.BootID || up < c.Up {
		next.Exact = false
		return next, 0
	}
	next.Base = c.Base + up - c.Up
	if d := time.Duration(now-c.Wall-(up-c.Up)) * time.Millisecond; c.Wall != 0 && d.Abs() > jumpTolerance {
		next.Exact = false
		return next, d
	}
	return next, 0
}

// signed is the state right after the platform's time arrived.
func (c clockState) signed(at int64, wall time.Time, b clocks.Boot) clockState {
	return clockState{Signed: at, BootID: b.ID, Up: b.Up.Milliseconds(), Wall: wall.UnixMilli(), Exact: b.ID != ""}
}

// found tells how far the wall clock was behind the platform's time when the records of this boot were written, and 0 when
// that is not known, or known already: then their own quality says it. A clock that was put right since the last mark,
// perhaps by the system just before the platform was reached, counts as it was at the mark.
func (c clockState) found(at int64, wall time.Time, b clocks.Boot) time.Duration {
	next, jump := c.at(wall, b)
	if c.Exact || next.BootID == "" || next.BootID != c.BootID || next.Up < c.Up {
		return 0
	}
	if d := time.Duration(at-wall.UnixMilli())*time.Millisecond + jump; d.Abs() > jumpTolerance {
		return d
	}
	return 0
}

// time is the best that is known of the present: the platform's time and the running time since, else the wall clock, but
// never earlier than the least time that has passed.
func (c clockState) time(wall time.Time, b clocks.Boot) time.Time {
	c, _ = c.at(wall, b)
	least := time.UnixMilli(c.Signed + c.Base)
	switch d := wall.Sub(least); {
	case c.Signed == 0, c.Exact && d.Abs() <= jumpTolerance, !c.Exact && d >= 0:
		return wall
	}
	return least.In(wall.Location())
}

// present is the best that is known of the present: what periods are chosen by. Called with write held.
func (s *Store) present() time.Time { return s.clock.time(s.now(), s.boot()) }

// quality is what a record says about its time.
func (c clockState) quality() journal.Clock {
	if c.Signed == 0 {
		return journal.Clock{}
	}
	return journal.Clock{Signed: c.Signed, Since: c.Base, Exact: c.Exact}
}
