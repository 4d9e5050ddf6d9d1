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
