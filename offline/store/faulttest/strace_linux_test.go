package faulttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// needStrace skips the test where strace is missing or may not trace.
func needStrace(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed: make setup-test installs it")
	}
	out, err := exec.Command("strace", "-f", "-qq", "-o", os.DevNull, "-e", "trace=none", "true").CombinedOutput()
	if err != nil {
		t.Skipf("strace may not trace here: %v %s", err, strings.TrimSpace(string(out)))
	}
}

// calls are what the store asks of the disk, by the names of the kernel. The writer's last acts are a backup and a
// compaction: renames are of attachments, backups and the compacted file.
var calls = []struct {
	name   string
	syscal string
	most   int // calls that a writer of six saves makes on one thread, about
}{
	{"fdatasync", "fdatasync", 24},
	{"fsync", "fsync", 8},
	{"pwrite64", "pwrite64", 40},
	{"ftruncate", "ftruncate", 4},
	{"rename", "rename,renameat,renameat2", 5},
}

var faults = []string{"error=EIO", "error=ENOSPC", "signal=SIGKILL"}

// TestRefusedAndKilledAtTheKthCall has the kernel refuse the k-th sync, write, truncate or rename of a writer with EIO or
// ENOSPC, or kill the writer in it. when=k counts on each thread, so some k strike nobody; how many struck is logged.
func TestRefusedAndKilledAtTheKthCall(t *testing.T) {
	needStrace(t)
	runs, struck := 0, map[string]int{}
	for i, call := range calls {
		for j, fault := range faults {
			ks := spread(call.most, i+j)
			for _, k := range ks {
				f := install(t, filepath.Join(t.TempDir(), "machine"))
				f.Saves = 6
				name := fmt.Sprintf("%s:%s:when=%d", call.name, fault, k)
				v := f.run(t, []string{
					"strace", "-f", "-qq", "-o", os.DevNull, "-e", "trace=" + call.syscal, "-e", "inject=" + call.syscal + ":" + fault + fmt.Sprintf(":when=%d", k),
				}, nil)
				runs++
				if v.exit != "0" {
					struck[call.name+" "+fault]++
				}
				if v.exit == "0" && v.n != f.Saves-1 {
					t.Fatalf("%s: the writer says all is well after %d saves: %v", name, v.n+1, v.lines)
				}
				if slices.ContainsFunc(v.lines, func(l string) bool { return strings.Contains(l, "panic:") || strings.HasPrefix(l, "error goesOn") }) {
					t.Fatalf("%s: %v", name, v.lines)
				}
				if v.key == "error.unknown" {
					t.Fatalf("%s: no words for %v", name, v.lines)
				}
				if _, err := f.check(v); err != nil {
					t.Fatalf("%s: %v\n%v", name, err, v.lines)
				}
			}
		}
	}
	t.Logf("%d runs, struck: %v", runs, struck)
	for _, call := range calls { // in a plain run each call by one of the faults
		any := 0
		for _, fault := range faults {
			n := struck[call.name+" "+fault]
			if any += n; full && n == 0 {
				t.Errorf("%s in %s never struck: the writer does not come so far", fault, call.name)
			}
		}
		if any == 0 {
			t.Errorf("no fault in %s ever struck: the rig injects nothing there", call.name)
		}
	}
}

// spread chooses the k of one call and fault: nine over the whole range with BIANMIN_FULL=1, else one, another for each fault.
func spread(most, salt int) []int {
	n := count(9)
	var ks []int
	for i := range n {
		k := 1 + i*most/9
		if !full {
			k = 1 + salt*3%most
		}
		if !slices.Contains(ks, k) {
			ks = append(ks, k)
		}
	}
	return ks
}
