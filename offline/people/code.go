package people

import (
	"fmt"

	"bianmin/offline/canon"
)

// A roster has a hundred thousand persons with ten elements each, so it has its own code; see canon.Reader.

func (p *Person) append(b []byte) ([]byte, error) {
	data, err := canon.Marshal(p)
	return append(b, data...), err
}

func readPerson(r *canon.Reader) (p Person) {
	r.Fields(4)
	r.Key(1)
	p.ID = r.Text()
	r.Key(2)
	p.Household = r.Text()
	r.Key(3)
	n := r.Map()
	p.Elements = make(map[string]Element, n)
	last := ""
	for i := range n {
		name := r.Text()
		if i > 0 && !before(last, name) {
			r.Refuse(canon.ErrNotCanonical)
		}
		last = name
		var e Element
		r.Fields(4)
		r.Key(1)
		e.Value = r.Text()
		r.Key(2)
		e.Source = r.Text()
		r.Key(3)
		e.AsOf = r.Text()
		r.Key(4)
		e.Locked = r.Bool()
		p.Elements[name] = e
	}
	r.Key(4)
	p.Tags = make([]string, r.List())
	for i := range p.Tags {
		p.Tags[i] = r.Text()
	}
	return p
}

// before reports the order of text keys in a canonical map: bytewise by their encodings, the shorter first.
func before(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

func readHousehold(r *canon.Reader) (h Household) {
	r.Fields(4)
	r.Key(1)
	h.ID = r.Text()
	r.Key(2)
	h.Division = r.Text()
	r.Key(3)
	h.Address = r.Text()
	r.Key(4)
	h.Members = make([]Member, r.List())
	for i := range h.Members {
		m := &h.Members[i]
		r.Fields(2)
		r.Key(1)
		m.Person = r.Text()
		r.Key(2)
		m.Relation = r.Text()
	}
	return h
}

// Read reads a roster in its packed form without checking that it is whole; see Open.
func Read(data []byte) (*Roster, error) {
	c := canon.NewReader(data)
	r := new(Roster)
	c.Fields(5)
	c.Key(1)
	r.V = uint8(c.Below(1 << 8))
	c.Key(2)
	r.Source = c.Text()
	c.Key(3)
	r.AsOf = c.Text()
	c.Key(4)
	for range c.List() {
		if r.Persons = append(r.Persons, readPerson(c)); c.Err() != nil {
			break
		}
	}
	c.Key(5)
	for range c.List() {
		if r.Households = append(r.Households, readHousehold(c)); c.Err() != nil {
			break
		}
	}
	if err := c.Done(); err != nil {
		return nil, fmt.Errorf("people: roster: %w", err)
	}
	return r, nil
}
