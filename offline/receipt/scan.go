package receipt

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"strings"

	"bianmin/offline/picture"
	"bianmin/offline/words"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"golang.org/x/image/draw"
)

// Limits of pictures.
const (
	maxPixels   = 50_000_000
	workingSide = 2400 // larger pictures are reduced first
)

// Errors of Scan and ScanPicture.
var (
	// ErrNoCode reports a picture in which no QR code can be read.
	ErrNoCode = errors.New("receipt: no QR code in the picture")
	// ErrPicture reports bytes that are not a PNG or JPEG picture of a reasonable size.
	ErrPicture = errors.New("receipt: not a readable picture")
)

type decodeMode int

const (
	pureCode      decodeMode = iota // drawn upright, nothing else in the picture
	tryHard                         // anywhere, any angle
	tryHardGlobal                   // the same with one threshold for the whole picture
)

// decode reads one code. A panic of the library is an error: pictures come from outside.
func decode(img image.Image, mode decodeMode) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			text, err = "", fmt.Errorf("%w: %v", ErrNoCode, r)
		}
	}()
	src := luminance(img)
	binarizer := gozxing.NewHybridBinarizer(src)
	if mode != tryHard {
		binarizer = gozxing.NewGlobalHistgramBinarizer(src)
	}
	bits, err := gozxing.NewBinaryBitmap(binarizer)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoCode, err)
	}
	hint := gozxing.DecodeHintType_TRY_HARDER
	if mode == pureCode {
		hint = gozxing.DecodeHintType_PURE_BARCODE
	}
	r, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{hint: true})
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoCode, err)
	}
	return r.GetText(), nil
}

// luminance hands a picture to the library without going through color.Color for every pixel.
func luminance(img image.Image) gozxing.LuminanceSource {
	g := toGray(img)
	w, h := g.Rect.Dx(), g.Rect.Dy()
	pix := make([]byte, 0, w*h)
	for y := range h {
		pix = append(pix, g.Pix[y*g.Stride:y*g.Stride+w]...)
	}
	src, err := gozxing.NewPlanarYUVLuminanceSource(pix, w, h, 0, 0, w, h, false)
	if err != nil {
		return gozxing.NewLuminanceSourceFromImage(img)
	}
	return src
}

// toGray returns img as grey on white with its corner at 0,0.
func toGray(img image.Image) *image.Gray {
	b := img.Bounds()
	if g, ok := img.(*image.Gray); ok && b.Min == (image.Point{}) {
		return g
	}
	g := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(g, g.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(g, g.Rect, img, b.Min, draw.Over)
	return g
}

// Scan finds a QR code anywhere in a picture — a photograph of paper, a screenshot of a window — and returns its text.
// A receipt's link is preferred to other codes. It looks at the whole picture, then at other sizes, then at parts; on a
// picture without a code that takes some seconds at most. ErrNoCode, with words, when nothing is found.
func Scan(img image.Image) (string, error) {
	b := img.Bounds()
	if b.Empty() || b.Dx() > maxPixels/max(b.Dy(), 1) {
		return "", words.New(ReasonPicture, ErrPicture)
	}
	g := toGray(img)
	if side := max(b.Dx(), b.Dy()); side > workingSide {
		g = scaled(g, workingSide*b.Dx()/side, workingSide*b.Dy()/side)
	}
	other := ""
	look := func(part *image.Gray) (string, bool) {
		for _, mode := range []decodeMode{tryHard, tryHardGlobal} {
			text, err := decode(part, mode)
			if err != nil {
				continue
			}
			if _, _, err := ParseLink(text); err == nil || strings.Contains(text, linkPath) {
				return text, true
			}
			other = text
		}
		return "", false
	}
	w, h := g.Rect.Dx(), g.Rect.Dy()
	for _, percent := range []int{100, 50, 75, 150, 200, 60, 40, 33} {
		sw, sh := w*percent/100, h*percent/100
		if sw < 21 || sh < 21 || percent > 100 && max(sw, sh) > workingSide {
			continue
		}
		part := g
		if percent != 100 {
			part = scaled(g, sw, sh)
		}
		if text, ok := look(part); ok {
			return text, nil
		}
	}
	// A code that is a small part of a busy picture: look at overlapping windows, enlarged when they are small.
	for _, split := range []int{2, 3} {
		cw, ch := max(w/split, 21), max(h/split, 21)
		for y := 0; y+ch <= h; y += max(ch/2, 1) {
			for x := 0; x+cw <= w; x += max(cw/2, 1) {
				part := crop(g, image.Rect(x, y, x+cw, y+ch))
				if text, ok := look(part); ok {
					return text, nil
				}
				if max(cw, ch)*2 <= workingSide {
					if text, ok := look(scaled(part, cw*2, ch*2)); ok {
						return text, nil
					}
				}
			}
		}
	}
	// Last, squares close to each other: one of them holds little but the code.
	for _, part := range []int{2, 3} {
		side := max(min(w, h)/part, 21)
		for y := 0; y+side <= h; y += max(side/4, 1) {
			for x := 0; x+side <= w; x += max(side/4, 1) {
				cut := crop(g, image.Rect(x, y, x+side, y+side))
				for _, percent := range []int{60, 40, 100, 150} {
					if text, ok := look(scaled(cut, side*percent/100, side*percent/100)); ok {
						return text, nil
					}
				}
			}
		}
	}
	if other != "" {
		return other, nil
	}
	return "", words.New(ReasonNoCode, ErrNoCode)
}

func scaled(g *image.Gray, w, h int) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, max(w, 1), max(h, 1)))
	draw.BiLinear.Scale(out, out.Rect, g, g.Rect, draw.Src, nil)
	return out
}

func crop(g *image.Gray, r image.Rectangle) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, r.Dx(), r.Dy()))
	draw.Draw(out, out.Rect, g, r.Min, draw.Src)
	return out
}

// ScanPicture scans the bytes of a PNG or JPEG file. The size is checked before anything is decoded; ErrPicture, with
// words, for what is not a picture or too large, else the errors of Scan.
func ScanPicture(data []byte) (string, error) {
	img, err := picture.Decode(data)
	if err != nil {
		return "", words.New(ReasonPicture, fmt.Errorf("%w: %w", ErrPicture, err))
	}
	return Scan(img)
}

// frameSide is the long side of a picture of a moving camera in which a code is looked for.
const frameSide = 1000

// ScanFrame finds a QR code in one picture of a camera that runs, and returns its text. It looks once, at two thresholds, and
// takes about a tenth of a second: the next picture is another chance. ErrNoCode when nothing is found.
func ScanFrame(img image.Image) (string, error) {
	b := img.Bounds()
	if b.Empty() || b.Dx() > maxPixels/max(b.Dy(), 1) {
		return "", ErrNoCode
	}
	g := toGray(img)
	if side := max(b.Dx(), b.Dy()); side > frameSide {
		g = scaled(g, frameSide*b.Dx()/side, frameSide*b.Dy()/side)
	}
	for _, mode := range []decodeMode{tryHard, tryHardGlobal} {
		if text, err := decode(g, mode); err == nil {
			return text, nil
		}
	}
	return "", ErrNoCode
}
