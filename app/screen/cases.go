package screen

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// Cases is the screen 办件: what needs the clerk first, narrowed by chips and by what is typed.
type Cases struct {
	env *Env
	vm  *vm.Cases

	search *input.TextField
	chips  map[string]*caseFilter // by filter
	row    *fyne.Container
	count  *look.Text
	list   *input.List
	card   *fyne.Container
	empty  *fyne.Container
	root   fyne.CanvasObject
	st     vm.CasesState
	load   oneAtATime
}

var (
	_ View       = (*Cases)(nil)
	_ Focuser    = (*Cases)(nil)
	_ Searchable = (*Cases)(nil)
	_ Primary    = (*Cases)(nil)
)

// NewCases builds the screen and reads the cases.
func NewCases(env *Env, m *vm.Cases) *Cases {
	s := &Cases{env: env, vm: m, st: m.State(), chips: map[string]*caseFilter{}, row: look.Wrap(look.Gap1), count: look.Label("").Single()}
	s.search = input.NewSearch(env.T("cases.search"))
	s.search.SetText(s.st.Query)
	s.search.SetOnChanged(func(text string) {
		m.SetQuery(text)
		s.list.Top()
		s.Show(m.State())
	})
	s.search.SetOnEnter(func() {
		if s.st.Query != "" && s.st.Len > 0 {
			goTo(env, s.st.Row(0).To)
		}
	})
	s.list = input.NewList(func() int { return s.st.Len }, func() fyne.CanvasObject { return newCaseRow() },
		func(i int, o fyne.CanvasObject) {
			if r, ok := o.(*caseRow); ok && i < s.st.Len {
				r.set(env, s.st.Row(i))
			}
		},
		func(i int) {
			if i < s.st.Len {
				goTo(env, s.st.Row(i).To)
			}
		})
	s.card = look.Arrange(&rowsLayout{count: func() int { return s.st.Len }, row: newCaseRow()},
		look.NewSurface(look.RoleSurface, look.RoleBorder), s.list)
	s.empty = look.VStack(look.Gap0)
	s.root = look.Page(look.Head(s.search, s.row), look.Narrow(look.ColumnWidth, look.Pad(look.Gap3, look.Gap2, look.Layer(s.card, s.empty))),
		look.ActionBar([]fyne.CanvasObject{s.count}, look.NewButton(look.Primary, env.T("cases.begin"), "plus", s.TapPrimary)))
	s.Show(s.st)
	s.Refresh()
	return s
}

// Refresh reads the cases anew and shows them. What is typed and chosen stays.
func (s *Cases) Refresh() {
	s.load.run(s.env, func() error { return s.vm.Load(context.Background()) }, func(err error) {
		if err != nil && !vm.HomeError(err) {
			s.env.Fail(err)
		}
		s.Show(s.vm.State())
	})
}

// Show shows st.
func (s *Cases) Show(st vm.CasesState) {
	s.st = st
	s.row.Objects = s.row.Objects[:0]
	for _, c := range st.Filters {
		chip := s.chips[c.Code]
		if chip == nil {
			chip = s.newFilter(c.Code)
			s.chips[c.Code] = chip
		}
		chip.label.SetText(c.Label)
		chip.set(c.On)
		s.row.Objects = append(s.row.Objects, chip)
	}
	s.row.Refresh()
	s.count.SetText(st.Count)
	s.card.Hidden = st.Len == 0
	s.empty.Hidden = st.Len > 0
	if st.Len == 0 {
		var what fyne.CanvasObject = look.Busy("")
		if st.Loaded {
			icon := "cases"
			if st.Query != "" {
				icon = "search"
			}
			what = look.EmptyState(icon, st.EmptyTitle, st.EmptyText)
		}
		replace(s.empty, look.Card(what))
	}
	s.card.Refresh()
	s.list.Refresh()
}

// Title is the page title.
func (s *Cases) Title() string { return s.env.T("cases.title") }

// Object is the screen.
func (s *Cases) Object() fyne.CanvasObject { return s.root }

// Leave has nothing to save.
func (s *Cases) Leave() {}

// TapPrimary begins a new case.
func (s *Cases) TapPrimary() { s.env.Go(Route{Page: PageServices}) }

// FocusFirst gives the keyboard to the search.
func (s *Cases) FocusFirst(c fyne.Canvas) { focusOn(c, s.search.Focusable()) }

// FocusSearch goes to the search.
func (s *Cases) FocusSearch(c fyne.Canvas) { s.FocusFirst(c) }

// caseFilter is a chip whose label, with its count, changes.
type caseFilter struct {
	pickChip
	label *look.Text
}

func (s *Cases) newFilter(code string) *caseFilter {
	c := &caseFilter{pickChip{tick: look.NewIcon("check", look.RolePrimary)}, look.Body("").Single()}
	c.tick.Hide()
	c.Pressable = look.NewPressable(look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(m.Touch, m.Touch) },
		look.Pad(look.Gap2, look.Gap0, look.HStack(look.GapH, c.tick, c.label))), func() {
		s.vm.SetFilter(code)
		s.list.Top()
		s.Show(s.vm.State())
	})
	return c
}

// caseRow is one case: who and what with the days left; below, its number and the two states, apart.
type caseRow struct {
	look.Composite
	who, item, note, days *look.Text
	clock                 *look.Icon
	urgent                *look.Badge
	state, delivery       *look.Badge
}

func newCaseRow() *caseRow {
	r := &caseRow{
		who: look.Strong("").Single(), item: look.Body("").Lines(1), note: look.Label("").Lines(1),
		days: look.NewText("", look.StyleStrong, look.RoleSecondary).Single(), clock: look.NewIcon("clock", look.RoleSecondary),
		urgent: look.NewBadge(look.StateDanger, ""), state: look.NewBadge(look.StateNone, ""), delivery: look.NewBadge(look.StateNone, ""),
	}
	r.urgent.Hide()
	r.Compose(r, look.Pad(look.Gap0, look.Gap1, look.HStack(look.Gap2,
		look.Grow(look.VStack(look.GapH,
			look.HStack(look.Gap1, r.who, look.Grow(r.item), r.urgent, r.clock, r.days),
			look.HStack(look.Gap1, look.Grow(r.note), r.state, r.delivery))),
		look.NewIcon("right", look.RoleSecondary))))
	return r
}

func (r *caseRow) set(env *Env, c vm.CaseRow) {
	r.who.SetText(c.Who)
	r.item.SetText(c.Item)
	r.note.SetText(c.No + " · " + env.T("cases.takenIn", "when", c.When))
	r.state.Set(stateOf(c.StateTone), c.State)
	r.delivery.Set(stateOf(c.DeliveryTone), c.Delivery)
	r.urgent.Hidden = c.Urgent == ""
	r.urgent.Set(look.StateDanger, c.Urgent)
	r.days.Hidden, r.clock.Hidden = c.Days == "", c.Days == ""
	icon, role := "clock", look.RoleSecondary
	switch c.DaysTone {
	case "warn":
		icon, role = "warn", look.RoleWarning
	case "danger":
		icon, role = "danger", look.RoleDanger
	}
	r.clock.Set(icon, role)
	r.days.SetRole(role)
	r.days.SetText(c.Days)
	r.Refresh()
}

// rowsLayout makes a list as tall as its rows, at most as tall as the room: a short list does not end in a void.
type rowsLayout struct {
	count func() int
	row   fyne.CanvasObject // as tall as every row, without the list's own margins
}

func (l *rowsLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, input.RowHeight())
}

func (l *rowsLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.row.Refresh()
	each := max(input.RowHeight(), l.row.MinSize().Height+2*look.GapH.Size()) + theme.Size(theme.SizeNamePadding)
	border := look.Measures().Border
	h := min(size.Height, each*float32(l.count())+2*border)
	o[0].Resize(fyne.NewSize(size.Width, h))
	o[1].Move(fyne.NewPos(border, border))
	o[1].Resize(fyne.NewSize(size.Width-2*border, h-2*border))
}

// oneAtATime runs long work once at a time; what is asked meanwhile runs once more after it. It belongs to the UI
// goroutine.
type oneAtATime struct{ busy, again bool }

func (o *oneAtATime) run(env *Env, work func() error, then func(error)) {
	if o.busy {
		o.again = true
		return
	}
	o.busy = true
	env.Work(func() {
		err := work()
		env.Post(func() {
			o.busy = false
			then(err)
			if o.again {
				o.again = false
				o.run(env, work, then)
			}
		})
	})
}
