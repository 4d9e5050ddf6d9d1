package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryModuleHasALicence holds that THIRD_PARTY.md has a row, with a licence, for every module that is linked into
// one of the programs.
func TestEveryModuleHasALicence(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "THIRD_PARTY.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{} // by module: its licence
	for _, line := range strings.Split(string(page), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			continue
		}
		rows[strings.TrimSpace(cells[1])] = strings.TrimSpace(cells[3])
	}
	linked := map[string]bool{}
	for _, program := range [][]string{{"-tags", "x11,no_emoji,migrated_fynedo", "."}, {"./sync/gatewayd"}} {
		cmd := exec.Command("go", append([]string{"list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}"}, program...)...)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list %v: %v", program, err)
		}
		for _, m := range strings.Fields(string(out)) {
			linked[m] = m != "bianmin"
		}
	}
	if len(linked) < 20 {
		t.Fatalf("only %d modules", len(linked))
	}
	for m, theirs := range linked {
		if theirs && rows[m] == "" {
			t.Errorf("THIRD_PARTY.md has no row for %s", m)
		}
	}
}
