package private

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// NoDumps switches core dumps off for this process and the programs it starts, and forbids other processes of the same
// user to read its memory.
func NoDumps() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("private: no core dumps: %w", err)
	}
	// A program that catches core dumps by a pipe does not look at the limit, but at this.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("private: not dumpable: %w", err)
	}
	return nil
}
