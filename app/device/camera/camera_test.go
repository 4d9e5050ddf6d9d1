package camera

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// folder writes pictures that are grey all over, one a brightness.
func folder(t testing.TB, levels ...uint8) string {
	t.Helper()
	dir := t.TempDir()
	for i, v := range levels {
		g := image.NewGray(image.Rect(0, 0, 64, 48))
		for k := range g.Pix {
			g.Pix[k] = v
		}
		var buf bytes.Buffer
		if err := png.Encode(&buf, g); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, string(rune('a'+i))+".png"), buf.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func level(img image.Image) uint8 { return color.GrayModel.Convert(img.At(10, 10)).(color.Gray).Y }

func TestFiles(t *testing.T) {
	f := &Files{Dir: folder(t, 10, 100, 200)}
	s, err := f.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Open(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("a second stream: %v", err)
	}
	for _, want := range []uint8{10, 100, 200, 200} {
		img, err := s.Frame(t.Context())
		if err != nil || level(img) != want {
			t.Fatalf("%d, want %d: %v", level(img), want, err)
		}
	}
	raw, err := s.Still(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(raw))
	if err != nil || level(img) < 198 || level(img) > 202 {
		t.Errorf("the still: %v", err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if open, _ := f.Streams(); open != 0 {
		t.Errorf("%d streams are open", open)
	}
	if _, err := s.Frame(t.Context()); !errors.Is(err, ErrNoPicture) {
		t.Errorf("after closing: %v", err)
	}
	for dir, want := range map[string]error{t.TempDir(): ErrNoCamera, filepath.Join(t.TempDir(), "none"): ErrNoCamera} {
		if _, err := (&Files{Dir: dir}).Open(t.Context()); !errors.Is(err, want) {
			t.Errorf("no pictures: %v", err)
		}
	}
}

// A preview takes one picture a tick, waits for the screen, and stops with its context.
func TestPreview(t *testing.T) {
	f := &Files{Dir: folder(t, 10, 100, 200)}
	s, err := f.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, hide := context.WithCancel(t.Context())
	ticks := make(chan time.Time)
	var pause time.Duration
	stopped := false
	pace := func(d time.Duration) (<-chan time.Time, func()) {
		pause = d
		return ticks, func() { stopped = true }
	}
	shown := make(chan uint8)
	still := make(chan chan<- Still)
	done := make(chan error)
	go func() {
		done <- Preview(ctx, s, pace, func(img image.Image) { shown <- level(img) }, still)
	}()
	for _, want := range []uint8{10, 100} {
		ticks <- time.Time{}
		if got := <-shown; got != want {
			t.Fatalf("shown %d, want %d", got, want)
		}
	}
	if _, frames := f.Streams(); frames != 2 {
		t.Errorf("%d pictures in two ticks", frames)
	}
	answer := make(chan Still)
	still <- answer
	if got := <-answer; got.Err != nil {
		t.Fatal(got.Err)
	} else if img, err := jpeg.Decode(bytes.NewReader(got.JPEG)); err != nil || level(img) < 98 || level(img) > 102 {
		t.Error("the still is not of what was seen last")
	}
	hide()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	if !stopped || pause < time.Second/10 {
		t.Errorf("ticker stopped: %v, a picture each %v", stopped, pause)
	}
	_, before := f.Streams()
	select {
	case ticks <- time.Time{}:
		t.Error("somebody waits for a tick of a preview that is hidden")
	default:
	}
	if _, after := f.Streams(); after != before {
		t.Error("pictures are taken though nobody looks")
	}
}

func TestPreviewEndsWithTheStream(t *testing.T) {
	f := &Files{Dir: folder(t, 10)}
	s, err := f.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ticks := make(chan time.Time, 1)
	ticks <- time.Time{}
	err = Preview(t.Context(), s, func(time.Duration) (<-chan time.Time, func()) { return ticks, func() {} }, func(image.Image) {
		t.Error("a picture of a camera that is closed")
	}, nil)
	if !errors.Is(err, ErrNoPicture) {
		t.Errorf("it ended with %v", err)
	}
}

// strip takes the Huffman tables out of a JPEG, as Motion JPEG has none.
func strip(t *testing.T, data []byte) []byte {
	t.Helper()
	out := append([]byte{}, data[:2]...)
	for at := 2; at < len(data); {
		if data[at+1] == 0xDA {
			return append(out, data[at:]...)
		}
		n := 2 + int(data[at+2])<<8 + int(data[at+3])
		if data[at+1] != 0xC4 {
			out = append(out, data[at:at+n]...)
		}
		at += n
	}
	t.Fatal("no scan")
	return nil
}

func TestFrames(t *testing.T) {
	src := image.NewYCbCr(image.Rect(0, 0, 64, 48), image.YCbCrSubsampleRatio420)
	for i := range src.Y {
		src.Y[i] = uint8(i)
	}
	for i := range src.Cb {
		src.Cb[i], src.Cr[i] = 90, 200
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, src, nil); err != nil {
		t.Fatal(err)
	}
	want, err := jpeg.Decode(bytes.NewReader(buf.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	bare := strip(t, buf.Bytes())
	if _, err := jpeg.Decode(bytes.NewReader(bare)); err == nil {
		t.Fatal("the control decodes without tables")
	}
	for name, frame := range map[string][]byte{"with tables": buf.Bytes(), "without": bare} {
		got, err := decode(fourMJPG, 64, 48, frame)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for y := range 48 {
			for x := range 64 {
				if got.At(x, y) != want.At(x, y) {
					t.Fatalf("%s: another picture at %d,%d", name, x, y)
				}
			}
		}
	}
	raw := make([]byte, 2*4*2)
	for i := range raw {
		raw[i] = uint8(10 * i)
	}
	img, err := decode(fourYUYV, 4, 2, raw)
	if err != nil {
		t.Fatal(err)
	}
	if got := img.At(1, 0); got != (color.YCbCr{Y: 20, Cb: 10, Cr: 30}) {
		t.Errorf("second point %v", got)
	}
	for name, bad := range map[string]func() (image.Image, error){
		"short":   func() (image.Image, error) { return decode(fourYUYV, 64, 48, raw) },
		"odd":     func() (image.Image, error) { return decode(fourYUYV, 3, 2, raw) },
		"no JPEG": func() (image.Image, error) { return decode(fourMJPG, 64, 48, raw) },
		"cut":     func() (image.Image, error) { return decode(fourMJPG, 64, 48, bare[:200]) },
		"unknown": func() (image.Image, error) { return decode(1, 4, 2, raw) },
	} {
		if _, err := bad(); !errors.Is(err, ErrNoPicture) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(uint32(fourYUYV), 4, 2, make([]byte, 16))
	f.Add(uint32(fourMJPG), 4, 2, []byte{0xFF, 0xD8, 0xFF, 0xDA, 0, 2})
	f.Fuzz(func(t *testing.T, format uint32, w, h int, frame []byte) {
		if w > 1<<14 || h > 1<<14 {
			return
		}
		if img, err := decode(format, w, h, frame); err == nil && img.Bounds().Empty() {
			t.Error("an empty picture without an error")
		}
	})
}
