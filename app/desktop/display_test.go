package desktop

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"bianmin/app/cli"
	"bianmin/assets/translations"
)

func TestDisplay(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("only Linux asks for a display")
		return
	}
	for name, fails := range map[string]bool{"": true, ":64999": true, "unix:64999.0": true, "station.example:10.0": false} {
		t.Setenv("DISPLAY", name)
		if err := display(); (err != nil) != fails {
			t.Errorf("DISPLAY=%q: %v", name, err)
		}
	}
}

func TestNoDisplayPointsToTheTour(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("only Linux asks for a display")
		return
	}
	t.Setenv("DISPLAY", "")
	texts, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	env, err := cli.NewEnv(texts)
	if err != nil {
		t.Fatal(err)
	}
	defer env.Close()
	noApp := func(string) fyne.App {
		t.Error("a window was opened without a display")
		return nil
	}
	dir := filepath.Join(t.TempDir(), "data")
	for name, run := range map[string]func() int{
		"window": func() int { return Run(t.Context(), Options{NewApp: noApp, Env: env, Dir: dir, Demo: true}) },
		"hello":  func() int { return Hello(t.Context(), env, noApp) },
	} {
		var errs bytes.Buffer
		env.Err = &errs
		if code := run(); code != cli.ExitFailed || !strings.Contains(errs.String(), "make tour") {
			t.Errorf("%s: exit %d: %s", name, code, errs.String())
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder was touched: %v", err)
	}
}
