package ime

import (
	"slices"
	"strings"

	"bianmin/offline/pinyin/dict"
)

// way is one way to read the keys up to a place.
type way struct {
	cost   dict.Cost
	before int32 // the way it goes on from, -1 at the beginning
	from   int
	item   item
	text   uint64 // hash of its characters
}

// search finds the cheapest ways through the lattice.
type search struct {
	e    *Engine
	o    *Options
	l    *lattice
	ways []way
	ends [][]int32 // of place: ways that end there, cheapest first
}

const hashPrime = 0x100000001b3

func hash(h uint64, s string) uint64 {
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * hashPrime
	}
	return h
}

// run fills ends. before is the word that stands before the keys, or dict.None with class dict.Start.
func (s *search) run(before uint32, class uint8) {
	n := len(s.l.at)
	s.ends = make([][]int32, n+1)
	s.ways = append(s.ways[:0], way{before: -1, item: item{ref: before, class: class}, text: 14695981039346656037})
	s.ends[0] = []int32{0}
	for i := range n {
		for k, items := range s.l.at[i] {
			j := i + k + 1
			width := beamWidth
			if j == n {
				width = finalWidth
			}
			for x := range items {
				it := &items[x]
				text := ""
				last := dict.Cost(0)
				if j == n && s.o.Field == TextField {
					last = s.follow(it, &item{ref: dict.None, class: dict.Start, cost: dict.EndCost})
				}
				for _, b := range s.ends[i] {
					h := &s.ways[b]
					cost := h.cost + it.extra + s.follow(&h.item, it) + last
					end := s.ends[j]
					if len(end) >= width && cost >= s.ways[end[len(end)-1]].cost {
						continue
					}
					if text == "" {
						text = s.text(it.ref)
					}
					s.keep(j, width, way{cost, b, i, *it, hash(h.text, text)})
				}
			}
		}
	}
}

// keep adds a way at place j unless the same text is there cheaper.
func (s *search) keep(j, width int, w way) {
	end := s.ends[j]
	for i, x := range end {
		if s.ways[x].text == w.text {
			if s.ways[x].cost <= w.cost {
				return
			}
			end = slices.Delete(end, i, i+1)
			break
		}
	}
	at, _ := slices.BinarySearchFunc(end, w.cost, func(x int32, c dict.Cost) int {
		if s.ways[x].cost <= c {
			return -1
		}
		return 1
	})
	if len(end) >= width {
		end = end[:len(end)-1]
	}
	s.ways = append(s.ways, w)
	s.ends[j] = slices.Insert(end, at, int32(len(s.ways)-1))
}

// follow is what a word costs after another.
func (s *search) follow(before, it *item) dict.Cost {
	b, w := dict.None, dict.None
	if before.ref&sourceMask == fromDict {
		b = before.ref
	}
	if it.ref&sourceMask == fromDict {
		w = it.ref
	}
	return s.e.dict.Follows(b, before.class, w, it.class, it.cost)
}

func (s *search) text(ref uint32) string {
	w := ref &^ sourceMask
	switch ref & sourceMask {
	case fromLexicon:
		return s.o.Lexicon.trie.Text(w)
	case fromLearned:
		return s.o.Learned.trie.Text(w)
	case fromNames:
		return s.l.names[w].text
	}
	return s.e.dict.Words.Text(w)
}

func (s *search) syllables(ref uint32) []uint16 {
	w := ref &^ sourceMask
	switch ref & sourceMask {
	case fromLexicon:
		return s.o.Lexicon.trie.Syllables(w)
	case fromLearned:
		return s.o.Learned.trie.Syllables(w)
	case fromNames:
		return s.l.names[w].syl
	}
	return s.e.dict.Words.Syllables(w)
}

// spell returns the text of a way, its syllables, and how many words it has.
func (s *search) spell(x int32) (text string, syl []uint16, words int) {
	var refs []uint32
	for ; s.ways[x].before >= 0; x = s.ways[x].before {
		refs = append(refs, s.ways[x].item.ref)
	}
	slices.Reverse(refs)
	var b strings.Builder
	for _, r := range refs {
		b.WriteString(s.text(r))
		syl = append(syl, s.syllables(r)...)
	}
	return b.String(), syl, len(refs)
}

// single reports whether the cheapest word up to place j is one character.
func (s *search) single(j int) bool {
	items := s.l.at[0][j-1]
	return len(items) > 0 && len(s.syllables(items[0].ref)) == 1
}
