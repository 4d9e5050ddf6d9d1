package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"bianmin/app/cli"
	"bianmin/app/screen"
	"bianmin/offline/desk"
	"bianmin/offline/words"
	"bianmin/sync/link"
)

// The sample person of the journey: 刘玉珍, 85, of the sample county's roster.
const (
	person  = "刘玉珍"
	idTail  = "0021"
	service = "高龄津贴"
)

func (j *journey) walk() {
	j.photo = samplePhoto()
	r := &j.report
	r.failed = func() {
		if j.shell != nil {
			j.shot("failed") // to look at; the step has failed anyway
		}
	}
	ok := r.do("0 the sample county's gateway answers", j.startCounty) &&
		r.do("1 enrol: wrong, used, expired and foreign codes are refused", j.refusedCodes) &&
		r.do("1 enrol with a typed code; the first packs arrive", j.enroll) &&
		r.do("2 a wrong PIN delays, over a restart, too", j.wrongPIN) &&
		r.do("2 log in with the network cut", j.login) &&
		r.do("3 find the service by name, initials and theme", j.find) &&
		r.do("4 identity: filled in from the roster, with its source", j.identity) &&
		r.do("4 details: checked as typed, conditional, computed", j.details) &&
		r.do("4 kill in the middle: the draft is back on the same field", j.killed) &&
		r.do("4 materials, review, consent, signature", j.papers) &&
		r.do("5 submit with the gateway stopped", j.submit)
	if !ok {
		return
	}
	r.do("6 zbarimg reads the slip and the window", j.scanned)
	r.do("6 printed on a TCP printer: out of paper, kept, then read back; the reprint says so", j.printed)
	r.do("6 bianmin verify: genuine; one changed character: forged", j.verified)
	r.do("6 OpenSSL alone verifies the signature", j.openssl)
	if !r.do("7 the gateway is back: delivered, then accepted", j.delivered) {
		return
	}
	r.do("8 the correction comes back to the same desk", j.corrected)
	r.do("8 decided: the time line is complete", j.decided)
	r.do("9 the page on a phone: accepted, then with the gateway down", j.phone)
	r.do("9 a forged link and a withdrawn key say so", j.phoneForged)
	r.do("10 rebuild gives the same screens", j.rebuilt)
	r.do("10 every page in elder mode, in high contrast and in English; a whole form in elder mode", j.elder)
	r.do("11 rare and long names from the card reader to cases and slips", j.rare)
	r.do("10 a whole form typed with the keyboard on the screen alone, in elder mode, upright", j.typedOnScreen)
	r.do("12 a self-service machine: a receipt shows its progress, a visit ends and leaves nothing", j.selfService)
	j.realWindow()
	r.do("- nothing personal in the folder or the logs", j.nothingPersonal)
	r.do("10 doctor names the record in which a byte was changed", j.damaged)
}

// refusedCodes asks for what must not be given.
func (j *journey) refusedCodes() error {
	try := func(code, want string) error {
		_, _, err := link.Enroll(j.ctx, link.EnrollOptions{
			Config: desk.Config{Dir: filepath.Join(j.work, "nobody")}, Gateway: j.county.URL(), Code: code,
		})
		if key, _ := words.KeyOf(err); key != want {
			return fmt.Errorf("a code that must be refused with %s: %v", want, err)
		}
		return nil
	}
	good, err := j.county.Code(j.ctx)
	if err != nil {
		return err
	}
	other := &journey{ctx: j.ctx, gatewayd: j.gatewayd, work: filepath.Join(j.work, "other")}
	defer other.close()
	if err := other.startCounty(); err != nil {
		return err
	}
	foreign, err := other.county.Code(j.ctx)
	if err != nil {
		return err
	}
	var brief struct{ Code string }
	out, err := j.county.Run(j.ctx, "enroll", "--valid", "1ms", "--json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, &brief); err != nil {
		return err
	}
	_, _, err = link.Enroll(j.ctx, link.EnrollOptions{
		Config: desk.Config{Dir: filepath.Join(j.work, "first")}, Gateway: j.county.URL(), Code: good,
	})
	if err != nil {
		return fmt.Errorf("a good code: %w", err)
	}
	return steps(
		func() error { return try("0000-0000", "enroll.codeMistyped") },
		func() error { return try(foreign, "wire.rootMismatch") },
		func() error { return try(good, "wire.codeUsed") },
		func() error { return try(brief.Code, "wire.codeExpired") },
	)
}

func (j *journey) enroll() error {
	if err := j.start(); err != nil {
		return err
	}
	code, err := j.county.Code(j.ctx)
	if err != nil {
		return err
	}
	return steps(
		func() error { return j.sees("登记本机") },
		func() error { return j.lookAround("enroll") },
		func() error { return j.write("平台网址", j.county.URL()) },
		func() error { return j.write("登记码", code) },
		func() error { return j.shot("enroll") },
		func() error { return j.tap("登记") },
		func() error {
			return j.until("the enrolment", func() bool { return j.hand.sees("已登记到") && j.hand.sees("柳树村便民服务站") })
		},
		func() error { return j.shot("enrolled") },
		func() error { return j.tap("去登录") },
		func() error { return j.sees("王秀英", "李建国", "示范县，仅供试用", "246810") },
		func() error { return j.shot("login") },
		func() error { return j.lookAround("login") },
	)
}

func (j *journey) wrongPIN() error {
	return steps(
		func() error { return j.tap("王秀英") },
		func() error { return j.tryPIN("111222", "还可以试 4 次") },
		func() error { return j.tryPIN("111222", "还可以试 3 次") },
		func() error { return j.tryPIN("111222", "还可以试 2 次") }, // five seconds of patience from here
		func() error { return j.shot("wrong-pin") },
		func() error { j.stop(); return j.start() },
		func() error {
			_, code, err := j.commandAs("246810", "doctor")
			if err == nil && code != cli.ExitPIN {
				err = fmt.Errorf("the right PIN at once after a restart: exit %d, want %d", code, cli.ExitPIN)
			}
			return err
		},
	)
}

// tryPIN types a PIN as often as it takes: while the pad waits, it takes no digits.
func (j *journey) tryPIN(pin, then string) error {
	return j.until(then, func() bool {
		for _, d := range pin {
			if j.hand.sees(then) || j.hand.tap(string(d)) != nil {
				break
			}
			j.settle()
		}
		return j.hand.sees(then)
	})
}

// commandAs runs a command with an operator and a PIN.
func (j *journey) commandAs(pin string, args ...string) (string, int, error) {
	file := filepath.Join(j.work, "pin")
	if err := os.WriteFile(file, []byte(pin), 0o600); err != nil {
		return "", 0, err
	}
	return j.command(append(args, "--operator", "wang", "--pin-file", file)...)
}

func (j *journey) login() error {
	if err := j.county.Down(); err != nil { // the cable is out from here on
		return err
	}
	return steps(
		func() error { return j.tap("王秀英") },
		func() error { return j.tryPIN("246810", "继续办理") },
		func() error {
			return j.until("the line to say it is offline", func() bool { return j.hand.sees("离线") })
		},
		func() error { return j.shot("home") },
	)
}

func (j *journey) find() error {
	return steps(
		func() error { return j.write("查找事项", "gljt") },
		func() error { return j.sees(service) },
		func() error { return j.shot("home-search") },
		func() error { j.goTo(screen.PageServices, ""); return j.sees(service, "临时救助", "居住登记") },
		func() error { return j.shot("services") },
		func() error { return j.write("", "高龄") },
		func() error { return j.only(service, "临时救助") },
		func() error { return j.write("", "gljt") },
		func() error { return j.only(service, "临时救助") },
		func() error { return j.write("", "") },
		func() error { return j.tap("养老") },
		func() error { return j.only(service, "居住登记") },
		func() error { return j.shot("services-theme") },
		func() error { return j.tap(service) },
		func() error {
			return j.sees("承诺时限", "法定时限", "受理条件", "所需材料", "实施部门", "开始办理")
		},
		func() error { return j.shot("guide") },
	)
}

// only checks that one text is shown and another is not.
func (j *journey) only(shown, hidden string) error {
	if err := j.sees(shown); err != nil {
		return err
	}
	if j.hand.sees(hidden) {
		return fmt.Errorf("%s is still listed", hidden)
	}
	return nil
}

func (j *journey) identity() error {
	return steps(
		func() error { return j.tap("开始办理") },
		func() error { return j.write("姓名、拼音首字母", idTail) },
		func() error { return j.sees(person) },
		func() error { return j.shot("who") },
		func() error { return j.tap(person) },
		func() error {
			return j.until("the form", func() bool { return j.hand.sees("先确认是谁在办") || j.hand.sees("身份证号") })
		},
		func() error { return j.sees("公安人口库", "85") },
		func() error { return j.tap("是") },
		func() error { return j.shot("wizard-identity") },
		func() error { return j.tap("下一步") },
	)
}

func (j *journey) details() error {
	return steps(
		func() error { return j.tap("首次发放") },
		func() error { return j.write("联系电话", "1390000000") },
		func() error { return j.write("联系人", "刘建军") },
		func() error { return j.sees("电话号码不对") },
		func() error { return j.shot("wizard-error") },
		func() error { return j.write("联系电话", "13900000001") },
		func() error { return j.tap("子女") },
		func() error { return j.tap("他人代办") },
		func() error { return j.sees("代办人信息", "代办人身份证号") },
		func() error { return j.hand.show("代办人身份证号") },
		func() error { return j.shot("wizard-agent") },
		func() error { return j.tap("本人申请") },
		func() error { return j.sees("30.00元") },
		func() error { return j.shot("wizard-details") },
	)
}

// killed looks at what a power cut would leave at this keystroke: the folder as it is on the disk, opened elsewhere.
func (j *journey) killed() error {
	if err := j.write("联系人姓名", "刘建"); err != nil {
		return err
	}
	kept := filepath.Join(j.work, "killed")
	var why error
	err := j.until("the keystroke to reach the disk", func() bool {
		step, field, value := "", "", ""
		if why = copyFolder(j.data(), kept); why == nil {
			step, field, value, why = j.draftIn(kept)
		}
		if why == nil && (step != "details" || field != "contactName" || value != "刘建") {
			why = fmt.Errorf("the draft is at %s, %s: %q", step, field, value)
		}
		return why == nil
	})
	if err != nil {
		return fmt.Errorf("%w; %w", why, err)
	}
	return nil
}

// draftIn opens a folder as after a restart and returns where its draft stands.
func (j *journey) draftIn(dir string) (step, field, value string, err error) {
	d, err := desk.Open(desk.Config{Dir: dir})
	if err != nil {
		return "", "", "", err
	}
	defer d.Close() // a copy: nothing depends on it
	s, err := d.Login(j.ctx, "wang", "246810")
	if err != nil {
		return "", "", "", err
	}
	drafts, err := s.Drafts(j.ctx)
	if err != nil || len(drafts) != 1 {
		return "", "", "", fmt.Errorf("%d drafts: %w", len(drafts), err)
	}
	in, err := s.Resume(j.ctx, drafts[0].ID)
	if err != nil {
		return "", "", "", err
	}
	at, f := in.Place()
	v, _ := in.Form().State(f).Value.(string)
	return at, string(f), v, nil
}

// copyFolder copies a folder's files; sockets stay behind.
func copyFolder(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case e.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		case !e.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o600)
	})
}

func (j *journey) papers() error {
	return steps(
		func() error { return j.write("联系人姓名", "刘建军") },
		func() error { return j.tap("下一步") },
		func() error { return j.sees("添加材料", "身份证", "户口簿") },
		func() error { return j.shot("wizard-materials-empty") },
		func() error { return j.tap("选择文件") },
		func() error { return j.tap("选择文件") },
		func() error { return j.sees("还差1页") },
		func() error { return j.tap("都在这一张上") },
		func() error { return j.shot("wizard-materials") },
		func() error { return j.tap("去核对") },
		func() error { return j.sees("请与群众一起核对", person, "30.00", "修改") },
		func() error { return j.shot("wizard-review") },
		func() error { return j.tap("去签名") },
		func() error { return j.sees("承诺与签名") },
		func() error { return j.shot("wizard-consent") },
	)
}

func (j *journey) submit() error {
	err := steps(
		func() error { return j.tap("以上信息属实", "同意为办理本事项") },
		func() error { return j.hand.draw(isPad, handwriting()) },
		func() error { j.settle(); return j.shot("wizard-signature") },
		func() error { return j.tap("签好了，提交") },
		func() error {
			return j.until("the receipt", func() bool { return j.hand.sees("已保存在本机，联网后自动送达") })
		},
		func() error {
			return j.until("the top bar", func() bool { return j.hand.sees("离线 · 1 件待送达") || j.hand.sees("离线·1件待送达") })
		},
		func() error { return j.shot("receipt-1") },
		func() error { return j.tap("保存图片") },
	)
	if err != nil {
		return err
	}
	c, err := j.theCase()
	if err != nil {
		return err
	}
	j.no, j.seq = c.No, c.Seq
	return j.keepReceipt(1)
}

// keepReceipt writes what the clerk saved and what the QR says.
func (j *journey) keepReceipt(stage uint8) error {
	s, err := j.session()
	if err != nil {
		return err
	}
	r, err := s.Receipt(j.ctx, j.seq, stage)
	if err != nil {
		return err
	}
	var png []byte
	for name, data := range j.saved {
		if strings.Contains(name, j.no) {
			png = data
		}
	}
	if png == nil {
		return fmt.Errorf("no picture of receipt %s was saved", j.no)
	}
	j.links[stage] = r.Link
	if j.plain {
		return nil
	}
	text, _, err := j.command("verify", r.Link, "--lang", "zh")
	if err != nil {
		return err
	}
	base := filepath.Join(j.out, fmt.Sprintf("receipt-%d", stage))
	if err := os.WriteFile(base+".txt", []byte(text), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(base+".link", []byte(r.Link+"\n"), 0o644); err != nil {
		return err
	}
	return os.WriteFile(base+".png", png, 0o644)
}
