package look

import (
	"math"
	"strings"
	"unicode"
)

// Marks that may not begin a line and marks that may not end one, after the customs of Chinese setting (CLREQ §3.1.6).
const (
	closingMarks = "、，。．：；！？）》〉」』】〕”’…—·％℃,.:;!?)]}%"
	openingMarks = "（《〈「『【〔“‘([{￥¥"
)

// breakLines cuts text into lines no wider than width, as measured. Newlines in text are kept. An atom (a word, a
// number, a character with its marks) wider than the line is cut into even parts, so that no last digit stands alone. A
// width of zero or less cuts nothing.
func breakLines(text string, width float32, measure func(string) float32) []string {
	var lines []string
	for _, paragraph := range strings.Split(text, "\n") {
		if width <= 0 || measure(paragraph) <= width {
			lines = append(lines, paragraph)
			continue
		}
		lines = append(lines, breakParagraph(paragraph, width, measure)...)
	}
	return lines
}

func breakParagraph(text string, width float32, measure func(string) float32) []string {
	var lines []string
	var line strings.Builder
	var used float32
	flush := func() {
		lines = append(lines, strings.TrimRight(line.String(), " "))
		line.Reset()
		used = 0
	}
	for _, atom := range atoms(text) {
		w := measure(atom)
		if used+w > width && used+measure(strings.TrimRight(atom, " ")) > width && line.Len() > 0 {
			flush()
			atom = strings.TrimLeft(atom, " ")
			w = measure(atom)
		}
		for w > width {
			parts := float32(math.Ceil(float64(w / width)))
			first := fitting(atom, 0, measure)
			head := fitting(atom, min(width, w/parts+measure(first)), measure)
			line.WriteString(head)
			flush()
			atom = atom[len(head):]
			w = measure(atom)
		}
		line.WriteString(atom)
		used += w
	}
	if line.Len() > 0 || len(lines) == 0 {
		flush()
	}
	return lines
}

// atoms cuts text into the pieces between which a line may end.
func atoms(text string) []string {
	var out []string
	start := 0
	var last rune
	for i, r := range text {
		if i > start && mayBreak(last, r) {
			out = append(out, text[start:i])
			start = i
		}
		last = r
	}
	if start < len(text) {
		out = append(out, text[start:])
	}
	return out
}

func mayBreak(before, after rune) bool {
	switch {
	case after == ' ':
		return false
	case before == ' ':
		return true
	case strings.ContainsRune(closingMarks, after) || strings.ContainsRune(openingMarks, before):
		return false
	case wordRune(before) && wordRune(after):
		return false
	case wordRune(before) && strings.ContainsRune(closingMarks, before):
		return !wordRune(after)
	default:
		return true
	}
}

// wordRune reports whether r belongs to Latin words, numbers, codes and addresses, which stay on one line.
func wordRune(r rune) bool {
	if r >= 0x2E80 {
		return false
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_/.,:@#&+=*'%$~", r)
}

// fitting returns the longest start of s that is at most width wide, at least one character.
func fitting(s string, width float32, measure func(string) float32) string {
	end := 0
	for i, r := range s {
		next := i + len(string(r))
		if end > 0 && measure(s[:next]) > width {
			break
		}
		end = next
	}
	return s[:end]
}

// ellipsis shortens line until it and an ellipsis fit into width.
func ellipsis(line string, width float32, measure func(string) float32) string {
	const more = "…"
	runes := []rune(strings.TrimRight(line, "，。、；： "))
	for len(runes) > 0 && measure(string(runes)+more) > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + more
}
