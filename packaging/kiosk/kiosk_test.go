package kiosk

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// run runs the script and returns what it says.
func run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("./kiosk.sh", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("kiosk.sh %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// tree returns all files below dir with their modes.
func tree(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	out := map[string]fs.FileMode{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		out[strings.TrimPrefix(path, dir)] = info.Mode().Perm()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var want = map[string]fs.FileMode{
	"/etc/systemd/system/bianmin-kiosk.service":     0o644,
	"/usr/lib/bianmin/kiosk/session":                0o755,
	"/usr/lib/bianmin/kiosk/openbox.xml":            0o644,
	"/etc/X11/xorg.conf.d/10-bianmin-kiosk.conf":    0o644,
	"/etc/udev/rules.d/70-bianmin-devices.rules":    0o644,
	"/etc/sysusers.d/bianmin-kiosk.conf":            0o644,
	"/etc/tmpfiles.d/bianmin-kiosk.conf":            0o644,
	"/etc/sysctl.d/90-bianmin-kiosk.conf":           0o644,
	"/etc/systemd/logind.conf.d/bianmin-kiosk.conf": 0o644,
}

func TestInstallPutsEveryFileAndRemoveLeavesNothing(t *testing.T) {
	root := t.TempDir()
	strange := filepath.Join(root, "etc/udev/rules.d/99-other.rules")
	if err := os.MkdirAll(filepath.Dir(strange), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(strange, []byte("# not ours\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := tree(t, root)
	if said := run(t, "install", "--root", root, "--dry-run"); !strings.Contains(said, "70-bianmin-devices.rules") || len(tree(t, root)) != 1 {
		t.Errorf("a dry run writes, or says nothing: %q", said)
	}
	for range 2 { // a second time changes nothing
		said := run(t, "install", "--root", root)
		for _, word := range []string{"systemctl ", "udevadm ", "systemd-sysusers "} {
			if strings.Contains("\n"+said, "\n"+word) {
				t.Errorf("with --root the machine itself is touched: %s", said)
			}
		}
		got := tree(t, root)
		delete(got, strings.TrimPrefix(strange, root))
		if len(got) != len(want) {
			t.Errorf("installed %v", got)
		}
		for path, mode := range want {
			if got[path] != mode {
				t.Errorf("%s has mode %o, want %o", path, got[path], mode)
			}
		}
	}
	run(t, "remove", "--root", root)
	if got := tree(t, root); len(got) != 1 || got["/etc/udev/rules.d/99-other.rules"] != before["/etc/udev/rules.d/99-other.rules"] {
		t.Errorf("left after removal: %v", got)
	}
	for _, dir := range []string{"usr/lib/bianmin", "etc/sysusers.d", "etc/X11/xorg.conf.d", "etc/systemd/logind.conf.d"} { // no package owns them
		if _, err := os.Stat(filepath.Join(root, dir)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", dir, err)
		}
	}
	run(t, "remove", "--root", root) // nothing to remove is no fault
	said := run(t, "install", "--dry-run")
	for _, word := range []string{"systemd-sysusers", "systemd-tmpfiles", "udevadm control --reload", "systemctl enable bianmin-kiosk.service"} {
		if !strings.Contains(said, word) {
			t.Errorf("a dry run on the machine does not say %q", word)
		}
	}
	said = run(t, "remove", "--purge", "--dry-run")
	for _, word := range []string{"systemctl stop bianmin-kiosk.service", "systemctl disable bianmin-kiosk.service", "loginctl terminate-user bianmin-kiosk", "rm -rf /var/lib/bianmin-kiosk"} {
		if !strings.Contains(said, word) {
			t.Errorf("a dry run of the removal does not say %q", word)
		}
	}
	if err := exec.Command("./kiosk.sh", "paint").Run(); err == nil {
		t.Error("an unknown act is taken")
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// lines are those that are no comment.
func lines(text string) (out []string) {
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			out = append(out, l)
		}
	}
	return out
}

func TestDevicesAreOpenToOneGroupOnly(t *testing.T) {
	mode := regexp.MustCompile(`MODE="(\d+)"`)
	rules := lines(read(t, "70-bianmin-devices.rules"))
	for _, l := range rules {
		m := mode.FindStringSubmatch(l)
		if m == nil || m[1] != "0660" || !strings.Contains(l, `GROUP="bianmin-devices"`) {
			t.Errorf("%s", l)
		}
		if strings.Count(l, `"`)%2 != 0 {
			t.Errorf("quotes: %s", l)
		}
	}
	for _, kind := range []string{"usbmisc", "video4linux", "ttyUSB", "hidraw"} {
		if !slices.ContainsFunc(rules, func(l string) bool { return strings.Contains(l, kind) }) {
			t.Errorf("no rule for %s", kind)
		}
	}
	if !strings.Contains(read(t, "bianmin-kiosk.sysusers"), "g bianmin-devices") {
		t.Error("nobody makes the group")
	}
}

func TestTheSessionHasNoWayOut(t *testing.T) {
	x := read(t, "10-bianmin-kiosk.conf")
	for _, option := range []string{`Option "DontVTSwitch" "true"`, `Option "DontZap" "true"`, `"srvrkeys:none"`} {
		if !strings.Contains(x, option) {
			t.Errorf("X does not have %s", option)
		}
	}
	openbox := read(t, "openbox.xml")
	d := xml.NewDecoder(strings.NewReader(openbox))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && (e.Name.Local == "keybind" || e.Name.Local == "file") {
			t.Errorf("the window manager has a %s", e.Name.Local)
		}
	}
	unit := read(t, "bianmin-kiosk.service")
	for _, line := range []string{"User=bianmin-kiosk", "Restart=always", "Conflicts=getty@tty1.service", "StartLimitIntervalSec=0", "LimitCORE=0"} {
		if !slices.Contains(lines(unit), line) {
			t.Errorf("the unit does not say %s", line)
		}
	}
	if !slices.Contains(lines(read(t, "90-bianmin-kiosk.sysctl")), "kernel.sysrq = 0") {
		t.Error("the magic keys are on")
	}
	for _, script := range []string{"session", "boot-test.sh"} {
		if out, err := exec.Command("sh", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", script, out)
		}
	}
	if !strings.Contains(read(t, "bianmin-kiosk.sysusers"), "/usr/sbin/nologin") {
		t.Error("the user has a shell")
	}
}

// systemd itself reads the unit, where there is one.
func TestSystemdTakesTheUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("no systemd-analyze here: the unit is only read by this test's own eyes")
		return
	}
	unit := filepath.Join(t.TempDir(), "bianmin-kiosk.service")
	text := strings.ReplaceAll(read(t, "bianmin-kiosk.service"), "/usr/bin/xinit", "/bin/true") // which need not be installed here
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil || strings.Contains(string(out), "Unknown key") {
		t.Errorf("%v: %s", err, out)
	}
}
