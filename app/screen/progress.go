package screen

import (
	"context"

	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// Progress is the screen on which a person who is alone with the machine sees how far their cases are.
type Progress struct {
	env    *Env
	vm     *vm.Progress
	body   *fyne.Container
	scroll *input.Scroll
	load   oneAtATime
	root   fyne.CanvasObject
}

var _ View = (*Progress)(nil)

// NewProgress builds the screen and reads the cases.
func NewProgress(env *Env, m *vm.Progress) *Progress {
	s := &Progress{env: env, vm: m, body: look.VStack(look.Gap3)}
	s.scroll = input.NewScroll(look.Column(s.body))
	home := look.NewButton(look.Secondary, env.T("selfservice.home"), "home", func() { env.Go(Route{Page: PageKiosk}) })
	s.root = look.Page(nil, s.scroll, look.ActionBar([]fyne.CanvasObject{home}))
	s.Show(m.State())
	s.Refresh()
	return s
}

// Refresh reads the cases anew and shows them.
func (s *Progress) Refresh() {
	s.load.run(s.env, func() error { return s.vm.Load(context.Background()) }, func(err error) {
		if err != nil {
			s.env.Fail(err)
			return
		}
		s.Show(s.vm.State())
	})
}

// Show shows st.
func (s *Progress) Show(st vm.ProgressState) {
	if !st.Ready {
		replace(s.body, look.Card(look.Busy(s.env.T("case.loading"))))
		return
	}
	head := look.VStack(look.Gap1, look.PageTitle(st.Title))
	if st.Note != "" {
		head.Objects = append(head.Objects, look.Body(st.Note))
	}
	parts := []fyne.CanvasObject{head}
	if st.Paper != nil {
		parts = append(parts, look.NewBanner(stateOf(st.Paper.State), st.Paper.Title, st.Paper.Note))
	}
	for _, c := range st.Cases {
		parts = append(parts, s.oneCase(c))
	}
	replace(s.body, parts...)
	s.scroll.Refresh()
}

func (s *Progress) oneCase(c vm.ProgressCase) fyne.CanvasObject {
	t := s.env.T
	about := t("selfservice.no", "no", c.No)
	if c.Who != "" {
		about += " · " + t("selfservice.who", "who", c.Who)
	}
	rows := []fyne.CanvasObject{
		look.VStack(look.GapH, look.HStack(look.Gap2, look.Grow(look.Title(c.Item)), look.NewBadge(stateOf(c.Tone), c.State)),
			look.NewText(about, look.StyleBody, look.RoleSecondary), look.Body(c.Explain)),
	}
	if c.Ask != "" {
		rows = append(rows, look.NewBanner(look.StateWarning, "", c.Ask))
	}
	if c.Result != "" {
		rows = append(rows, look.NewBanner(stateOf(c.Tone), c.State, c.Result))
	}
	if len(c.Steps) > 0 {
		moments := make([]look.Moment, len(c.Steps))
		for i, step := range c.Steps {
			moments[i] = look.Moment{What: step.What, When: step.When, More: step.Note, State: stateOf(step.Tone)}
		}
		rows = append(rows, look.Line(), look.Timeline(moments...))
	}
	if c.Receipt != (vm.Target{}) {
		rows = append(rows, look.Wrap(look.Gap1, look.NewButton(look.Secondary, t("selfservice.receipt"), "print", func() { goTo(s.env, c.Receipt) })))
	}
	return look.Card(rows...)
}

// Title is the page title.
func (s *Progress) Title() string { return s.env.T("selfservice.title") }

// Object is the screen.
func (s *Progress) Object() fyne.CanvasObject { return s.root }

// Leave has nothing to save.
func (s *Progress) Leave() {}
