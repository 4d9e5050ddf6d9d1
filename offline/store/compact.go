package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/durable"
)

// bbolt reuses free pages but never gives them back. A file is written anew when at least a quarter of it, and 4 MiB, is
// free: after a roll of a month's drafts, an erasure, a large pack.
const (
	compactShare = 4
	compactLeast = 4 << 20
)

// swapWait is how long a change of the file waits for reads under way, at most.
const swapWait = time.Second

// compactBatch is the bytes written to the new file in one transaction.
const compactBatch = 4 << 20

func (s *Store) inDir(name string) string { return filepath.Join(s.o.Dir, name) }

// Waste returns the bytes of the file's free pages, and of the whole file as far as it is used.
func (s *Store) Waste() (free, total int64, err error) {
	s.write.Lock() // bbolt's list of free pages changes with every commit
	defer s.write.Unlock()
	err = s.db.View(func(tx *bolt.Tx) error {
		size := int64(tx.DB().Info().PageSize)
		total = tx.Size()
		for id := 0; int64(id) < total/size; id++ {
			p, err := tx.Page(id)
			if err != nil {
				return err
			}
			switch {
			case p == nil:
				return nil
			case p.Type == "free":
				free += size
			default:
				id += p.OverflowCount
			}
		}
		return nil
	})
	return free, total, err
}

// Compact writes the file anew without its free pages, when there are enough of them or always is set, and reports
// whether it did. Acts go on while the copy is written and read back, entry by entry; it takes the old file's place in one
// rename, between two transactions, and only if nothing was committed meanwhile: else it is thrown away and Compact returns
// false. Until the copy has been verified the old file is the file. A crash at any moment leaves one or the other, whole.
//
// The error wraps ErrFull when the disk has no room for a second file. After words store.failed the store must be opened
// again.
func (s *Store) Compact(ctx context.Context, always bool) (bool, error) {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	free, total, err := s.Waste()
	if err != nil {
		return false, fmt.Errorf("store: compact: %w", err)
	}
	if !always && (free < compactLeast || free*compactShare < total) {
		return false, nil
	}
	s.write.Lock()
	err = s.writable()
	s.write.Unlock()
	if err != nil {
		return false, err
	}
	if err := s.roomFor(s.o.Reserve + uint64(total-free)); err != nil {
		return false, err
	}
	tmp := s.inDir(compactName)
	defer os.Remove(tmp) // once it is in place there is nothing under this name
	at, err := s.copyCompacted(ctx, tmp)
	if err != nil {
		return false, fmt.Errorf("store: compact: %w", err)
	}
	s.step("verified")
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.writable(); err != nil {
		return false, err
	}
	if now, err := s.LastCommit(); err != nil || now != at {
		return false, err
	}
	if !s.db.quiet() {
		return false, nil
	}
	defer s.db.mu.Unlock()
	switch err := s.swap(tmp); {
	case errors.Is(err, errInUse):
		return false, nil // another time
	case err != nil:
		return false, s.fail(fmt.Errorf("compact: %w", err))
	}
	return true, nil
}

// LastCommit returns the number of the newest transaction: the same number twice, and nothing was written in between.
func (s *Store) LastCommit() (id int, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		id = tx.ID()
		return nil
	})
	return id, err
}

// quiet takes the file for itself when no transaction is open, waiting a moment for those that are. It never stands in
// the way of a read that wants to begin.
func (f *file) quiet() bool {
	limit := time.NewTimer(swapWait)
	defer limit.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !f.mu.TryLock() {
		select {
		case <-limit.C:
			return false
		case <-tick.C:
		}
	}
	return true
}

// copyCompacted writes the copy, syncs it and compares it with the file. It returns the transaction it is a copy of; a
// commit in between shows as another one.
func (s *Store) copyCompacted(ctx context.Context, tmp string) (at int, err error) {
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	s.db.mu.RLock()
	defer s.db.mu.RUnlock()
	src := s.db.db
	dst, err := s.openBolt(tmp, nil, false)
	if err != nil {
		return 0, err
	}
	defer dst.Close()
	if err := src.View(func(tx *bolt.Tx) error {
		at = tx.ID()
		return nil
	}); err != nil {
		return 0, err
	}
	if err := bolt.Compact(dst, src, compactBatch); err != nil {
		return 0, err
	}
	if err := errors.Join(dst.Sync(), dst.Close(), ctx.Err()); err != nil {
		return 0, err
	}
	s.step("copied")
	copied, err := bolt.Open(tmp, 0o600, &bolt.Options{ReadOnly: true, Timeout: lockTimeout})
	if err != nil {
		return 0, err
	}
	defer copied.Close()
	return at, src.View(func(tx *bolt.Tx) error {
		if tx.ID() != at {
			return nil // thrown away anyway
		}
		return guarded(func() error { return sameContents(ctx, tx, copied) })
	})
}

// errCopy reports a copy that is not what was copied.
var errCopy = errors.New("store: the copy differs from the file")

// sameContents reads every page, bucket, key and value of a copy and compares them with the file's.
func sameContents(ctx context.Context, tx *bolt.Tx, copied *bolt.DB) error {
	return copied.View(func(have *bolt.Tx) error {
		for err := range have.Check() {
			return fmt.Errorf("%w: %w", errCopy, err)
		}
		return sameBucket(ctx, "", tx.Cursor().Bucket(), have.Cursor().Bucket())
	})
}

// sameBucket compares two buckets and what is nested in them.
func sameBucket(ctx context.Context, name string, want, have *bolt.Bucket) error {
	if want == nil || have == nil || want.Sequence() != have.Sequence() {
		return fmt.Errorf("%w: bucket %s", errCopy, name)
	}
	c, d := want.Cursor(), have.Cursor()
	k, v := c.First()
	hk, hv := d.First()
	for n := 1; k != nil || hk != nil; n++ {
		if !bytes.Equal(k, hk) || !bytes.Equal(v, hv) || (v == nil) != (hv == nil) {
			return fmt.Errorf("%w: bucket %s, key %x", errCopy, name, k)
		}
		if v == nil {
			if err := sameBucket(ctx, fmt.Sprintf("%s/%q", name, k), want.Bucket(k), have.Bucket(k)); err != nil {
				return err
			}
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		k, v = c.Next()
		hk, hv = d.Next()
	}
	return nil
}

// errInUse reports that the file cannot be replaced now, because another program has it open: it waits for the lock, or looks
// for viruses. It is open again here, as it was.
var errInUse = errors.New("store: the file is in use")

// swap puts a verified file in the place of the open one. Called with write and the file held. Where the system allows it
// both are open while the name changes hands, so that no other program gets in between.
func (s *Store) swap(tmp string) error {
	old := s.db.db
	if !renameOpen {
		if err := old.Close(); err != nil {
			return err
		}
	}
	var fresh *bolt.DB
	var handle *os.File
	var err error
	if renameOpen {
		if fresh, err = s.openBolt(tmp, &handle, false); err != nil {
			return err
		}
	}
	if err := os.Rename(tmp, s.path); err != nil {
		if fresh != nil {
			fresh.Close()
			return err
		}
		var again error
		if s.db.db, again = s.openBolt(s.path, nil, false); again != nil {
			s.db.db = old // closed: what is asked of it is refused
			return errors.Join(err, again)
		}
		return errInUse
	}
	s.step("renamed")
	if err := durable.SyncDir(s.o.Dir); err != nil {
		if fresh != nil {
			fresh.Close()
		}
		return err
	}
	s.step("synced")
	if !renameOpen {
		if fresh, err = s.openBolt(s.path, &handle, false); err == nil {
			s.db.change(fresh, handle)
		}
		return err
	}
	s.db.change(fresh, handle)
	return old.Close()
}
