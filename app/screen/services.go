package screen

import (
	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// Services is the screen 事项: what can be applied for here, searched as one types and narrowed by chips.
type Services struct {
	env *Env
	vm  *vm.Services

	search *input.TextField
	chips  map[string]*pickChip // by group and code
	forWho *look.Banner
	count  *look.Text
	clear  *look.Button
	rows   *fyne.Container
	first  func()
	scroll *input.Scroll
	root   fyne.CanvasObject
}

var (
	_ View       = (*Services)(nil)
	_ Focuser    = (*Services)(nil)
	_ Searchable = (*Services)(nil)
)

// NewServices builds the screen.
func NewServices(env *Env, m *vm.Services) *Services {
	s := &Services{env: env, vm: m, chips: map[string]*pickChip{}, rows: look.VStack(look.Gap2)}
	st, err := m.State()
	s.search = input.NewSearch(env.T("services.search"))
	s.search.SetText(st.Query)
	s.search.SetOnChanged(func(text string) {
		m.SetQuery(text)
		s.Refresh()
	})
	s.search.SetOnEnter(func() {
		if s.first != nil {
			s.first()
		}
	})
	s.forWho = look.NewBanner(look.StateInfo, st.For, env.T("services.forText"))
	s.forWho.Hidden = st.For == ""
	s.count = look.Label("")
	s.clear = look.QuietButton(env.T("services.clear"), "cross", func() {
		m.Clear()
		s.search.SetText("")
		s.Refresh()
	})
	group := func(name string, chips []vm.Chip, toggle func(string)) fyne.CanvasObject {
		row := look.Wrap(look.Gap1)
		for _, c := range chips {
			chip := newPickChip(c.Label, func() {
				toggle(c.Code)
				s.Refresh()
			})
			s.chips[name+"/"+c.Code] = chip
			row.Objects = append(row.Objects, chip)
		}
		line := look.HStackTop(look.Gap2, look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(m.Body*5, m.Touch) },
			look.HStack(look.Gap0, look.NewText(env.T("services."+name), look.StyleBody, look.RoleSecondary).Single())), look.Grow(row))
		line.Hidden = len(chips) == 0
		return line
	}
	s.scroll = input.NewScroll(look.Column(look.VStack(look.Gap3, s.forWho,
		look.Card(group("theme", st.Themes, m.ToggleTheme), group("event", st.Events, m.ToggleEvent), group("audience", st.Audience, m.ToggleAudience)),
		look.VStack(look.Gap1, look.HStack(look.Gap1, look.Grow(s.count), s.clear), s.rows))))
	s.root = look.Page(look.Head(s.search), s.scroll, nil)
	if err != nil {
		env.Fail(err)
	}
	s.Show(st)
	return s
}

// Refresh shows the newest state.
func (s *Services) Refresh() {
	st, err := s.vm.State()
	if err != nil {
		s.env.Fail(err)
		return
	}
	s.Show(st)
}

// Show shows st.
func (s *Services) Show(st vm.ServicesState) {
	for name, chips := range map[string][]vm.Chip{"theme": st.Themes, "event": st.Events, "audience": st.Audience} {
		for _, c := range chips {
			if chip := s.chips[name+"/"+c.Code]; chip != nil {
				chip.set(c.On)
			}
		}
	}
	s.count.SetText(st.Count)
	s.clear.Hidden = !st.Narrowed
	s.first = nil
	rows := make([]fyne.CanvasObject, 0, len(st.Rows))
	for _, r := range st.Rows {
		tap := func() { goTo(s.env, r.To) }
		if s.first == nil {
			s.first = tap
		}
		rows = append(rows, look.NewRow(look.Pad(look.Gap3, look.Gap2, look.HStack(look.Gap2,
			look.NewIconSized("service", look.RolePrimary, func(m look.Tokens) float32 { return m.Icon * 1.4 }),
			look.Grow(look.VStack(look.GapH, look.Title(r.Name), look.Body(r.Summary), look.Label(r.Facts+" · "+r.Department))),
			look.NewIcon("right", look.RoleSecondary))), tap))
	}
	if len(rows) == 0 {
		replace(s.rows, look.Card(look.EmptyState("search", st.EmptyTitle, st.EmptyText)))
	} else {
		replace(s.rows, look.RowsCard(rows...))
	}
	s.scroll.Refresh()
}

// Title is the page title.
func (s *Services) Title() string { return s.env.T("services.title") }

// Object is the screen.
func (s *Services) Object() fyne.CanvasObject { return s.root }

// Leave has nothing to save.
func (s *Services) Leave() {}

// FocusFirst gives the keyboard to the search.
func (s *Services) FocusFirst(c fyne.Canvas) { focusOn(c, s.search.Focusable()) }

// FocusSearch goes to the search.
func (s *Services) FocusSearch(c fyne.Canvas) { s.FocusFirst(c) }
