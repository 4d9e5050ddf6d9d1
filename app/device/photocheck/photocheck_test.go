package photocheck

import (
	"errors"
	"image"
	"image/color"
	"slices"
	"testing"

	"golang.org/x/image/draw"
)

func TestCheck(t *testing.T) {
	turned := [4][2]float64{{.30, .06}, {.93, .38}, {.08, .60}}
	for _, c := range []struct {
		name   string
		change func(*shot)
		want   []Fault
	}{
		{"good", func(*shot) {}, nil},
		{"good, turned", func(s *shot) { s.corners = turned }, nil},
		{"good, grainy", func(s *shot) { s.noise = 8 }, nil},
		{"good, in dim light", func(s *shot) { s.light = 0.55 }, nil},
		{"good, dark paper on a bright desk", func(s *shot) { s.desk, s.paper = 235, 140 }, nil},
		{"good, a little soft", func(s *shot) { s.blur = 0.8 }, nil},
		{"good, taken a little from below", func(s *shot) { s.keystone = 0.1 }, nil},
		{"blurred", func(s *shot) { s.blur = 4 }, []Fault{Blurred}},
		{"much blurred and grainy", func(s *shot) { s.blur, s.noise = 8, 3 }, []Fault{Blurred}},
		{"good, shaken a little", func(s *shot) { s.shake = image.Pt(5, 0) }, nil},
		{"shaken across", func(s *shot) { s.shake = image.Pt(15, 0) }, []Fault{Blurred}},
		{"shaken up and down", func(s *shot) { s.shake = image.Pt(0, 15) }, []Fault{Blurred}},
		{"shaken aslant", func(s *shot) { s.shake = image.Pt(12, -12) }, []Fault{Blurred}},
		{"shaken, grainy", func(s *shot) { s.shake, s.noise = image.Pt(15, 4), 8 }, []Fault{Blurred}},
		{"a corner is out", func(s *shot) { s.corners[0] = [2]float64{-.1, -.1} }, []Fault{Cropped}},
		{"half is out", func(s *shot) { s.corners = [4][2]float64{{.4, .1}, {1.4, .1}, {.4, .9}} }, []Fault{Cropped}},
		{"fills the picture", func(s *shot) { s.corners = [4][2]float64{{-.1, -.1}, {1.1, -.1}, {-.1, 1.1}} }, []Fault{Cropped}},
		{"from the side", func(s *shot) { s.keystone = 0.4 }, []Fault{Skewed}},
		{"a lamp", func(s *shot) { s.lamp, s.paper = 0.05, 200 }, []Fault{Glare}},
		{"dark", func(s *shot) { s.light = 0.25; s.noise = 1 }, []Fault{Dark}},
		{"too few points", func(s *shot) { s.width, s.height = 480, 360 }, []Fault{Small}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := good()
			c.change(&s)
			r := Check(s.take(t), Options{Edges: true})
			t.Logf("sharpness %.3f, light %.0f, glare %.4f, corners %v %v", r.Sharpness, r.Light, r.GlareArea, r.Found, r.Corners)
			got := r.Faults
			if c.name == "too few points" { // print of that size is blurred, too
				got = slices.DeleteFunc(slices.Clone(got), func(f Fault) bool { return f == Blurred })
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("faults %v, want %v", got, c.want)
			}
		})
	}
}

func TestCornersAreWhereTheyAre(t *testing.T) {
	s := good()
	r := Check(s.take(t), Options{Edges: true})
	if !r.Found {
		t.Fatal("not found")
	}
	for i, want := range []image.Point{{180, 108}, {1032, 117}, {1020, 801}, {168, 792}} {
		if d := r.Corners[i].Sub(want); max(d.X, -d.X, d.Y, -d.Y) > 15 {
			t.Errorf("corner %d at %v, is at %v", i, r.Corners[i], want)
		}
	}
}

func TestAScanHasNoEdges(t *testing.T) {
	scan := page(t, 1240, 1754, 255)
	if r := Check(scan, Options{}); len(r.Faults) > 0 {
		t.Errorf("a clean scan has %v: %+v", r.Faults, r)
	}
	if r := Check(gauss(scan, 5), Options{}); !slices.Equal(r.Faults, []Fault{Blurred}) {
		t.Errorf("a blurred scan has %v: %+v", r.Faults, r)
	}
}

func TestOddPictures(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {1, 3000}, {3000, 1}, {7, 7}, {100, 100}} {
		g := image.NewGray(image.Rectangle{Max: size})
		if r := Check(g, Options{Edges: true}); !slices.Contains(r.Faults, Blurred) {
			t.Errorf("%v: %v", size, r.Faults)
		}
	}
	moved := image.NewRGBA(image.Rect(-50, -50, 1150, 850))
	draw.Draw(moved, moved.Rect, good().take(t), image.Point{}, draw.Src)
	if r := Check(moved, Options{Edges: true}); len(r.Faults) > 0 {
		t.Errorf("corner at -50,-50: %v", r.Faults)
	}
}

// cardPhoto is an ID card with a number, as a camera sees it.
func cardPhoto(t *testing.T, number string) image.Image {
	card := page(t, 1200, 756, 225, "", "", "", "", "", "            "+number, "")
	photo := image.NewGray(image.Rect(0, 0, 1600, 1100))
	draw.Draw(photo, photo.Rect, image.NewUniform(color.Gray{Y: 70}), image.Point{}, draw.Src)
	draw.Draw(photo, image.Rect(200, 170, 1400, 926), card, image.Point{}, draw.Src)
	return gauss(photo, 0.7)
}

func TestNumber(t *testing.T) {
	const number = "999999194403081228"
	var o OCR
	if !o.Present() {
		t.Fatal("tesseract is not installed: packaging/setup.sh test")
	}
	got, err := o.Number(t.Context(), cardPhoto(t, number))
	if err != nil || got != number {
		t.Errorf("read %q: %v", got, err)
	}
	if got, err := o.Number(t.Context(), cardPhoto(t, "")); !errors.Is(err, ErrUnread) {
		t.Errorf("the other side: %q, %v", got, err)
	}
	// A number that does not check is not read: better none than a wrong one.
	if got, err := o.Number(t.Context(), cardPhoto(t, "999999194403081229")); !errors.Is(err, ErrUnread) {
		t.Errorf("a wrong number: %q, %v", got, err)
	}
	if _, err := (OCR{Program: "/nowhere/tesseract"}).Number(t.Context(), cardPhoto(t, number)); !errors.Is(err, ErrUnread) {
		t.Errorf("no program: %v", err)
	}
}

func BenchmarkCheck(b *testing.B) {
	s := good()
	s.width, s.height = 2592, 1944
	img := s.take(b)
	for b.Loop() {
		Check(img, Options{Edges: true})
	}
}

// TestLinesAreNotShaken: a bar code, or a ruled paper, has edges in one direction, and most of them.
func TestLinesAreNotShaken(t *testing.T) {
	scan := page(t, 1240, 1754, 230)
	for y := 200; y < 700; y++ {
		for x := 100; x < 1100; x++ {
			if x/4*7919%5 < 2 {
				scan.Pix[y*scan.Stride+x] = 30
			}
		}
	}
	for y := 800; y < 1500; y += 20 {
		for x := 100; x < 1140; x++ {
			scan.Pix[y*scan.Stride+x] = 30
		}
	}
	if r := Check(scan, Options{}); len(r.Faults) > 0 {
		t.Errorf("bars and lines: %v, sharpness %.3f", r.Faults, r.Sharpness)
	}
	bars := image.NewGray(image.Rect(0, 0, 856, 540)) // blocks and bars only
	for i := range bars.Pix {
		x, y := i%856, i/856
		bars.Pix[i] = 226
		if x > 60 && x < 480 && y/44%2 == 1 && y > 90 && y < 470 || x > 560 && x < 780 && y > 110 && y < 390 {
			bars.Pix[i] = 130
		}
	}
	if r := Check(bars, Options{}); len(r.Faults) > 0 {
		t.Errorf("blocks: %v, sharpness %.3f", r.Faults, r.Sharpness)
	}
}
