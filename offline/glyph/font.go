package glyph

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
)

// spaces are the blanks that a text may have behind a rare character: whoever draws it takes them from the font of the
// character before them.
const spaces = "\u0020\u00a0\u2002\u2003\u3000"

// Font makes a TrueType font of just the characters of text that the interface font lacks, each once, and of blanks; nil when
// there is none. It is a few hundred bytes a character: for whoever draws with whole fonts only.
func (s *Source) Font(text string) []byte {
	var runes []rune
	for _, r := range text {
		if Lacks(r) && !slices.Contains(runes, r) {
			runes = append(runes, r)
		}
	}
	if len(runes) == 0 {
		return nil
	}
	var outlines []*Outline
	for _, r := range spaces {
		outlines = append(outlines, &Outline{Rune: r, Advance: blank(r)})
	}
	for _, r := range runes {
		outlines = append(outlines, s.Outline(r))
	}
	slices.SortFunc(outlines, func(a, b *Outline) int { return int(a.Rune - b.Rune) })
	return build(outlines)
}

// blank is how wide a blank is: as in the interface font, where that has it.
func blank(r rune) float32 {
	wide := map[rune]float32{'\u2002': Em / 2, '\u2003': Em, '\u3000': Em}
	var buf sfnt.Buffer
	if f := base(); f != nil {
		if x, err := f.GlyphIndex(&buf, r); err == nil && x != 0 {
			if a, err := f.GlyphAdvance(&buf, x, Em<<6, font.HintingNone); err == nil {
				return float32(a) / 64
			}
		}
	}
	return cmp.Or(wide[r], Em/4)
}

// build writes the tables of a TrueType font (ISO/IEC 14496-22), sorted by character.
func build(outlines []*Outline) []byte {
	var be binaryWriter
	glyphs := [][]byte{nil} // .notdef is empty
	points, contours := 0, 0
	for _, o := range outlines {
		g, p, c := glyf(o)
		glyphs = append(glyphs, g)
		points, contours = max(points, p), max(contours, c)
	}
	var glyfTable, loca, hmtx []byte
	for i, g := range glyphs {
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyfTable)))
		glyfTable = append(glyfTable, g...)
		advance, left := uint16(Em), int16(0)
		if i > 0 {
			advance = uint16(outlines[i-1].Advance)
			if len(g) > 4 {
				left = int16(binary.BigEndian.Uint16(g[2:]))
			}
		}
		hmtx = binary.BigEndian.AppendUint16(hmtx, advance)
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(left))
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyfTable)))
	n := uint16(len(glyphs))

	head := be.bytes(uint32(0x00010000), uint32(0x00010000), uint32(0), uint32(0x5F0F3CF5), uint16(3), uint16(Em), uint64(0), uint64(0),
		int16(0), int16(descent), int16(Em), int16(ascent), uint16(0), uint16(8), int16(2), int16(1), int16(0))
	up, down := line()
	hhea := be.bytes(uint32(0x00010000), up, down, int16(0), uint16(Em), int16(0), int16(0), int16(Em),
		int16(1), int16(0), int16(0), uint64(0), int16(0), n)
	maxp := be.bytes(uint32(0x00010000), n, uint16(points), uint16(contours), uint16(0), uint16(0), uint16(1), uint16(0), uint16(0),
		uint16(0), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0))
	os2 := be.bytes(uint16(4), int16(Em), uint16(400), uint16(5), uint16(0), int16(650), int16(600), int16(0), int16(75), int16(650),
		int16(600), int16(0), int16(350), int16(50), int16(258), int16(0), [10]byte{}, [4]uint32{}, [4]byte{'b', 'm', 'r', 'c'},
		uint16(0x40), uint16(first(outlines)), uint16(last(outlines)), up, down, int16(0), uint16(up),
		uint16(-down), [2]uint32{1, 0}, int16(500), int16(700), uint16(0), uint16(32), uint16(1))
	post := be.bytes(uint32(0x00030000), uint32(0), int16(-100), int16(50), uint32(0), [4]uint32{})
	name := names("Bianmin Rare")
	tables := []struct {
		tag  string
		data []byte
	}{
		{"OS/2", os2},
		{"cmap", cmap(outlines)},
		{"glyf", glyfTable},
		{"head", head},
		{"hhea", hhea},
		{"hmtx", hmtx},
		{"loca", loca},
		{"maxp", maxp},
		{"name", name},
		{"post", post},
	}
	count := uint16(len(tables))
	search := uint16(1) << uint(math.Log2(float64(count)))
	out := be.bytes(uint32(0x00010000), count, search*16, uint16(math.Log2(float64(count))), (count-search)*16)
	offset := len(out) + 16*len(tables)
	sum, headAt := uint32(0), 0
	var body []byte
	for _, t := range tables {
		if t.tag == "head" {
			headAt = offset + len(body)
		}
		out = append(out, t.tag...)
		out = append(out, be.bytes(checksum(t.data), uint32(offset+len(body)), uint32(len(t.data)))...)
		body = append(body, t.data...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	out = append(out, body...)
	sum = checksum(out)
	binary.BigEndian.PutUint32(out[headAt+8:], 0xB1B0AFBA-sum)
	return out
}

// line returns how far a line of the interface font reaches above and below the base line: a character that stands alone then
// stands where its neighbours do.
func line() (up, down int16) {
	if f := base(); f != nil {
		var buf sfnt.Buffer
		if m, err := f.Metrics(&buf, Em<<6, font.HintingNone); err == nil {
			return int16(m.Ascent.Round()), int16(-m.Descent.Round())
		}
	}
	return ascent, descent
}

func first(o []*Outline) rune { return min(o[0].Rune, 0xFFFF) }
func last(o []*Outline) rune  { return min(o[len(o)-1].Rune, 0xFFFF) }

// cmap writes format 12, which knows all planes, and for readers that want it format 4 of the first plane.
func cmap(outlines []*Outline) []byte {
	var be binaryWriter
	var bmp []*Outline
	var at []int
	for i, o := range outlines {
		if o.Rune < 0xFFFF {
			bmp = append(bmp, o)
			at = append(at, i+1)
		}
	}
	segs := len(bmp) + 1
	power := 1 << int(math.Log2(float64(segs)))
	four := be.bytes(uint16(4), uint16(16+8*segs), uint16(0), uint16(2*segs), uint16(2*power), uint16(math.Log2(float64(segs))), uint16(2*(segs-power)))
	for _, o := range bmp {
		four = append(four, be.bytes(uint16(o.Rune))...)
	}
	four = append(four, 0xFF, 0xFF, 0, 0)
	for _, o := range bmp {
		four = append(four, be.bytes(uint16(o.Rune))...)
	}
	four = append(four, 0xFF, 0xFF)
	for i, o := range bmp {
		four = append(four, be.bytes(uint16(at[i]-int(o.Rune)))...)
	}
	four = append(four, 0, 1)
	four = append(four, make([]byte, 2*segs)...)
	twelve := be.bytes(uint16(12), uint16(0), uint32(16+12*len(outlines)), uint32(0), uint32(len(outlines)))
	for i, o := range outlines {
		twelve = append(twelve, be.bytes(uint32(o.Rune), uint32(o.Rune), uint32(i+1))...)
	}
	out := be.bytes(uint16(0), uint16(2), uint16(3), uint16(1), uint32(20), uint16(3), uint16(10), uint32(20+len(four)))
	return append(append(out, four...), twelve...)
}

// names writes the family name, which readers ask for.
func names(family string) []byte {
	var be binaryWriter
	var text []byte
	for _, r := range family {
		text = binary.BigEndian.AppendUint16(text, uint16(r))
	}
	ids := []uint16{1, 4, 6}
	out := be.bytes(uint16(0), uint16(len(ids)), uint16(6+12*len(ids)))
	for _, id := range ids {
		out = append(out, be.bytes(uint16(3), uint16(1), uint16(0x409), id, uint16(len(text)), uint16(0))...)
	}
	return append(out, text...)
}

// glyf writes a simple glyph and says how many points and contours it has. Cubic curves become quadratic ones.
func glyf(o *Outline) (data []byte, points, contours int) {
	type point struct {
		x, y int16
		on   bool
	}
	var pts []point
	var ends []uint16
	round := func(p Point, on bool) point {
		return point{int16(math.Round(float64(p.X))), int16(math.Round(float64(p.Y))), on}
	}
	start := 0
	finish := func() {
		if n := len(pts); n > start {
			if n-start > 1 && pts[n-1].on && pts[n-1] == pts[start] {
				pts = pts[:n-1]
			}
			ends = append(ends, uint16(len(pts)-1))
			start = len(pts)
		}
	}
	var at Point
	for _, s := range o.Segments {
		switch s.Op {
		case Move:
			finish()
			pts = append(pts, round(s.P[0], true))
			at = s.P[0]
		case Line:
			pts = append(pts, round(s.P[0], true))
			at = s.P[0]
		case Quad:
			pts = append(pts, round(s.P[0], false), round(s.P[1], true))
			at = s.P[1]
		case Cubic:
			for _, q := range quads(at, s.P) {
				pts = append(pts, round(q[0], false), round(q[1], true))
			}
			at = s.P[2]
		}
	}
	finish()
	if len(pts) == 0 {
		return nil, 0, 0
	}
	x0, y0, x1, y1 := pts[0].x, pts[0].y, pts[0].x, pts[0].y
	for _, p := range pts {
		x0, y0, x1, y1 = min(x0, p.x), min(y0, p.y), max(x1, p.x), max(y1, p.y)
	}
	var be binaryWriter
	data = be.bytes(int16(len(ends)), x0, y0, x1, y1)
	for _, e := range ends {
		data = append(data, be.bytes(e)...)
	}
	data = append(data, 0, 0) // no instructions
	for _, p := range pts {
		if p.on {
			data = append(data, 1)
		} else {
			data = append(data, 0)
		}
	}
	var x, y int16
	for _, p := range pts {
		data = append(data, be.bytes(p.x-x)...)
		x = p.x
	}
	for _, p := range pts {
		data = append(data, be.bytes(p.y-y)...)
		y = p.y
	}
	for len(data)%4 != 0 {
		data = append(data, 0)
	}
	return data, len(pts), len(ends)
}

// quads cuts a cubic curve into four quadratic ones: at the size of characters nobody sees the difference.
func quads(from Point, p [3]Point) [][2]Point {
	const pieces = 4
	at := func(t float32) (pos, dir Point) {
		u := 1 - t
		f := func(a, b, c, d float32) (float32, float32) {
			return u*u*u*a + 3*u*u*t*b + 3*u*t*t*c + t*t*t*d, 3*u*u*(b-a) + 6*u*t*(c-b) + 3*t*t*(d-c)
		}
		pos.X, dir.X = f(from.X, p[0].X, p[1].X, p[2].X)
		pos.Y, dir.Y = f(from.Y, p[0].Y, p[1].Y, p[2].Y)
		return pos, dir
	}
	out := make([][2]Point, 0, pieces)
	a, da := at(0)
	for i := range pieces {
		b, db := at(float32(i+1) / pieces)
		// The control point of the quadratic with the same ends and the mean of the tangents.
		const h = 1.0 / pieces / 4
		out = append(out, [2]Point{{(a.X+b.X)/2 + h*(da.X-db.X), (a.Y+b.Y)/2 + h*(da.Y-db.Y)}, b})
		a, da = b, db
	}
	return out
}

func checksum(b []byte) uint32 {
	sum := uint32(0)
	for i := 0; i < len(b); i += 4 {
		var w [4]byte
		copy(w[:], b[i:])
		sum += binary.BigEndian.Uint32(w[:])
	}
	return sum
}

// binaryWriter writes values of fixed size one after another.
type binaryWriter struct{}

func (binaryWriter) bytes(values ...any) []byte {
	var out []byte
	for _, v := range values {
		b, err := binary.Append(out, binary.BigEndian, v)
		if err != nil {
			panic(err) // a type of no fixed size: our mistake
		}
		out = b
	}
	return out
}
