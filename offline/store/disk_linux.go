package store

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// renameOpen: a file that is open can be renamed, and renamed over.
const renameOpen = true

// errTooLarge is what a write beyond every file system's bounds returns.
var errTooLarge error = unix.EFBIG

// errNoSpace and errReadOnly are what writes to a full disk and to a folder on a read-only one return.
var (
	errNoSpace  error = unix.ENOSPC
	errReadOnly error = unix.EROFS
)

// dataSync writes a file's data and its size to the disk, not its times.
func dataSync(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }

// freeSpace returns the bytes an ordinary user may still write in dir's file system.
func freeSpace(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("store: free space: %w", err)
	}
	return s.Bavail * uint64(s.Bsize), nil
}

// unlockFile gives up bbolt's lock; closing does not, while a map of the file is left.
func unlockFile(f *os.File) { _ = unix.Flock(int(f.Fd()), unix.LOCK_UN) } // it is closed next, whatever this says
