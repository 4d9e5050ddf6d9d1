package house

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// TestNothingTurnsSyncsOff holds that the product has no switch that makes bbolt answer before the disk did. The tests'
// control does it from outside, in the kernel.
func TestNothingTurnsSyncsOff(t *testing.T) {
	eachFile(t, func(path string, f *ast.File, set *token.FileSet) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && (id.Name == "NoSync" || id.Name == "NoGrowSync" || id.Name == "NoFreelistSync") {
				t.Errorf("%s: %s is never used", set.Position(id.Pos()), id.Name)
			}
			return true
		})
	})
}

// measures are the files that may call time.Now, because they wait or measure: nobody reads later what it said. Whatever
// stamps or decides takes a clocks.Clock.
var measures = map[string]string{
	"offline/vault/tpmtest/":   "tests only",
	"sync/gateway/exchange.go": "how long a backlog waits for more",
	"sync/gateway/project.go":  "how long a backlog waits for more",
	"offline/clocks/clocks.go": "the one place",
	"offline/store/store.go":   "how long opening may take",
	"sync/client/blob.go":      "the pace of an upload",
	"sync/engine/engine.go":    "waits between rounds",
	"sync/engine/freight.go":   "the pace of packets, pauses after failures",
	"sync/engine/turn.go":      "the pace of packets, the length of a poll",
	"sync/gateway/blobs.go":    "deadlines of connections",
	"sync/gateway/http.go":     "deadlines of connections, requests in a second",
	"app/tour/":                "a report of how long things took",
	"app/device/printer/":      "how long a printer may take, and how long a paper takes",
	"app/device/spool/run.go":  "the pause before a job is tried again",
}

// TestOnlyClocksReadTheClock holds that the wall clock is read in one place.
func TestOnlyClocksReadTheClock(t *testing.T) {
	used := map[string]bool{}
	eachFile(t, func(path string, f *ast.File, set *token.FileSet) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok || s.Sel.Name != "Now" {
				return true
			}
			if x, ok := s.X.(*ast.Ident); !ok || x.Name != "time" {
				return true
			}
			for file := range measures {
				if path == file || strings.HasSuffix(file, "/") && strings.HasPrefix(path, file) {
					used[file] = true
					return true
				}
			}
			t.Errorf("%s: time.Now is read in offline/clocks only: take a clocks.Clock", set.Position(s.Pos()))
			return true
		})
	})
	for file := range measures {
		if !used[file] {
			t.Errorf("%s is excused and does not call time.Now", file)
		}
	}
}
