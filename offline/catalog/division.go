package catalog

import (
	"cmp"
	"slices"
	"strings"

	"bianmin/offline/ident"
	"bianmin/offline/pinyin"
)

// Division is one place in the tree of divisions.
type Division struct {
	Code      string `json:"code"` // 12 digits
	Name      string `json:"name"`
	Class     string `json:"class,omitempty"`     // urban-rural class of a village: 111, 112, 121, 122, 210, 220
	From      string `json:"from,omitempty"`      // "2006-01-02", valid since; "" = always
	To        string `json:"to,omitempty"`        // "2006-01-02", abolished on that day; "" = in use
	Successor string `json:"successor,omitempty"` // code that took over
}

// InUse reports whether the division has not been abolished.
func (d Division) InUse() bool { return d.To == "" }

// Divisions is the tree of divisions, from provinces to villages. It is immutable and may be used from any goroutine.
type Divisions struct {
	all      []Division
	byCode   map[string]int
	children map[string][]int // by parent code, "" for provinces
	index    *pinyin.Index
	indexed  []int
}

func newDivisions(all []Division) *Divisions {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Division) int { return cmp.Compare(a.Code, b.Code) })
	d := &Divisions{all: all, byCode: make(map[string]int, len(all)), children: make(map[string][]int)}
	for i, e := range all {
		d.byCode[e.Code] = i
	}
	var b pinyin.Builder
	for i, e := range all {
		d.children[parentOf(e.Code)] = append(d.children[parentOf(e.Code)], i)
		if e.InUse() {
			b.Add(e.Name, e.Code, strings.TrimRight(e.Code, "0"))
			d.indexed = append(d.indexed, i)
		}
	}
	d.index = b.Index()
	return d
}

func parentOf(code string) string {
	d, err := ident.ParseDivision(code)
	if err != nil {
		return ""
	}
	p, _ := d.Parent()
	return p.Code()
}

// Len returns how many divisions there are.
func (d *Divisions) Len() int { return len(d.all) }

// All returns all divisions in the order of their codes. It must not be changed.
func (d *Divisions) All() []Division { return d.all }

// Get returns a division by its code of 12 digits; shorter codes are filled with zeros.
func (d *Divisions) Get(code string) (Division, bool) {
	if p, err := ident.ParseDivision(code); err == nil {
		code = p.Code()
	}
	i, ok := d.byCode[code]
	if !ok {
		return Division{}, false
	}
	return d.all[i], true
}

// Name returns the division's own name. It fits form.Env.Divisions.
func (d *Divisions) Name(code string) (string, bool) {
	e, ok := d.Get(code)
	return e.Name, ok
}

// FullName returns the names from the province down, joined: 样例省示范市示范县. "" for an unknown code.
func (d *Divisions) FullName(code string) string {
	var b strings.Builder
	for _, e := range d.Path(code) {
		b.WriteString(e.Name)
	}
	return b.String()
}

// Children returns the divisions directly below code that are in use, by code; "" gives the provinces.
func (d *Divisions) Children(code string) []Division {
	if p, err := ident.ParseDivision(code); err == nil {
		code = p.Code()
	}
	var out []Division
	for _, i := range d.children[code] {
		if d.all[i].InUse() {
			out = append(out, d.all[i])
		}
	}
	return out
}

// Path returns the divisions from the province down to code itself; empty for an unknown code.
func (d *Divisions) Path(code string) []Division {
	e, ok := d.Get(code)
	if !ok {
		return nil
	}
	out := []Division{e}
	for p := parentOf(e.Code); p != ""; p = parentOf(p) {
		e, ok := d.Get(p)
		if !ok {
			return nil
		}
		out = append(out, e)
	}
	slices.Reverse(out)
	return out
}

// Search returns the divisions in use that a query names (name, pinyin, initials, beginning of the code), best first,
// at most limit (0: all).
func (d *Divisions) Search(query string, limit int) []Division {
	var out []Division
	for _, h := range d.index.Search(query, limit) {
		out = append(out, d.all[d.indexed[h.ID]])
	}
	return out
}
