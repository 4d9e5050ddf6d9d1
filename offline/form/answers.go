package form

import (
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strings"

	"cel.dev/cel-go/common/types"
)

// MaxAnswersBytes is the longest line of answers that Answers reads.
const MaxAnswersBytes = 1 << 20

// Answers maps one JSON object, as in a line of --answers, to a session: the same that a person at the screen would have
// made, with prefills and initial values where the line says nothing. Amounts are whole fen, or text in yuan; bytes are
// hexadecimal text. The problems name field and reason, and carry line; when there are none, Values(true) is complete.
func (p *Program) Answers(env Env, line int, data []byte) (*Session, []*Problem) {
	fail := func(err *jsonFault) (*Session, []*Problem) {
		why := err.reason()
		x := (&fault{key: "form.json", args: []string{"reason.zh", why.ZH, "reason.en", why.EN}}).problem("", Text{})
		x.Line, x.Cause = line, err.cause
		return p.Start(env), []*Problem{x}
	}
	if len(data) > MaxAnswersBytes {
		return fail(&jsonFault{what: Text{fmt.Sprintf("超过 %d 字节", MaxAnswersBytes), fmt.Sprintf("longer than %d bytes", MaxAnswersBytes)}})
	}
	doc, err := readJSON(data)
	if err != nil {
		var why *jsonFault
		if !errors.As(err, &why) {
			why = &jsonFault{what: jsonSyntax, cause: err}
		}
		return fail(why)
	}
	given, ok := doc.root.(map[string]any)
	if !ok {
		return fail(&jsonFault{what: jsonObject})
	}
	s := p.Start(env)
	problems := s.load(given, false)
	for _, x := range problems {
		x.Line = line
	}
	return s, problems
}

// Load brings submitted answers into a session, strictly: each value in its normal form, none that is not asked for, and
// computed ones equal to what is computed here. Neither prefills nor initial values are added. env.Now should give the
// time at which the answers were submitted.
func (p *Program) Load(env Env, v Values) (*Session, []*Problem) {
	s := p.newSession(env)
	s.markAll()
	return s, s.load(v, true)
}

// Check returns what is wrong with submitted answers; see Load.
func (p *Program) Check(env Env, v Values) []*Problem {
	_, problems := p.Load(env, v)
	return problems
}

// loader carries the state of one load.
type loader struct {
	s        *Session
	strict   bool
	problems []*Problem
	computed []given
	set      []given
}

type given struct {
	n   *node
	row int
	v   any
}

func (s *Session) load(m map[string]any, strict bool) []*Problem {
	l := &loader{s: s, strict: strict}
	for _, id := range sortedKeys(m) {
		i, ok := s.an.byID[id]
		if !ok {
			l.add(Path(id), Text{ZH: id, EN: id}, &fault{key: "form.unknown"})
			continue
		}
		n := s.an.nodes[i]
		if n.field.Kind == KindGroup {
			l.group(n, m[id])
			continue
		}
		l.cell(n, -1, m[id])
	}
	s.markAll()
	s.run()
	for _, g := range l.set {
		if !s.at(g.n, g.row).shown {
			l.add(s.path(g.n, g.row), g.n.field.Label, &fault{key: "form.notRelevant"})
		}
	}
	for _, g := range l.computed {
		c := s.at(g.n, g.row)
		want, _ := s.rd.read(g.n, g.v)
		if strict {
			want = g.v
		}
		switch {
		case !c.shown:
			l.add(s.path(g.n, g.row), g.n.field.Label, &fault{key: "form.notRelevant"})
		case !reflect.DeepEqual(c.value, want):
			l.add(s.path(g.n, g.row), g.n.field.Label, &fault{key: "form.computed"})
		}
	}
	out := append(l.problems, s.Problems()...)
	sort.SliceStable(out, func(i, j int) bool { return s.readingOrder(s.keyOf(out[i].Path), s.keyOf(out[j].Path)) < 0 })
	return out
}

func (s *Session) keyOf(path Path) cellKey {
	n, _, pl := s.find(path)
	if n == nil {
		if i, ok := s.an.byID[pl.field]; ok {
			return cellKey{i, pl.row}
		}
		return cellKey{0, -1}
	}
	return cellKey{n.idx, pl.row}
}

func (l *loader) add(path Path, label Text, x *fault) {
	l.problems = append(l.problems, x.problem(path, label))
}

func (l *loader) group(g *node, v any) {
	path := Path(g.field.ID)
	rows, ok := v.([]any)
	if !ok {
		if v != nil || l.strict {
			l.add(path, g.field.Label, wrongType("列表", "a list of rows"))
		}
		return
	}
	if len(rows) > MaxRows {
		l.add(path, g.field.Label, &fault{key: "form.rowsMax", args: []string{"max", plainInt(g.field.most())}})
		return
	}
	if l.strict && len(rows) == 0 {
		l.add(path, g.field.Label, &fault{key: "form.notNormal"})
	}
	if len(rows) > 0 {
		l.set = append(l.set, given{n: g, row: -1})
	}
	l.s.rows[g.idx] = nil
	for range rows {
		l.s.rows[g.idx] = append(l.s.rows[g.idx], l.s.newRow(g))
	}
	for r, e := range rows {
		m, ok := e.(map[string]any)
		if !ok {
			l.add(RowPath(g.field.ID, r, ""), g.field.Label, wrongType("一组信息", "a row"))
			continue
		}
		for _, id := range sortedKeys(m) {
			n, _, _ := l.s.find(RowPath(g.field.ID, r, id))
			if n == nil || strings.Contains(id, ".") {
				l.add(RowPath(g.field.ID, r, id), Text{ZH: id, EN: id}, &fault{key: "form.unknown"})
				continue
			}
			l.cell(n, r, m[id])
		}
	}
}

func (l *loader) cell(n *node, row int, v any) {
	path, c := l.s.path(n, row), l.s.at(n, row)
	switch n.field.Kind {
	case KindNote:
		l.add(path, n.field.Label, &fault{key: "form.unknown"})
		return
	case KindComputed:
		l.computed = append(l.computed, given{n: n, row: row, v: v})
		return
	}
	if c.source != nil && c.source.Locked {
		if got, _ := l.s.rd.read(n, v); !reflect.DeepEqual(got, c.value) {
			l.add(path, n.field.Label, &fault{key: "form.readOnly"})
		}
		return
	}
	l.s.assign(n, c, "", v)
	c.touched, c.source = true, nil
	if l.strict && len(c.bad) == 0 && !reflect.DeepEqual(c.value, v) {
		l.add(path, n.field.Label, &fault{key: "form.notNormal"})
	}
	if !c.empty() {
		l.set = append(l.set, given{n: n, row: row})
	}
}

// Outputs evaluates the form's named results, such as promiseDays and priority: int64, string or bool each. One without
// an answer is left out.
func (s *Session) Outputs() map[string]any {
	out := map[string]any{}
	for i, o := range s.an.outputs {
		v, ok, _ := s.eval(s.p.outputs[i], -1, -1)
		if !ok {
			continue
		}
		switch x := v.(type) {
		case types.Int:
			out[o.name] = int64(x)
		case types.String:
			out[o.name] = string(x)
		case types.Bool:
			out[o.name] = bool(x)
		}
	}
	return out
}

// Applicant returns the applicant's name, ID number and telephone as the form's "applicant" points to them.
func (s *Session) Applicant() (name, idno, phone string) {
	get := func(path string) string {
		if path == "" {
			return ""
		}
		text, _ := s.State(Path(path)).Value.(string)
		return text
	}
	a := s.p.form.Applicant
	return get(a.Name), get(a.IDNo), get(a.Phone)
}
