package cli_test

import (
	"strings"
	"testing"

	"bianmin/app/cli"
)

// TestCommandsDuringARebuild: while the window's process makes its projections anew, commands that look answer as always, and those that
// would write say at once why not, in words, with the code of a machine that is busy. Afterwards they work.
func TestCommandsDuringARebuild(t *testing.T) {
	p := newPlace(t)
	p.enroll()
	p.take()
	d, give := p.hold()
	defer give()
	asked := false
	if err := d.Store().Rebuild(t.Context(), func(int, int) {
		if asked {
			return
		}
		asked = true
		if st := p.json(p.ok("", "status", "--json")); st["cases"] == nil {
			t.Errorf("status %v", st)
		}
		for name, args := range map[string][]string{
			"a case":      {"intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-"},
			"sync":        {"sync", "--once"},
			"another one": {"doctor", "--rebuild"},
			"a login":     {"doctor", "--operator", "wang", "--pin-file", "pin"},
		} {
			for lang, want := range map[string]string{"en": "What was saved is safe", "zh": "已保存的都在"} {
				if out, errs, code := p.say(lang, answers(t), args...); code != cli.ExitBusy || !strings.Contains(errs, want) {
					t.Errorf("%s: %d, %s%s", name, code, out, errs)
				}
			}
		}
	}); err != nil || !asked {
		t.Fatalf("asked %t, %v", asked, err)
	}
	p.take()
	p.ok("", "sync", "--once")
}
