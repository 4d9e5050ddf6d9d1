package keyboard

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"bianmin/app/input"
	"bianmin/app/look"
)

// Panel is the keyboard on the screen: a strip with what is composed and what it may mean, and the keys below.
type Panel struct {
	widget.BaseWidget
	board   *Board
	purpose input.Purpose
	layout  string
	shift   bool
	reading int // first syllable shown beside the nine keys
	all     bool
	from    int   // first candidate while all are shown
	turned  []int // the first ones of the pages before
	seen    int   // how many of them are shown

	ground, line *canvas.Rectangle
	composed     *canvas.Text
	words        []*key // candidates, or the choice of layouts
	tools        []*key // at the right of the strip
	keys         []*key
	grid         grid
	rare         fyne.CanvasObject // in place of the keys; nil: the keys
	rareFor      input.Target
}

func newPanel(b *Board) *Panel {
	p := &Panel{board: b, layout: FullKeys, ground: canvas.NewRectangle(nil), line: canvas.NewRectangle(nil), composed: canvas.NewText("", nil)}
	p.ExtendBaseWidget(p)
	p.arrange()
	p.Hide()
	return p
}

// Layout names the layout of the moment, as in settings, or another for fields that take only some characters.
func (p *Panel) Layout() string { return p.layout }

// suit brings the layout for a field.
func (p *Panel) suit(purpose input.Purpose) {
	p.purpose = purpose
	p.use(p.suited())
}

// use shows a layout.
func (p *Panel) use(layout string) {
	p.layout, p.shift, p.reading, p.all = layout, false, 0, false
	p.arrange()
}

// home goes back from digits and symbols to where one writes.
func (p *Panel) home() { p.use(p.suited()) }

// choose takes a layout that a person wants to write with.
func (p *Panel) choose(layout string) {
	b := p.board
	b.commit()
	b.chinese = layout != latinKeys
	if p.purpose != input.Search {
		b.latin = !b.chinese
	}
	if b.chinese {
		b.settings.Layout = layout
		if b.o.Chosen != nil {
			b.o.Chosen(layout)
		}
	}
	p.use(layout)
	b.show()
}

// struck follows a letter that was typed: Shift was for this one.
func (p *Panel) struck() {
	if p.shift {
		p.shift = false
		p.arrange()
	}
}

// calm lets go of every key.
func (p *Panel) calm() {
	for _, all := range [][]*key{p.words, p.tools, p.keys} {
		for _, k := range all {
			k.calm()
		}
	}
	p.rare, p.rareFor, p.all = nil, nil, false
}

// pool gives each face a key, keeping those that are there.
func (p *Panel) pool(keys []*key, faces []face) []*key {
	for len(keys) < len(faces) {
		keys = append(keys, newKey(p.board, faces[len(keys)]))
	}
	for i, k := range keys {
		k.Hidden = i >= len(faces)
		if i < len(faces) {
			k.set(faces[i])
		}
	}
	return keys
}

func faces(g grid) []face {
	out := make([]face, len(g.cells))
	for i, c := range g.cells {
		out[i] = c.face
	}
	return out
}

// arrange lays the keys of the layout out.
func (p *Panel) arrange() {
	p.grid = p.arranged()
	p.keys = p.pool(p.keys, faces(p.grid))
	p.show()
}

// show brings the strip up to date, and what depends on the composition.
func (p *Panel) show() {
	b := p.board
	if p.layout == NineKeys {
		p.grid = p.nine()
		p.keys = p.pool(p.keys, faces(p.grid))
	}
	if len(b.list) == 0 {
		p.all = false
	}
	p.composed.Text = b.composition()
	p.Refresh()
}

func (p *Panel) word1(i int) face {
	b := p.board
	f := face{id: "word-" + b.list[i], label: b.list[i], tone: wordKey, act: func() {
		p.all = false
		b.pick(i)
	}}
	f.on = i == b.first+b.chosen && !p.all && b.chosen > 0
	return f
}

// fill makes the keys of the strip for a width.
func (p *Panel) fill(width float32) {
	b := p.board
	var words, tools []face
	icon := func(id, icon string, off bool, act func()) face {
		return face{id: id, icon: icon, tone: otherKey, off: off, act: act}
	}
	switch {
	case b.Composing():
		for i := b.first; i < b.first+b.page(); i++ {
			words = append(words, p.word1(i))
		}
		more := b.first+b.page() < len(b.list)
		tools = append(tools, icon("page-up", "left", len(b.before) == 0, func() { b.turn(-1) }),
			icon("page-down", "right", !more, func() { b.turn(1) }),
			icon("all", map[bool]string{false: "down", true: "up"}[p.all], len(b.list) == 0, func() {
				p.all, p.from, p.turned = !p.all, 0, nil
				p.show()
			}))
	default:
		words = p.tabs()
		if b.o.Rare != nil && b.target != nil && p.purpose.Composes() {
			tools = append(tools, p.word("rare", "keyboard.rare", p.openRare))
		}
		f := p.word("close", "keyboard.close", b.Close)
		tools = append(tools, f)
	}
	p.words, p.tools = p.pool(p.words, words), p.pool(p.tools, tools)
}

// openRare shows the panel of rare characters in place of the keys.
func (p *Panel) openRare() {
	b, t := p.board, p.board.target
	p.rareFor = t
	p.rare = b.o.Rare(func(text string) { t.Insert(text) }, func() {
		p.rare, p.rareFor = nil, nil
		if c := fyne.CurrentApp().Driver().CanvasForObject(t); c != nil {
			c.Focus(t)
		}
		b.changed()
		p.show()
	})
	b.changed()
	p.show()
}

// Measures of the keyboard in pixels.
func (p *Panel) measures() (touch, gap float32) {
	m := look.Measures()
	touch = max(m.Touch, 50)
	if c := fyne.CurrentApp().Driver().CanvasForObject(p); c != nil && c.Size().Height > c.Size().Width {
		touch *= 1.3 // there is room in a tall window
	}
	return touch, max(4, m.Grid/2)
}

func (p *Panel) stripHeight() float32 {
	touch, _ := p.measures()
	return touch
}

// HeightFor returns the height of the keyboard.
func (p *Panel) HeightFor(width float32) float32 {
	touch, gap := p.measures()
	h := p.stripHeight() + gap + 4*(touch+gap) + gap
	if p.rare != nil {
		h = max(h, look.HeightFor(p.rare, width-4*gap)+2*gap)
	}
	return h
}

// fitting returns how many candidates fit on the strip, from the first one shown.
func (p *Panel) fitting() int {
	b := p.board
	room := p.wordRoom()
	n := 0
	for i := b.first; i < len(b.list); i++ {
		room -= p.wordWidth(b.list[i])
		if room < 0 && n > 0 {
			break
		}
		n++
	}
	return n
}

func (p *Panel) wordWidth(text string) float32 {
	m := look.Measures()
	touch, gap := p.measures()
	look.PrepareText(text)
	size := fyne.MeasureText(text, m.Title*1.15, fyne.TextStyle{})
	return max(touch, size.Width+2*m.Grid) + gap
}

// wordRoom is the width that the strip has for candidates.
func (p *Panel) wordRoom() float32 {
	touch, gap := p.measures()
	_, width := p.span(26)
	return width - p.composedWidth() - 3*(touch+gap) - 2*gap
}

func (p *Panel) composedWidth() float32 {
	if p.board.composition() == "" {
		return 0
	}
	_, width := p.span(26)
	size := fyne.MeasureText(p.board.composition(), look.Measures().Body, fyne.TextStyle{})
	return min(size.Width+2*look.Measures().Grid, width*0.34)
}

// span returns where the keys begin and how wide they are, for at most most touch targets.
func (p *Panel) span(most float32) (left, width float32) {
	touch, gap := p.measures()
	whole := p.Size().Width
	if whole == 0 {
		whole = 1024
	}
	width = whole - 2*gap
	if most > 0 {
		width = min(width, most*touch)
	}
	return (whole - width) / 2, width
}

// MouseDown is called by Fyne: a tap between the keys leaves the field its keyboard, too.
func (p *Panel) MouseDown(*desktop.MouseEvent) { p.board.press() }

// MouseUp is called by Fyne.
func (p *Panel) MouseUp(*desktop.MouseEvent) {
	p.board.press()
	p.board.o.Post(p.board.release)
}

// Tapped is called by Fyne.
func (p *Panel) Tapped(*fyne.PointEvent) { p.board.release() }

// CreateRenderer is called by Fyne.
func (p *Panel) CreateRenderer() fyne.WidgetRenderer {
	r := &panelRenderer{p: p}
	r.Refresh()
	return r
}

type panelRenderer struct {
	p   *Panel
	all []fyne.CanvasObject
}

func (r *panelRenderer) Destroy() {}

func (r *panelRenderer) MinSize() fyne.Size {
	touch, _ := r.p.measures()
	return fyne.NewSize(touch*8, r.p.HeightFor(r.p.Size().Width))
}

func (r *panelRenderer) Objects() []fyne.CanvasObject { return r.all }

func (r *panelRenderer) Layout(size fyne.Size) {
	p := r.p
	m := look.Measures()
	touch, gap := p.measures()
	p.ground.Resize(size)
	p.line.Resize(fyne.NewSize(size.Width, m.Border))
	p.fill(size.Width)
	left, width := p.span(26)
	top := gap
	p.composed.TextSize = m.Body
	text := p.composed.MinSize()
	for limit := p.composedWidth() - m.Grid; text.Width > limit && limit > 0 && p.composed.TextSize > m.Label*0.7; text = p.composed.MinSize() {
		p.composed.TextSize--
	}
	p.composed.Move(fyne.NewPos(left+m.Grid/2, top+(p.stripHeight()-text.Height)/2))
	p.composed.Resize(text)
	x := left + p.composedWidth()
	for _, k := range p.words {
		if k.Hidden {
			continue
		}
		w := p.wordWidth(k.face.label) - gap
		k.Move(fyne.NewPos(x, top))
		k.Resize(fyne.NewSize(min(w, max(touch, left+width-x)), p.stripHeight()))
		x += w + gap
	}
	x = left + width
	for i := len(p.tools) - 1; i >= 0; i-- {
		k := p.tools[i]
		if k.Hidden {
			continue
		}
		w := touch
		if k.face.icon == "" {
			w = p.wordWidth(k.face.label) - gap
		}
		x -= w
		k.Move(fyne.NewPos(x, top))
		k.Resize(fyne.NewSize(w, p.stripHeight()))
		x -= gap
	}
	top += p.stripHeight() + gap
	switch {
	case p.rare != nil:
		p.rare.Move(fyne.NewPos(2*gap, gap))
		p.rare.Resize(fyne.NewSize(size.Width-4*gap, size.Height-2*gap))
	case p.all:
		r.everything(top, touch, gap)
	default:
		r.place(top, touch, gap)
	}
	r.collect()
}

// place puts the keys on their grid.
func (r *panelRenderer) place(top, touch, gap float32) {
	p := r.p
	left, width := p.span(p.grid.widest)
	unit := (width + gap) / p.grid.columns
	for i, c := range p.grid.cells {
		k := p.keys[i]
		k.Move(fyne.NewPos(left+c.x*unit, top+c.y*(touch+gap)))
		k.Resize(fyne.NewSize(c.w*unit-gap, c.h*(touch+gap)-gap))
	}
}

// everything shows all candidates in place of the keys, with keys to turn pages at the right.
func (r *panelRenderer) everything(top, touch, gap float32) {
	p := r.p
	b := p.board
	left, width := p.span(26)
	room := width - touch - 2*gap
	var out []face
	type spot struct{ x, y, w float32 }
	var spots []spot
	x, row := float32(0), 0
	for i := p.from; i < len(b.list); i++ {
		w := min(p.wordWidth(b.list[i]), room)
		if x > 0 && x+w > room {
			x, row = 0, row+1
		}
		if row == 4 {
			break
		}
		f := p.word1(i)
		f.tone = plainKey
		out = append(out, f)
		spots = append(spots, spot{x, float32(row), w - gap})
		x += w
	}
	p.seen = len(out)
	side := []face{
		{id: "all-up", icon: "up", tone: otherKey, off: len(p.turned) == 0, act: func() {
			n := len(p.turned)
			p.from, p.turned = p.turned[n-1], p.turned[:n-1]
			p.show()
		}},
		{id: "all-down", icon: "down", tone: otherKey, off: p.from+len(out) >= len(b.list), act: func() {
			p.turned = append(p.turned, p.from)
			p.from += p.seen
			p.show()
		}},
		p.backKey(),
		{id: "all-back", icon: "keyboard", tone: otherKey, act: func() {
			p.all = false
			p.show()
		}},
	}
	for i := range side {
		spots = append(spots, spot{room + gap, float32(i), touch})
	}
	p.keys = p.pool(p.keys, append(out, side...))
	for i, s := range spots {
		p.keys[i].Move(fyne.NewPos(left+s.x, top+s.y*(touch+gap)))
		p.keys[i].Resize(fyne.NewSize(s.w, touch))
	}
}

// collect lists what is drawn.
func (r *panelRenderer) collect() {
	p := r.p
	r.all = append(r.all[:0:0], p.ground, p.line)
	if p.rare != nil {
		r.all = append(r.all, p.rare)
		return
	}
	r.all = append(r.all, p.composed)
	for _, list := range [][]*key{p.words, p.tools, p.keys} {
		for _, k := range list {
			r.all = append(r.all, k)
		}
	}
}

func (r *panelRenderer) Refresh() {
	p := r.p
	p.ground.FillColor, p.line.FillColor = look.Color(look.RoleSunken), look.Color(look.RoleBorder)
	p.composed.Color = look.Color(look.RolePrimary)
	if !p.all {
		p.keys = p.pool(p.keys, faces(p.grid))
	}
	r.Layout(p.Size())
	canvas.Refresh(p)
}

// Key returns the key that types or does what id says, as it is shown; nil when there is none now. Candidates are "word-"
// and their text.
func (p *Panel) Key(id string) fyne.CanvasObject {
	for _, list := range [][]*key{p.keys, p.words, p.tools} {
		for _, k := range list {
			if !k.Hidden && k.face.id == id {
				return k
			}
		}
	}
	return nil
}

// Inside returns what is shown: the panel of rare characters, or what is composed and the keys.
func (p *Panel) Inside() []fyne.CanvasObject {
	if p.rare != nil {
		return []fyne.CanvasObject{p.rare}
	}
	out := []fyne.CanvasObject{p.composed}
	for _, list := range [][]*key{p.words, p.tools, p.keys} {
		for _, k := range list {
			out = append(out, k)
		}
	}
	return out
}

// Keys returns what the keys that are shown type or do.
func (p *Panel) Keys() []string {
	var out []string
	for _, list := range [][]*key{p.words, p.tools, p.keys} {
		for _, k := range list {
			if !k.Hidden {
				out = append(out, k.face.id)
			}
		}
	}
	return out
}
