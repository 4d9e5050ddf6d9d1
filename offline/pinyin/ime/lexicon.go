package ime

import (
	"slices"

	"bianmin/offline/pinyin"
	"bianmin/offline/pinyin/dict"
)

// Kind is what a local word names.
type Kind uint8

// Kinds of local words.
const (
	Person Kind = iota
	Place
	Institution
	Service
	Other
)

// Entry is a local word as the caller knows it.
type Entry struct {
	Text string
	Kind Kind
}

// Lexicon is the local words: the people of the roster, the places, institutions and services of this county. It is
// immutable and holds personal data as long as it lives: drop it when the operator logs out.
type Lexicon struct {
	trie  *dict.Trie
	kinds []Kind
}

// Lexicon makes a lexicon. Entries that have no reading are left out.
func (e *Engine) Lexicon(entries []Entry) *Lexicon {
	var words []dict.Word
	for i, x := range entries {
		readings := [][]string{pinyin.Full(x.Text)}
		if x.Kind == Person {
			readings = [][]string{pinyin.NameFull(x.Text), readings[0]}
		}
		var before []uint16
		for k, py := range readings {
			syl, ok := e.dict.Syllabled(py)
			if !ok || len(syl) == 0 || k > 0 && slices.Equal(before, syl) {
				continue
			}
			before = syl
			// The place in the list rides along as the cost, so that equal ones keep the caller's order.
			words = append(words, dict.Word{Text: x.Text, Syl: syl, Cost: dict.Cost(i), Class: uint8(x.Kind)})
		}
	}
	l := &Lexicon{trie: dict.NewTrie(words)}
	l.kinds = make([]Kind, l.trie.Len())
	for w := range l.kinds {
		l.kinds[w] = Kind(l.trie.Class(uint32(w)))
	}
	return l
}

// Len returns how many entries can be found.
func (l *Lexicon) Len() int { return l.trie.Len() }

// class is the word class of a kind.
func (k Kind) class() uint8 {
	switch k {
	case Person:
		return dict.Person
	case Place:
		return dict.Place
	case Institution:
		return dict.Institution
	}
	return dict.Noun
}

// lexiconCost is what a local word costs in a field: next to nothing where the field asks for its kind.
func lexiconCost(f Field, k Kind) dict.Cost {
	switch {
	case f == NameField && k == Person, f == AddressField && k == Place:
		return dict.Unit / 8
	case f == NameField:
		return 14 * dict.Unit
	case f == AddressField && k == Institution:
		return 4 * dict.Unit
	case f == AddressField:
		return 9 * dict.Unit
	case k == Service:
		return 3 * dict.Unit
	}
	return 5 * dict.Unit
}
