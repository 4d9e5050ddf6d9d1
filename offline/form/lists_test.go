package form

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func bigList(n int) List {
	rows := make([]Option, n)
	for i := range rows {
		rows[i] = Option{
			Code: fmt.Sprintf("c%05d", i), Label: Text{fmt.Sprintf("职业第%d号", i), fmt.Sprintf("occupation %d", i)}, Keys: []string{"zyd"},
		}
	}
	rows[n/2] = Option{Code: "x1", Label: Text{"木匠", "carpenter"}, Keys: []string{"mj"}}
	rows[n/2+1] = Option{Code: "x2", Label: Text{"细木工匠", "joiner"}, Keys: []string{"xmgj"}}
	rows[n/2+2] = Option{Code: "x3", Label: Text{"木匠学徒", "carpenter's apprentice"}, Keys: []string{"mjxt"}}
	return NewList(rows)
}

func TestListSearch(t *testing.T) {
	l := bigList(20000)
	for _, tt := range []struct {
		query string
		want  string
		total int
	}{
		{"木匠", "x1 x3", 2},
		{"木", "x1 x3 x2", 3},
		{"MJ", "x1 x3", 2},
		{" carpenter ", "x1 x3", 2},
		{"工匠", "x2", 1},
		{"x2", "x2", 1},
		{"没有这个", "", 0},
		{"c0000", "c00000 c00001 c00002 c00003 c00004 c00005 c00006 c00007 c00008 c00009", 10},
	} {
		rows, total := l.Search(tt.query, 0, 20)
		var codes []string
		for _, r := range rows {
			codes = append(codes, r.Code)
		}
		if got := strings.Join(codes, " "); got != tt.want || total != tt.total {
			t.Errorf("%q: %s of %d, want %s of %d", tt.query, got, total, tt.want, tt.total)
		}
	}
	page, total := l.Search("职业", 19990, 50)
	if len(page) != 7 || total != 19997 {
		t.Errorf("last page has %d of %d", len(page), total)
	}
	if page, total := l.Search("", 19999, 10); len(page) != 1 || total != 20000 {
		t.Errorf("without a query: %d of %d", len(page), total)
	}
	if page, _ := l.Search("", 30000, -1); len(page) != 0 {
		t.Errorf("behind the end: %d", len(page))
	}
}

func TestFormUsesNamedLists(t *testing.T) {
	p := program(t, small(`{"id":"j","kind":"choice","list":"jobs",`+lbl("j")+`},{"id":"k","kind":"choices","list":"jobs",`+lbl("k")+`},
{"id":"o","kind":"choice","options":[{"code":"a","label":{"zh":"甲","en":"A"}}],`+lbl("o")+`}`))
	if got := fmt.Sprint(p.Form().Lists()); got != "[jobs]" {
		t.Errorf("lists %s", got)
	}
	e := env()
	if _, _, err := p.Start(e).SearchOptions("j", "", 0, 1); !errors.Is(err, ErrNoList) {
		t.Errorf("error %v", err)
	}
	e.Lists = ListMap{"jobs": bigList(20000)}
	s := p.Start(e)
	s.Set("j", "x1")
	s.Set("k", []string{"x2", "x9"})
	if got := keys(s.Problems()); got != "k=form.option" {
		t.Errorf("problems %s", got)
	}
	if s.Display("j", "zh") != "木匠" {
		t.Errorf("shows %q", s.Display("j", "zh"))
	}
	for path, want := range map[Path]int{"j": 20000, "o": 1} {
		rows, total, err := s.SearchOptions(path, "", 0, 0)
		if err != nil || len(rows) != want || total != want {
			t.Errorf("%s: %d of %d, %v", path, len(rows), total, err)
		}
	}
	if _, _, err := s.SearchOptions("who", "", 0, 1); !errors.Is(err, ErrNoList) {
		t.Errorf("a field without choices: %v", err)
	}
}

// form300 is a form of 300 fields: a third computed from the field before, a third shown by it.
func form300() string {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, `{"id":"a%d","kind":"integer","required":true,"constraint":"a%d < 100000","message":{"zh":"太大","en":"too large"},%s},
{"id":"b%d","kind":"computed","as":"integer","calculate":"a%d * %d + 1",%s},
{"id":"c%d","kind":"text","relevant":"b%d > 10","required":"a%d %% 2 == 0",%s},
`, i, i, lbl("a"), i, i, i+2, lbl("b"), i, i, i, lbl("c"))
	}
	return small(strings.TrimSuffix(strings.TrimSpace(b.String()), ","))
}

// BenchmarkOpen300 opens a form of 300 fields: read, checked, compiled, started. The bar is 100 ms. Its floor is the same
// file decoded as plain JSON.
func BenchmarkOpen300(b *testing.B) {
	src := []byte(form300())
	var floor, open time.Duration
	for b.Loop() {
		start := time.Now()
		var doc any
		if err := json.Unmarshal(src, &doc); err != nil {
			b.Fatal(err)
		}
		floor += time.Since(start)
		start = time.Now()
		f, err := Parse(src)
		if err != nil {
			b.Fatal(err)
		}
		p, err := Compile(f, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if len(p.Start(env()).Visible()) != 1 {
			b.Fatal("nothing to see")
		}
		open += time.Since(start)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(open.Seconds()*1e3/float64(b.N), "ms/open")
	b.ReportMetric(floor.Seconds()*1e3/float64(b.N), "ms/floor")
}

func BenchmarkStart300(b *testing.B) {
	p := program(b, form300())
	for b.Loop() {
		p.Start(env())
	}
}

// BenchmarkKeystroke300 types one digit into a field that others hang on, in a form of 300 fields, and lists what is wrong
// then. The bar is 2 ms. Its floor is one into a field on which nothing hangs, without the list.
func BenchmarkKeystroke300(b *testing.B) {
	s := program(b, form300()).Start(env())
	var floor, key time.Duration
	i := 0
	for b.Loop() {
		i++
		start := time.Now()
		s.Set("c50", fmt.Sprint(i))
		floor += time.Since(start)
		start = time.Now()
		if len(s.Set("a50", fmt.Sprint(i%1000))) == 0 {
			b.Fatal("no change")
		}
		s.Problems()
		key += time.Since(start)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(key.Seconds()*1e6/float64(b.N), "µs/keystroke")
	b.ReportMetric(floor.Seconds()*1e6/float64(b.N), "µs/floor")
}

func BenchmarkListSearch20000(b *testing.B) {
	l := bigList(20000)
	for b.Loop() {
		if _, total := l.Search("木匠", 0, 20); total != 2 {
			b.Fatal("not found")
		}
	}
}

func BenchmarkListSearchMany20000(b *testing.B) {
	l := bigList(20000)
	for b.Loop() {
		if _, total := l.Search("业", 0, 20); total != 19997 {
			b.Fatal("not found")
		}
	}
}
