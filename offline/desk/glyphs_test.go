package desk

import (
	"bytes"
	"testing"

	"bianmin/assets/fonts"
	"bianmin/offline/glyph"
	"bianmin/offline/paper"
	"bianmin/offline/receipt"
)

// TestASlipShowsARareName draws the masked name of a slip with a rare character and with another: they differ, and the slip
// without a large font differs from both.
func TestASlipShowsARareName(t *testing.T) {
	system := glyph.System()
	if len(system.Files()) == 0 {
		t.Fatal("no large font: run packaging/setup.sh test")
	}
	draw := func(name string, rare paper.Glyphs) []byte {
		t.Helper()
		face, err := paper.NewFace(fonts.Regular, rare)
		if err != nil {
			t.Fatal(err)
		}
		img, err := receipt.Slip(receipt.SlipText{Title: "回执", Lines: []receipt.SlipLine{{Label: "姓名", Value: name}}}, nil, face, receipt.Dots58)
		if err != nil {
			t.Fatal(err)
		}
		return img.Pix
	}
	large := largeFonts{system}
	a, b, none := draw("𠮷*芳", large), draw("𫣳*芳", large), draw("𠮷*芳", nil)
	if bytes.Equal(a, b) || bytes.Equal(a, none) || bytes.Equal(b, none) {
		t.Error("a rare character is not on the slip")
	}
	if !bytes.Equal(draw("王*芳", large), draw("王*芳", nil)) {
		t.Error("a usual name is drawn otherwise")
	}
}
