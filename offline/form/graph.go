package form

import "strings"

// connect turns references into edges: from what is read to what reads it.
func (an *analysis) connect() {
	link := func(from int, e edge) {
		for _, have := range an.nodes[from].out {
			if have == e {
				return
			}
		}
		an.nodes[from].out = append(an.nodes[from].out, e)
	}
	for _, n := range an.nodes {
		for role, e := range n.exprs {
			if e == nil || role == roleInitial {
				continue
			}
			for _, u := range e.refs {
				link(u.node, edge{to: n.idx, role: role, row: u.row})
			}
		}
		switch {
		case n.field == nil:
		case n.group >= 0:
			link(n.group, edge{to: n.idx, role: roleParent})
		default:
			link(n.section, edge{to: n.idx, role: roleParent})
		}
	}
}

// order gives every node its rank, so that a node comes after all that decides its value. Only relevance and calculation
// count: what is required, read-only or constrained decides no value. It returns the nodes of a circle, if there is one.
func (an *analysis) order() []*node {
	const (
		fresh = iota
		open
		done
	)
	state := make([]int, len(an.nodes))
	rank := len(an.nodes)
	var path, cycle []*node
	var visit func(i int) bool
	visit = func(i int) bool {
		state[i] = open
		path = append(path, an.nodes[i])
		for _, e := range an.nodes[i].out {
			if e.role != roleRelevant && e.role != roleCalculate && e.role != roleParent {
				continue
			}
			if state[e.to] == open {
				for j, n := range path {
					if n.idx == e.to {
						cycle = append(cycle, path[j:]...)
					}
				}
				return false
			}
			if state[e.to] == fresh && !visit(e.to) {
				return false
			}
		}
		path = path[:len(path)-1]
		state[i] = done
		rank--
		an.nodes[i].rank = rank
		return true
	}
	// Last first, so that nodes without ties keep their reading order.
	for i := len(an.nodes) - 1; i >= 0; i-- {
		if state[i] == fresh && !visit(i) {
			return cycle
		}
	}
	return nil
}

func (an *analysis) describe(cycle []*node) string {
	var names []string
	for _, n := range append(cycle, cycle[0]) {
		switch {
		case n.field == nil:
			names = append(names, "section "+n.ptr)
		case n.group >= 0:
			names = append(names, an.nodes[n.group].field.ID+"."+n.field.ID)
		default:
			names = append(names, n.field.ID)
		}
	}
	return strings.Join(names, " → ")
}
