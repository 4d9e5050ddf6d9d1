//go:build linux

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bianmin/app/cli"
	"bianmin/offline/vault/tpmtest"
)

// A machine with a TPM uses it by itself; doctor says so and what it is worth. Its folder does not open on another machine,
// and a dead TPM is survived through the county's key, with everything that was not sent yet.
func TestMachineWithTPM(t *testing.T) {
	p := newPlace(t)
	own := tpmtest.New(t)
	t.Setenv("BIANMIN_TPM", "unix:"+own.Serve(t))
	p.quick()
	p.down()
	p.ok(answers(t), "intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-")
	rep := p.json(p.ok("", "doctor", "--json"))
	if rep["machine"] != "TPM 2.0" || rep["protected"] != true {
		t.Errorf("doctor %v", rep)
	}
	if out := p.ok("", "doctor"); !strings.Contains(out, "OK The machine secret is sealed by this machine's TPM") {
		t.Errorf("doctor says %s", out)
	}
	if files, err := filepath.Glob(filepath.Join(p.data, "machine.key*")); err != nil || len(files) != 0 {
		t.Errorf("a key file beside the TPM: %v, %v", files, err)
	}

	home, copied := p.data, filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(home)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BIANMIN_TPM", "unix:"+tpmtest.New(t).Serve(t)) // another machine
	p.data = copied
	p.refused(cli.ExitFailed, "another TPM", "status")
	p.data = home

	own.Die()
	t.Setenv("BIANMIN_TPM", "none")
	p.refused(cli.ExitFailed, "TPM does not answer", "status")
	p.file("ask", p.ok("", "recover", "request"))
	p.file("answer", string(p.gateway("key", "recovery", "answer", filepath.Join(p.dir, "ask"))))
	p.ok("", "recover", "answer", "answer")
	if out := p.ok("", "doctor", "--operator", "wang", "--pin-file", "pin"); !strings.Contains(out, "All is sound") || !strings.Contains(out, "! The machine secret is a file") {
		t.Errorf("doctor says %s", out)
	}
	p.up()
	if s := p.json(p.ok("", "sync", "--once", "--json")); s["pending"] != 0.0 {
		t.Errorf("sync %v", s)
	}
}
