package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// DestroyPeriod takes a period's keys out of the ring for good and makes a new master, in one write of the key file: what the
// old file's blocks still hold was wrapped under a master that nobody has any more. The old copies are overwritten, as far
// as the file system lets a program do that. Errors: ErrNoPeriod for keys that are not here (the machine's are never
// destroyed), ErrClosed, ErrWrite.
func (u *Unlocked) DestroyPeriod(id string) error {
	u.mu.Lock()
	delete(u.known, id)
	u.mu.Unlock()
	return u.change(func(f ringFile, master Key) (ringFile, Key, error) {
		at := slices.IndexFunc(f.Periods, func(p periodSlot) bool { return p.ID == id })
		if at < 0 {
			return f, master, withCause(ErrNoPeriod, fmt.Errorf("vault: period %q", id))
		}
		f.Periods = slices.Delete(slices.Clone(f.Periods), at, at+1)
		return f.rotate(u.ring.suite, u.ring.secret, master)
	})
}

// overwritePair is writePair that overwrites the blocks of the copies it replaces: an old PIN, a master or a period that
// were wrapped in them are not to be found on the disk.
func overwritePair(dir, name string, data []byte) error {
	for _, c := range copies {
		if err := overwriteDurable(filepath.Join(dir, name+c), data); err != nil {
			return err
		}
	}
	return nil
}

func overwriteDurable(path string, data []byte) error {
	if runtime.GOOS == "windows" { // a file that is open cannot be replaced there
		return writeDurable(path, data)
	}
	old, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return writeDurable(path, data)
	}
	if err != nil {
		return fmt.Errorf("vault: overwrite %s: %w", filepath.Base(path), err)
	}
	defer old.Close()
	info, err := old.Stat()
	if err != nil {
		return fmt.Errorf("vault: overwrite %s: %w", filepath.Base(path), err)
	}
	if err := writeDurable(path, data); err != nil {
		return err
	}
	if _, err := old.WriteAt(make([]byte, info.Size()), 0); err != nil {
		return fmt.Errorf("vault: overwrite %s: %w", filepath.Base(path), err)
	}
	if err := old.Sync(); err != nil {
		return fmt.Errorf("vault: overwrite %s: %w", filepath.Base(path), err)
	}
	return nil
}
