package main

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"bianmin/app/screen"
)

// upright is a kiosk's screen.
var upright = fyne.NewSize(1080, 1920)

// typedOnScreen fills in a whole form for somebody who is not in the roster, up to the signature, typing with the keyboard on
// the screen alone, in the old-age mode on an upright screen.
func (j *journey) typedOnScreen() error {
	j.prefix = "keyboard-"
	defer func() {
		j.prefix = ""
		j.shell.Window().Resize(screenSize)
	}()
	return steps(
		func() error { j.goTo(screen.PageSettings, ""); return j.tap("大字、大按钮") },
		func() error {
			j.shell.Window().Resize(upright)
			j.goTo(screen.PageWizard, "new:gaoling")
			return j.sees("先确认是谁在办")
		},
		func() error { return j.keys("姓名", "liuyuzhen", "word-刘玉珍") },
		func() error { return j.keys("身份证号", "999999194102030021") },
		func() error { return j.keysShot("户籍地址", "pinyin", "qinghezhen", "", "liushucun", "", "12") },
		func() error { return j.tap("是") },
		func() error { return j.sees("刘玉珍", "85") },
		func() error { return j.shot("identity") },
		func() error { return j.tap("下一步") },
		func() error { return j.tap("首次发放") },
		func() error { return j.tap("请选择", "农业银行") },
		func() error { return j.keys("社保卡银行账号", "6299990020000079196") },
		func() error { return j.keys("联系人姓名", "liujianjun", "") },
		func() error { return j.keys("联系电话", "13900000001") },
		func() error { return j.tap("子女") },
		func() error { return j.tap("本人申请") },
		func() error { return j.shot("details") },
		j.papersOnScreen,
		func() error { j.goTo(screen.PageHome, ""); return j.dropDrafts() },
		func() error { j.goTo(screen.PageSettings, ""); return j.tap("普通字号") },
	)
}

// papersOnScreen goes on to the signature; what stands on the review page is what was typed.
func (j *journey) papersOnScreen() error {
	return steps(
		func() error { return j.tap("下一步") },
		func() error { return j.tap("选择文件") },
		func() error { return j.tap("选择文件") },
		func() error { return j.tap("都在这一张上") },
		func() error { return j.tap("去核对") },
		func() error {
			return j.sees("请与群众一起核对", "刘玉珍", "清河镇柳树村12", "13900000001", "30.00")
		},
		func() error { return j.shot("review") },
		func() error { return j.tap("去签名") },
		func() error { return j.sees("承诺与签名") },
	)
}

// keysShot is keys, with a picture of the keyboard after the first word.
func (j *journey) keysShot(label, name string, words ...string) error {
	if err := j.keys(label, words[:1]...); err != nil {
		return err
	}
	if err := j.shot(name); err != nil {
		return err
	}
	return j.strike(words[1:]...)
}

// keys taps the field that says label and types with the keyboard on the screen: each word letter by letter; "" is the space
// key, which takes the first candidate, and word-… a candidate.
func (j *journey) keys(label string, words ...string) error {
	s, err := j.hand.field(label)
	if err != nil {
		return err
	}
	j.hand.reach(s)
	j.press(s.obj)
	if !j.shell.Board().Up() {
		return fmt.Errorf("a tap on %q brings no keyboard", label)
	}
	if j.shell.Board().Panel().Key(string([]rune(words[0])[0])) == nil {
		return fmt.Errorf("the keyboard for %q has %q", label, j.shell.Board().Panel().Keys())
	}
	return j.strike(words...)
}

func (j *journey) strike(words ...string) error {
	for _, w := range words {
		ids := strings.Split(w, "")
		switch {
		case w == "":
			ids = []string{"space"}
		case strings.HasPrefix(w, "word-"):
			ids = []string{w}
		}
		for _, id := range ids {
			if err := j.strikeOne(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// strikeOne taps a key; digits stand on the page of numbers when the layout has none.
func (j *journey) strikeOne(id string) error {
	panel, before := j.shell.Board().Panel(), j.hand.c.Focused()
	if panel.Key(id) == nil && id >= "0" && id <= "9" && panel.Key("numbers") != nil {
		j.press(panel.Key("numbers"))
	}
	k := panel.Key(id)
	if k == nil {
		return fmt.Errorf("no key %q; there are %q", id, panel.Keys())
	}
	j.press(k)
	if j.hand.c.Focused() != before {
		return fmt.Errorf("the key %q took the focus", id)
	}
	return nil
}

// press does what a real driver does for a finger: down, the focus leaves the field, up, the focus again, the tap.
func (j *journey) press(o fyne.CanvasObject) {
	leave := func() {
		if f, ok := o.(fyne.Focusable); !ok || f != j.hand.c.Focused() {
			j.hand.c.Unfocus()
		}
		j.settle()
	}
	m, mouse := o.(desktop.Mouseable)
	if mouse {
		m.MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary})
	}
	leave()
	if mouse {
		m.MouseUp(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary})
	}
	if f, ok := o.(fyne.Focusable); !ok || f != j.hand.c.Focused() {
		j.hand.c.Unfocus()
	}
	if t, ok := o.(fyne.Tappable); ok {
		t.Tapped(&fyne.PointEvent{})
	}
	j.settle()
}
