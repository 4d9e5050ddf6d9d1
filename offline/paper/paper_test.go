package paper

import (
	"bytes"
	"errors"
	"image"
	"os"
	"strings"
	"testing"
)

func testFace(t testing.TB, rare Glyphs) *Face {
	t.Helper()
	data, err := os.ReadFile("../../assets/fonts/BianminSansSC-Regular.otf")
	if err != nil {
		t.Fatalf("the font is missing; build it with packaging/fonts/build.sh: %v", err)
	}
	f, err := NewFace(data, rare)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// No line is wider than the paper, none begins with a full stop, and nothing of the text is lost.
func TestWrap(t *testing.T) {
	f := &layer{style: StyleFor(Dots58), face: testFace(t, nil), sheet: &Sheet{}}
	for _, text := range []string{
		"本回执证明本站已收下您的材料。平台是否受理，以《受理通知书》为准。不收费。",
		"办件编号1112345678901234561234567890123202611220001请保存好，电话0999-8800001。",
		"a b  c", "一\n二\n\n三", "", "   ", "。。。。。。。。。。。。。。。。。。。。。。。。。。。。。。",
	} {
		for _, width := range []int{60, 130, 368} {
			lines := f.wrap(text, 26, width)
			for _, l := range lines {
				if w := f.measure(l, 26); w > width && len([]rune(l)) > 1 {
					t.Errorf("%q: %d dots in %d", l, w, width)
				}
				if width == 368 && strings.HasPrefix(l, "。") && !strings.HasPrefix(text, "。") {
					t.Errorf("line begins with a full stop: %q", lines)
				}
			}
			squeeze := strings.NewReplacer(" ", "", "\n", "")
			if got := strings.Join(lines, ""); squeeze.Replace(got) != squeeze.Replace(text) {
				t.Errorf("wrapped %q to %q", text, lines)
			}
		}
	}
}

// Fonts with characters that the interface font lacks; the package fonts-hanazono has them.
var rareFonts = []string{"/usr/share/fonts/truetype/hanazono/HanaMinA.ttf", "/usr/share/fonts/truetype/hanazono/HanaMinB.ttf"}

type several []Glyphs

func (s several) Glyph(r rune) (Outline, bool) {
	for _, g := range s {
		if o, ok := g.Glyph(r); ok {
			return o, true
		}
	}
	return Outline{}, false
}

func rareGlyphs(t *testing.T) Glyphs {
	t.Helper()
	var all several
	for _, name := range rareFonts {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatalf("this test needs the package fonts-hanazono: %v", err)
		}
		g, err := FontGlyphs(data)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	return all
}

func draw(t *testing.T, face *Face, text string) *image.Gray {
	t.Helper()
	var d Doc
	d.Pair("申请人", text, 24)
	s, err := Lay(d, face, StyleFor(Dots58))
	if err != nil {
		t.Fatal(err)
	}
	img, err := s.Raster()
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Rare characters are drawn from the source of glyphs, each as itself; without one there is the font's box for all of them.
func TestRareCharacters(t *testing.T) {
	plain, rare := testFace(t, nil), testFace(t, rareGlyphs(t))
	if a, b := draw(t, plain, "𠮷"), draw(t, plain, "𪚥"); !bytes.Equal(a.Pix, b.Pix) {
		t.Error("the interface font has these characters by now: choose others for the test")
	}
	seen := map[string]rune{}
	for _, r := range "𠮷㐂𡈽𪚥" {
		img := draw(t, rare, string(r))
		if was, ok := seen[string(img.Pix)]; ok {
			t.Errorf("%c looks like %c", r, was)
		}
		seen[string(img.Pix)] = r
		if bytes.Equal(img.Pix, draw(t, plain, string(r)).Pix) {
			t.Errorf("%c is a box", r)
		}
		ink := 0
		for _, p := range img.Pix {
			if p == 0 {
				ink++
			}
		}
		if base := draw(t, rare, "田"); ink < 100 || img.Rect.Dy() != base.Rect.Dy() {
			t.Errorf("%c has %d dots on a line of %d", r, ink, img.Rect.Dy())
		}
	}
	// A name of 25 characters with dots stays within the paper, and is whole.
	const long = "买买提·吐尔逊江·阿不都热合曼·艾合买提江·热合曼𠮷"
	var d Doc
	d.Pair("申请人", long, 24)
	s, err := Lay(d, rare, StyleFor(Dots58))
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, k := range s.Inks[1:] {
		got.WriteString(k.Text)
		if k.X+k.W > Dots58 {
			t.Errorf("%q ends at dot %d", k.Text, k.X+k.W)
		}
		if strings.HasPrefix(k.Text, "·") {
			t.Errorf("a line begins with a dot: %q", k.Text)
		}
	}
	if got.String() != long {
		t.Errorf("%q", got.String())
	}
	if w, err := rare.Measure("𠮷", 24); err != nil || w != 24 {
		t.Errorf("𠮷 is %d dots wide, %v", w, err)
	}
}

// Pages end between lines, and every piece of ink is on one of them, whole.
func TestPages(t *testing.T) {
	var d Doc
	for range 100 {
		d.Text("一行字", 24)
	}
	d.Code([][]bool{{true, false, true}, {false, true, false}, {true, true, true}})
	s, err := Lay(d, testFace(t, nil), StyleFor(DotsA4))
	if err != nil {
		t.Fatal(err)
	}
	const height = 700
	pages := s.Pages(height)
	if len(pages) < 6 || pages[0].Top != 0 || pages[len(pages)-1].Bottom != s.Height {
		t.Fatalf("%+v of %d", pages, s.Height)
	}
	for i, p := range pages {
		if p.Bottom-p.Top > height || i > 0 && pages[i-1].Bottom != p.Top {
			t.Errorf("page %d: %+v", i, p)
		}
	}
	for _, k := range s.Inks {
		whole := false
		for _, p := range pages {
			whole = whole || k.Y >= p.Top && k.Y+k.H <= p.Bottom
		}
		if !whole {
			t.Errorf("%q at %d is cut", k.Text, k.Y)
		}
	}
}

// What cannot be laid out says so.
func TestRefused(t *testing.T) {
	face := testFace(t, nil)
	wide := make([][]bool, 177)
	for i := range wide {
		wide[i] = make([]bool, 177)
	}
	var code, odd Doc
	code.Code(wide)
	odd.Blocks = []Block{{Kind: 99}}
	for name, err := range map[string]error{
		"no face":  func() error { _, err := Lay(Doc{}, nil, StyleFor(Dots58)); return err }(),
		"no width": func() error { _, err := Lay(Doc{}, face, Style{}); return err }(),
		"code":     func() error { _, err := Lay(code, face, StyleFor(Dots58)); return err }(),
		"kind":     func() error { _, err := Lay(odd, face, StyleFor(Dots58)); return err }(),
		"font":     func() error { _, err := NewFace([]byte("no font"), nil); return err }(),
		"glyphs":   func() error { _, err := FontGlyphs([]byte("no font")); return err }(),
	} {
		if !errors.Is(err, ErrSheet) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
