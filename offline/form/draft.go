package form

import (
	"log/slog"
	"slices"
)

// Draft is a session put aside: everything typed, also what is no value yet and what is not shown just now.
// It encodes to canonical CBOR.
type Draft struct {
	Form    string          `cbor:"1,keyasint"`
	Version int             `cbor:"2,keyasint"`
	Values  Values          `cbor:"3,keyasint"` // without computed ones
	Raw     map[Path]string `cbor:"4,keyasint,omitempty"`
	Sources map[Path]Source `cbor:"5,keyasint,omitempty"`
	Touched []Path          `cbor:"6,keyasint,omitempty"`
}

// LogValue keeps answers out of logs.
func (d Draft) LogValue() slog.Value { return slog.StringValue("[draft of form " + d.Form + "]") }

// Draft returns the session as it stands.
func (s *Session) Draft() Draft {
	d := Draft{
		Form: s.p.form.ID, Version: s.p.form.Version,
		Values: s.collect(func(n *node, _ *cell) bool { return n.field.Kind != KindComputed }),
	}
	s.each(func(n *node, c *cell, row int) {
		path := s.path(n, row)
		if c.raw != "" {
			if d.Raw == nil {
				d.Raw = map[Path]string{}
			}
			d.Raw[path] = c.raw
		}
		if c.source != nil {
			if d.Sources == nil {
				d.Sources = map[Path]Source{}
			}
			d.Sources[path] = *c.source
		}
		if c.touched {
			d.Touched = append(d.Touched, path)
		}
	})
	return d
}

// Restore brings a draft back, also one of another version of the form: answers are matched by field id. It returns the
// paths of answers that found no place, so that the clerk can be told; nothing else is lost.
func (s *Session) Restore(d Draft) (lost []Path) {
	s.rows = map[int][]*row{}
	for _, n := range s.an.nodes {
		if n.group < 0 {
			s.root[n.slot].reset(n)
		}
	}
	put := func(path Path, v any) {
		n, c, pl := s.find(path)
		if c == nil || n.field.Kind == KindComputed || n.field.Kind == KindNote || n.field.Kind == KindGroup {
			lost = append(lost, path)
			return
		}
		s.assign(n, c, pl.part, v)
		if c.value == nil && c.raw == "" && v != "" {
			c.bad = nil
			lost = append(lost, path)
		}
	}
	for _, id := range sortedKeys(d.Values) {
		rows, isRows := d.Values[id].([]any)
		i, known := s.an.byID[id]
		if !known || s.an.nodes[i].field.Kind != KindGroup || !isRows {
			put(Path(id), d.Values[id])
			continue
		}
		for r, e := range rows {
			m, _ := e.(map[string]any)
			s.rows[i] = append(s.rows[i], s.newRow(s.an.nodes[i]))
			for _, child := range sortedKeys(m) {
				put(RowPath(id, r, child), m[child])
			}
		}
	}
	for _, path := range sortedPaths(d.Raw) {
		put(path, d.Raw[path])
	}
	for path, src := range d.Sources {
		if _, c, _ := s.find(path); c != nil && !c.empty() {
			c.source = &src
		}
	}
	for _, path := range d.Touched {
		if _, c, _ := s.find(path); c != nil {
			c.touched = true
		}
	}
	s.markAll()
	s.run()
	return lost
}

func sortedPaths[V any](m map[Path]V) []Path {
	keys := make([]Path, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
