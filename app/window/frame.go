package window

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"time"

	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/app/vm"
	"bianmin/offline/counter"
	"bianmin/offline/words"
	"bianmin/sync/engine"
)

// noteStays is how long a message outlives a change of screen: one that was said on the way to the next screen is meant
// to be read there.
const noteStays = 2 * time.Second

// build makes the frame.
func (s *Shell) build() {
	s.top, s.rail = look.NewTopBar(), look.NewRail()
	s.top.OnSync = func() { s.Go(screen.Route{Page: screen.PageSync}) }
	s.top.OnOperator = func() { s.Go(screen.Route{Page: screen.PageSettings}) }
	s.top.OnLock = s.giveBack
	s.top.OnRead, s.top.OnEnd = s.readAloud, s.endVisit
	s.rail.OnSelect = func(id string) {
		if id == railRead {
			s.readAloud()
			return
		}
		for _, r := range railPages {
			if r.id == id {
				s.Go(screen.Route{Page: r.page})
			}
		}
	}
	s.notes, s.holder, s.task = look.VStack(look.Gap0), look.Layer(), newTaskNote()
	s.root = look.Layer(look.Frame(s.top, s.rail, look.Edges(s.notes, nil, nil, s.holder), s.typing.board.Panel()), s.typing.board.Float())
}

// showBar shows title, line and operator, and the rail.
func (s *Shell) showBar() {
	if s.session == nil || s.alone != nil || s.view == nil {
		return
	}
	if s.kiosk.public {
		end := ""
		if s.history[len(s.history)-1].route.Page != screen.PageKiosk {
			end = s.T("kiosk.end")
		}
		s.top.Set(look.TopBarState{Station: s.machine.Counter.Station().In(s.Lang()), Page: s.view.Title(), End: end})
		return
	}
	line := s.line.State(s)
	s.top.Set(look.TopBarState{
		Station: s.machine.Counter.Station().In(s.Lang()), Page: s.view.Title(), Sync: line.Text, State: lineState(line.State),
		Offline: line.Offline, Operator: s.session.Operator().Name,
	})
	var items []look.RailItem
	for _, r := range railPages {
		if s.pages[r.page] == nil {
			continue
		}
		item := look.RailItem{ID: r.id, Icon: r.icon, Word: s.T("rail." + r.id)}
		if r.id == railCases {
			item.Mark = s.line.Needs()
		}
		items = append(items, item)
	}
	if look.Current().Elder {
		items = append(items, look.RailItem{ID: railRead, Icon: "speaker", Word: s.T("speech.read")})
	}
	s.rail.SetItems(items...)
	here := s.here()
	rail := here.page.rail
	if m, ok := here.model.(*vm.Wizard); ok {
		if _, correcting := m.Correcting(); correcting {
			rail = railCases // the answer to a correction belongs to its case
		}
	}
	s.rail.Select(rail)
}

func lineState(name string) look.State {
	switch name {
	case "ok":
		return look.StateSuccess
	case "warn":
		return look.StateWarning
	case "danger":
		return look.StateDanger
	default:
		return look.StateInfo
	}
}

// onEvent takes what the engine tells, on its goroutine. Only the newest event is shown.
func (s *Shell) onEvent(e engine.Event) {
	s.mu.Lock()
	waiting := s.latest != nil
	if waiting {
		e.News += s.latest.News // what came is still to be shown
	}
	s.latest = &e
	s.mu.Unlock()
	if !waiting {
		s.o.Post(s.takeEvent)
	}
}

func (s *Shell) takeEvent() {
	s.mu.Lock()
	e := s.latest
	s.latest = nil
	s.mu.Unlock()
	if e == nil {
		return
	}
	s.line.Apply(*e)
	if v, ok := s.view.(screen.Listener); ok && s.alone == nil {
		v.Hear(*e)
	}
	s.reload()
}

// reload reads the counts of the machine and shows them.
func (s *Shell) reload() {
	if s.machine == nil {
		return
	}
	if s.reading {
		s.again = true
		return
	}
	s.reading = true
	c := s.machine.Counter
	s.o.Work(func() {
		st, err := c.Status(context.Background())
		s.o.Post(func() {
			s.reading = false
			if s.again {
				s.again = false
				defer s.reload()
			}
			if errors.Is(err, errWiped) {
				s.wiped(err)
				return
			}
			if err != nil {
				s.log.Error("read status", slog.Any("cause", err))
				return
			}
			if st.Barred != "" && s.session != nil { // by order of the county, or the lease is over
				s.Lock()
			} else if v, ok := s.view.(*screen.Login); ok {
				if v.Stale() {
					s.login()
				} else {
					v.Reload()
				}
			}
			changed := s.line.SetStatus(st)
			s.showBar()
			if _, listens := s.view.(screen.Listener); changed && !listens && s.session != nil && s.alone == nil && s.view != nil {
				s.view.Refresh()
			}
		})
	})
}

// wiped says that the county has destroyed the machine's keys. There is nothing left to go back to.
func (s *Shell) wiped(err error) {
	s.dropSheet()
	s.leave()
	s.session, s.machine = nil, nil
	s.showAlone(&place{page: &page{view: func(*Shell, any) screen.View { return newMessage(s, "", err) }}})
}

// submitted is called, from any goroutine, when something was committed that has to be sent.
func (s *Shell) submitted() {
	s.wake()
	s.o.Post(s.reload)
}

// wake tells the line that there is something to send.
func (s *Shell) wake() {
	if s.machine.Wake != nil {
		s.machine.Wake()
	}
}

// say shows a message over the screen. It stays until it is closed or another screen comes: nobody is hurried.
func (s *Shell) say(kind, text string) {
	state := look.StateInfo
	switch kind {
	case "ok":
		state = look.StateSuccess
	case "warn":
		state = look.StateWarning
	case "danger":
		state = look.StateDanger
	}
	shut := look.NewButton(look.Secondary, s.T("window.close"), "", func() { s.clearNote(true) })
	s.note = look.Narrow(look.ColumnWidth, look.Pad(look.Gap3, look.Gap1, look.NewBanner(state, "", text, shut)))
	s.said = s.o.Clock.Now()
	s.drawNotes()
}

// clearNote takes the message away; without force only one that has been there for a while.
func (s *Shell) clearNote(force bool) {
	if s.note == nil || !force && s.o.Clock.Now().Sub(s.said) < noteStays {
		return
	}
	s.note = nil
	s.drawNotes()
}

// drawNotes shows what the machine is busy with, and the message.
func (s *Shell) drawNotes() {
	s.notes.Objects = nil
	for _, o := range []fyne.CanvasObject{s.task.object(), s.note} {
		if o != nil {
			s.notes.Objects = append(s.notes.Objects, o)
		}
	}
	s.root.Refresh()
}

// fail shows an error in words and logs its cause. A fault nobody has words for gets a code that stands in the log, too.
func (s *Shell) fail(err error) {
	if errors.Is(err, counter.ErrLocked) {
		// Work of an earlier session may end late: what counts is whether this one is closed.
		if s.session == nil {
			return
		}
		if _, err := s.session.Catalog(); errors.Is(err, counter.ErrLocked) {
			s.endSession()
			s.login()
		}
		return
	}
	text, code := vm.Words(s, err), ""
	if key, _ := words.KeyOf(err); key == "error.unknown" {
		code = fmt.Sprintf("%08X", crc32.ChecksumIEEE([]byte(err.Error())))
		text += " (" + code + ")"
	}
	s.log.Error("shown to the operator", slog.Any("cause", err), slog.String("code", code))
	if key, _ := words.KeyOf(err); key == "store.rebuilding" || key == "store.checking" { // it ends by itself
		s.showTask()
		s.say("warn", text)
		return
	}
	s.say("danger", text)
}

// message is a screen that only says something: the machine is being opened, or cannot be.
type message struct {
	s    *Shell
	err  error
	root fyne.CanvasObject
}

var _ screen.View = (*message)(nil)

func newMessage(s *Shell, text string, err error) *message {
	m := &message{s: s, err: err}
	if err == nil {
		m.root = look.Centered(look.Busy(text))
		return m
	}
	text = vm.Words(s, err)
	again := look.PrimaryButton(s.T("window.again"), s.open)
	var left []fyne.CanvasObject
	if key, _ := words.KeyOf(err); key == "store.damaged" && s.o.Repair != nil && !s.o.Kiosk {
		left = append(left, look.NewButton(look.Secondary, s.T("window.repair"), "sync", s.repair))
	}
	const wide = 720
	m.root = look.Page(nil, input.NewScroll(look.Narrow(wide, look.Pad(look.Gap3, look.Gap4,
		look.VStack(look.Gap0, look.Card(look.EmptyState("warn", s.T("window.failed"), text)))))), look.ActionBar(left, again))
	return m
}

// Title is the page title.
func (m *message) Title() string { return m.s.T("window.title") }

// Object is the screen.
func (m *message) Object() fyne.CanvasObject { return m.root }

// Refresh has nothing to read.
func (m *message) Refresh() {}

// Leave has nothing to save.
func (m *message) Leave() {}

// TapPrimary tries again.
func (m *message) TapPrimary() {
	if m.err != nil {
		m.s.open()
	}
}
