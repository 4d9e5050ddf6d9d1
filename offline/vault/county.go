package vault

import (
	"errors"
	"fmt"

	"bianmin/offline/canon"
	"bianmin/offline/words"
)

// The county's recovery key opens what is sealed here and nothing else does: with it a dead TPM and forgotten PINs are
// survived. It never comes to the machine; the machine sends what is sealed and gets back what it needs (recovery.go).

// Errors of recovery. Compare with errors.Is.
var (
	// ErrNoCounty reports a ring to which the county has given no recovery key.
	ErrNoCounty = words.New("recovery.none", nil)
	// ErrRecoveryText reports a text that is no recovery message, or a mistyped one.
	ErrRecoveryText = words.New("recovery.text", nil)
	// ErrRecovery reports a recovery message that does not fit: another machine's, another request's, a changed one.
	ErrRecovery = words.New("recovery.foreign", nil)
	// ErrNoRequest reports an answer while nothing was asked.
	ErrNoRequest = words.New("recovery.noRequest", nil)
)

// countySlot is what the county's recovery key opens.
type countySlot struct {
	Public []byte `cbor:"1,keyasint"` // recovery key, public half
	Sealed []byte `cbor:"2,keyasint"` // escrow, sealed to Public
}

// escrow is what the county gets to see of a ring.
type escrow struct {
	V      uint8   `cbor:"1,keyasint"` // 1
	Seal   [8]byte `cbor:"2,keyasint"` // first bytes of SM3(device's encryption key): whose it is
	Master Key     `cbor:"3,keyasint"`
	Secret []byte  `cbor:"4,keyasint"` // machine secret
}

func sealMark(s Suite, pub []byte) [8]byte {
	h := s.Hash(pub)
	return [8]byte(h[:8])
}

// withCounty returns the file with the master and the machine secret sealed to the county's key.
func (f ringFile) withCounty(s Suite, secret []byte, master Key, pub PublicKey) (ringFile, error) {
	plain, err := canon.Marshal(escrow{1, sealMark(s, f.SealKey), master, secret})
	if err != nil {
		return ringFile{}, err
	}
	defer clear(plain)
	sealed, err := s.SealTo(pub, plain)
	if err != nil {
		return ringFile{}, fmt.Errorf("vault: seal to the county's key: %w", err)
	}
	f.County = &countySlot{Public: pub, Sealed: sealed}
	return f, nil
}

// openEscrow opens a county slot with the recovery key and checks that it is of the device with that encryption key.
func openEscrow(s Suite, county PrivateKey, sealed, seal []byte) (escrow, error) {
	plain, err := county.OpenSealed(sealed)
	if err != nil {
		return escrow{}, withCause(ErrRecovery, fmt.Errorf("county slot: %w", err))
	}
	defer clear(plain)
	var e escrow
	if err := canon.Unmarshal(plain, &e); err != nil {
		return escrow{}, withCause(ErrRecovery, err)
	}
	if e.V != 1 || e.Seal != sealMark(s, seal) || len(e.Secret) != MachineSecretSize {
		return escrow{}, withCause(ErrRecovery, errors.New("vault: county slot of another device"))
	}
	return e, nil
}

// County returns the county's recovery key that the master is sealed to; nil while there is none.
func (r *Ring) County() PublicKey {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file.County == nil {
		return nil
	}
	return append(PublicKey{}, r.file.County.Public...)
}

// SetCounty seals the master and the machine secret to the county's recovery key, in place of an older one. The same key
// changes nothing. Errors: ErrKey, ErrClosed, ErrWrite.
func (u *Unlocked) SetCounty(pub PublicKey) error {
	r := u.ring
	if Equal(r.County(), pub) {
		return nil
	}
	return u.change(func(f ringFile, master Key) (ringFile, Key, error) {
		f, err := f.withCounty(r.suite, r.secret, master, pub)
		return f, master, err
	})
}

// countyKey is the county's recovery key as the platform root signed it.
type countyKey struct {
	V   uint8  `cbor:"1,keyasint"` // 1
	At  int64  `cbor:"2,keyasint"` // Unix milliseconds; a newer key replaces an older one
	Key []byte `cbor:"3,keyasint"` // public half
	Sig []byte `cbor:"4,keyasint"` // root, domain "county-key", over the document with Sig empty
}

const countyDomain = "county-key"

// SignCountyKey returns the document by which the platform root names the county's recovery key.
func SignCountyKey(root PrivateKey, pub PublicKey, at int64) ([]byte, error) {
	k := countyKey{V: 1, At: at, Key: pub}
	var err error
	if k.Sig, err = Sign(root, countyDomain, canon.MustMarshal(k)); err != nil {
		return nil, err
	}
	return canon.Marshal(k)
}

// OpenCountyKey reads the document and checks the root's signature.
func OpenCountyKey(s Suite, root PublicKey, data []byte) (pub PublicKey, at int64, err error) {
	var k countyKey
	if err := canon.Unmarshal(data, &k); err != nil {
		return nil, 0, fmt.Errorf("vault: county key: %w", err)
	}
	sig := k.Sig
	k.Sig = nil
	if err := Verify(s, root, countyDomain, canon.MustMarshal(k), sig); err != nil {
		return nil, 0, fmt.Errorf("vault: county key: %w", err)
	}
	if _, err := PublicKey(k.Key).SPKI(); err != nil || k.V != 1 {
		return nil, 0, fmt.Errorf("vault: county key: %w", ErrKey)
	}
	return k.Key, k.At, nil
}
