package look

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Card is a surface around parts that belong together, below each other.
func Card(objects ...fyne.CanvasObject) *fyne.Container {
	return Layer(NewSurface(RoleSurface, RoleBorder), Pad(Gap3, Gap3, VStack(Gap2, objects...)))
}

// RowsCard is a surface around rows that reach its edges, with lines between them. Rows are NewRow or padded parts.
func RowsCard(rows ...fyne.CanvasObject) *fyne.Container {
	var all []fyne.CanvasObject
	for i, r := range rows {
		if i > 0 {
			all = append(all, Line())
		}
		all = append(all, r)
	}
	return Layer(NewSurface(RoleSurface, RoleClear), VStack(Gap0, all...), NewSurface(RoleClear, RoleBorder))
}

// KeyValue is a name and what it is, side by side: the name in a column of equal width, so that rows line up.
func KeyValue(key, value string) *fyne.Container {
	return KeyObject(key, Body(value))
}

// KeyObject is KeyValue for any part.
func KeyObject(key string, value fyne.CanvasObject) *fyne.Container {
	return Arrange(&keyValueLayout{}, NewText(key, StyleBody, RoleSecondary), value)
}

// keyValueLayout gives the name eight characters' width (a third of narrow pages), the value the rest. A Latin word is
// never broken: the name gets as much as its longest word needs, and where that is more than half, the value goes below.
type keyValueLayout struct{ width float32 }

// columns returns the widths of name and value, and whether the value stands below the name.
func (k *keyValueLayout) columns(o []fyne.CanvasObject, width float32) (name, value float32, below bool) {
	m := Measures()
	name = min(m.Body*8, width/3)
	if t, ok := o[0].(*Text); ok {
		name = max(name, t.longestWord())
	}
	if name > width/2 {
		return width, width, true
	}
	return name, max(0, width-name-2*m.Grid), false
}

func (k *keyValueLayout) HeightFor(o []fyne.CanvasObject, width float32) float32 {
	name, value, below := k.columns(o, width)
	if below {
		return HeightFor(o[0], name) + HeightFor(o[1], value)
	}
	return max(HeightFor(o[0], name), HeightFor(o[1], value))
}

func (k *keyValueLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	w := Measures().Body*6 + o[1].MinSize().Width
	return fyne.NewSize(w, k.HeightFor(o, max(w, k.width)))
}

func (k *keyValueLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	k.width = size.Width
	name, value, below := k.columns(o, size.Width)
	if below {
		h := HeightFor(o[0], name)
		o[0].Move(fyne.NewPos(0, 0))
		o[0].Resize(fyne.NewSize(name, h))
		o[1].Move(fyne.NewPos(0, h))
		o[1].Resize(fyne.NewSize(value, HeightFor(o[1], value)))
		return
	}
	top := (size.Height - HeightFor(o[1], value)) / 2
	nameTop := (size.Height - HeightFor(o[0], name)) / 2
	if t, ok := o[1].(*Text); ok && len(t.linesFor(value)) > 1 {
		nameTop = top // beside several lines the name stands at the first
	}
	o[0].Move(fyne.NewPos(0, max(0, nameTop)))
	o[0].Resize(fyne.NewSize(name, HeightFor(o[0], name)))
	o[1].Move(fyne.NewPos(name+2*Measures().Grid, top))
	o[1].Resize(fyne.NewSize(value, HeightFor(o[1], value)))
}

// Moment is one entry of a Timeline.
type Moment struct {
	When  string // time as people read it
	What  string
	More  string // second line, may be empty
	State State  // StateNone for what is still to come
}

// Timeline lists what happened, newest or oldest first as given: a line with a mark at each entry, time below the act.
func Timeline(moments ...Moment) *fyne.Container {
	rows := make([]fyne.CanvasObject, len(moments))
	for i, m := range moments {
		title := Strong(m.What)
		if m.State == StateNone {
			title = NewText(m.What, StyleBody, RoleSecondary)
		}
		lines := []fyne.CanvasObject{title}
		if m.When != "" {
			lines = append(lines, Label(m.When))
		}
		if m.More != "" {
			lines = append(lines, NewText(m.More, StyleBody, RoleText))
		}
		mark := NewIcon(m.State.icon(), m.State.ink())
		thread := NewSurface(RoleBorder, RoleClear).Square()
		thread.Hidden = i == len(moments)-1
		rows[i] = Arrange(&momentLayout{}, thread, mark, VStack(Gap0, lines...))
	}
	return VStack(Gap0, rows...)
}

// momentLayout places the mark at the first line and the thread from it to the next entry.
type momentLayout struct{ width float32 }

func (l *momentLayout) left() float32 { return Measures().Icon + Measures().Grid*2 }

func (l *momentLayout) HeightFor(o []fyne.CanvasObject, width float32) float32 {
	return HeightFor(o[2], width-l.left()) + Gap2.Size()
}

func (l *momentLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	w := o[2].MinSize().Width + l.left()
	return fyne.NewSize(w, l.HeightFor(o, max(w, l.width)))
}

func (l *momentLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	m := Measures()
	line := m.Body * m.LineSpacing
	o[1].Move(fyne.NewPos(0, (line-m.Icon)/2))
	o[1].Resize(fyne.NewSize(m.Icon, m.Icon))
	top := (line+m.Icon)/2 + m.Grid/4
	o[0].Move(fyne.NewPos(m.Icon/2-1, top))
	o[0].Resize(fyne.NewSize(2, max(0, size.Height-top+(line-m.Icon)/2-m.Grid/4)))
	o[2].Move(fyne.NewPos(l.left(), 0))
	o[2].Resize(fyne.NewSize(size.Width-l.left(), HeightFor(o[2], size.Width-l.left())))
}

// StepState is how far a step of the wizard is.
type StepState int

// States of a step.
const (
	StepTodo StepState = iota
	StepCurrent
	StepDone
)

// Steps is the head of the wizard: 身份 → 信息 → 材料 → 核对 → 签名 → 回执, with a number or a tick and a word each. When
// the words do not fit, only the current one is shown.
type Steps struct {
	widget.BaseWidget
	// OnTap is called with the index of a done step the person wants to go back to; nil makes steps untouchable.
	OnTap func(index int)

	names   []string
	current int
	cells   []*stepCell
	lines   []*Surface
}

type stepCell struct {
	KeyTouch
	owner  *Steps
	index  int
	ground *Surface
	number *Text
	tick   *Icon
	word   *Text
}

// NewSteps returns the head with the first step as the current one.
func NewSteps(names ...string) *Steps {
	s := &Steps{names: names}
	for i := range names {
		s.cells = append(s.cells, newStepCell(s, i))
		if i > 0 {
			s.lines = append(s.lines, NewSurface(RoleBorder, RoleClear).Square())
		}
	}
	s.ExtendBaseWidget(s)
	s.update()
	return s
}

// SetCurrent makes index the current step; those before it are done.
func (s *Steps) SetCurrent(index int) {
	s.current = index
	s.update()
	s.Refresh()
}

// SetNames changes the words, for another language.
func (s *Steps) SetNames(names ...string) {
	copy(s.names, names)
	s.update()
	s.Refresh()
}

// Current returns the index of the current step.
func (s *Steps) Current() int { return s.current }

// StateOf returns how far step index is.
func (s *Steps) StateOf(index int) StepState {
	switch {
	case index < s.current:
		return StepDone
	case index == s.current:
		return StepCurrent
	default:
		return StepTodo
	}
}

func (s *Steps) update() {
	for i, c := range s.cells {
		c.word.text = s.names[i]
		c.draw()
	}
	for i, l := range s.lines {
		role := RoleBorder
		if i < s.current {
			role = RolePrimary
		}
		l.SetRoles(role, RoleClear)
	}
}

func newStepCell(s *Steps, index int) *stepCell {
	c := &stepCell{owner: s, index: index}
	c.ground = NewSurface(RoleSurface, RoleInputBorder).Round()
	c.number = NewText(strconv.Itoa(index+1), StyleStrong, RoleSecondary).Single().Align(fyne.TextAlignCenter)
	c.tick = NewIcon("check", RoleOnPrimary)
	c.word = NewText(s.names[index], StyleBody, RoleSecondary).Single()
	c.OnTap = func() {
		if s.OnTap != nil && s.StateOf(c.index) == StepDone {
			s.OnTap(c.index)
		}
	}
	c.Extend(c, c.draw)
	return c
}

func (c *stepCell) draw() {
	state := c.owner.StateOf(c.index)
	c.disabled = state != StepDone || c.owner.OnTap == nil // the keyboard passes over what leads nowhere
	c.tick.Hidden, c.number.Hidden = state != StepDone, state == StepDone
	switch state {
	case StepDone:
		c.ground.SetRoles(RolePrimary, RoleClear)
		c.word.SetRole(RoleText)
		c.word.SetStyle(StyleBody)
	case StepCurrent:
		c.ground.SetRoles(RolePrimary, RoleClear)
		c.number.SetRole(RoleOnPrimary)
		c.word.SetRole(RolePrimary)
		c.word.SetStyle(StyleStrong)
	default:
		c.ground.SetRoles(RoleSurface, RoleInputBorder)
		c.number.SetRole(RoleSecondary)
		c.word.SetRole(RoleSecondary)
		c.word.SetStyle(StyleBody)
	}
	if c.HasFocus() {
		c.ground.SetRoles(c.ground.fill, RoleFocus)
		c.ground.SetThick(Measures().Focus)
	} else {
		c.ground.SetThick(0)
	}
}

func (c *stepCell) disc() float32 { return Measures().Icon * 1.35 }

func (c *stepCell) CreateRenderer() fyne.WidgetRenderer { return &stepCellRenderer{c} }

type stepCellRenderer struct{ c *stepCell }

func (r *stepCellRenderer) Destroy() {}

func (r *stepCellRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.c.ground, r.c.number, r.c.tick, r.c.word}
}

func (r *stepCellRenderer) MinSize() fyne.Size {
	w := r.c.disc()
	if r.c.word.Visible() {
		w += Measures().Grid + r.c.word.MinSize().Width
	}
	return fyne.NewSize(max(w, Measures().Touch), Measures().Touch)
}

func (r *stepCellRenderer) Layout(size fyne.Size) {
	c, disc := r.c, r.c.disc()
	x, y := float32(0), (size.Height-disc)/2
	if !c.word.Visible() {
		x = (size.Width - disc) / 2 // the target is wider than the disc
	}
	c.ground.Move(fyne.NewPos(x, y))
	c.ground.Resize(fyne.NewSize(disc, disc))
	number := c.number.MinSize()
	c.number.Move(fyne.NewPos(x, (size.Height-number.Height)/2))
	c.number.Resize(fyne.NewSize(disc, number.Height))
	edge := disc * 0.7
	c.tick.Move(fyne.NewPos(x+(disc-edge)/2, (size.Height-edge)/2))
	c.tick.Resize(fyne.NewSize(edge, edge))
	word := c.word.MinSize()
	c.word.Move(fyne.NewPos(disc+Measures().Grid, (size.Height-word.Height)/2))
	c.word.Resize(word)
}

func (r *stepCellRenderer) Refresh() {
	r.c.draw()
	for _, o := range r.Objects() {
		o.Refresh()
	}
	r.Layout(r.c.Size())
}

// CreateRenderer is called by Fyne.
func (s *Steps) CreateRenderer() fyne.WidgetRenderer { return &stepsRenderer{s} }

type stepsRenderer struct{ s *Steps }

func (r *stepsRenderer) Destroy() {}

func (r *stepsRenderer) Objects() []fyne.CanvasObject {
	var all []fyne.CanvasObject
	for _, l := range r.s.lines {
		all = append(all, l)
	}
	for _, c := range r.s.cells {
		all = append(all, c)
	}
	return all
}

func (r *stepsRenderer) MinSize() fyne.Size {
	m := Measures()
	return fyne.NewSize((m.Touch+m.Grid)*float32(len(r.s.cells)), m.Touch)
}

func (r *stepsRenderer) Layout(size fyne.Size) {
	s, m := r.s, Measures()
	widths := func() (total float32) {
		for _, c := range s.cells {
			total += c.MinSize().Width
		}
		return total + m.Grid*4*float32(len(s.lines))
	}
	for _, c := range s.cells {
		c.word.Hidden = false
	}
	if widths() > size.Width {
		for i, c := range s.cells {
			c.word.Hidden = i != s.current
		}
	}
	link := max(m.Grid, (size.Width-widths())/float32(max(1, len(s.lines)))+m.Grid*2)
	link = min(link, m.Grid*12)
	x := float32(0)
	for i, c := range s.cells {
		w := c.MinSize().Width
		c.Move(fyne.NewPos(x, 0))
		c.Resize(fyne.NewSize(w, size.Height))
		x += w + m.Grid
		if i < len(s.lines) {
			s.lines[i].Move(fyne.NewPos(x, size.Height/2-1))
			s.lines[i].Resize(fyne.NewSize(link, 2))
			x += link + m.Grid
		}
	}
}

func (r *stepsRenderer) Refresh() {
	for _, o := range r.Objects() {
		o.Refresh()
	}
	r.Layout(r.s.Size())
}
