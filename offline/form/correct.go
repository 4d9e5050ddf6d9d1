package form

// before is what a field was in the answers that a correction begins with.
type before struct{ shown, required, empty bool }

// Restrict is correction mode: only the answers at these paths may be changed from now on. A group's path opens its rows
// and their number, a row's path opens the row. nil ends the mode.
//
// What follows from a changed answer is open, too: a field that is shown now and was not, and one that is needed now, was
// not, and has no answer in what stands at the time of the call. It closes again, and is as it was, when the change is
// undone. Call it with the submitted answers, before a draft of the correction is restored.
func (s *Session) Restrict(open []Path) {
	s.open, s.base = nil, nil
	if open == nil {
		return
	}
	s.open = make(map[Path]bool, len(open))
	for _, p := range open {
		s.open[p] = true
	}
	s.base = map[cellKey]before{}
	s.each(func(n *node, c *cell, row int) {
		s.base[cellKey{n.idx, row}] = before{shown: c.shown, required: c.required, empty: !s.given(n, c)}
	})
}

// given reports whether a field has an answer, be it a faulty one.
func (s *Session) given(n *node, c *cell) bool {
	if n.field.Kind == KindGroup {
		return len(s.rows[n.idx]) > 0
	}
	return !c.empty()
}

// opened reports whether a correction may change the field.
func (s *Session) opened(n *node, pl place) bool {
	if s.open == nil {
		return true
	}
	if n.group >= 0 {
		g := s.an.nodes[n.group]
		if s.open[Path(g.field.ID)] || s.open[RowPath(g.field.ID, pl.row, "")] || s.follows(g, -1) {
			return true
		}
	}
	base := s.path(n, pl.row)
	return s.open[base] || pl.part != "" && s.open[base+Path("."+pl.part)] || s.follows(n, pl.row)
}

// follows reports whether the field is asked for because of an answer that the correction changed: only such an answer can
// have changed what is shown and needed.
func (s *Session) follows(n *node, row int) bool {
	c, was := s.at(n, row), s.base[cellKey{n.idx, row}]
	switch {
	case c == nil || !c.shown:
		return false
	case !was.shown:
		return true
	}
	return c.required && !was.required && was.empty
}

// undo empties what was given in fields that have closed again, and reports whether there were any. A hidden field needs
// nothing: its answer does not count.
func (s *Session) undo() bool {
	if s.open == nil {
		return false
	}
	found := false
	s.each(func(n *node, c *cell, row int) {
		k := cellKey{n.idx, row}
		was, known := s.base[k]
		if !known || !was.empty || !c.shown || n.field.Kind == KindComputed || !s.given(n, c) || s.opened(n, place{field: n.field.ID, row: row}) {
			return
		}
		if s.partOpen(n, row) {
			return
		}
		found = true
		if n.field.Kind == KindGroup {
			s.rows[n.idx], s.regrouped = nil, n.idx
		} else {
			c.value, c.raw, c.bad, c.source = nil, "", nil, nil
		}
		c.touched = false
		s.mark(k, bitValue)
	})
	return found
}

// partOpen reports whether a part of a person was asked for by itself.
func (s *Session) partOpen(n *node, row int) bool {
	for _, p := range n.field.Parts {
		if s.open[s.path(n, row)+Path("."+p.Name)] {
			return true
		}
	}
	return false
}

// Bar is why a correction of a field would change nothing; "" when it may be asked for.
type Bar string

// The bars.
const (
	BarUnknown  Bar = "unknown"  // the form has no such field, or the case no such row
	BarComputed Bar = "computed" // it follows from others
	BarNote     Bar = "note"     // a text to read
	BarHidden   Bar = "hidden"   // not asked for with these answers
	BarReadOnly Bar = "readonly" // the form itself keeps it as it is
)

// Correctable says whether the desk could answer a correction of the field, the row or the group at path, with the answers
// as they stand.
func (s *Session) Correctable(path Path) Bar {
	pl, ok := path.split()
	if !ok {
		return BarUnknown
	}
	if i, known := s.an.byID[pl.field]; known && pl.row >= 0 && pl.child == "" {
		if pl.row >= len(s.rows[i]) {
			return BarUnknown
		}
		path = Path(pl.field)
	}
	n, c, pl := s.find(path)
	switch {
	case c == nil:
		return BarUnknown
	case n.field.Kind == KindComputed:
		return BarComputed
	case n.field.Kind == KindNote:
		return BarNote
	case !c.shown:
		return BarHidden
	case s.locked(n, c, pl):
		return BarReadOnly
	}
	return ""
}
