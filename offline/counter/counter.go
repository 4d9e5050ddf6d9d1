// Package counter is what a counter can do, as screens and tests see it: interfaces and plain values. Package desk does
// it; nothing here reaches a database or a network, so view models and screens stay free of both.
package counter

import (
	"context"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/catalog"
	"bianmin/offline/form"
	"bianmin/offline/journal"
	"bianmin/offline/people"
	"bianmin/offline/pinyin/ime"
	"bianmin/offline/receipt"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Errors that callers branch on.
var (
	// ErrLocked reports that the operator's session was ended.
	ErrLocked = words.New("desk.locked", nil)
	// ErrIncomplete reports answers that cannot be submitted yet; the chain holds an [IncompleteError].
	ErrIncomplete = words.New("desk.incomplete", nil)
	// ErrUnchanged reports an answer to a correction that changes nothing, without the clerk's word that it was right.
	ErrUnchanged = words.New("desk.correctionUnchanged", nil)
	// ErrNoPapersDue reports a case for which no papers may follow, or not now.
	ErrNoPapersDue = words.New("desk.noPapersDue", nil)
	// ErrNoPapers reports that none of the missing papers was added.
	ErrNoPapers = words.New("desk.noPapers", nil)
	// ErrNothingAsked reports that no correction waits for an answer.
	ErrNothingAsked = words.New("desk.nothingAsked", nil)
)

// Counter is one machine. Its methods may be called from any goroutine, and none waits for the network.
type Counter interface {
	Station() Station
	// Demo reports whether the station is the sample county's; only then may PINs be shown.
	Demo() bool
	Operators() []vault.OperatorInfo
	// Login opens a session. Errors carry the keys pin.wrong, pin.wait, pin.locked, pin.noOperator.
	Login(ctx context.Context, id, pin string) (Session, error)
	// Activate replaces a newcomer's one-time code (Login: pin.activate) by a PIN of their own; then a colleague admits them.
	Activate(ctx context.Context, id, code, fresh string) error
	Status(ctx context.Context) (Status, error)
	// Verify judges a receipt link with the key lists this machine holds.
	Verify(link string) receipt.Verdict
	// Doctor checks every record; rebuild makes every projection anew from the journal first.
	Doctor(ctx context.Context, rebuild bool, progress func(done, total int)) (Report, error)
	// Task returns the rebuild or check under way for which acts are refused (keys store.rebuilding, store.checking); ok is false
	// when there is none. It never waits.
	Task() (t Task, ok bool)
}

// Task is what keeps a machine from taking anything in for a while.
type Task struct {
	Kind  string // "rebuild" or "check"
	Done  int
	Total int // 0: not known yet
}

// Session is one operator at work. Its methods may be called from any goroutine; all but Operator and Close return
// [ErrLocked] after Close.
type Session interface {
	Operator() vault.OperatorInfo
	// Close ends the session. The machine goes on sending.
	Close(ctx context.Context) error
	ChangePIN(ctx context.Context, old, fresh string) error
	Keeper
	// Credential judges an e-credential that the platform shows on a telephone, and finds its holder on the roster; nil when
	// the holder is not there. Cases begun for the holder in the next half hour say that the code was shown. The code itself
	// is not kept. Errors: those of receipt.OpenCredential.
	Credential(ctx context.Context, text string) (receipt.Credential, *people.Person, error)
	// Catalog is what can be applied for here: items, forms, divisions, calendar, institutions.
	Catalog() (*catalog.Catalog, error)
	// FindPeople searches the roster by name, pinyin initials, ID number or its last four characters.
	FindPeople(query string, limit int) ([]*people.Person, error)
	// PersonName returns the name of somebody of the roster; "" for nobody, and for somebody of another division.
	PersonName(id string) string
	// Person returns a person of the roster and records that the data was opened, and for what.
	Person(ctx context.Context, id, purpose string) (*people.Person, error)
	// LocalWords returns the words no dictionary has: persons, places, institutions and services, for an input method.
	LocalWords() ([]ime.Entry, error)
	// LearnedWords returns what an input method learned of this operator's typing, as KeepLearned was given it; nil for
	// nothing.
	LearnedWords() ([]byte, error)
	// KeepLearned stores it sealed, in place of what was there; nil wipes it.
	KeepLearned(ctx context.Context, data []byte) error
	// Start begins a case. person, from FindPeople, fills in what the roster knows; nil for somebody unknown.
	Start(ctx context.Context, service string, person *people.Person) (Intake, error)
	// Resume goes on with a draft, on the field where it was left.
	Resume(ctx context.Context, draft string) (Intake, error)
	// Correct opens the answer to the correction that a case waits for: only the fields asked for are open, and what
	// follows from them; see form.Session.Restrict.
	Correct(ctx context.Context, caseSeq uint64) (Intake, error)
	// HandIn opens the papers of a case that were allowed to follow and are missing: nothing else can be changed.
	// ErrNoPapersDue.
	HandIn(ctx context.Context, caseSeq uint64) (Intake, error)
	Drafts(ctx context.Context) ([]Draft, error)
	DropDraft(ctx context.Context, id string) error
	// Cases returns every case of this machine as lists show it, without answers and receipts: what needs the clerk first, then
	// what is about to be late, then by priority,
	// then by legal deadline.
	Cases(ctx context.Context) ([]Case, error)
	Case(ctx context.Context, seq uint64) (Case, error)
	// Answers returns a case's answers on the form they were given on, for reading.
	Answers(ctx context.Context, seq uint64) (*form.Session, error)
	// Receipt returns a receipt of a case; stage 2 once the platform accepted it.
	Receipt(ctx context.Context, seq uint64, stage uint8) (Receipt, error)
	// Slip draws a receipt as it prints, on paper of the given width in dots (384 or 576), to look at. It is no print.
	Slip(ctx context.Context, seq uint64, stage uint8, dots int, lang string) ([]byte, error)
	Printing
	// OpenBlob returns the plain bytes of an attachment.
	OpenBlob(ctx context.Context, b form.BlobRef) ([]byte, error)
	// Quarantine lists the records the platform could not use, with its reasons.
	Quarantine(ctx context.Context) ([]Quarantined, error)
}

// Intake is one case being taken in or corrected. It is used by one goroutine at a time, the screen's. Every change is
// on its way to the disk when the method returns and is there within a second; Flush waits for it.
type Intake interface {
	// ID is the draft's id.
	ID() string
	Item() catalog.Item
	// Form is the form's state for reading; change it through Intake only.
	Form() *form.Session
	// Correction is what the reviewer asked for; nil for a new case and for papers that follow.
	Correction() *casefile.Correction
	// CaseSeq is the case being corrected, or whose papers are handed in; 0 for a new case.
	CaseSeq() uint64
	Person() *people.Person

	// Set takes an answer as typed. v is of the types of form.Values, or the text as typed where it is not valid yet.
	// It returns the fields whose state differs now.
	Set(path form.Path, v any) []form.Change
	AddRow(group string) []form.Change
	RemoveRow(group string, row int) []form.Change
	// Attach seals a file and adds it to a material. The picture's place and camera data (EXIF) are dropped.
	Attach(ctx context.Context, path form.Path, data []byte, name string) error
	Detach(path form.Path, index int)
	// Sign takes a drawn signature: strokes as vectors, and their picture.
	Sign(ctx context.Context, path form.Path, g Signature) error

	Presenter

	// Place is the step and the field where the clerk was.
	Place() (step string, field form.Path)
	// Leave notes where the clerk is and saves at once.
	Leave(ctx context.Context, step string, field form.Path) error
	// Saved is when the last change reached the disk; zero: not yet.
	Saved() time.Time
	// SaveError is why the last save did not; nil when it did.
	SaveError() error
	Flush(ctx context.Context) error
	// Ready returns what must be put right before the case can be submitted, in reading order. signatures includes
	// missing signatures, which are asked last.
	Ready(signatures bool) []*form.Problem
	// Room checks that the disk has room for the case, before the citizen signs.
	Room() error
	// Affirm says for the clerk that the answers asked about are right as they were; the record of the answer will say so.
	// Any change takes it back.
	Affirm()
	// Submit commits the case, or the answer to the correction; one that changes nothing is ErrUnchanged unless affirmed.
	// The intake is closed when it succeeds.
	Submit(ctx context.Context) (Submitted, error)
	// Close saves and leaves; the draft stays.
	Close(ctx context.Context) error
	// Discard drops the draft.
	Discard(ctx context.Context) error
}

// Signature is a signature as drawn.
type Signature struct {
	Strokes  [][]int64 // one list a stroke: x, y, x, y… in pad units
	Times    [][]int64 // when each point was drawn, milliseconds since the first; nil: not known
	Pressure [][]int64 // how hard at each point, 0 to 1000; nil: not known
	PNG      []byte
	Helper   bool   // drawn by somebody else for the person
	Reason   string // why; needed with Helper
}

// Station is where the machine stands.
type Station struct {
	Division  string `cbor:"1,keyasint" json:"division"` // 12 digits
	Name      string `cbor:"2,keyasint" json:"name"`
	Telephone string `cbor:"3,keyasint" json:"telephone"`
	County    string `cbor:"4,keyasint" json:"county"`    // 6 digits
	ShortHost string `cbor:"5,keyasint" json:"shortHost"` // host of receipt links
	NameEN    string `cbor:"-" json:"nameEn,omitempty"`   // from the county's pack; "" while none is here
}

// In returns the station's name in a language: Chinese when it has no other.
func (s Station) In(lang string) string {
	if lang == "en" && s.NameEN != "" {
		return s.NameEN
	}
	return s.Name
}

// Submitted is what the clerk gets once a case is durable.
type Submitted struct {
	No   string // receipt number: device-seq-check
	Seq  uint64 // of the record just written
	Case uint64 // of the case; the same as Seq unless a correction was answered
	Link string // of the stage-1 receipt; "" for a correction's answer
}

// Draft is a case begun and not submitted.
type Draft struct {
	ID       string
	Service  string
	Item     string // name of the item
	Who      string // applicant's name as far as typed
	Operator string
	Updated  time.Time
	Case     uint64 // of the case being corrected, or whose papers are handed in; 0 for a new case
	Papers   bool   // papers that follow
}

// Case is a case with what the calendar says about it today.
type Case struct {
	*casefile.Case
	// Ref is what the methods of Session take as the case's seq, when the case was delivered under a number that this machine
	// had before; 0 for a case of this machine's own journal. See Reference.
	Ref      uint64
	No       string            // receipt number
	Delivery casefile.Delivery // how far the case itself came: on this machine, delivered, accepted, needs you
	Clock    casefile.Clock    // the legal clock today
	Deadline time.Time         // the day that matters now: answer the correction, or the promised day; zero: none
	// PapersLate says that papers which were allowed to follow are missing and their day is over.
	PapersLate bool
}

// Reference returns what the methods of Session take as the case's seq.
func (c Case) Reference() uint64 {
	if c.Ref != 0 {
		return c.Ref
	}
	return c.Seq
}

// Receipt is a signed receipt with what is printed around it.
type Receipt struct {
	Stage    uint8
	No       string
	Link     string
	Envelope []byte
	Official string // 办件编号, stage 2
	Item     string
	Name     string // masked
	At       time.Time
	Due      time.Time // zero: none
	Station  Station
}

// Quarantined is a record the platform holds but cannot use.
type Quarantined struct {
	Seq    uint64
	No     string // receipt number of the case, "" when it is about none
	Reason string // translation key
	Detail string
	At     time.Time
}

// IncompleteError says what must be put right before answers can be submitted.
type IncompleteError struct{ Problems []*form.Problem }

// Error implements error; it names fields, never answers.
func (e *IncompleteError) Error() string {
	s := "desk: answers are not complete:"
	for _, p := range e.Problems {
		s += " " + string(p.Path)
		if p.Cause != nil {
			s += p.Cause.Error()
		}
	}
	return s
}

// Status is where the machine stands. It can be read while nobody is logged in and names no person.
type Status struct {
	Device       uint32         `json:"device"`
	Station      Station        `json:"station"`
	Demo         bool           `json:"demo"`
	Records      uint64         `json:"records"`      // last record written here
	Acknowledged uint64         `json:"acknowledged"` // last record the platform signed for
	Pending      int            `json:"pending"`      // cases and answers to corrections not acknowledged yet
	Cases        map[string]int `json:"cases"`        // cases by state
	Drafts       int            `json:"drafts"`
	Quarantine   int            `json:"quarantine"` // records the platform could not use
	Cursor       uint64         `json:"cursor"`     // last event held
	LastAck      *time.Time     `json:"lastAck"`    // platform's time of the last acknowledgement; null: never
	Clock        Clock          `json:"clock"`
	Locked       bool           `json:"locked"` // nobody is logged in
	Fault        string         `json:"fault"`  // translation key of what keeps this machine from working as it should; "" usually
	Former       []Former       `json:"former"` // numbers that this machine had before, oldest first
	Lease        Lease          `json:"lease"`
	// Barred is the translation key of why nobody may log in now, by order of the county or because the lease is over; ""
	// usually. Reason is what the county wrote.
	Barred string `json:"barred,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Recovered tells what the platform gave back after both copies on this machine had lost it; null: nothing ever.
	Recovered *Recovered `json:"recovered"`
}

// Recovered tells what came back from the platform, and what did not.
type Recovered struct {
	At          time.Time `json:"at"`
	From        uint64    `json:"from"`   // records that came back, both included; 0 when none
	To          uint64    `json:"to"`     //
	Mirror      uint64    `json:"mirror"` // last record that this machine's mirror still had after them; 0: none
	MissingFrom uint64    `json:"missingFrom"`
	MissingTo   uint64    `json:"missingTo"` // these were never acknowledged, and are gone; 0 when none are known to be
	Unknown     bool      `json:"unknown"`   // whether there were more cannot be told
	Drafts      int       `json:"drafts"`    // drafts that are gone
	Blobs       int       `json:"blobs"`     // attachments that are at the platform only
}

// Former is a number that this machine had before: its folder had been restored from a copy, or copied to another machine,
// so that it and the platform held different records under the same numbers.
type Former struct {
	Device uint32    `json:"device"`
	To     uint64    `json:"to"`   // last record that both have
	Last   uint64    `json:"last"` // records To+1 to Last were carried over
	Into   uint32    `json:"into"` // number that goes on
	At     time.Time `json:"at"`
	// Replaced says that it was another machine's, whose place this one took; To is what the platform held of it.
	Replaced bool `json:"replaced"`
	// Lost says that no other records were the reason: both copies here were lost, and numbers after To may stand on receipts.
	Lost bool `json:"lost"`
}

// Clock is the machine's clock and how well it is known.
type Clock struct {
	Now     time.Time  `json:"now"`     // wall clock as read
	Signed  *time.Time `json:"signed"`  // last time the platform signed; null: never
	Quality string     `json:"quality"` // "unconfirmed", "at-least" or "confirmed"
}

var qualities = [...]string{"unconfirmed", "at-least", "confirmed"}

// ViewClock returns the words for a clock.
func ViewClock(now time.Time, c journal.Clock) Clock {
	v := Clock{Now: now.UTC(), Quality: qualities[c.Quality()]}
	if c.Signed != 0 {
		t := time.UnixMilli(c.Signed).UTC()
		v.Signed = &t
	}
	return v
}

// States of a lease.
const (
	LeaseOK   = "ok"
	LeaseSoon = "soon" // a week is left, or less
	LeaseOver = "over" // nothing opens until the platform was reached
)

// Lease is how long the machine may be opened without contact with the platform.
type Lease struct {
	Days  int    `json:"days"` // in all, since the platform signed a time
	Left  int    `json:"left"`
	State string `json:"state"`
}

// Report is doctor's finding.
type Report struct {
	Records uint64 `json:"records"` // records checked
	Events  uint64 `json:"events"`  // events checked
	Blobs   int    `json:"blobs"`   // attachments checked
	Deep    bool   `json:"deep"`    // every value was opened, not only compared with its hash: an operator was logged in
	Rebuilt bool   `json:"rebuilt"` // projections were made anew
	Waiting bool   `json:"waiting"` // what names people is made anew at the next login
	Machine string `json:"machine"` // where the machine secret lives
	// Protected reports that a thief of the disk does not get the machine secret.
	Protected bool   `json:"protected"`
	Crypto    string `json:"crypto"`
	Room      bool   `json:"room"` // the disk has room for more cases
	// Repaired names what was not sound when the folder was opened just now, and was written again from its other copy:
	// a key file, or "mirror" and the number of a record.
	Repaired []string `json:"repaired"`
	// SetAside is where a database that did not open was moved to before the mirror brought its records back; "" usually.
	SetAside string `json:"setAside,omitempty"`
	// FromBackup: the newest backup took its place.
	FromBackup bool `json:"fromBackup,omitempty"`
	// Recovered tells what the platform gave back after both copies had lost it; null: nothing ever.
	Recovered *Recovered `json:"recovered"`
	Faults    []Fault    `json:"faults"`
}

// Fault is one value that is not what was written.
type Fault struct {
	Where  string    `json:"where"`  // bucket of the store, or "chain", "file", "mirror", "blob"
	Seq    uint64    `json:"seq"`    // record or cursor; 0 when about none
	Kind   string    `json:"kind"`   // kind of the record
	At     time.Time `json:"at"`     // when it was written, as far as known
	Reason string    `json:"reason"` // translation key
	Detail string    `json:"detail"` // for developers
}
