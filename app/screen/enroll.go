package screen

import (
	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// PageEnroll is shown while the machine belongs to no station.
const PageEnroll Page = "enroll"

// Enroll is the screen 登记: the platform's address and the one-time code make this machine a station's device.
type Enroll struct {
	// OnEnrolled is called when the platform has agreed; it opens the machine's folder.
	OnEnrolled func()
	// OnDone is called when the person has read who may log in.
	OnDone func()
	OnLook func(look string) // another look was chosen; nil: nobody listens
	OnLang func(lang string) // another language was chosen; nil: nobody listens

	env *Env
	vm  *vm.Enroll

	gateway, code     *input.TextField
	gatewayF, codeF   *look.FieldFrame
	fault             *look.Banner
	progress          *look.StatusDot
	begin, file, done *look.Button
	ask, success      *fyne.Container
	names             *fyne.Container
	station, text     *look.Text
	scroll            *input.Scroll
	root              fyne.CanvasObject
}

var (
	_ View    = (*Enroll)(nil)
	_ Focuser = (*Enroll)(nil)
	_ Primary = (*Enroll)(nil)
)

// NewEnroll builds the screen.
func NewEnroll(env *Env, m *vm.Enroll) *Enroll {
	s := &Enroll{env: env, vm: m}
	s.gateway, s.code = input.NewText(300), input.NewCode(36)
	s.gateway.SetPurpose(input.Latin)
	s.gateway.SetHint("https://")
	s.gateway.SetOnChanged(func(text string) { m.SetGateway(text); s.Refresh() })
	s.code.SetOnChanged(func(text string) { m.SetCode(text); s.Refresh() })
	s.gateway.SetOnEnter(func() { focusOn(canvasOf(s.code), s.code.Focusable()) })
	s.code.SetOnEnter(s.run)
	s.gatewayF, s.codeF = look.NewFieldFrame(env.T("enroll.gateway"), s.gateway), look.NewFieldFrame(env.T("enroll.code"), s.code)
	s.gatewayF.SetHelp(env.T("enroll.gatewayHelp"))
	s.codeF.SetHelp(env.T("enroll.codeHelp"))
	s.fault = look.NewBanner(look.StateDanger, "", "")
	s.progress = look.NewStatusDot(look.StateInfo, "")
	s.begin = look.PrimaryButton(env.T("enroll.begin"), s.run)
	s.file = look.NewButton(look.Secondary, env.T("enroll.file"), "file", func() {
		env.PickFile([]string{".txt", ".code"}, func(_ string, data []byte) {
			m.SetFile(data)
			st := m.State()
			s.gateway.SetText(st.Gateway)
			s.code.SetText(st.Code)
			s.Show(st)
		})
	})
	s.done = look.PrimaryButton(env.T("enroll.login"), func() {
		if s.OnDone != nil {
			s.OnDone()
		}
	})
	s.ask = look.VStack(look.Gap3, look.Card(s.gatewayF, s.codeF, look.HStack(look.Gap0, s.file, look.Spring())), s.fault)
	s.station, s.text, s.names = look.Title(""), look.Body(""), look.VStack(look.Gap1)
	s.success = look.Card(look.HStack(look.Gap2, look.NewIconSized("success", look.RoleSuccess, func(t look.Tokens) float32 { return t.TileIcon }),
		look.Grow(look.VStack(look.GapH, s.station, s.text))), look.Line(), s.names)
	const wide = 760
	s.scroll = input.NewScroll(look.Narrow(wide, look.Pad(look.Gap3, look.Gap4, look.VStack(look.Gap3,
		look.Wrap(look.Gap1, lookButtons(env, &s.OnLook, &s.OnLang)...),
		look.VStack(look.Gap1, look.PageTitle(env.T("enroll.title")), look.Body(env.T("enroll.text"))), s.ask, s.success))))
	s.root = look.Page(nil, s.scroll, look.ActionBar([]fyne.CanvasObject{s.progress}, s.begin, s.done))
	st := m.State()
	s.gateway.SetText(st.Gateway)
	s.code.SetText(st.Code)
	s.Show(st)
	return s
}

func (s *Enroll) run() {
	if !s.vm.Begin() {
		return
	}
	s.Refresh()
	s.env.Work(func() {
		ok := s.vm.Run()
		s.env.Post(func() {
			s.Refresh()
			if ok && s.OnEnrolled != nil {
				s.OnEnrolled()
			}
		})
	})
}

// Show shows st.
func (s *Enroll) Show(st vm.EnrollState) {
	s.gatewayF.SetError(st.GatewayFault)
	s.codeF.SetError(st.CodeFault)
	s.codeF.SetMark(st.Left)
	s.fault.Hidden = st.Fault == ""
	s.fault.Set(look.StateDanger, st.Fault, "")
	s.progress.Hidden = st.Progress == ""
	s.progress.Set(look.StateInfo, st.Progress)
	setEnabled(s.begin, st.Ready)
	setEnabled(s.file, !st.Busy)
	s.gateway.SetReadOnly(st.Busy)
	s.code.SetReadOnly(st.Busy)
	s.ask.Hidden, s.success.Hidden = st.Done != nil, st.Done == nil
	s.begin.Hidden, s.done.Hidden = st.Done != nil, st.Done == nil
	if d := st.Done; d != nil {
		s.station.SetText(d.Title + " " + d.Station)
		s.text.SetText(d.Text)
		var rows []fyne.CanvasObject
		for _, name := range d.Operators {
			rows = append(rows, look.HStack(look.Gap1, look.NewIcon("user", look.RolePrimary), look.Grow(look.Body(name))))
		}
		s.names.Objects = rows
	}
	s.root.Refresh()
	s.scroll.Refresh()
}

// Title is the page title.
func (s *Enroll) Title() string { return s.env.T("enroll.title") }

// Object is the screen.
func (s *Enroll) Object() fyne.CanvasObject { return s.root }

// Framed reports that the screen fills the window.
func (s *Enroll) Framed() bool { return false }

// Refresh shows the newest state.
func (s *Enroll) Refresh() { s.Show(s.vm.State()) }

// Leave has nothing to save.
func (s *Enroll) Leave() {}

// TapPrimary begins, or goes on to the login.
func (s *Enroll) TapPrimary() {
	if !s.done.Hidden {
		s.done.Tapped(nil)
		return
	}
	s.run()
}

// FocusFirst gives the keyboard to the first field that is empty.
func (s *Enroll) FocusFirst(c fyne.Canvas) {
	if s.vm.State().Gateway == "" {
		focusOn(c, s.gateway.Focusable())
		return
	}
	focusOn(c, s.code.Focusable())
}
