package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bianmin/app/cli"
	"bianmin/app/demo"
	"bianmin/assets/translations"
)

var gatewayd string

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(program())
	}
	os.Setenv("BIANMIN_TPM", "none") // whatever the test's machine has
	dir, err := os.MkdirTemp("", "gatewayd")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	gatewayd = filepath.Join(dir, "bianmin-gatewayd")
	build := exec.Command("go", "build", "-o", gatewayd, "bianmin/sync/gatewayd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the gateway: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// place is a county with one machine's folder and a working folder.
type place struct {
	t      *testing.T
	county *demo.County
	gw     string // the county's folder
	data   string
	dir    string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir(), data: filepath.Join(t.TempDir(), "data")}
	gw := filepath.Join(t.TempDir(), "county")
	if err := os.MkdirAll(gw, 0o700); err != nil {
		t.Fatal(err)
	}
	p.gw = gw
	var err error
	if p.county, err = demo.New(t.Context(), gatewayd, gw, nil); err != nil {
		t.Fatal(err)
	}
	p.up()
	t.Cleanup(p.down)
	p.file("pin", "246810\n")
	var pic bytes.Buffer
	if err := png.Encode(&pic, image.NewGray(image.Rect(0, 0, 60, 40))); err != nil {
		t.Fatal(err)
	}
	p.file("card.jpg", pic.String())
	return p
}

func (p *place) up() {
	p.t.Helper()
	if err := p.county.Up(context.Background()); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) down() {
	if err := p.county.Down(); err != nil {
		p.t.Error(err)
	}
}

func (p *place) file(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// run runs a command line on the machine.
func (p *place) run(in string, args ...string) (out, errs string, code int) {
	p.t.Helper()
	return p.say("en", in, args...)
}

// say runs a command line on the machine for somebody whose locale is of lang.
func (p *place) say(lang, in string, args ...string) (out, errs string, code int) {
	p.t.Helper()
	texts, err := translations.Load()
	if err != nil {
		p.t.Fatal(err)
	}
	env, err := cli.NewEnv(texts)
	if err != nil {
		p.t.Fatal(err)
	}
	defer env.Close()
	var o, e bytes.Buffer
	env.In, env.Out, env.Err, env.Dir, env.Lang = strings.NewReader(in), &o, &e, p.dir, lang
	code = cli.Main(context.Background(), append(args, "--data", p.data), env)
	return o.String(), e.String(), code
}

func (p *place) ok(in string, args ...string) string {
	p.t.Helper()
	out, errs, code := p.run(in, args...)
	if code != 0 {
		p.t.Fatalf("%v: exit %d: %s%s", args, code, out, errs)
	}
	return out
}

func (p *place) code() string {
	p.t.Helper()
	code, err := p.county.Code(context.Background())
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

func (p *place) enroll() {
	p.t.Helper()
	p.ok("", "enroll", "--gateway", p.county.URL(), "--code", p.code())
}

func (p *place) json(out string) map[string]any {
	p.t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		p.t.Fatalf("%v: %s", err, out)
	}
	return v
}

func answers(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../offline/desk/testdata/gaoling.json")
	if err != nil {
		t.Fatal(err)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, b); err != nil {
		t.Fatal(err)
	}
	return line.String()
}

func TestFromEnrolmentToDecision(t *testing.T) {
	p := newPlace(t)
	if _, errs, code := p.run("", "status"); code != cli.ExitNotEnrolled {
		t.Fatalf("fresh folder: exit %d, %s", code, errs)
	}
	p.enroll()
	p.down() // the network is cut from here on
	good := answers(t)
	bad := strings.Replace(good, "999999194102030021", "999999194102030022", 1)
	out, errs, code := p.run(good+"\n"+bad+"\n\n{oops\n"+good+"\n", "intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-")
	if code != cli.ExitPartly {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	taken := strings.Split(strings.TrimSpace(out), "\n")
	refused := strings.Split(strings.TrimSpace(errs), "\n")
	if len(taken) != 2 || len(refused) != 2 {
		t.Fatalf("taken %q, refused %q", taken, refused)
	}
	if r := p.json(refused[0]); r["line"] != 2.0 || r["error"] != "desk.badLine" {
		t.Errorf("refused %v", r)
	}
	if r := p.json(refused[1]); r["line"] != 4.0 || r["error"] != "desk.badAnswers" {
		t.Errorf("refused %v", r)
	}
	first := p.json(taken[0])
	no, link := first["no"].(string), first["link"].(string)
	if st := p.json(p.ok("", "status", "--json")); st["pending"] != 2.0 || st["acknowledged"] != 0.0 {
		t.Errorf("offline status %v", st)
	}
	if _, _, code := p.run("", "sync", "--once"); code != cli.ExitOffline {
		t.Errorf("sync without a network: exit %d", code)
	}
	if out := p.ok("", "verify", link); !strings.Contains(out, "stage 1") {
		t.Errorf("verify says %s", out)
	}
	other := "Z"
	if link[len(link)-5:len(link)-4] == other {
		other = "Y"
	}
	if _, _, code := p.run("", "verify", link[:len(link)-5]+other+link[len(link)-4:]); code != cli.ExitForged {
		t.Errorf("changed link: exit %d", code)
	}

	p.up()
	if s := p.json(p.ok("", "sync", "--once", "--json")); s["online"] != true || s["pending"] != 0.0 {
		t.Errorf("sync %v", s)
	}
	p.ok("", "sync", "--once")
	if st := p.json(p.ok("", "status", "--json")); st["pending"] != 0.0 || st["cases"].(map[string]any)["accepted"] != 2.0 {
		t.Errorf("accepted at once: %v", st)
	}

	ctx := context.Background()
	gw := func(args ...string) []byte {
		t.Helper()
		out, err := p.county.Run(ctx, args[0], args[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	gw("case", "correct", no, "--field", "contactPhone", "--note", "电话打不通，请核对")
	p.ok("", "sync", "--once")
	if st := p.json(p.ok("", "status", "--json")); st["cases"].(map[string]any)["correction-asked"] != 1.0 {
		t.Errorf("correction: %v", st)
	}
	var list struct{ Records []map[string]any }
	st := p.json(p.ok("", "status", "--json"))
	if err := json.Unmarshal(gw("journal", "list", "--device", "1", "--json"), &list); err != nil || float64(len(list.Records)) != st["acknowledged"] {
		t.Fatalf("journal list has %d records, %v acknowledged, %v", len(list.Records), st["acknowledged"], err)
	}
	if out := p.ok("", "doctor"); !strings.Contains(out, "All is sound") {
		t.Errorf("doctor says %s", out)
	}
	if rep := p.json(p.ok("", "doctor", "--rebuild", "--operator", "wang", "--pin-file", "pin", "--json")); rep["deep"] != true || rep["rebuilt"] != true {
		t.Errorf("rebuild %v", rep)
	}
}

func TestCodesAreRefusedInWords(t *testing.T) {
	p := newPlace(t)
	ctx := context.Background()
	code, err := p.county.Code(ctx)
	if err != nil {
		t.Fatal(err)
	}
	try := func(code, want string) {
		t.Helper()
		if _, errs, exit := p.run("", "enroll", "--gateway", p.county.URL(), "--code", code); exit != cli.ExitFailed || !strings.Contains(errs, want) {
			t.Errorf("exit %d: %s, want %q", exit, errs, want)
		}
	}
	wrong := []byte(code)
	wrong[2]++
	try(string(wrong), "mistyped")
	other := newPlace(t) // another county with another root
	foreign, err := other.county.Code(ctx)
	if err != nil {
		t.Fatal(err)
	}
	try(foreign, "not the platform the code names")
	p.file("code.txt", code+"\n")
	p.ok("", "enroll", "--gateway", p.county.URL(), "--code-file", "code.txt")
	if _, errs, exit := p.run("", "enroll", "--gateway", p.county.URL(), "--code", code); exit != cli.ExitFailed || !strings.Contains(errs, "enrolled already") {
		t.Errorf("twice: exit %d: %s", exit, errs)
	}
	p.data = filepath.Join(t.TempDir(), "second")
	try(code, "used before")
}

func TestWrongPIN(t *testing.T) {
	p := newPlace(t)
	p.enroll()
	p.file("wrong", "000000")
	if _, errs, code := p.run("{}\n", "intake", "--operator", "wang", "--pin-file", "wrong", "--service", "gaoling", "--answers", "-"); code != cli.ExitPIN || !strings.Contains(errs, "Wrong PIN") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if _, errs, code := p.run("{}\n", "intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-"); code != cli.ExitPIN || !strings.Contains(errs, "wait") {
		t.Errorf("at once: exit %d: %s", code, errs)
	}
}

func TestHelpInBothLanguages(t *testing.T) {
	p := newPlace(t)
	for _, c := range []string{"enroll", "intake", "sync", "status", "verify", "doctor", "backup", "restore", "pin", "period", "erase", "operator", "recover", "print", "version", "demo", "hello", "help"} {
		out := p.ok("", "help", c)
		if !strings.Contains(out, "bianmin "+c) || strings.Contains(out, "cli.help") {
			t.Errorf("help %s: %s", c, out)
		}
		if again := p.ok("", c, "--help"); again != out {
			t.Errorf("%s --help differs from help %s", c, c)
		}
	}
	if _, _, code := p.run("", "dance"); code != cli.ExitUsage {
		t.Errorf("unknown command: exit %d", code)
	}
	if _, _, code := p.run("", "status", "--nosuch"); code != cli.ExitUsage {
		t.Errorf("unknown flag: exit %d", code)
	}
}

// What editors, other systems and mistyping bring is read, or refused in words and with the right exit code.
func TestRoughInput(t *testing.T) {
	p := newPlace(t)
	if out, errs, code := p.run("", "enroll", "--gateway", "http://platform.example", "--code", p.code()); code != cli.ExitFailed || !strings.Contains(errs, "https://") {
		t.Errorf("http address: exit %d, %s%s", code, out, errs)
	}
	p.enroll()
	p.file("pinbom", "\ufeff246810\r\nnote: call li when lost\r\n")
	p.file("answers", "\ufeff"+answers(t)+"\r\n")
	intake := []string{"intake", "--operator", "wang", "--service", "gaoling", "--pin-file", "pinbom", "--answers"}
	p.ok("", append(intake, "answers")...)
	if _, errs, code := p.run("", append(intake, ".")...); code != cli.ExitFailed || !strings.Contains(errs, "--answers") {
		t.Errorf("a folder for answers: exit %d, %s", code, errs)
	}
	p.file("empty", "\n")
	if _, errs, code := p.run("", "intake", "--operator", "wang", "--service", "gaoling", "--pin-file", "empty", "--answers", "answers"); code != cli.ExitFailed {
		t.Errorf("an empty PIN file: exit %d, %s", code, errs)
	}
	for _, args := range [][]string{{"status", "extra"}, {"help", "nosuch"}, {"doctor", "rebuild"}} {
		if _, errs, code := p.run("", args...); code != cli.ExitUsage || errs == "" {
			t.Errorf("%v: exit %d, %s", args, code, errs)
		}
	}
}

// A database that does not open is mended from the mirror by one command, and not without a login.
func TestDamagedDatabaseIsRebuilt(t *testing.T) {
	p := newPlace(t)
	p.enroll()
	p.ok(answers(t), "intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-")
	db := filepath.Join(p.data, "store.db")
	if err := os.Truncate(db, 9000); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := p.run("", "doctor", "--rebuild"); code != cli.ExitFailed || !strings.Contains(errs, "doctor --rebuild --operator") {
		t.Errorf("without a login: exit %d, %s", code, errs)
	}
	rep := p.json(p.ok("", "doctor", "--rebuild", "--operator", "wang", "--pin-file", "pin", "--json"))
	aside, ok := rep["setAside"].(string)
	if !ok {
		t.Fatalf("report %v", rep)
	}
	if st, err := os.Stat(aside); err != nil || st.Size() != 9000 {
		t.Errorf("the damaged file: %v, %v", st, err)
	}
	if st := p.json(p.ok("", "status", "--json")); st["pending"] != 1.0 || st["fault"] != "" {
		t.Errorf("status %v", st)
	}
	if s := p.json(p.ok("", "sync", "--once", "--json")); s["pending"] != 0.0 {
		t.Errorf("sync %v", s)
	}
	// A database that is gone is named, with what mends it, and that mends it.
	if err := os.Remove(db); err != nil {
		t.Fatal(err)
	}
	mend := "doctor --rebuild --operator"
	if out, _, code := p.run("", "doctor"); code != cli.ExitDamaged || !strings.Contains(out, mend) {
		t.Errorf("a lost database: exit %d, %s", code, out)
	}
	if out := p.ok("", "doctor", "--rebuild", "--operator", "wang", "--pin-file", "pin"); strings.Contains(out, mend) {
		t.Errorf("after mending: %s", out)
	}
}
