// Package pdf writes sheets of paper as PDF: on A4 for office printers and for files. Text stays text: it can be searched and
// copied, in one embedded font that holds the characters of the document and no others, rare ones included.
package pdf

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/signintech/gopdf"

	"bianmin/offline/paper"
)

// A4 in points, and the edge around a sheet in millimetres.
const (
	a4Width, a4Height = 595.28, 841.89
	edgeMM            = 15.0
	pointsPerMM       = 72 / 25.4
	pointsPerDot      = pointsPerMM / paper.PerMM
)

const family = "sheet"

// Encode writes a sheet on pages of A4. The sheet must be paper.DotsA4 wide or narrower; it is placed in the middle.
func Encode(s *paper.Sheet) ([]byte, error) {
	if s.Width > paper.DotsA4 {
		return nil, fmt.Errorf("pdf: sheet of %d dots, at most %d", s.Width, paper.DotsA4)
	}
	var runes []rune
	for _, k := range s.Inks {
		runes = append(runes, []rune(k.Text)...)
	}
	var p gopdf.GoPdf
	p.Start(gopdf.Config{PageSize: gopdf.Rect{W: a4Width, H: a4Height}})
	p.SetInfo(gopdf.PdfInfo{Title: s.Title, Creator: "Bianmin", Producer: "Bianmin"})
	if len(runes) > 0 {
		if err := p.AddTTFFontDataWithOption(family, subset(s.Face(), runes), gopdf.TtfOption{}); err != nil {
			return nil, fmt.Errorf("pdf: font: %w", err)
		}
	}
	const down = (a4Height/pointsPerMM - 2*edgeMM) * paper.PerMM // dots
	left := (a4Width - float64(s.Width)*pointsPerDot) / 2
	for _, page := range s.Pages(int(math.Floor(down))) {
		p.AddPage()
		w := writer{p: &p, left: left, top: edgeMM*pointsPerMM - float64(page.Top)*pointsPerDot}
		for _, k := range s.Inks {
			if k.Y < page.Top || k.Y >= page.Bottom {
				continue
			}
			if err := w.ink(k); err != nil {
				return nil, err
			}
		}
	}
	raw, err := p.GetBytesPdfReturnErr()
	if err != nil {
		return nil, fmt.Errorf("pdf: %w", err)
	}
	return surrogates(raw)
}

// writer places ink on a page.
type writer struct {
	p         *gopdf.GoPdf
	left, top float64 // of the sheet, in points
}

func (w writer) x(dots int) float64 { return w.left + float64(dots)*pointsPerDot }
func (w writer) y(dots int) float64 { return w.top + float64(dots)*pointsPerDot }

func (w writer) ink(k paper.Ink) error {
	w.p.SetFillColor(0, 0, 0)
	switch k.Kind {
	case paper.InkRect:
		w.p.RectFromUpperLeftWithStyle(w.x(k.X), w.y(k.Y), float64(k.W)*pointsPerDot, float64(k.H)*pointsPerDot, "F")
	case paper.InkCode:
		w.code(k)
	case paper.InkText:
		return w.text(k)
	}
	return nil
}

// code draws a QR code as one rectangle for each run of black modules in a row, a hair higher than a module: no reader of
// PDF shows white lines between them.
func (w writer) code(k paper.Ink) {
	side := float64(k.Dots) * pointsPerDot
	for y, row := range k.Code {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			from := x
			for x+1 < len(row) && row[x+1] {
				x++
			}
			below := 0.0
			if y+1 < len(k.Code) && k.Code[y+1][from] {
				below = 0.05
			}
			w.p.RectFromUpperLeftWithStyle(w.x(k.X+from*k.Dots), w.y(k.Y+y*k.Dots), float64(x-from+1)*side, side+below, "F")
		}
	}
}

func (w writer) text(k paper.Ink) error {
	size := float64(k.Size) * pointsPerDot
	if err := w.p.SetFont(family, "", size); err != nil {
		return fmt.Errorf("pdf: font: %w", err)
	}
	shade := uint8(0)
	if k.White {
		shade = 0xff
	}
	w.p.SetTextColor(shade, shade, shade)
	w.p.SetXY(w.x(k.X), w.top+float64(k.Baseline())/64*pointsPerDot)
	if err := w.p.Text(k.Text); err != nil {
		return fmt.Errorf("pdf: text: %w", err)
	}
	return nil
}

// mostRanges is how many lines a block of a character map may have (ISO 32000-1 §9.10.3, with Adobe's note 5014).
const mostRanges = 100

// surrogates puts right what gopdf 0.33 gets wrong in the map from glyphs to characters: above U+FFFF it writes five digits where
// the format has UTF-16, so that such names could not be searched or copied; and it writes one block however long. What
// changes its length moves what follows, so the table of offsets is written again.
func surrogates(raw []byte) ([]byte, error) {
	const begin, end = " beginbfrange\n", "endbfrange"
	from := bytes.Index(raw, []byte(begin))
	if from < 0 {
		return raw, nil // no text
	}
	n := bytes.Index(raw[from:], []byte(end))
	if n < 0 {
		return nil, fmt.Errorf("pdf: map of characters without end")
	}
	var ranges []string
	for _, line := range bytes.Split(raw[from+len(begin):from+n], []byte("\n")) {
		var a, b, r int
		if _, err := fmt.Sscanf(string(line), "<%04X><%04X><%X>", &a, &b, &r); err != nil {
			continue // the empty one after the last
		}
		text := fmt.Sprintf("%04X", r)
		if r > 0xffff {
			r -= 0x10000
			text = fmt.Sprintf("%04X%04X", 0xd800+r>>10, 0xdc00+r&0x3ff)
		}
		ranges = append(ranges, fmt.Sprintf("<%04X><%04X><%s>\n", a, b, text))
	}
	var blocks bytes.Buffer
	for part := range slices.Chunk(ranges, mostRanges) {
		if blocks.Len() > 0 {
			blocks.WriteString(end + "\n")
		}
		blocks.WriteString(strconv.Itoa(len(part)) + begin)
		for _, r := range part {
			blocks.WriteString(r)
		}
	}
	count := from // the number before it
	for count > 0 && raw[count-1] >= '0' && raw[count-1] <= '9' {
		count--
	}
	return grow(raw, count, from+n-count, blocks.Bytes())
}
