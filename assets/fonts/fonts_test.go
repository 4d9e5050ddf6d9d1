package fonts

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/go-text/typesetting/font"
	"golang.org/x/image/font/sfnt"

	"bianmin/assets/translations"
)

const standardCharacters = 8105

// symbols are characters the screens draw besides Chinese characters and ASCII.
const symbols = "、。，；：？！“”‘’（）《》〈〉【】〔〕「」『』…—·￥¥℃→←↑↓✓●○■□▲▼△▽◆◇★☆①⑩ⅠⅫ×÷±°§āǎǖǘǚǜüéèê"

func standard(t *testing.T) []rune {
	t.Helper()
	file, err := os.Open("testdata/tgh8105.bin.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]rune, 0, standardCharacters)
	for ; len(raw) >= 4; raw = raw[4:] {
		list = append(list, rune(binary.BigEndian.Uint32(raw)))
	}
	if len(list) != standardCharacters {
		t.Fatalf("list holds %d characters, want %d", len(list), standardCharacters)
	}
	return list
}

func TestEveryStandardCharacterHasAGlyph(t *testing.T) {
	for name, data := range map[string][]byte{"Regular": Regular, "Bold": Bold} {
		t.Run(name, func(t *testing.T) {
			parsed, err := sfnt.Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			shaper, err := font.ParseTTF(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			wanted := append(standard(t), []rune(symbols)...)
			for r := rune(0x21); r < 0x7f; r++ {
				wanted = append(wanted, r)
			}
			var buf sfnt.Buffer
			for _, r := range wanted {
				index, err := parsed.GlyphIndex(&buf, r)
				if err != nil || index == 0 {
					t.Errorf("no glyph for %q (U+%04X): %v", r, r, err)
				}
				gid, ok := shaper.NominalGlyph(r)
				if !ok {
					t.Errorf("the shaper finds no glyph for %q (U+%04X)", r, r)
					continue
				}
				if outline, ok := shaper.GlyphData(gid).(font.GlyphOutline); !ok || len(outline.Segments) == 0 {
					t.Errorf("%q (U+%04X) has an empty outline", r, r)
				}
			}
		})
	}
}

func TestLineHeightIsWhatTheOldAgeRulesAsk(t *testing.T) {
	for name, data := range map[string][]byte{"Regular": Regular, "Bold": Bold} {
		face, err := font.ParseTTF(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		extents, ok := face.FontHExtents()
		if !ok {
			t.Fatalf("%s has no line metrics", name)
		}
		em := float32(face.Upem())
		if got := (extents.Ascender - extents.Descender + extents.LineGap) / em; got < 1.299 || got > 1.301 {
			t.Errorf("%s: line height %.3f em, want 1.3", name, got)
		}
	}
}

func TestDigitsAreTabular(t *testing.T) {
	face, err := font.ParseTTF(bytes.NewReader(Regular))
	if err != nil {
		t.Fatal(err)
	}
	zero, _ := face.NominalGlyph('0')
	for r := '1'; r <= '9'; r++ {
		gid, _ := face.NominalGlyph(r)
		if face.HorizontalAdvance(gid) != face.HorizontalAdvance(zero) {
			t.Errorf("digit %c is not as wide as 0: columns of numbers would not line up", r)
		}
	}
}

func TestLicenceTravelsWithTheFont(t *testing.T) {
	for _, want := range []string{"SIL OPEN FONT LICENSE Version 1.1", "Adobe", "Noto Sans CJK SC"} {
		if !strings.Contains(Licence, want) {
			t.Errorf("OFL.txt does not say %q", want)
		}
	}
}

func TestEveryTextOfTheInterfaceCanBeShown(t *testing.T) {
	catalog, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"Regular": Regular, "Bold": Bold} {
		face, err := font.ParseTTF(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for _, lang := range []string{translations.Chinese, translations.English} {
			for _, key := range catalog.Keys(lang) {
				for _, r := range catalog.T(lang, key, nil) {
					if _, ok := face.NominalGlyph(r); !ok && r != '\n' {
						t.Errorf("%s: no glyph for %q (U+%04X) of %s %s", name, r, r, lang, key)
					}
				}
			}
		}
	}
}
