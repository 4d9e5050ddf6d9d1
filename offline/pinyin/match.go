package pinyin

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
)

// maxQuery is how many characters of a query count; more never narrows a search.
const maxQuery = 60

// How good it is to find a character by …
const (
	byHan     = 10 // itself
	bySound   = 8  // its whole reading
	byPart    = 6  // the beginning of its reading, at the end of the query
	byDouble  = 5  // zh, ch, sh
	byInitial = 4  // its first letter
	secondOff = 1  // less by a second reading
)

// Match reports whether query finds text, and how well: more is better, scores of one query may be compared.
// A query is characters, pinyin, initials, or a mixture, and fits a run of neighbouring characters of text. Case,
// width, blanks and apostrophes do not matter. An empty query finds everything with score 0.
func Match(query, text string) (score int, ok bool) {
	return match(parseQuery(query), tokens(text, false))
}

// MatchName is Match against a person's name, whose surname may have its own reading.
func MatchName(query, name string) (score int, ok bool) {
	return match(parseQuery(query), tokens(name, true))
}

func parseQuery(q string) []rune {
	rs := make([]rune, 0, len(q))
	for _, r := range fold(q) {
		if isHan(r) || isWord(r) {
			rs = append(rs, r)
		}
	}
	return rs[:min(len(rs), maxQuery)]
}

func isWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 0x7F && !strings.ContainsRune("·•、，。（）《》“”‘’—…　", r)
}

func match(q []rune, toks []token) (int, bool) {
	if len(q) == 0 {
		return 0, true
	}
	best, found := 0, false
	for start := range toks {
		if s, end, ok := matchFrom(q, toks[start:]); ok {
			n := end
			score := s * 100 / n // 400 to 1000: how the characters were found
			score += 400 * n / len(toks)
			if start == 0 {
				score += 200
				if n == len(toks) {
					score += 200
				}
			}
			if !found || score > best {
				best, found = score, true
			}
		}
	}
	return best, found
}

// matchFrom fits q to the beginning of toks: at[j] is the best sum of qualities with j characters of q used up.
// It returns the sum and how many tokens were used.
func matchFrom(q []rune, toks []token) (sum, used int, ok bool) {
	var at, next [maxQuery + 1]int16
	live := uint64(1)
	for i := range toks {
		var to uint64
		for rest := live; rest != 0; rest &= rest - 1 {
			j := bits.TrailingZeros64(rest)
			eat(q, j, &toks[i], func(n int, quality int16) {
				k := j + n
				v := at[j] + quality
				if to&(1<<k) == 0 || v > next[k] {
					next[k] = v
					to |= 1 << k
				}
			})
		}
		if to&(1<<len(q)) != 0 {
			// Fewer characters with better qualities win; a longer fit of the same query has more initials.
			return int(next[len(q)]), i + 1, true
		}
		if to == 0 {
			return 0, 0, false
		}
		at, live = next, to
	}
	return 0, 0, false
}

// eat calls yield for each number of query characters from j on that the token can account for.
func eat(q []rune, j int, t *token, yield func(n int, quality int16)) {
	c := q[j]
	if c == t.r {
		yield(1, byHan)
		return
	}
	if !t.han || c < 'a' || c > 'z' {
		return
	}
	for k, py := range t.py {
		off := int16(0)
		if k > 0 {
			off = secondOff
		}
		n := 0
		for n < len(py) && j+n < len(q) && q[j+n] == rune(py[n]) {
			n++
		}
		if n == 0 {
			continue
		}
		yield(1, byInitial-off)
		if n >= 2 && py[1] == 'h' {
			yield(2, byDouble-off)
		}
		if n == len(py) {
			yield(n, bySound-off)
		} else if n > 1 && j+n == len(q) {
			yield(n, byPart-off)
		}
	}
}

// Hit is one result of a search.
type Hit struct {
	ID    int // position in the order of adding
	Score int // more is better
}

// Builder collects the entries of an [Index].
type Builder struct {
	entries []entry
}

type entry struct {
	texts []indexed
}

type indexed struct {
	toks   []token
	folded string
	begins uint64 // first letters and digits a fit can begin with
}

// Add adds an entry that is found by any of texts, the first being its name, and returns its ID: 0, 1, 2 …
func (b *Builder) Add(texts ...string) int { return b.add(false, texts) }

// AddName adds a person's name, and texts that find the person as well, and returns its ID.
func (b *Builder) AddName(name string, texts ...string) int {
	return b.add(true, append([]string{name}, texts...))
}

func (b *Builder) add(name bool, texts []string) int {
	var e entry
	for i, t := range texts {
		if t == "" {
			continue
		}
		x := indexed{toks: tokens(t, name && i == 0), folded: fold(t)}
		for _, tok := range x.toks {
			x.begins |= letterBit(tok.r)
			for _, py := range tok.py {
				x.begins |= letterBit(rune(py[0]))
			}
		}
		e.texts = append(e.texts, x)
	}
	b.entries = append(b.entries, e)
	return len(b.entries) - 1
}

// letterBit gives a to z and 0 to 9 a bit each, all else none.
func letterBit(r rune) uint64 {
	switch {
	case r >= 'a' && r <= 'z':
		return 1 << (r - 'a')
	case r >= '0' && r <= '9':
		return 1 << (26 + r - '0')
	}
	return 0
}

// Index returns the finished index; the builder must not be used afterwards.
func (b *Builder) Index() *Index { return &Index{b.entries} }

// Index finds entries. It is immutable and may be used from any goroutine.
type Index struct {
	entries []entry
}

// Len returns how many entries there are.
func (x *Index) Len() int { return len(x.entries) }

// Search returns the entries that query finds, best first, equal ones in the order of adding; at most limit of them
// (0: all). An empty query returns entries in the order of adding.
func (x *Index) Search(query string, limit int) []Hit {
	q := parseQuery(query)
	if limit <= 0 {
		limit = len(x.entries)
	}
	var hits []Hit
	if len(q) == 0 {
		for i := range min(limit, len(x.entries)) {
			hits = append(hits, Hit{ID: i})
		}
		return hits
	}
	first, allHan := letterBit(q[0]), true
	for _, r := range q {
		allHan = allHan && isHan(r)
	}
	needle := string(q)
	for id := range x.entries {
		best, found := 0, false
		for k := range x.entries[id].texts {
			t := &x.entries[id].texts[k]
			if first != 0 && t.begins&first == 0 {
				continue
			}
			if allHan && len(t.toks) > 0 && !strings.Contains(t.folded, needle) && !strings.ContainsRune(t.folded, q[0]) {
				continue
			}
			s, ok := match(q, t.toks)
			if k > 0 {
				s -= 50 // found by another name
			}
			if ok && (!found || s > best) {
				best, found = s, true
			}
		}
		if found {
			hits = append(hits, Hit{id, best})
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int { return cmp.Compare(b.Score, a.Score) })
	return hits[:min(limit, len(hits))]
}
