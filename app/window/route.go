package window

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/app/vm"
	"bianmin/offline/counter"
	"bianmin/offline/people"
)

// page says how a screen is made: its state from the argument of a route, and what is seen from its state.
type page struct {
	rail  string // the place in the rail it belongs to, unless its model says so itself
	root  bool   // reached from the rail: what came before it is forgotten, but home
	once  bool   // not returned to: what was done there is done, or is a draft
	model func(s *Shell, arg string) (any, error)
	view  func(s *Shell, model any) screen.View
}

// allPages are the screens there are. A screen joins the program by its entry here.
func allPages() map[screen.Page]*page {
	return map[screen.Page]*page{
		screen.PageHome: {
			rail: railHome, root: true,
			model: func(s *Shell, arg string) (any, error) {
				m := vm.NewHome(s, s.machine.Counter, s.session, s.o.Clock.Now)
				m.UsePrinting(s.machine.Spool)
				if query, ok := strings.CutPrefix(arg, vm.FindArg); ok {
					m.SetQuery(query)
				}
				return m, nil
			},
			view: as(func(s *Shell, m *vm.Home) screen.View { return screen.NewHome(s.env, m) }),
		},
		screen.PageServices: {
			rail: railServe, root: true,
			model: func(s *Shell, arg string) (any, error) { return vm.NewServices(s, s.session, arg), nil },
			view:  as(func(s *Shell, m *vm.Services) screen.View { return screen.NewServices(s.env, m) }),
		},
		screen.PageGuide: {
			rail:  railServe,
			model: func(s *Shell, arg string) (any, error) { return vm.NewGuide(s, s.session, s.o.Clock.Now, arg) },
			view:  as(func(s *Shell, m *vm.Guide) screen.View { return screen.NewGuide(s.env, m) }),
		},
		screen.PageWizard: {
			rail: railServe, once: true,
			model: func(s *Shell, arg string) (any, error) {
				in, err := s.intake(arg)
				if err != nil {
					return nil, err
				}
				m, err := vm.NewWizard(context.Background(), s.session, in, s)
				if err != nil {
					return nil, errors.Join(err, in.Close(context.Background()))
				}
				if s.kiosk.public {
					m.Alone()
				}
				if s.o.Devices != nil {
					m.CheckPhotos(s.o.Devices.CheckPhoto)
				}
				return m, nil
			},
			view: as(func(s *Shell, m *vm.Wizard) screen.View { return screen.NewWizard(s.env, m) }),
		},
		screen.PageReceipt: {
			rail: railCases,
			model: func(s *Shell, arg string) (any, error) {
				seq, stage, err := caseAndStage(arg)
				if err != nil {
					return nil, err
				}
				m := vm.NewReceipt(s.session, seq, stage, s)
				m.UsePrinting(s.machine.Spool, s.papers())
				return m, nil
			},
			view: as(func(s *Shell, m *vm.Receipt) screen.View { return screen.NewReceipt(s.env, m) }),
		},
		screen.PageCases: {
			rail: railCases, root: true,
			model: func(s *Shell, arg string) (any, error) { return vm.NewCases(s, s.session, s.o.Clock.Now, arg), nil },
			view:  as(func(s *Shell, m *vm.Cases) screen.View { return screen.NewCases(s.env, m) }),
		},
		screen.PageCase: {
			rail: railCases,
			model: func(s *Shell, arg string) (any, error) {
				seq, _, err := caseAndStage(arg)
				if err != nil {
					return nil, err
				}
				m := vm.NewCaseDetail(s, s.machine.Counter, s.session, s.o.Clock.Now, seq)
				m.UsePrinting(s.machine.Spool, s.papers())
				return m, nil
			},
			view: as(func(s *Shell, m *vm.CaseDetail) screen.View { return screen.NewCaseDetail(s.env, m) }),
		},
		screen.PageSync: {
			rail: railSync, root: true,
			model: func(s *Shell, _ string) (any, error) {
				m := vm.NewSync(s, s.machine.Counter, s.session, s.o.Clock.Now, s.machine.Gateway, s.wake)
				m.Apply(s.line.Event())
				return m, nil
			},
			view: as(func(s *Shell, m *vm.Sync) screen.View { return screen.NewSync(s.env, m) }),
		},
		screen.PageSettings: {
			rail: railSettings, root: true,
			model: func(s *Shell, _ string) (any, error) {
				m := vm.NewSettings(s, s.machine.Counter, s.session, s.o.Version, s.machine.Gateway, look.Current().String())
				m.SetIdle(int(s.idleAfter() / time.Minute))
				s.tellSpeech(m)
				m.SetTyping(s.keep.typed())
				return m, nil
			},
			view: as(func(s *Shell, m *vm.Settings) screen.View {
				v := screen.NewSettings(s.env, m, s.o.Clock.Now)
				v.OnLang, v.OnLock = s.setLang, s.Lock
				s.deviceSettings(v)
				v.OnVoice = func(name string) {
					s.setVoice(name)
					s.tellSpeech(m)
					v.Refresh()
				}
				s.typingChoices(m, v)
				v.OnOperators = func() { s.Go(screen.Route{Page: screen.PageOperators}) }
				v.OnPrinters = func() { s.Go(screen.Route{Page: screen.PagePrinters}) }
				v.OnIdle = func(minutes string) {
					n, err := strconv.Atoi(minutes)
					if err != nil {
						return
					}
					m.SetIdle(n)
					s.setIdle(n)
					v.Refresh()
				}
				v.OnLook = func(name string) {
					m.SetLook(name)
					s.setLook(name)
				}
				return v
			}),
		},
		screen.PageKiosk:    kioskPage(),
		screen.PageScan:     scanPage(),
		screen.PageProgress: progressPage(),
		screen.PageOperators: {
			rail:  railSettings,
			model: func(s *Shell, _ string) (any, error) { return vm.NewOperators(s, s.session), nil },
			view:  as(func(s *Shell, m *vm.Operators) screen.View { return screen.NewOperators(s.env, m) }),
		},
		screen.PagePrinters: {
			rail: railSettings,
			model: func(s *Shell, _ string) (any, error) {
				return vm.NewPrinters(s, s.machine.Spool, s.session.Operator().ID), nil
			},
			view: as(func(s *Shell, m *vm.Printers) screen.View { return screen.NewPrinters(s.env, m) }),
		},
	}
}

// as adapts a builder of one kind of state.
func as[M any](build func(*Shell, M) screen.View) func(*Shell, any) screen.View {
	return func(s *Shell, model any) screen.View { return build(s, model.(M)) }
}

// intake begins, resumes, corrects or completes a case: "new:<service>[:<person id>]", "draft:<id>", "correct:<case seq>" or
// "papers:<case seq>".
func (s *Shell) intake(arg string) (counter.Intake, error) {
	ctx := context.Background()
	verb, rest, _ := strings.Cut(arg, ":")
	switch verb {
	case "draft":
		return s.session.Resume(ctx, rest)
	case "correct", "papers":
		seq, _, err := caseAndStage(rest)
		if err != nil {
			return nil, err
		}
		if verb == "papers" {
			return s.session.HandIn(ctx, seq)
		}
		return s.session.Correct(ctx, seq)
	case "new":
		service, id, _ := strings.Cut(rest, ":")
		var person *people.Person
		if id != "" {
			var err error
			if person, err = s.session.Person(ctx, id, service); err != nil {
				return nil, err
			}
		}
		return s.session.Start(ctx, service, person)
	}
	return nil, fmt.Errorf("window: no intake %q", verb)
}

// caseAndStage reads "<case seq>" or "<case seq>:<stage>".
func caseAndStage(arg string) (seq uint64, stage uint8, err error) {
	head, tail, staged := strings.Cut(arg, ":")
	if seq, err = strconv.ParseUint(head, 10, 64); err != nil {
		return 0, 0, fmt.Errorf("window: case %q: %w", head, err)
	}
	if staged {
		n, err := strconv.ParseUint(tail, 10, 8)
		if err != nil {
			return 0, 0, fmt.Errorf("window: stage %q: %w", tail, err)
		}
		stage = uint8(n)
	}
	return seq, stage, nil
}

// Places of the rail.
const (
	railHome     = "home"
	railServe    = "serve"
	railCases    = "cases"
	railSync     = "sync"
	railSettings = "settings"
	railRead     = "read" // no place: reads the screen aloud, in the old-age sizes
)

var railPages = []struct {
	id, icon string
	page     screen.Page
}{
	{railHome, "home", screen.PageHome},
	{railServe, "service", screen.PageServices},
	{railCases, "cases", screen.PageCases},
	{railSync, "sync", screen.PageSync},
	{railSettings, "settings", screen.PageSettings},
}

// Go shows a screen. Without anybody logged in it does nothing.
func (s *Shell) Go(r screen.Route) {
	if s.session == nil {
		return
	}
	if r.Page == screen.PageHome && s.kiosk.public {
		r = screen.Route{Page: screen.PageKiosk}
	}
	if err := s.visit(r); err != nil {
		s.fail(err)
	}
}

// visit is Go; on an error the screen stays.
func (s *Shell) visit(r screen.Route) error {
	if n := len(s.history); n > 0 && s.history[n-1].route == r && s.alone == nil {
		s.view.Refresh()
		return nil
	}
	p := s.pages[r.Page]
	if p == nil || !s.allowed(r) {
		return fmt.Errorf("window: no page %q", r.Page)
	}
	model, err := p.model(s, r.Arg)
	if err != nil {
		return err
	}
	s.leave()
	s.alone = nil
	for n := len(s.history); n > 0 && s.history[n-1].page.once; n-- {
		s.history = s.history[:n-1]
	}
	if i := slices.IndexFunc(s.history, func(p place) bool { return p.route == r }); i > 0 {
		s.history = s.history[:i] // one goes back to a screen that one came from
	}
	switch {
	case r.Page == screen.PageHome, r.Page == screen.PageKiosk:
		s.history = nil
	case p.root && len(s.history) > 0:
		s.history = s.history[:1]
	}
	s.history = append(s.history, place{r, p, model})
	s.show()
	return nil
}

// Back returns to where one came from; from the first screen nowhere.
func (s *Shell) Back() {
	if s.session == nil {
		return
	}
	if len(s.history) < 2 {
		s.Go(screen.Route{Page: screen.PageHome})
		return
	}
	s.leave()
	s.history = s.history[:len(s.history)-1]
	s.show()
}

func (s *Shell) leave() {
	if s.o.Kiosk {
		s.noteDraft()
	}
	s.speaker().Cut() // it read the screen that goes
	if s.view != nil {
		s.view.Leave()
		s.view = nil
	}
	s.clearNote(false)
}

// here is the place on the screen; nil before the first.
func (s *Shell) here() *place {
	if s.alone != nil {
		return s.alone
	}
	if n := len(s.history); n > 0 {
		return &s.history[n-1]
	}
	return nil
}

func (s *Shell) showAlone(p *place) {
	s.leave()
	s.alone, s.history = p, nil
	s.show()
}

// show builds the screen of the place that one is at and puts it into the window.
func (s *Shell) show() {
	p := s.here()
	s.view = p.page.view(s, p.model)
	framed := s.alone == nil
	s.top.Hidden = !framed
	s.holder.Objects = []fyne.CanvasObject{s.view.Object()}
	s.showBar()
	s.makeRoom()
	c := s.win.Canvas()
	c.Unfocus()
	if f, ok := s.view.(screen.Focuser); ok {
		f.FocusFirst(c)
	}
}

// rebuild makes what is seen anew from the same state: the language has changed.
func (s *Shell) rebuild() {
	s.win.SetTitle(s.T("window.title"))
	s.clearNote(true)
	s.show()
}

// Lock ends the session and shows the login. The machine goes on sending. Whoever locked it returns to a draft begun.
func (s *Shell) Lock() {
	if s.session == nil {
		return
	}
	if p := s.here(); p != nil {
		if d, ok := p.model.(interface{ DraftID() string }); ok && d.DraftID() != "" {
			s.resume = &resumption{s.session.Operator().ID, screen.Route{Page: screen.PageWizard, Arg: "draft:" + d.DraftID()}}
		}
	}
	s.dropSheet()
	s.leave()
	s.endSession()
	s.login()
}

func (s *Shell) endSession() {
	session := s.session
	if session == nil {
		return
	}
	s.quitServing()
	s.session = nil
	if s.machine.Spool != nil {
		s.machine.Spool.Lock()
	}
	s.closeToPublic()
	if err := session.Close(context.Background()); err != nil {
		s.log.Error("end session", slog.Any("cause", err))
	}
}

// close saves what is on the screen and ends the program.
func (s *Shell) close() {
	s.leave()
	s.endSession()
	s.win.Close()
}
