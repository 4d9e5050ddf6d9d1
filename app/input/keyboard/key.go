package keyboard

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"bianmin/app/look"
)

// How long a key is held until it repeats, and how often it does then.
const (
	repeatAfter = 450 * time.Millisecond
	repeatEach  = 70 * time.Millisecond
)

// tone is how a key looks.
type tone int

const (
	plainKey tone = iota // types what it shows
	otherKey             // does something
	mainKey              // Enter
	wordKey              // a candidate: no edge
)

// face is what a key shows and does.
type face struct {
	id     string // for tests and drivers: what it types, or what it does
	label  string
	small  string // above the label, smaller
	icon   string // instead of the label
	tone   tone
	repeat bool
	off    bool
	on     bool // held down: Shift
	act    func()
}

// key is one key of the keyboard. It takes no focus, and sees to it that the field keeps it.
type key struct {
	look.Touch
	board  *Board
	face   face
	ground *canvas.Rectangle
	label  *canvas.Text
	small  *canvas.Text
	image  *canvas.Image
	stop   func() // of the next repetition; nil: none
	did    bool   // it has repeated: the tap at the end counts no more
}

var _ fyne.Tappable = (*key)(nil)

func newKey(b *Board, f face) *key {
	k := &key{board: b, ground: canvas.NewRectangle(nil), label: canvas.NewText("", nil), small: canvas.NewText("", nil)}
	k.image = &canvas.Image{FillMode: canvas.ImageFillContain}
	k.label.Alignment, k.small.Alignment = fyne.TextAlignCenter, fyne.TextAlignCenter
	k.Extend(k, k.draw)
	k.set(f)
	return k
}

// ID names the key: what it types, or what it does.
func (k *key) ID() string { return k.face.id }

// Label is what the key shows.
func (k *key) Label() string { return k.face.label }

func (k *key) set(f face) {
	look.PrepareText(f.label) // names of the roster are among the candidates
	k.face = f
	k.draw()
}

// MouseDown is called by Fyne.
func (k *key) MouseDown(e *desktop.MouseEvent) {
	k.board.press()
	k.Touch.MouseDown(e)
	k.did = false
	if k.face.repeat && !k.face.off {
		k.again(repeatAfter)
	}
}

// again does what the key does after d, and goes on until the finger is lifted.
func (k *key) again(d time.Duration) {
	k.stop = k.board.o.After(d, func() {
		if k.stop == nil || !k.Pressed() {
			return
		}
		k.did = true
		k.face.act()
		k.again(repeatEach)
	})
}

func (k *key) calm() {
	if k.stop != nil {
		k.stop()
		k.stop = nil
	}
}

// MouseUp is called by Fyne.
func (k *key) MouseUp(e *desktop.MouseEvent) {
	k.calm()
	k.Touch.MouseUp(e)
	k.board.press()
	k.board.o.Post(k.board.release)
}

// MouseOut is called by Fyne.
func (k *key) MouseOut() {
	k.calm()
	k.Touch.MouseOut()
}

// Tapped is called by Fyne.
func (k *key) Tapped(*fyne.PointEvent) {
	k.calm()
	look.ReleaseHeld()
	look.Activity()
	did := k.did
	k.did = false
	k.board.release()
	if !did && !k.face.off && k.face.act != nil {
		k.face.act()
	}
}

// Cursor is called by Fyne.
func (k *key) Cursor() desktop.Cursor { return desktop.DefaultCursor }

func (k *key) colors() (ground, edge, ink look.Role) {
	switch {
	case k.face.off:
		return look.RoleDisabledFill, look.RoleClear, look.RoleDisabled
	case k.face.tone == mainKey && k.Pressed():
		return look.RolePrimaryPressed, look.RoleClear, look.RoleOnPrimary
	case k.face.tone == mainKey:
		return look.RolePrimary, look.RoleClear, look.RoleOnPrimary
	case k.Pressed() || k.face.on:
		return look.RolePrimarySoft, look.RolePrimary, look.RolePrimary
	case k.face.tone == wordKey:
		return look.RoleSurface, look.RoleClear, look.RoleText
	case k.face.tone == otherKey:
		return look.RoleSunken, look.RoleInputBorder, look.RolePrimary
	}
	return look.RoleSurface, look.RoleInputBorder, look.RoleText
}

// labelSize is how large a key's word is: single characters are larger than words.
func (k *key) labelSize() float32 {
	m := look.Measures()
	if k.face.tone == wordKey || len([]rune(k.face.label)) == 1 {
		return m.Title * 1.15
	}
	return m.Body
}

func (k *key) draw() {
	m := look.Measures()
	ground, edge, ink := k.colors()
	k.ground.FillColor, k.ground.CornerRadius, k.ground.StrokeWidth = look.Color(ground), m.Radius, 0
	if edge != look.RoleClear {
		k.ground.StrokeColor, k.ground.StrokeWidth = look.Color(edge), m.Border
	}
	k.label.Text, k.label.Color, k.label.TextSize = k.face.label, look.Color(ink), k.labelSize()
	k.small.Text, k.small.Color, k.small.TextSize = k.face.small, look.Color(ink), m.Label*0.85
	k.label.Hidden, k.image.Hidden, k.small.Hidden = k.face.icon != "", k.face.icon == "", k.face.small == ""
	if k.face.icon != "" {
		look.Draw(k.image, k.face.icon, ink)
	}
	k.place(k.Size())
	k.ground.Refresh()
	k.label.Refresh()
	k.small.Refresh()
	canvas.Refresh(k.image)
}

func (k *key) place(size fyne.Size) {
	m := look.Measures()
	k.ground.Resize(size)
	for room := size.Width - 4; k.label.MinSize().Width > room && k.label.TextSize > m.Label*0.8 && room > 0; {
		k.label.TextSize-- // a long word on a narrow key
	}
	h, top := k.label.MinSize().Height, float32(0)
	if k.face.small != "" {
		s := k.small.MinSize().Height
		top = min(s, max(0, size.Height-h))
		k.small.Move(fyne.NewPos(0, (size.Height-h-s)/2+m.Border))
		k.small.Resize(fyne.NewSize(size.Width, s))
	}
	k.label.Move(fyne.NewPos(0, (size.Height-h+top)/2))
	k.label.Resize(fyne.NewSize(size.Width, h))
	side := m.Icon * 1.1
	k.image.Resize(fyne.NewSize(side, side))
	k.image.Move(fyne.NewPos((size.Width-side)/2, (size.Height-side+top)/2))
}

// CreateRenderer is called by Fyne.
func (k *key) CreateRenderer() fyne.WidgetRenderer {
	return &keyRenderer{k, []fyne.CanvasObject{k.ground, k.small, k.label, k.image}}
}

type keyRenderer struct {
	k   *key
	all []fyne.CanvasObject
}

func (r *keyRenderer) Destroy()                     {}
func (r *keyRenderer) Layout(size fyne.Size)        { r.k.draw() }
func (r *keyRenderer) Refresh()                     { r.k.draw() }
func (r *keyRenderer) Objects() []fyne.CanvasObject { return r.all }
func (r *keyRenderer) MinSize() fyne.Size {
	t := look.Measures().Touch
	return fyne.NewSize(t, t)
}
