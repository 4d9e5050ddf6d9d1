package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"bianmin/app/cli"
	"bianmin/app/demo"
	"bianmin/app/screen"
	"bianmin/offline/desk"
	linkpkg "bianmin/sync/link"
)

// What programs that are not ours say: zbarimg, OpenSSL, a browser.

func (j *journey) tool(name string, args ...string) (string, error) {
	cmd := exec.CommandContext(j.ctx, name, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w: %s%s", name, err, clip(errs.String()), clip(string(out)))
	}
	return string(out), nil
}

func (j *journey) zbar(png string) error { return j.zbarSays(png, j.links[1]) }

// zbarSays is an error unless zbarimg reads link from a picture.
func (j *journey) zbarSays(png, link string) error {
	out, err := j.tool("zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", png)
	if err != nil {
		return err
	}
	if strings.TrimSpace(out) != link {
		return fmt.Errorf("zbarimg reads %q from %s", clip(out), filepath.Base(png))
	}
	return nil
}

func (j *journey) scanned() error {
	window := filepath.Join(j.work, "window.png")
	j.goTo(screen.PageReceipt, j.arg())
	if err := j.until("the receipt", func() bool { return j.hand.sees(j.no) && !j.hand.sees("正在生成回执") }); err != nil {
		return err
	}
	if _, err := j.hand.shot(window); err != nil {
		return err
	}
	return steps(
		func() error { return j.zbar(filepath.Join(j.out, "receipt-1.png")) },
		func() error { return j.zbar(window) },
	)
}

func (j *journey) verified() error {
	l := j.links[1]
	at := len(l) - 40
	changed := "Z"
	if l[at:at+1] == changed {
		changed = "Y"
	}
	return steps(
		func() error { return j.expect(cli.ExitOK, "stage 1", "verify", l) },
		func() error {
			return j.expect(cli.ExitOK, "stage 1", "verify", filepath.Join(j.out, "receipt-1.png"))
		},
		func() error { return j.expect(cli.ExitForged, "FORGED", "verify", l[:at]+changed+l[at+1:]) },
	)
}

// openssl runs the commands of docs/receipt.md as they stand there, with nothing but the link and the station's key.
func (j *journey) openssl() error {
	for file, args := range map[string][]string{
		"station.pem": {"key", "export", "--device", fmt.Sprint(j.program.Desk().Enrolment().Device)}, "platform.pem": {"key", "export", "--platform"},
	} {
		pem, err := j.county.Run(j.ctx, args[0], args[1:]...)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(j.out, file), pem, 0o644); err != nil {
			return err
		}
	}
	return j.opensslSays(j.links[1], "station.pem")
}

func (j *journey) opensslSays(link, pem string) error {
	script, err := documented("docs/receipt.md")
	if err != nil {
		return err
	}
	run := func(l string) (string, error) {
		out, err := exec.CommandContext(j.ctx, "sh", "-c", script, "check.sh", l, filepath.Join(j.out, pem)).CombinedOutput()
		return string(out), err
	}
	out, err := run(link)
	if err != nil || !strings.Contains(out, "Verified Successfully") {
		return fmt.Errorf("OpenSSL says %q: %v", clip(out), err)
	}
	if out, err := run(link[:len(link)-6] + "000" + link[len(link)-3:]); err == nil {
		return fmt.Errorf("OpenSSL takes a changed signature: %q", clip(out))
	}
	return nil
}

// documented returns the first sh block of a page.
func documented(page string) (string, error) {
	b, err := os.ReadFile(page)
	if err != nil {
		return "", err
	}
	_, rest, ok := strings.Cut(string(b), "```sh\n")
	if !ok {
		return "", errors.New("no commands in " + page)
	}
	script, _, _ := strings.Cut(rest, "```")
	return script, nil
}

// seen is what test/page.mjs prints of the page.
type seen struct {
	State string
	Stage any
	Texts any
	Phone string
}

func (j *journey) look(link, shot string, args ...string) (seen, string, error) {
	picture := filepath.Join(j.out, "screens", shot+".png")
	if j.plain {
		picture = filepath.Join(j.out, shot+".png")
	}
	out, err := j.tool("node", append([]string{"assets/receipt-page/test/page.mjs", link, picture}, args...)...)
	if err != nil {
		return seen{}, out, err
	}
	var s seen
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		return s, out, fmt.Errorf("%w: %s", err, clip(out))
	}
	return s, out, nil
}

// pageWants opens a link on a phone and is an error unless the page comes to that state and says these words.
func (j *journey) pageWants(link, shot, state string, says []string, args ...string) error {
	s, all, err := j.look(link, shot, args...)
	if err != nil {
		return err
	}
	j.report.figure(shot, s.State)
	if s.State != state {
		return fmt.Errorf("the page says %q, want %q: %s", s.State, state, clip(all))
	}
	for _, t := range says {
		if !strings.Contains(all, t) {
			return fmt.Errorf("the page does not say %q: %s", t, clip(all))
		}
	}
	return nil
}

func (j *journey) phone() error {
	profile := filepath.Join(j.work, "phone")
	return steps(
		func() error {
			return j.pageWants(j.links[1], "phone-accepted", "confirmed", []string{"0999-6001201"}, "--profile", profile)
		},
		j.county.Down,
		func() error {
			return j.pageWants(j.links[1], "phone-offline", "genuine", nil, "--profile", profile)
		},
		func() error { return j.county.Up(j.ctx) },
		func() error { return j.pageWants(j.links[2], "phone-stage-2", "confirmed", nil, "--profile", profile) },
	)
}

func (j *journey) phoneForged() error {
	l := j.links[1]
	forged := l[:len(l)-40] + strings.Map(func(r rune) rune {
		if r == '0' {
			return '1'
		}
		return '0'
	}, l[len(l)-40:len(l)-38]) + l[len(l)-38:]
	device, withdrawn, err := j.anotherMachine()
	if err != nil {
		return err
	}
	return steps(
		func() error { return j.pageWants(forged, "phone-forged", "forged", nil) },
		func() error { return j.pageWants(withdrawn, "phone-other-station", "confirmed", nil) },
		func() error {
			_, err := j.county.Run(j.ctx, "key", "revoke", "--device", device, "--reason", "lost")
			return err
		},
		func() error { return j.pageWants(withdrawn, "phone-withdrawn", "confirmed", []string{"停用"}) },
	)
}

// anotherMachine takes a case in on the machine that was enrolled first, and delivers it. It is the one that gets lost.
func (j *journey) anotherMachine() (device, link string, err error) {
	d, err := desk.Open(desk.Config{Dir: filepath.Join(j.work, "first")})
	if err != nil {
		return "", "", err
	}
	defer d.Close() // nothing is written after the exchange
	s, err := d.Login(j.ctx, "wang", demo.PINs()["wang"])
	if err != nil {
		return "", "", err
	}
	if err := os.WriteFile(filepath.Join(j.work, "card.jpg"), j.photo, 0o600); err != nil {
		return "", "", err
	}
	line, err := os.ReadFile("offline/desk/testdata/gaoling.json")
	if err != nil {
		return "", "", err
	}
	got, err := s.SubmitAnswers(j.ctx, "gaoling", line, j.work)
	if err != nil {
		return "", "", err
	}
	l, err := linkpkg.New(d, linkpkg.Options{})
	if err != nil {
		return "", "", err
	}
	defer l.Close()
	_, err = l.Once(j.ctx)
	return fmt.Sprint(d.Enrolment().Device), got.Link, err
}
