package receipt

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// Algorithm is the COSE algorithm number in the protected header: SM2 with SM3 and the default user id
// 1234567812345678, over the Sig_structure. It is from the private-use range of RFC 9053.
const Algorithm = -65537

// MaxEnvelope is the size in bytes up to which a stage-1 link stays a version 11 code at level M, 61 modules of 6 dots
// on 58 mm paper. Tests hold every item of the sample county to it.
const MaxEnvelope = 200

// ErrEnvelope reports bytes that are not a receipt's COSE_Sign1 in its one encoding.
var ErrEnvelope = errors.New("receipt: not a receipt envelope")

type protectedHeader struct {
	Alg int64  `cbor:"1,keyasint"`
	KID []byte `cbor:"4,keyasint"`
}

type coseSign1 struct {
	_           struct{} `cbor:",toarray"`
	Protected   []byte
	Unprotected map[int64]int64
	Payload     []byte
	Signature   []byte
}

type sigStructure struct {
	_         struct{} `cbor:",toarray"`
	Context   string
	Protected []byte
	External  []byte
	Payload   []byte
}

// parts is a taken-apart envelope: structure checked, signature not.
type parts struct {
	kid     []byte
	tbs     []byte // Sig_structure
	payload []byte
	sig     []byte
}

func protected(kid []byte) []byte {
	return canon.MustMarshal(protectedHeader{Alg: Algorithm, KID: kid})
}

func toBeSigned(header, payload []byte) []byte {
	return canon.MustMarshal(sigStructure{Context: "Signature1", Protected: header, External: []byte{}, Payload: payload})
}

// Sign signs a payload and returns the envelope. ErrPayload when ParsePayload would refuse the payload: what is signed
// can be read by everyone. Signatures are random, so keep the envelope; it cannot be made again.
func Sign(k vault.PrivateKey, payload []byte) ([]byte, error) {
	if _, err := ParsePayload(payload); err != nil {
		return nil, err
	}
	header := protected(k.Public().KID())
	sig, err := k.SignRaw(toBeSigned(header, payload))
	if err != nil {
		return nil, fmt.Errorf("receipt: sign: %w", err)
	}
	return canon.Marshal(coseSign1{
		Protected: header, Unprotected: map[int64]int64{}, Payload: payload, Signature: sig,
	})
}

// Size returns how many bytes the envelope of a payload has: signatures are random, their length is not.
func Size(payload []byte) int {
	return len(canon.MustMarshal(coseSign1{
		Protected: protected(make([]byte, 4)), Unprotected: map[int64]int64{}, Payload: payload, Signature: make([]byte, 64),
	}))
}

// PayloadOf returns the payload of an envelope without checking the signature. ErrEnvelope when it is none.
func PayloadOf(envelope []byte) ([]byte, error) {
	p, err := open(envelope)
	if err != nil {
		return nil, err
	}
	return p.payload, nil
}

// KIDOf returns the key hint of an envelope without checking the signature. ErrEnvelope when it is none.
func KIDOf(envelope []byte) ([]byte, error) {
	p, err := open(envelope)
	if err != nil {
		return nil, err
	}
	return p.kid, nil
}

// Explain returns what an outside judge needs: the bytes that were signed (the Sig_structure) and the signature as
// DER, for openssl pkeyutl -verify. docs/receipt.md shows how to get both without this program.
func Explain(envelope []byte) (tbs, sigDER []byte, err error) {
	p, err := open(envelope)
	if err != nil {
		return nil, nil, err
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{
		new(big.Int).SetBytes(p.sig[:32]), new(big.Int).SetBytes(p.sig[32:]),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("receipt: encode signature: %w", err)
	}
	return p.tbs, der, nil
}

func open(envelope []byte) (parts, error) {
	if len(envelope) > maxBytes {
		return parts{}, fmt.Errorf("%w: %d bytes", ErrEnvelope, len(envelope))
	}
	var e coseSign1
	if err := canon.Unmarshal(envelope, &e); err != nil {
		return parts{}, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	if len(e.Unprotected) != 0 || len(e.Signature) != vault.SignatureSize {
		return parts{}, fmt.Errorf("%w: header or signature", ErrEnvelope)
	}
	var h protectedHeader
	if err := canon.Unmarshal(e.Protected, &h); err != nil {
		return parts{}, fmt.Errorf("%w: protected header: %w", ErrEnvelope, err)
	}
	if h.Alg != Algorithm || len(h.KID) != 4 || !bytes.Equal(e.Protected, protected(h.KID)) {
		return parts{}, fmt.Errorf("%w: algorithm %d", ErrEnvelope, h.Alg)
	}
	return parts{kid: h.KID, tbs: toBeSigned(e.Protected, e.Payload), payload: e.Payload, sig: e.Signature}, nil
}
