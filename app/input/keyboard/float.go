package keyboard

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"bianmin/app/look"
)

// Float is the strip at the field: what is composed, and numbered candidates. It lies over the window, takes no room and no
// focus, and stands below the caret, above it where there is no room below.
type Float struct {
	widget.BaseWidget
	board    *Board
	ground   *canvas.Rectangle
	composed *canvas.Text
	words    []*key
	shown    bool
}

func newFloat(b *Board) *Float {
	f := &Float{board: b, ground: canvas.NewRectangle(nil), composed: canvas.NewText("", nil)}
	f.ExtendBaseWidget(f)
	f.Hidden = true
	return f
}

// Shown reports whether there is anything to see.
func (f *Float) Shown() bool { return f.shown }

// Words returns the candidates shown.
func (f *Float) Words() []string {
	var out []string
	for _, k := range f.words {
		if !k.Hidden {
			out = append(out, k.face.id[len("word-"):])
		}
	}
	return out
}

// Composed returns what is being composed, or the badge of a switch between 中 and 英.
func (f *Float) Composed() string { return f.composed.Text }

// show brings it up to date.
func (f *Float) show() {
	b := f.board
	f.composed.Text = b.composition()
	f.shown = b.target != nil && !b.Up() && (b.Composing() || b.badge)
	if f.shown && !b.Composing() {
		f.composed.Text = look.Word("keyboard.isLatin")
		if b.chinese {
			f.composed.Text = look.Word("keyboard.isChinese")
		}
	}
	n := 0
	if f.shown {
		n = b.page()
	}
	for len(f.words) < n {
		f.words = append(f.words, newKey(b, face{tone: wordKey}))
	}
	for i, k := range f.words {
		k.Hidden = i >= n
		if i < n {
			at := b.first + i
			k.set(face{
				id: "word-" + b.list[at], label: strconv.Itoa(i+1) + " " + b.list[at], tone: wordKey, on: i == b.chosen,
				act: func() { b.pick(at) },
			})
		}
	}
	f.Hidden = !f.shown
	f.Refresh()
}

// Inside returns what is composed and the candidates.
func (f *Float) Inside() []fyne.CanvasObject {
	out := []fyne.CanvasObject{f.composed}
	for _, k := range f.words {
		out = append(out, k)
	}
	return out
}

// CreateRenderer is called by Fyne.
func (f *Float) CreateRenderer() fyne.WidgetRenderer {
	r := &floatRenderer{f: f}
	r.Refresh()
	return r
}

type floatRenderer struct {
	f   *Float
	all []fyne.CanvasObject
}

func (r *floatRenderer) Destroy()                     {}
func (r *floatRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *floatRenderer) Objects() []fyne.CanvasObject { return r.all }

func (r *floatRenderer) Layout(size fyne.Size) {
	f := r.f
	if !f.shown {
		return
	}
	m := look.Measures()
	pad, tall := m.Grid, max(m.Touch, 44)
	size.Width -= 2 * pad
	// The words in rows, as many as needed: long ones do not fit beside each other.
	type spot struct{ x, y, w float32 }
	var spots []spot
	x, y, widest := float32(0), float32(0), f.composed.MinSize().Width
	for _, k := range f.words {
		if k.Hidden {
			continue
		}
		w := min(fyne.MeasureText(k.face.label, m.Title*1.15, fyne.TextStyle{}).Width+2*m.Grid, size.Width-2*pad)
		if x > 0 && x+w > size.Width-2*pad {
			x, y = 0, y+tall
		}
		spots = append(spots, spot{x, y, w})
		x += w
		widest = max(widest, x)
	}
	head := f.composed.MinSize().Height
	box := fyne.NewSize(widest+2*pad, head+2*pad)
	if len(spots) > 0 {
		box.Height += y + tall
	}
	caret, line := f.board.target.Caret()
	origin := fyne.CurrentApp().Driver().AbsolutePositionForObject(f)
	at := caret.Subtract(origin).AddXY(0, line*1.4)
	if at.Y+box.Height > size.Height {
		at.Y = max(0, caret.Y-origin.Y-line*0.4-box.Height)
	}
	at.X = max(pad, min(at.X, pad+size.Width-box.Width))
	f.ground.Move(at)
	f.ground.Resize(box)
	f.composed.Move(at.AddXY(pad, pad))
	f.composed.Resize(f.composed.MinSize())
	i := 0
	for _, k := range f.words {
		if k.Hidden {
			continue
		}
		k.Move(at.AddXY(pad+spots[i].x, pad+head+spots[i].y))
		k.Resize(fyne.NewSize(spots[i].w, tall))
		i++
	}
}

func (r *floatRenderer) Refresh() {
	f := r.f
	m := look.Measures()
	f.ground.FillColor, f.ground.StrokeColor = look.Color(look.RoleSurface), look.Color(look.RolePrimary)
	f.ground.StrokeWidth, f.ground.CornerRadius = m.Border+1, m.Radius
	f.composed.Color, f.composed.TextSize = look.Color(look.RolePrimary), m.Body
	r.all = r.all[:0:0]
	if f.shown {
		r.all = append(r.all, f.ground, f.composed)
		for _, k := range f.words {
			r.all = append(r.all, k)
		}
	}
	r.Layout(f.Size())
	canvas.Refresh(f)
}
