// Package ink keeps a handwritten signature as what the hand did: strokes of points with their times.
//
// A signature is stored as strokes, not as a picture: it is smaller, it can be drawn at any size, and its rhythm is
// part of the evidence. The package knows no window toolkit.
package ink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
)

// Point is x and y in tenths of a pixel of the pad and t in milliseconds since the first point of the signature.
// It is an array so that it takes three numbers in JSON and CBOR.
type Point [3]int32

// Strokes is a signature. Its compact JSON is {"w":…,"h":…,"s":[[[x,y,t],…],…]}; in CBOR the keys are 1, 2 and 3.
type Strokes struct {
	Width  int32     `json:"w" cbor:"1,keyasint"` // of the pad, in tenths of a pixel
	Height int32     `json:"h" cbor:"2,keyasint"`
	Lines  [][]Point `json:"s" cbor:"3,keyasint"` // one line from pen down to pen up
}

// Limits of a signature; Parse refuses more. A long signature has about 1,500 points.
const (
	MaxPoints = 20_000
	MaxLines  = 500
	maxEdge   = 100_000 // tenths of a pixel
)

// leastInk is the length of all strokes together, in tenths of a pixel, below which nothing was meant: a touch of the
// pad, a dot, a trembling finger put down.
const leastInk = 400

// ErrTooLarge is returned by Parse for more points or lines, or a larger pad, than a hand makes.
var ErrTooLarge = errors.New("signature too large")

// ErrOutside is returned by Parse for points that are not on the pad or times that run backwards.
var ErrOutside = errors.New("signature point out of place")

// leastSpread is how far apart the points lie, in tenths of a pixel, below which a finger trembled on one spot.
const leastSpread = 150

// Blank reports whether there is nothing to be taken for a signature: nothing, a dot, or a trembling dot.
func (s Strokes) Blank() bool { return s.Length() < leastInk || s.spread() < leastSpread }

// spread is the diagonal of the part of the pad that was written on.
func (s Strokes) spread() float64 {
	var box [4]int32 // left, top, right, bottom
	first := true
	for _, line := range s.Lines {
		for _, p := range line {
			if first {
				box, first = [4]int32{p[0], p[1], p[0], p[1]}, false
			}
			box = [4]int32{min(box[0], p[0]), min(box[1], p[1]), max(box[2], p[0]), max(box[3], p[1])}
		}
	}
	return math.Hypot(float64(box[2]-box[0]), float64(box[3]-box[1]))
}

// Length returns the length of all strokes together in tenths of a pixel.
func (s Strokes) Length() float64 {
	var total float64
	for _, line := range s.Lines {
		for i := 1; i < len(line); i++ {
			total += math.Hypot(float64(line[i][0]-line[i-1][0]), float64(line[i][1]-line[i-1][1]))
		}
	}
	return total
}

// Points returns the number of points.
func (s Strokes) Points() int {
	n := 0
	for _, line := range s.Lines {
		n += len(line)
	}
	return n
}

// Clone returns a copy that shares nothing with s.
func (s Strokes) Clone() Strokes {
	c := s
	c.Lines = make([][]Point, len(s.Lines))
	for i, line := range s.Lines {
		c.Lines[i] = append([]Point(nil), line...)
	}
	return c
}

// Encode returns the compact JSON of s. Equal signatures give equal bytes.
func (s Strokes) Encode() []byte {
	if s.Lines == nil {
		s.Lines = [][]Point{}
	}
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err) // numbers in slices: there is nothing that could fail
	}
	return raw
}

// Parse reads what Encode wrote. It returns ErrTooLarge, ErrOutside or the JSON error.
func Parse(raw []byte) (Strokes, error) {
	const mostBytes = MaxPoints * 24
	if len(raw) > mostBytes {
		return Strokes{}, ErrTooLarge
	}
	var s Strokes
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return Strokes{}, fmt.Errorf("parse signature: %w", err)
	}
	if !bytes.Equal(s.Encode(), raw) {
		return Strokes{}, fmt.Errorf("parse signature: %w", errNotCompact)
	}
	return s, s.Check()
}

var errNotCompact = errors.New("not in compact form")

// Check returns ErrTooLarge or ErrOutside when s is not something a hand wrote on a pad.
func (s Strokes) Check() error {
	if len(s.Lines) > MaxLines || s.Points() > MaxPoints || s.Width > maxEdge || s.Height > maxEdge {
		return ErrTooLarge
	}
	if s.Width < 0 || s.Height < 0 {
		return ErrOutside
	}
	last := int32(0)
	for _, line := range s.Lines {
		if len(line) == 0 {
			return ErrOutside
		}
		for _, p := range line {
			if p[0] < 0 || p[0] > s.Width || p[1] < 0 || p[1] > s.Height || p[2] < last {
				return ErrOutside
			}
			last = p[2]
		}
	}
	return nil
}

// PNG returns the signature in black on white, width pixels wide in the proportions of the pad.
func (s Strokes) PNG(width int) ([]byte, error) {
	if s.Width <= 0 || s.Height <= 0 || width <= 0 || width > maxEdge/10 {
		return nil, fmt.Errorf("draw signature: %w", ErrOutside)
	}
	height := max(1, int(math.Round(float64(width)*float64(s.Height)/float64(s.Width))))
	mask := image.NewAlpha(image.Rect(0, 0, width, height))
	p := NewPen(mask, float64(width)/float64(s.Width))
	for _, line := range s.Lines {
		p.Line(line)
	}
	picture := image.NewGray(mask.Rect)
	for i, a := range mask.Pix {
		picture.Pix[i] = 255 - a
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("draw signature: %w", err)
	}
	return out.Bytes(), nil
}

// penWidth is the thickness of the stroke in tenths of a pixel of the pad: what a gel pen leaves on paper.
const penWidth = 36

// Pen draws strokes into a mask whose pixels are scale times a tenth of a pixel of the pad.
type Pen struct {
	mask  *image.Alpha
	scale float64
}

// NewPen returns a pen that draws into mask.
func NewPen(mask *image.Alpha, scale float64) *Pen { return &Pen{mask: mask, scale: scale} }

// Line draws one line whole.
func (p *Pen) Line(line []Point) {
	if len(line) == 1 {
		x, y := p.at(line[0])
		p.capsule(x, y, x, y)
		return
	}
	for i := 1; i < len(line); i++ {
		p.Extend(line[:i+1])
	}
	if n := len(line); n > 2 {
		p.Finish(line)
	}
}

// Extend draws what the last point of line adds. Corners become curves through the middles of the segments, so the
// curve runs half a segment behind the hand until Finish.
func (p *Pen) Extend(line []Point) {
	n := len(line)
	switch {
	case n < 2:
		return
	case n == 2:
		x0, y0 := p.at(line[0])
		x1, y1 := p.at(line[1])
		p.capsule(x0, y0, (x0+x1)/2, (y0+y1)/2)
		return
	}
	x0, y0 := p.at(line[n-3])
	x1, y1 := p.at(line[n-2])
	x2, y2 := p.at(line[n-1])
	p.curve((x0+x1)/2, (y0+y1)/2, x1, y1, (x1+x2)/2, (y1+y2)/2)
}

// Finish draws the last half segment of line.
func (p *Pen) Finish(line []Point) {
	n := len(line)
	if n < 2 {
		return
	}
	x0, y0 := p.at(line[n-2])
	x1, y1 := p.at(line[n-1])
	p.capsule((x0+x1)/2, (y0+y1)/2, x1, y1)
}

func (p *Pen) at(q Point) (x, y float64) { return float64(q[0]) * p.scale, float64(q[1]) * p.scale }

// curve draws the quadratic curve from (x0,y0) to (x2,y2) with control point (x1,y1).
func (p *Pen) curve(x0, y0, x1, y1, x2, y2 float64) {
	const pixelsPerStep = 3
	steps := int(math.Hypot(x1-x0, y1-y0)+math.Hypot(x2-x1, y2-y1))/pixelsPerStep + 1
	px, py := x0, y0
	for i := 1; i <= steps; i++ {
		t := float64(i) / float64(steps)
		a, b, c := (1-t)*(1-t), 2*t*(1-t), t*t
		x, y := a*x0+b*x1+c*x2, a*y0+b*y1+c*y2
		p.capsule(px, py, x, y)
		px, py = x, y
	}
}

// capsule fills everything within half a pen's width of the segment. Overlaps keep the darker value, so joints and
// crossings show no seams.
func (p *Pen) capsule(x0, y0, x1, y1 float64) {
	r := max(0.6, penWidth*p.scale/2)
	bounds := p.mask.Rect
	left, right := int(min(x0, x1)-r-1), int(max(x0, x1)+r+2)
	top, bottom := int(min(y0, y1)-r-1), int(max(y0, y1)+r+2)
	left, top = max(left, bounds.Min.X), max(top, bounds.Min.Y)
	right, bottom = min(right, bounds.Max.X), min(bottom, bounds.Max.Y)
	dx, dy := x1-x0, y1-y0
	long := dx*dx + dy*dy
	for y := top; y < bottom; y++ {
		for x := left; x < right; x++ {
			cx, cy := float64(x)+0.5, float64(y)+0.5
			t := 0.0
			if long > 0 {
				t = min(1, max(0, ((cx-x0)*dx+(cy-y0)*dy)/long))
			}
			cover := r + 0.5 - math.Hypot(cx-x0-t*dx, cy-y0-t*dy)
			if cover <= 0 {
				continue
			}
			a := uint8(min(1, cover) * 255)
			if i := p.mask.PixOffset(x, y); p.mask.Pix[i] < a {
				p.mask.Pix[i] = a
			}
		}
	}
}

// Ink is the colour of a signature on the screen; its paper is white in every look.
var Ink = color.NRGBA{R: 0x10, G: 0x18, B: 0x1F, A: 0xFF}
