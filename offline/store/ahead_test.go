package store

import (
	"bytes"
	"os"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// checkAhead waits for what is done after an act and checks that the place behind the last page is written, with zeros, in
// the file that is open.
func checkAhead(t *testing.T, s *Store) {
	t.Helper()
	s.spare.wg.Wait()
	var end int64
	if err := s.db.View(func(tx *bolt.Tx) error { end = tx.Size(); return nil }); err != nil {
		t.Fatal(err)
	}
	open, err := s.db.handle.Stat()
	if err != nil {
		t.Fatal(err)
	}
	named, err := os.Stat(s.path)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(open, named) {
		t.Fatal("zeros are written into a file that is not the store's")
	}
	if want := min(end+aheadSize/2, named.Size()); s.db.ahead < want {
		t.Fatalf("written until %d, the last page ends at %d, the file at %d", s.db.ahead, end, named.Size())
	}
	behind := make([]byte, s.db.ahead-end)
	if _, err := s.db.handle.ReadAt(behind, end); err != nil {
		t.Fatal(err)
	}
	if len(bytes.Trim(behind, "\x00")) != 0 {
		t.Fatal("something else than zeros lies behind the last page")
	}
}

func TestZerosAhead(t *testing.T) {
	r := newRig(t)
	s := r.login()
	save := func(n int) {
		t.Helper()
		for i := range n {
			r.submit(s, i+1)
			checkAhead(t, s)
		}
	}
	save(100)
	if done, err := s.Compact(ctx, true); err != nil || !done {
		t.Fatalf("compact: %v, %v", done, err)
	}
	save(10)
	r.close(s)
	s = r.login()
	save(10)
	for _, f := range verified(t, s).Faults {
		t.Errorf("%v", f)
	}
}
