package input

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"bianmin/app/look"
)

// PINPad takes a PIN by large digits on the screen or by the keyboard, and shows a dot for each digit.
type PINPad struct {
	widget.BaseWidget
	// OnDone is called with the PIN on Enter, and by itself at the last digit when all PINs are equally long. The pad
	// forgets the PIN before.
	OnDone func(pin string)

	least, most int
	digits      []byte
	disabled    bool
	focused     bool

	dots  *pinDots
	hint  *look.Text
	keys  []*look.Button
	enter *look.Button
	body  *fyne.Container
}

var (
	_ fyne.Focusable   = (*PINPad)(nil)
	_ fyne.Disableable = (*PINPad)(nil)
)

// NewPINPad returns a pad for PINs of least to most digits.
func NewPINPad(least, most int) *PINPad {
	p := &PINPad{least: least, most: most, hint: look.NewText("", look.StyleBody, look.RoleSecondary).Align(fyne.TextAlignCenter)}
	p.dots = newPINDots(p)
	key := func(word, icon string, kind look.Kind, fn func()) *look.Button {
		b := look.NewPadKey(kind, word, icon, fn)
		p.keys = append(p.keys, b)
		return b
	}
	var grid []fyne.CanvasObject
	for _, word := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		grid = append(grid, key(word, "", look.Secondary, func() { p.type1(word[0]) }))
	}
	grid = append(grid, key("", "backspace", look.Secondary, p.back), key("0", "", look.Secondary, func() { p.type1('0') }))
	p.enter = key("", "", look.Primary, p.done)
	grid = append(grid, p.enter)
	p.body = look.VStack(look.Gap2, p.hint, p.dots, look.Arrange(keysLayout{}, grid...))
	p.words()
	p.ExtendBaseWidget(p)
	return p
}

func (p *PINPad) words() {
	p.enter.SetText(look.Word("input.pin.enter"))
	p.hint.SetText(look.Word("input.pin.hint", "count", p.lengths()))
	enable(p.enter, len(p.digits) >= p.least && !p.disabled)
}

func (p *PINPad) lengths() string {
	if p.least == p.most {
		return number(p.most)
	}
	return number(p.least) + "–" + number(p.most)
}

func (p *PINPad) type1(d byte) {
	if p.disabled || len(p.digits) >= p.most {
		return
	}
	p.digits = append(p.digits, d)
	p.changed()
	if p.least == p.most && len(p.digits) == p.most {
		p.done()
	}
}

func (p *PINPad) back() {
	if n := len(p.digits); n > 0 && !p.disabled {
		p.digits[n-1] = 0
		p.digits = p.digits[:n-1]
		p.changed()
	}
}

func (p *PINPad) done() {
	if p.disabled || len(p.digits) < p.least {
		return
	}
	pin := string(p.digits)
	p.Clear()
	if p.OnDone != nil {
		p.OnDone(pin)
	}
}

// Clear forgets the digits.
func (p *PINPad) Clear() {
	clear(p.digits[:cap(p.digits)])
	p.digits = p.digits[:0]
	p.changed()
}

// Digits returns how many digits are in.
func (p *PINPad) Digits() int { return len(p.digits) }

func (p *PINPad) changed() {
	enable(p.enter, len(p.digits) >= p.least && !p.disabled)
	p.dots.Refresh()
}

// Enable lets it take digits again.
func (p *PINPad) Enable() { p.setDisabled(false) }

// Disable makes it take nothing, while an operator is locked.
func (p *PINPad) Disable() { p.setDisabled(true) }

// Disabled reports whether it takes nothing.
func (p *PINPad) Disabled() bool { return p.disabled }

func (p *PINPad) setDisabled(off bool) {
	p.disabled = off
	if off {
		p.Clear()
	}
	for _, k := range p.keys {
		enable(k, !off)
	}
	p.changed()
}

// TypedRune is called by Fyne.
func (p *PINPad) TypedRune(r rune) {
	look.Activity()
	if !look.TakeRune(p, r) {
		p.Deliver(r)
	}
}

// Deliver implements look.Typist.
func (p *PINPad) Deliver(r rune) {
	if r = half(r); r >= '0' && r <= '9' {
		p.type1(byte(r))
	}
}

// Insert implements look.Typist.
func (p *PINPad) Insert(text string) {
	for _, r := range text {
		p.Deliver(r)
	}
}

// Mark implements look.Typist.
func (p *PINPad) Mark() func() {
	was := len(p.digits)
	return func() {
		for len(p.digits) > was {
			p.back()
		}
	}
}

// TypedKey is called by Fyne.
func (p *PINPad) TypedKey(e *fyne.KeyEvent) {
	if look.TakeKey(e.Name) {
		return
	}
	switch e.Name {
	case fyne.KeyBackspace, fyne.KeyDelete:
		p.back()
	case fyne.KeyReturn, fyne.KeyEnter:
		p.done()
	default:
		look.PassKey(e)
	}
}

// FocusGained is called by Fyne.
func (p *PINPad) FocusGained() {
	p.focused = true
	p.dots.Refresh()
}

// FocusLost is called by Fyne.
func (p *PINPad) FocusLost() {
	p.focused = false
	p.dots.Refresh()
}

// Tapped is called by Fyne: a tap beside the keys gives it the keyboard.
func (p *PINPad) Tapped(*fyne.PointEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(p); c != nil {
		c.Focus(p)
	}
}

// HeightFor returns the height of the pad at width.
func (p *PINPad) HeightFor(width float32) float32 { return look.HeightFor(p.body, width) }

// Inside returns the keys and what stands around them.
func (p *PINPad) Inside() []fyne.CanvasObject { return []fyne.CanvasObject{p.body} }

// CreateRenderer is called by Fyne.
func (p *PINPad) CreateRenderer() fyne.WidgetRenderer { return &pinRenderer{p} }

type pinRenderer struct{ p *PINPad }

func (r *pinRenderer) Destroy()                     {}
func (r *pinRenderer) MinSize() fyne.Size           { return r.p.body.MinSize() }
func (r *pinRenderer) Layout(size fyne.Size)        { r.p.body.Resize(size) }
func (r *pinRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.p.body} }

func (r *pinRenderer) Refresh() {
	r.p.words()
	r.p.body.Refresh()
}

// keysLayout puts twelve keys in three columns, each key at least a finger and a half wide, the block centred.
type keysLayout struct{}

func keySize() (w, h, gap float32) {
	m := look.Measures()
	return m.Touch * 2, m.Touch * 1.3, m.Grid
}

func (keysLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	w, h, gap := keySize()
	return fyne.NewSize(3*w+2*gap, 4*h+3*gap)
}

func (keysLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	w, h, gap := keySize()
	left := (size.Width - 3*w - 2*gap) / 2
	for i, key := range o {
		key.Move(fyne.NewPos(left+float32(i%3)*(w+gap), float32(i/3)*(h+gap)))
		key.Resize(fyne.NewSize(w, h))
	}
}

// pinDots shows filled dots for digits typed and rings for those to come.
type pinDots struct {
	widget.BaseWidget
	pad *PINPad
}

func newPINDots(p *PINPad) *pinDots {
	d := &pinDots{pad: p}
	d.ExtendBaseWidget(d)
	return d
}

func (d *pinDots) CreateRenderer() fyne.WidgetRenderer {
	r := &pinDotsRenderer{d: d, edge: canvas.NewRectangle(look.Color(look.RoleClear))}
	for range d.pad.most {
		r.dots = append(r.dots, canvas.NewCircle(nil))
	}
	r.Layout(d.Size())
	r.Refresh()
	return r
}

type pinDotsRenderer struct {
	d    *pinDots
	edge *canvas.Rectangle
	dots []*canvas.Circle
}

func (r *pinDotsRenderer) Destroy() {}

func (r *pinDotsRenderer) Objects() []fyne.CanvasObject {
	all := []fyne.CanvasObject{r.edge}
	for _, d := range r.dots {
		all = append(all, d)
	}
	return all
}

func (r *pinDotsRenderer) size() (dot, gap float32) {
	m := look.Measures()
	return m.Body, m.Grid * 1.5
}

func (r *pinDotsRenderer) MinSize() fyne.Size {
	dot, gap := r.size()
	return fyne.NewSize(float32(len(r.dots))*(dot+gap)+gap, look.Measures().Field)
}

func (r *pinDotsRenderer) Layout(size fyne.Size) {
	dot, gap := r.size()
	if room := size.Width / (float32(len(r.dots))*(dot+gap) + 3*gap); room < 1 { // in a narrow place they come closer, inside the box
		dot, gap = dot*room, gap*room
	}
	total := float32(len(r.dots))*(dot+gap) - gap
	box := min(size.Width, max(total+4*gap, 3*look.Measures().Touch*2))
	r.edge.Move(fyne.NewPos((size.Width-box)/2, 0))
	r.edge.Resize(fyne.NewSize(box, size.Height))
	x := (size.Width - total) / 2
	for _, d := range r.dots {
		d.Move(fyne.NewPos(x, (size.Height-dot)/2))
		d.Resize(fyne.NewSize(dot, dot))
		x += dot + gap
	}
}

func (r *pinDotsRenderer) Refresh() {
	m := look.Measures()
	r.edge.FillColor, r.edge.CornerRadius = look.Color(look.RoleSurface), m.Radius
	r.edge.StrokeColor, r.edge.StrokeWidth = look.Color(look.RoleInputBorder), m.Border
	if r.d.pad.focused {
		r.edge.StrokeColor, r.edge.StrokeWidth = look.Color(look.RolePrimary), m.Border+1
	}
	for i, d := range r.dots {
		d.StrokeWidth, d.StrokeColor, d.FillColor = 1.5, look.Color(look.RoleInputBorder), look.Color(look.RoleClear)
		if i < len(r.d.pad.digits) {
			d.StrokeColor, d.FillColor = look.Color(look.RoleText), look.Color(look.RoleText)
		}
		d.Refresh()
	}
	r.edge.Refresh()
	r.Layout(r.d.Size())
}
