package corpus

import (
	"fmt"
	"math/rand/v2"
	"time"

	"bianmin/offline/people"
)

// Roster returns a roster of n persons in households of one to five, in twelve villages. Equal arguments give equal rosters.
// divisions are the villages' codes; none: those of a fictional county.
func Roster(seed uint64, n int, divisions ...string) *people.Roster {
	r := rand.New(rand.NewPCG(seed, 11))
	if len(divisions) == 0 {
		for i := range villages {
			divisions = append(divisions, fmt.Sprintf("%s101%03d", county, 201+i))
		}
	}
	out := &people.Roster{V: people.Version, Source: "公安人口库", AsOf: "2026-11-01"}
	left := 0
	taken := make(map[string]bool, n)
	for i := range n {
		if left == 0 {
			left = 1 + r.IntN(5)
			v := r.IntN(len(divisions))
			out.Households = append(out.Households, people.Household{
				ID: fmt.Sprintf("h%06d", len(out.Households)+1), Division: divisions[v],
				Address: fmt.Sprintf("%s%d组%d号", villages[v%len(villages)], 1+r.IntN(12), 1+r.IntN(160)),
			})
		}
		left--
		home := &out.Households[len(out.Households)-1]
		id, _, _ := number(r, r.IntN(1000))
		for taken[id] {
			id, _, _ = number(r, r.IntN(1000))
		}
		taken[id] = true
		p := people.Person{
			ID: fmt.Sprintf("p%06d", i+1), Household: home.ID,
			Elements: map[string]people.Element{
				people.Name: {Value: name(r), Locked: true}, people.IDNo: {Value: id, Locked: true}, people.Ethnic: {Value: "01"},
				people.RegDiv: {Value: home.Division, Locked: true}, people.Registered: {Value: home.Address, Locked: true},
				people.ResDiv: {Value: home.Division}, people.Residence: {Value: home.Address},
			},
		}
		if r.IntN(10) < 8 {
			p.Elements[people.Phone] = people.Element{Value: phone(r), Source: "村级台账", AsOf: time.Date(2026, 1, 1+r.IntN(300), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)}
		}
		home.Members = append(home.Members, people.Member{Person: p.ID, Relation: []string{"02", "10", "20", "30", "97"}[min(4, len(home.Members))]})
		out.Persons = append(out.Persons, p)
	}
	return out
}
