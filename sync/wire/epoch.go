package wire

import (
	"fmt"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// PathEpoch takes an Epoch, and answers with an EpochGrant.
const PathEpoch = "/v1/epoch"

// Epoch is the body of POST /v1/epoch: a device whose journal forked asks to go on under a new number.
type Epoch struct {
	V       uint8      `cbor:"1,keyasint"`
	Device  uint32     `cbor:"2,keyasint"` // the former number
	Nonce   []byte     `cbor:"3,keyasint"`
	Fork    []byte     `cbor:"4,keyasint"` // packet.Fork as the platform signed it for this device
	To      uint64     `cbor:"5,keyasint"` // last record in common; 0 when none
	Head    vault.Hash `cbor:"6,keyasint"` // its hash; zero when none
	SignKey []byte     `cbor:"7,keyasint"` // new signing key, public
	Proof   []byte     `cbor:"8,keyasint"` // the new key, domain "epoch-key", with Proof and Sig empty
	Sig     []byte     `cbor:"9,keyasint"` // the former key, domain "epoch", with Sig empty
	// Lost says that there was no fork: the device lost both of its copies, has everything back that the platform holds, up to To,
	// and may have given out numbers after it. Fork is empty then.
	Lost bool `cbor:"10,keyasint,omitempty"`
}

// EpochGrant is the answer. The same key asking again gets the same number.
type EpochGrant struct {
	V        uint8      `cbor:"1,keyasint"`
	Device   uint32     `cbor:"2,keyasint"` // the new number
	Former   uint32     `cbor:"3,keyasint"`
	To       uint64     `cbor:"4,keyasint"`
	Head     vault.Hash `cbor:"5,keyasint"`
	SignCert []byte     `cbor:"6,keyasint"` // X.509, SM2, issued by the root
	SealCert []byte     `cbor:"7,keyasint"` // over the encryption key, which stays
	At       int64      `cbor:"8,keyasint"` // platform time, Unix milliseconds
	Sig      []byte     `cbor:"9,keyasint"` // root, domain "epoch-grant", with Sig empty
}

var (
	_ message = Epoch{}
	_ message = EpochGrant{}
)

func (e Epoch) version() uint8      { return e.V }
func (g EpochGrant) version() uint8 { return g.V }

func (e Epoch) check() error {
	if (e.To == 0) != e.Head.IsZero() || e.Lost && len(e.Fork) > 0 {
		return &Error{V: Version, Code: CodeBadRequest, Detail: "epoch"}
	}
	return checkNonce(e.Nonce)
}

func (g EpochGrant) check() error {
	if g.Device == 0 || g.Device == g.Former {
		return &Error{V: Version, Code: CodeBadRequest, Detail: "epoch grant"}
	}
	return nil
}

func (e Epoch) proven() []byte {
	e.Proof, e.Sig = nil, nil
	return canon.MustMarshal(e)
}

func (e Epoch) signed() []byte {
	e.Sig = nil
	return canon.MustMarshal(e)
}

// Sign signs with the new key, then with the former one.
func (e *Epoch) Sign(former, fresh vault.PrivateKey) error {
	e.V = Version
	var err error
	if e.Proof, err = vault.Sign(fresh, "epoch-key", e.proven()); err == nil {
		e.Sig, err = vault.Sign(former, "epoch", e.signed())
	}
	if err != nil {
		return fmt.Errorf("wire: sign epoch: %w", err)
	}
	return nil
}

// Verify checks the signature of the former key, and that the sender holds the new one.
func (e Epoch) Verify(s vault.Suite, former vault.PublicKey) error {
	if err := vault.Verify(s, former, "epoch", e.signed(), e.Sig); err != nil {
		return err
	}
	return vault.Verify(s, e.SignKey, "epoch-key", e.proven(), e.Proof)
}

// Sign signs the grant with the platform root.
func (g *EpochGrant) Sign(root vault.PrivateKey) error {
	g.V, g.Sig = Version, nil
	sig, err := vault.Sign(root, "epoch-grant", canon.MustMarshal(*g))
	if err != nil {
		return fmt.Errorf("wire: sign epoch grant: %w", err)
	}
	g.Sig = sig
	return nil
}

// Verify checks the platform root's signature.
func (g EpochGrant) Verify(s vault.Suite, root vault.PublicKey) error {
	sig := g.Sig
	g.Sig = nil
	return vault.Verify(s, root, "epoch-grant", canon.MustMarshal(g), sig)
}
