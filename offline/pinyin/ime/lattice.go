package ime

import (
	"slices"

	"bianmin/offline/pinyin/dict"
)

// Sources of words; part of a word's reference.
const (
	fromDict = iota << sourceShift
	fromLexicon
	fromLearned
	fromNames

	sourceShift = 29
	sourceMask  = 7 << sourceShift
)

// Limits of a conversion.
const (
	maxKeys    = 96             // longer input is cut: it is committed in parts long before
	spanWords  = 14             // words considered for a span of keys in a sentence
	firstWords = 120            // the same at the beginning, where they are offered
	beamWidth  = 24             // ways kept at each place
	finalWidth = 64             // ways kept at the end
	mostCost   = 30 * dict.Unit // what may be spent on misspellings in one word
	mostVisits = 6000           // nodes of a trie looked at from one place
)

// item is a word over a span of keys.
type item struct {
	ref   uint32
	class uint8
	cost  dict.Cost // of the word
	extra dict.Cost // of how it was spelt
}

func (it *item) sum() dict.Cost { return it.cost + it.extra }

// lattice holds the words over each span: at[i][j-i-1] are those from i to j, cheapest first.
type lattice struct {
	at    [][][]item
	names []person // of items from names
}

// person is a name that the model of names made.
type person struct {
	text string
	syl  []uint16
}

func (l *lattice) put(i, j int, it item, most int) {
	s := l.at[i][j-i-1]
	if len(s) >= most && it.sum() >= s[len(s)-1].sum() {
		return
	}
	n, _ := slices.BinarySearchFunc(s, it, func(a, b item) int {
		if a.sum() <= b.sum() {
			return -1
		}
		return 1
	})
	if len(s) >= most {
		s = s[:len(s)-1]
	}
	l.at[i][j-i-1] = slices.Insert(s, n, it)
}

// walker puts the words of one trie into the lattice.
type walker struct {
	trie   *dict.Trie
	source uint32
	g      [][]edge
	l      *lattice
	start  int
	most   int
	visits int
	adjust func(w uint32, it *item)
}

func (w *walker) walk(at int, node uint32, spent dict.Cost) {
	if at > w.start {
		first, end := w.trie.Words(node)
		for x := first; x < end; x++ {
			it := item{ref: w.source | x, class: w.trie.Class(x), cost: w.trie.Cost(x), extra: spent}
			if w.adjust != nil {
				w.adjust(x, &it)
			} else if x-first >= uint32(w.most) {
				break
			}
			w.l.put(w.start, at, it, w.most)
		}
	}
	if at >= len(w.g) {
		return
	}
	for _, e := range w.g[at] {
		cost := spent + e.cost
		if cost > mostCost {
			continue
		}
		if e.lo == e.hi {
			if child, ok := w.trie.Find(node, e.lo); ok {
				w.walk(e.to, child, cost)
			}
			continue
		}
		first, end := w.trie.Range(node, e.lo, e.hi)
		for c := first; c < end && w.visits < mostVisits; c++ {
			w.visits++
			w.walk(e.to, c, cost)
		}
	}
}

// build finds all words over all spans.
func (e *Engine) build(g [][]edge, o *Options) *lattice {
	n := len(g)
	l := &lattice{at: make([][][]item, n)}
	for i := range n {
		l.at[i] = make([][]item, n-i)
		if len(g[i]) == 0 {
			continue
		}
		most := spanWords
		if i == 0 {
			most = firstWords
		}
		(&walker{trie: e.dict.Words, source: fromDict, g: g, l: l, start: i, most: most}).walk(i, 0, 0)
		if o.Lexicon != nil {
			w := walker{trie: o.Lexicon.trie, source: fromLexicon, g: g, l: l, start: i, most: most}
			w.adjust = func(x uint32, it *item) {
				it.cost, it.class = lexiconCost(o.Field, o.Lexicon.kinds[x]), o.Lexicon.kinds[x].class()
			}
			w.walk(i, 0, 0)
		}
		if o.Learned != nil {
			if t := o.Learned.index(e.dict); t != nil {
				(&walker{trie: t, source: fromLearned, g: g, l: l, start: i, most: most}).walk(i, 0, 0)
			}
		}
		e.people(g, l, i, o)
	}
	return l
}
