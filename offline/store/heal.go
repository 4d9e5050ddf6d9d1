package store

import (
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

// ills are the values of the file that do not open although the mirror may have them.
type ills struct {
	records map[uint64]bool
	events  map[uint64]bool
	docs    map[string]bool
}

// heal takes records, events and documents that do not open, or are gone, back from the mirror, packs again what the
// mirror has lost, and clears the fault that stopped the store when nothing of it is left. What neither has stays
// reported by Verify. Called with write held.
func (s *Store) heal(u *vault.Unlocked) error {
	if err := s.mir.rescan(); err != nil {
		return err
	}
	bad, err := s.diagnose()
	if err != nil {
		return err
	}
	s.mu.RLock()
	stopped := s.failed != nil
	s.mu.RUnlock()
	if len(bad.records)+len(bad.events)+len(bad.docs) > 0 || stopped {
		if err := s.cure(u, bad, stopped); err != nil {
			return err
		}
	}
	if stopped {
		if err := s.db.View(func(tx *bolt.Tx) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.failed, s.faults = nil, nil
			s.readState(tx)
			return nil
		}); err != nil {
			return err
		}
	}
	s.mu.Lock()
	usable := s.failed == nil
	s.behind = usable && s.mir.records.last() > s.head && s.lost == nil
	behind := s.behind
	s.mu.Unlock()
	if !usable {
		return nil
	}
	if err := s.mir.setDict(s.mir.dict); err != nil { // a store that opened damaged has not done it
		return s.fail(err)
	}
	if behind {
		if err := s.takeBack(u); err != nil {
			return err
		}
	}
	if err := s.db.View(func(tx *bolt.Tx) error {
		gaps := s.unmirrored(tx, true)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.gaps = gaps
		return nil
	}); err != nil {
		return fmt.Errorf("store: heal: %w", err)
	}
	if err := s.fillMirror(); err != nil {
		return err
	}
	if err := s.packAnew(); err != nil {
		return err
	}
	if err := s.wantLost(); err != nil {
		return err
	}
	return s.mirrorEvents()
}

// mirrorEvents writes events that the mirror has lost again.
func (s *Store) mirrorEvents() error {
	var frames []Frame
	if err := s.db.View(func(tx *bolt.Tx) error {
		for _, cursor := range s.mir.events.missing(s.cursor) {
			if _, row, err := s.event(tx, cursor); err == nil {
				f, err := s.eventFrame(cursor, row)
				if err != nil {
					return err
				}
				frames = append(frames, f)
			}
		}
		return nil
	}); err != nil {
		return fmt.Errorf("store: mirror events: %w", err)
	}
	return s.mirrorAll(frames)
}

// diagnose opens every record, receipt, event and document.
func (s *Store) diagnose() (ills, error) {
	bad := ills{map[uint64]bool{}, map[uint64]bool{}, map[string]bool{}}
	err := s.db.View(func(tx *bolt.Tx) error {
		for seq := uint64(1); seq <= s.head; seq++ {
			_, row, err := s.record(tx, seq)
			if err == nil && row.Receipt {
				_, err = s.receipt(tx, seq, 1)
			}
			if err == nil && seq > s.acked {
				var out outboxRow
				err = s.box.get(tx, bucketOutbox, seqKey(seq), &out)
			}
			if err != nil && !errors.Is(err, vault.ErrNoPeriod) {
				bad.records[seq] = true
			}
		}
		for n := uint64(1); n <= s.cursor; n++ {
			if _, _, err := s.event(tx, n); err != nil {
				bad.events[n] = true
			}
		}
		return tx.Bucket([]byte(bucketDocs)).ForEach(func(k, v []byte) error {
			if _, err := s.box.open(bucketDocs, k, v, noPeriods); err != nil {
				bad.docs[string(k)] = true
			}
			return nil
		})
	})
	if err != nil {
		return bad, fmt.Errorf("store: heal: %w", err)
	}
	return bad, nil
}

// cure writes what the mirror has in place of what does not open, in one transaction.
func (s *Store) cure(u *vault.Unlocked, bad ills, stopped bool) error {
	f, err := s.find(0, func(seq uint64) bool { return bad.records[seq] })
	if err != nil {
		return err
	}
	docs, events := map[string][]byte{}, map[uint64]Frame{}
	if err := s.mir.walk(func(_ uint32, fr Frame) error {
		switch {
		case fr.Kind == FrameDoc && bad.docs[fr.Label]:
			docs[fr.Label] = fr.Payload
		case (fr.Kind == FrameEvent || fr.Kind == FrameGone) && bad.events[fr.Number]:
			events[fr.Number] = fr
		}
		return nil
	}); err != nil {
		return err
	}
	return s.update(func(tx *bolt.Tx) error {
		w := &work{s: s, tx: tx, rows: map[uint64]Row{}}
		for seq := range bad.records {
			if err := w.cureRecord(u, f, seq); err != nil {
				return err
			}
		}
		for key, value := range docs {
			if _, err := s.box.open(bucketDocs, []byte(key), value, noPeriods); err != nil {
				continue
			}
			if err := putRaw(tx, bucketDocs, []byte(key), value); err != nil {
				return err
			}
		}
		for n, fr := range events {
			if fr.Kind == FrameGone {
				var row eventRow
				if s.box.decode(bucketEvents, seqKey(n), fr.Payload, &row) != nil || !row.gone() {
					continue
				}
				if err := putRaw(tx, bucketEvents, seqKey(n), fr.Payload); err != nil {
					return err
				}
				if n == s.cursor {
					s.mu.Lock()
					s.told = vault.Hash(row.Hash)
					s.mu.Unlock()
				}
				continue
			}
			ev, err := journal.ParseEvent(fr.Payload)
			if err != nil || ev.Cursor != n || ev.Device != s.Device() || ev.Verify(s.o.Suite, s.o.Platform.SignKey) != nil {
				continue
			}
			if err := s.box.put(tx, bucketEvents, seqKey(n), eventRow{Event: fr.Payload, After: seqLabel(fr.Label)}); err != nil {
				return err
			}
			if n == s.cursor {
				s.mu.Lock()
				s.told = ev.Hash(s.o.Suite)
				s.mu.Unlock()
			}
		}
		if !stopped {
			return nil
		}
		return w.cureState()
	})
}

// cureRecord puts one record of the mirror in its place when the chain confirms it.
func (w *work) cureRecord(u *vault.Unlocked, f finds, seq uint64) error {
	s := w.s
	frame, ok := f.packets[seq]
	if !ok {
		return nil
	}
	rec, p, pk, err := s.openFrame(u, frame)
	if err != nil || !s.fits(w.tx, rec.Header, pk.Head) {
		return nil
	}
	var receipt []byte
	if sealed, ok := f.receipts[seq]; ok && rec.Body != nil {
		if receipt, err = openAtDevice(s.o.Suite, u.SealKey(), sealed); err != nil {
			receipt = nil
		}
	}
	out := outboxRow{}
	if seq > s.acked {
		out = outboxRow{Packet: frame.Payload, Receipt: append([]byte{}, f.receipts[seq]...)}
	}
	if seq == s.head && s.headHash.IsZero() {
		s.mu.Lock()
		s.headHash = pk.Head
		s.mu.Unlock()
	}
	_, err = w.putRecord(p, rec, receipt, out)
	return err
}

// fits reports whether a record of the mirror is the one the chain has at its place: its successor, the head, or else its
// predecessor says so.
func (s *Store) fits(tx space, h journal.Header, hash vault.Hash) bool {
	if h.Seq == s.head && !s.headHash.IsZero() {
		return hash == s.headHash
	}
	if next, err := s.header(tx, h.Seq+1); err == nil {
		return next.Prev == hash
	}
	if h.Seq == 1 {
		return h.Prev.IsZero()
	}
	prev, err := s.header(tx, h.Seq-1)
	return err == nil && prev.Hash(s.o.Suite) == h.Prev
}

// cureState writes the small values that say how far things are again. An ack that does not open is dropped: the platform
// tells it anew.
func (w *work) cureState() error {
	s := w.s
	var a ackState
	if err := s.box.get(w.tx, bucketAcks, keyLastAck, &a); errors.Is(err, ErrDamaged) {
		if err := w.tx.Bucket([]byte(bucketAcks)).Delete(keyLastAck); err != nil {
			return fmt.Errorf("store: heal: %w", err)
		}
	}
	var c clockState
	if err := s.box.get(w.tx, bucketMeta, keyClock, &c); errors.Is(err, ErrDamaged) {
		if err := s.box.put(w.tx, bucketMeta, keyClock, s.clock); err != nil {
			return err
		}
	}
	if err := s.box.put(w.tx, bucketMeta, keyApplied, appliedState{Dirty: true}); err != nil {
		return err
	}
	return w.putHead(s.head, s.headHash, s.cursor, s.told)
}

// Restored tells what was brought back since the store was opened.
func (s *Store) Restored() Restored {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.restored
	r.Mirrored = slices.Clone(r.Mirrored)
	return r
}

// Faults lists what opening found damaged. Verify names the records.
func (s *Store) Faults() []error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]error{}, s.faults...)
}
