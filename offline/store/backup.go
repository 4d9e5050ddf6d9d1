package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Backup writes a hot copy of the file to path, durable when it returns. It holds the same sealed values; the mirror
// completes it after a restore. Acts go on meanwhile.
func (s *Store) Backup(path string) error {
	tmp := path + ".part"
	if err := s.db.View(func(tx *bolt.Tx) error { return tx.CopyFile(tmp, 0o600) }); err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	f, err := os.OpenFile(tmp, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// SetAside renames a file that does not open, and puts the backup in its place when one is named; without one the next
// Open begins a new file. Either way the mirror brings the records back. It returns the damaged file's new path. The
// store must be closed.
func SetAside(dir, backup string, now time.Time) (string, error) {
	path := filepath.Join(dir, fileName)
	aside := path + ".damaged-" + now.UTC().Format("20060102T150405.000")
	if err := os.Rename(path, aside); err != nil {
		return "", fmt.Errorf("store: set aside: %w", err)
	}
	if backup == "" {
		return aside, syncDir(dir)
	}
	f, err := os.Open(backup)
	if err != nil {
		return aside, fmt.Errorf("store: restore backup: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return aside, fmt.Errorf("store: restore backup: %w", err)
	}
	return aside, writeFile(path, data)
}
