package window

import (
	"strconv"
	"testing"

	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/offline/journal"
	"bianmin/offline/store"
	"bianmin/offline/words"
)

// TestAWindowDuringARebuild: while projections are made anew, begun from wherever, the window says so with a bar, people are found, a
// case and its receipt open, and what would write is refused in words at once. Then everything is as before by itself.
func TestAWindowDuringARebuild(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		t.Run(lang, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.Lang = lang })
			r.login()
			got := submit(t, r.s.session)
			for range 250 { // so that there is more than one step
				if _, err := r.d.Store().Commit(t.Context(), store.Act{Operator: "wang", Kind: journal.KindExported, Body: journal.Note{What: "test"}}); err != nil {
					t.Fatal(err)
				}
			}
			note := r.s.T("window.task.note")
			r.s.Tick()
			r.seesNot(note)
			steps := 0
			if err := r.d.Store().Rebuild(t.Context(), func(done, total int) {
				if steps++; steps > 1 {
					return
				}
				r.s.Tick()
				percent := strconv.Itoa(done * 100 / total)
				r.sees(note, r.s.T("window.task.rebuild", "percent", percent))
				if b := r.s.task.bar; !b.Visible() || b.Share() < 0.5 || b.Share() > 0.99 {
					t.Errorf("%d of %d: the bar says %v", done, total, b.Share())
				}
				r.shoot("rebuild-home-" + lang)
				if list, err := r.s.session.FindPeople("999999194102030021", 3); err != nil || len(list) != 1 {
					t.Errorf("search: %d people, %v", len(list), err)
				}
				r.go_(screen.PageCases, "")
				r.sees(got.No)
				r.go_(screen.PageCase, strconv.FormatUint(got.Case, 10))
				r.sees(got.No)
				r.shoot("rebuild-case-" + lang)
				if _, err := r.s.session.Receipt(t.Context(), got.Case, 1); err != nil {
					t.Errorf("the receipt: %v", err)
				}
				_, err := r.s.session.Start(t.Context(), "gaoling", nil)
				if err == nil {
					t.Error("a case was begun")
				}
				r.s.fail(err)
				key, _ := words.KeyOf(err)
				if key != "store.rebuilding" {
					t.Errorf("beginning a case: %v", err)
				}
				r.sees(r.s.T("store.rebuilding", "percent", percent))
				r.shoot("rebuild-refused-" + lang)
				r.wear(look_{lang, look.Elder, r.s.win.Canvas().Size()}) // in large type, too, all of it is there
				r.s.Tick()
				r.sees(note)
				r.shoot("rebuild-elder-" + lang)
				r.wear(look_{lang, look.Standard, r.s.win.Canvas().Size()})
			}); err != nil || steps < 2 {
				t.Fatalf("%d steps, %v", steps, err)
			}
			r.s.Tick()
			r.seesNot(note)
			submit(t, r.s.session)
		})
	}
}

// TestALoginDuringARebuild: who wants to log in is told to wait; no try is counted.
func TestALoginDuringARebuild(t *testing.T) {
	r := newRig(t, nil)
	asked := false
	if err := r.d.Store().Rebuild(t.Context(), func(int, int) {
		if asked {
			return
		}
		asked = true
		r.s.Tick()
		r.sees("现在只能查看")
		r.tap("王秀英")
		r.pin("246810")
		r.sees("本机正在重建显示内容")
		if r.s.session != nil {
			t.Error("logged in")
		}
		r.shoot("rebuild-login")
	}); err != nil || !asked {
		t.Fatalf("asked %t, %v", asked, err)
	}
	r.s.Tick()
	r.seesNot("现在只能查看")
}
