package window

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"bianmin/app/device/camera"
	"bianmin/app/device/idcard"
	"bianmin/app/device/photocheck"
	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/app/vm"
	"bianmin/offline/form"
	"bianmin/offline/ident"
	"bianmin/offline/receipt"
)

// bench is what is connected in a test: a reader with a card or a fault, a camera of files, timers that fire when told.
type bench struct {
	card   idcard.Card
	err    error
	faults []photocheck.Fault
	papers []photocheck.Paper
	files  *camera.Files
	timers []*func()
	ticks  chan time.Time
}

// Read implements idcard.Reader.
func (b *bench) Read(context.Context) (idcard.Card, error) { return b.card, b.err }

// Test implements idcard.Reader.
func (b *bench) Test(context.Context) error { return b.err }

// Close implements idcard.Reader.
func (b *bench) Close() error { return nil }

func (b *bench) options() *Devices {
	d := &Devices{
		Ports:      func() []vm.Choice { return []vm.Choice{{Value: "test", Label: "测试端口"}} },
		OpenReader: func(string) (idcard.Reader, error) { return b, nil }, Wedge: true,
		CheckPhoto: func(_ context.Context, _ []byte, p photocheck.Paper) []photocheck.Fault {
			b.papers = append(b.papers, p)
			return b.faults
		},
		After: func(_ time.Duration, fn func()) func() {
			b.timers = append(b.timers, &fn)
			return func() { fn = nil }
		},
		Pace: func(time.Duration) (<-chan time.Time, func()) { return b.ticks, func() {} },
	}
	if b.files != nil {
		d.Cameras = func() []camera.Camera { return []camera.Camera{b.files} }
	}
	return d
}

// waitClosed waits until the camera's goroutine has seen that the sheet is gone.
func (b *bench) waitClosed() {
	for open := 1; open > 0; runtime.Gosched() {
		open, _ = b.files.Streams()
	}
}

// fire lets every timer run that was not stopped.
func (b *bench) fire() {
	due := b.timers
	b.timers = nil
	for _, fn := range due {
		if *fn != nil {
			(*fn)()
		}
	}
}

func benchRig(t *testing.T, b *bench, change func(*Options)) *rig {
	t.Helper()
	r := newRig(t, func(o *Options) {
		o.Devices = b.options()
		if change != nil {
			change(o)
		}
	})
	t.Cleanup(func() { look.SetOnTyped(nil, nil) })
	return r
}

// scan types text as a scanner does: without a pause, Enter at the end.
func (r *rig) scan(text string) {
	c := r.s.win.Canvas()
	for _, ch := range text {
		if f := c.Focused(); f != nil {
			f.TypedRune(ch)
		} else {
			c.OnTypedRune()(ch)
		}
	}
	enter := &fyne.KeyEvent{Name: fyne.KeyReturn}
	if f := c.Focused(); f != nil {
		f.TypedKey(enter)
	} else {
		c.OnTypedKey()(enter)
	}
}

func (r *rig) page() screen.Route {
	if p := r.s.here(); p != nil {
		return p.route
	}
	return screen.Route{}
}

func cardOf(t *testing.T, name, number string) idcard.Card {
	t.Helper()
	id, err := ident.ParseIDAt(number, time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return idcard.Card{
		Kind: idcard.Resident, Name: name, Sex: string(id.Sex), Nation: "01", Birth: id.Birth, Number: number, Address: "清河镇柳树村1组3号",
		Issuer: "示范县公安局", From: time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func TestACardIsReadInTheWizard(t *testing.T) {
	b := &bench{}
	r := benchRig(t, b, nil)
	r.login()
	r.s.Go(screen.Route{Page: screen.PageWizard, Arg: "new:juzhu"})
	if strings.Contains(r.texts(), "读身份证") {
		t.Error("a card may be read, though no reader is chosen")
	}
	r.s.Go(screen.Route{Page: screen.PageSettings})
	r.tap("测试端口")
	b.err = idcard.ErrNoReader
	r.tap("试读身份证")
	if !strings.Contains(squeezed(r.texts()), squeezed(r.s.T("idcard.noReader"))) {
		t.Errorf("the test of a dead reader says %q", r.texts())
	}
	b.err, b.card = nil, cardOf(t, "\U00020BB7田", "999999194102030021")
	r.tap("试读身份证")
	if !strings.Contains(squeezed(r.texts()), "读卡器正常，读到\U00020BB7田") {
		t.Errorf("the test of the reader says %q", r.texts())
	}
	r.s.Go(screen.Route{Page: screen.PageWizard, Arg: "new:juzhu"})
	b.err = idcard.ErrMoved
	r.tap("读身份证")
	if !strings.Contains(squeezed(r.texts()), squeezed(r.s.T("idcard.moved"))) {
		t.Errorf("a card taken away: %q", r.texts())
	}
	b.err = nil
	b.card.Until = r.m.Clock.T.AddDate(0, 0, -2)
	r.tap("读身份证")
	for _, want := range []string{"已读出\U00020BB7田的身份证", "已到期", "身份证读卡", "居民身份证·女·汉族·1941-02-03"} {
		if !strings.Contains(squeezed(r.texts()), want) {
			t.Errorf("the page does not say %q: %q", want, r.texts())
		}
	}
	m := r.s.here().model.(*vm.Wizard)
	for _, l := range m.State().Blocks[0].Lines {
		if l.Path == "name" && (l.Value != "\U00020BB7田" || !l.Fixed) {
			t.Errorf("the name is %q, fixed %v", l.Value, l.Fixed)
		}
	}
}

func squeezed(s string) string { return strings.Join(strings.Fields(s), "") }

func TestAScannerOnEveryPage(t *testing.T) {
	b := &bench{}
	r := benchRig(t, b, nil)
	r.scan("999999194102030021")
	if !strings.Contains(squeezed(r.texts()), "请先登录，再扫码") {
		t.Errorf("before the login: %q", r.texts())
	}
	r.login()
	const liu = "999999194102030021"
	for _, from := range []screen.Route{{Page: screen.PageHome}, {Page: screen.PageServices}, {Page: screen.PageSettings}, {Page: screen.PageSync}, {Page: screen.PageCases}} {
		r.s.Go(from)
		r.scan(liu)
		if got := r.page(); got != (screen.Route{Page: screen.PageServices, Arg: "for:p001"}) {
			t.Errorf("an ID number on %s leads to %+v", from.Page, got)
		}
		if f, ok := r.s.win.Canvas().Focused().(interface{ SelectedText() string }); ok && f.SelectedText() != "" {
			t.Error("something is selected")
		}
		if strings.Contains(r.texts(), liu[:6]) {
			t.Errorf("part of the number stands on the page: %q", r.texts())
		}
	}
	r.s.Go(screen.Route{Page: screen.PageHome})
	r.scan("https://u.wechat.com/abcdef")
	if got := r.page(); got.Page != screen.PageHome || !strings.Contains(squeezed(r.texts()), "未识别：扫到的是别处的网址") {
		t.Errorf("an unknown code leads to %+v: %q", got, r.texts())
	}
	r.scan("91350100M000100Y43")
	if got := r.page(); got.Page != screen.PageHome || !strings.Contains(squeezed(r.texts()), "统一社会信用代码") || !strings.Contains(squeezed(r.texts()), "校验正确") {
		t.Errorf("a credit code leads to %+v: %q", got, r.texts())
	}
	code, err := receipt.NewCredential(r.d.Suite(), r.m.Platform.Sign, "医保电子凭证", "刘玉珍", liu, []byte("12345678"), r.m.Clock.T)
	if err != nil {
		t.Fatal(err)
	}
	r.s.Go(screen.Route{Page: screen.PageSettings})
	r.scan(code)
	if got := r.page(); got != (screen.Route{Page: screen.PageServices, Arg: "for:p001"}) {
		t.Errorf("a credential leads to %+v: %q", got, r.texts())
	}
	r.m.Clock.T = r.m.Clock.T.Add(2 * time.Minute)
	r.s.Go(screen.Route{Page: screen.PageSettings})
	r.scan(code)
	if got := r.page(); got.Page != screen.PageSettings || !strings.Contains(squeezed(r.texts()), "已过期") {
		t.Errorf("an old credential leads to %+v: %q", got, r.texts())
	}
}

func TestAScanLeavesNothingInAField(t *testing.T) {
	b := &bench{}
	r := benchRig(t, b, nil)
	r.login()
	r.s.Go(screen.Route{Page: screen.PageWizard, Arg: "new:juzhu"})
	m := r.s.here().model.(*vm.Wizard)
	name := func() string {
		for _, l := range m.State().Blocks[0].Lines {
			if l.Path == "name" {
				return l.Value
			}
		}
		return ""
	}
	r.s.view.(*screen.Wizard).FocusFirst(r.s.win.Canvas())
	test.Type(r.s.win.Canvas().Focused(), "刘玉")
	b.fire()
	if name() != "刘玉" {
		t.Fatalf("the name is %q", name())
	}
	r.m.Clock.T = r.m.Clock.T.Add(time.Second)
	r.scan("999999194102030021")
	if name() != "刘玉" {
		t.Errorf("a scan left %q in the name", name())
	}
	if !strings.Contains(squeezed(r.texts()), "要离开这件办件吗") {
		t.Errorf("a case is left without a question: %q", r.texts())
	}
	r.tap("离开，去看扫到的")
	if got := r.page(); got != (screen.Route{Page: screen.PageServices, Arg: "for:p001"}) {
		t.Errorf("the scan led to %+v", got)
	}
	// Fast typing without Enter is a person's: nothing is lost.
	r.s.Go(screen.Route{Page: screen.PageHome})
	test.Type(r.s.win.Canvas().Focused(), "gljt")
	b.fire()
	if !strings.Contains(r.texts(), "高龄津贴") {
		t.Errorf("what was typed fast is lost: %q", r.texts())
	}
}

func paperPhoto(t *testing.T, dir, name string) {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 320, 240))
	for i := range img.Pix {
		img.Pix[i] = uint8(i)
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// queue is the UI goroutine of a test that has a camera on another one.
type queue chan func()

// threadedRig is benchRig whose window has a queue of its own once threaded is set; until then what is posted runs at once.
func threadedRig(t *testing.T, b *bench) (r *rig, ui queue, threaded *atomic.Bool) {
	ui, threaded = make(queue, 100), new(atomic.Bool)
	r = benchRig(t, b, func(o *Options) {
		o.Post = func(fn func()) {
			if threaded.Load() {
				ui <- fn
				return
			}
			fn()
		}
	})
	return r, ui, threaded
}

// until runs what is posted until something is so.
func (q queue) until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for !is() {
		select {
		case fn := <-q:
			fn()
		case <-t.Context().Done():
			t.Fatalf("waited for %s", what)
		}
	}
}

func TestAPhotoIsTakenJudgedAndWaived(t *testing.T) {
	dir := t.TempDir()
	paperPhoto(t, dir, "a.png")
	b := &bench{files: &camera.Files{Dir: dir}, faults: []photocheck.Fault{photocheck.Blurred}, ticks: make(chan time.Time, 100)}
	r, ui, threaded := threadedRig(t, b)
	r.login()
	r.s.Go(screen.Route{Page: screen.PageSettings})
	r.tap(filepath.Base(dir))
	r.s.Go(screen.Route{Page: screen.PageWizard, Arg: "new:gaoling:p001"})
	m := r.s.here().model.(*vm.Wizard)
	for path, v := range map[string]string{"applyType": "first", "contactName": "刘建军", "contactRelation": "child", "contactPhone": "13900000001", "way": "self"} {
		m.Set(form.Path(path), v)
	}
	for m.State().ID != form.StepMaterials {
		if m.Next() != vm.Moved {
			t.Fatalf("not on the materials: %+v", m.State().Problems)
		}
	}
	r.s.view.Refresh()
	threaded.Store(true)
	r.tap("拍照")
	b.ticks <- time.Time{}
	sees := func(text string) func() bool {
		return func() bool { return strings.Contains(squeezed(r.texts()), text) }
	}
	ui.until(t, "the preview", sees("四个角都在画面里"))
	r.tap("拍照")
	ui.until(t, "the picture", sees("用这张"))
	r.tap("用这张")
	ui.until(t, "what is wrong", sees("照片有些糊"))
	threaded.Store(false)
	b.waitClosed()
	if len(b.papers) != 1 || !b.papers[0].Camera || b.papers[0].Number != "999999194102030021" {
		t.Errorf("judged as %+v", b.papers)
	}
	if !sees("还差1页")() {
		t.Errorf("the missing side is not said: %q", r.texts())
	}
	if m.Next() != vm.Stayed {
		t.Fatal("the step was left with a faulty photo")
	}
	r.s.view.Refresh()
	r.tap("先收下（容缺）")
	r.pin("000000")
	r.tap("确定")
	if !sees("密码不对")() {
		t.Errorf("a wrong PIN: %q", r.texts())
	}
	r.m.Clock.T = r.m.Clock.T.Add(time.Minute)
	r.pin("135790")
	r.tap("确定")
	if !sees("容缺收下，李")() || sees("照片有些糊")() {
		t.Errorf("after the waiver: %q", r.texts())
	}
	for _, p := range m.State().Problems {
		if p.Path == "idcardPhoto" {
			t.Errorf("still a problem: %s", p.Text)
		}
	}
}

// TestAPictureThatFailsIsTakenAgain: why a picture failed stays on the sheet while the preview goes on, and it can be tried again.
func TestAPictureThatFailsIsTakenAgain(t *testing.T) {
	dir := t.TempDir()
	paperPhoto(t, dir, "a.png")
	b := &bench{files: &camera.Files{Dir: dir}, ticks: make(chan time.Time, 100)}
	r, ui, threaded := threadedRig(t, b)
	r.login()
	r.s.Go(screen.Route{Page: screen.PageSettings})
	r.tap(filepath.Base(dir))
	threaded.Store(true)
	var got []byte
	r.s.takePhoto("身份证", func(_ string, data []byte) { got = data })
	sees := func(text string) func() bool {
		return func() bool { return strings.Contains(squeezed(r.texts()), squeezed(text)) }
	}
	b.ticks <- time.Time{}
	ui.until(t, "the preview", sees(r.s.T("camera.paper")))
	name := filepath.Join(dir, "a.png")
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, good[:20], 0o600); err != nil {
		t.Fatal(err)
	}
	r.tap(r.s.T("camera.shoot"))
	ui.until(t, "why it failed", sees(r.s.T("camera.noPicture")))
	if err := os.WriteFile(name, good, 0o600); err != nil {
		t.Fatal(err)
	}
	_, before := b.files.Streams()
	b.ticks <- time.Time{}
	b.ticks <- time.Time{} // the second comes when the first picture is on the screen
	ui.until(t, "two pictures more", func() bool { _, n := b.files.Streams(); return n >= before+2 })
	if !sees(r.s.T("camera.noPicture"))() {
		t.Errorf("why it failed is gone: %q", r.texts())
	}
	r.tap(r.s.T("camera.shoot"))
	ui.until(t, "the picture", sees(r.s.T("camera.use")))
	r.tap(r.s.T("camera.use"))
	threaded.Store(false)
	b.waitClosed()
	if len(got) == 0 {
		t.Error("no picture was taken")
	}
}

func TestACodeIsReadByTheCamera(t *testing.T) {
	dir := t.TempDir()
	b := &bench{files: &camera.Files{Dir: dir}, ticks: make(chan time.Time, 100)}
	r, ui, threaded := threadedRig(t, b)
	code, err := receipt.NewCredential(r.d.Suite(), r.m.Platform.Sign, "医保电子凭证", "刘玉珍", "999999194102030021", []byte("12345678"), r.m.Clock.T)
	if err != nil {
		t.Fatal(err)
	}
	qr, err := receipt.QR(code, receipt.LevelM)
	if err != nil {
		t.Fatal(err)
	}
	modules := qr.Modules
	img := image.NewGray(image.Rect(0, 0, 640, 640))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	dot := 560 / len(modules)
	for y, row := range modules {
		for x, on := range row {
			for k := 0; on && k < dot*dot; k++ {
				img.Pix[(40+y*dot+k/dot)*img.Stride+40+x*dot+k%dot] = 0
			}
		}
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.jpg"), buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	r.login()
	r.s.Go(screen.Route{Page: screen.PageSettings})
	r.tap(filepath.Base(dir))
	r.s.Go(screen.Route{Page: screen.PageHome})
	threaded.Store(true)
	r.tap("扫码")
	b.ticks <- time.Time{}
	ui.until(t, "the person", func() bool { return r.page() == screen.Route{Page: screen.PageServices, Arg: "for:p001"} })
	threaded.Store(false)
	b.waitClosed()
	if r.s.sheet != nil {
		t.Error("the viewfinder is still open")
	}
	// Without its camera the viewfinder says so.
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	r.s.Go(screen.Route{Page: screen.PageHome})
	threaded.Store(true)
	r.tap("扫码")
	ui.until(t, "the fault", func() bool { return strings.Contains(squeezed(r.texts()), "没有找到摄像头") })
	threaded.Store(false)
	r.s.dropSheet()
}

func TestNoDevicesNoButtons(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	for _, p := range []screen.Route{{Page: screen.PageHome}, {Page: screen.PageSettings}, {Page: screen.PageWizard, Arg: "new:juzhu"}} {
		r.s.Go(p)
		for _, word := range []string{"扫码", "读身份证", "身份证读卡器"} {
			if slices.Contains(strings.Split(r.texts(), "|"), word) {
				t.Errorf("%s shows %q", p.Page, word)
			}
		}
	}
	if _, err := readCard(nil, "x"); !errors.Is(err, idcard.ErrNoReader) {
		t.Errorf("no reader: %v", err)
	}
}

// A code that is pasted into the search is judged like a scanned one; somebody else's address is no forged receipt.
func TestCodesInTheSearch(t *testing.T) {
	r := benchRig(t, &bench{}, nil)
	r.login()
	paste := func(text string) {
		r.s.Go(screen.Route{Page: screen.PageHome})
		r.s.search()
		f := r.s.win.Canvas().Focused()
		f.(interface{ SetText(string) }).SetText(text)
		f.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	}
	paste("https://u.wechat.com/abcdef")
	if got := squeezed(r.texts()); strings.Contains(got, "假") || !strings.Contains(got, "这不是本县的回执") {
		t.Errorf("another's address: %q", r.texts())
	}
	code, err := receipt.NewCredential(r.d.Suite(), r.m.Platform.Sign, "医保电子凭证", "刘玉珍", "999999194102030021", []byte("12345678"), r.m.Clock.T)
	if err != nil {
		t.Fatal(err)
	}
	paste(code)
	if got := r.page(); got != (screen.Route{Page: screen.PageServices, Arg: "for:p001"}) {
		t.Errorf("a pasted credential leads to %+v", got)
	}
}
