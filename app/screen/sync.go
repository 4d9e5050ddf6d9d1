package screen

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
	"bianmin/sync/engine"
)

// Sync is the screen 同步: what is here, what the platform holds, what it accepted, and what the line is doing.
type Sync struct {
	env *Env
	vm  *vm.Sync

	head    *look.Banner
	figures [3]*syncFigure
	sending *syncFacts
	line    *syncFacts
	history *fyne.Container
	trouble *fyne.Container
	note    *look.Text
	now     *look.Button
	network *look.Button // nil outside demo mode
	turning bool         // the sample county's network is being switched
	scroll  *input.Scroll
	root    fyne.CanvasObject
	st      vm.SyncState
	told    []vm.Notice // what history shows
	load    oneAtATime
}

var (
	_ View     = (*Sync)(nil)
	_ Primary  = (*Sync)(nil)
	_ Listener = (*Sync)(nil)
)

// Listener is a view that shows what the line to the platform does.
type Listener interface {
	// Hear takes what the engine told, on the UI goroutine.
	Hear(e engine.Event)
}

// NewSync builds the screen and reads where the machine stands.
func NewSync(env *Env, m *vm.Sync) *Sync {
	s := &Sync{
		env: env, vm: m, head: look.NewBanner(look.StateNone, "", ""), sending: newSyncFacts(), line: newSyncFacts(),
		history: look.VStack(look.Gap1), trouble: look.VStack(look.Gap1), note: look.Label("").Single(),
	}
	for i := range s.figures {
		s.figures[i] = newSyncFigure()
	}
	s.now = look.NewButton(look.Primary, env.T("syncpage.now"), "sync", s.TapPrimary)
	left := []fyne.CanvasObject{}
	if env.DemoNetwork != nil {
		s.network = look.NewButton(look.Secondary, "", "offline", s.turn)
		left = append(left, s.network)
	}
	wide := func(m look.Tokens) float32 { return m.Body * 23 }
	numbers := look.Grid(look.Gap2, func(m look.Tokens) float32 { return m.Body * 11 }, s.figures[0], s.figures[1], s.figures[2])
	s.scroll = input.NewScroll(look.Column(look.VStack(look.Gap3, s.head, numbers, look.Grid(look.Gap3, wide, s.sending.card, s.line.card), s.history, s.trouble)))
	s.root = look.Page(nil, s.scroll, look.ActionBar(left, s.note, s.now))
	s.Show(m.State())
	s.Refresh()
	return s
}

// Hear shows what the engine told, at once, and then what the logs say.
func (s *Sync) Hear(e engine.Event) {
	s.vm.Apply(e)
	s.Show(s.vm.State())
	s.Refresh()
}

// Refresh reads where the machine stands and shows it.
func (s *Sync) Refresh() {
	s.load.run(s.env, func() error { return s.vm.Load(context.Background()) }, func(err error) {
		if err != nil && !vm.HomeError(err) {
			s.env.Fail(err)
		}
		s.Show(s.vm.State())
	})
}

// Show shows st. Nothing is built anew while only numbers change.
func (s *Sync) Show(st vm.SyncState) {
	s.st = st
	s.head.Set(stateOf(st.Tone), st.Title, st.Text)
	for i, f := range st.Figures {
		s.figures[i].set(f)
	}
	title := s.env.T("syncpage.waitingTitle")
	if !st.Offline {
		title = s.env.T("syncpage.sendingTitle")
	}
	s.sending.set(title, st.Sending)
	s.line.set(s.env.T("syncpage.lineTitle"), st.Line)
	s.showHistory(st)
	s.showTrouble(st)
	s.note.SetText(st.NowNote)
	s.now.SetText(st.Now)
	if s.network != nil {
		s.showNetwork(st)
	}
	s.scroll.Refresh()
}

// showHistory tells what was repaired on the machine. It changes rarely, so it is built anew only then.
func (s *Sync) showHistory(st vm.SyncState) {
	s.history.Hidden = len(st.History) == 0
	if s.history.Hidden || slices.Equal(st.History, s.told) {
		return
	}
	s.told = st.History
	rows := []fyne.CanvasObject{look.Title(s.env.T("history.title"))}
	for _, n := range st.History {
		rows = append(rows, look.NewBanner(stateOf(n.Tone), n.Title, n.Text))
	}
	replace(s.history, rows...)
}

func (s *Sync) showTrouble(st vm.SyncState) {
	s.trouble.Hidden = len(st.Trouble) == 0
	rows := make([]fyne.CanvasObject, 0, len(st.Trouble)+1)
	for _, q := range st.Trouble {
		cells := []fyne.CanvasObject{look.NewIcon("danger", look.RoleDanger), look.Grow(look.VStack(look.GapH, look.Strong(q.Why), look.Label(q.Title+" · "+q.More)))}
		if q.To == (vm.Target{}) {
			rows = append(rows, look.Pad(look.Gap2, look.Gap2, look.HStack(look.Gap2, cells...)))
			continue
		}
		cells = append(cells, look.NewIcon("right", look.RoleSecondary))
		rows = append(rows, look.NewRow(look.Pad(look.Gap2, look.Gap2, look.HStack(look.Gap2, cells...)), func() { goTo(s.env, q.To) }))
	}
	if len(rows) > 0 {
		replace(s.trouble, look.Title(s.env.T("syncpage.trouble")), look.NewText(st.TroubleText, look.StyleBody, look.RoleSecondary), look.RowsCard(rows...))
	}
}

func (s *Sync) showNetwork(st vm.SyncState) {
	s.network.SetText(st.Network)
	icon := "offline"
	if st.NetworkTo {
		icon = "online"
	}
	s.network.SetIcon(icon)
	if s.turning {
		s.network.SetText(s.env.T("syncpage.switching"))
		s.network.Disable()
	} else {
		s.network.Enable()
	}
}

// turn cuts or restores the sample county's network. Starting its gateway takes a moment.
func (s *Sync) turn() {
	on := s.st.NetworkTo
	s.turning = true
	s.showNetwork(s.st)
	s.env.Work(func() {
		s.env.DemoNetwork(on)
		s.env.Post(func() {
			s.turning = false
			s.vm.SetNetwork(on)
			s.Show(s.vm.State())
		})
	})
}

// Title is the page title.
func (s *Sync) Title() string { return s.env.T("syncpage.title") }

// Object is the screen.
func (s *Sync) Object() fyne.CanvasObject { return s.root }

// Leave has nothing to save.
func (s *Sync) Leave() {}

// TapPrimary makes the machine call the platform now.
func (s *Sync) TapPrimary() {
	s.vm.SyncNow()
	s.Show(s.vm.State())
}

// syncFigure is a large number with its word, a line that explains it, and a shape for how it reads.
type syncFigure struct {
	look.Composite
	mark   *look.Icon
	number *look.BigNumber
	word   *look.Text
	note   *look.Text
}

func newSyncFigure() *syncFigure {
	f := &syncFigure{mark: look.NewIcon("clock", look.RoleSecondary), word: look.Strong("").Single(), number: look.NewBigNumber("0", look.RoleText), note: look.Label("")}
	f.Compose(f, look.Card(look.VStack(look.GapH, look.HStack(look.Gap1, f.mark, f.word), f.number, f.note)))
	return f
}

func (f *syncFigure) set(s vm.SyncFigure) {
	f.word.SetText(s.Word)
	f.note.SetText(s.Note)
	icon, role := "success", look.RoleSuccess
	switch s.Tone {
	case "warn":
		icon, role = "clock", look.RoleWarning
	case "info":
		icon, role = "online", look.RolePrimary
	}
	f.mark.Set(icon, role)
	f.number.Set(itoa(s.Count), role)
	f.Refresh()
}

// syncFacts is a card of names and values that change in place.
type syncFacts struct {
	card  *fyne.Container
	title *look.Text
	rows  *fyne.Container
	names []string
	texts []*look.Text
}

func newSyncFacts() *syncFacts {
	f := &syncFacts{title: look.Title(""), rows: look.VStack(look.Gap1)}
	f.card = look.Card(f.title, f.rows)
	return f
}

func (f *syncFacts) set(title string, facts []vm.Fact) {
	f.title.SetText(title)
	f.card.Hidden = len(facts) == 0
	same := len(facts) == len(f.names)
	for i := 0; same && i < len(facts); i++ {
		same = facts[i].Name == f.names[i]
	}
	if !same {
		f.names, f.texts, f.rows.Objects = nil, nil, nil
		for _, fact := range facts {
			value := look.Body("")
			f.names, f.texts = append(f.names, fact.Name), append(f.texts, value)
			f.rows.Objects = append(f.rows.Objects, look.KeyObject(fact.Name, value))
		}
	}
	for i, fact := range facts {
		f.texts[i].SetText(fact.Value)
	}
	f.card.Refresh()
}
