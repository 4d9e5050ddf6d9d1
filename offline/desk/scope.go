package desk

import (
	"bianmin/offline/casefile"
	"bianmin/offline/catalog"
	"bianmin/offline/ident"
	"bianmin/offline/people"
	"bianmin/offline/store"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Roles of operators. What is not listed may work at the counter and nothing more.
const (
	roleStaff = "staff" // 帮办代办员
	roleGrid  = "grid"  // 网格员
	roleLead  = "lead"  // 站长: also manages who may log in
)

var roles = map[string]bool{roleStaff: true, roleGrid: true, roleLead: true}

// scope is what one operator may see: persons of the own division and what lies below it, and what was taken in there. It
// is asked in this file only; every query of a [Session] that leads to a person goes through it.
type scope struct {
	operator string
	role     string
	station  ident.Division
	own      ident.Division // the operator's; the station's when the operator has none
	authors  func(id string) (vault.OperatorInfo, bool)
}

func (d *Desk) scopeOf(op vault.OperatorInfo) scope {
	s := scope{operator: op.ID, role: op.Role, authors: d.operator}
	s.station, _ = ident.ParseDivision(d.en.Station.Division) // a grant without a division covers nothing
	var err error
	if s.own, err = ident.ParseDivision(op.Division); err != nil {
		s.own = s.station
	}
	return s
}

func (d *Desk) operator(id string) (vault.OperatorInfo, bool) {
	for _, op := range d.ring.Operators() {
		if op.ID == id {
			return op, true
		}
	}
	return vault.OperatorInfo{}, false
}

// covers reports whether a division is the operator's own or lies below it.
func (s scope) covers(code string) bool {
	d, err := ident.ParseDivision(code)
	return err == nil && s.own.Contains(d)
}

// place is the division that the operator's cases are taken in for: the own one when the station's contains it.
func (s scope) place() string {
	if s.station.Contains(s.own) {
		return s.own.Code()
	}
	return s.station.Code()
}

// person reports whether somebody of the roster is visible: registered, living, or in a household of the own division.
// Somebody of whom no division is known belongs to the station.
func (s scope) person(b *people.Book, p *people.Person) (bool, error) {
	known := false
	for _, name := range []string{people.ResDiv, people.RegDiv} {
		if e, ok := p.Element(name); ok {
			known = true
			if s.covers(e.Value) {
				return true, nil
			}
		}
	}
	h, err := b.Household(p.Household)
	if err != nil {
		return false, err
	}
	if h != nil {
		return s.covers(h.Division), nil
	}
	return !known && s.own.Contains(s.station), nil
}

// submitted reports whether a case is visible: it was taken in for the own division.
func (s scope) submitted(c *casefile.Case) bool { return s.covers(c.Division) }

// draft reports whether a draft is visible: one's own, or of somebody whose division one covers.
func (s scope) draft(author string) bool {
	if author == s.operator {
		return true
	}
	if op, ok := s.authors(author); ok && op.Division != "" {
		return s.covers(op.Division)
	}
	return s.own.Contains(s.station) // of somebody who is gone: the station's
}

// manages reports whether the operator may change who logs in for a division.
func (s scope) manages(division string) bool { return s.role == roleLead && s.covers(division) }

// errNoCase is what is said of a case that is not there, and of one that is another division's: they are not told apart.
func errNoCase(cause error) error { return words.New("desk.noCase", cause) }

// visible returns a case of this machine, when the operator may see it.
func (s *Session) visible(seq uint64) (casefile.Case, error) {
	if err := s.open(); err != nil {
		return casefile.Case{}, err
	}
	c, err := s.d.store.Case(seq)
	switch {
	case isGone(err):
		return casefile.Case{}, errNoCase(err)
	case err != nil:
		return casefile.Case{}, err
	case !s.scope.submitted(&c):
		return casefile.Case{}, errNoCase(nil)
	}
	return c, nil
}

// visibleDrafts returns the drafts that the operator may see, the newest first.
func (s *Session) visibleDrafts() ([]store.Draft, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	all, err := s.d.store.Drafts()
	if err != nil {
		return nil, err
	}
	out := all[:0]
	for _, d := range all {
		if s.scope.draft(d.Operator) {
			out = append(out, d)
		}
	}
	return out, nil
}

// visibleDraft returns one of them; store.ErrNotFound for any other.
func (s *Session) visibleDraft(id string) (store.Draft, error) {
	if err := s.open(); err != nil {
		return store.Draft{}, err
	}
	d, err := s.d.store.Draft(id)
	if err == nil && !s.scope.draft(d.Operator) {
		return store.Draft{}, words.New("desk.noDraft", store.ErrNotFound)
	}
	return d, err
}

// book returns the roster's book; nil on a machine that holds none. What is in it is shown by seen only.
func (s *Session) book() (*people.Book, error) {
	c, err := s.packs()
	if err != nil {
		return nil, err
	}
	return c.Roster, nil
}

// seen returns those of the persons whom the operator may see.
func (s *Session) seen(b *people.Book, found ...*people.Person) ([]*people.Person, error) {
	var out []*people.Person
	for _, p := range found {
		if p == nil {
			continue
		}
		ok, err := s.scope.person(b, p)
		if err != nil {
			return nil, s.d.bookFault(err)
		}
		if ok {
			out = append(out, p)
		}
	}
	return out, nil
}

// one is seen for a single person: nil for nobody, and for somebody the operator may not see.
func (s *Session) one(b *people.Book, p *people.Person, err error) (*people.Person, error) {
	if err != nil {
		return nil, s.d.bookFault(err)
	}
	out, err := s.seen(b, p)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return out[0], nil
}

// find searches the part of the roster that the operator may see: as many as limit, although the others are left out.
func (s *Session) find(query string, limit int) ([]*people.Person, error) {
	b, err := s.book()
	if err != nil || b == nil {
		return nil, err
	}
	for ask := limit; ; ask *= 8 {
		found, err := b.Find(query, ask)
		if err != nil {
			return nil, s.d.bookFault(err)
		}
		out, err := s.seen(b, found...)
		switch {
		case err != nil:
			return nil, err
		case limit > 0 && len(out) >= limit:
			return out[:limit], nil
		case ask <= 0 || len(found) < ask:
			return out, nil
		}
	}
}

// byNumber returns the person with an ID number, when the operator may see them; nil else.
func (s *Session) byNumber(number string) (*people.Person, error) {
	b, err := s.book()
	if err != nil || b == nil {
		return nil, err
	}
	p, err := b.ByNumber(number)
	return s.one(b, p, err)
}

// rosterPerson returns the person with a roster id, when the operator may see them; nil else.
func (s *Session) rosterPerson(id string) (*people.Person, error) {
	b, err := s.book()
	if err != nil || b == nil || id == "" {
		return nil, err
	}
	p, err := b.Person(id)
	return s.one(b, p, err)
}

// PersonName returns the name of somebody of the roster; "" for nobody, and for somebody the operator may not see.
func (s *Session) PersonName(id string) string {
	p, err := s.rosterPerson(id)
	if err != nil || p == nil {
		return ""
	}
	return p.Name()
}

// Catalog returns what can be applied for here. Its roster is left out: persons are asked for by name or number.
func (s *Session) Catalog() (*catalog.Catalog, error) {
	c, err := s.packs()
	if err != nil {
		return nil, err
	}
	public := *c
	public.Roster = nil
	public.Packs = nil
	return &public, nil
}
