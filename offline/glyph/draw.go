package glyph

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/vector"
)

// Path gives the pieces of an outline to whoever draws: in pixels, down from the base line at y, from x on, size pixels an em.
func (o *Outline) Path(x, y, size float32, fn func(op Op, p [3]Point)) {
	k := size / Em
	for _, s := range o.Segments {
		var p [3]Point
		for i, q := range s.P {
			p[i] = Point{x + q.X*k, y - q.Y*k}
		}
		fn(s.Op, p)
	}
}

// Draw draws a character in colour c with its base line at y, size pixels an em, and returns how far to go on, in pixels.
func (o *Outline) Draw(dst draw.Image, x, y, size float32, c color.Color) float32 {
	left, top := int(x)-int(size/2), int(y)-int(size*1.2)
	area := image.Rect(left, top, int(x+size*1.5)+1, int(y+size*0.5)+1)
	z := vector.NewRasterizer(area.Dx(), area.Dy())
	begun := false
	o.Path(x-float32(left), y-float32(top), size, func(op Op, p [3]Point) {
		switch op {
		case Move:
			if begun {
				z.ClosePath()
			}
			begun = true
			z.MoveTo(p[0].X, p[0].Y)
		case Line:
			z.LineTo(p[0].X, p[0].Y)
		case Quad:
			z.QuadTo(p[0].X, p[0].Y, p[1].X, p[1].Y)
		case Cubic:
			z.CubeTo(p[0].X, p[0].Y, p[1].X, p[1].Y, p[2].X, p[2].Y)
		}
	})
	if begun {
		z.ClosePath()
	}
	ink := image.NewAlpha(image.Rect(0, 0, area.Dx(), area.Dy()))
	z.DrawOp = draw.Src
	z.Draw(ink, ink.Bounds(), image.Opaque, image.Point{})
	draw.DrawMask(dst, area, image.NewUniform(c), image.Point{}, ink, image.Point{}, draw.Over)
	return o.Advance * size / Em
}

// Mask returns the character as coverage, size pixels an em: the base line lies at size·0.88.
func (o *Outline) Mask(size int) *image.Alpha {
	m := image.NewAlpha(image.Rect(0, 0, size, size))
	o.Draw(m, 0, float32(size)*ascent/Em, float32(size), color.Opaque)
	return m
}
