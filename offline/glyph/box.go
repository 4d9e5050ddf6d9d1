package glyph

import "fmt"

// digits are the forms of hexadecimal digits in a field of 3 by 5, a bit a cell, from the top.
var digits = [16]uint16{
	0b111_101_101_101_111, 0b010_110_010_010_111, 0b111_001_111_100_111, 0b111_001_111_001_111,
	0b101_101_111_001_001, 0b111_100_111_001_111, 0b111_100_111_101_111, 0b111_001_001_001_001,
	0b111_101_111_101_111, 0b111_101_111_001_111, 0b111_101_111_101_101, 0b110_101_110_101_110,
	0b111_100_100_100_111, 0b110_101_101_101_110, 0b111_100_111_100_111, 0b111_100_111_100_100,
}

// box draws the code point of a character that no font has, in two rows within a frame.
func box(r rune) *Outline {
	o := &Outline{Rune: r, Advance: Em}
	const left, right, bottom, top, thick = 60, 940, -60, 820, 40
	o.rect(left, bottom, right, bottom+thick)
	o.rect(left, top-thick, right, top)
	o.rect(left, bottom+thick, left+thick, top-thick)
	o.rect(right-thick, bottom+thick, right, top-thick)
	code := fmt.Sprintf("%04X", r)
	rows := []string{code[:len(code)/2], code[len(code)/2:]}
	const cell, high, gap = 56, 56, 44
	for row, s := range rows {
		width := float32(len(s)*(3*cell) + (len(s)-1)*gap)
		x := (left + right - width) / 2
		y := float32(top-110) - float32(row)*380
		for _, c := range s {
			var n int
			fmt.Sscanf(string(c), "%X", &n)
			for bit := range 15 {
				if digits[n]&(1<<(14-bit)) == 0 {
					continue
				}
				cx, cy := x+float32(bit%3)*cell, y-float32(bit/3)*high
				o.rect(cx, cy-high, cx+cell, cy)
			}
			x += 3*cell + gap
		}
	}
	return o
}

// rect adds a filled rectangle.
func (o *Outline) rect(x0, y0, x1, y1 float32) {
	o.Segments = append(o.Segments,
		Segment{Op: Move, P: [3]Point{{x0, y0}}}, Segment{Op: Line, P: [3]Point{{x0, y1}}},
		Segment{Op: Line, P: [3]Point{{x1, y1}}}, Segment{Op: Line, P: [3]Point{{x1, y0}}}, Segment{Op: Line, P: [3]Point{{x0, y0}}})
}
