package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

const (
	// bucketBeside holds projections that are being made again. It is there during a rebuild only; what a cut one left is
	// dropped when the file is opened.
	bucketBeside = "rebuild"
	rebuildBatch = 250 // records and events in one transaction
)

// beside is a transaction whose projections are those of bucketBeside.
type beside struct {
	tx   *bolt.Tx
	made *bolt.Bucket
}

// Bucket implements space.
func (b beside) Bucket(name []byte) *bolt.Bucket {
	if slices.Contains(projections, string(name)) {
		return b.made.Bucket(name)
	}
	return b.tx.Bucket(name)
}

// dropBeside drops what a rebuild made, when there is something.
func dropBeside(tx *bolt.Tx) error {
	if tx.Bucket([]byte(bucketBeside)) == nil {
		return nil
	}
	if err := tx.DeleteBucket([]byte(bucketBeside)); err != nil {
		return fmt.Errorf("store: rebuild: %w", err)
	}
	return nil
}

// Rebuild makes every projection again from the two logs; with somebody logged in it first takes damaged records back from
// the mirror. While locked only the summary rows are made, and the next Unlock makes the rest. Nothing is written meanwhile:
// acts are refused in words (ErrTask, see Task), what the line brings waits; cases, rows and counts can be read as they were.
// Locking the machine gives the rebuild up (words store.givenUp), which leaves no trace. progress may be nil; it is told records and events done, and how many
// there are.
func (s *Store) Rebuild(ctx context.Context, progress func(done, total int)) error {
	ctx, stop, asked := stoppable(ctx)
	task := s.write.begin(TaskRebuild, true, stop)
	defer task.end()
	s.write.Lock()
	defer s.write.Unlock()
	return asked(s.rebuildAll(ctx, func(done, total int) {
		task.tell(done, total)
		if progress != nil {
			progress(done, total)
		}
	}))
}

func (s *Store) rebuildAll(ctx context.Context, progress func(done, total int)) error {
	u := s.session()
	s.mu.RLock()
	failed := s.failed
	s.mu.RUnlock()
	if failed != nil && !errors.Is(failed, ErrDamaged) {
		return failed
	}
	if u != nil {
		if err := s.heal(u); err != nil {
			return err
		}
	}
	if err := s.writable(); err != nil {
		return err
	}
	return s.rebuild(u, func(done, total int) error {
		progress(done, total)
		return ctx.Err()
	})
}

// rebuild makes the projections anew, u nil: the summary rows only. They are made beside the present ones, some hundred records in
// a transaction, and put in their place at the end: until then everything can be read as before, memory stays small, and a
// cut costs nothing but the time. Called with write held.
func (s *Store) rebuild(u *vault.Unlocked, step func(done, total int) error) (err error) {
	if step == nil { // part of an act, and short as a rule
		task := s.write.begin(TaskRebuild, false, nil)
		defer task.end()
		step = func(done, total int) error {
			task.tell(done, total)
			return nil
		}
	}
	var p vault.Period
	if u != nil {
		if p, err = u.Period(s.present()); err != nil {
			return err
		}
	}
	s.mu.RLock()
	head, cursor := s.head, s.cursor
	s.mu.RUnlock()
	state := appliedState{Cursor: cursor}
	if u == nil {
		state = appliedState{Dirty: true}
	}
	if err := s.update(func(tx *bolt.Tx) error {
		if err := dropBeside(tx); err != nil {
			return err
		}
		b, err := tx.CreateBucket([]byte(bucketBeside))
		for _, name := range projections {
			if err == nil {
				_, err = b.CreateBucket([]byte(name))
			}
		}
		return err
	}); err != nil {
		return fmt.Errorf("store: rebuild: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.update(dropBeside))
		}
	}()
	w := &work{s: s, rows: map[uint64]Row{}}
	total := int(head + cursor)
	seq, n := uint64(0), uint64(0) // records and events done, in the order in which things happened here
	for seq < head || n < cursor {
		if err := s.update(func(tx *bolt.Tx) error {
			w.tx = beside{tx, tx.Bucket([]byte(bucketBeside))}
			due := s.due(w.tx, n, cursor, head)
			for range rebuildBatch {
				switch {
				case seq < due:
					if err := w.replayRecord(seq+1, u); err != nil {
						return err
					}
					seq++
				case n < cursor:
					if err := w.replayEvent(n+1, u, p); err != nil {
						return err
					}
					n++
					due = s.due(w.tx, n, cursor, head)
				}
			}
			return nil
		}); err != nil {
			return err
		}
		if err := step(int(seq+n), total); err != nil {
			return err
		}
	}
	if err := s.update(func(tx *bolt.Tx) error {
		made := tx.Bucket([]byte(bucketBeside))
		for _, name := range projections {
			if err := tx.DeleteBucket([]byte(name)); err != nil {
				return fmt.Errorf("store: rebuild %s: %w", name, err)
			}
			if err := tx.MoveBucket([]byte(name), made, nil); err != nil {
				return fmt.Errorf("store: rebuild %s: %w", name, err)
			}
		}
		if err := dropBeside(tx); err != nil {
			return err
		}
		return s.box.put(tx, bucketMeta, keyApplied, state)
	}); err != nil {
		return err
	}
	s.mu.Lock()
	s.rows, s.applied = w.rows, state
	s.kept++
	s.mu.Unlock()
	return nil
}

// due is how many records come before event n+1; all when there is none.
func (s *Store) due(tx space, n, cursor, head uint64) uint64 {
	if n < cursor {
		return min(s.after(tx, n+1), head)
	}
	return head
}

// after tells how long the journal was when an event came; 0 when the event does not open.
func (s *Store) after(tx space, cursor uint64) uint64 {
	_, row, err := s.event(tx, cursor)
	if err != nil {
		return 0
	}
	return row.After
}

func (w *work) replayRecord(seq uint64, u *vault.Unlocked) error {
	row, err := w.s.header(w.tx, seq)
	if err != nil {
		return w.unapplied(markRecord, seq, err)
	}
	if row.Case == 0 {
		return nil
	}
	if u == nil {
		return w.projectRecordLocked(row)
	}
	rec, _, err := w.s.record(w.tx, seq)
	switch {
	case errors.Is(err, vault.ErrNoPeriod): // erased: a tombstone
		rec = journal.Record{Header: row.Header}
	case err != nil:
		return w.unapplied(markRecord, seq, err)
	}
	var receipt []byte
	if row.Receipt {
		if receipt, err = w.s.receipt(w.tx, seq, 1); err != nil {
			w.s.log.Error("receipt does not open", "seq", seq, "cause", err.Error())
			receipt = nil
		}
	}
	return w.projectRecord(rec, row, receipt, false)
}

func (w *work) replayEvent(n uint64, u *vault.Unlocked, p vault.Period) error {
	ev, _, err := w.s.event(w.tx, n)
	if err != nil {
		return w.unapplied(markEvent, n, err)
	}
	return w.projectEvent(ev, u, p)
}
