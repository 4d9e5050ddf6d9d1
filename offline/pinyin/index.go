package pinyin

import (
	"cmp"
	"slices"
	"strings"
)

// Hit is one result of a search.
type Hit struct {
	ID    int // position in the order of adding
	Score int // more is better
}

// Builder collects the entries of an [Index]. The zero value is ready.
type Builder struct {
	x   Index
	ids map[string]uint32 // token by character and readings
}

// Add adds an entry that is found by any of texts, the first being its name, and returns its ID: 0, 1, 2 …
func (b *Builder) Add(texts ...string) int { return b.add(false, texts) }

// AddName adds a person's name, and texts that find the person as well, and returns its ID.
func (b *Builder) AddName(name string, texts ...string) int {
	return b.add(true, append([]string{name}, texts...))
}

func (b *Builder) add(name bool, texts []string) int {
	if b.ids == nil {
		b.ids = map[string]uint32{}
	}
	x := &b.x
	id := x.entries
	x.entries++
	for k, t := range texts {
		if t == "" {
			continue
		}
		x.texts = append(x.texts, text{entry: uint32(id), at: uint32(len(x.seq)), other: k > 0})
		for _, tok := range tokens(t, name && k == 0) {
			x.seq = append(x.seq, b.token(tok))
		}
	}
	return id
}

// token gives a token its number.
func (b *Builder) token(t token) uint32 {
	key := string(t.r) + strings.Join(t.py, " ")
	id, ok := b.ids[key]
	if !ok {
		id = uint32(len(b.x.toks))
		b.ids[key] = id
		b.x.toks = append(b.x.toks, t)
	}
	return id
}

// Index returns the finished index; the builder must not be used afterwards.
func (b *Builder) Index() *Index {
	b.x.post()
	return &b.x
}

// text is one text of an entry: a stretch of seq.
type text struct {
	entry uint32
	at    uint32 // its tokens begin here, and end where the next text begins
	other bool   // not the entry's name
}

// Index finds entries. It is immutable and may be used from any goroutine.
//
// It holds each text as numbers of its characters, and lists of the texts in which a character, or two or three first
// letters in a row, occur. A query is compared with the texts of the shortest such list that can hold what it finds.
type Index struct {
	entries int
	toks    []token
	texts   []text
	seq     []uint32

	runes  map[rune][]uint32 // tokens of a character
	whole  map[string]bool   // readings
	begins map[string]bool   // what readings begin with
	tok    lists             // texts by token
	pair   lists             // by the first letters of two neighbouring tokens
	triple lists             // of three
}

// lists are lists of texts, by number of list.
type lists struct {
	start []uint32
	list  []uint32
}

func (l lists) at(n int) []uint32 { return l.list[l.start[n]:l.start[n+1]] }

// newLists makes n lists out of what each gives: list and text, texts ascending. A text may be given twice in a row.
func newLists(n int, each func(yield func(list int, text uint32))) lists {
	count := make([]uint32, n+1)
	last := make([]uint32, n) // text+1
	each(func(list int, text uint32) {
		if last[list] != text+1 {
			last[list] = text + 1
			count[list+1]++
		}
	})
	for i := range n {
		count[i+1] += count[i]
	}
	l := lists{start: count, list: make([]uint32, count[n])}
	fill := slices.Clone(count[:n])
	clear(last)
	each(func(list int, text uint32) {
		if last[list] != text+1 {
			last[list] = text + 1
			l.list[fill[list]] = text
			fill[list]++
		}
	})
	return l
}

// letters is how many first letters there are: a to z, 0 to 9, and one for all others.
const letters = 37

func letterOf(r rune) int {
	switch {
	case r >= 'a' && r <= 'z':
		return int(r - 'a')
	case r >= '0' && r <= '9':
		return 26 + int(r-'0')
	}
	return letters - 1
}

// begin returns the first letters by which a token is found.
func (t *token) begin() (out [4]int, n int) {
	if !t.han || len(t.py) == 0 {
		out[0] = letterOf(t.r)
		return out, 1
	}
	for _, py := range t.py {
		if l := letterOf(rune(py[0])); n < len(out) && !slices.Contains(out[:n], l) {
			out[n] = l
			n++
		}
	}
	return out, n
}

// post makes the lists.
func (x *Index) post() {
	x.runes, x.whole, x.begins = map[rune][]uint32{}, map[string]bool{}, map[string]bool{}
	type firsts struct {
		of [4]int
		n  int
	}
	first := make([]firsts, len(x.toks))
	for i := range x.toks {
		t := &x.toks[i]
		x.runes[t.r] = append(x.runes[t.r], uint32(i))
		for _, py := range t.py {
			x.whole[py] = true
			for n := range len(py) + 1 {
				x.begins[py[:n]] = true
			}
		}
		first[i].of, first[i].n = t.begin()
	}
	x.tok = newLists(len(x.toks), func(yield func(int, uint32)) {
		for i := range x.texts {
			for _, id := range x.tokensOf(i) {
				yield(int(id), uint32(i))
			}
		}
	})
	runs := func(long int) func(yield func(int, uint32)) {
		return func(yield func(int, uint32)) {
			for i := range x.texts {
				seq := x.tokensOf(i)
				for k := range max(0, len(seq)-long+1) {
					numbers := [64]int{}
					n := 1
					for _, id := range seq[k : k+long] {
						f := &first[id]
						grown := [64]int{}
						for a := range n {
							for b := range f.n {
								grown[a*f.n+b] = numbers[a]*letters + f.of[b]
							}
						}
						numbers, n = grown, n*f.n
					}
					for _, list := range numbers[:n] {
						yield(list, uint32(i))
					}
				}
			}
		}
	}
	x.pair = newLists(letters*letters, runs(2))
	x.triple = newLists(letters*letters*letters, runs(3))
}

func (x *Index) tokensOf(text int) []uint32 {
	end := len(x.seq)
	if text+1 < len(x.texts) {
		end = int(x.texts[text+1].at)
	}
	return x.seq[x.texts[text].at:end]
}

// Len returns how many entries there are.
func (x *Index) Len() int { return x.entries }

// Search returns the entries that query finds, best first, equal ones in the order of adding; at most limit of them
// (0: all). An empty query returns entries in the order of adding.
func (x *Index) Search(query string, limit int) []Hit {
	q := parseQuery(query)
	if limit <= 0 {
		limit = x.entries
	}
	if len(q) == 0 {
		var hits []Hit
		for i := range min(limit, x.entries) {
			hits = append(hits, Hit{ID: i})
		}
		return hits
	}
	best := top{limit: limit}
	entry, score, found := uint32(0), 0, false // of the entry at hand: its texts are neighbours
	var room [16]token
	han := !slices.ContainsFunc(q, func(r rune) bool { return !isHan(r) })
	for _, n := range x.candidates(q) {
		t := x.texts[n]
		if found && t.entry != entry {
			best.add(Hit{int(entry), score})
			found = false
		}
		var s int
		var ok bool
		if seq := x.tokensOf(int(n)); han {
			s, ok = x.matchHan(q, seq)
		} else {
			toks := room[:0]
			for _, id := range seq {
				toks = append(toks, x.toks[id])
			}
			s, ok = match(q, toks)
		}
		if t.other {
			s -= 50 // found by another name
		}
		if ok && (!found || s > score) {
			entry, score, found = t.entry, s, true
		}
	}
	if found {
		best.add(Hit{int(entry), score})
	}
	return best.sorted()
}

// matchHan is match for a query of characters alone.
func (x *Index) matchHan(q []rune, seq []uint32) (best int, found bool) {
next:
	for start := range max(0, len(seq)-len(q)+1) {
		for i, r := range q {
			if x.toks[seq[start+i]].r != r {
				continue next
			}
		}
		if score := scoreOf(byHan*len(q), start, len(q), len(seq)); !found || score > best {
			best, found = score, true
		}
	}
	return best, found
}

// candidates returns texts, ascending, among which are all that q finds.
func (x *Index) candidates(q []rune) []uint32 {
	var rarest [][]uint32
	fewest := -1
	for _, r := range q {
		if !isHan(r) {
			continue
		}
		var of [][]uint32
		n := 0
		for _, id := range x.runes[r] {
			of = append(of, x.tok.at(int(id)))
			n += len(of[len(of)-1])
		}
		if fewest < 0 || n < fewest {
			rarest, fewest = of, n
		}
	}
	if fewest >= 0 {
		return union(rarest)
	}
	// Letters only: the first token takes n1 of them, the second n2, and the third begins after them.
	var of [][]uint32
	text := string(q)
	for _, n1 := range x.shares(q, 0) {
		if n1 == len(q) {
			for id := range x.toks {
				if x.toks[id].holds(text) {
					of = append(of, x.tok.at(id))
				}
			}
			continue
		}
		pair := letterOf(q[0])*letters + letterOf(q[n1])
		for _, n2 := range x.shares(q, n1) {
			if n1+n2 == len(q) {
				of = append(of, x.pair.at(pair))
			} else {
				of = append(of, x.triple.at(pair*letters+letterOf(q[n1+n2])))
			}
		}
	}
	return union(of)
}

// shares returns how many letters of q from j on one token may account for.
func (x *Index) shares(q []rune, j int) []int {
	out := []int{1}
	for n := 2; j+n <= len(q) && n <= longest; n++ {
		part := string(q[j : j+n])
		switch {
		case !x.begins[part]:
			return out
		case n == 2 && q[j+1] == 'h' || x.whole[part] || j+n == len(q):
			out = append(out, n)
		}
	}
	return out
}

// longest is the length of the longest reading in letters: zhuang, chuang, shuang.
const longest = 6

// holds reports whether the token alone can be what a query of letters finds.
func (t *token) holds(q string) bool {
	if string(t.r) == q {
		return true
	}
	return slices.ContainsFunc(t.py, func(py string) bool { return strings.HasPrefix(py, q) })
}

// union merges ascending lists.
func union(of [][]uint32) []uint32 {
	switch len(of) {
	case 0:
		return nil
	case 1:
		return of[0]
	}
	n := 0
	for _, l := range of {
		n += len(l)
	}
	out := make([]uint32, 0, n)
	for _, l := range of {
		out = append(out, l...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// top keeps the best hits: a heap with the worst of them first.
type top struct {
	limit int
	hits  []Hit
}

// worse orders hits: fewer points, or equal ones and added later.
func worse(a, b Hit) bool { return a.Score < b.Score || a.Score == b.Score && a.ID > b.ID }

func (t *top) add(h Hit) {
	if len(t.hits) < t.limit {
		t.hits = append(t.hits, h)
		for i := len(t.hits) - 1; i > 0 && worse(t.hits[i], t.hits[(i-1)/2]); i = (i - 1) / 2 {
			t.hits[i], t.hits[(i-1)/2] = t.hits[(i-1)/2], t.hits[i]
		}
		return
	}
	if !worse(t.hits[0], h) {
		return
	}
	t.hits[0] = h
	for i := 0; ; {
		least := i
		for _, c := range [2]int{2*i + 1, 2*i + 2} {
			if c < len(t.hits) && worse(t.hits[c], t.hits[least]) {
				least = c
			}
		}
		if least == i {
			return
		}
		t.hits[i], t.hits[least] = t.hits[least], t.hits[i]
		i = least
	}
}

func (t *top) sorted() []Hit {
	slices.SortFunc(t.hits, func(a, b Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	return t.hits
}
