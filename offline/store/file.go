package store

import (
	"errors"
	"fmt"
	"os"
	"sync"

	bolt "go.etcd.io/bbolt"
)

// file is the bbolt file. Between two transactions it can be changed for another one with the same or older contents:
// a compacted one, a restored one.
type file struct {
	mu     sync.RWMutex // held for reading over every transaction, for writing while the rest is changed
	db     *bolt.DB
	handle *os.File // db's own
	ahead  int64    // up to where zeros lie behind the last page; guarded by bbolt's lock of writing
}

// change puts another file in the place of this one. Called with mu held for writing.
func (f *file) change(db *bolt.DB, handle *os.File) { f.db, f.handle, f.ahead = db, handle, 0 }

// View runs fn in a read transaction.
func (f *file) View(fn func(tx *bolt.Tx) error) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.db.View(fn)
}

// Update runs fn in a write transaction.
func (f *file) Update(fn func(tx *bolt.Tx) error) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.db.Update(fn)
}

// Close waits for the transactions under way.
func (f *file) Close() error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.db.Close()
}

// errReplaced reports that another program has put a new file in the place of the one that was being opened.
var errReplaced = errors.New("store: the file was replaced")

// stillThere checks that the file that was opened and locked is the one that lies at path: a program that compacts holds
// the lock of the old file until the new one is in place.
func stillThere(path string, f *os.File) error {
	have, err := f.Stat()
	if err != nil {
		return fmt.Errorf("store: open: %w", err)
	}
	now, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%w: %w", errReplaced, err)
	}
	if !os.SameFile(have, now) {
		return errReplaced
	}
	return nil
}

// openBolt opens a file as the store's. opened, when not nil, gets the handle at once: bbolt may panic on the way.
func (s *Store) openBolt(path string, opened **os.File, readOnly bool) (*bolt.DB, error) {
	return bolt.Open(path, 0o600, &bolt.Options{
		Timeout: lockTimeout, FreelistType: bolt.FreelistMapType, MaxSize: s.o.seams.maxSize, NoStatistics: true, ReadOnly: readOnly,
		OpenFile: func(name string, flag int, perm os.FileMode) (*os.File, error) {
			f, err := os.OpenFile(name, flag, perm)
			if opened != nil && err == nil {
				*opened = f
			}
			return f, err
		},
	})
}

// Temporary files beside store.db. What a crash leaves of them is removed at the next opening.
const (
	compactName = fileName + ".compact"
	restoreName = fileName + ".restore"
)

func (s *Store) clearTemporary() error {
	for _, name := range []string{compactName, restoreName} {
		if err := os.Remove(s.inDir(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("store: remove temporary file: %w", err)
		}
	}
	return nil
}

// step tells tests how far a change of the file is.
func (s *Store) step(name string) {
	if s.o.seams.step != nil {
		s.o.seams.step(name)
	}
}
