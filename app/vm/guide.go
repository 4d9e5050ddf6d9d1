package vm

import (
	"strings"
	"sync"
	"time"

	"bianmin/offline/catalog"
	"bianmin/offline/counter"
	"bianmin/offline/form"
	"bianmin/offline/ident"
	"bianmin/offline/people"
	"bianmin/offline/words"
)

// mostPeople is how many persons a search shows; who is not among them types more.
const mostPeople = 8

// Guide is the state of the screen 办事指南: one item explained, and the question whom it is for.
type Guide struct {
	t    Texts
	s    counter.Session
	now  func() time.Time
	item catalog.Item
	cat  *catalog.Catalog

	mu     sync.Mutex // guards what follows
	person string     // roster id of whom it is for; "" while not known
	asking bool       // the question whom it is for is on the screen
	query  string
}

// NewGuide returns the state for arg "<service>" or "<service>:<person id>". Errors: no packs, no such service.
func NewGuide(t Texts, s counter.Session, now func() time.Time, arg string) (*Guide, error) {
	id, person, _ := strings.Cut(arg, ":")
	c, err := s.Catalog()
	if err != nil {
		return nil, err
	}
	it, ok := c.Item(id)
	if !ok {
		return nil, words.New("desk.noService", nil, "service", id)
	}
	return &Guide{t: t, s: s, now: now, item: it, cat: c, person: person}, nil
}

// GuideState is what the screen 办事指南 shows.
type GuideState struct {
	Name, Summary     string
	Times             []Fact // the figures at the top: promised, statutory, fee
	Conditions        []string
	Materials         []GuideMaterial
	Flow              []Fact // step, then who and how long
	Facts             []Fact // where, when, department, phone …
	Basis             []Fact // title, then text
	Notes             []string
	Start             string // word of the one button
	Terminal          bool   // may be taken in at a self-service machine
	Asking            bool
	Query             string
	People            []PersonRow
	None              string // nobody found, in words; "" while nothing was typed
	AskTitle, AskText string
}

// Fact is a name and what it is.
type Fact struct{ Name, Value string }

// GuideMaterial is one paper that an item asks for.
type GuideMaterial struct {
	Name     string
	Need     string // needed, as the case may be, or not
	Required bool
	Exempt   string // 免提交: the counter gets it itself; "" otherwise
	Later    string // 容缺: may follow; "" otherwise
	Lines    []string
}

// PersonRow is one person of the roster, as a clerk tells persons of one name apart.
type PersonRow struct {
	ID, Name, Number string // Number masked
	Where            string // village
	About            string // sex and age
}

// Ask opens the question whom it is for; Back closes it.
func (g *Guide) Ask() { g.set(func() { g.asking = true }) }

// Back closes the question. It reports whether it was open.
func (g *Guide) Back() bool {
	was := false
	g.set(func() { was, g.asking, g.query = g.asking, false, "" })
	return was
}

// SetQuery takes what was typed to find a person: name, initials, the last four of the ID number, the whole number.
func (g *Guide) SetQuery(q string) { g.set(func() { g.query = q }) }

func (g *Guide) set(fn func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	fn()
}

// Begin returns where the case begins when it is already known whom it is for; ok is false when that has to be asked.
func (g *Guide) Begin() (to Target, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.person == "" {
		return Target{}, false
	}
	return g.to(g.person), true
}

// For returns where a case for a person of the roster begins; "" is somebody who is not in it.
func (g *Guide) For(person string) Target { return g.to(person) }

func (g *Guide) to(person string) Target {
	arg := "new:" + g.item.ID
	if person != "" {
		arg += ":" + person
	}
	return Target{pageWizard, arg}
}

// State returns what to show.
func (g *Guide) State() (GuideState, error) {
	g.mu.Lock()
	person, asking, query := g.person, g.asking, g.query
	g.mu.Unlock()
	t, it, lang := g.t, g.item, g.t.Lang()
	st := GuideState{
		Name: it.Name.In(lang), Summary: it.Summary.In(lang), Start: t.T("guide.start"), Terminal: it.Terminal, Asking: asking, Query: query,
		AskTitle: t.T("guide.who"), AskText: t.T("guide.whoText"),
	}
	st.Times = []Fact{{t.T("guide.promised"), limitText(t, it.Promised)}, {t.T("guide.statutory"), limitText(t, it.Statutory)}, {t.T("guide.fee"), it.Fee.In(lang)}}
	st.Conditions, st.Notes = texts(it.Conditions, lang), texts(it.Notes, lang)
	for _, m := range it.Materials {
		st.Materials = append(st.Materials, material(t, m))
	}
	for _, f := range it.Flow {
		fact := Fact{f.Name.In(lang), f.Who.In(lang)}
		if !f.Limit.IsZero() {
			fact.Value += " · " + limitText(t, f.Limit)
		}
		st.Flow = append(st.Flow, fact)
	}
	fact := func(key, value string) {
		if value != "" {
			st.Facts = append(st.Facts, Fact{t.T(key), value})
		}
	}
	fact("guide.where", it.Where.In(lang))
	fact("guide.when", it.When.In(lang))
	fact("guide.department", it.Department.In(lang))
	fact("guide.accepts", it.Accepts.In(lang))
	fact("guide.result", it.Result.In(lang))
	if it.Visits > 0 {
		fact("guide.visits", t.T("guide.visitsN", "n", itoa(it.Visits)))
	}
	fact("guide.phone", it.Phone)
	fact("guide.complaint", it.Complaint)
	fact("guide.promisedNote", it.PromisedNote.In(lang))
	fact("guide.statutoryNote", it.StatutoryNote.In(lang))
	fact("guide.code", it.Code)
	for _, b := range it.Basis {
		st.Basis = append(st.Basis, Fact{strings.TrimSpace(b.Title + " " + b.Article), b.Text})
	}
	if person != "" {
		if name := g.s.PersonName(person); name != "" {
			st.Start = t.T("guide.startFor", "name", name)
		}
	}
	if !asking || !enough(query) {
		return st, nil
	}
	found, err := g.s.FindPeople(query, mostPeople)
	if err != nil {
		return st, err
	}
	for _, p := range found {
		st.People = append(st.People, personRow(t, g.cat, p, g.now()))
	}
	if len(found) == 0 {
		st.None = t.T("guide.nobody", "text", short(strings.TrimSpace(query)))
	}
	return st, nil
}

func texts(all []form.Text, lang string) []string {
	out := make([]string, len(all))
	for i, x := range all {
		out[i] = x.In(lang)
	}
	return out
}

func material(t Texts, m catalog.Material) GuideMaterial {
	lang := t.Lang()
	g := GuideMaterial{Name: m.Name.In(lang), Need: t.T("material." + m.Need), Required: m.Need == "required"}
	if m.Need == "conditional" && !m.If.IsZero() {
		g.Need = t.T("material.if", "when", m.If.In(lang))
	}
	if m.Exempt {
		g.Exempt = t.T("material.exempt")
	}
	if m.Later {
		g.Later = t.T("material.later")
	}
	var first []string
	if m.Original > 0 {
		first = append(first, t.T("material.originals", "n", itoa(m.Original)))
	}
	if m.Copies > 0 {
		first = append(first, t.T("material.copies", "n", itoa(m.Copies)))
	}
	if m.Format != "" {
		first = append(first, m.Format)
	}
	if m.Form != "" {
		first = append(first, t.T("material.form."+m.Form))
	}
	add := func(s string) {
		if s != "" {
			g.Lines = append(g.Lines, s)
		}
	}
	add(strings.Join(first, " · "))
	from := m.From.In(lang)
	if from == "" && m.Source != "" {
		from = t.T("material.source." + m.Source)
	}
	if from != "" {
		add(t.T("material.from", "who", from))
	}
	add(m.Standard.In(lang))
	add(m.Fill.In(lang))
	return g
}

func personRow(t Texts, c *catalog.Catalog, p *people.Person, now time.Time) PersonRow {
	row := PersonRow{ID: p.ID, Name: p.Name()}
	if e, ok := p.Element(people.IDNo); ok {
		row.Number = ident.MaskID(e.Value)
	}
	for _, name := range []string{people.ResDiv, people.RegDiv} {
		if e, ok := p.Element(name); ok && row.Where == "" {
			row.Where, _ = c.Divisions.Name(e.Value)
		}
	}
	id := p.Number()
	if id.IsZero() {
		return row
	}
	row.About = t.T("person.years", "n", itoa(id.Age(now)))
	switch id.Sex {
	case ident.Male:
		row.About = t.T("person.male") + " · " + row.About
	case ident.Female:
		row.About = t.T("person.female") + " · " + row.About
	}
	return row
}
