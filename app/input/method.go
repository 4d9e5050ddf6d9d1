package input

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"bianmin/app/look"
)

// Purpose says what goes into a text field: whether Chinese is composed in it, what is offered first, and which keys a
// keyboard on the screen shows.
type Purpose int

// Purposes.
const (
	Prose      Purpose = iota // any text
	PersonName                // a person's name
	Place                     // an address
	Search                    // reads pinyin by itself: letters go straight in until Chinese is asked for
	Latin                     // network addresses, codes, pass phrases
	Decimal                   // a number with a point and a sign
	Digits                    // digits only
	IDNumber                  // digits and X
	Phone                     // digits, + and -
	Day                       // a date in digits
)

// Composes reports whether Chinese can be composed in such a field.
func (p Purpose) Composes() bool { return p <= Search }

// Target is a text field as an input method and a keyboard on the screen see it.
type Target interface {
	fyne.CanvasObject
	fyne.Focusable
	// Purpose says what goes in.
	Purpose() Purpose
	// Before returns the character before the caret; 0 at the beginning.
	Before() rune
	// Insert puts text in at the caret, over what is selected, as if it had been typed at once.
	Insert(text string)
	// Press does what the key does in the field, past any input method.
	Press(name fyne.KeyName)
	// Caret returns where the caret is in the window, and how tall the line is.
	Caret() (at fyne.Position, height float32)
}

// Method is an input method with its keyboard on the screen. It gets what happens at text fields before they do.
type Method interface {
	// TypedRune and TypedKey report whether the method took it; the field gets what it did not take.
	TypedRune(t Target, r rune) bool
	TypedKey(t Target, e *fyne.KeyEvent) bool
	// KeyDown and KeyUp tell of keys held: Shift by itself means something.
	KeyDown(e *fyne.KeyEvent)
	KeyUp(t Target, e *fyne.KeyEvent)
	// Gained tells that the keyboard has come to the field.
	Gained(t Target)
	// Touched tells that a finger or the mouse has tapped the field.
	Touched(t Target)
	// Lost tells that the keyboard leaves the field. It reports whether it comes back at once because only a key on the
	// screen was tapped: then the field goes on as if nothing had happened.
	Lost(t Target) bool
}

var method Method

// SetMethod sets the input method of all text fields; nil: what is typed is what goes in.
func SetMethod(m Method) { method = m }

// SetPurpose says what goes into the field.
func (t *TextField) SetPurpose(p Purpose) { t.entry.purpose = p }

// Purpose says what goes in.
func (e *entry) Purpose() Purpose { return e.purpose }

// Before returns the character before the caret.
func (e *entry) Before() rune {
	runes := []rune(e.Text)
	at := e.CursorTextOffset()
	if at <= 0 || at > len(runes) {
		return 0
	}
	return runes[at-1]
}

// Insert puts text in at the caret.
func (e *entry) Insert(text string) {
	if text != "" {
		look.Activity()
		look.PrepareText(text)
		e.Entry.TypedShortcut(&fyne.ShortcutPaste{Clipboard: &slip{text}})
	}
}

// slip carries text into an entry at once: its own way in is one character at a time.
type slip struct{ text string }

// Content is called by Fyne.
func (s *slip) Content() string { return s.text }

// SetContent is called by Fyne.
func (s *slip) SetContent(text string) { s.text = text }

// Press does what the key does.
func (e *entry) Press(name fyne.KeyName) { e.press(&fyne.KeyEvent{Name: name}) }

// Caret returns where the caret is in the window.
func (e *entry) Caret() (at fyne.Position, height float32) {
	at = fyne.CurrentApp().Driver().AbsolutePositionForObject(e)
	in := e.CursorPosition()
	height = look.Measures().Body * look.Measures().LineSpacing
	return at.AddXY(max(0, min(in.X, e.Size().Width)), max(0, min(in.Y, e.Size().Height-height))), height
}

// KeyDown is called by Fyne.
func (e *entry) KeyDown(key *fyne.KeyEvent) {
	if method != nil {
		method.KeyDown(key)
	}
	e.Entry.KeyDown(key)
}

// KeyUp is called by Fyne.
func (e *entry) KeyUp(key *fyne.KeyEvent) {
	if method != nil {
		method.KeyUp(e, key)
	}
	e.Entry.KeyUp(key)
}

// Tapped is called by Fyne.
func (e *entry) Tapped(p *fyne.PointEvent) {
	e.Entry.Tapped(p)
	e.touched()
}

// MouseUp is called by Fyne. Only now may a keyboard come up: while the pointer is down the page must not move.
func (e *entry) MouseUp(m *desktop.MouseEvent) {
	e.Entry.MouseUp(m)
	e.touched()
}

func (e *entry) touched() {
	c := fyne.CurrentApp().Driver().CanvasForObject(e)
	if method != nil && c != nil && c.Focused() == fyne.Focusable(e) {
		method.Touched(e)
	}
}
