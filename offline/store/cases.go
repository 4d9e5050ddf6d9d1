package store

import (
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/casefile"
	"bianmin/offline/words"
)

// Case returns the case whose submission is record seq; a journal.FormerRef leads to a case that was delivered under a
// former number. Errors: ErrNotFound, ErrLocked, ErrDamaged.
func (s *Store) Case(seq uint64) (casefile.Case, error) {
	if _, err := s.needUnlocked(); err != nil {
		return casefile.Case{}, err
	}
	var out casefile.Case
	err := s.db.View(func(tx *bolt.Tx) error {
		in, n, err := s.spaceOf(tx, seq)
		if err != nil {
			return err
		}
		c, err := s.loadCase(in, n)
		if err == nil {
			out = *c
		}
		return err
	})
	return out, wrapRead(err)
}

// Cases returns all cases, oldest first, as lists show them: those of former numbers, then those of this one; without answers,
// receipts' envelopes, and what they were built from; Case has these. Cases that cannot be read are left out and named in
// the error, which is returned together with the others. Errors: ErrLocked, ErrDamaged.
func (s *Store) Cases() ([]casefile.Case, error) {
	if _, err := s.needUnlocked(); err != nil {
		return nil, err
	}
	out, bad, err := s.formerCases()
	if err != nil {
		return nil, wrapRead(err)
	}
	for i := range out {
		strip(&out[i])
	}
	err = s.db.View(func(tx *bolt.Tx) error {
		type row struct {
			seq uint64
			c   *casefile.Case
			err error
		}
		c := tx.Bucket([]byte(bucketSummaries)).Cursor()
		k, _ := c.First()
		for k != nil {
			var rows []row
			for ; k != nil && len(rows) < verifyBatch; k, _ = c.Next() {
				rows = append(rows, row{seq: seqOf(k)})
			}
			each(len(rows), func(i int) {
				r := &rows[i]
				if r.c, r.err = s.loadCase(tx, r.seq); r.err == nil {
					strip(r.c)
				}
			})
			for _, r := range rows {
				if r.err != nil {
					bad = errors.Join(bad, r.err)
				} else {
					out = append(out, *r.c)
				}
			}
		}
		return nil
	})
	if err == nil && bad != nil {
		err = words.New("store.damagedValue", bad)
	}
	return out, err
}

// strip leaves of a case what lists show.
func strip(c *casefile.Case) {
	c.Answers, c.Acts, c.Stage1, c.Stage2, c.Consent = nil, nil, nil, nil, ""
}

// parseCase opens a case projection.
func (s *Store) parseCase(key, value []byte) (*casefile.Case, error) {
	var plain []byte
	p, err := s.period(periodOf(value))
	if err == nil && len(key) == 8 {
		plain, err = s.box.openKnown(p, bucketCases, key, value)
	} else {
		plain, err = s.box.open(bucketCases, key, value, s.period)
	}
	if err != nil {
		return nil, fmt.Errorf("case %d: %w", seqOf(key), err)
	}
	c, err := casefile.Parse(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: case %d: %w", ErrDamaged, seqOf(key), err)
	}
	return c, nil
}

// Rows returns the summary rows of all cases, oldest first. It works while locked.
func (s *Store) Rows() ([]Row, error) {
	if err := s.loadRows(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Row, 0, len(s.rows))
	for _, r := range s.rows {
		out = append(out, r)
	}
	sortRows(out)
	return out, nil
}

// loadRows fills the rows in memory once. It waits for no act: when one came in between, it reads again.
func (s *Store) loadRows() error {
	s.reading.Lock() // two that need them at once read them once
	defer s.reading.Unlock()
	for {
		s.mu.RLock()
		loaded, kept := s.rows != nil, s.kept
		s.mu.RUnlock()
		if loaded {
			return nil
		}
		rows := map[uint64]Row{}
		if err := s.db.View(func(tx *bolt.Tx) error {
			return tx.Bucket([]byte(bucketSummaries)).ForEach(func(k, v []byte) error {
				var r Row
				if err := s.box.decode(bucketSummaries, k, v, &r); err != nil {
					return fmt.Errorf("summary of case %d: %w", seqOf(k), err)
				}
				rows[r.Seq] = r
				return nil
			})
		}); err != nil {
			return wrapRead(err)
		}
		s.mu.Lock()
		if s.kept == kept && s.rows == nil {
			s.rows = rows
		}
		s.mu.Unlock()
	}
}

// loadCase reads a case: its projection, or the submission alone while nothing came after it. ErrNotFound when there is
// none.
func (s *Store) loadCase(tx space, seq uint64) (*casefile.Case, error) {
	var r Row
	if err := s.box.get(tx, bucketSummaries, seqKey(seq), &r); err != nil && !errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("summary of case %d: %w", seq, err)
	}
	if r.Fresh {
		return s.freshCase(tx, seq)
	}
	value := tx.Bucket([]byte(bucketCases)).Get(seqKey(seq))
	if value == nil {
		return nil, fmt.Errorf("%w: case %d", ErrNotFound, seq)
	}
	return s.parseCase(seqKey(seq), value)
}

// freshCase makes a case from its submission and receipt.
func (s *Store) freshCase(tx space, seq uint64) (*casefile.Case, error) {
	rec, row, err := s.record(tx, seq)
	if err != nil {
		return nil, err
	}
	c, err := casefile.New(rec)
	if err != nil {
		return nil, fmt.Errorf("%w: case %d: %w", ErrDamaged, seq, err)
	}
	if row.Receipt {
		receipt, err := s.receipt(tx, seq, 1)
		if errors.Is(err, ErrNotFound) {
			err = fmt.Errorf("%w: receipt of record %d is gone", ErrDamaged, seq)
		}
		if err != nil {
			return nil, err
		}
		c.SetReceipt(1, receipt)
	}
	return c, nil
}
