package store

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

// place is where records of one journal lie: the journal that is gone on with, that of a former number, or what this machine's
// own branch of a former number had under numbers that the platform's journal uses, too.
type place struct {
	device uint32 // 0: the journal that is gone on with
	l      Former // zero for it
	begun  bool   // the platform's journal of the former number is here: what is not in the branch came from it
	branch bool
	rows   map[uint64]headerRow
	seqs   []uint64 // of rows, ascending
}

// in finds the place's buckets in a transaction.
func (pl *place) in(s *Store, tx *bolt.Tx) (space, error) {
	if pl.device == 0 {
		return tx, nil
	}
	b, err := s.formerSpace(tx, pl.device)
	if err != nil {
		return nil, err
	}
	if pl.branch {
		if b = b.Bucket(branchName); b == nil {
			return nil, fmt.Errorf("%w: branch of number %d", ErrNotFound, pl.device)
		}
	}
	return b, nil
}

// own reports whether a record is of this machine's branch: it was carried on under another number.
func (pl *place) own(seq uint64) bool {
	return pl.branch || pl.device != 0 && !pl.begun && !pl.l.Replaced && seq > pl.l.To
}

// placed names one record wherever it lies: a journal.FormerRef for a former number's.
type placed struct {
	ref    uint64
	branch bool
}

// spot names a record by its place and number.
type spot struct {
	place int
	seq   uint64
}

func (pl *place) ref(seq uint64) uint64 {
	if pl.device == 0 {
		return seq
	}
	return journal.FormerRef(pl.device, seq)
}

// places lists all journals of this machine with their headers; the first one is that which is gone on with.
func (s *Store) places(tx *bolt.Tx) ([]*place, error) {
	out := []*place{{}}
	home := tx.Bucket([]byte(bucketFormer))
	if home != nil {
		if err := home.ForEachBucket(func(k []byte) error {
			b := home.Bucket(k)
			l, err := s.lineage(uint32(seqOf(k)), b)
			if err != nil {
				return err
			}
			f, err := s.followed(b, l)
			if err != nil {
				return err
			}
			out = append(out, &place{device: l.Device, l: l, begun: f.Begun})
			if b.Bucket(branchName) != nil {
				out = append(out, &place{device: l.Device, l: l, begun: f.Begun, branch: true})
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	for _, pl := range out {
		pl.rows = map[uint64]headerRow{}
		in, err := pl.in(s, tx)
		if err != nil {
			return nil, err
		}
		if err := in.Bucket([]byte(bucketHeaders)).ForEach(func(k, _ []byte) error {
			seq := seqOf(k)
			row, err := s.header(in, seq)
			pl.rows[seq] = row
			pl.seqs = append(pl.seqs, seq)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// carriedOn finds under which number each record of this machine's branches went on.
func (s *Store) carriedOn(tx *bolt.Tx, places []*place) (map[placed]placed, error) {
	out := map[placed]placed{}
	for _, pl := range places {
		in, err := pl.in(s, tx)
		if err != nil {
			return nil, err
		}
		for _, seq := range pl.seqs {
			if row := pl.rows[seq]; row.Kind != journal.KindCarried || row.Purged {
				continue
			}
			rec, _, err := s.record(in, seq)
			if err != nil {
				return nil, err
			}
			list, err := journal.DecodeBody[journal.Carried](rec.Body)
			if err != nil {
				return nil, fmt.Errorf("%w: record %d: %w", ErrDamaged, seq, err)
			}
			for i, raw := range list.Headers {
				h, err := journal.ParseHeader(raw)
				if err != nil {
					return nil, fmt.Errorf("%w: record %d: %w", ErrDamaged, seq, err)
				}
				to := list.First + uint64(i)
				if s.goesOnFor(pl, places, h.Device) { // a list that was carried on itself tells of another journal's numbers
					out[placed{journal.FormerRef(h.Device, h.Seq), true}] = placed{pl.ref(to), pl.own(to)}
				}
			}
		}
	}
	return out, nil
}

// goesOnFor reports whether the journal of a place was begun for a former number.
func (s *Store) goesOnFor(pl *place, places []*place, former uint32) bool {
	device := pl.device
	if device == 0 {
		device = s.Device()
	}
	return slices.ContainsFunc(places, func(o *place) bool { return o.l.Device == former && o.l.Into == device && o.device != 0 })
}

// aboutCase finds the case that a record is about, by the number under which the case goes on; 0 when it is about none.
func (p *plan) aboutCase(tx *bolt.Tx, at int, row headerRow) (uint64, error) {
	pl := p.places[at]
	if row.Case != 0 {
		return p.onward(placed{pl.ref(row.Case), pl.own(row.Case)}), nil
	}
	if row.Kind != journal.KindFormerAct || row.Purged {
		return 0, nil
	}
	in, err := pl.in(p.s, tx)
	if err != nil {
		return 0, err
	}
	rec, _, err := p.s.record(in, row.Seq)
	if err != nil {
		return 0, err
	}
	a, err := journal.DecodeBody[journal.FormerAct](rec.Body)
	if err != nil {
		return 0, fmt.Errorf("%w: record %d: %w", ErrDamaged, row.Seq, err)
	}
	act, err := a.Record(row.Seq)
	if err != nil {
		return 0, fmt.Errorf("%w: record %d: %w", ErrDamaged, row.Seq, err)
	}
	of, ok := casefile.CaseOf(act)
	if !ok {
		return 0, nil
	}
	return journal.FormerRef(a.Device, of), nil
}

// onward follows a record of a branch to the number it has now.
func (p *plan) onward(at placed) uint64 {
	for at.branch {
		next, ok := p.moved[at]
		if !ok {
			break
		}
		at = next
	}
	return at.ref
}

// formerValues leaves of the projections of a former number what an erasure leaves: an erased case names nobody, and nothing is
// sealed with the keys of a closed period any more.
func (p *plan) formerValues(w *work, at int, u *vault.Unlocked, now vault.Period) error {
	s, pl := p.s, p.places[at]
	for _, seq := range pl.seqs {
		if p.purge[spot{at, seq}] && pl.rows[seq].Kind == journal.KindCaseSubmitted {
			if err := w.emptyCase(pl, seq, u, now); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{bucketOpened, bucketCases} {
		b := w.tx.Bucket([]byte(name))
		if b == nil {
			continue
		}
		anew := map[string][]byte{}
		if err := b.ForEach(func(k, v []byte) error {
			id, _, err := s.box.split(name, k, v)
			if err != nil || p.e.Period == "" || id != p.e.Period || id == now.ID {
				return err
			}
			plain, err := s.box.open(name, k, v, s.period)
			anew[string(k)] = plain
			return err
		}); err != nil {
			return err
		}
		for k, plain := range anew {
			if err := s.box.putIn(w.tx, now, name, []byte(k), plain); err != nil {
				return err
			}
		}
	}
	return nil
}

// emptyCase puts in the place of an erased case of a former number what its headers and the platform's clear words tell.
func (w *work) emptyCase(pl *place, seq uint64, u *vault.Unlocked, now vault.Period) error {
	s := w.s
	var was Row
	if err := s.box.get(w.tx, bucketSummaries, seqKey(seq), &was); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	c, err := casefile.New(journal.Record{Header: pl.rows[seq].Header})
	if err != nil {
		return err
	}
	if err := w.saveCase(c, vault.MachinePeriodID); err != nil {
		return err
	}
	if !pl.branch {
		last, _ := w.tx.Bucket([]byte(bucketEvents)).Cursor().Last()
		for n := uint64(1); last != nil && n <= seqOf(last); n++ {
			ev, _, err := s.event(w.tx, n)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if row, err := s.header(w.tx, ev.Seq); ev.Seq == 0 || err != nil || row.Case != seq {
				continue
			}
			if err := w.projectEvent(ev, u, now); err != nil {
				return err
			}
		}
		if c, err = s.loadCase(w.tx, seq); err != nil {
			return err
		}
	}
	if was.State != "" {
		c.State = was.State // acts of later numbers led to it, too
	}
	return w.saveCase(c, vault.MachinePeriodID)
}

// rewriteFormer writes the mirrors of former numbers anew without what was erased. A frame of a record or an event that the file
// does not know goes, too: the platform has it, or it was carried on. Called with write held.
func (s *Store) rewriteFormer() error {
	formers := map[uint32]Former{}
	if err := s.eachFormer(func(l Former, _ *bolt.Bucket) error {
		formers[l.Device] = l
		return nil
	}); err != nil {
		return wrapRead(err)
	}
	for _, e := range s.epochs() {
		if e.Device == s.Device() {
			continue
		}
		m := s.newMirror(e)
		nos, err := m.segments()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, no := range nos {
			if err := s.rewriteSegment(m, no, func(tx *bolt.Tx, f Frame) ([]Frame, bool, error) {
				return s.formerFrame(tx, e, formers[e.Device], f)
			}); err != nil {
				return fmt.Errorf("store: mirror segment %d of number %d: %w", no, e.Device, err)
			}
		}
	}
	return nil
}

// formerFrame is erasedFrame for the mirror of a former number. Its drafts are the machine's, and in the newer mirror.
func (s *Store) formerFrame(tx *bolt.Tx, e Epoch, l Former, f Frame) (kept []Frame, same bool, err error) {
	switch f.Kind {
	case FrameRecord, FrameReceipt, FrameEvent, FrameGone:
	case FrameDraft, FrameDropped:
		return nil, false, nil
	default:
		return []Frame{f}, true, nil
	}
	b, err := s.formerSpace(tx, e.Device)
	if errors.Is(err, ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	in := space(b)
	if branch := b.Bucket(branchName); branch != nil && f.Number > l.To && (f.Kind == FrameRecord || f.Kind == FrameReceipt) {
		in = branch
	}
	if f.Kind == FrameGone {
		return []Frame{f}, true, nil
	}
	if f.Kind == FrameEvent {
		var row eventRow
		err := s.box.get(in, bucketEvents, seqKey(f.Number), &row)
		switch {
		case errors.Is(err, ErrNotFound):
			return nil, false, nil
		case err == nil && row.gone():
			g, err := s.eventFrame(f.Number, row)
			return []Frame{g}, false, err
		}
		return []Frame{f}, true, err
	}
	row, err := s.header(in, f.Number)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case f.Kind == FrameReceipt:
		if row.Purged {
			return nil, false, nil
		}
		return []Frame{f}, true, nil
	case row.Purged:
		return s.purgedFrame(e, f, row)
	case len(row.Salt) > 0 && f.Label != row.Period+carriedMark:
		f.Label = row.Period + carriedMark
		return []Frame{f}, false, nil
	}
	return []Frame{f}, true, nil
}

// refOf returns the number under which methods of the store take a case that it gave out.
func (s *Store) refOf(c *casefile.Case) uint64 {
	if c.Device == s.Device() {
		return c.Seq
	}
	return journal.FormerRef(c.Device, c.Seq)
}

// purgeErased takes the bodies of cases that the journal says were erased here out of file and mirror again, after records came
// back from the platform: the county may not have done its part yet. Called with write held; the projections are made anew after it.
func (s *Store) purgeErased() error {
	var goes []uint64
	blobs, keep := map[[32]byte]bool{}, map[[32]byte]bool{}
	if err := s.db.View(func(tx *bolt.Tx) error {
		erased, err := s.erasedHere(tx)
		if err != nil || len(erased) == 0 {
			return err
		}
		for seq := uint64(1); seq <= s.head; seq++ {
			rec, row, err := s.record(tx, seq)
			if errors.Is(err, vault.ErrNoPeriod) || row.Purged {
				continue
			}
			if err != nil {
				return err
			}
			gone := row.Case != 0 && erased[row.Case]
			if gone {
				goes = append(goes, seq)
			}
			for _, b := range blobsOf(rec) {
				if gone {
					blobs[b.Addr] = true
				} else {
					keep[b.Addr] = true
				}
			}
		}
		return nil
	}); err != nil || len(goes) == 0 {
		return wrapRead(err)
	}
	if err := s.update(func(tx *bolt.Tx) error {
		w := &work{s: s, tx: tx, rows: map[uint64]Row{}}
		for _, seq := range goes {
			if err := w.purge(seq); err != nil {
				return err
			}
		}
		for addr := range blobs {
			if keep[addr] {
				continue
			}
			for _, bucket := range []string{bucketBlobs, bucketUploads} { // it is not fetched, either
				if err := tx.Bucket([]byte(bucket)).Delete(addr[:]); err != nil {
					return fmt.Errorf("store: erase %s: %w", bucket, err)
				}
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if err := s.rewriteMirror(); err != nil {
		return s.fail(err)
	}
	return nil
}

// erasedHere lists the cases that the journal says were erased on this machine: by number, or journal.FormerRef.
func (s *Store) erasedHere(tx *bolt.Tx) (map[uint64]bool, error) {
	out := map[uint64]bool{}
	s.mu.RLock()
	head := s.head
	s.mu.RUnlock()
	for seq := uint64(1); seq <= head; seq++ {
		row, err := s.header(tx, seq)
		if err != nil {
			return nil, err
		}
		if row.Purged || row.Kind != journal.KindErased && row.Kind != journal.KindPeriodClosed {
			continue
		}
		rec, _, err := s.record(tx, seq)
		if err != nil {
			return nil, err
		}
		var cases []uint64
		if b, err := journal.DecodeBody[journal.Erased](rec.Body); row.Kind == journal.KindErased && err == nil {
			cases = b.Cases
		} else if b, err := journal.DecodeBody[journal.PeriodClosed](rec.Body); row.Kind == journal.KindPeriodClosed && err == nil {
			cases = b.Erased
		}
		for _, ref := range cases {
			out[ref] = true
		}
	}
	return out, nil
}
