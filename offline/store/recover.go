package store

import (
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// catchUp completes the shorter of file and mirror as far as that can be done while nobody is logged in.
func (s *Store) catchUp(known map[uint32]segment, fresh bool) error {
	newest := s.mir.records.last()
	if newest == s.head && s.head > 0 && s.mir.newest != nil && s.failed == nil {
		if p, err := packet.Parse(s.mir.newest); err == nil && p.To == s.head && p.Head != s.headHash {
			s.failed = words.New("store.forked", fmt.Errorf("%w: record %d", ErrForked, s.head))
		}
	}
	if s.failed != nil {
		return nil // the doctor looks first
	}
	if err := s.mir.setDict(s.o.Dict); err != nil {
		return err
	}
	if err := s.update(func(tx *bolt.Tx) error { return errors.Join(s.fileIndex(tx, known), dropBeside(tx)) }); err != nil {
		return err
	}
	s.behind, s.restored.Backup = (newest > s.head || s.backup) && s.lost == nil, s.backup
	s.cut = !fresh && s.cutShort()
	if fresh || s.behind && !s.cut || s.mir.events.last() > s.cursor {
		if err := s.takeBackClear(); err != nil {
			return err
		}
	}
	var frames []Frame
	if err := s.db.View(func(tx *bolt.Tx) error {
		for _, seq := range s.unmirrored(tx, s.mir.bad > 0) {
			var out outboxRow
			if err := s.box.get(tx, bucketOutbox, seqKey(seq), &out); err != nil {
				s.gaps = append(s.gaps, seq) // written again at the next Unlock
				continue
			}
			row, err := s.header(tx, seq)
			if err != nil {
				s.gaps = append(s.gaps, seq)
				continue
			}
			frames = append(frames, Frame{Kind: FrameRecord, Label: row.Period, Number: seq, Payload: out.Packet})
			if len(out.Receipt) > 0 {
				frames = append(frames, Frame{Kind: FrameReceipt, Number: seq, Payload: out.Receipt})
			}
			s.restored.Mirrored = append(s.restored.Mirrored, seq)
		}
		for _, cursor := range s.mir.events.missing(s.cursor) {
			var row eventRow
			if err := s.box.get(tx, bucketEvents, seqKey(cursor), &row); err != nil {
				s.faults = append(s.faults, fmt.Errorf("event %d: %w", cursor, err))
				continue
			}
			f, err := s.eventFrame(cursor, row)
			if err != nil {
				return err
			}
			frames = append(frames, f)
		}
		return nil
	}); err != nil {
		return err
	}
	return s.mirrorAll(frames)
}

func (s *Store) mirrorAll(frames []Frame) error {
	for len(frames) > 0 {
		n := min(fillBatch, len(frames))
		if err := s.mirror(frames[:n]...); err != nil {
			return err
		}
		frames = frames[n:]
	}
	return nil
}

// fileIndex keeps what was learnt about closed segments.
func (s *Store) fileIndex(tx *bolt.Tx, known map[uint32]segment) error {
	for no, g := range s.mir.closed {
		if old, ok := known[no]; ok && reflect.DeepEqual(old, g) {
			continue
		}
		if err := s.box.put(tx, bucketMirror, seqKey(uint64(no)), g); err != nil {
			return err
		}
	}
	return nil
}

// cutShort reports whether the file lacks only the act at whose writing the program fell: the one record that the open segment
// has beyond the file. Then nothing else of the mirror is newer, and the next Unlock takes this one record.
func (s *Store) cutShort() bool {
	return s.behind && !s.backup && s.mir.records.last() == s.head+1 && s.mir.open.Records.has(s.head+1) && s.mir.events.last() <= s.cursor
}

// takeBackClear brings back what needs no login: documents as they are sealed, and events as they are signed.
func (s *Store) takeBackClear() error {
	docs := map[string][]byte{}
	events := map[uint64]Frame{}
	if err := s.mir.walk(func(_ uint32, f Frame) error {
		switch f.Kind {
		case FrameDoc:
			docs[f.Label] = f.Payload
		case FrameEvent, FrameGone:
			events[f.Number] = f
		}
		return nil
	}); err != nil {
		return err
	}
	cursor, told, count := s.cursor, s.told, 0
	err := s.update(func(tx *bolt.Tx) error {
		for key, value := range docs {
			if !s.backup && tx.Bucket([]byte(bucketDocs)).Get([]byte(key)) != nil {
				continue
			}
			if _, err := s.box.open(bucketDocs, []byte(key), value, noPeriods); err != nil {
				s.faults = append(s.faults, fmt.Errorf("document in the mirror: %w", err))
				continue
			}
			if err := putRaw(tx, bucketDocs, []byte(key), value); err != nil {
				return err
			}
		}
		for f, ok := events[cursor+1]; ok; f, ok = events[cursor+1] {
			ev, row, err := s.eventOf(f, cursor, told)
			if err != nil {
				s.faults = append(s.faults, fmt.Errorf("event %d in the mirror: %w", f.Number, err))
				break
			}
			if err := s.box.put(tx, bucketEvents, seqKey(ev.Cursor), row); err != nil {
				return err
			}
			cursor, told = ev.Cursor, row.hash(s.o.Suite, ev)
			count++
		}
		s.applied.Dirty = s.applied.Dirty || count > 0 || s.behind
		if err := s.box.put(tx, bucketMeta, keyApplied, s.applied); err != nil {
			return err
		}
		w := &work{s: s, tx: tx}
		return w.putHead(s.head, s.headHash, cursor, told)
	})
	if err != nil {
		return err
	}
	s.cursor, s.told = cursor, told
	s.restored.Events += count
	return nil
}

// checkEvent reads an event and checks that the platform signed it and that it is the next one.
func (s *Store) checkEvent(data []byte, cursor uint64, told vault.Hash) (journal.Event, error) {
	ev, err := journal.ParseEvent(data)
	if err != nil {
		return ev, err
	}
	if _, err := journal.CheckEvents(s.o.Suite, s.Device(), cursor, told, []journal.Event{ev}); err != nil {
		return ev, err
	}
	return ev, ev.Verify(s.o.Suite, s.o.Platform.SignKey)
}

// finds is what a walk through the mirror collects for records that the file has lost.
type finds struct {
	packets  map[uint64]Frame
	receipts map[uint64][]byte
	drafts   map[string][]byte
	dropped  map[string]bool // drafts that were completed or thrown away
}

// find walks the segments from number from on.
func (s *Store) find(from uint32, want func(seq uint64) bool) (finds, error) {
	f := finds{map[uint64]Frame{}, map[uint64][]byte{}, map[string][]byte{}, map[string]bool{}}
	err := s.mir.walkFrom(from, func(_ uint32, fr Frame) error {
		switch fr.Kind {
		case FrameRecord:
			if want(fr.Number) {
				f.packets[fr.Number] = fr
			}
		case FrameReceipt:
			if want(fr.Number) {
				f.receipts[fr.Number] = fr.Payload
			}
		case FrameDraft:
			f.drafts[fr.Label] = fr.Payload
			delete(f.dropped, fr.Label)
		case FrameDropped:
			delete(f.drafts, fr.Label)
			f.dropped[fr.Label] = true
		}
		return nil
	})
	return f, err
}

// openFrame opens a one-record packet of the mirror after checking that this device made it.
func (s *Store) openFrame(u *vault.Unlocked, f Frame) (journal.Record, vault.Period, *packet.Packet, error) {
	fault := func(err error) (journal.Record, vault.Period, *packet.Packet, error) {
		return journal.Record{}, vault.Period{}, nil, fmt.Errorf("%w: mirror: record %d: %w", ErrDamaged, f.Number, err)
	}
	p, err := packet.Parse(f.Payload)
	if err != nil {
		return fault(err)
	}
	if p.Device != s.Device() || p.From != f.Number || p.To != f.Number {
		return fault(fmt.Errorf("packet of device %d, records %d to %d", p.Device, p.From, p.To))
	}
	if err := p.Verify(s.o.Suite, s.Signer().Public()); err != nil {
		return fault(err)
	}
	recs, salt, err := p.Open(s.o.Suite, u.SealKey(), s.mir.dicts)
	if err != nil {
		return fault(err)
	}
	rec := recs[0]
	label, carried := strings.CutSuffix(f.Label, carriedMark)
	per, err := s.period(label)
	switch {
	case rec.Body == nil:
		per.ID = label
		return rec, per, p, nil
	case carried && err == nil: // written in a period that was closed
		per.Salt = salt
	case errors.Is(err, vault.ErrNoPeriod): // its keys were destroyed: the record stands without its body
		rec.Body = nil
		return rec, vault.Period{ID: f.Label}, p, nil
	case err != nil:
		return journal.Record{}, per, nil, err
	case per.Salt != salt:
		return fault(fmt.Errorf("salt is not that of period %s", f.Label))
	}
	return rec, per, p, nil
}

// takeBack puts the records that only the mirror holds into the file again, with their receipts, and drafts as of their
// last checkpoint. Called with write held and u logged in.
func (s *Store) takeBack(u *vault.Unlocked) error {
	from, to := s.head+1, s.mir.records.through(s.head)
	if to < from && s.mir.records.last() > s.head { // the next record's frame is gone: what follows it waits
		return s.gapAfter()
	}
	first := uint32(0)
	if s.cut {
		first = s.mir.no
	}
	f, err := s.find(first, func(seq uint64) bool { return seq >= from && seq <= to })
	if err != nil {
		return err
	}
	var drafts []Draft
	if !s.cut {
		if drafts, err = s.draftsFrom(u, f.drafts); err != nil {
			return err
		}
	}
	state := s.applied
	state.Dirty = state.Dirty || !s.cut
	w := &work{s: s, rows: map[uint64]Row{}}
	hash := s.headHash
	err = s.update(func(tx *bolt.Tx) error {
		w.tx = tx
		for seq := from; seq <= to; seq++ {
			frame, ok := f.packets[seq]
			if !ok {
				return words.New("store.damaged", fmt.Errorf("%w: record %d is in neither file nor mirror", ErrDamaged, seq))
			}
			rec, p, pk, err := s.openFrame(u, frame)
			if err != nil {
				return words.New("store.damaged", err)
			}
			if rec.Prev != hash {
				return words.New("store.forked", fmt.Errorf("%w: record %d does not follow the file's", ErrForked, seq))
			}
			var receipt []byte
			if sealed, ok := f.receipts[seq]; ok && rec.Body != nil {
				if receipt, err = openAtDevice(s.o.Suite, u.SealKey(), sealed); err != nil {
					return words.New("store.damaged", fmt.Errorf("%w: mirror: receipt %d: %w", ErrDamaged, seq, err))
				}
			}
			out := outboxRow{Packet: frame.Payload, Receipt: append([]byte{}, f.receipts[seq]...)}
			row, err := w.putRecord(p, rec, receipt, out)
			if err != nil {
				return err
			}
			if !state.Dirty {
				if err := w.project(tx, rec, row, receipt, false); err != nil {
					return err
				}
			}
			hash = pk.Head
		}
		for key := range f.dropped {
			if err := tx.Bucket([]byte(bucketDrafts)).Delete([]byte(key)); err != nil {
				return fmt.Errorf("store: drop draft: %w", err)
			}
		}
		for _, d := range drafts {
			if err := w.putDraft(u, d); err != nil {
				return err
			}
		}
		if err := s.box.put(tx, bucketMeta, keyApplied, state); err != nil {
			return err
		}
		if err := tx.Bucket([]byte(bucketMeta)).Delete(keyRestored); err != nil {
			return err
		}
		return w.putHead(to, hash, s.cursor, s.told)
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.head, s.headHash, s.behind, s.cut, s.applied = to, hash, false, false, state
	s.keep(w)
	if s.restored.Drafts = len(drafts); from <= to {
		s.restored.From, s.restored.To = from, to
	}
	s.mu.Unlock()
	if s.mir.records.last() > to {
		return s.gapAfter()
	}
	return nil
}

// gapAfter is called when the mirror holds records that do not follow the file's: those between are in neither, and the
// platform is asked for them, once. What is left of the gap then stays as it is.
func (s *Store) gapAfter() error {
	s.mu.Lock()
	s.behind = false
	lost := s.lost != nil
	s.mu.Unlock()
	if lost {
		return nil
	}
	return s.markLost()
}

// noteRestored writes into the journal what was taken back, once.
func (s *Store) noteRestored(u *vault.Unlocked) error {
	s.mu.RLock()
	r, noted, what := s.restored, s.noted, "mirror"
	if s.backup {
		what = "backup"
	}
	s.mu.RUnlock()
	if r.To == 0 && what == "mirror" || noted || s.Lost() {
		return nil
	}
	count := int64(0)
	if r.To > 0 {
		count = int64(r.To - r.From + 1)
	}
	now := s.now()
	next, _ := s.clock.at(now, s.boot())
	note := journal.Note{
		What: what, From: strconv.FormatUint(r.From, 10), To: strconv.FormatUint(r.To, 10), Count: count,
	}
	if _, err := s.commit(Act{Operator: u.Operator().ID, Kind: journal.KindRebuilt}, canon.MustMarshal(note), now, next); err != nil {
		return err
	}
	s.mu.Lock()
	s.noted, s.backup = true, false
	s.mu.Unlock()
	return nil
}

// draftsFrom opens the draft checkpoints that the file does not hold.
func (s *Store) draftsFrom(u *vault.Unlocked, sealed map[string][]byte) ([]Draft, error) {
	var out []Draft
	err := s.db.View(func(tx *bolt.Tx) error {
		for key, data := range sealed {
			old := tx.Bucket([]byte(bucketDrafts)).Get([]byte(key))
			if old != nil && !s.backup {
				continue
			}
			plain, err := openAtDevice(s.o.Suite, u.SealKey(), data)
			if err != nil {
				return fmt.Errorf("%w: mirror: draft: %w", ErrDamaged, err)
			}
			var d Draft
			if err := canon.Unmarshal(plain, &d); err != nil {
				return fmt.Errorf("%w: mirror: draft: %w", ErrDamaged, err)
			}
			if old != nil {
				if have, err := s.draft([]byte(key), old); err == nil && have.Updated >= d.Updated {
					continue
				}
			}
			out = append(out, d)
		}
		return nil
	})
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out, err
}
