package dict

import (
	"cmp"
	"slices"
)

// Cost is how unlikely something is: −64·ln(probability). Costs of independent things are added.
type Cost int32

// Unit is the cost of one nat: an event that is e times less likely costs one Unit more.
const Unit Cost = 64

// EndCost is the cost of the end of a sentence where nothing is known of what stands before: every fifth word is the last.
const EndCost Cost = 103

// Word is one entry of a [Trie]: a text with the syllables it is typed by.
type Word struct {
	Text  string
	Syl   []uint16 // numbers in Syllables
	Cost  Cost
	Class uint8
}

// Trie finds words by their syllables. It is immutable, made of a few flat arrays: nodes are numbered breadth first, so the
// children of a node, and the words of a node, are neighbours. Node 0 is the root.
type Trie struct {
	syl   []uint16 // of node: the syllable that leads to it
	child []uint32 // of node: its first child; the next node's entry ends them
	word  []uint32 // of node: its first word; the next node's entry ends them
	cost  []uint16 // of word
	class []uint8  // of word

	texts []string // of word; nil in the dictionary, which keeps its texts as below
	runes []rune   // the characters in use
	chars []uint16 // words of one length after another, each as places in runes
	from  []uint32 // of length: the first word of so many characters
	start []uint32 // of length: where the characters of its words start
}

// NewTrie makes a trie. Words that are typed alike come out cheapest first, equal ones in the order given.
func NewTrie(words []Word) *Trie {
	sorted := make([]int, len(words))
	for i := range sorted {
		sorted[i] = i
	}
	slices.SortStableFunc(sorted, func(a, b int) int { return compare(&words[a], &words[b]) })
	var b builder
	var before []uint16
	for _, w := range sorted {
		s := words[w].Syl
		if len(s) == 0 {
			continue
		}
		same := 0
		for same < len(s) && same < len(before) && s[same] == before[same] {
			same++
		}
		l := b.add(same, s, words[w].Cost, words[w].Class)
		l.text = append(l.text, words[w].Text)
		before = s
	}
	t := b.trie()
	for i := range b.levels {
		t.texts = append(t.texts, b.levels[i].text...)
	}
	return t
}

// compare puts words into the order of their syllables, then of their costs.
func compare(a, b *Word) int {
	if c := slices.Compare(a.Syl, b.Syl); c != 0 {
		return c
	}
	return cmp.Compare(a.Cost, b.Cost)
}

// level holds the nodes so many syllables below the root, and the words that end there, in the order of their syllables.
type level struct {
	syl    []uint16
	parent []uint32 // place in the level above
	node   []uint32 // of word: place in this level
	cost   []uint16
	class  []uint8
	text   []string // of word, or
	chars  []uint16 // as many for each word as it has syllables
}

// builder takes words in the order of compare and lays out a trie.
type builder struct {
	levels []level
}

// add adds a word that shares so many leading syllables with the one before, and returns its level for its text.
func (b *builder) add(same int, syl []uint16, c Cost, class uint8) *level {
	for len(b.levels) < len(syl) {
		b.levels = append(b.levels, level{})
	}
	for d := same; d < len(syl); d++ {
		parent := uint32(0)
		if d > 0 {
			parent = uint32(len(b.levels[d-1].syl) - 1)
		}
		b.levels[d].syl = append(b.levels[d].syl, syl[d])
		b.levels[d].parent = append(b.levels[d].parent, parent)
	}
	l := &b.levels[len(syl)-1]
	l.node = append(l.node, uint32(len(l.syl)-1))
	l.cost = append(l.cost, clamp(c))
	l.class = append(l.class, class)
	return l
}

// trie joins the levels.
func (b *builder) trie() *Trie {
	nodes, words := 1, 0
	for i := range b.levels {
		nodes += len(b.levels[i].syl)
		words += len(b.levels[i].node)
	}
	t := &Trie{
		syl: make([]uint16, 1, nodes), child: make([]uint32, nodes+1), word: make([]uint32, nodes+1),
		cost: make([]uint16, 0, words), class: make([]uint8, 0, words),
	}
	above, first := uint32(0), uint32(1) // the first nodes of the level above and of this one
	for i := range b.levels {
		l := &b.levels[i]
		t.syl = append(t.syl, l.syl...)
		for _, p := range l.parent {
			t.child[above+p+1]++
		}
		for _, n := range l.node {
			t.word[first+n+1]++
		}
		t.cost = append(t.cost, l.cost...)
		t.class = append(t.class, l.class...)
		above, first = first, first+uint32(len(l.syl))
	}
	t.child[0] = 1
	for i := 1; i <= nodes; i++ {
		t.child[i] += t.child[i-1]
		t.word[i] += t.word[i-1]
	}
	return t
}

func clamp(c Cost) uint16 { return uint16(min(max(c, 0), 1<<16-1)) }

// Len returns how many words there are; words are numbered from 0.
func (t *Trie) Len() int { return len(t.cost) }

// Find returns the child of node by syllable.
func (t *Trie) Find(node uint32, syl uint16) (child uint32, ok bool) {
	lo, hi := t.child[node], t.child[node+1]
	i, ok := slices.BinarySearch(t.syl[lo:hi], syl)
	return lo + uint32(i), ok
}

// Range returns the children of node whose syllables are from lo to hi, both counted: nodes from first until end.
func (t *Trie) Range(node uint32, lo, hi uint16) (first, end uint32) {
	a, b := t.child[node], t.child[node+1]
	s := t.syl[a:b]
	i, _ := slices.BinarySearch(s, lo)
	k := i
	for k < len(s) && s[k] <= hi {
		k++
	}
	return a + uint32(i), a + uint32(k)
}

// Words returns the words that end at node, cheapest first: numbers from first until end.
func (t *Trie) Words(node uint32) (first, end uint32) { return t.word[node], t.word[node+1] }

// Cost returns the cost of a word by itself.
func (t *Trie) Cost(w uint32) Cost { return Cost(t.cost[w]) }

// Class returns the word class of a word.
func (t *Trie) Class(w uint32) uint8 { return t.class[w] }

// Syllables returns what a word is typed by.
func (t *Trie) Syllables(w uint32) []uint16 {
	node := above(t.word, w)
	var out []uint16
	for node > 0 {
		out = append(out, t.syl[node])
		node = above(t.child, node)
	}
	slices.Reverse(out)
	return out
}

// above returns the node whose run in list holds x.
func above(list []uint32, x uint32) uint32 {
	i, _ := slices.BinarySearchFunc(list, x, func(e, x uint32) int {
		if e <= x {
			return -1
		}
		return 1
	})
	return uint32(i - 1)
}

// Text returns a word.
func (t *Trie) Text(w uint32) string {
	if t.texts != nil {
		return t.texts[w]
	}
	n := 1
	for n+1 < len(t.from) && t.from[n+1] <= w {
		n++
	}
	at := t.start[n] + (w-t.from[n])*uint32(n)
	var b [4 * maxLength]byte
	s := b[:0]
	for _, c := range t.chars[at : at+uint32(n)] {
		s = appendRune(s, t.runes[c])
	}
	return string(s)
}
