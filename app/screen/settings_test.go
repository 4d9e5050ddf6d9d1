package screen_test

import (
	"context"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/app/vm"
	"bianmin/offline/counter"
)

// halfway is a counter in whose repair something is asked when half is done.
type halfway struct {
	counter.Counter
	then func()
}

// Doctor implements counter.Counter.
func (c halfway) Doctor(ctx context.Context, rebuild bool, progress func(done, total int)) (counter.Report, error) {
	return c.Counter.Doctor(ctx, rebuild, func(done, total int) {
		if c.then != nil {
			progress(total/2, total)
			c.then()
			c.then = nil
		}
		progress(done, total)
	})
}

// TestRepairShowsABar: while the projections are made again a bar and words say how far it is, and the cases can be looked at.
func TestRepairShowsABar(t *testing.T) {
	r := newCaseRig(t)
	r.fill()
	asked := 0
	c := &halfway{Counter: r.d.Counter()}
	m := vm.NewSettings(r.words, c, r.s, "1", "https://a.example", "standard")
	v := screen.NewSettings(r.env, m, time.Now)
	bar := func() *look.Bar {
		w := r.window(v, "settings")
		for _, o := range test.LaidOutObjects(w.Content()) {
			if b, ok := o.(*look.Bar); ok && b.Visible() {
				return b
			}
		}
		return nil
	}
	if bar() != nil {
		t.Error("a bar, and nothing runs")
	}
	c.then = func() {
		asked++
		v.Refresh()
		b := bar()
		if b == nil || b.Share() < 0.4 || b.Share() > 0.6 {
			t.Errorf("half is done, the bar says %v", b)
		}
		if list, err := r.s.Cases(t.Context()); err != nil || len(list) == 0 {
			t.Errorf("meanwhile: %d cases, %v", len(list), err)
		}
	}
	if !m.BeginCheck(true) {
		t.Fatal("no check")
	}
	m.Check(t.Context(), time.Now, func() {})
	v.Refresh()
	if asked != 1 || bar() != nil || !m.State().ResultOK {
		t.Errorf("asked %d times, afterwards %+v", asked, m.State().Result)
	}
}
