package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"bianmin/app/cli"
)

// foreign returns the first English word of a Chinese sentence; names of flags, commands, files and the product are none.
func foreign(text string) string {
	text = regexp.MustCompile(`--?[a-z-]+|bianmin( [a-z]+)*|[\w./-]+\.(json|db|log)|JSON|PIN|UTF-8|“[^”]*”`).ReplaceAllString(text, "")
	return regexp.MustCompile(`[A-Za-z]{3,}`).FindString(text)
}

func chinese(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

func TestWords(t *testing.T) {
	p := newPlace(t)
	t.Run("nothing saved is not called saved", func(t *testing.T) { p.t = t; testNothingSaved(t, p) })
	t.Run("bad lines", func(t *testing.T) { p.t = t; testBadLines(t, p) })
	t.Run("time zone", func(t *testing.T) { p.t = t; testChinasTime(t, p) })
	p.t = t
}

// Nobody is told that something was saved when nothing was.
func testNothingSaved(t *testing.T, p *place) {
	code := p.code()
	p.down()
	for lang, want := range map[string]string{"zh": "没有改动任何东西", "en": "nothing was changed"} {
		_, errs, exit := p.say(lang, "", "enroll", "--gateway", p.county.URL(), "--code", code)
		if exit != cli.ExitOffline || !strings.Contains(errs, want) || strings.Contains(errs, "已保存") || strings.Contains(errs, "saved here") {
			t.Errorf("%s: no platform: exit %d, %s", lang, exit, errs)
		}
	}
	p.up()
	p.enroll()
	_, errs, exit := p.say("zh", `{"name":"张三"}`+"\n", "intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-")
	if exit != cli.ExitPartly || !strings.Contains(errs, "没有保存") || strings.Contains(errs, "草稿") {
		t.Errorf("a refused line: exit %d, %s", exit, errs)
	}
	if st := p.json(p.ok("", "status", "--json")); st["drafts"] != 0.0 {
		t.Errorf("the refused line left a draft: %v", st)
	}
}

// What is wrong with a line is said in the language asked for, with its place; the library's words are for --verbose.
func testBadLines(t *testing.T, p *place) {
	lines := []string{`{oops`, `[1]`, `{"name":`, `{"name":"a","name":"b"}`, `{} {}`, "{\"name\":\"\xff\"}", `{"name":nope}`, strings.Repeat(`[`, 40)}
	intake := []string{"intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-"}
	for _, lang := range []string{"zh", "en"} {
		_, errs, _ := p.say(lang, strings.Join(lines, "\n")+"\n", intake...)
		got := strings.Split(strings.TrimSpace(errs), "\n")
		if len(got) != len(lines) {
			t.Fatalf("%s: %d lines refused of %d: %s", lang, len(got), len(lines), errs)
		}
		for i, l := range got {
			r := p.json(l)
			text := r["message"].(string)
			if r["error"] != "desk.badAnswers" || strings.Contains(text, "invalid character") || strings.Contains(text, "{why}") {
				t.Errorf("%s: %q: %s", lang, lines[i], l)
			}
			if lang == "zh" && foreign(text) != "" || lang == "en" && chinese(text) {
				t.Errorf("%s: %q is refused in the wrong language: %s", lang, lines[i], text)
			}
		}
		for _, i := range []int{0, 2, 6} {
			if text := p.json(got[i])["message"].(string); !strings.Contains(text, map[int]string{0: " 2 ", 2: " 8", 6: " 10"}[i]) && lang == "zh" {
				t.Errorf("%q: no place in %s", lines[i], text)
			}
		}
	}
	_, errs, _ := p.say("zh", "{oops\n", append(intake, "--verbose")...)
	if r := p.json(errs); !strings.Contains(r["cause"].(string), "invalid character") {
		t.Errorf("--verbose: %v", r)
	}
	if log, err := os.ReadFile(filepath.Join(p.data, "logs", "bianmin.log")); err != nil || !strings.Contains(string(log), "invalid character") {
		t.Errorf("the log does not hold the cause: %s, %v", log, err)
	}
}

func TestWrongCommandLinesAreShortAndInTheLanguageAskedFor(t *testing.T) {
	p := &place{t: t, dir: t.TempDir(), data: filepath.Join(t.TempDir(), "data")}
	for _, lang := range []string{"zh", "en"} { // the flag decides the language, not the locale
		if _, errs, code := p.say("zh", "", "status", "--lang", lang); code != cli.ExitNotEnrolled || chinese(errs) != (lang == "zh") {
			t.Errorf("--lang %s: exit %d, %s", lang, code, errs)
		}
	}
	for _, args := range [][]string{
		{"--bogus"}, {"dance"}, {"status", "--bogus"}, {"--bogus=1"}, {"status", "--data"}, {"status", "--json=perhaps"}, {"status", "extra"}, {"help", "dance"},
	} {
		for _, lang := range []string{"zh", "en"} {
			line := args
			if args[len(args)-1] == "--data" {
				line = []string{"status", "--lang", lang, "--gateway"} // a flag of another command
			}
			_, errs, code := p.say(lang, "", line...)
			if code != cli.ExitUsage || strings.Count(errs, "\n") != 2 || !strings.Contains(errs, "bianmin help") {
				t.Errorf("%v: exit %d, %s", line, code, errs)
			}
			if first, _, _ := strings.Cut(errs, "\n"); chinese(first) != (lang == "zh") {
				t.Errorf("%s: %v: %s", lang, line, errs)
			}
		}
	}
}

// A person reads China's time whatever the machine's zone is; JSON is UTC.
func testChinasTime(t *testing.T, p *place) {
	here := time.Local
	time.Local = time.FixedZone("far", -7*3600)
	t.Cleanup(func() { time.Local = here })
	p.ok(answers(t), "intake", "--operator", "wang", "--pin-file", "pin", "--service", "gaoling", "--answers", "-")
	p.ok("", "sync", "--once")
	st := p.json(p.ok("", "status", "--json"))
	raw := st["lastAck"].(string)
	at, err := time.Parse(time.RFC3339, raw)
	if err != nil || !strings.HasSuffix(raw, "Z") {
		t.Fatalf("lastAck %q, %v", raw, err)
	}
	for _, k := range []string{"now", "signed"} {
		if v := st["clock"].(map[string]any)[k].(string); !strings.HasSuffix(v, "Z") {
			t.Errorf("clock %s %q is not UTC", k, v)
		}
	}
	out, _, _ := p.say("zh", "", "status")
	if want := at.In(time.FixedZone("", 8*3600)).Format("2006年1月2日 15:04"); !strings.Contains(out, want) {
		t.Errorf("status says %s, want %s", out, want)
	}
}
