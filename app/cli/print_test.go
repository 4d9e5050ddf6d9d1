package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bianmin/app/cli"
	"bianmin/app/device/escpos"
	"bianmin/app/device/escpos/fake"
	"bianmin/offline/paper"
	"bianmin/offline/receipt"
)

// Printers, files and papers from the command line.
func TestPrint(t *testing.T) {
	p := newPlace(t)
	p.enroll()
	roll := fake.New(paper.Dots80)
	defer roll.Close()
	addr, err := roll.Listen()
	if err != nil {
		t.Fatal(err)
	}
	p.file("answers", answers(t)+"\n")
	var taken struct{ No, Link string }
	out := p.ok("", "intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "answers")
	if err := json.Unmarshal([]byte(out), &taken); err != nil {
		t.Fatal(err)
	}
	who := []string{"--operator", "wang", "--pin-file", "pin"}
	if _, errs, code := p.run("", append([]string{"print", "receipt", taken.No}, who...)...); code != cli.ExitFailed || !strings.Contains(errs, "no such printer") {
		t.Errorf("without a printer: exit %d, %s", code, errs)
	}
	p.ok("", "print", "add", "--name", "desk", "--kind", "tcp", "--to", addr, "--width", "80")
	if _, errs, code := p.run("", "print", "add", "--name", "x", "--kind", "fax", "--to", "1"); code != cli.ExitFailed {
		t.Errorf("a fax: exit %d, %s", code, errs)
	}
	p.ok("", "print", "add", "--name", "dead", "--kind", "tcp", "--to", "127.0.0.1:1")
	p.ok("", "print", "first", "p1")
	var list []struct {
		ID, Name, State, Message string
		First                    bool
	}
	if err := json.Unmarshal([]byte(p.ok("", "print", "list", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || !list[0].First || list[0].State != "ready" || list[1].State != "print.unreachable" || list[1].Message == "" {
		t.Errorf("%+v", list)
	}
	p.ok("", append([]string{"print", "receipt", taken.No}, who...)...)
	p.ok("", append([]string{"print", "answers", taken.No, "--printer", "p1"}, who...)...)
	p.ok("", "print", "test")
	papers := roll.Wait(3)
	if text, err := receipt.Scan(paper.Paper(papers[0])); err != nil || text != taken.Link {
		t.Errorf("the paper reads %q, %v", text, err)
	}
	if f := roll.Faults(); len(f) != 0 {
		t.Errorf("the printer did not understand: %v", f)
	}
	roll.Set(escpos.Status{CoverOpen: true})
	if _, errs, code := p.run("", append([]string{"print", "receipt", taken.No}, who...)...); code != cli.ExitFailed || !strings.Contains(errs, "cover is open") {
		t.Errorf("open: exit %d, %s", code, errs)
	}
	for _, name := range []string{"r.pdf", "r.png", "r.bin"} {
		p.ok("", append([]string{"print", "receipt", taken.No, "--out", name}, who...)...)
	}
	if out := p.ok("", "verify", "r.png"); !strings.Contains(out, "stage 1") {
		t.Errorf("the picture: %s", out)
	}
	second := fake.New(paper.Dots58)
	defer second.Close()
	raw, err := os.Open(filepath.Join(p.dir, "r.bin"))
	if err != nil {
		t.Fatal(err)
	}
	second.Attach(raw)
	if text, err := receipt.Scan(paper.Paper(second.Wait(1)[0])); err != nil || text != taken.Link {
		t.Errorf("the bytes read %q, %v", text, err)
	}
	if data, err := os.ReadFile(filepath.Join(p.dir, "r.pdf")); err != nil || !strings.HasPrefix(string(data), "%PDF") {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if out := p.ok("", "print", "queue", "--json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("queue: %s", out)
	}
	p.ok("", "print", "remove", "p2")
	for _, args := range [][]string{{"print"}, {"print", "dance"}, {"print", "receipt"}, {"print", "receipt", taken.No}, {"print", "cancel", "x"}, {"print", "add", "--name", "x"}} {
		if _, errs, code := p.run("", args...); code != cli.ExitUsage {
			t.Errorf("%v: exit %d, %s", args, code, errs)
		}
	}
	for _, args := range [][]string{append([]string{"print", "receipt", "1-2-3"}, who...), {"print", "first", "p9"}} {
		if _, errs, code := p.run("", args...); code != cli.ExitFailed {
			t.Errorf("%v: exit %d, %s", args, code, errs)
		}
	}
}
