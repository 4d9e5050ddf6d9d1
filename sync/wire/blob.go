package wire

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// Names of the headers that carry an Auth.
const (
	HeaderDevice = "X-Bianmin-Device" // device number, decimal
	HeaderNonce  = "X-Bianmin-Nonce"  // base64url without padding
	HeaderSig    = "X-Bianmin-Sig"    // base64url without padding
)

// Names and values of the tus 1.0 core headers used for blobs (https://tus.io/protocols/resumable-upload).
const (
	HeaderTusResumable = "Tus-Resumable"
	HeaderUploadLength = "Upload-Length"
	HeaderUploadOffset = "Upload-Offset"
	TusVersion         = "1.0.0"
	TusContentType     = "application/offset+octet-stream"
)

// BlobOf is the path under which a device fetches an attachment of a case back: the case's device and submission say whose
// it is.
func BlobOf(addr [32]byte, device uint32, seq uint64) string {
	return fmt.Sprintf("%s%x/%d/%d", PathBlob, addr, device, seq)
}

// Auth is the device's signature over a request whose body is not a signed message: every request under PathBlob and
// every GET under PathPack. It travels in three headers. A nonce serves for many requests while it is fresh (10
// minutes); when it is not, the answer is an Error with CodeNonce and a new one.
type Auth struct {
	Device uint32
	Nonce  []byte // from the last answer, or from PathNonce
	Method string // "GET", "HEAD", "POST", "PATCH"
	Path   string // URL path without host and query, for example "/v1/blobs/<64 hex digits>"
	Offset int64  // PATCH: value of Upload-Offset; POST: value of Upload-Length; else 0
	Sig    []byte // the device's, domain "request"
}

type authBody struct {
	_      struct{} `cbor:",toarray"`
	V      uint8
	Device uint32
	Nonce  []byte
	Method string
	Path   string
	Offset int64
}

func (a Auth) body() []byte {
	return canon.MustMarshal(authBody{V: Version, Device: a.Device, Nonce: a.Nonce, Method: a.Method, Path: a.Path, Offset: a.Offset})
}

// Sign signs the request with the device's key.
func (a *Auth) Sign(k vault.PrivateKey) error {
	sig, err := vault.Sign(k, "request", a.body())
	if err != nil {
		return fmt.Errorf("wire: sign %s: %w", a.Method, err)
	}
	a.Sig = sig
	return nil
}

// Verify checks the device's signature.
func (a Auth) Verify(s vault.Suite, pub vault.PublicKey) error {
	return vault.Verify(s, pub, "request", a.body(), a.Sig)
}

// Headers returns the three headers of a signed Auth.
func (a Auth) Headers() map[string]string {
	return map[string]string{
		HeaderDevice: strconv.FormatUint(uint64(a.Device), 10),
		HeaderNonce:  base64.RawURLEncoding.EncodeToString(a.Nonce),
		HeaderSig:    base64.RawURLEncoding.EncodeToString(a.Sig),
	}
}

// ParseAuth reads the three headers through get (http.Header.Get) for a request of the given method, path and offset.
// It checks the form, not the signature. The error is an Error with CodeBadRequest.
func ParseAuth(get func(name string) string, method, path string, offset int64) (Auth, error) {
	bad := func(what string, err error) (Auth, error) {
		return Auth{}, &Error{V: Version, Code: CodeBadRequest, Detail: what, Cause: err}
	}
	d, err := strconv.ParseUint(get(HeaderDevice), 10, 32)
	if err != nil {
		return bad("device header", err)
	}
	nonce, err := base64.RawURLEncoding.Strict().DecodeString(get(HeaderNonce))
	if err != nil || len(nonce) == 0 || len(nonce) > 64 {
		return bad("nonce header", err)
	}
	sig, err := base64.RawURLEncoding.Strict().DecodeString(get(HeaderSig))
	if err != nil || len(sig) != vault.SignatureSize {
		return bad("signature header", err)
	}
	a := Auth{Device: uint32(d), Nonce: nonce, Method: method, Path: path, Offset: offset, Sig: sig}
	for name, want := range a.Headers() { // leading zeros, and line ends that base64 passes over
		if get(name) != want {
			return bad("headers", nil)
		}
	}
	return a, nil
}
