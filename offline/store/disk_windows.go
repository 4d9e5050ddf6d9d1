package store

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// renameOpen: a file that is open cannot be renamed over.
const renameOpen = false

// errTooLarge is what a write beyond the file system's bounds returns.
var errTooLarge error = windows.ERROR_FILE_TOO_LARGE

// errNoSpace and errReadOnly are what writes to a full disk and to a write-protected one return.
var (
	errNoSpace  error = windows.ERROR_DISK_FULL
	errReadOnly error = windows.ERROR_WRITE_PROTECT
)

// dataSync writes a file's data to the disk.
func dataSync(f *os.File) error { return f.Sync() }

// freeSpace returns the bytes this user may still write on dir's volume.
func freeSpace(dir string) (uint64, error) {
	p, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, fmt.Errorf("store: free space: %w", err)
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(p, &free, nil, nil); err != nil {
		return 0, fmt.Errorf("store: free space: %w", err)
	}
	return free, nil
}

// unlockFile has nothing to do: closing the file gives up bbolt's lock.
func unlockFile(*os.File) {}
