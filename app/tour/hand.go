package main

import (
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// hand does on a canvas what a clerk's hand and eye do: look for words, tap what carries them, type, draw.
type hand struct {
	c fyne.Canvas
}

// spot is something on the canvas with what it stands in, the outermost first.
type spot struct {
	obj  fyne.CanvasObject
	in   []fyne.CanvasObject
	text string // all words inside
}

// walk visits every visible object, parents first.
func (h hand) walk(fn func(s spot)) {
	var visit func(o fyne.CanvasObject, in []fyne.CanvasObject)
	visit = func(o fyne.CanvasObject, in []fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		fn(spot{obj: o, in: in})
		in = append(slices.Clip(in), o)
		for _, k := range kids(o) {
			visit(k, in)
		}
	}
	visit(h.c.Content(), nil)
	for _, o := range h.c.Overlays().List() {
		visit(o, nil)
	}
}

func kids(o fyne.CanvasObject) []fyne.CanvasObject {
	switch o := o.(type) {
	case *fyne.Container:
		return o.Objects
	case fyne.Widget:
		return test.WidgetRenderer(o).Objects()
	}
	return nil
}

// said returns all text inside an object, lines joined without a break, as Chinese is read.
func said(o fyne.CanvasObject) string {
	var b strings.Builder
	var visit func(o fyne.CanvasObject)
	visit = func(o fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		switch t := o.(type) {
		case *canvas.Text:
			b.WriteString(t.Text)
		case *widget.RichText:
			b.WriteString(t.String())
			return
		}
		for _, k := range kids(o) {
			visit(k)
		}
	}
	visit(o)
	return b.String()
}

// sees reports whether text is shown anywhere.
func (h hand) sees(text string) bool {
	return strings.Contains(squeeze(h.all()), squeeze(text))
}

func (h hand) all() string {
	out := said(h.c.Content())
	for _, o := range h.c.Overlays().List() {
		out += said(o)
	}
	return out
}

func squeeze(s string) string {
	return strings.NewReplacer(" ", "", "\n", "", "\u200b", "", "\u00a0", "").Replace(s)
}

// find returns the smallest tappable object that shows text; exactly text is better than more.
func (h hand) find(text string) (spot, error) {
	var best spot
	want := squeeze(text)
	h.walk(func(s spot) {
		if _, ok := s.obj.(fyne.Tappable); !ok || !h.enabled(s.obj) || isEntry(s.obj) {
			return
		}
		s.text = squeeze(said(s.obj))
		if strings.Contains(s.text, want) && (best.obj == nil || len(s.text) <= len(best.text)) {
			best = s
		}
	})
	if best.obj == nil {
		return spot{}, fmt.Errorf("nothing to tap says %q; the screen says: %s", text, clip(h.all()))
	}
	return best, nil
}

// isEntry tells fields that are typed into from everything else that takes the focus.
func isEntry(o fyne.CanvasObject) bool {
	_, ok := o.(interface{ SelectedText() string })
	return ok
}

func (hand) enabled(o fyne.CanvasObject) bool {
	d, ok := o.(fyne.Disableable)
	return !ok || !d.Disabled()
}

func clip(s string) string {
	if r := []rune(s); len(r) > 400 {
		return string(r[:400]) + "…"
	}
	return s
}

// reach scrolls until the object's middle is on the canvas, and returns that point.
func (h hand) reach(s spot) fyne.Position {
	d := fyne.CurrentApp().Driver()
	for i := len(s.in) - 1; i >= 0; i-- {
		sc, ok := s.in[i].(*container.Scroll)
		if !ok {
			continue
		}
		at := d.AbsolutePositionForObject(s.obj).Subtract(d.AbsolutePositionForObject(sc))
		mid := at.Y + s.obj.Size().Height/2
		if mid < 20 || mid > sc.Size().Height-20 {
			sc.ScrollToOffset(fyne.NewPos(sc.Offset.X, max(0, sc.Offset.Y+mid-sc.Size().Height/2)))
		}
	}
	return d.AbsolutePositionForObject(s.obj).AddXY(s.obj.Size().Width/2, s.obj.Size().Height/2)
}

// tap taps what shows text, where it is: an object that is covered or out of sight is not reached.
func (h hand) tap(text string) error {
	s, err := h.find(text)
	if err != nil {
		return err
	}
	test.TapCanvas(h.c, h.reach(s))
	return nil
}

// field finds a field by the words of the block it stands in; the first one when label is empty.
func (h hand) field(label string) (spot, error) {
	var best spot
	want := squeeze(label)
	h.walk(func(s spot) {
		f, ok := s.obj.(fyne.Focusable)
		if !ok || f == nil {
			return
		}
		if !isEntry(s.obj) {
			return
		}
		if want == "" {
			if best.obj == nil {
				best = s
			}
			return
		}
		// The nearest block around it that shows the label, the smaller the better.
		for i := len(s.in) - 1; i >= 0; i-- {
			if t := squeeze(said(s.in[i])); strings.Contains(t, want) {
				if best.obj == nil || len(t) < len(best.text) {
					best = spot{s.obj, s.in, t}
				}
				return
			}
		}
	})
	if best.obj == nil {
		return spot{}, fmt.Errorf("no field says %q; the screen says: %s", label, clip(h.all()))
	}
	return best, nil
}

// show brings the field that says label into view.
func (h hand) show(label string) error {
	s, err := h.field(label)
	if err == nil {
		h.reach(s)
	}
	return err
}

// write focuses the field that says label and types into it, over what stands there.
func (h hand) write(label, text string) error {
	s, err := h.field(label)
	if err != nil {
		return err
	}
	test.TapCanvas(h.c, h.reach(s))
	if h.c.Focused() == nil {
		h.c.Focus(s.obj.(fyne.Focusable))
	}
	f := h.c.Focused()
	if f == nil {
		return fmt.Errorf("the field %q takes no focus", label)
	}
	if e, ok := f.(interface{ TypedShortcut(fyne.Shortcut) }); ok {
		e.TypedShortcut(&fyne.ShortcutSelectAll{})
		f.TypedKey(&fyne.KeyEvent{Name: fyne.KeyBackspace})
	}
	test.Type(f, text)
	return nil
}

// draw draws strokes on the first object that takes a pen.
func (h hand) draw(is func(o fyne.CanvasObject) bool, strokes [][]fyne.Position) error {
	var pad spot
	h.walk(func(s spot) {
		if pad.obj == nil && is(s.obj) {
			pad = s
		}
	})
	if pad.obj == nil {
		return fmt.Errorf("there is nothing to sign on; the screen says: %s", clip(h.all()))
	}
	h.reach(pad)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(pad.obj)
	for _, st := range strokes {
		for i := 1; i < len(st); i++ {
			test.Drag(h.c, at.Add(st[i]), st[i].X-st[i-1].X, st[i].Y-st[i-1].Y)
		}
	}
	return nil
}

// shot saves what the canvas shows.
func (h hand) shot(path string) (image.Image, error) {
	img := h.c.Capture()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return img, png.Encode(f, img)
}

// lines is where a text stands on the canvas, and how it is set.
type lines struct {
	area image.Rectangle
	size float32
	bold bool
}

// lines finds the first place where text is written in one size, on one line or several under each other, and brings it into
// view.
func (h hand) lines(text string) (lines, error) {
	type piece struct {
		spot
		t *canvas.Text
	}
	var all []piece
	var visit func(o fyne.CanvasObject, in []fyne.CanvasObject)
	visit = func(o fyne.CanvasObject, in []fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		if t, ok := o.(*canvas.Text); ok && t.Text != "" {
			all = append(all, piece{spot{obj: o, in: in}, t})
		}
		in = append(slices.Clip(in), o)
		for _, k := range kids(o) {
			visit(k, in)
		}
	}
	visit(h.c.Content(), nil)
	want := squeeze(text)
	for i, p := range all {
		written, last := "", i
		for ; last < len(all) && all[last].t.TextSize == p.t.TextSize && !strings.Contains(written, want) && len(written) < 4*len(want); last++ {
			written += squeeze(all[last].t.Text)
		}
		if !strings.Contains(written, want) || !strings.ContainsAny(squeeze(p.t.Text), string([]rune(want)[:1])) {
			continue
		}
		h.reach(p.spot)
		out := lines{size: p.t.TextSize, bold: p.t.TextStyle.Bold}
		for _, q := range all[i:last] {
			at := fyne.CurrentApp().Driver().AbsolutePositionForObject(q.obj)
			size := q.obj.MinSize()
			out.area = out.area.Union(image.Rect(int(at.X)-4, int(at.Y)-4, int(at.X+size.Width)+4, int(at.Y+size.Height)+4))
		}
		return out, nil
	}
	return lines{}, fmt.Errorf("%q is written nowhere; the screen says: %s", text, clip(h.all()))
}
