package packet

import (
	"fmt"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// Ack is the platform's signed word that it holds a device's journal up to To, whose record hash is Head.
type Ack struct {
	V      uint8      `cbor:"1,keyasint"`
	Device uint32     `cbor:"2,keyasint"`
	To     uint64     `cbor:"3,keyasint"` // 0 with a zero Head: nothing yet
	Head   vault.Hash `cbor:"4,keyasint"`
	At     int64      `cbor:"5,keyasint"` // the platform's clock, Unix milliseconds
	KID    []byte     `cbor:"6,keyasint"`
	Sig    []byte     `cbor:"7,keyasint"` // domain "ack"
}

// Fork is the platform's signed word that the device's record To is not the one it holds.
type Fork struct {
	V      uint8      `cbor:"1,keyasint"`
	Device uint32     `cbor:"2,keyasint"`
	To     uint64     `cbor:"3,keyasint"` // last common record
	Head   vault.Hash `cbor:"4,keyasint"` // its hash
	At     int64      `cbor:"5,keyasint"`
	KID    []byte     `cbor:"6,keyasint"`
	Sig    []byte     `cbor:"7,keyasint"` // domain "fork"
}

// SignAck fills V, KID and Sig, and returns the bytes.
func SignAck(k vault.PrivateKey, a Ack) ([]byte, error) {
	a.V, a.KID, a.Sig = Version, k.Public().KID(), nil
	sig, err := vault.Sign(k, "ack", canon.MustMarshal(a))
	if err != nil {
		return nil, fmt.Errorf("packet: sign ack: %w", err)
	}
	a.Sig = sig
	return canon.Marshal(a)
}

// OpenAck reads an ack and checks the platform's signature. The caller still compares Device with its own number, and
// Head with its own record To.
func OpenAck(s vault.Suite, platform vault.PublicKey, data []byte) (Ack, error) {
	var a Ack
	if err := canon.Unmarshal(data, &a); err != nil {
		return Ack{}, fmt.Errorf("%w: ack: %w", ErrFormat, err)
	}
	if a.V != Version {
		return Ack{}, fmt.Errorf("%w: ack version %d", ErrFormat, a.V)
	}
	if (a.To == 0) != a.Head.IsZero() {
		return Ack{}, fmt.Errorf("%w: ack to %d with the wrong kind of head", ErrFormat, a.To)
	}
	u := a
	u.Sig = nil
	if err := vault.Verify(s, platform, "ack", canon.MustMarshal(u), a.Sig); err != nil {
		return Ack{}, fmt.Errorf("packet: ack: %w", err)
	}
	return a, nil
}

// SignFork fills V, KID and Sig, and returns the bytes.
func SignFork(k vault.PrivateKey, f Fork) ([]byte, error) {
	f.V, f.KID, f.Sig = Version, k.Public().KID(), nil
	sig, err := vault.Sign(k, "fork", canon.MustMarshal(f))
	if err != nil {
		return nil, fmt.Errorf("packet: sign fork: %w", err)
	}
	f.Sig = sig
	return canon.Marshal(f)
}

// OpenFork reads a fork answer and checks the platform's signature. The caller still compares Device with its own number,
// and Head with its own record To.
func OpenFork(s vault.Suite, platform vault.PublicKey, data []byte) (Fork, error) {
	var f Fork
	if err := canon.Unmarshal(data, &f); err != nil {
		return Fork{}, fmt.Errorf("%w: fork: %w", ErrFormat, err)
	}
	if f.V != Version {
		return Fork{}, fmt.Errorf("%w: fork version %d", ErrFormat, f.V)
	}
	u := f
	u.Sig = nil
	if err := vault.Verify(s, platform, "fork", canon.MustMarshal(u), f.Sig); err != nil {
		return Fork{}, fmt.Errorf("packet: fork: %w", err)
	}
	return f, nil
}
