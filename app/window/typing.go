package window

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/input/keyboard"
	"bianmin/app/input/rarepanel"
	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/app/vm"
	"bianmin/offline/counter"
	"bianmin/offline/pinyin/ime"
)

// keepLearnedAfter is how long nothing must have been learned until it is saved: never between two keystrokes.
const keepLearnedAfter = 5 * time.Second

// typing is what the window knows about the input method.
type typing struct {
	board   *keyboard.Board
	taught  time.Time // when something was learned that is not saved yet; zero: all is
	saving  bool
	serving counter.Session // whose words the board has; nil: nobody's
}

// makeBoard makes the input method of all text fields, and its keyboard.
func (s *Shell) makeBoard() {
	s.typing.board = keyboard.New(keyboard.Options{
		Post: s.o.Post, Work: s.o.Work, After: s.o.After, Rare: s.rarePanel(),
		Shown:   func(bool) { s.makeRoom() },
		Learned: func() { s.typing.taught = s.o.Clock.Now() },
		Chosen: func(layout string) {
			s.keep.Layout = layout
			s.keepSettings()
		},
	})
	s.typing.board.Configure(s.keep.typing())
	input.SetMethod(s.typing.board)
}

// rarePanel is what makes the panel of rare characters; nil when nothing does.
func (s *Shell) rarePanel() func(insert func(string), done func()) fyne.CanvasObject {
	if s.o.Rare == nil {
		return nil
	}
	return func(insert func(string), done func()) fyne.CanvasObject {
		var read rarepanel.Read
		if s.o.Devices != nil && s.keep.Reader != "" {
			read = s.rareCard
		}
		return s.o.Rare(insert, done, read)
	}
}

// makeRoom lays the window out after the keyboard came up or went. In a low window the navigation gives way to it: a window
// never gets smaller than what stands in it, and would grow beyond the screen.
func (s *Shell) makeRoom() {
	s.rail.Hidden = s.alone != nil || s.kiosk.public || s.typing.board.Up() && !s.railFits()
	s.root.Refresh()
}

// railFits reports whether the navigation has room above the keyboard.
func (s *Shell) railFits() bool {
	size := s.win.Canvas().Size()
	room := size.Height - look.HeightFor(s.top, size.Width) - look.HeightFor(s.typing.board.Panel(), size.Width)
	return s.rail.MinSize().Height <= room
}

// Board is the input method and its keyboard, for tests and drivers.
func (s *Shell) Board() *keyboard.Board { return s.typing.board }

// typing returns what a person chose about typing.
func (v settings) typing() keyboard.Settings {
	return keyboard.Settings{Up: v.Keyboard, Layout: v.Layout, Exact: ime.Fuzzy(v.Exact) & ime.AllFuzzy}
}

// serve reads the operator's words in the background and gives them to the input method.
func (s *Shell) serve() {
	session := s.session
	s.o.Work(func() {
		words, err := session.LocalWords()
		var learned *ime.Learned
		if err == nil {
			learned = s.readLearned(session)
		}
		var lexicon *ime.Lexicon
		if err == nil {
			lexicon = ime.Load().Lexicon(words)
		}
		s.o.Post(func() {
			switch {
			case s.session != session: // gone meanwhile
			case err != nil:
				s.log.Error("read local words", slog.Any("cause", err))
			default:
				s.typing.serving = session
				s.typing.board.Serve(lexicon, learned)
			}
		})
	})
}

// readLearned returns what the operator's machine has learned; what cannot be read is begun anew.
func (s *Shell) readLearned(session counter.Session) *ime.Learned {
	data, err := session.LearnedWords()
	if err != nil {
		s.log.Error("read learned words", slog.Any("cause", err))
	}
	learned, err := ime.Import(data)
	if err != nil {
		s.log.Error("read learned words", slog.Any("cause", err))
		learned = &ime.Learned{}
	}
	return learned
}

// keepLearned saves what was learned once nothing new has come for a while; now, when the session ends.
func (s *Shell) keepLearned(now bool) {
	t := &s.typing
	if t.taught.IsZero() || t.serving == nil || t.saving && !now || !now && s.o.Clock.Now().Sub(t.taught) < keepLearnedAfter {
		return
	}
	data, err := t.board.Knows().Export()
	if err != nil {
		s.log.Error("keep learned words", slog.Any("cause", err))
		return
	}
	t.taught, t.saving = time.Time{}, true
	session := t.serving
	save := func() {
		err := session.KeepLearned(context.Background(), data)
		s.o.Post(func() {
			s.typing.saving = false
			if err != nil && !errors.Is(err, counter.ErrLocked) {
				s.log.Error("keep learned words", slog.Any("cause", err))
			}
		})
	}
	if now {
		save()
	} else {
		s.o.Work(save)
	}
}

// quitServing saves what was learned and takes the operator's words away.
func (s *Shell) quitServing() {
	s.keepLearned(true)
	s.typing.serving, s.typing.taught = nil, time.Time{}
	s.typing.board.Serve(nil, nil)
	s.typing.board.Close()
}

// forgetLearned wipes what was learned of the operator's typing.
func (s *Shell) forgetLearned() {
	session := s.session
	if session == nil {
		return
	}
	if l := s.typing.board.Knows(); l != nil {
		l.ForgetAll()
	}
	s.typing.taught = time.Time{}
	s.o.Work(func() {
		err := session.KeepLearned(context.Background(), nil)
		s.o.Post(func() {
			if err != nil {
				s.fail(err)
			} else {
				s.say("ok", s.T("settings.forgotten"))
			}
		})
	})
}

// pairs are the pairs of sounds by the names of vm.FuzzyPairs.
var pairs = map[string]ime.Fuzzy{
	"z": ime.FuzzyZ, "c": ime.FuzzyC, "s": ime.FuzzyS, "n": ime.FuzzyN, "f": ime.FuzzyF, "an": ime.FuzzyAn, "en": ime.FuzzyEn,
	"in": ime.FuzzyIn,
}

// typed are the settings as the screen 设置 names them.
func (v settings) typed() vm.Typing {
	k := v.typing()
	out := vm.Typing{Up: cmp.Or(k.Up, keyboard.Auto), Layout: cmp.Or(k.Layout, keyboard.FullKeys)}
	for _, name := range vm.FuzzyPairs {
		if k.Exact&pairs[name] != 0 {
			out.Exact = append(out.Exact, name)
		}
	}
	return out
}

// typingChoices lets the screen change what a person chose about typing, at once.
func (s *Shell) typingChoices(m *vm.Settings, v *screen.Settings) {
	choose := func(change func(name string)) func(string) {
		return func(name string) {
			change(name)
			m.SetTyping(s.keep.typed())
			s.typing.board.Configure(s.keep.typing())
			s.keepSettings()
			v.Refresh()
		}
	}
	v.OnKeyboard = choose(func(name string) { s.keep.Keyboard = name })
	v.OnLayout = choose(func(name string) { s.keep.Layout = name })
	v.OnFuzzy = choose(func(name string) { s.keep.Exact ^= uint16(pairs[name]) })
	v.OnForget = s.forgetLearned
}
