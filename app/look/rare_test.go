package look

import (
	"bytes"
	"image/color"
	"image/png"
	"os"
	"runtime"
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

// heap is what is held, in bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// showRare shows n rare characters one after the other, as somebody who turns the pages of the panel does, and makes Fyne
// forget what it is told to.
func showRare(t testing.TB, n int) {
	app := fyne.CurrentApp()
	full := false
	SetOnRareFull(func() { full = true })
	t.Cleanup(func() { SetOnRareFull(nil) })
	for r := rune(0x20000); n > 0; r++ {
		if !glyph.System().Has(r) {
			continue
		}
		n--
		PrepareText(string(r)) // what a part does; the part itself would stay in Fyne's caches for a minute
		fyne.MeasureText(string(r), Measures().Body, fyne.TextStyle{})
		if full {
			full = false
			Renew(app)
		}
	}
}

// TestFontsOfRareCharactersAreBounded shows thousands, and looks whether a name that stands on the screen all the while is
// still drawn.
func TestFontsOfRareCharactersAreBounded(t *testing.T) {
	n := 1000
	if os.Getenv("BIANMIN_FULL") != "" {
		n = 10_000
	}
	Set(test.NewTempApp(t), Standard)
	w := test.NewTempWindow(t, NewText("王𠮷芳", StylePageTitle, RoleText))
	w.Resize(fyne.NewSize(300, 80))
	shot := func() []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, w.Canvas().Capture()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	before := shot()
	showRare(t, mostShown) // from here on it is full
	at := heap()
	showRare(t, n)
	grown := heap() - at
	t.Logf("%d rare characters more: %.1f MB", n, float64(grown)/1e6)
	if grown > 8<<20 { // fonts of up to as many as at the beginning, and twice the outlines
		t.Errorf("%d rare characters hold %d bytes", n, grown)
	}
	if len(prepared.used) > mostShown {
		t.Errorf("%d characters have fonts", len(prepared.used))
	}
	if !bytes.Equal(before, shot()) {
		t.Error("a name that stood there all the while is drawn otherwise")
	}
}

// BenchmarkRare is the memory that rare characters take: of the first one, and of ten thousand shown one after the other.
func BenchmarkRare(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(map[int]string{1: "one", 10_000: "tenthousand"}[n], func(b *testing.B) {
			Set(test.NewTempApp(b), Standard)
			NewText("王", StyleBody, RoleText).MinSize()
			glyph.System().Files() // the index of fonts
			for b.Loop() {
				at := heap()
				showRare(b, n)
				b.ReportMetric(float64(heap()-at)/1e6, "MB")
			}
			size := int64(0)
			for _, name := range glyph.System().Files() {
				if f, err := os.Stat(name); err == nil {
					size = max(size, f.Size())
				}
			}
			b.ReportMetric(float64(size)/1e6, "font-MB")
		})
	}
}
