package cli_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"bianmin/app/cli"
)

// platform runs a command of the platform's own program on the place's county, beside the one that serves.
func (p *place) platform(args ...string) string {
	p.t.Helper()
	out, err := exec.Command(gatewayd, append(args, "--data", p.gw)...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("gatewayd %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// A case goes from the desk to the platform, is decided, and is erased at both ends, each time only by somebody who may and
// who is sure.
func TestErase(t *testing.T) {
	p := newPlace(t)
	p.enroll()
	p.file("lead", "135790\n")
	p.file("person", "999999194102030021\n")
	out := p.ok(answers(t), "intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-")
	no, _ := p.json(strings.SplitN(out, "\n", 2)[0])["no"].(string)
	lead := []string{"--operator", "li", "--pin-file", "lead"}
	refuse := func(want string, wantCode int, args ...string) {
		t.Helper()
		if _, errs, code := p.run("", args...); code != wantCode || !strings.Contains(errs, want) {
			t.Errorf("%v: exit %d: %s", args, code, errs)
		}
	}
	refuse("--yes", cli.ExitUsage, append([]string{"erase", "--case", no}, lead...)...)
	refuse("bianmin erase", cli.ExitUsage, append([]string{"erase", "--yes"}, lead...)...)
	refuse("bianmin period", cli.ExitUsage, append([]string{"period", "open", "2025-01", "--yes"}, lead...)...)
	refuse("not closed", cli.ExitFailed, append([]string{"erase", "--case", no, "--yes"}, lead...)...)
	p.ok("", "sync", "--once")
	refuse("must still be kept", cli.ExitFailed, append([]string{"period", "close", "2026-01", "--yes"}, lead...)...)
	p.platform("case", "decide", no, "--granted", "--note", "刘玉珍")
	p.ok("", "sync", "--once")
	if _, errs, code := p.run("", "erase", "--case", no, "--yes", "--operator", "wang", "--pin-file", "pin"); code == cli.ExitOK {
		t.Errorf("staff may erase: %s", errs)
	}
	var done struct{ Cases, Records, Events, Blobs any }
	if err := json.Unmarshal([]byte(p.ok("", append([]string{"erase", "--person-file", "person", "--reason", "本人要求", "--yes", "--json"}, lead...)...)), &done); err != nil || done.Blobs == 0.0 || done.Events == 0.0 {
		t.Errorf("%+v, %v", done, err)
	}
	refuse("no case, draft or look-up", cli.ExitFailed, append([]string{"erase", "--person-file", "pin", "--yes"}, lead...)...)
	p.ok("", "sync", "--once")
	if list := p.platform("case", "erasures", "--json"); !strings.Contains(list, no) || !strings.Contains(list, "本人要求") {
		t.Errorf("asked: %s", list)
	}
	if out, err := exec.Command(gatewayd, "case", "erase", no, "--data", p.gw).CombinedOutput(); err == nil || !strings.Contains(string(out), "--yes") {
		t.Errorf("the county erases without being sure: %s", out)
	}
	p.platform("case", "erase", no, "--yes")
	if list := p.platform("case", "erasures", "--json"); strings.Contains(list, no) {
		t.Errorf("still asked: %s", list)
	}
	if show := p.platform("case", "show", no); strings.Contains(show, "刘玉珍") {
		t.Errorf("the platform still shows %s", show)
	}
	p.platform("journal", "verify")
	if out := p.ok("", "doctor", "--json"); !strings.Contains(out, `"faults":[]`) && strings.Contains(out, `"faults":[{`) {
		t.Errorf("doctor: %s", out)
	}
}
