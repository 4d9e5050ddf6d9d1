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
