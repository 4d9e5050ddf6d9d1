package journal

import (
	"fmt"

	"bianmin/offline/canon"
)

// Blob names one sealed attachment: where it is, how to open it, and what it must be once opened.
type Blob struct {
	Addr  [32]byte `cbor:"1,keyasint"` // SM3 of the sealed bytes
	Key   [16]byte `cbor:"2,keyasint"` // SM4 key that opens them
	Plain [32]byte `cbor:"3,keyasint"` // SM3 of the plain bytes
	Size  int64    `cbor:"4,keyasint"` // plain size in bytes
	Media string   `cbor:"5,keyasint"` // media type, for example "image/jpeg"
	Name  string   `cbor:"6,keyasint"` // what the clerk calls it; never a path
}

// CaseSubmitted is the body of KindCaseSubmitted.
type CaseSubmitted struct {
	Service     string   `cbor:"1,keyasint"`  // item's short id, for example "gaoling"
	ItemCode    string   `cbor:"2,keyasint"`  // implementing code of the item
	ItemName    string   `cbor:"3,keyasint"`  // name as the citizen saw it
	FormID      string   `cbor:"4,keyasint"`  //
	FormVersion uint32   `cbor:"5,keyasint"`  //
	FormHash    [32]byte `cbor:"6,keyasint"`  // SM3 of the form's file
	Answers     []byte   `cbor:"7,keyasint"`  // canonical CBOR of form.Values
	Applicant   string   `cbor:"8,keyasint"`  // full name
	IDNumber    string   `cbor:"9,keyasint"`  //
	Phone       string   `cbor:"10,keyasint"` //
	Division    string   `cbor:"11,keyasint"` // 12 digits, where the case was taken in
	Urgent      bool     `cbor:"12,keyasint"` // hardship flag: goes first
	Blobs       []Blob   `cbor:"13,keyasint"` // every blob the answers refer to
	Due         int32    `cbor:"14,keyasint"` // promised day as days since 1970-01-01; 0 when none
	Consent     string   `cbor:"15,keyasint"` // words the citizen agreed to

	// What the form says about cases that cannot wait; absent in others.
	Priority  uint8    `cbor:"16,keyasint,omitempty"` // 0 normal, higher is sooner
	PapersDue int32    `cbor:"17,keyasint,omitempty"` // last day for papers that may follow, as days since 1970-01-01
	Papers    []string `cbor:"18,keyasint,omitempty"` // fields of these papers, in reading order

	// How the applicant was identified, and what two people took the blame for; absent in records of before.
	Identity Identity `cbor:"19,keyasint,omitempty"`
	Read     []string `cbor:"20,keyasint,omitempty"` // fields that a machine read from the card and nobody changed
	Waived   []Waiver `cbor:"21,keyasint,omitempty"` // materials taken in despite a fault
}

// Identity is how surely it is known who the applicant is.
type Identity uint8

// The levels of [Identity], weakest first. The platform's own check comes after acceptance and is no record of the desk.
const (
	IdentityUnknown Identity = iota // of before, when it was not recorded
	IdentityTyped                   // the card was looked at and its number typed
	IdentityCard                    // a machine read the card, and the number is the card's
	IdentityCode                    // the person showed an e-credential of the platform
)

// Waiver is a material that was taken in although something is wrong with it (容缺): the operator who takes the case in and a
// second one, who gave a PIN for it, stand for that.
type Waiver struct {
	Field  string   `cbor:"1,keyasint"` // path of the material
	Addr   []byte   `cbor:"2,keyasint"` // of the blob; empty: the material as a whole
	Faults []string `cbor:"3,keyasint"` // what is wrong with it, as package photocheck names it
	By     string   `cbor:"4,keyasint"` // id of the second operator
	At     int64    `cbor:"5,keyasint"` // Unix milliseconds
}

// CaseAmended is the body of KindCaseAmended: the answer to a correction, or papers that were allowed to follow.
type CaseAmended struct {
	Case    uint64 `cbor:"1,keyasint"` // seq of the CaseSubmitted
	Cursor  uint64 `cbor:"2,keyasint"` // event that asked; 0: papers that follow, which nobody asked for again
	Answers []byte `cbor:"3,keyasint"` // canonical CBOR of all answers after the change
	Blobs   []Blob `cbor:"4,keyasint"` // blobs that are new
	Note    string `cbor:"5,keyasint"`

	Waived []Waiver `cbor:"6,keyasint,omitempty"` // materials of this answer taken in despite a fault

	// Who applies, as the answers name the person after the change. Records without a name are of programs that did not say.
	Applicant string `cbor:"7,keyasint,omitempty"`
	IDNumber  string `cbor:"8,keyasint,omitempty"`
	Phone     string `cbor:"9,keyasint,omitempty"`
}

// CaseWithdrawn is the body of KindCaseWithdrawn.
type CaseWithdrawn struct {
	Case   uint64 `cbor:"1,keyasint"`
	Reason string `cbor:"2,keyasint"`
}

// ReceiptPrinted is the body of KindReceiptPrinted: a paper about a case leaves the machine. It is written before the paper
// moves. Records of the first programs, with How "png", may be of a receipt that was only looked at.
type ReceiptPrinted struct {
	Case  uint64 `cbor:"1,keyasint"`
	Stage uint8  `cbor:"2,keyasint"` // of the receipt; 0: the list of answers
	How   string `cbor:"3,keyasint"` // "printer", "pdf", "png"
	Copy  uint32 `cbor:"4,keyasint"` // 1 for the first print, 2 and more for reprints
}

// Note is the body of the small records that say one thing: login, lock, settings, clock jump, export.
type Note struct {
	What  string `cbor:"1,keyasint"`
	From  string `cbor:"2,keyasint"`
	To    string `cbor:"3,keyasint"`
	Count int64  `cbor:"4,keyasint"`
}

// PersonOpened is the body of KindPersonOpened: somebody's data was shown in full, and why.
type PersonOpened struct {
	Person  string `cbor:"1,keyasint"` // person id of the roster
	Purpose string `cbor:"2,keyasint"`
}

// Accepted is the body of EventAccepted. It names nobody and travels in clear.
type Accepted struct {
	OfficialNo string `cbor:"1,keyasint"` // 办件编号
	At         int64  `cbor:"2,keyasint"` // Unix milliseconds
	Due        int32  `cbor:"3,keyasint"` // days since 1970-01-01
	Receipt    []byte `cbor:"4,keyasint"` // stage-2 COSE envelope
}

// Correction is the body of EventCorrection. It is sealed: a note may name a person.
type Correction struct {
	Fields    []string `cbor:"1,keyasint"` // paths of fields to change
	Note      string   `cbor:"2,keyasint"` // the reviewer's words
	At        int64    `cbor:"3,keyasint"` // Unix milliseconds
	AnswerBy  int32    `cbor:"4,keyasint"` // days since 1970-01-01
	Officer   string   `cbor:"5,keyasint"`
	Telephone string   `cbor:"6,keyasint"`
	Basis     string   `cbor:"7,keyasint"` // legal basis
}

// Decided is the body of EventDecided and, with Result "", of EventRefused, EventComplete, EventProcessing,
// EventSpecial and EventDelivered. It is sealed.
type Decided struct {
	Result string `cbor:"1,keyasint"` // "granted", "denied", "returned", "withdrawn", "void"; EventSpecial: "start", "end"
	Note   string `cbor:"2,keyasint"`
	At     int64  `cbor:"3,keyasint"` // Unix milliseconds
}

// Quarantined is the body of EventQuarantined: the record arrived, but the platform cannot use it. It is sealed.
type Quarantined struct {
	Reason string `cbor:"1,keyasint"` // translation key
	Detail string `cbor:"2,keyasint"`
}

// Timed is the body of EventTimed: when the record that the event names was really made, because the machine's clock was
// wrong. The newest one for a record counts. It names nobody and travels in clear.
type Timed struct {
	At   int64  `cbor:"1,keyasint"` // Unix milliseconds, the platform's clock
	Read int64  `cbor:"2,keyasint"` // the record's own time, as the machine read it
	Seq  uint64 `cbor:"3,keyasint"` // the record
}

// Words of Note.What in a record of KindClockJump.
const (
	// ClockJumped: the wall clock moved by Count milliseconds against the running time since the record before.
	ClockJumped = "clock"
	// ClockFound: the platform's time arrived, and shows that the records of this boot before this one were read from a wall
	// clock that was Count milliseconds behind it (negative: ahead). From is the clock as read, To the platform's time.
	ClockFound = "platform"
)

// PackPublished is the body of EventPack. It travels in clear.
type PackPublished struct {
	Kind    string   `cbor:"1,keyasint"` // "county" now; see docs/packs.md
	Version uint32   `cbor:"2,keyasint"`
	Hash    [32]byte `cbor:"3,keyasint"`
	Size    int64    `cbor:"4,keyasint"`
}

// Document is the body of EventKeyList, EventPins and EventRecovery: a document signed by the platform root, in clear.
type Document struct {
	Data []byte `cbor:"1,keyasint"`
}

// Order is the body of EventDeviceLocked, EventDeviceUnlocked, EventDeviceWiped and EventDeviceLease. It travels in clear:
// a machine obeys while nobody is logged in.
type Order struct {
	Reason string `cbor:"1,keyasint"` // for the people at the machine; names no citizen
	Days   uint32 `cbor:"2,keyasint"` // EventDeviceLease: days without contact after which nothing opens; 0: the default
}

// OperatorGranted is the body of EventOperator, and with an id only of EventOperatorWithdraw. It is sealed.
type OperatorGranted struct {
	ID       string `cbor:"1,keyasint"`
	Name     string `cbor:"2,keyasint"`
	Role     string `cbor:"3,keyasint"`
	Division string `cbor:"4,keyasint"`
	Code     string `cbor:"5,keyasint"` // one-time activation code
}

// DecodeBody reads a record or event body into one of the body types.
func DecodeBody[T any](body []byte) (T, error) {
	var v T
	if err := canon.Unmarshal(body, &v); err != nil {
		var none T
		return none, fmt.Errorf("%w: body: %w", ErrFormat, err)
	}
	return v, nil
}
