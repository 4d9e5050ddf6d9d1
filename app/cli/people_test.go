package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bianmin/app/cli"
	"bianmin/assets/translations"
	"bianmin/offline/desk"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/sync/link"
)

// asProgram makes this test binary behave as the program: a process of its own, so that a kill is a kill.
const asProgram = "BIANMIN_CLI_AS_PROGRAM"

func program() int {
	texts, err := translations.Load()
	if err != nil {
		return 1
	}
	env, err := cli.NewEnv(texts)
	if err != nil {
		return 1
	}
	defer env.Close()
	env.Lang = "en"
	return cli.Main(context.Background(), os.Args[1:], env)
}

// process starts the program in a process of its own.
func (p *place) process(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(p.t.Context(), os.Args[0], append(args, "--data", p.data)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Dir = p.dir
	return cmd
}

func (p *place) gateway(args ...string) []byte {
	p.t.Helper()
	out, err := p.county.Run(context.Background(), args[0], args[1:]...)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// quick enrols like enroll, with a cheap PIN hash: tests with many logins stay short.
func (p *place) quick() {
	p.t.Helper()
	_, _, err := link.Enroll(p.t.Context(), link.EnrollOptions{
		Config:  desk.Config{Dir: p.data, Argon: vault.Argon{Time: 1, MemoryKiB: 64, Threads: 1}},
		Gateway: p.county.URL(), Code: p.code(),
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// refused runs a command that must be refused with a word of its message.
func (p *place) refused(code int, want string, args ...string) {
	p.t.Helper()
	if out, errs, got := p.run("", args...); got != code || !strings.Contains(errs, want) {
		p.t.Errorf("%v: exit %d, %s%s; want %d and %q", args, got, out, errs, code, want)
	}
}

// Somebody new, a forgotten PIN, a removal: on the machine and from the county, with the real gateway.
func TestOperatorsOnTheCommandLine(t *testing.T) {
	p := newPlace(t)
	p.quick()
	p.file("leadpin", "135790\n") // li is the head of station
	lead := func(verb string, more ...string) []string {
		return append([]string{"operator", verb, "--operator", "li", "--pin-file", "leadpin"}, more...)
	}
	p.refused(cli.ExitFailed, "does not manage", "operator", "add", "--id", "zhao", "--name", "赵立春", "--operator", "wang", "--pin-file", "pin")
	p.refused(cli.ExitUsage, "bianmin operator", "operator", "dance")
	p.refused(cli.ExitUsage, "bianmin operator", lead("add")...)
	p.file("code", p.ok("", lead("add", "--id", "zhao", "--name", "赵立春")...))
	p.file("zhaopin", "775533\n")
	p.ok("", "operator", "activate", "--id", "zhao", "--pin-file", "code", "--new-pin-file", "zhaopin")
	p.refused(cli.ExitPIN, "admit", "doctor", "--operator", "zhao", "--pin-file", "zhaopin")
	p.ok("", "operator", "admit", "--id", "zhao", "--operator", "wang", "--pin-file", "pin")
	p.ok("", "doctor", "--operator", "zhao", "--pin-file", "zhaopin")

	p.file("code", p.ok("", lead("reset", "--id", "wang")...))
	p.refused(cli.ExitPIN, "Wrong PIN", "doctor", "--operator", "wang", "--pin-file", "pin")
	p.ok("", lead("rotate")...)
	p.ok("", lead("remove", "--id", "zhao")...)
	p.refused(cli.ExitPIN, "no such operator", "doctor", "--operator", "zhao", "--pin-file", "zhaopin")

	// The county adds one and takes one away; the machine hears at its next contact and acts at the next login.
	var added struct{ Code string }
	if err := json.Unmarshal(p.gateway("operator", "add", "--json", "--id", "qian", "--name", "钱多多"), &added); err != nil || len(added.Code) != 10 {
		t.Fatalf("code %q, %v", added.Code, err)
	}
	p.gateway("operator", "remove", "--id", "wang")
	if out := string(p.gateway("operator", "list")); !strings.Contains(out, "qian") || strings.Contains(out, "wang") {
		t.Errorf("the county's list: %s", out)
	}
	p.ok("", "sync", "--once")
	p.ok("", "doctor", "--operator", "li", "--pin-file", "leadpin")
	var list []map[string]any
	if err := json.Unmarshal([]byte(p.ok("", "operator", "list", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	got := map[any]any{}
	for _, op := range list {
		got[op["id"]] = op["state"]
	}
	if len(got) != 2 || got["li"] != "active" || got["qian"] != "waiting" {
		t.Errorf("operators %v", got)
	}
}

// Nobody can log in any more: the county's recovery key lets one in, by text and by QR code, offline.
func TestRecoveryByTextAndPicture(t *testing.T) {
	p := newPlace(t)
	p.quick()
	p.ok(answers(t), "intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-")
	p.down()
	p.file("newpin", "664422\n")
	p.ok("", "operator", "request", "--id", "wang", "--new-pin-file", "newpin", "--out", "ask.txt", "--qr", "ask.png")
	gw := func(args ...string) string { // the county's technician, at another machine
		t.Helper()
		return string(p.gateway(append([]string{"key"}, args...)...))
	}
	byText := gw("recovery", "answer", filepath.Join(p.dir, "ask.txt"))
	p.refused(cli.ExitFailed, "no recovery text", "operator", "answer", "ask.txt") // the wrong way round
	gw("recovery", "answer", filepath.Join(p.dir, "ask.png"), "--qr", filepath.Join(p.dir, "answer.png"))
	p.file("stale.txt", byText)
	p.ok("", "operator", "answer", "answer.png")
	p.refused(cli.ExitFailed, "no answer", "operator", "answer", "stale.txt")
	p.refused(cli.ExitPIN, "Wrong PIN", "doctor", "--operator", "wang", "--pin-file", "pin")
	if out := p.ok("", "doctor", "--operator", "li", "--pin-file", p.fileOf("leadpin", "135790\n")); !strings.Contains(out, "All is sound") {
		t.Errorf("doctor says %s", out)
	}

	// The machine secret is gone as well.
	for _, n := range []string{"machine.key", "machine.key.b"} {
		if err := os.Remove(filepath.Join(p.data, n)); err != nil {
			t.Fatal(err)
		}
	}
	p.refused(cli.ExitFailed, "secret", "status")
	p.file("ask.txt", p.ok("", "recover", "request"))
	p.file("answer.txt", gw("recovery", "answer", filepath.Join(p.dir, "ask.txt")))
	p.ok("", "recover", "answer", "answer.txt")
	p.refused(cli.ExitFailed, "sound", "recover", "request")
	rep := p.json(p.ok("", "doctor", "--operator", "li", "--pin-file", "leadpin", "--json"))
	if rep["deep"] != true || len(rep["faults"].([]any)) != 0 || rep["protected"] != false {
		t.Errorf("doctor %v", rep)
	}
	p.up()
	if s := p.json(p.ok("", "sync", "--once", "--json")); s["pending"] != 0.0 {
		t.Errorf("sync %v", s)
	}
}

func (p *place) fileOf(name, text string) string {
	p.file(name, text)
	return name
}

// Lock, lease and wipe by the county. What was taken in before leaves all the same.
func TestOrdersOfTheCounty(t *testing.T) {
	p := newPlace(t)
	p.quick()
	p.down()
	p.ok(answers(t), "intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-")
	p.up()
	p.gateway("device", "lock", "--device", "1", "--reason", "reported lost")
	p.ok("", "sync", "--once")
	p.refused(cli.ExitFailed, "reported lost", "doctor", "--operator", "wang", "--pin-file", "pin")
	st := p.json(p.ok("", "status", "--json"))
	if st["barred"] != "desk.remoteLocked" || st["pending"] != 0.0 || st["acknowledged"] != st["records"] {
		t.Errorf("status %v", st)
	}
	p.gateway("device", "unlock", "--device", "1")
	p.gateway("device", "lease", "--device", "1", "--days", "5")
	p.ok("", "sync", "--once")
	p.ok("", "doctor", "--operator", "wang", "--pin-file", "pin")
	if lease := p.json(p.ok("", "status", "--json"))["lease"].(map[string]any); lease["days"] != 5.0 || lease["left"] != 5.0 || lease["state"] != "soon" {
		t.Errorf("lease %v", lease)
	}

	p.down()
	p.ok(answers(t), "intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-")
	p.up()
	if _, err := p.county.Run(context.Background(), "device", "wipe", "--device", "1"); err == nil {
		t.Error("a wipe without --yes")
	}
	p.gateway("device", "wipe", "--device", "1", "--yes")
	p.refused(cli.ExitFailed, "destroyed", "sync", "--once")
	p.refused(cli.ExitFailed, "destroyed", "status")
	p.refused(cli.ExitFailed, "destroyed", "enroll", "--gateway", p.county.URL(), "--code", p.code())
	var devices []struct {
		Orders []string
		Kept   string
	}
	if err := json.Unmarshal(p.gateway("device", "list", "--json"), &devices); err != nil || len(devices) != 1 {
		t.Fatal(devices, err)
	}
	want := []string{"device.locked", "device.unlocked", "device.lease", "device.wiped"}
	if !slices.Equal(devices[0].Orders, want) || devices[0].Kept == "" {
		t.Errorf("devices %+v", devices)
	}
	var list struct{ Records []map[string]any }
	if err := json.Unmarshal(p.gateway("journal", "list", "--device", "1", "--json"), &list); err != nil {
		t.Fatal(err)
	}
	count := map[any]int{}
	for _, r := range list.Records {
		count[r["kind"]]++
	}
	if count["case.submitted"] != 2 || count["order.kept"] != 4 {
		t.Errorf("the platform holds %v", count)
	}
}

// Power fails in the middle of the work. The machine starts, nobody logs in: what was taken in leaves, acks are verified,
// and what comes back waits sealed until somebody logs in.
func TestLockedMachineSendsAndCollects(t *testing.T) {
	p := newPlace(t)
	p.quick()
	p.down()

	work := p.process("intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-")
	in, err := work.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := work.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	work.Stderr = os.Stderr
	if err := work.Start(); err != nil {
		t.Fatal(err)
	}
	lines := json.NewDecoder(out)
	var taken []string
	for range 2 {
		if _, err := in.Write([]byte(answers(t) + "\n")); err != nil {
			t.Fatal(err)
		}
		var one struct{ No string }
		if err := lines.Decode(&one); err != nil {
			t.Fatal(err)
		}
		taken = append(taken, one.No)
	}
	if err := work.Process.Kill(); err != nil { // the power is gone; nobody logged out
		t.Fatal(err)
	}
	work.Wait() // its error is the kill

	p.up()
	sync := func() {
		t.Helper()
		if out, err := p.process("sync", "--once", "--json").Output(); err != nil || p.json(string(out))["pending"] != 0.0 {
			t.Fatalf("%s, %v", out, err)
		}
	}
	sync()
	st := p.json(p.ok("", "status", "--json"))
	if st["locked"] != true || st["pending"] != 0.0 || st["acknowledged"] != st["records"] {
		t.Errorf("status %v", st)
	}
	for _, no := range taken {
		if out := string(p.gateway("case", "show", no)); !strings.Contains(out, "刘玉珍") {
			t.Errorf("the platform's case %s: %s", no, out)
		}
	}
	const note = "请核对联系电话第七位"
	p.gateway("case", "correct", taken[0], "--field", "contactPhone", "--note", note)
	sync()

	d, err := desk.Open(desk.Config{Dir: p.data})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	sealed := func() (waiting int, body []byte) {
		t.Helper()
		told, err := d.Store().Events(0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range told {
			if e.Event.Kind == journal.EventCorrection {
				waiting, body = waiting+1, e.Body
			}
		}
		return waiting, body
	}
	if n, body := sealed(); n != 1 || body != nil {
		t.Errorf("%d corrections, body %q while nobody is logged in", n, body)
	}
	if err := filepath.WalkDir(p.data, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, word := range []string{note, "刘玉珍", "999999194102030021"} {
			if bytes.Contains(data, []byte(word)) {
				t.Errorf("%s holds %q in clear", path, word)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s, err := d.Login(t.Context(), "wang", "246810")
	if err != nil {
		t.Fatal(err)
	}
	if n, body := sealed(); n != 1 || !bytes.Contains(body, []byte(note)) {
		t.Errorf("%d corrections, body %q after the login", n, body)
	}
	list, err := s.Cases(t.Context())
	if err != nil || len(list) != 2 || list[0].No != taken[0] || list[0].Correction == nil {
		t.Errorf("cases %+v, %v", list, err)
	}
}
