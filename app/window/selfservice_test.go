package window

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"bianmin/app/demo"
	"bianmin/app/device/camera"
	"bianmin/app/device/escpos/fake"
	"bianmin/app/device/photocheck"
	"bianmin/app/device/printer"
	"bianmin/app/device/spool"
	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/app/vm"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/form"
	"bianmin/offline/paper"
	"bianmin/offline/receipt"
)

// standRig is a self-service machine with a reader, a document camera that sees sample papers, and a printer.
type standRig struct {
	*kioskRig
	b    *bench
	ui   queue // what is posted, from any goroutine, for the test's to run
	roll *fake.Printer
}

func newStandRig(t *testing.T) *standRig {
	t.Helper()
	dir := t.TempDir()
	if err := demo.Papers(dir); err != nil {
		t.Fatal(err)
	}
	r := &standRig{ui: make(queue, 1000), roll: fake.New(paper.Dots58)}
	r.b = &bench{files: &camera.Files{Dir: dir}, ticks: make(chan time.Time, 100), card: cardOf(t, "刘玉珍", "999999194102030021")}
	t.Cleanup(r.roll.Close)
	at, err := r.roll.Listen()
	if err != nil {
		t.Fatal(err)
	}
	book, err := printer.OpenBook(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book.Put(printer.Config{Name: "小票机", Kind: printer.TCP, Address: at}); err != nil {
		t.Fatal(err)
	}
	r.kioskRig = newKioskRig(t, func(o *Options) {
		o.Devices = r.b.options()
		o.Devices.CheckPhoto = func(ctx context.Context, data []byte, p photocheck.Paper) []photocheck.Fault {
			return photocheck.Judge(ctx, data, p, photocheck.OCR{Program: "/nonexistent"}) // reading print takes seconds, and there is none
		}
		o.Post = func(fn func()) { r.ui <- fn }
	})
	r.settle()
	if r.s.machine.Spool, err = spool.Open(spool.Options{Keep: r.d, Book: book}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { look.SetOnTyped(nil, nil) })
	r.s.keep.Reader = "test"
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.s.machine.Spool.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	r.kioskRig.tap("王秀英")
	r.pin(desktest.PIN)
	r.settle()
	return r
}

// settle runs what was posted.
func (r *standRig) settle() {
	for {
		select {
		case fn := <-r.ui:
			fn()
		default:
			return
		}
	}
}

func (r *standRig) tap(word string) {
	r.t.Helper()
	r.kioskRig.tap(word)
	r.settle()
}

func (r *standRig) scan(text string) {
	r.kioskRig.scan(text)
	r.settle()
}

// byNumber looks for a receipt by its number.
func (r *standRig) byNumber(no string) {
	r.s.env.Devices.Code(no)
	r.settle()
}

// primary does the one act of the screen.
func (r *standRig) primary() {
	r.s.view.(screen.Primary).TapPrimary()
	r.settle()
}

// saysSoon waits until the screen says text.
func (r *standRig) saysSoon(text string) {
	r.t.Helper()
	r.ui.until(r.t, text, func() bool { return strings.Contains(squeezed(r.texts()), squeezed(text)) })
}

// photograph takes a picture of the paper under the camera for the first material that has the button.
func (r *standRig) photograph(button string) {
	r.t.Helper()
	r.tap(button)
	r.b.ticks <- time.Time{}
	r.saysSoon("四个角都在画面里")
	r.tap("拍照")
	r.saysSoon("用这张")
	r.tap("用这张")
	r.ui.until(r.t, "the photo to be kept", func() bool { return r.s.sheet == nil && !strings.Contains(r.texts(), r.s.T("wizard.attaching")) })
	r.b.waitClosed()
}

// A citizen comes alone and goes with a receipt: nobody of the staff, no file and no keyboard is needed.
func TestACitizenServesThemselves(t *testing.T) {
	r := newStandRig(t)
	r.tap("高龄津贴")
	r.tap("开始办理")
	r.tap("读身份证")
	r.sees("刘玉珍")
	m := r.s.here().model.(*vm.Wizard)
	for path, v := range map[string]string{
		"sameHome": "true", "applyType": "first", "contactName": "刘建军", "contactRelation": "child", "contactPhone": "13900000001", "way": "self",
		"phone": "13900000002", "bank": "103", "bankcard": "6228480402564890018", "resAddress": "清河镇柳树村1组3号",
	} {
		m.Set(form.Path(path), v)
	}
	for m.State().ID != form.StepMaterials {
		r.s.view.Refresh()
		before := m.State().ID
		r.primary()
		if m.State().ID == before {
			t.Fatalf("stuck on %s: %+v", before, m.State().Problems)
		}
	}
	r.seesNot("选择文件", "更换", "再添加一份")
	r.photograph("拍照")
	r.photograph("再拍一张")
	r.seesNot("选择文件", "更换", "再添加一份")
	r.photograph("拍照")
	for _, l := range m.State().Blocks[0].Lines {
		if l.Required && l.Faults != "" {
			t.Errorf("%s: %s", l.Label, l.Faults)
		}
	}
	r.primary()
	if m.State().ID != vm.StepReview {
		t.Fatalf("on %s: %+v", m.State().ID, m.State().Problems)
	}
	r.primary()
	m.Set("promise", "true")
	m.Set("share", "true")
	r.s.view.Refresh()
	r.sign()
	r.primary()
	r.ui.until(t, "the receipt", func() bool {
		v, ok := r.s.view.(*screen.Receipt)
		return ok && v.No() != ""
	})
	r.seesNot("保存图片", "PDF", "查看办件")
	no := r.s.view.(*screen.Receipt).No()
	r.tap("打印")
	for len(r.roll.Wait(1)) == 0 {
		t.Fatal("no paper came")
	}
	link := r.s.view.(*screen.Receipt).Link()
	r.tap("办完了")
	r.sees("您好，请点您要办的事")
	if r.drafts() != 0 {
		t.Error("a draft is left")
	}

	// Another day: the receipt is scanned.
	r.scan(link)
	r.sees(no, "高龄津贴", "收件", "申请人 刘*珍")
	r.seesNot("刘玉珍", "999999194102030021", "13900000002", "王秀英")
	r.tap("返回首页")
	r.byNumber(no) // a number alone can be guessed: its state and nothing else
	r.sees(no, "高龄津贴", "只有编号时只显示状态")
	r.seesNot("刘*珍", "看回执")
	r.tap("返回首页")
	r.tap("扫码查进度")
	r.s.dropSheet() // the camera, which has no code before it
	r.b.waitClosed()
	r.tap("读身份证，看我的办件")
	r.sees("您有 1 件办件", no)
	r.tap("看回执、再打一张")
	if _, ok := r.s.view.(*screen.Receipt); !ok {
		t.Fatalf("on the screen is %T", r.s.view)
	}
	r.tap("办完了")

	// What opens nothing says why.
	r.scan("999999194102030021")
	r.sees("只凭身份证号看不到办件")
	r.seesNot("刘玉珍")
	r.scan("https://u.wechat.com/abcdef")
	r.sees("没有认出来：扫到的是别处的网址")
	r.byNumber("9-1-1")
	if _, ok := r.s.view.(*screen.Kiosk); !ok {
		t.Errorf("an unknown number leads to %T", r.s.view)
	}
	r.scan(link[:len(link)-8] + "00000000")
	r.sees("假的回执")
	code, err := receipt.NewCredential(r.d.Suite(), r.m.Platform.Sign, "医保电子凭证", "刘玉珍", "999999194102030021", []byte("12345678"), r.m.Clock.T)
	if err != nil {
		t.Fatal(err)
	}
	r.scan(code)
	r.sees("您有 1 件办件", no)
	r.begin()
	r.scan(link)
	r.sees("正在填的内容不会留下")
	for _, route := range []screen.Route{{Page: screen.PageServices, Arg: "for:p001"}, {Page: screen.PageGuide, Arg: "gaoling:p001"}, {Page: screen.PageWizard, Arg: "new:gaoling:p001"}, {Page: screen.PageWizard, Arg: "correct:8"}} {
		r.s.dropSheet()
		r.s.Go(route)
		if r.page() == route {
			t.Errorf("the public is shown %+v", route)
		}
	}
}

// sign draws on the pad.
func (r *rig) sign() {
	r.t.Helper()
	var pad *input.SignaturePad
	r.each(func(o fyne.CanvasObject) bool {
		p, ok := o.(*input.SignaturePad)
		if ok {
			pad = p
		}
		return ok
	})
	if pad == nil {
		r.t.Fatalf("no pad: %q", r.texts())
	}
	input.Reveal(pad)
	at := r.app.Driver().AbsolutePositionForObject(pad).AddXY(120, 40)
	for i := range 4 {
		test.Drag(r.s.win.Canvas(), at.AddXY(float32(i)*60, 0), 40, 60)
		test.Drag(r.s.win.Canvas(), at.AddXY(float32(i)*60, 60), 50, -50)
	}
}

// Nobody has opened the machine yet: it shows no files either.
func TestAnUnopenedKioskShowsNoFiles(t *testing.T) {
	k := newKioskRig(t, nil)
	k.s.env.PickFile([]string{".txt"}, func(string, []byte) { t.Error("a file was chosen") })
	if k.s.sheet != nil {
		t.Error("the login shows the files of the machine")
	}
	k.s.env.SaveFile("x.pdf", nil)
	if k.s.sheet != nil {
		t.Error("the login writes files")
	}
}

// What has to be done at the counter cannot be begun alone, and the first screen does not offer it.
func TestItemsForTheCounterAreNotBegunAlone(t *testing.T) {
	k := newKioskRig(t, nil)
	k.login()
	k.seesNot("临时救助")
	k.go_(screen.PageGuide, "linshi")
	k.sees("这件事要到窗口办理", "请到窗口办理")
	k.s.view.(screen.Primary).TapPrimary()
	if _, ok := k.s.view.(*screen.Wizard); ok {
		t.Error("begun alone")
	}
}

// Who goes back to the first screen and walks away leaves nothing either.
func TestTheFirstScreenForgetsToo(t *testing.T) {
	k := newKioskRig(t, nil)
	k.login()
	k.begin()
	k.app.Clipboard().SetContent("张三丰")
	k.go_(screen.PageKiosk, "")
	if k.drafts() != 1 {
		t.Fatalf("%d drafts", k.drafts())
	}
	k.after(kioskAsk)
	k.s.tick()
	if k.drafts() != 0 || k.app.Clipboard().Content() != "" || k.s.sheet != nil {
		t.Errorf("left: %d drafts, clipboard %q", k.drafts(), k.app.Clipboard().Content())
	}
	if os.Getenv("BIANMIN_SHOTS") != "" {
		k.shoot("kiosk-home")
	}
}
