//go:build unix

package store

import (
	"syscall"
	"time"
)

// cpuTime is what this process has computed so far. It is steady on a busy machine, where the clock on the wall is not.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
