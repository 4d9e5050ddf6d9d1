package desk

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"path/filepath"
	"strconv"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/vector"

	"bianmin/offline/counter"
	"bianmin/offline/form"
	"bianmin/offline/journal"
	"bianmin/offline/picture"
	"bianmin/offline/words"
)

// Limits of an attachment; those of a picture are package picture's.
const (
	maxAttachment = 20 << 20 // bytes of the file as chosen
	longSide      = 2400     // pixels kept: an A4 page at 200 dpi
	jpegQuality   = 85
)

func journalBlob(r form.BlobRef) journal.Blob {
	return journal.Blob{
		Addr: [32]byte(r.Addr), Key: [16]byte(r.Key), Plain: [32]byte(r.Plain), Size: r.Size, Media: r.MIME, Name: r.Name,
	}
}

func formBlob(b journal.Blob) form.BlobRef {
	return form.BlobRef{Addr: b.Addr[:], Key: b.Key[:], Plain: b.Plain[:], MIME: b.Media, Size: b.Size, Name: b.Name}
}

// clean returns what is kept of a chosen file: a picture decoded and encoded again, so that place, camera and anything
// hidden in it are gone; a PDF as it is. The type is judged by content, never by name.
func clean(data []byte) (out []byte, media string, err error) {
	if len(data) > maxAttachment {
		return nil, "", words.New("desk.attachmentLarge", nil, "limit", strconv.Itoa(maxAttachment>>20))
	}
	media = sniff(data)
	switch media {
	case "application/pdf":
		return data, media, nil
	case picture.JPEG, picture.PNG:
	default:
		return nil, "", words.New("desk.attachmentKind", nil)
	}
	img, err := picture.Decode(data)
	switch {
	case errors.Is(err, picture.ErrTooLarge):
		return nil, "", words.New("desk.pictureLarge", err)
	case err != nil:
		return nil, "", words.New("desk.attachmentKind", err)
	}
	img = shrink(img)
	var buf bytes.Buffer
	if media == picture.PNG {
		err = png.Encode(&buf, img)
	} else {
		err = jpeg.Encode(&buf, img, &jpeg.Options{Quality: jpegQuality})
	}
	if err != nil {
		return nil, "", words.New("desk.attachmentKind", err)
	}
	return buf.Bytes(), media, nil
}

// sniff names the media type by the file's first bytes; "" for anything that is no material.
func sniff(data []byte) string {
	if bytes.HasPrefix(data, []byte("%PDF-")) {
		return "application/pdf"
	}
	return picture.Media(data)
}

// shrink brings the long side down to what a page needs.
func shrink(img image.Image) image.Image {
	b := img.Bounds()
	long := max(b.Dx(), b.Dy())
	if long <= longSide {
		return img
	}
	f := float64(longSide) / float64(long)
	out := image.NewRGBA(image.Rect(0, 0, max(1, int(float64(b.Dx())*f)), max(1, int(float64(b.Dy())*f))))
	xdraw.ApproxBiLinear.Scale(out, out.Bounds(), img, b, xdraw.Src, nil)
	return out
}

// Attach seals a file and adds it to a material.
func (in *Intake) Attach(_ context.Context, path form.Path, data []byte, name string) error {
	kept, media, err := clean(data)
	if err != nil {
		return err
	}
	ref, err := in.keep(kept, media, filepath.Base(name))
	if err != nil {
		return err
	}
	old, err := form.Blobs(in.fs.State(path).Value)
	if err != nil {
		return words.New("desk.caseDamaged", err)
	}
	in.Set(path, append(old, ref))
	if st := in.fs.State(path); st.Error != nil && st.Error.Key != "form.requiredMaterial" {
		perr := st.Error.Words()
		in.Set(path, old)
		return perr
	}
	return in.saver.flush()
}

func (in *Intake) keep(data []byte, media, name string) (form.BlobRef, error) {
	b, err := in.s.d.store.PutBlob(data, media, name)
	if err != nil {
		return form.BlobRef{}, err
	}
	return formBlob(b), nil
}

// Detach takes a file out of a material.
func (in *Intake) Detach(path form.Path, index int) {
	old, err := form.Blobs(in.fs.State(path).Value)
	if err != nil || index < 0 || index >= len(old) {
		return
	}
	in.Set(path, append(old[:index:index], old[index+1:]...))
}

// Sign takes a drawn signature.
func (in *Intake) Sign(_ context.Context, path form.Path, g counter.Signature) error {
	if blank(g.Strokes) {
		return words.New("desk.signatureBlank", nil)
	}
	if g.PNG == nil {
		drawn, err := drawStrokes(g.Strokes)
		if err != nil {
			return err
		}
		g.PNG = drawn
	}
	ref, err := in.keep(g.PNG, "image/png", "signature.png")
	if err != nil {
		return err
	}
	sig := form.Signature{Strokes: g.Strokes, Times: g.Times, Pressure: g.Pressure, PNG: ref, By: "self"}
	if g.Helper {
		sig.By, sig.Reason = "helper", g.Reason
	}
	in.Set(path, sig)
	if st := in.fs.State(path); st.Error != nil {
		return st.Error.Words()
	}
	return in.saver.flush()
}

// leastSignature is how far a pen must travel, leastSpread how far apart its points must lie, in pad units: less is a dot, a
// slip, or a finger that trembled on one spot.
const (
	leastSignature = 40
	leastSpread    = 15
)

func blank(strokes [][]int64) bool {
	var way float64
	left, top, right, bottom := int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MinInt64), int64(math.MinInt64)
	for _, st := range strokes {
		for i := 0; i+1 < len(st); i += 2 {
			left, right, top, bottom = min(left, st[i]), max(right, st[i]), min(top, st[i+1]), max(bottom, st[i+1])
			if i >= 2 {
				way += math.Hypot(float64(st[i]-st[i-2]), float64(st[i+1]-st[i-1]))
			}
		}
	}
	return way < leastSignature || math.Hypot(float64(right-left), float64(bottom-top)) < leastSpread
}

// Limits of strokes before they are drawn; form.ReadSignature has the same for what is kept.
const (
	maxStrokePoints = 20_000
	maxCoordinate   = 1 << 20
)

// drawStrokes draws a signature for which only the strokes are known.
func drawStrokes(strokes [][]int64) ([]byte, error) {
	const width, height, margin, pen = 600, 240, 20, 4
	minX, minY, maxX, maxY := int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MinInt64), int64(math.MinInt64)
	points := 0
	for _, st := range strokes {
		points += len(st) / 2
		for i := 0; i+1 < len(st); i += 2 {
			minX, maxX, minY, maxY = min(minX, st[i]), max(maxX, st[i]), min(minY, st[i+1]), max(maxY, st[i+1])
		}
	}
	if points > maxStrokePoints || min(minX, minY) < -maxCoordinate || max(maxX, maxY) > maxCoordinate {
		return nil, words.New("desk.signatureStrange", nil)
	}
	f := min((width-2*margin)/float64(max(1, maxX-minX)), (height-2*margin)/float64(max(1, maxY-minY)))
	at := func(x, y int64) (float32, float32) {
		return float32(margin + float64(x-minX)*f), float32(margin + float64(y-minY)*f)
	}
	img := image.NewGray(image.Rect(0, 0, width, height))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	for _, st := range strokes {
		for i := 2; i+1 < len(st); i += 2 {
			x0, y0 := at(st[i-2], st[i-1])
			x1, y1 := at(st[i], st[i+1])
			dx, dy := x1-x0, y1-y0
			n := float32(math.Hypot(float64(dx), float64(dy)))
			if n == 0 {
				continue
			}
			ox, oy := -dy/n*pen/2, dx/n*pen/2
			// Only the part of the picture that this piece of the line touches.
			box := image.Rect(int(min(x0, x1))-pen, int(min(y0, y1))-pen, int(max(x0, x1))+pen+1, int(max(y0, y1))+pen+1)
			left, top := float32(box.Min.X), float32(box.Min.Y)
			z := vector.NewRasterizer(box.Dx(), box.Dy())
			z.MoveTo(x0+ox-left, y0+oy-top)
			z.LineTo(x1+ox-left, y1+oy-top)
			z.LineTo(x1-ox-left, y1-oy-top)
			z.LineTo(x0-ox-left, y0-oy-top)
			z.ClosePath()
			z.Draw(img, box, image.NewUniform(color.Black), image.Point{})
		}
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		return nil, words.New("desk.signatureBlank", err)
	}
	return buf.Bytes(), nil
}
