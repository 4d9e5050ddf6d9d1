package keyboard

import (
	"bytes"
	"image/png"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"bianmin/app/look"
	"bianmin/offline/pinyin/stroke"
)

func TestMarksAreThoseOfChineseWriting(t *testing.T) {
	var m marks
	for _, c := range []struct {
		r, before rune
		want      string
	}{
		{',', '我', "，"},
		{'.', '我', "。"},
		{'?', 0, "？"},
		{'"', 0, "“"},
		{'"', '好', "”"},
		{'"', 0, "“"},
		{'\'', 0, "‘"},
		{'\'', '好', "’"},
		{'(', '我', "（"},
		{'<', 0, "《"},
		{'\\', '米', "、"},
		{'^', 0, "……"},
		{'`', '提', "·"},
	} {
		if got, ok := m.full(c.r, c.before); !ok || got != c.want {
			t.Errorf("%q behind %q gives %q, want %q", c.r, c.before, got, c.want)
		}
	}
	for _, c := range []struct{ r, before rune }{{'.', '3'}, {',', '1'}, {':', '8'}, {'.', 'w'}, {'-', '我'}, {'=', '我'}, {'1', '我'}} {
		if got, ok := m.full(c.r, c.before); ok {
			t.Errorf("%q behind %q gives %q", c.r, c.before, got)
		}
	}
}

func TestStrokesAreASource(t *testing.T) {
	s := &strokes{table: stroke.Load()}
	for _, r := range "1121" {
		if !s.Input(r) {
			t.Fatalf("%q is no stroke", r)
		}
	}
	if s.Input('a') || s.Input('6') {
		t.Error("something else is a stroke")
	}
	if text, keys := s.Composition(); text != "" || keys != "横横竖横" {
		t.Errorf("shown as %q %q", text, keys)
	}
	if text, done := s.Pick(0); !done || text != "王" {
		t.Errorf("gives %q", text)
	}
	if s.Active() || s.Backspace() || s.Commit() != "" {
		t.Error("something is left")
	}
}

// TestCandidatesHaveRareCharacters: what two candidates with characters that the interface font lacks look like differs.
func TestCandidatesHaveRareCharacters(t *testing.T) {
	look.Set(test.NewTempApp(t), look.Standard)
	shot := func(word string) []byte {
		c := software.NewCanvas()
		c.SetContent(newKey(&Board{}, face{label: word, tone: wordKey}))
		c.Resize(fyne.NewSize(120, 60))
		var b bytes.Buffer
		if err := png.Encode(&b, c.Capture()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if bytes.Equal(shot("王㐃"), shot("王㐄")) {
		t.Error("two candidates look the same")
	}
}
