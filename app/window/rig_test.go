package window

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/assets/translations"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/form"
	"bianmin/sync/engine"
)

// rig is a window on a real machine of the sample county; everything runs on the test's goroutine.
type rig struct {
	t     testing.TB
	m     *desktest.Machine
	d     *desk.Desk
	app   fyne.App
	s     *Shell
	event func(engine.Event)
	wakes int
}

func pins() map[string]string {
	return map[string]string{desktest.Operator: desktest.PIN, "li": "135790"}
}

func newRig(t testing.TB, change func(*Options)) *rig {
	t.Helper()
	return newRigOn(t, desktest.New(t), change)
}

func newRigOn(t testing.TB, m *desktest.Machine, change func(*Options)) *rig {
	t.Helper()
	texts, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, m: m, app: test.NewTempApp(t)}
	r.d = r.m.Open(t)
	o := Options{
		App: r.app, Texts: texts, Lang: "zh", Version: "1.0.0", Dir: t.TempDir(), Clock: r.m.Clock, DemoPINs: pins(),
		Work: func(fn func()) { fn() },
		Open: func(onEvent func(engine.Event)) (Machine, error) {
			r.event = onEvent
			return Machine{Counter: r.d.Counter(), Wake: func() { r.wakes++ }, Gateway: "https://fw.shifan.example"}, nil
		},
		Enroll: func(string, string) error { return errors.New("no enrolment in this test") },
	}
	if change != nil {
		change(&o)
	}
	r.s = New(o)
	t.Cleanup(func() {
		if slices.Contains(r.app.Driver().AllWindows(), r.s.win) { // else the test closed it
			r.s.win.Close()
		}
		look.SetOnKey(nil)
		look.SetOnActivity(nil)
		look.SetOnShortcut(nil)
		look.SetLang("zh")
		input.SetPaged(false)
	})
	return r
}

// login chooses the first operator and types the PIN.
func (r *rig) login() {
	r.t.Helper()
	r.tap("王秀英")
	r.pin(desktest.PIN)
	if r.s.session == nil {
		r.t.Fatalf("not logged in; the screen says %q", r.texts())
	}
}

func (r *rig) pin(pin string) {
	r.t.Helper()
	for _, d := range pin {
		r.tap(string(d))
	}
}

// each visits every visible object of the window, those of sheets first.
func (r *rig) each(fn func(o fyne.CanvasObject) bool) {
	roots := append([]fyne.CanvasObject{}, r.s.win.Canvas().Overlays().List()...)
	if len(roots) == 0 {
		roots = append(roots, r.s.Content())
	}
	for _, root := range roots {
		if walk(root, fn) {
			return
		}
	}
}

func walk(o fyne.CanvasObject, fn func(fyne.CanvasObject) bool) bool {
	if o == nil || !o.Visible() {
		return false
	}
	if fn(o) {
		return true
	}
	switch o := o.(type) {
	case *fyne.Container:
		for _, c := range o.Objects {
			if walk(c, fn) {
				return true
			}
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(o).Objects() {
			if walk(c, fn) {
				return true
			}
		}
	}
	return false
}

// wordsOf returns all words inside o.
func wordsOf(o fyne.CanvasObject) string {
	var out []string
	walk(o, func(c fyne.CanvasObject) bool {
		switch c := c.(type) {
		case *look.Text:
			out = append(out, c.Text())
		case *look.Button:
			out = append(out, c.Text())
		}
		return false
	})
	return strings.Join(out, "|")
}

// texts returns everything that can be read.
func (r *rig) texts() string {
	var out []string
	r.each(func(o fyne.CanvasObject) bool {
		switch c := o.(type) {
		case *look.Text:
			out = append(out, c.Text())
		case *look.Button:
			out = append(out, c.Text())
		}
		return false
	})
	return strings.Join(out, "|")
}

func (r *rig) sees(words ...string) {
	r.t.Helper()
	all := r.texts()
	for _, w := range words {
		if !strings.Contains(all, w) {
			r.t.Fatalf("the screen does not say %q; it says %q", w, all)
		}
	}
}

func (r *rig) seesNot(words ...string) {
	r.t.Helper()
	all := r.texts()
	for _, w := range words {
		if strings.Contains(all, w) {
			r.t.Fatalf("the screen says %q; all of it: %q", w, all)
		}
	}
}

type tappable interface {
	fyne.CanvasObject
	fyne.Tappable
	fyne.Disableable
}

// tap taps the first thing with the word on it: a button that is called so, else a row or card that begins with it.
func (r *rig) tap(word string) {
	r.t.Helper()
	var hit tappable
	r.each(func(o fyne.CanvasObject) bool {
		if b, ok := o.(*look.Button); ok && b.Text() == word {
			hit = b
			return true
		}
		return false
	})
	if hit == nil {
		r.each(func(o fyne.CanvasObject) bool {
			t, ok := o.(tappable)
			if !ok {
				return false
			}
			if _, button := o.(*look.Button); button || !strings.Contains("|"+strings.ReplaceAll(wordsOf(o), "||", "|"), "|"+word) {
				return false
			}
			hit = t
			return true
		})
	}
	if hit == nil {
		r.t.Fatalf("nothing to tap called %q; the screen says %q", word, r.texts())
	}
	if hit.Disabled() {
		r.t.Fatalf("%q cannot be tapped now", word)
	}
	hit.Tapped(&fyne.PointEvent{})
}

func (r *rig) go_(page screen.Page, arg string) { r.s.Go(screen.Route{Page: page, Arg: arg}) }

// typeText types into what has the keyboard.
func (r *rig) typeText(text string) {
	r.t.Helper()
	f := r.s.win.Canvas().Focused()
	if f == nil {
		r.t.Fatal("nothing has the keyboard")
	}
	for _, c := range text {
		f.TypedRune(c)
	}
}

// press presses a key as the driver does: what has the keyboard gets it, else the window.
func (r *rig) press(name fyne.KeyName) {
	e := &fyne.KeyEvent{Name: name}
	if f := r.s.win.Canvas().Focused(); f != nil {
		f.TypedKey(e)
		return
	}
	r.s.win.Canvas().OnTypedKey()(e)
}

// shoot paints the window into the folder BIANMIN_SHOTS names; without one it does nothing.
func (r *rig) shoot(name string) {
	r.t.Helper()
	dir := os.Getenv("BIANMIN_SHOTS")
	if dir == "" {
		return
	}
	var out bytes.Buffer
	if err := png.Encode(&out, r.s.win.Canvas().Capture()); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), out.Bytes(), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func photo(t testing.TB) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 320, 200))
	for i := range img.Pix {
		img.Pix[i] = byte(i)
	}
	img.Set(1, 1, color.White)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// submit takes in a case of 高龄津贴 for the first person of the sample county.
func submit(t testing.TB, s counter.Session) counter.Submitted {
	t.Helper()
	people, err := s.FindPeople("999999194102030021", 1)
	if err != nil || len(people) != 1 {
		t.Fatalf("%d people, %v", len(people), err)
	}
	in, err := s.Start(t.Context(), "gaoling", people[0])
	if err != nil {
		t.Fatal(err)
	}
	for p, v := range map[form.Path]any{
		"sameHome": true, "applyType": "first", "contactName": "刘建军", "contactRelation": "child", "contactPhone": "13900000001",
		"way": "self", "promise": true, "share": true,
	} {
		in.Set(p, v)
	}
	for _, p := range []form.Path{"idcardPhoto", "hukouBook"} {
		if err := in.Attach(t.Context(), p, photo(t), "card.jpg"); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Sign(t.Context(), "sign", counter.Signature{Strokes: [][]int64{{10, 10, 60, 40, 90, 15, 120, 60}}}); err != nil {
		t.Fatal(err)
	}
	done, err := in.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func (r *rig) after(d time.Duration) { r.m.Clock.T = r.m.Clock.T.Add(d) }

// typeTo types into the field at a place, counted from the top.
func (r *rig) typeTo(place int, text string) {
	r.t.Helper()
	n := 0
	r.each(func(o fyne.CanvasObject) bool {
		f, ok := o.(*input.TextField)
		if !ok {
			return false
		}
		if n++; n <= place {
			return false
		}
		r.s.win.Canvas().Focus(f.Focusable())
		return true
	})
	r.typeText(text)
}
