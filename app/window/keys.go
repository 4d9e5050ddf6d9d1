package window

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"bianmin/app/look"
	"bianmin/app/screen"
)

// How long a machine stays open with nobody at it unless the settings say otherwise, and how long before it says so.
const (
	idleLock = 10 * time.Minute
	idleWarn = 30 * time.Second
)

var find = &desktop.CustomShortcut{KeyName: fyne.KeyF, Modifier: fyne.KeyModifierControl}

// keys makes the window's keys work wherever the keyboard is: Esc goes back, Enter does the primary act, Ctrl+F searches,
// F1 reads the screen aloud and shows the keys. What is typed, or scanned, while nothing has the keyboard goes to the search, or to the PIN.
func (s *Shell) keys() {
	c := s.win.Canvas()
	c.SetOnTypedKey(s.key)
	c.SetOnTypedRune(s.typed)
	c.AddShortcut(find, func(fyne.Shortcut) { s.search() })
	look.SetOnKey(s.key)
	s.wedge()
	look.SetOnActivity(s.touch)
	look.SetOnRareFull(func() { s.o.Post(func() { look.Renew(s.o.App) }) })
	look.SetOnShortcut(func(short fyne.Shortcut) bool {
		if short.ShortcutName() != find.ShortcutName() {
			return false
		}
		s.search()
		return true
	})
}

func (s *Shell) key(e *fyne.KeyEvent) {
	s.touch()
	if look.TakeKey(e.Name) {
		return
	}
	switch e.Name {
	case fyne.KeyEscape:
		s.escape()
	case fyne.KeyReturn, fyne.KeyEnter:
		if p, ok := s.view.(screen.Primary); ok && s.sheet == nil {
			p.TapPrimary()
		}
	case fyne.KeyF1:
		s.readAloud()
		if s.session != nil {
			s.say("info", s.T("window.keys"))
		}
	}
}

func (s *Shell) escape() {
	if s.sheet != nil {
		s.dropSheet()
		return
	}
	switch v := s.view.(type) {
	case screen.Stepper:
		if v.StepBack() {
			return
		}
	case interface{ Back() bool }: // the wizard
		if v.Back() {
			return
		}
	}
	if s.session != nil && s.alone == nil && len(s.history) > 1 {
		s.Back()
	}
}

func (s *Shell) search() {
	s.touch()
	if v, ok := s.view.(screen.Searchable); ok && s.sheet == nil {
		v.FocusSearch(s.win.Canvas())
	}
}

// typed takes a letter that came while nothing had the keyboard. At the login it is part of a PIN.
func (s *Shell) typed(r rune) {
	if look.TakeRune(typist{s}, r) {
		return
	}
	s.search()
	if v, ok := s.view.(*screen.Login); ok {
		v.FocusFirst(s.win.Canvas())
	}
	if f := s.win.Canvas().Focused(); f != nil {
		f.TypedRune(r)
	}
}

// touch notes that a person did something.
func (s *Shell) touch() {
	s.active = s.o.Clock.Now()
	s.kiosk.used = true
	if s.kiosk.ask != nil {
		s.goOn()
	}
	if s.warned {
		s.warned = false
		s.clearNote(true)
	}
}

// tick is called each second.
func (s *Shell) tick() {
	if v, ok := s.view.(screen.Ticker); ok {
		v.Tick()
	}
	if s.o.OnTick != nil {
		s.o.OnTick()
	}
	s.showTask()
	if s.session == nil {
		return
	}
	if s.kiosk.public {
		s.kioskTick()
		return
	}
	s.keepLearned(false)
	switch idle := s.o.Clock.Now().Sub(s.active); {
	case idle >= s.idleAfter():
		s.warned = false
		if s.o.Kiosk {
			s.openToPublic()
			return
		}
		s.Lock()
		s.say("info", s.T("window.idleLocked"))
	case idle >= s.idleAfter()-idleWarn && !s.warned:
		s.say("warn", s.T("window.idle"))
		s.warned = true
	case idle < 0: // the clock went back
		s.active = s.o.Clock.Now()
	}
}
