package window

import (
	"os"
	"testing"

	"fyne.io/fyne/v2"

	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/offline/words"
	"bianmin/sync/engine"
)

// TestScreensInEveryLook walks through the screens as a person would, in each look, language and size; two of them without
// BIANMIN_FULL=1. TestEveryScreen looks at more of them, and closer. With BIANMIN_SHOTS set all are painted to be looked at.
func TestScreensInEveryLook(t *testing.T) {
	small, large := fyne.NewSize(1024, 768), fyne.NewSize(1280, 800)
	for _, c := range []struct {
		name, lang string
		mode       look.Mode
		size       fyne.Size
	}{
		{"std", "zh", look.Standard, large},
		{"std-small", "zh", look.Standard, small},
		{"elder", "zh", look.Elder, large},
		{"elder-small", "zh", look.Elder, small},
		{"contrast", "zh", look.HighContrast, large},
		{"contrast-small", "zh", look.HighContrast, small},
		{"en", "en", look.Standard, large},
		{"en-elder-small", "en", look.Elder, small},
	} {
		t.Run(c.name, func(t *testing.T) {
			if os.Getenv("BIANMIN_FULL")+os.Getenv("BIANMIN_SHOTS") == "" && c.name != "std" && c.name != "en-elder-small" {
				return
			}
			if want := os.Getenv("BIANMIN_SHOT"); want != "" && want != c.name {
				return
			}
			tour(t, c.name, c.lang, c.mode, c.size)
		})
	}
}

func tour(t *testing.T, name, lang string, mode look.Mode, size fyne.Size) {
	enrolled := false
	r := newRig(t, func(o *Options) {
		open := o.Open
		o.Open = func(on func(engine.Event)) (Machine, error) {
			if !enrolled {
				return Machine{}, words.New("desk.notEnrolled", nil)
			}
			return open(on)
		}
		tries := 0
		o.Enroll = func(string, string) error {
			if tries++; tries == 1 {
				return words.New("wire.codeUsed", nil)
			}
			enrolled = true
			return nil
		}
		o.Lang = lang
	})
	r.s.setLook(mode.String())
	r.s.win.Resize(size)
	shot := func(what string) {
		t.Helper()
		if least := r.s.Content().MinSize(); least.Width > size.Width || least.Height > size.Height {
			t.Errorf("%s needs %v", what, least)
		}
		r.shoot(name + "-" + what)
	}
	v, ok := r.s.view.(*screen.Enroll)
	if !ok {
		t.Fatalf("the first screen is %T", r.s.view)
	}
	r.typeText("https://fw.shifan.example")
	r.press(fyne.KeyReturn)
	r.typeText("7k3qm2xa9c4fpr8w6y")
	shot("01-enroll")
	r.typeText("ht5n0bvz1dgjke2s7m")
	r.press(fyne.KeyReturn)
	shot("02-enroll-used")
	v.TapPrimary()
	shot("03-enrolled")
	v.TapPrimary()
	shot("04-login")
	r.tap("王秀英")
	r.tap("2")
	r.tap("4")
	shot("05-login-pin")
	r.pin("0000")
	shot("06-login-wrong")
	r.after(1e9)
	r.s.tick()
	for range 4 {
		r.pin("000000")
		r.after(20e9)
		r.s.tick()
	}
	shot("07-login-locked")
	r.after(16 * 60e9)
	r.s.tick()
	r.login()
	submitted := submit(t, r.s.session)
	people, err := r.s.session.FindPeople("999999194102030021", 1)
	if err != nil {
		t.Fatal(err)
	}
	in, err := r.s.session.Start(t.Context(), "linshi", people[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.s.view.Refresh()
	shot("10-home")
	r.m.Acknowledge(t, r.d)
	r.m.AskCorrection(t, r.d, submitted.Seq, "户口簿照片看不清", "hukouBook")
	r.event(engine.Event{State: engine.Idle, LastAck: r.m.Clock.T, News: 1})
	shot("11-home-correction")
	r.typeText("lyz")
	shot("12-home-search")
	r.press(fyne.KeyEscape)
	r.typeText(submitted.Link)
	shot("13-home-link")
	r.go_(screen.PageServices, "")
	shot("20-services")
	r.typeText("gljt")
	shot("21-services-search")
	r.go_(screen.PageGuide, "gaoling")
	shot("22-guide")
	if p, ok := r.s.view.(screen.Primary); ok {
		p.TapPrimary()
	}
	r.typeText("liu")
	shot("23-guide-who")
	r.press(fyne.KeyEscape)
	r.go_(screen.PageWizard, "new:juzhu")
	shot("24-wizard")
	r.go_(screen.PageReceipt, "8")
	shot("25-receipt")
	r.go_(screen.PageCases, "")
	shot("26-cases")
	r.go_(screen.PageCase, "8")
	shot("27-case")
	r.go_(screen.PageSync, "")
	shot("28-sync")
	r.go_(screen.PageSettings, "")
	shot("30-settings")
	r.tap(r.s.T("settings.changePIN"))
	shot("31-settings-pin")
	r.tap(r.s.T("settings.check"))
	shot("32-settings-check")
	r.tap(r.s.T("settings.rebuild"))
	shot("33-confirm")
	r.press(fyne.KeyEscape)
	r.go_(screen.PageOperators, "")
	shot("35-operators")
	r.s.folder = t.TempDir()
	for _, n := range []string{"户口簿.jpg", "身份证.png", "说明.pdf"} {
		if err := os.WriteFile(r.s.folder+"/"+n, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(r.s.folder+"/扫描", 0o700); err != nil {
		t.Fatal(err)
	}
	r.s.env.PickFile([]string{".jpg", ".png"}, func(string, []byte) {})
	shot("34-pick")
	r.press(fyne.KeyEscape)
	r.s.opened(Machine{}, words.New("store.busy", nil))
	shot("40-failed")
}
