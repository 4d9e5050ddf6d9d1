package window

import "fmt"

// misplaced returns what can be tapped and is not among the places that programs are told, or elsewhere.
func misplaced(root Place, targets []target) []string {
	told := map[string]bool{}
	var visit func(p Place)
	visit = func(p Place) {
		if p.Kind != PlaceText && p.Kind != PlaceGroup && !p.Off {
			told[box{p.X, p.Y, p.X + p.W, p.Y + p.H}.String()] = true
		}
		for _, c := range p.In {
			visit(c)
		}
	}
	visit(root)
	var out []string
	for _, t := range targets {
		if !told[t.at.String()] {
			out = append(out, fmt.Sprintf("where %s is (%v) is not told", t.name, t.at))
		}
	}
	return out
}
