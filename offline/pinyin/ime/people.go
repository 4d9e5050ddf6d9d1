package ime

import (
	"cmp"
	"math"
	"slices"

	"bianmin/offline/pinyin/dict"
)

// How names of people nobody has entered are weighed.
const (
	nameInText = 4 * dict.Unit // a person is named here, in a text
	nameInName = dict.Unit / 4 // the same where a name is asked for
	namesText  = 4             // names considered for a span in a text
	namesName  = 60            // the same where a name is asked for
	givenWidth = 40            // characters of a syllable considered
)

// nameModel finds names by their syllables.
type nameModel struct {
	surnames *dict.Trie
	given    map[uint16][]dict.Given // of syllable
	usual    map[[2]rune]dict.Cost
	alone    map[rune]dict.Cost
	single   dict.Cost
	double   dict.Cost
}

func newNameModel(n *dict.Names) *nameModel {
	m := &nameModel{
		given: make(map[uint16][]dict.Given), usual: make(map[[2]rune]dict.Cost, len(n.Usual)), alone: make(map[rune]dict.Cost),
		single: dict.Cost(n.Single), double: dict.Cost(n.Double),
	}
	words := make([]dict.Word, len(n.Surnames))
	for i, s := range n.Surnames {
		words[i] = dict.Word{Text: s.Text, Syl: s.Syl, Cost: dict.Cost(s.Cost)}
	}
	m.surnames = dict.NewTrie(words)
	for _, g := range n.Given {
		m.given[g.Syl] = append(m.given[g.Syl], g)
	}
	best := func(g *dict.Given) uint16 {
		return min(g.First[0], g.First[1], g.Second[0], g.Second[1])
	}
	for s, list := range m.given {
		slices.SortStableFunc(list, func(a, b dict.Given) int { return cmp.Compare(best(&a), best(&b)) })
		m.given[s] = list[:min(len(list), givenWidth)]
	}
	for _, u := range n.Usual {
		switch rs := []rune(u.Text); len(rs) {
		case 1:
			m.alone[rs[0]] = dict.Cost(u.Cost)
		case 2:
			m.usual[[2]rune{rs[0], rs[1]}] = dict.Cost(u.Cost)
		}
	}
	return m
}

// either is the cost of a or b happening, each with half the probability.
func either(a, b uint16) dict.Cost {
	x, y := float64(a)/float64(dict.Unit), float64(b)/float64(dict.Unit)
	return dict.Cost(-float64(dict.Unit) * math.Log((math.Exp(-x)+math.Exp(-y))/2))
}

type named struct {
	text string
	cost dict.Cost
}

// people puts persons' names that begin at i into the lattice.
func (e *Engine) people(g [][]edge, l *lattice, i int, o *Options) {
	prior, keep := nameInText, namesText
	if o.Field == NameField {
		if i > 0 {
			return
		}
		prior, keep = nameInName, namesName
	}
	m := e.names
	e.surnames(g, i, 0, 0, func(at int, family uint32, spent dict.Cost) {
		base := m.surnames.Cost(family) + prior
		surname := person{m.surnames.Text(family), m.surnames.Syllables(family)}
		if at >= len(g) { // nothing but a surname yet
			if o.Field == NameField {
				e.putNames(l, i, at, surname, base, spent, []named{{}}, keep)
			}
			return
		}
		for _, a := range g[at] {
			if !a.whole || o.Field != NameField && a.cost > vowelCost {
				continue
			}
			var ones []named
			for _, c := range m.given[a.lo] {
				r := []rune(c.Char)[0]
				cost := either(c.Alone[0], c.Alone[1])
				if u, ok := m.alone[r]; ok {
					cost = both(cost, u)
				}
				ones = append(ones, named{c.Char, cost + m.single})
			}
			e.putNames(l, i, a.to, surname.add(a.lo), base, spent+a.cost, ones, keep)
			if a.to >= len(g) {
				continue
			}
			for _, b := range g[a.to] {
				if !b.whole || o.Field != NameField && b.cost > vowelCost {
					continue
				}
				e.putNames(l, i, b.to, surname.add(a.lo, b.lo), base, spent+a.cost+b.cost, m.pairs(a.lo, b.lo, keep), keep)
			}
		}
	})
}

// both is the cost of what happens in either of two ways, in equal parts of the model.
func both(a, b dict.Cost) dict.Cost {
	x, y := float64(a)/float64(dict.Unit), float64(b)/float64(dict.Unit)
	return dict.Cost(-float64(dict.Unit) * math.Log((math.Exp(-x)+math.Exp(-y))/2))
}

// surnames calls fn for each surname that begins at key i: where it ends.
func (e *Engine) surnames(g [][]edge, i int, node uint32, spent dict.Cost, fn func(at int, w uint32, spent dict.Cost)) {
	if i >= len(g) {
		return
	}
	for _, x := range g[i] {
		if !x.whole || x.cost+spent > 2*fuzzyCost {
			continue
		}
		child, ok := e.names.surnames.Find(node, x.lo)
		if !ok {
			continue
		}
		first, end := e.names.surnames.Words(child)
		for w := first; w < end; w++ {
			fn(x.to, w, spent+x.cost)
		}
		e.surnames(g, x.to, child, spent+x.cost, fn)
	}
}

// pairs returns the likeliest given names of two syllables.
func (m *nameModel) pairs(a, b uint16, keep int) []named {
	var out []named
	worst := dict.Cost(math.MaxInt32)
	for i := range m.given[a] {
		x := &m.given[a][i]
		for k := range m.given[b] {
			y := &m.given[b][k]
			// The likelier sex decides; the sum differs by a factor of two at most.
			cost := min(dict.Cost(x.First[0])+dict.Cost(y.Second[0]), dict.Cost(x.First[1])+dict.Cost(y.Second[1])) + dict.Unit*7/10
			if u, ok := m.usual[[2]rune{first(x.Char), first(y.Char)}]; ok {
				cost = both(cost, u)
			} else {
				cost += dict.Unit * 7 / 10
			}
			if len(out) >= keep && cost >= worst {
				continue
			}
			n, _ := slices.BinarySearchFunc(out, cost, func(v named, c dict.Cost) int { return cmp.Compare(v.cost, c+1) })
			if len(out) >= keep {
				out = out[:len(out)-1]
			}
			out = slices.Insert(out, n, named{x.Char + y.Char, cost})
			worst = out[len(out)-1].cost
		}
	}
	for i := range out {
		out[i].cost += m.double
	}
	return out
}

func first(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

// add returns p with more syllables.
func (p person) add(syl ...uint16) person {
	return person{p.text, append(slices.Clip(p.syl), syl...)}
}

func (e *Engine) putNames(l *lattice, i, j int, p person, base, spent dict.Cost, given []named, keep int) {
	slices.SortFunc(given, func(a, b named) int { return cmp.Compare(a.cost, b.cost) })
	for k, g := range given {
		if k >= keep {
			return
		}
		it := item{ref: fromNames | uint32(len(l.names)), class: e.personClass, cost: base + g.cost, extra: spent}
		l.names = append(l.names, person{p.text + g.text, p.syl})
		l.put(i, j, it, firstWords)
	}
}
