package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bianmin/app/cli"
)

// TestDoctorAsksThePlatform: a clerk's way back after file and mirror are both gone: one command, with the network on.
func TestDoctorAsksThePlatform(t *testing.T) {
	p := newPlace(t)
	p.enroll()
	p.ok(answers(t), "intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-")
	p.ok("", "sync", "--once")
	p.down()
	p.ok(answers(t), "intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-")
	if err := os.WriteFile(filepath.Join(p.data, "store.db"), []byte("not a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(p.data, "mirror")); err != nil {
		t.Fatal(err)
	}
	rebuild := []string{"doctor", "--rebuild", "--operator", "wang", "--pin-file", "pin"}
	if _, errs, code := p.run("", rebuild...); code != cli.ExitOffline {
		t.Fatalf("without a network: exit %d, %s", code, errs)
	}
	if out := p.ok("", "status"); !strings.Contains(out, "the platform has them") {
		t.Fatalf("status says %s", out)
	}
	p.up()
	rep := p.json(p.ok("", append(rebuild, "--json")...))
	back, ok := rep["recovered"].(map[string]any)
	if !ok || back["from"] != 1.0 || back["to"].(float64) < 3 || back["missingTo"].(float64) <= back["to"].(float64) {
		t.Fatalf("%v", rep["recovered"])
	}
	p.ok("", "sync", "--once")
	out := p.ok("", "status")
	for _, want := range []string{"came back from the platform", "never reached the platform"} {
		if !strings.Contains(out, want) {
			t.Errorf("status does not say %q: %s", want, out)
		}
	}
	st := p.json(p.ok("", "status", "--json"))
	if st["fault"] != "" || st["pending"] != 0.0 {
		t.Fatalf("%v", st)
	}
}
