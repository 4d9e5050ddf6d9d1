package faulttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fileSystem is one that can be cut off without writing what it holds in memory.
type fileSystem struct {
	name, mount string
	mkfs        []string
	bytes       int64
}

var fileSystems = []fileSystem{
	{"ext4", "loop,commit=1000", []string{"mkfs.ext4", "-q", "-F"}, 64 << 20},
	{"xfs", "loop", []string{"mkfs.xfs", "-q", "-f"}, 320 << 20},
}

// disk is an image file with a file system of its own, mounted at dir.
type disk struct {
	t       testing.TB
	fs      fileSystem
	img     string
	dir     string
	mounted bool
}

// newDisk makes and mounts a disk, or skips the test where that is not allowed.
func newDisk(t testing.TB, fs fileSystem) *disk {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skipf("loop mounts need root; run the tests as root to cut the power of a %s disk", fs.name)
	}
	if _, err := exec.LookPath(fs.mkfs[0]); err != nil {
		t.Skipf("%s is not installed", fs.mkfs[0])
	}
	tmp := t.TempDir()
	d := &disk{t: t, fs: fs, img: filepath.Join(tmp, "disk.img"), dir: filepath.Join(tmp, "disk")}
	must(t, os.Mkdir(d.dir, 0o700))
	img, err := os.Create(d.img)
	must(t, err)
	must(t, img.Truncate(fs.bytes))
	must(t, img.Close())
	if out, err := exec.Command(fs.mkfs[0], append(fs.mkfs[1:], d.img)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v %s", fs.mkfs[0], err, out)
	}
	if out, err := d.try(); err != nil {
		t.Skipf("loop mounts of %s are not allowed here: %v %s", fs.name, err, strings.TrimSpace(out))
	}
	t.Cleanup(d.umount)
	return d
}

func (d *disk) try() (string, error) {
	out, err := exec.Command("mount", "-t", d.fs.name, "-o", d.fs.mount, d.img, d.dir).CombinedOutput()
	d.mounted = err == nil
	return string(out), err
}

func (d *disk) mount() {
	d.t.Helper()
	if out, err := d.try(); err != nil {
		d.t.Fatalf("mount: %v %s", err, out)
	}
}

func (d *disk) umount() {
	if !d.mounted {
		return
	}
	d.mounted = false
	if out, err := exec.Command("umount", d.dir).CombinedOutput(); err != nil {
		d.t.Errorf("umount: %v %s", err, out)
	}
}

// cut is a power cut: what was not synced is gone, and every call from now on fails.
func (d *disk) cut() {
	d.t.Helper()
	const shutdown = 0x8004587d // FS_IOC_SHUTDOWN, _IOR('X', 125, __u32): of ext4 and XFS alike
	dir, err := os.Open(d.dir)
	must(d.t, err)
	defer dir.Close()
	noLogFlush := 2
	if err := unix.IoctlSetPointerInt(int(dir.Fd()), shutdown, noLogFlush); err != nil {
		d.t.Fatalf("shutdown of %s: %v", d.fs.name, err)
	}
}

// cutOff runs the writer until its k-th save, cuts the power a little later, mounts the disk again and asks the oracle.
func (d *disk) cutOff(f folder, k int, later time.Duration) (v said, next int, err error) {
	d.t.Helper()
	acks := 0
	v = f.run(d.t, nil, func(v *said) {
		if !strings.HasPrefix(v.lines[len(v.lines)-1], "ack ") {
			return
		}
		if acks++; acks == k {
			<-time.After(later)
			d.cut()
		}
	})
	if acks < k {
		d.t.Fatalf("the writer ended before the cut: %s %v", v.exit, v.lines)
	}
	d.umount()
	d.mount()
	next, err = f.check(v)
	return v, next, err
}

// TestPowerCuts cuts the power of a disk under a writer, again and again. The control does the same to a writer whose
// syncs do nothing; it must lose something, or the rig proves nothing.
func TestPowerCuts(t *testing.T) {
	for _, fs := range fileSystems {
		t.Run(fs.name, func(t *testing.T) {
			d := newDisk(t, fs)
			rounds, saves := count(30), 0
			var f folder
			for round := range rounds {
				if round%6 == 0 { // a new folder now and then: the first saves are cut off, too
					f = install(t, filepath.Join(d.dir, fmt.Sprint("machine", round)))
				}
				v, next, err := d.cutOff(f, 1+round*5%11, time.Duration(round*7%13)*time.Millisecond)
				if err != nil {
					t.Fatalf("round %d: %v\n%v", round, err, v.lines)
				}
				if len(v.lines) > 0 && !slices.Contains(v.lines, "closed") {
					t.Errorf("round %d: the writer did not end in order: %s %v", round, v.exit, v.lines)
				}
				saves += v.n - v.first + 1
				f.First = next
			}
			bad := 0
			for round := range rounds {
				c := install(t, filepath.Join(d.dir, fmt.Sprint("control", round)))
				c.NoSync = true
				if _, _, err := d.cutOff(c, 1+round*5%11, time.Duration(round*7%13)*time.Millisecond); err != nil {
					bad++
				}
			}
			t.Logf("%s: %d power cuts over %d acknowledged saves, 0 bad; control without syncs %d of %d bad", fs.name, rounds, saves, bad, rounds)
			if bad == 0 {
				t.Fatal("a writer that never syncs lost nothing: the rig sees no lost writes")
			}
		})
	}
}

// TestStickPulledOut takes the disk away in the middle of a save: the writer is told in words, saves nothing more, ends in
// order, and everything acknowledged is on the stick when it is put back.
func TestStickPulledOut(t *testing.T) {
	d := newDisk(t, fileSystems[0])
	f := install(t, filepath.Join(d.dir, "machine"))
	for round := range count(10) {
		v, next, err := d.cutOff(f, 3, time.Duration(round*3)*time.Millisecond)
		if err != nil {
			t.Fatalf("round %d: %v\n%v", round, err, v.lines)
		}
		if v.key == "" || v.key == "error.unknown" || !slices.Contains(v.lines, "closed") {
			t.Fatalf("round %d: key %q, %s, %v", round, v.key, v.exit, v.lines)
		}
		if slices.ContainsFunc(v.lines, func(l string) bool { return strings.HasPrefix(l, "error goesOn") }) {
			t.Fatalf("round %d: %v", round, v.lines)
		}
		f.First = next
	}
}
