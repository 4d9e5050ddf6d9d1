package ime

import (
	"slices"
	"strings"

	"bianmin/offline/pinyin/dict"
)

// PageSize is how many candidates a page has: the keys 1 to 9.
const PageSize = 9

// nine are the letters on the keys 2 to 9.
var nine = [...]string{"abc", "def", "ghi", "jkl", "mno", "pqrs", "tuv", "wxyz"}

// Session is one composition: from the first letter typed at a field to the text committed. It belongs to one goroutine.
type Session struct {
	engine *Engine
	opts   Options
	typed  []rune // as it is shown: letters, digits of the nine keys, apostrophes
	picked []picked
	list   []Candidate
	listed bool
	// What was committed last at this field stands before the next composition.
	before uint32
	class  uint8
}

type picked struct {
	text string
	keys []rune // what was typed for it, to bring it back
	c    Candidate
	top  bool // it was the first candidate
}

// Session starts a composition.
func (e *Engine) Session(o Options) *Session {
	return &Session{engine: e, opts: o, before: dict.None, class: dict.Start}
}

// Input takes a key and reports whether it belongs to the composition: a letter, an apostrophe after a letter, with NineKey
// a digit. Everything else the caller handles itself. ü is v.
func (s *Session) Input(r rune) bool {
	switch {
	case r >= 'A' && r <= 'Z':
		r += 'a' - 'A'
	case r == 'ü' || r == 'Ü':
		r = 'v'
	case r == '’' || r == '1' && s.opts.NineKey:
		r = '\''
	}
	switch {
	case r >= 'a' && r <= 'z', s.opts.NineKey && r >= '2' && r <= '9':
	case r == '\'':
		if len(s.typed) == 0 || s.typed[len(s.typed)-1] == '\'' {
			return len(s.typed) > 0 || len(s.picked) > 0
		}
	default:
		return false
	}
	if len(s.typed) < maxKeys {
		s.typed = append(s.typed, r)
		s.listed = false
	}
	return true
}

// Backspace takes back the last key, or else the last pick; false when there is nothing to take back.
func (s *Session) Backspace() bool {
	switch {
	case len(s.typed) > 0:
		s.typed = s.typed[:len(s.typed)-1]
	case len(s.picked) > 0:
		last := s.picked[len(s.picked)-1]
		s.picked = s.picked[:len(s.picked)-1]
		s.typed = slices.Clone(last.keys)
	default:
		return false
	}
	s.listed = false
	return true
}

// Clear drops the composition (Esc).
func (s *Session) Clear() {
	s.typed, s.picked, s.list, s.listed = nil, nil, nil, false
}

// Reset drops the composition and what was before it: another field, another person.
func (s *Session) Reset() {
	s.Clear()
	s.before, s.class = dict.None, dict.Start
}

// Active reports whether anything is being composed.
func (s *Session) Active() bool { return len(s.typed) > 0 || len(s.picked) > 0 }

// Composition returns what is shown at the field while composing: the text picked so far and the letters not yet turned
// into text, cut into syllables as the first candidate reads them.
func (s *Session) Composition() (text, letters string) {
	for _, p := range s.picked {
		text += p.text
	}
	if all := s.convert(); len(all) > 0 {
		return text, s.cut(all[0].syl)
	}
	return text, string(s.typed)
}

// cut puts apostrophes between what was typed for syllables.
func (s *Session) cut(syl []uint16) string {
	k := s.keys()
	g, _ := s.engine.graph(k, s.opts.Fuzzy)
	ends := cuts(g, syl)
	var b strings.Builder
	at := 0
	for _, r := range s.typed {
		if r == '\'' {
			continue
		}
		if at > 0 && (ends[at] || k.breaks[at]) {
			b.WriteByte('\'')
		}
		b.WriteRune(r)
		at++
	}
	return b.String()
}

// Raw returns the keys as they were typed, for committing them as they are (Enter).
func (s *Session) Raw() string {
	var b strings.Builder
	for _, p := range s.picked {
		b.WriteString(p.text)
	}
	b.WriteString(strings.ReplaceAll(string(s.typed), "'", ""))
	return b.String()
}

// keys turns what was typed into what the engine reads.
func (s *Session) keys() *keys {
	k := &keys{breaks: []bool{false}}
	for _, r := range s.typed {
		switch {
		case r == '\'':
			k.breaks[len(k.breaks)-1] = len(k.letters) > 0
			continue
		case r >= '2' && r <= '9':
			bits := uint32(0)
			for _, c := range nine[r-'2'] {
				bits |= 1 << (c - 'a')
			}
			k.letters = append(k.letters, bits)
		default:
			k.letters = append(k.letters, 1<<(r-'a'))
		}
		k.breaks = append(k.breaks, false)
	}
	return k
}

func (s *Session) convert() []Candidate {
	if s.listed {
		return s.list
	}
	s.list, s.listed = nil, true
	if k := s.keys(); k.len() > 0 {
		before, class := s.before, s.class
		if n := len(s.picked); n > 0 {
			before, class = s.picked[n-1].c.ref, s.picked[n-1].c.cls
		}
		s.list = s.engine.convert(k, &s.opts, before, class)
		if l := s.opts.Learned; l != nil {
			l.lead(s.list, plainKeys(s.typed), s.engine.letters)
		}
	}
	return s.list
}

// Candidates returns a page of what the letters may mean, best first; pages count from 0. It is empty when there is none.
func (s *Session) Candidates(page int) []Candidate {
	all := s.convert()
	if page < 0 || page*PageSize >= len(all) {
		return nil
	}
	return all[page*PageSize : min(len(all), (page+1)*PageSize)]
}

// All returns all candidates, best first.
func (s *Session) All() []Candidate { return s.convert() }

// Pages returns how many pages of candidates there are.
func (s *Session) Pages() int { return (len(s.convert()) + PageSize - 1) / PageSize }

// Pick takes candidate i, counted over all pages from 0. When it stands for all letters, the composition is finished: the
// whole text is returned with done set, and the session is ready for the next. Otherwise the rest of the letters stays.
func (s *Session) Pick(i int) (text string, done bool) {
	all := s.convert()
	if i < 0 || i >= len(all) {
		return "", false
	}
	c := all[i]
	used := c.Keys
	at := 0
	for at < len(s.typed) && (used > 0 || s.typed[at] == '\'') {
		if s.typed[at] != '\'' {
			used--
		}
		at++
	}
	s.picked = append(s.picked, picked{text: c.Text, keys: slices.Clone(s.typed[:at]), c: c, top: i == 0})
	s.typed = slices.Clone(s.typed[at:])
	s.listed = false
	if len(s.typed) > 0 {
		return "", false
	}
	return s.finish(), true
}

// Commit takes the first candidates until nothing is left (space) and returns the text; letters that mean nothing are
// committed as they are.
func (s *Session) Commit() string {
	for len(s.typed) > 0 {
		if len(s.convert()) == 0 {
			text := s.Raw()
			s.Reset()
			return text
		}
		if text, done := s.Pick(0); done {
			return text
		}
	}
	if len(s.picked) == 0 {
		return ""
	}
	return s.finish()
}

// finish learns and ends the composition.
func (s *Session) finish() string {
	var text, keys string
	var syl []uint16
	for _, p := range s.picked {
		text += p.text
		keys += plainKeys(p.keys)
		syl = append(syl, p.c.syl...)
	}
	s.learn(text, s.engine.letters(syl), keys)
	last := s.picked[len(s.picked)-1].c
	s.Clear()
	s.before, s.class = last.ref, last.cls
	return text
}

// learn notes what the engine did not know: a text put together from parts, or a candidate that was not the first. What
// was right at once teaches nothing and leaves no trace, unless it was learned before.
func (s *Session) learn(text string, syl []string, keys string) {
	l := s.opts.Learned
	if l == nil {
		return
	}
	for _, p := range s.picked {
		if len(s.picked) > 1 && len(p.c.syl) == 1 {
			continue // a character of a word says nothing about the character
		}
		if syl := s.engine.letters(p.c.syl); !p.top || l.known(p.text, syl) {
			l.learn(p.text, syl, plainKeys(p.keys))
		}
	}
	if len(s.picked) > 1 {
		l.learn(text, syl, keys)
	}
}

// plainKeys is what was typed without apostrophes.
func plainKeys(typed []rune) string { return strings.ReplaceAll(string(typed), "'", "") }

// Convert returns the first candidates for one line of pinyin that stand for all of it, then, when there are fewer than
// most, those for its beginning. Blanks and apostrophes stand between syllables, tones and case do not matter, and what no
// pinyin is written with stands between syllables, too.
func (e *Engine) Convert(line string, o Options, most int) []string {
	s := e.Session(o)
	for _, r := range plainTones.Replace(strings.ToLower(line)) {
		if !s.Input(r) && !(r >= '1' && r <= '5') {
			s.Input('\'')
		}
	}
	all := s.All()
	out := make([]string, 0, min(most, len(all)))
	for _, c := range all[:min(most, len(all))] {
		out = append(out, c.Text)
	}
	return out
}

// plainTones takes tone marks away.
var plainTones = strings.NewReplacer(
	"ā", "a", "á", "a", "ǎ", "a", "à", "a", "ē", "e", "é", "e", "ě", "e", "è", "e", "ī", "i", "í", "i", "ǐ", "i", "ì", "i",
	"ō", "o", "ó", "o", "ǒ", "o", "ò", "o", "ū", "u", "ú", "u", "ǔ", "u", "ù", "u", "ǖ", "v", "ǘ", "v", "ǚ", "v", "ǜ", "v",
)
