package gateway

import (
	"context"
	"errors"

	"bianmin/offline/vault"
)

// Errors of a Store that callers branch on.
var (
	// ErrNotFound reports a row that is not there.
	ErrNotFound = errors.New("gateway: not found")
	// ErrMoved reports a head that is not the one the caller saw: read it again.
	ErrMoved = errors.New("gateway: head moved")
	// ErrExists reports a row that is there already.
	ErrExists = errors.New("gateway: exists already")
	// ErrNewerSchema reports a database written by a newer program.
	ErrNewerSchema = errors.New("gateway: database is from a newer version")
)

// Store keeps what the gateway knows. All methods may be called from any goroutine; several processes may hold stores
// over one database. Drivers pass the shared suite in package storetest.
type Store interface {
	// View runs fn in a transaction that sees one state and writes nothing.
	View(ctx context.Context, fn func(Tx) error) error
	// Update runs fn in a transaction. When fn returns nil and Update returns nil, everything fn wrote is durable; else
	// nothing is. fn may run once only; it must not keep tx.
	Update(ctx context.Context, fn func(Tx) error) error
	// Version returns a number that changes whenever anybody, also another process, committed a write.
	Version(ctx context.Context) (int64, error)
	// Scrub makes sure that what was replaced or removed is in no file of the database any more.
	Scrub(ctx context.Context) error
	// Close releases the database.
	Close() error
}

// Tx is one transaction of a Store. Byte slices handed in are not kept, those returned are the caller's.
type Tx interface {
	JournalTx
	InboxTx
	CaseTx
	RollTx
	LibraryTx
	EpochTx
}

// Head is where a device stands: its journal, its projection, its inbox.
type Head struct {
	Device    uint32
	Seq       uint64     // last record held
	Hash      vault.Hash // its hash
	Projected uint64     // last record whose effects are in the cases
	Cursor    uint64     // last event written
	EventHash vault.Hash // its hash
}

// PacketRow is a packet as it came.
type PacketRow struct {
	Device   uint32
	From, To uint64
	Hash     vault.Hash // SM3 of Bytes
	At       int64      // Unix milliseconds
	Bytes    []byte     // sealed to the platform's sealing key, signed by the device
}

// HeaderRow is the clear trace of one record.
type HeaderRow struct {
	Seq  uint64
	Hash vault.Hash
	Kind string
	At   int64 // the device's clock, Unix milliseconds
}

// JournalTx keeps what devices did.
type JournalTx interface {
	// Head returns a device's head. ErrNotFound when the device was never enrolled.
	Head(device uint32) (Head, error)
	// AddPacket stores a packet, the header rows that are new, and the new head (to, hash), when the head still is
	// (seq, old). ErrMoved, and nothing stored, when it is not.
	AddPacket(p PacketRow, rows []HeaderRow, seq uint64, old vault.Hash, hash vault.Hash) error
	// Headers returns the header rows of device with from ≤ seq ≤ to, in order.
	Headers(device uint32, from, to uint64) ([]HeaderRow, error)
	// Packets returns the packets of device that hold a record after seq, by From, at most limit.
	Packets(device uint32, seq uint64, limit int) ([]PacketRow, error)
	// ReplacePacket puts other bytes in the place of the packet with the same device and range; ErrNotFound.
	ReplacePacket(p PacketRow) error
	// SetProjected moves Head.Projected from one record to another; ErrMoved when it was not at from.
	SetProjected(device uint32, from, to uint64) error
	// Behind lists devices whose projection is behind their journal.
	Behind() ([]uint32, error)
	// AddEvidence keeps a packet that contradicts the journal. The same packet twice is no error. At most limit pieces
	// are kept for one device; further ones are dropped without error.
	AddEvidence(p PacketRow, limit int) error
	// Evidence returns what AddEvidence kept.
	Evidence(device uint32) ([]PacketRow, error)
	// ReplaceEvidence puts p in the place of the evidence of the same device with that hash; ErrNotFound.
	ReplaceEvidence(old vault.Hash, p PacketRow) error
}

// EventRow is one event as signed, with the platform's own copy of a sealed body.
type EventRow struct {
	Device uint32
	Cursor uint64
	Hash   vault.Hash
	Kind   string
	Seq    uint64 // the record it is about
	At     int64  // Unix milliseconds
	Bytes  []byte // journal.Event as sent
	Copy   []byte // body under the storage key; empty when the body travels in clear
}

// InboxTx keeps what the platform told devices.
type InboxTx interface {
	// NextEvent locks a device's inbox until the transaction ends and returns its head.
	NextEvent(device uint32) (Head, error)
	// AddEvent stores an event with Cursor = Head.Cursor+1 and moves the inbox head; ErrMoved for another cursor.
	AddEvent(e EventRow) error
	// ReplaceCopy puts another body in the place of the platform's own copy; ErrNotFound.
	ReplaceCopy(device uint32, cursor uint64, body []byte) error
	// Events returns events after cursor in order, at most limit.
	Events(device uint32, cursor uint64, limit int) ([]EventRow, error)
}

// CaseRow is one case of the projection. Data is sealed by the caller; the other columns name nobody.
type CaseRow struct {
	Device   uint32
	Seq      uint64
	No       string // receipt number
	Official string // 办件编号; "" before acceptance
	State    string
	Service  string
	ItemCode string
	Due      int32 // days since 1970-01-01; 0 none
	At       int64 // when taken in, Unix milliseconds
	Updated  int64 // Unix milliseconds
	Data     []byte
}

// CaseTx keeps the projection. Drop everything and it can be made again.
type CaseTx interface {
	// PutCase writes a case, new or changed.
	PutCase(c CaseRow) error
	// Case returns one case by its record; ErrNotFound.
	Case(device uint32, seq uint64) (CaseRow, error)
	// CaseByOfficial returns one case by its 办件编号; ErrNotFound.
	CaseByOfficial(no string) (CaseRow, error)
	// Cases lists cases, newest first, of one state ("" all), at most limit (0 all).
	Cases(state string, limit int) ([]CaseRow, error)
	// DropCases removes a device's cases and sets its projection back to 0.
	DropCases(device uint32) error
	// NextSerial returns 1, 2, 3… for a name, for ever increasing.
	NextSerial(name string) (uint64, error)
}

// DeviceRow is an enrolled machine.
type DeviceRow struct {
	Device   uint32
	Station  string // division code
	Machine  string
	SignKey  []byte
	SealKey  []byte
	SignCert []byte
	SealCert []byte
	At       int64 // enrolled, Unix milliseconds
	Revoked  int64 // Unix milliseconds; 0 in force
	Reason   string
	CutSeq   uint64 // last record that counts, when revoked
	CutHash  vault.Hash
}

// StationRow is a place that devices belong to. Data is the caller's.
type StationRow struct {
	Division string
	County   string
	Data     []byte
}

// OperatorRow is a person who may log in. Data is sealed by the caller.
type OperatorRow struct {
	Station string
	ID      string
	Data    []byte
}

// CodeRow is an enrolment code. Secret is sealed by the caller.
type CodeRow struct {
	ID      [8]byte
	Station string
	Secret  []byte
	Made    int64 // Unix milliseconds
	Expires int64 // Unix milliseconds
	// Replaces is the device whose machine is gone; 0: the code is for a machine of its own.
	Replaces uint32
	Device   uint32
	Used     int64 // Unix milliseconds; 0 unused
}

// RollTx keeps stations, operators, codes and devices.
type RollTx interface {
	// AddDevice enrols a device, gives it the next number and an empty head. Device in d is ignored.
	AddDevice(d DeviceRow) (uint32, error)
	// SetCerts stores a device's certificates.
	SetCerts(device uint32, sign, seal []byte) error
	// Device returns one device; ErrNotFound.
	Device(device uint32) (DeviceRow, error)
	// Devices lists the devices of a station ("" all), by number.
	Devices(station string) ([]DeviceRow, error)
	// RevokeDevice withdraws a device with a cut.
	RevokeDevice(device uint32, at int64, reason string, seq uint64, hash vault.Hash) error
	// PutStation writes a station, new or changed.
	PutStation(s StationRow) error
	// Station returns one station; ErrNotFound.
	Station(division string) (StationRow, error)
	// Stations lists stations by division.
	Stations() ([]StationRow, error)
	// PutOperator writes an operator, new or changed.
	PutOperator(o OperatorRow) error
	// Operators lists a station's operators by id.
	Operators(station string) ([]OperatorRow, error)
	// AddCode stores a new enrolment code; ErrExists.
	AddCode(c CodeRow) error
	// Code returns one code; ErrNotFound.
	Code(id [8]byte) (CodeRow, error)
	// UseCode marks an unused code as used by a device; ErrMoved when it was used.
	UseCode(id [8]byte, device uint32, at int64) error
}

// PackRow is a published pack.
type PackRow struct {
	Kind    string
	Version uint32
	Hash    vault.Hash
	Size    int64
	At      int64  // Unix milliseconds
	Bytes   []byte // empty in lists
}

// DocRow is a small document that replaces its older version.
type DocRow struct {
	Name    string
	Version uint64
	Data    []byte
}

// LibraryTx keeps packs and documents.
type LibraryTx interface {
	// AddPack stores a pack; ErrExists when the same kind has this version or a newer one with another hash.
	AddPack(p PackRow) error
	// Pack returns one pack by its hash, with bytes; ErrNotFound.
	Pack(hash vault.Hash) (PackRow, error)
	// Packs lists the newest version of each kind without bytes, by kind.
	Packs() ([]PackRow, error)
	// PutDoc writes a document when its version is newer than the stored one; ErrMoved when it is not.
	PutDoc(d DocRow) error
	// Doc returns a document; ErrNotFound.
	Doc(name string) (DocRow, error)
	// Docs lists documents whose name starts with prefix, by name.
	Docs(prefix string) ([]DocRow, error)
}
