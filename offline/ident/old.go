package ident

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

// old.txt lists code points that old systems wrote for characters, with the standard ones, in hexadecimal: compatibility
// ideographs, radicals that are symbols, and what GBK and GB 18030-2005 kept in the private-use area and GB 18030-2022 does
// not. packaging/rare/gen makes it.
//
//go:embed old.txt
var oldList string

var standards = sync.OnceValue(func() map[rune]rune {
	out := make(map[rune]rune, strings.Count(oldList, "\n"))
	for line := range strings.Lines(oldList) {
		from, to, _ := strings.Cut(strings.TrimSpace(line), " ")
		a, err := strconv.ParseUint(from, 16, 32)
		b, err2 := strconv.ParseUint(to, 16, 32)
		if err == nil && err2 == nil {
			out[rune(a)] = rune(b)
		}
	}
	return out
})

// OldChar is a character under a code point that names should not have.
type OldChar struct {
	Rune     rune
	Standard rune // the character to write instead; 0 when only the person's papers can tell
}

// OldChars returns the characters of s that come from old systems, each once: those with a standard form, and those of the
// private-use areas, which every system used for other characters.
func OldChars(s string) []OldChar {
	var out []OldChar
	for _, r := range s {
		o := OldChar{Rune: r}
		if std, ok := standards()[r]; ok {
			o.Standard = std
		} else if !private(r) {
			continue
		}
		seen := false
		for _, x := range out {
			seen = seen || x.Rune == r
		}
		if !seen {
			out = append(out, o)
		}
	}
	return out
}

// Modern writes the standard characters for those of old systems, where they are known.
func Modern(s string) string {
	return strings.Map(func(r rune) rune {
		if std, ok := standards()[r]; ok {
			return std
		}
		return r
	}, s)
}

func private(r rune) bool { return r >= 0xE000 && r <= 0xF8FF || r >= 0xF0000 && r <= 0x10FFFD }

// checkOld refuses names with characters of old systems.
func checkOld(s string) error {
	var err error
	for _, o := range OldChars(s) {
		if o.Standard == 0 {
			return ErrNamePrivate
		}
		err = ErrNameOld
	}
	return err
}
