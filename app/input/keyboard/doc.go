// Package keyboard is the input method of the window and the keyboard on its screen: Chinese by pinyin, nine keys or
// strokes, Latin letters, digits, ID numbers, from keys that are pressed and from keys that are tapped.
//
// A [Board] is the [input.Method] of all text fields. It composes over package ime; what is being composed, and what it may
// mean, is shown at the field by a strip that floats there, or on the keyboard's own strip while the keyboard is up. The
// keyboard is part of the window's lower edge and pushes the page up: a pop-up would have a focus of its own. A tap on one
// of its keys leaves the field the keyboard: Fyne takes it away at each press beside the field, so the Board answers for it
// ([Board.Lost]) and brings it back before the next key.
//
// docs/input.md has the keys and the rules. Everything here belongs to the UI goroutine.
package keyboard
