package desk

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// candidate is what a machine keeps while it enrols, so that the same code can be tried again after a cut: the platform
// gives the same grant to the same keys only.
type candidate struct {
	V    uint8  `cbor:"1,keyasint"`
	Code []byte `cbor:"2,keyasint"` // id of the one-time code the keys were made for
	Sign []byte `cbor:"3,keyasint"` // scalars
	Seal []byte `cbor:"4,keyasint"`
}

const candidateAAD = "bianmin/enrolling/v1"

func candidatePath(dir string) string { return filepath.Join(dir, "enrolling") }

// Begin returns the device's two keys for an enrolment with the code of that id, before anything is asked of the
// platform. They are kept under the machine secret until [Install] is through, so a second try with the same code, after a
// lost answer or a power cut, brings the same keys; another code brings new ones. A folder that cannot be written, or
// already has keys, is told here, while the code is still unused.
func Begin(cfg Config, code []byte) (sign, seal vault.PrivateKey, err error) {
	cfg = cfg.filled()
	if Enrolled(cfg.Dir) {
		return nil, nil, ErrEnrolled
	}
	if Wiped(cfg.Dir) {
		return nil, nil, ErrWiped
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, nil, words.New("desk.folderUnwritable", err)
	}
	_, err = os.Stat(candidatePath(cfg.Dir))
	cut := err == nil
	if !cut && vault.RingExists(cfg.Dir) {
		return nil, nil, vault.ErrRingExists
	}
	secret, err := cfg.Machine.Secret()
	if err != nil {
		return nil, nil, err
	}
	mac := cfg.Suite.MAC(secret, []byte(candidateAAD+"\x00"))
	key := vault.Key(mac[:vault.KeySize])
	if cut {
		if sign, seal, err = readCandidate(cfg, key, code); err == nil {
			return sign, seal, nil
		}
	}
	c := candidate{V: 1, Code: code}
	if sign, c.Sign, err = newScalar(cfg.Suite); err != nil {
		return nil, nil, err
	}
	if seal, c.Seal, err = newScalar(cfg.Suite); err != nil {
		return nil, nil, err
	}
	plain, err := canon.Marshal(c)
	if err != nil {
		return nil, nil, err
	}
	sealed, err := cfg.Suite.Seal(key, plain, []byte(candidateAAD))
	if err != nil {
		return nil, nil, err
	}
	if err := writeFile(candidatePath(cfg.Dir), sealed); err != nil {
		return nil, nil, words.New("desk.folderUnwritable", err)
	}
	return sign, seal, nil
}

func newScalar(s vault.Suite) (vault.PrivateKey, []byte, error) {
	k, err := s.GenerateKey()
	if err != nil {
		return nil, nil, err
	}
	d, err := k.Bytes()
	return k, d, err
}

var errOtherCode = errors.New("desk: keys were made for another code")

func readCandidate(cfg Config, key vault.Key, code []byte) (sign, seal vault.PrivateKey, err error) {
	sealed, err := os.ReadFile(candidatePath(cfg.Dir))
	if err != nil {
		return nil, nil, err
	}
	plain, err := cfg.Suite.Open(key, sealed, []byte(candidateAAD))
	if err != nil {
		return nil, nil, err
	}
	var c candidate
	if err := canon.Unmarshal(plain, &c); err != nil {
		return nil, nil, err
	}
	if c.V != 1 || !bytes.Equal(c.Code, code) {
		return nil, nil, errOtherCode
	}
	if sign, err = cfg.Suite.ParsePrivateKey(c.Sign); err != nil {
		return nil, nil, err
	}
	seal, err = cfg.Suite.ParsePrivateKey(c.Seal)
	return sign, seal, err
}

// clearCut removes what a cut installation left. It does so only beside the mark that [Begin] wrote, in a folder that is
// not enrolled: there no case was ever taken in.
func clearCut(dir string) error {
	if _, err := os.Stat(candidatePath(dir)); err != nil || Enrolled(dir) {
		return nil
	}
	for _, name := range []string{"keys.a", "keys.b", "tries.a", "tries.b", "store.db", "mirror", "blobs", packsFolder} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return words.New("desk.folderUnwritable", fmt.Errorf("desk: clear a cut enrolment: %w", err))
		}
	}
	return nil
}

// endEnrolling overwrites and removes the mark of [Begin]: from now on the encryption key opens with a PIN only. When that
// fails the next [Open] does it; nobody reads the mark beside an enrolment.
func endEnrolling(cfg Config) {
	path := candidatePath(cfg.Dir)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err == nil {
		if st, serr := f.Stat(); serr == nil {
			_, err = f.Write(make([]byte, st.Size()))
		}
		err = errors.Join(err, f.Sync(), f.Close(), os.Remove(path))
	}
	if err != nil {
		cfg.Log.Warn("remove the mark of an enrolment", slog.Any("cause", err))
	}
}
