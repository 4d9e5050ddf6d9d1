package catalog

import (
	"fmt"
	"slices"
	"strings"

	"bianmin/offline/casefile"
	"bianmin/offline/form"
	"bianmin/offline/people"
	"bianmin/offline/vault"
)

// Set is the packs a machine holds. It is used by one goroutine; the catalogs it makes may be used by any.
type Set struct {
	newest map[string]*Pack
	forms  map[vault.Hash]*form.Form // of every pack added, also of replaced ones: cases outlive packs
}

// NewSet returns an empty set.
func NewSet() *Set {
	return &Set{newest: map[string]*Pack{}, forms: map[vault.Hash]*form.Form{}}
}

// Add takes a pack into the set. ErrRollback reports one that is older than the pack of its kind that is held, or another
// one with the same version; ErrCounty one of another county. The same pack twice changes nothing. To keep the forms
// of open cases, add older packs first, then newer ones.
func (s *Set) Add(p *Pack) error {
	for _, held := range s.newest {
		if held.County != p.County {
			return fmt.Errorf("%w: %s, this machine belongs to %s", ErrCounty, p.County, held.County)
		}
	}
	if held := s.newest[p.Kind]; held != nil {
		if held.Hash == p.Hash {
			return nil
		}
		if p.Version <= held.Version {
			return fmt.Errorf("%w: %s version %d, version %d is held", ErrRollback, p.Kind, p.Version, held.Version)
		}
	}
	s.newest[p.Kind] = p
	for _, f := range p.content.forms {
		s.forms[f.Hash()] = f
	}
	return nil
}

// Held returns the pack of a kind that is in use, or nil.
func (s *Set) Held(kind string) *Pack { return s.newest[kind] }

// Catalog returns what the packs offer together. ErrMissing reports that the public pack is not there; ErrLint a roster
// that names divisions which the public pack does not have.
func (s *Set) Catalog() (*Catalog, error) {
	p := s.newest[KindCounty]
	if p == nil {
		return nil, ErrMissing
	}
	c := p.content
	out := &Catalog{
		County: c.county, Items: newItems(c.items, c.lists), Divisions: c.divisions, Calendar: c.calendar,
		Institutions: c.institutions, Lists: c.lists, Dictionary: c.dictionary, DictionaryHash: vault.SM(nil).Hash(c.dictionary),
		forms: c.forms, byHash: make(map[vault.Hash]*form.Form, len(s.forms)),
	}
	for h, f := range s.forms {
		out.byHash[h] = f
	}
	if rp := s.newest[KindRoster]; rp != nil {
		if out.Roster = rp.content.book; out.Roster == nil {
			var err error
			if out.Roster, err = rp.content.roster.Book(); err != nil {
				return nil, fmt.Errorf("catalog: roster: %w", err)
			}
		}
		if rp.content.roster != nil {
			if err := c.divisions.cover(rp.content.roster.Divisions()); err != nil {
				return nil, err
			}
		}
	}
	for _, kind := range []string{KindCounty, KindRoster} {
		if p := s.newest[kind]; p != nil {
			out.Packs = append(out.Packs, p)
		}
	}
	return out, nil
}

// RosterPack is a roster pack that was opened before, and whose roster is read from a book that was made of it then.
func RosterPack(county string, version uint32, hash vault.Hash, size int, book *people.Book) *Pack {
	return &Pack{County: county, Kind: KindRoster, Version: version, Hash: hash, Size: size, Names: []string{rosterName}, content: &content{book: book}}
}

// CheckRoster returns what is wrong with the divisions that a roster's households live in: ErrLint when one is not in the county's
// pack. A set does this for packs that it is given open; of a RosterPack whoever opens the book asks.
func (c *Catalog) CheckRoster(divisions []string) error { return c.Divisions.cover(divisions) }

// cover reports codes that are not among the divisions.
func (d *Divisions) cover(codes []string) error {
	l := &linter{}
	for _, code := range codes {
		if !known(d, code) {
			l.add(rosterName, "households", "%s is not in the county's pack", code)
		}
	}
	if len(l.faults) > 0 {
		return &LintError{l.faults}
	}
	return nil
}

func known(d *Divisions, code string) bool {
	_, ok := d.Get(code)
	return ok
}

// Catalog is everything a machine's packs offer together. It is immutable and may be used from any goroutine; what it
// returns must not be changed.
type Catalog struct {
	County         County
	Items          *Items
	Divisions      *Divisions
	Calendar       *casefile.Calendar
	Institutions   []Institution
	Roster         *people.Book // nil on a machine that holds none
	Lists          Lists
	Dictionary     []byte // zstd dictionary for packets
	DictionaryHash vault.Hash
	Packs          []*Pack // in use: the public one, then the roster

	forms  map[string]*form.Form
	byHash map[vault.Hash]*form.Form
}

// Item returns a service item by its short id.
func (c *Catalog) Item(id string) (Item, bool) { return c.Items.Get(id) }

// Form returns the current version of a form by its id.
func (c *Catalog) Form(id string) (*form.Form, bool) {
	f, ok := c.forms[id]
	return f, ok
}

// Forms returns the current forms, by id.
func (c *Catalog) Forms() []*form.Form {
	out := make([]*form.Form, 0, len(c.forms))
	for _, f := range c.forms {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *form.Form) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// FormByHash returns the version of a form that a case was taken in with, from any pack that the set was given.
func (c *Catalog) FormByHash(h vault.Hash) (*form.Form, bool) {
	f, ok := c.byHash[h]
	return f, ok
}

// Institution returns an institution by its id.
func (c *Catalog) Institution(id string) (Institution, bool) {
	for _, x := range c.Institutions {
		if x.ID == id {
			return x, true
		}
	}
	return Institution{}, false
}

// Station returns a station by its division code of 12 digits.
func (c *Catalog) Station(code string) (Station, bool) {
	for _, s := range c.County.Stations {
		if s.Code == code {
			return s, true
		}
	}
	return Station{}, false
}
