// Package ime is the pinyin input method: it turns letters into Chinese text.
//
// An [Engine] holds the dictionary and what letters may mean; it is immutable and shared. A [Session] is one composition at
// one field: letters go in, candidates come out, picks are committed. What a session needs beside the dictionary is given to
// it in [Options]: the field it serves, a [Lexicon] of local names, and what this machine has [Learned].
//
// Letters are read as whole syllables, as the person says them (fuzzy pairs), with slips put right, and as initials where
// nothing else fits. All words of all readings make a lattice; the cheapest ways through it, by how frequent words are and
// what follows what, are the sentences offered. Names of people who are in no list come from a model of names.
package ime

import (
	"sync"

	"bianmin/offline/pinyin/dict"
)

// Field is what the field asks for.
type Field int

// Fields.
const (
	TextField    Field = iota // anything
	NameField                 // a person's name
	AddressField              // a place
)

// Options are what a session works with. The zero value is a text field with exact sounds, no local words and no learning.
type Options struct {
	Field   Field
	Fuzzy   Fuzzy
	Lexicon *Lexicon // local words; may be nil
	Learned *Learned // what was learned on this machine; nil on a kiosk: nothing is learned
	NineKey bool     // digits 2 to 9 stand for their letters, 1 for an apostrophe
}

// Engine turns letters into text. It is immutable and may be used from any goroutine.
type Engine struct {
	dict        *dict.Dict
	spellings   []spelling
	names       *nameModel
	personClass uint8
}

// Load opens the engine with the dictionary that the program carries, once; the first call takes a moment.
var Load = sync.OnceValue(func() *Engine { return New(dict.Load()) })

// New returns an engine with a dictionary of its own.
func New(d *dict.Dict) *Engine {
	return &Engine{dict: d, spellings: spellings(d.Syllables), names: newNameModel(&d.Names), personClass: dict.Person}
}

// letters writes syllables in letters.
func (e *Engine) letters(syl []uint16) []string {
	out := make([]string, len(syl))
	for i, s := range syl {
		out[i] = e.dict.Syllables[s]
	}
	return out
}

// MostCandidates is how many candidates there are at most.
const MostCandidates = 50

// Limits of what is offered beside the first reading.
const (
	mostSentences  = 12             // readings of all keys that are made of several words
	worseBy        = 10 * dict.Unit // further from the best they are no help
	mostBeginnings = 10             // words for one beginning of the keys, unless it is a single syllable
	mostPeople     = 2              // names among them that no list has
)

// Candidate is a text offered.
type Candidate struct {
	Text string
	Keys int    // how many keys it stands for, from the beginning
	ref  uint32 // of the last word, or dict.None
	cls  uint8
	syl  []uint16
}

// convert returns the candidates for keys, best first. before is the word that was picked before them.
func (e *Engine) convert(k *keys, o *Options, before uint32, class uint8) []Candidate {
	g, ok := e.graph(k, o.Fuzzy)
	if !ok {
		return nil
	}
	n := k.len()
	l := e.build(g, o)
	s := &search{e: e, o: o, l: l}
	s.run(before, class)
	seen := make(map[string]bool)
	var out []Candidate
	put := func(c Candidate) {
		if !seen[c.Text] && len(out) < MostCandidates {
			seen[c.Text] = true
			out = append(out, c)
		}
	}
	sentences := 0
	for _, x := range s.ends[n] {
		text, syl, words := s.spell(x)
		w := &s.ways[x]
		if words > 1 {
			if sentences >= mostSentences || w.cost > s.ways[s.ends[n][0]].cost+worseBy {
				continue
			}
			sentences++
		}
		c := Candidate{Text: text, Keys: n, ref: w.item.ref, cls: w.item.class, syl: syl}
		put(c)
	}
	// Beginnings: those that end where a syllable of the best reading ends come before those that cut it up.
	var ends []bool
	if len(out) > 0 {
		ends = cuts(g, out[0].syl)
	}
	for _, natural := range []bool{true, false} {
		for j := n - 1; j > 0; j-- {
			if ends != nil && ends[j] != natural || ends == nil && !natural {
				continue
			}
			left, people := mostBeginnings, mostPeople
			if s.single(j) {
				left = MostCandidates
			}
			for _, it := range l.at[0][j-1] {
				if it.ref&sourceMask == fromNames {
					if people--; people < 0 {
						continue
					}
				}
				if left--; left < 0 {
					break
				}
				put(Candidate{Text: s.text(it.ref), Keys: j, ref: it.ref, cls: it.class, syl: s.syllables(it.ref)})
			}
		}
	}
	return out
}
