package link_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/frame"
	"bianmin/offline/journal"
	"bianmin/offline/receipt"
	"bianmin/offline/store"
	"bianmin/offline/words"
)

// onScreen returns whom to call in the cases on the screen, sorted.
func (m *machine) onScreen(t testing.TB) []string {
	t.Helper()
	cases := m.cases(t)
	out := []string{}
	for _, c := range cases {
		out = append(out, m.whoIs(t, c))
	}
	slices.Sort(out)
	return out
}

// whoIs opens a case of the list, which does not hold the answers, and reads whom to call.
func (m *machine) whoIs(t testing.TB, c counter.Case) string {
	t.Helper()
	full, err := m.s.Case(t.Context(), c.Reference())
	must(t, err)
	return whoOf(t, full.Case)
}

// reopen opens a folder whose database may not open any more, as `doctor --rebuild` does.
func (m *machine) reopen(t testing.TB) {
	t.Helper()
	d, err := desk.Open(m.config())
	if key, _ := words.KeyOf(err); err != nil && key == "store.damaged" {
		_, err = desk.SetAside(m.config())
		must(t, err)
		d, err = desk.Open(m.config())
	}
	must(t, err)
	must(t, d.Close())
	m.open()
}

// worked is a machine that was used: three cases delivered and accepted, one not, one draft.
type worked struct {
	*machine
	device      uint32
	taken       []counter.Submitted
	acked, last uint64
}

// used makes one; it is closed.
func (p *platform) used(t testing.TB) worked {
	t.Helper()
	w := worked{machine: p.enrol(t)}
	w.login()
	for _, name := range []string{"赵建国", "钱秀英", "孙玉兰"} {
		w.taken = append(w.taken, w.take(name))
	}
	w.sync(t)
	w.sync(t) // acceptances
	draft, err := w.s.Start(t.Context(), "gaoling", nil)
	must(t, err)
	must(t, draft.Close(t.Context()))
	w.taken = append(w.taken, w.take("李桂花"))
	w.device, w.last, w.acked, _, err = w.d.Store().Position(t.Context())
	must(t, err)
	w.last++ // the end of the session is a record, too
	w.close()
	return w
}

// TestRestoreFromPlatform: file and mirror are both gone, or both damaged. What was acknowledged comes back, and the screen
// says what did not.
func TestRestoreFromPlatform(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	segment := filepath.Join("mirror", "000001.bmp")
	write := func(name string, data []byte) func(dir string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), data, 0o600) }
	}
	gone := func(name string) func(dir string) error {
		return func(dir string) error { return os.RemoveAll(filepath.Join(dir, name)) }
	}
	zeroed := func(name string, n int64) func(dir string) error {
		return func(dir string) error {
			path := filepath.Join(dir, name)
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if n > 0 {
				data = data[:n]
			}
			clear(data)
			return os.WriteFile(path, data, 0o600)
		}
	}
	// A frame of the mirror's middle is damaged: what lies before and behind it comes from there.
	var hole uint64
	holed := func(dir string) error {
		path := filepath.Join(dir, segment)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, _, err = frame.Scan(data, suite, func(off int64, f frame.Frame) error {
			if f.Kind == frame.Record && f.Number == hole {
				data[bytes.Index(data, f.Payload)+40] ^= 1
			}
			return nil
		})
		if err != nil {
			return err
		}
		return os.WriteFile(path, data, 0o600)
	}
	damaged := func(dir string) error {
		path := filepath.Join(dir, segment)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i := 50; i < len(data); i += 97 {
			data[i] ^= 0x10
		}
		return os.WriteFile(path, data, 0o600)
	}
	for _, c := range []struct {
		name    string
		file    func(dir string) error
		mirror  func(dir string) error
		missing bool // the record that was not delivered
		drafts  int  // that are gone
		nothing bool // nothing at all was lost that the platform would have to give
	}{
		{"both gone", gone("store.db"), gone("mirror"), true, 1, false},
		{"both zeroed", zeroed("store.db", 0), zeroed(segment, 0), true, 1, false},
		{"file truncated, mirror damaged", zeroed("store.db", 5000), damaged, true, 1, false},
		{"file is junk, mirror is empty", write("store.db", []byte("no database")), write(segment, nil), true, 1, false},
		{"file gone, a hole in the mirror", gone("store.db"), holed, false, 0, false},
		{"file gone, mirror whole", gone("store.db"), func(string) error { return nil }, false, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := p.used(t)
			taken, acked, last := m.taken, m.acked, m.last
			hole = taken[1].Seq
			must(t, c.file(m.dir))
			must(t, c.mirror(m.dir))
			m.reopen(t)
			if !c.nothing && c.missing {
				_, err := m.l.Once(t.Context())
				if key, _ := words.KeyOf(err); key != "sync.restoreLogin" {
					t.Fatalf("locked: %v", err)
				}
			}
			m.login()
			if !c.nothing {
				st, err := m.d.Status(t.Context())
				must(t, err)
				if st.Fault != "store.lost" {
					t.Fatalf("fault %q", st.Fault)
				}
				if _, err := m.s.Printed(t.Context(), taken[0].Seq, 1, counter.PrintPaper); err == nil {
					t.Fatal("something is written before the records are back")
				}
			}
			m.sync(t)
			m.sync(t)
			want := []string{"赵建国", "钱秀英", "孙玉兰"}
			if !c.missing {
				want = append(want, "李桂花")
			}
			slices.Sort(want)
			if got := m.onScreen(t); !slices.Equal(got, want) {
				t.Fatalf("on the screen: %v", got)
			}
			if same := m.d.Store().Device() == m.device; same == c.missing { // what was given out after the last delivered one is not known
				t.Fatalf("the machine has the same number: %t", same)
			}
			cases := m.cases(t)
			for _, k := range cases {
				i := slices.IndexFunc(taken, func(x counter.Submitted) bool { return x.No == k.No })
				if i < 0 {
					t.Fatalf("case %s was never taken in", k.No)
				}
				if k.AcceptedAt == 0 && i < 3 {
					t.Fatalf("case %s: the acceptance did not come back", k.No)
				}
				for stage := uint8(1); stage <= 2; stage++ {
					if stage == 2 && k.AcceptedAt == 0 {
						continue
					}
					r, err := m.s.Receipt(t.Context(), k.Reference(), stage)
					must(t, err)
					if v := m.d.Verify(r.Link); v.State != receipt.Genuine {
						t.Fatalf("receipt %d of %s: %s", stage, k.No, v.Reason)
					}
					if v, st, err := p.g.VerifyLink(t.Context(), r.Link); i < 3 && (err != nil || v.State != receipt.Genuine || !st.Found || st.Withdrawn) {
						t.Fatalf("receipt %d of %s at the platform: %+v, %v", stage, k.No, st, err)
					}
				}
			}
			st, err := m.d.Status(t.Context())
			must(t, err)
			switch r := st.Recovered; {
			case c.nothing:
				if r != nil {
					t.Fatalf("recovered from the platform: %+v", r)
				}
			case r == nil || r.From > taken[1].Seq || r.To != acked || r.Unknown || r.Drafts != c.drafts || r.Blobs != 0:
				t.Fatalf("recovered: %+v", r)
			case c.missing && (r.MissingFrom != acked+1 || r.MissingTo != last):
				t.Fatalf("missing %d to %d, delivered %d, written %d", r.MissingFrom, r.MissingTo, acked, last)
			case !c.missing && (r.MissingTo != 0 || r.Mirror != last):
				t.Fatalf("recovered: %+v", r)
			}
			rep, err := m.d.Doctor(t.Context(), true, nil)
			must(t, err)
			if len(rep.Faults) > 0 {
				t.Fatalf("doctor: %+v", rep.Faults)
			}
			m.close()
			m.open() // and both copies are whole again
			m.login()
			if got := m.onScreen(t); !slices.Equal(got, want) {
				t.Fatalf("on the screen after a restart: %v", got)
			}
			m.close()
			must(t, os.Remove(filepath.Join(m.dir, "store.db")))
			m.open()
			m.login()
			if c.missing { // what lies under the former number comes from the platform
				m.sync(t)
			}
			if got := m.onScreen(t); !slices.Equal(got, want) {
				t.Fatalf("from the new mirror: %v", got)
			}
			for _, k := range m.cases(t) { // this machine has the former number's key
				r, err := m.s.Receipt(t.Context(), k.Reference(), 1)
				must(t, err)
				if v := m.d.Verify(r.Link); v.State != receipt.Genuine {
					t.Fatalf("receipt of %s, made again: %s", k.No, v.Reason)
				}
			}
			if st, err := m.d.Status(t.Context()); err != nil || c.missing != (len(st.Former) == 1 && st.Former[0].Lost) {
				t.Fatalf("former numbers: %+v, %v", st.Former, err)
			}
			m.close()
		})
	}
	// Life goes on after the loss, with the numbers that are free.
	p = newPlatform(t, nil)
	m := p.used(t)
	m.open()
	m.login()
	for range 20 { // so many packets at the platform that they do not come in one answer
		_, err := m.d.Store().Commit(t.Context(), store.Act{Operator: operator, Kind: journal.KindSettings, Body: journal.Note{What: "theme"}})
		must(t, err)
		m.sync(t)
	}
	m.close()
	must(t, os.RemoveAll(filepath.Join(m.dir, "mirror")))
	must(t, os.Remove(filepath.Join(m.dir, "store.db")))
	m.open()
	m.login()
	m.sync(t)
	m.take("周大勇")
	m.sync(t)
	m.delivered(t)
	p.wantOnce(t, "赵建国", "钱秀英", "孙玉兰", "李桂花", "周大勇")
}

// TestNothingWasEverDelivered: both copies are gone before the first exchange. There is nothing to come back, and that is
// said; the machine works again.
func TestNothingWasEverDelivered(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	m := p.enrol(t)
	m.login()
	m.take("赵建国")
	m.close()
	must(t, os.RemoveAll(filepath.Join(m.dir, "mirror")))
	must(t, os.Remove(filepath.Join(m.dir, "store.db")))
	m.open()
	m.login()
	m.sync(t)
	st, err := m.d.Status(t.Context())
	must(t, err)
	if r := st.Recovered; r == nil || r.To != 0 || r.MissingFrom != 1 || r.MissingTo != 4 || st.Fault != "" {
		t.Fatalf("%+v, fault %q", st.Recovered, st.Fault)
	}
	m.take("钱秀英")
	m.sync(t)
	m.delivered(t)
	p.wantOnce(t, "钱秀英")
}

// TestOlderCopyComesForward: an older copy of the folder is synced before anything is written on it. The
// platform gives back the rest, and the machine goes on under a new number.
func TestOlderCopyComesForward(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	m := p.enrol(t)
	m.login()
	m.take("赵建国")
	m.sync(t)
	m.close()
	old := m.copy()
	m.open()
	m.login()
	m.take("钱秀英")
	m.take("孙玉兰")
	m.sync(t)
	m.close()
	m.open()
	m.sync(t)
	device := m.d.Store().Device()
	m.close()
	old.open()
	_, err := old.l.Once(t.Context())
	if key, _ := words.KeyOf(err); key != "sync.restoreLogin" {
		t.Fatalf("locked: %v", err)
	}
	old.login()
	old.sync(t)
	old.sync(t)
	if got := old.onScreen(t); !slices.Equal(got, []string{"孙玉兰", "赵建国", "钱秀英"}) {
		t.Fatalf("on the screen: %v", got)
	}
	old.take("李桂花")
	old.sync(t)
	old.delivered(t)
	if old.d.Store().Device() == device { // what the newer folder gave out after its last delivery is not known here
		t.Fatal("numbers may be given twice")
	}
	p.wantOnce(t, "赵建国", "钱秀英", "孙玉兰", "李桂花")
}
