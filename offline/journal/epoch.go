package journal

import (
	"fmt"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// Kinds of a journal that goes on for another one. They are append-only like all kinds.
const (
	// KindEpoch is record 1 of a device that goes on for a forked one. Its body is an Epoch.
	KindEpoch Kind = "epoch"
	// KindCarried lists the old headers of the records that follow it. Its body is a Carried.
	KindCarried Kind = "epoch.carried"
	// KindFormerAct is an act about a case that the former device had delivered. Its body is a FormerAct.
	KindFormerAct Kind = "former.act"
)

// EventFormer says that there is something new in the inbox of a device that this one goes on for. Its body is a FormerTold.
const EventFormer Kind = "former.told"

// FormerTold names the newest event of a former device; it is asked for with a snapshot.
type FormerTold struct {
	Device uint32 `cbor:"1,keyasint"`
	Cursor uint64 `cbor:"2,keyasint"`
}

// MaxCarried is how many headers one Carried lists.
const MaxCarried = 1000

// Epoch says for which journal a new one goes on, and from where: the former device's record To, whose hash is Head, is the
// last one that the platform and this machine have in common. What this machine had written after it follows, as it was.
type Epoch struct {
	Former  uint32     `cbor:"1,keyasint"`
	To      uint64     `cbor:"2,keyasint"`
	Head    vault.Hash `cbor:"3,keyasint"`
	Fork    []byte     `cbor:"4,keyasint"` // packet.Fork as the platform signed it
	Records uint64     `cbor:"5,keyasint"` // how many records of the branch follow
}

// Carried tells what the records from First on were in the former journal: headers in canonical CBOR, one for each, that
// follow one another from Epoch.To. A record is carried with its own kind, time and body, so that nothing about it
// changes but its number; acts about a case that was delivered before come as FormerAct.
type Carried struct {
	First   uint64   `cbor:"1,keyasint"`
	Headers [][]byte `cbor:"2,keyasint"`
}

// FormerAct is an act about a case of the former device itself: a record of the branch, header and body as they were, or an
// act of the new epoch, whose header then has number 1 and no predecessor.
type FormerAct struct {
	Device uint32 `cbor:"1,keyasint"`
	Header []byte `cbor:"2,keyasint"` // canonical CBOR
	Body   []byte `cbor:"3,keyasint"`
}

// NewFormerAct makes an act of the new epoch about a case of the former device.
func NewFormerAct(device uint32, at int64, operator string, kind Kind, body []byte) FormerAct {
	h := Header{V: Version, Device: device, Seq: 1, At: at, Operator: operator, Kind: kind}
	return FormerAct{Device: device, Header: canon.MustMarshal(h), Body: body}
}

// Record returns the act as a record of the former device. seq takes the place of its old number, which another branch may
// have used, too.
func (a FormerAct) Record(seq uint64) (Record, error) {
	h, err := ParseHeader(a.Header)
	if err != nil {
		return Record{}, err
	}
	if h.Device != a.Device {
		return Record{}, fmt.Errorf("%w: act of device %d under the header of %d", ErrFormat, a.Device, h.Device)
	}
	h.Seq = seq
	return Record{Header: h, Body: a.Body}, nil
}

// FormerRef is one number for a record of another device: what a machine knows of it beside its own records, whose numbers
// are below it.
func FormerRef(device uint32, seq uint64) uint64 { return uint64(device)<<32 | seq&(1<<32-1) }

// SplitRef takes a FormerRef apart. device is 0 for a record of this machine's own journal.
func SplitRef(ref uint64) (device uint32, seq uint64) { return uint32(ref >> 32), ref & (1<<32 - 1) }
