package window

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/app/vm"
	"bianmin/offline/counter"
)

// After how long with nobody touching it a kiosk asks whether somebody is there, and how much later it begins anew.
const (
	kioskAsk   = 90 * time.Second
	kioskReset = 30 * time.Second
)

// Handover is what a kiosk's watchdog keeps for the program that it starts after a crash: who opened the machine for the
// public this morning, and the draft that a person was at. It is held in memory only.
type Handover struct {
	Operator string `json:"operator,omitempty"`
	PIN      string `json:"pin,omitempty"`
	Draft    string `json:"draft,omitempty"` // id; "" for none
}

// LogValue keeps PINs out of logs.
func (Handover) LogValue() slog.Value { return slog.StringValue("handover") }

// kiosk is the state of a machine that the public uses alone.
type kiosk struct {
	public bool     // the public has the screen; false: staff do
	used   bool     // somebody has touched the machine since it began anew
	drafts []string // begun by the person who is there
	ask    *sheet   // whether somebody is there; nil while nobody asks
	keep   Handover // as told last
	resume string   // draft that a start after a crash goes on with; "" once it is on the screen
}

// publicPages are those a person alone with the machine can come to. None shows anything of anybody else.
var publicPages = []screen.Page{
	screen.PageKiosk, screen.PageServices, screen.PageGuide, screen.PageWizard, screen.PageReceipt, screen.PageScan, screen.PageProgress,
}

func kioskPage() *page {
	return &page{
		root:  true,
		model: func(s *Shell, _ string) (any, error) { return vm.NewServices(s, s.session, ""), nil },
		view: as(func(s *Shell, m *vm.Services) screen.View {
			v := screen.NewKiosk(s.env, m)
			v.OnLook, v.OnLang, v.OnStaff, v.OnScan = s.wearLook, s.wearLang, s.askStaff, s.openScan
			return v
		}),
	}
}

// wearLook changes the look for the person who is there; the next one finds the machine's own again.
func (s *Shell) wearLook(name string) {
	look.Set(s.o.App, look.ParseMode(name))
	s.rebuild()
}

// wearLang changes the language for the person who is there.
func (s *Shell) wearLang(lang string) {
	s.lang = lang
	look.SetLang(lang)
	s.rebuild()
}

// noticing is a counter that tells who has logged in, for the watchdog.
type noticing struct {
	counter.Counter
	tell func(operator, pin string)
}

// Login opens a session.
func (n noticing) Login(ctx context.Context, id, pin string) (counter.Session, error) {
	session, err := n.Counter.Login(ctx, id, pin)
	if err == nil {
		n.tell(id, pin)
	}
	return session, err
}

// hand tells the watchdog what has changed.
func (s *Shell) hand(h Handover) {
	if s.kiosk.resume != "" && h.Operator != "" { // another crash before the draft is on the screen finds it again
		h.Draft = s.kiosk.resume
	}
	if h == s.kiosk.keep {
		return
	}
	s.kiosk.keep = h
	if s.o.Handover != nil {
		s.o.Handover(h)
	}
}

// restore goes on where the program before this one ended.
func (s *Shell) restore(h Handover) {
	s.kiosk.keep, s.kiosk.resume = h, h.Draft
	s.o.Work(func() {
		session, err := s.machine.Counter.Login(context.Background(), h.Operator, h.PIN)
		s.o.Post(func() {
			if err != nil {
				s.log.Error("open the kiosk again", slog.Any("cause", err))
				s.kiosk.resume = ""
				s.login()
				return
			}
			s.loggedIn(session)
			if h.Draft == "" {
				return
			}
			s.ownDraft(h.Draft)
			if err := s.visit(screen.Route{Page: screen.PageWizard, Arg: "draft:" + h.Draft}); err != nil {
				s.log.Info("draft not resumed", slog.Any("cause", err))
			}
			s.kiosk.resume = ""
			s.noteDraft()
		})
	})
}

// openToPublic begins self-service.
func (s *Shell) openToPublic() {
	s.kiosk.public = true
	input.SetPaged(true)
	for _, id := range s.keep.PublicDrafts { // of somebody who was there when the machine went off
		if id != s.kiosk.resume {
			s.kiosk.drafts = append(s.kiosk.drafts, id)
		}
	}
	s.reset()
}

// ownDraft notes a draft of the person who is there: when they have gone it is discarded, even if the machine goes off meanwhile.
func (s *Shell) ownDraft(id string) {
	if slices.Contains(s.kiosk.drafts, id) {
		return
	}
	s.kiosk.drafts = append(s.kiosk.drafts, id)
	s.keep.PublicDrafts = s.kiosk.drafts
	s.keepSettings()
}

// giveBack is the button 锁定: staff leave the machine. A kiosk goes back to the public.
func (s *Shell) giveBack() {
	if s.o.Kiosk && s.session != nil {
		s.openToPublic()
		return
	}
	s.Lock()
}

// closeToPublic ends self-service: the session behind it has ended. The watchdog forgets who opened it.
func (s *Shell) closeToPublic() {
	s.kiosk = kiosk{keep: s.kiosk.keep}
	input.SetPaged(false)
	s.hand(Handover{})
}

// reset leaves nothing of the person who was there and shows the first screen: drafts are discarded, the clipboard and
// the speech queue and the print jobs emptied, what was half typed is gone, fields with their undo dropped with their screens, look and language the machine's own.
func (s *Shell) reset() {
	s.dropSheet()
	s.kiosk.ask = nil
	s.leave()
	s.clearNote(true)
	for _, id := range s.kiosk.drafts {
		in, err := s.session.Resume(context.Background(), id)
		if err == nil {
			err = in.Discard(context.Background())
		} else { // submitted meanwhile, or begun in a colleague's session
			err = s.session.DropDraft(context.Background(), id)
		}
		if err != nil {
			s.log.Error("discard a kiosk's draft", slog.Any("cause", err))
		}
	}
	s.kiosk.drafts = nil
	if len(s.keep.PublicDrafts) > 0 {
		s.keep.PublicDrafts = nil
		s.keepSettings()
	}
	s.o.App.Clipboard().SetContent("")
	s.speaker().Cut()
	s.typing.board.Close()
	if s.machine.Spool != nil {
		if err := s.machine.Spool.Clear(); err != nil {
			s.log.Error("drop a kiosk's print jobs", slog.Any("cause", err))
		}
	}
	if s.o.OnReset != nil {
		s.o.OnReset()
	}
	s.folder, s.resume = "", nil
	s.lang = s.keep.Lang
	look.SetLang(s.lang)
	look.Set(s.o.App, look.ParseMode(s.keep.Look))
	s.history, s.alone = nil, nil
	s.touch()
	s.Go(screen.Route{Page: screen.PageKiosk})
	s.kiosk.used = false
	s.noteDraft()
}

// noteDraft notes the draft on the screen: for the watchdog, and to be discarded when the person has gone.
func (s *Shell) noteDraft() {
	id := ""
	if p := s.here(); p != nil && s.kiosk.public {
		if d, ok := p.model.(interface{ DraftID() string }); ok {
			id = d.DraftID()
		}
	}
	if id != "" {
		s.ownDraft(id)
	}
	h := s.kiosk.keep
	h.Draft = id
	if s.session == nil {
		h = Handover{}
	}
	s.hand(h)
}

// allowed reports whether a page may be shown to who has the screen. To a person alone with the machine nobody of the roster is.
func (s *Shell) allowed(r screen.Route) bool {
	if !s.kiosk.public {
		return true
	}
	verb, rest, _ := strings.Cut(r.Arg, ":")
	switch r.Page {
	case screen.PageServices:
		return r.Arg == ""
	case screen.PageGuide:
		return rest == ""
	case screen.PageWizard:
		return verb == "new" && !strings.Contains(rest, ":") || verb == "draft" && slices.Contains(s.kiosk.drafts, rest)
	}
	return slices.Contains(publicPages, r.Page)
}

// unattended reports whether nobody of the staff is at a self-service machine: it is the public's, or not opened yet.
func (s *Shell) unattended() bool { return s.o.Kiosk && (s.kiosk.public || s.session == nil) }

// kioskTick counts down to the next person.
func (s *Shell) kioskTick() {
	s.noteDraft()
	now := s.o.Clock.Now()
	idle := now.Sub(s.active)
	first := len(s.history) == 1 && s.history[0].route.Page == screen.PageKiosk && s.sheet == nil && s.lang == s.keep.Lang &&
		look.Current() == look.ParseMode(s.keep.Look)
	switch {
	case idle < 0:
		s.active = now // the clock went back
	case idle < kioskAsk:
	case first:
		if s.kiosk.used { // who went back to the first screen has left a draft, perhaps, or something on the clipboard
			s.reset()
		}
	case idle >= kioskAsk+kioskReset:
		s.reset()
	default:
		left := s.T("kiosk.still", "n", strconv.Itoa(int((kioskAsk+kioskReset-idle+time.Second-1)/time.Second)))
		if s.kiosk.ask != nil && s.sheet == fyne.CanvasObject(s.kiosk.ask) {
			s.kiosk.ask.text.SetText(left)
			return
		}
		q := newSheet(s.T("kiosk.stillTitle"), left, s.T("kiosk.goOn"), s.T("kiosk.end"), false, s.goOn, s.reset)
		s.showSheet(q)
		last := s.active
		s.win.Canvas().Focus(q.yes)
		s.active, s.kiosk.ask = last, q // that was nobody's act
		s.speak(s.T("kiosk.stillSpoken"))
	}
}

// goOn takes the question away: somebody is there.
func (s *Shell) goOn() {
	s.active = s.o.Clock.Now()
	if s.kiosk.ask != nil && s.sheet == fyne.CanvasObject(s.kiosk.ask) {
		s.dropSheet()
	}
	s.kiosk.ask = nil
}

// endVisit is the button 结束: the person says that they are done.
func (s *Shell) endVisit() {
	s.confirm(s.T("kiosk.endTitle"), s.T("kiosk.endText"), s.T("kiosk.end"), false, s.reset)
}

// askStaff asks for the PIN of who opened the machine. It takes no other: nobody else's session is behind this screen.
func (s *Shell) askStaff() {
	pad := input.NewPINPad(4, 12)
	fault := look.NewText("", look.StyleBody, look.RoleDanger)
	fault.Hide()
	pad.OnDone = func(pin string) {
		pad.Disable()
		id := s.session.Operator().ID
		s.o.Work(func() {
			session, err := s.machine.Counter.Login(context.Background(), id, pin)
			s.o.Post(func() {
				pad.Enable()
				if err != nil {
					fault.SetText(vm.Words(s, err))
					fault.Show()
					s.root.Refresh()
					if s.sheet != nil {
						s.sheet.Refresh()
					}
					return
				}
				s.staff(session)
			})
		})
	}
	q := &sheet{veil: canvas.NewRectangle(veil)}
	q.card = look.Card(look.Title(s.T("kiosk.staffTitle", "who", s.session.Operator().Name)), fault, pad,
		look.HStack(look.Gap2, look.Spring(), look.SecondaryButton(s.T("window.no"), s.dropSheet)))
	q.ExtendBaseWidget(q)
	s.showSheet(q)
	s.win.Canvas().Focus(pad)
}

// staff gives the screen to who knows the PIN, until they lock it or leave it alone.
func (s *Shell) staff(session counter.Session) {
	s.reset()
	s.kiosk.public = false
	input.SetPaged(false)
	old := s.session
	s.session = &waking{Session: session, wake: s.submitted}
	if err := old.Close(context.Background()); err != nil {
		s.log.Error("end session", slog.Any("cause", err))
	}
	s.Go(screen.Route{Page: screen.PageHome})
	s.reload()
}
