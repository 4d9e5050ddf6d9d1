// Package pinyin finds Chinese text from what people type: characters, pinyin, initials, or a mixture (gaolingjt).
//
// Readings come from the Unihan-derived table of go-pinyin; on top of it stand three small tables of our own: phrases
// in which a character is read otherwise (银行, 重庆), surnames with their own reading (单 shan, 解 xie, 尉迟 yuchi), and
// second readings under which people look for a character. ü is written v; a typed ü is understood as v.
//
// All functions are pure and may be called from any goroutine. An [Index] is immutable once built.
package pinyin

import (
	"strings"
	"unicode"
	"unicode/utf8"

	gopinyin "github.com/mozillazg/go-pinyin"
)

// token is one searchable character of a text.
type token struct {
	r   rune     // the character; letters and digits lower case, half width
	py  []string // readings of a Chinese character, best first; nil for letters and digits
	han bool
}

// Full returns the pinyin of s without tones, one element for each Chinese character and one for each run of Latin
// letters or digits, all lower case: "高龄津贴" gives gao ling jin tie. Punctuation is left out, and so are characters
// that have no known reading.
func Full(s string) []string { return full(tokens(s, false)) }

// NameFull is Full for a person's name: surnames have their own readings (单 shan, 尉迟 yuchi).
func NameFull(s string) []string { return full(tokens(s, true)) }

func full(toks []token) []string {
	var out []string
	run := false
	for _, t := range toks {
		switch {
		case t.han && len(t.py) > 0:
			out = append(out, t.py[0])
			run = false
		case t.han:
			run = false
		case run:
			out[len(out)-1] += string(t.r)
		default:
			out = append(out, string(t.r))
			run = true
		}
	}
	return out
}

// Initials returns the first letter of each character's reading; letters and digits stand for themselves:
// "高龄津贴" gives "gljt".
func Initials(s string) string { return initials(tokens(s, false)) }

// NameInitials is Initials for a person's name: "单田芳" gives "stf".
func NameInitials(s string) string { return initials(tokens(s, true)) }

func initials(toks []token) string {
	var b strings.Builder
	for _, t := range toks {
		switch {
		case !t.han:
			b.WriteRune(t.r)
		case len(t.py) > 0:
			b.WriteByte(t.py[0][0])
		}
	}
	return b.String()
}

// tokens takes a text apart. With name set the beginning is read as a surname.
func tokens(s string, name bool) []token {
	s = fold(s)
	rs := []rune(s)
	out := make([]token, 0, len(rs))
	for i := 0; i < len(rs); {
		if n, py := phraseAt(rs, i, name); n > 0 {
			for k := range n {
				out = append(out, token{r: rs[i+k], py: withSecond(rs[i+k], py[k]), han: true})
			}
			i += n
			continue
		}
		r := rs[i]
		i++
		switch {
		case isHan(r):
			out = append(out, token{r: r, py: withSecond(r, reading(r)), han: true})
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			out = append(out, token{r: r})
		}
	}
	return out
}

// fold makes letters lower case and full-width characters half-width.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0xFF01 && r <= 0xFF5E {
			r -= 0xFEE0
		}
		if r == 'ü' || r == 'Ü' {
			return 'v'
		}
		return unicode.ToLower(r)
	}, s)
}

func isHan(r rune) bool {
	return r >= 0x20000 && r <= 0x3FFFD || unicode.Is(unicode.Han, r)
}

// reading returns the most usual reading of a character without tone, or "".
func reading(r rune) string {
	if py, ok := usual[r]; ok {
		return py
	}
	all := gopinyin.PinyinDict[int(r)]
	first, _, _ := strings.Cut(all, ",")
	return plain(first)
}

// withSecond returns the readings to search a character by: first, and the others of the table of second readings.
func withSecond(r rune, first string) []string {
	if first == "" {
		return nil
	}
	out := []string{first}
	for _, py := range second[r] {
		if py != first {
			out = append(out, py)
		}
	}
	return out
}

// plain strips tones: lǜ gives lv, zhōng gives zhong.
func plain(py string) string {
	ascii := true
	for i := 0; i < len(py); i++ {
		if py[i] >= utf8.RuneSelf {
			ascii = false
		}
	}
	if ascii {
		return py
	}
	var b strings.Builder
	for _, r := range py {
		switch {
		case strings.ContainsRune("āáǎà", r):
			b.WriteByte('a')
		case strings.ContainsRune("ēéěèêếềḗ", r):
			b.WriteByte('e')
		case strings.ContainsRune("īíǐì", r):
			b.WriteByte('i')
		case strings.ContainsRune("ōóǒò", r):
			b.WriteByte('o')
		case strings.ContainsRune("ūúǔù", r):
			b.WriteByte('u')
		case strings.ContainsRune("üǖǘǚǜ", r):
			b.WriteByte('v')
		case strings.ContainsRune("ńňǹ", r):
			b.WriteByte('n')
		case r == 'ḿ':
			b.WriteByte('m')
		case r >= 'a' && r <= 'z':
			b.WriteRune(r)
		}
	}
	return b.String()
}

// phraseAt returns the length and readings of the longest phrase that begins at i.
func phraseAt(rs []rune, i int, name bool) (int, []string) {
	if name && i == 0 {
		for n := min(2, len(rs)); n > 0; n-- {
			if py, ok := surnames[string(rs[:n])]; ok {
				return n, py
			}
		}
	}
	for n := min(maxPhrase, len(rs)-i); n > 1; n-- {
		if py, ok := phrases[string(rs[i:i+n])]; ok {
			return n, py
		}
	}
	return 0, nil
}
