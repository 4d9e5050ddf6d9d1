// Package paper lays out what a station gives into people's hands: slips, lists of answers, test pages. One description
// (Doc) becomes one layout (Sheet), and the sheet becomes a picture here, raster lines at a thermal printer, or a page
// of PDF: what was seen on the screen is what is printed.
//
// The unit is the dot of a thermal printer at 203 dpi, eight to a millimetre. A sheet is black on white without grey.
//
// Characters that the interface font lacks come from a source of glyphs (Glyphs), one outline at a time, so that rare
// names are printed and not left blank.
package paper

import "errors"

// Widths of paper in dots at 203 dpi, 8 dots a millimetre.
const (
	Dots58 = 384  // 58 mm paper prints 48 mm
	Dots80 = 576  // 80 mm paper prints 72 mm
	DotsA4 = 1440 // A4 between margins of 15 mm
)

// PerMM is the number of dots a millimetre.
const PerMM = 8

// ErrSheet reports a document that cannot be laid out.
var ErrSheet = errors.New("paper: cannot be laid out")

// Doc is what stands on a paper, from top to bottom. Sizes are in dots as on 58 mm paper; Lay makes them larger for larger
// paper.
type Doc struct {
	Title  string // of the document as a file, with no person's name
	Blocks []Block
}

// Kind is the kind of a block.
type Kind uint8

// Kinds of blocks.
const (
	KindSpace  Kind = iota + 1 // Size dots of nothing
	KindRule                   // a line over the whole width, Size dots thick
	KindCentre                 // Text in the middle
	KindText                   // Text from the left
	KindPair                   // Label with Text beside it, its further lines under its first
	KindCode                   // a QR code, as large as whole dots and the width allow
	KindMark                   // Text in the middle, white on black: what must not be overlooked
)

// Block is one part of a document. Empty texts take no room.
type Block struct {
	Kind        Kind
	Size        int
	Label, Text string
	Code        [][]bool // rows of modules, true is black, without quiet zone
}

// Space adds room.
func (d *Doc) Space(dots int) { d.add(Block{Kind: KindSpace, Size: dots}) }

// Rule adds a line.
func (d *Doc) Rule(thick int) { d.add(Block{Kind: KindRule, Size: thick}) }

// Centre adds text in the middle.
func (d *Doc) Centre(text string, size int) { d.add(Block{Kind: KindCentre, Text: text, Size: size}) }

// Text adds text from the left.
func (d *Doc) Text(text string, size int) { d.add(Block{Kind: KindText, Text: text, Size: size}) }

// Pair adds a label with its value. An empty label gives the whole width to the value.
func (d *Doc) Pair(label, value string, size int) {
	d.add(Block{Kind: KindPair, Label: label, Text: value, Size: size})
}

// Code adds a QR code.
func (d *Doc) Code(modules [][]bool) { d.add(Block{Kind: KindCode, Code: modules}) }

// Mark adds text white on black.
func (d *Doc) Mark(text string, size int) { d.add(Block{Kind: KindMark, Text: text, Size: size}) }

func (d *Doc) add(b Block) { d.Blocks = append(d.Blocks, b) }

// Sheet is a document laid out: every piece of ink with its place.
type Sheet struct {
	Title         string
	Width, Height int   // dots
	Inks          []Ink // from top to bottom
	Breaks        []int // rows between which a page may end: no line of text and no code is cut there; ascending
	face          *Face // what its texts are set in
}

// InkKind is the kind of a piece of ink.
type InkKind uint8

// Kinds of ink.
const (
	InkText InkKind = iota + 1 // Text with its upper left corner at X, Y
	InkRect                    // a black rectangle
	InkCode                    // a QR code with Dots a module
)

// Ink is one piece of ink. W and H are its size in dots.
type Ink struct {
	Kind       InkKind
	X, Y, W, H int
	Size       int    // of text, in dots
	Text       string // one line
	White      bool   // text on black
	Code       [][]bool
	Dots       int // a module
}

// Face returns what the texts of the sheet are set in.
func (s *Sheet) Face() *Face { return s.face }

// Baseline returns the row of the baseline of a text, in sixty-fourths of a dot.
func (k Ink) Baseline() int { return k.Y*64 + (k.Size*108/100)*64 - k.Size*64/16 }

// Pages cuts a sheet into pages of at most height dots, at places where nothing is cut. What does not fit into a page at
// all is cut at its height. White at the end makes no page.
func (s *Sheet) Pages(height int) []Page {
	var out []Page
	last := 0 // row below the last ink: no page is for white alone
	for _, k := range s.Inks {
		last = max(last, k.Y+k.H)
	}
	for top := 0; top < last; {
		end := min(s.Height, top+height)
		if end < s.Height {
			for _, b := range s.Breaks {
				if b > top && b <= top+height {
					end = b
				}
				if b > top+height {
					break
				}
			}
		}
		out = append(out, Page{Top: top, Bottom: end})
		top = end
	}
	return out
}

// Page is a range of rows of a sheet.
type Page struct{ Top, Bottom int }
