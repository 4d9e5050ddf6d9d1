package desk_test

import (
	"fmt"
	"testing"

	"bianmin/offline/canon"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/journal"
)

// TestAnnouncementsAreFoundAgain: what the platform announced is found among many events, after a start by the note of where they
// are, and without it when the note is gone, damaged or not true.
func TestAnnouncementsAreFoundAgain(t *testing.T) {
	m := desktest.New(t)
	d := m.Open(t)
	pins := func(n int) {
		t.Helper()
		m.Tell(t, d, journal.EventPins, 0, journal.Document{Data: fmt.Appendf(nil, "set %d", n)})
	}
	pins(1)
	for range 210 {
		m.Tell(t, d, journal.EventRecovery, 0, journal.Document{Data: []byte("x")})
	}
	pins(2)
	want := func(n int) {
		t.Helper()
		sets := d.PinSets()
		if len(sets) != n+1 {
			t.Fatalf("%d sets, want %d", len(sets), n+1)
		}
		for i, set := range sets[1:] {
			if string(set) != fmt.Sprintf("set %d", i+1) {
				t.Fatalf("set %d is %q", i+1, set)
			}
		}
	}
	again := func() {
		t.Helper()
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		d = m.Open(t)
	}
	want(2)
	note, err := d.Store().Doc("announced")
	if err != nil {
		t.Fatalf("no note after 212 events: %v", err)
	}
	again()
	want(2)
	pins(3)
	want(3)
	again()
	want(3)
	type claim struct {
		Device uint32   `cbor:"1,keyasint"`
		Cursor uint64   `cbor:"2,keyasint"`
		Events []uint64 `cbor:"3,keyasint"`
	}
	var is claim
	if err := canon.Unmarshal(note, &is); err != nil || len(is.Events) != 2 {
		t.Fatalf("note %+v, %v", is, err)
	}
	for name, data := range map[string][]byte{
		"none":           nil,
		"junk":           []byte("junk"),
		"of another":     canon.MustMarshal(claim{is.Device + 1, is.Cursor, []uint64{}}),
		"of later":       canon.MustMarshal(claim{is.Device, is.Cursor + 1000, []uint64{}}),
		"other events":   canon.MustMarshal(claim{is.Device, is.Cursor, []uint64{2, 3}}),
		"events not had": canon.MustMarshal(claim{is.Device, is.Cursor, []uint64{1, 99999}}),
	} {
		if err := d.Store().PutDoc("announced", data); err != nil {
			t.Fatal(err)
		}
		again()
		if sets := d.PinSets(); len(sets) != 4 {
			t.Errorf("note %s: %d sets", name, len(sets))
		}
	}
}
