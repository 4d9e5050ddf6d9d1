package look

import "fyne.io/fyne/v2"

// Typist is a part that text is typed into. A scanner types, too, and what it typed must not stay in the part: whoever tells
// scanners from persons marks the part before, and brings it back after.
type Typist interface {
	// Deliver types a character into the part.
	Deliver(r rune)
	// Insert puts text into the part as it is, past any input method.
	Insert(text string)
	// Mark returns a function that brings the part back to what it is now.
	Mark() (undo func())
}

// runes and keys are offered what is typed, first.
var (
	runes func(Typist, rune) bool
	keys  func(fyne.KeyName) bool
)

// SetOnTyped sets who is offered each character and each key before the part that has the keyboard; they report whether they
// took it. nil: nobody.
func SetOnTyped(onRune func(Typist, rune) bool, onKey func(fyne.KeyName) bool) {
	runes, keys = onRune, onKey
}

// TakeRune offers a character that is on its way to a part, and reports whether it was taken.
func TakeRune(t Typist, r rune) bool { return runes != nil && runes(t, r) }

// KeyElse is offered as a key when something is done that is none: a shortcut, a switch between 中 and 英. What was typed before
// comes before it.
const KeyElse fyne.KeyName = "Else"

// TakeKey offers a key, and reports whether it was taken.
func TakeKey(name fyne.KeyName) bool { return keys != nil && keys(name) }

// Deliver implements [Typist]: a button has no use for characters.
func (t *KeyTouch) Deliver(rune) {}

// Insert implements [Typist].
func (t *KeyTouch) Insert(string) {}

// Mark implements [Typist].
func (t *KeyTouch) Mark() func() { return func() {} }
