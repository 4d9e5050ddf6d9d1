// Package likeness is for tests and the tour only: it judges whether a name on a picture (a slip, a page, a screen) is
// the name that it should be, character for character.
//
// What it compares with is drawn by a program that is not ours: ImageMagick with FreeType, from the font files
// themselves. A character counts as there when its cell on the picture looks like that drawing, and more like it than
// like anything that could stand there instead: the box of a font for what it lacks, our own box with the code point,
// the characters beside it in Unicode, the other characters of the name. Characters are looked for in order, each where
// the one before it ends, or at the beginning of a line below.
package likeness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"bianmin/assets/fonts"
	"bianmin/offline/glyph"
)

// Least is how much a cell must look like the reference: a correlation, 1 is the same, 0 is chance.
const Least = 0.72

// Margin is how much more a cell must look like its own character than like any other.
const Margin = 0.03

// ErrUnlike reports a text that does not stand on the picture as it should.
var ErrUnlike = errors.New("likeness: another picture")

// References are drawn at this size, in pixels an em, in a square cell with the base line and the left edge here.
const (
	refEm   = 192
	refSide = 2 * refEm
	refLeft = refEm / 2
	refBase = refEm * 3 / 2
)

// lookAlikes are characters that differ by a stroke or two from rare ones of names.
var lookAlikes = map[rune]string{'𠮷': "吉士土", '𤋮': "熙煕", '𣲘': "沪", '𪜀': "〇"}

// Pen draws references. It is not safe for concurrent use.
type Pen struct {
	dir   string
	files []string
	faces []*sfnt.Font
	drawn map[key]*ref
}

type key struct {
	r    rune
	font int // index in files; boxes below
}

// Fonts that are none: boxes for what is missing.
const (
	codeBox = -1
)

// ref is one reference: ink from 0 to 1 in a square cell of refSide.
type ref struct {
	key
	advance float64 // of an em
	ink     []float32
}

// New returns a pen that takes each character from the interface font, or its bold sister, when that has it, else from the
// first of the large fonts that has. dir is a folder for its files; the large fonts are those that [glyph.System] reads.
func New(dir string, bold bool) (*Pen, error) {
	base, face := filepath.Join(dir, "interface.otf"), fonts.Regular
	if bold {
		base, face = filepath.Join(dir, "bold.otf"), fonts.Bold
	}
	if err := os.WriteFile(base, face, 0o600); err != nil {
		return nil, err
	}
	p := &Pen{dir: dir, files: append([]string{base}, glyph.System().Files()...), drawn: map[key]*ref{}}
	if len(p.files) == 1 {
		return nil, errors.New("likeness: no large font: run packaging/setup.sh test")
	}
	for _, name := range p.files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		c, err := sfnt.ParseCollection(b) // or a single font
		if err != nil {
			return nil, fmt.Errorf("likeness: %s: %w", name, err)
		}
		f, err := c.Font(0)
		if err != nil {
			return nil, fmt.Errorf("likeness: %s: %w", name, err)
		}
		p.faces = append(p.faces, f)
	}
	return p, nil
}

// fontOf returns which font a character is taken from; false when none has it.
func (p *Pen) fontOf(r rune) (int, bool) {
	var buf sfnt.Buffer
	for i, f := range p.faces {
		if x, err := f.GlyphIndex(&buf, r); err == nil && x != 0 {
			return i, true
		}
	}
	return 0, false
}

// need draws what is not drawn yet, with one run of ImageMagick a font.
func (p *Pen) need(ctx context.Context, keys []key) error {
	byFont := map[int][]rune{}
	for _, k := range keys {
		if p.drawn[k] != nil || slices.Contains(byFont[k.font], k.r) {
			continue
		}
		if k.font == codeBox {
			m := glyph.NewSource(p.dir + "/none").Outline(k.r).Mask(refEm)
			out := &ref{key: k, advance: 1, ink: make([]float32, refSide*refSide)}
			const top = refBase - refEm*88/100
			for y := range refEm {
				for x := range refEm {
					out.ink[(top+y)*refSide+refLeft+x] = float32(m.AlphaAt(x, y).A) / 255
				}
			}
			p.drawn[k] = out
			continue
		}
		byFont[k.font] = append(byFont[k.font], k.r)
	}
	for font, runes := range byFont {
		if err := p.draw(ctx, font, runes); err != nil {
			return err
		}
	}
	return nil
}

// perRow is how many characters ImageMagick draws side by side: it refuses wide pictures.
const perRow = 8

// draw draws characters of one font in one picture.
func (p *Pen) draw(ctx context.Context, font int, runes []rune) error {
	rows := (len(runes) + perRow - 1) / perRow
	args := []string{
		"-density", "72", "-size", fmt.Sprintf("%dx%d", refSide*perRow, refSide*rows), "xc:white", "-font", p.files[font],
		"-pointsize", fmt.Sprint(refEm), "-fill", "black",
	}
	for i, r := range runes {
		args = append(args, "-annotate", fmt.Sprintf("+%d+%d", i%perRow*refSide+refLeft, i/perRow*refSide+refBase), string(r))
	}
	cmd := exec.CommandContext(ctx, "convert", append(args, "-colorspace", "Gray", "-depth", "8", "gray:-")...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	raw, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("likeness: ImageMagick: %w: %s", err, errs.String())
	}
	if len(raw) != refSide*refSide*perRow*rows {
		return fmt.Errorf("likeness: ImageMagick gave %d bytes for %d characters", len(raw), len(runes))
	}
	for i, r := range runes {
		out := &ref{key: key{r, font}, advance: p.advance(font, r), ink: make([]float32, refSide*refSide)}
		for y := range refSide {
			row := raw[((i/perRow*refSide+y)*perRow+i%perRow)*refSide:]
			for x := range refSide {
				out.ink[y*refSide+x] = 1 - float32(row[x])/255
			}
		}
		p.drawn[out.key] = out
	}
	return nil
}

func (p *Pen) advance(font int, r rune) float64 {
	var buf sfnt.Buffer
	f := p.faces[font]
	x, err := f.GlyphIndex(&buf, r)
	if err != nil {
		return 1
	}
	a, err := f.GlyphAdvance(&buf, x, fixed.I(refEm), 0)
	if err != nil {
		return 1
	}
	return float64(a) / 64 / refEm
}

// patch is a reference at the size of the picture: ink in a box whose upper left corner lies left and up of the place
// where the character begins on its base line.
type patch struct {
	w, h      int
	ink       []float32 // less the mean
	mean, dev float64   // dev is the root of the sum of squares about the mean
}

// How far the box of a patch reaches, in ems: above and below the base line.
const (
	boxUp   = 0.92
	boxDown = 0.16
)

// scaled draws a reference at size pixels an em, shifted by a fraction of a pixel, in a box of wide ems.
func (c *ref) scaled(size, dx, dy, wide float64) *patch {
	p := &patch{w: max(1, int(math.Round(wide*size))), h: int(math.Round((boxUp + boxDown) * size))}
	p.ink = make([]float32, p.w*p.h)
	k := refEm / size
	for y := range p.h {
		y0 := refBase - boxUp*refEm + (float64(y)-dy)*k
		for x := range p.w {
			x0 := refLeft + (float64(x)-dx)*k
			p.ink[y*p.w+x] = c.area(x0, y0, k)
		}
	}
	p.measure()
	return p
}

// area is the mean ink of a square, to whole pixels of the reference.
func (c *ref) area(x0, y0, side float64) float32 {
	sum, n := float32(0), 0
	for y := int(math.Round(y0)); y < int(math.Round(y0+side)); y++ {
		for x := int(math.Round(x0)); x < int(math.Round(x0+side)); x++ {
			n++
			if x >= 0 && y >= 0 && x < refSide && y < refSide {
				sum += c.ink[y*refSide+x]
			}
		}
	}
	return sum / float32(max(1, n))
}

func (p *patch) measure() {
	sum := 0.0
	for _, v := range p.ink {
		sum += float64(v)
	}
	p.mean = sum / float64(len(p.ink))
	for i, v := range p.ink {
		p.ink[i] = v - float32(p.mean)
		p.dev += (float64(v) - p.mean) * (float64(v) - p.mean)
	}
	p.dev = math.Sqrt(p.dev)
}

// picture is ink from 0 to 1: how far a pixel is from the ground on its way to the writing.
type picture struct {
	w, h int
	ink  []float32
	sums []float64 // of all pixels above and to the left
	sqrs []float64 // the same of their squares
}

// inkOf takes the most usual grey for the ground, and the grey farthest from it for the writing.
func inkOf(img image.Image, area image.Rectangle) *picture {
	area = area.Intersect(img.Bounds())
	p := &picture{w: area.Dx(), h: area.Dy(), ink: make([]float32, area.Dx()*area.Dy())}
	var count [256]int
	for y := range p.h {
		for x := range p.w {
			g := color.GrayModel.Convert(img.At(area.Min.X+x, area.Min.Y+y)).(color.Gray).Y
			count[g]++
			p.ink[y*p.w+x] = float32(g)
		}
	}
	ground, far := 0, 0
	for g, n := range count {
		if n > count[ground] {
			ground = g
		}
	}
	for g, n := range count {
		if n > 0 && abs(g-ground) > abs(far-ground) {
			far = g
		}
	}
	span := float32(max(1, abs(far-ground)))
	for i, v := range p.ink {
		p.ink[i] = float32(math.Abs(float64(v)-float64(ground))) / span
	}
	p.sums, p.sqrs = make([]float64, (p.w+1)*(p.h+1)), make([]float64, (p.w+1)*(p.h+1))
	for y := range p.h {
		row, sqr := 0.0, 0.0
		for x := range p.w {
			v := float64(p.ink[y*p.w+x])
			row, sqr = row+v, sqr+v*v
			p.sums[(y+1)*(p.w+1)+x+1] = p.sums[y*(p.w+1)+x+1] + row
			p.sqrs[(y+1)*(p.w+1)+x+1] = p.sqrs[y*(p.w+1)+x+1] + sqr
		}
	}
	return p
}

func abs(n int) int { return max(n, -n) }

// total is what sums, or sqrs, have in a rectangle.
func (p *picture) total(of []float64, x, y, w, h int) float64 {
	at := func(x, y int) float64 { return of[y*(p.w+1)+x] }
	return at(x+w, y+h) - at(x, y+h) - at(x+w, y) + at(x, y)
}

// like returns the correlation of a patch with what is at a place; 0 where that is not on the picture, or has by far more or
// less ink.
func (p *picture) like(c *patch, x, y int) float64 {
	if x < 0 || y < 0 || x+c.w > p.w || y+c.h > p.h || c.dev == 0 {
		return 0
	}
	n := float64(c.w * c.h)
	sum := p.total(p.sums, x, y, c.w, c.h)
	if mean := sum / n; mean < c.mean*0.5 || mean > 2.2*c.mean {
		return 0
	}
	square := p.total(p.sqrs, x, y, c.w, c.h) - sum*sum/n
	if square <= 1e-9 {
		return 0
	}
	cross := float32(0)
	for row := range c.h {
		a := p.ink[(y+row)*p.w+x:][:c.w]
		b := c.ink[row*c.w:][:c.w]
		for i, v := range a {
			cross += v * b[i]
		}
	}
	return float64(cross) / (math.Sqrt(square) * c.dev)
}

// Cell is a character that was found.
type Cell struct {
	Rune  rune
	At    image.Point // upper left corner of its cell on the picture
	Like  float64     // how much it looks like the reference
	Other rune        // what it looks like next, with Unlike saying how much; 0: a box
	Next  float64
}

// String says what was found.
func (c Cell) String() string {
	return fmt.Sprintf("%c %.2f (%q %.2f)", c.Rune, c.Like, c.Other, c.Next)
}

// Summary returns the least and the mean likeness of the cells of a text.
func Summary(cells []Cell) string {
	least, sum, near := 1.0, 0.0, 1.0
	for _, c := range cells {
		least, near = min(least, c.Like), min(near, c.Like-c.Next)
		sum += c.Like
	}
	return fmt.Sprintf("%d characters, alike %.2f on average, %.2f at least; nearest other character %.2f behind", len(cells), sum/float64(len(cells)), least, near)
}

// Text looks for a text on a part of a picture, written size pixels an em. It returns the cells, and [ErrUnlike] unless every
// character is there, in order, whole, and like no other. Blanks of the text are not looked for.
func (p *Pen) Text(ctx context.Context, img image.Image, area image.Rectangle, text string, size float64) ([]Cell, error) {
	runes := []rune(strings.ReplaceAll(text, " ", ""))
	own, others, err := p.refs(ctx, runes)
	if err != nil {
		return nil, err
	}
	pic := inkOf(img, area)
	s := &search{pic: pic, size: size, own: own, others: others, patches: map[patchKey]*patch{}}
	cells, err := s.text(runes)
	for i := range cells {
		cells[i].At = cells[i].At.Add(area.Intersect(img.Bounds()).Min)
	}
	return cells, err
}

// refs returns the reference of each character, and for each what could stand there instead.
func (p *Pen) refs(ctx context.Context, runes []rune) (own []*ref, others [][]*ref, err error) {
	keys := make([]key, len(runes))
	rivals := make([][]key, len(runes))
	var all []key
	for i, r := range runes {
		font, ok := p.fontOf(r)
		if !ok {
			return nil, nil, fmt.Errorf("likeness: no font has %U", r)
		}
		keys[i] = key{r, font}
		for _, o := range slices.Concat(runes, []rune{r - 2, r - 1, r + 1, r + 2}, []rune(lookAlikes[r])) {
			if f, ok := p.fontOf(o); ok && o != r && !slices.Contains(rivals[i], key{o, f}) {
				rivals[i] = append(rivals[i], key{o, f})
			}
		}
		// U+FFFF is in no font: what is drawn for it is the font's own box.
		rivals[i] = append(rivals[i], key{0xFFFF, 0}, key{0xFFFF, font})
		if font != 0 {
			rivals[i] = append(rivals[i], key{r, codeBox})
		}
		all = append(append(all, keys[i]), rivals[i]...)
	}
	if err := p.need(ctx, all); err != nil {
		return nil, nil, err
	}
	for i := range runes {
		own = append(own, p.drawn[keys[i]])
		var list []*ref
		for _, k := range rivals[i] {
			list = append(list, p.drawn[k])
		}
		others = append(others, list)
	}
	return own, others, nil
}
