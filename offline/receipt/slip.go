package receipt

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Widths of thermal paper in dots at 203 dpi, 8 dots a millimetre.
const (
	Dots58 = 384 // 58 mm paper prints 48 mm
	Dots80 = 576 // 80 mm paper prints 72 mm
)

// maxModuleDots keeps a code on wide paper at a size that a phone takes in at arm's length: 52 mm for version 13.
const maxModuleDots = 6

// SlipText is every word on a slip. The caller chooses the words: those of stage 1 say that the station took the case
// in, those of stage 2 that the platform accepted it. Empty parts are left out.
type SlipText struct {
	Org    string     // who issues it, above the title
	Title  string     // 收件回执 or 受理通知书
	Lines  []SlipLine // what it says
	Note   string     // what it proves, in a sentence
	Scan   string     // above the code: what scanning does
	Under  []SlipLine // under the code, so that a torn code loses nothing: number, host, telephone, time
	Footer []string   // last lines, centred

	// Other, when set, adds to a face of the font what it lacks, size dots an em: rare characters of names.
	Other func(f font.Face, size int) font.Face
}

// SlipLine is a label with its value. An empty label gives the whole width to the value.
type SlipLine struct{ Label, Value string }

// ErrSlip reports a slip that cannot be drawn.
var ErrSlip = errors.New("receipt: slip cannot be drawn")

// Slip draws a slip exactly dots wide (Dots58 or Dots80), black on white without grey, ready for the printer. Text is
// set in font, an OpenType or TrueType file. The code has whole dots a module; on paper its quiet zone is made up of
// what is left at its sides and the paper's own margin. See Paper for a picture of the whole paper.
func Slip(s SlipText, c *Code, font []byte, dots int) (*image.Gray, error) {
	if dots != Dots58 && dots != Dots80 {
		return nil, fmt.Errorf("%w: %d dots wide", ErrSlip, dots)
	}
	f, err := parseFont(font)
	if err != nil {
		return nil, err
	}
	d := &slipDraw{width: dots, margin: 8, font: f, other: s.Other, img: image.NewGray(image.Rect(0, 0, dots, 640))}
	for i := range d.img.Pix {
		d.img.Pix[i] = 0xff
	}
	defer d.close()
	d.y = 16
	d.centred(s.Org, 26)
	d.space(2)
	d.centred(s.Title, 46)
	d.space(12)
	d.rule(3)
	d.space(12)
	for _, l := range s.Lines {
		d.pair(l, 24)
	}
	if s.Note != "" {
		d.space(6)
		d.rule(1)
		d.space(10)
		d.block(s.Note, 24)
	}
	if c != nil {
		d.space(10)
		d.centred(s.Scan, 24)
		if err := d.code(c); err != nil {
			return nil, err
		}
	}
	for _, l := range s.Under {
		d.pair(l, 24)
	}
	if len(s.Footer) > 0 {
		d.space(8)
		d.rule(1)
		d.space(10)
		for _, t := range s.Footer {
			d.centred(t, 22)
		}
	}
	d.space(24)
	if d.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSlip, d.err)
	}
	return d.img.SubImage(image.Rect(0, 0, dots, d.y)).(*image.Gray), nil
}

// Paper puts a slip on its paper: white margins left and right as on 58 mm (40 dots) or 80 mm (32 dots) rolls. This is
// the picture to show or to save; the printer takes the slip itself.
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

var fontCache struct {
	sync.Mutex // protects the two below
	first      *byte
	font       *sfnt.Font
}

// parseFont parses a font once: a program passes the same embedded bytes every time.
func parseFont(data []byte) (*sfnt.Font, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: no font", ErrSlip)
	}
	fontCache.Lock()
	defer fontCache.Unlock()
	if fontCache.first == &data[0] {
		return fontCache.font, nil
	}
	f, err := opentype.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%w: font: %w", ErrSlip, err)
	}
	fontCache.first, fontCache.font = &data[0], f
	return f, nil
}

// slipDraw draws from top to bottom. After the first error it does nothing.
type slipDraw struct {
	width, margin int
	font          *sfnt.Font
	faces         map[int]font.Face
	img           *image.Gray
	y             int
	other         func(font.Face, int) font.Face
	err           error
}

func (d *slipDraw) close() {
	for _, f := range d.faces {
		_ = f.Close() // opentype faces hold no resource
	}
}

func (d *slipDraw) face(size int) font.Face {
	if f, ok := d.faces[size]; ok {
		return f
	}
	f, err := opentype.NewFace(d.font, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		d.err = err
		return nil
	}
	if d.faces == nil {
		d.faces = map[int]font.Face{}
	}
	if d.other != nil {
		f = d.other(f, size)
	}
	d.faces[size] = f
	return f
}

func (d *slipDraw) space(dots int) { d.grow(dots); d.y += dots }

// grow makes room for dots more rows.
func (d *slipDraw) grow(dots int) {
	need := d.y + dots
	if need <= d.img.Rect.Dy() {
		return
	}
	bigger := image.NewGray(image.Rect(0, 0, d.width, need*3/2))
	n := copy(bigger.Pix, d.img.Pix)
	for i := n; i < len(bigger.Pix); i++ {
		bigger.Pix[i] = 0xff
	}
	d.img = bigger
}

func (d *slipDraw) rule(thick int) {
	d.grow(thick)
	for y := d.y; y < d.y+thick; y++ {
		at := d.img.PixOffset(d.margin, y)
		clear(d.img.Pix[at : at+d.width-2*d.margin])
	}
	d.y += thick
}

// code draws the QR code centred, as large as whole dots and the width allow.
func (d *slipDraw) code(c *Code) error {
	dots := min(c.Dots(d.width, 0), maxModuleDots)
	if dots < 3 {
		return fmt.Errorf("%w: version %d does not fit into %d dots", ErrSlip, c.Version, d.width)
	}
	d.space(QuietZone * dots)
	side := c.Size() * dots
	d.grow(side)
	c.draw(d.img, image.Pt((d.width-side)/2, d.y), dots)
	d.y += side
	d.space(QuietZone * dots)
	return nil
}

func (d *slipDraw) centred(text string, size int) {
	for _, line := range d.wrap(text, size, d.width-2*d.margin) {
		w := d.measure(line, size)
		d.line(line, size, (d.width-w)/2)
	}
}

func (d *slipDraw) block(text string, size int) {
	for _, line := range d.wrap(text, size, d.width-2*d.margin) {
		d.line(line, size, d.margin)
	}
}

// pair draws label and value: the value beside the label, and its further lines under its first.
func (d *slipDraw) pair(l SlipLine, size int) {
	if l.Label == "" {
		d.block(l.Value, size)
		d.space(4)
		return
	}
	x := d.margin + d.measure(l.Label, size) + size/2
	// Labels of up to four characters line up.
	x = max(x, d.margin+4*size+size/2)
	if x > d.width/2 {
		d.line(l.Label, size, d.margin)
		x = d.margin + size
	} else {
		top := d.y
		d.line(l.Label, size, d.margin)
		d.y = top
	}
	lines := d.wrap(l.Value, size, d.width-d.margin-x)
	if len(lines) == 0 {
		lines = []string{""}
	}
	for _, t := range lines {
		d.line(t, size, x)
	}
	d.space(4)
}

// line draws one line of text and moves down by 1.35 times its size.
func (d *slipDraw) line(text string, size, x int) {
	f := d.face(size)
	if d.err != nil {
		return
	}
	height := size * 135 / 100
	d.grow(height + size) // the lowest strokes may reach below the line
	ink := image.NewGray(image.Rect(0, 0, d.width, height+size/2))
	dr := font.Drawer{
		Dst: ink, Src: image.NewUniform(color.White), Face: f,
		Dot: fixed.Point26_6{X: fixed.I(x), Y: fixed.I(size*108/100) - fixed.I(size)/16},
	}
	dr.DrawString(text)
	for y := range ink.Rect.Dy() {
		row, to := ink.Pix[y*ink.Stride:], d.img.Pix[(d.y+y)*d.img.Stride:]
		for x := range d.width {
			if row[x] >= 112 { // the head burns a dot or does not
				to[x] = 0
			}
		}
	}
	d.y += height
}

func (d *slipDraw) measure(text string, size int) int {
	f := d.face(size)
	if d.err != nil {
		return 0
	}
	return font.MeasureString(f, text).Ceil()
}

// Characters that never begin a line, and those that never end one.
const (
	noStart = "，。、；：？！）》〉」』】〕％…—,.;:?!)]}%"
	noEnd   = "（《〈「『【〔([{"
)

// wrap breaks text into lines of at most width dots: Latin words and numbers whole where they fit, Chinese anywhere
// except around punctuation.
func (d *slipDraw) wrap(text string, size, width int) []string {
	var lines []string
	for _, part := range strings.Split(strings.TrimSpace(text), "\n") {
		line := ""
		for _, token := range tokens(part) {
			if line == "" && token == " " {
				continue
			}
			if d.measure(strings.TrimRight(line+token, " "), size) <= width {
				line += token
				continue
			}
			if line != "" {
				lines = append(lines, strings.TrimRight(line, " "))
				line = ""
			}
			for d.err == nil && d.measure(token, size) > width { // longer than a line: cut it
				runes := []rune(token)
				n := len(runes) - 1
				for n > 1 && d.measure(string(runes[:n]), size) > width {
					n--
				}
				if n < 1 {
					break
				}
				lines = append(lines, string(runes[:n]))
				token = string(runes[n:])
			}
			line = strings.TrimLeft(token, " ")
		}
		if line != "" {
			lines = append(lines, strings.TrimRight(line, " "))
		}
	}
	return lines
}

// tokens splits text where a line may break.
func tokens(text string) []string {
	var out []string
	runes := []rune(text)
	for i := 0; i < len(runes); {
		j := i + 1
		for j < len(runes) && !mayBreak(runes[j-1], runes[j]) {
			j++
		}
		out = append(out, string(runes[i:j]))
		i = j
	}
	return out
}

func mayBreak(before, after rune) bool {
	switch {
	case before == ' ' || after == ' ':
		return true
	case strings.ContainsRune(noStart, after) || strings.ContainsRune(noEnd, before):
		return false
	}
	return !(narrow(before) && narrow(after))
}

func narrow(r rune) bool {
	return r < 0x2e80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r > ' ' && r < 0x7f)
}
