// Package bomb is for tests only: it holds the readers of the project to a bound of memory.
//
// Two measures. [Bounded] counts every byte that one call allocates, freed or not: what fuzz targets use, where a
// small input must cost little. [Child] runs a whole test in a process of its own under a memory limit, and reads from
// the kernel how much it really held at its peak: what tests with known bombs use.
package bomb

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"testing"
)

// Limit is what a reader may hold while it refuses a hostile input, in bytes.
const Limit = 64 << 20

const childEnv = "BIANMIN_BOMB"

// Bounded runs fn and fails when it allocates more than limit bytes, freed or not.
func Bounded(t testing.TB, limit uint64, fn func()) {
	t.Helper()
	before := allocated()
	fn()
	if n := allocated() - before; n > limit {
		t.Errorf("allocated %d bytes, at most %d", n, limit)
	}
}

func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// Child runs fn in a process of its own, whose heap Go keeps below Limit as far as the program lets it, and fails when the
// process held more than Limit at its peak beyond what it held before. What is prepared before Child is called is
// prepared in both processes and does not count.
func Child(t *testing.T, fn func(t *testing.T)) {
	t.Helper()
	if os.Getenv(childEnv) != t.Name() {
		var out bytes.Buffer
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
		cmd.Env = append(os.Environ(), childEnv+"="+t.Name())
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v\n%s", err, out.Bytes())
		}
		if !bytes.Contains(out.Bytes(), []byte("--- PASS: "+t.Name())) {
			t.Fatalf("the test did not run:\n%s", out.Bytes())
		}
		for line := range bytes.Lines(out.Bytes()) {
			if bytes.Contains(line, []byte("at its peak")) {
				t.Logf("%s", bytes.TrimSpace(line))
			}
		}
		return
	}
	debug.FreeOSMemory()
	if err := resetPeak(); err != nil {
		t.Fatal(err)
	}
	before, err := peak()
	if err != nil {
		t.Fatal(err)
	}
	debug.SetMemoryLimit(int64(before) + Limit*3/4)
	fn(t)
	after, err := peak()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d KiB at its peak, %d KiB before", after>>10, before>>10)
	if after > before+Limit {
		t.Errorf("held %d bytes more at its peak, at most %d", after-before, Limit)
	}
}

// resetPeak makes the kernel forget the peak so far. Elsewhere than on Linux there is nothing to reset: see peak.
func resetPeak() error {
	if runtime.GOOS != "linux" {
		return nil
	}
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return fmt.Errorf("bomb: reset peak: %w", err)
	}
	return nil
}

// peak returns the most memory this process ever held at once, in bytes: from the kernel on Linux, elsewhere what Go has
// ever asked for.
func peak() (uint64, error) {
	if runtime.GOOS != "linux" {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.Sys, nil
	}
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("bomb: %w", err)
	}
	for line := range bytes.Lines(data) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kib, err := strconv.ParseUint(string(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte(" kB"))), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("bomb: %w", err)
			}
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("bomb: the kernel names no peak")
}
