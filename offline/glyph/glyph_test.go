package glyph

import (
	"bytes"
	"image"
	"image/color"
	"runtime"
	"testing"

	gotext "github.com/go-text/typesetting/font"
)

// rare are characters that are not in the interface font, of the extensions A, B, E and F.
const rare = "㐀𠮷\U0002B8F3\U0002E9F5"

// large returns the source over this machine's fonts. packaging/setup.sh installs fonts-hanazono.
func large(t *testing.T) *Source {
	t.Helper()
	s := System()
	if len(s.Files()) == 0 {
		t.Fatal("no large font: run packaging/setup.sh test")
	}
	return s
}

func TestOutlinesComeFromALargeFont(t *testing.T) {
	s := large(t)
	for _, r := range rare {
		o := s.Outline(r)
		if !Lacks(r) || !o.Found || len(o.Segments) < 8 || o.Advance < Em*9/10 || o.Advance > Em*11/10 {
			t.Errorf("%U: lacks %v, %v, %d segments, advance %g", r, Lacks(r), o.Found, len(o.Segments), o.Advance)
		}
		if o != s.Outline(r) {
			t.Errorf("%U is read twice", r)
		}
	}
	if Lacks('\U000E0100') || Lacks('王') || Lacks('·') || Lacks('A') || Lacks(' ') {
		t.Error("the interface font lacks what everybody writes")
	}
}

func TestWhatNoFontHasIsABoxWithItsCode(t *testing.T) {
	s := NewSource(t.TempDir())
	a, b := s.Outline(0x20BB7), s.Outline(0x20BB8)
	if a.Found || b.Found || len(a.Segments) < 40 || a.Advance != Em {
		t.Fatalf("%v %v", a, b)
	}
	if bytes.Equal(a.Mask(64).Pix, b.Mask(64).Pix) {
		t.Error("two characters look the same")
	}
}

func TestMaskCoversAsMuchAsACharacter(t *testing.T) {
	s := large(t)
	for _, r := range rare + "王" {
		m := s.Outline(r).Mask(48)
		ink, edge := 0, 0
		for y := range 48 {
			for x := range 48 {
				if m.AlphaAt(x, y).A > 127 {
					ink++
					if x == 0 || y == 0 || x == 47 || y == 47 {
						edge++
					}
				}
			}
		}
		if ink < 100 || ink > 1500 || edge > 20 {
			t.Errorf("%U: %d pixels of ink, %d at the edge", r, ink, edge)
		}
	}
}

func TestFontHasJustWhatIsLacking(t *testing.T) {
	s := large(t)
	b := s.Font("王𠮷𠮷·𫣳A")
	face, err := gotext.ParseTTF(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range "𠮷𫣳" {
		if _, ok := face.NominalGlyph(r); !ok {
			t.Errorf("%U is missing", r)
		}
	}
	if _, ok := face.NominalGlyph('王'); ok || len(b) > 8000 {
		t.Errorf("the font has more than it should: %d bytes", len(b))
	}
	if s.Font("王小明·A") != nil {
		t.Error("a font for a usual name")
	}
}

// TestNoStrokeVanishesOnASlip looks at the four strokes across of 𠮷 as a thermal head draws them, wherever between two rows
// they lie. In the font they are half a dot thick.
func TestNoStrokeVanishesOnASlip(t *testing.T) {
	o := large(t).Outline('𠮷')
	const dots, inkFrom = 24, 112
	for phase := range 8 {
		img := image.NewAlpha(image.Rect(0, 0, 2*dots, 2*dots))
		o.Draw(img, dots/2, 3*dots/2+float32(phase)/8, dots, color.Opaque)
		strokes, was := 0, false
		for y := range 2 * dots {
			is := img.AlphaAt(dots/2+dots*35/100, y).A >= inkFrom
			if is && !was {
				strokes++
			}
			was = is
		}
		if strokes != 4 {
			t.Errorf("%d eighths of a row down: %d strokes of 4", phase, strokes)
		}
	}
}

// TestOnlyThinCharactersGetHeavier: what has too many strokes for that stays as it is; contours stay closed.
func TestOnlyThinCharactersGetHeavier(t *testing.T) {
	square := func(side float32) *Outline {
		o := &Outline{}
		o.rect(0, 0, side, 20)
		o.rect(0, 100, side, 100+side)
		return o
	}
	thin, black := square(100), square(Em*3/4)
	thin.heavier(heavierX, heavierY)
	black.heavier(heavierX, heavierY)
	if p := thin.Segments[1].P[0]; p != (Point{-heavierX, 20 + heavierY}) {
		t.Errorf("a stroke's corner is at %v", p)
	}
	if p := black.Segments[1].P[0]; p != (Point{0, 20}) {
		t.Errorf("the corner of a blot is at %v", p)
	}
	for _, r := range rare + "𤋮𪚥" {
		var begin Point
		s := large(t).Outline(r).Segments
		for i, g := range s {
			if g.Op == Move {
				begin = g.P[0]
			}
			if end := g.P[g.points()-1]; i+1 == len(s) || s[i+1].Op == Move {
				if end != begin {
					t.Errorf("%U: a contour from %v ends at %v", r, begin, end)
				}
			}
		}
	}
}

// heap is what is held, in bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkFirst is the first rare character since the program began: the large fonts are looked for, their indexes are read,
// and of the fonts one glyph.
func BenchmarkFirst(b *testing.B) {
	for b.Loop() {
		at := heap()
		s := NewSource(folders()...)
		if !s.Has(0x20BB7) {
			b.Fatal("no large font: run packaging/setup.sh test")
		}
		b.ReportMetric(float64(heap()-at)/1e6, "MB")
		runtime.KeepAlive(s)
	}
}

// TestMemoryStaysFlat reads a thousand characters of a 31 MB font.
func TestMemoryStaysFlat(t *testing.T) {
	s := NewSource(folders()...)
	if len(s.Files()) == 0 {
		t.Fatal("no large font: run packaging/setup.sh test")
	}
	s.Outline(0x20BB7)
	at := heap()
	drawn := 0
	for r := rune(0x20000); r < 0x20000+1000; r++ {
		if o := s.Outline(r); o.Found {
			drawn++
		}
	}
	grown := heap() - at
	t.Logf("%d characters: %.1f MB", drawn, float64(grown)/1e6)
	if drawn < 900 {
		t.Errorf("%d characters found", drawn)
	}
	if grown > 6<<20 {
		t.Errorf("%d bytes for a thousand characters", grown)
	}
	for r := rune(0x21000); r < 0x21000+mostKept+1; r++ {
		s.Outline(r)
	}
	if n := len(s.kept); n > mostKept {
		t.Errorf("%d outlines are kept", n)
	}
}
