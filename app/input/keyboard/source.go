package keyboard

import (
	"strings"

	"bianmin/offline/pinyin/ime"
	"bianmin/offline/pinyin/stroke"
)

// source is what turns keys into candidates: pinyin, or strokes.
type source interface {
	// Input takes a key and reports whether it belongs to the composition.
	Input(r rune) bool
	Backspace() bool
	Clear()
	Active() bool
	// Composition is what is shown: the text picked so far, and the keys not yet turned into text.
	Composition() (text, keys string)
	// All is what the keys may mean, best first.
	All() []string
	// Pick takes a candidate; done tells that the composition is finished with this text.
	Pick(i int) (text string, done bool)
	// Commit takes the first candidates until nothing is left.
	Commit() string
	// Raw is the keys as they are, for taking them literally.
	Raw() string
	// Readings are the syllables that the first keys may stand for; none unless keys have several letters.
	Readings() []string
	// Read settles the first keys on a syllable of Readings.
	Read(syllable string)
}

// pinyin is a session of package ime.
type pinyin struct{ *ime.Session }

func (p pinyin) All() []string {
	all := p.Session.All()
	out := make([]string, len(all))
	for i, c := range all {
		out[i] = c.Text
	}
	return out
}

// strokes finds single characters by the order of their strokes.
type strokes struct {
	table *stroke.Table
	keys  []rune
	found []string
}

func (s *strokes) Input(r rune) bool {
	if !strings.ContainsRune(stroke.Keys, r) {
		return false
	}
	if len(s.keys) < stroke.Longest {
		s.keys = append(s.keys, r)
		s.find()
	}
	return true
}

func (s *strokes) find() { s.found = s.table.Find(string(s.keys), ime.MostCandidates) }

func (s *strokes) Backspace() bool {
	if len(s.keys) == 0 {
		return false
	}
	s.keys = s.keys[:len(s.keys)-1]
	s.find()
	return true
}

func (s *strokes) Clear()       { s.keys, s.found = nil, nil }
func (s *strokes) Active() bool { return len(s.keys) > 0 }

func (s *strokes) Composition() (text, keys string) { return "", stroke.Names(string(s.keys)) }

func (s *strokes) All() []string {
	if len(s.keys) == 0 {
		return nil
	}
	return s.found
}

func (s *strokes) Pick(i int) (text string, done bool) {
	if i < 0 || i >= len(s.found) {
		return "", false
	}
	text = s.found[i]
	s.Clear()
	return text, true
}

func (s *strokes) Commit() string {
	text, _ := s.Pick(0)
	s.Clear()
	return text
}

// Raw is nothing: strokes mean nothing as they are.
func (s *strokes) Raw() string { return "" }

func (s *strokes) Readings() []string { return nil }
func (s *strokes) Read(string)        {}
