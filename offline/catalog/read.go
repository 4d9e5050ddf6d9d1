package catalog

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/casefile"
	"bianmin/offline/form"
	"bianmin/offline/ident"
	"bianmin/offline/people"
	"bianmin/offline/receipt"
)

// content is what a pack holds, read and checked.
type content struct {
	county       County
	items        []Item
	divisions    *Divisions
	calendar     *casefile.Calendar
	institutions []Institution
	lists        Lists
	forms        map[string]*form.Form
	dictionary   []byte
	roster       *people.Roster
	book         *people.Book // made of a roster that is not here
}

// MaxDictionary is the largest dictionary for packets, in bytes.
const MaxDictionary = 64 << 10

// MaxItemName is the longest name of an item in characters, as a receipt prints it (docs/receipt.md).
const MaxItemName = 16

// read reads the files of a pack and returns everything that is wrong with them.
func read(kind, county string, entries []Entry, checked bool) (*content, []Fault) {
	r := &reading{c: &content{lists: Lists{}, forms: map[string]*form.Form{}}, county: county}
	r.checked = checked
	switch kind {
	case KindCounty:
		r.public(entries)
	case KindRoster:
		r.rosterFiles(entries)
	default:
		r.add("", "", "unknown kind of pack %q", kind)
	}
	return r.c, r.faults
}

type reading struct {
	linter
	c      *content
	county string
}

func (r *reading) rosterFiles(entries []Entry) {
	for _, e := range entries {
		if e.Name != rosterName {
			r.add(e.Name, "", "has no place in a roster pack")
			continue
		}
		roster, err := people.Read(e.Data)
		if err != nil {
			r.add(e.Name, "", "%v", err)
			continue
		}
		faults := roster.Check()
		for _, f := range faults {
			r.add(e.Name, f.Path, "%s", f.Reason)
		}
		if len(faults) == 0 {
			r.c.roster = roster
		}
	}
	if len(entries) == 0 {
		r.add(rosterName, "", "is missing")
	}
}

func (r *reading) public(entries []Entry) {
	var divisions []Division
	var cal calendarFile
	want := map[string]any{countyName: &r.c.county, itemsName: &r.c.items, divisionsName: &divisions, calendarName: &cal, institutionsName: &r.c.institutions}
	for _, e := range entries {
		dir, base := path.Split(e.Name)
		name, isJSON := strings.CutSuffix(base, ".json")
		switch {
		case want[e.Name] != nil:
			r.json(e.Name, e.Data, want[e.Name])
			delete(want, e.Name)
		case e.Name == dictionaryName:
			r.dictionary(e.Data)
		case dir == listsFolder+"/" && isJSON:
			r.list(e.Name, name, e.Data)
		case dir == formsFolder+"/" && isJSON:
			r.form(e.Name, e.Data)
		default:
			r.add(e.Name, "", "is not a file that this program knows")
		}
	}
	for _, name := range []string{countyName, itemsName, divisionsName, calendarName, institutionsName} {
		if want[name] != nil {
			r.add(name, "", "is missing")
		}
	}
	if r.c.dictionary == nil {
		r.add(dictionaryName, "", "is missing or unusable")
	}
	if len(r.faults) > 0 {
		return // one missing or unreadable file would only bring faults that are none
	}
	r.divisions(divisions)
	c, faults := cal.calendar()
	for _, f := range faults {
		r.add(f.File, f.Path, "%s", f.Reason)
	}
	r.c.calendar = c
	r.stations()
	r.institutions()
	r.items()
	r.fields()
}

func (r *reading) dictionary(data []byte) {
	if len(data) > MaxDictionary {
		r.add(dictionaryName, "", "%d bytes, at most %d", len(data), MaxDictionary)
		return
	}
	if _, err := zstd.InspectDictionary(data); err != nil {
		r.add(dictionaryName, "", "%v", err)
		return
	}
	r.c.dictionary = data
}

func (r *reading) form(file string, data []byte) {
	parse := form.Parse
	if r.checked {
		parse = form.ParseChecked
	}
	f, err := parse(data)
	var le *form.LintError
	switch {
	case errors.As(err, &le):
		for _, x := range le.Faults {
			r.faults = append(r.faults, Fault{file, x.Path, x.Line, x.Message})
		}
	case err != nil:
		r.add(file, "", "%v", err)
	case r.c.forms[f.ID] != nil:
		r.add(file, "/id", "another form has the id %q", f.ID)
	default:
		r.c.forms[f.ID] = f
	}
}

func (r *reading) list(file, name string, data []byte) {
	var f listFile
	before := len(r.faults)
	r.json(file, data, &f)
	if len(r.faults) > before {
		return
	}
	r.text(file, "/title", f.Title)
	seen := make(map[string]bool, len(f.Rows))
	for i, o := range f.Rows {
		at := fmt.Sprintf("/rows/%d", i)
		if o.Code == "" || seen[o.Code] {
			r.add(file, at+"/code", "is missing or stands twice")
		}
		seen[o.Code] = true
		r.text(file, at+"/label", o.Label)
	}
	if len(f.Rows) == 0 {
		r.add(file, "/rows", "the list is empty")
	}
	r.c.lists[name] = newList(name, f)
}

// text asks for both languages.
func (r *reading) text(file, pointer string, t form.Text) {
	if t.ZH == "" || t.EN == "" {
		r.add(file, pointer, "needs Chinese and English")
	}
}

func (r *reading) date(file, pointer, s string) {
	if s == "" {
		return
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		r.add(file, pointer, "is no date")
	}
}

var classes = []string{"", "111", "112", "121", "122", "123", "210", "220"}

func (r *reading) divisions(all []Division) {
	known := make(map[string]bool, len(all))
	for i, d := range all {
		at := fmt.Sprintf("/%d", i)
		p, err := ident.ParseDivision(d.Code)
		if err != nil || p.Code() != d.Code {
			r.add(divisionsName, at+"/code", "is no division code of 12 digits")
			continue
		}
		if known[d.Code] {
			r.add(divisionsName, at+"/code", "stands twice")
		}
		known[d.Code] = true
		if d.Name == "" {
			r.add(divisionsName, at+"/name", "is missing")
		}
		r.oneOf(divisionsName, at+"/class", d.Class, classes...)
		r.date(divisionsName, at+"/from", d.From)
		r.date(divisionsName, at+"/to", d.To)
	}
	for i, d := range all {
		at := fmt.Sprintf("/%d", i)
		if p := parentOf(d.Code); p != "" && !known[p] {
			r.add(divisionsName, at+"/code", "the division above it, %s, is missing", p)
		}
		if d.Successor != "" && (!known[d.Successor] || d.Successor == d.Code) {
			r.add(divisionsName, at+"/successor", "does not exist")
		}
		if d.Successor != "" && d.To == "" {
			r.add(divisionsName, at+"/successor", "has a successor but is in use")
		}
	}
	r.c.divisions = newDivisions(all)
	if _, ok := r.c.divisions.Get(r.c.county.Code); !ok {
		r.add(countyName, "/code", "is not among the divisions")
	}
}

var (
	hostShape  = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?(:[0-9]{1,5})?$`)
	idShape    = regexp.MustCompile(`^[a-z][a-z0-9-]{1,31}$`)
	shortPhone = regexp.MustCompile(`^1[0-9]{2,5}$`) // service numbers such as 110 and 12345
)

func (r *reading) phone(file, pointer, s string) {
	if !shortPhone.MatchString(s) && ident.CheckPhone(s) != nil {
		r.add(file, pointer, "is no telephone number")
	}
}

// within reports whether a code of 12 digits exists and lies in the county.
func (r *reading) within(code string) bool {
	d, err1 := ident.ParseDivision(code)
	c, err2 := ident.ParseDivision(r.county)
	_, ok := r.c.divisions.Get(code)
	return err1 == nil && err2 == nil && len(code) == 12 && ok && c.Contains(d)
}

func (r *reading) stations() {
	c := &r.c.county
	if c.Code != r.county {
		r.add(countyName, "/code", "is not the county that the pack names, %s", r.county)
	}
	r.text(countyName, "/name", c.Name)
	if !hostShape.MatchString(c.ShortHost) {
		r.add(countyName, "/shortHost", "is no host name in small letters")
	}
	r.phone(countyName, "/telephone", c.Telephone)
	seen := map[string]bool{}
	for i, s := range c.Stations {
		at := fmt.Sprintf("/stations/%d", i)
		if !r.within(s.Code) || seen[s.Code] {
			r.add(countyName, at+"/code", "is not a division of this county, or stands twice")
		}
		seen[s.Code] = true
		r.text(countyName, at+"/name", s.Name)
		r.phone(countyName, at+"/telephone", s.Telephone)
		if len(s.Operators) > 0 {
			r.add(countyName, at+"/operators", "must not be in a pack")
		}
	}
	if len(c.Stations) == 0 {
		r.add(countyName, "/stations", "there is none")
	}
}

func (r *reading) institutions() {
	seen := map[string]bool{}
	for i, x := range r.c.institutions {
		at := fmt.Sprintf("/%d", i)
		if !idShape.MatchString(x.ID) || seen[x.ID] {
			r.add(institutionsName, at+"/id", "is missing, malformed, or stands twice")
		}
		seen[x.ID] = true
		r.text(institutionsName, at+"/name", x.Name)
		r.oneOf(institutionsName, at+"/kind", x.Kind, "government", "police", "health", "school", "bank", "service")
		if !r.within(x.Division) {
			r.add(institutionsName, at+"/division", "is not a division of this county")
		}
		r.phone(institutionsName, at+"/telephone", x.Telephone)
		if x.Credit != "" {
			if _, err := ident.ParseCredit(x.Credit); err != nil {
				r.add(institutionsName, at+"/credit", "%v", err)
			}
		}
	}
}

func (r *reading) limit(pointer string, l casefile.Limit, needed bool) {
	switch {
	case l.IsZero() && !needed:
	case l.Unit != casefile.Workdays && l.Unit != casefile.NaturalDays:
		r.add(itemsName, pointer+"/unit", "must be workday or day")
	case l.Days < 0 || l.Days > 365:
		r.add(itemsName, pointer+"/days", "is %d, must be 0 to 365", l.Days)
	}
}

func (r *reading) codes(pointer, list string, codes []string) {
	for i, c := range codes {
		if r.c.lists.label(list, c) == "" {
			r.add(itemsName, fmt.Sprintf("%s/%d", pointer, i), "%q is not in the list %q", c, list)
		}
	}
}

func (r *reading) items() {
	if len(r.c.items) == 0 {
		r.add(itemsName, "", "there is no item")
	}
	seen := map[string]bool{}
	for i := range r.c.items {
		it := &r.c.items[i]
		at := fmt.Sprintf("/%d", i)
		if !idShape.MatchString(it.ID) || seen[it.ID] {
			r.add(itemsName, at+"/id", "is missing, malformed, or stands twice")
		}
		seen[it.ID] = true
		r.text(itemsName, at+"/name", it.Name)
		if n := utf8.RuneCountInString(it.Name.ZH); n > MaxItemName {
			r.add(itemsName, at+"/name/zh", "has %d characters, a receipt takes %d", n, MaxItemName)
		} else if size := acceptedSize(it); size > receipt.MaxEnvelope {
			r.add(itemsName, at+"/name/zh", "is too long: the receipt of acceptance, with an official number of %d characters, would have %d bytes, and %d bytes are the most",
				len(it.Code)+officialTail, size, receipt.MaxEnvelope)
		}
		for p, t := range map[string]form.Text{"summary": it.Summary, "department": it.Department, "accepts": it.Accepts, "fee": it.Fee, "where": it.Where, "when": it.When, "result": it.Result} {
			r.text(itemsName, at+"/"+p, t)
		}
		r.itemCode(at, it)
		r.oneOf(itemsName, at+"/type", it.Type, "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "20")
		r.oneOf(itemsName, at+"/level", it.Level, "1", "2", "3", "4", "5", "6")
		r.oneOf(itemsName, at+"/project", string(it.Project), string(Instant), string(Promise))
		if len(it.Audience) == 0 {
			r.add(itemsName, at+"/audience", "is missing")
		}
		for k, a := range it.Audience {
			r.oneOf(itemsName, fmt.Sprintf("%s/audience/%d", at, k), a, "person", "household", "enterprise")
		}
		if len(it.Themes) == 0 {
			r.add(itemsName, at+"/themes", "is missing")
		}
		r.codes(at+"/themes", "theme", it.Themes)
		r.codes(at+"/lifeEvents", "lifeevent", it.LifeEvents)
		r.limit(at+"/statutory", it.Statutory, false)
		r.limit(at+"/promised", it.Promised, true)
		if it.Urgent != nil {
			r.limit(at+"/urgent", *it.Urgent, true)
		}
		if it.Statutory.Unit == it.Promised.Unit && it.Promised.Days > it.Statutory.Days && it.Statutory.Unit != "" {
			r.add(itemsName, at+"/promised", "is longer than the statutory limit")
		}
		r.phone(itemsName, at+"/phone", it.Phone)
		r.phone(itemsName, at+"/complaint", it.Complaint)
		if it.Visits < 0 || it.Visits > 9 {
			r.add(itemsName, at+"/visits", "must be 0 to 9")
		}
		for k, t := range it.Conditions {
			r.text(itemsName, fmt.Sprintf("%s/conditions/%d", at, k), t)
		}
		if len(it.Conditions) == 0 || len(it.Basis) == 0 {
			r.add(itemsName, at, "needs conditions and a legal basis")
		}
		r.materials(at, it)
		if f := r.c.forms[it.Form]; f == nil {
			r.add(itemsName, at+"/form", "the form %q is not in the pack", it.Form)
		} else if f.Service != it.ID {
			r.add(itemsName, at+"/form", "the form %q is for the service %q", it.Form, f.Service)
		}
	}
}

// officialTail is what a 办件编号 has behind the item's code: the day and a serial of four digits.
const officialTail = 8 + 4

// acceptedSize returns the size of the receipt of acceptance of an item's case, on the largest numbers that are likely.
func acceptedSize(it *Item) int {
	return receipt.Size(receipt.Stage2{
		Device: 1<<32 - 1, Seq: 1<<32 - 1, OfficialNo: it.Code + strings.Repeat("0", officialTail), At: 1<<32 - 1, Due: 1<<16 - 1, Item: it.Name.ZH,
	}.Payload())
}

// itemCode checks what can be checked of the codes: 实施编码 = credit code 18 + level 1 + basic code 12.
func (r *reading) itemCode(at string, it *Item) {
	if _, err := ident.ParseCredit(it.DepartmentCode); err != nil {
		r.add(itemsName, at+"/departmentCode", "%v", err)
	}
	if it.Code == "" || it.Scheme == "" || it.BasicCode == "" {
		r.add(itemsName, at+"/code", "code, scheme and basicCode are needed")
		return
	}
	if it.Scheme == "national-31" && it.Code != it.DepartmentCode+it.Level+it.BasicCode {
		r.add(itemsName, at+"/code", "is not departmentCode, level and basicCode joined")
	}
	if it.Scheme == "national-31" && len(it.BasicCode) != 12 {
		r.add(itemsName, at+"/basicCode", "must have 12 digits")
	}
}

func (r *reading) materials(at string, it *Item) {
	seen := map[string]bool{}
	for k, m := range it.Materials {
		p := fmt.Sprintf("%s/materials/%d", at, k)
		if !idShape.MatchString(m.ID) || seen[m.ID] {
			r.add(itemsName, p+"/id", "is missing, malformed, or stands twice")
		}
		seen[m.ID] = true
		r.text(itemsName, p+"/name", m.Name)
		r.oneOf(itemsName, p+"/need", m.Need, "required", "conditional", "optional")
		if m.Need == "conditional" {
			r.text(itemsName, p+"/if", m.If)
		}
		r.oneOf(itemsName, p+"/form", m.Form, "paper", "electronic", "either")
		r.oneOf(itemsName, p+"/source", m.Source, "self", "government", "other")
		if m.Original < 0 || m.Copies < 0 || m.Original > 20 || m.Copies > 20 {
			r.add(itemsName, p, "asks for a strange number of papers")
		}
	}
}

// fields checks what forms name outside themselves: lists, and materials of their item.
func (r *reading) fields() {
	items := make(map[string]*Item, len(r.c.items))
	for i := range r.c.items {
		items[r.c.items[i].ID] = &r.c.items[i]
	}
	for id, f := range r.c.forms {
		file := path.Join(formsFolder, id+".json")
		it := items[f.Service]
		if it == nil {
			r.add(file, "/service", "there is no item %q", f.Service)
			continue
		}
		f.Each(func(fd, _ *form.Field) {
			if fd.List != "" && r.c.lists[fd.List] == nil {
				r.add(file, "", "field %s: there is no list %q", fd.ID, fd.List)
			}
			if fd.Kind != form.KindMaterial || fd.Code == "" {
				return
			}
			for _, m := range it.Materials {
				if m.ID == fd.Code {
					return
				}
			}
			r.add(file, "", "field %s: item %s has no material %q", fd.ID, it.ID, fd.Code)
		})
	}
}
