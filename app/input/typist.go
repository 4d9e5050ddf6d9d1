package input

import (
	"fyne.io/fyne/v2"

	"bianmin/app/look"
)

var (
	_ look.Typist = (*entry)(nil)
	_ look.Typist = (*PINPad)(nil)
)

// TypedRune is called by Fyne.
func (e *entry) TypedRune(r rune) {
	if !look.TakeRune(e, r) {
		e.Deliver(r)
	}
}

// Deliver implements [look.Typist]: what was typed goes to the input method first. A rare character is made ready before it is
// shown.
func (e *entry) Deliver(r rune) {
	if method != nil && method.TypedRune(e, r) {
		look.Activity()
		return
	}
	look.PrepareText(string(r))
	e.Entry.TypedRune(r)
}

// Mark implements [look.Typist]. What comes back is told as a change, as its going was.
func (e *entry) Mark() func() {
	text, value, row, column := e.Text, e.value, e.CursorRow, e.CursorColumn
	return func() {
		if method != nil { // a scan is no pinyin
			method.TypedKey(e, &fyne.KeyEvent{Name: fyne.KeyEscape})
		}
		if e.Text != text {
			e.replace(text)
			e.CursorRow, e.CursorColumn = row, column
			e.Refresh()
		}
		if e.value != value {
			e.value = value
			if e.onValue != nil {
				e.onValue(value)
			}
		}
	}
}
