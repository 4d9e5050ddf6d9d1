package receipt

import (
	"errors"
	"fmt"
	"image"

	"bianmin/offline/paper"
)

// Widths of thermal paper in dots at 203 dpi, 8 dots a millimetre.
const (
	Dots58 = paper.Dots58 // 58 mm paper prints 48 mm
	Dots80 = paper.Dots80 // 80 mm paper prints 72 mm
)

// SlipText is every word on a slip. The caller chooses the words: those of stage 1 say that the station took the case
// in, those of stage 2 that the platform accepted it. Empty parts are left out.
type SlipText struct {
	Org    string     // who issues it, above the title
	Title  string     // 收件回执 or 受理通知书
	Copy   string     // under the title, white on black: that it is a reprint, and when; "" on the first paper
	Lines  []SlipLine // what it says
	Note   string     // what it proves, in a sentence
	Scan   string     // above the code: what scanning does
	Under  []SlipLine // under the code, so that a torn code loses nothing: number, host, telephone, time
	Footer []string   // last lines, centred
}

// SlipLine is a label with its value. An empty label gives the whole width to the value.
type SlipLine struct{ Label, Value string }

// ErrSlip reports a slip that cannot be drawn.
var ErrSlip = errors.New("receipt: slip cannot be drawn")

// SlipDoc describes a slip; package paper lays it out for a roll or a page. c may be nil.
func SlipDoc(s SlipText, c *Code) paper.Doc {
	d := paper.Doc{Title: s.Title}
	d.Space(16)
	d.Centre(s.Org, 26)
	d.Space(2)
	d.Centre(s.Title, 46)
	if s.Copy != "" {
		d.Space(4)
		d.Mark(s.Copy, 24)
	}
	d.Space(12)
	d.Rule(3)
	d.Space(12)
	for _, l := range s.Lines {
		d.Pair(l.Label, l.Value, 24)
	}
	if s.Note != "" {
		d.Space(6)
		d.Rule(1)
		d.Space(10)
		d.Text(s.Note, 24)
	}
	if c != nil {
		d.Space(10)
		d.Centre(s.Scan, 24)
		d.Code(c.Modules)
	}
	for _, l := range s.Under {
		d.Pair(l.Label, l.Value, 24)
	}
	if len(s.Footer) > 0 {
		d.Space(8)
		d.Rule(1)
		d.Space(10)
		for _, t := range s.Footer {
			d.Centre(t, 22)
		}
	}
	d.Space(24)
	return d
}

// Slip draws a slip exactly dots wide (Dots58 or Dots80), black on white without grey, ready for the printer. Errors:
// ErrSlip.
func Slip(s SlipText, c *Code, face *paper.Face, dots int) (*image.Gray, error) {
	if dots != Dots58 && dots != Dots80 {
		return nil, fmt.Errorf("%w: %d dots wide", ErrSlip, dots)
	}
	sheet, err := paper.Lay(SlipDoc(s, c), face, paper.StyleFor(dots))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSlip, err)
	}
	img, err := sheet.Raster()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSlip, err)
	}
	return img, nil
}
