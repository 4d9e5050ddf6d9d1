package input

import (
	"fmt"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"bianmin/app/look"
)

// hand is a finger with its own clock: it drags, and lets frames pass.
type hand struct {
	at   time.Time
	tick func() bool
}

// on makes the glide of a page or list run on the hand's clock.
func (h *hand) on(g *glide) {
	h.at = noon()
	g.now = func() time.Time { return h.at }
	g.frames = func(tick func() bool) func() {
		h.tick = tick
		return func() { h.tick = nil }
	}
}

// rig puts a page or list on a window and its glide on a hand's clock.
func (h *hand) rig(t *testing.T, g *glide, o fyne.CanvasObject) fyne.Window {
	t.Helper()
	t.Cleanup(func() { g.stop() })
	h.on(g)
	return window(t, o)
}

// swipe moves a finger by whole pixels in the given time, in steps of a frame, and lifts it.
func (h *hand) swipe(on fyne.Draggable, whole float32, took time.Duration) {
	const frame = 16 * time.Millisecond
	steps := max(1, int(took/frame))
	for range steps {
		h.at = h.at.Add(took / time.Duration(steps))
		on.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(0, whole/float32(steps))})
	}
}

// frames lets n frames pass and returns how many the page was moving in.
func (h *hand) frames(n int) int {
	for i := range n {
		if h.tick == nil {
			return i
		}
		h.at = h.at.Add(16 * time.Millisecond)
		if !h.tick() {
			h.tick = nil
			return i + 1
		}
	}
	return n
}

func longPage(rows ...fyne.CanvasObject) *Scroll {
	for i := range 400 {
		rows = append(rows, look.Body(fmt.Sprint("第", i, "行")))
	}
	return NewScroll(look.VStack(look.Gap2, rows...))
}

func TestAFlungPageRunsOnAndStops(t *testing.T) {
	s := longPage()
	h := &hand{}
	h.rig(t, s.glide, s)
	h.swipe(s, -300, 150*time.Millisecond) // 2,000 pixels a second
	under := s.Offset()
	if under < 290 || under > 310 {
		t.Errorf("the page is %.0f pixels on under the finger", under)
	}
	s.DragEnd()
	last, step := s.Offset(), float32(1e6)
	for h.frames(1) == 1 && h.tick != nil {
		if now := s.Offset() - last; now > step+0.5 {
			t.Fatalf("it gets faster: %.1f after %.1f", now, step)
		} else {
			step = now
		}
		last = s.Offset()
	}
	if h.tick != nil {
		t.Error("it never stops")
	}
	// The way of an exponential decay is speed × time constant: 2,000 × 0.325, less what is under the least speed.
	if ran := s.Offset() - under; ran < 550 || ran > 680 {
		t.Errorf("it ran on by %.0f pixels", ran)
	}
	s.ScrollTo(3000)
	h.swipe(s, 300, 150*time.Millisecond)
	s.DragEnd()
	h.frames(500)
	if s.Offset() > 2400 {
		t.Errorf("it does not run upwards: %.0f", s.Offset())
	}
	s.Top()
	h.swipe(s, 300, 100*time.Millisecond)
	s.DragEnd()
	h.frames(500)
	if s.Offset() != 0 {
		t.Errorf("it runs over its top: %.0f", s.Offset())
	}
}

func TestASlowOrRestingFingerFlingsNothing(t *testing.T) {
	for name, swipe := range map[string]func(h *hand, s *Scroll){
		"slow": func(h *hand, s *Scroll) { h.swipe(s, -40, time.Second) },
		"resting": func(h *hand, s *Scroll) {
			h.swipe(s, -300, 100*time.Millisecond)
			h.at = h.at.Add(200 * time.Millisecond)
		},
	} {
		s := longPage()
		h := &hand{}
		h.rig(t, s.glide, s)
		swipe(h, s)
		at := s.Offset()
		s.DragEnd()
		if h.frames(10) != 0 || s.Offset() != at {
			t.Errorf("%s: it runs on by %.0f", name, s.Offset()-at)
		}
	}
}

func TestAFingerStopsTheRunningPageAndTapsNothing(t *testing.T) {
	taps := 0
	button := look.SecondaryButton("好", func() { taps++ })
	field := NewPhone()
	s := longPage(button, field)
	h := &hand{}
	w := h.rig(t, s.glide, s)
	fling := func() {
		t.Helper()
		h.swipe(s, -300, 100*time.Millisecond)
		s.DragEnd()
		if h.frames(3) != 3 {
			t.Fatal("it does not run")
		}
	}
	down := &desktop.MouseEvent{Button: desktop.MouseButtonPrimary}
	fling()
	button.MouseDown(down)
	button.MouseUp(down)
	button.Tapped(&fyne.PointEvent{})
	if h.tick != nil || taps != 0 {
		t.Errorf("running %v, %d taps after the finger that stopped it", h.tick != nil, taps)
	}
	button.MouseDown(down)
	button.MouseUp(down)
	button.Tapped(&fyne.PointEvent{})
	if taps != 1 {
		t.Errorf("%d taps after the next finger", taps)
	}
	fling()
	s.view.Objects[0].(*bare).MouseDown(down)
	if h.tick != nil {
		t.Error("a finger beside everything does not stop it")
	}
	fling()
	field.entry.MouseDown(down)
	if h.tick != nil || w.Canvas().Focused() != nil {
		t.Error("a finger on a field does not stop it, or takes the keyboard there")
	}
	fling()
	other := longPage()
	h2 := &hand{}
	h2.rig(t, other.glide, other)
	if stopMoving(); h.tick != nil {
		t.Error("a finger on another page lets this one run")
	}
}

func TestAFingerScrollsOverButtonsAndFields(t *testing.T) {
	taps := 0
	button := look.SecondaryButton("好", func() { taps++ })
	one, many := NewPhone(), NewLongText(0)
	s := longPage(button, one, many)
	h := &hand{}
	h.rig(t, s.glide, s)
	button.MouseDown(&desktop.MouseEvent{})
	h.swipe(s, -200, 300*time.Millisecond) // Fyne gives the drag to the page below the button
	s.DragEnd()
	if taps != 0 || s.Offset() < 150 {
		t.Errorf("over a button: %d taps, %.0f pixels", taps, s.Offset())
	}
	for name, e := range map[string]*entry{"a field": one.entry, "a field of many lines": many.entry} {
		s.glide.stop()
		s.Top()
		h.swipe(e, -200, 150*time.Millisecond)
		at := s.Offset()
		e.DragEnd()
		if at < 180 || h.frames(5) != 5 || s.Offset() <= at {
			t.Errorf("over %s: %.0f pixels, then %.0f", name, at, s.Offset())
		}
	}
}

func TestAMovementWithinTheSlackIsATap(t *testing.T) {
	taps := 0
	button := look.SecondaryButton("好", func() { taps++ })
	s := longPage(button)
	h := &hand{}
	h.rig(t, s.glide, s)
	button.MouseDown(&desktop.MouseEvent{})
	h.swipe(s, -slack+1, 100*time.Millisecond)
	s.DragEnd()
	if taps != 1 || s.Offset() != 0 || h.tick != nil {
		t.Errorf("%d taps, %.0f pixels", taps, s.Offset())
	}
}

func TestAFlungListRunsOn(t *testing.T) {
	l := NewList(func() int { return 500 }, func() fyne.CanvasObject { return look.Body("") },
		func(i int, o fyne.CanvasObject) { o.(*look.Text).SetText(fmt.Sprint("第", i)) }, func(int) {})
	h := &hand{}
	h.rig(t, l.glide, l)
	h.swipe(l, -300, 150*time.Millisecond)
	at := l.inner.GetScrollOffset()
	l.DragEnd()
	h.frames(500)
	if ran := l.inner.GetScrollOffset() - at; at < 280 || ran < 500 {
		t.Errorf("under the finger %.0f, then %.0f", at, ran)
	}
}

func TestKioskPagesHaveButtonsToTurnThem(t *testing.T) {
	SetPaged(true)
	t.Cleanup(func() { SetPaged(false) })
	s := longPage()
	w := window(t, s)
	if s.pager.up.Hidden || !s.pager.up.Disabled() || s.pager.down.Disabled() {
		t.Error("at the top only the button down leads somewhere")
	}
	if right := s.content.Position().X + s.content.Size().Width; right > s.pager.down.Position().X {
		t.Errorf("the content ends at %.0f, below the buttons at %.0f", right, s.pager.down.Position().X)
	}
	s.pager.down.Tapped(nil)
	if got := s.Offset(); got < w.Canvas().Size().Height*0.8 {
		t.Errorf("a page is %.0f", got)
	}
	for range 100 {
		if !s.pager.down.Disabled() {
			s.pager.down.Tapped(nil)
		}
	}
	if s.Offset() != s.limit() || !s.pager.down.Disabled() || s.pager.up.Disabled() {
		t.Errorf("at the end: %.0f of %.0f", s.Offset(), s.limit())
	}
	short := NewScroll(look.Body("一行"))
	window(t, short)
	if !short.pager.up.Hidden || !short.pager.down.Hidden {
		t.Error("a page that is seen whole has buttons")
	}
	if got := short.content.Size().Width; got != short.Size().Width {
		t.Errorf("a page that is seen whole is %.0f wide of %.0f: there is a gap where no buttons are", got, short.Size().Width)
	}
	rows := 500
	l := NewList(func() int { return rows }, func() fyne.CanvasObject { return look.Body("") }, func(int, fyne.CanvasObject) {}, func(int) {})
	window(t, l)
	l.pager.down.Tapped(nil)
	if l.inner.GetScrollOffset() == 0 || l.pager.up.Disabled() {
		t.Error("a list does not turn")
	}
	if test := l.inner.Size().Width + l.pager.strip(func() bool { return false }); test != l.Size().Width {
		t.Errorf("list %.0f wide of %.0f", l.inner.Size().Width, l.Size().Width)
	}
}
