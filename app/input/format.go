package input

import (
	"strings"
	"unicode/utf8"
)

// format turns what was typed into what is shown, and what is shown into the value. Shown text is the value with
// spacing for the eye: formatting the value again gives the same text.
type format struct {
	clean func(typed string) string // the value in typed: folds full-width forms, drops what cannot be
	show  func(value string) string // the value with its spacing
	mark  func(r rune) bool         // whether r is spacing, not value
}

// plain keeps text as typed, at most most runes.
func plain(most int) format {
	return format{
		clean: func(s string) string { return firstRunes(s, most) },
		show:  func(s string) string { return s },
		mark:  func(rune) bool { return false },
	}
}

// grouped keeps the runes keep accepts, at most most of them, and shows them in groups of the given lengths, the last
// length repeating.
func grouped(most int, keep func(rune) (rune, bool), lengths ...int) format {
	return format{
		clean: func(s string) string { return firstRunes(mapKeep(s, keep), most) },
		show:  func(s string) string { return groups(s, " ", lengths...) },
		mark:  func(r rune) bool { return r == ' ' },
	}
}

// half returns r with a full-width form (U+FF01…U+FF5E, U+3000) turned into its ASCII character: Chinese input
// methods leave them behind in numbers.
func half(r rune) rune {
	switch {
	case r == '\u3000':
		return ' '
	case r >= '\uFF01' && r <= '\uFF5E':
		return r - 0xFEE0
	case r == '。' || r == '．':
		return '.'
	default:
		return r
	}
}

func digit(r rune) (rune, bool) {
	r = half(r)
	return r, r >= '0' && r <= '9'
}

// idRune accepts digits and the check letter X of citizen ID numbers.
func idRune(r rune) (rune, bool) {
	r = half(r)
	if r == 'x' {
		r = 'X'
	}
	return r, r >= '0' && r <= '9' || r == 'X'
}

// phoneRune accepts what telephone numbers are made of.
func phoneRune(r rune) (rune, bool) {
	r = half(r)
	return r, r >= '0' && r <= '9' || r == '+' || r == '-'
}

// phone shows eleven-digit mobile numbers as 3-4-4 and leaves others as they are.
func phone() format {
	const most = 20
	return format{
		clean: func(s string) string { return firstRunes(mapKeep(s, phoneRune), most) },
		show: func(s string) string {
			if strings.HasPrefix(s, "1") && len(s) <= 11 && !strings.ContainsAny(s, "+-") {
				return groups(s, " ", 3, 4, 4)
			}
			return s
		},
		mark: func(r rune) bool { return r == ' ' },
	}
}

// decimal keeps a number with at most places digits after the point, at most most before it; thousands are grouped by
// commas when comma is set, and a sign is kept when signed is.
func decimal(most, places int, comma, signed bool) format {
	return format{
		clean: func(s string) string { return cleanDecimal(s, most, places, signed) },
		show: func(s string) string {
			if !comma {
				return s
			}
			sign, rest := "", s
			if strings.HasPrefix(rest, "-") {
				sign, rest = "-", rest[1:]
			}
			whole, fraction, point := strings.Cut(rest, ".")
			for i := len(whole) - 3; i > 0; i -= 3 {
				whole = whole[:i] + "," + whole[i:]
			}
			if point {
				whole += "." + fraction
			}
			return sign + whole
		},
		mark: func(r rune) bool { return r == ',' },
	}
}

func cleanDecimal(s string, most, places int, signed bool) string {
	var whole, fraction strings.Builder
	point, minus := false, false
	for _, r := range s {
		r = half(r)
		switch {
		case r == '-' && signed && whole.Len() == 0 && !point:
			minus = true
		case r == '.' && places > 0:
			point = true
		case r < '0' || r > '9':
		case point:
			if fraction.Len() < places {
				fraction.WriteRune(r)
			}
		case whole.Len() < most:
			whole.WriteRune(r)
		}
	}
	number := strings.TrimLeft(whole.String(), "0")
	if number == "" && (whole.Len() > 0 || point) {
		number = "0"
	}
	if point {
		number += "." + fraction.String()
	}
	if minus {
		number = "-" + number
	}
	return number
}

// dated shows digits as year-month-day.
func dated() format {
	const most = 8
	return format{
		clean: func(s string) string { return firstRunes(mapKeep(s, digit), most) },
		show:  func(s string) string { return groups(s, "-", 4, 2, 2) },
		mark:  func(r rune) bool { return r == '-' },
	}
}

// retype formats typed, whose caret is caret runes from the start, and returns the shown text, its caret and the value.
// The caret stays behind as many value runes as before.
func (f format) retype(typed string, caret int) (shown string, at int, value string) {
	runes := []rune(typed)
	caret = max(0, min(caret, len(runes)))
	value = f.clean(typed)
	shown = f.show(value)
	before := utf8.RuneCountInString(f.clean(string(runes[:caret])))
	for _, r := range shown {
		if before == 0 {
			break
		}
		at++
		if !f.mark(r) {
			before--
		}
	}
	return shown, at, value
}

func mapKeep(s string, keep func(rune) (rune, bool)) string {
	var out strings.Builder
	for _, r := range s {
		if kept, ok := keep(r); ok {
			out.WriteRune(kept)
		}
	}
	return out.String()
}

func firstRunes(s string, most int) string {
	if most <= 0 || utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}

func groups(s, between string, lengths ...int) string {
	runes := []rune(s)
	var out strings.Builder
	for i := 0; len(runes) > 0; i++ {
		n := min(lengths[min(i, len(lengths)-1)], len(runes))
		if i > 0 {
			out.WriteString(between)
		}
		out.WriteString(string(runes[:n]))
		runes = runes[n:]
	}
	return out.String()
}
