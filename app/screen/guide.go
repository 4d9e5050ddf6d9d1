package screen

import (
	"strconv"

	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// Guide is the screen 办事指南: one item explained, and before a case begins, the question whom it is for.
type Guide struct {
	env *Env
	vm  *vm.Guide

	search *input.TextField
	people *fyne.Container
	scroll *input.Scroll // of the question
	first  func()
	holder *fyne.Container // the guide, or the question
	guide  fyne.CanvasObject
	ask    fyne.CanvasObject
}

var (
	_ View       = (*Guide)(nil)
	_ Focuser    = (*Guide)(nil)
	_ Primary    = (*Guide)(nil)
	_ Searchable = (*Guide)(nil)
	_ Stepper    = (*Guide)(nil)
)

// Stepper is a view with steps of its own: StepBack goes one back and reports whether there was one; Esc then does not
// leave the view.
type Stepper interface{ StepBack() bool }

// NewGuide builds the screen.
func NewGuide(env *Env, m *vm.Guide) *Guide {
	s := &Guide{env: env, vm: m, people: look.VStack(look.Gap2)}
	st, err := m.State()
	if err != nil {
		env.Fail(err)
	}
	start := look.NewButton(look.Primary, st.Start, "next", s.start)
	body := s.explain(st)
	if s.public() && !st.Terminal {
		start = look.NewButton(look.Primary, env.T("selfservice.counterButton"), "", s.start)
		start.Disable()
		body = look.VStack(look.Gap3, look.NewBanner(look.StateInfo, "", env.T("selfservice.counter")), body)
	}
	s.guide = look.Page(nil, input.NewScroll(look.Column(body)), look.ActionBar(
		[]fyne.CanvasObject{look.SecondaryButton(env.T("guide.back"), env.Back)}, start))
	s.search = input.NewSearch(env.T("guide.search"))
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
	s.scroll = input.NewScroll(look.Column(look.VStack(look.Gap3, look.PageTitle(st.AskTitle), look.Body(st.AskText), s.search, s.people)))
	s.ask = look.Page(nil, s.scroll, look.ActionBar(
		[]fyne.CanvasObject{look.SecondaryButton(env.T("guide.back"), func() { s.StepBack() })},
		look.SecondaryButton(env.T("guide.unknown"), func() { goTo(env, m.For("")) })))
	s.holder = look.Layer(s.guide)
	s.Show(st)
	return s
}

// public reports whether a person is alone with the machine.
func (s *Guide) public() bool { return s.env.public() }

func (s *Guide) start() {
	if s.public() { // nobody else's name is shown
		if st, err := s.vm.State(); err == nil && st.Terminal {
			goTo(s.env, s.vm.For(""))
		}
		return
	}
	if to, ok := s.vm.Begin(); ok {
		goTo(s.env, to)
		return
	}
	s.vm.Ask()
	s.Refresh()
	s.FocusFirst(canvasOf(s.holder))
}

// StepBack closes the question whom it is for.
func (s *Guide) StepBack() bool {
	if !s.vm.Back() {
		return false
	}
	if c := canvasOf(s.search); c != nil {
		c.Unfocus()
	}
	s.search.SetText("")
	s.Refresh()
	return true
}

func (s *Guide) explain(st vm.GuideState) fyne.CanvasObject {
	t := s.env.T
	stats := make([]fyne.CanvasObject, len(st.Times))
	for i, f := range st.Times {
		stats[i] = look.Layer(look.NewSurface(look.RoleSurface, look.RoleBorder), look.Pad(look.Gap2, look.Gap2,
			look.VStack(look.GapH, look.Label(f.Name), look.Title(f.Value))))
	}
	parts := []fyne.CanvasObject{
		look.VStack(look.Gap1, look.PageTitle(st.Name), look.Body(st.Summary)),
		look.Grid(look.Gap2, func(m look.Tokens) float32 { return m.Body * 11 }, stats...),
	}
	card := func(title string, rows ...fyne.CanvasObject) {
		if len(rows) > 0 {
			parts = append(parts, look.Card(append([]fyne.CanvasObject{look.Title(title)}, rows...)...))
		}
	}
	numbered := func(all []string) []fyne.CanvasObject {
		out := make([]fyne.CanvasObject, len(all))
		for i, text := range all {
			out[i] = bullet(strconv.Itoa(i+1)+".", text)
		}
		return out
	}
	card(t("guide.conditions"), numbered(st.Conditions)...)
	var rows []fyne.CanvasObject
	for _, m := range st.Materials {
		rows = append(rows, s.material(m))
	}
	if len(rows) > 0 {
		parts = append(parts, titledRows(t("guide.materials"), rows...))
	}
	var flow []look.Moment
	for _, f := range st.Flow {
		flow = append(flow, look.Moment{What: f.Name, When: f.Value, State: look.StateInfo})
	}
	if len(flow) > 0 {
		card(t("guide.flow"), look.Timeline(flow...))
	}
	card(t("guide.facts"), keyValues(st.Facts)...)
	var basis []fyne.CanvasObject
	for _, b := range st.Basis {
		lines := []fyne.CanvasObject{look.Strong(b.Name)}
		if b.Value != "" {
			lines = append(lines, look.Body(b.Value))
		}
		basis = append(basis, look.VStack(look.GapH, lines...))
	}
	card(t("guide.basis"), basis...)
	card(t("guide.notes"), numbered(st.Notes)...)
	return look.VStack(look.Gap3, parts...)
}

func keyValues(facts []vm.Fact) []fyne.CanvasObject {
	out := make([]fyne.CanvasObject, len(facts))
	for i, f := range facts {
		out[i] = look.KeyValue(f.Name, f.Value)
	}
	return out
}

func (s *Guide) material(m vm.GuideMaterial) fyne.CanvasObject {
	state := look.StateNone
	if m.Required {
		state = look.StateInfo
	}
	badges := []fyne.CanvasObject{look.NewBadge(state, m.Need)}
	for _, word := range []string{m.Exempt, m.Later} {
		if word != "" {
			badges = append(badges, look.NewBadge(look.StateSuccess, word))
		}
	}
	lines := []fyne.CanvasObject{look.Wrap(look.Gap1, append([]fyne.CanvasObject{look.Strong(m.Name)}, badges...)...)}
	for _, l := range m.Lines {
		lines = append(lines, look.Label(l))
	}
	return look.Pad(look.Gap3, look.Gap2, look.HStackTop(look.Gap2, look.NewIcon("file", look.RolePrimary), look.Grow(look.VStack(look.GapH, lines...))))
}

// Refresh shows the newest state.
func (s *Guide) Refresh() {
	st, err := s.vm.State()
	if err != nil {
		s.env.Fail(err)
	}
	s.Show(st)
}

// Show shows st.
func (s *Guide) Show(st vm.GuideState) {
	page := s.guide
	if st.Asking {
		page = s.ask
	}
	if s.holder.Objects[0] != page {
		replace(s.holder, page)
	}
	s.first = nil
	rows := make([]fyne.CanvasObject, 0, len(st.People))
	for _, p := range st.People {
		tap := func() { goTo(s.env, s.vm.For(p.ID)) }
		if s.first == nil {
			s.first = tap
		}
		rows = append(rows, look.NewRow(look.Pad(look.Gap3, look.Gap2, look.HStack(look.Gap2,
			look.NewIconSized("user", look.RolePrimary, func(m look.Tokens) float32 { return m.Icon * 1.4 }),
			look.Grow(look.VStack(look.GapH, look.HStack(look.Gap2, look.Title(p.Name).Single(), look.Label(p.About).Single()),
				look.Label(p.Number+" · "+p.Where))),
			look.NewIcon("right", look.RoleSecondary))), tap))
	}
	switch {
	case len(rows) > 0:
		replace(s.people, look.RowsCard(rows...))
	case st.None != "":
		replace(s.people, look.Card(look.EmptyState("people", st.None, s.env.T("guide.nobodyText"))))
	default:
		replace(s.people)
	}
	s.scroll.Refresh()
}

// Title is the page title.
func (s *Guide) Title() string { return s.env.T("guide.title") }

// Object is the screen.
func (s *Guide) Object() fyne.CanvasObject { return s.holder }

// Leave has nothing to save.
func (s *Guide) Leave() {}

// TapPrimary begins a case.
func (s *Guide) TapPrimary() {
	if s.holder.Objects[0] == s.guide {
		s.start()
	}
}

// FocusFirst gives the keyboard to the search when somebody is looked for.
func (s *Guide) FocusFirst(c fyne.Canvas) {
	if s.holder.Objects[0] == s.ask {
		focusOn(c, s.search.Focusable())
	}
}

// FocusSearch goes to the search for a person.
func (s *Guide) FocusSearch(c fyne.Canvas) {
	if s.holder.Objects[0] != s.ask {
		s.start()
	}
	s.FocusFirst(c)
}
