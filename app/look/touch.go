package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// Touch is the ground of everything that is tapped: it knows hover, press, focus and disabled, and calls OnTap for
// a tap, Enter and Space. Embed it, call Extend in the constructor, and draw in the function given there.
type Touch struct {
	widget.BaseWidget
	// OnTap is called on the UI goroutine; nil does nothing.
	OnTap func()
	// OnLeave is called when the keyboard leaves it; nil does nothing.
	OnLeave func()

	self     fyne.Widget
	outer    fyne.CanvasObject // what stands on the page in place of self; nil: self does
	paint    func()
	hovered  bool
	pressed  bool
	focused  bool
	disabled bool
	deaf     bool // the finger that is down on it stopped a moving page and means no tap
}

var (
	_ fyne.Tappable      = (*Touch)(nil)
	_ fyne.Disableable   = (*Touch)(nil)
	_ desktop.Hoverable  = (*Touch)(nil)
	_ desktop.Mouseable  = (*Touch)(nil)
	_ desktop.Cursorable = (*Touch)(nil)
)

// held is what the pointer is down on. A finger rarely keeps still: when a scroll area has taken the movement for a
// drag of a few pixels, it taps this itself (see TapHeld), because Fyne no longer does.
var held *Touch

// press is asked first when a finger comes down on something.
var press func() bool

// SetOnPress sets who is asked when a finger comes down on something that is tapped; fn reports whether the finger has
// done its work with that, as when it stops a page that runs. nil: nobody.
func SetOnPress(fn func() bool) { press = fn }

// Held reports whether the pointer is down on something that is tapped.
func Held() bool { return held != nil && held.pressed }

// TapHeld taps what the pointer went down on and forgets it. Scroll areas call it at the end of a drag too short to be
// meant. It reports whether there was something.
func TapHeld() bool {
	t := held
	ReleaseHeld()
	if t == nil || t.disabled {
		return false
	}
	t.Tapped(nil)
	return true
}

// ReleaseHeld forgets what the pointer is down on. Scroll areas call it when a movement turns out to be a scroll.
func ReleaseHeld() {
	if held != nil {
		held.pressed = false
		held.changed()
	}
	held = nil
}

// Extend makes w, which embeds t, react; paint is called on every change of state and may be nil.
func (t *Touch) Extend(w fyne.Widget, paint func()) {
	t.self, t.paint = w, paint
	t.ExtendBaseWidget(w)
}

// Within says that outer, which embeds a pointer to t's widget, stands on the page in its place.
func (t *Touch) Within(outer fyne.CanvasObject) { t.outer = outer }

func (t *Touch) changed() {
	if t.paint != nil {
		t.paint()
	}
}

// Hovered reports whether the pointer is over it.
func (t *Touch) Hovered() bool { return t.hovered && !t.disabled }

// Pressed reports whether the pointer is down on it.
func (t *Touch) Pressed() bool { return t.pressed && !t.disabled }

// HasFocus reports whether it has the keyboard.
func (t *Touch) HasFocus() bool { return t.focused }

// Tapped is called by Fyne; OnTap follows unless it is disabled.
func (t *Touch) Tapped(e *fyne.PointEvent) {
	if held == t {
		held = nil
	}
	if t.deaf && e != nil { // a key is no finger
		t.deaf = false
		return
	}
	if !t.disabled && t.OnTap != nil {
		t.OnTap()
	}
}

// MouseDown is called by Fyne.
func (t *Touch) MouseDown(*desktop.MouseEvent) {
	if t.disabled {
		return
	}
	Activity()
	if t.deaf = press != nil && press(); t.deaf {
		return
	}
	held = t
	t.pressed = true
	t.changed()
}

// MouseUp is called by Fyne.
func (t *Touch) MouseUp(*desktop.MouseEvent) {
	if t.pressed {
		t.pressed = false
		t.changed()
	}
}

// MouseIn is called by Fyne.
func (t *Touch) MouseIn(*desktop.MouseEvent) {
	Activity()
	t.hovered = true
	t.changed()
}

// MouseMoved is called by Fyne.
func (t *Touch) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is called by Fyne.
func (t *Touch) MouseOut() {
	t.hovered, t.pressed = false, false
	t.changed()
}

// Cursor is called by Fyne.
func (t *Touch) Cursor() desktop.Cursor {
	if t.disabled {
		return desktop.DefaultCursor
	}
	return desktop.PointerCursor
}

// Enable makes it react again.
func (t *Touch) Enable() {
	if t.disabled {
		t.disabled = false
		t.changed()
	}
}

// Disable makes it ignore taps and keys and look so.
func (t *Touch) Disable() {
	if !t.disabled {
		t.disabled, t.pressed = true, false
		t.changed()
	}
}

// Disabled reports whether it ignores taps and keys.
func (t *Touch) Disabled() bool { return t.disabled }

// FocusGained is called by Fyne through KeyTouch.
func (t *Touch) focusGained() {
	Activity()
	t.focused = true
	t.changed()
	switch {
	case t.outer != nil:
		Focused(t.outer)
	case t.self != nil:
		Focused(t.self)
	}
}

func (t *Touch) focusLost() {
	t.focused = false
	t.changed()
	if t.OnLeave != nil {
		t.OnLeave()
	}
}

func (t *Touch) typedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		t.Tapped(nil)
	default:
		PassKey(e)
	}
}

// KeyTouch is Touch that can have the keyboard: Tab reaches it, Enter and Space tap it.
type KeyTouch struct{ Touch }

var _ fyne.Focusable = (*KeyTouch)(nil)

// FocusGained is called by Fyne.
func (t *KeyTouch) FocusGained() { t.focusGained() }

// FocusLost is called by Fyne.
func (t *KeyTouch) FocusLost() { t.focusLost() }

// TypedRune is called by Fyne.
func (t *KeyTouch) TypedRune(r rune) { TakeRune(t, r) }

// TypedKey is called by Fyne.
func (t *KeyTouch) TypedKey(e *fyne.KeyEvent) {
	if !TakeKey(e.Name) {
		t.typedKey(e)
	}
}

// ring is the focus ring: a line just outside the part it belongs to.
func newRing() *canvas.Rectangle {
	r := canvas.NewRectangle(Color(RoleClear))
	r.Hide()
	return r
}

func layoutRing(r *canvas.Rectangle, size fyne.Size) {
	m := Measures()
	out := m.Focus + 1
	r.Move(fyne.NewPos(-out, -out))
	r.Resize(size.Add(fyne.NewSize(2*out, 2*out)))
	r.StrokeWidth = m.Focus
	r.StrokeColor = Color(RoleFocus)
	if m.Radius > 0 {
		r.CornerRadius = m.Radius + out
	} else {
		r.CornerRadius = 0
	}
}

// Pressable is a surface with any content that is tapped as a whole: tiles, rows of lists, cards to choose from.
type Pressable struct {
	KeyTouch
	content  fyne.CanvasObject
	fill     Role
	stroke   Role
	selected bool
	flat     bool
	body     *Surface
	ring     *canvas.Rectangle
}

// NewPressable returns a card of content that calls onTap.
func NewPressable(content fyne.CanvasObject, onTap func()) *Pressable {
	p := &Pressable{content: content, fill: RoleSurface, stroke: RoleBorder}
	p.OnTap = onTap
	p.body, p.ring = NewSurface(p.fill, p.stroke), newRing()
	p.Extend(p, p.draw)
	return p
}

// NewRow returns a row of a list: like NewPressable, without an edge of its own.
func NewRow(content fyne.CanvasObject, onTap func()) *Pressable {
	p := NewPressable(content, onTap)
	p.flat, p.stroke = true, RoleClear
	p.body.SetRoles(p.fill, p.stroke)
	return p
}

// AsInput gives it the edge of something to fill in, as entries have.
func (p *Pressable) AsInput() *Pressable {
	p.stroke = RoleInputBorder
	p.body.SetRoles(p.fill, p.stroke)
	return p
}

// SetSelected shows it as the chosen one: tinted ground and a thick edge. The content should say so too.
func (p *Pressable) SetSelected(selected bool) {
	if p.selected != selected {
		p.selected = selected
		p.draw()
	}
}

// Selected reports whether it is shown as chosen.
func (p *Pressable) Selected() bool { return p.selected }

// HeightFor returns the height of the content at width.
func (p *Pressable) HeightFor(width float32) float32 {
	return max(Measures().Touch, HeightFor(p.content, width))
}

func (p *Pressable) parts() fyne.CanvasObject { return p.content }

func (p *Pressable) draw() {
	fill, stroke, thick := p.fill, p.stroke, float32(0)
	switch {
	case p.Disabled():
		fill = RoleDisabledFill
	case p.Pressed(), p.selected:
		fill = RolePrimarySoft
	case p.Hovered():
		fill = RoleHover
	}
	if p.selected {
		stroke, thick = RolePrimary, Measures().Border+1
	} else if p.Hovered() && !p.flat {
		stroke = RolePrimary
	}
	p.body.thick = thick
	p.body.fill, p.body.stroke = fill, stroke
	p.body.Refresh()
	p.ring.Hidden = !p.HasFocus()
	layoutRing(p.ring, p.Size())
	p.ring.Refresh()
}

// CreateRenderer is called by Fyne.
func (p *Pressable) CreateRenderer() fyne.WidgetRenderer { return &pressableRenderer{p} }

type pressableRenderer struct{ p *Pressable }

func (r *pressableRenderer) Destroy() {}

func (r *pressableRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.p.body, r.p.content, r.p.ring}
}

func (r *pressableRenderer) MinSize() fyne.Size {
	t := Measures().Touch
	return r.p.content.MinSize().Max(fyne.NewSize(t, t))
}

func (r *pressableRenderer) Layout(size fyne.Size) {
	r.p.body.Resize(size)
	r.p.content.Resize(size)
	layoutRing(r.p.ring, size)
}

func (r *pressableRenderer) Refresh() {
	r.p.content.Refresh()
	r.p.draw()
}
