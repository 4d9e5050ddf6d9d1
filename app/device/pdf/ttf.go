package pdf

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"bianmin/offline/paper"
)

// The interface font has CFF outlines, and gopdf embeds TrueType only. So a TrueType font is made for each document: the
// characters that stand in it and no others, from the interface font, and rare ones from where the face finds them. Cubic
// curves become quadratic ones, closer than half a unit of a thousandth of the em.

// Vertical measures of the font in units of paper.Em.
const (
	ascent  = 880
	descent = -120
)

// point is a point of a TrueType outline: y grows upwards.
type point struct {
	x, y int16
	on   bool
}

// glyph is a shape with its width.
type glyph struct {
	contours [][]point
	advance  uint16
}

// subset returns a TrueType font with the characters of a text.
func subset(face *paper.Face, runes []rune) []byte {
	runes = slices.Compact(slices.Sorted(slices.Values(runes)))
	glyphs := make([]glyph, 1, len(runes)+1) // the first is for what is missing
	missing, _ := face.Outline(0xffff)
	glyphs[0] = quadratic(missing)
	for _, r := range runes {
		o, _ := face.Outline(r)
		glyphs = append(glyphs, quadratic(o))
	}
	return font(runes, glyphs)
}

// quadratic turns an outline into contours of TrueType.
func quadratic(o paper.Outline) glyph {
	g := glyph{advance: uint16(max(0, o.Advance.Round()))}
	var c []point
	var at fixed.Point26_6
	add := func(p fixed.Point26_6, on bool) { c = append(c, point{unit(p.X), -unit(p.Y), on}) }
	flush := func() {
		if n := len(c); n > 1 && c[n-1] == c[0] {
			c = c[:n-1]
		}
		if len(c) > 2 {
			g.contours = append(g.contours, c)
		}
		c = nil
	}
	for _, s := range o.Segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			flush()
			add(s.Args[0], true)
			at = s.Args[0]
		case sfnt.SegmentOpLineTo:
			add(s.Args[0], true)
			at = s.Args[0]
		case sfnt.SegmentOpQuadTo:
			add(s.Args[0], false)
			add(s.Args[1], true)
			at = s.Args[1]
		case sfnt.SegmentOpCubeTo:
			for _, q := range cubic(at, s.Args[0], s.Args[1], s.Args[2]) {
				add(q[0], false)
				add(q[1], true)
			}
			at = s.Args[2]
		}
	}
	flush()
	return g
}

func unit(v fixed.Int26_6) int16 { return int16(v.Round()) }

// cubic turns a cubic curve into quadratic ones: each its control point and its end. The distance between a cubic curve and
// the quadratic one with the same ends and middle is at most √3/36 of its third difference, and an eighth of that for each
// halving of its parameter.
func cubic(p0, p1, p2, p3 fixed.Point26_6) [][2]fixed.Point26_6 {
	const near = 0.5 * 64 // half a unit
	f := func(p fixed.Point26_6) (x, y float64) { return float64(p.X), float64(p.Y) }
	x0, y0 := f(p0)
	x1, y1 := f(p1)
	x2, y2 := f(p2)
	x3, y3 := f(p3)
	third := math.Hypot(x3-3*x2+3*x1-x0, y3-3*y2+3*y1-y0)
	n := max(1, int(math.Ceil(math.Cbrt(math.Sqrt(3)/36*third/near))))
	at := func(t float64) (x, y float64) {
		u := 1 - t
		a, b, c, d := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
		return a*x0 + b*x1 + c*x2 + d*x3, a*y0 + b*y1 + c*y2 + d*y3
	}
	slope := func(t float64) (x, y float64) {
		u := 1 - t
		a, b, c := 3*u*u, 6*u*t, 3*t*t
		return a*(x1-x0) + b*(x2-x1) + c*(x3-x2), a*(y1-y0) + b*(y2-y1) + c*(y3-y2)
	}
	out := make([][2]fixed.Point26_6, 0, n)
	step := 1 / float64(n)
	for i := range n {
		t := float64(i) * step
		ax, ay := at(t)
		bx, by := at(t + step)
		sx, sy := slope(t)
		ex, ey := slope(t + step)
		// control point of the quadratic with the same ends and the mean of both slopes' control points
		cx := (ax + sx*step/2 + bx - ex*step/2) / 2
		cy := (ay + sy*step/2 + by - ey*step/2) / 2
		p := func(x, y float64) fixed.Point26_6 {
			return fixed.Point26_6{X: fixed.Int26_6(math.Round(x)), Y: fixed.Int26_6(math.Round(y))}
		}
		out = append(out, [2]fixed.Point26_6{p(cx, cy), p(bx, by)})
	}
	out[n-1][1] = p3
	return out
}

// font writes a TrueType font (ISO/IEC 14496-22): runes[i] has glyphs[i+1].
func font(runes []rune, glyphs []glyph) []byte {
	var glyf, loca, hmtx buf
	box := [4]int16{math.MaxInt16, math.MaxInt16, math.MinInt16, math.MinInt16}
	most, mostContours := 0, 0
	for _, g := range glyphs {
		loca.u32(uint32(len(glyf.b)))
		low, high := bounds(g)
		hmtx.u16(g.advance)
		hmtx.u16(uint16(low.x))
		if len(g.contours) == 0 {
			continue
		}
		box[0], box[1] = min(box[0], low.x), min(box[1], low.y)
		box[2], box[3] = max(box[2], high.x), max(box[3], high.y)
		n := 0
		for _, c := range g.contours {
			n += len(c)
		}
		most, mostContours = max(most, n), max(mostContours, len(g.contours))
		g.write(&glyf, low, high)
		for len(glyf.b)%4 != 0 {
			glyf.b = append(glyf.b, 0)
		}
	}
	loca.u32(uint32(len(glyf.b)))
	if box[0] > box[2] {
		box = [4]int16{}
	}
	n := uint16(len(glyphs))
	var head, hhea, maxp, os2, post, name buf
	head.u16(1, 0, 1, 0, 0, 0)
	head.u32(0x5f0f3cf5)
	head.u16(3, paper.Em)
	head.u32(0, 0, 0, 0)
	head.i16(box[:]...)
	head.u16(0, 8, 2, 1, 0) // long offsets in loca
	hhea.u16(1, 0)
	hhea.i16(ascent, descent, 0)
	hhea.u16(paper.Em)
	hhea.i16(0, 0, box[2], 1, 0, 0, 0, 0, 0, 0, 0)
	hhea.u16(n)
	maxp.u16(1, 0, n, uint16(most), uint16(mostContours), 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
	os2.u16(3, paper.Em, 400, 5, 0) // fsType 0: may be embedded
	for range 11 {
		os2.u16(0)
	}
	for range 10 {
		os2.b = append(os2.b, 0) // panose
	}
	os2.u32(0, 0, 0, 0)
	os2.b = append(os2.b, "BMIN"...)
	os2.u16(0x40, 0x20, 0xffff)
	os2.i16(ascent, descent, 0, ascent, -descent)
	os2.u32(0, 0)
	os2.i16(500, 733)
	os2.u16(0, 0x20, 0)
	post.u16(3, 0)
	post.u32(0)
	post.i16(-100, 50)
	post.u32(0, 0, 0, 0, 0)
	const called = "BianminSubset" // UTF-16
	name.u16(0, 1, 6+12, 3, 1, 0x409, 6, 2*uint16(len(called)), 0)
	for _, r := range called {
		name.u16(uint16(r))
	}
	return tables(map[string][]byte{
		"head": head.b, "hhea": hhea.b, "maxp": maxp.b, "OS/2": os2.b, "post": post.b, "name": name.b,
		"hmtx": hmtx.b, "loca": loca.b, "glyf": glyf.b, "cmap": cmap(runes),
	})
}

// bounds is the box of a glyph.
func bounds(g glyph) (low, high point) {
	if len(g.contours) == 0 {
		return low, high
	}
	low, high = g.contours[0][0], g.contours[0][0]
	for _, c := range g.contours {
		for _, p := range c {
			low.x, low.y = min(low.x, p.x), min(low.y, p.y)
			high.x, high.y = max(high.x, p.x), max(high.y, p.y)
		}
	}
	return low, high
}

// write writes a simple glyph, each coordinate in two bytes.
func (g glyph) write(b *buf, low, high point) {
	b.i16(int16(len(g.contours)), low.x, low.y, high.x, high.y)
	end := -1
	for _, c := range g.contours {
		end += len(c)
		b.u16(uint16(end))
	}
	b.u16(0) // no instructions
	for _, c := range g.contours {
		for _, p := range c {
			flag := byte(0)
			if p.on {
				flag = 1
			}
			b.b = append(b.b, flag)
		}
	}
	var x, y int16
	for _, c := range g.contours {
		for _, p := range c {
			b.i16(p.x - x)
			x = p.x
		}
	}
	for _, c := range g.contours {
		for _, p := range c {
			b.i16(p.y - y)
			y = p.y
		}
	}
}

// cmap writes the mapping twice: format 4 for the basic plane, format 12 for all.
func cmap(runes []rune) []byte {
	var four, twelve buf
	basic := runes[:0:0]
	for _, r := range runes {
		if r < 0xffff {
			basic = append(basic, r)
		}
	}
	segments := uint16(len(basic) + 1) // one a character, and the last
	power, log := uint16(1), uint16(0)
	for power*2 <= segments {
		power, log = power*2, log+1
	}
	four.u16(4, 16+8*segments, 0, 2*segments, 2*power, log, 2*segments-2*power)
	for _, r := range basic {
		four.u16(uint16(r))
	}
	four.u16(0xffff, 0)
	for _, r := range basic {
		four.u16(uint16(r))
	}
	four.u16(0xffff)
	for i, r := range basic { // runes are ascending, so basic ones have the first glyphs
		four.u16(uint16(i+1) - uint16(r))
	}
	four.u16(1)
	for range segments {
		four.u16(0)
	}
	twelve.u16(12, 0)
	twelve.u32(uint32(16+12*len(runes)), 0, uint32(len(runes)))
	for i, r := range runes {
		twelve.u32(uint32(r), uint32(r), uint32(i+1))
	}
	var out buf
	const head = 4 + 2*8
	out.u16(0, 2)
	out.u16(3, 1)
	out.u32(head)
	out.u16(3, 10)
	out.u32(uint32(head + len(four.b)))
	return append(append(out.b, four.b...), twelve.b...)
}

// tables puts a font together.
func tables(all map[string][]byte) []byte {
	var names []string
	for n := range all {
		names = append(names, n)
	}
	slices.Sort(names)
	power, log := uint16(1), uint16(0)
	for int(power)*2 <= len(names) {
		power, log = power*2, log+1
	}
	var out, data buf
	out.u32(0x00010000)
	out.u16(uint16(len(names)), 16*power, log, 16*uint16(len(names))-16*power)
	start := 12 + 16*len(names)
	for _, n := range names {
		t := all[n]
		out.b = append(out.b, n...)
		out.u32(sum(t), uint32(start+len(data.b)), uint32(len(t)))
		data.b = append(data.b, t...)
		for len(data.b)%4 != 0 {
			data.b = append(data.b, 0)
		}
	}
	return append(out.b, data.b...)
}

// sum is the checksum of a table.
func sum(t []byte) uint32 {
	t = append(bytes.Clone(t), make([]byte, (4-len(t)%4)%4)...)
	var s uint32
	for ; len(t) > 0; t = t[4:] {
		s += binary.BigEndian.Uint32(t)
	}
	return s
}

// buf writes numbers big-endian.
type buf struct{ b []byte }

func (b *buf) u16(v ...uint16) {
	for _, n := range v {
		b.b = binary.BigEndian.AppendUint16(b.b, n)
	}
}

func (b *buf) i16(v ...int16) {
	for _, n := range v {
		b.b = binary.BigEndian.AppendUint16(b.b, uint16(n))
	}
}

func (b *buf) u32(v ...uint32) {
	for _, n := range v {
		b.b = binary.BigEndian.AppendUint32(b.b, n)
	}
}
