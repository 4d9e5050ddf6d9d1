package window

import (
	"context"
	"log/slog"

	"fyne.io/fyne/v2"

	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/app/vm"
)

// page says how a screen is made: its state from the argument of a route, and what is seen from its state.
type page struct {
	rail  string // the place in the rail it belongs to
	root  bool   // reached from the rail: what came before it is forgotten, but home
	once  bool   // not returned to: what was done there is done, or is a draft
	model func(s *Shell, arg string) (any, error)
	view  func(s *Shell, model any) screen.View
}

// pages are the screens there are. A screen joins the program by its line here.
var pages = map[screen.Page]*page{
	screen.PageHome: {
		rail: railHome, root: true,
		model: func(s *Shell, _ string) (any, error) {
			return vm.NewHome(s, s.machine.Counter, s.session, s.o.Now), nil
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
		model: func(s *Shell, arg string) (any, error) { return vm.NewGuide(s, s.session, s.o.Now, arg) },
		view:  as(func(s *Shell, m *vm.Guide) screen.View { return screen.NewGuide(s.env, m) }),
	},
	screen.PageSettings: {
		rail: railSettings, root: true,
		model: func(s *Shell, _ string) (any, error) {
			return vm.NewSettings(s, s.machine.Counter, s.session, s.o.Version, s.machine.Gateway, look.Current().String()), nil
		},
		view: as(func(s *Shell, m *vm.Settings) screen.View {
			v := screen.NewSettings(s.env, m, s.o.Now)
			v.OnLang, v.OnLock = s.setLang, s.Lock
			v.OnLook = func(name string) {
				m.SetLook(name)
				s.setLook(name)
			}
			return v
		}),
	},
}

// as adapts a builder of one kind of state.
func as[M any](build func(*Shell, M) screen.View) func(*Shell, any) screen.View {
	return func(s *Shell, model any) screen.View { return build(s, model.(M)) }
}

// Places of the rail.
const (
	railHome     = "home"
	railServe    = "serve"
	railCases    = "cases"
	railSync     = "sync"
	railSettings = "settings"
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
	if n := len(s.history); n > 0 && s.history[n-1].route == r && s.alone == nil {
		s.view.Refresh()
		return
	}
	p := pages[r.Page]
	if p == nil {
		s.log.Error("no such page", slog.String("page", string(r.Page)))
		return
	}
	model, err := p.model(s, r.Arg)
	if err != nil {
		s.fail(err)
		return
	}
	s.leave()
	for n := len(s.history); n > 0 && s.history[n-1].page.once; n-- {
		s.history = s.history[:n-1]
	}
	switch {
	case r.Page == screen.PageHome:
		s.history = nil
	case p.root && len(s.history) > 0:
		s.history = s.history[:1]
	}
	s.history = append(s.history, place{r, p, model})
	s.show()
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
	s.top.Hidden, s.rail.Hidden = !framed, !framed
	s.holder.Objects = []fyne.CanvasObject{s.view.Object()}
	s.showBar()
	s.root.Refresh()
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
	s.session = nil
	if session == nil {
		return
	}
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
