package input

import (
	"bytes"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"bianmin/app/input/ink"
)

func TestPINPad(t *testing.T) {
	p := NewPINPad(4, 6)
	w := window(t, p)
	var done []string
	p.OnDone = func(pin string) { done = append(done, pin) }
	w.Canvas().Focus(p)
	for _, r := range "12a３" {
		p.TypedRune(r)
	}
	if p.Digits() != 3 || !p.enter.Disabled() {
		t.Errorf("%d digits", p.Digits())
	}
	p.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	test.Tap(p.keys[8]) // 9
	test.Tap(p.keys[9]) // backspace
	test.Tap(p.keys[10])
	if len(done) != 0 || p.enter.Disabled() {
		t.Fatalf("done %v with %d digits", done, p.Digits())
	}
	test.Tap(p.enter)
	if !slices.Equal(done, []string{"1230"}) || p.Digits() != 0 {
		t.Fatalf("done %v, %d digits left", done, p.Digits())
	}
	if raw := p.digits[:cap(p.digits)]; bytes.ContainsAny(raw, "0123456789") {
		t.Errorf("the digits are still in memory: %q", raw)
	}
	p.Disable()
	p.TypedRune('1')
	test.Tap(p.keys[0])
	if p.Digits() != 0 {
		t.Error("a locked pad takes digits")
	}
	p.Enable()
	fixed := NewPINPad(6, 6)
	window(t, fixed)
	fixed.OnDone = func(pin string) { done = append(done, pin) }
	for _, r := range "123456" {
		fixed.TypedRune(r)
	}
	if done[len(done)-1] != "123456" {
		t.Error("the last digit of a fixed length does not end it")
	}
}

func drag(p *paper, from, to fyne.Position, steps int) {
	p.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: from}})
	d := fyne.NewPos((to.X-from.X)/float32(steps), (to.Y-from.Y)/float32(steps))
	at := from
	for range steps {
		at = at.Add(d)
		p.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: at}, Dragged: fyne.NewDelta(d.X, d.Y)})
	}
	p.MouseUp(&desktop.MouseEvent{})
	p.DragEnd()
}

func TestSignatureIsTakenAsStrokes(t *testing.T) {
	clock := noon()
	s := NewSignaturePad(func() time.Time { clock = clock.Add(10 * time.Millisecond); return clock })
	w := window(t, s)
	var told []string
	s.SetOnChanged(func(v string) { told = append(told, v) })

	s.paper.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(50, 50)}})
	s.paper.MouseUp(&desktop.MouseEvent{})
	if !s.Blank() || s.Text() != "" || len(told) != 1 || told[0] != "" {
		t.Errorf("a dot is a signature: %q, told %q", s.Text(), told)
	}
	drag(s.paper, fyne.NewPos(100, 100), fyne.NewPos(400, 120), 30)
	drag(s.paper, fyne.NewPos(200, 60), fyne.NewPos(5000, -90), 20)
	if s.Blank() || len(s.Strokes().Lines) != 3 {
		t.Fatalf("%d lines, blank %v", len(s.Strokes().Lines), s.Blank())
	}
	if err := s.Strokes().Check(); err != nil {
		t.Errorf("points beside the paper are not held to its edge: %v", err)
	}
	if last := told[len(told)-1]; last != s.Text() {
		t.Error("the last stroke was not told")
	}
	before := w.Canvas().Capture()
	text := s.Text()
	copied := s.Strokes()
	copied.Lines[1][0] = ink.Point{}
	s.Clear()
	if !s.Blank() || s.Text() != "" {
		t.Error("not cleared")
	}
	s.SetText(text)
	after := w.Canvas().Capture()
	differ := 0
	for y := range 200 {
		for x := range 800 {
			if before.At(x, y) != after.At(x, y) {
				differ++
			}
		}
	}
	if differ > 0 {
		t.Errorf("%d pixels differ between writing and showing again", differ)
	}
	raw, err := s.PNG(600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(raw)); err != nil {
		t.Error(err)
	}
	s.SetReadOnly(true)
	drag(s.paper, fyne.NewPos(10, 10), fyne.NewPos(90, 90), 5)
	if s.Text() != text {
		t.Error("a fixed signature was written on")
	}
	if strings.Contains(fmt.Sprint(s.paper), "[[") {
		t.Error("a signature can be logged")
	}
}
