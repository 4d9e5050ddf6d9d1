// Package window is the program as it is seen: one window with a bar at the top, a rail at the left and a screen between.
// It knows which screen is shown and where one came from, who is logged in, what the line to the platform is doing, and
// when to lock. The screens are package screen, what they decide package vm; package desktop runs what is behind.
//
// Everything here runs on the UI goroutine, but for what Options say runs off it.
package window

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"bianmin/app/device/speech"
	"bianmin/app/device/spool"
	"bianmin/app/input/rarepanel"
	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/app/vm"
	"bianmin/assets/translations"
	"bianmin/offline/clocks"
	"bianmin/offline/counter"
	"bianmin/offline/words"
	"bianmin/sync/engine"
)

// Size of the window when it opens, in Fyne's pixels.
const (
	openWidth  = 1280
	openHeight = 800
)

// Options of New. App, Texts and Open are needed.
type Options struct {
	App     fyne.App
	Texts   *translations.Catalog
	Lang    string // "zh" or "en", until the settings say otherwise; "" is Chinese
	Version string
	Dir     string       // folder for settings.json; "" keeps no settings
	Log     *slog.Logger // nil: discard; never gets personal data
	// Post runs fn on the UI goroutine and may be called from any; nil runs it at once.
	Post func(fn func())
	// Work runs fn off the UI goroutine; nil starts a goroutine. Tests run it inline.
	Work func(fn func())
	// Open takes the machine's folder and starts the line to the platform. onEvent may be called from any goroutine. An
	// error with the key "desk.notEnrolled" leads to the screen 登记. Called off the UI goroutine.
	Open func(onEvent func(engine.Event)) (Machine, error)
	// Enroll makes the folder that of a station's device. Called off the UI goroutine.
	Enroll func(gateway, code string) error
	// DemoPINs are shown at login in the sample county; nil elsewhere.
	DemoPINs map[string]string
	// DemoNetwork cuts and restores the sample county's network; nil elsewhere. Called off the UI goroutine.
	DemoNetwork func(on bool)
	// Kiosk makes it a machine that the public uses alone: the whole screen, no way out but a PIN.
	Kiosk bool
	// Handover is told, in a kiosk, what the watchdog has to keep for the next start; Restored is what it kept. On the UI
	// goroutine, or that of Work.
	Handover func(Handover)
	Restored Handover
	// OnTick is called each second on the UI goroutine: the program is alive. OnReset when a kiosk begins anew: what else
	// holds something of the person who was there forgets it. Both may be nil.
	OnTick, OnReset func()
	// Speaker reads aloud; nil: nothing does.
	Speaker speech.Speaker
	// Clock is the machine's; nil is the system's.
	Clock clocks.Clock
	// PickFile lets a person choose a file, SaveFile where to keep one; nil asks with a dialog.
	PickFile func(exts []string, then func(name string, data []byte))
	// Repair moves a database that does not open out of the way and puts the newest backup in its place; nil: nobody can here.
	Repair func() error
	// SaveFile keeps data as a file.
	SaveFile func(name string, data []byte)
	// Devices are what may be connected to the machine; nil: nothing is.
	Devices *Devices
	// After runs fn on the UI goroutine after d unless stop is called before; nil is the system's clock with Post.
	After func(d time.Duration, fn func()) (stop func())
	// Rare makes the panel of rare characters for the keyboard on the screen; nil: there is no key for it. read reads the ID card
	// on the reader; nil while no reader is chosen.
	Rare func(insert func(text string), done func(), read rarepanel.Read) fyne.CanvasObject
}

// Machine is what Open gives.
type Machine struct {
	Counter counter.Counter
	Wake    func()       // there is something to send; nil does nothing
	Gateway string       // the platform's address
	Spool   *spool.Spool // what is to be printed; nil prints nothing. Its changes come in through [Shell.Printed]
}

// Shell is the window.
type Shell struct {
	o     Options
	log   *slog.Logger
	win   fyne.Window
	env   *screen.Env
	keep  settings
	pages map[screen.Page]*page

	top    *look.TopBar
	rail   *look.Rail
	notes  *fyne.Container   // the message over the screen
	note   fyne.CanvasObject // in it; nil: none
	task   *taskNote         // what the machine is busy with
	holder *fyne.Container   // the screen
	root   *fyne.Container

	machine *Machine
	kiosk   kiosk
	lang    string          // of the moment; a kiosk's settings outlive it
	session counter.Session // nil: nobody is logged in
	line    vm.Topline
	history []place           // the last is on the screen
	alone   *place            // login, enrolment or a message: a screen outside the history
	view    screen.View       // on the screen; nil before the first
	sheet   fyne.CanvasObject // question over the window; nil for none
	folder  string            // where a file was chosen last
	resume  *resumption       // where the operator was who locked the machine
	said    time.Time         // when the message on the screen came
	active  time.Time         // when a person did something last
	warned  bool              // that the machine locks in a moment
	reading bool              // the counts are being read
	again   bool              // they are to be read once more after that

	typing typing

	mu     sync.Mutex    // guards latest
	latest *engine.Event // newest event that is not shown yet; nil: none
}

// place is a screen one was on: its route, and its state, from which it is built again.
type place struct {
	route screen.Route
	page  *page
	model any
}

type resumption struct {
	operator string
	route    screen.Route
}

var (
	errNotEnrolled = words.New("desk.notEnrolled", nil)
	errWiped       = words.New("desk.wiped", nil)
)

// New builds the window and begins to open the machine. It does not show it; ShowAndRun does.
func New(o Options) *Shell {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = clocks.System()
	}
	if o.Post == nil {
		o.Post = func(fn func()) { fn() }
	}
	if o.Work == nil {
		o.Work = func(fn func()) { go fn() }
	}
	if o.Lang == "" {
		o.Lang = translations.Chinese
	}
	s := &Shell{o: o, log: o.Log, active: o.Clock.Now(), pages: allPages()}
	s.keep = readSettings(o.Dir, s.log)
	if s.keep.Lang == "" {
		s.keep.Lang = o.Lang
	}
	s.lang = s.keep.Lang
	look.SetLang(s.lang)
	look.Set(o.App, look.ParseMode(s.keep.Look))
	s.speaker().Set(s.speech())
	s.win = o.App.NewWindow(s.T("window.title"))
	s.makeEnv()
	s.makeBoard()
	s.build()
	s.win.SetPadded(false)
	s.win.SetContent(s.root)
	s.win.Resize(fyne.NewSize(openWidth, openHeight))
	s.win.SetCloseIntercept(s.close)
	if o.Kiosk {
		s.win.SetFullScreen(true)
		s.win.SetCloseIntercept(func() {})
	}
	s.keys()
	s.open()
	return s
}

func (s *Shell) makeEnv() {
	s.env = &screen.Env{
		T: s.T, Lang: s.Lang, Post: s.o.Post, Work: s.o.Work, Go: s.Go, Back: s.Back, Confirm: s.confirm,
		PickFile: s.pickFile, SaveFile: s.saveFile, Say: s.say, Speak: s.speak, ReadAloud: s.readAloud, Fail: s.fail, Public: s.unattended, End: s.reset, DemoPINs: s.o.DemoPINs, Window: s.win,
	}
	if s.o.PickFile != nil {
		s.env.PickFile = s.o.PickFile
	}
	if s.o.SaveFile != nil {
		s.env.SaveFile = s.o.SaveFile
	}
	s.devices()
	if network := s.o.DemoNetwork; network != nil {
		s.env.DemoNetwork = func(on bool) { s.o.Work(func() { network(on) }) }
	}
}

// ShowAndRun shows the window and returns when the program ends.
func (s *Shell) ShowAndRun() {
	done := make(chan struct{})
	tick := time.NewTicker(time.Second)
	go func() {
		for {
			select {
			case <-tick.C:
				s.o.Post(s.tick)
			case <-done:
				return
			}
		}
	}()
	s.win.CenterOnScreen()
	s.win.ShowAndRun()
	tick.Stop()
	close(done)
}

// Raise brings the window to the front: the program was started a second time.
func (s *Shell) Raise() {
	s.win.Show()
	s.win.RequestFocus()
}

// Changed shows what a command from outside the window has changed in the machine's folder.
func (s *Shell) Changed() { s.reload() }

// Printed shows that a print job changed. Printing tells of every step, so only screens that show jobs are refreshed.
func (s *Shell) Printed() {
	if s.alone != nil || s.session == nil {
		return
	}
	switch s.view.(type) {
	case *screen.Receipt, *screen.CaseDetail, *screen.Printers, *screen.Home:
		s.view.Refresh()
	}
}

// papers lays papers out for the operator at work.
func (s *Shell) papers() *vm.Papers {
	return vm.NewPapers(s.machine.Counter, s.session, s.o.Texts, s.o.Clock.Now)
}

// Content is all that the window shows, for tests.
func (s *Shell) Content() fyne.CanvasObject { return s.root }

// Window is the window itself, for tests.
func (s *Shell) Window() fyne.Window { return s.win }

// T returns a text in the language of the moment.
func (s *Shell) T(key string, pairs ...string) string {
	if len(pairs) == 0 {
		return s.o.Texts.T(s.lang, key, nil)
	}
	args := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	return s.o.Texts.TS(s.lang, key, args)
}

// Lang returns the language of the moment.
func (s *Shell) Lang() string { return s.lang }

// open takes the machine's folder.
func (s *Shell) open() {
	s.showAlone(&place{page: &page{view: func(*Shell, any) screen.View { return newMessage(s, s.T("window.opening"), nil) }}})
	s.o.Work(func() {
		m, err := s.o.Open(s.onEvent)
		s.o.Post(func() { s.opened(m, err) })
	})
}

func (s *Shell) opened(m Machine, err error) {
	switch {
	case err == nil:
		if s.o.Kiosk {
			m.Counter = noticing{m.Counter, func(operator, pin string) { s.o.Post(func() { s.hand(Handover{Operator: operator, PIN: pin}) }) }}
		}
		s.machine = &m
		if s.o.Restored.Operator != "" {
			s.restore(s.o.Restored)
			return
		}
		s.login()
	case errors.Is(err, errNotEnrolled):
		s.enroll()
	default:
		s.log.Error("open the machine's folder", slog.Any("cause", err))
		s.showAlone(&place{page: &page{view: func(*Shell, any) screen.View { return newMessage(s, "", err) }}})
	}
}

// repair puts the newest backup in the place of a database that does not open, and opens it; the login brings back what the
// mirror has. The damaged file is kept.
func (s *Shell) repair() {
	s.showAlone(&place{page: &page{view: func(*Shell, any) screen.View { return newMessage(s, s.T("window.repairing"), nil) }}})
	s.o.Work(func() {
		err := s.o.Repair()
		s.o.Post(func() {
			if err != nil {
				s.opened(Machine{}, err)
				return
			}
			s.open()
		})
	})
}

func (s *Shell) enroll() {
	m := vm.NewEnroll(s, s.o.Enroll)
	s.showAlone(&place{model: m, page: &page{view: func(*Shell, any) screen.View {
		v := screen.NewEnroll(s.env, m)
		v.OnDone, v.OnLook, v.OnLang = s.login, s.setLook, s.setLang
		v.OnEnrolled = func() {
			s.o.Work(func() {
				machine, err := s.o.Open(s.onEvent)
				s.o.Post(func() {
					if err != nil {
						s.log.Error("open after enrolment", slog.Any("cause", err))
						m.SetFault(err)
					} else {
						s.machine = &machine
						m.SetDone(machine.Counter)
					}
					s.view.Refresh() // another one than v, when the look was changed meanwhile
				})
			})
		}
		return v
	}}})
}

// login shows who may log in.
func (s *Shell) login() {
	s.typing.board.Prepare() // while a PIN is being typed
	m := vm.NewLogin(s, s.machine.Counter, s.o.Clock.Now, s.o.DemoPINs, s.keep.Phrase)
	s.showAlone(&place{model: m, page: &page{view: func(*Shell, any) screen.View {
		v := screen.NewLogin(s.env, m)
		v.OnLogin, v.OnLook, v.OnLang = s.loggedIn, s.setLook, s.setLang
		v.OnPhrase = func(phrase bool) {
			s.keep.Phrase = phrase
			s.keepSettings()
		}
		return v
	}}})
}

func (s *Shell) loggedIn(session counter.Session) {
	s.session = &waking{Session: session, wake: s.submitted}
	if s.machine.Spool != nil {
		s.machine.Spool.Unlock(s.papers())
	}
	s.wake() // what waits for a login goes on now
	s.touch()
	if !s.o.Kiosk { // the public is offered no neighbours' names, and nothing is learned of it
		s.serve()
	}
	s.clearNote(true)
	if s.o.Kiosk {
		s.openToPublic()
		return
	}
	back := s.resume
	s.resume = nil
	s.Go(screen.Route{Page: screen.PageHome})
	if back != nil && back.operator == session.Operator().ID {
		if err := s.visit(back.route); err != nil { // the draft had nothing in it yet
			s.log.Info("draft not resumed", slog.Any("cause", err))
		}
	}
	s.reload()
}
