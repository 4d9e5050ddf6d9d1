package likeness

import (
	"errors"
	"image"
	"image/color"
	"os"
	"testing"

	"bianmin/assets/fonts"
	"bianmin/offline/glyph"
	"bianmin/offline/paper"
)

const (
	name = "𠮷田𪜀"
	long = "阿卜杜热西提·阿卜杜外力·伊力哈木江·吐尔逊托合提"
)

// several asks one font after the other.
type several []paper.Glyphs

// Glyph implements paper.Glyphs.
func (s several) Glyph(r rune) (paper.Outline, bool) {
	for _, g := range s {
		if o, ok := g.Glyph(r); ok {
			return o, true
		}
	}
	return paper.Outline{}, false
}

func large(t testing.TB) paper.Glyphs {
	t.Helper()
	var out several
	for _, file := range glyph.System().Files() {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		g, err := paper.FontGlyphs(b)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, g)
	}
	return out
}

// slip draws a name as a slip has it.
func slip(t testing.TB, rare paper.Glyphs, name string) *image.Gray {
	t.Helper()
	face, err := paper.NewFace(fonts.Regular, rare)
	if err != nil {
		t.Fatal(err)
	}
	var d paper.Doc
	d.Centre("收件回执", 46)
	d.Rule(3)
	d.Pair("申请人", name, 24)
	d.Pair("事项", "高龄津贴", 24)
	s, err := paper.Lay(d, face, paper.StyleFor(paper.Dots58))
	if err != nil {
		t.Fatal(err)
	}
	img, err := s.Raster()
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestANameIsFoundAndNoOther(t *testing.T) {
	p, err := New(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	rare := large(t)
	find := func(img *image.Gray, text string) ([]Cell, error) {
		return p.Text(t.Context(), img, img.Rect, text, 24)
	}
	for _, n := range []string{name, "陈𤋮", "陈熙", long, "王·𡛕"} {
		cells, err := find(slip(t, rare, n), n)
		if err != nil {
			t.Errorf("%s is there: %v", n, err)
			continue
		}
		t.Log(Summary(cells))
	}
	for _, x := range []struct{ what, drawn, asked string }{
		{"another that looks like it", "吉田𪜀", name},
		{"the one that it looks like", name, "吉田𪜀"},
		{"one character less", "𠮷𪜀", name},
		{"another order", "田𠮷𪜀", name},
		{"the end is cut off", long[:len(long)-3], long},
		{"the dots are missing", "阿卜杜热西提阿卜杜外力伊力哈木江吐尔逊托合提", long},
		{"the character beside it in Unicode", "陈𤋯", "陈𤋮"},
	} {
		if _, err := find(slip(t, rare, x.drawn), x.asked); !errors.Is(err, ErrUnlike) {
			t.Errorf("%s: %v", x.what, err)
		}
	}
	if _, err := find(slip(t, nil, name), name); !errors.Is(err, ErrUnlike) {
		t.Errorf("a box instead of the character: %v", err)
	}
	img := slip(t, rare, name)
	cells, err := find(img, name)
	if err != nil {
		t.Fatal(err)
	}
	for y := cells[0].At.Y + 15; y < cells[0].At.Y+30; y++ { // the lower half
		for x := range img.Rect.Dx() {
			img.SetGray(x, y, color.Gray{Y: 255})
		}
	}
	if _, err := find(img, name); !errors.Is(err, ErrUnlike) {
		t.Errorf("cut in half: %v", err)
	}
}
