// Package escpos speaks to thermal receipt printers: pictures in, bytes out, and what the printer says about itself.
//
// Of ESC/POS only what every printer has alike is used. Text is never sent as text: whether a printer has Chinese
// characters, and in which code page, is a lottery by model, and a rare name would come out blank. So every line is
// raster (GS v 0), and besides that there are four commands in all:
//
//	ESC @          1B 40                         initialise: forget modes that another program left
//	GS v 0         1D 76 30 00 xL xH yL yH data  raster picture, x bytes wide, y rows high, most significant bit left
//	GS V 66 n      1D 56 42 n                    feed n dots beyond the blade and cut
//	DLE EOT n      10 04 n                       ask for status n (1 to 4), answered at once with one byte
//
// Source: EPSON, ESC/POS Command Reference, the commands of these names. docs/printing.md has the bytes in full.
package escpos

import (
	"errors"
	"fmt"
	"image"
)

// BandRows is the height of one raster command. A picture is sent in bands, because small printers hold a band in memory
// before they print it, and because the status is read between bands.
const BandRows = 128

// ErrPicture reports a picture that the printer cannot print.
var ErrPicture = errors.New("escpos: not a picture for this printer")

// Bytes of the commands.
const (
	dle = 0x10
	eot = 0x04
	esc = 0x1b
	gs  = 0x1d
)

// Init makes the printer forget what another program told it.
func Init() []byte { return []byte{esc, '@'} }

// Cut feeds the paper beyond the blade and cuts it. Printers without a blade feed.
func Cut() []byte {
	const feed = 24 // dots, three millimetres of white under the last line
	return []byte{gs, 'V', 66, feed}
}

// Ask asks for one of the four statuses.
func Ask(q Question) []byte { return []byte{dle, eot, byte(q)} }

// Bands cuts a picture into raster commands. The picture must be black and white and as wide as the paper, a multiple of
// eight dots. Errors: ErrPicture.
func Bands(img *image.Gray) ([][]byte, error) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if w <= 0 || w%8 != 0 || w > 8*0xffff || h <= 0 {
		return nil, fmt.Errorf("%w: %d by %d dots", ErrPicture, w, h)
	}
	var out [][]byte
	for top := 0; top < h; top += BandRows {
		band, err := raster(img, top, min(BandRows, h-top))
		if err != nil {
			return nil, err
		}
		out = append(out, band)
	}
	return out, nil
}

// raster is one GS v 0 command.
func raster(img *image.Gray, top, rows int) ([]byte, error) {
	across := img.Rect.Dx() / 8
	out := make([]byte, 0, 8+across*rows)
	out = append(out, gs, 'v', '0', 0, byte(across), byte(across>>8), byte(rows), byte(rows>>8))
	for y := range rows {
		at := (top + y) * img.Stride
		row := img.Pix[at : at+img.Rect.Dx()]
		for x := 0; x < len(row); x += 8 {
			var b byte
			for i, p := range row[x : x+8] {
				switch p {
				case 0:
					b |= 0x80 >> i
				case 0xff:
				default:
					return nil, fmt.Errorf("%w: grey %d", ErrPicture, p)
				}
			}
			out = append(out, b)
		}
	}
	return out, nil
}

// Encode returns all bytes of one paper: initialise, the picture in bands, cut.
func Encode(img *image.Gray) ([]byte, error) {
	bands, err := Bands(img)
	if err != nil {
		return nil, err
	}
	out := Init()
	for _, b := range bands {
		out = append(out, b...)
	}
	return append(out, Cut()...), nil
}
