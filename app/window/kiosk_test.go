package window

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/offline/desk/desktest"
)

type kioskRig struct {
	*rig
	handed []Handover
	resets int
	ear    *ear
}

func newKioskRig(t *testing.T, change func(*Options)) *kioskRig {
	k := &kioskRig{ear: &ear{}}
	k.rig = newRig(t, func(o *Options) {
		o.Kiosk, o.Speaker = true, k.ear
		o.Handover = func(h Handover) { k.handed = append(k.handed, h) }
		o.OnReset = func() { k.resets++ }
		if change != nil {
			change(o)
		}
	})
	return k
}

func (k *kioskRig) drafts() int {
	k.t.Helper()
	all, err := k.s.session.Drafts(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	return len(all)
}

func (k *kioskRig) last() Handover { return k.handed[len(k.handed)-1] }

// begin has a person begin a case and type a name.
func (k *kioskRig) begin() {
	k.t.Helper()
	k.go_(screen.PageGuide, "juzhu")
	k.s.view.(screen.Primary).TapPrimary()
	if _, ok := k.s.view.(*screen.Wizard); !ok {
		k.t.Fatalf("begun, and on the screen is %T", k.s.view)
	}
	k.typeText("张三丰")
	k.s.tick()
}

func TestAKioskIsOpenedByStaffAndShowsNobody(t *testing.T) {
	k := newKioskRig(t, nil)
	k.login()
	if _, ok := k.s.view.(*screen.Kiosk); !ok {
		t.Fatalf("after the login: %T", k.s.view)
	}
	k.sees("您好，请点您要办的事", "全部事项")
	k.seesNot("王秀英", "锁定", "设置")
	if k.s.rail.Visible() {
		t.Error("there is a navigation, or room for one")
	}
	for _, p := range []screen.Page{
		screen.PageHome, screen.PageCases, screen.PageCase, screen.PageSync, screen.PageSettings, screen.PageOperators,
	} {
		k.go_(p, "8")
		if _, ok := k.s.view.(*screen.Kiosk); !ok {
			t.Errorf("%s leads to %T", p, k.s.view)
		}
		k.s.clearNote(true)
	}
	if intercept := k.s.win; !intercept.FullScreen() {
		t.Error("not the whole screen")
	}
	k.begin()
	asked := false
	k.s.env.PickFile([]string{".jpg"}, func(string, []byte) { asked = true })
	if k.s.sheet != nil || asked {
		t.Error("the files of the machine are shown")
	}
	k.sees("这一步请找工作人员")
	k.s.env.SaveFile("x.pdf", nil)
	if k.s.sheet != nil {
		t.Error("a file can be written")
	}
	k.press(fyne.KeyEscape)
	k.press(fyne.KeyEscape)
	k.press(fyne.KeyEscape)
	if !k.s.kiosk.public {
		t.Error("Esc leads out")
	}
}

// Nothing of the person who was there is left, after a warning with a countdown.
func TestAnIdleKioskWarnsAndForgets(t *testing.T) {
	k := newKioskRig(t, nil)
	k.login()
	k.s.wearLook("contrast")
	k.s.wearLang("en")
	k.begin()
	k.app.Clipboard().SetContent("张三丰")
	if k.drafts() != 1 {
		t.Fatalf("%d drafts", k.drafts())
	}
	k.after(kioskAsk - time.Second)
	k.s.tick()
	if k.s.sheet != nil {
		t.Fatal("asked too early")
	}
	k.after(time.Second)
	k.s.tick()
	k.sees("Are you still there?", "In 30 seconds")
	k.ear.hears(t, "still there")
	k.after(10 * time.Second)
	k.s.tick()
	k.sees("In 20 seconds")
	k.tap("Go on")
	if k.s.sheet != nil || k.s.Lang() != "en" {
		t.Fatal("going on does not go on")
	}
	k.after(kioskAsk)
	k.s.tick()
	k.after(kioskReset - time.Second)
	k.s.tick()
	k.sees("In 1 seconds")
	k.after(time.Second)
	k.s.tick()
	if _, ok := k.s.view.(*screen.Kiosk); !ok || k.s.sheet != nil {
		t.Fatalf("on the screen is %T", k.s.view)
	}
	k.sees("您好，请点您要办的事")
	if look.Current() != look.Standard || k.drafts() != 0 || k.app.Clipboard().Content() != "" || len(k.s.history) != 1 ||
		len(k.ear.said) != 0 || k.resets < 2 || k.last().Draft != "" {
		t.Errorf("left: look %v, %d drafts, clipboard %q, %d screens, said %q, %d resets, %q handed over",
			look.Current(), k.drafts(), k.app.Clipboard().Content(), len(k.s.history), k.ear.said, k.resets, k.last().Draft)
	}
	resets := k.resets
	k.after(time.Hour)
	k.s.tick()
	if k.s.sheet != nil || k.resets != resets {
		t.Error("an empty kiosk asks itself")
	}
}

func TestAPersonEndsTheirVisit(t *testing.T) {
	k := newKioskRig(t, nil)
	k.login()
	k.begin()
	k.tap("结束")
	k.sees("没有提交的内容会清空")
	k.s.sheet.(*sheet).yes.Tapped(nil)
	if k.drafts() != 0 {
		t.Error("the draft is still there")
	}
	k.sees("您好")
}

func TestStaffUnlockWithTheirPIN(t *testing.T) {
	k := newKioskRig(t, nil)
	k.login()
	k.tap("工作人员")
	k.pin("000000")
	k.press(fyne.KeyReturn)
	if !k.s.kiosk.public {
		t.Fatal("a wrong PIN opens it")
	}
	k.sees("密码")
	k.after(20 * time.Second)
	k.pin(desktest.PIN)
	k.press(fyne.KeyReturn)
	if k.s.kiosk.public {
		t.Fatalf("not unlocked: %q", k.texts())
	}
	k.sees("王秀英", "设置")
	k.s.giveBack()
	if _, ok := k.s.view.(*screen.Kiosk); !ok || !k.s.kiosk.public {
		t.Error("the machine is not given back")
	}
	k.s.Lock()
	k.sees("王秀英")
	if k.last() != (Handover{}) {
		t.Error("the watchdog still knows who opened the machine")
	}
}

// What the watchdog was told opens the machine again, on the same question with the same words.
func TestAKioskGoesOnAfterACrash(t *testing.T) {
	k := newKioskRig(t, nil)
	k.login()
	k.begin()
	h := k.last()
	if h.Operator != desktest.Operator || h.PIN != desktest.PIN || h.Draft == "" {
		t.Fatalf("handed over: %q, %d digits, draft %q", h.Operator, len(h.PIN), h.Draft)
	}
	if err := k.s.here().model.(interface{ DraftID() string }); err == nil {
		t.Fatal("no draft on the screen")
	}
	k.press(fyne.KeyTab)
	k.s.view.(*screen.Wizard).Leave() // what an autosave has on the disk
	o := k.s.o
	o.Restored = h
	told := len(k.handed)
	s := New(o)
	for _, now := range k.handed[told:] {
		if now != h {
			t.Errorf("a crash in this moment would lose draft or session: %+v", now)
		}
	}
	t.Cleanup(s.win.Close)
	again := &rig{t: t, m: k.m, d: k.d, app: k.app, s: s}
	if _, ok := s.view.(*screen.Wizard); !ok || !s.kiosk.public {
		t.Fatalf("after the crash: %T", s.view)
	}
	again.sees("居住登记")
	s.reset()
	all, err := s.session.Drafts(t.Context())
	if err != nil || len(all) != 0 {
		t.Errorf("%d drafts of the person before the crash, %v", len(all), err)
	}
}

// The machine went off with somebody's draft on it and nothing brought it back: the next who opens it finds it discarded.
func TestADraftOutlivesNoStart(t *testing.T) {
	k := newKioskRig(t, nil)
	k.login()
	k.begin()
	k.s.view.Leave() // what an autosave has on the disk
	if k.drafts() != 1 {
		t.Fatalf("%d drafts", k.drafts())
	}
	s := New(k.s.o)
	t.Cleanup(s.win.Close)
	again := &rig{t: t, m: k.m, d: k.d, app: k.app, s: s}
	again.login()
	all, err := s.session.Drafts(t.Context())
	if err != nil || len(all) != 0 || len(readSettings(s.o.Dir, s.log).PublicDrafts) != 0 {
		t.Errorf("%d drafts of the person before, %v; %v noted", len(all), err, s.keep.PublicDrafts)
	}
}
