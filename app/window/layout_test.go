package window

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"bianmin/app/device/camera"
	"bianmin/app/device/printer"
	"bianmin/app/device/spool"
	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/app/vm"
	"bianmin/offline/counter"
	"bianmin/offline/form"
	"bianmin/offline/words"
	"bianmin/sync/engine"
)

// look_ is one way in which a screen is shown.
type look_ struct {
	lang string
	mode look.Mode
	size fyne.Size
}

func (l look_) String() string {
	return fmt.Sprintf("%s %v %.0f×%.0f", l.lang, l.mode, l.size.Width, l.size.Height)
}

// sizes are those of the screens that stand on counters: old, usual, kiosk on end, large.
var sizes = []fyne.Size{{Width: 1024, Height: 768}, {Width: 1280, Height: 800}, {Width: 1080, Height: 1920}, {Width: 1920, Height: 1080}}

// looksFor returns the looks that the nth screen is laid out in: all of them with BIANMIN_FULL=1, else the one with the
// least room, and one of the others in turn.
func looksFor(n int) []look_ {
	var all []look_
	for _, lang := range []string{"zh", "en"} {
		for _, mode := range []look.Mode{look.Standard, look.Elder, look.HighContrast} {
			for _, size := range sizes {
				all = append(all, look_{lang, mode, size})
			}
		}
	}
	if os.Getenv("BIANMIN_FULL") != "" {
		return all
	}
	return []look_{{"en", look.HighContrastElder, sizes[0]}, all[n*7%len(all)]}
}

// gallery visits every screen there is, each in a state with much to show, and calls at with its name. again brings a
// state back that a change of language or look ends (a question, digits typed); nil when there is none. After at the
// screen is as it was.
func gallery(t *testing.T, r *rig, enrolled *bool, at func(name string, again func())) {
	t.Helper()
	at("01 enroll", nil)
	v, ok := r.s.view.(*screen.Enroll)
	if !ok {
		t.Fatalf("the first screen is %T", r.s.view)
	}
	v.FocusFirst(r.s.win.Canvas())
	r.typeText("https://fw.shifan.example")
	r.press(fyne.KeyReturn)
	r.typeText("7k3qm2xa9c4fpr8w6yht5n0bvz1dgjke2s7m")
	r.press(fyne.KeyReturn)
	at("02 enroll: code used", nil)
	*enrolled = true
	r.s.view.(*screen.Enroll).TapPrimary()
	at("03 enrolled", nil)
	r.s.view.(*screen.Enroll).TapPrimary()
	at("04 login", nil)
	r.tap("王秀英")
	at("05 login: PIN", func() {
		r.s.login()
		r.tap("王秀英")
		r.pin("24")
	})
	r.s.login()
	r.tap("王秀英")
	r.pin("000000")
	at("06 login: wrong", nil)
	for range 4 {
		r.after(20e9)
		r.s.tick()
		r.pin("000000")
	}
	at("07 login: locked", nil)
	r.after(16 * 60e9)
	r.s.login()
	r.login()
	r.printsTo(t)
	done := submit(t, r.s.session)
	drafts := everyStep(t, r.s.session)
	r.s.view.Refresh()
	at("10 home", nil)
	r.m.Acknowledge(t, r.d)
	r.m.AskCorrection(t, r.d, done.Seq, "户口簿照片看不清", "hukouBook")
	r.event(engine.Event{State: engine.Idle, LastAck: r.m.Clock.T, News: 1})
	at("11 home: correction", nil)
	at("12 home: search", func() { r.find("lyz") })
	at("13 home: a receipt's link", func() { r.find(done.Link) })
	r.press(fyne.KeyEscape)
	r.go_(screen.PageServices, "")
	at("20 services", nil)
	at("21 services: search", func() { r.find("gljt") })
	at("22 services: nothing found", func() { r.find("gljtxyzw") })
	for _, item := range []string{"gaoling", "juzhu", "linshi"} {
		r.go_(screen.PageGuide, item)
		at("23 guide "+item, nil)
		at("24 guide "+item+": for whom", func() {
			r.s.view.(screen.Primary).TapPrimary()
			r.typeText("liu")
		})
		r.press(fyne.KeyEscape)
	}
	for _, d := range drafts {
		r.go_(screen.PageWizard, "draft:"+d.id)
		at("30 wizard "+d.name, nil)
		r.s.view.(screen.Primary).TapPrimary()
		if _, ok := r.s.view.(*screen.Wizard); !ok {
			continue // nothing was missing
		}
		at("31 wizard "+d.name+": next", nil)
	}
	seq := fmt.Sprint(done.Seq)
	r.go_(screen.PageWizard, "correct:"+seq)
	at("32 wizard: correction", nil)
	r.go_(screen.PageReceipt, seq)
	at("40 receipt", nil)
	r.go_(screen.PageCases, "")
	at("41 cases", nil)
	r.go_(screen.PageCases, "nothing")
	at("42 cases: filter", nil)
	r.go_(screen.PageCase, seq)
	at("43 case", nil)
	r.go_(screen.PageSync, "")
	at("50 sync", nil)
	r.go_(screen.PageSettings, "")
	at("60 settings", nil)
	r.tap(r.s.T("settings.changePIN"))
	r.tap(r.s.T("settings.check"))
	at("61 settings: PIN and check", nil)
	at("62 confirm", func() { r.tap(r.s.T("settings.rebuild")) })
	r.go_(screen.PageOperators, "")
	at("63 operators", nil)
	r.s.folder = t.TempDir()
	for _, n := range []string{"户口簿.jpg", "身份证.png", "说明.pdf"} {
		if err := os.WriteFile(r.s.folder+"/"+n, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at("64 pick a file", func() { r.s.env.PickFile([]string{".jpg", ".png"}, func(string, []byte) {}) })
	r.press(fyne.KeyEscape)
	at("65 a message over the screen", func() { r.s.say("danger", r.s.T("window.settingsUnwritten")) })
	r.s.clearNote(true)
	r.go_(screen.PagePrinters, "")
	at("66 printers", nil)
	r.tap(r.s.T("printers.add"))
	at("67 printers: add one", nil)
	at("68 a second person", func() {
		r.s.second(r.s.T("photo.waiveTitle"), r.s.T("photo.waiveText", "label", "户口簿"), []vm.Choice{{Value: "li", Label: "李建国"}}, nil, nil)
	})
	at("69 camera", func() {
		v := &viewfinder{s: r.s, lens: takePaper, still: make(chan chan<- camera.Still)}
		v.build(r.s.T("devices.cameraTest"))
		v.ctx, v.hide = context.WithCancel(t.Context())
		r.s.showSheet(v)
	})
	r.s.dropSheet()
	for i, word := range []string{"name", "idno"} {
		r.go_(screen.PageHome, "")
		r.go_(screen.PageWizard, "new:gaoling")
		at("90 keyboard: "+word, func() { r.touchField(i) })
		r.s.typing.board.Close()
	}
	r.s.o.Kiosk = true
	r.s.openToPublic()
	at("80 kiosk", nil)
	at("81 kiosk: staff", r.s.askStaff)
	at("82 kiosk: is somebody there", func() {
		r.after(kioskAsk + r.s.active.Sub(r.m.Clock.T))
		r.s.kioskTick()
	})
	r.s.goOn()
	r.go_(screen.PageServices, "")
	at("83 kiosk: services", nil)
	r.go_(screen.PageGuide, "linshi")
	at("84 kiosk: guide", nil)
	r.go_(screen.PageWizard, "new:juzhu")
	at("85 kiosk: wizard", nil)
	at("86 kiosk: end", r.s.endVisit)
	r.s.dropSheet()
	for _, d := range drafts {
		if d.name == "gaoling materials" {
			r.s.ownDraft(d.id)
			r.go_(screen.PageWizard, "draft:"+d.id)
			at("87 kiosk: "+d.name, nil)
		}
	}
	r.go_(screen.PageScan, "")
	at("88 kiosk: scan", nil)
	r.go_(screen.PageProgress, vm.ByLink+done.Link)
	at("89 kiosk: progress", nil)
	r.go_(screen.PageProgress, vm.ByNumber+"9-9-9")
	at("8a kiosk: no case", nil)
	r.go_(screen.PageReceipt, seq)
	at("8b kiosk: receipt", nil)
	r.s.Lock()
	r.s.o.Kiosk = false
	r.s.opened(Machine{}, words.New("store.busy", nil))
	at("70 cannot open", nil)
}

// printsTo gives the machine a queue for printing, as the program does.
func (r *rig) printsTo(t *testing.T) {
	t.Helper()
	book, err := printer.OpenBook(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book.Put(printer.Config{Name: "前台小票机", Kind: printer.TCP, Address: "127.0.0.1:9"}); err != nil {
		t.Fatal(err)
	}
	if r.s.machine.Spool, err = spool.Open(spool.Options{Keep: r.d, Book: book}); err != nil {
		t.Fatal(err)
	}
	r.s.machine.Spool.Unlock(r.s.papers())
}

// touchField brings the keyboard on the screen up for the nth text field of the page.
func (r *rig) touchField(n int) {
	r.t.Helper()
	r.each(func(o fyne.CanvasObject) bool {
		f, ok := o.(*input.TextField)
		if !ok || n > 0 {
			if ok {
				n--
			}
			return false
		}
		e := f.Focusable()
		r.s.win.Canvas().Focus(e)
		r.s.typing.board.Touched(e.(input.Target))
		return true
	})
	if !r.s.typing.board.Up() {
		r.t.Fatal("no keyboard comes up")
	}
}

type stepDraft struct{ name, id string }

// everyStep begins each shipped service, for somebody of the roster with the answers that the tests of the desk use and for a stranger
// with none, and returns a draft that stands on each step.
func everyStep(t *testing.T, s counter.Session) []stepDraft {
	t.Helper()
	found, err := s.FindPeople("999999194102030021", 1)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d people, %v", len(found), err)
	}
	var out []stepDraft
	for _, service := range []string{"gaoling", "juzhu", "linshi"} {
		raw, err := os.ReadFile("../../offline/desk/testdata/" + service + ".json")
		if err != nil {
			t.Fatal(err)
		}
		answers := map[string]any{}
		if err := json.Unmarshal(raw, &answers); err != nil {
			t.Fatal(err)
		}
		for _, step := range []form.Step{form.StepIdentity, form.StepDetails, form.StepMaterials, vm.StepReview, form.StepSignature} {
			in, err := s.Start(t.Context(), service, found[0])
			if err != nil {
				t.Fatal(err)
			}
			for p, v := range answers {
				fill(t, in, form.Path(p), v)
			}
			out = append(out, leaveAt(t, in, service, step))
		}
		in, err := s.Start(t.Context(), service, nil)
		if err != nil {
			t.Fatal(err)
		}
		in.Set("name", "阿卜杜热合曼·买买提吐尔逊江")
		out = append(out, leaveAt(t, in, service+" for a stranger", form.StepIdentity))
	}
	return out
}

func leaveAt(t *testing.T, in counter.Intake, name string, step form.Step) stepDraft {
	t.Helper()
	if err := in.Leave(t.Context(), string(step), ""); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return stepDraft{name + " " + string(step), in.ID()}
}

func fill(t *testing.T, in counter.Intake, path form.Path, v any) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			if name, ok := x.(string); ok && strings.Contains(name, ".") {
				if err := in.Attach(t.Context(), path, photo(t), name); err != nil {
					t.Fatal(err)
				}
			}
		}
	case map[string]any:
		for part, x := range v {
			if text, ok := x.(string); ok {
				in.Set(path+form.Path("."+part), text)
			}
		}
	default:
		in.Set(path, v)
	}
}

// find types into the search of the screen, in place of what stands there.
func (r *rig) find(text string) {
	r.t.Helper()
	r.s.search()
	if f, ok := r.s.win.Canvas().Focused().(fyne.Shortcutable); ok {
		f.TypedShortcut(&fyne.ShortcutSelectAll{})
	}
	r.typeText(text)
}

// newGalleryRig is a rig that is not enrolled until enrolled is set, and whose first try to enrol fails.
func newGalleryRig(t *testing.T, enrolled *bool) *rig {
	return newRig(t, func(o *Options) {
		open := o.Open
		o.Open = func(on func(engine.Event)) (Machine, error) {
			if !*enrolled {
				return Machine{}, words.New("desk.notEnrolled", nil)
			}
			return open(on)
		}
		o.Enroll = func(string, string) error {
			if !*enrolled {
				return words.New("wire.codeUsed", nil)
			}
			return nil
		}
	})
}

// wear shows the screen of the moment in another look, as a person would switch it.
func (r *rig) wear(l look_) {
	r.s.dropSheet()
	r.s.win.Resize(l.size)
	if r.s.lang == l.lang && look.Current() == l.mode {
		return
	}
	r.s.lang = l.lang
	look.SetLang(l.lang)
	look.Set(r.app, l.mode)
	r.s.rebuild()
}

// Nothing is clipped, covered or too small to hit, and every colour can be read on its ground, in any screen, size, look
// and language; and the keyboard comes to everything.
func TestEveryScreen(t *testing.T) {
	enrolled := false
	r := newGalleryRig(t, &enrolled)
	base := looksFor(0)[0] // what most screens are laid out in needs no change
	r.wear(base)
	only := os.Getenv("BIANMIN_SHOT")
	n, worn := 0, 0
	pairs := map[pair]string{}
	gallery(t, r, &enrolled, func(name string, again func()) {
		n++
		if only != "" && !strings.HasPrefix(name, only) {
			return
		}
		for _, l := range looksFor(n) {
			worn++
			r.wear(l)
			if again != nil {
				again()
			}
			if least := r.s.Content().MinSize(); least.Width > l.size.Width || least.Height > l.size.Height {
				t.Errorf("%s, %v: needs %v", name, l, least)
			}
			f := inspect(r.s.win)
			if len(f.labels) == 0 {
				t.Errorf("%s, %v: nothing to read", name, l)
			}
			for _, fault := range f.faults {
				t.Errorf("%s, %v: %s", name, l, fault)
			}
			for _, text := range f.cut {
				if !slices.ContainsFunc(longNames, func(s string) bool { return strings.Contains(text, s) }) {
					t.Errorf("%s, %v: no room for %q", name, l, text)
				}
			}
			for _, fault := range misplaced(r.s.Places(), f.targets) {
				t.Errorf("%s, %v: %s", name, l, fault)
			}
			for p, example := range f.pairs {
				pairs[p] = fmt.Sprintf("%s, %v: %q", name, l, example)
			}
			if len(f.faults)+len(f.cut) > 0 || only != "" {
				r.shoot(strings.NewReplacer(" ", "-", ":", "", "×", "x", "/", "").Replace(name + " " + l.String()))
			}
		}
		r.wear(base)
		if again != nil {
			again()
		}
		checkTab(t, r, name)
	})
	const readable, visible = 4.5, 3.0 // letters, and drawings (WCAG 1.4.3 and 1.4.11)
	for p, where := range pairs {
		least := readable
		if p.drawn {
			least = visible
		}
		if got := contrast(p.text, p.ground); got < least {
			t.Errorf("%v on %v has %.2f:1 (%s)", p.text, p.ground, got, where)
		}
	}
	t.Logf("%d screens, laid out %d times, %d pairs of colours", n, worn, len(pairs))
}

// longNames may end in an ellipsis where there is no room, as the whole of them is one tap away: paths of folders, and the
// time in the list of cases.
var longNames = []string{"/", "taken in"}
