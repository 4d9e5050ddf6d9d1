package house

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestThreatsNameTheirTests holds docs/threats.md: every test it names exists, every line of its table names one, and what
// is not promised is said.
func TestThreatsNameTheirTests(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "threats.md"))
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	eachFile(t, func(path string, f *ast.File, _ *token.FileSet) {
		if !strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				have[fn.Name.Name] = true
			}
		}
	})
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	lines, tests := 0, 0
	for line := range strings.SplitSeq(string(page), "\n") {
		found := named.FindAllStringSubmatch(line, -1)
		for _, m := range found {
			tests++
			if !have[m[1]] {
				t.Errorf("there is no test %s", m[1])
			}
		}
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| Threat ") {
			if lines++; len(found) == 0 || strings.Count(line, "|") != 5 {
				t.Errorf("a line without a test, or without its four columns: %.60s", line)
			}
		}
	}
	if lines < 12 || tests < 40 || !strings.Contains(string(page), "## What is not promised") {
		t.Errorf("%d threats, %d tests", lines, tests)
	}
}
