package desk_test

import (
	"testing"
	"time"

	"bianmin/offline/desk/desktest"
)

// TestWhatIsTypedDuringARebuildIsSavedAfterIt: somebody types on while projections are made anew. The save is refused in words, what was
// typed stays, and is on the disk by itself when the rebuild has ended.
func TestWhatIsTypedDuringARebuildIsSavedAfterIt(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	in := start(t, s)
	if err := d.Store().Rebuild(t.Context(), func(int, int) {
		in.Set("contactName", "刘建军")
		if err := in.Flush(t.Context()); keyOf(err) != "store.rebuilding" {
			t.Errorf("saved during a rebuild: %v", err)
		}
		if _, err := in.Submit(t.Context()); err == nil {
			t.Error("submitted during a rebuild")
		}
		if _, err := s.Start(t.Context(), "gaoling", nil); keyOf(err) != "store.rebuilding" {
			t.Errorf("begun during a rebuild: %v", err)
		}
		if _, err := d.Doctor(t.Context(), true, nil); keyOf(err) != "store.rebuilding" {
			t.Errorf("a second rebuild: %v", err)
		}
		if _, err := d.Login(t.Context(), desktest.Operator, "000000"); keyOf(err) != "store.rebuilding" {
			t.Errorf("a login: %v", err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for in.SaveError() != nil { // within a second; the test's own limit ends a failure
		<-tick.C
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	_, s = m.Login(t)
	again, err := s.Resume(t.Context(), in.ID())
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Form().Values(false)["contactName"]; got != "刘建军" {
		t.Errorf("on the disk: %v", got)
	}
}
