package screen

import (
	"context"
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// Settings is the screen 设置: how it looks and speaks, the operator's PIN, the check of the machine, what it is.
type Settings struct {
	// OnLook and OnLang are called with the name of a look or a language to change to.
	OnLook, OnLang func(name string)
	// OnVoice is called with a choice for reading aloud: "voice.…", "speed.…" or "volume.…".
	OnVoice func(name string)
	// OnIdle is called with the minutes after which the machine locks by itself.
	OnIdle func(minutes string)
	// OnKeyboard, OnLayout and OnFuzzy are called with what was tapped: when the keyboard on the screen comes up, what one
	// writes Chinese with, a pair of sounds to be switched over.
	OnKeyboard, OnLayout, OnFuzzy func(name string)
	// OnForget is called to wipe what was learned of the operator's typing.
	OnForget func()
	// OnOperators is called to see who may log in.
	OnOperators func()
	// OnPrinters is called to see the printers and the print queue.
	OnPrinters func()
	// OnLock is called to lock the machine.
	OnLock func()

	env *Env
	vm  *vm.Settings
	now func() time.Time

	looks, langs   map[string]*look.Pressable
	idle, voices   map[string]*look.Pressable
	marks          map[*look.Pressable]*look.Icon
	typing         *typingCard
	pin            *pinForm
	pinOpen        *look.Button
	pinDone        *look.StatusDot
	check, rebuild *look.Button
	progress       *look.StatusDot
	bar            *look.Bar
	result         *look.Banner
	more           *fyne.Container
	about          *fyne.Container
	secret         *look.Banner
	scroll         *input.Scroll
	body           *fyne.Container
	devices        *DeviceCard // nil: there is nothing to connect
}

var _ View = (*Settings)(nil)

// NewSettings builds the screen; now paces the progress of the check.
func NewSettings(env *Env, m *vm.Settings, now func() time.Time) *Settings {
	s := &Settings{env: env, vm: m, now: now, looks: map[string]*look.Pressable{}, langs: map[string]*look.Pressable{}, idle: map[string]*look.Pressable{}, voices: map[string]*look.Pressable{}, marks: map[*look.Pressable]*look.Icon{}}
	st, t := m.State(), env.T
	s.pin = newPINForm(env, true, s.changePIN, func() { m.OpenPIN(false); s.Refresh() })
	s.pinOpen = look.NewButton(look.Secondary, t("settings.changePIN"), "key", func() {
		m.OpenPIN(true)
		s.pin.clear()
		s.Refresh()
		focusOn(canvasOf(s.scroll), s.pin.old.Focusable())
	})
	s.pinDone = look.NewStatusDot(look.StateSuccess, "")
	lock := look.NewButton(look.Secondary, t("settings.lock"), "lock", func() {
		if s.OnLock != nil {
			s.OnLock()
		}
	})
	who := look.NewButton(look.Secondary, t("operators.title"), "user", func() {
		if s.OnOperators != nil {
			s.OnOperators()
		}
	})
	printers := look.NewButton(look.Secondary, t("settings.printers"), "print", func() {
		if s.OnPrinters != nil {
			s.OnPrinters()
		}
	})
	s.check = look.NewButton(look.Secondary, t("settings.check"), "shield", func() { s.runCheck(false) })
	s.rebuild = look.NewButton(look.Secondary, t("settings.rebuild"), "history", func() {
		env.Confirm(t("settings.rebuildTitle"), t("settings.rebuildText"), t("settings.rebuildYes"), false, func() { s.runCheck(true) })
	})
	s.progress, s.bar = look.NewStatusDot(look.StateNone, ""), look.NewBar()
	s.result = look.NewBanner(look.StateSuccess, "", "")
	s.more, s.about = look.VStack(look.Gap1), look.VStack(look.Gap2)
	s.secret = look.NewBanner(look.StateWarning, "", "")
	s.typing = s.newTypingCard(st)
	s.body = look.VStack(look.Gap3,
		look.Card(look.Title(t("settings.lookTitle")), s.choices(st.Looks, s.looks, &s.OnLook, 13), look.Line(),
			look.Title(t("settings.langTitle")), s.choices(st.Langs, s.langs, &s.OnLang, 13)),
		s.speechCard(st),
		look.Card(look.Title(t("settings.account")), look.KeyValue(t("settings.operator"), st.Operator),
			look.Wrap(look.Gap2, s.pinOpen, lock, who, s.pinDone), s.pin.root, look.Line(),
			look.Title(t("settings.idleTitle")), s.choices(st.Idle, s.idle, &s.OnIdle, 13)),
		s.typing.root,
		look.Card(look.Title(t("settings.printers")), look.Body(t("printers.note")), look.Wrap(look.Gap2, printers)),
		look.Card(look.Title(t("settings.checkTitle")), look.Body(st.CheckNote), look.Wrap(look.Gap2, s.check, s.rebuild, s.progress), s.bar, s.result, s.more),
		look.Card(look.Title(t("settings.aboutTitle")), s.about, s.secret))
	s.scroll = input.NewScroll(look.Column(s.body))
	s.Show(st)
	env.Work(func() {
		err := m.Load(context.Background())
		env.Post(func() {
			if err != nil {
				env.Fail(err)
			}
			s.Refresh()
		})
	})
	return s
}

func (s *Settings) choices(all []vm.Choice, into map[string]*look.Pressable, fn *func(string), ems float32) fyne.CanvasObject {
	cards := make([]fyne.CanvasObject, len(all))
	for i, c := range all {
		mark := look.NewIcon("check", look.RolePrimary)
		lines := []fyne.CanvasObject{look.Strong(c.Label)}
		if c.Note != "" {
			lines = append(lines, look.Label(c.Note))
		}
		card := look.NewPressable(look.Pad(look.Gap2, look.Gap2, look.HStack(look.Gap1, look.Grow(look.VStack(look.GapH, lines...)), mark)), func() {
			if *fn != nil {
				(*fn)(c.Value)
			}
		})
		into[c.Value], s.marks[card], cards[i] = card, mark, card
	}
	return look.Grid(look.Gap2, func(m look.Tokens) float32 { return m.Body * ems }, cards...)
}

func (s *Settings) runCheck(rebuild bool) {
	if !s.vm.BeginCheck(rebuild) {
		return
	}
	s.Refresh()
	s.env.Work(func() {
		s.vm.Check(context.Background(), s.now, func() { s.env.Post(s.Refresh) })
		s.env.Post(func() {
			s.Refresh()
			s.scroll.Reveal(s.result)
		})
	})
}

func (s *Settings) changePIN(old, fresh, again string) {
	if !s.vm.BeginPIN() {
		return
	}
	s.pin.busy(true)
	s.Refresh()
	s.env.Work(func() {
		s.vm.ChangePIN(context.Background(), old, fresh, again)
		s.env.Post(func() {
			s.pin.busy(false)
			s.Refresh()
		})
	})
}

// Show shows st.
func (s *Settings) Show(st vm.SettingsState) {
	for _, c := range slices.Concat(st.Looks, st.Langs, st.Idle, st.Voices, st.Speeds, st.Volumes) {
		card := s.looks[c.Value]
		if card == nil {
			card = s.langs[c.Value]
		}
		if card == nil {
			card = s.idle[c.Value]
		}
		if card == nil {
			card = s.voices[c.Value]
		}
		card.SetSelected(c.On)
		s.marks[card].Hidden = !c.On
	}
	s.typing.show(s, st)
	s.pin.root.Hidden = !st.PINOpen
	s.pin.fault(st.PINFault)
	setEnabled(s.pinOpen, !st.PINOpen)
	s.pinDone.Hidden = st.PINDone == ""
	s.pinDone.Set(look.StateSuccess, st.PINDone)
	setEnabled(s.check, !st.Checking)
	setEnabled(s.rebuild, !st.Checking)
	s.progress.Hidden = !st.Checking
	s.progress.Set(look.StateNone, st.Progress)
	s.bar.Hidden = !st.Checking
	s.bar.Set(st.Share)
	s.result.Hidden = st.Result == ""
	state := look.StateDanger
	if st.ResultOK {
		state = look.StateSuccess
	}
	s.result.Set(state, st.Result, "")
	s.more.Objects = nil
	for _, line := range append(append([]string{}, st.Faults...), st.Lines...) {
		s.more.Objects = append(s.more.Objects, look.Body(line))
	}
	s.more.Hidden = len(s.more.Objects) == 0
	s.about.Objects = keyValues(st.About)
	s.secret.Hidden = st.Secret == ""
	kind := look.StateInfo
	if st.SecretWarns {
		kind = look.StateWarning
	}
	s.secret.Set(kind, s.env.T("settings.secret"), st.Secret)
	if s.devices != nil {
		s.devices.show()
	}
	s.scroll.Refresh()
}

// Title is the page title.
func (s *Settings) Title() string { return s.env.T("settings.title") }

// Object is the screen.
func (s *Settings) Object() fyne.CanvasObject { return s.scroll }

// Refresh shows the newest state.
func (s *Settings) Refresh() { s.Show(s.vm.State()) }

// Leave forgets what was typed.
func (s *Settings) Leave() { s.pin.clear() }
