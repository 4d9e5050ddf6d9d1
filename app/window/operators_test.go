package window

import (
	"os"
	"regexp"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/vault"
)

// newStation is a rig whose first operator is the head of station.
func newStation(t *testing.T) *rig {
	t.Helper()
	m := desktest.NewWith(t, func(_ *desktest.Machine, g *desk.Grant) {
		g.Operators = []vault.NewOperator{
			{ID: desktest.Operator, Name: "王秀英", Role: "lead", Division: "999999101201", PIN: desktest.PIN},
			{ID: "li", Name: "李建国", Role: "staff", Division: "999999101201", PIN: "135790"},
		}
	})
	return newRigOn(t, m, nil)
}

var tenDigits = regexp.MustCompile(`\d{5} \d{5}`)

// The head of station invites, the newcomer sets a PIN at the login, a colleague admits; a PIN is reset; somebody leaves.
func TestOperatorsOnTheScreen(t *testing.T) {
	r := newStation(t)
	r.login()
	r.go_(screen.PageSettings, "")
	r.tap("操作员")
	r.sees("王秀英", "李建国", "站长 · wang · 您", "邀请新操作员", "可登录")

	r.tap("邀请") // nothing typed
	r.sees("工号只能用")
	r.typeTo(0, "赵立春")
	r.typeTo(1, "zhao")
	r.tap("邀请")
	r.sees("赵立春 的一次性激活码", "还没有用激活码")
	code := tenDigits.FindString(r.texts())
	if code == "" {
		t.Fatalf("no code: %q", r.texts())
	}
	code = code[:5] + code[6:]

	r.s.Lock()
	r.tap("赵立春")
	r.tap("用键盘输入密码")
	r.typeText(code)
	r.press(fyne.KeyReturn)
	r.typeText("7755")
	r.press(fyne.KeyReturn)
	r.typeText("7755")
	r.press(fyne.KeyReturn)
	r.sees("请同事登录后")
	r.tap("李建国") // no head of station, and may admit all the same
	r.typeText("135790")
	r.press(fyne.KeyReturn)
	r.go_(screen.PageOperators, "")
	r.sees("等待接纳")
	r.seesNot("邀请新操作员", "重设密码", "移除", "更换主密钥")
	r.tap("接纳")
	r.sees("接纳 赵立春？")
	r.yes()
	r.sees("已接纳 赵立春")
	r.seesNot("等待接纳")

	r.s.Lock()
	r.tap("赵立春")
	r.typeText("7755")
	r.press(fyne.KeyReturn)
	if r.s.session == nil || r.s.session.Operator().ID != "zhao" {
		t.Fatalf("the newcomer is not in: %q", r.texts())
	}
	r.s.Lock()
	r.tap("王秀英")
	r.typeText(desktest.PIN)
	r.press(fyne.KeyReturn)
	r.go_(screen.PageOperators, "")
	r.tap("重设密码") // the first row that has it: 李建国
	r.sees("重设 李建国 的密码？", "马上作废")
	r.yes()
	r.sees("李建国 的一次性激活码")
	if _, err := r.d.Login(t.Context(), "li", "135790"); err == nil {
		t.Error("the old PIN opens")
	}
	r.tap("更换主密钥")
	r.yes()
	r.sees("主密钥已更换")
	r.tap("移除")
	r.yes()
	r.sees("已移除 李建国")
	r.seesNot("staff · li")
	if len(r.d.Operators()) != 2 {
		t.Errorf("operators %+v", r.d.Operators())
	}
}

// yes answers the question over the window.
func (r *rig) yes() {
	r.t.Helper()
	q, ok := r.s.sheet.(*sheet)
	if !ok {
		r.t.Fatalf("no question: %q", r.texts())
	}
	test.Tap(q.yes)
}

func TestOperatorsMasters(t *testing.T) {
	for _, name := range []string{"standard", "elder"} {
		t.Run(name, func(t *testing.T) {
			r := newStation(t)
			if err := r.d.Ring().Invite(newcomer); err != nil {
				t.Fatal(err)
			}
			if err := r.d.Activate(t.Context(), newcomer.ID, newcomer.PIN, "775533"); err != nil {
				t.Fatal(err)
			}
			r.s.win.Resize(fyne.NewSize(openWidth, openHeight))
			r.s.setLook(name)
			r.login()
			r.go_(screen.PageOperators, "")
			r.shoot("operators-" + name)
			r.s.win.Canvas().Unfocus()
			test.AssertRendersToMarkup(t, "master/operators-"+name+".xml", r.s.win.Canvas())
			if look.Current().String() != name {
				t.Errorf("look %s", look.Current())
			}
		})
	}
	if dir := os.Getenv("BIANMIN_SHOTS"); dir != "" {
		t.Log("pictures in", dir)
	}
}
