package form

import (
	"log/slog"
	"slices"

	"cel.dev/cel-go/common/types"
)

// Session is one person filling in one form. It is not safe for concurrent use.
type Session struct {
	p        *Program
	an       *analysis
	env      Env
	rd       reader
	today    types.String
	division types.String
	root     []cell
	rows     map[int][]*row     // by group node
	open     map[Path]bool      // nil = everything may be changed
	base     map[cellKey]before // the answers that a correction began with

	queue     queue
	dirty     map[cellKey]uint8
	sinks     map[cellKey]uint8
	changed   map[cellKey]bool
	regrouped int // group whose rows were added or removed in this run, -1 none
	evals     int
}

// FieldState is what a screen shows of one field.
type FieldState struct {
	Path     Path
	Field    *Field
	Value    any    // see Kind; nil when there is none
	Raw      string // what was typed, when it is no value
	Relevant bool   // shown
	Required bool
	ReadOnly bool
	Touched  bool     // a person has set it
	Error    *Problem // first fault, nil when fine; a required field not yet reached has one, too
	Source   *Source  // of a prefilled value that nobody changed
}

// LogValue keeps the answer out of logs.
func (st FieldState) LogValue() slog.Value { return slog.StringValue(string(st.Path)) }

// LogValue keeps answers out of logs.
func (s *Session) LogValue() slog.Value {
	return slog.StringValue("[session of form " + s.p.form.ID + "]")
}

// Program returns the program of the session.
func (s *Session) Program() *Program { return s.p }

// Today returns the date of the session, "2006-01-02", China time.
func (s *Session) Today() string { return string(s.today) }

// Evaluations returns how many expressions have been evaluated so far.
func (s *Session) Evaluations() int { return s.evals }

// fill makes the rows that groups need, prefills, sets initial values and evaluates everything.
func (s *Session) fill() {
	for _, n := range s.an.nodes {
		if n.field != nil && n.field.Kind == KindGroup && n.field.Min != nil {
			for range *n.field.Min {
				s.rows[n.idx] = append(s.rows[n.idx], s.newRow(n))
			}
		}
	}
	for _, n := range s.an.nodes {
		if s.env.Prefill == nil || n.field == nil || n.field.Source == "" || n.group >= 0 {
			continue
		}
		if pre, ok := s.env.Prefill(n.field.Source); ok && pre.Value != nil {
			c := s.at(n, -1)
			s.assign(n, c, "", pre.Value)
			if !c.empty() {
				src := pre.Source
				c.source = &src
			}
		}
	}
	s.markAll()
	s.run()
	for _, n := range s.an.nodes {
		if n.group < 0 {
			s.initial(n, -1)
			continue
		}
		for r := range s.rows[n.group] {
			s.initial(n, r)
		}
	}
	s.run()
}

func (s *Session) initial(n *node, row int) {
	prog := s.p.progs[n.idx][roleInitial]
	c := s.at(n, row)
	if prog == nil || !c.empty() {
		return
	}
	if v, ok, _ := s.eval(prog, n.group, row); ok {
		in := v.Value()
		if list, isList := in.([]any); isList {
			in = list
		}
		s.assign(n, c, "", in)
		s.mark(cellKey{n.idx, row}, bitValue)
	}
}

func (s *Session) newRow(g *node) *row {
	kids := s.an.children[g.idx]
	r := &row{cells: make([]cell, len(kids))}
	for _, k := range kids {
		r.cells[s.an.nodes[k].slot].reset(s.an.nodes[k])
	}
	return r
}

// assign puts v into c without asking whether it may and without evaluating.
func (s *Session) assign(n *node, c *cell, part string, v any) {
	if part != "" {
		m := map[string]any{}
		if old, ok := c.value.(map[string]any); ok {
			for k, e := range old {
				m[k] = e
			}
		}
		if m[part] = v; v == nil {
			delete(m, part)
		}
		v = m
	}
	c.raw, c.bad, c.value = "", nil, nil
	if n.field.Kind == KindPerson {
		c.value, c.bad = s.rd.person(n.field, v)
		if text, ok := v.(string); ok {
			c.raw = text
		}
		return
	}
	got, x := s.rd.read(n, v)
	c.value = got
	if x != nil {
		c.bad = []*fault{x}
		if text, ok := v.(string); ok && got == nil {
			c.raw = text
		}
	}
}

// find returns the cell at path; nil when there is none that holds a value.
func (s *Session) find(path Path) (n *node, c *cell, pl place) {
	pl, ok := path.split()
	if !ok {
		return nil, nil, pl
	}
	i, ok := s.an.byID[pl.field]
	if !ok {
		return nil, nil, pl
	}
	n = s.an.nodes[i]
	if pl.row >= 0 {
		if n.field.Kind != KindGroup || pl.child == "" {
			return nil, nil, pl
		}
		g := n
		n = nil
		for _, k := range s.an.children[g.idx] {
			if s.an.nodes[k].field.ID == pl.child {
				n = s.an.nodes[k]
			}
		}
	}
	if n == nil {
		return nil, nil, pl
	}
	if pl.part != "" && (n.field.Kind != KindPerson || !hasPart(n.field, pl.part)) {
		return nil, nil, pl
	}
	return n, s.at(n, pl.row), pl
}

func hasPart(fd *Field, part string) bool {
	return slices.ContainsFunc(fd.Parts, func(p Part) bool { return p.Name == part })
}

func (s *Session) path(n *node, row int) Path {
	if n.group >= 0 {
		return RowPath(s.an.nodes[n.group].field.ID, row, n.field.ID)
	}
	return Path(n.field.ID)
}

// Set puts an answer in: what was typed (text, for every kind; amounts in yuan), a value as in [Kind], a []BlobRef or a
// Signature; nil or "" clears. Only what depends on it is evaluated. It returns the fields whose state differs now, the
// field itself first among equals in reading order; none when the path does not exist or may not be changed.
func (s *Session) Set(path Path, v any) []Change {
	n, c, pl := s.find(path)
	if c == nil || n.field.Kind == KindGroup || s.locked(n, c, pl) {
		return nil
	}
	s.assign(n, c, pl.part, v)
	c.touched, c.source = true, nil
	s.mark(cellKey{n.idx, pl.row}, bitValue)
	return s.run()
}

// SetPrefill puts in a value that a source knows, over what was there, and remembers the source.
func (s *Session) SetPrefill(path Path, v any, src Source) []Change {
	n, c, pl := s.find(path)
	if c == nil || n.field.Kind == KindGroup || n.field.Kind == KindComputed || n.field.Kind == KindNote {
		return nil
	}
	s.assign(n, c, pl.part, v)
	if c.source = nil; !c.empty() {
		c.source = &src
	}
	s.mark(cellKey{n.idx, pl.row}, bitValue)
	return s.run()
}

// locked reports whether the field may not be changed by the person at the desk.
func (s *Session) locked(n *node, c *cell, pl place) bool {
	k := n.field.Kind
	return k == KindComputed || k == KindNote || c.readonly || c.source != nil && c.source.Locked || !s.opened(n, pl)
}

// AddRow adds a row at the end of a group and returns its number, or -1 when there may be no more.
func (s *Session) AddRow(group string) (int, []Change) {
	i, ok := s.an.byID[group]
	if !ok {
		return -1, nil
	}
	g := s.an.nodes[i]
	if !s.mayGroup(g) || int64(len(s.rows[i])) >= g.field.most() {
		return -1, nil
	}
	r := len(s.rows[i])
	s.rows[i] = append(s.rows[i], s.newRow(g))
	s.root[g.slot].touched = true
	for _, k := range s.an.children[i] {
		s.mark(cellKey{k, r}, allRoles)
	}
	s.mark(cellKey{i, -1}, bitValue)
	s.regrouped = i
	s.run()
	for _, k := range s.an.children[i] {
		s.initial(s.an.nodes[k], r)
		s.mark(cellKey{k, r}, bitValue)
	}
	s.mark(cellKey{i, -1}, bitValue)
	s.regrouped = i
	return r, s.run()
}

// RemoveRow takes a row out of a group; the rows behind it move up. None when there is no such row, or it may not go.
func (s *Session) RemoveRow(group string, row int) []Change {
	i, ok := s.an.byID[group]
	if !ok {
		return nil
	}
	g := s.an.nodes[i]
	if !s.mayGroup(g) || row < 0 || row >= len(s.rows[i]) {
		return nil
	}
	s.rows[i] = slices.Delete(s.rows[i], row, row+1)
	s.root[g.slot].touched = true
	s.mark(cellKey{i, -1}, bitValue)
	s.regrouped = i
	return s.run()
}

func (s *Session) mayGroup(g *node) bool {
	return g.field.Kind == KindGroup && !s.locked(g, s.at(g, -1), place{field: g.field.ID, row: -1})
}

// Rows returns how many rows a group has; 0 when there is no such group.
func (s *Session) Rows(group string) int {
	if i, ok := s.an.byID[group]; ok {
		return len(s.rows[i])
	}
	return 0
}

// State returns the state of the field at path. The zero FieldState when there is none.
func (s *Session) State(path Path) FieldState {
	n, c, pl := s.find(path)
	if c == nil {
		return FieldState{Path: path}
	}
	st := FieldState{
		Path: path, Field: n.field, Value: cloneAny(c.value), Raw: c.raw, Relevant: c.shown,
		Required: c.shown && c.required, ReadOnly: s.locked(n, c, pl), Touched: c.touched, Source: c.source,
	}
	if pl.part != "" {
		m, _ := c.value.(map[string]any)
		st.Value = m[pl.part]
		for _, p := range n.field.Parts {
			if p.Name == pl.part {
				st.Required = !p.Optional && (st.Required || len(m) > 0)
			}
		}
	}
	for _, p := range s.faults(n, c, pl.row) {
		if pl.part == "" || p.Path == path {
			st.Error = p
			break
		}
	}
	return st
}

// Problems returns every fault in reading order: what the summary lists, and what forbids submitting.
func (s *Session) Problems() []*Problem {
	var out []*Problem
	s.each(func(n *node, c *cell, row int) { out = append(out, s.faults(n, c, row)...) })
	return out
}

// each visits the fields in reading order, groups row by row.
func (s *Session) each(fn func(n *node, c *cell, row int)) {
	for _, n := range s.an.nodes {
		if n.field == nil || n.group >= 0 {
			continue
		}
		fn(n, s.at(n, -1), -1)
		for r := range s.rows[n.idx] {
			for _, k := range s.an.children[n.idx] {
				fn(s.an.nodes[k], s.at(s.an.nodes[k], r), r)
			}
		}
	}
}

// faults returns what is wrong at one place, nothing when it is not shown.
func (s *Session) faults(n *node, c *cell, row int) []*Problem {
	if !c.shown {
		return nil
	}
	path, fd := s.path(n, row), n.field
	one := func(x *fault) []*Problem { return []*Problem{x.problem(path, fd.Label)} }
	if c.costly != 0 {
		return one(&fault{key: "form.rule"})
	}
	var out []*Problem
	for _, x := range c.bad {
		out = append(out, x.problem(path, fd.Label))
	}
	switch fd.Kind {
	case KindGroup:
		rows := len(s.rows[n.idx])
		if x := count(fd, rows); x != nil {
			return one(x)
		}
		if c.required && rows == 0 {
			return one(&fault{key: requiredKey(fd.Kind)})
		}
	case KindPerson:
		m, _ := c.value.(map[string]any)
		for _, p := range fd.Parts {
			if _, has := m[p.Name]; !has && !p.Optional && (c.required || len(m) > 0) && !faulty(c.bad, p.Name) {
				out = append(out, (&fault{key: "form.required", part: p.Name}).problem(path, fd.Label))
			}
		}
	default:
		if c.required && c.empty() {
			return one(&fault{key: requiredKey(fd.Kind)})
		}
	}
	if len(out) == 0 && c.violated {
		out = one(&fault{key: "form.constraint", text: fd.Message})
		out[0].Text = Text{ZH: s.Text(out[0].Text, "zh", path), EN: s.Text(out[0].Text, "en", path)}
	}
	return out
}

func faulty(list []*fault, part string) bool {
	return slices.ContainsFunc(list, func(x *fault) bool { return x.part == part })
}

// Item is one line of a screen: a field, or a row's heading when Field is a group and Row is not -1.
type Item struct {
	Path  Path
	Field *Field
	Row   int // number of the row, -1 outside groups and for a group itself
}

// Block is a section that is shown, with its lines.
type Block struct {
	Section *Section
	Items   []Item
}

// Visible returns what is shown now, in reading order: of a group its own line, then for each row its heading and fields.
// Sections with nothing to show are left out.
func (s *Session) Visible() []Block {
	var out []Block
	sec := -1
	for _, n := range s.an.nodes {
		switch {
		case n.field == nil:
			if sec++; s.at(n, -1).shown {
				out = append(out, Block{Section: &s.p.form.Sections[sec]})
			}
		case n.group < 0 && s.at(n, -1).shown:
			b := &out[len(out)-1]
			b.Items = append(b.Items, Item{Path: Path(n.field.ID), Field: n.field, Row: -1})
			for r := range s.rows[n.idx] {
				b.Items = append(b.Items, Item{Path: RowPath(n.field.ID, r, ""), Field: n.field, Row: r})
				for _, k := range s.an.children[n.idx] {
					if kid := s.an.nodes[k]; s.at(kid, r).shown {
						b.Items = append(b.Items, Item{Path: s.path(kid, r), Field: kid.field, Row: r})
					}
				}
			}
		}
	}
	return slices.DeleteFunc(out, func(b Block) bool { return len(b.Items) == 0 })
}

// Values returns the answers: those shown and given; computed ones only when asked for. What can't be held (a date that
// is none) is not in it; what is held but faulty is, so ask Problems before submitting.
func (s *Session) Values(computed bool) Values {
	return s.collect(func(n *node, c *cell) bool { return c.shown && (computed || n.field.Kind != KindComputed) })
}

func (s *Session) collect(want func(*node, *cell) bool) Values {
	out := Values{}
	for _, n := range s.an.nodes {
		if n.field == nil || n.group >= 0 {
			continue
		}
		c := s.at(n, -1)
		if !want(n, c) {
			continue
		}
		if n.field.Kind != KindGroup {
			if c.value != nil {
				out[n.field.ID] = cloneAny(c.value)
			}
			continue
		}
		var rows []any
		for r := range s.rows[n.idx] {
			m := map[string]any{}
			for _, k := range s.an.children[n.idx] {
				kid := s.an.nodes[k]
				if kc := s.at(kid, r); kc.value != nil && want(kid, kc) {
					m[kid.field.ID] = cloneAny(kc.value)
				}
			}
			rows = append(rows, m)
		}
		if rows != nil {
			out[n.field.ID] = rows
		}
	}
	return out
}
