package window

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"bianmin/app/device/speech"
	"bianmin/app/screen"
	"bianmin/app/vm"
	"bianmin/offline/desk/desktest"
)

// ear hears what the window would say.
type ear struct {
	said []string
	cuts int
	set  speech.Settings
}

func (e *ear) Say(lang string, texts ...string) {
	for _, t := range texts {
		e.said = append(e.said, lang+" "+t)
	}
}

func (e *ear) Cut() {
	e.cuts++
	e.said = nil
}

func (e *ear) Set(s speech.Settings) { e.set = s }

func (e *ear) hears(t *testing.T, texts ...string) {
	t.Helper()
	all := strings.Join(e.said, "|")
	for _, x := range texts {
		if !strings.Contains(all, x) {
			t.Fatalf("%q is not said; said is %q", x, all)
		}
	}
}

func TestTheScreenIsReadAloud(t *testing.T) {
	e := &ear{}
	r := newRig(t, func(o *Options) { o.Speaker, o.DemoPINs = e, nil })
	r.press(fyne.KeyF1)
	e.hears(t, "zh 王秀英")
	if strings.Contains(strings.Join(e.said, "|"), "246810") {
		t.Error("a PIN is read aloud")
	}
	r.tap("王秀英")
	r.pin(desktest.PIN)
	r.press(fyne.KeyReturn)
	if len(e.said) != 0 {
		t.Errorf("the screen before is still read: %q", e.said)
	}
	done := submit(t, r.s.session)
	drafts := everyStep(t, r.s.session)
	step := func(name string) {
		t.Helper()
		i := slices.IndexFunc(drafts, func(d stepDraft) bool { return d.name == name })
		r.go_(screen.PageWizard, "draft:"+drafts[i].id)
	}
	r.s.setLook("elder")
	r.tap("朗读") // in the rail
	e.hears(t, "zh 首页")
	step("gaoling review")
	r.s.setLook("standard")
	r.tap("朗读") // over the review
	e.hears(t, "刘玉珍", "九九九九九九一九四一零二零三零零二一")
	if strings.Contains(strings.Join(e.said, "|"), "返回") {
		t.Error("the review's button reads more than the review")
	}
	step("gaoling signature")
	if got := []string{"zh 请签名"}; !slices.Equal(e.said, got) {
		t.Errorf("at the signature: %q", e.said)
	}
	r.go_(screen.PageReceipt, fmt.Sprint(done.Seq))
	r.tap("朗读")
	digits := speech.Speakable("zh", done.No)
	if digits == done.No || strings.ContainsAny(digits, "0123456789-") {
		t.Fatalf("%s is read as %q", done.No, digits)
	}
	if want := []string{"zh 回执编号", "zh " + digits}; !slices.Equal(e.said, want) {
		t.Errorf("the receipt: %q, want %q", e.said, want)
	}
	r.s.confirm("要删除吗", "草稿会丢失。", "删除", true, func() {})
	r.press(fyne.KeyF1)
	e.hears(t, "要删除吗", "草稿会丢失", "删除")
	if strings.Contains(strings.Join(e.said, "|"), "回执编号") {
		t.Error("what lies below a question is read")
	}
	r.s.dropSheet()
	r.s.readAloud()
	r.s.Lock()
	if len(e.said) != 0 {
		t.Errorf("a locked machine goes on reading: %q", e.said)
	}
}

func TestVoiceSpeedAndVolumeAreSettings(t *testing.T) {
	e := &ear{}
	r := newRig(t, func(o *Options) { o.Speaker = e })
	r.login()
	r.go_(screen.PageSettings, "")
	for _, c := range []struct {
		word string
		want speech.Voice
	}{{"粤语", speech.Cantonese}, {"不朗读", speech.Off}, {"普通话", speech.Mandarin}} {
		r.tap(c.word)
		if e.set != (speech.Settings{Voice: c.want}) {
			t.Errorf("%s: %+v", c.word, e.set)
		}
	}
	r.tap("慢")
	r.tap("小声")
	if want := (speech.Settings{Speed: -1, Volume: -2}); e.set != want {
		t.Errorf("%+v", e.set)
	}
	e.hears(t, "您好")
	kept := readSettings(r.s.o.Dir, r.s.log)
	if kept.Voice != "voice.mandarin" || kept.Speed != "speed.slow" || kept.Volume != "volume.low" {
		t.Errorf("kept %+v", kept)
	}
	e.set = speech.Settings{}
	o := r.s.o
	o.Work = func(func()) {}
	New(o).win.Close()
	if e.set != (speech.Settings{Speed: -1, Volume: -2}) {
		t.Errorf("after a start: %+v", e.set)
	}
}

// F1 reads every sheet that lies over the screen, and every screen: see TestEveryScreen.
func TestSheetsAreReadAloud(t *testing.T) {
	e := &ear{}
	r := newRig(t, func(o *Options) { o.Speaker = e })
	r.login()
	r.s.second("两个人办", "请另一位操作员看一看", []vm.Choice{{Value: "li", Label: "李建国"}}, nil, nil)
	r.press(fyne.KeyF1)
	e.hears(t, "两个人办", "请另一位操作员看一看", "李建国")
	r.s.folder = t.TempDir()
	r.s.env.PickFile([]string{".jpg"}, nil)
	r.s.readAloud()
	e.hears(t, "选择文件")
	v := &viewfinder{s: r.s, lens: takePaper}
	v.build("户口簿")
	_, v.hide = context.WithCancel(t.Context())
	r.s.showSheet(v)
	r.s.readAloud()
	e.hears(t, "户口簿", "拍照")
	r.s.dropSheet()
}
