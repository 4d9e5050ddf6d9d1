package wire

import (
	"fmt"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// PathSnapshot takes a SnapshotRequest, and answers with a Snapshot.
const PathSnapshot = "/v1/snapshot"

// SnapshotRequest is the body of POST /v1/snapshot: a device asks for what the platform holds of its journal and its inbox,
// or of the journal that it goes on for.
type SnapshotRequest struct {
	V      uint8      `cbor:"1,keyasint"`
	Device uint32     `cbor:"2,keyasint"`
	Nonce  []byte     `cbor:"3,keyasint"`
	Of     uint32     `cbor:"4,keyasint"` // whose journal; 0: the one that this device goes on for
	After  uint64     `cbor:"5,keyasint"` // last record here
	Head   vault.Hash `cbor:"6,keyasint"` // its hash; zero when none
	Cursor uint64     `cbor:"7,keyasint"` // last event here
	Sig    []byte     `cbor:"8,keyasint"` // the device's, domain "snapshot", with Sig empty
}

// Snapshot is a part of what the platform holds. The device goes on asking while More.
type Snapshot struct {
	V        uint8    `cbor:"1,keyasint"`
	Of       uint32   `cbor:"2,keyasint"` // 0: the device goes on for nobody
	Ack      []byte   `cbor:"3,keyasint"` // packet.Ack of that journal: the end of the chain that the packets lead to
	Packets  [][]byte `cbor:"4,keyasint"` // packets after After, sealed to the asking device, signed by the platform
	Events   [][]byte `cbor:"5,keyasint"` // journal.Event bytes after Cursor, as they were signed
	Bodies   [][]byte `cbor:"6,keyasint"` // for each event the body sealed to the asking device; empty when it opens as it is
	More     bool     `cbor:"7,keyasint"`
	Diverged bool     `cbor:"8,keyasint"` // the record After here is another one: the journals have forked
}

var (
	_ message = SnapshotRequest{}
	_ message = Snapshot{}
)

func (r SnapshotRequest) version() uint8 { return r.V }
func (s Snapshot) version() uint8        { return s.V }

func (r SnapshotRequest) check() error {
	if (r.After == 0) != r.Head.IsZero() {
		return &Error{V: Version, Code: CodeBadRequest, Detail: "snapshot"}
	}
	return checkNonce(r.Nonce)
}

func (s Snapshot) check() error {
	if len(s.Events) > MaxEvents || len(s.Packets) > MaxPackets || len(s.Bodies) != len(s.Events) {
		return &Error{V: Version, Code: CodeTooLarge, Detail: "snapshot"}
	}
	for _, p := range s.Packets {
		if len(p) > MaxPacket {
			return &Error{V: Version, Code: CodeTooLarge, Detail: "packet"}
		}
	}
	return nil
}

// Sign signs the request with the device's key.
func (r *SnapshotRequest) Sign(k vault.PrivateKey) error {
	r.V, r.Sig = Version, nil
	sig, err := vault.Sign(k, "snapshot", canon.MustMarshal(*r))
	if err != nil {
		return fmt.Errorf("wire: sign snapshot request: %w", err)
	}
	r.Sig = sig
	return nil
}

// Verify checks the device's signature.
func (r SnapshotRequest) Verify(s vault.Suite, pub vault.PublicKey) error {
	sig := r.Sig
	r.Sig = nil
	return vault.Verify(s, pub, "snapshot", canon.MustMarshal(r), sig)
}
