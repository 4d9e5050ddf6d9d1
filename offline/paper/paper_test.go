package paper

import (
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
