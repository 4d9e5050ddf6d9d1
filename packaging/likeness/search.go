package likeness

import (
	"fmt"
	"image"
	"math"
	"slices"
)

// search looks for one text on one picture.
type search struct {
	pic     *picture
	size    float64
	own     []*ref
	others  [][]*ref
	patches map[patchKey]*patch
}

type patchKey struct {
	key
	dx, dy, wide float64
}

// phases are the fractions of a pixel at which a character may begin.
var phases = []float64{0, 0.25, 0.5, 0.75}

func (s *search) patch(c *ref, dx, dy, wide float64) *patch {
	k := patchKey{c.key, dx, dy, wide}
	if s.patches[k] == nil {
		s.patches[k] = c.scaled(s.size, dx, dy, wide)
	}
	return s.patches[k]
}

// place is where a character begins: the left end of its base line, whole pixels and a fraction.
type place struct {
	x, y   int // upper left corner of its box
	dx, dy float64
	like   float64
}

func (p place) left() float64 { return float64(p.x) + p.dx }

// mostBegins is how many places are tried at which the text may begin.
const mostBegins = 12

// text finds all characters; of several places at which the text may stand it takes the one where the worst of them is best.
func (s *search) text(runes []rune) ([]Cell, error) {
	var best []Cell
	worst := -1.0
	for _, b := range s.begins() {
		cells := s.from(b, runes)
		least := 0.0
		if len(cells) == len(runes) {
			least = 1
			for _, c := range cells {
				least = min(least, c.Like)
			}
		}
		if len(cells) > len(best) || len(cells) == len(best) && least > worst {
			best, worst = cells, least
		}
	}
	if len(best) < len(runes) {
		return best, fmt.Errorf("%w: of %d characters %d are there, and then not %q", ErrUnlike, len(runes), len(best), runes[len(best)])
	}
	for _, c := range best {
		switch {
		case c.Like < Least:
			return best, fmt.Errorf("%w: %s is not like itself", ErrUnlike, c)
		case c.Like < c.Next+Margin:
			return best, fmt.Errorf("%w: %s may be another", ErrUnlike, c)
		}
	}
	return best, nil
}

// begins returns where the first character may stand, likeliest first.
func (s *search) begins() []place {
	var all []place
	first := s.own[0]
	for y := range s.pic.h {
		for x := range s.pic.w {
			p := s.at(first, x, y, []float64{0.25})
			if p.like > Least/2 {
				all = append(all, p)
			}
		}
	}
	slices.SortFunc(all, func(a, b place) int {
		switch {
		case a.like > b.like:
			return -1
		case a.like < b.like:
			return 1
		}
		return 0
	})
	var out []place
	for _, p := range all {
		near := slices.ContainsFunc(out, func(o place) bool { return abs(o.x-p.x) < 3 && abs(o.y-p.y) < 3 })
		if !near {
			out = append(out, s.around(first, p.x, p.y, 1, 1))
		}
		if len(out) == mostBegins {
			break
		}
	}
	return out
}

// at returns the best fraction of a pixel for a character at a place.
func (s *search) at(c *ref, x, y int, fractions []float64) place {
	best := place{x: x, y: y}
	for _, dy := range fractions {
		for _, dx := range fractions {
			if l := s.pic.like(s.patch(c, dx, dy, c.advance), x, y); l > best.like {
				best = place{x, y, dx, dy, l}
			}
		}
	}
	return best
}

// around returns the best place for a character near a place.
func (s *search) around(c *ref, x, y, reachX, reachY int) place {
	best := place{x: x, y: y}
	for yy := y - reachY; yy <= y+reachY; yy++ {
		for xx := x - reachX; xx <= x+reachX; xx++ {
			if p := s.at(c, xx, yy, phases); p.like > best.like {
				best = p
			}
		}
	}
	return best
}

// from finds the characters from a place on, as many as are there.
func (s *search) from(begin place, runes []rune) []Cell {
	var out []Cell
	at := begin
	for i, r := range runes {
		if i > 0 {
			next := at.left() + s.own[i-1].advance*s.size
			p := s.around(s.own[i], int(math.Floor(next)), at.y, 2, 1)
			if p.like < Least && i+1 <= len(runes) {
				if q := s.below(s.own[i], begin, at); q.like > p.like {
					p = q
				}
			}
			at = p
		}
		if at.like < Least/2 {
			return out
		}
		cell := Cell{Rune: r, At: image.Pt(at.x, at.y), Like: at.like}
		for _, o := range s.others[i] {
			// The other one is compared over the room of this one, wherever it fits best.
			for yy := at.y - 1; yy <= at.y+1; yy++ {
				for xx := at.x - 1; xx <= at.x+1; xx++ {
					for _, dy := range []float64{0, 0.5} {
						for _, dx := range []float64{0, 0.5} {
							if l := s.pic.like(s.patch(o, dx, dy, s.own[i].advance), xx, yy); l > cell.Next {
								cell.Next, cell.Other = l, o.r
								if o.font == codeBox || o.r == 0xFFFF {
									cell.Other = 0
								}
							}
						}
					}
				}
			}
		}
		out = append(out, cell)
	}
	return out
}

// below looks for a character at the beginning of the next line.
func (s *search) below(c *ref, begin, at place) place {
	best := place{}
	for y := at.y + int(s.size*0.9); y <= at.y+int(s.size*2); y++ {
		for x := begin.x - int(s.size); x <= begin.x+int(s.size); x++ {
			if p := s.at(c, x, y, []float64{0, 0.5}); p.like > best.like {
				best = p
			}
		}
	}
	return s.around(c, best.x, best.y, 1, 1)
}
