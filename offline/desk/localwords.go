package desk

import (
	"bianmin/offline/people"
	"bianmin/offline/pinyin/ime"
)

// LocalWords returns the words no dictionary has: the people of the roster whom the operator may see, the divisions, institutions and services of
// this county, for [ime.Engine.Lexicon]. They are personal data: drop them when the session ends.
func (s *Session) LocalWords() ([]ime.Entry, error) {
	c, err := s.Catalog()
	if err != nil {
		return nil, err
	}
	var out []ime.Entry
	add := func(text string, kind ime.Kind) {
		if text != "" {
			out = append(out, ime.Entry{Text: text, Kind: kind})
		}
	}
	b, err := s.book()
	if err != nil {
		return nil, err
	}
	if err := b.Each(func(p *people.Person) error {
		seen, err := s.scope.person(b, p)
		if seen {
			add(p.Name(), ime.Person)
		}
		return err
	}); err != nil {
		return nil, s.d.bookFault(err)
	}
	for _, d := range c.Divisions.All() {
		if d.InUse() {
			add(d.Name, ime.Place)
		}
	}
	for _, x := range c.Institutions {
		add(x.Name.ZH, ime.Institution)
	}
	for _, it := range c.Items.All() {
		add(it.Name.ZH, ime.Service)
		for _, a := range it.Aliases {
			add(a, ime.Service)
		}
		add(it.Department.ZH, ime.Institution)
	}
	return out, nil
}
