package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestJourney walks the whole journey, as make tour does: the screens, the machine, the gateway program, zbarimg, OpenSSL
// and a browser.
func TestJourney(t *testing.T) {
	if err := os.Chdir("../.."); err != nil { // documented commands and the page's test script stand at the root
		t.Fatal(err)
	}
	gatewayd := filepath.Join(t.TempDir(), "bianmin-gatewayd")
	build := exec.Command("go", "build", "-o", gatewayd, "./sync/gatewayd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the gateway: %v\n%s", err, out)
	}
	ok, err := tour(t.Context(), gatewayd, filepath.Join(t.TempDir(), "tour"), false)
	if err != nil || !ok {
		t.Fatalf("the journey failed: %v; make tour leaves the screenshots", err)
	}
}
