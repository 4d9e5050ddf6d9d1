package window

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"bianmin/app/screen"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/sync/engine"
)

var newcomer = vault.NewOperator{ID: "zhao", Name: "赵立春", Role: "staff", Division: "999999101201", PIN: "3141592653"}

// hear makes the window learn what has come, as after an exchange.
func (r *rig) hear() {
	r.t.Helper()
	r.event(engine.Event{State: engine.Idle, LastAck: r.m.Clock.T, News: 1})
}

func TestCountyLocksTheWindow(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	r.go_(screen.PageWizard, "new:juzhu")
	r.typeText("张三丰")
	r.m.Tell(t, r.d, journal.EventDeviceLocked, 0, journal.Order{Reason: "机器报失"})
	r.hear()
	if r.s.session != nil {
		t.Fatal("the window goes on")
	}
	r.sees("县里已锁定本机（机器报失）", "照常送达", "请点您的名字")
	r.tap("王秀英")
	for _, c := range desktest.PIN { // the pad takes nothing
		r.s.typed(c)
	}
	if r.s.session != nil {
		t.Fatal("somebody logged in to a locked machine")
	}
	r.m.Tell(t, r.d, journal.EventDeviceUnlocked, 0, journal.Order{})
	r.hear()
	r.seesNot("县里已锁定本机")
	r.pin(desktest.PIN)
	if r.s.session == nil {
		t.Fatalf("not unlocked: %q", r.texts())
	}
	drafts, err := r.s.session.Drafts(t.Context())
	if err != nil || len(drafts) != 1 || drafts[0].Who != "张三丰" {
		t.Errorf("the draft: %+v, %v", drafts, err)
	}
}

func TestCountyWipesTheMachine(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	r.m.Tell(t, r.d, journal.EventDeviceWiped, 0, journal.Order{})
	if err := r.d.Wipe(); err != nil {
		t.Fatal(err)
	}
	r.hear()
	r.sees("县里已清除本机的密钥", "用新的文件夹重新登记")
	r.hear() // what comes late finds nothing to show
}

func TestLeaseIsSaidBeforeItEnds(t *testing.T) {
	r := newRig(t, nil)
	r.sees("王秀英")
	r.seesNot("必须联系一次平台")
	r.after(24 * 24 * time.Hour)
	r.hear()
	r.sees("还有 6 天必须联系一次平台")
	r.login()
	r.go_(screen.PageSettings, "")
	r.sees("30 天，还剩 6 天")
	r.go_(screen.PageWizard, "new:juzhu")
	r.typeText("张三丰")
	r.after(6 * 24 * time.Hour)
	r.s.active = r.s.o.Clock.Now() // somebody is there
	r.hear()
	if r.s.session != nil {
		t.Fatal("the lease is over and the window goes on")
	}
	r.sees("没有联系平台", "没有丢失")
	if err := r.d.Store().TakeTime(t.Context(), r.m.Clock.T.UnixMilli()); err != nil {
		t.Fatal(err)
	}
	r.hear()
	r.seesNot("没有联系平台")
	r.login()
	drafts, err := r.s.session.Drafts(t.Context())
	if err != nil || len(drafts) != 1 || drafts[0].Who != "张三丰" {
		t.Errorf("the draft: %+v, %v", drafts, err)
	}
}

// How long a machine stays open with nobody at it is a setting, and the draft is there afterwards.
func TestIdleLockIsASettingAndKeepsTheDraft(t *testing.T) {
	r := newRig(t, nil)
	r.login()
	r.go_(screen.PageSettings, "")
	r.tap("20 分钟没有人操作")
	r.go_(screen.PageWizard, "new:juzhu")
	r.typeText("张三丰")
	r.after(idleLock + time.Minute)
	r.s.tick()
	if r.s.session == nil {
		t.Fatal("locked after the default")
	}
	r.after(9 * time.Minute)
	r.s.tick()
	if r.s.session != nil {
		t.Fatal("not locked after twenty minutes")
	}
	if kept := readSettings(r.s.o.Dir, r.s.log); kept.Idle != 20 {
		t.Errorf("kept %+v", kept)
	}
	r.login()
	drafts, err := r.s.session.Drafts(t.Context())
	if err != nil || len(drafts) != 1 || drafts[0].Who != "张三丰" {
		t.Errorf("the draft: %+v, %v", drafts, err)
	}
}

// A newcomer types the one-time code, chooses a PIN, and is told to wait; a colleague admits them.
func TestNewcomerAtTheLogin(t *testing.T) {
	r := newRig(t, nil)
	lead, err := r.d.Login(t.Context(), "li", "135790")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.d.Ring().Invite(newcomer); err != nil {
		t.Fatal(err)
	}
	r.hear()
	r.tap("赵立春")
	r.tap("用键盘输入密码")
	r.typeText(newcomer.PIN)
	r.press(fyne.KeyReturn)
	r.sees("再输一遍新密码")
	r.typeText("7755")
	r.press(fyne.KeyReturn)
	r.typeText("7755")
	r.press(fyne.KeyReturn)
	r.sees("请同事登录后", "等待接纳")
	r.typeText("7755")
	r.press(fyne.KeyReturn)
	r.sees("还差一步")
	if err := lead.AdmitOperator(t.Context(), newcomer.ID); err != nil {
		t.Fatal(err)
	}
	r.typeText("7755")
	r.press(fyne.KeyReturn)
	if r.s.session == nil || r.s.session.Operator().ID != newcomer.ID {
		t.Errorf("not logged in: %q", r.texts())
	}
}
