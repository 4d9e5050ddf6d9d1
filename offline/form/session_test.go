package form

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"bianmin/offline/canon"
)

func TestOnlyDependantsAreEvaluated(t *testing.T) {
	var fields []string
	for i := range 50 {
		fields = append(fields, fmt.Sprintf(`{"id":"a%d","kind":"integer",%s},
{"id":"b%d","kind":"computed","as":"integer","calculate":"a%d * 2",%s},
{"id":"c%d","kind":"text","relevant":"b%d > 10","required":"a%d > 0",%s}`, i, lbl("a"), i, i, lbl("b"), i, i, i, lbl("c")))
	}
	s := program(t, small(strings.Join(fields, ",\n"))).Start(env())
	start := s.Evaluations()
	if start < 100 || start > 200 {
		t.Errorf("opening took %d evaluations", start)
	}
	changes := s.Set("a7", "6")
	if n := s.Evaluations() - start; n != 3 { // b7, c7 relevant, c7 required
		t.Errorf("one keystroke took %d evaluations, want 3", n)
	}
	if got := fmt.Sprint(changes); got != "[{a7 false} {b7 false} {c7 false}]" {
		t.Errorf("changes %s", got)
	}
	start = s.Evaluations()
	s.Set("a7", "7") // c7 stays shown: its relevance and whether it is required are asked again, nothing else
	if n := s.Evaluations() - start; n != 3 {
		t.Errorf("second keystroke took %d evaluations, want 3", n)
	}
	start = s.Evaluations()
	s.Set("a7", "7")
	if n := s.Evaluations() - start; n != 0 {
		t.Errorf("the same value took %d evaluations, want none", n)
	}
	start = s.Evaluations()
	s.Set("c7", "text")
	if n := s.Evaluations() - start; n != 0 {
		t.Errorf("a field nobody depends on took %d evaluations", n)
	}
}

func TestHiddenAnswersAreKeptButNotCounted(t *testing.T) {
	s := program(t, small(`{"id":"ask","kind":"yesno",`+lbl("ask")+`},
{"id":"n","kind":"integer","relevant":"ask == true","required":true,`+lbl("n")+`},
{"id":"twice","kind":"computed","as":"integer","calculate":"n * 2",`+lbl("twice")+`}`)).Start(env())
	s.Set("ask", true)
	if got := keys(s.Problems()); got != "n=form.required" {
		t.Errorf("problems %s", got)
	}
	s.Set("n", "4")
	if got := s.State("twice").Value; got != int64(8) {
		t.Errorf("twice = %v", got)
	}
	s.Set("ask", false)
	if got := s.Values(true); !reflect.DeepEqual(got, Values{"ask": false}) {
		t.Errorf("hidden answers in %v", got)
	}
	if len(s.Problems()) != 0 {
		t.Errorf("problems of what is hidden: %s", keys(s.Problems()))
	}
	s.Set("ask", true)
	if got := s.Values(true); got["n"] != int64(4) || got["twice"] != int64(8) {
		t.Errorf("answer lost: %v", got)
	}
}

func TestConstraintReadsItsForm(t *testing.T) {
	s := program(t, small(`{"id":"from","kind":"date",`+lbl("from")+`},
{"id":"to","kind":"date","constraint":"to >= from","message":{"zh":"不能早于{from}","en":"not before {from}"},`+lbl("to")+`}`)).Start(env())
	s.Set("to", "2026-01-01")
	if p := s.State("to").Error; p != nil {
		t.Errorf("missing other answer: %v", p)
	}
	s.Set("from", "2026-02-01")
	if p := s.State("to").Error; p == nil || p.Key != "form.constraint" || p.Text.ZH != "不能早于2026年2月1日" {
		t.Errorf("constraint: %+v", p)
	}
	s.Set("from", "2025-02-01")
	if p := s.State("to").Error; p != nil {
		t.Errorf("mended: %v", p)
	}
	if e := (&Problem{Key: "form.max", Args: map[string]string{"max": "3"}}).Words(); !strings.Contains(e.Error(), "form.max") {
		t.Errorf("words %v", e)
	}
}

func TestPrefillSourcesAndLocks(t *testing.T) {
	asOf := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	e := env()
	e.Prefill = func(source string) (Prefill, bool) {
		switch source {
		case "person.name":
			return Prefill{"王桂英", Source{"公安人口库", asOf, true}}, true
		case "person.phone":
			return Prefill{"13800000000", Source{"本站档案", asOf, false}}, true
		}
		return Prefill{}, false
	}
	s := program(t, small(`{"id":"n","kind":"text","source":"person.name",`+lbl("n")+`},{"id":"p","kind":"phone","source":"person.phone",`+lbl("p")+`},
{"id":"q","kind":"text","source":"person.none",`+lbl("q")+`}`)).Start(e)
	if st := s.State("n"); st.Value != "王桂英" || !st.ReadOnly || st.Source.Name != "公安人口库" || st.Touched {
		t.Errorf("locked prefill %+v", st)
	}
	if ch := s.Set("n", "王桂花"); ch != nil || s.State("n").Value != "王桂英" {
		t.Errorf("a locked value was changed: %v", ch)
	}
	s.Set("p", "13900000000")
	if st := s.State("p"); st.Source != nil || st.ReadOnly || !st.Touched {
		t.Errorf("typed over a prefill: %+v", st)
	}
	s.SetPrefill("q", "甲", Source{Name: "身份证读卡", AsOf: asOf, Locked: true})
	if st := s.State("q"); st.Value != "甲" || st.Source.Name != "身份证读卡" {
		t.Errorf("prefill later: %+v", st)
	}
	if s.Set("none", 1) != nil || s.Set("n[0].x", 1) != nil || s.Set("", 1) != nil || s.State("none").Field != nil {
		t.Error("a path that does not exist did something")
	}
}

const families = `{"id":"g","kind":"group","min":1,"max":3,"rowLabel":{"zh":"成员{row.n}","en":"Member {row.n}"},
"constraint":"distinct(g.map(m, m.n))","message":{"zh":"重复","en":"twice"},` +
	`"label":{"zh":"成员","en":"Members"},"fields":[
{"id":"n","kind":"text","required":true,"label":{"zh":"名","en":"n"}},
{"id":"inc","kind":"money","label":{"zh":"收入","en":"income"}},
{"id":"twice","kind":"computed","as":"money","calculate":"row.inc * 2","label":{"zh":"倍","en":"twice"}},
{"id":"why","kind":"text","relevant":"row.inc > 500 && total > 1000","required":true,"label":{"zh":"说明","en":"why"}}]},
{"id":"total","kind":"computed","as":"money","calculate":"sum(g.map(m, m.twice))","label":{"zh":"合计","en":"total"}}`

func TestGroup(t *testing.T) {
	s := program(t, small(families)).Start(env())
	if s.Rows("g") != 1 {
		t.Fatalf("%d rows at the start, want the least number", s.Rows("g"))
	}
	s.Set("g[0].n", "甲")
	s.Set("g[0].inc", "3")
	row, ch := s.AddRow("g")
	if row != 1 || !ch[0].Rows {
		t.Errorf("row %d, changes %v", row, ch)
	}
	s.Set("g[1].n", "乙")
	s.Set("g[1].inc", "6")
	if got := s.State("total").Value; got != int64(1800) {
		t.Errorf("total %v", got)
	}
	if s.State("g[0].why").Relevant || !s.State("g[1].why").Relevant {
		t.Error("the condition of a row looks at another row")
	}
	if got := s.Text(s.State("g[1].n").Field.Label, "zh", "g[1].n"); got != "名" {
		t.Errorf("label %q", got)
	}
	if got := s.Text(s.Visible()[0].Items[3].Field.RowLabel, "zh", "g[0]"); got != "成员甲" {
		t.Errorf("row label %q", got)
	}
	if got := keys(s.Problems()); got != "g[1].why=form.required" {
		t.Errorf("problems %s", got)
	}
	s.Set("g[1].n", "甲")
	if got := keys(s.Problems()); got != "g=form.constraint g[1].why=form.required" {
		t.Errorf("problems %s", got)
	}
	var paths []string
	for _, it := range s.Visible()[0].Items {
		paths = append(paths, string(it.Path))
	}
	if got := strings.Join(paths, " "); got != "who card g g[0] g[0].n g[0].inc g[0].twice g[1] g[1].n g[1].inc g[1].twice g[1].why total" {
		t.Errorf("visible %s", got)
	}
	s.AddRow("g")
	if row, _ := s.AddRow("g"); row != -1 {
		t.Errorf("row %d beyond the greatest number", row)
	}
	s.RemoveRow("g", 2)
	s.RemoveRow("g", 0)
	if got := s.State("total").Value; got != int64(1200) {
		t.Errorf("total after removal %v", got)
	}
	s.RemoveRow("g", 0)
	if got := keys(s.Problems()); got != "g=form.rowsMin" {
		t.Errorf("problems %s", got)
	}
	if s.RemoveRow("g", 0) != nil || s.RemoveRow("total", 0) != nil {
		t.Error("removed a row that is not there")
	}
}

func TestRestrictOpensOnlyWhatIsAsked(t *testing.T) {
	s := program(t, small(families+`,{"id":"p","kind":"person","parts":[{"name":"name"},{"name":"phone"}],`+lbl("p")+`}`)).Start(env())
	s.Set("g[0].n", "甲")
	s.AddRow("g")
	s.Restrict([]Path{"who", "g[1]", "p.phone"})
	if s.Set("card", "999999194102030021") != nil || s.Set("g[0].n", "乙") != nil || s.Set("p.name", "丙") != nil {
		t.Error("a closed field was changed")
	}
	if row, _ := s.AddRow("g"); row != -1 {
		t.Error("a row was added to a closed group")
	}
	if s.Set("who", "丁") == nil || s.Set("g[1].n", "戊") == nil || s.Set("p.phone", "13800000000") == nil {
		t.Error("an open field could not be changed")
	}
	if !s.State("card").ReadOnly || s.State("who").ReadOnly {
		t.Error("states do not show it")
	}
	s.Restrict(nil)
	if s.Set("card", "999999194102030021") == nil {
		t.Error("still closed")
	}
}

func TestDraftComesBackToTheKeystroke(t *testing.T) {
	p := program(t, small(families+`,{"id":"born","kind":"date","initial":"today()",`+lbl("born")+`},{"id":"ask","kind":"yesno",`+lbl("ask")+`},
{"id":"hid","kind":"text","relevant":"ask == true",`+lbl("hid")+`}`))
	s := p.Start(env())
	s.Set("who", "张三")
	s.Set("born", "2026-1")
	s.Set("ask", true)
	s.Set("hid", "还在")
	s.Set("ask", false)
	s.Set("g[0].inc", "3x")
	s.SetPrefill("card", "999999194102030021", Source{Name: "读卡", AsOf: testNow, Locked: true})
	s.AddRow("g")
	packed := canon.MustMarshal(s.Draft())
	var d Draft
	if err := canon.Unmarshal(packed, &d); err != nil {
		t.Fatal(err)
	}
	back := p.Start(env())
	if lost := back.Restore(d); len(lost) != 0 {
		t.Errorf("lost %v", lost)
	}
	for _, path := range []Path{"who", "card", "born", "ask", "hid", "g[0].inc", "g[1].n", "total"} {
		a, b := s.State(path), back.State(path)
		if a.Source != nil && b.Source != nil && a.Source.AsOf.Unix() == b.Source.AsOf.Unix() {
			b.Source = a.Source
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: %+v, was %+v", path, b, a)
		}
	}
	if string(canon.MustMarshal(back.Draft())) != string(packed) {
		t.Error("a draft of the restored session differs")
	}
	d.Values["gone"] = "x"
	d.Values["who"] = int64(5)
	if lost := p.Start(env()).Restore(d); fmt.Sprint(lost) != "[gone who]" {
		t.Errorf("lost %v", lost)
	}
}

func TestProgramIsShared(t *testing.T) {
	p := sample(t, "gaoling")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			s := p.Start(env())
			s.Set("idno", born(t, fmt.Sprintf("19%d-01-01", 20+i), 2))
			if got := s.State("age").Value; got != int64(106-i) {
				t.Errorf("age %v", got)
			}
		})
	}
	wg.Wait()
}

func TestHostileExpressionsAreStopped(t *testing.T) {
	list := "[1,1,1,1,1,1,1,1,1,1]"
	nest := "1 == 1"
	for i := range 9 {
		nest = fmt.Sprintf("%s.all(v%d, %s)", list, i, nest)
	}
	_, err := Parse([]byte(small(`{"id":"x","kind":"text","required":"` + nest + `",` + lbl("x") + `}`)))
	var le *LintError
	if !asLint(err, &le) || !strings.Contains(le.Faults[0].Message, "could cost") || le.Faults[0].Path != "/sections/0/fields/2/required" {
		t.Fatalf("a thousand million rounds were not refused: %v", err)
	}
	nest = "1 == 1"
	for i := range 4 {
		nest = fmt.Sprintf("%s.all(v%d, %s)", list, i, nest)
	}
	f := must[*Form](t)(Parse([]byte(small(`{"id":"x","kind":"integer","constraint":"` + nest + `","message":{"zh":"错","en":"wrong"},` + lbl("x") + `}`))))
	p := must[*Program](t)(Compile(f, Options{CostLimit: 1000}))
	s := p.Start(env())
	s.Set("x", "1")
	if got := keys(s.Problems()); got != "x=form.rule" {
		t.Errorf("problems %s: what could not be checked must not pass", got)
	}
	if got := keys(p.Check(env(), Values{"x": int64(1)})); got != "x=form.rule" {
		t.Errorf("check %s", got)
	}
}

func TestFunctions(t *testing.T) {
	for expr, want := range map[string]string{
		`string(age('1941-02-03', '2026-11-22'))`:                                 "85",
		`string(age('2000-02-29', '2018-02-28'))`:                                 "17",
		`string(age('2000-02-29', '2018-03-01'))`:                                 "18",
		`idSex('999999194102030021') + idSex('999999194102030013')`:               "FM",
		`idBirth('999999194102030021')`:                                           "1941-02-03",
		`idDivision('999999194102030021')`:                                        "999999",
		`string(idValid('999999194102030022'))`:                                   "false",
		`string(days('2026-02-27', '2026-03-01'))`:                                "2",
		`string(months('2026-01-31', '2026-02-28'))`:                              "1",
		`string(months('2026-01-15', '2026-07-14'))`:                              "5",
		`string(months('2026-07-14', '2026-01-15'))`:                              "-5",
		`addMonths('2025-08-31', 6)`:                                              "2026-02-28",
		`addMonths('2026-03-31', -1)`:                                             "2026-02-28",
		`addDays('2026-12-31', 1)`:                                                "2027-01-01",
		`string(within('999999101201', '999999000000'))`:                          "true",
		`string(within('999998101201', '999999000000'))`:                          "false",
		`string(within('999999000000', '999999000000'))`:                          "true",
		`yuan(-5) + ' ' + yuan(123456)`:                                           "-0.05 1234.56",
		`string(sum([1, 2, null]))`:                                               "3",
		`string(distinct(['a', null, null, 'b']))`:                                "true",
		`string(distinct(['a', 'a']))`:                                            "false",
		`today() + division()`:                                                    "2026-11-22999999101201",
		`string(filled(who)) + string(filled(' '))`:                               "falsefalse",
		`string(year(today()) + month(today()) + day(today()))`:                   "2059",
		`string(phoneValid('13800000000') && !cardValid('1') && nameValid('张三'))`: "true",
		`string(nobody)`:                                                          "",
		`addDays('2026-12-31', 9223372036854775807)`:                              "",
		`string(sum([9223372036854775807, 1]))`:                                   "",
		`idBirth('1')`:                                                            "",
	} {
		src := small(`{"id":"nobody","kind":"integer",` + lbl("nobody") + `},{"id":"x","kind":"computed","as":"text","calculate":"` + expr + `",` + lbl("x") + `}`)
		s := program(t, src).Start(env())
		got, _ := s.State("x").Value.(string)
		if got != want {
			t.Errorf("%s = %q, want %q", expr, got, want)
		}
	}
}

func TestComputedKinds(t *testing.T) {
	s := program(t, small(`{"id":"d","kind":"decimal",`+lbl("d")+`},
{"id":"half","kind":"computed","as":"decimal","calculate":"d / 3.0",`+lbl("half")+`},
{"id":"cut","kind":"computed","as":"date","calculate":"string(d)",`+lbl("cut")+`},
{"id":"c","kind":"computed","as":"choice","calculate":"d > 5.0 ? 'big' : 'other'","options":[{"code":"big","label":{"zh":"大","en":"big"}}],`+lbl("c")+`},
{"id":"b","kind":"computed","as":"yesno","calculate":"d > 5.0",`+lbl("b")+`}`)).Start(env())
	s.Set("d", "10")
	want := Values{"d": "10", "half": "3.33", "c": "big", "b": true}
	if got := s.Values(true); !reflect.DeepEqual(got, want) {
		t.Errorf("values %v, want %v", got, want)
	}
	s.Set("d", "3")
	want = Values{"d": "3", "half": "1", "b": false}
	if got := s.Values(true); !reflect.DeepEqual(got, want) {
		t.Errorf("values %v, want %v", got, want)
	}
}

func TestNothingPersonalIsLogged(t *testing.T) {
	s, _ := sample(t, "gaoling").Load(env(), gaolingAnswers(t))
	s.Set("idno", "99999919410203002")
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, nil))
	for _, v := range []any{
		s, s.Values(true), s.Draft(), s.State("idno"), s.State("idno").Error, blob(1), signature(1), Prefill{Value: "王桂英"},
	} {
		log.Info("x", slog.Any("v", v))
	}
	for _, personal := range []string{"王桂英", "9999991941", "13800000000", "照片", "柳河"} {
		if strings.Contains(out.String(), personal) {
			t.Errorf("%q in the log:\n%s", personal, out.String())
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 8 {
		t.Errorf("%d lines", n)
	}
}
