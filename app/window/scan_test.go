package window

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"bianmin/app/input"
	"bianmin/app/screen"
)

// TestAScanIsNoPinyin holds that a scanner may type while 中 is on: a code that leads somewhere leaves nothing behind, a short
// one stands in the field as it was read, and what was composed before it is not mixed up with it.
func TestAScanIsNoPinyin(t *testing.T) {
	b := &bench{}
	r := benchRig(t, b, nil)
	t.Cleanup(func() { input.SetMethod(nil) })
	r.login()
	r.s.Go(screen.Route{Page: screen.PageWizard, Arg: "new:gaoling"})
	r.s.view.(*screen.Wizard).FocusFirst(r.s.win.Canvas())
	board := r.s.Board()
	var name *input.TextField
	r.each(func(o fyne.CanvasObject) bool {
		name, _ = o.(*input.TextField)
		return name != nil
	})
	slowly := func(text string) {
		for _, c := range text {
			r.after(100 * time.Millisecond)
			r.s.win.Canvas().Focused().TypedRune(c)
			b.fire()
		}
		r.after(time.Second)
	}
	slowly("wang")
	if !board.Composing() {
		t.Fatal("中 is not on")
	}
	r.press(fyne.KeyEscape)
	r.after(time.Second)
	r.scan("wang12")
	if got := name.Text(); got != "wang12" || board.Composing() {
		t.Fatalf("a short code gave %q, composing %v", got, board.Composing())
	}
	name.SetText("王")
	r.s.view.(*screen.Wizard).FocusFirst(r.s.win.Canvas())
	for _, text := range []string{"wangxiuying12", "HTTPS://U.WECHAT.COM/abc", "999999194102030021"} {
		r.after(time.Second)
		r.scan(text)
		if got := name.Text(); got != "王" || board.Composing() {
			t.Errorf("%s: the field has %q, composing %v", text, got, board.Composing())
		}
		if !strings.Contains(squeezed(r.texts()), "要离开这件办件吗") {
			t.Errorf("%s leads nowhere: %q", text, r.texts())
		}
		r.press(fyne.KeyEscape)
		r.s.view.(*screen.Wizard).FocusFirst(r.s.win.Canvas())
	}
}

// TestWhatIsHeldComesBeforeWhatFollows types two keys at once, as a slow window sees them, and then something that is no key: the
// second letter is not put in afterwards.
func TestWhatIsHeldComesBeforeWhatFollows(t *testing.T) {
	b := &bench{}
	r := benchRig(t, b, nil)
	t.Cleanup(func() { input.SetMethod(nil) })
	r.login()
	r.s.Go(screen.Route{Page: screen.PageWizard, Arg: "new:gaoling"})
	r.s.view.(*screen.Wizard).FocusFirst(r.s.win.Canvas())
	field := r.s.win.Canvas().Focused().(interface {
		fyne.Focusable
		fyne.Shortcutable
		desktop.Keyable
		SelectedText() string
	})
	shift := &fyne.KeyEvent{Name: desktop.KeyShiftLeft}
	toggle := func() {
		field.KeyDown(shift)
		field.KeyUp(shift)
	}
	toggle()
	r.typeText("ma")
	field.TypedShortcut(&fyne.ShortcutSelectAll{})
	b.fire()
	if got := field.SelectedText(); got != "ma" {
		t.Fatalf("all that is selected is %q", got)
	}
	r.press(fyne.KeyBackspace)
	r.after(time.Second)
	r.typeText("ma")
	toggle()
	b.fire()
	if r.s.Board().Composing() {
		t.Error("a letter typed in 英 is composed")
	}
	field.TypedShortcut(&fyne.ShortcutSelectAll{})
	if got := field.SelectedText(); got != "ma" {
		t.Errorf("the field holds %q", got)
	}
}
