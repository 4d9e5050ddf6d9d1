package input

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"bianmin/app/look"
)

func TestAnOldCodeIsShownWithTheStandardCharacter(t *testing.T) {
	look.Set(test.NewTempApp(t), look.Standard)
	f := NewText(50)
	var told string
	f.SetOnChanged(func(v string) { told = v })
	f.SetText("李\uF9B4")
	if !f.offer.obj.Visible() || !strings.Contains(f.offer.words.Text(), "領") || f.offer.take.Hidden {
		t.Fatalf("no offer: %q", f.offer.words.Text())
	}
	tall := f.MinSize().Height
	test.Tap(f.offer.take)
	if f.Text() != "李領" || told != "李領" || f.offer.obj.Visible() {
		t.Errorf("%+q, told %+q", f.Text(), told)
	}
	if f.MinSize().Height >= tall {
		t.Error("the offer goes and its room stays")
	}
	f.SetText("王\uE000")
	if !f.offer.obj.Visible() || !strings.Contains(f.offer.words.Text(), "U+E000") || !f.offer.take.Hidden {
		t.Errorf("a private code: %q", f.offer.words.Text())
	}
	f.SetText("王𠮷")
	if f.offer.obj.Visible() {
		t.Error("a standard name is complained of")
	}
}
