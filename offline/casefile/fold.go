package casefile

import (
	"cmp"
	"fmt"
	"slices"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
)

// fold derives the case from its acts. The two logs have no common order, so one is made that depends only on what
// they say: events by cursor, each answer behind the correction it names, withdrawals and prints before the first event
// that is later by the clock.
func (c *Case) fold() error {
	c.Blobs, c.Timeline, c.Answers = nil, nil, nil
	c.State, c.AcceptedAt, c.OfficialNo, c.OfficialDue = Draft, 0, "", 0
	c.Priority, c.PapersDue, c.Papers = 0, 0, nil
	c.Identity, c.Read, c.Waived = journal.IdentityUnknown, nil, nil
	c.Correction, c.ClosedAt, c.Result, c.Quarantine, c.LastSeq, c.Stage2 = nil, 0, "", "", 0, nil
	var own, events []Act
	answers := make(map[uint64][]Act)
	acts, err := c.timed()
	if err != nil {
		return err
	}
	for _, a := range acts {
		if Awaited(a.Kind) {
			c.LastSeq = max(c.LastSeq, a.Seq)
		}
		switch {
		case a.Cursor != 0:
			events = append(events, a)
		case a.Kind == journal.KindCaseAmended:
			b, err := journal.DecodeBody[journal.CaseAmended](a.Body)
			if err != nil {
				return fmt.Errorf("casefile: record %d: %w", a.Seq, err)
			}
			if b.Cursor == 0 { // papers that follow wait for no event
				own = append(own, a)
				continue
			}
			answers[b.Cursor] = append(answers[b.Cursor], a)
		default:
			own = append(own, a)
		}
	}
	var f folding
	for _, e := range events {
		for len(own) > 0 && (own[0].Kind == journal.KindCaseSubmitted || own[0].At < e.At) {
			if err := f.step(c, own[0]); err != nil {
				return err
			}
			own = own[1:]
		}
		if err := f.step(c, e); err != nil {
			return err
		}
		for _, a := range answers[e.Cursor] {
			if err := f.step(c, a); err != nil {
				return err
			}
		}
		delete(answers, e.Cursor)
	}
	for _, as := range answers { // their question is not here (yet)
		own = append(own, as...)
	}
	slices.SortStableFunc(own, func(a, b Act) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, a := range own {
		if err := f.step(c, a); err != nil {
			return err
		}
	}
	return c.missing()
}

// missing leaves in Papers what has no answer yet.
func (c *Case) missing() error {
	if len(c.Papers) == 0 {
		return nil
	}
	var given map[string]any
	if err := canon.Unmarshal(c.Answers, &given); err != nil {
		return fmt.Errorf("casefile: answers of %s: %w", c.Number(), err)
	}
	c.Papers = slices.DeleteFunc(slices.Clone(c.Papers), func(field string) bool { return given[field] != nil })
	return nil
}

// timed returns the acts with the times of records as the platform corrected them, without the corrections themselves.
func (c *Case) timed() ([]Act, error) {
	c.ReadAt = 0
	times := map[uint64]int64{}
	out := make([]Act, 0, len(c.Acts))
	for _, a := range c.Acts { // by cursor: a later correction wins
		if a.Kind != journal.EventTimed {
			out = append(out, a)
			continue
		}
		t, err := journal.DecodeBody[journal.Timed](a.Body)
		if err != nil {
			return nil, fmt.Errorf("casefile: event %d: %w", a.Cursor, err)
		}
		times[t.Seq] = t.At
	}
	for i, a := range out {
		if a.Cursor != 0 {
			continue
		}
		if a.Seq == c.Seq {
			c.SubmittedAt = a.At
		}
		if at, ok := times[a.Seq]; ok {
			if a.Seq == c.Seq {
				c.SubmittedAt, c.ReadAt = at, a.At
			}
			out[i].At, out[i].read = at, a.At
		}
	}
	return out, nil
}

// folding is what fold must remember between steps beyond the case itself.
type folding struct {
	here     bool   // withdrawn at the desk, not yet confirmed: the platform may have decided before it knew
	answered uint64 // record whose answers the case has: later ones hold all that earlier ones do
}

func (f *folding) step(c *Case, a Act) error {
	s := Step{At: a.At, Kind: a.Kind, By: a.By, Seq: a.Seq, Cursor: a.Cursor, Sealed: a.Sealed, Read: a.read}
	var err error
	if a.Cursor == 0 {
		err = f.record(c, a, &s)
	} else {
		err = f.event(c, a, &s)
	}
	if err != nil {
		return err
	}
	c.Timeline = append(c.Timeline, s)
	return nil
}

// move goes to a state if the table allows it; the step says whether it did.
func (f *folding) move(c *Case, s *Step, to State) bool {
	desk := f.here && c.State == Withdrawn && slices.Contains(results, to)
	if !desk && !CanMove(c.State, to, c.AcceptedAt != 0) {
		s.Ignored = true
		return false
	}
	if desk || to != Withdrawn {
		f.here = false
	}
	c.State, s.State = to, to
	if to != CorrectionAsked {
		c.Correction = nil
	}
	if to.Closed() && c.ClosedAt == 0 {
		c.ClosedAt = s.At
	}
	return true
}

func (f *folding) record(c *Case, a Act, s *Step) error {
	switch a.Kind {
	case journal.KindCaseSubmitted:
		if len(a.Body) > 0 {
			b, err := journal.DecodeBody[journal.CaseSubmitted](a.Body)
			if err != nil {
				return fmt.Errorf("casefile: record %d: %w", a.Seq, err)
			}
			c.Service, c.ItemCode, c.ItemName = b.Service, b.ItemCode, b.ItemName
			c.FormID, c.FormVersion, c.FormHash = b.FormID, b.FormVersion, b.FormHash
			c.Applicant, c.IDNumber, c.Phone, c.Division = b.Applicant, b.IDNumber, b.Phone, b.Division
			c.Urgent, c.Consent, c.PromisedDue = b.Urgent, b.Consent, Day(b.Due)
			c.Answers, c.Blobs = b.Answers, slices.Clone(b.Blobs)
			c.Priority, c.PapersDue, c.Papers, f.answered = b.Priority, Day(b.PapersDue), b.Papers, a.Seq
			c.Identity, c.Read, c.Waived = b.Identity, slices.Clone(b.Read), slices.Clone(b.Waived)
		}
		f.move(c, s, TakenIn)
	case journal.KindCaseAmended:
		b, err := journal.DecodeBody[journal.CaseAmended](a.Body)
		if err != nil {
			return fmt.Errorf("casefile: record %d: %w", a.Seq, err)
		}
		s.Note, s.Papers = b.Note, b.Cursor == 0
		if s.Papers {
			if s.Ignored = len(c.Papers) == 0 || c.State.Closed(); !s.Ignored {
				f.answer(c, a.Seq, b)
			}
			return nil
		}
		if c.Correction == nil || c.Correction.Cursor != b.Cursor {
			s.Ignored = true
			return nil
		}
		if f.move(c, s, CorrectionDone) {
			f.answer(c, a.Seq, b)
		}
	case journal.KindCaseWithdrawn:
		b, err := journal.DecodeBody[journal.CaseWithdrawn](a.Body)
		if err != nil {
			return fmt.Errorf("casefile: record %d: %w", a.Seq, err)
		}
		s.Note = b.Reason
		if c.State.Closed() {
			s.Ignored = true
		} else if f.move(c, s, Withdrawn) {
			f.here = true
		}
	case journal.KindReceiptPrinted:
		if _, err := journal.DecodeBody[journal.ReceiptPrinted](a.Body); err != nil {
			return fmt.Errorf("casefile: record %d: %w", a.Seq, err)
		}
	}
	return nil
}

// answer takes over the answers of a record, unless a later one was there first: the clocks of desk and platform may differ.
func (f *folding) answer(c *Case, seq uint64, b journal.CaseAmended) {
	c.Blobs = append(c.Blobs, b.Blobs...)
	c.Waived = append(c.Waived, b.Waived...)
	if seq > f.answered {
		c.Answers, f.answered = b.Answers, seq
		if b.Applicant != "" {
			c.Applicant, c.IDNumber, c.Phone = b.Applicant, b.IDNumber, b.Phone
		}
	}
}

func (f *folding) event(c *Case, a Act, s *Step) error {
	var d journal.Decided
	var err error
	switch a.Kind {
	case journal.EventAccepted:
		var b journal.Accepted
		if !a.Sealed {
			if b, err = journal.DecodeBody[journal.Accepted](a.Body); err != nil {
				return fmt.Errorf("casefile: event %d: %w", a.Cursor, err)
			}
		}
		first := c.AcceptedAt == 0
		if !f.move(c, s, Accepted) && !first {
			return nil // said twice
		}
		if first {
			c.AcceptedAt = b.At
			if c.AcceptedAt == 0 {
				c.AcceptedAt = a.At
			}
		}
		c.OfficialNo, c.OfficialDue, c.Stage2, s.Note = b.OfficialNo, Day(b.Due), b.Receipt, b.OfficialNo
		c.Quarantine = ""
		return nil
	case journal.EventCorrection:
		var b journal.Correction
		if !a.Sealed {
			if b, err = journal.DecodeBody[journal.Correction](a.Body); err != nil {
				return fmt.Errorf("casefile: event %d: %w", a.Cursor, err)
			}
		}
		s.Note, s.By = b.Note, b.Officer
		if f.move(c, s, CorrectionAsked) {
			c.Correction = &Correction{
				Fields: b.Fields, Note: b.Note, AskedAt: b.At, AnswerBy: Day(b.AnswerBy), Officer: b.Officer,
				Telephone: b.Telephone, Basis: b.Basis, Cursor: a.Cursor,
			}
			if c.Correction.AskedAt == 0 {
				c.Correction.AskedAt = a.At
			}
			c.Quarantine = ""
		}
		return nil
	case journal.EventQuarantined:
		c.Quarantine = "quarantine.sealed"
		if !a.Sealed {
			b, err := journal.DecodeBody[journal.Quarantined](a.Body)
			if err != nil {
				return fmt.Errorf("casefile: event %d: %w", a.Cursor, err)
			}
			c.Quarantine, s.Note = b.Reason, b.Detail
		}
		return nil
	}
	if !a.Sealed {
		if d, err = journal.DecodeBody[journal.Decided](a.Body); err != nil {
			return fmt.Errorf("casefile: event %d: %w", a.Cursor, err)
		}
	}
	s.Note = d.Note
	if d.At != 0 {
		s.At = d.At
	}
	to, ok := f.target(c, a, d)
	switch {
	case !ok:
		s.Ignored = true
	case to == c.State && (to == CorrectionDone || to == Withdrawn || to == Processing):
		f.here = false // a confirmation
	case f.move(c, s, to):
	}
	if !s.Ignored {
		c.Quarantine = ""
		if to.Closed() && d.Note != "" && to != Delivered {
			c.Result = d.Note
		}
	}
	return nil
}

// target returns the state an event leads to; ok is false for a word that this program does not know.
func (f *folding) target(c *Case, a Act, d journal.Decided) (State, bool) {
	switch a.Kind {
	case journal.EventRefused:
		return Refused, true
	case journal.EventComplete:
		return CorrectionDone, true
	case journal.EventProcessing:
		return Processing, true
	case journal.EventDelivered:
		return Delivered, true
	case journal.EventSpecial:
		if d.Result == "end" || a.Sealed && c.State == Special {
			return Processing, true
		}
		return Special, d.Result == "start" || a.Sealed
	case journal.EventDecided:
		if a.Sealed {
			return Decided, true
		}
		return resultOf(d.Result)
	}
	return "", false
}
