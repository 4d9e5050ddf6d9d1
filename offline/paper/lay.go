package paper

import (
	"fmt"
	"strings"
	"unicode"
)

// QuietZone is the white margin a QR code needs, in modules (ISO/IEC 18004).
const QuietZone = 4

// A module on a slip has at most six dots: a code on wide paper keeps a size that a phone takes in at arm's length, 52 mm for
// version 13. Under three it is not read from thermal paper any more.
const (
	maxModuleDots = 6
	minModuleDots = 3
)

// Style is how large things are on a paper.
type Style struct {
	Width    int // dots
	Margin   int // dots at either side
	Labels   int // characters that a label may have so that values line up
	Num, Den int // sizes of the document times Num / Den
}

// StyleFor returns how a document is laid out on paper of a width in dots.
func StyleFor(dots int) Style {
	if dots >= DotsA4 {
		return Style{Width: dots, Labels: 8, Num: 4, Den: 3}
	}
	return Style{Width: dots, Margin: 8, Labels: 4, Num: 1, Den: 1}
}

func (s Style) scale(n int) int { return n * s.Num / s.Den }

// Lay lays a document out. Errors: ErrSheet.
func Lay(d Doc, face *Face, style Style) (*Sheet, error) {
	if face == nil || style.Width < Dots58/2 || style.Num <= 0 || style.Den <= 0 {
		return nil, fmt.Errorf("%w: %d dots wide", ErrSheet, style.Width)
	}
	l := &layer{style: style, face: face, sheet: &Sheet{Title: d.Title, Width: style.Width, face: face}}
	for _, b := range d.Blocks {
		l.block(b)
		if l.err != nil {
			return nil, l.err
		}
	}
	l.sheet.Height = l.y
	return l.sheet, nil
}

// layer lays out from top to bottom. After the first error it does nothing.
type layer struct {
	style Style
	face  *Face
	sheet *Sheet
	y     int
	err   error
}

func (l *layer) block(b Block) {
	size := l.style.scale(b.Size)
	switch b.Kind {
	case KindSpace:
		l.y += size
	case KindRule:
		l.ink(Ink{Kind: InkRect, X: l.style.Margin, Y: l.y, W: l.style.Width - 2*l.style.Margin, H: size})
		l.y += size
	case KindCentre:
		for _, line := range l.wrap(b.Text, size, l.inner()) {
			l.line(line, size, (l.style.Width-l.measure(line, size))/2, false)
		}
	case KindMark:
		l.mark(b.Text, size)
	case KindText:
		l.text(b.Text, size)
	case KindPair:
		l.pair(b.Label, b.Text, size)
	case KindCode:
		l.code(b.Code)
	default:
		l.err = fmt.Errorf("%w: block of kind %d", ErrSheet, b.Kind)
	}
}

// inner is the width between the margins.
func (l *layer) inner() int { return l.style.Width - 2*l.style.Margin }

func (l *layer) ink(k Ink) { l.sheet.Inks = append(l.sheet.Inks, k) }

// rest marks a row at which a page may end.
func (l *layer) rest() { l.sheet.Breaks = append(l.sheet.Breaks, l.y) }

func (l *layer) text(text string, size int) {
	for _, line := range l.wrap(text, size, l.inner()) {
		l.line(line, size, l.style.Margin, false)
	}
}

func (l *layer) mark(text string, size int) {
	lines := l.wrap(text, size, l.inner()-size)
	if len(lines) == 0 {
		return
	}
	edge := size / 4
	l.ink(Ink{Kind: InkRect, X: l.style.Margin, Y: l.y, W: l.inner(), H: len(lines)*lineHeight(size) + 2*edge})
	l.y += edge
	for _, line := range lines {
		l.lineAt(line, size, (l.style.Width-l.measure(line, size))/2, true)
	}
	l.y += edge
	l.rest()
}

// pair lays out label and value: the value beside the label, and its further lines under its first.
func (l *layer) pair(label, value string, size int) {
	gap := l.style.scale(4)
	if label == "" {
		l.text(value, size)
		l.y += gap
		return
	}
	x := l.style.Margin + l.measure(label, size) + size/2
	x = max(x, l.style.Margin+l.style.Labels*size+size/2)
	if x > l.style.Width/2 {
		l.text(label, size)
		x = l.style.Margin + size
	} else {
		top := l.y
		l.lineAt(label, size, l.style.Margin, false)
		l.y = top
	}
	lines := l.wrap(value, size, l.style.Width-l.style.Margin-x)
	if len(lines) == 0 {
		lines = []string{""}
	}
	for _, t := range lines {
		l.line(t, size, x, false)
	}
	l.y += gap
}

// code places a QR code in the middle, as large as whole dots and the width allow. On paper its quiet zone is made up of
// what is left at its sides and the paper's own margin.
func (l *layer) code(modules [][]bool) {
	n := len(modules)
	if n == 0 {
		return
	}
	dots := min(l.style.Width/n, l.style.scale(maxModuleDots))
	if dots < minModuleDots {
		l.err = fmt.Errorf("%w: %d modules do not fit into %d dots", ErrSheet, n, l.style.Width)
		return
	}
	side := n * dots
	l.y += QuietZone * dots
	l.ink(Ink{Kind: InkCode, X: (l.style.Width - side) / 2, Y: l.y, W: side, H: side, Code: modules, Dots: dots})
	l.y += side + QuietZone*dots
	l.rest()
}

// lineHeight is 1.35 times the size.
func lineHeight(size int) int { return size * 135 / 100 }

// line places one line of text and moves down; a page may end after it.
func (l *layer) line(text string, size, x int, white bool) {
	l.lineAt(text, size, x, white)
	l.rest()
}

func (l *layer) lineAt(text string, size, x int, white bool) {
	if text != "" {
		l.ink(Ink{Kind: InkText, X: x, Y: l.y, W: l.measure(text, size), H: lineHeight(size), Size: size, Text: text, White: white})
	}
	l.y += lineHeight(size)
}

func (l *layer) measure(text string, size int) int {
	if l.err != nil {
		return 0
	}
	w, err := l.face.Measure(text, size)
	l.err = err
	return w
}

// Characters that never begin a line, and those that never end one.
const (
	noStart = "，。、；：？！）》〉」』】〕％…—·,.;:?!)]}%"
	noEnd   = "（《〈「『【〔([{"
)

// wrap breaks text into lines of at most width dots: Latin words and numbers whole where they fit, Chinese anywhere
// except around punctuation.
func (l *layer) wrap(text string, size, width int) []string {
	var lines []string
	for _, part := range strings.Split(strings.TrimSpace(text), "\n") {
		line := ""
		for _, token := range tokens(part) {
			if line == "" && token == " " {
				continue
			}
			if l.measure(strings.TrimRight(line+token, " "), size) <= width {
				line += token
				continue
			}
			if line != "" {
				lines = append(lines, strings.TrimRight(line, " "))
				line = ""
			}
			for l.err == nil && l.measure(token, size) > width { // longer than a line: cut it
				runes := []rune(token)
				n := len(runes) - 1
				for n > 1 && l.measure(string(runes[:n]), size) > width {
					n--
				}
				if n < 1 {
					break
				}
				lines = append(lines, string(runes[:n]))
				token = string(runes[n:])
			}
			line = strings.TrimLeft(token, " ")
		}
		if line != "" {
			lines = append(lines, strings.TrimRight(line, " "))
		}
	}
	return lines
}

// tokens splits text where a line may break.
func tokens(text string) []string {
	var out []string
	runes := []rune(text)
	for i := 0; i < len(runes); {
		j := i + 1
		for j < len(runes) && !mayBreak(runes[j-1], runes[j]) {
			j++
		}
		out = append(out, string(runes[i:j]))
		i = j
	}
	return out
}

func mayBreak(before, after rune) bool {
	switch {
	case before == ' ' || after == ' ':
		return true
	case strings.ContainsRune(noStart, after) || strings.ContainsRune(noEnd, before):
		return false
	}
	return !(narrow(before) && narrow(after))
}

func narrow(r rune) bool {
	return r < 0x2e80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r > ' ' && r < 0x7f)
}
