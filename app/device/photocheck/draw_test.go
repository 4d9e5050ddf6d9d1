package photocheck

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/f64"
	"golang.org/x/image/math/fixed"
)

// shot is a photo to be made: a paper with print on a desk.
type shot struct {
	width, height int           // of the picture
	desk, paper   uint8         // brightness
	corners       [4][2]float64 // of the paper as shares of the picture: upper left, upper right, lower left (affine)
	blur          float64       // sigma in points
	shake         image.Point   // how far the camera moved meanwhile, in points
	noise         float64       // sigma
	lamp          float64       // radius of a mirrored lamp as a share of the picture's width
	light         float64       // everything times this; 0 is 1
	keystone      float64       // how much shorter the upper edge is
}

func good() shot {
	return shot{width: 1200, height: 900, desk: 60, paper: 220, corners: [4][2]float64{{.15, .12}, {.86, .13}, {.14, .88}}, noise: 3}
}

// page draws a page of print.
func page(t testing.TB, w, h int, paper uint8, lines ...string) *image.Gray {
	t.Helper()
	f, err := opentype.Parse(gomono.TTF)
	if err != nil {
		t.Fatal(err)
	}
	g := image.NewGray(image.Rect(0, 0, w, h))
	draw.Draw(g, g.Rect, image.NewUniform(color.Gray{Y: paper}), image.Point{}, draw.Src)
	if len(lines) == 0 {
		for range 18 {
			lines = append(lines, "NAME  GAO LANYING   999999 19440308 1228  VILLAGE OF HEWAN")
		}
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: float64(w) / 48, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range lines {
		d := font.Drawer{Dst: g, Src: image.NewUniform(color.Gray{Y: 40}), Face: face, Dot: fixed.P(w/12, (i+2)*h/(len(lines)+3))}
		d.DrawString(s)
	}
	return g
}

// take makes the photo.
func (s shot) take(t testing.TB) *image.Gray {
	t.Helper()
	p := page(t, 1000, 714, s.paper)
	if s.keystone > 0 {
		p = keystone(p, s.keystone, s.desk)
	}
	g := image.NewGray(image.Rect(0, 0, s.width, s.height))
	draw.Draw(g, g.Rect, image.NewUniform(color.Gray{Y: s.desk}), image.Point{}, draw.Src)
	at := func(i int) (x, y float64) {
		return s.corners[i][0] * float64(s.width), s.corners[i][1] * float64(s.height)
	}
	x0, y0 := at(0)
	x1, y1 := at(1)
	x2, y2 := at(2)
	pw, ph := float64(p.Rect.Dx()), float64(p.Rect.Dy())
	draw.BiLinear.Transform(g, f64.Aff3{(x1 - x0) / pw, (x2 - x0) / ph, x0, (y1 - y0) / pw, (y2 - y0) / ph, y0}, p, p.Rect, draw.Src, nil)
	if s.lamp > 0 {
		shine(g, s.lamp*float64(s.width))
	}
	if s.blur > 0 {
		g = gauss(g, s.blur)
	}
	if s.shake != (image.Point{}) {
		g = shaken(g, s.shake)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i, v := range g.Pix {
		f := float64(v)
		if s.light > 0 {
			f *= s.light
		}
		g.Pix[i] = uint8(max(0, min(255, f+r.NormFloat64()*s.noise)))
	}
	return g
}

// keystone makes the upper edge shorter, as a camera that looks from below sees it.
func keystone(p *image.Gray, by float64, ground uint8) *image.Gray {
	out := image.NewGray(p.Rect)
	w, h := p.Rect.Dx(), p.Rect.Dy()
	for y := range h {
		narrow := by * (1 - float64(y)/float64(h)) / 2
		for x := range w {
			u := (float64(x)/float64(w) - narrow) / (1 - 2*narrow)
			if u < 0 || u >= 1 {
				out.Pix[y*out.Stride+x] = ground
				continue
			}
			out.Pix[y*out.Stride+x] = p.Pix[y*p.Stride+int(u*float64(w))]
		}
	}
	return out
}

// shine mirrors a lamp on the middle of the picture.
func shine(g *image.Gray, radius float64) {
	cx, cy := float64(g.Rect.Dx())/2, float64(g.Rect.Dy())/2
	for y := range g.Rect.Dy() {
		for x := range g.Rect.Dx() {
			d := math.Hypot(float64(x)-cx, float64(y)-cy) / radius
			i := y*g.Stride + x
			g.Pix[i] = uint8(min(255, float64(g.Pix[i])+400*math.Exp(-d*d/2)))
		}
	}
}

// shaken is what a camera sees that moves along a way while it looks.
func shaken(g *image.Gray, way image.Point) *image.Gray {
	out := image.NewGray(g.Rect)
	n := max(way.X, -way.X, way.Y, -way.Y)
	for y := range g.Rect.Dy() {
		for x := range g.Rect.Dx() {
			sum, seen := 0, 0
			for i := range n {
				if p := image.Pt(x+(2*i-n)*way.X/(2*n), y+(2*i-n)*way.Y/(2*n)); p.In(g.Rect) {
					sum, seen = sum+int(g.Pix[p.Y*g.Stride+p.X]), seen+1
				}
			}
			out.Pix[y*out.Stride+x] = uint8(sum / max(seen, 1))
		}
	}
	return out
}

// gauss blurs with a bell of the given width.
func gauss(g *image.Gray, sigma float64) *image.Gray {
	n := int(3*sigma + 1)
	bell := make([]float64, 2*n+1)
	sum := 0.0
	for i := range bell {
		bell[i] = math.Exp(-float64((i-n)*(i-n)) / (2 * sigma * sigma))
		sum += bell[i]
	}
	pass := func(in *image.Gray, dx, dy int) *image.Gray {
		out := image.NewGray(in.Rect)
		w, h := in.Rect.Dx(), in.Rect.Dy()
		for y := range h {
			for x := range w {
				v := 0.0
				for i, b := range bell {
					sx, sy := min(max(x+(i-n)*dx, 0), w-1), min(max(y+(i-n)*dy, 0), h-1)
					v += b * float64(in.Pix[sy*in.Stride+sx])
				}
				out.Pix[y*out.Stride+x] = uint8(v/sum + 0.5)
			}
		}
		return out
	}
	return pass(pass(g, 1, 0), 0, 1)
}
