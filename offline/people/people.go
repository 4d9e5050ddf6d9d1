// Package people holds what is already known about persons and households, so that nobody is asked for it again.
//
// A [Roster] comes in a pack: persons as sets of elements, each with the source it came from, the day on which it was
// true, and whether the desk may change it (a locked element can only be disputed). Forms name elements by their
// source path, such as "person.name" or "person.hukouAddress"; [Person.Prefill] answers them.
//
// A station does not hold a town in memory: a [Book] keeps an index of it, and reads each person when it is asked for, from a
// sealed file.
//
// A roster is personal data: who stores it seals it, and nothing here prints or logs a person.
package people

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/form"
	"bianmin/offline/ident"
)

// Version is the format version of a roster.
const Version = 1

// MaxPersons is the largest roster: a town with room to spare.
const MaxPersons = 100_000

// anyDay lies after every birth: a machine whose clock has fallen back must still open its roster.
var anyDay = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// ErrRoster reports a roster that is not whole: a wrong ID number, a member nobody knows, a person twice.
var ErrRoster = errors.New("people: roster is not whole")

// Element is one known fact about a person.
type Element struct {
	Value  string `cbor:"1,keyasint" json:"value"`
	Source string `cbor:"2,keyasint" json:"source,omitempty"` // who says so, for example "公安人口库"; "" = the roster's source
	AsOf   string `cbor:"3,keyasint" json:"asOf,omitempty"`   // "2006-01-02", the day on which it was true; "" = the roster's day
	Locked bool   `cbor:"4,keyasint" json:"locked,omitempty"` // may be disputed at the desk, not changed
}

// LogValue keeps the value out of logs.
func (Element) LogValue() slog.Value { return slog.StringValue("[element]") }

// String keeps the value out of formatted text.
func (Element) String() string { return "[element]" }

// Names of elements. Rosters may bring others; forms find them by "person." and the name.
const (
	Name       = "name"
	IDNo       = "idno"
	Phone      = "phone"
	Ethnic     = "ethnic"        // code of the list "ethnic" (GB/T 3304)
	Registered = "hukouAddress"  // 户籍地址
	Residence  = "liveAddress"   // 居住地址
	RegDiv     = "hukouDivision" // 户籍所在村, 12 digits
	ResDiv     = "liveDivision"  // 现居住村, 12 digits
	BankCard   = "bankcard"      // social security card's account
	Bank       = "bank"          // code of the list "bank"

	Sex      = "sex"      // M or F; follows from the number
	Birth    = "birth"    // "2006-01-02"; follows from the number
	IDIssuer = "idIssuer" // 签发机关; from a card only, as are the next two
	IDFrom   = "idFrom"   // first day of the card's validity, "2006-01-02"
	IDUntil  = "idUntil"  // last day, "2006-01-02"; not known of a card that is valid for good

	ContactName = "contact.name" // whom to call; forms ask for it as "contact.name"
)

// CardSource is the source of elements that a machine read from the person's ID card.
const CardSource = "身份证读卡"

// Person is one person of a roster.
type Person struct {
	ID        string             `cbor:"1,keyasint" json:"id"` // of the roster; never the ID number
	Household string             `cbor:"2,keyasint" json:"household,omitempty"`
	Elements  map[string]Element `cbor:"3,keyasint" json:"elements"`
	Tags      []string           `cbor:"4,keyasint" json:"tags,omitempty"` // what lists them: "low-income", "disabled", "alone"

	source, asOf string // of the roster, for elements that name none
}

// LogValue keeps persons out of logs: the roster's own id only.
func (p *Person) LogValue() slog.Value { return slog.StringValue("person " + p.ID) }

// String names the person by the roster's id.
func (p *Person) String() string { return "person " + p.ID }

// Name returns the full name.
func (p *Person) Name() string { return p.Elements[Name].Value }

// MaskedName returns the name as lists show it.
func (p *Person) MaskedName() string { return ident.MaskName(p.Name()) }

// Number returns the parsed ID number; the zero ID when there is none.
func (p *Person) Number() ident.ID {
	id, err := ident.ParseIDAt(p.Elements[IDNo].Value, anyDay)
	if err != nil {
		return ident.ID{}
	}
	return id
}

// Element returns a known fact with source and day filled in; ok is false when it is not known.
func (p *Person) Element(name string) (Element, bool) {
	e, ok := p.Elements[name]
	if !ok || e.Value == "" {
		return Element{}, false
	}
	e.Source, e.AsOf = cmp.Or(e.Source, p.source), cmp.Or(e.AsOf, p.asOf)
	return e, true
}

// Prefill answers a form field's source path: "person." and an element's name, or the whole name of an element about
// somebody else, such as "contact.name". Birth date ("person.birth") and sex
// ("person.sex", M or F) follow from the ID number, with its source. It fits form.Env.Prefill.
func (p *Person) Prefill(source string) (form.Prefill, bool) {
	name, own := strings.CutPrefix(source, "person.")
	e, ok := p.Element(name)
	if !ok && !own {
		return form.Prefill{}, false
	}
	if !ok && (name == "birth" || name == "sex") {
		id := p.Number()
		if e, ok = p.Element(IDNo); !ok || id.IsZero() {
			return form.Prefill{}, false
		}
		e.Value = string(id.Sex)
		if name == "birth" {
			e.Value = id.Birth.Format(time.DateOnly)
		}
	}
	if !ok {
		return form.Prefill{}, false
	}
	asOf, err := time.Parse(time.DateOnly, e.AsOf)
	if err != nil {
		asOf = time.Time{}
	}
	return form.Prefill{Value: e.Value, Source: form.Source{Name: e.Source, AsOf: asOf, Locked: e.Locked}}, true
}

// Member is a person's place in a household.
type Member struct {
	Person   string `cbor:"1,keyasint" json:"person"`
	Relation string `cbor:"2,keyasint" json:"relation"` // code of the list "relation", for example "02" householder
}

// Household is who lives under one household registration.
type Household struct {
	ID       string   `cbor:"1,keyasint" json:"id"`
	Division string   `cbor:"2,keyasint" json:"division"` // 12 digits, a village
	Address  string   `cbor:"3,keyasint" json:"address"`
	Members  []Member `cbor:"4,keyasint" json:"members"` // the householder first
}

// LogValue keeps addresses out of logs.
func (h *Household) LogValue() slog.Value { return slog.StringValue("household " + h.ID) }

// String names the household by its id.
func (h *Household) String() string { return "household " + h.ID }

// Roster is the persons and households that a station serves, as a county writes them down. A station reads them in a
// [Book].
type Roster struct {
	V          uint8       `cbor:"1,keyasint" json:"v"`
	Source     string      `cbor:"2,keyasint" json:"source"` // for elements that name none
	AsOf       string      `cbor:"3,keyasint" json:"asOf"`   // "2006-01-02", for elements that name no day
	Persons    []Person    `cbor:"4,keyasint" json:"persons"`
	Households []Household `cbor:"5,keyasint" json:"households"`
}

// LogValue keeps the roster to its size.
func (r *Roster) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("persons", len(r.Persons)), slog.Int("households", len(r.Households)))
}

// Fault is one thing wrong with a roster. It names persons by the roster's id only.
type Fault struct {
	Path   string // for example "persons[3].elements.idno"
	Reason string
}

// Open reads a roster in its packed form (canonical CBOR) and checks it. ErrRoster reports one that is not whole.
func Open(data []byte) (*Roster, error) {
	r, err := Read(data)
	if err != nil {
		return nil, err
	}
	if faults := r.Check(); len(faults) > 0 {
		return nil, fmt.Errorf("%w: %s: %s (%d in all)", ErrRoster, faults[0].Path, faults[0].Reason, len(faults))
	}
	return r, nil
}

// Marshal returns the packed form.
func (r *Roster) Marshal() ([]byte, error) { return canon.Marshal(r) }

// Check returns everything that is wrong with the roster, in reading order.
func (r *Roster) Check() []Fault {
	var faults []Fault
	bad := func(path, reason string) { faults = append(faults, Fault{path, reason}) }
	if r.V != Version {
		bad("v", fmt.Sprintf("version %d, this program reads %d", r.V, Version))
		return faults
	}
	if len(r.Persons) > MaxPersons {
		bad("persons", fmt.Sprintf("%d persons, at most %d", len(r.Persons), MaxPersons))
		return faults
	}
	persons := make(map[string]string, len(r.Persons))
	numbers := make(map[string]bool, len(r.Persons))
	for i := range r.Persons {
		p := &r.Persons[i]
		at := fmt.Sprintf("persons[%d]", i)
		if p.ID == "" {
			bad(at+".id", "is missing")
		} else if _, twice := persons[p.ID]; twice {
			bad(at+".id", "stands twice")
		}
		persons[p.ID] = p.Household
		for _, c := range checks {
			e, ok := p.Elements[c.name]
			if !ok {
				if c.needed {
					bad(at+".elements."+c.name, "is missing")
				}
				continue
			}
			if err := c.check(e.Value); err != nil {
				bad(at+".elements."+c.name, err.Error())
			}
		}
		for name, e := range p.Elements {
			if _, err := time.Parse(time.DateOnly, e.AsOf); e.AsOf != "" && err != nil {
				bad(at+".elements."+name+".asOf", "is no date")
			}
		}
		if n := p.Elements[IDNo].Value; n != "" {
			if numbers[n] {
				bad(at+".elements.idno", "belongs to another person as well")
			}
			numbers[n] = true
		}
	}
	homes := make(map[string]bool, len(r.Households))
	for i := range r.Households {
		h := &r.Households[i]
		at := fmt.Sprintf("households[%d]", i)
		if h.ID == "" || homes[h.ID] {
			bad(at+".id", "is missing or stands twice")
		}
		homes[h.ID] = true
		if d, err := ident.ParseDivision(h.Division); err != nil || d.Level() != ident.LevelVillage {
			bad(at+".division", "is not the code of a village")
		}
		if len(h.Members) == 0 {
			bad(at+".members", "nobody lives here")
		}
		for k, m := range h.Members {
			if home, ok := persons[m.Person]; !ok || home != h.ID {
				bad(fmt.Sprintf("%s.members[%d].person", at, k), "is not a person of this household")
			}
		}
	}
	for i := range r.Persons {
		if h := r.Persons[i].Household; h != "" && !homes[h] {
			bad(fmt.Sprintf("persons[%d].household", i), "does not exist")
		}
	}
	return faults
}

var checks = []struct {
	name   string
	needed bool
	check  func(string) error
}{
	{Name, true, checkName},
	{IDNo, true, func(s string) error {
		id, err := ident.ParseIDAt(s, anyDay)
		if err == nil && id.Number != s {
			return errors.New("is not in its normal form")
		}
		return err
	}},
	{Phone, false, ident.CheckPhone},
	{BankCard, false, ident.CheckBankCard},
	{RegDiv, false, checkDivision},
	{ResDiv, false, checkDivision},
}

// checkName lets names with characters of old systems pass: a register of the county may have them. The field of the form
// shows them and offers the standard ones.
func checkName(s string) error {
	err := ident.CheckName(s)
	if errors.Is(err, ident.ErrNameOld) {
		return ident.CheckName(ident.Modern(s))
	}
	return err
}

func checkDivision(s string) error {
	_, err := ident.ParseDivision(s)
	return err
}

// Divisions returns the codes of the villages that households live in, each once.
func (r *Roster) Divisions() []string {
	var out []string
	for i := range r.Households {
		out = append(out, r.Households[i].Division)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
