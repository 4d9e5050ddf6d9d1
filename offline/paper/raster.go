package paper

import (
	"image"
	"image/color"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// inkFrom is the grey at which the head burns a dot.
const inkFrom = 112

// Raster draws the sheet exactly Width dots wide, black on white without grey, ready for the printer.
func (s *Sheet) Raster() (*image.Gray, error) {
	img := image.NewGray(image.Rect(0, 0, s.Width, s.Height))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	for _, k := range s.Inks {
		switch k.Kind {
		case InkRect:
			fill(img, image.Rect(k.X, k.Y, k.X+k.W, k.Y+k.H))
		case InkCode:
			for y, row := range k.Code {
				for x, black := range row {
					if black {
						p := image.Pt(k.X+x*k.Dots, k.Y+y*k.Dots)
						fill(img, image.Rectangle{p, p.Add(image.Pt(k.Dots, k.Dots))})
					}
				}
			}
		case InkText:
			if err := s.face.draw(img, k); err != nil {
				return nil, err
			}
		}
	}
	return img, nil
}

func fill(img *image.Gray, r image.Rectangle) {
	r = r.Intersect(img.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		at := img.PixOffset(r.Min.X, y)
		clear(img.Pix[at : at+r.Dx()])
	}
}

// draw draws one line of text.
func (f *Face) draw(img *image.Gray, k Ink) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.at(k.Size)
	if err != nil {
		return err
	}
	up := k.Size / 2 // strokes above the line, of what is taller than the font's own
	ink := image.NewAlpha(image.Rect(0, 0, img.Rect.Dx(), k.H+k.Size/2+up))
	dot := fixed.Point26_6{X: fixed.I(k.X), Y: fixed.Int26_6(k.Baseline()-k.Y*64) + fixed.I(up)}
	for _, r := range f.runs(k.Text) {
		if r.rare == nil {
			d := font.Drawer{Dst: ink, Src: image.NewUniform(color.Opaque), Face: s, Dot: dot}
			d.DrawString(r.text)
			dot = d.Dot
			continue
		}
		drawOutline(ink, *r.rare, k.Size, dot)
		dot.X += scaled(r.rare.Advance, k.Size)
	}
	value := byte(0)
	if k.White {
		value = 0xff
	}
	for y := range ink.Rect.Dy() {
		row := k.Y + y - up
		if row < 0 || row >= img.Rect.Dy() {
			continue
		}
		from, to := ink.Pix[y*ink.Stride:], img.Pix[row*img.Stride:]
		for x := range img.Rect.Dx() {
			if from[x] >= inkFrom {
				to[x] = value
			}
		}
	}
	return nil
}

// drawOutline fills an outline at a size with its origin at dot.
func drawOutline(dst *image.Alpha, o Outline, size int, dot fixed.Point26_6) {
	box := image.Rect(dot.X.Floor()-size, 0, dot.X.Ceil()+2*size, dst.Rect.Dy()).Intersect(dst.Rect)
	if box.Empty() {
		return
	}
	v := vector.NewRasterizer(box.Dx(), box.Dy())
	ox, oy := float32(dot.X)/64-float32(box.Min.X), float32(dot.Y)/64-float32(box.Min.Y)
	k := float32(size) / (Em * 64)
	at := func(p fixed.Point26_6) (x, y float32) { return ox + float32(p.X)*k, oy + float32(p.Y)*k }
	open := false
	for _, s := range o.Segments {
		x, y := at(s.Args[0])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if open {
				v.ClosePath()
			}
			v.MoveTo(x, y)
			open = true
		case sfnt.SegmentOpLineTo:
			v.LineTo(x, y)
		case sfnt.SegmentOpQuadTo:
			bx, by := at(s.Args[1])
			v.QuadTo(x, y, bx, by)
		case sfnt.SegmentOpCubeTo:
			bx, by := at(s.Args[1])
			cx, cy := at(s.Args[2])
			v.CubeTo(x, y, bx, by, cx, cy)
		}
	}
	if open {
		v.ClosePath()
	}
	v.Draw(dst, box, image.Opaque, image.Point{})
}

// Paper puts a picture of a slip on its paper: white margins left and right as on 58 mm (40 dots) or 80 mm (32 dots)
// rolls. This is the picture to show or to save; the printer takes the slip itself.
func Paper(slip *image.Gray) *image.Gray {
	side := 40
	if slip.Rect.Dx() == Dots80 {
		side = 32
	}
	b := slip.Rect
	out := image.NewGray(image.Rect(0, 0, b.Dx()+2*side, b.Dy()))
	for i := range out.Pix {
		out.Pix[i] = 0xff
	}
	for y := range b.Dy() {
		copy(out.Pix[y*out.Stride+side:], slip.Pix[y*slip.Stride:y*slip.Stride+b.Dx()])
	}
	return out
}
