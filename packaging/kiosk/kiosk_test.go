// Package kiosk tests the session that makes a machine a kiosk: kiosk.sh and the files it installs.
package kiosk

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tree lists what is under a folder: names, modes, where links lead, contents.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	if err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		what := info.Mode().String()
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			what += " -> " + to
		case d.Type().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			what += " " + string(data)
		}
		out[name] = what
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func run(t *testing.T, wantOK bool, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", append([]string{"kiosk.sh"}, args...)...).CombinedOutput()
	if (err == nil) != wantOK {
		t.Fatalf("kiosk.sh %v: %v\n%s", args, err, out)
	}
	if len(bytes.TrimSpace(out)) == 0 {
		t.Fatalf("kiosk.sh %v says nothing", args)
	}
	return string(out)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestInstalledAndRemovedByOneCommand: every file of files/ arrives; what is there of others is not written over; afterwards the
// machine is as it was, the login screen included; the data goes only when asked.
func TestInstalledAndRemovedByOneCommand(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "etc/udev/rules.d/99-other.rules"), "other")
	units := filepath.Join(root, "etc/systemd/system")
	if err := os.MkdirAll(units, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/lib/systemd/system/lightdm.service", filepath.Join(units, "display-manager.service")); err != nil {
		t.Fatal(err)
	}
	before := tree(t, root)
	run(t, false, "status", "--root", root)
	run(t, true, "install", "--root", root)
	after := tree(t, root)
	for name, want := range tree(t, "files") {
		if got := after[name]; got != want {
			t.Errorf("%s: installed %.40q, want %.40q", name, got, want)
		}
	}
	if got := after["etc/systemd/system/ctrl-alt-del.target"]; !strings.HasSuffix(got, "-> /dev/null") {
		t.Errorf("ctrl-alt-del: %q", got)
	}
	run(t, true, "status", "--root", root)
	run(t, false, "install", "--root", root)

	rules := filepath.Join(root, "etc/udev/rules.d/70-bianmin-devices.rules")
	write(t, rules, "changed")
	if out := run(t, false, "status", "--root", root); !strings.Contains(out, rules) {
		t.Errorf("a changed file is not named: %s", out)
	}
	data := filepath.Join(root, "var/lib/bianmin-kiosk/bianmin/store.db")
	write(t, data, "cases")
	run(t, true, "remove", "--root", root)
	if _, err := os.Stat(data); err != nil {
		t.Errorf("the data went without being asked for: %v", err)
	}
	run(t, true, "install", "--root", root)
	run(t, true, "remove", "--root", root, "--purge")
	if err := os.Remove(filepath.Join(root, "var/lib")); err != nil { // ours: made for the data
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(root, "var")); err != nil {
		t.Fatal(err)
	}
	left := tree(t, root)
	for name, want := range before {
		if left[name] != want {
			t.Errorf("%s is %q afterwards, was %q", name, left[name], want)
		}
	}
	for name := range left {
		if _, ok := before[name]; !ok {
			t.Errorf("%s is left", name)
		}
	}
	run(t, false, "remove", "--root", root)
}

func TestNothingOfOthersIsWrittenOver(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "etc/sysctl.d/90-bianmin-kiosk.conf"), "another's")
	before := tree(t, root)
	run(t, false, "install", "--root", root)
	if got := tree(t, root); fmt.Sprint(got) != fmt.Sprint(before) {
		t.Errorf("a refused installation left %v", got)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("files", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestDevicesAreNotForAll: every rule gives a device to the group of the counter, and to nobody else.
func TestDevicesAreNotForAll(t *testing.T) {
	groups := read(t, "usr/lib/sysusers.d/bianmin-kiosk.conf")
	rules := 0
	for line := range strings.Lines(read(t, "etc/udev/rules.d/70-bianmin-devices.rules")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		rules++
		if !strings.HasPrefix(line, `SUBSYSTEM=="`) || !strings.HasSuffix(line, `, GROUP="bianmin-devices", MODE="0660"`) || strings.Contains(line, "uaccess") {
			t.Errorf("rule %s", line)
		}
	}
	if rules < 4 {
		t.Errorf("%d rules", rules)
	}
	for _, want := range []string{"g bianmin-devices", "u bianmin-kiosk", "/usr/sbin/nologin", "m bianmin-kiosk bianmin-devices"} {
		if !strings.Contains(groups, want) {
			t.Errorf("sysusers lacks %q", want)
		}
	}
	if m := read(t, "usr/lib/tmpfiles.d/bianmin-kiosk.conf"); !regexp.MustCompile(`^d /var/lib/bianmin-kiosk 0700 bianmin-kiosk bianmin-kiosk`).MatchString(m) {
		t.Errorf("data folder: %s", m)
	}
}

// TestNoWayToTheDesktop: the window manager has no key, button or menu, X does not change consoles, and the kernel's and the
// machine's own keys do nothing.
func TestNoWayToTheDesktop(t *testing.T) {
	var config struct {
		Keyboard []any `xml:"keyboard>keybind"`
		Mouse    []any `xml:"mouse>context"`
		Menu     []any `xml:"menu>file"`
		Desktops int   `xml:"desktops>number"`
		Apps     []struct {
			Class string `xml:"class,attr"`
			Full  string `xml:"fullscreen"`
			Decor string `xml:"decor"`
		} `xml:"applications>application"`
	}
	text := read(t, "usr/lib/bianmin-kiosk/openbox.xml")
	if err := xml.Unmarshal([]byte(text), &config); err != nil {
		t.Fatal(err)
	}
	if len(config.Keyboard)+len(config.Mouse)+len(config.Menu) != 0 || config.Desktops != 1 ||
		!strings.Contains(text, "<keyboard/>") || !strings.Contains(text, "<mouse/>") || !strings.Contains(text, "<menu/>") {
		t.Errorf("openbox: %+v", config)
	}
	if len(config.Apps) != 1 || config.Apps[0].Class != "*" || config.Apps[0].Full != "yes" || config.Apps[0].Decor != "no" {
		t.Errorf("windows: %+v", config.Apps)
	}
	for path, lines := range map[string][]string{
		"etc/X11/xorg.conf.d/90-bianmin-kiosk.conf":       {`Option "DontVTSwitch" "true"`, `Option "DontZap" "true"`},
		"etc/systemd/logind.conf.d/90-bianmin-kiosk.conf": {"NAutoVTs=0", "ReserveVT=0", "HandlePowerKey=ignore"},
		"etc/sysctl.d/90-bianmin-kiosk.conf":              {"kernel.sysrq = 0"},
		"etc/systemd/system/bianmin-kiosk.service":        {"User=bianmin-kiosk", "Restart=always", "StartLimitIntervalSec=0", "LimitCORE=0"},
	} {
		have := strings.Split(read(t, path), "\n")
		for i := range have {
			have[i] = strings.TrimSpace(have[i])
		}
		for _, l := range lines {
			if !slices.Contains(have, l) {
				t.Errorf("%s lacks %q", path, l)
			}
		}
	}
}

// TestUnitIsOne asks systemd itself about the unit, in a folder with the programs it names.
func TestUnitIsOne(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here: systemd cannot be asked about the unit")
	}
	root := t.TempDir()
	run(t, true, "install", "--root", root)
	if out, err := exec.Command("cp", "-r", "--parents", "/usr/lib/systemd/system", root).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for _, p := range []string{"usr/bin/xinit", "usr/bin/chvt"} {
		write(t, filepath.Join(root, p), "#!/bin/sh\n")
		if err := os.Chmod(filepath.Join(root, p), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(analyze, "verify", "--man=no", "--root="+root, "bianmin-kiosk.service").CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("bianmin-kiosk")) {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestSessionStartsTheProgramAgain kills the program in the session: it is there again in less than ten seconds, each time, and
// ends with the session.
func TestSessionStartsTheProgramAgain(t *testing.T) {
	stubs := t.TempDir()
	fifo := filepath.Join(stubs, "started")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"openbox": "exec sleep 600",
		"xset":    ":",
		"program": `echo "$$ $* ${FYNE_SCALE:-clean} $(ulimit -c)" >"` + fifo + `"; exec sleep 600`,
	} {
		path := filepath.Join(stubs, name)
		write(t, path, "#!/bin/sh\n"+text+"\n")
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	session := exec.CommandContext(ctx, filepath.Join("files", "usr/lib/bianmin-kiosk/session"))
	session.Env = append(os.Environ(), "PATH="+stubs+":"+os.Getenv("PATH"), "BIANMIN_PROGRAM="+filepath.Join(stubs, "program"), "FYNE_SCALE=3")
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for ctx.Err() == nil {
			f, err := os.Open(fifo) // waits for the program
			if err != nil {
				return
			}
			for sc := bufio.NewScanner(f); sc.Scan(); {
				lines <- sc.Text()
			}
			f.Close()
		}
	}()
	var pid int
	for round := range 3 {
		select {
		case line := <-lines:
			var args, scale, cores string
			if _, err := fmt.Sscan(line, &pid, &args, &scale, &cores); err != nil || args != "--kiosk" || scale != "clean" || cores != "0" {
				t.Fatalf("the program was started as %q", line)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("round %d: the program is not there again", round)
		}
		if round < 2 {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := session.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := session.Wait(); err != nil {
		t.Fatalf("session: %v", err)
	}
	gone := func() bool {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err != nil || strings.Contains(string(data), ") Z ")
	}
	for !gone() {
		if ctx.Err() != nil {
			t.Fatal("the program outlives the session")
		}
	}
	cancel()
	if f, err := os.OpenFile(fifo, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil { // lets the reader go
		f.Close()
	}
}
