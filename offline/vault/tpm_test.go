//go:build linux

package vault

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-tpm/tpm2/transport"

	"bianmin/offline/clocks"
	"bianmin/offline/vault/tpmtest"
)

func TestTPMKeepsTheSecret(t *testing.T) {
	tpm, dir := tpmtest.New(t), t.TempDir()
	path := filepath.Join(dir, "machine.tpm")
	m := TPM(path, tpm.Open)
	if _, err := m.(existing).existing(); !errors.Is(err, ErrNoMachine) {
		t.Fatalf("before it was made: %v", err)
	}
	secret, err := m.Secret()
	must(t, err)
	for range 3 { // nothing is left in the TPM that another start would miss, or that fills it up
		again, err := TPM(path, tpm.Open).Secret()
		if err != nil || !bytes.Equal(again, secret) {
			t.Fatalf("read again: %v", err)
		}
	}
	for i, p := range []string{path, path + ".b"} {
		data, err := os.ReadFile(p)
		if err != nil || bytes.Contains(data, secret) || bytes.Contains(data, secret[:16]) {
			t.Fatalf("%s: %v, or it holds the secret", p, err)
		}
		bad := bytes.Clone(data)
		bad[len(bad)-1] ^= 1
		writeFile(t, p, bad[:len(bad)-i]) // changed, then cut
		again, err := TPM(path, tpm.Open).Secret()
		if err != nil || !bytes.Equal(again, secret) {
			t.Fatalf("one copy damaged: %v", err)
		}
		if now, err := os.ReadFile(p); err != nil || !bytes.Equal(now, data) {
			t.Errorf("%s was not written again: %v", p, err)
		}
	}
	other := tpmtest.New(t)
	if _, err := TPM(path, other.Open).Secret(); !errors.Is(err, ErrTPMForeign) {
		t.Errorf("another TPM: %v", err)
	}
	tpm.Die()
	if _, err := TPM(path, tpm.Open).Secret(); !errors.Is(err, ErrTPM) {
		t.Errorf("a dead TPM: %v", err)
	}
	if _, err := TPM(path, func() (transport.TPMCloser, error) { return nil, errors.New("no such device") }).Secret(); !errors.Is(err, ErrTPM) {
		t.Errorf("no TPM: %v", err)
	}
	must(t, m.(interface{ Destroy() error }).Destroy())
	if _, err := TPM(path, other.Open).(existing).existing(); !errors.Is(err, ErrNoMachine) {
		t.Errorf("after it was destroyed: %v", err)
	}
}

// A folder copied to another machine does not open there, whatever PIN is known; on its own machine six digits will do.
func TestCopiedFolderDoesNotOpen(t *testing.T) {
	tpm := tpmtest.New(t)
	f := newFixtureOn(t, func(dir string) Machine { return TPM(filepath.Join(dir, "machine.tpm"), tpm.Open) })
	if name, protected := f.ring.MachineName(); name != "TPM 2.0" || !protected {
		t.Errorf("%s, protected %v", name, protected)
	}
	u := mustUnlock(t, f.ring, "wang", "204816")
	must(t, u.ChangePIN("204816", "730194"))
	want := period(t, u, f)
	f.reopen(t)
	if got := period(t, mustUnlock(t, f.ring, "wang", "730194"), f); got != want {
		t.Error("reads other keys")
	}
	copied := t.TempDir()
	must(t, os.CopyFS(copied, os.DirFS(f.dir)))
	elsewhere := TPM(filepath.Join(copied, "machine.tpm"), tpmtest.New(t).Open)
	if _, err := OpenRing(copied, f.suite, elsewhere, OpenOptions{Clock: clocks.Wall(f.clock.now)}); !errors.Is(err, ErrTPMForeign) {
		t.Errorf("on another machine: %v", err)
	}
	if _, err := OpenRing(copied, f.suite, KeyFile(filepath.Join(copied, "machine.key")), OpenOptions{Clock: clocks.Wall(f.clock.now)}); !errors.Is(err, ErrNoMachine) {
		t.Errorf("with a key file instead: %v", err)
	}
}

// A dead TPM is survived through the county's key: on a new TPM, or on a file.
func TestDeadTPMIsSurvived(t *testing.T) {
	for _, to := range []string{MachineTPM, MachineFile} {
		t.Run(to, func(t *testing.T) {
			tpm, county := tpmtest.New(t), mustKey(t)
			f := newFixtureOn(t, func(dir string) Machine { return TPM(filepath.Join(dir, "machine.tpm"), tpm.Open) })
			u := mustUnlock(t, f.ring, "wang", "204816")
			must(t, u.SetCounty(county.Public()))
			want := period(t, u, f)
			tpm.Die()
			if _, err := OpenRing(f.dir, f.suite, f.machine, OpenOptions{}); !errors.Is(err, ErrTPM) {
				t.Fatalf("with a dead TPM: %v", err)
			}
			ask, err := RequestMachine(f.dir, f.suite, 1)
			must(t, err)
			if _, err := AnswerRecovery(f.suite, mustKey(t), ask); !errors.Is(err, ErrRecovery) {
				t.Errorf("without the county's key: %v", err)
			}
			answer, err := AnswerRecovery(f.suite, county, ask)
			must(t, err)
			f.machine = KeyFile(filepath.Join(f.dir, "machine.key"))
			if to == MachineTPM {
				f.machine = TPM(filepath.Join(f.dir, "machine.tpm"), tpmtest.New(t).Open)
			}
			must(t, TakeMachine(f.dir, f.suite, f.machine, answer))
			must(t, DropMachines(f.dir, to))
			if kindIn(f.dir) != to {
				t.Errorf("the folder says %q", kindIn(f.dir))
			}
			f.reopen(t)
			if got := period(t, mustUnlock(t, f.ring, "wang", "204816"), f); got != want {
				t.Error("reads other keys")
			}
		})
	}
}

// The best place is found by itself, and what is there stays.
func TestMachineIsFound(t *testing.T) {
	t.Setenv(tpmVariable, "unix:"+filepath.Join(t.TempDir(), "none"))
	dir := t.TempDir()
	m, err := MachineIn(dir, "")
	if err != nil || m.Name() != "key file" {
		t.Fatalf("without a TPM: %v, %v", m, err)
	}
	t.Setenv(tpmVariable, "unix:"+tpmtest.New(t).Serve(t))
	if m, err = MachineIn(dir, ""); err != nil || m.Name() != "TPM 2.0" {
		t.Fatalf("with a TPM: %v, %v", m, err)
	}
	secret, err := m.Secret()
	must(t, err)
	if m, err = MachineIn(dir, ""); err != nil || m.Name() != "TPM 2.0" {
		t.Fatalf("afterwards: %v, %v", m, err)
	}
	if again, err := m.Secret(); err != nil || !bytes.Equal(again, secret) {
		t.Errorf("read again: %v", err)
	}
	old := t.TempDir()
	if _, err := KeyFile(filepath.Join(old, "machine.key")).Secret(); err != nil {
		t.Fatal(err)
	}
	if m, err = MachineIn(old, ""); err != nil || m.Name() != "key file" {
		t.Errorf("a folder with a file: %v, %v", m, err)
	}
	if _, err := MachineIn(dir, "floppy"); err == nil {
		t.Error("an unknown kind")
	}
}
