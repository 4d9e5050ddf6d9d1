package keyboard

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/offline/pinyin/ime"
	"bianmin/offline/pinyin/stroke"
)

// When the keyboard comes up by itself.
const (
	Auto   = "auto"   // a field is tapped
	Always = "always" // a field gets the keyboard, however
	Never  = "never"
)

// Names of the layouts to compose Chinese with, in settings.
const (
	FullKeys   = "full"
	NineKeys   = "nine"
	StrokeKeys = "stroke"
)

// Settings are what a person chose about typing. The zero value is the default.
type Settings struct {
	Up     string    // Auto, Always or Never; "" is Auto
	Layout string    // FullKeys, NineKeys or StrokeKeys; "" is FullKeys
	Exact  ime.Fuzzy // pairs of sounds that are told apart; the zero value takes all pairs for each other
}

func (s Settings) up() string {
	if s.Up == "" {
		return Auto
	}
	return s.Up
}

// Options of New.
type Options struct {
	// Post runs fn on the UI goroutine, after what is under way there.
	Post func(fn func())
	// Work runs fn off the UI goroutine.
	Work func(fn func())
	// After runs fn on the UI goroutine after d, unless stop is called before; nil is the system's clock with Post.
	After func(d time.Duration, fn func()) (stop func())
	// Shown tells that the keyboard came up or went: the window lays itself out anew. nil does nothing.
	Shown func(up bool)
	// Learned tells that what was committed may have taught something; nil does nothing.
	Learned func()
	// Chosen tells that another layout was chosen on the keyboard itself; nil does nothing.
	Chosen func(layout string)
	// Rare makes the panel that finds rare characters: insert puts one into the field, done closes the panel. The key that
	// opens it is not there while Rare is nil.
	Rare func(insert func(text string), done func()) fyne.CanvasObject
}

// Board is the input method of the window and its keyboard on the screen.
type Board struct {
	o        Options
	settings Settings
	panel    *Panel
	float    *Float

	engine  *ime.Engine
	loading bool
	lexicon *ime.Lexicon
	learned *ime.Learned

	target  input.Target // has the keyboard; nil: none
	chinese bool         // 中 in the target
	src     source       // nil before the first key at this target
	mode    string       // layout src was made for
	waiting []rune       // keys that came before the engine was there
	marks   marks
	list    []string // candidates
	first   int      // the first one that is shown
	before  []int    // the first ones of the pages turned over
	chosen  int      // the one that space takes, counted from first
	alone   bool     // Shift is down, and nothing else was pressed since
	badge   bool     // the strip at the field says 中 or 英
	tapping bool     // a key on the screen is down: the field keeps the keyboard
	leaving bool     // whether the keyboard is to go is looked at in a moment
	latin   bool     // 中 was switched off by hand at a field of this kind; kept from field to field
}

var _ input.Method = (*Board)(nil)

// New returns the input method. The window places Panel at its lower edge and Float over everything.
func New(o Options) *Board {
	if o.After == nil {
		o.After = func(d time.Duration, fn func()) func() {
			t := time.AfterFunc(d, func() { o.Post(fn) })
			return func() { t.Stop() }
		}
	}
	b := &Board{o: o}
	b.float = newFloat(b)
	b.panel = newPanel(b)
	return b
}

// Panel is the keyboard; it is hidden while it is not up.
func (b *Board) Panel() *Panel { return b.panel }

// Float is the strip of candidates that stands at the field.
func (b *Board) Float() *Float { return b.float }

// Configure takes what a person chose.
func (b *Board) Configure(s Settings) {
	b.drop()
	b.settings, b.src = s, nil
	b.panel.arrange()
	b.show()
}

// Settings returns what a person chose.
func (b *Board) Settings() Settings { return b.settings }

// Prepare begins to open the engine, if it is not open yet.
func (b *Board) Prepare() {
	if b.engine != nil || b.loading {
		return
	}
	b.loading = true
	b.o.Work(func() {
		e := ime.Load()
		stroke.Load()
		b.o.Post(func() { b.ready(e) })
	})
}

func (b *Board) ready(e *ime.Engine) {
	b.engine, b.loading = e, false
	keys := b.waiting
	b.waiting = nil
	if b.target == nil {
		return
	}
	for _, r := range keys {
		if !b.TypedRune(b.target, r) {
			b.target.Insert(string(r))
		}
	}
	b.show()
}

// Serve gives the operator's words: those of the county, and those learned. nil, nil forgets them: nobody is logged in, or
// the next person's turn has come. Nothing is learned while learned is nil.
func (b *Board) Serve(words *ime.Lexicon, learned *ime.Learned) {
	b.drop()
	b.lexicon, b.learned, b.src = words, learned, nil
	b.show()
}

// Knows returns what was learned; nil for nothing.
func (b *Board) Knows() *ime.Learned { return b.learned }

// Gained is called when a field gets the keyboard.
func (b *Board) Gained(t input.Target) {
	b.drop()
	b.target, b.src, b.alone, b.badge = t, nil, false, false
	b.chinese = t.Purpose().Composes() && t.Purpose() != input.Search && !b.latin
	if t.Purpose().Composes() {
		b.Prepare()
	}
	b.panel.suit(t.Purpose())
	if b.settings.up() == Always {
		b.raise()
	}
	b.show()
}

// Touched is called when a field is tapped.
func (b *Board) Touched(t input.Target) {
	if b.target != t {
		b.Gained(t)
	}
	switch {
	case b.Up():
		input.Reveal(t) // its edge may have been tapped
	case b.settings.up() != Never:
		b.raise()
	}
}

// Lost is called when the keyboard leaves a field.
func (b *Board) Lost(t input.Target) bool {
	if b.tapping && t == b.target {
		return true
	}
	if t != b.target {
		return false
	}
	b.settle()
	b.target, b.src = nil, nil
	b.show()
	b.leave()
	return false
}

// leaveAfter is how long the keyboard stays up without a field: the keyboard may be on its way to the next one.
const leaveAfter = 150 * time.Millisecond

// leave takes the keyboard away when the field is left for none. While something is pressed the page must not move: the tap
// would end beside it.
func (b *Board) leave() {
	if !b.Up() || b.leaving {
		return
	}
	b.leaving = true
	b.o.After(leaveAfter, func() {
		b.leaving = false
		switch {
		case b.target != nil:
		case look.Held():
			b.leave()
		default:
			b.Close()
		}
	})
}

// Toggle switches between 中 and 英.
func (b *Board) Toggle() {
	if b.target == nil || !b.target.Purpose().Composes() {
		return
	}
	b.settle()
	b.chinese, b.badge = !b.chinese, true
	if b.target.Purpose() != input.Search {
		b.latin = !b.chinese
	}
	b.panel.suit(b.target.Purpose())
	b.show()
}

// Up reports whether the keyboard is on the screen.
func (b *Board) Up() bool { return b.panel.Visible() }

func (b *Board) raise() {
	if b.Up() || b.target == nil {
		return
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(b.target); c == nil || c.Overlays().Top() != nil {
		return // a field over the window: the keyboard would lie below it
	}
	b.panel.suit(b.target.Purpose())
	b.panel.Show()
	b.changed()
	b.show()
}

// Close takes the keyboard off the screen; the field keeps the keyboard.
func (b *Board) Close() {
	if !b.Up() {
		return
	}
	b.panel.calm()
	b.panel.Hide()
	b.changed()
	b.show()
}

// changed lays the window out and brings the field back into view.
func (b *Board) changed() {
	if b.o.Shown != nil {
		b.o.Shown(b.Up())
	}
	if b.target != nil && b.Up() {
		input.Reveal(b.target)
	}
}

// press begins a tap on the keyboard: whatever Fyne does about the focus now, the field keeps it.
func (b *Board) press() {
	b.tapping = b.target != nil
	b.o.Post(b.keep)
}

// keep gives the field the keyboard back.
func (b *Board) keep() {
	if b.target == nil || !b.tapping {
		return
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(b.target); c != nil && c.Focused() != fyne.Focusable(b.target) {
		c.Focus(b.target)
	}
}

// release ends a tap: the next time that the field loses the keyboard it does.
func (b *Board) release() {
	b.keep()
	b.tapping = false
}

// KeyDown is called for keys pressed.
func (b *Board) KeyDown(e *fyne.KeyEvent) {
	b.alone = e.Name == desktop.KeyShiftLeft || e.Name == desktop.KeyShiftRight
}

// KeyUp is called for keys let go.
func (b *Board) KeyUp(t input.Target, e *fyne.KeyEvent) {
	if b.alone && (e.Name == desktop.KeyShiftLeft || e.Name == desktop.KeyShiftRight) && t == b.target {
		look.TakeKey(look.KeyElse)
		b.Toggle()
	}
	b.alone = false
}

// show brings the strips up to date.
func (b *Board) show() {
	b.panel.show()
	b.float.show()
}
