package desk

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/catalog"
	"bianmin/offline/counter"
	"bianmin/offline/form"
	"bianmin/offline/journal"
	"bianmin/offline/people"
	"bianmin/offline/store"
	"bianmin/offline/words"
)

// draftBody is what a draft holds, sealed.
type draftBody struct {
	V      uint8      `cbor:"1,keyasint"`
	Form   form.Draft `cbor:"2,keyasint"`
	Person string     `cbor:"3,keyasint"` // roster id; "" for somebody unknown
	Who    string     `cbor:"4,keyasint"` // applicant's name as far as typed

	Shown shown `cbor:"5,keyasint,omitzero"` // what devices saw; see present.go
}

// Intake is one case being taken in or corrected; see [counter.Intake].
type Intake struct {
	s      *Session
	item   catalog.Item
	form   *form.Form
	prog   *form.Program
	fs     *form.Session
	person *people.Person
	asked  *casefile.Correction
	of     uint64 // case being corrected
	was    []byte // the answers that the correction began with, as they would be submitted
	affirm bool   // the clerk says that they are right
	draft  store.Draft
	saver  *saver
	shown  shown
}

var _ counter.Intake = (*Intake)(nil)

// Start begins a case; see [counter.Session].
func (s *Session) Start(ctx context.Context, service string, person *people.Person) (counter.Intake, error) {
	in, err := s.begin(service, person)
	if err != nil {
		return nil, err
	}
	in.Leave(ctx, string(form.StepIdentity), "") // the fault, if any, shows as SaveError
	return in, nil
}

func (s *Session) begin(service string, person *people.Person) (*Intake, error) {
	id, err := newDraftID()
	if err != nil {
		return nil, err
	}
	in, err := s.newIntake(store.Draft{ID: id, Service: service, Operator: s.op.ID}, person)
	if err != nil {
		return nil, err
	}
	in.fs = in.prog.Start(in.env())
	in.shown.Code = s.presented(person)
	return in, nil
}

func newDraftID() (string, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("desk: make draft id: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

func (s *Session) newIntake(d store.Draft, person *people.Person) (*Intake, error) {
	if err := s.d.store.Ready(); err != nil { // nothing that is typed could be kept
		return nil, err
	}
	it, err := s.Item(d.Service)
	if err != nil {
		return nil, err
	}
	f, err := s.form(it)
	if err != nil {
		return nil, err
	}
	in := &Intake{s: s, item: it, person: person, draft: d, of: d.CaseSeq}
	in.saver = s.d.newSaver()
	return in, in.use(f)
}

// use takes the form that is filled in.
func (in *Intake) use(f *form.Form) error {
	p, err := in.s.compile(f)
	in.form, in.prog = f, p
	return err
}

func (in *Intake) env() form.Env { return in.s.env(in.person) }

// env is what a form sees of the world.
func (s *Session) env(person *people.Person) form.Env {
	e := form.Env{Now: s.d.store.Time, Division: s.scope.place()}
	if c, err := s.Catalog(); err == nil {
		e.Lists, e.Divisions = c.Lists, c.Divisions.Name
	}
	if person != nil {
		e.Prefill = person.Prefill
	}
	return e
}

// Resume goes on with a draft; see [counter.Session].
func (s *Session) Resume(_ context.Context, id string) (counter.Intake, error) {
	d, err := s.visibleDraft(id)
	if err != nil {
		return nil, err
	}
	return s.resume(d)
}

func (s *Session) resume(d store.Draft) (counter.Intake, error) {
	var body draftBody
	if err := canon.Unmarshal(d.Body, &body); err != nil {
		return nil, words.New("desk.draftDamaged", err)
	}
	person, err := s.rosterPerson(body.Person)
	if err != nil {
		return nil, err
	}
	in, err := s.newIntake(d, person)
	if err != nil {
		return nil, err
	}
	if d.CaseSeq != 0 {
		if err := in.openCase(); err != nil {
			return nil, err
		}
	} else {
		in.fs = in.prog.Start(in.env())
	}
	in.fs.Restore(body.Form)
	in.shown = body.Shown
	in.saver.saved = time.UnixMilli(d.Updated)
	return in, nil
}

// Correct opens the answer to a correction; see [counter.Session]. An answer begun before is resumed.
func (s *Session) Correct(ctx context.Context, seq uint64) (counter.Intake, error) {
	c, err := s.visible(seq)
	if err != nil {
		return nil, err
	}
	drafts, err := s.visibleDrafts()
	if err != nil {
		return nil, err
	}
	if c.Correction == nil {
		return nil, counter.ErrNothingAsked
	}
	for _, d := range drafts {
		if d.CaseSeq == seq && d.Cursor == c.Correction.Cursor {
			return s.resume(d)
		}
	}
	id, err := newDraftID()
	if err != nil {
		return nil, err
	}
	in, err := s.newIntake(store.Draft{ID: id, Service: c.Service, Operator: s.op.ID, CaseSeq: seq, Cursor: c.Correction.Cursor}, nil)
	if err != nil {
		return nil, err
	}
	if err := in.openCase(); err != nil {
		return nil, err
	}
	var first form.Path
	if len(in.asked.Fields) > 0 {
		first = form.Path(in.asked.Fields[0])
	}
	in.Leave(ctx, string(in.stepOf(first)), first)
	return in, nil
}

// openCase loads the case's answers, into the form they were given on, and opens what the draft is for: what the reviewer
// asked, or the papers that are missing. The papers may come with the answer to a correction, too.
func (in *Intake) openCase() error {
	c, err := in.s.visible(in.of)
	if err != nil {
		return err
	}
	switch {
	case in.draft.Cursor != 0 && c.Correction == nil:
		return counter.ErrNothingAsked
	case in.draft.Cursor == 0 && !c.MayHandIn():
		return counter.ErrNoPapersDue
	}
	f, err := in.s.formOf(&c)
	if err != nil {
		return err
	}
	if err := in.use(f); err != nil {
		return err
	}
	var open []form.Path
	if in.draft.Cursor != 0 {
		in.asked = c.Correction
		for _, f := range in.asked.Fields {
			open = append(open, form.Path(f))
		}
	}
	for _, f := range c.Papers {
		open = append(open, form.Path(f))
	}
	if in.fs, err = in.s.load(in.prog, &c); err != nil {
		return err
	}
	in.fs.Restrict(open)
	in.was, _, err = in.answers()
	return err
}

// affirmed is what the record of an affirmed answer says; the platform's people read it in the time line.
const affirmed = "经办人核对：原来的填写没有错，未作修改。"

// Affirm notes the clerk's word that the answers are right.
func (in *Intake) Affirm() { in.affirm = true }

// load brings a case's answers into a session. What the form finds wrong with them shows like any other fault.
func (s *Session) load(p *form.Program, c *casefile.Case) (*form.Session, error) {
	v, err := form.DecodeValues(c.Answers)
	if err != nil {
		return nil, words.New("desk.caseDamaged", err)
	}
	env := s.env(nil)
	env.Now = func() time.Time { return time.UnixMilli(c.SubmittedAt) }
	fs, _ := p.Load(env, v)
	return fs, nil
}

// Answers returns a case's answers on their form, for reading.
func (s *Session) Answers(_ context.Context, seq uint64) (*form.Session, error) {
	c, err := s.visible(seq)
	if err != nil {
		return nil, err
	}
	f, err := s.formOf(&c)
	if err != nil {
		return nil, err
	}
	p, err := s.compile(f)
	if err != nil {
		return nil, err
	}
	return s.load(p, &c)
}

// stepOf returns the step on which a field stands.
func (in *Intake) stepOf(p form.Path) form.Step {
	for _, b := range in.fs.Visible() {
		for _, it := range b.Items {
			if it.Path == p {
				return b.Section.Step
			}
		}
	}
	return form.StepIdentity
}

// ID implements [counter.Intake], and so do the methods below.
func (in *Intake) ID() string { return in.draft.ID }

// Item returns the service item.
func (in *Intake) Item() catalog.Item { return in.item }

// Form returns the form's state.
func (in *Intake) Form() *form.Session { return in.fs }

// Correction returns what the reviewer asked for; nil for a new case.
func (in *Intake) Correction() *casefile.Correction { return in.asked }

// CaseSeq returns the case being corrected; 0 for a new case.
func (in *Intake) CaseSeq() uint64 { return in.of }

// Person returns the roster's person; nil for somebody unknown.
func (in *Intake) Person() *people.Person { return in.person }

// Set takes an answer.
func (in *Intake) Set(path form.Path, v any) []form.Change {
	ch := in.fs.Set(path, v)
	in.draft.Field = string(path) // a kill at this keystroke brings the clerk back to this field
	in.changed()
	return ch
}

// AddRow adds a row to a group.
func (in *Intake) AddRow(group string) []form.Change {
	_, ch := in.fs.AddRow(group)
	in.changed()
	return ch
}

// RemoveRow removes a row of a group.
func (in *Intake) RemoveRow(group string, row int) []form.Change {
	ch := in.fs.RemoveRow(group, row)
	in.changed()
	return ch
}

// changed hands the newest state to the saver.
func (in *Intake) changed() {
	in.affirm = false
	body := draftBody{V: 1, Form: in.fs.Draft(), Who: in.who(), Shown: in.shown}
	if in.person != nil {
		body.Person = in.person.ID
	}
	raw, err := canon.Marshal(body)
	if err != nil { // the session holds nothing that does not encode
		in.s.d.cfg.Log.Error("encode draft", slog.Any("cause", err))
		return
	}
	d := in.draft
	d.Body, d.Updated = raw, in.s.d.cfg.Now().UnixMilli()
	in.saver.put(d)
}

func (in *Intake) who() string {
	v, _ := in.fs.State(form.Path(in.form.Applicant.Name)).Value.(string)
	return v
}

// Place returns where the clerk was.
func (in *Intake) Place() (step string, field form.Path) {
	return in.draft.Step, form.Path(in.draft.Field)
}

// Leave notes where the clerk is and saves at once.
func (in *Intake) Leave(ctx context.Context, step string, field form.Path) error {
	in.draft.Checkpoint = step != in.draft.Step
	in.draft.Step, in.draft.Field = step, string(field)
	in.changed()
	in.draft.Checkpoint = false
	return in.Flush(ctx)
}

// Saved returns when the last change reached the disk.
func (in *Intake) Saved() time.Time { return in.saver.lastSaved() }

// SaveError returns why the last save did not.
func (in *Intake) SaveError() error { return in.saver.lastError() }

// Flush waits until every change is on the disk.
func (in *Intake) Flush(context.Context) error { return in.saver.flush() }

// Close saves and leaves; the draft stays.
func (in *Intake) Close(context.Context) error {
	err := in.saver.flush()
	in.saver.stop()
	return err
}

// Discard drops the draft.
func (in *Intake) Discard(context.Context) error {
	in.saver.stop()
	return in.s.d.store.DropDraft(in.draft.ID)
}

// Room checks that the disk has room for the case.
func (in *Intake) Room() error { return in.s.d.store.Room() }

// Ready returns what must be put right before the case can be submitted.
func (in *Intake) Ready(signatures bool) []*form.Problem {
	all := in.fs.Problems()
	if signatures {
		return all
	}
	out := all[:0:0]
	for _, p := range all {
		if f := in.fs.State(p.Path).Field; f != nil && f.Kind == form.KindSignature {
			continue
		}
		out = append(out, p)
	}
	return out
}

// Submit commits the case, or the answer to the correction.
func (in *Intake) Submit(ctx context.Context) (counter.Submitted, error) {
	var none counter.Submitted
	if err := in.s.open(); err != nil {
		return none, err
	}
	if problems := in.Ready(true); len(problems) > 0 {
		return none, words.New(counter.ErrIncomplete.Key, &counter.IncompleteError{Problems: problems})
	}
	in.saver.flush() // whatever happens next, the draft is as typed; the act below says whether the disk works
	var (
		out counter.Submitted
		err error
	)
	if in.of != 0 {
		out, err = in.amend(ctx)
	} else {
		out, err = in.submit(ctx)
	}
	if err != nil {
		return none, err
	}
	in.saver.stop()
	return out, nil
}

func (in *Intake) amend(ctx context.Context) (counter.Submitted, error) {
	answers, blobs, err := in.answers()
	if err != nil {
		return counter.Submitted{}, err
	}
	note := ""
	if bytes.Equal(answers, in.was) {
		switch {
		case in.asked == nil:
			return counter.Submitted{}, counter.ErrNoPapers
		case !in.affirm:
			return counter.Submitted{}, counter.ErrUnchanged
		}
		note = affirmed
	}
	var cursor uint64
	if in.asked != nil {
		cursor = in.asked.Cursor
	}
	body := journal.CaseAmended{Case: in.of, Cursor: cursor, Answers: answers, Blobs: blobs, Note: note, Waived: in.waived()}
	body.Applicant, body.IDNumber, body.Phone = in.applicant()
	act := store.Act{Operator: in.s.op.ID, Kind: journal.KindCaseAmended, DropDraft: in.draft.ID, Body: body}
	device, seq := journal.SplitRef(in.of)
	if device != 0 { // the case was delivered under another number; the platform has what came with it
		c, err := in.s.d.store.Case(in.of)
		if err != nil {
			return counter.Submitted{}, err
		}
		body.Case = seq
		body.Blobs = slices.DeleteFunc(blobs, func(b journal.Blob) bool {
			return slices.ContainsFunc(c.Blobs, func(o journal.Blob) bool { return o.Addr == b.Addr })
		})
		act.Kind, act.Body = journal.KindFormerAct, journal.NewFormerAct(device, in.s.d.cfg.Now().UnixMilli(), in.s.op.ID, journal.KindCaseAmended, canon.MustMarshal(body))
	}
	rec, err := in.s.d.store.Commit(ctx, act)
	if err != nil {
		return counter.Submitted{}, err
	}
	if device == 0 {
		device = rec.Device
	}
	return counter.Submitted{No: casefile.Number(device, seq), Seq: rec.Seq, Case: in.of}, nil
}

func (in *Intake) submit(ctx context.Context) (counter.Submitted, error) {
	body, err := in.submission()
	if err != nil {
		return counter.Submitted{}, err
	}
	return in.s.commitCase(ctx, body, in.item, in.draft.ID)
}

// applicant returns who applies, as the answers say.
func (in *Intake) applicant() (name, id, phone string) {
	text := func(id string) string {
		v, _ := in.fs.State(form.Path(id)).Value.(string)
		return v
	}
	a := in.form.Applicant
	return text(a.Name), text(a.IDNo), text(a.Phone)
}

// submission turns the answers into the record's body.
func (in *Intake) submission() (journal.CaseSubmitted, error) {
	answers, blobs, err := in.answers()
	if err != nil {
		return journal.CaseSubmitted{}, err
	}
	out := in.fs.Outputs()
	urgent, _ := out["hardship"].(bool)
	limit := in.item.PromisedFor(urgent)
	if n, ok := out["promiseDays"].(int64); ok && n > 0 {
		limit.Days = int(n)
		if limit.Unit == "" {
			limit.Unit = casefile.Workdays
		}
	}
	cat, err := in.s.Catalog()
	if err != nil {
		return journal.CaseSubmitted{}, err
	}
	today := casefile.DayOf(in.s.d.store.Time())
	due, _ := casefile.Due(today, limit, cat.Calendar, nil, today)
	priority, _ := out["priority"].(int64)
	papers, papersDue := in.papers(out, cat.Calendar, today)
	name, id, phone := in.applicant()
	return journal.CaseSubmitted{
		Service: in.item.ID, ItemCode: in.item.Code, ItemName: in.item.Name.ZH, FormID: in.form.ID, FormVersion: uint32(in.form.Version),
		FormHash: in.form.Hash(), Answers: answers, Applicant: name, IDNumber: id,
		Phone: phone, Division: in.s.scope.place(), Urgent: urgent, Blobs: blobs, Due: int32(due),
		Consent: in.consents(), Priority: uint8(max(0, min(priority, maxPriority))), PapersDue: int32(papersDue), Papers: papers,
		Identity: in.identity(), Read: in.machineRead(), Waived: in.waived(),
	}, nil
}

// maxPriority is the greatest priority that a form may give.
const maxPriority = 9

// consents joins the words that the citizen agreed to.
func (in *Intake) consents() string {
	var out string
	for _, b := range in.fs.Visible() {
		for _, it := range b.Items {
			if it.Field.Kind != form.KindConsent || it.Row >= 0 && it.Field.Kind == form.KindGroup {
				continue
			}
			if yes, _ := in.fs.State(it.Path).Value.(bool); yes {
				out += in.fs.Text(it.Field.Label, "zh", it.Path) + "\n"
			}
		}
	}
	return out
}

// answers returns the canonical answers and every blob they refer to.
func (in *Intake) answers() ([]byte, []journal.Blob, error) {
	v := in.fs.Values(true)
	raw, err := v.MarshalCBOR()
	if err != nil {
		return nil, nil, fmt.Errorf("desk: encode answers: %w", err)
	}
	var blobs []journal.Blob
	for _, b := range in.fs.Visible() {
		for _, it := range b.Items {
			if it.Field.Kind != form.KindMaterial && it.Field.Kind != form.KindSignature {
				continue
			}
			refs, err := form.Blobs(in.fs.State(it.Path).Value)
			if err != nil {
				return nil, nil, fmt.Errorf("desk: blobs of %s: %w", it.Path, err)
			}
			for _, r := range refs {
				blobs = append(blobs, journalBlob(r))
			}
		}
	}
	return raw, blobs, nil
}

// isGone reports an error of a draft or case that is not there.
func isGone(err error) bool { return errors.Is(err, store.ErrNotFound) }
