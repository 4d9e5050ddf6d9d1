package ime

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"bianmin/offline/canon"
	"bianmin/offline/pinyin/dict"
)

// Limits of what is learned: beyond them the least used words are forgotten.
const (
	MostLearned    = 2000 // words
	longestLearned = 12   // syllables of a word
)

// ErrLearned reports bytes that are no learned state.
var ErrLearned = errors.New("ime: not a learned state")

// learnedVersion is the version of the exported form. In version 1 words had no Keys.
const learnedVersion = 2

// word is one learned word.
type word struct {
	_     struct{} `cbor:",toarray"`
	Text  string
	Syl   []string
	Count uint32
	Last  uint64 // the time it was last used, in picks
	Keys  string // what was typed for it then
}

// first reports whether the word comes before all others for these keys: it was picked for them, or they are its full pinyin.
func (w *word) first(keys string) bool { return w.Keys == keys || strings.Join(w.Syl, "") == keys }

// wordV1 is a word of version 1.
type wordV1 struct {
	_     struct{} `cbor:",toarray"`
	Text  string
	Syl   []string
	Count uint32
	Last  uint64
}

type learnedFileV1 struct {
	_       struct{} `cbor:",toarray"`
	Version uint
	Picks   uint64
	Words   []wordV1
}

type learnedFile struct {
	_       struct{} `cbor:",toarray"`
	Version uint
	Picks   uint64
	Words   []word
}

// Learned is what this machine has learned from what its people picked: words that no dictionary has, and words they
// prefer. It names people, so the caller stores it sealed ([Learned.Export]), per operator, and a kiosk has none.
//
// A Learned belongs to one goroutine. The zero value has learned nothing.
type Learned struct {
	words map[string]*word // by text and syllables
	picks uint64
	trie  *dict.Trie // nil: to be made
}

func key(text string, syl []string) string {
	k := text
	for _, s := range syl {
		k += " " + s
	}
	return k
}

// Len returns how many words were learned.
func (l *Learned) Len() int { return len(l.words) }

// learn notes that a text was picked for these syllables, for which keys were typed.
func (l *Learned) learn(text string, syl []string, keys string) {
	if len(syl) == 0 || len(syl) > longestLearned || text == "" {
		return
	}
	if l.words == nil {
		l.words = make(map[string]*word)
	}
	l.picks++
	k := key(text, syl)
	w := l.words[k]
	if w == nil {
		if len(l.words) >= MostLearned {
			l.drop()
		}
		w = &word{Text: text, Syl: slices.Clone(syl)}
		l.words[k] = w
	}
	if w.Count < math.MaxUint32 {
		w.Count++
	}
	w.Last, w.Keys = l.picks, keys
	l.trie = nil
}

// lead puts what was picked for keys before everything else that may be meant by all of them, the last one picked first. A
// person who had to look for a word once need not look again; the rest of a longer text is converted as ever.
func (l *Learned) lead(all []Candidate, keys string, letters func(syl []uint16) []string) {
	rank := func(c Candidate) uint64 {
		if c.Keys != len(keys) {
			return 0
		}
		if w := l.words[key(c.Text, letters(c.syl))]; w != nil && w.first(keys) {
			return w.Last
		}
		return 0
	}
	ranks := make(map[string]uint64)
	for _, c := range all {
		if r := rank(c); r > 0 {
			ranks[c.Text] = r
		}
	}
	if len(ranks) > 0 {
		slices.SortStableFunc(all, func(a, b Candidate) int { return cmp.Compare(ranks[b.Text], ranks[a.Text]) })
	}
}

// known reports whether a text was learned for these syllables.
func (l *Learned) known(text string, syl []string) bool { return l.words[key(text, syl)] != nil }

// drop forgets the word that is used least, of those the one unused for longest.
func (l *Learned) drop() {
	worst := ""
	for k, w := range l.words {
		if b := l.words[worst]; b == nil || cmp.Or(cmp.Compare(w.Count, b.Count), cmp.Compare(w.Last, b.Last)) < 0 {
			worst = k
		}
	}
	delete(l.words, worst)
}

// Forget forgets a text, however it is typed, and reports whether it was known. An erased person's name goes this way.
func (l *Learned) Forget(text string) bool {
	found := false
	for k, w := range l.words {
		if w.Text == text {
			delete(l.words, k)
			found = true
		}
	}
	l.trie = nil
	return found
}

// ForgetAll forgets everything.
func (l *Learned) ForgetAll() { *l = Learned{} }

// Export returns what was learned in its one canonical form: equal states give equal bytes. It is personal data.
func (l *Learned) Export() ([]byte, error) {
	f := learnedFile{Version: learnedVersion, Picks: l.picks}
	for _, w := range l.words {
		f.Words = append(f.Words, *w)
	}
	slices.SortFunc(f.Words, func(a, b word) int { return cmp.Compare(key(a.Text, a.Syl), key(b.Text, b.Syl)) })
	b, err := canon.Marshal(&f)
	if err != nil {
		return nil, fmt.Errorf("export learned words: %w", err)
	}
	return b, nil
}

// Import reads what Export returned. Empty data is a state that has learned nothing; anything else that is not such a state
// gives ErrLearned.
func Import(data []byte) (*Learned, error) {
	l := &Learned{}
	if len(data) == 0 {
		return l, nil
	}
	var f learnedFile
	if err := canon.Unmarshal(data, &f); err != nil {
		var old learnedFileV1
		if canon.Unmarshal(data, &old) != nil || old.Version != 1 {
			return nil, fmt.Errorf("%w: %w", ErrLearned, err)
		}
		f = learnedFile{Version: learnedVersion, Picks: old.Picks}
		for _, w := range old.Words {
			f.Words = append(f.Words, word{Text: w.Text, Syl: w.Syl, Count: w.Count, Last: w.Last})
		}
	}
	if f.Version != learnedVersion || len(f.Words) > MostLearned {
		return nil, fmt.Errorf("%w: version %d, %d words", ErrLearned, f.Version, len(f.Words))
	}
	l.picks, l.words = f.Picks, make(map[string]*word, len(f.Words))
	before := ""
	for i := range f.Words {
		w := &f.Words[i]
		k := key(w.Text, w.Syl)
		if len(w.Syl) == 0 || len(w.Syl) > longestLearned || w.Text == "" || w.Count == 0 || w.Last > f.Picks || len(w.Keys) > maxKeys || k <= before {
			return nil, fmt.Errorf("%w: word %d", ErrLearned, i)
		}
		l.words[k], before = w, k
	}
	return l, nil
}

// index returns the learned words as a trie, or nil when there are none.
func (l *Learned) index(d *dict.Dict) *dict.Trie {
	if len(l.words) == 0 {
		return nil
	}
	if l.trie != nil {
		return l.trie
	}
	var words []dict.Word
	for _, w := range l.words {
		if syl, ok := d.Syllabled(w.Syl); ok {
			words = append(words, dict.Word{Text: w.Text, Syl: syl, Cost: learnedCost(w), Class: dict.Noun})
		}
	}
	slices.SortFunc(words, func(a, b dict.Word) int { return cmp.Compare(a.Text, b.Text) })
	l.trie = dict.NewTrie(words)
	return l.trie
}

// learnedCost is what a learned word costs: less the longer it is and the more it is used.
func learnedCost(w *word) dict.Cost {
	c := 7*dict.Unit - dict.Cost(float64(dict.Unit)*1.5*math.Log(float64(w.Count)))
	if utf8.RuneCountInString(w.Text) == 1 {
		c += dict.Unit // single characters must not break up words
	}
	return max(c, dict.Unit)
}
