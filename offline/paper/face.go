package paper

import (
	"fmt"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Em is the size in pixels at which outlines are given.
const Em = 1000

// Outline is the shape of a character at Em pixels: y grows downwards, the baseline is at 0.
type Outline struct {
	Segments []sfnt.Segment
	Advance  fixed.Int26_6
}

// Glyphs is where the outlines of characters come from that the interface font lacks. It may be called from any
// goroutine.
type Glyphs interface {
	// Glyph returns the outline of r; false when there is none.
	Glyph(r rune) (Outline, bool)
}

// Face is the interface font, and where rare characters come from. It may be used from any goroutine.
type Face struct {
	font *sfnt.Font
	rare Glyphs // nil: nowhere

	mu    sync.Mutex // guards what follows
	buf   sfnt.Buffer
	sizes map[int]font.Face
}

// NewFace parses an OpenType or TrueType font. rare may be nil. Errors: ErrSheet.
func NewFace(data []byte, rare Glyphs) (*Face, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: no font", ErrSheet)
	}
	f, err := opentype.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%w: font: %w", ErrSheet, err)
	}
	return &Face{font: f, rare: rare, sizes: map[int]font.Face{}}, nil
}

// FontGlyphs takes outlines from a font file, for characters that it has. It may be a collection: the first font with the
// character gives it.
func FontGlyphs(data []byte) (Glyphs, error) {
	c, err := sfnt.ParseCollection(data)
	if err != nil {
		return nil, fmt.Errorf("%w: font: %w", ErrSheet, err)
	}
	g := &fontGlyphs{}
	for i := range c.NumFonts() {
		f, err := c.Font(i)
		if err != nil {
			return nil, fmt.Errorf("%w: font: %w", ErrSheet, err)
		}
		g.fonts = append(g.fonts, f)
	}
	return g, nil
}

type fontGlyphs struct {
	fonts []*sfnt.Font
	mu    sync.Mutex // guards buf
	buf   sfnt.Buffer
}

// Glyph returns the outline of r.
func (g *fontGlyphs) Glyph(r rune) (Outline, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.fonts {
		if o, ok := outline(f, &g.buf, r); ok {
			return o, true
		}
	}
	return Outline{}, false
}

// outline returns the shape of r in f; false when f has no glyph for it.
func outline(f *sfnt.Font, buf *sfnt.Buffer, r rune) (Outline, bool) {
	i, err := f.GlyphIndex(buf, r)
	if err != nil || i == 0 {
		return Outline{}, false
	}
	segments, err := f.LoadGlyph(buf, i, fixed.I(Em), nil)
	if err != nil {
		return Outline{}, false
	}
	advance, err := f.GlyphAdvance(buf, i, fixed.I(Em), font.HintingNone)
	if err != nil {
		return Outline{}, false
	}
	return Outline{Segments: append([]sfnt.Segment(nil), segments...), Advance: advance}, true
}

// Outline returns the shape of a character: from the interface font, else from the source of rare ones, else the box that
// the font has for what is missing. ok is false for that box.
func (f *Face) Outline(r rune) (o Outline, ok bool) {
	f.mu.Lock()
	o, ok = outline(f.font, &f.buf, r)
	f.mu.Unlock()
	if ok {
		return o, true
	}
	if f.rare != nil {
		if o, ok := f.rare.Glyph(r); ok {
			return o, true
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.missing(), false
}

// missing is the shape for a character that no font has; mu is held.
func (f *Face) missing() Outline {
	segments, err := f.font.LoadGlyph(&f.buf, 0, fixed.I(Em), nil)
	if err != nil {
		return Outline{Advance: fixed.I(Em)}
	}
	o := Outline{Segments: append([]sfnt.Segment(nil), segments...), Advance: fixed.I(Em)}
	if a, err := f.font.GlyphAdvance(&f.buf, 0, fixed.I(Em), font.HintingNone); err == nil {
		o.Advance = a
	}
	return o
}

// has reports whether the interface font has r; mu is held.
func (f *Face) has(r rune) bool {
	i, err := f.font.GlyphIndex(&f.buf, r)
	return err == nil && i != 0
}

// run is a piece of text that one source gives.
type run struct {
	text string
	rare *Outline // one character that is not of the interface font; nil: all of text is
}

// runs parts a text by where its characters come from; mu is held.
func (f *Face) runs(text string) []run {
	var out []run
	from := 0
	for i, r := range text {
		if f.has(r) || r == ' ' {
			continue
		}
		var o Outline
		found := false
		if f.rare != nil {
			o, found = f.rare.Glyph(r)
		}
		if !found {
			continue // the font draws its box
		}
		if i > from {
			out = append(out, run{text: text[from:i]})
		}
		end := i + len(string(r))
		out = append(out, run{text[i:end], &o})
		from = end
	}
	if from < len(text) {
		out = append(out, run{text: text[from:]})
	}
	return out
}

// at returns the font at a size; mu is held.
func (f *Face) at(size int) (font.Face, error) {
	if s, ok := f.sizes[size]; ok {
		return s, nil
	}
	s, err := opentype.NewFace(f.font, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSheet, err)
	}
	const most = 32 // sizes in use are few
	if len(f.sizes) < most {
		f.sizes[size] = s
	}
	return s, nil
}

// Measure returns the width of a line of text in dots.
func (f *Face) Measure(text string, size int) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.at(size)
	if err != nil {
		return 0, err
	}
	var w fixed.Int26_6
	for _, r := range f.runs(text) {
		if r.rare == nil {
			w += font.MeasureString(s, r.text)
			continue
		}
		w += scaled(r.rare.Advance, size)
	}
	return w.Ceil(), nil
}

// scaled brings a length at Em to a size.
func scaled(v fixed.Int26_6, size int) fixed.Int26_6 {
	return fixed.Int26_6(int64(v) * int64(size) / Em)
}
