package glyph

import "math"

// Large fonts are set like books: a horizontal stroke is a fiftieth of the em, half a dot on a slip, and would vanish there.
// So what is borrowed from them gets heavier, mostly upwards and downwards: a fiftieth becomes a twenty-third.
const (
	heavierX = 4 // on each side, in units of Em
	heavierY = 12
)

// Share of the em that strokes cover, up to which a character gets heavier in full, and from which not at all: where there are
// too many strokes for the dots, heavier ones make a blot.
const (
	airy  = 0.25
	dense = 0.45
)

// thin are the parts of file names of fonts that are set like books.
var thin = []string{"hanamin", "hanazono", "simsun", "bz-ming", "jigmo", "song", "serif", "ming", "twfortyfive"}

// heavier moves every point of an outline outwards, as FreeType's FT_Outline_EmboldenXY does.
func (o *Outline) heavier(dx, dy float64) {
	contours := o.contours()
	area := 0.0
	for _, c := range contours {
		for i, p := range c {
			q := c[(i+1)%len(c)]
			area += float64(p.X)*float64(q.Y) - float64(q.X)*float64(p.Y)
		}
	}
	side := 1.0 // the outside lies to the left of the way round
	if area > 0 {
		side = -1
	}
	black := math.Abs(area) / 2 / (Em * Em)
	side *= min(1, max(0, (dense-black)/(dense-airy)))
	for _, c := range contours {
		moved := make([]Point, len(c))
		for i, p := range c {
			x, y := outwards(*c[(i+len(c)-1)%len(c)], *p, *c[(i+1)%len(c)], dx, dy)
			moved[i] = Point{p.X + float32(side*x), p.Y + float32(side*y)}
		}
		for i, p := range c {
			*p = moved[i]
		}
	}
	o.close()
}

// contours returns the points of each contour in order, those off the curve too. A contour that comes back to its beginning
// has that point once.
func (o *Outline) contours() [][]*Point {
	var out [][]*Point
	for i := range o.Segments {
		s := &o.Segments[i]
		if s.Op == Move {
			out = append(out, nil)
		}
		if len(out) == 0 {
			continue // an outline begins with a Move
		}
		c := &out[len(out)-1]
		for k := range s.points() {
			if n := len(*c); n > 0 && *(*c)[n-1] == s.P[k] {
				continue // no direction leads from a point to itself
			}
			*c = append(*c, &s.P[k])
		}
	}
	for i, c := range out {
		if n := len(c); n > 1 && *c[0] == *c[n-1] {
			out[i] = c[:n-1]
		}
	}
	return out
}

// points is how many points a segment has.
func (s *Segment) points() int {
	switch s.Op {
	case Quad:
		return 2
	case Cubic:
		return 3
	}
	return 1
}

// close leads contours back to where their beginning is now.
func (o *Outline) close() {
	from := 0
	for i := 1; i <= len(o.Segments); i++ {
		if i < len(o.Segments) && o.Segments[i].Op != Move {
			continue
		}
		if end := &o.Segments[i-1]; i-1 > from {
			end.P[end.points()-1] = o.Segments[from].P[0]
		}
		from = i
	}
}

// outwards returns how far a point between two others moves so that both its edges move by dx and dy, to the left of the way.
// At sharp corners it moves no farther than the shorter edge is long.
func outwards(before, p, after Point, dx, dy float64) (x, y float64) {
	inX, inY, inLen := way(before, p)
	outX, outY, outLen := way(p, after)
	d := inX*outX + inY*outY
	if inLen == 0 || outLen == 0 || d <= -0.9375 { // turns back
		return 0, 0
	}
	d++
	x, y = -(inY + outY), inX+outX
	turn, least := math.Abs(outX*inY-outY*inX), min(inLen, outLen)
	scale := func(strength float64) float64 {
		if strength*turn <= least*d {
			return strength / d
		}
		return least / turn
	}
	return x * scale(dx), y * scale(dy)
}

// way is the direction from a point to another, and how far it is.
func way(a, b Point) (x, y, length float64) {
	x, y = float64(b.X)-float64(a.X), float64(b.Y)-float64(a.Y)
	if length = math.Hypot(x, y); length == 0 {
		return 0, 0, 0
	}
	return x / length, y / length, length
}
