package vault

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestDPAPIKeepsTheSecret: Windows seals the secret and opens it again; one copy heals the other; what was changed is refused, and
// the folder's files say what the doctor then says.
func TestDPAPIKeepsTheSecret(t *testing.T) {
	dir := t.TempDir()
	if BestMachine() != MachineDPAPI {
		t.Fatalf("the best place is %s", BestMachine())
	}
	m, err := MachineIn(dir, "")
	must(t, err)
	if m.Name() != "DPAPI" || MachineKind(m) != MachineDPAPI || !m.(interface{ Protected() bool }).Protected() {
		t.Fatalf("a new folder's secret lives in %s", m.Name())
	}
	if _, err := m.(existing).existing(); !errors.Is(err, ErrNoMachine) {
		t.Fatalf("before it was made: %v", err)
	}
	secret, err := m.Secret()
	must(t, err)
	if len(secret) != MachineSecretSize {
		t.Fatalf("%d bytes", len(secret))
	}
	path := filepath.Join(dir, "machine.dpapi")
	var blob []byte
	for i, p := range []string{path, path + ".b"} {
		data, err := os.ReadFile(p)
		if err != nil || bytes.Contains(data, secret) || bytes.Contains(data, secret[:16]) {
			t.Fatalf("%s: %v, or it holds the secret", p, err)
		}
		bad := bytes.Clone(data)
		bad[len(bad)-1] ^= 1
		writeFile(t, p, bad[:len(bad)-i]) // changed, then cut
		if again, err := DPAPI(path).Secret(); err != nil || !bytes.Equal(again, secret) {
			t.Fatalf("one copy damaged: %v", err)
		}
		if now, err := os.ReadFile(p); err != nil || !bytes.Equal(now, data) {
			t.Errorf("%s was not written again: %v", p, err)
		}
		blob = data
	}
	if kindIn(dir) != MachineDPAPI {
		t.Errorf("the folder says %q", kindIn(dir))
	}
	sealed, err := protect(secret)
	must(t, err)
	again, err := protect(secret)
	must(t, err)
	if bytes.Equal(sealed, again) {
		t.Error("the same secret is sealed to the same bytes twice")
	}
	refused := 0
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if got, err := unprotect(bad); err != nil {
			refused++
			if !errors.Is(err, ErrDPAPI) {
				t.Fatalf("byte %d: %v", i, err)
			}
		} else if !bytes.Equal(got, secret) {
			t.Fatalf("byte %d changed: another secret", i)
		}
	}
	t.Logf("%d of %d changed bytes refused, the others say nothing about the secret", refused, len(sealed))
	if refused < len(sealed)/2 {
		t.Errorf("%d of %d changed bytes were refused", refused, len(sealed))
	}
	for _, p := range []string{path, path + ".b"} {
		bad := bytes.Clone(blob)
		bad[len(bad)-1] ^= 1
		bad[len(bad)/2] ^= 1
		writeFile(t, p, bad)
	}
	if got, err := DPAPI(path).Secret(); err == nil {
		t.Errorf("both copies changed: %t", bytes.Equal(got, secret))
	}
	fresh, err := newSecret()
	must(t, err)
	must(t, m.(interface{ Keep([]byte) error }).Keep(fresh)) // the county gave another one back
	if got, err := DPAPI(path).Secret(); err != nil || !bytes.Equal(got, fresh) {
		t.Errorf("kept: %v", err)
	}
	must(t, m.(interface{ Destroy() error }).Destroy())
	if kindIn(dir) != "" {
		t.Error("files are left")
	}
}
