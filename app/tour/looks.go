package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"strconv"

	"fyne.io/fyne/v2"

	"bianmin/app/cli"
	"bianmin/app/input"
	"bianmin/app/screen"
)

// rebuilt compares what the screens stand on before and after every projection was made anew.
func (j *journey) rebuilt() error {
	before, err := j.theCase()
	if err != nil {
		return err
	}
	was, err := j.casePicture()
	if err != nil {
		return err
	}
	if err := j.expect(cli.ExitOK, "All is sound", "doctor", "--rebuild"); err != nil {
		return err
	}
	after, err := j.theCase()
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(before.Timeline, after.Timeline) || !bytes.Equal(before.Answers, after.Answers) || before.State != after.State {
		return errors.New("the rebuilt case differs")
	}
	is, err := j.casePicture()
	if err != nil {
		return err
	}
	n := differ(was, is)
	j.report.figure("pixels that differ", n)
	if n != 0 {
		return errors.Join(fmt.Errorf("the case's screen differs in %d pixels", n), j.keep("rebuilt-before", was), j.keep("rebuilt-after", is))
	}
	return nil
}

// casePicture opens the case anew and returns what its screen shows once it stands still.
func (j *journey) casePicture() (image.Image, error) {
	j.goTo(screen.PageHome, "")
	j.goTo(screen.PageCase, j.arg())
	if err := j.until("the case", func() bool { return j.hand.sees("符合条件，自本月起发放") }); err != nil {
		return nil, err
	}
	j.hand.c.Unfocus()
	last, still := j.hand.c.Capture(), 0
	err := j.until("the case's screen to stand still", func() bool {
		now := j.hand.c.Capture()
		if differ(last, now) == 0 {
			still++
		} else {
			still = 0
		}
		last = now
		return still == 3
	})
	return last, err
}

// keep writes a picture beside the screens.
func (j *journey) keep(name string, img image.Image) error {
	f, err := os.Create(filepath.Join(j.out, name+".png"))
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, img), f.Close())
}

// topBar is the height of the bar whose clock goes on.
const topBar = 64

func differ(a, b image.Image) int {
	n := 0
	for y := topBar; y < a.Bounds().Dy(); y++ {
		for x := range a.Bounds().Dx() {
			if a.At(x, y) != b.At(x, y) {
				n++
			}
		}
	}
	return n
}

// lookAround takes a page before the login in the old-age mode, in high contrast and in English, by its own buttons.
func (j *journey) lookAround(page string) error {
	return steps(
		func() error { return j.tap("长辈版") },
		func() error { return j.shot("elder-" + page) },
		func() error { return j.tap("标准字号", "高对比") },
		func() error { return j.shot("contrast-" + page) },
		func() error { return j.tap("普通配色", "English") },
		func() error { return j.shot("english-" + page) },
		func() error { return j.tap("中文") },
	)
}

// elderForm fills in a whole form in the old-age mode, up to the signature, and drops the draft.
func (j *journey) elderForm() error {
	if j.plain {
		return nil // the README's pictures have their own
	}
	j.prefix = "elder-"
	defer func() { j.prefix = "" }()
	return steps(
		func() error { j.goTo(screen.PageGuide, "gaoling"); return nil },
		j.identity, j.details, j.papers,
		func() error { return j.tap("以上信息属实", "同意为办理本事项") },
		func() error { return j.shot("wizard-signature") },
		func() error { j.goTo(screen.PageHome, ""); return j.dropDrafts() },
	)
}

func (j *journey) dropDrafts() error {
	s, err := j.session()
	if err != nil {
		return err
	}
	drafts, err := s.Drafts(j.ctx)
	for _, d := range drafts {
		if err == nil {
			err = s.DropDraft(j.ctx, d.ID)
		}
	}
	return err
}

// sidePages takes what the pages of a round lead to: who it is for, the forms of the other two services, a new PIN, and
// what doctor found.
func (j *journey) sidePages(name string) error {
	t := j.shell.T
	return steps(
		func() error { j.goTo(screen.PageGuide, "gaoling"); return j.tap(t("guide.start")) },
		func() error { return j.shot(name + "-who") },
		func() error { j.goTo(screen.PageWizard, "new:linshi:p001"); return j.shot(name + "-wizard-linshi") },
		func() error { j.goTo(screen.PageWizard, "new:juzhu:p001"); return j.shot(name + "-wizard-juzhu") },
		func() error { j.goTo(screen.PagePrinters, ""); return j.tap(t("printers.add")) },
		func() error { return j.shot(name + "-printers") },
		func() error { j.goTo(screen.PageSettings, ""); return j.tap(t("settings.changePIN")) },
		func() error { return j.shot(name + "-pin") },
		func() error {
			j.goTo(screen.PageHome, "")
			j.goTo(screen.PageSettings, "")
			return j.tap(t("settings.check"))
		},
		func() error {
			return j.until("doctor", func() bool { return j.hand.sees(t("settings.rebuild")) && !j.hand.sees(t("settings.checking")) })
		},
		func() error { return j.shot(name + "-doctor") },
		j.dropDrafts,
	)
}

// elder takes every page of the staff in the old-age mode, in high contrast and in English.
func (j *journey) elder() error {
	return steps(
		func() error { j.goTo(screen.PageOperators, ""); return j.shot("operators") },
		func() error { j.goTo(screen.PageSettings, ""); return j.shot("settings") },
		func() error { return j.tap("大字、大按钮") },
		func() error { return j.round("elder") },
		j.elderForm,
		func() error { j.goTo(screen.PageSettings, ""); return j.tap("黑底亮字") },
		func() error { return j.round("contrast") },
		func() error { j.goTo(screen.PageSettings, ""); return j.tap("普通字号") },
		func() error { return j.tap("English") },
		func() error { return j.round("english") },
		func() error { j.goTo(screen.PageSettings, ""); return j.tap("中文") },
	)
}

func (j *journey) round(name string) error {
	for _, r := range []screen.Route{
		{Page: screen.PageHome},
		{Page: screen.PageServices},
		{Page: screen.PageGuide, Arg: "gaoling"},
		{Page: screen.PageCases},
		{Page: screen.PageCase, Arg: j.arg()},
		{Page: screen.PageReceipt, Arg: j.arg()},
		{Page: screen.PageSync},
		{Page: screen.PageSettings},
		{Page: screen.PagePrinters},
	} {
		j.goTo(r.Page, r.Arg)
		if r.Page == screen.PageReceipt || r.Page == screen.PageCase {
			end := j.until("the page", func() bool { return !j.hand.sees("正在") && !j.hand.sees("Opening") })
			if end != nil {
				return end
			}
		}
		if err := j.shot(name + "-" + string(r.Page)); err != nil {
			return err
		}
	}
	return j.sidePages(name)
}

func (j *journey) arg() string { return strconv.FormatUint(j.seq, 10) }

// samplePhoto is a picture of a card as a camera would give it.
func samplePhoto() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 856, 540))
	for y := range 540 {
		for x := range 856 {
			c := color.RGBA{214, 226, 240, 255}
			if x > 560 && x < 780 && y > 110 && y < 390 {
				c = color.RGBA{150, 168, 190, 255}
			} else if x > 60 && x < 480 && (y/44)%2 == 1 && y > 90 && y < 470 {
				c = color.RGBA{110, 130, 156, 255}
			}
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		panic(err) // memory holds it
	}
	return b.Bytes()
}

// handwriting is a signature of two strokes.
func handwriting() [][]fyne.Position {
	var out [][]fyne.Position
	for s := range 3 {
		var st []fyne.Position
		for i := range 24 {
			x := float32(120 + 110*s + 4*i)
			y := float32(60 + (i*i*7+s*31)%70)
			st = append(st, fyne.NewPos(x, y))
		}
		out = append(out, st)
	}
	return out
}

func isPad(o fyne.CanvasObject) bool {
	_, ok := o.(*input.SignaturePad)
	return ok
}

// looks takes the pictures of the README: the journey's screens in the standard look, and the same places in the others.
func (j *journey) looks() {
	j.photo = samplePhoto()
	j.plain = true
	r := &j.report
	_ = r.do("county", j.startCounty) && r.do("enrol", j.enroll) && r.do("log in", j.loginOnce) && r.do("find", j.find) &&
		r.do("identity", j.identity) && r.do("details", j.details) && r.do("papers", j.papers) && r.do("submit", j.submit) &&
		r.do("delivered", j.delivered) && r.do("phone", j.phonePicture) && r.do("correction", j.corrected) && r.do("decided", j.decided) &&
		r.do("other looks", j.elder) && r.do("the keyboard on the screen", j.typedOnScreen) && r.do("a draft in elder mode", j.elderWizard) &&
		r.do("self-service", j.selfService)
}

// loginOnce logs in without the wrong tries, and cuts the network.
func (j *journey) loginOnce() error {
	return steps(j.county.Down, func() error { return j.tap("王秀英") }, func() error { return j.tryPIN("246810", "继续办理") }, func() error { return j.shot("home") })
}

func (j *journey) phonePicture() error {
	return j.pageWants(j.links[1], "phone-accepted", "confirmed", nil)
}

// elderWizard opens the questions of a new case in the old-age mode.
func (j *journey) elderWizard() error {
	return steps(
		func() error { j.goTo(screen.PageSettings, ""); return j.tap("大字、大按钮") },
		func() error { j.goTo(screen.PageWizard, "new:gaoling:p001"); return nil },
		func() error { return j.until("the form", func() bool { return j.hand.sees("身份证号") }) },
		func() error { return j.tap("是") },
		func() error { return j.tap("下一步") },
		func() error { return j.tap("首次发放") },
		func() error { return j.shot("elder-wizard") },
		func() error { j.goTo(screen.PageSettings, ""); return j.tap("普通字号") },
	)
}
