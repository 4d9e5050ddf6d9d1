package input

import (
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"bianmin/app/look"
	"bianmin/offline/ident"
)

// entry is Fyne's entry with what forms need: formatting while typing, a signal when it is left, Enter as a signal,
// and a finger that can scroll the page from inside it.
type entry struct {
	widget.Entry
	format  format
	purpose Purpose
	value   string
	setting bool // while the text is being replaced, OnChanged is not the person

	onValue func(string)
	onFocus func(bool)
	onEnter func()

	dragX, dragY float32
	scrolling    *Scroll
	selecting    bool
	kept         bool // the keyboard left for a tap on a key of the screen and comes back
	pressing     bool // the pointer brought the keyboard here: then the page stays under it
}

func newEntry(f format, multi bool) *entry {
	e := &entry{format: f}
	e.MultiLine = multi
	e.Scroll = container.ScrollHorizontalOnly
	if multi {
		e.Wrapping = fyne.TextWrapBreak
		e.Scroll = container.ScrollVerticalOnly
	}
	e.ExtendBaseWidget(e)
	e.OnChanged = e.typed
	return e
}

func (e *entry) typed(text string) {
	if e.setting {
		return
	}
	look.Activity()
	caret := e.CursorColumn
	if e.MultiLine {
		caret = e.CursorTextOffset()
	}
	shown, at, value := e.format.retype(text, caret)
	if shown != text {
		e.replace(shown)
		if !e.MultiLine {
			e.CursorColumn = at
		}
		e.Refresh()
	}
	if value != e.value {
		e.value = value
		if e.onValue != nil {
			e.onValue(value)
		}
	}
}

func (e *entry) replace(shown string) {
	look.PrepareText(shown)
	e.setting = true
	e.SetText(shown)
	e.setting = false
}

// set shows a value that did not come from the keyboard.
func (e *entry) set(value string) {
	e.value = e.format.clean(value)
	if shown := e.format.show(e.value); shown != e.Text {
		e.replace(shown)
		if !e.MultiLine {
			e.CursorColumn = utf8.RuneCountInString(shown) // one goes on where the text ends
			e.Refresh()
		}
	}
}

// Refresh is called by Fyne, too.
func (e *entry) Refresh() {
	look.PrepareText(e.Text)
	e.Entry.Refresh()
}

// FocusGained is called by Fyne.
func (e *entry) FocusGained() {
	if e.kept {
		e.kept = false // it was only away while a key on the screen was tapped
		return
	}
	e.Entry.FocusGained()
	if !e.pressing {
		look.Focused(e)
	}
	if e.onFocus != nil {
		e.onFocus(true)
	}
	if method != nil {
		method.Gained(e)
	}
}

// MouseDown is called by Fyne.
func (e *entry) MouseDown(m *desktop.MouseEvent) {
	if stopMoving() {
		return // the finger stopped the page that ran under it
	}
	e.pressing = true
	e.Entry.MouseDown(m)
	e.pressing = false
}

// FocusLost is called by Fyne.
func (e *entry) FocusLost() {
	if method != nil && method.Lost(e) {
		e.kept = true
		return
	}
	e.kept = false
	e.Entry.FocusLost()
	if e.onFocus != nil {
		e.onFocus(false)
	}
}

// TypedKey is called by Fyne.
func (e *entry) TypedKey(key *fyne.KeyEvent) {
	look.Activity()
	if look.TakeKey(key.Name) {
		return
	}
	if method == nil || !method.TypedKey(e, key) {
		e.press(key)
	}
}

// press does what a key does in the field. Enter in a one-line field goes to onEnter.
func (e *entry) press(key *fyne.KeyEvent) {
	switch key.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		if e.MultiLine {
			break
		}
		if e.onEnter != nil {
			e.onEnter()
		} else {
			look.PassKey(key)
		}
		return
	case fyne.KeyEscape, fyne.KeyF1:
		look.PassKey(key)
		return
	}
	e.Entry.TypedKey(key)
}

// TypedShortcut is called by Fyne. The window's own shortcuts work in a field, too.
func (e *entry) TypedShortcut(s fyne.Shortcut) {
	look.Activity()
	look.TakeKey(look.KeyElse)
	if paste, ok := s.(*fyne.ShortcutPaste); ok && paste.Clipboard != nil {
		look.PrepareText(paste.Clipboard.Content())
	}
	if !look.PassShortcut(s) {
		e.Entry.TypedShortcut(s)
	}
}

// Dragged is called by Fyne. A movement up or down scrolls the page, one to the side selects text; what it is shows
// after the first few pixels.
func (e *entry) Dragged(d *fyne.DragEvent) {
	switch {
	case e.scrolling != nil:
		e.scrolling.glide.follow(d.Dragged.DY)
		return
	case e.selecting:
		e.Entry.Dragged(d)
		return
	}
	e.dragX += d.Dragged.DX
	e.dragY += d.Dragged.DY
	switch {
	case abs(e.dragY) > slack && abs(e.dragY) > abs(e.dragX):
		if e.scrolling = scrollAround(e); e.scrolling != nil {
			e.scrolling.glide.follow(e.dragY)
		}
	case abs(e.dragX) > slack/2:
		e.selecting = true
		e.Entry.Dragged(d)
	}
}

// DragEnd is called by Fyne.
func (e *entry) DragEnd() {
	if e.selecting {
		e.Entry.DragEnd()
	}
	if e.scrolling != nil {
		e.scrolling.glide.release()
	}
	e.dragX, e.dragY, e.scrolling, e.selecting = 0, 0, nil, false
}

// MinSize is called by Fyne: one-line fields are as tall as the look asks.
func (e *entry) MinSize() fyne.Size {
	size := e.Entry.MinSize()
	if !e.MultiLine {
		size.Height = max(size.Height, look.Measures().Field)
	}
	return size
}

// TextField is a field for one line or several lines of text, with the formatting of its kind.
type TextField struct {
	look.Composite
	signals
	entry   *entry
	edge    *look.Surface
	fixed   fyne.CanvasObject
	words   *look.Text
	row     fyne.CanvasObject
	offer   *oldOffer // for free text: characters of old systems, with the standard ones
	faulty  bool
	focused bool
	secret  bool // is never read aloud
}

var _ look.Speaks = (*TextField)(nil)

// Spoken is what is read aloud: what stands in the field.
func (t *TextField) Spoken() string {
	if t.secret {
		return ""
	}
	return t.Shown()
}

// newTextField returns a field; ems is how wide it gets at most, in characters, 0 for as wide as the page.
func newTextField(f format, multi bool, unit string, ems float32) *TextField {
	t := &TextField{entry: newEntry(f, multi), edge: look.NewSurface(look.RoleClear, look.RoleClear)}
	t.edge.Hide()
	t.words = look.Body("")
	t.fixed = look.Layer(look.NewSurface(look.RoleSunken, look.RoleBorder), look.AtLeast(fieldHeight,
		look.Arrange(insetLayout{}, t.words)))
	t.fixed.Hide()
	t.entry.onValue = func(value string) {
		t.look(value)
		t.tell(value)
	}
	t.entry.onFocus = func(on bool) {
		t.focused = on
		t.draw()
		if !on {
			t.left()
		}
	}
	box := look.Layer(t.entry, t.edge)
	if !multi {
		box.Objects = append(box.Objects, newWheel(t.turn))
	}
	var body fyne.CanvasObject = box
	if unit != "" {
		body = look.HStack(look.Gap1, look.Grow(body), look.Body(unit))
	}
	t.row = body
	t.offer = newOldOffer(func() {
		t.SetText(ident.Modern(t.Text()))
		t.tell(t.Text())
	})
	body = look.Arrange(offerLayout{}, body, t.fixed, t.offer.obj)
	if ems > 0 {
		body = look.AtMost(func(m look.Tokens) float32 { return m.Body * ems }, body)
	}
	t.Compose(t, body)
	return t
}

// look shows or hides the offer of standard characters.
func (t *TextField) look(value string) {
	if t.offer.show(value) {
		t.Refresh()
	}
}

// of says what goes into the field, in a constructor.
func (t *TextField) of(p Purpose) *TextField {
	t.SetPurpose(p)
	return t
}

// turn scrolls the page that the field is on.
func (t *TextField) turn(dy float32) {
	if s := scrollAround(t.entry); s != nil {
		s.by(dy)
	}
}

// insetLayout places fixed text where the entry has its own, so that nothing moves when a field is fixed.
type insetLayout struct{}

var _ look.FlowLayout = insetLayout{}

func (insetLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	inset := theme.Size(theme.SizeNameInnerPadding)
	return o[0].MinSize().Add(fyne.NewSize(2*inset, inset))
}

func (insetLayout) HeightFor(o []fyne.CanvasObject, width float32) float32 {
	inset := theme.Size(theme.SizeNameInnerPadding)
	return look.HeightFor(o[0], width-2*inset) + inset
}

func (insetLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	inset := theme.Size(theme.SizeNameInnerPadding)
	h := look.HeightFor(o[0], size.Width-2*inset)
	o[0].Move(fyne.NewPos(inset, max(0, (size.Height-h)/2)))
	o[0].Resize(fyne.NewSize(size.Width-2*inset, h))
}

func fieldHeight(m look.Tokens) fyne.Size { return fyne.NewSize(0, m.Field) }

// NewText returns a field for one line of at most most characters; 0 is no limit.
func NewText(most int) *TextField { return newTextField(plain(most), false, "", 0) }

// NewLongText returns a field for several lines, at most most characters (0: the 5,000 that stay quick).
func NewLongText(most int) *TextField {
	const quick = 5000
	if most <= 0 || most > quick {
		most = quick
	}
	t := newTextField(plain(most), true, "", 0)
	t.entry.SetMinRowsVisible(4)
	return t
}

// NewNumber returns a field for a number with at most places digits after the point; unit is shown behind it.
func NewNumber(places int, unit string) *TextField {
	const mostDigits = 15
	return newTextField(decimal(mostDigits, places, false, true), false, unit, 16).of(Decimal)
}

// NewMoney returns a field for an amount in yuan: thousands grouped, two digits after the point. Its Text is the
// plain amount ("1234.5"); Fen and SetFen are the exact way in and out.
func NewMoney() *MoneyField {
	const mostDigits = 12
	return &MoneyField{newTextField(decimal(mostDigits, 2, true, false), false, look.Word("input.money.unit"), 16).of(Decimal)}
}

// NewID returns a field for a citizen ID number: full-width characters become half-width, x becomes X, shown as
// 6-8-4. It does not check the number.
func NewID() *TextField {
	return newTextField(grouped(18, idRune, 6, 8, 4), false, "", 22).of(IDNumber)
}

// NewPhone returns a field for a telephone number; mobile numbers are shown as 3-4-4.
func NewPhone() *TextField { return newTextField(phone(), false, "", 16).of(Phone) }

// NewBankCard returns a field for a bank card number, shown in groups of four.
func NewBankCard() *TextField {
	return newTextField(grouped(19, digit, 4), false, "", 22).of(Digits)
}

// MoneyField is a TextField that also speaks fen, the smallest unit, so that no amount is ever a fraction.
type MoneyField struct{ *TextField }

// Fen returns the amount in fen; false when there is none.
func (m *MoneyField) Fen() (int64, bool) { return ParseFen(m.Text()) }

// SetFen shows an amount given in fen.
func (m *MoneyField) SetFen(fen int64) { m.SetText(FormatFen(fen)) }

// Focusable returns the part that takes the keyboard.
func (t *TextField) Focusable() fyne.Focusable { return t.entry }

// Text returns the value without spacing.
func (t *TextField) Text() string { return t.entry.value }

// Shown returns the text as the person sees it.
func (t *TextField) Shown() string { return t.entry.Entry.Text }

// SetText shows value.
func (t *TextField) SetText(value string) {
	t.entry.set(value)
	t.words.SetText(t.entry.Entry.Text)
	t.look(value)
}

// SetHint shows an example while the field is empty. It is no label: it goes when one types.
func (t *TextField) SetHint(text string) { t.entry.SetPlaceHolder(text) }

// SetOnEnter sets what Enter does in a one-line field.
func (t *TextField) SetOnEnter(fn func()) { t.entry.onEnter = fn }

// SetReadOnly shows the value as fixed text, or lets it be typed again.
func (t *TextField) SetReadOnly(fixed bool) {
	t.words.SetText(t.entry.Entry.Text)
	t.fixed.(*fyne.Container).Hidden = !fixed
	if fixed {
		t.row.Hide()
	} else {
		t.row.Show()
	}
	t.Refresh()
}

// SetFaulty draws the edge of a refused value.
func (t *TextField) SetFaulty(faulty bool) {
	t.faulty = faulty
	t.draw()
}

// draw shows one edge over the entry's own: refused before focused.
func (t *TextField) draw() {
	t.edge.Hidden = !t.faulty && !t.focused
	if t.faulty {
		t.edge.SetRoles(look.RoleClear, look.RoleDanger)
	} else {
		t.edge.SetRoles(look.RoleClear, look.RolePrimary)
	}
	t.edge.SetThick(look.Measures().Border + 1)
	t.edge.Refresh()
}
