package form

import "strings"

// Lists finds the long lists that forms name, such as occupations or institutions. Packs bring them.
type Lists interface {
	// List returns the list of that name, false when it is not on this machine.
	List(name string) (List, bool)
}

// List is one list of codes. Its methods may be called from any goroutine.
type List interface {
	// Len returns how many codes there are.
	Len() int
	// Label returns the text of a code, false when the list does not have it.
	Label(code string) (Text, bool)
	// Search returns the rows offset to offset+limit of those that fit the query, best first, and how many fit.
	// The empty query fits all, in the list's own order.
	Search(query string, offset, limit int) (rows []Option, total int)
}

// ListMap is a Lists held in memory.
type ListMap map[string]List

// List implements Lists.
func (m ListMap) List(name string) (List, bool) {
	l, ok := m[name]
	return l, ok
}

type memoryList struct {
	rows   []Option
	byCode map[string]int
	text   []string // what a search looks through: code, labels and keys in small letters, with separators
}

const listSep = "\x00"

// NewList returns a list over rows, which it keeps: don't change them afterwards. A search looks at codes, labels and
// Keys (for example pinyin initials); a match at the beginning of one of them ranks before one inside. One search over
// 20,000 rows takes about a millisecond.
func NewList(rows []Option) List {
	l := &memoryList{rows: rows, byCode: make(map[string]int, len(rows)), text: make([]string, len(rows))}
	for i, o := range rows {
		if _, twice := l.byCode[o.Code]; !twice {
			l.byCode[o.Code] = i
		}
		words := append([]string{"", o.Code, o.Label.ZH, o.Label.EN}, o.Keys...)
		l.text[i] = strings.ToLower(strings.Join(words, listSep) + listSep)
	}
	return l
}

func (l *memoryList) Len() int { return len(l.rows) }

func (l *memoryList) Label(code string) (Text, bool) {
	i, ok := l.byCode[code]
	if !ok {
		return Text{}, false
	}
	return l.rows[i].Label, true
}

func (l *memoryList) Search(query string, offset, limit int) ([]Option, int) {
	offset, limit = max(offset, 0), max(limit, 0)
	q := strings.ToLower(strings.TrimSpace(strings.ReplaceAll(query, listSep, "")))
	if q == "" {
		from := min(offset, len(l.rows))
		return append([]Option(nil), l.rows[from:min(from+limit, len(l.rows))]...), len(l.rows)
	}
	var ranked [3][]int // whole words, beginnings, insides
	for i, t := range l.text {
		if r := rank(t, q); r >= 0 {
			ranked[r] = append(ranked[r], i)
		}
	}
	found := append(append(ranked[0], ranked[1]...), ranked[2]...)
	from := min(offset, len(found))
	var out []Option
	for _, i := range found[from:min(from+limit, len(found))] {
		out = append(out, l.rows[i])
	}
	return out, len(found)
}

// rank says how well q fits the text of a row: 0 a whole word, 1 the beginning of one, 2 inside, -1 not at all.
func rank(text, q string) int {
	best := -1
	for from := 0; ; {
		i := strings.Index(text[from:], q)
		if i < 0 {
			return best
		}
		at := from + i
		switch end := at + len(q); {
		case text[at-1] != 0:
			if best < 0 {
				best = 2
			}
		case text[end] == 0:
			return 0
		default:
			best = 1
		}
		from = at + len(q)
	}
}
