package ink

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"testing"

	"bianmin/offline/canon"
)

func wave() Strokes {
	s := Strokes{Width: 8000, Height: 2400}
	line := []Point{}
	for i := int32(0); i < 60; i++ {
		line = append(line, Point{500 + i*100, 1200 + (i%7)*90, i * 12})
	}
	s.Lines = append(s.Lines, line, []Point{{7000, 400, 900}})
	return s
}

func TestBlankTellsADotFromASignature(t *testing.T) {
	for _, test := range []struct {
		name string
		in   Strokes
		want bool
	}{
		{"nothing", Strokes{Width: 8000, Height: 2400}, true},
		{"one dot", Strokes{Width: 8000, Height: 2400, Lines: [][]Point{{{10, 10, 0}}}}, true},
		{"a trembling touch", Strokes{Width: 8000, Height: 2400, Lines: [][]Point{{{10, 10, 0}, {60, 40, 9}, {90, 20, 20}}}}, true},
		{"a signature", wave(), false},
	} {
		if got := test.in.Blank(); got != test.want {
			t.Errorf("%s: Blank = %v (ink %.0f)", test.name, got, test.in.Length())
		}
	}
}

func TestEncodingsComeBack(t *testing.T) {
	want := wave()
	got, err := Parse(want.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Encode(), want.Encode()) {
		t.Error("JSON did not come back the same")
	}
	raw, err := canon.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var back Strokes
	if err := canon.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(back.Encode(), want.Encode()) {
		t.Error("CBOR did not come back the same")
	}
	if perPoint := float64(len(raw)) / float64(want.Points()); perPoint > 12 {
		t.Errorf("CBOR takes %.1f bytes a point", perPoint)
	}
}

func TestParseRefuses(t *testing.T) {
	outside := wave()
	outside.Lines[0][3][0] = 9000
	backwards := wave()
	backwards.Lines[0][3][2] = 1
	many := Strokes{Width: 10, Height: 10, Lines: make([][]Point, MaxLines+1)}
	for i := range many.Lines {
		many.Lines[i] = []Point{{1, 1, 0}}
	}
	for _, test := range []struct {
		name string
		in   []byte
		want error
	}{
		{"a point off the pad", outside.Encode(), ErrOutside},
		{"time running backwards", backwards.Encode(), ErrOutside},
		{"too many lines", many.Encode(), ErrTooLarge},
		{"an empty line", []byte(`{"w":10,"h":10,"s":[[]]}`), ErrOutside},
		{"not compact", []byte(`{"w": 10,"h":10,"s":[]}`), errNotCompact},
	} {
		if _, err := Parse(test.in); !errors.Is(err, test.want) {
			t.Errorf("%s: err = %v, want %v", test.name, err, test.want)
		}
	}
	var syntax *json.SyntaxError
	if _, err := Parse([]byte(`{"w":1,]`)); !errors.As(err, &syntax) {
		t.Errorf("broken JSON: err = %v", err)
	}
}

func TestPNGIsBlackOnWhiteInTheRightPlace(t *testing.T) {
	s := Strokes{Width: 8000, Height: 2400, Lines: [][]Point{{{1000, 1200, 0}, {3000, 1200, 50}, {7000, 1200, 100}}}}
	raw, err := s.PNG(400)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if picture.Bounds() != image.Rect(0, 0, 400, 120) {
		t.Fatalf("bounds %v", picture.Bounds())
	}
	gray := picture.(*image.Gray)
	for x := 52; x < 348; x++ {
		if gray.GrayAt(x, 60).Y > 60 {
			t.Fatalf("gap in the line at x=%d: %d", x, gray.GrayAt(x, 60).Y)
		}
	}
	if gray.GrayAt(200, 10).Y != 255 || gray.GrayAt(20, 60).Y != 255 {
		t.Error("ink where nobody wrote")
	}
	if _, err := (Strokes{}).PNG(400); !errors.Is(err, ErrOutside) {
		t.Errorf("empty pad: err = %v", err)
	}
}

func TestDrawingPointByPointEqualsDrawingWhole(t *testing.T) {
	s := wave()
	whole, steps := image.NewAlpha(image.Rect(0, 0, 800, 240)), image.NewAlpha(image.Rect(0, 0, 800, 240))
	NewPen(whole, 0.1).Line(s.Lines[0])
	pen := NewPen(steps, 0.1)
	for i := range s.Lines[0] {
		pen.Extend(s.Lines[0][:i+1])
	}
	pen.Finish(s.Lines[0])
	if !bytes.Equal(whole.Pix, steps.Pix) {
		t.Error("a signature looks different while it is written and afterwards")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(wave().Encode())
	f.Add([]byte(`{"w":10,"h":10,"s":[[[1,2,3]]]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := Parse(raw)
		if err != nil {
			return
		}
		if !bytes.Equal(s.Encode(), raw) {
			t.Fatalf("%q parsed but encodes to %q", raw, s.Encode())
		}
		s.Blank()
	})
}

func TestATremblingDotIsBlank(t *testing.T) {
	dot := Strokes{Width: 6000, Height: 2400, Lines: [][]Point{nil}}
	for i := range int32(80) {
		dot.Lines[0] = append(dot.Lines[0], Point{1000 + i%2*60, 1000 + i%3*30, i * 20})
	}
	if dot.Length() < leastInk || !dot.Blank() {
		t.Errorf("a finger that trembled %.0f tenths on one spot signs", dot.Length())
	}
	dot.Lines[0] = append(dot.Lines[0], Point{1400, 1000, 2000})
	if dot.Blank() {
		t.Error("a stroke is blank")
	}
}
