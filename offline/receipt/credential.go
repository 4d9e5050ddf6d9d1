package receipt

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"bianmin/offline/canon"
	"bianmin/offline/ident"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// An e-credential is a code that the platform shows on a person's telephone: for a minute it proves that the platform knows
// the person who holds it. It is the text "BMC1" and base41 of a COSE_Sign1 like a receipt's, signed by a platform key of the
// key list, so that every station checks it without a network. It holds no ID number: a mark made of the number and a salt
// lets a station find the person among those it knows. It is never kept, only that it was shown.

// Times of a credential.
const (
	CredentialLife = 60 * time.Second // from issue to end
	clockAhead     = 30 * time.Second // how far the platform's clock may be ahead of the station's
)

const (
	credentialHead   = "BMC1"
	credentialStage  = 9 // no stage of a receipt, so that neither passes for the other
	credentialDomain = "bianmin/credential/v1\x00"
	saltSize         = 8
	markSize         = 16
	maxCredential    = 300 // bytes
	maxKindName      = 16  // characters
)

// Errors of OpenCredential, with words for people.
var (
	// ErrCredential reports text that is no credential, or one that no platform key signed.
	ErrCredential = words.New("receipt.credentialForged", nil)
	// ErrCredentialOld reports a credential whose minute is over: a picture of one, or one shown too long.
	ErrCredentialOld = words.New("receipt.credentialOld", nil)
	// ErrCredentialEarly reports a credential from the future: this machine's clock is wrong.
	ErrCredentialEarly = words.New("receipt.credentialEarly", nil)
	// ErrCredentialKey reports a credential signed by a key that this machine does not know.
	ErrCredentialKey = words.New("receipt.credentialKey", nil)
)

// Credential is what a code says. On the wire it is the array [1, 9, name of the kind, masked name, salt, mark, at].
type Credential struct {
	_     struct{} `cbor:",toarray"`
	V     uint8    // 1
	Stage uint8    // 9
	Kind  string   // as people call it, at most 16 characters, for example 医保电子凭证
	Name  string   // masked
	Salt  []byte
	Mark  []byte
	At    int64 // Unix seconds of issue
}

// Of reports whether the credential is that of the person with an ID number.
func (c Credential) Of(s vault.Suite, number string) bool {
	return bytes.Equal(c.Mark, credentialMark(s, c.Salt, number))
}

func credentialMark(s vault.Suite, salt []byte, number string) []byte {
	h := s.Hash(append(append([]byte(credentialDomain), salt...), number...))
	return h[:markSize]
}

// IsCredential reports whether text has the form of a credential.
func IsCredential(text string) bool { return strings.HasPrefix(text, credentialHead) }

// NewCredential issues a credential for the person with that name and ID number. k is a platform key; salt is 8 random bytes.
func NewCredential(s vault.Suite, k vault.PrivateKey, kind, name, number string, salt []byte, at time.Time) (string, error) {
	if n := utf8.RuneCountInString(kind); n == 0 || n > maxKindName || len(salt) != saltSize {
		return "", fmt.Errorf("receipt: credential of kind %q with %d bytes of salt: %w", kind, len(salt), errors.ErrUnsupported)
	}
	payload, err := canon.Marshal(Credential{
		V: 1, Stage: credentialStage, Kind: kind, Name: ident.MaskName(name), Salt: salt, Mark: credentialMark(s, salt, number), At: at.Unix(),
	})
	if err != nil {
		return "", fmt.Errorf("receipt: credential: %w", err)
	}
	header := protected(k.Public().KID())
	sig, err := k.SignRaw(toBeSigned(header, payload))
	if err != nil {
		return "", fmt.Errorf("receipt: sign credential: %w", err)
	}
	envelope, err := canon.Marshal(coseSign1{Protected: header, Unprotected: map[int64]int64{}, Payload: payload, Signature: sig})
	if err != nil {
		return "", fmt.Errorf("receipt: credential: %w", err)
	}
	return credentialHead + encode41(envelope), nil
}

// OpenCredential reads a credential and checks signature and time with what a station knows. Errors: ErrCredential,
// ErrCredentialKey, ErrCredentialOld, ErrCredentialEarly.
func OpenCredential(s vault.Suite, text string, now time.Time, lists ...KeyList) (Credential, error) {
	body, ok := strings.CutPrefix(text, credentialHead)
	if !ok || len(body) > maxCredential/2*3 {
		return Credential{}, ErrCredential
	}
	envelope, err := decode41(body)
	if err != nil {
		return Credential{}, words.New(ErrCredential.Key, err)
	}
	p, err := open(envelope)
	if err != nil {
		return Credential{}, words.New(ErrCredential.Key, err)
	}
	var c Credential
	if err := canon.Unmarshal(p.payload, &c); err != nil {
		return Credential{}, words.New(ErrCredential.Key, err)
	}
	if c.V != 1 || c.Stage != credentialStage || len(c.Salt) != saltSize || len(c.Mark) != markSize ||
		utf8.RuneCountInString(c.Kind) > maxKindName || c.At < 0 || c.At > maxAt {
		return Credential{}, ErrCredential
	}
	if err := signedByPlatform(s, p, max(now.Unix(), 0), lists); err != nil {
		return Credential{}, err
	}
	switch at := time.Unix(c.At, 0); {
	case now.After(at.Add(CredentialLife)):
		return Credential{}, ErrCredentialOld
	case now.Before(at.Add(-clockAhead)):
		return Credential{}, ErrCredentialEarly
	}
	return c, nil
}

// signedByPlatform finds the platform key that signed.
func signedByPlatform(s vault.Suite, p parts, now int64, lists []KeyList) error {
	known := false
	for _, l := range newest(lists) {
		for i := range l.Keys {
			k := &l.Keys[i]
			if k.Stage != StagePlatform || !bytes.Equal(keyHint(s, k.Public), p.kid) {
				continue
			}
			known = true
			if !k.Revoked && (k.From == 0 || now >= k.From-clockSlack) && (k.To == 0 || now <= k.To+clockSlack) && s.VerifyRaw(k.Public, p.tbs, p.sig) {
				return nil
			}
		}
	}
	if !known {
		return ErrCredentialKey
	}
	return ErrCredential
}
