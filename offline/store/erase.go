package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Errors of erasing.
var (
	// ErrUndelivered reports that the platform does not hold what is to be erased (words erase.undelivered).
	ErrUndelivered = errors.New("store: not delivered yet")
	// ErrErasing reports an erasure that is not finished (words erase.unfinished).
	ErrErasing = errors.New("store: an erasure is not finished")
)

// Erasure says what is to be erased: a whole period, or what is about certain cases and persons.
type Erasure struct {
	Period string   // a month that is over; "" for none
	Cases  []uint64 // submissions; journal.FormerRef for those of a former number
	Person string   // id in the roster: acts in which that person's data were opened; "" for none
	Drafts []string // ids
}

// Erased tells what an erasure took, and what of a closed period goes on.
type Erased struct {
	Period  string          `cbor:"1,keyasint"`
	Records uint64          `cbor:"2,keyasint"` // whose bodies are gone
	Carried uint64          `cbor:"3,keyasint"` // of open cases, sealed anew in the current period
	Cases   []uint64        `cbor:"4,keyasint"` // submissions that are gone, ascending; journal.FormerRef for those of a former number
	Tally   []journal.Tally `cbor:"5,keyasint"`
	Events  uint64          `cbor:"6,keyasint"` // whose bodies are gone
	Blobs   uint64          `cbor:"7,keyasint"`
	Drafts  uint64          `cbor:"8,keyasint"`
}

// erasing is kept in the file until everything outside it is done, too, so that a crash in between is made good.
type erasing struct {
	Done  Erased     `cbor:"1,keyasint"`
	Blobs [][32]byte `cbor:"2,keyasint"` // files that must go
	Act   []byte     `cbor:"3,keyasint"` // what the caller needs to go on; see Erase
}

// plan is what an erasure will do, found before anything is changed.
type plan struct {
	s      *Store
	e      Erasure
	done   Erased
	places []*place
	moved  map[placed]placed // where records of branches went on
	purge  map[spot]bool     // records that lose their bodies
	carry  map[spot]bool     // records that are sealed anew
	cases  map[uint64]bool   // submissions that are gone, by the number under which they go on
	events []spot            // whose bodies go
	blobs  map[[32]byte]journal.Blob
	keep   map[[32]byte]bool
	drafts map[string]bool // handles that go
}

// Erase takes the bodies of records, and all that follows from them, out of the file, in one transaction; headers stay, so
// that the chain still verifies. Open cases of a closed period are sealed anew in the current one. act is kept with what
// is still to be done (FinishErasure, Compact, new backups, the period's keys): [Store.Erasing] returns it until
// EndErasure. What lies under former numbers goes in the same way, and what was carried on from there under both numbers.
//
// Errors: ErrLocked, ErrUndelivered, ErrErasing, ErrFailed, ErrBehind.
func (s *Store) Erase(ctx context.Context, e Erasure, act []byte) (Erased, error) {
	if err := ctx.Err(); err != nil {
		return Erased{}, err
	}
	if err := s.write.act(); err != nil {
		return Erased{}, err
	}
	defer s.write.Unlock()
	if err := s.writable(); err != nil {
		return Erased{}, err
	}
	u, err := s.needUnlocked()
	if err != nil {
		return Erased{}, err
	}
	now, err := u.Period(s.present())
	if err != nil {
		return Erased{}, err
	}
	p := &plan{
		s: s, e: e, purge: map[spot]bool{}, carry: map[spot]bool{}, cases: map[uint64]bool{}, blobs: map[[32]byte]journal.Blob{},
		keep: map[[32]byte]bool{}, drafts: map[string]bool{}, done: Erased{Period: e.Period},
	}
	if err := s.db.View(func(tx *bolt.Tx) error { return p.find(tx) }); err != nil {
		return Erased{}, wrapRead(err)
	}
	if err := s.update(func(tx *bolt.Tx) error { return p.carryOut(tx, u, now, act) }); err != nil {
		return Erased{}, err
	}
	s.mu.Lock()
	s.applied.Dirty = true
	s.mu.Unlock()
	return p.done, s.rebuild(u, nil)
}

// find decides what goes, what is carried, and what stays.
func (p *plan) find(tx *bolt.Tx) error {
	s := p.s
	var m erasing
	if err := s.box.get(tx, bucketMeta, keyErasing, &m); err == nil {
		return words.New("erase.unfinished", ErrErasing)
	}
	var err error
	if p.places, err = s.places(tx); err != nil {
		return err
	}
	if p.moved, err = s.carriedOn(tx, p.places); err != nil {
		return err
	}
	for _, pl := range p.places {
		in, err := pl.in(s, tx)
		if err != nil {
			return err
		}
		for _, seq := range pl.seqs {
			if row := pl.rows[seq]; row.Kind == journal.KindCaseSubmitted && !pl.own(seq) && p.takes(in, pl, row) {
				p.cases[pl.ref(seq)] = true
			}
		}
	}
	for at := range p.places {
		if err := p.findIn(tx, at); err != nil {
			return err
		}
	}
	return p.findDrafts(tx)
}

// findIn judges the records and events of one place.
func (p *plan) findIn(tx *bolt.Tx, at int) error {
	s, pl := p.s, p.places[at]
	in, err := pl.in(s, tx)
	if err != nil {
		return err
	}
	s.mu.RLock()
	acked := s.acked
	s.mu.RUnlock()
	for _, seq := range pl.seqs {
		row := pl.rows[seq]
		if row.Purged {
			continue
		}
		gone, carried, err := p.judge(tx, at, row)
		if err != nil {
			return err
		}
		if gone {
			p.purge[spot{at, seq}] = true
			if pl.device == 0 && seq > acked { // the platform has what is left under a former number, or it was carried on
				return words.New("erase.undelivered", fmt.Errorf("%w: record %d", ErrUndelivered, seq))
			}
		}
		p.carry[spot{at, seq}] = carried
		rec, _, err := s.record(in, seq)
		if err != nil {
			return err
		}
		for _, b := range blobsOf(rec) {
			if gone {
				p.blobs[b.Addr] = b
			} else {
				p.keep[b.Addr] = true
			}
		}
	}
	if pl.branch {
		return nil // the platform tells nothing of it
	}
	return in.Bucket([]byte(bucketEvents)).ForEach(func(k, _ []byte) error {
		n := seqOf(k)
		ev, row, err := s.event(in, n)
		if err != nil {
			return err
		}
		if ev.Sealed && !row.gone() && (p.purge[spot{at, ev.Seq}] || p.cases[pl.ref(ev.Seq)]) {
			p.events = append(p.events, spot{at, n})
		}
		return nil
	})
}

// takes reports whether a case is erased: it was named, or it was submitted in the closed period and is closed itself.
func (p *plan) takes(in space, pl *place, row headerRow) bool {
	if slices.Contains(p.e.Cases, pl.ref(row.Seq)) {
		return true
	}
	if p.e.Period == "" || row.Period != p.e.Period {
		return false
	}
	var r Row
	return p.s.box.get(in, bucketSummaries, seqKey(row.Seq), &r) != nil || r.State.Closed() || row.Purged
}

// judge says whether a record loses its body, or is carried into the current period.
func (p *plan) judge(tx *bolt.Tx, at int, row headerRow) (gone, carried bool, err error) {
	inPeriod := p.e.Period != "" && row.Period == p.e.Period
	of, err := p.aboutCase(tx, at, row)
	switch {
	case err != nil:
		return false, false, err
	case of != 0 && p.cases[of]:
		return true, false, nil
	case of != 0:
		return false, inPeriod, nil // of an open case, or of one from another period
	case inPeriod:
		return true, false, nil
	case p.e.Person != "" && row.Kind == journal.KindPersonOpened:
		in, err := p.places[at].in(p.s, tx)
		if err != nil {
			return false, false, err
		}
		rec, _, err := p.s.record(in, row.Seq)
		if err != nil {
			return false, false, err
		}
		b, err := journal.DecodeBody[journal.PersonOpened](rec.Body)
		return err == nil && b.Person == p.e.Person, false, err
	}
	return false, false, nil
}

// findDrafts marks drafts that go, and keeps the attachments of those that stay.
func (p *plan) findDrafts(tx *bolt.Tx) error {
	for _, id := range p.e.Drafts {
		p.drafts[string(p.s.box.handle("draft", id))] = true
	}
	return tx.Bucket([]byte(bucketDrafts)).ForEach(func(k, v []byte) error {
		d, err := p.s.draft(k, v)
		if err != nil {
			return err
		}
		if p.drafts[string(k)] || d.CaseSeq != 0 && p.cases[d.CaseSeq] {
			p.drafts[string(k)] = true
			return nil
		}
		for addr := range p.blobs {
			if bytes.Contains(d.Body, addr[:]) {
				p.keep[addr] = true
			}
		}
		return nil
	})
}

// carryOut changes the file.
func (p *plan) carryOut(tx *bolt.Tx, u *vault.Unlocked, now vault.Period, act []byte) error {
	s := p.s
	w := &work{s: s, tx: tx, rows: map[uint64]Row{}}
	tally := map[journal.Tally]uint64{}
	for _, ref := range sorted(p.cases) {
		in, seq, err := s.spaceOf(tx, ref)
		if err != nil {
			return err
		}
		row, err := s.header(in, seq)
		if err != nil {
			return err
		}
		var r Row
		if !row.Purged && s.box.get(in, bucketSummaries, seqKey(seq), &r) == nil {
			tally[journal.Tally{Service: row.Service, State: p.result(in, seq, r)}]++
			p.done.Cases = append(p.done.Cases, ref)
		}
	}
	for at, pl := range p.places {
		if err := p.carryOutIn(tx, at, pl, u, now); err != nil {
			return err
		}
	}
	m := erasing{Act: act, Blobs: [][32]byte{}}
	if err := p.dropBlobs(tx, &m); err != nil {
		return err
	}
	if err := p.drafted(w, u, now); err != nil {
		return err
	}
	for t, n := range tally {
		t.Count = n
		p.done.Tally = append(p.done.Tally, t)
	}
	slices.SortFunc(p.done.Tally, func(a, b journal.Tally) int {
		return bytes.Compare([]byte(a.Service+"\x00"+a.State), []byte(b.Service+"\x00"+b.State))
	})
	m.Done = p.done
	if err := s.box.put(tx, bucketMeta, keyApplied, appliedState{Cursor: s.applied.Cursor, Dirty: true}); err != nil {
		return err
	}
	return s.box.put(tx, bucketMeta, keyErasing, m)
}

// carryOutIn changes the records and events of one place.
func (p *plan) carryOutIn(tx *bolt.Tx, at int, pl *place, u *vault.Unlocked, now vault.Period) error {
	in, err := pl.in(p.s, tx)
	if err != nil {
		return err
	}
	w := &work{s: p.s, tx: in, rows: map[uint64]Row{}}
	for _, seq := range pl.seqs {
		switch {
		case p.purge[spot{at, seq}]:
			err = w.purge(seq)
			p.done.Records++
		case p.carry[spot{at, seq}]:
			err = w.carry(seq, now)
			p.done.Carried++
		}
		if err != nil {
			return err
		}
	}
	for _, ev := range p.events {
		if ev.place != at {
			continue
		}
		if err := w.purgeEvent(ev.seq); err != nil {
			return err
		}
		p.done.Events++
	}
	if pl.device == 0 {
		return nil // its projections are made anew
	}
	return p.formerValues(w, at, u, now)
}

// result is how a case ended.
func (p *plan) result(tx space, seq uint64, r Row) string {
	if c, err := p.s.loadCase(tx, seq); err == nil {
		return string(c.State)
	}
	return string(r.State)
}

func sorted(set map[uint64]bool) []uint64 {
	var out []uint64
	for n, ok := range set {
		if ok {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// purge leaves a record's header alone.
func (w *work) purge(seq uint64) error {
	s, key := w.s, seqKey(seq)
	row, err := s.header(w.tx, seq)
	if err != nil {
		return err
	}
	row.Purged, row.Receipt, row.Sum, row.Salt = true, false, vault.Hash{}, nil
	for _, d := range []struct {
		bucket string
		key    []byte
	}{{bucketBodies, key}, {receiptHome(1), receiptKey(seq, 1)}, {receiptHome(2), receiptKey(seq, 2)}, {bucketOutbox, key}} {
		if err := w.tx.Bucket([]byte(d.bucket)).Delete(d.key); err != nil {
			return fmt.Errorf("store: erase %s %d: %w", d.bucket, seq, err)
		}
	}
	return s.box.put(w.tx, bucketHeaders, key, row)
}

// carry seals a record's body and receipt anew with the keys of now; it keeps the salt that its hash was made with.
func (w *work) carry(seq uint64, now vault.Period) error {
	s, key := w.s, seqKey(seq)
	rec, row, err := s.record(w.tx, seq)
	if err != nil {
		return err
	}
	old, err := s.period(row.Period)
	if err != nil {
		return err
	}
	row.salt(&old)
	row.Salt, row.Period = append([]byte{}, old.Salt[:]...), now.ID
	value, err := s.box.sealIn(now.ID, now.Store, bucketBodies, key, rec.Body)
	if err != nil {
		return err
	}
	row.Sum = s.o.Suite.Hash(value)
	if err := putRaw(w.tx, bucketBodies, key, value); err != nil {
		return err
	}
	if row.Receipt {
		rk := receiptKey(seq, 1)
		receipt, err := s.receipt(w.tx, seq, 1)
		if err != nil {
			return err
		}
		value, err := s.box.sealIn(now.ID, now.Store, bucketReceipts, rk, receipt)
		if err != nil {
			return err
		}
		if err := putRaw(w.tx, receiptHome(1), rk, value); err != nil {
			return err
		}
	}
	return s.box.put(w.tx, bucketHeaders, key, row)
}

// purgeEvent leaves of a sealed event what is in clear, and its hash.
func (w *work) purgeEvent(n uint64) error {
	ev, row, err := w.s.event(w.tx, n)
	if err != nil {
		return err
	}
	h := ev.Hash(w.s.o.Suite)
	ev.Body, ev.Sig = []byte{}, []byte{}
	row.Hash, row.Event = h[:], ev.Marshal()
	if err := w.tx.Bucket([]byte(bucketOpened)).Delete(seqKey(n)); err != nil {
		return fmt.Errorf("store: erase event %d: %w", n, err)
	}
	return w.s.box.put(w.tx, bucketEvents, seqKey(n), row)
}

// dropBlobs takes attachments out of the file that nothing refers to any more, and notes that their files must go.
func (p *plan) dropBlobs(tx *bolt.Tx, m *erasing) error {
	for addr, b := range p.blobs {
		if p.keep[addr] {
			continue
		}
		for _, d := range []struct {
			bucket string
			key    []byte
		}{{bucketBlobs, addr[:]}, {bucketUploads, addr[:]}, {bucketBlobIndex, p.s.box.handle("blob", string(b.Plain[:]))}} {
			if err := tx.Bucket([]byte(d.bucket)).Delete(d.key); err != nil {
				return fmt.Errorf("store: erase %s: %w", d.bucket, err)
			}
		}
		m.Blobs = append(m.Blobs, addr)
		p.done.Blobs++
	}
	return nil
}

// drafted drops the drafts that go, and seals drafts and the index of attachments of a closed period anew.
func (p *plan) drafted(w *work, u *vault.Unlocked, now vault.Period) error {
	s := p.s
	b := w.tx.Bucket([]byte(bucketDrafts))
	var left []Draft
	if err := b.ForEach(func(k, v []byte) error {
		if p.drafts[string(k)] {
			return nil
		}
		id, _, err := s.box.split(bucketDrafts, k, v)
		if err != nil || id != p.e.Period || id == now.ID {
			return err
		}
		d, err := s.draft(k, v)
		left = append(left, d)
		return err
	}); err != nil {
		return err
	}
	for _, d := range left {
		if err := w.putDraft(u, d); err != nil {
			return err
		}
	}
	for k := range p.drafts {
		if b.Get([]byte(k)) == nil {
			continue
		}
		if err := b.Delete([]byte(k)); err != nil {
			return fmt.Errorf("store: erase draft: %w", err)
		}
		p.done.Drafts++
	}
	index := map[string][]byte{}
	if err := w.tx.Bucket([]byte(bucketBlobIndex)).ForEach(func(k, v []byte) error {
		id, _, err := s.box.split(bucketBlobIndex, k, v)
		if err != nil || id != p.e.Period || id == now.ID {
			return err
		}
		plain, err := s.box.open(bucketBlobIndex, k, v, s.period)
		index[string(k)] = plain
		return err
	}); err != nil {
		return err
	}
	for k, plain := range index {
		if err := s.box.putIn(w.tx, now, bucketBlobIndex, []byte(k), plain); err != nil {
			return err
		}
	}
	return nil
}

// Erasing returns what an erasure has done and still has to do outside the file; ok is false when there is none. It works
// while locked.
func (s *Store) Erasing() (done Erased, act []byte, ok bool, err error) {
	var m erasing
	err = s.db.View(func(tx *bolt.Tx) error { return s.box.get(tx, bucketMeta, keyErasing, &m) })
	if errors.Is(err, ErrNotFound) {
		return Erased{}, nil, false, nil
	}
	return m.Done, m.Act, err == nil, wrapRead(err)
}

// EndErasure forgets that an erasure was under way: everything is done.
func (s *Store) EndErasure() error {
	s.write.Lock()
	defer s.write.Unlock()
	return s.update(func(tx *bolt.Tx) error {
		if err := tx.Bucket([]byte(bucketMeta)).Delete(keyErasing); err != nil {
			return fmt.Errorf("store: end erasure: %w", err)
		}
		return nil
	})
}

// CasesOf returns the submissions of somebody with an ID number, and the drafts in which it stands.
func (s *Store) CasesOf(idNumber string) (cases []uint64, drafts []string, err error) {
	list, err := s.Cases()
	if err != nil {
		return nil, nil, err
	}
	for i := range list {
		if list[i].IDNumber == idNumber {
			cases = append(cases, s.refOf(&list[i]))
		}
	}
	slices.Sort(cases)
	open, err := s.Drafts()
	if err != nil {
		return nil, nil, err
	}
	needle := canon.MustMarshal(idNumber)
	for _, d := range open {
		if bytes.Contains(d.Body, needle) {
			drafts = append(drafts, d.ID)
		}
	}
	return cases, drafts, nil
}
