package catalog

import (
	"strings"

	"bianmin/offline/form"
	"bianmin/offline/pinyin"
)

// Lists are the county's lists of codes by name: nationalities, relations, banks, themes … It answers forms.
type Lists map[string]*List

var (
	_ form.Lists = Lists(nil)
	_ form.List  = (*List)(nil)
)

// List implements form.Lists.
func (l Lists) List(name string) (form.List, bool) {
	x, ok := l[name]
	if !ok {
		return nil, false
	}
	return x, true
}

// label returns the Chinese text of a code, or "".
func (l Lists) label(name, code string) string {
	if x, ok := l[name]; ok {
		t, _ := x.Label(code)
		return t.ZH
	}
	return ""
}

func (l Lists) used(name string, has func(code string) bool) []form.Option {
	x, ok := l[name]
	if !ok {
		return nil
	}
	var out []form.Option
	for _, o := range x.rows {
		if has(o.Code) {
			out = append(out, o)
		}
	}
	return out
}

// List is one list of codes with a search by characters, pinyin, initials, English and code. It is immutable.
type List struct {
	Name   string
	Title  form.Text
	rows   []form.Option
	byCode map[string]int
	index  *pinyin.Index
}

// listFile is a list as it stands in a pack: lists/<name>.json.
type listFile struct {
	Title form.Text     `json:"title"`
	Rows  []form.Option `json:"rows"`
}

func newList(name string, f listFile) *List {
	l := &List{Name: name, Title: f.Title, rows: f.Rows, byCode: make(map[string]int, len(f.Rows))}
	var b pinyin.Builder
	for i, o := range f.Rows {
		l.byCode[o.Code] = i
		b.Add(append([]string{o.Label.ZH, o.Label.EN, o.Code}, o.Keys...)...)
	}
	l.index = b.Index()
	return l
}

// Len implements form.List.
func (l *List) Len() int { return len(l.rows) }

// Label implements form.List.
func (l *List) Label(code string) (form.Text, bool) {
	i, ok := l.byCode[code]
	if !ok {
		return form.Text{}, false
	}
	return l.rows[i].Label, true
}

// Search implements form.List. A query that is a code finds that row first.
func (l *List) Search(query string, offset, limit int) ([]form.Option, int) {
	offset, limit = max(offset, 0), max(limit, 0)
	if strings.TrimSpace(query) == "" {
		from := min(offset, len(l.rows))
		return append([]form.Option(nil), l.rows[from:min(from+limit, len(l.rows))]...), len(l.rows)
	}
	hits := l.index.Search(query, 0)
	if i, ok := l.byCode[strings.TrimSpace(query)]; ok {
		first := []pinyin.Hit{{ID: i}}
		for _, h := range hits {
			if h.ID != i {
				first = append(first, h)
			}
		}
		hits = first
	}
	from := min(offset, len(hits))
	var out []form.Option
	for _, h := range hits[from:min(from+limit, len(hits))] {
		out = append(out, l.rows[h.ID])
	}
	return out, len(hits)
}
