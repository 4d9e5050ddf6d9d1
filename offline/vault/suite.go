// Package vault holds keys and everything done with them.
//
// [Suite] is the one place where cryptographic primitives are called: SM2 signatures and sealing, SM3, SM4-GCM, so that
// a certified module can replace the library behind it. Every signature except COSE covers
// "bianmin/<type>/v1\0" followed by the canonical CBOR of what is signed, so that an ack can't pass for an event.
package vault

import (
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"math/big"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"github.com/emmansun/gmsm/smx509"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Sizes in bytes.
const (
	HashSize      = 32
	KeySize       = 16 // SM4
	NonceSize     = 12
	TagSize       = 16
	PublicKeySize = 65 // 04‖x‖y
	SignatureSize = 64 // r‖s
	sealedExtra   = 65 + 32
)

// Errors that callers branch on.
var (
	// ErrOpen reports a sealed value that does not open: wrong key, wrong place, or changed bytes.
	ErrOpen = errors.New("vault: sealed value does not open")
	// ErrKey reports a key that is not on the curve or has the wrong size.
	ErrKey = errors.New("vault: bad key")
	// ErrSignature reports a signature that does not verify.
	ErrSignature = errors.New("vault: signature does not verify")
)

// Hash is an SM3 digest.
type Hash [HashSize]byte

// IsZero reports whether h is the zero hash, used before the first record.
func (h Hash) IsZero() bool { return h == Hash{} }

// String returns the lower-case hexadecimal form.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Key is an SM4 key. It never prints.
type Key [KeySize]byte

// LogValue keeps keys out of logs.
func (Key) LogValue() slog.Value { return slog.StringValue("[key]") }

// Format keeps keys out of formatted text, whatever the verb.
func (Key) Format(f fmt.State, _ rune) { hide(f, "[key]") }

// MarshalJSON keeps keys out of JSON logs.
func (Key) MarshalJSON() ([]byte, error) { return []byte(`"[key]"`), nil }

func hide(f fmt.State, word string) {
	// A formatter has nobody to return an error to; fmt itself writes into a buffer here.
	_, _ = io.WriteString(f, word)
}

// PublicKey is an SM2 public key as 04‖x‖y.
type PublicKey []byte

// KID returns the first four bytes of SM3 over the key's SubjectPublicKeyInfo: a hint, never a proof.
func (p PublicKey) KID() []byte {
	der, err := p.SPKI()
	if err != nil {
		return make([]byte, 4)
	}
	h := sm3.Sum(der)
	return h[:4]
}

// SPKI returns the DER SubjectPublicKeyInfo, as OpenSSL reads it.
func (p PublicKey) SPKI() ([]byte, error) {
	k, err := p.ecdsa()
	if err != nil {
		return nil, err
	}
	der, err := smx509.MarshalPKIXPublicKey(k)
	if err != nil {
		return nil, fmt.Errorf("vault: encode public key: %w", err)
	}
	return der, nil
}

func (p PublicKey) ecdsa() (*ecdsa.PublicKey, error) {
	if len(p) != PublicKeySize {
		return nil, ErrKey
	}
	if p[0] != 4 {
		return nil, ErrKey
	}
	k := &ecdsa.PublicKey{Curve: sm2.P256(), X: new(big.Int).SetBytes(p[1:33]), Y: new(big.Int).SetBytes(p[33:])}
	if !k.Curve.IsOnCurve(k.X, k.Y) {
		return nil, fmt.Errorf("%w: not on the curve", ErrKey)
	}
	return k, nil
}

// PrivateKey signs and opens what was sealed to its public half. A TPM or a certified module may stand behind it.
type PrivateKey interface {
	// Public returns the public half.
	Public() PublicKey
	// SignRaw signs msg with SM2 over SM3 and the default user id; 64 bytes r‖s.
	SignRaw(msg []byte) ([]byte, error)
	// OpenSealed opens what Suite.SealTo sealed to Public.
	OpenSealed(sealed []byte) ([]byte, error)
	// Bytes returns the 32-byte scalar for wrapping, or an error when it cannot leave its module.
	Bytes() ([]byte, error)
}

// Suite is the set of primitives. All methods may be called from any goroutine.
type Suite interface {
	// Name identifies the suite in doctor's report.
	Name() string
	// Hash returns SM3 over the parts joined.
	Hash(parts ...[]byte) Hash
	// NewHash returns a running SM3, for streams.
	NewHash() hash.Hash
	// MAC returns HMAC-SM3 over the parts joined.
	MAC(key []byte, parts ...[]byte) Hash
	// NewKey returns a random SM4 key.
	NewKey() (Key, error)
	// GenerateKey makes an SM2 key pair.
	GenerateKey() (PrivateKey, error)
	// ParsePrivateKey reads the 32-byte scalar.
	ParsePrivateKey(d []byte) (PrivateKey, error)
	// VerifyRaw reports whether sig (r‖s) is pub's SM2 signature over msg with the default user id.
	VerifyRaw(pub PublicKey, msg, sig []byte) bool
	// Seal encrypts with SM4-GCM under a random nonce: nonce ‖ ciphertext ‖ tag.
	Seal(key Key, plain, aad []byte) ([]byte, error)
	// Open reverses Seal. ErrOpen when it does not fit.
	Open(key Key, sealed, aad []byte) ([]byte, error)
	// SealTo encrypts to a public key with SM2: 04‖x‖y‖C3‖C2.
	SealTo(pub PublicKey, plain []byte) ([]byte, error)
	// Random fills b.
	Random(b []byte) error
}

// SM returns the suite over gmsm with the given source of randomness (nil: the system's).
func SM(random io.Reader) Suite {
	if random == nil {
		random = rand.Reader
	}
	return smSuite{random}
}

type smSuite struct{ rand io.Reader }

func (smSuite) Name() string { return "SM2/SM3/SM4-GCM (gmsm)" }

func (smSuite) NewHash() hash.Hash { return sm3.New() }

func (smSuite) Hash(parts ...[]byte) Hash {
	h := sm3.New()
	for _, p := range parts {
		h.Write(p)
	}
	return Hash(h.Sum(nil))
}

func (smSuite) MAC(key []byte, parts ...[]byte) Hash {
	m := hmac.New(sm3.New, key)
	for _, p := range parts {
		m.Write(p)
	}
	return Hash(m.Sum(nil))
}

func (s smSuite) Random(b []byte) error {
	if _, err := io.ReadFull(s.rand, b); err != nil {
		return fmt.Errorf("vault: read randomness: %w", err)
	}
	return nil
}

func (s smSuite) NewKey() (Key, error) {
	var k Key
	err := s.Random(k[:])
	return k, err
}

func (s smSuite) GenerateKey() (PrivateKey, error) {
	k, err := sm2.GenerateKey(s.rand)
	if err != nil {
		return nil, fmt.Errorf("vault: make key pair: %w", err)
	}
	return smPrivate{k, s.rand}, nil
}

func (s smSuite) ParsePrivateKey(d []byte) (PrivateKey, error) {
	n := new(big.Int).SetBytes(d)
	limit := new(big.Int).Sub(sm2.P256().Params().N, big.NewInt(1))
	if len(d) != 32 || n.Sign() == 0 || n.Cmp(limit) >= 0 {
		return nil, ErrKey
	}
	k := new(sm2.PrivateKey)
	k.Curve, k.D = sm2.P256(), n
	k.X, k.Y = k.Curve.ScalarBaseMult(d)
	return smPrivate{k, s.rand}, nil
}

func (smSuite) VerifyRaw(pub PublicKey, msg, sig []byte) bool { return verifyAs(pub, nil, msg, sig) }

// verifyAs verifies under a signer's user id; nil: the default one, 1234567812345678 (GM/T 0009-2012 §10).
func verifyAs(pub PublicKey, uid, msg, sig []byte) bool {
	if len(sig) != SignatureSize {
		return false
	}
	k, err := pub.ecdsa()
	if err != nil {
		return false
	}
	der, err := rawToDER(sig)
	return err == nil && sm2.VerifyASN1WithSM2(k, uid, msg, der)
}

// rawToDER turns r‖s into the ASN.1 form the library speaks.
func rawToDER(sig []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(sig[:32]))
		b.AddASN1BigInt(new(big.Int).SetBytes(sig[32:]))
	})
	return b.Bytes()
}

// derToRaw reverses rawToDER.
func derToRaw(der []byte) ([]byte, error) {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	r, s := new(big.Int), new(big.Int)
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(r) || !seq.ReadASN1Integer(s) || !seq.Empty() ||
		r.Sign() <= 0 || s.Sign() <= 0 || r.BitLen() > 256 || s.BitLen() > 256 {
		return nil, ErrSignature
	}
	raw := make([]byte, SignatureSize)
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	return raw, nil
}

func gcm(key Key) (cipher.AEAD, error) {
	b, err := sm4.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	a, err := cipher.NewGCM(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return a, nil
}

func (s smSuite) Seal(key Key, plain, aad []byte) ([]byte, error) {
	a, err := gcm(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, NonceSize, NonceSize+len(plain)+TagSize)
	if err := s.Random(out); err != nil {
		return nil, err
	}
	return a.Seal(out, out, plain, aad), nil
}

func (smSuite) Open(key Key, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < NonceSize+TagSize {
		return nil, ErrOpen
	}
	a, err := gcm(key)
	if err != nil {
		return nil, err
	}
	plain, err := a.Open(nil, sealed[:NonceSize], sealed[NonceSize:], aad)
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

func (s smSuite) SealTo(pub PublicKey, plain []byte) ([]byte, error) {
	k, err := pub.ecdsa()
	if err != nil {
		return nil, err
	}
	out, err := sm2.Encrypt(s.rand, k, plain, nil)
	if err != nil {
		return nil, fmt.Errorf("vault: seal to key: %w", err)
	}
	return out, nil
}

type smPrivate struct {
	k    *sm2.PrivateKey
	rand io.Reader
}

func (p smPrivate) Public() PublicKey {
	b := make([]byte, PublicKeySize)
	b[0] = 4
	p.k.X.FillBytes(b[1:33])
	p.k.Y.FillBytes(b[33:])
	return b
}

func (p smPrivate) SignRaw(msg []byte) ([]byte, error) {
	der, err := p.k.SignWithSM2(p.rand, nil, msg)
	if err != nil {
		return nil, fmt.Errorf("vault: sign: %w", err)
	}
	return derToRaw(der)
}

func (p smPrivate) OpenSealed(sealed []byte) ([]byte, error) {
	if len(sealed) <= sealedExtra || sealed[0] != 4 {
		return nil, ErrOpen
	}
	plain, err := sm2.Decrypt(p.k, sealed)
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

func (p smPrivate) Bytes() ([]byte, error) { return p.k.D.FillBytes(make([]byte, 32)), nil }

// LogValue keeps private keys out of logs.
func (smPrivate) LogValue() slog.Value { return slog.StringValue("[private key]") }

// Format keeps private keys out of formatted text, whatever the verb.
func (smPrivate) Format(f fmt.State, _ rune) { hide(f, "[private key]") }

// Sign signs body under the domain "bianmin/<kind>/v1\0".
func Sign(k PrivateKey, kind string, body []byte) ([]byte, error) {
	return k.SignRaw(domain(kind, body))
}

// Verify checks a signature made by Sign; nil or ErrSignature.
func Verify(s Suite, pub PublicKey, kind string, body, sig []byte) error {
	if !s.VerifyRaw(pub, domain(kind, body), sig) {
		return ErrSignature
	}
	return nil
}

func domain(kind string, body []byte) []byte {
	return append([]byte("bianmin/"+kind+"/v1\x00"), body...)
}

// U64 returns n as 8 bytes big-endian, the form of integers in hashes and MACs.
func U64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// Equal compares secrets in constant time.
func Equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
