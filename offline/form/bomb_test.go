package form

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"bianmin/packaging/bomb"
)

func quoted(expr string) string {
	return strings.ReplaceAll(strings.ReplaceAll(expr, `\`, `\\`), `"`, `\"`)
}

// rule is a small form whose field x is computed or constrained by an expression.
func rule(expr string) string {
	return small(`{"id":"n","kind":"integer",` + lbl("n") + `},{"id":"t","kind":"text",` + lbl("t") + `},
{"id":"many","kind":"group","max":200,"rowLabel":{"zh":"行","en":"row"},"fields":[{"id":"k","kind":"integer",` + lbl("k") + `}],` + lbl("many") + `},
{"id":"x","kind":"text","message":{"zh":"不行","en":"No"},"constraint":"` + quoted(expr) + `",` + lbl("x") + `}`)
}

// Forms and rules that were made to break the machine are refused with a fault, within memory and soon.
func TestBombs(t *testing.T) {
	fields := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `{"id":"f%d","kind":"note",%s},`, i, lbl("f"))
		}
		return small(strings.TrimSuffix(b.String(), ","))
	}
	tiny := func(n int) string {
		return `{"sections":[{"fields":[` + strings.TrimSuffix(strings.Repeat("{},", n), ",") + `]}]}`
	}
	circle := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `{"id":"c%d","kind":"computed","as":"integer","calculate":"c%d",%s},`, i, (i+1)%n, lbl("c"))
		}
		return small(strings.TrimSuffix(b.String(), ","))
	}
	comprehension := func(depth int) string {
		expr := "true"
		for i := range depth {
			expr = fmt.Sprintf("many.all(a%d, %s)", i, expr)
		}
		return expr
	}
	bombs := map[string]string{
		"a million fields":                 tiny(1_000_000),
		"as many as fit":                   fields(40_000),
		"more than allowed":                fields(MaxFields + 1),
		"numbers":                          `[` + strings.TrimSuffix(strings.Repeat("1,", 2_000_000), ",") + `]`,
		"nested lists":                     strings.Repeat("[", 1_000_000),
		"nested objects":                   strings.Repeat(`{"a":`, 500_000),
		"a file over the limit":            strings.Repeat(" ", MaxFormBytes+1),
		"a circle of rules":                circle(3),
		"a long circle":                    circle(1500),
		"a field that is its own":          circle(1),
		"a huge regexp":                    rule(`x.matches("(((a{1,100}){1,100}){1,10})")`),
		"a regexp of many parts":           rule(`x.matches("` + strings.Repeat("(a|b)*", 300) + `")`),
		"a regexp that cannot be":          rule(`x.matches("(((((")`),
		"brackets without end":             rule(strings.Repeat("(", 1000) + "true" + strings.Repeat(")", 1000)),
		"a rule too long":                  rule(strings.Repeat("true && ", 400) + "true"),
		"lists in lists":                   rule(strings.Repeat("[", 500) + strings.Repeat("]", 500) + " == []"),
		"rows for each of rows":            rule(comprehension(5)),
		"rows for each of rows, as deep":   rule(comprehension(24)),
		"text that doubles":                rule(`["a"].map(a, a+a).map(a, a+a+a+a+a+a+a+a).size() > many.map(b, many.map(c, many.map(d, t+t))).size()`),
		"a name that is not there":         rule(`nobody == 1`),
		"a function that is not there":     rule(`readFile("/etc/passwd") == ""`),
		"a member that reaches for more":   rule(`data.__proto__ == 1`),
		"what is not an expression at all": rule("\x00\x01;DROP"),
	}
	bomb.Child(t, func(t *testing.T) {
		for name, src := range bombs {
			var le *LintError
			if _, err := Parse([]byte(src)); !errors.As(err, &le) || len(le.Faults) == 0 || len(le.Faults) > maxFaults+1 {
				t.Errorf("%s: %v", name, err)
			}
			debug.FreeOSMemory()
		}
	})
}

// What passes the check of its shape and still costs too much is stopped while it runs; the answer counts as none.
func TestCostlyRuleIsStopped(t *testing.T) {
	p := program(t, rule(`many.all(a, many.exists(b, b.k > a.k + 1000000) || t.size() < n)`))
	rows := make([]any, 200)
	for i := range rows {
		rows[i] = map[string]any{"k": int64(i)}
	}
	bomb.Bounded(t, bomb.Limit, func() {
		s, _ := p.Load(env(), Values{"many": rows, "t": "a", "x": "y", "n": int64(2)})
		if found := keys(s.Problems()); !strings.Contains(found, "form.rule") {
			t.Errorf("a rule without an answer raised %s", found)
		}
	})
}

// FuzzRule feeds expressions: each is refused with a fault, or runs within its cost.
func FuzzRule(f *testing.F) {
	for name := range samples {
		b, err := os.ReadFile("../../assets/county/forms/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		form, err := Parse(b)
		if err != nil {
			f.Fatal(err)
		}
		form.Each(func(fd, _ *Field) {
			for _, src := range []string{fd.Relevant, fd.Constraint, fd.Calculate, string(fd.Required)} {
				if src != "" {
					f.Add(src)
				}
			}
		})
	}
	for _, src := range []string{
		`many.all(a, many.exists(b, a.k == b.k))`, `t.matches("^(a+)+$")`, `size(t + t + t) > n`, `many.map(a, a.k).size() == 3`,
		`[1,2,3].exists_one(i, i == n)`, `n / 0 == 1`, `n % 0 == 1`, `-9223372036854775808 / -1 == n`, `addDays(today(), 99999999) == t`,
		`t.startsWith("a") ? n > 1 : n < 1`, `timestamp("9999-12-31T23:59:59Z") + duration("9999999h") > timestamp("2000-01-01T00:00:00Z")`,
		`"a".matches(t)`, `double(n) * 1e308 > 1e308`, `bytes(t) == b"x"`, `dyn(many) == dyn(t)`, `type(n) == int`, `{"a": n}.a == 1`,
	} {
		f.Add(src)
	}
	if _, err := Parse([]byte(rule(`n == 1`))); err != nil {
		f.Fatalf("the form around the rules is refused: %v", err)
	}
	values := Values{"n": int64(7), "t": strings.Repeat("a", 200), "x": "y", "many": []any{map[string]any{"k": int64(1)}, map[string]any{"k": int64(2)}}}
	f.Fuzz(func(t *testing.T, expr string) {
		bomb.Bounded(t, 2*bomb.Limit, func() {
			form, err := Parse([]byte(rule(expr)))
			if err != nil {
				var le *LintError
				if !errors.As(err, &le) || len(le.Faults) == 0 {
					t.Fatalf("refused without a fault: %v", err)
				}
				return
			}
			p, err := Compile(form, Options{})
			if err != nil {
				t.Fatalf("linted but does not compile: %v", err)
			}
			s, _ := p.Load(env(), values)
			s.Problems()
		})
	})
}

// Answers of any size are refused within memory.
func TestAnswerBombs(t *testing.T) {
	p := program(t, small(`{"id":"many","kind":"group","max":200,"rowLabel":{"zh":"行","en":"row"},"fields":[{"id":"k","kind":"integer",`+lbl("k")+`}],`+lbl("many")+`}`))
	bombs := map[string][]byte{
		"a million rows":   []byte(`{"many":[` + strings.TrimSuffix(strings.Repeat("{},", 1_000_000), ",") + `]}`),
		"nested lists":     []byte(`{"many":` + strings.Repeat("[", 1_000_000)),
		"a million fields": bytes.Repeat([]byte(`{"a":1,`), 300_000),
		"one long text":    []byte(`{"who":"` + strings.Repeat("王", 1<<20) + `"}`),
	}
	bomb.Child(t, func(t *testing.T) {
		for name, line := range bombs {
			if _, problems := p.Answers(env(), 1, line); len(problems) == 0 {
				t.Errorf("%s is taken", name)
			}
			debug.FreeOSMemory()
		}
	})
}
