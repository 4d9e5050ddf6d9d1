package desk

import (
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"bianmin/offline/glyph"
	"bianmin/offline/paper"
)

// largeFonts gives papers the characters that the interface font lacks, from the fonts found on the machine.
type largeFonts struct{ s *glyph.Source }

var _ paper.Glyphs = largeFonts{}

// Glyph returns the outline of r; a box with its code point when no font has it.
func (l largeFonts) Glyph(r rune) (paper.Outline, bool) {
	o := l.s.Outline(r)
	out := paper.Outline{Advance: units(o.Advance)}
	ops := [...]sfnt.SegmentOp{glyph.Move: sfnt.SegmentOpMoveTo, glyph.Line: sfnt.SegmentOpLineTo, glyph.Quad: sfnt.SegmentOpQuadTo, glyph.Cubic: sfnt.SegmentOpCubeTo}
	for _, s := range o.Segments {
		seg := sfnt.Segment{Op: ops[s.Op]}
		for i, p := range s.P {
			seg.Args[i] = fixed.Point26_6{X: units(p.X), Y: -units(p.Y)}
		}
		out.Segments = append(out.Segments, seg)
	}
	return out, true
}

// units brings a length in units of the em to paper's; both have a thousand.
func units(v float32) fixed.Int26_6 { return fixed.Int26_6(v * 64 * paper.Em / glyph.Em) }
