package desk_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

func wantKey(t *testing.T, what string, err error, key string) {
	t.Helper()
	if got, _ := words.KeyOf(err); err == nil || got != key {
		t.Errorf("%s: %v, want %s", what, err, key)
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A lock ends what is under way with the draft on the disk, lets nobody in, survives a restart, and keeps the line open.
func TestRemoteLock(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	in, err := s.Start(t.Context(), "gaoling", nil)
	noError(t, err)
	in.Set("name", "欧阳秀英")
	m.Tell(t, d, journal.EventDeviceLocked, 0, journal.Order{Reason: "机器报失"})
	_, err = s.Cases(t.Context())
	wantKey(t, "a session after the lock", err, "desk.locked")
	_, err = d.Login(t.Context(), desktest.Operator, desktest.PIN)
	wantKey(t, "login", err, "desk.remoteLocked")
	st, err := d.Status(t.Context())
	if err != nil || !st.Locked || st.Barred != "desk.remoteLocked" || st.Reason != "机器报失" {
		t.Errorf("status %+v, %v", st, err)
	}
	// Still sealed, still sendable: with nobody logged in the packets of every record leave, the note about the lock included.
	_, head, _, _, err := d.Store().Position(t.Context())
	noError(t, err)
	packets, last, err := d.Store().Outgoing(t.Context(), 0, 1<<20)
	if err != nil || last != head || uint64(len(packets)) != head {
		t.Errorf("%d packets up to %d of %d: %v", len(packets), last, head, err)
	}
	if rec, err := d.Store().Record(head); err != nil || rec.Kind != journal.KindOrderKept {
		t.Errorf("last record %s, %v", rec.Kind, err)
	}
	m.Acknowledge(t, d)
	noError(t, d.Close())

	d = m.Open(t)
	_, err = d.Login(t.Context(), desktest.Operator, desktest.PIN)
	wantKey(t, "login after a restart", err, "desk.remoteLocked")
	m.Tell(t, d, journal.EventDeviceUnlocked, 0, journal.Order{})
	s, err = d.Login(t.Context(), desktest.Operator, desktest.PIN)
	noError(t, err)
	drafts, err := s.Drafts(t.Context())
	if err != nil || len(drafts) != 1 {
		t.Fatalf("drafts %v, %v", drafts, err)
	}
	in, err = s.Resume(t.Context(), drafts[0].ID)
	noError(t, err)
	if got := in.Form().State("name").Value; got != "欧阳秀英" {
		t.Errorf("the last keystroke before the lock is gone: %v", got)
	}
}

// After a wipe nothing in the folder opens, whatever is put back beside it, and the program says so.
func TestRemoteWipe(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	_, err := s.Start(t.Context(), "gaoling", nil)
	noError(t, err)
	secret, err := os.ReadFile(filepath.Join(m.Config.Dir, "machine.key"))
	noError(t, err)
	if err := d.Wipe(); err != nil || d.Wiping() {
		t.Fatal("a wipe without an order: ", err)
	}
	m.Tell(t, d, journal.EventDeviceWiped, 0, journal.Order{Reason: "被盗"})
	_, err = d.Login(t.Context(), desktest.Operator, desktest.PIN)
	wantKey(t, "login before the end", err, "desk.wiped")
	_, last, err := d.Store().Outgoing(t.Context(), 0, 1<<20)
	if _, head, _, _, perr := d.Store().Position(t.Context()); err != nil || perr != nil || last != head {
		t.Errorf("what waits cannot leave: %v", err)
	}
	if !d.Wiping() {
		t.Fatal("not wiping")
	}
	noError(t, d.Wipe())
	noError(t, d.Wipe())
	_, err = d.Status(t.Context())
	wantKey(t, "status", err, "desk.wiped")
	noError(t, d.Close())
	_, err = desk.Open(m.Config)
	wantKey(t, "open", err, "desk.wiped")
	_, _, err = desk.Begin(m.Config, []byte("code"))
	wantKey(t, "enrol again here", err, "desk.wiped")
	noError(t, filepath.WalkDir(m.Config.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		switch name := e.Name(); {
		case strings.HasPrefix(name, "keys."), strings.HasPrefix(name, "tries."), strings.HasPrefix(name, "machine.key"), name == "enrolment":
			t.Errorf("%s is still there", name)
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, secret[:16]) {
			t.Errorf("%s holds the machine secret", path)
		}
		return err
	}))
	_, err = vault.OpenRing(m.Config.Dir, m.Config.Suite, vault.KeyFile(filepath.Join(m.Config.Dir, "machine.key")), vault.OpenOptions{})
	if !errors.Is(err, vault.ErrNoRing) {
		t.Errorf("the ring: %v", err)
	}
}

// A power cut between order and end: the next start finishes.
func TestWipeIsFinishedAfterACut(t *testing.T) {
	for _, cut := range []string{"before the mark", "after the mark"} {
		t.Run(cut, func(t *testing.T) {
			m := desktest.New(t)
			d := m.Open(t)
			m.Tell(t, d, journal.EventDeviceWiped, 0, journal.Order{})
			told, err := d.Store().Events(0, 10)
			noError(t, err)
			noError(t, d.Close())
			if cut == "after the mark" {
				noError(t, os.WriteFile(filepath.Join(m.Config.Dir, "wiped"), told[0].Event.Marshal(), 0o600))
			}
			for range 2 {
				_, err = desk.Open(m.Config)
				wantKey(t, "open", err, "desk.wiped")
			}
			if vault.RingExists(m.Config.Dir) || desk.Enrolled(m.Config.Dir) {
				t.Error("keys are still there")
			}
		})
	}
}

// Nobody wipes a machine by putting a file into its folder.
func TestForgedWipeIsIgnored(t *testing.T) {
	m := desktest.New(t)
	mark := filepath.Join(m.Config.Dir, "wiped")
	ev := journal.Event{V: 1, Device: 7, Cursor: 1, Kind: journal.EventDeviceWiped, Body: canon.MustMarshal(journal.Order{})}
	noError(t, ev.Sign(m.Platform.Seal)) // not the key that signs
	for name, data := range map[string][]byte{"garbage": []byte("wipe!"), "another's signature": ev.Marshal()} {
		noError(t, os.WriteFile(mark, data, 0o600))
		d, err := desk.Open(m.Config)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		noError(t, d.Close())
	}
}

func TestLease(t *testing.T) {
	m := desktest.New(t)
	d := m.Open(t)
	lease := func() counter.Lease {
		t.Helper()
		st, err := d.Status(t.Context())
		noError(t, err)
		return st.Lease
	}
	if l := lease(); l.State != counter.LeaseOK || l.Days != 30 || l.Left != 30 {
		t.Errorf("fresh: %+v", l)
	}
	days := func(n int) { m.Clock.T = desktest.Day.AddDate(0, 0, n) }
	days(22)
	if l := lease(); l.State != counter.LeaseOK || l.Left != 8 {
		t.Errorf("after 22 days: %+v", l)
	}
	days(23)
	if l := lease(); l.State != counter.LeaseSoon || l.Left != 7 {
		t.Errorf("after 23 days: %+v", l)
	}
	if s, err := d.Login(t.Context(), desktest.Operator, desktest.PIN); err != nil {
		t.Errorf("in the last week: %v", err)
	} else {
		noError(t, s.Close(t.Context()))
	}
	days(30)
	if l := lease(); l.State != counter.LeaseOver || l.Left != 0 {
		t.Errorf("after 30 days: %+v", l)
	}
	_, err := d.Login(t.Context(), desktest.Operator, desktest.PIN)
	wantKey(t, "login after the lease", err, "desk.leaseOver")
	if _, last, err := d.Store().Outgoing(t.Context(), 0, 1<<20); err != nil || last == 0 {
		t.Errorf("it does not send any more: %v", err)
	}
	noError(t, d.Store().TakeTime(t.Context(), m.Clock.T.UnixMilli())) // contact
	if s, err := d.Login(t.Context(), desktest.Operator, desktest.PIN); err != nil {
		t.Errorf("after contact: %v", err)
	} else {
		noError(t, s.Close(t.Context()))
	}
	m.Tell(t, d, journal.EventDeviceLease, 0, journal.Order{Days: 3})
	noError(t, d.Close())
	d = m.Open(t)
	if l := lease(); l.Days != 3 || l.State != counter.LeaseSoon {
		t.Errorf("a shorter lease: %+v", l)
	}
	m.Clock.T = m.Clock.T.AddDate(0, 0, 4)
	_, err = d.Login(t.Context(), desktest.Operator, desktest.PIN)
	wantKey(t, "login after three days", err, "desk.leaseOver")
}

// A wrong clock locks nobody out: an empty battery brings 1970 or a far future, not the end of a lease.
func TestWrongClockDoesNotEndTheLease(t *testing.T) {
	m := desktest.New(t)
	d := m.Open(t)
	for _, years := range []int{-56, -10, 10, 70} {
		m.Clock.T = desktest.Day.AddDate(years, 0, 0)
		s, err := d.Login(t.Context(), desktest.Operator, desktest.PIN)
		if err != nil {
			t.Errorf("%+d years: %v", years, err)
			continue
		}
		noError(t, s.Close(t.Context()))
	}
	m.Clock.T = desktest.Day.Add(31 * 24 * time.Hour)
	_, err := d.Login(t.Context(), desktest.Operator, desktest.PIN)
	wantKey(t, "the right clock", err, "desk.leaseOver")
}
