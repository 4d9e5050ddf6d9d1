package store

import (
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
)

// packAnew makes packets again that wait to be sent and do not bear this device's signature, or are not of their record (a fault of
// memory while they were made): the record itself is whole, its hash is in the chain, and the platform would refuse the packet
// and wait for ever. They are written to the file and once more to the mirror. Called with write held, somebody logged in.
func (s *Store) packAnew() error {
	s.mu.RLock()
	acked, head := s.acked, s.head
	s.mu.RUnlock()
	var frames []Frame
	rows := map[uint64]outboxRow{}
	for seq := acked + 1; seq <= head; seq++ {
		var rec journal.Record
		var row headerRow
		var bad error
		err := s.db.View(func(tx *bolt.Tx) (err error) {
			if rec, row, err = s.record(tx, seq); err != nil {
				return err
			}
			var out outboxRow
			if err := s.box.get(tx, bucketOutbox, seqKey(seq), &out); err != nil {
				return err
			}
			bad = s.ownPacket(seq, rec.Hash(s.o.Suite), out.Packet)
			return nil
		})
		if errors.Is(err, ErrNotFound) || errors.Is(err, ErrDamaged) || errors.Is(err, vault.ErrNoPeriod) {
			continue // the doctor names it
		}
		if err != nil {
			return fmt.Errorf("store: pack record %d anew: %w", seq, err)
		}
		if bad == nil {
			continue
		}
		p, err := s.period(row.Period)
		if err != nil {
			return err
		}
		var receipt []byte
		if row.Receipt {
			if receipt, err = s.Receipt(seq, 1); err != nil {
				receipt = nil
			}
		}
		row.salt(&p)
		fs, out, err := s.framesOf(p, rec, receipt)
		if err != nil {
			return err
		}
		s.log.Warn("packet was made anew", "seq", seq, "cause", bad.Error())
		frames, rows[seq] = append(frames, fs...), out
	}
	if len(rows) == 0 {
		return nil
	}
	if err := s.update(func(tx *bolt.Tx) error {
		for seq, out := range rows {
			if err := s.box.put(tx, bucketOutbox, seqKey(seq), out); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return s.mirrorAll(frames)
}

// ownPacket checks that a packet is a record's, and bears this device's signature.
func (s *Store) ownPacket(seq uint64, hash vault.Hash, data []byte) error {
	p, err := packet.Parse(data)
	if err != nil {
		return err
	}
	if p.Device != s.Device() || p.From != seq || p.To != seq || p.Head != hash {
		return fmt.Errorf("%w: packet of records %d to %d", ErrDamaged, p.From, p.To)
	}
	return p.Verify(s.o.Suite, s.Signer().Public())
}
