package window

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/words"
	"bianmin/sync/engine"
)

func TestWrongPINsAreToldAndCountedDown(t *testing.T) {
	r := newRig(t, nil)
	r.sees("柳树村便民服务站", "09:30", "没有联网也可以登录", "246810", "时间尚未核对")
	r.tap("王秀英")
	r.sees("王秀英，请输入密码")
	r.pin("000000")
	r.sees("密码不对，还可以试 4 次", "请等 1 秒再试")
	r.after(time.Second)
	r.s.tick()
	r.seesNot("再试")
	for range 4 {
		r.pin("111111")
		r.after(15 * time.Second)
		r.s.tick()
	}
	r.sees("已锁定到 09:45", "还需等 14 分 45 秒")
	r.after(15 * time.Second)
	r.s.tick()
	r.sees("还需等 14 分 30 秒")
	// The other operator is not locked.
	r.tap("李建国")
	r.pin("135790")
	if r.s.session == nil || r.s.session.Operator().ID != "li" {
		t.Fatalf("the other operator cannot log in: %q", r.texts())
	}
}

func TestPassPhraseCanBeTyped(t *testing.T) {
	r := newRig(t, nil)
	r.tap("王秀英")
	r.tap("用键盘输入密码")
	r.typeText(desktest.PIN)
	r.press(fyne.KeyReturn)
	if r.s.session == nil {
		t.Fatalf("not logged in: %q", r.texts())
	}
	if kept := readSettings(r.s.o.Dir, r.s.log); !kept.Phrase {
		t.Error("the way to type is not remembered")
	}
}

func TestDemoPINsOnlyInTheSampleCounty(t *testing.T) {
	r := newRig(t, func(o *Options) { o.DemoPINs = nil })
	r.seesNot("246810", "示范县")
}

func TestMachineThatBelongsToNobodyIsEnrolled(t *testing.T) {
	var gateway, code string
	fails := []error{words.New("enroll.unreachable", nil), words.New("enroll.codeMistyped", nil), nil}
	enrolled := false
	r := newRig(t, func(o *Options) {
		open := o.Open
		o.Open = func(on func(engine.Event)) (Machine, error) {
			if !enrolled {
				return Machine{}, words.New("desk.notEnrolled", errors.New("no enrolment"))
			}
			return open(on)
		}
		o.Enroll = func(g, c string) error {
			gateway, code = g, c
			err := fails[0]
			fails = fails[1:]
			enrolled = err == nil
			return err
		}
		o.PickFile = func(_ []string, then func(string, []byte)) {
			then("code.txt", []byte("https://fw.example.gov.cn\n7K3Q-M2XA-9C4F-PR8W-6YHT-5N0B-VZ1D-GJKE-2S7M\n"))
		}
	})
	r.sees("登记本机")
	r.press(fyne.KeyReturn)
	if gateway != "" {
		t.Fatal("it begins with nothing typed")
	}
	r.tap("从文件读取")
	r.tap("登记")
	if gateway != "https://fw.example.gov.cn" || code != "7K3QM2XA9C4FPR8W6YHT5N0BVZ1DGJKE2S7M" {
		t.Errorf("asked %q with %q", gateway, code)
	}
	r.sees("连不上这个网址")
	r.tap("登记")
	r.sees("登记码有误，请对照再输一遍")
	r.tap("登记")
	r.sees("已登记到 柳树村便民服务站", "王秀英", "李建国")
	r.tap("去登录")
	r.login()
}

func TestMachineThatCannotBeOpened(t *testing.T) {
	tries := 0
	r := newRig(t, func(o *Options) {
		open := o.Open
		o.Open = func(on func(engine.Event)) (Machine, error) {
			if tries++; tries == 1 {
				return Machine{}, words.New("store.busy", errors.New("locked by 4711"))
			}
			return open(on)
		}
	})
	r.sees("本机暂时打不开", "另一个程序正在使用这个数据文件夹")
	r.seesNot("4711")
	r.tap("再试一次")
	r.login()
}

func TestOneSearchFindsEverything(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	if r.wakes != 1 {
		t.Errorf("the line was woken %d times by a login", r.wakes)
	}
	done := submit(t, r.s.session)
	if r.wakes != 2 {
		t.Errorf("the line was woken %d times by a login and one submission", r.wakes)
	}
	r.sees("离线 · 1 件待送达", "待送达", "早上好，王秀英")
	search := func(text string) {
		t.Helper()
		r.typeText(text)
	}
	search("gljt")
	r.sees("高龄津贴", "本县户籍80周岁以上老人")
	r.press(fyne.KeyEscape)
	search("lyz")
	r.sees("群众", "刘玉珍", "为其办事", "刘玉珍 · 高龄津贴", "女 · 85 岁 · 999***********0021 · 柳树村")
	r.press(fyne.KeyEscape)
	search(done.No)
	r.sees("回执", "刘玉珍 · 高龄津贴")
	r.press(fyne.KeyEscape)
	search(done.Link)
	r.sees("真的回执", "打开这件办件")
	r.press(fyne.KeyReturn)
	if here := r.s.here().route; here.Page != screen.PageCase {
		t.Errorf("Enter leads to %v", here)
	}
	r.press(fyne.KeyEscape)
	if here := r.s.here().route; here.Page != screen.PageHome {
		t.Fatalf("Esc leads to %v", here)
	}
	r.sees("真的回执") // as it was left
	r.press(fyne.KeyEscape)
	r.seesNot("真的回执")
	search("https://bm.shifan.example/r#XXXX")
	r.sees("假的回执")
}

func TestDraftsAreResumedAndDeleted(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	r.go_(screen.PageWizard, "new:juzhu")
	r.typeText("张")
	r.go_(screen.PageHome, "")
	r.sees("继续办理", "居住登记")
	r.tap("居住登记")
	if here := r.s.here().route; !strings.HasPrefix(here.Arg, "draft:") {
		t.Fatalf("the draft leads to %v", here)
	}
	r.press(fyne.KeyEscape)
	var bin *look.Button
	r.each(func(o fyne.CanvasObject) bool {
		b, ok := o.(*look.Button)
		if ok && b.Text() == "" {
			bin = b
		}
		return bin != nil
	})
	bin.Tapped(nil)
	r.sees("删除这份草稿？", "不能恢复")
	r.press(fyne.KeyReturn) // the keyboard is on the harmless button
	if r.s.sheet != nil {
		t.Fatal("the question stays")
	}
	r.sees("居住登记")
	bin.Tapped(nil)
	r.tap("删除草稿")
	r.sees("没有未办完的草稿")
}

func TestFromServiceToWizardAndBack(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	r.tap("办事")
	r.typeText("gljt")
	r.sees("共 1 个事项")
	r.press(fyne.KeyReturn)
	r.sees("承诺时限", "15 个工作日", "居民身份证", "必须", "设定依据")
	r.press(fyne.KeyReturn) // the primary button
	r.sees("为谁办理？")
	r.typeText("lyz")
	r.press(fyne.KeyEscape)
	r.sees("承诺时限")
	r.press(fyne.KeyReturn)
	r.typeText("0021")
	r.press(fyne.KeyReturn)
	if here := r.s.here().route; here.Page != screen.PageWizard || !strings.HasPrefix(here.Arg, "new:gaoling:") {
		t.Fatalf("it leads to %v", here)
	}
	r.sees("公安人口库")
	r.press(fyne.KeyEscape)
	if here := r.s.here().route; here.Page != screen.PageGuide {
		t.Fatalf("Esc on the first step leads to %v", here)
	}
	r.press(fyne.KeyEscape)
	r.press(fyne.KeyEscape)
	if here := r.s.here().route; here.Page != screen.PageServices {
		t.Fatalf("Esc leads to %v", here)
	}
	r.sees("共 1 个事项") // as it was left
	r.tap("清除条件")
	r.tap("社会救助")
	r.sees("临时救助", "共 1 个事项")
}

func TestRailKeepsHistoryShort(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	for range 3 {
		r.go_(screen.PageServices, "")
		r.go_(screen.PageGuide, "linshi")
		r.go_(screen.PageCases, "")
		r.go_(screen.PageSync, "")
		r.go_(screen.PageSettings, "")
	}
	if n := len(r.s.history); n != 2 {
		t.Errorf("%d places in the history", n)
	}
	r.s.Back()
	if here := r.s.here().route; here.Page != screen.PageHome {
		t.Errorf("back leads to %v", here)
	}
	r.go_("nowhere", "")
	if here := r.s.here().route; here.Page != screen.PageHome {
		t.Errorf("a page that does not exist leads to %v", here)
	}
	r.sees("出现未预料的问题") // with a code that stands in the log, too
}

func TestTopBarFollowsTheLine(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	done := submit(t, r.s.session)
	r.sees("离线 · 1 件待送达")
	r.event(engine.Event{State: engine.Sending})
	r.sees("正在送达 1 件")
	r.m.Acknowledge(t, r.d)
	r.event(engine.Event{State: engine.Idle, LastAck: r.m.Clock.T.Add(time.Minute)})
	r.sees("已联网 · 全部送达 09:31", "今天没有待处理的事")
	r.m.AskCorrection(t, r.d, done.Seq, "户口簿照片看不清", "hukouBook")
	r.event(engine.Event{State: engine.Idle, News: 1})
	r.sees("需要处理 1 件", "需要补正")
	r.tap("需要补正")
	if here := r.s.here().route; here.Page != screen.PageCases || here.Arg == "" {
		t.Errorf("it leads to %v", here)
	}
	r.event(engine.Event{State: engine.NeedsAttention, Key: "wire.revoked"})
	r.sees("与平台的连接需要处理")
}

func TestEventsAreGatheredWhileTheWindowIsBusy(t *testing.T) {
	var posted []func()
	r := newRig(t, nil)
	r.login()
	r.s.o.Post = func(fn func()) { posted = append(posted, fn) }
	for range 100 {
		r.event(engine.Event{State: engine.Sending, News: 1})
	}
	if len(posted) != 1 {
		t.Fatalf("100 events put %d things on the window's queue", len(posted))
	}
	if r.s.latest.News != 100 {
		t.Errorf("news of %d events", r.s.latest.News)
	}
}

func TestLanguageAndLookChangeLive(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	r.go_(screen.PageSettings, "")
	r.tap("English")
	r.sees("Settings", "Text size and colours", "Lock", "Offline")
	r.seesNot("字号与配色", "锁定")
	r.tap("Larger text")
	if look.Current() != look.Elder {
		t.Errorf("look is %s", look.Current())
	}
	data, err := os.ReadFile(filepath.Join(r.s.o.Dir, settingsName))
	if err != nil || !strings.Contains(string(data), `"elder"`) || !strings.Contains(string(data), `"en"`) {
		t.Errorf("kept %s, %v", data, err)
	}
	left, err := filepath.Glob(filepath.Join(r.s.o.Dir, settingsName+".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	o := r.s.o
	again := New(o)
	defer again.win.Close()
	if again.Lang() != "en" || look.Current() != look.Elder {
		t.Errorf("after a restart: %s, %s", again.Lang(), look.Current())
	}
}

func TestBrokenSettingsAreNoReasonNotToStart(t *testing.T) {
	r := newRig(t, func(o *Options) {
		if err := os.WriteFile(filepath.Join(o.Dir, settingsName), []byte("{broken"), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	r.login()
}

func TestSettingsCheckTheMachineAndChangeThePIN(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	r.go_(screen.PageSettings, "")
	r.sees("柳树村便民服务站", "密钥文件", "7", "1.0.0", "https://fw.shifan.example", "SM2")
	r.tap("开始检查")
	r.sees("全部完好")
	r.tap("重建列表")
	r.tap("重建")
	r.sees("派生数据已由日志重建")
	r.tap("修改密码")
	r.typeText("wrong")
	r.press(fyne.KeyReturn)
	r.typeText("a long pass phrase")
	r.press(fyne.KeyReturn)
	r.typeText("a long pass phrase")
	r.press(fyne.KeyReturn)
	r.sees("密码不对")
	r.after(time.Minute)
	var fields []*input.TextField
	r.each(func(o fyne.CanvasObject) bool {
		if f, ok := o.(*input.TextField); ok {
			fields = append(fields, f)
		}
		return false
	})
	if len(fields) != 3 {
		t.Fatalf("%d fields", len(fields))
	}
	fields[0].SetText(desktest.PIN)
	r.tap("保存新密码")
	r.sees("新密码已生效")
	r.seesNot("再输一遍新密码")
	r.s.Lock()
	r.tap("王秀英")
	r.tap("用键盘输入密码")
	r.typeText("a long pass phrase")
	r.press(fyne.KeyReturn)
	if r.s.session == nil {
		t.Errorf("the new PIN does not log in: %q", r.texts())
	}
}

func TestNobodyThereLocksTheMachine(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	r.after(idleLock - idleWarn)
	r.s.tick()
	r.sees("马上自动锁定")
	r.press(fyne.KeyA)
	r.seesNot("马上自动锁定")
	r.after(idleLock - time.Second)
	r.s.tick()
	if r.s.session == nil {
		t.Fatal("locked although somebody was there")
	}
	r.after(time.Second)
	r.s.tick()
	if r.s.session != nil {
		t.Fatal("not locked")
	}
	r.sees("已自动锁定", "请点您的名字")
	st, err := r.d.Status(t.Context())
	if err != nil || !st.Locked {
		t.Errorf("the machine is open behind the login: %+v, %v", st, err)
	}
}

func TestWhoLockedReturnsToTheDraftAndNobodyElse(t *testing.T) {
	for who, want := range map[string]screen.Page{"王秀英": screen.PageWizard, "李建国": screen.PageHome} {
		t.Run(who, func(t *testing.T) {
			r := newRig(t, nil)
			r.login()
			r.go_(screen.PageWizard, "new:juzhu")
			r.typeText("张")
			r.s.Lock()
			r.seesNot("居住登记", "张")
			r.tap(who)
			if who == "王秀英" {
				r.pin(desktest.PIN)
			} else {
				r.pin("135790")
			}
			if here := r.s.here().route; here.Page != want {
				t.Errorf("at %v", here)
			}
		})
	}
}

func TestLockWithAnUntouchedDraftReturnsHome(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	r.go_(screen.PageWizard, "new:juzhu")
	r.s.Lock()
	r.login()
	r.seesNot("这份草稿已不在了")
	if here := r.s.here().route; here.Page != screen.PageHome && here.Page != screen.PageWizard {
		t.Errorf("at %v", here)
	}
}

func TestSearchKeyWorksFromAField(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	r.go_(screen.PageServices, "")
	type shortcuts interface{ TypedShortcut(fyne.Shortcut) }
	find := &desktop.CustomShortcut{KeyName: fyne.KeyF, Modifier: fyne.KeyModifierControl}
	r.go_(screen.PageGuide, "gaoling")
	if r.s.win.Canvas().Focused() != nil {
		t.Fatal("something has the keyboard on a page to read")
	}
	r.s.search()
	r.sees("为谁办理？")
	first := r.s.win.Canvas().Focused()
	r.typeText("l")
	first.(shortcuts).TypedShortcut(find)
	if r.s.win.Canvas().Focused() != first {
		t.Error("Ctrl+F leaves the search")
	}
	r.go_(screen.PageSettings, "")
	r.tap("修改密码")
	r.s.win.Canvas().Focused().(shortcuts).TypedShortcut(find) // nothing to search here, and nothing breaks
	r.press(fyne.KeyF1)
	r.sees("Esc 返回")
}

func TestFilesAreChosenAndKept(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	dir := t.TempDir()
	for name, text := range map[string]string{"户口簿.jpg": "picture", "说明.pdf": "paper", ".hidden.jpg": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "扫描"), 0o700); err != nil {
		t.Fatal(err)
	}
	r.s.folder = dir
	var name, got string
	r.s.env.PickFile([]string{".jpg"}, func(n string, data []byte) { name, got = n, string(data) })
	r.sees("扫描", "户口簿.jpg")
	r.seesNot("说明.pdf", ".hidden.jpg")
	p := r.s.sheet.(*picker)
	p.tapEntry(0)
	r.sees("这里没有可用的文件")
	r.tap("上一级")
	p.tapEntry(1)
	if name != "户口簿.jpg" || got != "picture" || r.s.sheet != nil {
		t.Errorf("got %q, %q", name, got)
	}
	r.s.env.SaveFile("回执.png", []byte("one"))
	r.tap("保存")
	r.sees("已保存文件：回执.png")
	r.s.env.SaveFile("回执.png", []byte("two"))
	r.tap("保存")
	r.sees("替换原有的文件？")
	r.tap("取消")
	if data, err := os.ReadFile(filepath.Join(dir, "回执.png")); err != nil || string(data) != "one" {
		t.Errorf("%q, %v", data, err)
	}
	r.s.env.SaveFile("回执.png", []byte("two"))
	r.tap("保存")
	r.tap("替换")
	if data, err := os.ReadFile(filepath.Join(dir, "回执.png")); err != nil || string(data) != "two" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestClosingTheWindowKeepsTheDraftAndLocks(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	r.go_(screen.PageWizard, "new:juzhu")
	r.typeText("张")
	r.s.close()
	st, err := r.d.Status(t.Context())
	if err != nil || st.Drafts != 1 || !st.Locked {
		t.Errorf("%+v, %v", st, err)
	}
}

// TestMasters compares the first sight of each screen with its master in testdata.
func TestMasters(t *testing.T) {
	r := newRig(t, func(o *Options) {
		open := o.Open
		enrolled := false
		o.Open = func(on func(engine.Event)) (Machine, error) {
			if !enrolled {
				return Machine{}, words.New("desk.notEnrolled", nil)
			}
			return open(on)
		}
		o.Enroll = func(string, string) error {
			enrolled = true
			return nil
		}
	})
	r.s.win.Resize(fyne.NewSize(openWidth, openHeight))
	check := func(name string) {
		t.Helper()
		r.s.win.Canvas().Unfocus()
		test.AssertRendersToMarkup(t, "master/"+name+".xml", r.s.win.Canvas())
	}
	check("enroll")
	r.typeTo(0, "https://fw.shifan.example")
	r.typeTo(1, "7K3QM2XA9C4FPR8W6YHT5N0BVZ1DGJKE2S7M")
	r.tap("登记")
	check("enrolled")
	r.tap("去登录")
	check("login")
	r.login()
	check("home")
	r.go_(screen.PageServices, "")
	check("services")
	r.go_(screen.PageGuide, "gaoling")
	check("guide")
	r.tap("开始办理")
	check("guide-who")
	r.go_(screen.PageSettings, "")
	check("settings")
}

// A case that a command takes in beside the window is found at once, though the search was typed before.
func TestChangedFromOutside(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	beside, err := r.d.Login(t.Context(), "li", "135790")
	if err != nil {
		t.Fatal(err)
	}
	done := submit(t, beside)
	r.typeText(done.No)
	r.sees("本机没有这个编号的办件")
	r.s.Changed()
	r.sees("刘玉珍 · 高龄津贴", done.No)
}

// A receipt that is scanned after a click beside everything is found all the same.
func TestTypingWithoutFocusSearches(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	c := r.s.win.Canvas()
	c.Unfocus()
	c.OnTypedRune()('l')
	r.typeText("yz")
	r.sees("刘玉珍")
	r.go_(screen.PageSettings, "")
	c.Unfocus()
	c.OnTypedRune()('l')
	if c.Focused() != nil {
		t.Errorf("%T has the keyboard on a screen without a search", c.Focused())
	}
	r.s.Lock()
	r.tap("王秀英")
	c.Unfocus()
	c.OnTypedRune()(rune(desktest.PIN[0]))
	r.typeText(desktest.PIN[1:])
	if r.s.session == nil {
		t.Error("a PIN that was typed after a click beside everything does not log in")
	}
}
