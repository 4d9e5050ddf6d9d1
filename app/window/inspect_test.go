package window

import (
	"fmt"
	"image/color"
	"math"
	"reflect"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"bianmin/app/input/keyboard"
	"bianmin/app/look"
)

// box is a rectangle of the window, in Fyne's pixels.
type box struct{ x, y, r, b float32 }

func boxOf(at fyne.Position, size fyne.Size) box {
	return box{at.X, at.Y, at.X + size.Width, at.Y + size.Height}
}

// near is how far a part may stand out of its place: rounding, not a fault.
const near = 1.5

func (a box) within(b box) bool {
	return a.x >= b.x-near && a.y >= b.y-near && a.r <= b.r+near && a.b <= b.b+near
}

func (a box) covers(b box) bool {
	return a.x < b.r-near && b.x < a.r-near && a.y < b.b-near && b.y < a.b-near
}

func (a box) String() string { return fmt.Sprintf("%.0f,%.0f–%.0f,%.0f", a.x, a.y, a.r, a.b) }

// label is a line of text as it is painted.
type label struct {
	text   string
	at     box
	scroll any // what it scrolls in; nil: the window itself
}

// target is something that is tapped.
type target struct {
	at    box
	name  string
	trail []fyne.CanvasObject // what it lies in
	self  fyne.CanvasObject
}

// pair is a colour of text, or of a drawing, with the ground that it was painted on.
type pair struct {
	text, ground color.NRGBA
	drawn        bool
}

// findings are what a look at all painted parts of a window brings up.
type findings struct {
	labels  []label
	targets []target
	pairs   map[pair]string // an example of each
	cut     []string        // texts that end in an ellipsis for want of room
	faults  []string
}

type ground struct {
	at   box
	fill color.NRGBA
}

// inspector walks what is painted, in the order in which it is.
type inspector struct {
	*findings
	grounds []ground
}

// inspect looks at everything the window shows: that no text is wider or higher than its place or stands out of what it
// lies in, that no two texts and no two targets cover each other, that targets are as large as the look asks.
func inspect(w fyne.Window) *findings {
	f := &findings{pairs: map[pair]string{}}
	in := &inspector{findings: f}
	whole := boxOf(fyne.Position{}, w.Canvas().Size())
	in.grounds = append(in.grounds, ground{whole, look.Color(look.RoleBackground)})
	roots := w.Canvas().Overlays().List()
	if len(roots) == 0 {
		roots = []fyne.CanvasObject{w.Content()}
	}
	for _, o := range roots {
		in.visit(o, o.Position(), whole, nil, nil)
	}
	for i, a := range f.labels {
		for _, b := range f.labels[i+1:] {
			if a.scroll == b.scroll && a.at.covers(b.at) {
				f.faults = append(f.faults, fmt.Sprintf("%q (%v) and %q (%v) cover each other", a.text, a.at, b.text, b.at))
			}
		}
	}
	least := look.Measures().Touch - 0.5
	for i, a := range f.targets {
		if a.at.r-a.at.x < least || a.at.b-a.at.y < least {
			f.faults = append(f.faults, fmt.Sprintf("target %s is %.0f × %.0f", a.name, a.at.r-a.at.x, a.at.b-a.at.y))
		}
		for _, b := range f.targets[i+1:] {
			if a.at.covers(b.at) && !contains(a.trail, b.self) && !contains(b.trail, a.self) && sameScroll(a, b) {
				f.faults = append(f.faults, fmt.Sprintf("targets %s (%v) and %s (%v) cover each other", a.name, a.at, b.name, b.at))
			}
		}
	}
	return f
}

func contains(all []fyne.CanvasObject, o fyne.CanvasObject) bool {
	for _, c := range all {
		if c == o {
			return true
		}
	}
	return false
}

func sameScroll(a, b target) bool {
	last := func(t target) fyne.CanvasObject {
		for i := len(t.trail) - 1; i >= 0; i-- {
			if _, ok := t.trail[i].(*container.Scroll); ok {
				return t.trail[i]
			}
		}
		return nil
	}
	return last(a) == last(b)
}

// visit takes o at a place of the window; room is what may be painted on, trail what o lies in.
func (in *inspector) visit(o fyne.CanvasObject, at fyne.Position, room box, scroll any, trail []fyne.CanvasObject) {
	if o == nil || !o.Visible() {
		return
	}
	here := boxOf(at, o.Size())
	switch o := o.(type) {
	case *canvas.Rectangle:
		if c := nrgba(o.FillColor); c.A == 0xFF {
			in.grounds = append(in.grounds, ground{here, c})
		}
		return
	case *canvas.Text:
		in.text(o, here, room, scroll, trail)
		return
	case *fyne.Container:
		trail = append(trail[:len(trail):len(trail)], o)
		for _, c := range o.Objects {
			in.visit(c, at.Add(c.Position()), room, scroll, trail)
		}
		return
	case *container.Scroll:
		trail = append(trail[:len(trail):len(trail)], o)
		c := o.Content
		inside := boxOf(at.Add(c.Position()), c.Size())
		if o.Direction == container.ScrollVerticalOnly && (inside.x < here.x-near || inside.r > here.r+near) {
			in.faults = append(in.faults, fmt.Sprintf("what scrolls (%v) is wider than its place (%v)", inside, here))
		}
		in.visit(c, at.Add(c.Position()), inside, o, trail)
		return
	}
	w, ok := o.(fyne.Widget)
	if !ok {
		return
	}
	// A row of Fyne's lists is tapped through ours inside it.
	if _, tapped := o.(fyne.Tappable); tapped && trail != nil && fmt.Sprintf("%T", o) != "*widget.listItem" {
		if d, ok := o.(fyne.Disableable); !ok || !d.Disabled() {
			in.targets = append(in.targets, target{here, nameOf(o), trail, o})
		}
		if entryOf(o) == nil && (is[fyne.DoubleTappable](o) || is[fyne.SecondaryTappable](o)) {
			in.faults = append(in.faults, fmt.Sprintf("%s asks for a double click or the right button", nameOf(o)))
		}
		onKeys := len(trail) > 0 && is[*keyboard.Panel](trail[len(trail)-1]) // keys stand in for the keyboard
		if is[desktop.Hoverable](o) && !is[fyne.Focusable](o) && entryOf(o) == nil && !onKeys {
			in.faults = append(in.faults, fmt.Sprintf("%s can be hovered over and tapped, but the keyboard never comes to it", nameOf(o)))
		}
	}
	switch o := o.(type) {
	case *look.Icon:
		if c := look.Color(o.Role()); c.A == 0xFF {
			in.paint(c, true, middleOf(here), "icon "+o.Name())
		}
		return
	case *look.Text:
		if o.Cut() {
			in.cut = append(in.cut, o.Text())
		}
		if h := o.HeightFor(o.Size().Width); h > o.Size().Height+near {
			in.faults = append(in.faults, fmt.Sprintf("%q needs a height of %.0f and has %.0f", o.Text(), h, o.Size().Height))
		}
	default:
		if e := entryOf(o); e != nil {
			hint := fyne.MeasureText(e.PlaceHolder, look.Measures().Body, fyne.TextStyle{}).Width
			if e.Text == "" && !e.MultiLine && hint > o.Size().Width {
				in.faults = append(in.faults, fmt.Sprintf("the hint %q needs %.0f and has %.0f", e.PlaceHolder, hint, o.Size().Width))
			}
			in.grounds = append(in.grounds, ground{here, look.Color(look.RoleSurface)})
			in.pairs[pair{text: look.Color(look.RoleText), ground: look.Color(look.RoleSurface)}] = "what is typed"
			if e.Text == "" {
				in.pairs[pair{text: look.Color(look.RoleSecondary), ground: look.Color(look.RoleSurface)}] = e.PlaceHolder
			}
			return
		}
	}
	trail = append(trail[:len(trail):len(trail)], o)
	for _, c := range test.WidgetRenderer(w).Objects() {
		in.visit(c, at.Add(c.Position()), room, scroll, trail)
	}
}

// text takes one painted line.
func (in *inspector) text(o *canvas.Text, here, room box, scroll any, trail []fyne.CanvasObject) {
	if strings.TrimSpace(o.Text) == "" {
		return
	}
	size := fyne.MeasureText(o.Text, o.TextSize, o.TextStyle)
	at := box{x: here.x, y: (here.y + here.b - o.TextSize) / 2}
	switch o.Alignment {
	case fyne.TextAlignCenter:
		at.x = (here.x + here.r - size.Width) / 2
	case fyne.TextAlignTrailing:
		at.x = here.r - size.Width
	}
	at.r, at.b = at.x+size.Width, at.y+o.TextSize
	in.labels = append(in.labels, label{o.Text, at, scroll})
	if !at.within(room) {
		in.faults = append(in.faults, fmt.Sprintf("%q (%v) stands out of the page (%v)", o.Text, at, room))
	}
	for i := len(trail) - 1; i >= 0; i-- {
		if _, ok := trail[i].(*container.Scroll); ok {
			break
		}
		if _, ok := trail[i].(fyne.Widget); !ok {
			continue
		}
		place := in.placeOf(trail[:i+1])
		if !at.within(place) {
			in.faults = append(in.faults, fmt.Sprintf("%q (%v) stands out of its %s (%v)", o.Text, at, nameOf(trail[i]), place))
			break
		}
	}
	in.paint(nrgba(o.Color), false, middleOf(at), o.Text)
}

func middleOf(a box) box {
	x, y := (a.x+a.r)/2, (a.y+a.b)/2
	return box{x, y, x, y}
}

// paint notes a colour on the ground at a place: the last that was painted there.
func (in *inspector) paint(c color.NRGBA, drawn bool, at box, example string) {
	for i := len(in.grounds) - 1; i >= 0; i-- {
		if at.within(in.grounds[i].at) {
			in.pairs[pair{c, in.grounds[i].fill, drawn}] = example
			return
		}
	}
}

// placeOf adds up where the last of the trail stands.
func (in *inspector) placeOf(trail []fyne.CanvasObject) box {
	var at fyne.Position
	for _, o := range trail {
		at = at.Add(o.Position())
	}
	return boxOf(at, trail[len(trail)-1].Size())
}

func is[T any](o any) bool {
	_, ok := o.(T)
	return ok
}

// entryOf returns the entry that o is; nil when it is none.
func entryOf(o fyne.CanvasObject) *widget.Entry {
	if e, ok := o.(*widget.Entry); ok {
		return e
	}
	v := reflect.ValueOf(o)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct || !v.Elem().FieldByName("Entry").IsValid() {
		return nil
	}
	e, _ := v.Elem().FieldByName("Entry").Addr().Interface().(*widget.Entry)
	return e
}

func nameOf(o fyne.CanvasObject) string {
	words := strings.Trim(wordsOf(o), "|")
	if b, ok := o.(*look.Button); ok {
		words = b.Text()
	}
	return strings.TrimPrefix(fmt.Sprintf("%T %q", o, words), "*")
}

func nrgba(c color.Color) color.NRGBA {
	if c == nil {
		return color.NRGBA{}
	}
	return color.NRGBAModel.Convert(c).(color.NRGBA)
}

// contrast follows WCAG 2.2, relative luminance and contrast ratio.
func contrast(a, b color.NRGBA) float64 {
	luminance := func(c color.NRGBA) float64 {
		linear := func(v uint8) float64 {
			s := float64(v) / 255
			if s <= 0.04045 {
				return s / 12.92
			}
			return math.Pow((s+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}
