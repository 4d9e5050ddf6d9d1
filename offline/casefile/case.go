package casefile

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"bianmin/offline/canon"
	"bianmin/offline/ident"
	"bianmin/offline/journal"
)

// ErrOther reports a record or event that is not about this case.
var ErrOther = errors.New("casefile: not about this case")

// caseVersion is the format version of a stored case.
const caseVersion = 1

// Case is one submission as the two logs tell it. Build it with [New] and the Apply methods, or with [Fold]; store it
// with Marshal. Fields are read by screens; only this package and SetReceipt write them.
type Case struct {
	V           uint8          `cbor:"1,keyasint"`
	Device      uint32         `cbor:"2,keyasint"`
	Seq         uint64         `cbor:"3,keyasint"` // of the submission
	Service     string         `cbor:"4,keyasint"` // short id of the item
	ItemCode    string         `cbor:"5,keyasint"`
	ItemName    string         `cbor:"6,keyasint"`
	FormID      string         `cbor:"7,keyasint"`
	FormVersion uint32         `cbor:"8,keyasint"`
	FormHash    [32]byte       `cbor:"9,keyasint"`
	Applicant   string         `cbor:"10,keyasint"` // full name; lists show MaskedName
	IDNumber    string         `cbor:"11,keyasint"`
	Phone       string         `cbor:"12,keyasint"`
	Division    string         `cbor:"13,keyasint"` // 12 digits, where it was taken in
	Operator    string         `cbor:"14,keyasint"` // who took it in
	Urgent      bool           `cbor:"15,keyasint"`
	Purged      bool           `cbor:"16,keyasint"` // the submission's body was erased; only the header stands
	SubmittedAt int64          `cbor:"17,keyasint"` // Unix milliseconds, the desk's clock, or the platform's correction of it
	PromisedDue Day            `cbor:"18,keyasint"` // as printed on the first receipt; 0 when none
	Consent     string         `cbor:"19,keyasint"`
	Answers     []byte         `cbor:"20,keyasint"` // canonical CBOR of form.Values, newest
	Blobs       []journal.Blob `cbor:"21,keyasint"` // materials: of the submission and of all answers to corrections
	State       State          `cbor:"22,keyasint"`
	AcceptedAt  int64          `cbor:"23,keyasint"` // Unix milliseconds, the platform's clock; 0 before
	OfficialNo  string         `cbor:"24,keyasint"` // 办件编号; "" before acceptance
	OfficialDue Day            `cbor:"25,keyasint"` // due day that the platform named
	Correction  *Correction    `cbor:"26,keyasint"` // the open correction; nil when none is open
	ClosedAt    int64          `cbor:"27,keyasint"` // Unix milliseconds; 0 while it runs
	Result      string         `cbor:"28,keyasint"` // the deciding officer's words
	Quarantine  string         `cbor:"29,keyasint"` // translation key: the platform could not use a record; "" when it could
	LastSeq     uint64         `cbor:"30,keyasint"` // newest record about this case that the platform must have: see Awaited
	Stage1      []byte         `cbor:"31,keyasint"` // COSE envelope of the 收件回执; set by SetReceipt
	Stage2      []byte         `cbor:"32,keyasint"` // COSE envelope of the 受理通知书, from the platform
	Timeline    []Step         `cbor:"33,keyasint"` // in causal order
	Acts        []Act          `cbor:"34,keyasint"` // what the case was built from, for the next Apply
	ReadAt      int64          `cbor:"35,keyasint"` // what the desk's clock said, when the platform corrected SubmittedAt; 0 else
	Priority    uint8          `cbor:"36,keyasint"` // 0 normal, higher is sooner
	PapersDue   Day            `cbor:"37,keyasint"` // last day for papers that may follow; 0 when none may
	Papers      []string       `cbor:"38,keyasint"` // fields of the papers that may follow and are still missing

	// Absent in cases of before.
	Identity journal.Identity `cbor:"39,keyasint,omitempty"` // how the applicant was identified
	Read     []string         `cbor:"40,keyasint,omitempty"` // fields of the submission that a machine read
	Waived   []journal.Waiver `cbor:"41,keyasint,omitempty"` // materials taken in despite a fault, of all records
}

// Correction is what the authority asks for (补正告知).
type Correction struct {
	Fields    []string `cbor:"1,keyasint"` // paths of the fields and materials to change
	Note      string   `cbor:"2,keyasint"`
	AskedAt   int64    `cbor:"3,keyasint"` // Unix milliseconds
	AnswerBy  Day      `cbor:"4,keyasint"` // 0 when the platform named none: AskDays working days then
	Officer   string   `cbor:"5,keyasint"`
	Telephone string   `cbor:"6,keyasint"`
	Basis     string   `cbor:"7,keyasint"`
	Cursor    uint64   `cbor:"8,keyasint"` // event that asked; the answer names it
}

// Step is one line of the time line.
type Step struct {
	At      int64        `cbor:"1,keyasint"` // Unix milliseconds: the desk's clock for records, or its correction; the platform's for events
	Kind    journal.Kind `cbor:"2,keyasint"`
	State   State        `cbor:"3,keyasint"` // state that the step led to; "" when it changed none
	By      string       `cbor:"4,keyasint"` // operator id for records, officer when known for events
	Note    string       `cbor:"5,keyasint"`
	Seq     uint64       `cbor:"6,keyasint"`  // of the record; 0 for events
	Cursor  uint64       `cbor:"7,keyasint"`  // of the event; 0 for records
	Sealed  bool         `cbor:"8,keyasint"`  // the body is not opened yet
	Ignored bool         `cbor:"9,keyasint"`  // the table of moves does not have it; the state stayed
	Read    int64        `cbor:"10,keyasint"` // what the desk's clock said, when the platform corrected At; 0 else
	Papers  bool         `cbor:"11,keyasint"` // papers that were allowed to follow came in
}

// Key returns the translation key of the step's kind: "case.step." and the kind, or "case.step.papers".
func (s Step) Key() string {
	if s.Papers {
		return "case.step.papers"
	}
	return "case.step." + string(s.Kind)
}

// Act is a record or an event about a case, as it was applied.
type Act struct {
	Kind   journal.Kind `cbor:"1,keyasint"`
	At     int64        `cbor:"2,keyasint"`
	By     string       `cbor:"3,keyasint"`
	Seq    uint64       `cbor:"4,keyasint"`
	Cursor uint64       `cbor:"5,keyasint"`
	Sealed bool         `cbor:"6,keyasint"`
	Body   []byte       `cbor:"7,keyasint"`

	read int64 // what the desk's clock said, while folding
}

// Awaited reports whether a case counts as delivered only when the platform holds records of this kind: what the citizen
// said. That a receipt was printed is told, too, but nobody waits for it.
func Awaited(k journal.Kind) bool {
	return k == journal.KindCaseSubmitted || k == journal.KindCaseAmended || k == journal.KindCaseWithdrawn
}

// CaseOf returns the seq of the submission that a record is about; ok is false for records about no case and for purged
// ones that do not say.
func CaseOf(rec journal.Record) (seq uint64, ok bool) {
	var err error
	switch rec.Kind {
	case journal.KindCaseSubmitted:
		return rec.Seq, true
	case journal.KindCaseAmended:
		var b journal.CaseAmended
		b, err = journal.DecodeBody[journal.CaseAmended](rec.Body)
		seq = b.Case
	case journal.KindCaseWithdrawn:
		var b journal.CaseWithdrawn
		b, err = journal.DecodeBody[journal.CaseWithdrawn](rec.Body)
		seq = b.Case
	case journal.KindReceiptPrinted:
		var b journal.ReceiptPrinted
		b, err = journal.DecodeBody[journal.ReceiptPrinted](rec.Body)
		seq = b.Case
	}
	return seq, err == nil && seq != 0
}

// Copies returns how many times the paper of a stage (0: the list of answers) left the machine in a way: "printer", "pdf" or
// "png".
func (c *Case) Copies(stage uint8, how string) uint32 {
	n := uint32(0)
	for _, a := range c.Acts {
		if a.Kind != journal.KindReceiptPrinted {
			continue
		}
		b, err := journal.DecodeBody[journal.ReceiptPrinted](a.Body)
		if err == nil && b.Stage == stage && b.How == how {
			n = max(n+1, b.Copy)
		}
	}
	return n
}

// New begins a case with its submission. A purged submission gives a case without personal data.
func New(rec journal.Record) (*Case, error) {
	if rec.Kind != journal.KindCaseSubmitted {
		return nil, fmt.Errorf("%w: record %d is %s", ErrOther, rec.Seq, rec.Kind)
	}
	c := &Case{
		V: caseVersion, Device: rec.Device, Seq: rec.Seq, Operator: rec.Operator, SubmittedAt: rec.At, Purged: rec.Body == nil,
		Acts: []Act{{Kind: rec.Kind, At: rec.At, By: rec.Operator, Seq: rec.Seq, Body: rec.Body}},
	}
	return c, c.fold()
}

// Fold builds a case from everything that is known about it; the order does not matter. Events must be opened, or have
// Sealed set. Moves that the table does not have are kept as ignored steps and are no error here; the error is of
// bodies that cannot be read.
func Fold(records []journal.Record, events []journal.Event) (*Case, error) {
	var c *Case
	for _, r := range records {
		if r.Kind == journal.KindCaseSubmitted {
			var err error
			if c, err = New(r); err != nil {
				return nil, err
			}
		}
	}
	if c == nil {
		return nil, fmt.Errorf("%w: no submission among the records", ErrOther)
	}
	for _, r := range records {
		if err := c.ApplyRecord(r); err != nil && !errors.Is(err, ErrMove) {
			return nil, err
		}
	}
	for _, e := range events {
		if err := c.ApplyEvent(e); err != nil && !errors.Is(err, ErrMove) {
			return nil, err
		}
	}
	return c, nil
}

// ApplyRecord adds a record of this device. The same record twice changes nothing. ErrMove reports an act that is not
// legal in the case's state: when it is about to be written, it must be refused; when it is read back from the journal
// (events may come later), the case has kept it as an ignored step and may be stored. ErrOther reports a record about
// something else; other errors a body that cannot be read. On those the case is unchanged.
func (c *Case) ApplyRecord(rec journal.Record) error {
	if rec.Device != c.Device {
		return fmt.Errorf("%w: record of device %d", ErrOther, rec.Device)
	}
	if rec.Body == nil && rec.Seq != c.Seq { // a purged act: its line stays, if it was known
		return nil
	}
	if seq, ok := CaseOf(rec); !ok || seq != c.Seq {
		return fmt.Errorf("%w: record %d", ErrOther, rec.Seq)
	}
	return c.apply(Act{Kind: rec.Kind, At: rec.At, By: rec.Operator, Seq: rec.Seq, Body: rec.Body})
}

// ApplyEvent adds an event of the platform. An event whose body is still sealed to the device (Sealed set) tells only
// its kind; apply it again, opened and with Sealed cleared, after the unlock. Errors as ApplyRecord; with ErrMove the
// case has kept the event as an ignored step and is to be stored, so that nothing the platform said is lost.
func (c *Case) ApplyEvent(ev journal.Event) error {
	if ev.Device != c.Device || !c.knows(ev.Seq) {
		return fmt.Errorf("%w: event %d", ErrOther, ev.Cursor)
	}
	a := Act{Kind: ev.Kind, At: ev.At, Cursor: ev.Cursor, Sealed: ev.Sealed, Body: ev.Body}
	if a.Sealed {
		a.Body = nil
	}
	return c.apply(a)
}

func (c *Case) knows(seq uint64) bool {
	return slices.ContainsFunc(c.Acts, func(a Act) bool { return a.Seq == seq && seq != 0 })
}

// apply puts an act in its place, or replaces it (an event that is now opened), and derives everything anew.
func (c *Case) apply(a Act) error {
	saved := slices.Clone(c.Acts)
	i := slices.IndexFunc(c.Acts, func(b Act) bool { return b.Seq == a.Seq && b.Cursor == a.Cursor })
	switch {
	case i < 0:
		c.Acts = append(c.Acts, a)
		slices.SortFunc(c.Acts, func(x, y Act) int {
			return cmp.Or(cmp.Compare(x.Cursor, y.Cursor), cmp.Compare(x.Seq, y.Seq))
		})
	case c.Acts[i].Sealed && !a.Sealed:
		c.Acts[i] = a
	default:
		return nil
	}
	if err := c.fold(); err != nil {
		c.Acts = saved
		if again := c.fold(); again != nil {
			return fmt.Errorf("casefile: %w (and the case before: %w)", err, again)
		}
		return err
	}
	for _, s := range c.Timeline {
		if s.Seq == a.Seq && s.Cursor == a.Cursor && s.Ignored {
			return fmt.Errorf("%w: %s in state %s", ErrMove, a.Kind, c.State)
		}
	}
	return nil
}

// MayAmend reports whether a correction is open, and the cursor that the answer must name.
func (c *Case) MayAmend() (cursor uint64, ok bool) {
	if c.State != CorrectionAsked || c.Correction == nil {
		return 0, false
	}
	return c.Correction.Cursor, true
}

// MayHandIn reports whether papers that were allowed to follow are missing and may come in now. While a correction is open
// they go with its answer.
func (c *Case) MayHandIn() bool {
	return len(c.Papers) > 0 && !c.State.Closed() && c.State != CorrectionAsked
}

// MayWithdraw reports whether the citizen may still take the case back.
func (c *Case) MayWithdraw() bool {
	return CanMove(c.State, Withdrawn, c.AcceptedAt != 0) && !c.State.Closed()
}

// TimeOf returns when a record about the case was made, as corrected; 0 when the case does not know it.
func (c *Case) TimeOf(seq uint64) int64 {
	for _, s := range c.Timeline {
		if s.Seq == seq && seq != 0 {
			return s.At
		}
	}
	return 0
}

// SetReceipt keeps the COSE envelope of a receipt stage (1 or 2) with the case.
func (c *Case) SetReceipt(stage uint8, envelope []byte) {
	if stage == 2 {
		c.Stage2 = envelope
		return
	}
	c.Stage1 = envelope
}

// Delivery says how far the data has got when the platform has acknowledged the journal up to acked.
func (c *Case) Delivery(acked uint64) Delivery {
	switch {
	case c.State == CorrectionAsked || c.Quarantine != "":
		return NeedsYou
	case c.LastSeq > acked:
		return OnMachine
	case c.AcceptedAt != 0:
		return PlatformTook
	}
	return AtPlatform
}

// Number returns the receipt number.
func (c *Case) Number() string { return Number(c.Device, c.Seq) }

// MaskedName returns the applicant's name as lists and receipts show it.
func (c *Case) MaskedName() string { return ident.MaskName(c.Applicant) }

// Marshal returns the stored form.
func (c *Case) Marshal() ([]byte, error) { return canon.Marshal(c) }

// Parse reads the stored form.
func Parse(data []byte) (*Case, error) {
	c := new(Case)
	if err := canon.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("casefile: stored case: %w", err)
	}
	if c.V != caseVersion {
		return nil, fmt.Errorf("casefile: stored case has version %d", c.V)
	}
	return c, nil
}

// LogValue keeps the person out of logs: number and state only.
func (c *Case) LogValue() slog.Value {
	return slog.GroupValue(slog.String("no", c.Number()), slog.String("state", string(c.State)))
}
