package store

import (
	"errors"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// TestFreshCaseIsItsRecord: a case that nothing came after has no second copy of its body in the file, and is the same case;
// one that something was applied to has a value, and is never taken for a fresh one when that is gone.
func TestFreshCaseIsItsRecord(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.submit(s, 1)
	r.submit(s, 2)
	fresh := plain(t, s)
	has := func(seq uint64) (yes bool) {
		t.Helper()
		if err := s.db.View(func(tx *bolt.Tx) error {
			yes = tx.Bucket([]byte(bucketCases)).Get(seqKey(seq)) != nil
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return yes
	}
	if has(1) || has(2) {
		t.Fatal("a fresh case lies in the file twice")
	}
	c, err := s.Case(2)
	if err != nil || len(c.Answers) == 0 || len(c.Stage1) == 0 || c.Seq != 2 {
		t.Fatalf("fresh case %+v, %v", c, err)
	}
	if err := s.Rebuild(ctx, nil); err != nil {
		t.Fatal(err)
	}
	sameMap(t, "rebuilt", fresh, plain(t, s))
	wantClean(t, s)

	r.sync(s, 1<<20)
	r.tell(s, r.plat.accept(1, r.clock))
	if !has(1) || has(2) {
		t.Fatal("what was applied to must have a value, and only that")
	}
	wantClean(t, s)
	if err := s.update(func(tx *bolt.Tx) error { return tx.Bucket([]byte(bucketCases)).Delete(seqKey(1)) }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Case(1); !errors.Is(err, ErrNotFound) {
		t.Fatalf("a case that lost its value: %v", err)
	}
	if list, err := s.Cases(); err == nil || len(list) != 1 || list[0].Seq != 2 {
		t.Fatalf("list of %d, %v", len(list), err)
	}
	rep := verified(t, s)
	if len(rep.Faults) != 1 || rep.Faults[0].Where != bucketCases || rep.Faults[0].Seq != 1 {
		t.Fatalf("faults %v", rep.Faults)
	}
	if err := s.Rebuild(ctx, nil); err != nil {
		t.Fatal(err)
	}
	wantClean(t, s)
	if c, err := s.Case(1); err != nil || c.AcceptedAt == 0 {
		t.Fatalf("healed case %v, %v", c.State, err)
	}
}
