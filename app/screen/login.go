package screen

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
	"bianmin/offline/counter"
)

// Login is the screen 登录: who works at this machine, and the PIN.
type Login struct {
	// OnLogin is called with the session when somebody has logged in.
	OnLogin func(counter.Session)
	// OnPhrase is called when the way to type changes, for the next login.
	OnPhrase func(phrase bool)
	// OnLook and OnLang are called with the name of a look or a language to change to.
	OnLook, OnLang func(name string)

	env *Env
	vm  *vm.Login

	time, date *look.Text
	clock      *look.StatusDot
	cards      []*operatorCard
	prompt     *look.Text
	pad        *input.PINPad
	phrase     *input.TextField
	enter      *look.Button
	phraseBox  *fyne.Container
	toggle     *look.Button
	enterBox   fyne.CanvasObject
	change     *pinForm
	panel      *fyne.Container
	notice     *fyne.Container // what the county says; empty usually
	root       fyne.CanvasObject
	last       vm.LoginState
	may        bool // a pass phrase may be typed, as its field was told
}

var (
	_ View    = (*Login)(nil)
	_ Focuser = (*Login)(nil)
	_ Ticker  = (*Login)(nil)
)

// Ticker is a view that shows time: Tick is called each second on the UI goroutine.
type Ticker interface{ Tick() }

// Framed is a view that says whether it stands in the frame with bar and rail; views that do not say so do.
type Framed interface{ Framed() bool }

type operatorCard struct {
	*look.Pressable
	id   string
	note *look.StatusDot
}

// NewLogin builds the screen.
func NewLogin(env *Env, m *vm.Login) *Login {
	s := &Login{env: env, vm: m}
	st := m.State()
	s.time, s.date = look.Figure(""), look.Body("")
	s.clock = look.NewStatusDot(look.StateNone, "")
	s.prompt = look.Strong("").Align(fyne.TextAlignCenter)
	const least, most = 4, 12
	s.pad = input.NewPINPad(least, most)
	if st.Digits > 0 {
		s.pad = input.NewPINPad(st.Digits, st.Digits)
	}
	s.pad.OnDone = s.try
	s.pad.HideHint()
	s.phrase, s.may = input.NewSecret(), true
	s.phrase.SetOnEnter(s.tryPhrase)
	s.enter = look.PrimaryButton(env.T("login.enter"), s.tryPhrase)
	s.phraseBox = look.VStack(look.Gap3, look.NewFieldFrame(env.T("login.phrase"), s.phrase), s.enter)
	s.toggle = look.QuietButton("", "keyboard", func() {
		m.SetPhrase(!m.Phrase())
		s.Refresh()
		s.FocusFirst(canvasOf(s.root))
		if s.OnPhrase != nil {
			s.OnPhrase(m.Phrase())
		}
	})
	s.enterBox = look.VStack(look.Gap2, s.prompt, s.pad, s.phraseBox)
	s.change = newPINForm(env, false, s.changed, s.cancel)
	s.panel = look.VStack(look.Gap0, s.enterBox, s.change.root)
	s.notice = look.VStack(look.Gap0)
	s.root = input.NewScroll(look.Column(look.VStack(look.Gap0, look.Spring(), s.notice,
		look.VStack(look.Gap3, s.head(st), s.columns(st)), look.Spring())))
	s.Show(st)
	s.load()
	return s
}

// Reload reads where the machine stands: the county may have locked it.
func (s *Login) Reload() { s.load() }

// Stale reports whether other people may log in by now than when the screen was built.
func (s *Login) Stale() bool {
	ops := s.vm.State().Operators
	return !slices.EqualFunc(s.cards, ops, func(c *operatorCard, o vm.LoginCard) bool { return c.id == o.ID })
}

func (s *Login) load() {
	s.env.Work(func() {
		err := s.vm.Load(context.Background())
		s.env.Post(func() {
			if err != nil {
				s.env.Fail(err)
			}
			s.Refresh()
		})
	})
}

func (s *Login) head(st vm.LoginState) fyne.CanvasObject {
	emblem := look.AtLeast(func(t look.Tokens) fyne.Size { return fyne.NewSize(t.Touch*1.3, t.Touch*1.3) },
		look.Layer(look.NewSurface(look.RolePrimary, look.RoleClear),
			look.Centered(look.NewIconSized("mark", look.RoleOnPrimary, func(t look.Tokens) float32 { return t.Icon * 1.7 }))))
	right := func(o fyne.CanvasObject) fyne.CanvasObject { return look.HStack(look.Gap0, look.Spring(), o) }
	return look.HStack(look.Gap2, emblem,
		look.Grow(look.VStack(look.Gap0, look.PageTitle(st.Station), look.Label(st.Note))),
		look.VStack(look.Gap0, look.HStack(look.Gap1, look.Spring(), s.date.Single(), s.time), right(s.clock)))
}

func (s *Login) columns(st vm.LoginState) fyne.CanvasObject {
	left := []fyne.CanvasObject{look.VStack(look.GapH, look.Title(st.Title), look.Label(st.Hint))}
	for _, o := range st.Operators {
		card := s.operator(o)
		s.cards = append(s.cards, card)
		left = append(left, card)
	}
	if st.Demo != "" {
		lines := []fyne.CanvasObject{look.HStack(look.Gap1, look.NewIcon("info", look.RolePrimary), look.Grow(look.Body(st.Demo)))}
		for _, o := range st.Operators {
			if o.PIN != "" {
				lines = append(lines, look.KeyObject(o.Name, look.Strong(o.PIN)))
			}
		}
		left = append(left, look.Layer(look.NewSurface(look.RolePrimarySoft, look.RoleClear),
			look.Pad(look.Gap2, look.Gap2, look.VStack(look.Gap1, lines...))))
	}
	left = append(left, s.foot())
	wide := func(m look.Tokens) float32 { return m.Touch * 7.6 }
	return look.Grid(look.Gap3, wide, look.VStack(look.Gap2, left...), look.Card(s.panel))
}

func (s *Login) operator(o vm.LoginCard) *operatorCard {
	c := &operatorCard{id: o.ID, note: look.NewStatusDot(look.StateWarning, "")}
	c.Pressable = look.NewPressable(look.Pad(look.Gap2, look.Gap2, look.HStack(look.Gap2,
		look.NewIconSized("user", look.RolePrimary, func(m look.Tokens) float32 { return m.TileIcon * 0.8 }),
		look.Grow(look.VStack(look.Gap0, look.Title(o.Name), look.Label(o.Role), c.note)),
	)), func() {
		s.vm.Choose(o.ID)
		s.Refresh()
		s.FocusFirst(canvasOf(s.root))
	})
	return c
}

// foot has what a person may need before logging in: larger text, more contrast, the other language.
func (s *Login) foot() fyne.CanvasObject {
	return look.Wrap(look.Gap1, append([]fyne.CanvasObject{s.toggle}, lookButtons(s.env, &s.OnLook, &s.OnLang)...)...)
}

func (s *Login) tryPhrase() {
	text := s.phrase.Text()
	s.phrase.SetText("")
	if text != "" {
		s.try(text)
	}
}

func (s *Login) try(pin string) {
	if !s.vm.Begin() {
		s.Refresh()
		return
	}
	s.Refresh()
	s.env.Work(func() {
		session := s.vm.Try(context.Background(), pin)
		s.env.Post(func() { s.tried(session) })
	})
}

func (s *Login) tried(session counter.Session) {
	if session != nil {
		if s.OnLogin != nil {
			s.OnLogin(session)
		}
		return
	}
	s.Refresh()
	s.FocusFirst(canvasOf(s.root))
}

func (s *Login) changed(_, fresh, again string) {
	s.change.busy(true)
	s.env.Work(func() {
		session := s.vm.Change(context.Background(), fresh, again)
		s.env.Post(func() { s.change.busy(false); s.tried(session) })
	})
}

func (s *Login) cancel() {
	s.env.Work(func() {
		err := s.vm.Cancel(context.Background())
		s.env.Post(func() {
			if err != nil {
				s.env.Fail(err)
			}
			s.Refresh()
		})
	})
}

// Show shows st.
func (s *Login) Show(st vm.LoginState) {
	s.time.SetText(st.Time)
	s.date.SetText(st.Date)
	state := look.StateSuccess
	if st.ClockWarns {
		state = look.StateWarning
	}
	s.clock.Set(state, st.Clock)
	s.clock.Hidden = st.Clock == ""
	if st.Notice != s.last.Notice {
		s.notice.Objects = nil
		if st.Notice != "" {
			kind := look.StateWarning
			if st.Barred {
				kind = look.StateDanger
			}
			s.notice.Objects = append(s.notice.Objects, look.Pad(look.Gap0, look.Gap2, look.NewBanner(kind, "", st.Notice)))
		}
	}
	for i, c := range s.cards {
		if i >= len(st.Operators) || st.Operators[i].ID != c.id {
			break // who may log in has changed: the window builds the screen anew
		}
		o := st.Operators[i]
		c.note.Hidden = o.Note == ""
		c.note.Set(look.StateDanger, o.Note)
		c.SetSelected(o.Chosen)
	}
	if s.last.Chosen != st.Chosen || s.last.Change && !st.Change {
		s.pad.Clear()
		s.phrase.SetText("")
	}
	if s.last.Change != st.Change {
		s.change.clear()
	}
	switch {
	case st.Busy:
		s.prompt.SetText(st.Wait)
		s.prompt.SetRole(look.RoleSecondary)
	case st.Fault != "" && st.Wait != "":
		s.prompt.SetText(st.Fault + " " + st.Wait)
		s.prompt.SetRole(look.RoleDanger)
	case st.Wait != "":
		s.prompt.SetText(st.Wait)
		s.prompt.SetRole(look.RoleDanger)
	case st.Fault != "":
		s.prompt.SetText(st.Fault)
		s.prompt.SetRole(look.RoleDanger)
	default:
		s.prompt.SetText(st.Prompt)
		s.prompt.SetRole(look.RoleText)
	}
	s.pad.Hidden, s.phraseBox.Hidden = st.Phrase, !st.Phrase
	if s.toggle.Text() != st.Switch {
		s.toggle.SetText(st.Switch)
	}
	s.toggle.Hidden = st.Chosen == ""
	if s.pad.Disabled() == st.MayType {
		setEnabled(s.pad, st.MayType)
	}
	setEnabled(s.enter, st.MayType)
	if st.MayType != s.may {
		s.may = st.MayType
		s.phrase.SetReadOnly(!st.MayType)
	}
	s.enterBox.(*fyne.Container).Hidden = st.Change
	s.change.root.Hidden = !st.Change
	s.change.fault(st.Fault)
	relaid := st.Phrase != s.last.Phrase || st.Change != s.last.Change || st.Chosen != s.last.Chosen ||
		(st.Wait == "") != (s.last.Wait == "") || (st.Fault == "") != (s.last.Fault == "") || st.Notice != s.last.Notice || locks(st) != locks(s.last)
	s.last = st
	if relaid {
		s.root.Refresh()
	}
}

func locks(st vm.LoginState) (n int) {
	for _, o := range st.Operators {
		if o.Locked {
			n++
		}
	}
	return n
}

func setEnabled(w fyne.Disableable, on bool) {
	if on {
		w.Enable()
	} else {
		w.Disable()
	}
}

// Title is the page title.
func (s *Login) Title() string { return s.env.T("login.title") }

// Object is the screen.
func (s *Login) Object() fyne.CanvasObject { return s.root }

// Framed reports that the screen fills the window.
func (s *Login) Framed() bool { return false }

// Refresh shows the state of the moment.
func (s *Login) Refresh() { s.Show(s.vm.State()) }

// Tick counts the waits down.
func (s *Login) Tick() { s.Refresh() }

// Leave forgets what was typed.
func (s *Login) Leave() {
	s.pad.Clear()
	s.phrase.SetText("")
	s.change.clear()
}

// FocusFirst gives the keyboard to what is to be typed.
func (s *Login) FocusFirst(c fyne.Canvas) {
	switch {
	case s.last.Change:
		focusOn(c, s.change.fresh.Focusable())
	case !s.last.MayType:
	case s.last.Phrase:
		focusOn(c, s.phrase.Focusable())
	default:
		focusOn(c, s.pad)
	}
}

// pinForm asks for a new PIN twice, and for the old one when asked to.
type pinForm struct {
	old, fresh, again *input.TextField
	words             *look.Text
	save, cancel      *look.Button
	root              *fyne.Container
}

func newPINForm(env *Env, askOld bool, save func(old, fresh, again string), cancel func()) *pinForm {
	f := &pinForm{old: input.NewSecret(), fresh: input.NewSecret(), again: input.NewSecret(), words: look.NewText("", look.StyleBody, look.RoleDanger)}
	done := func() { save(f.old.Text(), f.fresh.Text(), f.again.Text()) }
	f.again.SetOnEnter(done)
	f.save, f.cancel = look.PrimaryButton(env.T("pin.save"), done), look.SecondaryButton(env.T("pin.cancel"), cancel)
	next := func(to *input.TextField) func() {
		return func() { focusOn(canvasOf(to), to.Focusable()) }
	}
	f.old.SetOnEnter(next(f.fresh))
	f.fresh.SetOnEnter(next(f.again))
	fresh := look.NewFieldFrame(env.T("pin.new"), f.fresh)
	fresh.SetHelp(env.T("pin.newHelp"))
	f.root = look.VStack(look.Gap2)
	if askOld {
		f.save.SetKind(look.Secondary) // the settings page has no primary act
		f.root.Objects = append(f.root.Objects, look.NewFieldFrame(env.T("pin.old"), f.old))
	} else {
		f.root.Objects = append(f.root.Objects, look.Title(env.T("pin.first")), look.Body(env.T("pin.firstText")))
	}
	f.root.Objects = append(f.root.Objects, fresh, look.NewFieldFrame(env.T("pin.again"), f.again), f.words,
		look.HStack(look.Gap2, f.cancel, look.Spring(), f.save))
	f.words.Hide()
	f.root = look.VStack(look.Gap0, look.AtMost(func(m look.Tokens) float32 { return m.Body * 26 }, f.root))
	return f
}

func (f *pinForm) fault(text string) {
	f.words.Hidden = text == ""
	f.words.SetText(text)
}

func (f *pinForm) busy(on bool) {
	setEnabled(f.save, !on)
	setEnabled(f.cancel, !on)
}

func (f *pinForm) clear() {
	for _, t := range []*input.TextField{f.old, f.fresh, f.again} {
		t.SetText("")
	}
	f.fault("")
}
