package look

import (
	"strconv"

	"fyne.io/fyne/v2"
)

// Frame is the whole window: top bar, navigation rail at the left (nil on kiosks and at login), the page, and a
// keyboard panel (nil when there is none) that pushes the page up.
func Frame(top, rail, page, keyboard fyne.CanvasObject) fyne.CanvasObject {
	return Layer(NewSurface(RoleBackground, RoleClear).Square(), Edges(top, keyboard, rail, page))
}

// Page puts body over a foot that stays in view: body is usually a scroll area, foot an ActionBar or nil. head, when
// not nil, stays in view above it.
func Page(head, body, foot fyne.CanvasObject) fyne.CanvasObject {
	return Edges(head, foot, nil, body)
}

// Head is the part of a page above its scroll area: the wizard's steps, a search field.
func Head(objects ...fyne.CanvasObject) fyne.CanvasObject {
	return Layer(NewSurface(RoleSurface, RoleClear).Square(), VStack(Gap0,
		Arrange(&columnLayout{widest: ColumnWidth}, Pad(Gap3, Gap1, VStack(Gap1, objects...))), Line()))
}

// TopBarState is what the bar at the top shows.
type TopBarState struct {
	Station  string   // name of the station
	Page     string   // title of the page
	Sync     string   // state of the line in words: 离线 · 3 件待送达
	State    State    // its colour and shape
	Offline  bool     // shows the crossed-out cloud instead of the state's shape
	Devices  []string // printer and reader, only what is wrong
	End      string   // word of the button that ends a visit to a kiosk; "" hides it
	Operator string   // name of who is logged in; "" hides operator and lock
}

// TopBar is the bar at the top of every screen.
type TopBar struct {
	Composite
	// OnSync, OnOperator and OnLock are called on taps; nil does nothing.
	OnSync, OnOperator, OnLock func()
	// OnRead reads the screen aloud; its button is there in the old-age sizes.
	OnRead func()
	// OnEnd is called by the button that ends a visit.
	OnEnd func()

	station, page  *Text
	sync           *StatusDot
	syncTap        *Pressable
	devices        *fyne.Container
	operator, lock *Button
	read, end      *Button
}

// NewTopBar returns an empty bar; lock is the word of the lock button.
func NewTopBar() *TopBar {
	b := &TopBar{
		station: NewText("", StyleLabel, RoleSecondary).Lines(1),
		page:    NewText("", StyleTitle, RoleText).Lines(1),
		sync:    NewStatusDot(StateNone, ""),
		devices: HStack(Gap1),
	}
	b.syncTap = NewRow(Pad(Gap1, Gap0, b.sync), func() { call(b.OnSync) })
	b.operator = QuietButton("", "user", func() { call(b.OnOperator) })
	b.lock = QuietButton(Word("look.lock"), "lock", func() { call(b.OnLock) })
	b.read = QuietButton(Word("look.read"), "speaker", func() { call(b.OnRead) })
	b.end = NewButton(Secondary, "", "cross", func() { call(b.OnEnd) })
	emblem := AtLeast(func(t Tokens) fyne.Size { return fyne.NewSize(t.Touch*0.9, t.Touch*0.9) },
		Layer(NewSurface(RolePrimary, RoleClear), Centered(NewIconSized("mark", RoleOnPrimary,
			func(t Tokens) float32 { return t.Icon * 1.25 }))))
	row := HStack(Gap2, emblem, Grow(VStack(Gap0, b.page, b.station)), b.devices, HStack(Gap0, b.read, b.syncTap, b.operator, b.lock, b.end))
	b.Compose(b, Layer(NewSurface(RoleSurface, RoleClear).Square(), VStack(Gap0,
		AtLeast(func(t Tokens) fyne.Size { return fyne.NewSize(0, t.TopBar-t.Border) }, Pad(Gap2, Gap0, row)), Line())))
	return b
}

// Set shows s.
func (b *TopBar) Set(s TopBarState) {
	b.station.SetText(s.Station)
	b.page.SetText(s.Page)
	b.sync.Set(s.State, s.Sync)
	if s.Offline {
		b.sync.SetIcon("offline", s.State)
	}
	b.syncTap.Hidden = s.Sync == ""
	b.devices.Objects = nil
	for _, d := range s.Devices {
		b.devices.Objects = append(b.devices.Objects, NewBadge(StateWarning, d))
	}
	b.devices.Hidden = len(s.Devices) == 0
	b.operator.Hidden, b.lock.Hidden = s.Operator == "", s.Operator == ""
	b.operator.SetText(s.Operator)
	b.lock.SetText(Word("look.lock"))
	b.end.Hidden = s.End == ""
	b.end.SetText(s.End)
	b.read.Hidden = b.OnRead == nil || !Current().Elder || s.Operator != "" // the rail has it then
	b.read.SetText(Word("look.read"))
	b.Refresh()
}

// RailItem is one place of the navigation.
type RailItem struct {
	ID   string // given to OnSelect
	Icon string
	Word string
	Mark int // number of things waiting there; 0 shows nothing
}

// Rail is the navigation at the left: icon and word, the current place tinted and marked by a bar.
type Rail struct {
	Composite
	// OnSelect is called with the ID of the tapped place; nil does nothing.
	OnSelect func(id string)

	items    []RailItem
	selected string
	column   *fyne.Container
}

// NewRail returns a rail with the given places.
func NewRail(items ...RailItem) *Rail {
	r := &Rail{column: VStack(GapH)}
	r.Compose(r, Layer(NewSurface(RoleSurface, RoleClear).Square(),
		HStackFill(Gap0, AtLeast(func(t Tokens) fyne.Size { return fyne.NewSize(t.Rail, 0) }, Pad(Gap1, Gap1, r.column)),
			upright())))
	r.SetItems(items...)
	return r
}

// SetItems changes the places.
func (r *Rail) SetItems(items ...RailItem) {
	r.items = items
	r.column.Objects = nil
	for _, item := range items {
		r.column.Objects = append(r.column.Objects, r.entry(item))
	}
	r.Refresh()
}

// Select marks the place with the given ID as the current one.
func (r *Rail) Select(id string) {
	if r.selected == id {
		return
	}
	r.selected = id
	r.SetItems(r.items...)
}

func (r *Rail) entry(item RailItem) fyne.CanvasObject {
	here := item.ID == r.selected
	ink, style := RoleSecondary, StyleLabel
	if here {
		ink = RolePrimary
	}
	word := NewText(item.Word, style, ink).Align(fyne.TextAlignCenter)
	drawing := NewIconSized(item.Icon, ink, func(t Tokens) float32 { return t.Icon * 1.2 })
	var picture fyne.CanvasObject = Centered(drawing)
	if item.Mark > 0 {
		picture = Arrange(cornerLayout{}, drawing, NewCount(item.Mark))
	}
	bar := NewSurface(RoleClear, RoleClear).Square()
	if here {
		bar.SetRoles(RolePrimary, RoleClear)
	}
	content := Layer(Pad(GapH, GapH, VStack(GapH, picture, word)), Arrange(barLayout{}, bar))
	row := NewRow(content, func() {
		if r.OnSelect != nil {
			r.OnSelect(item.ID)
		}
	})
	if here {
		row.fill = RolePrimarySoft
		row.body.SetRoles(RolePrimarySoft, RoleClear)
	}
	return row
}

// NewCount returns a round mark with a number: how many things wait here.
func NewCount(n int) fyne.CanvasObject {
	word := strconv.Itoa(n)
	if n > 99 {
		word = "99+"
	}
	return Layer(NewSurface(RoleDanger, RoleClear).Round(), AtLeast(func(t Tokens) fyne.Size {
		return fyne.NewSize(t.Label*1.5, t.Label*1.5)
	}, Pad(GapH, Gap0, HStack(Gap0, Spring(), NewText(word, StyleLabel, RoleOnPrimary).Single(), Spring()))))
}

// cornerLayout centres the first object and hangs the second at its upper right.
type cornerLayout struct{}

func (cornerLayout) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

func (cornerLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	icon, mark := o[0].MinSize(), o[1].MinSize()
	left := (size.Width - icon.Width) / 2
	o[0].Move(fyne.NewPos(left, 0))
	o[0].Resize(icon)
	o[1].Move(fyne.NewPos(left+icon.Width*0.75, -mark.Height*0.2))
	o[1].Resize(mark)
}

// Edges puts parts at the edges of the room, without gaps, and body in what is left; any edge may be nil. The left
// part stands between top and bottom.
func Edges(top, bottom, left, body fyne.CanvasObject) *fyne.Container {
	l := &edgesLayout{top: top, bottom: bottom, left: left, body: body}
	c := Arrange(l)
	for _, o := range []fyne.CanvasObject{top, left, body, bottom} { // in the order in which they are read, and Tab goes
		if o != nil {
			c.Objects = append(c.Objects, o)
		}
	}
	return c
}

type edgesLayout struct{ top, bottom, left, body fyne.CanvasObject }

func shown(o fyne.CanvasObject) bool { return o != nil && o.Visible() }

func (l *edgesLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	y, end, x := float32(0), size.Height, float32(0)
	if shown(l.top) {
		y = HeightFor(l.top, size.Width)
		l.top.Move(fyne.NewPos(0, 0))
		l.top.Resize(fyne.NewSize(size.Width, y))
	}
	if shown(l.bottom) {
		h := HeightFor(l.bottom, size.Width)
		end = max(y, end-h)
		l.bottom.Move(fyne.NewPos(0, end))
		l.bottom.Resize(fyne.NewSize(size.Width, h))
	}
	if shown(l.left) {
		x = l.left.MinSize().Width
		l.left.Move(fyne.NewPos(0, y))
		l.left.Resize(fyne.NewSize(x, end-y))
	}
	l.body.Move(fyne.NewPos(x, y))
	l.body.Resize(fyne.NewSize(max(0, size.Width-x), max(0, end-y)))
}

func (l *edgesLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	least := l.body.MinSize()
	if shown(l.left) {
		left := l.left.MinSize()
		least.Width += left.Width
		least.Height = max(least.Height, left.Height)
	}
	for _, o := range []fyne.CanvasObject{l.top, l.bottom} {
		if shown(o) {
			m := o.MinSize()
			least.Width = max(least.Width, m.Width)
			least.Height += m.Height
		}
	}
	return least
}

// barLayout puts a bar at the left edge, inset from the corners.
type barLayout struct{}

func (barLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

func (barLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	inset := Measures().Grid * 1.5
	o[0].Move(fyne.NewPos(0, inset))
	o[0].Resize(fyne.NewSize(4, max(0, size.Height-2*inset)))
}

func upright() fyne.CanvasObject {
	return AtLeast(func(t Tokens) fyne.Size { return fyne.NewSize(t.Border, 0) }, NewSurface(RoleBorder, RoleClear).Square())
}

func call(fn func()) {
	if fn != nil {
		fn()
	}
}
