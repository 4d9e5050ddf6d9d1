package clocks

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// systemBoot reads the boot's id and the time since it, sleep included.
func systemBoot() Boot {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Boot{}
	}
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return Boot{}
	}
	return Boot{ID: strings.TrimSpace(string(id)), Up: time.Duration(ts.Nano())}
}
