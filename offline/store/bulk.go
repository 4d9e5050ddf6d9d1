//go:build test

package store

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
)

// Bulk writes many acts as [Store.Commit] would, one after another, but in a single transaction and with a single sync of
// the mirror, so that measurements over a large store can be prepared within seconds. A build for a station does not
// have it. Acts must be legal and complete no draft.
func (s *Store) Bulk(ctx context.Context, acts []Act) error {
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	now := s.now()
	clock, _ := s.clock.at(now, s.boot())
	p, u, err := s.periodNow()
	if err != nil {
		return err
	}
	if u == nil {
		return ErrLocked
	}
	type made struct {
		rec     journal.Record
		receipt []byte
		frames  []Frame
		out     outboxRow
		err     error
	}
	all := make([]made, len(acts))
	seq, head := s.head, s.headHash
	for i, a := range acts {
		body, err := canon.Marshal(a.Body)
		if err != nil {
			return err
		}
		m := &all[i]
		if m.rec, err = journal.Next(s.o.Suite, s.o.Device, seq, head, p.Salt[:], now.UnixMilli(), clock.quality(), a.Operator, a.Kind, body); err != nil {
			return err
		}
		if a.Receipt != nil {
			if m.receipt, err = a.Receipt(m.rec); err != nil {
				return err
			}
		}
		seq, head = m.rec.Seq, m.rec.Hash(s.o.Suite)
	}
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for n := range workers {
		wg.Go(func() {
			for i := n; i < len(all); i += workers {
				m := &all[i]
				m.frames, m.out, m.err = s.framesOf(p, m.rec, m.receipt)
			}
		})
	}
	wg.Wait()
	var frames []Frame
	w := &work{s: s, rows: map[uint64]Row{}}
	err = s.update(func(tx *bolt.Tx) error {
		w.tx = tx
		for i := range all {
			m := &all[i]
			if m.err != nil {
				return fmt.Errorf("store: bulk: %w", m.err)
			}
			row, err := w.putRecord(p, m.rec, m.receipt, m.out)
			if err != nil {
				return err
			}
			if row.Case != 0 {
				if err := w.projectRecord(m.rec, row, m.receipt, true); err != nil {
					return err
				}
			}
			frames = append(frames, m.frames...)
		}
		return w.putHead(seq, head, s.cursor, s.told)
	})
	if err != nil {
		return err
	}
	if err := s.mirror(frames...); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head, s.headHash = seq, head
	s.keep(w)
	return ctx.Err()
}
