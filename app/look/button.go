package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// Kind is the weight of a button.
type Kind int

// Kinds of buttons.
const (
	Primary   Kind = iota // the one thing to do on this screen
	Secondary             // everything else
	Danger                // something is lost; asks before it acts
	Quiet                 // text only, in rows and bars
)

// Button is a word, with an icon if you like, that acts when it is tapped. It is at least as tall as a finger needs.
type Button struct {
	KeyTouch
	kind Kind
	text string
	icon string
	key  bool // a key of a pad: larger word

	ground *canvas.Rectangle
	ring   *canvas.Rectangle
	label  *canvas.Text
	image  *canvas.Image
}

// NewButton returns a button of the given kind; icon names a drawing of assets/icons, "" for none.
func NewButton(kind Kind, text, icon string, onTap func()) *Button {
	b := &Button{kind: kind, text: text, icon: icon}
	b.OnTap = onTap
	b.ground, b.ring = canvas.NewRectangle(Color(RoleClear)), newRing()
	b.label, b.image = canvas.NewText(text, Color(RoleText)), &canvas.Image{FillMode: canvas.ImageFillContain}
	b.Extend(b, b.draw)
	b.style()
	return b
}

// PrimaryButton returns the one button of a screen that goes on.
func PrimaryButton(text string, onTap func()) *Button { return NewButton(Primary, text, "", onTap) }

// SecondaryButton returns a button for everything else.
func SecondaryButton(text string, onTap func()) *Button { return NewButton(Secondary, text, "", onTap) }

// DangerButton returns a button for what cannot be undone; the screen asks before it acts.
func DangerButton(text string, onTap func()) *Button { return NewButton(Danger, text, "", onTap) }

// QuietButton returns a button without ground, for rows and bars.
func QuietButton(text, icon string, onTap func()) *Button { return NewButton(Quiet, text, icon, onTap) }

// NewPadKey returns a key of a pad on the screen, with its word in title size.
func NewPadKey(kind Kind, text, icon string, onTap func()) *Button {
	b := NewButton(kind, text, icon, onTap)
	b.key = true
	b.style()
	return b
}

// Text returns the word on the button.
func (b *Button) Text() string { return b.text }

// SetText changes the word.
func (b *Button) SetText(text string) {
	b.text = text
	b.Refresh()
}

// SetIcon changes the drawing; "" takes it away.
func (b *Button) SetIcon(name string) {
	b.icon = name
	b.Refresh()
}

// SetKind changes the weight.
func (b *Button) SetKind(kind Kind) {
	b.kind = kind
	b.Refresh()
}

func (b *Button) roles() (ground, edge, ink Role) {
	if b.Disabled() {
		if b.kind == Quiet {
			return RoleClear, RoleClear, RoleDisabled
		}
		return RoleDisabledFill, RoleDisabledFill, RoleDisabled
	}
	hover, press := b.Hovered(), b.Pressed()
	switch b.kind {
	case Primary:
		switch {
		case press:
			return RolePrimaryPressed, RoleClear, RoleOnPrimary
		case hover:
			return RolePrimaryHover, RoleClear, RoleOnPrimary
		}
		return RolePrimary, RoleClear, RoleOnPrimary
	case Danger:
		if press || hover {
			return RoleDangerSoft, RoleDanger, RoleDanger
		}
		return RoleSurface, RoleDanger, RoleDanger
	case Quiet:
		if press || hover {
			return RolePrimarySoft, RoleClear, RolePrimary
		}
		return RoleClear, RoleClear, RolePrimary
	default:
		switch {
		case press:
			return RolePrimarySoft, RolePrimary, RolePrimary
		case hover:
			return RoleHover, RolePrimary, RolePrimary
		}
		return RoleSurface, RoleInputBorder, RolePrimary
	}
}

func (b *Button) style() {
	PrepareText(b.text)
	m := Measures()
	ground, edge, ink := b.roles()
	b.ground.FillColor, b.ground.CornerRadius, b.ground.StrokeWidth = Color(ground), m.Radius, 0
	if edge != RoleClear {
		b.ground.StrokeColor, b.ground.StrokeWidth = Color(edge), m.Border
	}
	b.label.Text, b.label.Color, b.label.TextSize = b.text, Color(ink), m.Body
	b.label.TextStyle = fyne.TextStyle{Bold: b.kind == Primary || b.kind == Danger}
	if b.key {
		b.label.TextSize = m.Title
	}
	b.image.Hidden = b.icon == ""
	if b.icon != "" {
		Draw(b.image, b.icon, ink)
	}
	b.ring.Hidden = !b.HasFocus()
}

func (b *Button) place(size fyne.Size) {
	m := Measures()
	b.ground.Resize(size)
	layoutRing(b.ring, size)
	label := b.label.MinSize()
	content := label.Width
	if b.icon != "" {
		content += m.Icon
		if b.text != "" {
			content += m.Grid
		}
	}
	x := (size.Width - content) / 2
	word, picture := x, x
	switch {
	case b.icon == "":
	case b.icon == "next" || b.icon == "right" || b.icon == "down": // arrows onward stand behind the word
		if b.text != "" {
			picture = x + label.Width + m.Grid
		}
	default:
		word = x + m.Icon + m.Grid
	}
	b.image.Resize(fyne.NewSize(m.Icon, m.Icon))
	b.image.Move(fyne.NewPos(picture, (size.Height-m.Icon)/2))
	b.label.Move(fyne.NewPos(word, (size.Height-label.Height)/2))
	b.label.Resize(label)
}

func (b *Button) draw() {
	b.style()
	b.place(b.Size())
	b.ground.Refresh()
	b.label.Refresh()
	canvas.Refresh(b.image)
	b.ring.Refresh()
}

// CreateRenderer is called by Fyne.
func (b *Button) CreateRenderer() fyne.WidgetRenderer { return &buttonRenderer{b} }

type buttonRenderer struct{ b *Button }

func (r *buttonRenderer) Destroy()              {}
func (r *buttonRenderer) Layout(size fyne.Size) { r.b.place(size) }
func (r *buttonRenderer) Refresh()              { r.b.draw() }

func (r *buttonRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.b.ground, r.b.image, r.b.label, r.b.ring}
}

func (r *buttonRenderer) MinSize() fyne.Size {
	r.b.style()
	m := Measures()
	width := r.b.label.MinSize().Width
	if r.b.icon != "" {
		width += m.Icon
		if r.b.text != "" {
			width += m.Grid
		}
	}
	side := m.Grid * 3
	if r.b.kind == Quiet {
		side = m.Grid * 1.5
	}
	return fyne.NewSize(max(m.Touch, width+2*side), m.Touch)
}

// ActionBar is the bar at the foot of a page: the first objects stand at the left, the last, the primary button, at
// the right. It stays in view while the page above it scrolls.
func ActionBar(left []fyne.CanvasObject, right ...fyne.CanvasObject) fyne.CanvasObject {
	row := append(append([]fyne.CanvasObject{}, left...), Spring())
	row = append(row, right...)
	return Layer(NewSurface(RoleSurface, RoleClear).Square(), VStack(Gap0, Line(),
		Arrange(&columnLayout{widest: ColumnWidth}, Pad(Gap3, Gap1, Pad(Gap0, GapH, HStack(Gap2, row...))))))
}

// Tile is a large button of the home page: an icon, a word, and a line that says more.
type Tile struct {
	*Pressable
	word, note *Text
}

// NewTile returns a tile. note may be empty.
func NewTile(icon, word, note string, onTap func()) *Tile {
	t := &Tile{word: Title(word).Align(fyne.TextAlignCenter), note: Label(note).Align(fyne.TextAlignCenter)}
	t.note.Hidden = note == ""
	drawing := NewIconSized(icon, RolePrimary, func(m Tokens) float32 { return m.TileIcon })
	t.Pressable = NewPressable(AtLeast(func(m Tokens) fyne.Size { return fyne.NewSize(0, m.Touch*2.6) },
		Pad(Gap2, Gap2, VStack(Gap1, Spring(), Centered(drawing), VStack(GapH, t.word, t.note), Spring()))), onTap)
	t.Within(t)
	return t
}

// Set changes the words of the tile.
func (t *Tile) Set(word, note string) {
	t.note.Hidden = note == ""
	t.word.SetText(word)
	t.note.SetText(note)
	t.Refresh()
}

// Tiles puts tiles side by side, as many as fit.
func Tiles(tiles ...fyne.CanvasObject) *fyne.Container {
	return Grid(Gap2, func(m Tokens) float32 { return m.TileIcon * 4.4 }, tiles...)
}
