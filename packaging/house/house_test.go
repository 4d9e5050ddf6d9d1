package house

import (
	"bytes"
	"debug/elf"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bianmin/assets/translations"
)

const root = "../.."

// rules say which packages (a path, or a path with /... below it) may never reach which others, and why.
var rules = []struct {
	of   []string
	deny []string
	why  string
}{
	{[]string{"./offline/..."}, []string{"net/http", "github.com/go-resty/", "fyne.io/", "bianmin/sync"}, "offline work knows no network and no window"},
	{
		[]string{"./offline/form", "./offline/ident", "./offline/pinyin/...", "./offline/receipt", "./offline/journal", "./offline/packet", "./offline/frame", "./offline/canon", "./offline/words", "./offline/casefile", "./offline/people", "./offline/catalog", "./offline/counter"},
		[]string{"go.etcd.io/bbolt"},
		"formats and rules know no database",
	},
	{[]string{"./sync/engine"}, []string{"go.etcd.io/bbolt", "github.com/go-resty/", "fyne.io/"}, "the engine declares the small interfaces it needs"},
	{[]string{"./app/vm"}, []string{"fyne.io/", "go.etcd.io/bbolt", "github.com/go-resty/"}, "view models are tested without a window"},
	{[]string{"./app/screen", "./app/look", "./app/input"}, []string{"go.etcd.io/bbolt", "github.com/go-resty/"}, "screens see view models only"},
	{[]string{"./sync/gateway/...", "./sync/gatewayd"}, []string{"fyne.io/", "go.etcd.io/bbolt", "github.com/go-resty/"}, "the gateway is a server"},
}

const tags = "no_emoji,migrated_fynedo,test,nowindow"

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-tags", tags}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v\n%s", args, err, errs.String())
	}
	return strings.Fields(string(out))
}

func TestImportDirections(t *testing.T) {
	for _, r := range rules {
		for _, of := range r.of {
			for _, pkg := range goList(t, of) {
				for _, dep := range goList(t, "-deps", pkg) {
					for _, d := range r.deny {
						if dep == strings.TrimSuffix(d, "/") || strings.HasPrefix(dep, strings.TrimSuffix(d, "/")+"/") {
							t.Errorf("%s reaches %s: %s", pkg, dep, r.why)
						}
					}
				}
			}
		}
	}
}

// TestOnlyMainOpensTheDriver holds that every screen test builds without cgo.
func TestOnlyMainOpensTheDriver(t *testing.T) {
	eachFile(t, func(path string, f *ast.File, _ *token.FileSet) {
		for _, im := range f.Imports {
			if im.Path.Value == `"fyne.io/fyne/v2/app"` && path != "main_window.go" {
				t.Errorf("%s imports Fyne's driver; only main_window.go may", path)
			}
		}
	})
}

func TestGatewayBuildsStatic(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "gatewayd")
	cmd := exec.Command("go", "build", "-o", bin, "./sync/gatewayd")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f, err := elf.Open(bin)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libs, err := f.ImportedLibraries()
	if err != nil || len(libs) > 0 || f.Section(".interp") != nil {
		t.Errorf("not static: libraries %v, %v", libs, err)
	}
}

// eachFile visits the Go files of the project.
func eachFile(t *testing.T, fn func(path string, f *ast.File, set *token.FileSet)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "node_modules" || name == "tour" && filepath.Dir(path) == root || name == "bin" || strings.HasPrefix(name, ".") && path != root) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		fn(rel, f, set)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreShort(t *testing.T) {
	const most = 600
	eachFile(t, func(path string, f *ast.File, set *token.FileSet) {
		if n := set.File(f.Pos()).LineCount(); n > most && !strings.HasSuffix(path, "_test.go") {
			t.Errorf("%s has %d lines, at most %d", path, n, most)
		}
	})
}

func TestEveryPackageAndExportedNameIsDocumented(t *testing.T) {
	documented := map[string]bool{}
	eachFile(t, func(path string, f *ast.File, _ *token.FileSet) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		dir := filepath.Dir(path)
		documented[dir] = documented[dir] || f.Doc != nil
		for _, d := range f.Decls {
			checkDecl(t, path, d)
		}
	})
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no comment", dir)
		}
	}
}

func checkDecl(t *testing.T, path string, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
			t.Errorf("%s: func %s has no comment", path, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && s.Doc == nil && d.Doc == nil {
					t.Errorf("%s: type %s has no comment", path, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
						t.Errorf("%s: %s has no comment", path, n.Name)
					}
				}
			}
		}
	}
}

// exportedReceiver reports whether a function is reachable from outside: a plain one, or a method of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

// TestEveryWordExists finds the keys of errors for people in the source and looks them up in both languages.
func TestEveryWordExists(t *testing.T) {
	texts, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	eachFile(t, func(path string, f *ast.File, _ *token.FileSet) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok || len(c.Args) == 0 {
				return true
			}
			s, ok := c.Fun.(*ast.SelectorExpr)
			if !ok || s.Sel.Name != "New" {
				return true
			}
			if x, ok := s.X.(*ast.Ident); !ok || x.Name != "words" {
				return true
			}
			lit, ok := c.Args[0].(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			key, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(key, ".") {
				return true // a prefix: what follows comes from a table of its own
			}
			found++
			for _, lang := range []string{"zh", "en"} {
				if !texts.Has(lang, key) {
					t.Errorf("%s: no %s text for %q", path, lang, key)
				}
			}
			return true
		})
	})
	if found < 50 {
		t.Fatalf("found only %d keys: the search is broken", found)
	}
}

// TestNothingNamesAWorkplace keeps paths of a developer's machine and registry hosts out of the project.
func TestNothingNamesAWorkplace(t *testing.T) {
	hosts := []string{"proxy" + `\.` + "golang", "registry" + `\.` + "npm", "deb" + `\.` + "debian"}
	bad := regexp.MustCompile(`(?i)/` + "(work|root)/" + `|https?://(` + strings.Join(hosts, "|") + ")")
	cmd := exec.Command("git", "ls-files", "-co", "--exclude-standard")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	skip := []string{"go.sum"}
	for _, name := range strings.Fields(string(out)) {
		if slices.Contains(skip, name) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0 {
			continue
		}
		if m := bad.Find(data); m != nil {
			t.Errorf("%s names %q", name, m)
		}
	}
}
