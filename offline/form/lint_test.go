package form

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bianmin/offline/ident"
	"bianmin/offline/words"
)

func asLint(err error, into **LintError) bool { return errors.As(err, into) }

func TestLint(t *testing.T) {
	x := func(more string) string { return small(`{"id":"x",` + lbl("x") + `,` + more + `}`) }
	const at = "/sections/0/fields/2"
	big := strings.Repeat("1+", 1100) + "1"
	deep := strings.Repeat("(", 300) + "1" + strings.Repeat(")", 300)
	tests := []struct {
		name, src, path, say string
		line                 int
	}{
		{"not JSON", "{\n\"id\": }", "", "invalid character", 2},
		{"ends too early", `{"id":`, "", "too early", 1},
		{"member twice", "{\"id\":\"aa\",\n\"id\":\"bb\"}", "", "stands twice", 2},
		{"two values", `{} {}`, "", "more than one", 1},
		{"unknown member", x(`"kind":"text","colour":"red"`), at, "colour", 7},
		{"unknown kind", x(`"kind":"telepathy"`), at + "/kind", "one of", 7},
		{"missing English", small("\n" + `{"id":"x","kind":"text","label":{"zh":"项"}}`), at + "/label", "en", 8},
		{"blank text", small(`{"id":"x","kind":"text","label":{"zh":" ","en":"x"}}`), at + "/label/zh", "pattern", 7},
		{"bad id", small(`{"id":"X y","kind":"text",` + lbl("x") + `}`), at + "/id", "pattern", 7},
		{"id twice", small(`{"id":"who","kind":"text",` + lbl("x") + `}`), at + "/id", "twice", 7},
		{"reserved id", small(`{"id":"division","kind":"text",` + lbl("x") + `}`), at + "/id", "expression language", 7},
		{"unknown reference", x(`"kind":"text","relevant":"nobody == 1"`), at + "/relevant", "undeclared reference to 'nobody'", 7},
		{"wrong types", x(`"kind":"text","relevant":"who > 3"`), at + "/relevant", "no matching overload", 7},
		{"not a condition", x(`"kind":"text","required":"who"`), at + "/required", "gives string where bool", 7},
		{"wrong result", x(`"kind":"computed","as":"integer","calculate":"who"`), at + "/calculate", "where int", 7},
		{"syntax", x(`"kind":"text","relevant":"who =="`), at + "/relevant", "column", 7},
		{"unknown function", x(`"kind":"text","relevant":"http('x') == 1"`), at + "/relevant", "undeclared reference to 'http'", 7},
		{"unknown fact", x(`"kind":"text","relevant":"data.limit == 1"`), at + "/relevant", `data has no "limit"`, 7},
		{"unknown row member", small(strings.Replace(families, "m.twice", "m.thrice", 1)), "/sections/0/fields/3/calculate", `unknown name "thrice"`, 13},
		{"own circle", x(`"kind":"text","relevant":"x == '1'"`), at, "x → x", 7},
		{
			"circle of three", small(`{"id":"a","kind":"computed","as":"integer","calculate":"c + 1",` + lbl("a") + `},
{"id":"b","kind":"computed","as":"integer","calculate":"a + 1",` + lbl("b") + `},
{"id":"c","kind":"integer","relevant":"b > 1",` + lbl("c") + `}`),
			"", "circle of dependencies", 0,
		},
		{"circle through a group", small(strings.Replace(families, "row.inc * 2", "row.inc * total", 1)), "", "circle of dependencies", 0},
		{"long expression", x(`"kind":"computed","as":"integer","calculate":"` + big + `"`), at + "/calculate", "limit is 2048", 7},
		{"deep expression", x(`"kind":"computed","as":"integer","calculate":"` + deep + `"`), at + "/calculate", "", 7},
		{"constraint without a message", x(`"kind":"integer","constraint":"x > 1"`), at, "message", 7},
		{"computed without calculate", x(`"kind":"computed","as":"text"`), at, "calculate", 7},
		{"calculate elsewhere", x(`"kind":"text","calculate":"who"`), at + "/calculate", "needs kind", 7},
		{"options elsewhere", x(`"kind":"text","options":[{"code":"a","label":{"zh":"甲","en":"A"}}]`), at + "/options", "does not go with", 7},
		{"choice without options", x(`"kind":"choice"`), at, "options", 7},
		{"code twice", x(`"kind":"choice","options":[{"code":"a","label":{"zh":"甲","en":"A"}},{"code":"a","label":{"zh":"乙","en":"B"}}]`), at + "/options/1/code", "twice", 7},
		{"part twice", x(`"kind":"person","parts":[{"name":"name"},{"name":"name"}]`), at + "/parts/1", "twice", 7},
		{"min over max", x(`"kind":"integer","min":3,"max":2`), at + "/min", "greater", 7},
		{"too many rows", x(`"kind":"group","max":1000,"rowLabel":{"zh":"行","en":"row"},"fields":[{"id":"y","kind":"text",` + lbl("y") + `}]`), at, "limit", 7},
		{"group in a group", x(`"kind":"group","rowLabel":{"zh":"行","en":"row"},"fields":[{"id":"y","kind":"group","rowLabel":{"zh":"行","en":"row"},"fields":[{"id":"z","kind":"text",` + lbl("z") + `}],` + lbl("y") + `}]`), at + "/fields/0/kind", "inside a group", 7},
		{"text names nobody", small(`{"id":"x","kind":"note","label":{"zh":"{nobody}","en":"x"}}`), at + "/label", "{nobody}", 7},
		{"fraction in the facts", small(`{"id":"x","kind":"text",`+lbl("x")+`}`, `"data":{"n":1.5}`), "/data/n", "", 1},
		{"huge number in the facts", small(`{"id":"x","kind":"text",`+lbl("x")+`}`, `"data":{"n":99999999999999999999}`), "/data/n", "64 bits", 1},
		{"applicant is nobody", strings.Replace(x(`"kind":"text"`), `"name":"who"`, `"name":"nobody"`, 1), "/applicant/name", "no field", 2},
		{"applicant is no name", strings.Replace(x(`"kind":"text"`), `"name":"who"`, `"name":"card"`, 1), "/applicant/name", "holds no name", 2},
		{"output of nobody", small(`{"id":"x","kind":"text",`+lbl("x")+`}`, `"outputs":{"promiseDays":"nobody"}`), "/outputs/promiseDays", "undeclared", 1},
		{"output for nobody", small(`{"id":"x","kind":"text",`+lbl("x")+`}`, `"outputs":{"decidedBy":"1"}`), "/outputs/decidedBy", "nothing reads", 1},
		{"step order", strings.Replace(x(`"kind":"text"`), `"sections":[`, `"sections":[{"id":"zero","step":"signature","title":{"zh":"零","en":"Zero"},"fields":[{"id":"z","kind":"text",`+lbl("z")+`}]},`, 1), "/sections/1/step", "later step", 4},
		{"initial of a file", x(`"kind":"material","code":"m","initial":"'x'"`), at + "/initial", "", 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse([]byte(tt.src))
			var le *LintError
			if !asLint(err, &le) || f != nil {
				t.Fatalf("Parse gave %v, %v", f, err)
			}
			for _, x := range le.Faults {
				if (tt.path == "" || x.Path == tt.path) && strings.Contains(x.Message, tt.say) && (tt.line == 0 || x.Line == tt.line) {
					return
				}
			}
			t.Errorf("no fault at %s line %d that says %q in\n%v", tt.path, tt.line, tt.say, err)
		})
	}
}

func TestLintFindsEveryFault(t *testing.T) {
	_, err := Parse([]byte(small(`{"id":"x","kind":"text","relevant":"nobody","required":"12",` + lbl("x") + `},
{"id":"y","kind":"text","relevant":"gone == 1",` + lbl("y") + `}`)))
	var le *LintError
	if !asLint(err, &le) || len(le.Faults) != 3 {
		t.Errorf("want three faults: %v", err)
	}
	if !strings.Contains(err.Error(), "line 8: /sections/0/fields/3/relevant:") {
		t.Errorf("no line in %v", err)
	}
}

func TestTooManyFields(t *testing.T) {
	var b strings.Builder
	for i := range MaxFields {
		fmt.Fprintf(&b, `{"id":"f%d","kind":"text",%s},`, i, lbl("f"))
	}
	_, err := Parse([]byte(small(strings.TrimSuffix(b.String(), ","))))
	if err == nil || !strings.Contains(err.Error(), "the limit is 2000") {
		t.Errorf("error %v", err)
	}
	if _, err := Parse(make([]byte, MaxFormBytes+1)); err == nil {
		t.Error("a file without end was read")
	}
}

func TestHashIgnoresLayoutOnly(t *testing.T) {
	src := small(`{"id":"x","kind":"text",` + lbl("x") + `}`)
	a := must[*Form](t)(Parse([]byte(src)))
	b := must[*Form](t)(Parse([]byte("\xef\xbb\xbf" + strings.ReplaceAll(strings.Replace(src, `"version":1,`, ``, 1), `"service"`, "\n\"version\" : 1 , \"service\""))))
	c := must[*Form](t)(Parse([]byte(strings.Replace(src, "小表", "小表格", 1))))
	if a.Hash() != b.Hash() || a.Hash() == c.Hash() || a.Hash() == [32]byte{} {
		t.Error("the hash does not name the content")
	}
}

func TestFormByHandIsRefused(t *testing.T) {
	if _, err := Compile(&Form{}, Options{}); err == nil {
		t.Error("a form that was never linted was compiled")
	}
}

// Every key that this package or ident can give has its sentence in both languages.
func TestEveryKeyHasWords(t *testing.T) {
	for _, err := range []error{
		ident.ErrIDLength, ident.ErrIDOld, ident.ErrIDChars, ident.ErrIDDivision, ident.ErrIDDate, ident.ErrIDFuture, ident.ErrIDChecksum,
		ident.ErrPhone, ident.ErrCardLength, ident.ErrCardChars, ident.ErrCardChecksum, ident.ErrNameEmpty, ident.ErrNameLong,
		ident.ErrNameChars, ident.ErrNameDot, ident.ErrNameOld, ident.ErrNamePrivate, ident.ErrCreditLength, ident.ErrCreditChars, ident.ErrCreditChecksum, ident.ErrCreditOrg,
	} {
		key, _ := words.KeyOf(err)
		if m := messages[key]; m.ZH == "" || m.EN == "" {
			t.Errorf("no sentence for %s", key)
		}
	}
	files := must[[]string](t)(filepath.Glob("*.go"))
	used := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "problem.go" {
			continue
		}
		rest := string(must[[]byte](t)(os.ReadFile(name)))
		for {
			_, after, ok := strings.Cut(rest, `key: "`)
			if !ok {
				break
			}
			key, tail, _ := strings.Cut(after, `"`)
			used[key], rest = true, tail
		}
	}
	if len(used) < 20 {
		t.Errorf("only %d keys found in the source", len(used))
	}
	for key := range used {
		if m := messages[key]; m.ZH == "" || m.EN == "" {
			t.Errorf("no sentence for %s", key)
		}
	}
}
