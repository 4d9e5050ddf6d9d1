package desk

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/catalog"
	"bianmin/offline/counter"
	"bianmin/offline/form"
	"bianmin/offline/journal"
	"bianmin/offline/people"
	"bianmin/offline/receipt"
	"bianmin/offline/store"
	"bianmin/offline/words"
)

// commitCase commits a submission with its stage-1 receipt, in one transaction.
func (s *Session) commitCase(ctx context.Context, body journal.CaseSubmitted, it catalog.Item, draft string) (counter.Submitted, error) {
	var link string
	rec, err := s.d.store.Commit(ctx, store.Act{
		Operator: s.op.ID, Kind: journal.KindCaseSubmitted, Body: body, DropDraft: draft,
		Receipt: func(rec journal.Record) ([]byte, error) {
			env, err := receipt.Sign(s.d.store.Signer(), receipt.OfCase(rec.Header, body).Payload())
			if err != nil {
				return nil, err
			}
			link = receipt.Link(s.d.en.Station.ShortHost, env)
			return env, nil
		},
	})
	if err != nil {
		return counter.Submitted{}, err
	}
	return counter.Submitted{No: casefile.Number(rec.Device, rec.Seq), Seq: rec.Seq, Case: rec.Seq, Link: link}, nil
}

// FindPeople searches the roster; see [counter.Session].
func (s *Session) FindPeople(query string, limit int) ([]*people.Person, error) {
	return s.find(query, limit)
}

// Person returns a person of the roster and records that the data was opened.
func (s *Session) Person(ctx context.Context, id, purpose string) (*people.Person, error) {
	p, err := s.rosterPerson(id)
	if err != nil || p == nil {
		return nil, err
	}
	_, err = s.d.store.Commit(ctx, store.Act{
		Operator: s.op.ID, Kind: journal.KindPersonOpened, Body: journal.PersonOpened{Person: id, Purpose: purpose},
	})
	return p, err
}

// Drafts lists cases begun and not submitted, the newest first.
func (s *Session) Drafts(context.Context) ([]counter.Draft, error) {
	list, err := s.visibleDrafts()
	if err != nil {
		return nil, err
	}
	out := make([]counter.Draft, 0, len(list))
	for _, d := range list {
		v := counter.Draft{ID: d.ID, Service: d.Service, Operator: d.Operator, Updated: time.UnixMilli(d.Updated), Case: d.CaseSeq, Papers: d.CaseSeq != 0 && d.Cursor == 0}
		var body draftBody
		if err := canon.Unmarshal(d.Body, &body); err == nil {
			v.Who = body.Who
		}
		if it, err := s.Item(d.Service); err == nil {
			v.Item = it.Name.ZH
		}
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(a, b counter.Draft) int { return b.Updated.Compare(a.Updated) })
	return out, nil
}

// DropDraft drops a draft.
func (s *Session) DropDraft(_ context.Context, id string) error {
	_, err := s.visibleDraft(id)
	switch {
	case isGone(err):
		return nil
	case err != nil && errors.Is(err, counter.ErrLocked):
		return err
	}
	return s.d.store.DropDraft(id) // one that does not open any more can still be dropped
}

// Cases returns every case of this machine: what needs the clerk first, then what is about to be late, then by priority, then
// by deadline.
func (s *Session) Cases(ctx context.Context) ([]counter.Case, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	list, err := s.d.store.Cases()
	if err != nil {
		return nil, err
	}
	_, _, acked, _, err := s.d.store.Position(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]counter.Case, 0, len(list))
	for i := range list {
		if s.scope.submitted(&list[i]) {
			out = append(out, s.viewCase(&list[i], acked))
		}
	}
	slices.SortStableFunc(out, func(a, b counter.Case) int {
		return cmp.Or(cmp.Compare(urgency(a), urgency(b)), cmp.Compare(priority(b), priority(a)), deadline(a).Compare(deadline(b)), cmp.Compare(b.SubmittedAt, a.SubmittedAt), cmp.Compare(b.Seq, a.Seq))
	})
	return out, nil
}

func urgency(c counter.Case) int {
	switch {
	case c.Correction != nil || c.Quarantine != "":
		return 0
	case c.State.Closed():
		return 3
	case c.Clock.Lamp == casefile.LampRed || c.Clock.Lamp == casefile.LampOverdue:
		return 1
	}
	return 2
}

// priority is the case's; records from before forms gave one have the hardship flag alone.
func priority(c counter.Case) uint8 {
	switch {
	case c.State.Closed():
		return 0
	case c.Urgent:
		return max(c.Priority, 1)
	}
	return c.Priority
}

func deadline(c counter.Case) time.Time {
	if c.Deadline.IsZero() {
		return time.Unix(1<<40, 0)
	}
	return c.Deadline
}

// Case returns one case.
func (s *Session) Case(ctx context.Context, seq uint64) (counter.Case, error) {
	c, err := s.visible(seq)
	if err != nil {
		return counter.Case{}, err
	}
	_, _, acked, _, err := s.d.store.Position(ctx)
	if err != nil {
		return counter.Case{}, err
	}
	return s.viewCase(&c, acked), nil
}

func (s *Session) viewCase(c *casefile.Case, acked uint64) counter.Case {
	v := counter.Case{Case: c, No: c.Number()}
	if c.Device != s.d.store.Device() { // delivered under the number that this machine had before
		v.Ref, acked = journal.FormerRef(c.Device, c.Seq), math.MaxUint64
	}
	v.Delivery = c.Delivery(acked)
	var (
		promised, statutory casefile.Limit
		cal                 *casefile.Calendar
	)
	if cat, err := s.Catalog(); err == nil {
		cal = cat.Calendar
		if it, ok := cat.Item(c.Service); ok {
			promised, statutory = it.Promised, it.Statutory
		}
	}
	v.Clock = c.Clock(s.d.store.Time(), promised, statutory, cal)
	v.PapersLate = len(c.Papers) > 0 && !c.State.Closed() && casefile.DayOf(s.d.store.Time()) > c.PapersDue
	switch {
	case c.State.Closed():
	case v.Clock.AnswerBy != 0:
		v.Deadline = v.Clock.AnswerBy.Time()
	case v.Clock.Promised != 0:
		v.Deadline = v.Clock.Promised.Time()
	}
	return v
}

// Receipt returns a receipt of a case.
func (s *Session) Receipt(ctx context.Context, seq uint64, stage uint8) (counter.Receipt, error) {
	c, err := s.Case(ctx, seq)
	if err != nil {
		return counter.Receipt{}, err
	}
	r := counter.Receipt{Stage: stage, No: c.No, Official: c.OfficialNo, Item: c.ItemName, Name: c.MaskedName(), Station: s.d.Station()}
	due := c.PromisedDue
	switch stage {
	case 1:
		r.Envelope, r.At = c.Stage1, time.UnixMilli(c.SubmittedAt)
		if len(r.Envelope) == 0 {
			if r.Envelope, err = s.d.store.Receipt(seq, 1); err != nil {
				if c.Device != s.d.store.Device() && s.d.store.SignerOf(c.Device) == nil {
					return counter.Receipt{}, words.New("desk.receiptElsewhere", err)
				}
				return counter.Receipt{}, words.New("desk.noReceipt", err)
			}
		}
	case 2:
		r.Envelope, r.At, due = c.Stage2, time.UnixMilli(c.AcceptedAt), c.OfficialDue
	}
	if len(r.Envelope) == 0 {
		return counter.Receipt{}, words.New("desk.noReceipt", nil)
	}
	if due != 0 {
		r.Due = due.Time()
	}
	r.Link = receipt.Link(s.d.en.Station.ShortHost, r.Envelope)
	return r, nil
}

// itemName returns the name of a service in a language; what the record says when the packs do not know better.
func (s *Session) itemName(service, recorded, lang string) string {
	if it, err := s.Item(service); err == nil && lang == "en" && it.Name.EN != "" {
		return it.Name.EN
	}
	return recorded
}

// OpenBlob returns the plain bytes of an attachment.
func (s *Session) OpenBlob(_ context.Context, b form.BlobRef) ([]byte, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	return s.d.store.OpenBlob(journalBlob(b))
}

// Quarantine lists the records the platform could not use.
func (s *Session) Quarantine(context.Context) ([]counter.Quarantined, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	var out []counter.Quarantined
	const page = 500
	for after := uint64(0); ; {
		list, err := s.d.store.Events(after, page)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			after = e.Event.Cursor
			if e.Event.Kind != journal.EventQuarantined {
				continue
			}
			q := counter.Quarantined{Seq: e.Event.Seq, At: time.UnixMilli(e.Event.At)}
			if b, err := journal.DecodeBody[journal.Quarantined](e.Body); err == nil {
				q.Reason, q.Detail = b.Reason, b.Detail
			}
			if rec, err := s.d.store.Record(q.Seq); err == nil {
				if of, ok := casefile.CaseOf(rec); ok {
					if _, err := s.visible(of); err != nil {
						continue // another division's
					}
					q.No = casefile.Number(rec.Device, of)
				}
			}
			out = append(out, q)
		}
		if len(list) < page {
			return out, nil
		}
	}
}
