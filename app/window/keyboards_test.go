package window

import (
	"os"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/input/keyboard"
	"bianmin/app/look"
	"bianmin/app/screen"
)

// fingerKey is how large a key is at least in the old-age sizes, each way, in pixels.
const fingerKey = 60

// everyKeyboard are the layouts that the keyboard on the screen has.
var everyKeyboard = []string{
	keyboard.FullKeys, keyboard.NineKeys, keyboard.StrokeKeys, "latin", "symbols", "numbers", "digits", "id", "phone", "day", "decimal",
}

// keyboardLooks are the looks that the keyboards are laid out in: the old-age sizes on every screen, with BIANMIN_FULL=1 in
// English and in the others, too.
func keyboardLooks() []look_ {
	var all []look_
	for _, size := range sizes {
		all = append(all, look_{"zh", look.Elder, size})
	}
	if os.Getenv("BIANMIN_FULL") == "" {
		return all
	}
	for _, size := range sizes {
		all = append(all, look_{"en", look.Elder, size}, look_{"zh", look.HighContrastElder, size}, look_{"zh", look.Standard, size}, look_{"en", look.HighContrast, size})
	}
	return all
}

// TestEveryKeyboard goes to every field of every step of every form in the old-age sizes, on every screen: the keyboard that it
// brings has keys for a finger, and the field stands above it. Every layout is looked at, with candidates and all of them.
func TestEveryKeyboard(t *testing.T) {
	p := newTypist(t, nil)
	p.enter()
	drafts := everyStep(t, p.s.session)
	for _, l := range keyboardLooks() {
		p.wear(l)
		p.settle()
		seen := map[string]bool{}
		fields := 0
		for _, d := range drafts {
			p.go_(screen.PageHome, "")
			p.go_(screen.PageWizard, "draft:"+d.id)
			p.settle()
			for i := range p.typedInto() {
				f := p.typedInto()[i] // another page may have taken its place
				fields++
				p.click(f)
				if !p.s.Board().Up() || p.s.win.Canvas().Focused() != f.(fyne.Focusable) {
					t.Fatalf("%v, %s: field %d brings no keyboard", l, d.name, i)
				}
				p.above(l, d.name, f)
				p.everyLayout(l, seen)
			}
		}
		for _, layout := range everyKeyboard {
			if !seen[layout] {
				t.Errorf("%v: no field brings the keyboard %s", l, layout)
			}
		}
		if fields < 25 {
			t.Errorf("%v: only %d fields", l, fields)
		}
	}
}

// typedInto returns everything on the screen that is typed into, whatever field it belongs to.
func (p *keyTypist) typedInto() []fyne.CanvasObject {
	var out []fyne.CanvasObject
	p.each(func(o fyne.CanvasObject) bool {
		if _, ok := o.(input.Target); ok {
			out = append(out, o)
		}
		return false
	})
	return out
}

// everyLayout measures the keyboard of the moment and those that its keys lead to, each once.
func (p *keyTypist) everyLayout(l look_, seen map[string]bool) {
	p.t.Helper()
	panel := p.s.Board().Panel()
	measure := func() bool {
		if seen[panel.Layout()] {
			return false
		}
		seen[panel.Layout()] = true
		p.fingers(l, panel.Layout())
		p.shoot("keyboard-" + panel.Layout() + "-" + strings.ReplaceAll(l.String(), " ", "-"))
		return true
	}
	if !measure() || panel.Key("layout-"+keyboard.FullKeys) == nil {
		return
	}
	for layout, keys := range map[string]string{keyboard.FullKeys: "yi", keyboard.NineKeys: "94", keyboard.StrokeKeys: "stroke-1", "latin": "a"} {
		p.strike("layout-" + layout)
		measure()
		if layout == keyboard.StrokeKeys {
			p.strike(keys)
		} else {
			p.strike(letters(keys)...)
		}
		if layout == "latin" {
			p.strike("shift")
			p.fingers(l, "latin with Shift")
			p.strike("back", "symbols")
			p.fingers(l, "Latin symbols")
			p.strike("return")
			continue
		}
		p.fingers(l, layout+" with candidates")
		p.shoot("keyboard-" + layout + "-words-" + strings.ReplaceAll(l.String(), " ", "-"))
		p.strike("all")
		p.fingers(l, layout+" with all candidates")
		p.shoot("keyboard-" + layout + "-all-" + strings.ReplaceAll(l.String(), " ", "-"))
		p.strike("all-back")
		for p.s.Board().Composing() {
			p.strike("back")
		}
		for _, more := range []string{"symbols", "numbers"} {
			p.strike(more)
			measure()
			p.strike("return")
		}
	}
	p.strike("layout-" + keyboard.FullKeys)
}

// fingers holds that a finger meets every key of the keyboard, and that none covers another or stands out of the window.
func (p *keyTypist) fingers(l look_, name string) {
	p.t.Helper()
	least, whole := float32(fingerKey), boxOf(fyne.Position{}, p.s.win.Canvas().Size())
	if !l.mode.Elder {
		least = look.Measures().Touch
	}
	keys := 0
	var boxes []box
	for _, k := range p.s.Board().Panel().Inside() {
		key, ok := k.(interface{ ID() string })
		if !ok || !k.Visible() {
			continue
		}
		keys++
		id, size := key.ID(), k.Size()
		b := boxOf(p.app.Driver().AbsolutePositionForObject(k), size)
		if size.Width < least || size.Height < least {
			p.t.Errorf("%v, %s: the key %q is %v, a finger needs %v", l, name, id, size, least)
		}
		if !b.within(whole) {
			p.t.Errorf("%v, %s: the key %q is at %v, outside the window", l, name, id, b)
		}
		for _, o := range boxes {
			if b.covers(o) {
				p.t.Errorf("%v, %s: the key %q (%v) and another (%v) cover each other", l, name, id, b, o)
			}
		}
		boxes = append(boxes, b)
	}
	if keys < 12 {
		p.t.Errorf("%v, %s: only %d keys", l, name, keys)
	}
	for _, fault := range inspect(p.s.win).faults {
		p.t.Errorf("%v, %s: %s", l, name, fault)
	}
}

// above holds that a field is seen whole, or as much of a tall one as there is room for: its caret's line.
func (p *keyTypist) above(l look_, name string, field fyne.CanvasObject) {
	p.t.Helper()
	top := p.app.Driver().AbsolutePositionForObject(field).Y
	end := p.app.Driver().AbsolutePositionForObject(p.s.Board().Panel()).Y
	if top < look.HeightFor(p.s.top, p.s.win.Canvas().Size().Width) || top+field.Size().Height > end {
		p.t.Errorf("%v, %s: the field is at %v to %v, the keyboard begins at %v", l, name, top, top+field.Size().Height, end)
	}
	if least, size := p.s.Content().MinSize(), p.s.win.Canvas().Size(); least.Width > size.Width || least.Height > size.Height {
		p.t.Errorf("%v, %s: with the keyboard up the window needs %v", l, name, least)
	}
}

// TestAKioskLearnsNothing picks a word that is not first on a machine of the public, with both keyboards: the next person is
// offered what the first one was, and nothing is kept.
func TestAKioskLearnsNothing(t *testing.T) {
	p := newTypist(t, func(o *Options) { o.Kiosk = true })
	p.enter("new:juzhu")
	if !p.s.kiosk.public {
		t.Fatal("it is no kiosk")
	}
	offered := func() []string {
		p.touch(p.fields()[0])
		p.strike(letters("ouyangjianshe")...)
		var words []string
		for _, id := range p.s.Board().Panel().Keys() {
			if w, ok := strings.CutPrefix(id, "word-"); ok {
				words = append(words, w)
			}
		}
		return words
	}
	before := offered()
	if len(before) < 3 {
		t.Fatalf("offered %q", before)
	}
	p.strike("word-"+before[2], "close")
	p.s.win.Canvas().Focus(p.fields()[0].Focusable())
	p.typeText("ouyangjianshe3")
	p.after(keepLearnedAfter * 2)
	p.s.Tick()
	p.settle()
	p.s.endVisit()
	p.tap(p.s.T("kiosk.end"))
	p.settle()
	p.go_(screen.PageWizard, "new:juzhu")
	p.settle()
	if p.s.Board().Knows() != nil || len(p.learnedFiles()) != 0 {
		t.Errorf("it has learned %v, files %q", p.s.Board().Knows(), p.learnedFiles())
	}
	if after := offered(); !slices.Equal(after, before) {
		t.Errorf("the next person is offered %q, the one before %q", after, before)
	}
}
