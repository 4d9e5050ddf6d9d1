package cli_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bianmin/app/cli"
	"bianmin/app/control"
	"bianmin/assets/translations"
	"bianmin/offline/desk"
	"bianmin/sync/link"
)

func (p *place) take() {
	p.t.Helper()
	p.ok(answers(p.t), "intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-")
}

// hold takes the folder as the window does, and gives it back when the returned function is called.
func (p *place) hold() (*desk.Desk, func()) {
	p.t.Helper()
	d, err := desk.Open(desk.Config{Dir: p.data})
	if err != nil {
		p.t.Fatal(err)
	}
	l, err := link.New(d, link.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	sock, err := control.Listen(p.data)
	if err != nil {
		p.t.Fatal(err)
	}
	texts, err := translations.Load()
	if err != nil {
		p.t.Fatal(err)
	}
	env, err := cli.NewEnv(texts)
	if err != nil {
		p.t.Fatal(err)
	}
	env.Out, env.Err, env.In = io.Discard, io.Discard, &bytes.Buffer{}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 2)
	go func() { served <- l.Run(ctx) }() // the line works all the time
	go func() { served <- control.Serve(ctx, sock, cli.Handler(*env, &cli.Host{Desk: d, Link: l}, func() {})) }()
	return d, func() {
		p.t.Helper()
		cancel()
		for range 2 {
			if err := <-served; err != nil && !errors.Is(err, context.Canceled) {
				p.t.Error(err)
			}
		}
		l.Close()
		if err := d.Close(); err != nil {
			p.t.Error(err)
		}
		env.Close()
	}
}

// A backup is made and put back with the window closed and open; restore says what it changes and waits for --yes, and the
// mirror brings back what came after the backup.
func TestBackupAndRestore(t *testing.T) {
	p := newPlace(t)
	p.enroll()
	p.take()
	stick := filepath.Join(p.dir, "stick")
	made := p.json(p.ok("", "backup", "--to", "stick", "--json"))
	if made["file"] != filepath.Join(stick, "bianmin-1-000001.bak") || made["keep"] != 7.0 || made["daily"] != filepath.Join(p.data, "backups") {
		t.Fatalf("backup %v", made)
	}
	p.take()
	records := p.json(p.ok("", "status", "--json"))["records"]
	for _, open := range []bool{false, true} {
		give := func() {}
		if open {
			_, give = p.hold()
		}
		plan := p.json(p.ok("", "restore", "--from", "stick", "--json"))
		if plan["done"] != false || plan["opens"] != true || plan["lost"] != 0.0 || plan["fromMirror"].(float64) < 3 || plan["records"] != p.json(p.ok("", "status", "--json"))["records"] {
			t.Fatalf("plan %v", plan)
		}
		if out := p.ok("", "restore", "--from", "stick"); !strings.Contains(out, "No record will be lost") || !strings.Contains(out, "--yes") {
			t.Fatalf("plan in words: %s", out)
		}
		done := p.json(p.ok("", "restore", "--from", made["file"].(string), "--yes", "--json"))
		if done["done"] != true {
			t.Fatalf("restore %v", done)
		}
		if _, err := os.Stat(done["replaced"].(string)); err != nil {
			t.Error(err)
		}
		if st := p.json(p.ok("", "status", "--json")); st["fault"] != "store.behind" {
			t.Errorf("before the login: %v", st)
		}
		rep := p.json(p.ok("", "doctor", "--operator", "wang", "--pin-file", "pin", "--json"))
		if faults := rep["faults"].([]any); len(faults) != 0 || rep["records"].(float64) <= records.(float64) || rep["deep"] != true {
			t.Fatalf("doctor %v", rep)
		}
		if s := p.json(p.ok("", "sync", "--once", "--json")); s["online"] != true || s["pending"] != 0.0 {
			t.Fatalf("sync %v", s)
		}
		give()
	}
	if st := p.json(p.ok("", "status", "--json")); st["fault"] != "" {
		t.Errorf("status %v", st)
	}
}

func TestRestoreIsRefusedInWords(t *testing.T) {
	p := newPlace(t)
	p.enroll()
	p.take()
	p.file("letter.txt", "hello")
	for from, want := range map[string]string{"letter.txt": "not a sound backup", "nowhere": "No backup of this machine", ".": "No backup of this machine", "": "No backup of this machine"} {
		if _, errs, code := p.run("", "restore", "--from", from, "--yes"); code != cli.ExitFailed || !strings.Contains(errs, want) {
			t.Errorf("%q: exit %d, %s", from, code, errs)
		}
	}
	p.ok("", "backup")
	d, give := p.hold()
	defer give()
	s, err := d.Login(t.Context(), "wang", "246810")
	if err != nil {
		t.Fatal(err)
	}
	if _, errs, code := p.run("", "restore", "--yes"); code != cli.ExitFailed || !strings.Contains(errs, "Log out first") {
		t.Errorf("somebody is logged in: exit %d, %s", code, errs)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.ok("", "restore", "--yes")
	if _, errs, code := p.run("", "backup", "--to", "not/there"); code != cli.ExitFailed || !strings.Contains(errs, "No backup was made") {
		t.Errorf("a stick that is not there: exit %d, %s", code, errs)
	}
}

// The doctor takes the newest whole backup for a database that does not open, and the drafts in it are not lost.
func TestDoctorTakesTheNewestBackup(t *testing.T) {
	p := newPlace(t)
	p.enroll()
	p.take()
	p.ok("", "backup", "--daily", "--to", filepath.Join(p.dir, "stick"), "--keep", "3")
	p.ok("", "backup")
	if err := os.Truncate(filepath.Join(p.dir, "stick", "bianmin-1-000002.bak"), 5000); err != nil {
		t.Fatal(err)
	}
	p.take()
	if err := os.Truncate(filepath.Join(p.data, "store.db"), 9000); err != nil {
		t.Fatal(err)
	}
	if plan := p.json(p.ok("", "restore", "--json")); plan["opens"] != false || plan["lost"] != 0.0 || !strings.HasSuffix(plan["from"].(string), "000001.bak") {
		t.Fatalf("plan over a damaged database: %v", plan)
	}
	rep := p.json(p.ok("", "doctor", "--rebuild", "--operator", "wang", "--pin-file", "pin", "--json"))
	if rep["fromBackup"] != true || len(rep["faults"].([]any)) != 0 {
		t.Fatalf("report %v", rep)
	}
	if st, err := os.Stat(rep["setAside"].(string)); err != nil || st.Size() != 9000 {
		t.Errorf("the damaged file: %v, %v", st, err)
	}
	if s := p.json(p.ok("", "sync", "--once", "--json")); s["pending"] != 0.0 {
		t.Errorf("sync %v", s)
	}
}
