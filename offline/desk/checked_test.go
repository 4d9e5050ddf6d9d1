package desk_test

import (
	"os"
	"path/filepath"
	"testing"

	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
)

// TestCheckedPacks: a pack is read without its rules being looked through only by the machine's own note.
func TestCheckedPacks(t *testing.T) {
	m := desktest.New(t)
	notes, err := filepath.Glob(filepath.Join(m.Config.Dir, "packs", "county-*.checked"))
	if err != nil || len(notes) == 0 {
		t.Fatalf("no note after installation: %v %v", notes, err)
	}
	work := func() {
		t.Helper()
		d, s := m.Login(t)
		in := start(t, s)
		if st := in.Form().State("age"); st.Value != int64(85) {
			t.Errorf("age %v: the form's rules are not there", st.Value)
		}
		if err := in.Discard(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	work()
	good := map[string][]byte{}
	for _, f := range notes {
		if good[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f, make([]byte, len(good[f])), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	work()
	for f, want := range good {
		if got, err := os.ReadFile(f); err != nil || string(got) != string(want) {
			t.Errorf("%s: a foreign note stays: %v", filepath.Base(f), err)
		}
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	work()
	for f := range good {
		if _, err := os.Stat(f); err != nil {
			t.Errorf("no note after a login: %v", err)
		}
	}
}

// BenchmarkOpen is the machine's folder opened and closed, nobody logged in: what the login screen waits for.
func BenchmarkOpen(b *testing.B) {
	m := desktest.New(b)
	for b.Loop() {
		d, err := desk.Open(m.Config)
		if err != nil {
			b.Fatal(err)
		}
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLogin is a login right after the start, with the sample county's packs, and the first case begun: its form
// compiled and shown. Argon2, which is slow on purpose, costs nearly nothing here.
func BenchmarkLogin(b *testing.B) {
	m := desktest.New(b)
	run := func(b *testing.B, unchecked bool, work func(s *desk.Session)) {
		for b.Loop() {
			b.StopTimer()
			if unchecked {
				notes, err := filepath.Glob(filepath.Join(m.Config.Dir, "packs", "*.checked"))
				if err != nil {
					b.Fatal(err)
				}
				for _, f := range notes {
					if err := os.Remove(f); err != nil {
						b.Fatal(err)
					}
				}
			}
			d, err := desk.Open(m.Config)
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			s, err := d.Login(b.Context(), desktest.Operator, desktest.PIN)
			if err != nil {
				b.Fatal(err)
			}
			work(s)
			b.StopTimer()
			if err := d.Close(); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	}
	b.Run("unchecked", func(b *testing.B) { run(b, true, func(*desk.Session) {}) })
	b.Run("checked", func(b *testing.B) { run(b, false, func(*desk.Session) {}) })
	b.Run("checked+form", func(b *testing.B) {
		run(b, false, func(s *desk.Session) {
			people, err := s.FindPeople("999999194102030021", 1)
			if err != nil || len(people) != 1 {
				b.Fatal(err)
			}
			in, err := s.Start(b.Context(), "gaoling", people[0])
			if err != nil {
				b.Fatal(err)
			}
			if err := in.Discard(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	})
}
