package screen_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/app/vm"
	"bianmin/assets/translations"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/form"
	"bianmin/sync/engine"
)

// caseWords are the real texts in a language that tests switch.
type caseWords struct {
	c    *translations.Catalog
	lang string
}

func (w *caseWords) Lang() string { return w.lang }

func (w *caseWords) T(key string, pairs ...string) string {
	args := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	return w.c.TS(w.lang, key, args)
}

// caseRig is a machine with a person at work and an Env that notes where screens lead.
type caseRig struct {
	t     *testing.T
	app   fyne.App
	words *caseWords
	m     *desktest.Machine
	d     *desk.Desk
	s     *desk.Session
	env   *screen.Env
	went  []screen.Route
	backs int
	fails []error
}

func newCaseRig(t *testing.T) *caseRig {
	t.Helper()
	c, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := &caseRig{t: t, app: test.NewTempApp(t), words: &caseWords{c, "zh"}, m: desktest.New(t)}
	look.SetLang("zh")
	look.Set(r.app, look.Standard)
	t.Cleanup(func() { look.SetLang("zh") })
	r.d, r.s = r.m.Login(t)
	r.env = &screen.Env{
		T: r.words.T, Lang: r.words.Lang, Post: func(fn func()) { fn() }, Work: func(fn func()) { fn() },
		Go: func(to screen.Route) { r.went = append(r.went, to) }, Back: func() { r.backs++ },
		Fail: func(err error) { r.fails = append(r.fails, err) }, Say: func(string, string) {},
	}
	t.Cleanup(func() {
		for _, err := range r.fails {
			t.Errorf("the screen failed: %v", err)
		}
	})
	return r
}

// paper draws something like a photographed card.
func casePaper(t *testing.T, tint color.RGBA) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 640, 400))
	for y := range 400 {
		for x := range 640 {
			c := tint
			if x > 40 && x < 420 && (y/30)%2 == 1 && y > 50 && y < 330 {
				c = color.RGBA{90, 90, 110, 255}
			}
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func caseInk(t *testing.T) counter.Signature {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 400, 160))
	for x := 40; x < 360; x++ {
		for w := range 6 {
			img.Set(x, 40+(x*x/97)%80+w, color.NRGBA{20, 20, 40, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return counter.Signature{Strokes: [][]int64{{10, 10, 60, 40, 90, 15, 120, 60}}, PNG: b.Bytes()}
}

// takeIn submits 高龄津贴 for the person with the ID number.
func (r *caseRig) takeIn(id string) counter.Submitted {
	r.t.Helper()
	people, err := r.s.FindPeople(id, 1)
	if err != nil || len(people) != 1 {
		r.t.Fatalf("found %d people: %v", len(people), err)
	}
	in, err := r.s.Start(r.t.Context(), "gaoling", people[0])
	if err != nil {
		r.t.Fatal(err)
	}
	for p, v := range map[form.Path]any{
		"sameHome": true, "applyType": "first", "contactName": "刘建军", "contactRelation": "child", "contactPhone": "13900000001",
		"way": "self", "promise": true, "share": true,
	} {
		in.Set(p, v)
	}
	for _, p := range []form.Path{"idcardPhoto", "hukouBook"} {
		if err := in.Attach(r.t.Context(), p, casePaper(r.t, color.RGBA{200, 215, 235, 255}), "card.jpg"); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := in.Sign(r.t.Context(), "sign", caseInk(r.t)); err != nil {
		r.t.Fatal(err)
	}
	got, err := in.Submit(r.t.Context())
	if err != nil {
		r.t.Fatalf("submit for %s: %v", id, err)
	}
	return got
}

// window shows a screen inside a frame, as the program does.
func (r *caseRig) window(v screen.View, at string) fyne.Window {
	r.t.Helper()
	top := look.NewTopBar()
	top.Set(look.TopBarState{Station: "柳树村便民服务站", Page: v.Title(), Sync: "离线 · 1 件待送达", State: look.StateWarning, Offline: true, Operator: "王秀英"})
	rail := look.NewRail(look.RailItem{ID: "home", Icon: "home", Word: "首页"}, look.RailItem{ID: "services", Icon: "service", Word: "办事"},
		look.RailItem{ID: "cases", Icon: "cases", Word: "办件", Mark: 1}, look.RailItem{ID: "sync", Icon: "sync", Word: "同步"},
		look.RailItem{ID: "settings", Icon: "settings", Word: "设置"})
	rail.Select(at)
	w := test.NewTempWindow(r.t, look.Frame(top, rail, v.Object(), nil))
	w.SetPadded(false)
	w.Resize(fyne.NewSize(1280, 800))
	return w
}

// shoot paints the window into the folder BIANMIN_SHOTS names; without one it does nothing.
func (r *caseRig) shoot(w fyne.Window, name string) {
	r.t.Helper()
	dir := os.Getenv("BIANMIN_SHOTS")
	if dir == "" {
		return
	}
	var out bytes.Buffer
	if err := png.Encode(&out, w.Canvas().Capture()); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), out.Bytes(), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// caseSaid returns all words shown inside an object, blanks taken out, since lines break between characters.
func caseSaid(o fyne.CanvasObject) string {
	var b strings.Builder
	var visit func(o fyne.CanvasObject)
	visit = func(o fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		switch k := o.(type) {
		case *canvas.Text:
			b.WriteString(k.Text)
		case *fyne.Container:
			for _, c := range k.Objects {
				visit(c)
			}
		case fyne.Widget:
			for _, c := range test.WidgetRenderer(k).Objects() {
				visit(c)
			}
		}
	}
	visit(o)
	return strings.ReplaceAll(b.String(), " ", "")
}

func (r *caseRig) says(w fyne.Window, want ...string) {
	r.t.Helper()
	said := caseSaid(w.Canvas().Content())
	for _, s := range want {
		if !strings.Contains(said, strings.ReplaceAll(s, " ", "")) {
			r.t.Errorf("the screen does not say %q; it says %s", s, said)
		}
	}
}

func (r *caseRig) silent(w fyne.Window, not ...string) {
	r.t.Helper()
	said := caseSaid(w.Canvas().Content())
	for _, s := range not {
		if strings.Contains(said, strings.ReplaceAll(s, " ", "")) {
			r.t.Errorf("the screen says %q", s)
		}
	}
}

// tap taps the smallest thing that shows the words, where it is on the canvas.
func (r *caseRig) tap(w fyne.Window, text string) {
	r.t.Helper()
	want := strings.ReplaceAll(text, " ", "")
	var best fyne.CanvasObject
	size := 1 << 30
	var visit func(o fyne.CanvasObject)
	visit = func(o fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		if _, ok := o.(fyne.Tappable); ok {
			if d, ok := o.(fyne.Disableable); !ok || !d.Disabled() {
				if said := caseSaid(o); strings.Contains(said, want) && len(said) <= size {
					best, size = o, len(said)
				}
			}
		}
		switch k := o.(type) {
		case *fyne.Container:
			for _, c := range k.Objects {
				visit(c)
			}
		case fyne.Widget:
			for _, c := range test.WidgetRenderer(k).Objects() {
				visit(c)
			}
		}
	}
	visit(w.Canvas().Content())
	if best == nil {
		r.t.Fatalf("nothing to tap says %q; the screen says %s", text, caseSaid(w.Canvas().Content()))
	}
	best.(fyne.Tappable).Tapped(nil)
}

func (r *caseRig) last() screen.Route {
	r.t.Helper()
	if len(r.went) == 0 {
		r.t.Fatal("nothing was opened")
	}
	return r.went[len(r.went)-1]
}

// looks calls shot for each look, size and language that people use.
func (r *caseRig) looks(name string, open func() screen.View, at string, more func(w fyne.Window, v screen.View)) {
	r.t.Helper()
	if os.Getenv("BIANMIN_SHOTS") == "" {
		return
	}
	for _, l := range []struct {
		mode look.Mode
		lang string
		w, h float32
	}{
		{look.Standard, "zh", 1280, 800},
		{look.Standard, "zh", 1024, 768},
		{look.Standard, "en", 1280, 800},
		{look.Elder, "zh", 1280, 800},
		{look.Elder, "zh", 1024, 768},
		{look.Elder, "en", 1024, 768},
		{look.HighContrast, "zh", 1280, 800},
	} {
		r.words.lang = l.lang
		look.SetLang(l.lang)
		look.Set(r.app, l.mode)
		v := open()
		w := r.window(v, at)
		w.Resize(fyne.NewSize(l.w, l.h))
		r.shoot(w, fmt.Sprintf("%s-%s-%s-%.0f", name, l.mode, l.lang, l.w))
		if more != nil {
			more(w, v)
			r.shoot(w, fmt.Sprintf("%s-%s-%s-%.0f-b", name, l.mode, l.lang, l.w))
		}
	}
	r.words.lang = "zh"
	look.SetLang("zh")
	look.Set(r.app, look.Standard)
}

// caseScrolls returns the scroll areas inside an object.
func caseScrolls(o fyne.CanvasObject) []*input.Scroll {
	var out []*input.Scroll
	if s, ok := o.(*input.Scroll); ok {
		out = append(out, s)
	}
	if c, ok := o.(*fyne.Container); ok {
		for _, k := range c.Objects {
			out = append(out, caseScrolls(k)...)
		}
	}
	return out
}

// fill takes in four cases that stand differently.
func (r *caseRig) fill() (asked, done, accepted, here counter.Submitted) {
	r.t.Helper()
	ids := []string{"999999194102030021", "999999194102030013", "999999194409180024", "999999193207010014"}
	day := func(n int) { r.m.Clock.T = desktest.Day.AddDate(0, 0, n) }
	day(-12)
	done = r.takeIn(ids[1])
	r.m.Acknowledge(r.t, r.d)
	r.m.Accept(r.t, r.d, done.Case, desktest.Day.AddDate(0, 0, 20))
	day(-6)
	accepted = r.takeIn(ids[2])
	r.m.Acknowledge(r.t, r.d)
	day(-5)
	r.m.Accept(r.t, r.d, accepted.Case, desktest.Day.AddDate(0, 0, 2))
	r.m.Decide(r.t, r.d, done.Case, "granted", "符合条件，从2026年11月起发放。")
	day(-2)
	asked = r.takeIn(ids[0])
	r.m.Acknowledge(r.t, r.d)
	r.m.AskCorrection(r.t, r.d, asked.Case, "户口簿照片看不清户主页，请重新拍照；银行账号请与社保卡核对。", "hukouBook", "bankcard")
	day(0)
	here = r.takeIn(ids[3])
	return asked, done, accepted, here
}

func TestCasesFromListToDetail(t *testing.T) {
	r := newCaseRig(t)
	asked, done, _, here := r.fill()
	m := vm.NewCases(r.words, r.s, r.m.Clock.Now, "")
	list := screen.NewCases(r.env, m)
	w := r.window(list, "cases")
	r.says(w, "全部4", "需要我处理1", "仅在本机1", "已受理1", "已办结1", "共4件", asked.No, "需要您处理", "补正告知", "本机已保存", "办结·准予")
	screen.Master(r.t, list, "cases")
	st := m.State()
	if st.Row(0).No != asked.No {
		t.Errorf("the correction is not first: %+v", st.Row(0))
	}
	r.tap(w, "已办结1")
	r.says(w, done.No)
	r.silent(w, asked.No, here.No)
	r.tap(w, "全部4")
	list.FocusSearch(w.Canvas())
	test.Type(w.Canvas().Focused(), here.No)
	r.says(w, here.No, "共1件")
	r.silent(w, asked.No)
	w.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if got := r.last(); got != (screen.Route{Page: screen.PageCase, Arg: fmt.Sprint(here.Case)}) {
		t.Errorf("Enter opened %+v", got)
	}
	test.Type(w.Canvas().Focused(), "没有")
	r.says(w, "没有找到")
	r.tap(w, "办理新业务")
	if r.last().Page != screen.PageServices {
		t.Errorf("the button opened %+v", r.last())
	}
	r.looks("cases", func() screen.View { return screen.NewCases(r.env, vm.NewCases(r.words, r.s, r.m.Clock.Now, "")) }, "cases", nil)
}

func TestCasesWithoutACase(t *testing.T) {
	r := newCaseRig(t)
	w := r.window(screen.NewCases(r.env, vm.NewCases(r.words, r.s, r.m.Clock.Now, "")), "cases")
	r.says(w, "还没有办件", "全部0")
	r.shoot(w, "cases-empty")
}

func TestCaseDetailAsksForTheCorrection(t *testing.T) {
	r := newCaseRig(t)
	asked, done, _, here := r.fill()
	open := func(seq uint64) *screen.CaseDetail {
		return screen.NewCaseDetail(r.env, vm.NewCaseDetail(r.words, r.d.Counter(), r.s, r.m.Clock.Now, seq))
	}
	detail := open(asked.Case)
	w := r.window(detail, "cases")
	screen.Master(r.t, detail, "case")
	r.says(w, "高龄津贴", asked.No, "需要补正", "户口簿照片看不清户主页", "户口簿", "社保卡银行账号", "还剩5个工作日", "赵敏", "送达平台", "去补正", "材料和签名", "申请人签名")
	r.tap(w, "去补正")
	if got := r.last(); got != (screen.Route{Page: screen.PageWizard, Arg: fmt.Sprintf("correct:%d", asked.Case)}) {
		t.Errorf("the button opened %+v", got)
	}
	r.tap(w, "返回")
	if r.backs != 1 {
		t.Error("the way back is dead")
	}
	r.silent(w, "1390000 0001", "13900000001")
	r.tap(w, "显示完整信息")
	r.says(w, "13900000001")
	r.tap(w, "申请人签名")
	r.says(w, "收起")
	r.tap(w, "收起")
	r.silent(w, "收起")

	w = r.window(open(done.Case), "cases")
	r.says(w, "办结·准予", "符合条件，从2026年11月起发放。", "受理通知书", "查看回执")
	r.silent(w, "去补正", "需要补正")
	r.tap(w, "查看回执")
	if got := r.last(); got != (screen.Route{Page: screen.PageReceipt, Arg: fmt.Sprintf("%d:2", done.Case)}) {
		t.Errorf("the button opened %+v", got)
	}
	w = r.window(open(here.Case), "cases")
	r.says(w, "已保存在本机，联网后自动送达。", "等待送达", "受理后由平台编号")
	r.silent(w, "受理通知书")
	for name, seq := range map[string]uint64{"case-asked": asked.Case, "case-done": done.Case, "case-here": here.Case} {
		r.looks(name, func() screen.View { return open(seq) }, "cases", func(w fyne.Window, v screen.View) {
			for _, o := range caseScrolls(v.Object()) {
				o.PageBy(1)
				if name == "case-asked" {
					o.PageBy(2)
				}
			}
		})
	}
}

func TestSyncShowsTheLine(t *testing.T) {
	r := newCaseRig(t)
	asked, _, _, _ := r.fill()
	r.m.Quarantine(t, r.d, asked.Seq, "quarantine.form", "")
	woken := 0
	var network []bool
	r.env.DemoNetwork = func(on bool) { network = append(network, on) }
	m := vm.NewSync(r.words, r.d.Counter(), r.s, r.m.Clock.Now, "https://bm.shifan.example:8443", func() { woken++ })
	s := screen.NewSync(r.env, m)
	w := r.window(s, "sync")
	s.Hear(engine.Event{State: engine.Offline, At: desktest.Day, Key: "wire.unreachable", Pending: 5, Blobs: 3, BlobBytes: 250_000, NextTry: desktest.Day.Add(2 * time.Minute)})
	r.says(w, "没有联网", "1件已保存在本机", "5条", "3个，还有244KB", "平台没有这个版本的表单。", "办件"+asked.No, "https://bm.shifan.example:8443", "恢复网络（演示）", "今天09:32")
	screen.Master(r.t, s, "sync")
	r.tap(w, "恢复网络")
	r.says(w, "断开网络（演示）")
	if len(network) != 1 || !network[0] {
		t.Errorf("network %v", network)
	}
	r.tap(w, "立即同步")
	r.says(w, "正在联系平台…")
	if woken != 1 {
		t.Errorf("woken %d times", woken)
	}
	s.Hear(engine.Event{State: engine.Sending, At: desktest.Day, Pending: 3, Blobs: 3, BlobBytes: 150_000, Sent: 100_000, Left: 3 * time.Minute})
	r.says(w, "正在送达", "98KB", "3分钟")
	r.silent(w, "正在联系平台…")
	r.shoot(w, "sync-sending")
	r.m.Acknowledge(t, r.d)
	s.Hear(engine.Event{State: engine.Idle, At: desktest.Day, LastAck: desktest.Day})
	r.says(w, "已联网，全部送达", "没有等待送达的办件", "今天09:30")
	r.shoot(w, "sync-idle")
	r.tap(w, "平台没有这个版本的表单")
	if got := r.last(); got != (screen.Route{Page: screen.PageCase, Arg: fmt.Sprint(asked.Case)}) {
		t.Errorf("the record opened %+v", got)
	}
	s.Hear(engine.Event{State: engine.NeedsAttention, At: desktest.Day, Key: "wire.revoked"})
	r.says(w, "需要处理", "这台设备已被县里停用")
	r.shoot(w, "sync-attention")
	r.looks("sync", func() screen.View {
		v := screen.NewSync(r.env, vm.NewSync(r.words, r.d.Counter(), r.s, r.m.Clock.Now, "https://bm.shifan.example:8443", func() {}))
		v.Hear(engine.Event{State: engine.Offline, At: desktest.Day, Key: "wire.unreachable", Pending: 5, Blobs: 3, BlobBytes: 250_000, NextTry: desktest.Day.Add(2 * time.Minute)})
		return v
	}, "sync", nil)
}

func TestSyncWithoutDemoHasNoSwitch(t *testing.T) {
	r := newCaseRig(t)
	w := r.window(screen.NewSync(r.env, vm.NewSync(r.words, r.d.Counter(), r.s, r.m.Clock.Now, "https://a.example", func() {})), "sync")
	r.says(w, "立即同步")
	r.silent(w, "演示")
}
