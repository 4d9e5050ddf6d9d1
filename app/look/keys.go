package look

import "fyne.io/fyne/v2"

// Fyne gives a key to the part that has the keyboard and to nobody else. Parts pass on what they have no use for (Esc,
// F1, Enter in a field) with PassKey, so that the window's keys work wherever the keyboard is.
var pass func(*fyne.KeyEvent)

// active is told each time a person does something.
var active func()

// SetOnKey sets who gets the keys that the part with the keyboard had no use for; nil: nobody.
func SetOnKey(fn func(*fyne.KeyEvent)) { pass = fn }

// PassKey hands a key on to the window.
func PassKey(e *fyne.KeyEvent) {
	if pass != nil {
		pass(e)
	}
}

// SetOnActivity sets who is told that a person typed, tapped, scrolled or moved the pointer; nil: nobody. The idle lock
// of the window counts from the last time.
func SetOnActivity(fn func()) { active = fn }

// Activity tells that a person did something.
func Activity() {
	if active != nil {
		active()
	}
}

// shortcut is told each shortcut that the part with the keyboard may have use for, first.
var shortcut func(fyne.Shortcut) bool

// SetOnShortcut sets who is asked first about a shortcut typed in a field; fn reports whether it took it. nil: nobody.
func SetOnShortcut(fn func(fyne.Shortcut) bool) { shortcut = fn }

// PassShortcut offers a shortcut to the window and reports whether it took it.
func PassShortcut(s fyne.Shortcut) bool { return shortcut != nil && shortcut(s) }

// focus is told which part the keyboard has come to.
var focus func(fyne.CanvasObject)

// SetOnFocus sets who is told that the keyboard came to a part; nil: nobody. Scroll areas bring it into view.
func SetOnFocus(fn func(fyne.CanvasObject)) { focus = fn }

// Focused tells that the keyboard came to obj.
func Focused(obj fyne.CanvasObject) {
	if focus != nil {
		focus(obj)
	}
}
