package vm

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"bianmin/app/device/spool"
	"bianmin/offline/casefile"
	"bianmin/offline/counter"
	"bianmin/offline/form"
	"bianmin/offline/ident"
	"bianmin/offline/journal"
	"bianmin/offline/receipt"
)

// pageReceipt is the page that shows a receipt.
const pageReceipt = "receipt"

// CaseDetail is the state of the screen of one case.
type CaseDetail struct {
	t   Texts
	c   counter.Counter
	s   counter.Session
	now func() time.Time
	seq uint64

	mu      sync.Mutex // guards what follows, and answers, which is for one goroutine at a time
	reveal  bool
	loaded  bool
	of      counter.Case
	acked   uint64
	lastAck time.Time // zero: never
	unit    casefile.Unit
	names   map[string]string // operators, by id
	answers *form.Session     // nil when they cannot be read
	fault   error             // why
	press   press
}

// NewCaseDetail returns the state for the case whose submission is record seq. Load fills it.
func NewCaseDetail(t Texts, c counter.Counter, s counter.Session, now func() time.Time, seq uint64) *CaseDetail {
	return &CaseDetail{t: t, c: c, s: s, now: now, seq: seq}
}

// CaseDetailState is what the screen of a case shows. Tones are "ok", "info", "warn", "danger" or "".
type CaseDetailState struct {
	Ready                  bool
	Item, Who              string
	State, StateTone       string
	Delivery, DeliveryTone string
	Explain                string // the state of delivery in a sentence
	Days, DaysTone         string // "" when no clock runs
	Numbers                []Fact // 回执编号, 办件编号, days that matter
	Facts                  []Fact // about applicant and counter
	Reveal                 string // word of the button that shows or hides full names and numbers

	Correction              *CaseCorrection // open correction; nil: none
	Trouble                 string          // what the platform could not use, in words; "" otherwise
	Result                  string          // the deciding officer's words; "" otherwise
	ResultTitle, ResultTone string

	Steps        []CaseStep
	Receipts     []CaseReceipt
	Sections     []CaseSection
	Papers       []CasePaper
	AnswersFault string     // why answers are not shown; "" otherwise
	Print        PrintState // of the list of answers

	Primary   string // word of the one button
	PrimaryTo Target
}

// CaseCorrection is what a reviewer asks for.
type CaseCorrection struct {
	Note           string   // the reviewer's words
	Fields         []string // labels of what to change
	By             string   // until when
	Days, DaysTone string
	From           string // officer and telephone
	Basis          string
}

// CaseStep is one entry of the time line; Tone "" is still to come.
type CaseStep struct {
	What, When, Who, Note string
	Tone                  string
}

// CaseReceipt is a receipt to open.
type CaseReceipt struct {
	Word, Note string
	To         Target
}

// CaseSection is a titled block of answers.
type CaseSection struct {
	Title string
	Rows  []CaseAnswer
}

// CaseAnswer is one answer for reading.
type CaseAnswer struct {
	Label, Value string
	Heading      bool // Label is the heading of a row of a group
	Agreed       bool // Label is a statement that was agreed to
}

// CasePaper is one file of a case.
type CasePaper struct {
	Label, Note string
	Blob        form.BlobRef
	Picture     bool
}

// Load reads the case and its answers. Errors: desk.noCase, counter.ErrLocked.
func (v *CaseDetail) Load(ctx context.Context) error {
	of, err := v.s.Case(ctx, v.seq)
	if err != nil {
		return err
	}
	status, err := v.c.Status(ctx)
	if err != nil {
		return err
	}
	answers, fault := v.s.Answers(ctx, v.seq)
	names := map[string]string{}
	for _, op := range v.c.Operators() {
		names[op.ID] = op.Name
	}
	var unit casefile.Unit
	if cat, err := v.s.Catalog(); err == nil { // without packs days are called working days
		it, _ := cat.Item(of.Service)
		unit = it.Promised.Unit
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	acked := status.Acknowledged
	if of.Ref != 0 { // delivered under the number that this machine had before
		acked = math.MaxUint64
	}
	v.lastAck = time.Time{}
	if status.LastAck != nil {
		v.lastAck = *status.LastAck
	}
	v.loaded, v.of, v.acked, v.unit, v.names, v.answers, v.fault = true, of, acked, unit, names, answers, fault
	return nil
}

// ToggleReveal shows names and numbers in full, or masks them again.
func (v *CaseDetail) ToggleReveal() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.reveal = !v.reveal
}

// Paper returns the bytes of a file of the case. Call it off the screen's goroutine.
func (v *CaseDetail) Paper(ctx context.Context, b form.BlobRef) ([]byte, error) {
	return v.s.OpenBlob(ctx, b)
}

// State returns what to show.
func (v *CaseDetail) State() CaseDetailState {
	v.mu.Lock()
	defer v.mu.Unlock()
	t, c := v.t, &v.of
	if !v.loaded {
		return CaseDetailState{}
	}
	st := CaseDetailState{
		Ready: true, Item: itemName(t, v.s, c.Service, c.ItemName), Who: whoOf(t, c, v.s.Operator().ID, v.reveal),
		State: t.T(c.State.Key()), StateTone: stateTone(c.State), Delivery: t.T(c.Delivery.Key()), DeliveryTone: deliveryTone(c.Delivery),
		Explain: t.T("case.explain." + string(c.Delivery)), Reveal: t.T("case.reveal"),
	}
	if v.reveal {
		st.Reveal = t.T("case.conceal")
	}
	if c.State.Closed() {
		st.Explain = t.T("case.explain.closed." + string(c.Delivery))
	}
	st.Days, st.DaysTone = daysLeft(t, c, v.unit)
	st.Numbers, st.Facts = v.numbers(), v.facts()
	if c.Correction != nil && c.State == casefile.CorrectionAsked {
		st.Correction = v.correction()
	}
	if c.Quarantine != "" {
		st.Trouble = t.T("case.trouble", "why", t.T(c.Quarantine))
		if st.Correction == nil {
			st.Explain = t.T("case.explain.trouble")
		}
	}
	if c.State.Closed() {
		st.Result, st.ResultTitle, st.ResultTone = c.Result, st.State, st.StateTone
	}
	st.Steps = v.steps()
	st.Receipts = v.receipts()
	if v.answers != nil {
		st.Sections, st.Papers = v.read()
		st.Print = v.press.state(t, spool.Answers, v.seq, 0, copiesOf(v.of, 0))
	} else {
		st.AnswersFault = Words(t, v.fault)
	}
	st.Primary, st.PrimaryTo = t.T("case.openReceipt"), st.Receipts[len(st.Receipts)-1].To
	if _, ok := c.MayAmend(); ok {
		st.Primary, st.PrimaryTo = t.T("case.answer"), Target{pageWizard, "correct:" + utoa(c.Reference())}
	} else if c.MayHandIn() {
		st.Primary, st.PrimaryTo = t.T("case.handIn"), Target{pageWizard, "papers:" + utoa(c.Reference())}
	}
	return st
}

func (v *CaseDetail) numbers() []Fact {
	t, c := v.t, &v.of
	official := c.OfficialNo
	if official == "" {
		official = t.T("case.noOfficial")
	}
	out := []Fact{{t.T("case.no"), c.No}, {t.T("case.official"), official}}
	if c.State.Closed() {
		return append(out, Fact{t.T("case.closedAt"), MomentText(t, millis(c.ClosedAt))})
	}
	if c.Clock.Promised != 0 {
		day := CivilText(t, c.Clock.Promised)
		if c.Clock.Estimate {
			day = t.T("case.estimate", "day", day)
		}
		out = append(out, Fact{t.T("case.promised"), day})
	}
	if len(c.Papers) > 0 {
		key := "case.papersDue"
		if c.PapersLate {
			key = "case.papersLate"
		}
		out = append(out, Fact{t.T(key), CivilText(t, c.PapersDue)})
	}
	return out
}

func (v *CaseDetail) facts() []Fact {
	t, c := v.t, &v.of
	var out []Fact
	add := func(key, value string) {
		if value != "" {
			out = append(out, Fact{t.T(key), value})
		}
	}
	add("case.applicant", whoOf(t, c, v.s.Operator().ID, v.reveal))
	id, phone := c.IDNumber, c.Phone
	if !v.reveal {
		id, phone = ident.MaskID(id), ident.MaskPhone(phone)
	}
	add("case.idno", id)
	add("case.phone", phone)
	add("case.takenIn", MomentText(t, millis(c.SubmittedAt)))
	add("case.operator", v.operator(c.Operator))
	if c.Identity != journal.IdentityUnknown {
		add("case.identity", t.T("case.identity."+itoa(int(c.Identity))))
	}
	for _, w := range c.Waived {
		faults := make([]string, len(w.Faults))
		for i, f := range w.Faults {
			faults[i] = t.T("photo.short." + f)
		}
		add("case.waived", t.T("case.waivedBy", "label", v.label(form.Path(w.Field)), "faults", strings.Join(faults, t.T("wizard.and")), "name", v.operator(w.By)))
	}
	if !c.State.Closed() {
		add("case.statutory", CivilText(t, c.Clock.Statutory))
	}
	switch {
	case c.Urgent:
		add("case.priority", t.T("cases.urgent"))
	case c.Priority > 0:
		add("case.priority", t.T("case.sooner"))
	}
	if !c.State.Closed() {
		var missing []string
		for _, path := range c.Papers {
			missing = append(missing, v.label(form.Path(path)))
		}
		add("case.papersMissing", strings.Join(missing, t.T("wizard.and")))
	}
	return out
}

func (v *CaseDetail) operator(id string) string {
	if name := v.names[id]; name != "" {
		return name
	}
	return id
}

func (v *CaseDetail) correction() *CaseCorrection {
	t, c := v.t, v.of.Correction
	k := &CaseCorrection{Note: c.Note, By: t.T("case.answerBy", "day", CivilText(t, v.of.Clock.AnswerBy)), Basis: c.Basis}
	k.Days, k.DaysTone = daysLeft(t, &v.of, v.unit)
	k.From = strings.Join(slices.DeleteFunc([]string{c.Officer, c.Telephone}, func(s string) bool { return s == "" }), " · ")
	for _, path := range c.Fields {
		k.Fields = append(k.Fields, v.label(form.Path(path)))
	}
	return k
}

// label names a field by its path, as the form does; in a row of a group, with the row.
func (v *CaseDetail) label(path form.Path) string {
	if v.answers == nil {
		return string(path)
	}
	lang := v.t.Lang()
	f := v.answers.State(path).Field
	if f == nil {
		return string(path)
	}
	label := v.answers.Text(f.Label, lang, path)
	row, child, inside := strings.Cut(string(path), "].")
	group, number, _ := strings.Cut(row, "[")
	n, err := strconv.Atoi(number)
	if g := v.answers.State(form.Path(group)).Field; inside && child != "" && err == nil && g != nil {
		return v.heading(g, form.RowPath(group, n, ""), n) + " · " + label
	}
	return label
}

// heading names a row of a group.
func (v *CaseDetail) heading(g *form.Field, path form.Path, row int) string {
	if text := v.answers.Text(g.RowLabel, v.t.Lang(), path); text != "" {
		return text
	}
	return v.t.T("case.row", "group", v.answers.Text(g.Label, v.t.Lang(), path), "n", itoa(row+1))
}

// steps tells what happened, oldest first, and what is to come. Prints are left out: they change nothing.
func (v *CaseDetail) steps() []CaseStep {
	t, c := v.t, &v.of
	var out []CaseStep
	for _, s := range c.Timeline {
		if s.Kind == journal.KindReceiptPrinted {
			continue
		}
		out = append(out, v.step(s))
		if s.Kind == journal.KindCaseSubmitted {
			if c.Seq <= v.acked {
				out = append(out, CaseStep{What: t.T("case.step.delivered"), When: v.deliveredBy(), Note: t.T("case.step.deliveredNote"), Tone: "ok"})
			} else {
				out = append(out, CaseStep{What: t.T("case.step.waiting"), When: t.T("case.step.waitingNote")})
			}
		}
	}
	if c.State.Closed() {
		return out
	}
	if c.State == casefile.CorrectionAsked {
		out = append(out, CaseStep{What: t.T(casefile.CorrectionDone.Key()), When: t.T("case.answerBy", "day", CivilText(t, c.Clock.AnswerBy))})
	}
	if c.AcceptedAt == 0 {
		next := CaseStep{What: t.T(casefile.Accepted.Key())}
		switch {
		case c.Clock.Deemed:
			next.Note = t.T("case.deemed")
		case c.Clock.AskBy != 0:
			next.When = t.T("case.before", "day", CivilText(t, c.Clock.AskBy))
		}
		out = append(out, next)
	}
	last := CaseStep{What: t.T(casefile.Decided.Key())}
	switch {
	case c.Clock.Stopped:
		last.Note = t.T("case.stopped")
	case c.Clock.Promised != 0:
		last.When = t.T("case.before", "day", CivilText(t, c.Clock.Promised))
	}
	return append(out, last)
}

// deliveredBy is when the platform had the submission at the latest: an acknowledgement is kept for the newest record
// only, so it is the first thing that the platform said of the case, or else the last acknowledgement.
func (v *CaseDetail) deliveredBy() string {
	at := v.lastAck
	for _, s := range v.of.Timeline {
		if s.Cursor != 0 && s.At != 0 && (at.IsZero() || millis(s.At).Before(at)) {
			at = millis(s.At)
		}
	}
	if at.IsZero() {
		return ""
	}
	return v.t.T("case.step.deliveredBy", "when", MomentText(v.t, at))
}

func (v *CaseDetail) step(s casefile.Step) CaseStep {
	t := v.t
	out := CaseStep{What: t.T(s.Key()), When: MomentText(t, millis(s.At)), Note: s.Note, Tone: "ok"}
	if s.State != "" {
		out.What = t.T(s.State.Key())
	}
	if s.Cursor == 0 {
		out.Who = v.operator(s.By)
	} else if out.Who = s.By; out.Who == "" {
		out.Who = t.T("case.platform")
	}
	switch s.Kind {
	case journal.EventAccepted:
		if s.Note != "" {
			out.Note = t.T("case.officialIs", "no", s.Note)
		}
	case journal.EventCorrection:
		out.Tone = "warn"
	case journal.EventQuarantined:
		out.Tone, out.Note = "danger", ""
		if v.of.Quarantine != "" {
			out.Note = t.T(v.of.Quarantine)
		}
	case journal.KindCaseAmended, journal.KindCaseWithdrawn:
		if s.Seq > v.acked {
			out.Note = strings.TrimSpace(out.Note + " " + t.T("case.step.waitingNote"))
		}
	}
	if s.State != "" && stateTone(s.State) == "danger" {
		out.Tone = "danger"
	}
	if s.Ignored {
		out.Tone, out.Note = "warn", strings.TrimSpace(out.Note+" "+t.T("case.ignored"))
	}
	return out
}

func (v *CaseDetail) receipts() []CaseReceipt {
	t, c := v.t, &v.of
	to := func(stage uint8) Target { return Target{pageReceipt, utoa(c.Reference()) + ":" + itoa(int(stage))} }
	out := []CaseReceipt{{t.T("slip.1.title"), t.T("case.receipt1", "when", MomentText(t, millis(c.SubmittedAt))), to(receipt.StageStation)}}
	if len(c.Stage2) > 0 {
		out = append(out, CaseReceipt{t.T("slip.2.title"), t.T("case.receipt2", "when", MomentText(t, millis(c.AcceptedAt))), to(receipt.StagePlatform)})
	}
	return out
}

// read puts the answers into words, grouped as the form is, and lists the files.
func (v *CaseDetail) read() (sections []CaseSection, papers []CasePaper) {
	lang, s := v.t.Lang(), v.answers
	for _, b := range s.Visible() {
		sec := CaseSection{Title: s.Text(b.Section.Title, lang, "")}
		for _, it := range b.Items {
			label := s.Text(it.Field.Label, lang, it.Path)
			switch it.Field.Kind {
			case form.KindNote:
			case form.KindMaterial, form.KindSignature:
				papers = append(papers, v.papers(it.Path, label)...)
			case form.KindGroup:
				if it.Row >= 0 {
					sec.Rows = append(sec.Rows, CaseAnswer{Label: v.heading(it.Field, it.Path, it.Row), Heading: true})
				}
			case form.KindConsent:
				if agreed, _ := s.State(it.Path).Value.(bool); agreed {
					sec.Rows = append(sec.Rows, CaseAnswer{Label: label, Value: s.Display(it.Path, lang), Agreed: true})
				}
			default:
				value := v.value(it.Field, it.Path)
				if value == "" {
					value = v.t.T("case.blank")
				}
				sec.Rows = append(sec.Rows, CaseAnswer{Label: label, Value: value})
			}
		}
		if len(sec.Rows) > 0 {
			sections = append(sections, sec)
		}
	}
	return sections, papers
}

// value is an answer as read aloud at the counter: numbers that others could misuse are masked until asked for.
func (v *CaseDetail) value(f *form.Field, path form.Path) string {
	text := v.answers.Display(path, v.t.Lang())
	if v.reveal || text == "" {
		return text
	}
	switch f.ValueKind() {
	case form.KindIDNumber:
		return ident.MaskID(text)
	case form.KindBankCard:
		return ident.MaskCard(text)
	case form.KindPhone:
		return ident.MaskPhone(text)
	case form.KindPerson:
		var words []string
		for _, p := range f.Parts {
			part := v.answers.Display(path+form.Path("."+p.Name), v.t.Lang())
			switch p.Name {
			case "idno":
				part = ident.MaskID(part)
			case "phone":
				part = ident.MaskPhone(part)
			}
			if part != "" {
				words = append(words, part)
			}
		}
		return strings.Join(words, v.t.T("case.comma"))
	}
	return text
}

func (v *CaseDetail) papers(path form.Path, label string) []CasePaper {
	state := v.answers.State(path)
	if state.Field.Kind == form.KindSignature {
		sig, err := form.ReadSignature(state.Value)
		if err != nil {
			return nil // not signed
		}
		p := CasePaper{Label: label, Note: v.t.T("case.signed"), Blob: sig.PNG, Picture: len(sig.PNG.Addr) > 0}
		if sig.By == "helper" {
			p.Note = v.t.T("case.signedBy", "why", sig.Reason)
		}
		return []CasePaper{p}
	}
	files, err := form.Blobs(state.Value)
	if err != nil {
		return nil // nothing was handed in
	}
	out := make([]CasePaper, len(files))
	for i, f := range files {
		out[i] = CasePaper{Label: label, Blob: f, Picture: strings.HasPrefix(f.MIME, "image/"), Note: bytesText(f.Size)}
		if len(files) > 1 {
			out[i].Label = v.t.T("case.page", "name", label, "n", itoa(i+1))
		}
	}
	return out
}

// millis is the moment of a stamp in Unix milliseconds; 0 is the zero time.
func millis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
