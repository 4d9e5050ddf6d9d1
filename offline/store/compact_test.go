package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"
)

func fileSize(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestCompactGivesFreePagesBack(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 20)
	if done, err := s.Compact(ctx, false); done || err != nil {
		t.Fatalf("a small file: %v, %v", done, err)
	}
	big := make([]byte, 700<<10)
	for n := range 12 {
		if err := s.PutDoc(fmt.Sprint("pack", n), big); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 12 {
		if err := s.PutDoc(fmt.Sprint("pack", n), nil); err != nil {
			t.Fatal(err)
		}
	}
	want, before := plain(t, s), fileSize(t, s.path)
	free, total, err := s.Waste()
	if err != nil || free < 8<<20 || total < free {
		t.Fatalf("free %d of %d, %v", free, total, err)
	}
	r.o.FreeSpace = nil
	s.o.FreeSpace = func(string) (uint64, error) { return s.o.Reserve + 1, nil }
	if _, err := s.Compact(ctx, false); !errors.Is(err, ErrFull) {
		t.Fatalf("no room for a second file: %v", err)
	}
	s.o.FreeSpace = func(string) (uint64, error) { return 1 << 40, nil }
	if done, err := s.Compact(ctx, false); !done || err != nil {
		t.Fatalf("compact: %v, %v", done, err)
	}
	if after := fileSize(t, s.path); after > before/4 {
		t.Fatalf("%d bytes, %d before", after, before)
	}
	if free, total, err = s.Waste(); err != nil || free*compactShare > total {
		t.Fatalf("free %d of %d, %v", free, total, err)
	}
	sameMap(t, "compacted", want, plain(t, s))
	r.submit(s, 99)
	want = plain(t, s)
	backup := filepath.Join(r.dir, "after.db") // of the new file, although it was opened under another name
	if err := s.Backup(backup); err != nil {
		t.Fatal(err)
	}
	wantClean(t, s)
	r.close(s)
	s = r.login()
	sameMap(t, "opened again", want, plain(t, s))
	r.close(s)
	if _, err := SetAside(r.dir, backup, r.clock); err != nil {
		t.Fatal(err)
	}
	s = r.login()
	sameMap(t, "backup", want, plain(t, s))
	wantClean(t, s)
}

// TestCompactWhileWorking compacts again and again under acts and reads; nothing waits for long, nothing is lost.
func TestCompactWhileWorking(t *testing.T) {
	r := newRig(t)
	r.o.Clock = nil
	s := r.login()
	r.populate(s, 5)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := s.Cases(); err != nil {
					t.Errorf("read: %v", err)
					return
				}
			}
		}
	})
	wg.Go(func() {
		defer close(stop)
		for n := range 40 {
			if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: "case.submitted", Body: sampleCase(100 + n), Receipt: fakeReceipt}); err != nil {
				t.Errorf("commit: %v", err)
				return
			}
		}
	})
	tries, done := 0, 0
	for working := true; working; tries++ {
		ok, err := s.Compact(ctx, true)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			done++
		}
		select {
		case <-stop:
			working = false
		default:
		}
	}
	wg.Wait()
	if ok, err := s.Compact(ctx, true); !ok || err != nil {
		t.Fatalf("nobody works: %v, %v", ok, err)
	}
	t.Logf("%d of %d compactions found a quiet moment", done, tries)
	wantClean(t, s)
	if cases, err := s.Cases(); err != nil || len(cases) != 45 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
}

func TestCompactNeverUnderAnOpenTransaction(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 5)
	want := plain(t, s)
	if err := s.db.View(func(tx *bolt.Tx) error {
		done := make(chan error, 1)
		go func() {
			ok, err := s.Compact(ctx, true)
			if ok {
				err = errors.New("compacted under an open transaction")
			}
			done <- err
		}()
		return <-done
	}); err != nil {
		t.Fatal(err)
	}
	r.submit(s, 7)
	if ok, err := s.Compact(ctx, true); !ok || err != nil {
		t.Fatalf("afterwards: %v, %v", ok, err)
	}
	for k, v := range want {
		if got := plain(t, s)[k]; got != v {
			t.Fatalf("%s differs", k)
		}
	}
}

// TestReplacedFileIsNotTaken is the other program that waited for the lock of a file which was compacted meanwhile.
func TestReplacedFileIsNotTaken(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.submit(s, 1)
	old, err := os.Open(s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := stillThere(s.path, old); err != nil {
		t.Fatal(err)
	}
	ok, err := s.Compact(ctx, true)
	if !renameOpen { // where it cannot be replaced while the other one has it, everything stays as it was
		if ok || err != nil {
			t.Fatal(ok, err)
		}
		r.submit(s, 2)
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		if ok, err := s.Compact(ctx, true); !ok || err != nil {
			t.Fatal(ok, err)
		}
		return
	}
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if err := stillThere(s.path, old); !errors.Is(err, errReplaced) {
		t.Fatalf("the old file is taken for the new one: %v", err)
	}
	if _, err := Open(r.o); !errors.Is(err, ErrBusy) {
		t.Fatalf("opened twice: %v", err)
	}
	if _, err := os.Stat(filepath.Join(r.dir, compactName)); err == nil {
		t.Fatal("temporary file left")
	}
}
