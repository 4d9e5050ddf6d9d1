// Package durable writes small files so that a crash or a power cut leaves the old one or the new one, never half of either.
package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// WriteFile replaces the file at path: written beside it, synced, renamed, and the folder synced. Only the owner may read it
// (mode 0600). When it fails the old file is as it was, and nothing else is left in the folder. The error names the file, not
// the folder.
func WriteFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return failed(path, err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return failed(path, errors.Join(err, os.Remove(f.Name())))
	}
	if err := SyncDir(filepath.Dir(path)); err != nil {
		return failed(path, err)
	}
	return nil
}

func failed(path string, err error) error {
	return fmt.Errorf("write %s: %w", filepath.Base(path), err)
}

// SyncDir makes what was renamed or made in a folder last. Windows has no such call; its renames are journaled.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
