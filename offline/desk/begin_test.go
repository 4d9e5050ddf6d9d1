package desk_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/vault"
)

func TestCutEnrolmentIsTriedAgain(t *testing.T) {
	m := desktest.New(t)
	cfg, g := m.Config, m.Grant
	cfg.Dir = filepath.Join(t.TempDir(), "fresh")
	code := []byte("code no1")
	begin := func(code []byte) (sign, seal vault.PrivateKey) {
		t.Helper()
		sign, seal, err := desk.Begin(cfg, code)
		if err != nil {
			t.Fatal(err)
		}
		return sign, seal
	}
	g.Sign, g.Seal = begin(code)
	if again, _ := begin(code); !bytes.Equal(again.Public(), g.Sign.Public()) {
		t.Error("the same code brings other keys: the platform would call it used")
	}
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	if err := desk.Install(dead, cfg, g); err == nil {
		t.Fatal("installation went through although it was cut")
	}
	if !vault.RingExists(cfg.Dir) || desk.Enrolled(cfg.Dir) {
		t.Fatal("the cut must leave keys and no enrolment")
	}
	if _, err := desk.Open(cfg); !errors.Is(err, desk.ErrNotEnrolled) {
		t.Errorf("cut folder: %v", err)
	}
	old := g.Sign.Public()
	if g.Sign, g.Seal = begin([]byte("code no2")); bytes.Equal(g.Sign.Public(), old) {
		t.Error("another code brings the keys of the first")
	}
	if err := desk.Install(t.Context(), cfg, g); err != nil {
		t.Fatalf("second try: %v", err)
	}
	if _, err := os.Stat(filepath.Join(cfg.Dir, "enrolling")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the keys' mark is still there: %v", err)
	}
	m.Config = cfg
	_, s := m.Login(t)
	in := start(t, s)
	fillGaoling(t, in)
	if _, err := in.Submit(t.Context()); err != nil {
		t.Error(err)
	}
	if _, _, err := desk.Begin(cfg, code); !errors.Is(err, desk.ErrEnrolled) {
		t.Errorf("enrolled folder: %v", err)
	}
}

// A folder whose enrolment file was lost has cases in it: no enrolment may clear it.
func TestBeginLeavesAWorkingFolderAlone(t *testing.T) {
	m := desktest.New(t)
	if err := os.Remove(filepath.Join(m.Config.Dir, "enrolment")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := desk.Begin(m.Config, []byte("code")); !errors.Is(err, vault.ErrRingExists) {
		t.Errorf("begin over keys: %v", err)
	}
	if err := desk.Install(t.Context(), m.Config, m.Grant); !errors.Is(err, vault.ErrRingExists) {
		t.Errorf("install over keys: %v", err)
	}
}
