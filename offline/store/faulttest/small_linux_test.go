package faulttest

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bianmin/offline/desk/desktest"
	"bianmin/offline/store"
	"bianmin/offline/words"
)

// memory mounts a file system of that size in memory, or skips the test where that is not allowed.
func memory(t *testing.T, size string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounts need root; run the tests as root to fill a file system")
	}
	dir := filepath.Join(t.TempDir(), "small")
	must(t, os.Mkdir(dir, 0o700))
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=0700,size="+size, "small", dir).CombinedOutput(); err != nil {
		t.Skipf("mounts are not allowed here: %v %s", err, strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return dir
}

// TestFullToTheLastByte lets a writer without any reserve run until the file system has no byte left: it is refused in
// words, nothing is half, and with room again it goes on.
func TestFullToTheLastByte(t *testing.T) {
	for round := range count(20) {
		dir := memory(t, "1m")
		filler := filepath.Join(dir, "filler")
		must(t, os.WriteFile(filler, make([]byte, 1+round*9_000), 0o600)) // another byte is the last one each time
		f := install(t, filepath.Join(dir, "machine"))
		v := f.run(t, nil, nil)
		if v.n < 1 || v.key == "" || v.key == "error.unknown" {
			t.Fatalf("%d saves, then %q: %v", v.n+1, v.key, v.lines)
		}
		must(t, os.Remove(filler))
		remount(t, dir, "size=4m")
		if _, err := f.check(v); err != nil {
			t.Fatalf("%v\n%v", err, v.lines)
		}
	}
}

func remount(t *testing.T, dir, options string) {
	t.Helper()
	if out, err := exec.Command("mount", "-o", "remount,"+options, dir).CombinedOutput(); err != nil {
		t.Fatalf("remount: %v %s", err, out)
	}
}

// TestOneMegabyteLeft fills the disk of a machine at work until 1 MB is free: the clerk is told before the citizen signs,
// what was typed is kept, login and a look at the cases still work, and with room again the draft is submitted.
func TestOneMegabyteLeft(t *testing.T) {
	const mb = 1 << 20
	dir := memory(t, "96m")
	m := desktest.New(t)
	moved := filepath.Join(dir, "machine")
	must(t, os.CopyFS(moved, os.DirFS(m.Config.Dir)))
	must(t, os.Chmod(filepath.Join(moved, "machine.key"), 0o600))
	m.Config.Dir = moved
	d, s := m.Login(t)
	in, err := s.Start(t.Context(), "gaoling", nil)
	must(t, err)
	in.Set("contactName", "样例甲")
	must(t, in.Leave(t.Context(), "materials", "contactName"))
	must(t, in.Room())
	records := position(t, d.Store())

	filler := filepath.Join(dir, "filler")
	fill(t, dir, filler, mb)
	if err := in.Room(); !errors.Is(err, store.ErrFull) {
		t.Fatalf("with 1 MB free: %v", err)
	} else if key, args := words.KeyOf(err); key != "store.diskFull" || args["mb"] != "1" && args["mb"] != "0" {
		t.Fatalf("words %s %v", key, args)
	}
	in.Set("contactName", "样例乙")
	if err := in.Flush(t.Context()); !errors.Is(err, store.ErrFull) {
		t.Fatalf("draft with 1 MB free: %v", err)
	}
	if got := position(t, d.Store()); got != records {
		t.Fatalf("%d records, %d before", got, records)
	}
	must(t, s.Close(t.Context()))
	must(t, d.Close())

	d, s = m.Login(t) // still possible, and still 1 MB free
	drafts, err := s.Drafts(t.Context())
	if err != nil || len(drafts) != 1 {
		t.Fatalf("%d drafts, %v", len(drafts), err)
	}
	must(t, os.Remove(filler))
	again, err := s.Resume(t.Context(), drafts[0].ID)
	must(t, err)
	if v := again.Form().State("contactName").Value; v != "样例甲" {
		t.Fatalf("draft says %v", v)
	}
	must(t, again.Room())
	again.Set("contactName", "样例乙")
	must(t, again.Flush(t.Context()))
	rep, err := d.Doctor(t.Context(), false, nil)
	if err != nil || len(rep.Faults) > 0 {
		t.Fatalf("doctor: %v %v", rep.Faults, err)
	}
}

// fill leaves that many bytes free.
func fill(t *testing.T, dir, filler string, left uint64) {
	t.Helper()
	f, err := os.Create(filler)
	must(t, err)
	defer f.Close()
	block := make([]byte, 16<<10)
	for free(t, dir) > left+uint64(len(block)) {
		_, err := f.Write(block)
		must(t, err)
	}
}

func position(t *testing.T, s *store.Store) uint64 {
	t.Helper()
	_, head, _, _, err := s.Position(ctx)
	must(t, err)
	return head
}

// TestBackupToAStick makes backups on a stick that is full, and on one that is pulled out: said in words, nothing half
// is taken for a backup, those from before stay, and the machine goes on.
func TestBackupToAStick(t *testing.T) {
	d := newDisk(t, fileSystems[0])
	stick := filepath.Join(d.dir, "bianmin")
	f := install(t, filepath.Join(t.TempDir(), "machine"))
	s, err := f.open()
	must(t, err)
	defer s.Close()
	take := func(n int) {
		_, err := save(s, n, io.Discard)
		must(t, err)
	}
	take(0)
	first, err := s.BackupTo(stick, 7)
	must(t, err)
	filler := filepath.Join(d.dir, "filler")
	fill(t, d.dir, filler, 16<<10)
	take(1)
	if _, err := s.BackupTo(stick, 7); !errors.Is(err, store.ErrFull) {
		t.Fatalf("full stick: %v", err)
	}
	must(t, os.Remove(filler))
	d.cut()
	take(2)
	if _, err := s.BackupTo(stick, 7); err == nil {
		t.Fatal("a backup on a stick that is gone")
	} else if key, _ := words.KeyOf(err); key != "backup.failed" {
		t.Fatalf("stick is gone: %v", err)
	}
	take(3)
	d.umount()
	d.mount()
	list, err := store.Backups(stick, device)
	if err != nil || len(list) != 1 || list[0] != first {
		t.Fatalf("on the stick: %v, %v", list, err)
	}
	s.Lock()
	c, err := s.PlanRestore(first)
	if err != nil || c.Backup.Records != 1 || c.FromMirror != 3 || c.Lost != 0 {
		t.Fatalf("%+v, %v", c, err)
	}
}

// TestReadOnlyFolder opens a machine whose folder may only be read: it is told so, nothing is taken for damage, nothing
// is changed, and once it may be written all is there.
func TestReadOnlyFolder(t *testing.T) {
	dir := memory(t, "8m")
	f := install(t, filepath.Join(dir, "machine"))
	f.Saves = 3
	v := f.run(t, nil, nil)
	before := sizes(t, dir)
	remount(t, dir, "ro")
	_, err := f.open()
	if key, _ := words.KeyOf(err); key != "store.noPermission" && key != "keys.write" || errors.Is(err, store.ErrDamaged) {
		t.Fatalf("open: %v (%s)", err, key)
	}
	if after := sizes(t, dir); after != before {
		t.Fatalf("changed from\n%s to\n%s", before, after)
	}
	remount(t, dir, "rw")
	f.First = 3
	if _, err := f.check(v); err != nil {
		t.Fatal(err)
	}
}

// sizes lists files with size and time of change.
func sizes(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		b.WriteString(path + " " + info.ModTime().Format(time.RFC3339Nano) + "\n")
		return nil
	}))
	return b.String()
}
