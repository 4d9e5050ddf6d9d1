package window

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"bianmin/app/input"
	"bianmin/app/input/keyboard"
	"bianmin/app/look"
	"bianmin/app/screen"
)

// keyTypist is a rig whose window runs what it posts only after what is under way, as the real driver does, and whose
// repetitions come when the test says so.
type keyTypist struct {
	*rig
	posted []func()
	timers []*timer
}

type timer struct {
	d    time.Duration
	fn   func()
	dead bool
}

func newTypist(t testing.TB, change func(*Options)) *keyTypist {
	t.Helper()
	p := &keyTypist{}
	p.rig = newRig(t, func(o *Options) {
		o.Post = func(fn func()) { p.posted = append(p.posted, fn) }
		o.After = func(d time.Duration, fn func()) func() {
			x := &timer{d: d, fn: fn}
			p.timers = append(p.timers, x)
			return func() { x.dead = true }
		}
		if change != nil {
			change(o)
		}
	})
	t.Cleanup(func() { input.SetMethod(nil) })
	p.settle()
	return p
}

// settle runs what was posted.
func (p *keyTypist) settle() {
	for len(p.posted) > 0 {
		fn := p.posted[0]
		p.posted = p.posted[1:]
		fn()
	}
}

// pass lets the timers due run once each.
func (p *keyTypist) pass() {
	due := p.timers
	p.timers = nil
	for _, x := range due {
		if !x.dead {
			x.fn()
		}
	}
	p.settle()
}

func (p *keyTypist) enter(words ...string) {
	p.t.Helper()
	p.tap("王秀英")
	p.settle()
	p.rig.pin("246810")
	p.settle()
	if p.s.session == nil {
		p.t.Fatalf("not logged in: %q", p.texts())
	}
	if len(words) > 0 {
		p.go_(screen.PageWizard, words[0])
		p.settle()
	}
}

// fields returns the text fields on the screen, from the top.
func (p *keyTypist) fields() []*input.TextField {
	var out []*input.TextField
	p.each(func(o fyne.CanvasObject) bool {
		if f, ok := o.(*input.TextField); ok {
			out = append(out, f)
		}
		return false
	})
	return out
}

// click does at o what the driver does for a click: down, the focus goes unless o has it, up, the focus again, the tap.
func (p *keyTypist) click(o fyne.CanvasObject) {
	p.t.Helper()
	p.down(o)
	p.up(o)
}

func (p *keyTypist) down(o fyne.CanvasObject) {
	c := p.s.win.Canvas()
	if m, ok := o.(desktop.Mouseable); ok {
		m.MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary})
	}
	if f, ok := o.(fyne.Focusable); !ok || f != c.Focused() {
		c.Unfocus()
	}
	p.settle()
}

func (p *keyTypist) up(o fyne.CanvasObject) {
	c := p.s.win.Canvas()
	if m, ok := o.(desktop.Mouseable); ok {
		m.MouseUp(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary})
	}
	if f, ok := o.(fyne.Focusable); !ok || f != c.Focused() {
		c.Unfocus()
	}
	if t, ok := o.(fyne.Tappable); ok {
		t.Tapped(&fyne.PointEvent{})
	}
	p.settle()
}

func (p *keyTypist) touch(f *input.TextField) {
	p.t.Helper()
	p.click(f.Focusable().(fyne.CanvasObject))
	if p.s.win.Canvas().Focused() != f.Focusable() {
		p.t.Fatal("the field has no keyboard")
	}
}

// key returns a key of the keyboard on the screen by what it types or does.
func (p *keyTypist) key(id string) fyne.CanvasObject {
	p.t.Helper()
	k := p.s.Board().Panel().Key(id)
	if k == nil {
		p.t.Fatalf("no key %q; there are %q", id, p.s.Board().Panel().Keys())
	}
	return k
}

// strike clicks on keys one after the other and holds each time that the field keeps the keyboard.
func (p *keyTypist) strike(ids ...string) {
	p.t.Helper()
	before := p.s.win.Canvas().Focused()
	for _, id := range ids {
		p.click(p.key(id))
		if p.s.win.Canvas().Focused() != before {
			p.t.Fatalf("the key %q took the focus", id)
		}
	}
}

func letters(s string) []string { return strings.Split(s, "") }

func TestPhysicalKeysCompose(t *testing.T) {
	p := newTypist(t, nil)
	p.enter("new:gaoling")
	f := p.fields()[0]
	p.s.win.Canvas().Focus(f.Focusable())
	board, float := p.s.Board(), p.s.Board().Float()
	p.typeText("wangxiuying")
	if f.Text() != "" || float.Composed() == "" || len(float.Words()) == 0 {
		t.Fatalf("the field has %q, the strip %q %q", f.Text(), float.Composed(), float.Words())
	}
	if board.Up() {
		t.Fatal("the keyboard came up for physical keys")
	}
	if float.Words()[0] != "王秀英" {
		t.Fatalf("a name of the roster is not first: %q", float.Words())
	}
	second := float.Words()[1]
	p.typeText("2")
	if f.Text() != second || board.Composing() {
		t.Fatalf("2 gave %q, not %q", f.Text(), second)
	}
	for range []rune(second) {
		p.press(fyne.KeyBackspace)
	}

	p.typeText("wangxiuyin")
	p.press(fyne.KeyBackspace)
	p.typeText("ng ")
	if f.Text() != second {
		t.Fatalf("space gave %q, not what was picked before, %q", f.Text(), second)
	}
	p.typeText("gao")
	p.press(fyne.KeyEscape)
	if f.Text() != second || board.Composing() {
		t.Fatalf("Esc left %q", f.Text())
	}
	p.typeText("gao")
	p.press(fyne.KeyReturn)
	if f.Text() != second+"gao" {
		t.Fatalf("Enter gave %q", f.Text())
	}
	for range 3 {
		p.press(fyne.KeyBackspace)
	}

	p.typeText("li")
	first := float.Words()
	for _, turn := range []func(){
		func() { p.press(fyne.KeyPageDown) }, func() { p.typeText("=") }, func() { p.typeText(".") },
	} {
		turn()
	}
	if slices.Equal(float.Words(), first) {
		t.Fatal("no key turns the page")
	}
	for _, turn := range []func(){
		func() { p.press(fyne.KeyPageUp) }, func() { p.typeText("-") }, func() { p.typeText(",") },
	} {
		turn()
	}
	if !slices.Equal(float.Words(), first) {
		t.Fatalf("back at %q, not %q", float.Words(), first)
	}
	p.press(fyne.KeyRight)
	p.press(fyne.KeyRight)
	p.press(fyne.KeyLeft)
	p.typeText(" ")
	if f.Text() != second+first[1] {
		t.Fatalf("the arrows chose %q, not %q", f.Text(), first[1])
	}
}

func TestShiftByItselfToggles(t *testing.T) {
	p := newTypist(t, nil)
	p.enter("new:gaoling")
	f := p.fields()[0]
	p.s.win.Canvas().Focus(f.Focusable())
	keys := f.Focusable().(desktop.Keyable)
	shift := &fyne.KeyEvent{Name: desktop.KeyShiftLeft}
	keys.KeyDown(shift)
	p.press(desktop.KeyShiftLeft)
	keys.KeyUp(shift)
	if got := p.s.Board().Float().Composed(); got != "英文" {
		t.Fatalf("the strip says %q", got)
	}
	p.typeText("ma")
	if f.Text() != "ma" {
		t.Fatalf("英 gave %q", f.Text())
	}
	keys.KeyDown(shift) // a capital letter is no toggle
	p.typeText("L")
	keys.KeyUp(shift)
	p.typeText("i")
	if f.Text() != "maLi" {
		t.Fatalf("a capital letter gave %q", f.Text())
	}
	keys.KeyDown(shift)
	keys.KeyUp(shift)
	p.typeText(" ")
	p.typeText("wang ")
	if !strings.HasPrefix(f.Text(), "maLi ") || f.Text() == "maLi wang " {
		t.Fatalf("中 gave %q", f.Text())
	}
}

func TestTextOfAnotherInputMethodArrives(t *testing.T) {
	p := newTypist(t, nil)
	p.enter("new:gaoling")
	f := p.fields()[0]
	p.s.win.Canvas().Focus(f.Focusable())
	p.typeText("刘玉珍")
	if f.Text() != "刘玉珍" || p.s.Board().Composing() {
		t.Fatalf("it gave %q", f.Text())
	}
}

func TestFieldsForNumbersDoNotCompose(t *testing.T) {
	p := newTypist(t, nil)
	p.enter("new:gaoling")
	for i, f := range p.fields() {
		at, ok := f.Focusable().(input.Target)
		if !ok || at.Purpose().Composes() {
			continue
		}
		p.s.win.Canvas().Focus(f.Focusable())
		p.typeText("a1,b2")
		if p.s.Board().Composing() || strings.ContainsRune(f.Text(), '，') {
			t.Errorf("field %d composes: %q", i, f.Text())
		}
	}
}

func TestScreenKeysFillAForm(t *testing.T) {
	for _, mode := range []look.Mode{look.Standard, look.Elder, look.HighContrast} {
		for _, size := range []fyne.Size{{Width: 1024, Height: 768}, {Width: 1280, Height: 800}, {Width: 1080, Height: 1920}} {
			t.Run(mode.String()+" "+at(size), func(t *testing.T) {
				p := newTypist(t, nil)
				p.s.setLook(mode.String())
				p.s.win.Resize(size)
				p.enter("new:gaoling")
				p.fillByKeys(t)
			})
		}
	}
}

func at(size fyne.Size) string { return fmt.Sprintf("%.0fx%.0f", size.Width, size.Height) }

func (p *keyTypist) fillByKeys(t *testing.T) {
	board := p.s.Board()
	name, id := p.fields()[0], p.fields()[1]
	p.touch(name)
	if !board.Up() || board.Panel().Layout() != keyboard.FullKeys {
		t.Fatalf("up %v, layout %s", board.Up(), board.Panel().Layout())
	}
	p.visible(t, name)
	p.largeEnough(t)
	if least, size := p.s.Content().MinSize(), p.s.win.Canvas().Size(); least.Width > size.Width || least.Height > size.Height {
		t.Errorf("with the keyboard up the window needs %v", least) // a real one would grow beyond the screen
	}
	p.strike(letters("wangxiuying")...)
	p.shoot("keyboard-" + look.Current().String() + "-" + at(p.s.win.Canvas().Size()))
	p.strike("word-王秀英")
	if name.Text() != "王秀英" {
		t.Fatalf("the keys gave %q", name.Text())
	}
	p.strike("back")
	if name.Text() != "王秀" {
		t.Fatalf("backspace gave %q", name.Text())
	}
	p.touch(id)
	if board.Panel().Layout() != "id" {
		t.Fatalf("an ID number is typed with %s", board.Panel().Layout())
	}
	p.visible(t, id)
	p.largeEnough(t)
	p.strike(letters("11010119410203002X")...)
	if id.Text() != "11010119410203002X" {
		t.Fatalf("the pad gave %q", id.Text())
	}
	p.strike("close")
	if board.Up() || p.s.win.Canvas().Focused() != id.Focusable() {
		t.Fatal("the keyboard is still up, or took the focus away with it")
	}
}

// visible holds that a field is above the keyboard and inside the window.
func (p *keyTypist) visible(t *testing.T, f *input.TextField) {
	t.Helper()
	d := p.app.Driver()
	top := d.AbsolutePositionForObject(f).Y
	end := d.AbsolutePositionForObject(p.s.Board().Panel()).Y
	if top < 0 || top+f.Size().Height > end {
		t.Errorf("the field is at %v to %v, the keyboard begins at %v", top, top+f.Size().Height, end)
	}
}

// largeEnough holds that every key is a target for a finger and inside the window.
func (p *keyTypist) largeEnough(t *testing.T) {
	t.Helper()
	least := look.Measures().Touch
	whole := p.s.win.Canvas().Size()
	for _, id := range p.s.Board().Panel().Keys() {
		k := p.key(id)
		pos := p.app.Driver().AbsolutePositionForObject(k)
		if k.Size().Width < least || k.Size().Height < least {
			t.Errorf("the key %q is %v, a finger needs %v", id, k.Size(), least)
		}
		if pos.X < 0 || pos.X+k.Size().Width > whole.Width+0.5 || pos.Y+k.Size().Height > whole.Height+0.5 {
			t.Errorf("the key %q is at %v with %v, outside the window", id, pos, k.Size())
		}
	}
}
