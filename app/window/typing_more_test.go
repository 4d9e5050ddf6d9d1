package window

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/input/keyboard"
	"bianmin/app/input/rarepanel"
	"bianmin/app/look"
	"bianmin/app/screen"
)

func TestNineKeys(t *testing.T) {
	p := newTypist(t, nil)
	p.enter("new:gaoling")
	name := p.fields()[0]
	p.touch(name)
	p.strike("layout-nine")
	board := p.s.Board()
	if board.Panel().Layout() != keyboard.NineKeys || p.s.keep.Layout != keyboard.NineKeys {
		t.Fatalf("layout %s, kept %s", board.Panel().Layout(), p.s.keep.Layout)
	}
	p.strike(letters("9464")...) // wang, yang, zhang's beginning …
	p.shoot("keyboard-nine")
	var readings []string
	for _, id := range board.Panel().Keys() {
		if s, ok := strings.CutPrefix(id, "read-"); ok {
			readings = append(readings, s)
		}
	}
	if len(readings) == 0 {
		t.Fatalf("no syllables to choose from: %q", board.Panel().Keys())
	}
	for range 40 { // turn the column until the syllable is there
		if board.Panel().Key("read-ying") != nil {
			break
		}
		p.strike("more-readings")
	}
	p.strike("read-ying")
	words := board.Panel().Keys()
	if !slices.Contains(words, "word-英") && !slices.Contains(words, "word-应") {
		t.Fatalf("ying is offered as %q", words)
	}
	p.strike("clear")
	if board.Composing() || name.Text() != "" {
		t.Fatalf("cleared: %q", name.Text())
	}
	p.strike(letters("92649489464")...)
	p.strike("word-王秀英")
	if name.Text() != "王秀英" {
		t.Fatalf("nine keys gave %q", name.Text())
	}
}

func TestStrokes(t *testing.T) {
	p := newTypist(t, nil)
	p.enter("new:gaoling")
	name := p.fields()[0]
	p.touch(name)
	p.strike("layout-stroke")
	for _, k := range "1121" {
		p.strike("stroke-" + string(k))
	}
	p.shoot("keyboard-stroke")
	p.strike("word-王")
	for _, k := range "1*34" {
		p.strike("stroke-" + string(k))
	}
	p.strike("word-木", "back")
	if name.Text() != "王" {
		t.Fatalf("strokes gave %q", name.Text())
	}
	for _, k := range "34" {
		p.strike("stroke-" + string(k))
	}
	p.strike("back", "space")
	if r := []rune(name.Text()); len(r) != 2 {
		t.Fatalf("one stroke and space gave %q", name.Text())
	}
}

func TestHeldKeysRepeat(t *testing.T) {
	p := newTypist(t, nil)
	p.enter("new:gaoling")
	name := p.fields()[0]
	p.touch(name)
	name.SetText("王秀英李建国")
	back := p.key("back")
	p.down(back)
	if p.s.win.Canvas().Focused() != name.Focusable() {
		t.Fatal("while a key is held the field has no keyboard")
	}
	for range 3 {
		p.pass()
	}
	if name.Text() != "王秀英" {
		t.Fatalf("held for three repetitions: %q", name.Text())
	}
	p.up(back)
	if name.Text() != "王秀英" {
		t.Fatalf("letting go deleted: %q", name.Text())
	}
	p.pass()
	if name.Text() != "王秀英" {
		t.Fatalf("it goes on by itself: %q", name.Text())
	}
	p.strike("back")
	if name.Text() != "王秀" {
		t.Fatalf("a tap afterwards: %q", name.Text())
	}
	p.down(back)
	back.(interface{ MouseOut() }).MouseOut() // the finger slides off
	p.pass()
	if name.Text() != "王秀" {
		t.Fatalf("slid off: %q", name.Text())
	}
}

func TestAllCandidatesAndPages(t *testing.T) {
	p := newTypist(t, nil)
	p.enter("new:gaoling")
	name := p.fields()[0]
	p.touch(name)
	p.strike(letters("li")...)
	panel := p.s.Board().Panel()
	first := panel.Keys()
	p.strike("page-down")
	if slices.Equal(first, panel.Keys()) {
		t.Fatal("the page does not turn")
	}
	p.strike("page-up")
	if !slices.Equal(first, panel.Keys()) {
		t.Fatal("the page does not turn back")
	}
	p.strike("all")
	p.shoot("keyboard-all")
	all := 0
	for _, id := range panel.Keys() {
		if strings.HasPrefix(id, "word-") {
			all++
		}
	}
	if all < 30 {
		t.Fatalf("only %d candidates: %q", all, panel.Keys())
	}
	p.largeEnough(t)
	p.strike("all-back")
	if panel.Key("q") == nil {
		t.Fatal("the keys do not come back")
	}
	p.strike("space")
	if name.Text() == "" {
		t.Fatal("nothing was taken")
	}
}

// TestTheKeyboardGoesWhenTheFieldIsLeft holds that it goes only when no tap is under way: the page below must not move
// away from the finger.
func TestTheKeyboardGoesWhenTheFieldIsLeft(t *testing.T) {
	p := newTypist(t, nil)
	p.enter("new:gaoling")
	p.touch(p.fields()[0])
	var later *look.Button
	p.each(func(o fyne.CanvasObject) bool {
		if b, ok := o.(*look.Button); ok && b.Text() == p.s.T("wizard.next") {
			later = b
		}
		return later != nil
	})
	if later == nil {
		t.Fatal("no button")
	}
	p.down(later)
	p.pass()
	if !p.s.Board().Up() {
		t.Fatal("it went while a button was held")
	}
	p.up(later)
	p.s.win.Canvas().Unfocus()
	p.pass()
	p.pass()
	if p.s.Board().Up() {
		t.Fatal("it stays without a field")
	}
}

func TestTabDoesNotRaiseTheKeyboardUnlessAlways(t *testing.T) {
	p := newTypist(t, nil)
	p.enter("new:gaoling")
	c := p.s.win.Canvas()
	c.Focus(p.fields()[0].Focusable())
	c.FocusNext()
	if p.s.Board().Up() {
		t.Fatal("Tab raised it")
	}
	p.s.Board().Configure(keyboard.Settings{Up: keyboard.Always})
	c.Unfocus()
	c.Focus(p.fields()[0].Focusable())
	if !p.s.Board().Up() {
		t.Fatal("always means always")
	}
	p.s.Board().Close()
	p.s.Board().Configure(keyboard.Settings{Up: keyboard.Never})
	p.touch(p.fields()[0])
	if p.s.Board().Up() {
		t.Fatal("never means never")
	}
}

func TestTheKeyOfRareCharacters(t *testing.T) {
	p := newTypist(t, func(o *Options) {
		o.Rare = func(insert func(string), done func(), _ rarepanel.Read) fyne.CanvasObject {
			return look.NewButton(look.Secondary, "𠮷", "", func() {
				insert("𠮷")
				done()
			})
		}
	})
	p.enter("new:gaoling")
	name := p.fields()[0]
	p.touch(name)
	p.strike("rare")
	p.tap("𠮷")
	p.settle()
	if name.Text() != "𠮷" || p.s.win.Canvas().Focused() != name.Focusable() {
		t.Fatalf("it gave %q", name.Text())
	}
	if p.s.Board().Panel().Key("q") == nil {
		t.Fatal("the keys do not come back")
	}
	q := newTypist(t, nil)
	q.enter("new:gaoling")
	q.touch(q.fields()[0])
	if q.s.Board().Panel().Key("rare") != nil {
		t.Fatal("there is a key for nothing")
	}
}

func TestSettingsOfTyping(t *testing.T) {
	p := newTypist(t, nil)
	p.enter()
	p.go_(screen.PageSettings, "")
	p.settle()
	for _, word := range []string{"从不", "九宫格拼音", "z / zh"} {
		p.tap(word)
		p.settle()
	}
	got := p.s.Board().Settings()
	if got.Up != keyboard.Never || got.Layout != keyboard.NineKeys || got.Exact == 0 {
		t.Fatalf("the keyboard has %+v", got)
	}
	if kept := readSettings(p.s.o.Dir, p.s.log); kept.typing() != got {
		t.Fatalf("kept %+v", kept)
	}
	p.tap("z / zh")
	p.settle()
	if p.s.Board().Settings().Exact != 0 {
		t.Fatal("a pair is not switched back")
	}
}

// learnedFiles returns the files of what was learned.
func (p *keyTypist) learnedFiles() []string {
	p.t.Helper()
	all, err := filepath.Glob(filepath.Join(p.m.Config.Dir, "learned", "*"))
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

// offered returns what a name field offers for letters.
func (p *keyTypist) offered(keys string) []string {
	p.t.Helper()
	p.go_(screen.PageHome, "")
	p.go_(screen.PageWizard, "new:gaoling")
	p.settle()
	p.s.win.Canvas().Focus(p.fields()[0].Focusable())
	p.typeText(keys)
	words := p.s.Board().Float().Words()
	p.press(fyne.KeyEscape)
	return words
}

func TestWhatWasLearnedIsKeptSealedAndWiped(t *testing.T) {
	p := newTypist(t, nil)
	p.enter()
	before := p.offered("ouyangjianshe")
	if len(before) < 3 {
		t.Fatalf("offered %q", before)
	}
	p.typeText("ouyangjianshe3")
	p.s.Tick()
	p.settle()
	if len(p.learnedFiles()) != 0 {
		t.Fatal("it is saved between keystrokes")
	}
	p.after(keepLearnedAfter + time.Second)
	p.s.Tick()
	p.settle()
	files := p.learnedFiles()
	if len(files) != 1 {
		t.Fatalf("files %q", files)
	}
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), before[2]) || strings.Contains(string(raw), "ouyang") {
		t.Fatal("it is readable")
	}
	p.s.Lock()
	p.settle()
	if p.s.Board().Knows() != nil {
		t.Fatal("the words of an operator who is gone are still there")
	}
	p.enter()
	if after := p.offered("ouyangjianshe"); after[0] != before[2] {
		t.Fatalf("after the next login %q is first, not %q", after[0], before[2])
	}
	p.s.Lock()
	p.settle()
	p.tap("李建国")
	p.settle()
	p.rig.pin("135790")
	p.settle()
	if after := p.offered("ouyangjianshe"); after[0] == before[2] {
		t.Fatal("another operator gets it, too")
	}
	p.s.Lock()
	p.settle()
	p.enter()
	p.go_(screen.PageSettings, "")
	p.settle()
	p.tap("清除输入记忆")
	p.tap("清除输入记忆")
	p.settle()
	if len(p.learnedFiles()) != 0 {
		t.Fatal("it is not wiped")
	}
	if after := p.offered("ouyangjianshe"); after[0] == before[2] {
		t.Fatal("it is still known")
	}
}

// TestLeavingTakesTheLetters holds that nothing typed is lost when the field is left in the middle of a word.
func TestLeavingTakesTheLetters(t *testing.T) {
	p := newTypist(t, nil)
	p.enter("new:gaoling")
	name := p.fields()[0]
	p.s.win.Canvas().Focus(name.Focusable())
	p.typeText("wang")
	p.s.win.Canvas().FocusNext()
	if name.Text() != "wang" || p.s.Board().Composing() {
		t.Fatalf("left with %q", name.Text())
	}
}

// TestKeysBeforeTheEngineAreNotLost holds that letters typed while the dictionary is being opened are composed afterwards.
func TestKeysBeforeTheEngineAreNotLost(t *testing.T) {
	var work []func()
	p := newTypist(t, nil)
	p.enter("new:gaoling")
	slow := keyboard.New(keyboard.Options{Post: p.s.o.Post, Work: func(fn func()) { work = append(work, fn) }})
	p.s.win.Canvas().Unfocus()
	input.SetMethod(slow)
	name := p.fields()[0]
	p.s.win.Canvas().Focus(name.Focusable())
	p.typeText("wangg")
	p.press(fyne.KeyBackspace)
	if name.Text() != "" {
		t.Fatalf("they went in: %q", name.Text())
	}
	for _, fn := range work {
		fn()
	}
	p.settle()
	p.typeText(" ")
	if name.Text() != "王" {
		t.Fatalf("they gave %q", name.Text())
	}
}
