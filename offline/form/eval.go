package form

import (
	"container/heap"
	"slices"

	"cel.dev/cel-go/common/types"
)

// Bits beside the roles.
const (
	bitParent  = 1 << 6 // the section or group was shown or hidden
	bitValue   = 1 << 7 // a value was set, or rows were added or removed
	roleParent = 6
	allRoles   = 1<<roleRelevant | 1<<roleCalculate | sinkRoles | bitParent | bitValue
	sinkRoles  = 1<<roleRequired | 1<<roleReadOnly | 1<<roleConstraint
)

// cellKey is the place of a cell: node and row, -1 outside groups.
type cellKey struct{ node, row int }

// queue holds the cells to settle, in rank order.
type queue struct {
	keys []cellKey
	an   *analysis
}

// Len implements heap.Interface.
func (q *queue) Len() int { return len(q.keys) }

// Less implements heap.Interface.
func (q *queue) Less(i, j int) bool {
	a, b := q.keys[i], q.keys[j]
	if ra, rb := q.an.nodes[a.node].rank, q.an.nodes[b.node].rank; ra != rb {
		return ra < rb
	}
	return a.row < b.row
}

// Swap implements heap.Interface.
func (q *queue) Swap(i, j int) { q.keys[i], q.keys[j] = q.keys[j], q.keys[i] }

// Push implements heap.Interface.
func (q *queue) Push(x any) { q.keys = append(q.keys, x.(cellKey)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	k := q.keys[len(q.keys)-1]
	q.keys = q.keys[:len(q.keys)-1]
	return k
}

func (s *Session) at(n *node, row int) *cell {
	if n.group < 0 {
		return &s.root[n.slot]
	}
	rows := s.rows[n.group]
	if row < 0 || row >= len(rows) {
		return nil
	}
	return &rows[row].cells[n.slot]
}

func (s *Session) mark(k cellKey, bits uint8) {
	old, queued := s.dirty[k]
	s.dirty[k] = old | bits
	if !queued {
		heap.Push(&s.queue, k)
	}
}

func (s *Session) markAll() {
	for _, n := range s.an.nodes {
		if n.group < 0 {
			s.mark(cellKey{n.idx, -1}, allRoles)
			continue
		}
		for r := range s.rows[n.group] {
			s.mark(cellKey{n.idx, r}, allRoles)
		}
	}
}

// run settles what is marked and all that depends on it: first who is shown and what is computed, in rank order, then
// what decides no value. Each cell is settled once, and again only when a correction closed fields that had been filled in.
func (s *Session) run() []Change {
	s.settleAll()
	for s.undo() { // each round empties fields and fills none
		s.settleAll()
	}
	return s.changes()
}

func (s *Session) settleAll() {
	for s.queue.Len() > 0 {
		k := heap.Pop(&s.queue).(cellKey)
		bits := s.dirty[k]
		delete(s.dirty, k)
		n := s.an.nodes[k.node]
		if c := s.at(n, k.row); c != nil {
			s.settle(n, c, k, bits)
		}
	}
	for k, bits := range s.sinks {
		delete(s.sinks, k)
		n := s.an.nodes[k.node]
		if c := s.at(n, k.row); c != nil && n.field != nil {
			s.sink(n, c, k, bits)
		}
	}
}

func (s *Session) settle(n *node, c *cell, k cellKey, bits uint8) {
	was := c.shown
	if prog := s.p.progs[n.idx][roleRelevant]; prog == nil {
		c.relevant = true
	} else if bits&(1<<roleRelevant) != 0 {
		c.relevant = s.holds(n, c, k, roleRelevant)
	}
	c.shown = c.relevant && s.parentShown(n)
	turned := was != c.shown
	changed := turned
	switch {
	case n.field == nil:
	case n.field.Kind == KindGroup:
		if changed = turned || bits&bitValue != 0; changed {
			c.val = nil
		}
	default:
		if n.field.Kind == KindComputed && c.shown && (turned || bits&(1<<roleCalculate) != 0) {
			c.value = nil
			v, ok, costly := s.eval(s.p.progs[n.idx][roleCalculate], n.group, k.row)
			c.note(roleCalculate, costly)
			if ok {
				c.value = s.rd.computed(n, v)
			}
		}
		changed = c.look(n, bits&bitValue != 0 || turned) || turned
	}
	if turned && c.shown {
		bits |= sinkRoles
	}
	if changed || bits&bitValue != 0 {
		s.changed[k] = true
		bits |= 1 << roleConstraint
	}
	if b := bits & sinkRoles; b != 0 && n.field != nil {
		s.sinks[k] |= b
	}
	if changed {
		s.spread(n, k, turned)
	}
}

func (s *Session) parentShown(n *node) bool {
	switch {
	case n.field == nil:
		return true
	case n.group >= 0:
		return s.at(s.an.nodes[n.group], -1).shown
	}
	return s.at(s.an.nodes[n.section], -1).shown
}

// spread marks what depends on n.
func (s *Session) spread(n *node, k cellKey, turned bool) {
	if n.group >= 0 {
		s.at(s.an.nodes[n.group], -1).val = nil
	}
	for _, e := range n.out {
		if e.role == roleParent && !turned {
			continue
		}
		t, bit := s.an.nodes[e.to], uint8(1)<<e.role
		switch {
		case t.group < 0:
			s.send(cellKey{t.idx, -1}, bit)
		case e.row:
			s.send(cellKey{t.idx, k.row}, bit)
		default:
			for r := range s.rows[t.group] {
				s.send(cellKey{t.idx, r}, bit)
			}
		}
	}
}

func (s *Session) send(k cellKey, bit uint8) {
	if bit&sinkRoles != 0 {
		s.sinks[k] |= bit
		return
	}
	s.mark(k, bit)
}

// sink evaluates what decides no value.
func (s *Session) sink(n *node, c *cell, k cellKey, bits uint8) {
	if !c.shown {
		return
	}
	required, readonly, violated, costly := c.required, c.readonly, c.violated, c.costly
	if bits&(1<<roleRequired) != 0 {
		c.required = s.holds(n, c, k, roleRequired)
	}
	if bits&(1<<roleReadOnly) != 0 {
		c.readonly = s.holds(n, c, k, roleReadOnly)
	}
	if bits&(1<<roleConstraint) != 0 {
		c.violated = false
		if prog := s.p.progs[n.idx][roleConstraint]; prog != nil && (n.field.Kind == KindGroup || c.value != nil) {
			v, ok, stopped := s.eval(prog, n.group, k.row)
			c.note(roleConstraint, stopped)
			c.violated = ok && v == types.False
		}
	}
	if required != c.required || readonly != c.readonly || violated != c.violated || costly != c.costly {
		s.changed[k] = true
	}
}

// holds evaluates a condition; no condition and no answer are false.
func (s *Session) holds(n *node, c *cell, k cellKey, role int) bool {
	prog := s.p.progs[n.idx][role]
	if prog == nil {
		return false
	}
	if n.exprs[role].src == "true" {
		return true
	}
	v, ok, costly := s.eval(prog, n.group, k.row)
	c.note(role, costly)
	return ok && v == types.True
}

func (c *cell) note(role int, costly bool) {
	c.costly &^= 1 << role
	if costly {
		c.costly |= 1 << role
	}
}

// Change says that the state of a field differs from before. Rows means that rows of this group were added or removed.
type Change struct {
	Path Path
	Rows bool
}

// changes returns what differs, in reading order, and forgets it.
func (s *Session) changes() []Change {
	keys := make([]cellKey, 0, len(s.changed))
	for k := range s.changed {
		if s.an.nodes[k.node].field != nil && s.at(s.an.nodes[k.node], k.row) != nil {
			keys = append(keys, k)
		}
	}
	clear(s.changed)
	slices.SortFunc(keys, s.readingOrder)
	out := make([]Change, 0, len(keys))
	for _, k := range keys {
		c := Change{Path: s.path(s.an.nodes[k.node], k.row)}
		c.Rows = k.node == s.regrouped
		out = append(out, c)
	}
	s.regrouped = -1
	return out
}

func (s *Session) readingOrder(a, b cellKey) int {
	outer := func(k cellKey) int {
		if g := s.an.nodes[k.node].group; g >= 0 {
			return g
		}
		return k.node
	}
	if d := outer(a) - outer(b); d != 0 {
		return d
	}
	if a.row != b.row {
		return a.row - b.row
	}
	return a.node - b.node
}
