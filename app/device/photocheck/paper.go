package photocheck

import (
	"image"
	"math"
)

// component is a connected patch of points.
type component struct {
	size                     int
	left, top, right, bottom int
	ends                     quad // the points furthest to the upper left, upper right, lower right, lower left
	turned                   quad // the points furthest up, right, down, left
}

// components returns the connected patches of a mask; points touch at their edges.
func components(mask []bool, stride, height int) []component {
	seen := make([]bool, len(mask))
	var out []component
	var stack []int
	for start, on := range mask {
		if !on || seen[start] {
			continue
		}
		sx, sy := start%stride, start/stride
		at := image.Pt(sx, sy)
		c := component{left: sx, right: sx, top: sy, bottom: sy, ends: quad{at, at, at, at}, turned: quad{at, at, at, at}}
		stack = append(stack[:0], start)
		seen[start] = true
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			c.add(i%stride, i/stride)
			x := i % stride
			for _, n := range [4]int{i - stride, i + stride, i - 1, i + 1} {
				if n < 0 || n >= stride*height || n == i-1 && x == 0 || n == i+1 && x == stride-1 || seen[n] || !mask[n] {
					continue
				}
				seen[n] = true
				stack = append(stack, n)
			}
		}
		out = append(out, c)
	}
	return out
}

func (c *component) add(x, y int) {
	c.size++
	c.left, c.right, c.top, c.bottom = min(c.left, x), max(c.right, x), min(c.top, y), max(c.bottom, y)
	p := image.Pt(x, y)
	if x+y < c.ends[0].X+c.ends[0].Y {
		c.ends[0] = p
	}
	if x-y > c.ends[1].X-c.ends[1].Y {
		c.ends[1] = p
	}
	if x+y > c.ends[2].X+c.ends[2].Y {
		c.ends[2] = p
	}
	if x-y < c.ends[3].X-c.ends[3].Y {
		c.ends[3] = p
	}
	if y < c.turned[0].Y {
		c.turned[0] = p
	}
	if x > c.turned[1].X {
		c.turned[1] = p
	}
	if y > c.turned[2].Y {
		c.turned[2] = p
	}
	if x < c.turned[3].X {
		c.turned[3] = p
	}
}

// findPaper looks for one four-cornered thing that lies wholly in the picture: bright on dark ground, or dark on bright.
func findPaper(g *image.Gray) (quad, bool) {
	smooth := blur(g)
	limit := otsu(smooth)
	w, h := smooth.Rect.Dx(), smooth.Rect.Dy()
	best, found := quad{}, false
	for _, bright := range []bool{true, false} {
		mask := make([]bool, len(smooth.Pix))
		for i, v := range smooth.Pix {
			mask[i] = v > limit == bright
		}
		fillHoles(mask, w, h)
		for _, c := range components(mask, w, h) {
			if float64(c.size) < leastPaper*float64(w*h) || c.left < frameMargin || c.top < frameMargin ||
				c.right >= w-frameMargin || c.bottom >= h-frameMargin {
				continue
			}
			// Of a paper that lies straight the ends on the diagonals are its corners, of one that is turned those up, right,
			// down and left: the larger shape is the right one.
			q := c.ends
			if c.turned.area() > q.area() {
				q = c.turned
			}
			if fill := float64(c.size) / q.area(); fill < leastFill || fill > 2-leastFill {
				continue
			}
			if !found || q.area() > best.area() {
				best, found = q, true
			}
		}
	}
	return best, found
}

// fillHoles turns on what is off and not joined to the frame: print on the paper.
func fillHoles(mask []bool, w, h int) {
	outside := make([]bool, len(mask))
	var stack []int
	push := func(i int) {
		if !mask[i] && !outside[i] {
			outside[i] = true
			stack = append(stack, i)
		}
	}
	for x := range w {
		push(x)
		push((h-1)*w + x)
	}
	for y := range h {
		push(y * w)
		push(y*w + w - 1)
	}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		x := i % w
		if i >= w {
			push(i - w)
		}
		if i+w < w*h {
			push(i + w)
		}
		if x > 0 {
			push(i - 1)
		}
		if x < w-1 {
			push(i + 1)
		}
	}
	for i := range mask {
		mask[i] = mask[i] || !outside[i]
	}
}

// blur returns the mean of each point's surroundings, so that grain and print do not tear the paper.
func blur(g *image.Gray) *image.Gray {
	const r = 2
	w, h := g.Rect.Dx(), g.Rect.Dy()
	pass := func(in []byte, w, h, step, line int) []byte {
		out := make([]byte, w*h)
		for y := range h {
			sum, n := 0, 0
			at := func(x int) int { return int(in[y*line+x*step]) }
			for x := range min(r, w) {
				sum, n = sum+at(x), n+1
			}
			for x := range w {
				if x+r < w {
					sum, n = sum+at(x+r), n+1
				}
				if x-r-1 >= 0 {
					sum, n = sum-at(x-r-1), n-1
				}
				out[y*line+x*step] = byte(sum / n)
			}
		}
		return out
	}
	pix := make([]byte, 0, w*h)
	for y := range h {
		pix = append(pix, g.Pix[y*g.Stride:y*g.Stride+w]...)
	}
	pix = pass(pix, w, h, 1, w)
	pix = pass(pix, h, w, w, 1)
	return &image.Gray{Pix: pix, Stride: w, Rect: image.Rect(0, 0, w, h)}
}

// otsu returns the brightness that parts a picture best into dark and bright.
func otsu(g *image.Gray) byte {
	var hist [256]float64
	var total, sum float64
	for _, v := range g.Pix {
		hist[v]++
	}
	for v, n := range hist {
		total += n
		sum += float64(v) * n
	}
	best, limit := -1.0, byte(127)
	var below, belowSum float64
	for v, n := range hist {
		below += n
		belowSum += float64(v) * n
		if below == 0 || below == total {
			continue
		}
		d := belowSum/below - (sum-belowSum)/(total-below)
		if between := below * (total - below) * d * d; between > best && !math.IsNaN(between) {
			best, limit = between, byte(v)
		}
	}
	return limit
}
