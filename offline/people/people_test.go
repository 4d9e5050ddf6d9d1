package people

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/ident"
)

func number(birth string, seq int) string {
	b, err := time.Parse(time.DateOnly, birth)
	if err != nil {
		panic(err)
	}
	n, err := ident.MakeID("999999", b, seq)
	if err != nil {
		panic(err)
	}
	return n
}

func sample() *Roster {
	person := func(id, home, name, idno string, more ...string) Person {
		p := Person{ID: id, Household: home, Elements: map[string]Element{
			Name: {Value: name, Locked: true}, IDNo: {Value: idno, Locked: true},
		}}
		for i := 0; i < len(more); i += 2 {
			p.Elements[more[i]] = Element{Value: more[i+1], Source: "村级台账", AsOf: "2026-10-01"}
		}
		return p
	}
	return &Roster{
		V: Version, Source: "公安人口库", AsOf: "2026-11-01",
		Persons: []Person{
			person("p1", "h1", "欧阳秀英", number("1941-02-03", 2), Phone, "13900000001", BankCard, "6222020200112233"+"441", Registered, "柳树村3组12号"),
			person("p2", "h1", "单建国", number("1940-05-06", 1)),
			person("p3", "", "阿依古丽·买买提", number("1988-08-08", 20)),
		},
		Households: []Household{{ID: "h1", Division: "999999101201", Address: "柳树村3组12号", Members: []Member{{"p2", "head"}, {"p1", "spouse"}}}},
	}
}

func fixed() *Roster {
	r := sample()
	card := "622202020011223344"
	for d := '0'; d <= '9'; d++ {
		if ident.CheckBankCard(card+string(d)) == nil {
			e := r.Persons[0].Elements[BankCard]
			e.Value = card + string(d)
			r.Persons[0].Elements[BankCard] = e
		}
	}
	return r
}

func open(t testing.TB, r *Roster) *Book {
	t.Helper()
	data, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	out, err := Open(data)
	if err != nil {
		t.Fatal(err)
	}
	b, err := out.Book()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func find(t testing.TB, b *Book, q string, limit int) []*Person {
	t.Helper()
	got, err := b.Find(q, limit)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func person(t testing.TB, b *Book, id string) *Person {
	t.Helper()
	p, err := b.Person(id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFind(t *testing.T) {
	whole := fixed()
	r := open(t, whole)
	n1, n2 := whole.Persons[0].Elements[IDNo].Value, whole.Persons[1].Elements[IDNo].Value
	for q, want := range map[string]string{
		"欧阳": "p1", "秀英": "p1", "oyxy": "p1", "ouyang": "p1", "单建国": "p2", "shan": "p2", "sjg": "p2", "阿依": "p3", "mmt": "p3", "买买提": "p3",
		n1: "p1", " " + strings.ToLower(n1): "p1", n1[14:]: "p1", n2[14:]: "p2", "13900000001": "p1", "139 0000 0001": "p1",
	} {
		got := find(t, r, q, 5)
		if len(got) != 1 || got[0].ID != want {
			t.Errorf("%q finds %v, want %s", q, got, want)
		}
	}
	for _, q := range []string{"", " ", "王", "1941", n1[:17], "13900000002", "999999", "9999", "xq"} {
		if got := find(t, r, q, 5); len(got) != 0 {
			t.Errorf("%q finds %v", q, got)
		}
	}
	if got := find(t, r, "a", 0); len(got) != 1 {
		t.Errorf("a finds %v", got)
	}
	p2, err := r.ByNumber(n2)
	if err != nil || p2 == nil || p2.ID != "p2" {
		t.Errorf("by number: %v, %v", p2, err)
	}
	nobody, err := r.ByNumber("1")
	home, herr := r.Household("h1")
	if nobody != nil || err != nil || herr != nil || person(t, r, "p9") != nil || person(t, r, "h1") != nil || home.Members[0].Person != "p2" {
		t.Error("look-ups")
	}
	if home, err := r.Household("p1"); home != nil || err != nil {
		t.Errorf("a person is a household: %v", err)
	}
}

func TestPrefill(t *testing.T) {
	r := open(t, fixed())
	p := person(t, r, "p1")
	tests := []struct {
		source, value, from, asOf string
		locked, ok                bool
	}{
		{"person.name", "欧阳秀英", "公安人口库", "2026-11-01", true, true},
		{"person.idno", p.Elements[IDNo].Value, "公安人口库", "2026-11-01", true, true},
		{"person.birth", "1941-02-03", "公安人口库", "2026-11-01", true, true},
		{"person.sex", "F", "公安人口库", "2026-11-01", true, true},
		{"person.phone", "13900000001", "村级台账", "2026-10-01", false, true},
		{"person.hukouAddress", "柳树村3组12号", "村级台账", "2026-10-01", false, true},
		{"person.ethnic", "", "", "", false, false},
		{"station.name", "", "", "", false, false},
	}
	for _, tt := range tests {
		got, ok := p.Prefill(tt.source)
		if ok != tt.ok || !ok {
			if ok != tt.ok {
				t.Errorf("%s: known %v", tt.source, ok)
			}
			continue
		}
		if got.Value != tt.value || got.Source.Name != tt.from || got.Source.AsOf.Format(time.DateOnly) != tt.asOf || got.Source.Locked != tt.locked {
			t.Errorf("%s: %v from %s as of %s, locked %v", tt.source, got.Value, got.Source.Name, got.Source.AsOf, got.Source.Locked)
		}
	}
}

func TestFaultsAreNamed(t *testing.T) {
	tests := []struct {
		path  string
		spoil func(*Roster)
	}{
		{"v", func(r *Roster) { r.V = 9 }},
		{"persons[1].id", func(r *Roster) { r.Persons[1].ID = "p1" }},
		{"persons[0].elements.name", func(r *Roster) { delete(r.Persons[0].Elements, Name) }},
		{"persons[0].elements.idno", func(r *Roster) { r.Persons[0].Elements[IDNo] = Element{Value: "999999194102030022"} }},
		{"persons[1].elements.idno", func(r *Roster) { r.Persons[1].Elements[IDNo] = r.Persons[0].Elements[IDNo] }},
		{"persons[0].elements.phone", func(r *Roster) { r.Persons[0].Elements[Phone] = Element{Value: "1"} }},
		{"persons[0].elements.name.asOf", func(r *Roster) { r.Persons[0].Elements[Name] = Element{Value: "王", AsOf: "yesterday"} }},
		{"persons[2].household", func(r *Roster) { r.Persons[2].Household = "h9" }},
		{"households[0].division", func(r *Roster) { r.Households[0].Division = "999999" }},
		{"households[0].members[0].person", func(r *Roster) { r.Households[0].Members[0].Person = "p3" }},
		{"households[0].members", func(r *Roster) { r.Households[0].Members = nil }},
	}
	for _, tt := range tests {
		r := fixed()
		tt.spoil(r)
		found := false
		for _, f := range r.Check() {
			found = found || f.Path == tt.path
			for i := range r.Persons {
				if n := r.Persons[i].Elements[IDNo].Value; n != "" && strings.Contains(f.Reason, n) {
					t.Errorf("a fault repeats an ID number: %s", f.Reason)
				}
			}
		}
		if !found {
			t.Errorf("%s: faults are %v", tt.path, r.Check())
		}
		data, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(data); !errors.Is(err, ErrRoster) {
			t.Errorf("%s: opened with %v", tt.path, err)
		}
	}
	if faults := fixed().Check(); len(faults) != 0 {
		t.Errorf("the whole roster has faults: %v", faults)
	}
}

func TestPeopleNeverPrint(t *testing.T) {
	r := open(t, fixed())
	p := person(t, r, "p1")
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	e, _ := p.Element(Name)
	home, err := r.Household("h1")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("x", slog.Any("p", p), slog.Any("r", r), slog.Any("e", e), slog.Any("h", home))
	fmt.Fprintf(&out, "%v %s %v %v", p, p, e, home)
	for _, s := range []string{"欧阳", "秀英", "19410203", "13900000001", "柳树村"} {
		if strings.Contains(out.String(), s) {
			t.Errorf("%s was printed: %s", s, out.String())
		}
	}
	if p.MaskedName() != "欧阳*英" {
		t.Error(p.MaskedName())
	}
}

func FuzzOpen(f *testing.F) {
	data, err := fixed().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Open(b)
		var by Roster
		if uerr := canon.Unmarshal(b, &by); err != nil && uerr == nil && len(by.Check()) == 0 {
			t.Fatalf("a whole roster is refused: %v", err)
		}
		if err != nil {
			return
		}
		book, berr := r.Book()
		if berr != nil {
			t.Fatal(berr)
		}
		if again, err := r.Marshal(); err != nil || !bytes.Equal(again, b) {
			t.Fatal("a roster does not read back to its bytes")
		}
		for i := range r.Persons {
			if got := find(t, book, r.Persons[i].Elements[IDNo].Value, 1); len(got) != 1 {
				t.Fatal("a person is not found by the ID number")
			}
		}
	})
}

func BenchmarkFind20000(b *testing.B) {
	r := &Roster{V: Version, Source: "x", AsOf: "2026-11-01"}
	given := []rune("秀英桂芳建国志强玉兰明华丽红军伟勇洪波海燕春梅晓东")
	sur := []rune("王李张刘陈杨赵黄周吴")
	for i := range 20000 {
		birth := time.Date(1930+i%80, time.Month(1+i%12), 1+i/80%28, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		name := string([]rune{sur[i%10], given[i/10%24], given[i/240%24]})
		r.Persons = append(r.Persons, Person{ID: fmt.Sprint(i), Elements: map[string]Element{Name: {Value: name}, IDNo: {Value: number(birth, i/2240*2+i%2)}}})
	}
	seen := map[string]bool{}
	kept := r.Persons[:0]
	for _, p := range r.Persons {
		if n := p.Elements[IDNo].Value; !seen[n] {
			seen[n] = true
			kept = append(kept, p)
		}
	}
	r.Persons = kept
	o := open(b, r)
	for _, q := range []string{"wxy", "王秀英", "lihong"} {
		b.Run(q, func(b *testing.B) {
			for b.Loop() {
				find(b, o, q, 20)
			}
		})
	}
}
