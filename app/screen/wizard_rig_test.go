package screen

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
	"bianmin/assets/translations"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/form"
)

// wizardRig is a wizard on a window over a real desk.
type wizardRig struct {
	t       testing.TB
	machine *desktest.Machine
	desk    *desk.Desk
	session *desk.Session
	app     fyne.App
	window  fyne.Window
	env     *Env
	lang    string
	texts   *translations.Catalog

	routes []Route
	backs  int
	said   []string
	failed []error
	picks  []wizardPick      // files to be chosen, in order
	saved  map[string][]byte // files offered to be saved
	asked  []string          // questions; all are answered with yes

	w *Wizard
}

type wizardPick struct {
	name string
	data []byte
}

type rigTexts struct{ r *wizardRig }

func (x rigTexts) T(key string, pairs ...string) string { return x.r.text(key, pairs...) }
func (x rigTexts) Lang() string                         { return x.r.lang }

func (r *wizardRig) text(key string, pairs ...string) string {
	args := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	return r.texts.TS(r.lang, key, args)
}

func newWizardRig(t testing.TB) *wizardRig {
	t.Helper()
	texts, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := &wizardRig{t: t, machine: desktest.New(t), lang: "zh", texts: texts, saved: map[string][]byte{}}
	r.desk, r.session = r.machine.Login(t)
	r.app = test.NewTempApp(t)
	look.Set(r.app, look.Standard)
	look.SetLang("zh")
	t.Cleanup(func() { look.SetLang("zh") })
	r.window = test.NewTempWindow(t, look.VStack(look.Gap0))
	r.window.SetPadded(false)
	r.window.Resize(fyne.NewSize(1280, 800))
	r.env = &Env{
		T: r.text, Lang: func() string { return r.lang },
		Post: func(fn func()) { fn() }, Work: func(fn func()) { fn() },
		Go: func(to Route) { r.routes = append(r.routes, to) }, Back: func() { r.backs++ },
		Confirm: func(title, _, _ string, _ bool, then func()) {
			r.asked = append(r.asked, title)
			then()
		},
		PickFile: func(_ []string, then func(string, []byte)) {
			if len(r.picks) == 0 {
				return
			}
			p := r.picks[0]
			r.picks = r.picks[1:]
			then(p.name, p.data)
		},
		SaveFile: func(name string, data []byte) { r.saved[name] = data },
		Say:      func(_, text string) { r.said = append(r.said, text) },
		Fail:     func(err error) { r.failed = append(r.failed, err) },
	}
	return r
}

// show puts a view into the frame of the window.
func (r *wizardRig) show(title string, content fyne.CanvasObject) {
	top := look.NewTopBar()
	top.Set(look.TopBarState{
		Station: "柳树村便民服务站", Page: title, Sync: "离线 · 1 件待送达", State: look.StateWarning, Offline: true, Operator: "王秀英",
	})
	rail := look.NewRail(look.RailItem{ID: "home", Icon: "home", Word: "首页"}, look.RailItem{ID: "serve", Icon: "service", Word: "办事"},
		look.RailItem{ID: "cases", Icon: "cases", Word: "办件", Mark: 1}, look.RailItem{ID: "sync", Icon: "sync", Word: "同步"},
		look.RailItem{ID: "settings", Icon: "settings", Word: "设置"})
	rail.Select("serve")
	r.window.SetContent(look.Frame(top, rail, content, nil))
}

// open makes the wizard of an intake and puts it on the window.
func (r *wizardRig) open(in counter.Intake) *Wizard {
	r.t.Helper()
	m, err := vm.NewWizard(r.t.Context(), r.session, in, rigTexts{r})
	if err != nil {
		r.t.Fatal(err)
	}
	r.w = NewWizard(r.env, m)
	r.show(r.w.Title(), r.w.Object())
	r.w.FocusFirst(r.window.Canvas())
	return r.w
}

// start begins a service for a person of the roster; "" for somebody unknown.
func (r *wizardRig) start(service, idno string) *Wizard {
	r.t.Helper()
	var in counter.Intake
	var err error
	if idno == "" {
		in, err = r.session.Start(r.t.Context(), service, nil)
	} else {
		found, ferr := r.session.FindPeople(idno, 1)
		if ferr != nil || len(found) != 1 {
			r.t.Fatalf("found %d people, err %v", len(found), ferr)
		}
		in, err = r.session.Start(r.t.Context(), service, found[0])
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return r.open(in)
}

func (r *wizardRig) line(path form.Path) *lineView {
	r.t.Helper()
	l := r.w.page.lines[pathKey(path)]
	if l == nil {
		r.t.Fatalf("no line %s on step %s", path, r.w.state.ID)
	}
	return l
}

// typeIn types into a field as a person does: it gets the keyboard first.
func (r *wizardRig) typeIn(path form.Path, text string) {
	r.t.Helper()
	f := r.line(path).field.Focusable()
	r.window.Canvas().Focus(f)
	test.Type(f, text)
}

// pick taps the option of a choice, found by its word inside the line.
func (r *wizardRig) pick(path form.Path, word string) {
	r.t.Helper()
	r.tap(r.line(path).obj, word)
}

// tap taps the innermost thing under root that can be tapped and says word.
func (r *wizardRig) tap(root fyne.CanvasObject, word string) {
	r.t.Helper()
	found := tappable(root, word)
	if found == nil {
		r.t.Fatalf("nothing to tap says %q", word)
	}
	test.Tap(found)
}

func tappable(o fyne.CanvasObject, word string) fyne.Tappable {
	if !o.Visible() {
		return nil
	}
	for _, child := range children(o) {
		if f := tappable(child, word); f != nil {
			return f
		}
	}
	if f, ok := o.(fyne.Tappable); ok && says(o, word) {
		return f
	}
	return nil
}

func children(o fyne.CanvasObject) []fyne.CanvasObject {
	switch o := o.(type) {
	case *fyne.Container:
		return o.Objects
	case fyne.Widget:
		return test.WidgetRenderer(o).Objects()
	}
	return nil
}

// says reports whether a text inside o is word, as far as it is visible.
func says(o fyne.CanvasObject, word string) bool {
	if !o.Visible() {
		return false
	}
	switch x := o.(type) {
	case *look.Text:
		return x.Text() == word
	case *look.Button:
		return x.Text() == word
	}
	for _, child := range children(o) {
		if says(child, word) {
			return true
		}
	}
	return false
}

func (r *wizardRig) next() { test.Tap(r.w.next) }

// must goes on and requires the given step.
func (r *wizardRig) must(step form.Step) {
	r.t.Helper()
	r.next()
	if r.w.state.ID != step {
		r.t.Fatalf("on %s instead of %s: %v", r.w.state.ID, step, r.w.state.Problems)
	}
}

// writeName draws on the pad.
func (r *wizardRig) writeName() {
	r.t.Helper()
	c := r.window.Canvas()
	r.w.scroll.Reveal(r.w.sign.pad)
	at := r.app.Driver().AbsolutePositionForObject(r.w.sign.pad).AddXY(200, 60)
	for i := range 4 {
		test.Drag(c, at.AddXY(float32(i)*60, 0), 40, 70)
		test.Drag(c, at.AddXY(float32(i)*60, 70), 50, -60)
	}
}

func wizardPicture(t testing.TB, w, h int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{uint8(200 + x%40), uint8(210 + y%30), 235, 255})
		}
	}
	for y := h / 4; y < h*3/4; y += 14 {
		for x := w / 8; x < w/2; x++ {
			img.Set(x, y, color.RGBA{40, 60, 90, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shoot paints the window into the folder that BIANMIN_SHOTS names; without one it does nothing.
func (r *wizardRig) shoot(name string) {
	r.t.Helper()
	dir := os.Getenv("BIANMIN_SHOTS")
	if dir == "" {
		return
	}
	for _, size := range []fyne.Size{{Width: 1280, Height: 800}, {Width: 1024, Height: 768}} {
		r.window.Resize(size)
		var out bytes.Buffer
		if err := png.Encode(&out, r.window.Canvas().Capture()); err != nil {
			r.t.Fatal(err)
		}
		file := filepath.Join(dir, "wizard-"+name+"-"+itoa(int(size.Width))+".png")
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			r.t.Fatal(err)
		}
	}
	r.window.Resize(fyne.NewSize(1280, 800))
}

// shootAll paints the window in the looks and languages that people choose.
func (r *wizardRig) shootAll(name string, refresh func()) {
	r.t.Helper()
	if os.Getenv("BIANMIN_SHOTS") == "" {
		return
	}
	r.shoot(name + "-standard")
	look.Set(r.app, look.Elder)
	r.shoot(name + "-elder")
	look.Set(r.app, look.HighContrast)
	r.shoot(name + "-contrast")
	look.Set(r.app, look.Standard)
	r.lang = "en"
	look.SetLang("en")
	refresh()
	r.shoot(name + "-en")
	r.lang = "zh"
	look.SetLang("zh")
	refresh()
}

var _ input.Field = (*input.Consent)(nil)
