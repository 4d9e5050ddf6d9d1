package rarepanel

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"bianmin/app/look"
)

// tap taps the key with a word, wherever it is on the panel.
func tap(t *testing.T, p *Panel, word string) {
	t.Helper()
	for _, k := range keysOf(p) {
		if k.word.Text() == word {
			test.Tap(k)
			return
		}
	}
	t.Fatalf("no key %q", word)
}

func keysOf(p *Panel) []*key {
	var out []*key
	for _, o := range test.LaidOutObjects(p) {
		if k, ok := o.(*key); ok && k.Visible() {
			out = append(out, k)
		}
	}
	return out
}

func shown(p *Panel) string {
	var b strings.Builder
	for _, c := range p.Found() {
		b.WriteRune(c.Rune)
	}
	return b.String()
}

func newPanel(t *testing.T, m look.Mode) (*Panel, *string, *int) {
	t.Helper()
	look.Set(test.NewTempApp(t), m)
	var got string
	var closed int
	p := New(func(s string) { got += s }, func() { closed++ })
	w := test.NewTempWindow(t, p)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(1024, 460))
	return p, &got, &closed
}

func TestEveryWayFindsTheCharacter(t *testing.T) {
	p, got, closed := newPanel(t, look.Standard)
	touched := 0
	p.OnTouch = func() { touched++ }
	for _, r := range "chen" {
		tap(t, p, string(r))
	}
	if s := shown(p); !strings.Contains(s, "桭") || !strings.Contains(s, "辰") {
		t.Errorf("chen finds %s", s)
	}
	tap(t, p, look.Word("rare.clear"))
	if len(p.Found()) != 0 {
		t.Error("cleared, and still there")
	}
	tap(t, p, look.Word("rare.tab.parts"))
	tap(t, p, "木")
	tap(t, p, "辰")
	if s := shown(p); !strings.HasPrefix(s, "桭") {
		t.Errorf("木+辰 finds %s", s)
	}
	tap(t, p, "桭")
	tap(t, p, look.Word("rare.tab.strokes"))
	tap(t, p, look.Word("rare.strokes", "count", 3))
	tap(t, p, "口")
	tap(t, p, "3")
	if s := shown(p); !strings.ContainsRune(s, '𠮷') {
		t.Errorf("口 and 3 strokes find %s", s)
	}
	tap(t, p, look.Word("rare.tab.code"))
	for _, r := range "20BB7" {
		tap(t, p, string(r))
	}
	tap(t, p, "𠮷")
	tap(t, p, look.Word("rare.back"))
	if s := shown(p); s == "𠮷" {
		t.Error("a digit less is another code")
	}
	tap(t, p, look.Word("rare.close"))
	if *got != "桭𠮷" || *closed != 1 || touched < 15 {
		t.Errorf("inserted %q, closed %d times, told %d taps", *got, *closed, touched)
	}
}

func TestPagesOfWhatIsFound(t *testing.T) {
	p, _, _ := newPanel(t, look.Standard)
	p.Add("yi")
	first := keysOf(p)
	tap(t, p, look.Word("input.page.down"))
	if len(p.Found()) <= perPage || p.page != 1 || len(first) == 0 {
		t.Errorf("page %d of %d", p.page, len(p.Found()))
	}
	for range 100 {
		p.turn(1)
	}
	if p.page != (len(p.Found())-1)/perPage {
		t.Errorf("page %d is behind the last", p.page)
	}
}

// TestPanelFitsInEveryMode lays the panel out at the narrowest width and looks for keys that are too small or stick out.
func TestPanelFitsInEveryMode(t *testing.T) {
	for _, m := range look.Modes() {
		for tab, typed := range []string{"chen", "", "木辰", "20BB7", "", ""} {
			p, _, _ := newPanel(t, m)
			p.Card(func(then func([]string, string)) {
				if tab == ByCard {
					then([]string{"\U00020BB7田\U0002A700", "清河镇㙟心村2号"}, "")
				} else {
					then(nil, "读卡器没有回应。已填的内容都在。请检查电源和连接线，或到“设置”里重选端口；也可以手工填写。")
				}
			})
			p.show(min(tab, ByCard))
			if tab >= ByCard {
				p.readCard()
			}
			if typed != "" {
				p.Add(typed)
			}
			if tab == ByStrokes {
				p.group = 4
				p.draw()
			}
			w := test.NewTempWindow(t, look.Frame(nil, nil, look.Spring(), p))
			w.SetPadded(false)
			w.Resize(fyne.NewSize(1024, 768))
			least := look.Measures().Touch
			for _, k := range keysOf(p) {
				at := fyne.CurrentApp().Driver().AbsolutePositionForObject(k)
				if k.Size().Width < least || k.Size().Height < least {
					t.Errorf("%s, tab %d: key %q is %v", m, tab, k.word.Text(), k.Size())
				}
				if need := k.word.MinSize().Width; need > k.Size().Width {
					t.Errorf("%s, tab %d: %q is %.0f wide in %.0f", m, tab, k.word.Text(), need, k.Size().Width)
				}
				if at.X < 0 || at.X+k.Size().Width > 1024 || at.Y+k.Size().Height > 768 {
					t.Errorf("%s, tab %d: key %q sticks out: %v %v", m, tab, k.word.Text(), at, k.Size())
				}
			}
			if dir := os.Getenv("BIANMIN_SHOTS"); dir != "" {
				var out bytes.Buffer
				if err := png.Encode(&out, w.Canvas().Capture()); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("rare-%s-%d.png", m, tab)), out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestTheCardGivesItsCharacters(t *testing.T) {
	p, got, _ := newPanel(t, look.Standard)
	for _, k := range keysOf(p) {
		if k.word.Text() == look.Word("rare.tab.card") {
			t.Fatal("there is a tab for a reader that is not there")
		}
	}
	var then func([]string, string)
	asked := 0
	p.Card(func(fn func([]string, string)) { asked, then = asked+1, fn })
	tap(t, p, look.Word("rare.tab.card"))
	tap(t, p, look.Word("rare.card.read"))
	tap(t, p, look.Word("rare.card.reading")) // one reading at a time
	if asked != 1 || len(p.Found()) != 0 {
		t.Fatalf("asked %d times, found %d", asked, len(p.Found()))
	}
	then([]string{"𠮷田𪜀", "清河镇㙟心村𪜀屋2号"}, "")
	if s := shown(p); s != "𠮷𪜀㙟" {
		t.Errorf("the card gives %q", s)
	}
	tap(t, p, "𠮷")
	tap(t, p, "㙟")
	if *got != "𠮷㙟" {
		t.Errorf("inserted %q", *got)
	}
	tap(t, p, look.Word("rare.tab.pinyin"))
	if len(p.Found()) != 0 {
		t.Error("another tab shows the card's characters")
	}
	tap(t, p, look.Word("rare.tab.card"))
	if s := shown(p); s != "𠮷𪜀㙟" {
		t.Errorf("back at the card: %q", s)
	}
	tap(t, p, look.Word("rare.card.again"))
	then(nil, "没有读到卡")
	if s := shown(p); s != "" || !p.card.doubt.Visible() || p.card.doubt.Text() != "没有读到卡" {
		t.Errorf("no card: %q, %q", s, p.card.doubt.Text())
	}
	tap(t, p, look.Word("rare.card.again"))
	then([]string{"王小明", "清河镇"}, "")
	if p.card.doubt.Text() != look.Word("rare.card.none") {
		t.Errorf("a usual name: %q", p.card.doubt.Text())
	}
}
