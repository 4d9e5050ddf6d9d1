package wire

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Hello is the body of POST /v1/enroll/hello.
type Hello struct {
	V     uint8  `cbor:"1,keyasint"`
	Nonce []byte `cbor:"2,keyasint"` // 16 random bytes of the device
}

// HelloReply tells who the platform is, before any secret is used.
type HelloReply struct {
	V     uint8  `cbor:"1,keyasint"`
	Root  []byte `cbor:"2,keyasint"` // platform root, SM2 public key 04‖x‖y
	Pins  []byte `cbor:"3,keyasint"` // signed PinSet
	Nonce []byte `cbor:"4,keyasint"` // for the enrolment
	Sig   []byte `cbor:"5,keyasint"` // root, domain "hello", over the device's nonce ‖ this message with Sig empty
}

// Sign signs the answer with the platform root.
func (h *HelloReply) Sign(root vault.PrivateKey, nonce []byte) error {
	h.V, h.Sig = Version, nil
	sig, err := vault.Sign(root, "hello", append(append([]byte{}, nonce...), canon.MustMarshal(*h)...))
	if err != nil {
		return fmt.Errorf("wire: sign hello: %w", err)
	}
	h.Sig = sig
	return nil
}

// Verify checks that the platform root in the message signed it for this nonce.
func (h HelloReply) Verify(s vault.Suite, nonce []byte) error {
	sig := h.Sig
	h.Sig = nil
	return vault.Verify(s, h.Root, "hello", append(append([]byte{}, nonce...), canon.MustMarshal(h)...), sig)
}

// PinSet names the TLS keys a device may talk to: SHA-256 of SubjectPublicKeyInfo, current first, then backups.
type PinSet struct {
	V    uint8      `cbor:"1,keyasint"`
	At   int64      `cbor:"2,keyasint"` // Unix milliseconds; a newer set replaces an older one
	Pins [][32]byte `cbor:"3,keyasint"`
	Sig  []byte     `cbor:"4,keyasint"` // root, domain "pins"
}

func (h Hello) version() uint8       { return h.V }
func (h HelloReply) version() uint8  { return h.V }
func (p PinSet) version() uint8      { return p.V }
func (e Enroll) version() uint8      { return e.V }
func (e EnrollReply) version() uint8 { return e.V }
func (g Grant) version() uint8       { return g.V }

func (h Hello) check() error       { return checkNonce(h.Nonce) }
func (h HelloReply) check() error  { return checkNonce(h.Nonce) }
func (e Enroll) check() error      { return checkNonce(e.Nonce) }
func (e EnrollReply) check() error { return nil }
func (g Grant) check() error       { return nil }

func (p PinSet) check() error {
	if len(p.Pins) > maxPins { // none is a set too: it trusts nobody
		return &Error{V: Version, Code: CodeBadRequest, Detail: "pins"}
	}
	return nil
}

// SignPins returns the bytes of a pin set signed by the root.
func SignPins(root vault.PrivateKey, p PinSet) ([]byte, error) {
	p.V, p.Sig = Version, nil
	sig, err := vault.Sign(root, "pins", canon.MustMarshal(p))
	if err != nil {
		return nil, fmt.Errorf("wire: sign pins: %w", err)
	}
	p.Sig = sig
	return canon.Marshal(p)
}

// OpenPins reads a pin set and checks the root's signature.
func OpenPins(s vault.Suite, root vault.PublicKey, data []byte) (PinSet, error) {
	p, err := Decode[PinSet](data)
	if err != nil {
		return PinSet{}, err
	}
	sig := p.Sig
	p.Sig = nil
	if err := vault.Verify(s, root, "pins", canon.MustMarshal(p), sig); err != nil {
		return PinSet{}, fmt.Errorf("wire: pins: %w", err)
	}
	p.Sig = sig
	return p, nil
}

// Enroll is the body of POST /v1/enroll.
type Enroll struct {
	V       uint8    `cbor:"1,keyasint"`
	CodeID  [8]byte  `cbor:"2,keyasint"` // EnrollCode.ID
	Nonce   []byte   `cbor:"3,keyasint"` // HelloReply.Nonce
	SignKey []byte   `cbor:"4,keyasint"` // device's SM2 signing key, public
	SealKey []byte   `cbor:"5,keyasint"` // device's SM2 encryption key, public
	Machine string   `cbor:"6,keyasint"` // name of the machine, for the county's list
	Proof   [32]byte `cbor:"7,keyasint"` // HMAC-SM3(secret, "enroll" ‖ nonce ‖ sign key ‖ seal key)
	Sig     []byte   `cbor:"8,keyasint"` // the new signing key, domain "enroll", with Sig empty
}

// EnrollProof computes Enroll.Proof.
func EnrollProof(s vault.Suite, secret [10]byte, nonce, signKey, sealKey []byte) [32]byte {
	return s.MAC(secret[:], []byte("enroll"), nonce, signKey, sealKey)
}

// Sign signs the enrolment with the device's new key.
func (e *Enroll) Sign(k vault.PrivateKey) error {
	e.V, e.Sig = Version, nil
	sig, err := vault.Sign(k, "enroll", canon.MustMarshal(*e))
	if err != nil {
		return fmt.Errorf("wire: sign enrolment: %w", err)
	}
	e.Sig = sig
	return nil
}

// Verify checks that the sender holds the signing key it asks a certificate for.
func (e Enroll) Verify(s vault.Suite) error {
	sig := e.Sig
	e.Sig = nil
	return vault.Verify(s, e.SignKey, "enroll", canon.MustMarshal(e), sig)
}

// EnrollReply is the answer: a Grant sealed to the device's new encryption key, signed by the platform root.
type EnrollReply struct {
	V     uint8  `cbor:"1,keyasint"`
	Grant []byte `cbor:"2,keyasint"` // SM2-sealed canonical Grant
	Sig   []byte `cbor:"3,keyasint"` // root, domain "grant", over Grant
}

// Grant makes a machine a station's device.
type Grant struct {
	V         uint8      `cbor:"1,keyasint"`
	Device    uint32     `cbor:"2,keyasint"`
	SignCert  []byte     `cbor:"3,keyasint"` // X.509, SM2, issued by the root
	SealCert  []byte     `cbor:"4,keyasint"`
	Station   Station    `cbor:"5,keyasint"`
	Operators []Operator `cbor:"6,keyasint"`
	Platform  Platform   `cbor:"7,keyasint"`
	KeyList   []byte     `cbor:"8,keyasint"` // signed receipt key list of the county
	Packs     []PackRef  `cbor:"9,keyasint"`
	Demo      bool       `cbor:"10,keyasint"` // a sample county: PINs may be shown, short PINs are allowed
	At        int64      `cbor:"11,keyasint"` // platform time, Unix milliseconds
	// Recovery is the county's recovery key, a document signed by the root (vault.OpenCountyKey); left out while there is none.
	Recovery []byte `cbor:"12,keyasint,omitempty"`
}

// Station is where the device stands.
type Station struct {
	Division  string `cbor:"1,keyasint"` // 12 digits
	Name      string `cbor:"2,keyasint"`
	Telephone string `cbor:"3,keyasint"`
	County    string `cbor:"4,keyasint"` // 6 digits, the shard of the key list
	ShortHost string `cbor:"5,keyasint"` // host (and port) of receipt links
}

// Operator is a person who may log in at the station.
type Operator struct {
	ID         string `cbor:"1,keyasint"`
	Name       string `cbor:"2,keyasint"`
	Role       string `cbor:"3,keyasint"`
	Division   string `cbor:"4,keyasint"`
	Activation string `cbor:"5,keyasint"` // first PIN
	OneTime    bool   `cbor:"6,keyasint"` // the first PIN must be changed at the first login
}

// Platform names the platform's working keys, public halves.
type Platform struct {
	SignKey []byte `cbor:"1,keyasint"` // acks, events, time, stage-2 receipts
	SealKey []byte `cbor:"2,keyasint"` // packets and blobs keys are sealed to it
}

// PackRef names a pack to fetch.
type PackRef struct {
	Kind    string   `cbor:"1,keyasint"`
	Version uint32   `cbor:"2,keyasint"`
	Hash    [32]byte `cbor:"3,keyasint"`
	Size    int64    `cbor:"4,keyasint"`
}

// EnrollCode is the one-time code: 80 bits of secret and 80 bits of the platform root's fingerprint.
type EnrollCode struct {
	Secret [10]byte
	Root   [10]byte // first bytes of SM3(root's SubjectPublicKeyInfo)
}

// LogValue keeps the secret out of logs.
func (EnrollCode) LogValue() slog.Value { return slog.StringValue("[enrolment code]") }

// ErrCode reports a typed code that cannot be one.
var ErrCode = words.New("enroll.codeMistyped", nil)

var codeAlphabet = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// NewEnrollCode makes a code for a platform root. random nil means the system's source.
func NewEnrollCode(s vault.Suite, root vault.PublicKey, random io.Reader) (EnrollCode, error) {
	if random == nil {
		random = rand.Reader
	}
	c := EnrollCode{Root: RootFingerprint(s, root)}
	if _, err := io.ReadFull(random, c.Secret[:]); err != nil {
		return EnrollCode{}, fmt.Errorf("wire: make enrolment code: %w", err)
	}
	return c, nil
}

// RootFingerprint returns the 80 bits of a platform root that a code carries.
func RootFingerprint(s vault.Suite, root vault.PublicKey) [10]byte {
	der, err := root.SPKI()
	if err != nil {
		return [10]byte{}
	}
	h := s.Hash(der)
	return [10]byte(h[:10])
}

// ID names the code to the gateway without telling the secret.
func (c EnrollCode) ID(s vault.Suite) [8]byte {
	h := s.Hash([]byte("bianmin/code\x00"), c.Secret[:])
	return [8]byte(h[:8])
}

// String returns the code as people type it: nine groups of four, the last a check over the others.
// The alphabet has no I, L, O and U.
func (c EnrollCode) String() string {
	raw := append(append([]byte{}, c.Secret[:]...), c.Root[:]...)
	s := codeAlphabet.EncodeToString(raw)
	h := vault.SM(nil).Hash(raw)
	s += codeAlphabet.EncodeToString(h[:])[:4]
	var b strings.Builder
	for i := 0; i < len(s); i += 4 {
		if i > 0 {
			b.WriteByte('-')
		}
		b.WriteString(s[i : i+4])
	}
	return b.String()
}

// ParseEnrollCode reads a typed code: any case, full-width forms as a Chinese input method types them, with or without
// dashes and blanks of any kind; I and L read as 1, O as 0. Error: ErrCode.
func ParseEnrollCode(text string) (EnrollCode, error) {
	clean := strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			r = r - '！' + '!'
		}
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Pd, r):
			return -1
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		}
		switch r {
		case 'I', 'L':
			return '1'
		case 'O':
			return '0'
		}
		return r
	}, text)
	if len(clean) != 36 {
		return EnrollCode{}, ErrCode
	}
	raw, err := codeAlphabet.DecodeString(clean[:32])
	if err != nil || len(raw) != 20 {
		return EnrollCode{}, ErrCode
	}
	var c EnrollCode
	copy(c.Secret[:], raw)
	copy(c.Root[:], raw[10:])
	if strings.ReplaceAll(c.String(), "-", "") != clean {
		return EnrollCode{}, ErrCode
	}
	return c, nil
}
