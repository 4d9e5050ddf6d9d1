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

// A pack that was changed on the disk stops neither log-in nor doctor; it is named, and fetched again.
func TestDamagedPackIsNamedAndFetchedAgain(t *testing.T) {
	m := desktest.New(t)
	files, err := filepath.Glob(filepath.Join(m.Config.Dir, "packs", "county-*.pack"))
	if err != nil || len(files) != 1 {
		t.Fatalf("packs %v, %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(files[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	d, s := m.Login(t)
	if _, err := s.Item("gaoling"); err == nil {
		t.Fatal("a damaged pack was used")
	}
	rep, err := d.Doctor(t.Context(), false, nil)
	if err != nil || len(rep.Faults) != 1 || rep.Faults[0].Where != "packs" || rep.Faults[0].Kind != "county" {
		t.Fatalf("doctor says %+v, %v", rep, err)
	}
	kinds, _, hashes, _, err := d.WantedPacks(t.Context())
	if err != nil || len(kinds) != 1 || kinds[0] != "county" {
		t.Fatalf("wanted %v, %v", kinds, err)
	}
	for _, p := range m.Grant.Packs {
		if d.Suite().Hash(p) == hashes[0] {
			if err := d.TakePack(t.Context(), hashes[0], p); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := s.Item("gaoling"); err != nil {
		t.Errorf("after the pack came again: %v", err)
	}
	if rep, err := d.Doctor(t.Context(), false, nil); err != nil || len(rep.Faults) != 0 {
		t.Errorf("doctor says %+v, %v", rep, err)
	}
}

// A folder whose database was lost is not called sound because the empty one that took its place is.
func TestLostDatabaseIsNamed(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	in := start(t, s)
	fillGaoling(t, in)
	got, err := in.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	aside, err := desk.SetAside(m.Config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(aside); err != nil {
		t.Error(err)
	}
	d = m.Open(t)
	if st, err := d.Status(t.Context()); err != nil || st.Fault != "store.behind" {
		t.Errorf("status %+v, %v", st, err)
	}
	rep, err := d.Doctor(t.Context(), false, nil)
	if err != nil || len(rep.Faults) == 0 || rep.Faults[len(rep.Faults)-1].Seq != got.Seq {
		t.Errorf("doctor says %+v, %v", rep, err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d, _ = m.Login(t)
	if rep, err := d.Doctor(t.Context(), true, nil); err != nil || len(rep.Faults) != 0 {
		t.Errorf("after the log-in doctor says %+v, %v", rep, err)
	}
	if st, err := d.Status(t.Context()); err != nil || st.Fault != "" {
		t.Errorf("status %+v, %v", st, err)
	}
}
