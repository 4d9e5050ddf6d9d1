package desk_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/form"
	"bianmin/offline/ident"
	"bianmin/offline/journal"
	"bianmin/offline/receipt"
	"bianmin/offline/words"
)

const liu = "999999194102030021"

func reading(name, number string) counter.Reading {
	return counter.Reading{Number: number, Open: map[string]bool{"hukouAddress": true}, Elements: map[string]string{
		"name": name, "idno": number, "sex": "F", "birth": "1941-02-03", "ethnic": "01", "hukouAddress": "清河镇柳树村1组3号",
	}}
}

func TestACardFillsTheFields(t *testing.T) {
	m := desktest.New(t)
	_, s := m.Login(t)
	in, err := s.Start(t.Context(), "gaoling", nil)
	if err != nil {
		t.Fatal(err)
	}
	in.Set("name", "刘玉")
	number, err := ident.MakeID("999999", time.Date(1940, 1, 2, 0, 0, 0, 0, time.UTC), 122)
	if err != nil {
		t.Fatal(err)
	}
	const name = "\U00020BB7田\U0002A700"
	got, err := in.Take(reading(name, number))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Filled, []form.Path{"name", "idno", "hukouAddress"}) || len(got.Differs) > 0 {
		t.Errorf("filled %v, differs %v", got.Filled, got.Differs)
	}
	for path, want := range map[form.Path]string{"name": name, "idno": number, "hukouAddress": "清河镇柳树村1组3号", "birth": "1940-01-02", "sex": "F"} {
		st := in.Form().State(path)
		if st.Value != any(want) {
			t.Errorf("%s is %v", path, st.Value)
		}
		if st.Source == nil && path != "birth" && path != "sex" || st.Source != nil && st.Source.Name != desk.CardSource {
			t.Errorf("%s comes from %v", path, st.Source)
		}
	}
	if !in.Form().State("name").ReadOnly || in.Form().State("hukouAddress").ReadOnly {
		t.Error("the name is open, or the address is not")
	}
	in.Set("hukouAddress", "清河镇柳树村9组1号") // moved since the card was made
	// What was read is there after a restart.
	id := in.ID()
	if err := in.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if in, err = s.Resume(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if st := in.Form().State("name"); st.Source == nil || st.Source.Name != desk.CardSource || !st.ReadOnly {
		t.Errorf("after a restart the name comes from %v", st.Source)
	}
	in.Set("hukou", "999999101201")
	in.Set("bankcard", "6299990020000079196")
	in.Set("bank", "103")
	fillGaoling(t, in)
	if p := in.Ready(true); len(p) > 0 {
		t.Fatalf("not ready: %s %v", p[0].Path, p[0].Text.EN)
	}
	out, err := in.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Case(t.Context(), out.Case)
	if err != nil {
		t.Fatal(err)
	}
	if c.Identity != journal.IdentityCard || !slices.Equal(c.Read, []string{"name", "idno"}) {
		t.Errorf("identity %d, read %v", c.Identity, c.Read)
	}
}

func TestACardOfARosterPerson(t *testing.T) {
	m := desktest.New(t)
	_, s := m.Login(t)
	in := start(t, s)
	if _, err := in.Take(reading("高兰英", "999999194403081228")); !errors.Is(err, counter.ErrOtherPerson) {
		t.Fatalf("somebody else's card: %v", err)
	}
	if v := in.Form().State("idno").Value; v != any(liu) {
		t.Errorf("the number became %v", v)
	}
	r := reading("刘玉贞", liu) // the register has another character
	got, err := in.Take(r)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Differs, []form.Path{"name"}) {
		t.Errorf("differs %v", got.Differs)
	}
	if st := in.Form().State("name"); st.Value != any("刘玉珍") || st.Source.Name != "公安人口库" {
		t.Errorf("the register's name became %v of %v", st.Value, st.Source)
	}
	fillGaoling(t, in)
	out, err := in.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c, err := s.Case(t.Context(), out.Case); err != nil || c.Identity != journal.IdentityCard {
		t.Errorf("identity %d: %v", c.Identity, err)
	}
}

func TestATypedNumberIsRecordedAsTyped(t *testing.T) {
	m := desktest.New(t)
	_, s := m.Login(t)
	in := start(t, s)
	fillGaoling(t, in)
	out, err := in.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c, err := s.Case(t.Context(), out.Case); err != nil || c.Identity != journal.IdentityTyped || len(c.Read) > 0 {
		t.Errorf("identity %d, read %v: %v", c.Identity, c.Read, err)
	}
}

func TestAFaultyPhotoNeedsASecondPerson(t *testing.T) {
	m := desktest.New(t)
	_, s := m.Login(t)
	in := start(t, s)
	fillGaoling(t, in)
	const path = form.Path("idcardPhoto")
	if err := in.Waive(t.Context(), path, "li", "135790"); !errors.Is(err, counter.ErrNothingWaived) {
		t.Errorf("nothing is wrong: %v", err)
	}
	in.Judge(path, 0, []string{"blurred", "glare"})
	in.Judge(path, -1, []string{"pageMiss"})
	in.Judge(path, 7, []string{"dark"}) // there is no such file
	if got := in.Judged(path); len(got) != 2 || got[0].Index != 0 || got[1].Index != -1 || got[0].Waived != "" {
		t.Fatalf("judged %+v", got)
	}
	if err := in.Waive(t.Context(), path, desktest.Operator, desktest.PIN); !errors.Is(err, counter.ErrSamePerson) {
		t.Errorf("the first person alone: %v", err)
	}
	err := in.Waive(t.Context(), path, "li", "000000")
	if key, _ := words.KeyOf(err); key != "pin.wrong" {
		t.Errorf("a wrong PIN: %v", err)
	}
	if got := in.Judged(path); got[0].Waived != "" {
		t.Error("waived by a wrong PIN")
	}
	m.Clock.T = m.Clock.T.Add(time.Minute)
	if err := in.Waive(t.Context(), path, "li", "135790"); err != nil {
		t.Fatal(err)
	}
	if err := in.Leave(t.Context(), "materials", path); err != nil {
		t.Fatal(err)
	}
	// A file put in the place of the faulty one is another file; what was wrong with the first is said of it no more.
	in.Judge("hukouBook", 0, []string{"dark"})
	in.Detach("hukouBook", 0)
	if err := in.Attach(t.Context(), "hukouBook", photo(t, 300, 210), "b.jpg"); err != nil {
		t.Fatal(err)
	}
	if got := in.Judged("hukouBook"); len(got) > 0 {
		t.Errorf("judged %+v", got)
	}
	if err := in.Sign(t.Context(), "sign", stroke); err != nil {
		t.Fatal(err)
	}
	out, err := in.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Case(t.Context(), out.Case)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Waived) != 2 {
		t.Fatalf("%d waivers", len(c.Waived))
	}
	w := c.Waived[0]
	if w.Field != string(path) || w.By != "li" || w.At != m.Clock.T.UnixMilli() || !slices.Equal(w.Faults, []string{"blurred", "glare"}) || len(w.Addr) != 32 ||
		len(c.Waived[1].Addr) != 0 {
		t.Errorf("waivers %+v", c.Waived)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCredentialAtTheDesk(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	issue := func(number string, at time.Time) string {
		text, err := receipt.NewCredential(d.Suite(), m.Platform.Sign, "医保电子凭证", "刘玉珍", number, []byte("12345678"), at)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	now := m.Clock.T
	c, p, err := s.Credential(t.Context(), issue(liu, now))
	if err != nil || p == nil || p.Name() != "刘玉珍" || c.Kind != "医保电子凭证" {
		t.Fatalf("%v, %v: %v", c.Kind, p, err)
	}
	if _, p, err := s.Credential(t.Context(), issue("999999194403081228", now)); err != nil || p != nil {
		t.Errorf("a stranger: %v, %v", p, err)
	}
	if _, _, err := s.Credential(t.Context(), issue(liu, now.Add(-2*time.Minute))); !errors.Is(err, receipt.ErrCredentialOld) {
		t.Errorf("a picture of a code: %v", err)
	}
	in, err := s.Start(t.Context(), "gaoling", p)
	if err != nil {
		t.Fatal(err)
	}
	fillGaoling(t, in)
	out, err := in.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c, err := s.Case(t.Context(), out.Case); err != nil || c.Identity != journal.IdentityCode {
		t.Errorf("identity %d: %v", c.Identity, err)
	}
	// An hour later it speaks for nobody.
	m.Clock.T = m.Clock.T.Add(time.Hour)
	in2 := start(t, s)
	fillGaoling(t, in2)
	if out, err = in2.Submit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Case(t.Context(), out.Case); err != nil || c.Identity != journal.IdentityTyped {
		t.Errorf("an hour later: identity %d: %v", c.Identity, err)
	}
}

func TestASignatureKeepsItsTimes(t *testing.T) {
	m := desktest.New(t)
	_, s := m.Login(t)
	in := start(t, s)
	fillGaoling(t, in)
	g := counter.Signature{
		Strokes: [][]int64{{10, 10, 60, 40}, {90, 15, 120, 60}}, Times: [][]int64{{0, 40}, {300, 350}}, Pressure: [][]int64{{100, 500}, {500, 1000}},
	}
	if err := in.Sign(t.Context(), "sign", g); err != nil {
		t.Fatal(err)
	}
	sig, err := form.ReadSignature(in.Form().State("sign").Value)
	if err != nil || len(sig.Times) != 2 || sig.Times[1][1] != 350 || sig.Pressure[1][1] != 1000 {
		t.Errorf("times %v, pressure %v: %v", sig.Times, sig.Pressure, err)
	}
	for name, bad := range map[string]counter.Signature{
		"times run back":   {Strokes: g.Strokes, Times: [][]int64{{0, 40}, {30, 50}}},
		"too few times":    {Strokes: g.Strokes, Times: [][]int64{{0, 40}, {300}}},
		"pressed too hard": {Strokes: g.Strokes, Pressure: [][]int64{{0, 40}, {300, 1001}}},
		"a dot":            {Strokes: [][]int64{{10, 10, 11, 11}}},
		"a trembling dot":  {Strokes: [][]int64{{10, 10, 14, 14, 10, 10, 14, 14, 10, 10, 14, 14, 10, 10, 14, 14, 10, 10, 14, 14, 10, 10, 14, 14}}},
	} {
		if err := in.Sign(t.Context(), "sign", bad); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
