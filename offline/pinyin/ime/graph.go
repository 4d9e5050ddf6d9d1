package ime

import "bianmin/offline/pinyin/dict"

// keys are what was typed: for each key the letters it may mean, as bits.
type keys struct {
	letters []uint32
	breaks  []bool // before key i stands an apostrophe; one longer than letters
}

func (k *keys) len() int { return len(k.letters) }

// edge reads some keys as one of the syllables from lo to hi.
type edge struct {
	to     int
	lo, hi uint16
	cost   dict.Cost
	whole  bool // the keys spell the whole syllable, as it is or as the person says it
}

// how much is allowed in reading keys, tried in this order until they can be read to the end.
const (
	strict       = iota // syllables and their fuzzy forms; the last may be incomplete
	withSlips           // slips, too
	withInitials        // initials for syllables, too
)

// graph returns the syllables that may begin at each key, only those from which the end can be reached, and whether the end
// can be reached at all.
func (e *Engine) graph(k *keys, fuzzy Fuzzy) ([][]edge, bool) {
	for allow := strict; allow <= withInitials; allow++ {
		g := make([][]edge, k.len())
		ends := make([]bool, k.len()+1)
		ends[k.len()] = true
		for i := k.len() - 1; i >= 0; i-- {
			e.spell(k, i, i, 0, fuzzy, allow, &g[i])
			kept := g[i][:0]
			for _, x := range g[i] {
				if ends[x.to] {
					kept = append(kept, x)
				}
			}
			g[i] = kept
			ends[i] = len(kept) > 0
		}
		if ends[0] {
			return g, true
		}
	}
	return nil, false
}

// spell follows the letter trie from node with the keys from at on, and appends what it finds.
func (e *Engine) spell(k *keys, start, at int, node int16, fuzzy Fuzzy, allow int, out *[]edge) {
	if at > start {
		n := &e.spellings[node]
		extra := dict.Cost(0)
		if start > 0 && !k.breaks[start] && n.lo <= n.hi && vowel(e.dict.Syllables[n.lo][0]) {
			extra = vowelCost
		}
		for _, r := range n.readings {
			if r.fuzzy&^fuzzy != 0 || r.slip && allow < withSlips {
				continue
			}
			*out = append(*out, edge{at, r.lo, r.hi, r.cost + extra, r.cost <= fuzzyCost})
		}
		stop := at == k.len() || k.breaks[at]
		if n.lo <= n.hi && (stop && (n.hi > n.lo || len(n.readings) == 0) || n.initial && allow == withInitials) {
			c := prefixCost
			if n.initial {
				c = initialCost
			}
			*out = append(*out, edge{at, n.lo, n.hi, c + extra, false})
		}
		if stop {
			return
		}
	}
	letters := k.letters[at]
	for c, next := range e.spellings[node].next {
		if next != 0 && letters&(1<<c) != 0 {
			e.spell(k, start, at+1, next, fuzzy, allow, out)
		}
	}
}

func vowel(c byte) bool { return c == 'a' || c == 'e' || c == 'o' }

// cuts returns where the keys of a graph end that stand for the first, the second … of syllables.
func cuts(g [][]edge, syl []uint16) []bool {
	ends := make([]bool, len(g)+1)
	var fit func(at int, syl []uint16) bool
	fit = func(at int, syl []uint16) bool {
		if len(syl) == 0 || at == len(g) {
			return len(syl) == 0 && at == len(g)
		}
		for _, x := range g[at] {
			if x.lo <= syl[0] && syl[0] <= x.hi && fit(x.to, syl[1:]) {
				ends[x.to] = true
				return true
			}
		}
		return false
	}
	fit(0, syl)
	return ends
}
