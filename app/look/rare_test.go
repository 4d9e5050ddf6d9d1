package look

import (
	"bytes"
	"image/color"
	"image/png"
	"os"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"bianmin/offline/glyph"
)

// TestFyneAsksUs draws a name with Fyne before and after its rare character is made ready, and another one.
func TestFyneAsksUs(t *testing.T) {
	if len(glyph.System().Files()) == 0 {
		t.Fatal("no large font: run packaging/setup.sh test")
	}
	Set(test.NewTempApp(t), Standard)
	shot := func(text string) []byte {
		c := software.NewCanvas()
		txt := canvas.NewText(text, color.Black)
		txt.TextSize = 40
		c.SetContent(txt)
		c.Resize(fyne.NewSize(200, 60))
		var b bytes.Buffer
		if err := png.Encode(&b, c.Capture()); err != nil {
			t.Fatal(err)
		}
		if dir := os.Getenv("BIANMIN_SHOTS"); dir != "" {
			if err := os.WriteFile(dir+"/glyph-"+text+".png", b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return b.Bytes()
	}
	before := shot("王𠮷芳")
	PrepareText("王𠮷芳")
	after := shot("王𠮷芳")
	if bytes.Equal(before, after) {
		t.Error("Fyne does not ask for what its font lacks: the names in rare.go are no longer its own")
	}
	PrepareText("王𫣳芳")
	if bytes.Equal(after, shot("王𫣳芳")) {
		t.Error("two characters look the same")
	}
	if w := fyne.MeasureText("𠮷", 40, fyne.TextStyle{}).Width; w < 36 || w > 44 {
		t.Errorf("a character of 40 is %g wide", w)
	}
}

// TestBlanksBehindARareCharacter: Fyne takes a blank from the font of the character before it.
func TestBlanksBehindARareCharacter(t *testing.T) {
	Set(test.NewTempApp(t), Standard)
	PrepareText("𠮷")
	width := func(text string) float32 { return fyne.MeasureText(text, 40, fyne.TextStyle{}).Width }
	for _, blank := range " \u00a0\u2003\u3000" {
		b := string(blank)
		if got, want := width("𠮷"+b+"田")-width("𠮷田"), width("田"+b+"田")-width("田田"); got < want-1 || got > want+1 {
			t.Errorf("%U is %g wide behind a rare character, %g behind another", blank, got, want)
		}
	}
	c := software.NewCanvas()
	txt := canvas.NewText("𠮷 \u3000", color.Black)
	txt.TextSize = 40
	c.SetContent(txt)
	c.Resize(fyne.NewSize(200, 60))
	img := c.Capture()
	ground := img.At(190, 10)
	for y := range 60 {
		for x := 50; x < 190; x++ {
			if img.At(x, y) != ground {
				t.Fatalf("a blank has ink at %d, %d", x, y)
			}
		}
	}
}
