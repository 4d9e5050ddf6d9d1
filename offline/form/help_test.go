package form

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"bianmin/offline/ident"
)

// today of every test: 2026-11-22, noon in China.
var testNow = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

func clock() time.Time { return testNow }

func env() Env {
	banks := NewList([]Option{{Code: "103", Label: Text{"农业银行", "Agricultural Bank of China"}}, {Code: "314", Label: Text{"农村商业银行", "Rural commercial bank"}}})
	return Env{Now: clock, Division: "999999101201", Lists: ListMap{"bank": banks}}
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func program(t testing.TB, src string) *Program {
	t.Helper()
	f := must[*Form](t)(Parse([]byte(src)))
	return must[*Program](t)(Compile(f, Options{}))
}

func sample(t testing.TB, name string) *Program {
	t.Helper()
	return program(t, string(must[[]byte](t)(os.ReadFile("../../assets/county/forms/"+name+".json"))))
}

// small wraps fields into a form with an applicant; data and outputs are optional members.
func small(fields string, more ...string) string {
	return `{"id":"small","version":1,"service":"small","title":{"zh":"小表","en":"Small"},` + strings.Join(append(more, ""), ",") + `
"applicant":{"name":"who","idno":"card"},
"sections":[
{"id":"one","step":"details","title":{"zh":"一","en":"One"},"fields":[
{"id":"who","kind":"text","label":{"zh":"姓名","en":"Name"}},
{"id":"card","kind":"idnumber","label":{"zh":"证号","en":"Card"}},
` + fields + `
]}]}`
}

func lbl(id string) string { return fmt.Sprintf(`"label":{"zh":"%s项","en":"%s"}`, id, id) }

func blob(seed byte) BlobRef {
	return BlobRef{
		Addr: bytes.Repeat([]byte{seed}, 32), Key: bytes.Repeat([]byte{seed + 1}, 16), Plain: bytes.Repeat([]byte{seed + 2}, 32),
		MIME: "image/jpeg", Size: 1000 + int64(seed), Name: "照片.jpg",
	}
}

func signature(seed byte) Signature {
	png := blob(seed)
	png.MIME, png.Name = "image/png", "sign.png"
	return Signature{Strokes: [][]int64{{1, 2, 3, 4}, {5, 6}}, PNG: png}
}

func card(t testing.TB) string {
	t.Helper()
	for d := range 10 {
		if s := fmt.Sprintf("621799999900000%d", d); ident.CheckBankCard(s) == nil {
			return s
		}
	}
	t.Fatal("no Luhn digit")
	return ""
}

// born returns a fictional ID number for a birth date.
func born(t testing.TB, date string, seq int) string {
	t.Helper()
	d := must[time.Time](t)(time.Parse(dateLayout, date))
	return must[string](t)(ident.MakeID("999999", d, seq))
}

func keys(problems []*Problem) string {
	var out []string
	for _, p := range problems {
		out = append(out, string(p.Path)+"="+p.Key)
	}
	return strings.Join(out, " ")
}

func rounds(full int) int {
	if os.Getenv("BIANMIN_FULL") == "1" {
		return full
	}
	return max(full/10, 1)
}
