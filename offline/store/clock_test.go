package store

import (
	"errors"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/clocks"
	"bianmin/offline/journal"
)

// hands are a machine's two clocks as a test sets them.
type hands struct {
	wall time.Time
	up   time.Duration
	boot string
}

func (c *hands) Now() time.Time { return c.wall }

func (c *hands) Boot() clocks.Boot { return clocks.Boot{ID: c.boot, Up: c.up} }

// run lets time pass. off is how far the wall clock is moved meanwhile.
func (c *hands) run(d, off time.Duration) {
	c.wall, c.up = c.wall.Add(d+off), c.up+d
}

// restart switches the machine off for a while and on again; its wall clock then says at.
func (c *hands) restart(at time.Time, boot string) {
	c.wall, c.up, c.boot = at, 20*time.Second, boot
}

func clockRig(t *testing.T) (*rig, *hands) {
	r := newRig(t)
	c := &hands{wall: r.clock, up: time.Hour, boot: "first"}
	r.o.Clock = c
	return r, c
}

// TestClockMayBeAnything moves the wall clock by ten years either way, to 1970 with a dead battery, lets the machine sleep
// and restart: cases are taken in all the time, in order; each record says what the clock said and how well it was known; a
// jump within a boot is a record of its own.
func TestClockMayBeAnything(t *testing.T) {
	r, c := clockRig(t)
	s := r.login()
	const year = 365 * 24 * time.Hour
	platform := c.wall
	if err := s.TakeTime(ctx, platform.UnixMilli()); err != nil {
		t.Fatal(err)
	}
	since := time.Duration(0) // running time since the platform's
	n := 0
	take := func(what string, jumped time.Duration, quality uint8) {
		t.Helper()
		n++
		before := s.head
		rec, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: sampleCase(n), Receipt: fakeReceipt})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if rec.At != c.wall.UnixMilli() || rec.Clock.Quality() != quality || rec.Clock.Signed != platform.UnixMilli() || rec.Clock.Since != since.Milliseconds() {
			t.Errorf("%s: record says %v %+v (quality %d), want since %v and quality %d", what, time.UnixMilli(rec.At).UTC(), rec.Clock, rec.Clock.Quality(), since, quality)
		}
		if jumped == 0 {
			if rec.Seq != before+1 {
				t.Errorf("%s: %d records", what, rec.Seq-before)
			}
			return
		}
		note, err := s.Record(rec.Seq - 1)
		if err != nil || rec.Seq != before+2 || note.Kind != journal.KindClockJump {
			t.Fatalf("%s: %d records, before it %s, %v", what, rec.Seq-before, note.Kind, err)
		}
		if b, err := journal.DecodeBody[journal.Note](note.Body); err != nil || b.What != journal.ClockJumped || b.Count != jumped.Milliseconds() {
			t.Errorf("%s: jump %+v, %v", what, b, err)
		}
	}
	pass := func(d, off time.Duration) {
		c.run(d, off)
		since += d
	}
	pass(time.Minute, 0)
	take("in order", 0, 2)
	pass(time.Minute, 10*year)
	take("ten years ahead", 10*year, 1)
	pass(time.Minute, 0)
	take("still ahead", 0, 1)
	pass(time.Minute, -20*year)
	take("ten years behind", -20*year, 1)
	pass(9*time.Hour, 0) // the lid was closed: the running time counts sleep, the wall clock goes on
	take("after a sleep", 0, 1)
	pass(time.Minute, 30*time.Second)
	take("a little correction", 0, 1)
	r.close(s)
	c.restart(time.Unix(0, 0).Add(3*time.Second), "second")
	s = r.login()
	take("battery dead, 1970", 0, 1)
	if err := s.db.View(func(tx *bolt.Tx) error {
		row, err := s.header(tx, s.head)
		if err == nil && row.Period != platform.Format("2006-01") { // its keys would be destroyed at the next closing
			t.Errorf("the record is sealed under period %s", row.Period)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	pass(time.Minute, 0)
	take("still 1970", 0, 1)
	r.close(s)
	s = r.login() // the program was started again, the machine not
	pass(time.Minute, 0)
	take("program restarted", 0, 1)
	r.close(s)
	c.restart(time.Date(2036, 2, 7, 0, 0, 0, 0, time.UTC), "third")
	s = r.login()
	take("restarted into 2036", 0, 1)
	wantClean(t, s)
	var last uint64
	all, err := s.Headers(0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		if h.Seq != last+1 {
			t.Fatalf("record %d after %d", h.Seq, last)
		}
		last = h.Seq
	}
	cases, err := s.Cases()
	if err != nil || len(cases) != n {
		t.Fatalf("%d of %d cases, %v", len(cases), n, err)
	}
	r.sync(s, 1<<20)
	if len(r.plat.records) != len(all) {
		t.Fatalf("platform has %d of %d records", len(r.plat.records), len(all))
	}
}

// TestPlatformTimeFindsTheClockWrong holds what the device says when the platform's time arrives: how wrong the clock was
// for the records of this boot, once; nothing when it was right, when they know it themselves, or when they are of an
// earlier boot.
func TestPlatformTimeFindsTheClockWrong(t *testing.T) {
	r, c := clockRig(t)
	s := r.login()
	real := c.wall
	tell := func(d time.Duration) uint64 {
		t.Helper()
		c.run(d, 0)
		real = real.Add(d)
		before := s.head
		if err := s.TakeTime(ctx, real.UnixMilli()); err != nil {
			t.Fatal(err)
		}
		return s.head - before
	}
	submit := func(n int) {
		t.Helper()
		if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: sampleCase(n)}); err != nil {
			t.Fatal(err)
		}
	}
	note := func() journal.Note {
		t.Helper()
		rec, err := s.Record(s.head)
		if err != nil || rec.Kind != journal.KindClockJump || !rec.Clock.Exact {
			t.Fatalf("newest record is %s %+v, %v", rec.Kind, rec.Clock, err)
		}
		b, err := journal.DecodeBody[journal.Note](rec.Body)
		if err != nil || b.What != journal.ClockFound {
			t.Fatalf("it says %+v, %v", b, err)
		}
		return b
	}
	submit(1)
	if n := tell(time.Minute); n != 0 {
		t.Fatalf("clock was right: %d records", n)
	}
	restart := func(at time.Time, boot string) {
		t.Helper()
		r.close(s)
		c.restart(at, boot)
		real = real.Add(14 * time.Hour) // the night
		s = r.login()
	}
	restart(time.Unix(3, 0), "second")
	submit(2)
	if n := tell(2 * time.Hour); n != 1 {
		t.Fatalf("1970: %d records", n)
	}
	if got, want := note().Count, real.Sub(c.wall).Milliseconds(); got != want {
		t.Fatalf("found %d ms, want %d", got, want)
	}
	if got := s.Time(); got.Sub(real).Abs() > time.Second {
		t.Fatalf("the present is %v, want %v", got, real)
	}
	submit(3) // knows it by itself
	if n := tell(time.Hour); n != 0 {
		t.Fatalf("twice: %d records", n)
	}
	restart(time.Unix(3, 0), "third")
	if n := tell(time.Hour); n != 0 {
		t.Fatalf("no record of this boot: %d records", n)
	}
	restart(time.Unix(3, 0), "fourth")
	submit(4)
	off := real.Sub(c.wall) // the system set the clock just before the platform was reached
	c.wall = real
	if n := tell(time.Minute); n != 1 {
		t.Fatalf("set meanwhile: %d records", n)
	}
	if got := note().Count; got != off.Milliseconds() {
		t.Fatalf("found %d ms, want %d", got, off.Milliseconds())
	}
	if got := s.Time(); !got.Equal(c.wall) {
		t.Fatalf("the present is %v, the clock is right and says %v", got, c.wall)
	}
	s.Lock()
	restart(real.AddDate(10, 0, 0), "fifth")
	s.Lock()
	if _, err := s.Commit(ctx, Act{Kind: journal.KindSettings}); err != nil {
		t.Fatal(err)
	}
	if n := tell(time.Minute); n != 1 { // also while nobody is logged in
		t.Fatalf("ten years ahead: %d records", n)
	}
	r.unlock(s)
	if got := note().Count; got > -int64(9*365*24*time.Hour/time.Millisecond) {
		t.Fatalf("found %d ms", got)
	}
	wantClean(t, s)
	if _, err := s.Record(s.head + 1); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
}
