package input

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"bianmin/app/look"
)

// notch is what Fyne tells for one notch of the wheel, downwards.
const notch = -25

func TestWheelTurnsThePageWhereverItIs(t *testing.T) {
	field := NewPhone()
	rows := []fyne.CanvasObject{look.Body("一行"), field}
	for range 60 {
		rows = append(rows, look.Body("一行"))
	}
	s := NewScroll(look.VStack(look.Gap2, rows...))
	w := window(t, s)
	turn := func(over fyne.CanvasObject, by float32) float32 {
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(over).AddXY(20, over.Size().Height/2)
		test.Scroll(w.Canvas(), at, 0, by)
		return s.Offset()
	}
	if got := turn(rows[0], notch); got != -notch*wheelStep {
		t.Errorf("over text: %.0f", got)
	}
	s.Top()
	if got := turn(field, notch); got != -notch*wheelStep {
		t.Errorf("over a field: %.0f", got)
	}
	s.Top()
	if got := turn(field, -notch); got != 0 {
		t.Errorf("above the top: %.0f", got)
	}
	s.SetContent(look.VStack(look.Gap2, rows...))
	if got := turn(rows[0], notch); got != -notch*wheelStep {
		t.Errorf("after a change of content: %.0f", got)
	}
}

func TestWheelTurnsTheInnermostPage(t *testing.T) {
	tall := func() []fyne.CanvasObject {
		var rows []fyne.CanvasObject
		for i := range 60 {
			rows = append(rows, look.Body(fmt.Sprint("第", i)))
		}
		return rows
	}
	inside := NewScroll(look.VStack(look.Gap2, tall()...))
	box := look.AtLeast(func(look.Tokens) fyne.Size { return fyne.NewSize(300, 200) }, inside)
	outside := NewScroll(look.VStack(look.Gap2, append([]fyne.CanvasObject{box}, tall()...)...))
	w := window(t, outside)
	test.Scroll(w.Canvas(), fyne.CurrentApp().Driver().AbsolutePositionForObject(inside).AddXY(20, 20), 0, notch)
	if inside.Offset() == 0 || outside.Offset() != 0 {
		t.Errorf("inside %.0f, outside %.0f", inside.Offset(), outside.Offset())
	}
}

func TestWheelTurnsLists(t *testing.T) {
	l := NewList(func() int { return 500 }, func() fyne.CanvasObject { return look.Body("") },
		func(i int, o fyne.CanvasObject) { o.(*look.Text).SetText(fmt.Sprint("第", i)) }, func(int) {})
	w := window(t, l)
	at := fyne.NewPos(100, RowHeight()*2.5)
	test.Scroll(w.Canvas(), at, 0, notch)
	if got := l.inner.GetScrollOffset(); got != -notch*wheelStep {
		t.Errorf("down: %.0f", got)
	}
	test.Scroll(w.Canvas(), at, 0, -10*notch)
	if got := l.inner.GetScrollOffset(); got != 0 {
		t.Errorf("above the top: %.0f", got)
	}
}

func TestTabBringsIntoView(t *testing.T) {
	first, far := NewPhone(), NewPhone()
	rows := []fyne.CanvasObject{first}
	for range 60 {
		rows = append(rows, look.Body("一行"))
	}
	rows = append(rows, far, look.SecondaryButton("好", func() {}))
	s := NewScroll(look.VStack(look.Gap2, rows...))
	w := window(t, s)
	w.Canvas().Focus(first.Focusable())
	inView := func(o fyne.CanvasObject) bool {
		y := fyne.CurrentApp().Driver().AbsolutePositionForObject(o).Y
		return y >= 0 && y+o.Size().Height < w.Canvas().Size().Height+1
	}
	for i, o := range []fyne.CanvasObject{far, rows[len(rows)-1], first} {
		if inView(o) {
			t.Fatalf("%d is in view already", i)
		}
		w.Canvas().FocusNext()
		if !inView(o) {
			t.Errorf("Tab leads to %d, which is out of view", i)
		}
		if o == far {
			s.Top()
		}
	}
}

func TestTypingGoesOnBehindWhatIsThere(t *testing.T) {
	for _, c := range []struct {
		field        *TextField
		before, want string
	}{{NewText(0), "刘建", "刘建1"}, {NewPhone(), "1390000", "13900001"}} {
		w := window(t, c.field)
		c.field.SetText(c.before)
		w.Canvas().Focus(c.field.Focusable())
		test.Type(c.field.Focusable(), "1")
		if c.field.Text() != c.want {
			t.Errorf("%q, want %q", c.field.Text(), c.want)
		}
	}
}
