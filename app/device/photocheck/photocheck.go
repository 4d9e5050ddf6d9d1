// Package photocheck looks at a photo of a paper before the person who brought it goes home: is it sharp, are all four
// corners in it, does light shine off it; and of an ID card, whether the printed number is the typed one. It says what it
// measured beside what it found, so that a limit can be judged. It knows no window, and decodes nothing itself.
package photocheck

import (
	"context"
	"image"
	"log/slog"
	"math"
	"sort"

	"golang.org/x/image/draw"

	"bianmin/offline/picture"
)

// Fault is one thing wrong with a photo. Its texts are the keys "photo.<fault>" and "photo.<fault>.do".
type Fault string

// The faults.
const (
	Blurred  Fault = "blurred"  // letters cannot be told apart
	Cropped  Fault = "cropped"  // a corner is not in the picture, or no paper is seen
	Skewed   Fault = "skewed"   // taken from the side: the far edge is much shorter than the near one
	Glare    Fault = "glare"    // a lamp is mirrored on it
	Dark     Fault = "dark"     // too little light
	Small    Fault = "small"    // too few points to read it
	Number   Fault = "number"   // the printed ID number is another one than the typed
	PageMiss Fault = "pageMiss" // fewer pages than the material has
)

// Options of Check.
type Options struct {
	// Edges asks for the paper's edges: for photos. A file that a flat scanner wrote has none.
	Edges bool
}

// Report is what Check found.
type Report struct {
	Faults []Fault // in the order in which they are told; nil when the photo is good

	Sharpness float64 // variance of the second difference over that of the brightness, where it is least; see docs/devices.md
	Light     float64 // median brightness of the paper, 0 to 255
	GlareArea float64 // share of the paper that is blind with light, 0 to 1
	Corners   [4]image.Point
	Found     bool // the paper's corners were found
}

// LogValue keeps a report to its figures.
func (r Report) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("faults", len(r.Faults)), slog.Float64("sharpness", r.Sharpness), slog.Float64("light", r.Light), slog.Float64("glare", r.GlareArea))
}

// Limits, found with generated photos of known faults; docs/devices.md has the figures.
const (
	workSide    = 1200 // the long side at which sharpness is measured
	edgeSide    = 400  // and that at which the paper is looked for
	leastSide   = 600  // pixels of the long side: an ID number's digits have 8 then
	leastSharp  = 0.07
	leastLight  = 70
	blind       = 252 // brightness of a mirrored lamp
	dullPaper   = 240 // paper brighter than this hides a mirrored lamp
	mostGlare   = 0.004
	leastPaper  = 0.15 // share of the picture
	leastFill   = 0.90 // how much of the four-cornered shape is paper
	leastAspect = 0.72 // shorter of two opposite edges over the longer
	frameMargin = 3    // pixels at edgeSide
)

// Check looks at a photo. It takes about 0.1 s for 5 million points: call it off the window's goroutine.
func Check(img image.Image, o Options) Report {
	var r Report
	b := img.Bounds()
	if long := max(b.Dx(), b.Dy()); long < leastSide {
		r.Faults = append(r.Faults, Small)
	}
	g := gray(img, workSide)
	r.Sharpness = sharpness(g)
	if r.Sharpness < leastSharp {
		r.Faults = append(r.Faults, Blurred)
	}
	small := gray(img, edgeSide)
	paper := whole(small)
	if q, ok := findPaper(small); ok {
		r.Found, paper = true, q
		scale := float64(max(b.Dx(), b.Dy())) / float64(max(small.Rect.Dx(), small.Rect.Dy()))
		for i, p := range q {
			r.Corners[i] = image.Pt(b.Min.X+int(float64(p.X)*scale), b.Min.Y+int(float64(p.Y)*scale))
		}
		if o.Edges && aspect(q) < leastAspect {
			r.Faults = append(r.Faults, Skewed)
		}
	} else if o.Edges {
		r.Faults = append(r.Faults, Cropped)
	}
	r.Light, r.GlareArea = light(small, paper)
	dim := r.Light
	if !r.Found { // much of the picture may be the desk
		dim = percentile(small, 90)
	}
	if dim < leastLight {
		r.Faults = append(r.Faults, Dark)
	}
	if r.GlareArea > mostGlare {
		r.Faults = append(r.Faults, Glare)
	}
	return r
}

// gray returns img as grey, its long side brought to side. A smaller picture stays as it is.
func gray(img image.Image, side int) *image.Gray {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if long := max(w, h); long > side {
		w, h = max(w*side/long, 1), max(h*side/long, 1)
	}
	out := image.NewGray(image.Rect(0, 0, w, h))
	if w == b.Dx() && h == b.Dy() {
		draw.Draw(out, out.Rect, img, b.Min, draw.Src)
		return out
	}
	draw.BiLinear.Scale(out, out.Rect, img, b, draw.Src, nil)
	return out
}

// ways are the directions in which edges are looked for: across, down, and both diagonals.
var ways = [4]image.Point{{X: 1}, {Y: 1}, {X: 1, Y: 1}, {X: 1, Y: -1}}

// tile is a part of a picture: how strong its edges are in each direction, and how much its brightness varies.
type tile struct {
	edges [len(ways)]float64
	light float64
}

// sharpness is the variance of the second difference over the variance of the brightness, of the tenth of all tiles that has
// the strongest edges, in the direction where it is least: a shaken camera blurs in one direction only, and letters cannot
// be read then. Each direction has tiles of its own, as lines and bar codes have edges in one only. The quotient does not
// change with contrast and light; tiles, because most of a paper is empty.
func sharpness(g *image.Gray) float64 {
	const across = 16
	tw, th := max(g.Rect.Dx()/across, 8), max(g.Rect.Dy()/across, 8)
	var tiles []tile
	for y := 1; y+th < g.Rect.Dy(); y += th {
		for x := 1; x+tw < g.Rect.Dx(); x += tw {
			tiles = append(tiles, moments(g, x, y, tw, th))
		}
	}
	if len(tiles) == 0 {
		return 0
	}
	least := math.Inf(1)
	for i := range ways {
		sort.Slice(tiles, func(a, b int) bool { return tiles[a].edges[i] > tiles[b].edges[i] })
		least = min(least, edges(tiles, i))
	}
	return least
}

// edges is how sharp the sharpest tenth of tiles is in one direction; the sharpest tile is first.
func edges(tiles []tile, way int) float64 {
	// The evenest tiles have grain only, which is everywhere: it is no edge.
	grain := tiles[len(tiles)-1-len(tiles)/10].edges[way]
	const flat = 150 // variance of brightness where nothing is printed
	sum, n := 0.0, 0
	for _, t := range tiles[:max(len(tiles)/10, 1)] {
		if t.light > flat {
			sum += max(t.edges[way]-grain, 0) / t.light
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// moments returns the variances of the second differences and of the brightness in a tile.
func moments(g *image.Gray, x0, y0, w, h int) tile {
	var d, d2 [len(ways)]int
	var li, li2 int
	for y := y0; y < y0+h; y++ {
		up, row, down := g.Pix[(y-1)*g.Stride:], g.Pix[y*g.Stride:], g.Pix[(y+1)*g.Stride:]
		for x := x0; x < x0+w; x++ {
			v := int(row[x])
			l := [len(ways)]int{
				int(row[x-1]) + int(row[x+1]) - 2*v, int(up[x]) + int(down[x]) - 2*v,
				int(up[x-1]) + int(down[x+1]) - 2*v, int(down[x-1]) + int(up[x+1]) - 2*v,
			}
			for i, e := range l {
				d[i], d2[i] = d[i]+e, d2[i]+e*e
			}
			li, li2 = li+v, li2+v*v
		}
	}
	n := float64(w * h)
	variance := func(sum, squares int) float64 { return float64(squares)/n - (float64(sum)/n)*(float64(sum)/n) }
	t := tile{light: variance(li, li2)}
	for i := range ways {
		// Along a diagonal the points are farther apart, and what lies between them differs more.
		far := float64(ways[i].X*ways[i].X + ways[i].Y*ways[i].Y)
		t.edges[i] = variance(d[i], d2[i]) / far
	}
	return t
}

// quad is a four-cornered shape: upper left, upper right, lower right, lower left.
type quad [4]image.Point

func whole(g *image.Gray) quad {
	w, h := g.Rect.Dx()-1, g.Rect.Dy()-1
	return quad{{}, {X: w}, {X: w, Y: h}, {Y: h}}
}

func (q quad) area() float64 {
	var sum int
	for i := range q {
		p, n := q[i], q[(i+1)%4]
		sum += p.X*n.Y - n.X*p.Y
	}
	return math.Abs(float64(sum)) / 2
}

// contains reports whether a point lies in the shape, whose corners go round the clock.
func (q quad) contains(x, y int) bool {
	for i := range q {
		p, n := q[i], q[(i+1)%4]
		if (n.X-p.X)*(y-p.Y)-(n.Y-p.Y)*(x-p.X) < 0 {
			return false
		}
	}
	return true
}

func length(a, b image.Point) float64 { return math.Hypot(float64(a.X-b.X), float64(a.Y-b.Y)) }

// aspect is the shorter of two opposite edges over the longer, of the worse pair.
func aspect(q quad) float64 {
	top, right, bottom, left := length(q[0], q[1]), length(q[1], q[2]), length(q[2], q[3]), length(q[3], q[0])
	return min(min(top, bottom)/max(top, bottom), min(left, right)/max(left, right))
}

// percentile returns the brightness that p of a hundred points do not exceed.
func percentile(g *image.Gray, p int) float64 {
	var hist [256]int
	for _, v := range g.Pix {
		hist[v]++
	}
	seen := 0
	for v, n := range hist {
		if seen += n; seen*100 >= len(g.Pix)*p {
			return float64(v)
		}
	}
	return 255
}

// light returns the median brightness of the paper, and the share of it that is blind: lit far beyond it, in one patch.
func light(g *image.Gray, paper quad) (median, glare float64) {
	var hist [256]int
	n := 0
	mask := make([]bool, len(g.Pix))
	for y := range g.Rect.Dy() {
		for x := range g.Rect.Dx() {
			if !paper.contains(x, y) {
				continue
			}
			v := g.Pix[y*g.Stride+x]
			hist[v]++
			n++
			mask[y*g.Stride+x] = v >= blind
		}
	}
	if n == 0 {
		return 0, 0
	}
	seen := 0
	for v, k := range hist {
		if seen += k; seen*2 >= n {
			median = float64(v)
			break
		}
	}
	if median > dullPaper {
		return median, 0 // a white scan, or a photo with so much light that nothing can be said
	}
	most := 0
	for _, c := range components(mask, g.Stride, g.Rect.Dy()) {
		most = max(most, c.size)
	}
	return median, float64(most) / float64(n)
}

// Paper is what is known of a photo before it is looked at.
type Paper struct {
	Camera bool   // a camera took it: then its four corners have to be in it
	Number string // of an ID card's holder, as typed; "" compares nothing
}

// Judge checks the bytes of a PNG or JPEG file, the ID number in it, too, where the machine can read print. What is no
// picture has no faults here: others refuse it.
func Judge(ctx context.Context, data []byte, p Paper, ocr OCR) []Fault {
	img, err := picture.Decode(data)
	if err != nil {
		return nil
	}
	r := Check(img, Options{Edges: p.Camera})
	if p.Number != "" && len(r.Faults) == 0 && ocr.Present() {
		if n, err := ocr.Number(ctx, img); err == nil && n != p.Number {
			r.Faults = append(r.Faults, Number)
		}
	}
	return r.Faults
}
