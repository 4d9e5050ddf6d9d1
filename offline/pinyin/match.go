package pinyin

import (
	"math/bits"
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
			if score := scoreOf(s, start, end, len(toks)); !found || score > best {
				best, found = score, true
			}
		}
	}
	return best, found
}

// scoreOf scores n of all tokens from start on, found with qualities of that sum.
func scoreOf(sum, start, n, all int) int {
	score := sum * 100 / n // 400 to 1000: how the characters were found
	score += 400 * n / all
	if start == 0 {
		score += 200
		if n == all {
			score += 200
		}
	}
	return score
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
