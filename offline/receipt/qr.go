package receipt

import (
	"errors"
	"fmt"
	"image"

	qrcode "github.com/skip2/go-qrcode"

	"bianmin/offline/paper"
)

// Level is how much damage a code survives.
type Level uint8

// Levels in use. Zero means LevelM.
const (
	LevelM Level = iota + 1 // 15 %: 58 mm paper, where larger modules help more
	LevelQ                  // 25 %: wider paper and screens
)

// QuietZone is the white margin a code needs, in modules (ISO/IEC 18004).
const QuietZone = paper.QuietZone

// ErrQR reports a code that could not be made, or that did not read back as what went in.
var ErrQR = errors.New("receipt: QR code does not read back")

// Code is a QR code that has been read back once.
type Code struct {
	Text    string
	Level   Level
	Version int      // 1 to 40; the code has 17+4·Version modules a side
	Modules [][]bool // rows; true is black; without quiet zone
}

// QR makes the code for a link and reads it back before it returns: what is printed or shown can be scanned. ErrQR
// otherwise; the libraries' panics are caught.
func QR(link string, level Level) (c *Code, err error) {
	defer func() {
		if r := recover(); r != nil {
			c, err = nil, fmt.Errorf("%w: %v", ErrQR, r)
		}
	}()
	recovery := qrcode.Medium
	if level == LevelQ {
		recovery = qrcode.High // the library's name for level Q
	} else {
		level = LevelM
	}
	q, err := qrcode.New(link, recovery)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrQR, err)
	}
	q.DisableBorder = true
	c = &Code{Text: link, Level: level, Version: q.VersionNumber, Modules: q.Bitmap()}
	if err := c.readBack(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Code) readBack() error {
	text, err := decode(c.Image(2, QuietZone), pureCode)
	if err != nil {
		// The shortcut for drawn codes gives up on a few sound ones; the search for photographs decides.
		text, err = decode(c.Image(4, QuietZone), tryHard)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrQR, err)
	}
	if text != c.Text {
		return fmt.Errorf("%w: version %d", ErrQR, c.Version)
	}
	return nil
}

// Size returns the number of modules a side, without quiet zone.
func (c *Code) Size() int { return len(c.Modules) }

// Dots returns the largest whole number of dots a module may have so that the code with its quiet zone of so many
// modules fits into width dots; 0 when it does not fit at all.
func (c *Code) Dots(width, quiet int) int { return width / (c.Size() + 2*quiet) }

// Image draws the code black on white with whole dots: dots a module (at least 1), quiet white modules around it.
func (c *Code) Image(dots, quiet int) *image.Gray {
	dots, quiet = max(dots, 1), max(quiet, 0)
	side := (c.Size() + 2*quiet) * dots
	img := image.NewGray(image.Rect(0, 0, side, side))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	c.draw(img, image.Pt(quiet*dots, quiet*dots), dots)
	return img
}

// draw paints the black modules into img with the upper left corner at p.
func (c *Code) draw(img *image.Gray, p image.Point, dots int) {
	for y, row := range c.Modules {
		for x, black := range row {
			if !black {
				continue
			}
			for dy := range dots {
				at := img.PixOffset(p.X+x*dots, p.Y+y*dots+dy)
				clear(img.Pix[at : at+dots])
			}
		}
	}
}
