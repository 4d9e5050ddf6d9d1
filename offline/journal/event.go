package journal

import (
	"fmt"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// Event is one message from the platform to one device.
//
// Kind and Seq are in clear, so a locked machine can show where a case stands. Body is canonical CBOR of the kind's
// body type; when Sealed is true, because it may name a person, it is sealed to the device's encryption key.
type Event struct {
	V      uint8      `cbor:"1,keyasint"`
	Device uint32     `cbor:"2,keyasint"`
	Cursor uint64     `cbor:"3,keyasint"`
	Prev   vault.Hash `cbor:"4,keyasint"` // hash of event Cursor-1; zero for the first
	At     int64      `cbor:"5,keyasint"` // the platform's clock, Unix milliseconds
	Kind   Kind       `cbor:"6,keyasint"`
	Seq    uint64     `cbor:"7,keyasint"` // the record it is about; 0 when about none
	Body   []byte     `cbor:"8,keyasint"`
	Sealed bool       `cbor:"9,keyasint"`
	KID    []byte     `cbor:"10,keyasint"` // which platform key signed
	Sig    []byte     `cbor:"11,keyasint"`
}

const eventDomain = "event"

func (e Event) unsigned() []byte {
	e.Sig = nil
	return canon.MustMarshal(e)
}

// Hash returns the event's hash: SM3 of the unsigned event. KID and V are part of it, so it is final only after Sign.
func (e Event) Hash(s vault.Suite) vault.Hash { return s.Hash(e.unsigned()) }

// Sign fills KID and Sig with the platform's key.
func (e *Event) Sign(k vault.PrivateKey) error {
	e.V = Version
	e.KID = k.Public().KID()
	sig, err := vault.Sign(k, eventDomain, e.unsigned())
	if err != nil {
		return fmt.Errorf("journal: sign event %d: %w", e.Cursor, err)
	}
	e.Sig = sig
	return nil
}

// Verify checks the platform's signature.
func (e Event) Verify(s vault.Suite, pub vault.PublicKey) error {
	if err := vault.Verify(s, pub, eventDomain, e.unsigned(), e.Sig); err != nil {
		return fmt.Errorf("journal: event %d: %w", e.Cursor, err)
	}
	return nil
}

// Marshal returns the event's bytes as stored and sent.
func (e Event) Marshal() []byte { return canon.MustMarshal(e) }

// ParseEvent reads one event. It checks the form, not the signature.
func ParseEvent(data []byte) (Event, error) {
	var e Event
	if err := canon.Unmarshal(data, &e); err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if e.V != Version {
		return Event{}, fmt.Errorf("%w: event version %d", ErrFormat, e.V)
	}
	if e.Cursor == 0 || (e.Cursor == 1) != e.Prev.IsZero() {
		return Event{}, fmt.Errorf("%w: event %d with the wrong kind of predecessor", ErrFormat, e.Cursor)
	}
	if len(e.Body) > MaxBody+256 { // sealing adds to it
		return Event{}, fmt.Errorf("%w: event body of %d bytes", ErrFormat, len(e.Body))
	}
	return e, nil
}

// CheckEvents checks that events continue (device, cursor, head), and returns the new head.
func CheckEvents(s vault.Suite, device uint32, cursor uint64, head vault.Hash, events []Event) (vault.Hash, error) {
	for _, e := range events {
		if e.Device != device || e.Cursor != cursor+1 || e.Prev != head {
			return head, fmt.Errorf("%w: event %d where %d is due", ErrGap, e.Cursor, cursor+1)
		}
		cursor, head = e.Cursor, e.Hash(s)
	}
	return head, nil
}
