package keyboard

import (
	"fyne.io/fyne/v2"
)

// What the keys on the screen do. Each begins with the field having the keyboard.

// strike types a character as if it came from a key that is pressed.
func (b *Board) strike(r rune) {
	if b.target == nil {
		return
	}
	if !b.TypedRune(b.target, r) {
		b.target.Insert(string(r))
	}
	b.panel.struck()
}

// stroke gives a key to a layout that composes.
func (b *Board) stroke(mode string, r rune) {
	if b.target == nil {
		return
	}
	if b.engine == nil {
		b.Prepare() // a tap comes too late rather than as something else
		if b.engine == nil {
			return
		}
	}
	b.feed(mode, r)
}

// put ends the composition and puts text in as it is.
func (b *Board) put(text string) {
	if b.target == nil {
		return
	}
	b.commit()
	b.target.Insert(text)
	b.show()
}

func (b *Board) backspace() {
	if b.target != nil && !b.back() {
		b.target.Press(fyne.KeyBackspace)
	}
}

// space takes the first candidate, or is a space.
func (b *Board) space() {
	if b.target == nil {
		return
	}
	if b.Composing() {
		b.TypedRune(b.target, ' ')
		if b.mode == StrokeKeys {
			b.commit()
		}
		return
	}
	b.target.Insert(" ")
	b.show()
}

// enter takes the keys literally, or does what Enter does in the field.
func (b *Board) enter() {
	switch {
	case b.target == nil:
	case b.Composing():
		b.settle()
	default:
		b.target.Press(fyne.KeyReturn)
	}
}

// caret moves in the field, or among the candidates.
func (b *Board) caret(name fyne.KeyName) {
	if b.target != nil && !b.TypedKey(b.target, &fyne.KeyEvent{Name: name}) {
		b.target.Press(name)
	}
}

// again drops the composition.
func (b *Board) again() { b.drop() }
