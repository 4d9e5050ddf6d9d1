package vm

import (
	"strconv"
	"strings"
	"sync"

	"bianmin/offline/casefile"
	"bianmin/offline/catalog"
	"bianmin/offline/counter"
)

func itoa(n int) string { return strconv.Itoa(n) }

func utoa(n uint64) string { return strconv.FormatUint(n, 10) }

// ForPerson begins the argument of the page services when an item is chosen for somebody of the roster: "for:<id>".
const ForPerson = "for:"

// Services is the state of the screen 事项: the items that can be applied for, narrowed by theme, life event, audience
// and what is typed.
type Services struct {
	t      Texts
	s      counter.Session
	person string

	mu     sync.Mutex // guards what follows
	query  string
	filter catalog.Filter
}

// NewServices returns the state. arg is "", or ForPerson and the roster's id of whom an item is chosen for.
func NewServices(t Texts, s counter.Session, arg string) *Services {
	v := &Services{t: t, s: s}
	if id, ok := strings.CutPrefix(arg, ForPerson); ok {
		v.person = id
	}
	return v
}

// Chip is one thing to narrow a list by.
type Chip struct {
	Code, Label string
	On          bool
}

// ServiceRow is one item of a list.
type ServiceRow struct {
	ID, Name, Summary string
	Facts             string // time limit and fee in one line
	Department        string
	Short             string // the time limit alone
	Terminal          bool   // may be taken in at a self-service machine
	To                Target
}

// ServicesState is what the screen 事项 shows.
type ServicesState struct {
	Query                    string
	For                      string // for whom, in words; "" for nobody
	Themes, Events, Audience []Chip
	Narrowed                 bool // a chip is on or something is typed
	Rows                     []ServiceRow
	Count                    string
	EmptyTitle, EmptyText    string
}

// SetQuery takes what was typed: Han, pinyin, initials.
func (v *Services) SetQuery(q string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.query = q
}

// ToggleTheme, ToggleEvent and ToggleAudience turn a chip on, or off when it is on.
func (v *Services) ToggleTheme(code string) { v.toggle(&v.filter.Theme, code) }

// ToggleEvent turns a life event on or off.
func (v *Services) ToggleEvent(code string) { v.toggle(&v.filter.LifeEvent, code) }

// ToggleAudience turns an audience on or off.
func (v *Services) ToggleAudience(code string) { v.toggle(&v.filter.Audience, code) }

func (v *Services) toggle(at *string, code string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if *at == code {
		code = ""
	}
	*at = code
}

// Clear shows everything again.
func (v *Services) Clear() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.query, v.filter = "", catalog.Filter{}
}

var audiences = []string{"person", "household", "enterprise"}

// State returns what to show. The error is that of a machine without packs.
func (v *Services) State() (ServicesState, error) {
	v.mu.Lock()
	query, filter := v.query, v.filter
	v.mu.Unlock()
	c, err := v.s.Catalog()
	if err != nil {
		return ServicesState{}, err
	}
	lang := v.t.Lang()
	st := ServicesState{Query: query, Narrowed: query != "" || filter != (catalog.Filter{}), EmptyTitle: v.t.T("services.none"), EmptyText: v.t.T("services.noneText")}
	for _, o := range c.Items.Themes(c.Lists) {
		st.Themes = append(st.Themes, Chip{o.Code, o.Label.In(lang), o.Code == filter.Theme})
	}
	for _, o := range c.Items.LifeEvents(c.Lists) {
		st.Events = append(st.Events, Chip{o.Code, o.Label.In(lang), o.Code == filter.LifeEvent})
	}
	for _, a := range audiences {
		if len(c.Items.Search("", catalog.Filter{Audience: a}, 1)) > 0 {
			st.Audience = append(st.Audience, Chip{a, v.t.T("audience." + a), a == filter.Audience})
		}
	}
	if v.person != "" {
		if name := v.s.PersonName(v.person); name != "" {
			st.For = v.t.T("services.for", "name", name)
		}
	}
	for _, it := range c.Items.Search(query, filter, 0) {
		st.Rows = append(st.Rows, serviceRow(v.t, it, v.person))
	}
	st.Count = v.t.T("services.count", "n", itoa(len(st.Rows)))
	return st, nil
}

func serviceRow(t Texts, it catalog.Item, person string) ServiceRow {
	lang := t.Lang()
	r := ServiceRow{
		ID: it.ID, Name: it.Name.In(lang), Summary: it.Summary.In(lang), Department: it.Department.In(lang),
		Short: limitText(t, it.Promised), Terminal: it.Terminal, To: Target{pageGuide, it.ID},
	}
	r.Facts = limitText(t, it.Promised) + " · " + it.Fee.In(lang)
	if person != "" {
		r.To.Arg += ":" + person
	}
	return r
}

// limitText says a time limit in words.
func limitText(t Texts, l casefile.Limit) string {
	switch {
	case l.IsZero():
		return t.T("limit.none")
	case l.Days == 0:
		return t.T("limit.instant")
	case l.Unit == casefile.NaturalDays:
		return t.T("limit.day", "n", itoa(l.Days))
	default:
		return t.T("limit.workday", "n", itoa(l.Days))
	}
}
