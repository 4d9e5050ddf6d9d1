package glyph

import (
	"image"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
)

// Face returns a face that draws with f what the interface font has, and the rest from s, at dots pixels an em.
func (s *Source) Face(f font.Face, dots int) font.Face { return &borrowing{f, s, dots} }

// borrowing is a face with something behind it.
type borrowing struct {
	font.Face
	source *Source
	dots   int
}

// Glyph is called by font.Drawer.
func (f *borrowing) Glyph(dot fixed.Point26_6, r rune) (image.Rectangle, image.Image, image.Point, fixed.Int26_6, bool) {
	if !Lacks(r) {
		return f.Face.Glyph(dot, r)
	}
	o := f.source.Outline(r)
	size := 2 * f.dots
	mask := image.NewAlpha(image.Rect(0, 0, size, size))
	x, y := dot.X.Floor(), dot.Y.Floor()
	o.Draw(mask, float32(f.dots)/2, float32(size)*3/4, float32(f.dots), image.Opaque)
	at := image.Pt(x-f.dots/2, y-size*3/4)
	return mask.Bounds().Add(at), mask, image.Point{}, f.advance(o), true
}

// GlyphAdvance is called by font.MeasureString.
func (f *borrowing) GlyphAdvance(r rune) (fixed.Int26_6, bool) {
	if !Lacks(r) {
		return f.Face.GlyphAdvance(r)
	}
	return f.advance(f.source.Outline(r)), true
}

// GlyphBounds is called by font.BoundString.
func (f *borrowing) GlyphBounds(r rune) (fixed.Rectangle26_6, fixed.Int26_6, bool) {
	if !Lacks(r) {
		return f.Face.GlyphBounds(r)
	}
	a := f.advance(f.source.Outline(r))
	up := fixed.I(f.dots) * ascent / Em
	return fixed.Rectangle26_6{Min: fixed.Point26_6{Y: -up}, Max: fixed.Point26_6{X: a, Y: fixed.I(f.dots) - up}}, a, true
}

// Kern is called by font.Drawer.
func (f *borrowing) Kern(a, b rune) fixed.Int26_6 {
	if Lacks(a) || Lacks(b) {
		return 0
	}
	return f.Face.Kern(a, b)
}

func (f *borrowing) advance(o *Outline) fixed.Int26_6 {
	return fixed.Int26_6(o.Advance * float32(f.dots) * 64 / Em)
}
