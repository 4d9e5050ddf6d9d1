// Package wire defines the messages between a device and the gateway: canonical CBOR, versioned, with limits.
//
// The protocol in prose is in package sync; the bytes are in docs/wire.md. Over HTTP every body is
// application/cbor; an answer may be zstd (Content-Encoding) when the request accepts it.
package wire

import (
	"errors"
	"fmt"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// Version is the protocol version.
const Version = 1

// Paths of the gateway. Pack and Blob paths end with the hexadecimal hash.
const (
	PathHello    = "/v1/enroll/hello"
	PathEnroll   = "/v1/enroll"
	PathNonce    = "/v1/nonce"
	PathExchange = "/v1/exchange"
	PathPack     = "/v1/packs/"
	PathBlob     = "/v1/blobs/"
	PathStatus   = "/v1/status" // POST a stage-1 or stage-2 envelope
	PathPage     = "/r"
)

// ContentType of every message.
const ContentType = "application/cbor"

// Limits in bytes and counts.
const (
	MaxPacket   = 4 << 20
	MaxRequest  = 5 << 20
	MaxReply    = 8 << 20
	MaxPackets  = 256
	MaxEvents   = 500
	MaxWaitMS   = 25_000
	MaxBlob     = 64 << 20
	MaxBlobPart = 4 << 20
)

// Code is a machine-readable reason, also the translation key of what people read ("wire." + Code).
// Codes are append-only.
type Code string

// Reasons the gateway gives.
const (
	CodeBadRequest   Code = "badRequest"   // not a message of this version
	CodeTooLarge     Code = "tooLarge"     // over a limit
	CodeNonce        Code = "nonce"        // nonce unknown or old: take the one in the answer and ask again
	CodeUnknown      Code = "unknown"      // no such device
	CodeSignature    Code = "signature"    // the request is not signed by that device
	CodeRevoked      Code = "revoked"      // the device was withdrawn
	CodeCodeUnknown  Code = "codeUnknown"  // enrolment code was never issued
	CodeCodeUsed     Code = "codeUsed"     // enrolment code was used before
	CodeCodeExpired  Code = "codeExpired"  // enrolment code is past its time
	CodeBusy         Code = "busy"         // later, never loss
	CodeNotFound     Code = "notFound"     //
	CodeInternal     Code = "internal"     // the gateway's own fault; nothing was stored
	CodeRootMismatch Code = "rootMismatch" // found by the device: not the platform the code names
	CodePinMismatch  Code = "pinMismatch"  // found by the device: TLS certificate is not pinned
	CodeUnreachable  Code = "unreachable"  // found by the device: nobody answers
)

// Error is a refusal. It travels as the body of every answer with a status of 400 and above.
type Error struct {
	V            uint8  `cbor:"1,keyasint"`
	Code         Code   `cbor:"2,keyasint"`
	Detail       string `cbor:"3,keyasint"` // for logs; never personal
	RetryAfterMS int64  `cbor:"4,keyasint"` // 0: no advice
	Nonce        []byte `cbor:"5,keyasint"` // a fresh nonce, with CodeNonce
	Cause        error  `cbor:"-"`
}

// Error implements error.
func (e *Error) Error() string {
	s := "wire: " + string(e.Code)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause on this side of the wire.
func (e *Error) Unwrap() error { return e.Cause }

// Is compares by code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// CodeOf returns the code of the first Error in err's chain, or "".
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Permanent reports whether asking again with the same message is useless.
func Permanent(err error) bool {
	switch CodeOf(err) {
	case CodeBadRequest, CodeTooLarge, CodeUnknown, CodeSignature, CodeRevoked, CodeCodeUnknown, CodeCodeUsed,
		CodeCodeExpired, CodeNotFound, CodeRootMismatch:
		return true
	}
	return false
}

// Request is the body of POST /v1/exchange.
type Request struct {
	V       uint8    `cbor:"1,keyasint"`
	Device  uint32   `cbor:"2,keyasint"`
	Nonce   []byte   `cbor:"3,keyasint"` // from the last answer, or from PathNonce
	Cursor  uint64   `cbor:"4,keyasint"` // last event held
	Packets [][]byte `cbor:"5,keyasint"` // runs of records, in order, each starting where the one before ended
	WaitMS  int64    `cbor:"6,keyasint"` // long poll: how long to hold the answer when there is no event
	Sig     []byte   `cbor:"7,keyasint"` // the device's, domain "exchange", over the message with Sig empty
}

// Reply is the answer to a Request.
type Reply struct {
	V            uint8    `cbor:"1,keyasint"`
	Ack          []byte   `cbor:"2,keyasint"` // packet.Ack bytes: how far the gateway holds this device, always present
	Fork         []byte   `cbor:"3,keyasint"` // packet.Fork bytes, when the device's past is not the gateway's
	Need         string   `cbor:"4,keyasint"` // "codec 0", "codec 1" or "dict" when a packet could not be decoded
	Events       [][]byte `cbor:"5,keyasint"` // journal.Event bytes after Cursor, in order
	More         bool     `cbor:"6,keyasint"` // more events wait
	RetryAfterMS int64    `cbor:"7,keyasint"` // do not knock before, unless there is news
	Time         Time     `cbor:"8,keyasint"`
	Nonce        []byte   `cbor:"9,keyasint"` // for the next request
}

// Time is the platform's signed clock, bound to the request by its nonce.
type Time struct {
	At    int64  `cbor:"1,keyasint"` // Unix milliseconds
	Nonce []byte `cbor:"2,keyasint"` // the request's
	KID   []byte `cbor:"3,keyasint"`
	Sig   []byte `cbor:"4,keyasint"` // domain "time", over Time with Sig empty
}

// Nonce is the answer to GET /v1/nonce.
type Nonce struct {
	V     uint8  `cbor:"1,keyasint"`
	Nonce []byte `cbor:"2,keyasint"`
}

// Sign signs the request with the device's key.
func (r *Request) Sign(k vault.PrivateKey) error {
	r.V, r.Sig = Version, nil
	sig, err := vault.Sign(k, "exchange", canon.MustMarshal(*r))
	if err != nil {
		return fmt.Errorf("wire: sign request: %w", err)
	}
	r.Sig = sig
	return nil
}

// Verify checks the device's signature.
func (r Request) Verify(s vault.Suite, pub vault.PublicKey) error {
	sig := r.Sig
	r.Sig = nil
	return vault.Verify(s, pub, "exchange", canon.MustMarshal(r), sig)
}

// Sign signs the time with the platform's key.
func (t *Time) Sign(k vault.PrivateKey) error {
	t.KID, t.Sig = k.Public().KID(), nil
	sig, err := vault.Sign(k, "time", canon.MustMarshal(*t))
	if err != nil {
		return fmt.Errorf("wire: sign time: %w", err)
	}
	t.Sig = sig
	return nil
}

// Verify checks the platform's signature.
func (t Time) Verify(s vault.Suite, pub vault.PublicKey) error {
	sig := t.Sig
	t.Sig = nil
	return vault.Verify(s, pub, "time", canon.MustMarshal(t), sig)
}

// Limits of single fields.
const (
	maxNonce = 64
	maxPins  = 16
)

// message is what travels on its own: it knows its version and its limits.
type message interface {
	version() uint8
	check() error
}

// Every message that Decode reads as a whole; the rest are parts of these.
var (
	_ message = Request{}
	_ message = Reply{}
	_ message = Nonce{}
	_ message = Error{}
	_ message = Hello{}
	_ message = HelloReply{}
	_ message = PinSet{}
	_ message = Enroll{}
	_ message = EnrollReply{}
	_ message = Grant{}
)

func (r Request) version() uint8 { return r.V }
func (r Reply) version() uint8   { return r.V }
func (n Nonce) version() uint8   { return n.V }
func (e Error) version() uint8   { return e.V }

func (r Request) check() error {
	if len(r.Packets) > MaxPackets {
		return &Error{V: Version, Code: CodeTooLarge, Detail: "packets"}
	}
	for _, p := range r.Packets {
		if len(p) > MaxPacket {
			return &Error{V: Version, Code: CodeTooLarge, Detail: "packet"}
		}
	}
	if len(r.Nonce) > maxNonce || r.WaitMS < 0 {
		return &Error{V: Version, Code: CodeBadRequest, Detail: "request"}
	}
	return nil
}

func (r Reply) check() error {
	if len(r.Events) > MaxEvents {
		return &Error{V: Version, Code: CodeTooLarge, Detail: "events"}
	}
	if len(r.Nonce) > maxNonce || r.RetryAfterMS < 0 {
		return &Error{V: Version, Code: CodeBadRequest, Detail: "reply"}
	}
	return nil
}

func (n Nonce) check() error { return checkNonce(n.Nonce) }
func (e Error) check() error { return checkNonce(e.Nonce) }

func checkNonce(n []byte) error {
	if len(n) > maxNonce {
		return &Error{V: Version, Code: CodeBadRequest, Detail: "nonce"}
	}
	return nil
}

// Decode reads one message and refuses other versions, anything not canonical (CodeBadRequest), and what is over the
// limits of the message (CodeTooLarge). The error is an *Error; the message is then the zero value. The caller bounds the
// length of data: MaxRequest or MaxReply.
func Decode[T any](data []byte) (T, error) {
	var v, none T
	if err := canon.Unmarshal(data, &v); err != nil {
		return none, &Error{V: Version, Code: CodeBadRequest, Cause: err}
	}
	m, ok := any(v).(message)
	if !ok {
		return v, nil // a part of a message, without a version of its own
	}
	if m.version() != Version {
		return none, &Error{V: Version, Code: CodeBadRequest, Detail: fmt.Sprintf("version %d, this side speaks %d", m.version(), Version)}
	}
	if err := m.check(); err != nil {
		return none, err
	}
	return v, nil
}
