// Package input has the widgets people type into and touch: fields, choices, the signature pad, the PIN pad, the
// division picker, and an area that scrolls under a finger.
//
// Every one of them is a [Field]: it is told a value with SetText, tells changes made by a person through SetOnChanged
// (never those made by SetText), and tells when it is left through SetOnLeave, the moment to save and to check. Values
// are plain text without the spaces and marks shown for reading: "13800138000", not "138 0013 8000".
//
// Nothing here opens a pop-up: lists open in place and push the page down, so the focus stays where it is and a
// keyboard panel can type into any field. A field keeps its widget and its focus through refreshes, theme and
// language changes.
//
// Everything belongs to the UI goroutine.
package input

import (
	"fyne.io/fyne/v2"

	"bianmin/app/input/ink"
)

// Field is what every input of a form offers.
type Field interface {
	fyne.CanvasObject
	// Focusable returns the part that takes the keyboard; nil when no part can.
	Focusable() fyne.Focusable
	// Text returns the value as plain text, "" when there is none.
	Text() string
	// SetText shows a value without telling OnChanged.
	SetText(value string)
	// SetReadOnly shows the value as fixed, or lets it be changed again.
	SetReadOnly(fixed bool)
	// SetOnChanged sets what is called after each change made by a person.
	SetOnChanged(fn func(value string))
	// SetOnLeave sets what is called when the keyboard leaves the field.
	SetOnLeave(fn func())
	// SetFaulty draws the edge of a refused value; look.FieldFrame says why in words.
	SetFaulty(faulty bool)
}

// Strokes is a signature; see package ink.
type Strokes = ink.Strokes

var (
	_ Field = (*TextField)(nil)
	_ Field = (*DateField)(nil)
	_ Field = (*ChoiceOne)(nil)
	_ Field = (*ChoiceMany)(nil)
	_ Field = (*DivisionPicker)(nil)
	_ Field = (*SignaturePad)(nil)
)

// signals is what every field tells.
type signals struct {
	changed func(string)
	leave   func()
}

// SetOnChanged sets what is called after each change made by a person.
func (s *signals) SetOnChanged(fn func(value string)) { s.changed = fn }

// SetOnLeave sets what is called when the keyboard leaves the field.
func (s *signals) SetOnLeave(fn func()) { s.leave = fn }

func (s *signals) tell(value string) {
	if s.changed != nil {
		s.changed(value)
	}
}

func (s *signals) left() {
	if s.leave != nil {
		s.leave()
	}
}
