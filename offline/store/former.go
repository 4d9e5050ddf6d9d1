package store

import (
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

// Formers lists the numbers that this machine had before, oldest first. It works while locked.
func (s *Store) Formers() ([]Former, error) {
	var out []Former
	err := s.eachFormer(func(l Former, _ *bolt.Bucket) error {
		out = append(out, l)
		return nil
	})
	slices.SortFunc(out, func(a, b Former) int { return int(a.At - b.At) })
	return out, wrapRead(err)
}

func (s *Store) eachFormer(fn func(l Former, b *bolt.Bucket) error) error {
	return s.db.View(func(tx *bolt.Tx) error {
		home := tx.Bucket([]byte(bucketFormer))
		if home == nil {
			return nil
		}
		return home.ForEachBucket(func(k []byte) error {
			b := home.Bucket(k)
			l, err := s.lineage(uint32(seqOf(k)), b)
			if err != nil {
				return err
			}
			return fn(l, b)
		})
	})
}

// FormerEvents calls fn with every event that came under a former number, as signed. It works while locked.
func (s *Store) FormerEvents(fn func(ev journal.Event)) error {
	err := s.eachFormer(func(_ Former, b *bolt.Bucket) error {
		return b.Bucket([]byte(bucketEvents)).ForEach(func(k, _ []byte) error {
			ev, _, err := s.event(b, seqOf(k))
			if err == nil {
				fn(ev)
			}
			return err
		})
	})
	return wrapRead(err)
}

func (s *Store) lineage(device uint32, b *bolt.Bucket) (Former, error) {
	var l Former
	plain, err := s.box.open(bucketFormer, lineageKey(device), b.Get(keyLineage), noPeriods)
	if err == nil {
		err = canon.Unmarshal(plain, &l)
	}
	if err != nil || l.Device != device {
		return l, fmt.Errorf("%w: former number %d: %w", ErrDamaged, device, err)
	}
	return l, nil
}

// formerSpace finds the journal that a reference of another number leads into.
func (s *Store) formerSpace(tx *bolt.Tx, device uint32) (*bolt.Bucket, error) {
	if home := tx.Bucket([]byte(bucketFormer)); home != nil {
		if b := home.Bucket(seqKey(uint64(device))); b != nil {
			return b, nil
		}
	}
	return nil, fmt.Errorf("%w: number %d", ErrNotFound, device)
}

// spaceOf finds where a record lies: in this journal, or by a journal.FormerRef in a former one.
func (s *Store) spaceOf(tx *bolt.Tx, ref uint64) (space, uint64, error) {
	device, seq := journal.SplitRef(ref)
	if device == 0 {
		return tx, ref, nil
	}
	b, err := s.formerSpace(tx, device)
	return b, seq, err
}

// projectFormer applies an act of this journal to a case of a former one. It refuses what is not legal in the case's state.
func (w *work) projectFormer(tx *bolt.Tx, rec journal.Record) error {
	a, err := journal.DecodeBody[journal.FormerAct](rec.Body)
	if err != nil {
		return err
	}
	act, err := a.Record(journal.FormerRef(rec.Device, rec.Seq))
	if err != nil {
		return err
	}
	of, ok := casefile.CaseOf(act)
	if !ok {
		return fmt.Errorf("%w: act about no case", journal.ErrFormat)
	}
	b, err := w.s.formerSpace(tx, a.Device)
	if err != nil {
		return err
	}
	c, err := w.s.loadCase(b, of)
	if err != nil {
		return err
	}
	first, err := w.s.header(b, of)
	if err != nil {
		return err
	}
	if err := c.ApplyRecord(act); err != nil {
		return err
	}
	in := &work{s: w.s, tx: b, rows: map[uint64]Row{}}
	return in.saveCase(c, first.Period)
}

// formerCases returns the cases that were delivered under former numbers, as they were known last.
func (s *Store) formerCases() (out []casefile.Case, bad error, err error) {
	err = s.eachFormer(func(l Former, b *bolt.Bucket) error {
		followed, err := s.followed(b, l)
		if err != nil {
			return err
		}
		return b.Bucket([]byte(bucketSummaries)).ForEach(func(k, _ []byte) error {
			if seqOf(k) > followed.Head {
				return nil // carried over: it has a new number
			}
			c, err := s.loadCase(b, seqOf(k))
			if err != nil {
				bad = errors.Join(bad, err)
				return nil
			}
			out = append(out, *c)
			return nil
		})
	})
	return out, bad, err
}

// former opens every value of the journals of former numbers, or checks its tag while locked. What does not open is named
// by the number's journal, the bucket and the record.
func (v *verifier) former() error {
	s := v.s
	home := v.tx.Bucket([]byte(bucketFormer))
	if home == nil {
		return nil
	}
	bad := func(seq uint64, device uint32, name string, k []byte, err error) {
		v.add(Fault{Where: bucketFormer, Seq: seq, Key: fmt.Sprintf("%d/%s/%x", device, name, k), What: "doctor.value", Err: err})
	}
	values := func(device uint32, b *bolt.Bucket) error {
		for _, name := range journalBuckets {
			in := b.Bucket([]byte(name))
			if in == nil {
				continue
			}
			if err := in.ForEach(func(k, value []byte) error {
				v.r.Values++
				_, err := s.box.open(sealedAs(name, k), k, value, s.period)
				if err != nil && !errors.Is(err, ErrLocked) && !errors.Is(err, vault.ErrNoPeriod) {
					bad(seqOf(k), device, name, k, err)
				}
				return v.tick()
			}); err != nil {
				return err
			}
		}
		return nil
	}
	return home.ForEachBucket(func(k []byte) error {
		device, b := uint32(seqOf(k)), home.Bucket(k)
		l, err := s.lineage(device, b)
		if err == nil {
			_, err = s.followed(b, l)
		}
		if err != nil {
			bad(0, device, string(keyLineage), k, err)
		}
		if branch := b.Bucket(branchName); branch != nil {
			if err := values(device, branch); err != nil {
				return err
			}
		}
		return values(device, b)
	})
}
