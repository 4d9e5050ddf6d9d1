//go:build !linux && !windows

package store

import (
	"math"
	"os"
	"syscall"
)

// renameOpen: a file that is open can be renamed, and renamed over.
const renameOpen = true

// errTooLarge is what a write beyond every file system's bounds returns.
var errTooLarge error = syscall.EFBIG

// errNoSpace and errReadOnly are what writes to a full disk and to a folder on a read-only one return.
var (
	errNoSpace  error = syscall.ENOSPC
	errReadOnly error = syscall.EROFS
)

// dataSync writes a file's data to the disk.
func dataSync(f *os.File) error { return f.Sync() }

// freeSpace does not know: the reserve is not kept here, a full disk is still an error and never half an act.
func freeSpace(string) (uint64, error) { return math.MaxUint64, nil }

// unlockFile has nothing to do: closing the file gives up bbolt's lock.
func unlockFile(*os.File) {}
