package vault

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// DPAPI returns a Machine whose secret Windows has sealed to this account on this machine (CryptProtectData): the file at path,
// kept twice, opens for nobody else.
func DPAPI(path string) Machine { return dpapiMachine{sealedFile{path}} }

// HasDPAPI reports whether the system has such a store.
const HasDPAPI = true

type dpapiMachine struct{ file sealedFile }

func (dpapiMachine) Name() string { return "DPAPI" }

// Protected reports that a thief of the disk does not get the secret.
func (dpapiMachine) Protected() bool { return true }

// Secret asks Windows for the secret, or makes one.
func (m dpapiMachine) Secret() ([]byte, error) {
	secret, err := m.existing()
	if err == nil || !errors.Is(err, ErrNoMachine) {
		return secret, err
	}
	fresh, err := newSecret()
	if err != nil {
		return nil, err
	}
	if err := m.Keep(fresh); err != nil {
		return nil, err
	}
	return m.existing()
}

func (m dpapiMachine) existing() ([]byte, error) { return m.file.read(unprotect) }

// Keep seals a secret that the county gave back, in place of what is there.
func (m dpapiMachine) Keep(secret []byte) error {
	blob, err := protect(secret)
	if err != nil {
		return err
	}
	return m.file.write(blob)
}

// Destroy overwrites and removes the sealed files.
func (m dpapiMachine) Destroy() error { return m.file.destroy() }

// entropy keeps other programs of the same account from opening the secret by mistake; it is no secret itself.
var entropy = []byte("bianmin/machine/v1")

func blobOf(b []byte) *windows.DataBlob {
	return &windows.DataBlob{Size: uint32(len(b)), Data: unsafe.SliceData(b)}
}

func takeBlob(b windows.DataBlob) ([]byte, error) {
	out := append([]byte{}, unsafe.Slice(b.Data, b.Size)...)
	clear(unsafe.Slice(b.Data, b.Size))
	_, err := windows.LocalFree(windows.Handle(unsafe.Pointer(b.Data)))
	return out, err
}

func protect(secret []byte) ([]byte, error) {
	var out windows.DataBlob
	if err := windows.CryptProtectData(blobOf(secret), nil, blobOf(entropy), 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, &out); err != nil {
		return nil, withCause(ErrDPAPI, fmt.Errorf("vault: seal the machine secret: %w", err))
	}
	return takeBlob(out)
}

func unprotect(data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, ErrMachineDamaged
	}
	var out windows.DataBlob
	if err := windows.CryptUnprotectData(blobOf(data), nil, blobOf(entropy), 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, &out); err != nil {
		return nil, withCause(ErrDPAPI, fmt.Errorf("vault: open the machine secret: %w", err))
	}
	return takeBlob(out)
}
