package durable

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func names(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range list {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func TestAFileIsReplacedWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "settings.json")
	for _, want := range []string{"one", "", strings.Repeat("long ", 100_000)} {
		if err := WriteFile(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("%d bytes for %d, %v", len(got), len(want), err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if got := names(t, dir); got != "settings.json" {
		t.Errorf("the folder holds %s", got)
	}
}

// TestAFailureLeavesTheOldFile puts a folder where the file belongs: the rename fails, at the last moment.
func TestAFailureLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "kept")
	if err := os.MkdirAll(filepath.Join(path, "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := WriteFile(path, []byte("new"))
	if err == nil || !strings.Contains(err.Error(), "write kept") {
		t.Errorf("a file over a folder: %v", err)
	}
	if got := names(t, dir) + " " + names(t, path); got != "kept inside" {
		t.Errorf("the folder holds %s", got)
	}
	if err := WriteFile(filepath.Join(dir, "none", "file"), nil); !os.IsNotExist(unwrap(err)) {
		t.Errorf("no folder: %v", err)
	}
}

func unwrap(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		if err = u.Unwrap(); os.IsNotExist(err) {
			return err
		}
	}
}
