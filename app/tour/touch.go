package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"bianmin/app/demo"
	"bianmin/app/window"
	"bianmin/offline/desk"
	"bianmin/offline/form"
)

// touched is a case that is typed with clicks alone: the built program in a real window, on a kiosk's upright screen, in the
// old-age mode. Nothing presses a key.
type touched struct {
	finger
	bin, work, out string
	report         *report
	app            *exec.Cmd
	shots          int
	code, second   string // what the codes of the receipts said on the screen
}

// touch runs the case and reports whether it went.
func touch(ctx context.Context, bin, out string) (bool, error) {
	work, err := os.MkdirTemp("", "bianmin-touch")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(work)
	if err := os.RemoveAll(out); err != nil {
		return false, err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return false, err
	}
	var r report
	t := &touched{bin: bin, work: work, out: out, report: &r}
	r.do(touchStep, func() error { return t.walk(ctx) })
	return r.Steps[0].OK, nil
}

// realWindow does the case on this machine, where there is all that it needs.
func (j *journey) realWindow() {
	missing := missingPrograms()
	if _, err := os.Stat(filepath.Join(j.bin, "bianmin")); err != nil {
		missing = append(missing, "bin/bianmin")
	}
	if len(missing) > 0 {
		j.report.leaveOut(touchStep, "needs "+strings.Join(missing, ", "))
		return
	}
	t := &touched{bin: j.bin, work: filepath.Join(j.work, "touch"), out: filepath.Join(j.out, "touch"), report: &j.report}
	j.report.do(touchStep, func() error { return errors.Join(os.MkdirAll(t.out, 0o755), t.walk(j.ctx)) })
}

// touchStep names the case in the report.
const touchStep = "12 a whole case typed and signed by clicks in a real window, upright, in elder mode"

// The person of the case is not in the roster.
const (
	touchName    = "赵淑芬"
	touchID      = "999999194008120020"
	touchAddress = "清河镇柳树村三组18号"
	touchCard    = "6228480012345678010"
	touchContact = "张建国"
	touchPhone   = "13900000012"
)

// walk does the case from the login to the receipt, and compares what the machine keeps with what was meant.
func (t *touched) walk(ctx context.Context) (err error) {
	t.finger.ctx = ctx
	t.socket = filepath.Join(t.work, "places")
	if t.d, err = openDisplay(ctx, filepath.Join(t.work, "display"), int(upright.Width), int(upright.Height)); err != nil {
		return err
	}
	defer t.d.close()
	defer func() {
		if err != nil {
			t.shot("failed") // to look at; it has failed anyway
		}
	}()
	err = steps(t.open, t.logIn, t.begin, t.who, t.details, t.papers, t.sign, t.receipt, t.kept)
	t.report.figure("clicks", t.clicks)
	t.report.figure("screenshots", t.shots)
	return err
}

// open starts the program with the picture of two papers in its user's folder.
func (t *touched) open() error {
	home := filepath.Join(t.work, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(home, "证件.jpg"), samplePhoto(), 0o600); err != nil {
		return err
	}
	t.app = exec.CommandContext(t.ctx, filepath.Join(t.bin, "bianmin"), "demo", "--data", filepath.Join(t.work, "data"))
	t.app.Env = t.d.env("HOME="+home, "BIANMIN_LANG=zh", "BIANMIN_PLACES="+t.socket)
	if err := t.d.start(t.app, "bianmin.log"); err != nil {
		return err
	}
	return t.sees("王秀英", "长辈版")
}

func (t *touched) logIn() error {
	return steps(
		func() error { return t.tap("长辈版") },
		func() error { return t.shot("login") },
		func() error { return t.tap("王秀英") },
		func() error { return t.shot("pin") },
		func() error { return t.tap(strings.Split("246810", "")...) },
		func() error { return t.sees("继续办理") },
		func() error { return t.shot("home") },
	)
}

// begin chooses the service for somebody who is not in the roster.
func (t *touched) begin() error {
	return steps(
		func() error { return t.tap("办事") },
		func() error { return t.shot("services") },
		func() error { return t.tap(service) },
		func() error { return t.tap("开始办理") },
		func() error { return t.shot("for-whom") },
		func() error { return t.tap("不在名册，直接办理") },
		func() error { return t.sees("先确认是谁在办") },
	)
}

func (t *touched) who() error {
	return steps(
		func() error { return t.write("姓名", "name", word("zhaoshufen", touchName)) },
		func() error { return t.write("身份证号", "", touchID) },
		func() error {
			return t.write("户籍地址", "address", word("qinghezhen", "清河镇"), word("liushucun", "柳树村"), word("sanzu", "三组"), "18", word("hao", "号"))
		},
		func() error { return t.tap("是") },
		func() error { return t.sees(touchName, "1940年8月12日") },
		func() error { return t.shot("identity") },
		func() error { return t.tap("下一步") },
	)
}

func (t *touched) details() error {
	return steps(
		func() error { return t.tap("首次发放") },
		func() error { return t.tap("请选择", "农业银行") },
		func() error { return t.write("社保卡银行账号", "card", touchCard) },
		func() error { return t.write("联系人姓名", "", word("zhangjianguo", touchContact)) },
		func() error { return t.write("联系电话", "", touchPhone) },
		func() error { return t.tap("子女", "本人申请") },
		func() error { return t.shot("details") },
		func() error { return t.tap("下一步") },
	)
}

func (t *touched) papers() error {
	return steps(
		func() error { return t.tap("选择文件") },
		func() error { return t.shot("files") },
		func() error { return t.tap("证件.jpg") },
		func() error { return t.sees("已添加 1 份", "还差 1 页") },
		func() error { return t.tap("选择文件", "证件.jpg") },
		func() error {
			return t.until("the second paper", func(p window.Place, _ string) bool { return strings.Count(wordsIn(p), "已添加 1 份") == 2 })
		},
		func() error { return t.tap("都在这一张上") },
		func() error { return t.shot("materials") },
		func() error { return t.tap("去核对") },
		func() error {
			return t.sees("请与群众一起核对", touchName, touchAddress, touchPhone, touchContact)
		},
		func() error { return t.shot("review") },
		func() error { return t.tap("去签名") },
	)
}

// sign ticks what is declared and writes a name with the button down.
func (t *touched) sign() error {
	return steps(
		func() error { return t.tap("以上信息属实", "同意为办理本事项") },
		func() error {
			s, raw, err := t.reach("the paper to sign on", func(p window.Place) (found, bool) { return best(p, window.PlacePaper, "") })
			if err != nil {
				return err
			}
			for _, stroke := range handwriting() {
				var way [][2]float32
				for _, p := range stroke {
					way = append(way, [2]float32{s.X + p.X, s.Y + p.Y})
				}
				if err := t.drag(way); err != nil {
					return err
				}
			}
			return t.changed("signing", raw)
		},
		func() error { return t.shot("signed") },
		func() error { return t.tap("签好了，提交") },
	)
}

// receipt reads the codes off the screen with a program that is not ours: first that of the second receipt, as the sample
// platform takes the case at once, then that of the first.
func (t *touched) receipt() error {
	return steps(
		func() error { return t.sees("平台已受理", "受理通知书") },
		func() error { return t.codeNot("") },
		func() error { return t.shot("receipt-2") },
		func() error { t.second = t.code; return t.tap("收件回执") },
		func() error { return t.codeNot(t.second) },
		func() error { return t.shot("receipt-1") },
	)
}

// codeNot reads the code on the screen until it is another.
func (t *touched) codeNot(old string) error {
	screen := filepath.Join(t.work, "screen.png")
	return t.until("the code on the screen", func(window.Place, string) bool {
		if _, err := t.d.run(t.ctx, "import", "-window", "root", screen); err != nil {
			return false
		}
		out, err := t.d.run(t.ctx, "zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", screen)
		codes := slices.Compact(strings.Split(strings.TrimSpace(out), "\n")) // the slip shows it small, too
		t.code = codes[0]
		return err == nil && len(codes) == 1 && t.code != old
	})
}

// kept ends the program and compares what the machine's folder holds with what was meant, letter by letter.
func (t *touched) kept() error {
	if err := t.d.end(t.app); err != nil {
		return err
	}
	d, err := desk.Open(desk.Config{Dir: filepath.Join(t.work, "data")})
	if err != nil {
		return err
	}
	defer d.Close() // nothing is written
	s, err := d.Login(t.ctx, "wang", demo.PINs()["wang"])
	if err != nil {
		return err
	}
	list, err := s.Cases(t.ctx)
	if err != nil || len(list) != 1 {
		return fmt.Errorf("%d cases, not one: %w", len(list), err)
	}
	answers, err := s.Answers(t.ctx, list[0].Seq)
	if err != nil {
		return err
	}
	for path, want := range map[form.Path]any{
		"name": touchName, "idno": touchID, "hukouAddress": touchAddress, "sameHome": true, "applyType": "first", "bankcard": touchCard,
		"contactName": touchContact, "contactPhone": touchPhone, "contactRelation": "child", "way": "self", "promise": true, "share": true,
	} {
		if got := answers.State(path).Value; got != want {
			return fmt.Errorf("%s is %q, not %q", path, got, want)
		}
	}
	for stage, code := range map[uint8]string{1: t.code, 2: t.second} {
		r, err := s.Receipt(t.ctx, list[0].Seq, stage)
		if err != nil {
			return err
		}
		if code != r.Link {
			return fmt.Errorf("the code of receipt %d on the screen says %q, not its link", stage, clip(code))
		}
	}
	return nil
}

// typing is letters that are struck, and the word that is meant by them; without a word the letters are meant.
type typing struct{ letters, word string }

func word(letters, word string) typing { return typing{letters, word} }

// write clicks on the field that says label and types: strings as they are, words by pinyin. name is that of a picture taken
// before the first word is picked; "" takes none.
func (t *touched) write(label, name string, what ...any) error {
	field := func(p window.Place) (found, bool) { return best(p, window.PlaceField, label) }
	s, raw, err := t.reach("the field "+label, field)
	if err != nil {
		return err
	}
	if err := t.click(label, s.Place, raw); err != nil {
		return err
	}
	stands := ""
	for i, w := range what {
		var pick func() error
		switch w := w.(type) {
		case typing:
			stands += w.word
			err = steps(func() error { return t.strike(strings.Split(w.letters, "")...) }, func() error { return t.composes(w.letters) })
			pick = func() error { return t.pick(w.word) }
		case string:
			stands += w
			err = t.digits(w)
			pick = func() error { return nil }
		}
		if err == nil && i == 0 && name != "" {
			err = t.shot("keyboard-" + name)
		}
		if err == nil {
			err = pick()
		}
		if err != nil {
			return err
		}
		err = t.until(label+" to hold "+stands, func(p window.Place, _ string) bool {
			s, ok := field(p)
			return ok && squeeze(s.Text) == stands
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// composes waits until the keyboard shows the letters as they were struck.
func (t *touched) composes(letters string) error {
	return t.until("the composition "+letters, func(p window.Place, _ string) (shown bool) {
		places(p, nil, func(s found) {
			shown = shown || s.Kind == window.PlaceText && strings.NewReplacer("'", "", " ", "").Replace(s.Text) == letters
		})
		return shown
	})
}

// digits types what stands on the page of numbers where the layout has none, and comes back.
func (t *touched) digits(text string) error {
	keys := strings.Split(text, "")
	has, err := t.isThere(keys[0])
	if err != nil || has {
		return errors.Join(err, t.strike(keys...))
	}
	return steps(
		func() error { return t.strike("numbers") },
		func() error { return t.strike(keys...) },
		func() error { return t.strike("return") },
	)
}

// pick clicks on a candidate, turning pages until it is there.
func (t *touched) pick(word string) error {
	const most = 10
	for range most {
		if has, err := t.isThere("word-" + word); err != nil || has {
			return errors.Join(err, t.strike("word-"+word))
		}
		if err := t.strike("page-down"); err != nil {
			return fmt.Errorf("%s is not offered: %w", word, err)
		}
	}
	return fmt.Errorf("%s is not on the first %d pages", word, most)
}

// shot takes a picture of the display.
func (t *touched) shot(name string) error {
	if _, _, err := t.still(); err != nil {
		return err
	}
	t.shots++
	_, err := t.d.run(t.ctx, "import", "-window", "root", filepath.Join(t.out, fmt.Sprintf("%02d-%s.png", t.shots, name)))
	return err
}
