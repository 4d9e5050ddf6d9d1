package desk_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"bianmin/offline/desk/desktest"
	"bianmin/offline/words"
)

const (
	sampleNumber = "999999194102030013"
	sampleName   = "陈德福"
)

func bookOf(t *testing.T, m *desktest.Machine) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(m.Config.Dir, "packs", "roster-*.book"))
	if err != nil || len(files) != 1 {
		t.Fatalf("books %v, %v", files, err)
	}
	return files[0]
}

// TestRosterBook: the roster is read from a sealed book beside its pack, which is made again when it is lost, damaged
// anywhere, or of another pack; and never is a wrong person found.
func TestRosterBook(t *testing.T) {
	m := desktest.New(t)
	path := bookOf(t, m)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{sampleName, sampleNumber, sampleNumber[:14], "19410203"} {
		if bytes.Contains(good, []byte(s)) {
			t.Errorf("the book holds %s in clear", s)
		}
	}
	found := func() error {
		t.Helper()
		d, s := m.Login(t)
		defer func() {
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}()
		p, err := s.FindPeople(sampleNumber, 5)
		if err == nil && (len(p) != 1 || p[0].Name() != sampleName) {
			t.Errorf("found %v", p)
		}
		return err
	}
	if err := found(); err != nil {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, good) {
		t.Errorf("a login wrote the book again: %v", err)
	}
	write := func(data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, spoil := range map[string]func(){
		"gone":  func() { _ = os.Remove(path) },
		"empty": func() { write(nil) },
		"cut":   func() { write(good[:len(good)/2]) },
		"index": func() { write(flip(good, len(good)-100)) },
		"key":   func() { write(flip(good, 50)) },
		"tail":  func() { write(flip(good, len(good)-1)) },
		"other": func() { write(bytes.Repeat([]byte{0xa5}, len(good))) },
	} {
		spoil()
		if err := found(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	good, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// A page of a person: told when that person is looked for, and whole again for the next search.
	d, in := m.Login(t)
	told := 0
	for at := 200; at < len(good)-20_000; at += 257 {
		write(flip(good, at)) // in place: the book is open
		p, err := in.FindPeople(sampleNumber, 5)
		if err == nil {
			if len(p) != 1 || p[0].Name() != sampleName {
				t.Fatalf("found %v", p)
			}
			continue // it was somebody else's page
		}
		told++
		if key, _ := words.KeyOf(err); key != "desk.packDamaged" {
			t.Fatalf("a damaged page: %v", err)
		}
		if _, err := in.FindPeople(sampleNumber, 5); err != nil {
			t.Errorf("after a damaged page: %v", err)
		}
		if good, err = os.ReadFile(path); err != nil { // of another key now
			t.Fatal(err)
		}
	}
	if told == 0 {
		t.Error("no damage was seen")
	}
	// The doctor looks at all pages.
	write(flip(good, 4000))
	for _, want := range []bool{true, false} {
		rep, err := d.Doctor(t.Context(), false, nil)
		if err != nil || len(rep.Faults) != 0 || (len(rep.Repaired) == 1 && rep.Repaired[0] == "roster") != want {
			t.Errorf("doctor says %+v, %v; repaired should be %v", rep, err, want)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func flip(data []byte, at int) []byte {
	out := bytes.Clone(data)
	if at < len(out) {
		out[at] ^= 4
	}
	return out
}
