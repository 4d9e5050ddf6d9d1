package look

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Style is a step of the type scale.
type Style int

// Type scale. Sizes are in Tokens.
const (
	StyleBody      Style = iota // running text
	StyleStrong                 // running text, bold
	StyleLabel                  // labels and help
	StyleTitle                  // heading of a card
	StylePageTitle              // heading of a page
	StyleFigure                 // a number to be seen from afar: counts, amounts
)

func (s Style) size() float32 {
	m := Measures()
	switch s {
	case StyleLabel:
		return m.Label
	case StyleTitle:
		return m.Title
	case StylePageTitle, StyleFigure:
		return m.PageTitle
	default:
		return m.Body
	}
}

func (s Style) bold() bool { return s != StyleBody && s != StyleLabel }

// Text is a piece of text in one style. It breaks lines as Chinese is set: between any two characters, but never with
// a closing mark at the start of a line or an opening one at its end, and not inside a number or a Latin word.
type Text struct {
	widget.BaseWidget
	text   string
	style  Style
	role   Role
	align  fyne.TextAlign
	single bool // one line, as wide as it is
	limit  int  // most lines, 0 = all; the rest becomes an ellipsis
	memo   textMemo
}

type textMemo struct {
	text       string
	width      float32
	generation uint64
	lines      []string
}

// NewText returns wrapped text.
func NewText(text string, style Style, role Role) *Text {
	PrepareText(text)
	t := &Text{text: text, style: style, role: role}
	t.ExtendBaseWidget(t)
	return t
}

// PageTitle returns the heading of a page.
func PageTitle(text string) *Text { return NewText(text, StylePageTitle, RoleText) }

// Title returns the heading of a card or section.
func Title(text string) *Text { return NewText(text, StyleTitle, RoleText) }

// Body returns running text.
func Body(text string) *Text { return NewText(text, StyleBody, RoleText) }

// Strong returns running text in bold.
func Strong(text string) *Text { return NewText(text, StyleStrong, RoleText) }

// Label returns secondary text: a label, help, a time.
func Label(text string) *Text { return NewText(text, StyleLabel, RoleSecondary) }

// Mono returns a number or code on one line; all digits are equally wide, so columns line up.
func Mono(text string) *Text { return NewText(text, StyleBody, RoleText).Single() }

// Figure returns a large number on one line.
func Figure(text string) *Text { return NewText(text, StyleFigure, RoleText).Single() }

// Single keeps the text on one line and makes it as wide as it needs.
func (t *Text) Single() *Text {
	t.single = true
	return t
}

// Lines allows at most n lines; what does not fit ends in an ellipsis.
func (t *Text) Lines(n int) *Text {
	t.limit = n
	return t
}

// Align sets where lines stand in the width they get.
func (t *Text) Align(a fyne.TextAlign) *Text {
	t.align = a
	return t
}

// Text returns the whole text.
func (t *Text) Text() string { return t.text }

// Cut reports whether the text ends in an ellipsis, because it needs more lines than it may have.
func (t *Text) Cut() bool {
	return !t.single && t.limit > 0 && len(breakLines(t.text, t.Size().Width, t.measure)) > t.limit
}

// SetText changes the text.
func (t *Text) SetText(text string) {
	if t.text == text {
		return
	}
	PrepareText(text)
	t.text = text
	t.Refresh()
}

// SetRole changes the colour.
func (t *Text) SetRole(role Role) {
	if t.role == role {
		return
	}
	t.role = role
	t.Refresh()
}

// SetStyle changes the step of the scale.
func (t *Text) SetStyle(style Style) {
	if t.style == style {
		return
	}
	t.style = style
	t.memo = textMemo{}
	t.Refresh()
}

// HeightFor returns the height of the text at the given width.
func (t *Text) HeightFor(width float32) float32 { return float32(len(t.linesFor(width))) * t.pitch() }

func (t *Text) pitch() float32 { return t.style.size() * Measures().LineSpacing }

func (t *Text) measure(s string) float32 {
	PrepareText(s)
	return fyne.MeasureText(s, t.style.size(), fyne.TextStyle{Bold: t.style.bold()}).Width
}

// longestWord returns the width below which a word of the text would be broken.
func (t *Text) longestWord() float32 {
	var w float32
	for _, atom := range atoms(t.text) {
		w = max(w, t.measure(strings.TrimRight(atom, " ")))
	}
	return w
}

func (t *Text) linesFor(width float32) []string {
	if t.single {
		return []string{t.text}
	}
	if m := &t.memo; m.lines != nil && m.text == t.text && m.width == width && m.generation == now.generation {
		return m.lines
	}
	lines := breakLines(t.text, width, t.measure)
	if t.limit > 0 && len(lines) > t.limit {
		lines = lines[:t.limit]
		lines[t.limit-1] = ellipsis(lines[t.limit-1], width, t.measure)
	}
	t.memo = textMemo{text: t.text, width: width, generation: now.generation, lines: lines}
	return lines
}

// CreateRenderer is called by Fyne.
func (t *Text) CreateRenderer() fyne.WidgetRenderer {
	r := &textRenderer{text: t}
	r.build(t.Size())
	return r
}

type textRenderer struct {
	text    *Text
	objects []fyne.CanvasObject
}

func (r *textRenderer) build(size fyne.Size) {
	t := r.text
	PrepareText(t.text) // it may have been shown long ago
	lines := t.linesFor(size.Width)
	if len(r.objects) > len(lines) {
		r.objects = r.objects[:len(lines)]
	}
	textSize, pitch := t.style.size(), t.pitch()
	for i, line := range lines {
		if i == len(r.objects) {
			r.objects = append(r.objects, canvas.NewText("", nil))
		}
		o, _ := r.objects[i].(*canvas.Text)
		o.Text, o.Color, o.TextSize, o.Alignment = line, Color(t.role), textSize, t.align
		o.TextStyle = fyne.TextStyle{Bold: t.style.bold()}
		height := textSize * naturalLine
		o.Move(fyne.NewPos(0, float32(i)*pitch+(pitch-height)/2))
		o.Resize(fyne.NewSize(size.Width, height))
	}
}

func (r *textRenderer) Destroy()                     {}
func (r *textRenderer) Layout(size fyne.Size)        { r.build(size) }
func (r *textRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *textRenderer) MinSize() fyne.Size {
	t := r.text
	if t.single {
		return fyne.NewSize(t.measure(t.text), t.pitch())
	}
	width := t.Size().Width
	least := min(t.style.size()*2, t.measure(t.text)) // two characters: narrower columns are a fault of the screen
	if width <= 0 {
		return fyne.NewSize(least, t.pitch())
	}
	return fyne.NewSize(least, t.HeightFor(width))
}

func (r *textRenderer) Refresh() {
	r.build(r.text.Size())
	for _, o := range r.objects {
		o.Refresh()
	}
}
