package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"bianmin/offline/durable"
	"bianmin/offline/words"
)

// openFault gives words to an error of opening that has none.
func openFault(err error) error {
	key, _ := words.KeyOf(err)
	switch {
	case errors.Is(err, errTooLarge): // a damaged list of free pages sends the first write far beyond any disk; bbolt has no check for it
		return words.New("store.damaged", fmt.Errorf("%w: %w", ErrDamaged, err))
	case key != "error.unknown":
		return err
	case errors.Is(err, errNoSpace):
		return noSpace(0, fmt.Errorf("%w: %w", ErrFull, err))
	case errors.Is(err, ErrDamaged):
		return words.New("store.damaged", err)
	}
	return words.New("store.failed", fmt.Errorf("%w: %w", ErrFailed, err))
}

// writeFile writes data so that after a crash the file is whole or absent: temp, sync, rename, sync folder.
func writeFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".tmp-*")
	if err != nil {
		return fmt.Errorf("store: make temporary file: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return fmt.Errorf("store: write %s: %w", filepath.Base(path), err)
	}
	if err = f.Sync(); err != nil {
		return fmt.Errorf("store: sync %s: %w", filepath.Base(path), err)
	}
	if err = f.Close(); err != nil {
		return fmt.Errorf("store: close %s: %w", filepath.Base(path), err)
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("store: rename %s: %w", filepath.Base(path), err)
	}
	return durable.SyncDir(dir)
}
