package main

import (
	"bytes"
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
)

// foreign returns the first English word of a Chinese text; names of commands, flags, files, numbers and values are none.
func foreign(text string) string {
	text = regexp.MustCompile(`“[^”]*”|bianmin-gatewayd( [a-z]+)*|--[a-z-]+|\*\.bmp|：[\w, -]+|\binit\b`).ReplaceAllString(text, "")
	return regexp.MustCompile(`[A-Za-z]{2,}`).FindString(text)
}

// say runs a command in a language and returns what a person reads.
func (p *platform) say(lang string, args ...string) (out, errs string, code int) {
	p.t.Helper()
	var o, e bytes.Buffer
	code = run(context.Background(), append(args, "--data", p.dir, "--lang", lang), strings.NewReader(""), &o, &e)
	return o.String(), e.String(), code
}

// What went wrong is said in the person's language, shortly; the chain of causes is for --verbose, and reading about a
// wrong command line is one more line away.
func TestFaultsAreSaidInTheLanguageAskedFor(t *testing.T) {
	none := &platform{t: t, dir: filepath.Join(t.TempDir(), "none")}
	p := serving(t)
	var code struct{ Code string }
	p.call(&code, exitOK, "enroll")
	m := p.machine(code.Code)
	m.add("enrolled", map[int]string{})
	m.submit("欧阳淑华", "999999194102030021")
	m.exchange(1, 0)
	var list []caseLine
	p.call(&list, exitOK, "case", "list")
	no := list[0].No
	for _, test := range []struct {
		at   *platform
		args []string
		code int
	}{
		{p, []string{"--bogus"}, exitUsage},
		{p, []string{"dance"}, exitUsage},
		{p, []string{"case", "list", "--bogus"}, exitUsage},
		{p, []string{"case", "list", "--limit", "many"}, exitUsage},
		{p, []string{"case", "list", "--state", "x"}, exitUsage},
		{p, []string{"case", "show"}, exitUsage},
		{p, []string{"case", "show", "1", "2"}, exitUsage},
		{p, []string{"case", "refuse", no}, exitUsage},
		{p, []string{"case", "decide", no}, exitUsage},
		{p, []string{"case", "decide", no, "--granted", "--denied"}, exitUsage},
		{p, []string{"device", "wipe", "--device", "1"}, exitUsage},
		{p, []string{"device", "lease", "--device", "1"}, exitUsage},
		{p, []string{"enroll", "--valid", "-1h"}, exitUsage},
		{p, []string{"case", "accept", no}, exitState},
		{p, []string{"case", "show", "1-77-00"}, exitNotFound},
		{p, []string{"case", "correct", no, "--field", "nothingLikeIt", "--note", "n"}, exitUsage},
		{p, []string{"journal", "list", "--device", "9"}, exitNotFound},
		{p, []string{"init"}, exitState},
		{p, []string{"enroll", "--station", "110000000000"}, exitNotFound},
		{p, []string{"pack", "publish", "nowhere"}, exitNotFound},
		{none, []string{"case", "list"}, exitNotFound},
	} {
		for _, lang := range []string{"zh", "en"} {
			_, errs, code := test.at.say(lang, test.args...)
			if code != test.code || strings.Count(errs, "\n") > 2 || strings.Contains(errs, "gateway: ") || strings.Contains(errs, "{") {
				t.Errorf("%s %v: exit %d, %s", lang, test.args, code, errs)
			}
			han := strings.ContainsFunc(errs, func(r rune) bool { return unicode.Is(unicode.Han, r) })
			if lang == "zh" && foreign(strings.ReplaceAll(errs, "看说明", "")) != "" || han != (lang == "zh") {
				t.Errorf("%s %v is answered in the wrong language: %s", lang, test.args, errs)
			}
			if !strings.HasPrefix(errs, "bianmin-gatewayd: ") || code == exitUsage && test.args[len(test.args)-1] != "n" && !strings.Contains(errs, "help") {
				t.Errorf("%s %v: %s", lang, test.args, errs)
			}
		}
	}
	if _, errs, _ := p.say("zh", "case", "accept", no, "--verbose"); !strings.Contains(errs, "case.move") {
		t.Errorf("--verbose does not say the cause: %s", errs)
	}
	testCaseText(t, p, no)
}

// testCaseText holds that case show speaks one language and China's time.
func testCaseText(t *testing.T, p *platform, no string) {
	t.Helper()
	here := time.Local
	time.Local = time.FixedZone("far", -7*3600)
	defer func() { time.Local = here }()
	var full caseFull
	p.call(&full, exitOK, "case", "show", no)
	at, err := time.Parse(time.RFC3339, full.At)
	if err != nil || !strings.HasSuffix(full.At, "Z") {
		t.Fatalf("%q, %v", full.At, err)
	}
	zh, _, _ := p.say("zh", "case", "show", no)
	if word := regexp.MustCompile(`[a-z]{3,}`).FindString(strings.ReplaceAll(zh, "wang", "")); word != "" || !strings.Contains(zh, "收件") || !strings.Contains(zh, "受理") {
		t.Errorf("case show in Chinese says %q:\n%s", word, zh)
	}
	if want := at.In(time.FixedZone("", 8*3600)).Format("2006年1月2日 15:04"); !strings.Contains(zh, want) {
		t.Errorf("no %s in\n%s", want, zh)
	}
	if en, _, _ := p.say("en", "case", "show", no); !strings.Contains(en, "Taken in") || strings.Contains(en, "收件") {
		t.Errorf("case show in English:\n%s", en)
	}
}
