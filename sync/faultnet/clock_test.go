package faultnet_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"sync"
	"testing"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/clocks"
	"bianmin/sync/gateway"
)

// world is the true time and a machine in it.
type world struct {
	mu     sync.Mutex
	t      time.Time     // the truth, and the platform's clock
	off    time.Duration // of the machine's wall clock
	bootID string
	booted time.Time
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.t
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.t.Add(w.off)
}

func (w *world) Boot() clocks.Boot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return clocks.Boot{ID: w.bootID, Up: w.t.Sub(w.booted)}
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t = w.t.Add(d)
}

// jump moves the machine's wall clock.
func (w *world) jump(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off += d
}

// restart switches the machine on after a night; its wall clock then says at.
func (w *world) restart(night time.Duration, at time.Time, boot string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t = w.t.Add(night)
	w.off, w.bootID, w.booted = at.Sub(w.t), boot, w.t
}

// TestWrongClocksAreCorrected takes in cases under clocks that say 1970, 2036, ten years more and twenty less, offline, and
// connects: TLS goes by the pinned key, everything is delivered in order, and both ends end up with the true times of the
// cases, the legal clock with the true days.
func TestWrongClocksAreCorrected(t *testing.T) {
	const year = 365 * 24 * time.Hour
	w := &world{t: time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC), bootID: "first"}
	w.booted = w.t.Add(-time.Hour)
	p := newPlatform(t)
	p.stop()
	p.clk = clocks.Wall(w.now)
	p.start()
	s := p.enrol(t, "")
	s.close()
	s.clk = w
	s.open()
	s.login()

	truth := map[uint64]time.Time{} // by record
	n := 0
	take := func() {
		t.Helper()
		w.pass(10 * time.Minute)
		n++
		seq, err := s.save(n)
		must(t, err)
		truth[seq] = w.now()
	}
	restart := func(night time.Duration, at time.Time, boot string) {
		t.Helper()
		s.close()
		w.restart(night, at, boot)
		s.open()
		s.login()
	}
	// connect exchanges until both ends have said everything.
	connect := func() {
		t.Helper()
		for range 4 {
			s.drain(3)
			must(t, p.g.CatchUp(t.Context()))
		}
	}
	sure := func(what string) {
		t.Helper()
		for seq, at := range truth {
			c, err := s.st.Case(seq)
			must(t, err)
			if d := time.UnixMilli(c.SubmittedAt).Sub(at); d.Abs() > 5*time.Minute {
				t.Errorf("%s: case %d was taken in at %v, the machine has %v (%v)", what, seq, at, time.UnixMilli(c.SubmittedAt).UTC(), d)
			}
			k := c.Clock(s.st.Time(), casefile.Limit{Days: 10, Unit: casefile.Workdays}, casefile.Limit{}, nil)
			right := c
			right.SubmittedAt = at.UnixMilli()
			if want := right.Clock(w.now(), casefile.Limit{Days: 10, Unit: casefile.Workdays}, casefile.Limit{}, nil); k.Start != want.Start || k.AskBy != want.AskBy || k.Deemed != want.Deemed || k.Promised != want.Promised || k.Left != want.Left {
				t.Errorf("%s: legal clock of case %d: %+v, want %+v", what, seq, k, want)
			}
			must(t, p.db.View(t.Context(), func(tx gateway.Tx) error {
				row, err := tx.Case(s.grant.Device, seq)
				if err == nil && row.At != c.SubmittedAt {
					t.Errorf("%s: case %d: the platform has %v, the machine %v", what, seq, row.At, c.SubmittedAt)
				}
				return err
			}))
		}
	}
	take()
	connect()
	take() // known to the second by the running time
	restart(62*time.Hour, time.Unix(5, 0), "second")
	take()
	take()
	w.pass(3 * time.Hour)
	take()
	if c, err := s.st.Case(3); err != nil || c.SubmittedAt > int64(24*time.Hour/time.Millisecond) {
		t.Fatalf("the machine's clock does not say 1970: %v, %v", c, err)
	}
	connect()
	sure("1970")
	c, err := s.st.Case(3)
	must(t, err)
	if c.ReadAt == 0 || time.UnixMilli(c.ReadAt).Year() != 1970 || c.Timeline[0].Read != c.ReadAt {
		t.Errorf("what the clock said is not kept: %+v", c.Timeline[0])
	}

	w.jump(10 * year)
	take()
	w.jump(-20 * year)
	take()
	connect()
	sure("jumps")
	restart(14*time.Hour, time.Date(2036, 2, 8, 0, 0, 0, 0, time.UTC), "third")
	take()
	w.jump(3 * time.Hour)
	take()
	w.jump(-w.Now().Sub(w.now())) // the system sets the clock, just before the line is up
	connect()
	sure("2036")
	wantOnce(t, p, s)

	rows := func() (out []gateway.CaseRow) {
		must(t, p.db.View(t.Context(), func(tx gateway.Tx) (err error) {
			out, err = tx.Cases("", 0)
			return err
		}))
		return out
	}
	before := rows()
	_, _, err = p.g.Rebuild(t.Context(), nil)
	must(t, err)
	for i, row := range rows() {
		if row.At != before[i].At || row.State != before[i].State {
			t.Errorf("rebuilt at the platform: case %d has %v, had %v", row.Seq, row.At, before[i].At)
		}
	}
	must(t, s.st.Rebuild(t.Context(), nil))
	sure("rebuilt on the machine")
	rep, err := s.st.Verify(t.Context(), nil)
	if must(t, err); !rep.OK() {
		t.Errorf("verify: %v", rep.Faults)
	}
}

// TestPinsNeedNoClock connects with a clock of 1970 and of 2036 to a gateway whose certificate is long valid then or not
// any more. A client that goes by dates is refused by the same gateway: else the test shows nothing.
func TestPinsNeedNoClock(t *testing.T) {
	p := newPlatform(t)
	s := p.enrol(t, "")
	s.login()
	cert, err := x509.ParseCertificate(p.keys.TLSConfig().Certificates[0].Certificate[0])
	must(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	dial := func(at time.Time) error {
		c, err := (&tls.Dialer{Config: &tls.Config{
			RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS13, Time: func() time.Time { return at },
		}}).DialContext(t.Context(), "tcp", p.addr)
		if err == nil {
			c.Close()
		}
		return err
	}
	if err := dial(time.Now()); err != nil {
		t.Fatalf("a client that goes by dates, today: %v", err)
	}
	for i, at := range []time.Time{time.Unix(0, 0), time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC), cert.NotAfter.AddDate(1, 0, 0)} {
		if err := dial(at); err == nil && (at.Before(cert.NotBefore) || at.After(cert.NotAfter)) {
			t.Fatalf("%v: a client that goes by dates is let in", at)
		}
		s.close()
		s.clk = &world{t: at, bootID: "b", booted: at.Add(-time.Duration(i+1) * time.Hour)}
		s.open()
		s.login()
		_, err := s.save(i)
		must(t, err)
		_, err = s.e.Once(context.Background())
		must(t, err)
		if _, head, acked, _, err := s.st.Position(t.Context()); err != nil || acked == 0 || head-acked > 1 { // one more: the clock was found wrong
			t.Fatalf("%v: head %d, acknowledged %d, %v", at, head, acked, err)
		}
	}
	s.drain(3)
	wantOnce(t, p, s)
}
