package desk

import "bianmin/offline/pinyin/ime"

// LocalWords returns the words no dictionary has: the people of the roster, the divisions, institutions and services of
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
	if c.Roster != nil {
		for i := range c.Roster.Persons {
			add(c.Roster.Persons[i].Name(), ime.Person)
		}
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
