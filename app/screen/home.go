package screen

import (
	"context"
	"strconv"

	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// Home is the screen 首页: one search for everything, places to go, what is due today, drafts to go on with.
type Home struct {
	env *Env
	vm  *vm.Home

	greeting, date *look.Text
	search         *input.TextField
	results, calm  *fyne.Container // what was found; what is shown while nothing is typed
	first          func()          // opens the first result
	scroll         *input.Scroll
	root           fyne.CanvasObject
	load           oneAtATime
	loaded         bool
}

var (
	_ View       = (*Home)(nil)
	_ Focuser    = (*Home)(nil)
	_ Searchable = (*Home)(nil)
	_ Stepper    = (*Home)(nil)
)

// NewHome builds the screen.
func NewHome(env *Env, m *vm.Home) *Home {
	s := &Home{env: env, vm: m, greeting: look.PageTitle(""), date: look.Label("")}
	s.search = input.NewSearch(env.T("home.search"))
	s.search.SetText(m.State().Query)
	s.search.SetOnChanged(func(text string) {
		m.SetQuery(text)
		s.Show(m.State())
	})
	s.search.SetOnEnter(func() {
		if text := s.search.Text(); env.Devices != nil && vm.IsCredential(text) {
			s.search.SetText("")
			m.SetQuery("")
			env.Devices.Code(text)
			return
		}
		if s.first != nil {
			s.first()
		}
	})
	s.results, s.calm = look.VStack(look.Gap3), look.VStack(look.Gap3)
	s.scroll = input.NewScroll(look.Column(look.VStack(look.Gap3,
		look.HStack(look.Gap2, look.Grow(s.greeting), s.date.Single()),
		look.VStack(look.GapH, s.searchRow(), look.Label(env.T("home.searchHelp"))), s.results, s.calm)))
	s.root = s.scroll
	s.Refresh()
	return s
}

// searchRow is the search, with the camera beside it where there is one.
func (s *Home) searchRow() fyne.CanvasObject {
	if !s.env.camera() {
		return s.search
	}
	return look.HStack(look.Gap1, look.Grow(s.search), look.NewButton(look.Secondary, s.env.T("scan.button"), "scan", s.env.Devices.Scan))
}

// Refresh reads the newest state and shows it.
func (s *Home) Refresh() {
	s.load.run(s.env, func() error { return s.vm.Load(context.Background()) }, func(err error) {
		if err != nil && !vm.HomeError(err) {
			s.env.Fail(err)
		}
		s.loaded = true
		s.Show(s.vm.State())
	})
}

// Show shows st.
func (s *Home) Show(st vm.HomeState) {
	s.greeting.SetText(st.Greeting)
	s.date.SetText(st.Date)
	s.first = nil
	if st.Query != "" {
		s.calm.Hide()
		replace(s.results, s.found(st)...)
		s.results.Show()
	} else {
		s.results.Hide()
		replace(s.calm, s.idle(st)...)
		s.calm.Show()
	}
	s.scroll.Refresh()
}

func (s *Home) found(st vm.HomeState) []fyne.CanvasObject {
	var out []fyne.CanvasObject
	for _, g := range st.Groups {
		var rows []fyne.CanvasObject
		for _, h := range g.Rows {
			var tap func()
			if h.To != (vm.Target{}) {
				tap = func() { goTo(s.env, h.To) }
			}
			if s.first == nil {
				s.first = tap
			}
			if h.State != "" && h.Word == "" {
				out = append(out, s.verdict(g.Title, h, tap))
				continue
			}
			var right []fyne.CanvasObject
			switch {
			case h.Word != "" && h.State == "":
				right = append(right, look.NewText(h.Word, look.StyleLabel, look.RolePrimary).Single())
			case h.Word != "":
				right = append(right, look.NewBadge(stateOf(h.State), h.Word))
			}
			rows = append(rows, linkRow(h.Icon, h.Title, h.Note, tap, right...))
		}
		if len(rows) > 0 {
			out = append(out, titledRows(g.Title, rows...))
		}
	}
	if st.None != "" {
		out = append(out, look.Card(look.EmptyState("search", st.None, s.env.T("home.noneText"))))
	}
	return out
}

// verdict says what a receipt is worth, and leads to its case when that is here.
func (s *Home) verdict(title string, h vm.Hit, open func()) fyne.CanvasObject {
	parts := []fyne.CanvasObject{look.Title(title), look.NewBanner(stateOf(h.State), h.Title, h.Note)}
	if open != nil {
		parts = append(parts, look.RowsCard(linkRow("cases", s.env.T("home.openCase"), "", open)))
	}
	return look.VStack(look.Gap1, parts...)
}

func (s *Home) idle(st vm.HomeState) []fyne.CanvasObject {
	tiles := make([]fyne.CanvasObject, len(st.Tiles))
	for i, t := range st.Tiles {
		tiles[i] = look.NewTile(t.Icon, t.Word, t.Note, func() { goTo(s.env, t.To) })
	}
	narrow := func(m look.Tokens) float32 { return m.TileIcon * 3.3 } // four stand side by side in the smallest window
	out := []fyne.CanvasObject{look.Grid(look.Gap2, narrow, tiles...)}
	if !s.loaded {
		return out
	}
	wide := func(m look.Tokens) float32 { return m.Body * 24 }
	return append(out, look.Grid(look.Gap3, wide, s.today(st), s.drafts(st)))
}

func (s *Home) today(st vm.HomeState) fyne.CanvasObject {
	if len(st.Today) == 0 {
		return look.VStack(look.Gap1, look.Title(s.env.T("home.today")),
			look.RowsCard(look.Pad(look.Gap2, look.Gap2, look.HStack(look.Gap2, look.NewIcon("success", look.RoleSuccess), look.Grow(look.Body(st.TodayDone))))))
	}
	rows := make([]fyne.CanvasObject, len(st.Today))
	for i, r := range st.Today {
		count := look.NewBadge(stateOf(r.State), s.env.T("home.count", "n", strconv.Itoa(r.Count)))
		rows[i] = linkRow(r.Icon, r.Word, r.Note, func() { goTo(s.env, r.To) }, count)
	}
	return titledRows(s.env.T("home.today"), rows...)
}

func (s *Home) drafts(st vm.HomeState) fyne.CanvasObject {
	title := s.env.T("home.drafts")
	if len(st.Drafts) == 0 {
		return look.VStack(look.Gap1, look.Title(title),
			look.RowsCard(look.Pad(look.Gap2, look.Gap2, look.HStack(look.Gap2, look.NewIcon("pen", look.RoleSecondary),
				look.Grow(look.NewText(s.env.T("home.noDrafts"), look.StyleBody, look.RoleSecondary))))))
	}
	var rows []fyne.CanvasObject
	for _, d := range st.Drafts {
		drop := look.QuietButton("", "trash", func() { s.drop(d) })
		open := look.NewRow(look.Pad(look.Gap2, look.Gap2, look.HStack(look.Gap2, look.NewIcon("pen", look.RolePrimary),
			look.Grow(look.VStack(look.GapH, look.Strong(d.Title), look.Label(d.Note))))), func() { goTo(s.env, d.To) })
		rows = append(rows, look.HStack(look.Gap0, look.Grow(open), drop, look.Pad(look.Gap1, look.Gap0, look.NewIcon("right", look.RoleSecondary))))
	}
	if st.MoreDrafts != "" {
		rows = append(rows, look.QuietButton(st.MoreDrafts, "down", func() {
			s.vm.ShowAllDrafts()
			s.Show(s.vm.State())
		}))
	}
	return titledRows(title, rows...)
}

func (s *Home) drop(d vm.DraftRow) {
	t := s.env.T
	s.env.Confirm(t("home.dropTitle"), t("home.dropText", "what", d.Title+" · "+d.Note), t("home.drop"), true, func() {
		s.env.Work(func() {
			err := s.vm.DropDraft(context.Background(), d.ID)
			s.env.Post(func() {
				if err != nil {
					s.env.Fail(err)
				}
				s.Show(s.vm.State())
			})
		})
	})
}

// StepBack empties the search.
func (s *Home) StepBack() bool {
	if s.search.Text() == "" {
		return false
	}
	s.search.SetText("")
	s.vm.SetQuery("")
	s.Show(s.vm.State())
	return true
}

// Title is the page title.
func (s *Home) Title() string { return s.env.T("home.title") }

// Object is the screen.
func (s *Home) Object() fyne.CanvasObject { return s.root }

// Leave has nothing to save.
func (s *Home) Leave() {}

// FocusFirst gives the keyboard to the search, so that a scanner's text arrives there.
func (s *Home) FocusFirst(c fyne.Canvas) { focusOn(c, s.search.Focusable()) }

// FocusSearch goes to the search.
func (s *Home) FocusSearch(c fyne.Canvas) {
	s.scroll.Top()
	s.FocusFirst(c)
}
