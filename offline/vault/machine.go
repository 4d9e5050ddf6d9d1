package vault

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/emmansun/gmsm/sm3"
)

// MachineSecretSize is the length of a machine secret in bytes.
const MachineSecretSize = 32

// Machine is where the secret lives that binds a key ring to one machine: a TPM, the system's key store, or a file.
//
// A Machine that also has a method Protected() bool returning true keeps the secret where a thief of the disk cannot
// read it; operators may then use a PIN of six digits. Without it they need a pass phrase (see RingOptions.Demo).
type Machine interface {
	// Name says which kind it is, in doctor's report.
	Name() string
	// Secret returns the 32 bytes, making them on first use.
	Secret() ([]byte, error)
}

// Destroy makes a folder unreadable for good: the machine secret first, then every file that it opens. What is gone already is
// no error.
func Destroy(dir string, m Machine) error {
	var err error
	if d, ok := m.(interface{ Destroy() error }); ok {
		err = d.Destroy()
	}
	for _, name := range []string{ringName, triesName} {
		for _, c := range copies {
			err = errors.Join(err, shred(filepath.Join(dir, name+c)))
		}
	}
	return errors.Join(err, removePending(dir))
}

// existing is a Machine that can tell "never made" from "made": opening a ring must not make a new secret.
type existing interface {
	existing() ([]byte, error)
}

// KeyFile returns a Machine whose secret is a file of mode 0600, kept twice (path and path.b) and made on first use.
// It lies on the same disk as what it protects: honest software needs the PIN as well, a thief of the disk has both
// halves but the PIN.
func KeyFile(path string) Machine { return keyFile{path, rand.Reader} }

type keyFile struct {
	path string
	rand io.Reader
}

const keyFileSum = 8

func newSecret() ([]byte, error) { return randomSecret(rand.Reader) }

func randomSecret(from io.Reader) ([]byte, error) {
	b := make([]byte, MachineSecretSize)
	if _, err := io.ReadFull(from, b); err != nil {
		return nil, fmt.Errorf("vault: make machine secret: %w", err)
	}
	return b, nil
}

func (keyFile) Name() string { return "key file" }

func (k keyFile) paths() [2]string { return [2]string{k.path, k.path + ".b"} }

// Secret reads the file, or makes it.
func (k keyFile) Secret() ([]byte, error) {
	secret, err := k.existing()
	if err == nil || !errors.Is(err, ErrNoMachine) {
		return secret, err
	}
	data, err := randomSecret(k.rand)
	if err != nil {
		return nil, err
	}
	if err := k.Keep(data); err != nil {
		return nil, err
	}
	return k.existing()
}

// Keep writes the secret that the county gave back, in place of what is there.
func (k keyFile) Keep(secret []byte) error {
	sum := sm3.Sum(secret)
	data := append(slices.Clone(secret), sum[:keyFileSum]...)
	if err := os.MkdirAll(filepath.Dir(k.path), 0o700); err != nil {
		return fmt.Errorf("vault: make folder of machine secret: %w", err)
	}
	for _, p := range k.paths() {
		if err := writeDurable(p, data); err != nil {
			return withCause(ErrWrite, err)
		}
	}
	return nil
}

// Destroy overwrites and removes both copies.
func (k keyFile) Destroy() error {
	paths := k.paths()
	return errors.Join(shred(paths[0]), shred(paths[1]))
}

// existing reads the secret; ErrNoMachine when neither copy was ever made, ErrMachineDamaged when none is sound.
func (k keyFile) existing() ([]byte, error) {
	var good []byte
	var bad []string
	var errs []error
	missing := 0
	for _, p := range k.paths() {
		data, err := readSmall(p)
		if err == nil && !soundSecret(data) {
			err = fmt.Errorf("vault: machine secret %s is damaged", filepath.Base(p))
		}
		switch {
		case err == nil && good == nil:
			good = data
		case err != nil:
			if errors.Is(err, fs.ErrNotExist) {
				missing++
			}
			bad = append(bad, p)
			errs = append(errs, err)
		}
	}
	if good == nil {
		if missing == len(copies) {
			return nil, fmt.Errorf("vault: %s: %w", filepath.Base(k.path), ErrNoMachine)
		}
		return nil, withCause(ErrMachineDamaged, errors.Join(errs...))
	}
	for _, p := range bad {
		if err := writeDurable(p, good); err != nil {
			return nil, err
		}
	}
	if err := tighten(k.paths()); err != nil {
		return nil, err
	}
	return good[:MachineSecretSize], nil
}

func soundSecret(data []byte) bool {
	if len(data) != MachineSecretSize+keyFileSum {
		return false
	}
	sum := sm3.Sum(data[:MachineSecretSize])
	return Equal(sum[:keyFileSum], data[MachineSecretSize:])
}

// tighten takes the files away from group and others, should a copy or a restore have opened them.
func tighten(paths [2]string) error {
	if runtime.GOOS == "windows" {
		return nil // its permission bits say nothing
	}
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return fmt.Errorf("vault: machine secret: %w", err)
		}
		if info.Mode().Perm()&0o077 == 0 {
			continue
		}
		if err := os.Chmod(p, 0o600); err != nil {
			return fmt.Errorf("vault: close machine secret to others: %w", err)
		}
	}
	return nil
}
