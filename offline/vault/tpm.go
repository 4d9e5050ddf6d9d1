package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"bianmin/offline/canon"
	"bianmin/offline/words"
)

// Errors of machine secrets that are not in a file. Compare with errors.Is.
var (
	// ErrTPM reports a TPM that does not answer.
	ErrTPM = words.New("keys.tpm", nil)
	// ErrTPMForeign reports a secret that another TPM has sealed: a copied folder, or a TPM that was replaced or cleared.
	ErrTPMForeign = words.New("keys.tpmForeign", nil)
	// ErrNoTPM reports a machine without a TPM that can be used.
	ErrNoTPM = words.New("keys.noTPM", nil)
	// ErrDPAPI reports a secret that Windows does not hand out.
	ErrDPAPI = words.New("keys.dpapi", nil)
)

// TPM returns a Machine whose secret a TPM 2.0 has sealed: the file at path (kept twice) opens on this TPM only. The secret is
// sealed under the storage root key of the owner hierarchy (TCG's ECC P-256 template) without a policy over PCRs, so that an
// update of the firmware does not lock a village out: it binds to the machine, not to what was started on it. open connects
// to the TPM for one call; nil: the system's.
func TPM(path string, open func() (transport.TPMCloser, error)) Machine {
	if open == nil {
		open = openSystemTPM
	}
	return tpmMachine{sealedFile{path}, open}
}

// HasTPM reports whether the system has a TPM that this program may use.
func HasTPM() bool {
	t, err := openSystemTPM()
	if err != nil {
		return false
	}
	defer t.Close()
	_, err = tpm2.GetRandom{BytesRequested: 8}.Execute(t)
	return err == nil
}

type tpmMachine struct {
	file sealedFile
	open func() (transport.TPMCloser, error)
}

// tpmBlob is the file: a sealed object as TPM2_Create gave it.
type tpmBlob struct {
	V       uint8  `cbor:"1,keyasint"` // 1
	Public  []byte `cbor:"2,keyasint"` // TPMT_PUBLIC
	Private []byte `cbor:"3,keyasint"` // TPM2B_PRIVATE's buffer
}

func (tpmMachine) Name() string { return "TPM 2.0" }

// Protected reports that a thief of the disk does not get the secret.
func (tpmMachine) Protected() bool { return true }

// Secret unseals the secret, or makes and seals one.
func (m tpmMachine) Secret() ([]byte, error) {
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

func (m tpmMachine) existing() ([]byte, error) { return m.file.read(m.unseal) }

// Keep seals a secret that the county gave back, in place of what is there.
func (m tpmMachine) Keep(secret []byte) error {
	blob, err := m.seal(secret)
	if err != nil {
		return err
	}
	return m.file.write(blob)
}

// Destroy overwrites and removes the sealed files: without them the TPM has nothing to open.
func (m tpmMachine) Destroy() error { return m.file.destroy() }

// root makes the storage root key, which is the same at every start. The caller flushes it.
func (m tpmMachine) root() (transport.TPMCloser, *tpm2.CreatePrimaryResponse, error) {
	t, err := m.open()
	if err != nil {
		return nil, nil, withCause(ErrTPM, err)
	}
	root, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(t)
	if err != nil {
		return nil, nil, withCause(ErrTPM, errors.Join(fmt.Errorf("vault: storage root key: %w", err), t.Close()))
	}
	return t, root, nil
}

func flush(t transport.TPM, h tpm2.TPMHandle) error {
	_, err := tpm2.FlushContext{FlushHandle: h}.Execute(t)
	return err
}

func (m tpmMachine) seal(secret []byte) (_ []byte, err error) {
	t, root, err := m.root()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, flush(t, root.ObjectHandle), t.Close()) }()
	public, err := root.OutPublic.Contents()
	if err != nil {
		return nil, withCause(ErrTPM, err)
	}
	made, err := tpm2.Create{
		ParentHandle: tpm2.AuthHandle{
			Handle: root.ObjectHandle, Name: root.Name,
			// The secret crosses the bus encrypted: a probe on it learns nothing.
			Auth: tpm2.HMAC(tpm2.TPMAlgSHA256, 16, tpm2.AESEncryption(128, tpm2.EncryptIn), tpm2.Salted(root.ObjectHandle, *public)),
		},
		InSensitive: tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{
			Data: tpm2.NewTPMUSensitiveCreate(&tpm2.TPM2BSensitiveData{Buffer: secret}),
		}},
		InPublic: tpm2.New2B(tpm2.TPMTPublic{
			Type: tpm2.TPMAlgKeyedHash, NameAlg: tpm2.TPMAlgSHA256,
			ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, UserWithAuth: true, NoDA: true},
		}),
	}.Execute(t)
	if err != nil {
		return nil, withCause(ErrTPM, fmt.Errorf("vault: seal the machine secret: %w", err))
	}
	return canon.Marshal(tpmBlob{V: 1, Public: made.OutPublic.Bytes(), Private: made.OutPrivate.Buffer})
}

func (m tpmMachine) unseal(data []byte) (_ []byte, err error) {
	var b tpmBlob
	if err := canon.Unmarshal(data, &b); err != nil || b.V != 1 {
		return nil, fmt.Errorf("vault: sealed machine secret: %w", errors.Join(err, ErrMachineDamaged))
	}
	t, root, err := m.root()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, flush(t, root.ObjectHandle), t.Close()) }()
	loaded, err := tpm2.Load{
		ParentHandle: tpm2.AuthHandle{Handle: root.ObjectHandle, Name: root.Name, Auth: tpm2.PasswordAuth(nil)},
		InPrivate:    tpm2.TPM2BPrivate{Buffer: b.Private}, InPublic: tpm2.BytesAs2B[tpm2.TPMTPublic](b.Public),
	}.Execute(t)
	if err != nil {
		// TPM_RC_INTEGRITY for another TPM's object; a changed file looks the same.
		return nil, withCause(ErrTPMForeign, fmt.Errorf("vault: load the sealed secret: %w", err))
	}
	defer func() { err = errors.Join(err, flush(t, loaded.ObjectHandle)) }()
	public, err := root.OutPublic.Contents()
	if err != nil {
		return nil, withCause(ErrTPM, err)
	}
	out, err := tpm2.Unseal{ItemHandle: tpm2.AuthHandle{
		Handle: loaded.ObjectHandle, Name: loaded.Name,
		Auth: tpm2.HMAC(tpm2.TPMAlgSHA256, 16, tpm2.AESEncryption(128, tpm2.EncryptOut), tpm2.Salted(root.ObjectHandle, *public)),
	}}.Execute(t)
	if err != nil {
		return nil, withCause(ErrTPM, fmt.Errorf("vault: unseal the machine secret: %w", err))
	}
	return out.OutData.Buffer, nil
}

// sealedFile is a small file, kept twice, that something outside the folder opens.
type sealedFile struct{ path string }

func (f sealedFile) paths() [2]string { return [2]string{f.path, f.path + ".b"} }

// read opens the first copy that opens, and writes the other anew when it did not. ErrNoMachine when there is no copy.
func (f sealedFile) read(open func([]byte) ([]byte, error)) ([]byte, error) {
	var errs []error
	missing := 0
	for i, p := range f.paths() {
		data, err := readSmall(p)
		if errors.Is(err, fs.ErrNotExist) {
			missing++
		}
		var secret []byte
		if err == nil {
			secret, err = open(data)
		}
		if err == nil && len(secret) != MachineSecretSize {
			err = withCause(ErrMachineDamaged, fmt.Errorf("vault: machine secret of %d bytes", len(secret)))
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if other := f.paths()[1-i]; len(errs) > 0 || !sameFile(other, data) {
			if err := writeDurable(other, data); err != nil {
				return nil, withCause(ErrWrite, err)
			}
		}
		return secret, nil
	}
	if missing == len(copies) {
		return nil, fmt.Errorf("vault: %s: %w", filepath.Base(f.path), ErrNoMachine)
	}
	for _, err := range errs { // words for people, when one of them has any
		for _, e := range []*words.Error{ErrTPM, ErrTPMForeign, ErrDPAPI} {
			if errors.Is(err, e) {
				return nil, withCause(e, err)
			}
		}
	}
	return nil, withCause(ErrMachineDamaged, errors.Join(errs...))
}

func sameFile(path string, data []byte) bool {
	got, err := readSmall(path)
	return err == nil && string(got) == string(data)
}

func (f sealedFile) write(data []byte) error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fmt.Errorf("vault: make folder of machine secret: %w", err)
	}
	for _, p := range f.paths() {
		if err := writeDurable(p, data); err != nil {
			return withCause(ErrWrite, err)
		}
	}
	return nil
}

func (f sealedFile) destroy() error {
	p := f.paths()
	return errors.Join(shred(p[0]), shred(p[1]))
}
