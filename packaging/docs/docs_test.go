package docs

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const root = "../.."

// most is how long the blocks of one page may take; they need a second or two.
const most = 2 * time.Minute

// begin and end mark the output of each block.
const mark = "=== block"

// TestShellBlocks runs every shell block of the format pages, word for word and in order, one bash for each page, in a
// folder of its own. What the pages say should be equal is compared.
func TestShellBlocks(t *testing.T) {
	for _, tool := range []string{"bash", "jq", "xxd", "openssl", "zstd"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("the pages use %s: run \"packaging/setup.sh test\": %v", tool, err)
		}
	}
	for _, page := range []struct {
		name  string
		check []func(t *testing.T, lines []string) // one for each block
	}{
		{"journal.md", []func(*testing.T, []string){pairs(4), all(pairs(2), verified)}},
		{"packet.md", []func(*testing.T, []string){verified, nothing, pairs(2)}},
		{"keys.md", []func(*testing.T, []string){keys}},
	} {
		t.Run(page.name, func(t *testing.T) {
			blocks := shellBlocks(t, page.name)
			if len(blocks) != len(page.check) {
				t.Fatalf("%d shell blocks, %d are checked: say what the new one proves", len(blocks), len(page.check))
			}
			for i, out := range runBlocks(t, blocks) {
				page.check[i](t, out)
			}
		})
	}
}

// shellBlocks returns the shell blocks of a page.
func shellBlocks(t *testing.T, page string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i, part := range strings.Split("\n"+string(data), "\n```") {
		if block, ok := strings.CutPrefix(part, "sh\n"); ok && i%2 == 1 {
			out = append(out, block)
		}
	}
	return out
}

// runBlocks runs blocks in one bash, as a reader pastes them one after the other, and returns the lines each printed.
func runBlocks(t *testing.T, blocks []string) [][]string {
	t.Helper()
	dir := t.TempDir()
	offline, err := filepath.Abs(filepath.Join(root, "offline"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(offline, filepath.Join(dir, "offline")); err != nil { // paths are those at the root of the project
		t.Fatal(err)
	}
	script := "set -eu\n"
	for _, b := range blocks {
		script += "echo '" + mark + "'\n" + b + "\n"
	}
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
	}
	var lines [][]string
	for part := range strings.SplitSeq(strings.TrimPrefix(out.String(), mark+"\n"), mark+"\n") {
		var of []string
		for l := range strings.Lines(part) {
			of = append(of, strings.TrimSpace(l))
		}
		lines = append(lines, of)
	}
	if len(lines) != len(blocks) {
		t.Fatalf("%d blocks, output of %d:\n%s", len(blocks), len(lines), out.String())
	}
	return lines
}

// pairs checks that the first n lines are what the page calls equal, two by two: long values, in their first word.
func pairs(n int) func(*testing.T, []string) {
	return func(t *testing.T, lines []string) {
		t.Helper()
		if len(lines) < n {
			t.Fatalf("%d lines, want %d: %q", len(lines), n, lines)
		}
		for i := 0; i < n; i += 2 {
			a, _, _ := strings.Cut(lines[i], " ")
			b, _, _ := strings.Cut(lines[i+1], " ")
			if a != b || len(a) < 64 {
				t.Errorf("lines %d and %d differ:\n%s\n%s", i+1, i+2, lines[i], lines[i+1])
			}
		}
	}
}

func verified(t *testing.T, lines []string) {
	t.Helper()
	if n := len(lines); n == 0 || lines[n-1] != "Signature Verified Successfully" {
		t.Errorf("OpenSSL says %q", lines)
	}
}

func nothing(t *testing.T, lines []string) {
	t.Helper()
	if len(lines) != 0 {
		t.Errorf("not expected: %q", lines)
	}
}

func all(checks ...func(*testing.T, []string)) func(*testing.T, []string) {
	return func(t *testing.T, lines []string) {
		t.Helper()
		for _, c := range checks {
			c(t, lines)
		}
	}
}

// keys checks that the file's mac is the one computed, and that both secrets are in what the slot opens to.
func keys(t *testing.T, lines []string) {
	t.Helper()
	pairs(2)(t, lines)
	if len(lines) < 5 {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	opened := strings.Join(lines[2:len(lines)-2], "")
	for _, secret := range lines[len(lines)-2:] {
		if len(secret) < 32 || !strings.Contains(opened, secret) {
			t.Errorf("%s is not in %s", secret, opened)
		}
	}
}
