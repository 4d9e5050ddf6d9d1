// Package journal defines the two logs: what this device did, and what the platform told it.
//
// A [Record] is one act on this device. Records are numbered 1, 2, 3…, chained by SM3 over their headers, and never
// change. The header holds a salted hash of the body, so a body can be purged and the chain still verifies. The
// identity of a record is (device, seq): there is no random id. Order is seq alone; the wall clock in At is a note.
//
// An [Event] is one thing the platform said to this device. Events have their own numbers (cursor), their own chain,
// and the platform's signature.
//
// The package computes and checks; it stores nothing. See docs/journal.md for the bytes.
package journal

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// Version is the format version of records and events.
const Version = 1

// MaxBody is the largest record or event body in bytes.
const MaxBody = 1 << 20

// Errors that callers branch on.
var (
	// ErrGap reports records that do not follow one another.
	ErrGap = errors.New("journal: records do not follow one another")
	// ErrBody reports a body that is not the one its header was made for.
	ErrBody = errors.New("journal: body does not match its header")
	// ErrFormat reports bytes that are not a record or event of a known version.
	ErrFormat = errors.New("journal: not a known format")
)

// Kind says what a record or an event is about. Kinds are append-only: a released kind keeps its meaning.
type Kind string

// Kinds of records.
const (
	KindEnrolled       Kind = "enrolled"
	KindLogin          Kind = "login"
	KindLoginRefused   Kind = "login.refused"
	KindLocked         Kind = "locked"
	KindPINChanged     Kind = "pin.changed"
	KindCaseSubmitted  Kind = "case.submitted"
	KindCaseAmended    Kind = "case.amended"
	KindCaseWithdrawn  Kind = "case.withdrawn"
	KindPersonOpened   Kind = "person.opened"
	KindReceiptPrinted Kind = "receipt.printed"
	KindExported       Kind = "exported"
	KindSettings       Kind = "settings"
	KindClockJump      Kind = "clock.jump"
	KindRebuilt        Kind = "rebuilt"

	// Notes about who may log in, by operator id, and about the machine's keys.
	KindOperatorAdded    Kind = "operator.added"
	KindOperatorAdmitted Kind = "operator.admitted"
	KindOperatorReset    Kind = "operator.reset"
	KindOperatorRemoved  Kind = "operator.removed"
	KindMasterRotated    Kind = "master.rotated"
	KindRecovered        Kind = "recovered"  // with the county's recovery key
	KindOrderKept        Kind = "order.kept" // an order of the platform was carried out: lock, unlock, wipe, lease
)

// Kinds of events.
const (
	EventAccepted     Kind = "case.accepted"
	EventRefused      Kind = "case.refused"
	EventCorrection   Kind = "case.correction"
	EventComplete     Kind = "case.complete"
	EventProcessing   Kind = "case.processing"
	EventSpecial      Kind = "case.special"
	EventDecided      Kind = "case.decided"
	EventDelivered    Kind = "case.delivered"
	EventQuarantined  Kind = "record.quarantined"
	EventPack         Kind = "pack.published"
	EventKeyList      Kind = "keys.published"
	EventPins         Kind = "pins.changed"
	EventDeviceLocked Kind = "device.locked"

	EventDeviceUnlocked   Kind = "device.unlocked"
	EventDeviceWiped      Kind = "device.wiped"
	EventDeviceLease      Kind = "device.lease"
	EventRecovery         Kind = "recovery.published"
	EventOperator         Kind = "operator.granted"
	EventOperatorWithdraw Kind = "operator.withdrawn"
	EventTimed            Kind = "case.timed"
)

// Clock is the quality of the wall clock when a record was made.
type Clock struct {
	// Signed is the last time the platform signed, in Unix milliseconds; 0 when there was none.
	Signed int64 `cbor:"1,keyasint"`
	// Since is the least time passed since Signed, in milliseconds.
	Since int64 `cbor:"2,keyasint"`
	// Exact is true while the machine has not been restarted since Signed.
	Exact bool `cbor:"3,keyasint"`
}

// Quality grades a clock for the receipt: 0 never confirmed, 1 at least, 2 exact since the last signed time.
func (c Clock) Quality() uint8 {
	switch {
	case c.Signed == 0:
		return 0
	case !c.Exact:
		return 1
	}
	return 2
}

// Header is the chained part of a record.
type Header struct {
	V        uint8      `cbor:"1,keyasint"`
	Device   uint32     `cbor:"2,keyasint"`
	Seq      uint64     `cbor:"3,keyasint"`
	Prev     vault.Hash `cbor:"4,keyasint"` // hash of record Seq-1; zero for the first
	At       int64      `cbor:"5,keyasint"` // wall clock as read, Unix milliseconds
	Clock    Clock      `cbor:"6,keyasint"`
	Operator string     `cbor:"7,keyasint"` // operator id; "" when nobody was logged in
	Kind     Kind       `cbor:"8,keyasint"`
	BodyHash vault.Hash `cbor:"9,keyasint"`
}

// Record is a header with its body. A nil Body means the body was purged (a tombstone).
type Record struct {
	Header
	Body []byte
}

// Hash returns the record's hash: SM3 of the canonical header.
func (h Header) Hash(s vault.Suite) vault.Hash {
	var room [256]byte
	return s.Hash(h.Append(room[:0]))
}

// Append appends the canonical header to b.
func (h Header) Append(b []byte) []byte {
	b = canon.AppendMap(b, 9)
	b = canon.AppendUint(canon.AppendUint(b, 1), uint64(h.V))
	b = canon.AppendUint(canon.AppendUint(b, 2), uint64(h.Device))
	b = canon.AppendUint(canon.AppendUint(b, 3), h.Seq)
	b = canon.AppendBytes(canon.AppendUint(b, 4), h.Prev[:])
	b = canon.AppendInt(canon.AppendUint(b, 5), h.At)
	b = canon.AppendMap(canon.AppendUint(b, 6), 3)
	b = canon.AppendInt(canon.AppendUint(b, 1), h.Clock.Signed)
	b = canon.AppendInt(canon.AppendUint(b, 2), h.Clock.Since)
	b = canon.AppendBool(canon.AppendUint(b, 3), h.Clock.Exact)
	b = canon.AppendText(canon.AppendUint(b, 7), h.Operator)
	b = canon.AppendText(canon.AppendUint(b, 8), string(h.Kind))
	return canon.AppendBytes(canon.AppendUint(b, 9), h.BodyHash[:])
}

// ReadHeader reads a canonical header that stands among other things. What it holds is not checked; see ParseHeader.
func ReadHeader(r *canon.Reader) (h Header) {
	r.Fields(9)
	r.Key(1)
	h.V = uint8(r.Below(1 << 8))
	r.Key(2)
	h.Device = uint32(r.Below(1 << 32))
	r.Key(3)
	h.Seq = r.Uint()
	r.Key(4)
	copy(h.Prev[:], r.Exactly(vault.HashSize))
	r.Key(5)
	h.At = r.Int()
	r.Key(6)
	r.Fields(3)
	r.Key(1)
	h.Clock.Signed = r.Int()
	r.Key(2)
	h.Clock.Since = r.Int()
	r.Key(3)
	h.Clock.Exact = r.Bool()
	r.Key(7)
	h.Operator = r.Text()
	r.Key(8)
	h.Kind = Kind(r.Text())
	r.Key(9)
	copy(h.BodyHash[:], r.Exactly(vault.HashSize))
	return h
}

// ParseHeader reads a canonical header.
func ParseHeader(data []byte) (Header, error) {
	r := canon.NewReader(data)
	h := ReadHeader(r)
	if err := r.Done(); err != nil {
		return Header{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if h.V != Version {
		return Header{}, fmt.Errorf("%w: version %d", ErrFormat, h.V)
	}
	if h.Seq == 0 || (h.Seq == 1) != h.Prev.IsZero() {
		return Header{}, fmt.Errorf("%w: record %d with the wrong kind of predecessor", ErrFormat, h.Seq)
	}
	return h, nil
}

// BodyHash returns SM3(salt ‖ body) with salt = HMAC-SM3(saltKey, seq).
func BodyHash(s vault.Suite, saltKey []byte, seq uint64, body []byte) vault.Hash {
	salt := s.MAC(saltKey, vault.U64(seq))
	return s.Hash(salt[:], body)
}

// Next makes the record after (seq, head). The first record follows (0, zero hash). It refuses a body over MaxBody, and
// with ErrFormat an operator or a kind that is not text, which nobody could read again.
func Next(s vault.Suite, device uint32, seq uint64, head vault.Hash, saltKey []byte, at int64, clock Clock, operator string, kind Kind, body []byte) (Record, error) {
	if len(body) > MaxBody {
		return Record{}, fmt.Errorf("journal: body of %d bytes, at most %d", len(body), MaxBody)
	}
	if !utf8.ValidString(operator) || !utf8.ValidString(string(kind)) {
		return Record{}, fmt.Errorf("%w: operator or kind is not text", ErrFormat)
	}
	if body == nil {
		body = []byte{}
	}
	h := Header{
		V: Version, Device: device, Seq: seq + 1, Prev: head, At: at, Clock: clock, Operator: operator, Kind: kind,
		BodyHash: BodyHash(s, saltKey, seq+1, body),
	}
	return Record{Header: h, Body: body}, nil
}

// CheckBody compares a record's body with its header. A purged body passes: its header stands alone.
func CheckBody(s vault.Suite, saltKey []byte, r Record) error {
	if r.Body == nil || BodyHash(s, saltKey, r.Seq, r.Body) == r.BodyHash {
		return nil
	}
	return fmt.Errorf("%w: record %d", ErrBody, r.Seq)
}

// CheckChain checks that headers continue (device, seq, head) without gap, and returns the new head.
func CheckChain(s vault.Suite, device uint32, seq uint64, head vault.Hash, headers []Header) (vault.Hash, error) {
	for _, h := range headers {
		switch {
		case h.V != Version:
			return head, fmt.Errorf("%w: record %d has version %d", ErrFormat, seq+1, h.V)
		case h.Device != device:
			return head, fmt.Errorf("%w: record %d is of device %d, not %d", ErrGap, seq+1, h.Device, device)
		case h.Seq != seq+1:
			return head, fmt.Errorf("%w: record %d where %d is due", ErrGap, h.Seq, seq+1)
		case h.Prev != head:
			return head, fmt.Errorf("%w: record %d does not name its predecessor", ErrGap, h.Seq)
		}
		seq, head = h.Seq, h.Hash(s)
	}
	return head, nil
}
