package ime

import (
	"slices"
	"strings"
)

// Readings returns the syllables that the first keys that are not settled yet may stand for: as the first candidate reads
// them before the others, then the longer before the shorter, then single letters. It is empty when all keys are letters:
// there is nothing to choose.
func (s *Session) Readings() []string {
	at, syllables := s.unsettled()
	if at < 0 {
		return nil
	}
	var digits []rune // up to the next apostrophe
	for _, r := range s.typed[at:] {
		if r < '2' || r > '9' {
			break
		}
		digits = append(digits, r)
	}
	var out []string
	if all := s.convert(); len(all) > 0 && syllables < len(all[0].syl) {
		if first := s.engine.dict.Syllables[all[0].syl[syllables]]; fits(first, digits) {
			out = append(out, first)
		}
	}
	for n := min(len(digits), longestSyllable); n > 0; n-- {
		for _, syl := range s.engine.dict.Syllables {
			if len(syl) == n && fits(syl, digits) && !slices.Contains(out, syl) {
				out = append(out, syl)
			}
		}
	}
	for _, c := range nine[digits[0]-'2'] {
		if one := string(c); !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}

// unsettled returns where the first key stands that has several letters, -1 for nowhere, and how many settled syllables
// stand before it.
func (s *Session) unsettled() (at, syllables int) {
	for i, r := range s.typed {
		switch {
		case r >= '2' && r <= '9':
			return i, syllables
		case r == '\'':
			syllables++
		}
	}
	return -1, 0
}

const longestSyllable = 6

// fits reports whether a syllable is typed with the first of these digits.
func fits(syl string, digits []rune) bool {
	if len(syl) > len(digits) {
		return false
	}
	for i, c := range syl {
		if !strings.ContainsRune(nine[digits[i]-'2'], c) {
			return false
		}
	}
	return true
}

// Read settles the first keys with several letters on a syllable of Readings: from now on they are its letters.
func (s *Session) Read(syllable string) {
	at, _ := s.unsettled()
	n := len(syllable) // its letters are ASCII
	if at < 0 || n == 0 || at+n > len(s.typed) {
		return
	}
	rest := slices.Clone(s.typed[at+n:])
	s.typed = append(s.typed[:at:at], []rune(syllable)...)
	if len(rest) > 0 && rest[0] != '\'' {
		s.typed = append(s.typed, '\'')
	}
	s.typed = append(s.typed, rest...)
	s.listed = false
}
