package store

import (
	"slices"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

// fillBatch is how many frames are written to the mirror with one sync when it is completed.
const fillBatch = 256

// unmirrored lists the records whose frames the mirror lacks; with receipts, also those of which only the receipt's frame
// is gone, which is looked for where bytes of the mirror were lost.
func (s *Store) unmirrored(tx *bolt.Tx, receipts bool) []uint64 {
	out := s.mir.records.missing(s.head)
	if !receipts {
		return out
	}
	for seq := uint64(1); seq <= s.head; seq++ {
		if s.mir.receipts.has(seq) || !s.mir.records.has(seq) {
			continue
		}
		if row, err := s.header(tx, seq); err == nil && row.Receipt {
			out = append(out, seq)
		}
	}
	slices.Sort(out)
	return out
}

// fillMirror packs the records that are missing in the mirror again. Called with write held, somebody logged in.
func (s *Store) fillMirror() error {
	s.mu.RLock()
	gaps := s.gaps
	s.mu.RUnlock()
	var frames []Frame
	var left []uint64
	for _, seq := range gaps {
		var rec journal.Record
		var row headerRow
		err := s.db.View(func(tx *bolt.Tx) (err error) {
			rec, row, err = s.record(tx, seq)
			return err
		})
		var p vault.Period
		if err == nil {
			p, err = s.period(row.Period)
		}
		if err != nil {
			s.log.Error("record cannot be written to the mirror", "seq", seq, "cause", err.Error())
			left = append(left, seq)
			continue
		}
		var receipt []byte
		if row.Receipt {
			if receipt, err = s.Receipt(seq, 1); err != nil {
				receipt = nil
			}
		}
		row.salt(&p)
		fs, _, err := s.framesOf(p, rec, receipt)
		if err != nil {
			return err
		}
		frames = append(frames, fs...)
	}
	if err := s.mirrorAll(frames); err != nil {
		return err
	}
	s.mu.Lock()
	for _, seq := range gaps {
		if !slices.Contains(left, seq) {
			s.restored.Mirrored = append(s.restored.Mirrored, seq)
		}
	}
	s.gaps = left
	s.mu.Unlock()
	return nil
}

// SetDict changes the dictionary that packets from now on use; nil ends its use.
func (s *Store) SetDict(dict []byte) error {
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	if err := s.mir.setDict(dict); err != nil {
		return s.fail(err)
	}
	return nil
}
