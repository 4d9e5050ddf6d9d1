package store

import (
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

// Row is where one case stands, without anything about a person. It can be read while nobody is logged in.
type Row struct {
	Seq         uint64         `cbor:"1,keyasint"` // of the submission
	Service     string         `cbor:"2,keyasint"`
	Item        string         `cbor:"3,keyasint"` // name of the item
	State       casefile.State `cbor:"4,keyasint"` // "decided" when the result is not opened yet
	Due         int32          `cbor:"5,keyasint"` // days since 1970-01-01: the platform's, else the promised one; 0 none
	Urgent      bool           `cbor:"6,keyasint"`
	SubmittedAt int64          `cbor:"7,keyasint"` // Unix milliseconds
	LastSeq     uint64         `cbor:"8,keyasint"` // newest record about the case
	Accepted    bool           `cbor:"9,keyasint"`
	Quarantined bool           `cbor:"10,keyasint"`
	// Fresh says that nothing has been applied to the case since its submission: the case is its record and receipt, and
	// has no value in bucket cases.
	Fresh bool `cbor:"11,keyasint,omitempty"`
}

// Delivery says how far the case's data has got when the platform has acknowledged the journal up to acked.
func (r Row) Delivery(acked uint64) casefile.Delivery {
	switch {
	case r.State == casefile.CorrectionAsked || r.Quarantined:
		return casefile.NeedsYou
	case r.LastSeq > acked:
		return casefile.OnMachine
	case r.Accepted:
		return casefile.PlatformTook
	}
	return casefile.AtPlatform
}

func rowOf(c *casefile.Case) Row {
	r := Row{
		Seq: c.Seq, Service: c.Service, Item: c.ItemName, State: c.State, Due: int32(c.PromisedDue), Urgent: c.Urgent,
		SubmittedAt: c.SubmittedAt, LastSeq: c.LastSeq, Accepted: c.AcceptedAt != 0, Quarantined: c.Quarantine != "",
	}
	if c.OfficialDue != 0 {
		r.Due = int32(c.OfficialDue)
	}
	return r
}

// eventRow is one event as it came.
type eventRow struct {
	Event []byte `cbor:"1,keyasint"` // journal.Event as signed
	After uint64 `cbor:"2,keyasint"` // head of the journal when it came
	// Hash stands for an event whose body was erased: that of the event as it came. Empty otherwise.
	Hash []byte `cbor:"3,keyasint,omitempty"`
}

// gone reports whether the event's body was erased.
func (r eventRow) gone() bool { return len(r.Hash) == vault.HashSize }

// hash returns the event's place in its chain, whether its body is still here or not.
func (r eventRow) hash(s vault.Suite, ev journal.Event) vault.Hash {
	if r.gone() {
		return vault.Hash(r.Hash)
	}
	return ev.Hash(s)
}

// unappliedRow says why a record or an event is in no projection.
type unappliedRow struct {
	Reason string `cbor:"1,keyasint"` // for the log and the doctor; names nobody
}

// quarantineRow marks a record that the platform cannot use.
type quarantineRow struct {
	Cursor uint64 `cbor:"1,keyasint"` // event that said so
	At     int64  `cbor:"2,keyasint"` // platform's clock, Unix milliseconds
}

// saveCase writes a case projection under its submission's period, and its summary row.
func (w *work) saveCase(c *casefile.Case, period string) error {
	p, err := w.s.period(period)
	if errors.Is(err, vault.ErrNoPeriod) || err == nil && c.Purged { // erased: what is left of the case names nobody
		p, err = w.s.o.Ring.MachinePeriod(), nil
	}
	if err != nil {
		return err
	}
	plain, err := c.Marshal()
	if err != nil {
		return fmt.Errorf("store: case %d: %w", c.Seq, err)
	}
	if err := w.s.box.putIn(w.tx, p, bucketCases, seqKey(c.Seq), plain); err != nil {
		return err
	}
	return w.saveRow(rowOf(c))
}

func (w *work) saveRow(r Row) error {
	if err := w.s.box.put(w.tx, bucketSummaries, seqKey(r.Seq), r); err != nil {
		return err
	}
	w.rows[r.Seq] = r
	return nil
}

// unapplied notes that a record or event is in no projection. It stays in its log; nothing is dropped.
func (w *work) unapplied(mark byte, n uint64, cause error) error {
	w.s.log.Error("not in any projection", "mark", string(mark), "number", n, "cause", cause.Error())
	return w.s.box.put(w.tx, bucketUnapplied, markKey(mark, n), unappliedRow{Reason: cause.Error()})
}

// project applies a record to what follows from it, whatever it is about.
func (w *work) project(tx *bolt.Tx, rec journal.Record, row headerRow, receipt []byte, strict bool) error {
	if row.Case != 0 {
		if err := w.projectRecord(rec, row, receipt, strict); err != nil {
			return err
		}
	}
	if rec.Kind == journal.KindFormerAct {
		return w.projectFormer(tx, rec)
	}
	return nil
}

// projectRecord applies a record to its case; somebody must be logged in. strict refuses an act that is not legal in
// the case's state: it has not been written yet. A record read back from the journal is never refused.
func (w *work) projectRecord(rec journal.Record, row headerRow, receipt []byte, strict bool) error {
	var c *casefile.Case
	var err error
	period := row.Period
	if strict && rec.Kind == journal.KindCaseSubmitted && rec.Body != nil {
		return w.projectRecordLocked(row) // its row was just made from the body
	}
	if rec.Kind == journal.KindCaseSubmitted {
		if c, err = casefile.New(rec); err == nil && receipt != nil {
			c.SetReceipt(1, receipt)
		}
		if err == nil && !c.Purged {
			r := rowOf(c)
			r.Fresh = true
			return w.saveRow(r)
		}
	} else {
		var first headerRow
		if first, err = w.s.header(w.tx, row.Case); err == nil {
			period = first.Period
			if c, err = w.s.loadCase(w.tx, row.Case); err == nil {
				err = c.ApplyRecord(rec)
			}
		}
	}
	switch {
	case err == nil || !strict && errors.Is(err, casefile.ErrMove):
		return w.saveCase(c, period)
	case strict:
		return err
	}
	return w.unapplied(markRecord, rec.Seq, err)
}

// projectRecordLocked keeps the summary rows right for what headers tell.
func (w *work) projectRecordLocked(row headerRow) error {
	if row.Kind == journal.KindCaseSubmitted {
		return w.saveRow(Row{
			Seq: row.Seq, Service: row.Service, Item: row.Item, State: casefile.TakenIn, Due: row.Due, Urgent: row.Urgent,
			SubmittedAt: row.At, LastSeq: row.Seq, Fresh: !row.Purged,
		})
	}
	return w.patchRow(row.Case, func(r *Row) {
		if casefile.Awaited(row.Kind) {
			r.LastSeq = max(r.LastSeq, row.Seq)
		}
		switch row.Kind {
		case journal.KindCaseAmended:
			r.move(casefile.CorrectionDone)
		case journal.KindCaseWithdrawn:
			r.move(casefile.Withdrawn)
		}
	})
}

func (r *Row) move(to casefile.State) {
	if casefile.CanMove(r.State, to, r.Accepted) {
		r.State = to
	}
}

func (w *work) patchRow(seq uint64, fn func(*Row)) error {
	var r Row
	err := w.s.box.get(w.tx, bucketSummaries, seqKey(seq), &r)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	fn(&r)
	return w.saveRow(r)
}

// projectEvent applies an event. u nil: only what is in clear counts, the rest waits for the next Unlock.
func (w *work) projectEvent(ev journal.Event, u *vault.Unlocked, p vault.Period) error {
	s := w.s
	if ev.Sealed && u != nil && len(ev.Body) > 0 { // an erased body stays unopened
		body, err := u.SealKey().OpenSealed(ev.Body)
		if err != nil {
			if err := w.unapplied(markEvent, ev.Cursor, fmt.Errorf("body does not open: %w", err)); err != nil {
				return err
			}
		} else {
			if err := s.box.putIn(w.tx, p, bucketOpened, seqKey(ev.Cursor), body); err != nil {
				return err
			}
			ev.Sealed, ev.Body = false, body
		}
	}
	if ev.Seq == 0 {
		return nil
	}
	row, err := s.header(w.tx, ev.Seq)
	if err != nil {
		return w.unapplied(markEvent, ev.Cursor, err)
	}
	if ev.Kind == journal.EventQuarantined {
		if err := s.box.put(w.tx, bucketQuarantine, seqKey(ev.Seq), quarantineRow{Cursor: ev.Cursor, At: ev.At}); err != nil {
			return err
		}
	}
	if ev.Kind == journal.EventAccepted && !ev.Sealed {
		if err := w.stage2(ev); err != nil {
			return w.unapplied(markEvent, ev.Cursor, err)
		}
	}
	if row.Case == 0 {
		return nil
	}
	if u == nil {
		return w.patchRow(row.Case, func(r *Row) { r.told(ev) })
	}
	c, err := s.loadCase(w.tx, row.Case)
	if err == nil {
		err = c.ApplyEvent(ev)
	}
	if err != nil && !errors.Is(err, casefile.ErrMove) {
		return w.unapplied(markEvent, ev.Cursor, err)
	}
	first, err := s.header(w.tx, row.Case)
	if err != nil {
		return w.unapplied(markEvent, ev.Cursor, err)
	}
	return w.saveCase(c, first.Period)
}

// stage2 keeps the platform's receipt. It came in clear and names nobody, so the machine may read it.
func (w *work) stage2(ev journal.Event) error {
	a, err := journal.DecodeBody[journal.Accepted](ev.Body)
	if err != nil || len(a.Receipt) == 0 {
		return err
	}
	key := receiptKey(ev.Seq, 2)
	value, err := w.s.box.seal(bucketReceipts, key, a.Receipt)
	if err != nil {
		return err
	}
	return putRaw(w.tx, bucketReceipts, key, value)
}

// told moves a row by an event's kind alone.
func (r *Row) told(ev journal.Event) {
	switch ev.Kind {
	case journal.EventAccepted:
		r.move(casefile.Accepted)
		r.Accepted, r.Quarantined = true, false
		if a, err := journal.DecodeBody[journal.Accepted](ev.Body); err == nil && a.Due != 0 {
			r.Due = a.Due
		}
	case journal.EventRefused:
		r.move(casefile.Refused)
	case journal.EventCorrection:
		r.move(casefile.CorrectionAsked)
	case journal.EventComplete:
		r.move(casefile.CorrectionDone)
	case journal.EventProcessing:
		r.move(casefile.Processing)
	case journal.EventSpecial:
		r.move(casefile.Special)
	case journal.EventDecided:
		r.move(casefile.Decided)
	case journal.EventDelivered:
		r.move(casefile.Delivered)
	case journal.EventQuarantined:
		r.Quarantined = true
	case journal.EventTimed:
		if t, err := journal.DecodeBody[journal.Timed](ev.Body); err == nil && ev.Seq == r.Seq {
			r.SubmittedAt = t.At
		}
	}
}

// Unlock lets u read and write what names people: it takes back what only the mirror holds, opens the events that came
// meanwhile, and brings the case projections up to date. Close u after Lock, not before. When it returns an error,
// nobody is logged in at the store.
func (s *Store) Unlock(u *vault.Unlocked) error {
	if err := s.write.act(); err != nil {
		return err
	}
	defer s.write.Unlock()
	s.mu.Lock()
	s.unlocked = u
	s.mu.Unlock()
	if err := s.unlock(u); err != nil {
		s.mu.Lock()
		s.unlocked = nil
		s.mu.Unlock()
		return err
	}
	return nil
}

func (s *Store) unlock(u *vault.Unlocked) error {
	s.mu.RLock()
	stopped, behind := s.failed != nil, s.behind
	s.mu.RUnlock()
	if stopped { // reading is allowed, so that the doctor can look
		return nil
	}
	if behind {
		if err := s.takeBack(u); err != nil {
			return err
		}
	}
	if err := s.fillMirror(); err != nil {
		return err
	}
	s.mu.RLock()
	applied, cursor := s.applied, s.cursor
	s.mu.RUnlock()
	switch {
	case applied.Dirty:
		if err := s.rebuild(u, nil); err != nil {
			return err
		}
		return s.noteRestored(u)
	case applied.Cursor == cursor:
		return s.noteRestored(u)
	}
	p, err := u.Period(s.present())
	if err != nil {
		return err
	}
	w := &work{s: s, rows: map[uint64]Row{}}
	if err := s.update(func(tx *bolt.Tx) error {
		w.tx = tx
		for n := applied.Cursor + 1; n <= cursor; n++ {
			ev, _, err := s.event(tx, n)
			if err != nil {
				if err := w.unapplied(markEvent, n, err); err != nil {
					return err
				}
				continue
			}
			if err := w.projectEvent(ev, u, p); err != nil {
				return err
			}
		}
		return s.box.put(tx, bucketMeta, keyApplied, appliedState{Cursor: cursor})
	}); err != nil {
		return err
	}
	s.mu.Lock()
	s.applied = appliedState{Cursor: cursor}
	s.keep(w)
	s.mu.Unlock()
	return s.noteRestored(u)
}

// Lock forgets who is logged in. From its return on the store reads nothing that names people. A long task is given up.
func (s *Store) Lock() {
	s.write.giveUp()
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.Lock()
	s.unlocked = nil
	s.mu.Unlock()
}

// event reads an event as it came.
func (s *Store) event(tx space, cursor uint64) (journal.Event, eventRow, error) {
	var row eventRow
	if err := s.box.get(tx, bucketEvents, seqKey(cursor), &row); err != nil {
		return journal.Event{}, row, fmt.Errorf("event %d: %w", cursor, err)
	}
	ev, err := journal.ParseEvent(row.Event)
	if err != nil || ev.Cursor != cursor {
		return ev, row, fmt.Errorf("%w: event %d", ErrDamaged, cursor)
	}
	return ev, row, nil
}

// Told is an event with what its body says.
type Told struct {
	Event journal.Event // as signed
	After uint64        // head of the journal when it came
	Body  []byte        // plain body; nil while it is sealed and nobody has opened it, or nobody is logged in
}

// Events returns up to n events after a cursor, in order. It works while locked; sealed bodies are nil then.
func (s *Store) Events(after uint64, n int) ([]Told, error) {
	var out []Told
	err := s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket([]byte(bucketEvents)).Cursor()
		for k, _ := c.Seek(seqKey(after + 1)); k != nil && len(out) < n; k, _ = c.Next() {
			ev, row, err := s.event(tx, seqOf(k))
			if err != nil {
				return err
			}
			t := Told{Event: ev, After: row.After, Body: ev.Body}
			if ev.Sealed {
				t.Body = nil
				if value := tx.Bucket([]byte(bucketOpened)).Get(k); value != nil {
					plain, err := s.box.open(bucketOpened, seqKey(ev.Cursor), value, s.period)
					if err == nil {
						t.Body = plain
					} else if !errors.Is(err, ErrLocked) {
						return fmt.Errorf("event %d: %w", ev.Cursor, err)
					}
				}
			}
			out = append(out, t)
		}
		return nil
	})
	return out, wrapRead(err)
}
