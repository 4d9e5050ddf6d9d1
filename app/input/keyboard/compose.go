package keyboard

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"bianmin/app/input"
	"bianmin/offline/pinyin/ime"
	"bianmin/offline/pinyin/stroke"
)

// source returns what composes at the target for a layout; nil while the engine is not open.
func (b *Board) source(mode string) source {
	if b.src != nil && b.mode == mode {
		return b.src
	}
	if b.engine == nil {
		b.Prepare()
		return nil
	}
	b.mode = mode
	if mode == StrokeKeys {
		b.src = &strokes{table: stroke.Load()}
		return b.src
	}
	field := ime.TextField
	switch b.target.Purpose() {
	case input.PersonName:
		field = ime.NameField
	case input.Place:
		field = ime.AddressField
	}
	b.src = pinyin{b.engine.Session(ime.Options{
		Field: field, Fuzzy: ime.AllFuzzy &^ b.settings.Exact, Lexicon: b.lexicon, Learned: b.learned, NineKey: mode == NineKeys,
	})}
	return b.src
}

// Composing reports whether something is being composed.
func (b *Board) Composing() bool { return b.src != nil && b.src.Active() || len(b.waiting) > 0 }

// TypedRune takes a character from the keys.
func (b *Board) TypedRune(t input.Target, r rune) bool {
	b.alone = false
	if t != b.target {
		return false
	}
	if b.badge {
		b.badge = false
		b.float.show()
	}
	if r > '~' { // an input method of the system has done its work: ours steps aside
		b.settle()
		return false
	}
	if !b.chinese || !t.Purpose().Composes() {
		return false
	}
	switch {
	case b.engine == nil:
		return b.wait(t, r)
	case b.Composing():
		return b.within(r)
	case r >= 'a' && r <= 'z':
		if letter(t.Before()) {
			return false // goes on with a Latin word
		}
		return b.feed(FullKeys, r)
	}
	return b.mark(r)
}

// wait keeps keys until the engine is there.
func (b *Board) wait(t input.Target, r rune) bool {
	if len(b.waiting) == 0 && (r < 'a' || r > 'z' || letter(t.Before())) {
		return b.mark(r)
	}
	b.Prepare()
	if b.engine != nil { // it was opened at once
		return b.TypedRune(t, r)
	}
	b.waiting = append(b.waiting, r)
	b.show()
	return true
}

// within takes a character while something is composed.
func (b *Board) within(r rune) bool {
	switch {
	case r >= '1' && r <= '9':
		if n := int(r - '1'); n < b.page() {
			b.pick(b.first + n)
		}
	case r == ' ':
		b.pick(b.first + b.chosen)
	case r == '-' || r == ',':
		b.turn(-1)
	case r == '=' || r == '.':
		b.turn(1)
	case letter(r) || r == '\'':
		if b.mode == StrokeKeys {
			b.commit()
			return b.TypedRune(b.target, r)
		}
		b.feed(b.mode, r)
	default:
		b.commit()
		if !b.mark(r) {
			b.target.Insert(string(r))
		}
	}
	return true
}

// feed gives a key to the composition of a layout.
func (b *Board) feed(mode string, r rune) bool {
	if b.Composing() && b.mode != mode {
		b.commit()
	}
	s := b.source(mode)
	if s == nil || !s.Input(r) {
		return false
	}
	b.fresh()
	return true
}

// mark puts a mark in as Chinese writing has it.
func (b *Board) mark(r rune) bool {
	text, ok := b.marks.full(r, b.target.Before())
	if b.target.Purpose() == input.PersonName && (r == '.' || r == '`' || r == '@') {
		text, ok = "·", true // between the parts of a name
	}
	if ok {
		b.target.Insert(text)
	}
	return ok
}

// TypedKey takes a key that is no character.
func (b *Board) TypedKey(t input.Target, e *fyne.KeyEvent) bool {
	shift := e.Name == desktop.KeyShiftLeft || e.Name == desktop.KeyShiftRight
	if !shift {
		b.alone = false
	}
	if t != b.target || !b.Composing() {
		return false
	}
	switch e.Name {
	case fyne.KeyBackspace:
		b.back()
	case fyne.KeyEscape:
		b.drop()
	case fyne.KeyReturn, fyne.KeyEnter:
		b.settle()
	case fyne.KeyLeft, fyne.KeyUp:
		b.move(-1)
	case fyne.KeyRight, fyne.KeyDown:
		b.move(1)
	case fyne.KeyPageUp:
		b.turn(-1)
	case fyne.KeyPageDown:
		b.turn(1)
	case fyne.KeyHome:
		b.chosen = 0
	case fyne.KeyEnd:
		b.chosen = max(0, b.page()-1)
	case fyne.KeyDelete:
	default:
		return false
	}
	b.show()
	return true
}

// back takes the last key back; false when nothing is composed.
func (b *Board) back() bool {
	if n := len(b.waiting); n > 0 {
		b.waiting = b.waiting[:n-1]
		b.show()
		return true
	}
	if b.src == nil || !b.src.Backspace() {
		return false
	}
	b.fresh()
	return true
}

// fresh shows the candidates from the beginning: the keys have changed.
func (b *Board) fresh() {
	b.list, b.first, b.before, b.chosen = nil, 0, nil, 0
	if b.src != nil {
		b.list = b.src.All()
	}
	b.show()
}

// page returns how many candidates are shown.
func (b *Board) page() int {
	most := ime.PageSize
	if b.Up() {
		most = b.panel.fitting()
	}
	return min(most, len(b.list)-b.first)
}

// turn shows the next page of candidates, or the one before.
func (b *Board) turn(by int) {
	switch n := len(b.before); {
	case by > 0 && b.first+b.page() < len(b.list):
		b.before = append(b.before, b.first)
		b.first += b.page()
	case by < 0 && n > 0:
		b.first, b.before = b.before[n-1], b.before[:n-1]
	default:
		return
	}
	b.chosen = 0
	b.show()
}

// move chooses the candidate beside the chosen one, over the ends of pages.
func (b *Board) move(by int) {
	switch at := b.chosen + by; {
	case at >= b.page():
		b.turn(1)
	case at < 0:
		if len(b.before) > 0 {
			b.turn(-1)
			b.chosen = b.page() - 1
		}
	default:
		b.chosen = at
	}
	b.show()
}

// pick takes candidate i of all.
func (b *Board) pick(i int) {
	if b.src == nil || b.target == nil {
		return
	}
	if len(b.list) == 0 { // the keys mean nothing
		b.settle()
		return
	}
	text, done := b.src.Pick(i)
	b.fresh()
	if done {
		b.insert(text)
	}
}

// commit takes the first candidates until nothing is left.
func (b *Board) commit() {
	if b.src == nil || !b.src.Active() || b.target == nil {
		return
	}
	text := b.src.Commit()
	b.fresh()
	b.insert(text)
}

func (b *Board) insert(text string) {
	b.target.Insert(text)
	if b.learned != nil && b.o.Learned != nil {
		b.o.Learned()
	}
	b.show() // the caret has moved
}

// settle takes what is composed as it is: the keys, literally.
func (b *Board) settle() {
	raw := strings.ReplaceAll(string(b.waiting), " ", "")
	if b.src != nil && b.src.Active() {
		raw = b.src.Raw()
	}
	t := b.target
	b.drop()
	if t != nil {
		t.Insert(raw)
	}
}

// drop forgets what is composed.
func (b *Board) drop() {
	b.waiting = nil
	if b.src != nil {
		b.src.Clear()
	}
	b.fresh()
}

// composition is what is shown while composing.
func (b *Board) composition() string {
	if len(b.waiting) > 0 {
		return string(b.waiting)
	}
	if b.src == nil || !b.src.Active() {
		return ""
	}
	text, keys := b.src.Composition()
	return text + keys
}
