package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/journal"
)

func TestLostRowsAreNamedAndHealed(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 4)
	want := plain(t, s)
	for _, gone := range []struct {
		bucket string
		key    []byte
		seq    uint64
	}{
		{bucketHeaders, seqKey(2), 2},
		{bucketHeaders, seqKey(6), 6},
		{bucketBodies, seqKey(3), 3},
		{receiptHome(1), receiptKey(1, 1), 1},
		{bucketSummaries, seqKey(4), 4},
	} {
		if err := s.update(func(tx *bolt.Tx) error { return tx.Bucket([]byte(gone.bucket)).Delete(gone.key) }); err != nil {
			t.Fatal(err)
		}
		r.close(s)
		s = r.login()
		rep := verified(t, s)
		if rep.OK() || rep.Faults[0].Where != gone.bucket || rep.Faults[0].Seq != gone.seq {
			t.Errorf("%s %d is gone, named: %v", gone.bucket, gone.seq, rep.Faults)
		}
		if w := rep.Faults[0].Words(); w.Key == "" || w.Args["seq"] != fmt.Sprint(gone.seq) || rep.Faults[0].Kind != journal.KindCaseSubmitted && gone.seq != 6 {
			t.Errorf("%s %d: words %v %v", gone.bucket, gone.seq, w.Key, w.Args)
		}
		if err := s.Rebuild(ctx, nil); err != nil {
			t.Fatalf("%s: %v", gone.bucket, err)
		}
		wantClean(t, s)
		sameMap(t, gone.bucket, want, plain(t, s))
	}
	r.submit(s, 8)
	wantClean(t, s)
}

func TestDamagedAndBehindAtOnce(t *testing.T) {
	r := newRig(t)
	s := r.login()
	for n := range 4 {
		r.submit(s, n)
	}
	backup := filepath.Join(r.dir, "backup.db")
	if err := s.Backup(backup); err != nil {
		t.Fatal(err)
	}
	r.submit(s, 5)
	want := plain(t, s)
	r.close(s)
	if _, err := SetAside(r.dir, backup, r.clock); err != nil {
		t.Fatal(err)
	}
	// The backup is damaged, too: in its newest header.
	db, err := bolt.Open(filepath.Join(r.dir, fileName), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	var value []byte
	if err := db.View(func(tx *bolt.Tx) error {
		value = append(value, tx.Bucket([]byte(bucketHeaders)).Get(seqKey(4))...)
		return nil
	}); err != nil || db.Close() != nil {
		t.Fatal(err)
	}
	flipAll(t, filepath.Join(r.dir, fileName), value, 30)
	s = r.login()
	if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindSettings}); !errors.Is(err, ErrDamaged) {
		t.Fatalf("act over a damaged head: %v", err)
	}
	if len(s.Faults()) == 0 {
		t.Fatal("opening names no fault")
	}
	if err := s.Rebuild(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if s.head != 5 {
		t.Fatalf("head %d", s.head)
	}
	sameMap(t, "healed", want, plain(t, s))
	wantClean(t, s)
	r.submit(s, 6)
	wantClean(t, s)
}

// TestErasedPeriodLeavesTheChain takes a period's keys away: the record stands without its body, the case without its
// person, and nothing else is disturbed.
func TestErasedPeriodLeavesTheChain(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.submit(s, 1)
	r.submit(s, 2)
	if err := s.update(func(tx *bolt.Tx) error { // sealed by keys that no longer exist
		row, err := s.header(tx, 1)
		if err != nil {
			return err
		}
		k, err := suite.NewKey()
		if err != nil {
			return err
		}
		value, err := s.box.sealIn("1999-01", k, bucketBodies, seqKey(1), []byte("gone"))
		if err != nil {
			return err
		}
		row.Period, row.Sum = "1999-01", suite.Hash(value)
		if err := putRaw(tx, bucketBodies, seqKey(1), value); err != nil {
			return err
		}
		return s.box.put(tx, bucketHeaders, seqKey(1), row)
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Rebuild(ctx, nil); err != nil {
		t.Fatal(err)
	}
	c, err := s.Case(1)
	if err != nil || !c.Purged || c.Applicant != "" {
		t.Fatalf("case %+v, %v", c, err)
	}
	if c, err = s.Case(2); err != nil || c.Applicant != canaryName {
		t.Fatalf("other case: %v", err)
	}
	wantClean(t, s)
	packets, last, err := s.Outgoing(ctx, 0, 1<<20) // as it was packed then
	if err != nil || last != 2 {
		t.Fatalf("outgoing to %d, %v", last, err)
	}
	r.plat.take(packets)
}

func TestHeadersAreReadWhileLocked(t *testing.T) {
	r := newRig(t)
	r.o.FreeSpace, r.o.Clock = nil, nil // the system's own
	s := r.login()
	for n := range 5 {
		r.submit(s, n)
	}
	s.Lock()
	got, err := s.Headers(1, 3)
	if err != nil || len(got) != 3 || got[0].Seq != 2 || got[2].Seq != 4 {
		t.Fatalf("headers %v, %v", got, err)
	}
	if _, err := s.Record(99); !errors.Is(err, ErrNotFound) {
		t.Fatalf("record that is not: %v", err)
	}
}

func TestDamagedPacketIsHealed(t *testing.T) {
	r := newRig(t)
	s := r.login()
	for n := range 3 {
		r.submit(s, n)
	}
	want := plain(t, s)
	if err := s.update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucketOutbox))
		value := append([]byte{}, b.Get(seqKey(2))...)
		value[len(value)/2] ^= 1
		return b.Put(seqKey(2), value)
	}); err != nil {
		t.Fatal(err)
	}
	if rep := verified(t, s); rep.OK() || rep.Faults[0].Where != bucketOutbox || rep.Faults[0].Seq != 2 {
		t.Errorf("named: %v", rep.Faults)
	}
	if err := s.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	wantClean(t, s)
	sameMap(t, "outbox", want, plain(t, s))
}

// The receipt's frame is the only second copy of bytes that cannot be signed again the same.
func TestLostReceiptInTheMirrorIsWrittenAgain(t *testing.T) {
	for _, locked := range []bool{false, true} {
		r := newRig(t)
		s := r.login()
		for n := range 3 {
			r.submit(s, n)
		}
		wantClean(t, s)
		var frame []byte
		if err := s.mir.walk(func(_ uint32, f Frame) error {
			if f.Kind == FrameReceipt && f.Number == 2 {
				frame = append([]byte{}, f.Payload...)
			}
			return nil
		}); err != nil || frame == nil {
			t.Fatal(err)
		}
		flipAll(t, filepath.Join(r.dir, "mirror", segmentName(1)), frame, 30)
		if !locked { // noticed while the store is open
			if rep := verified(t, s); rep.OK() || rep.Faults[0].Where != "mirror" || rep.Faults[0].Seq != 2 {
				t.Errorf("named: %v", rep.Faults)
			}
			if err := s.Rebuild(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
		wantAgain := locked
		r.close(s)
		s = r.login()
		if got := s.Restored().Mirrored; wantAgain && (len(got) != 1 || got[0] != 2) {
			t.Errorf("written again: %v", got)
		}
		wantClean(t, s)
	}
}

// TestRebuildIsReadThrough: while projections are made again, all reads as before; one that is given up leaves no trace; one
// that was cut is dropped at the next opening; and the outcome is the same.
func TestRebuildIsReadThrough(t *testing.T) {
	r := newRig(t)
	s := r.login()
	for n := range 2*rebuildBatch/3 + 7 {
		if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: sampleCase(n), Receipt: fakeReceipt}); err != nil {
			t.Fatal(err)
		}
	}
	r.sync(s, 1<<20)
	for seq := range uint64(2*rebuildBatch/3 + 7) {
		r.tell(s, r.plat.accept(seq+1, r.clock))
	}
	want := plain(t, s)
	cases, err := s.Cases()
	if err != nil {
		t.Fatal(err)
	}
	read := func(when string) {
		t.Helper()
		got, err := s.Cases()
		if err != nil || len(got) != len(cases) {
			t.Errorf("%s: %d cases, %v; want %d", when, len(got), err, len(cases))
		}
		s.mu.Lock()
		s.rows = nil // as at the first look
		s.mu.Unlock()
		sum, err := s.Summary()
		if err != nil || sum.Cases["accepted"] != len(cases) {
			t.Errorf("%s: summary %v, %v", when, sum.Cases, err)
		}
		if _, err := s.Case(3); err != nil {
			t.Errorf("%s: a case: %v", when, err)
		}
	}
	steps := 0
	if err := s.Rebuild(ctx, func(done, total int) {
		read(fmt.Sprintf("at %d of %d", done, total))
		steps++
	}); err != nil || steps < 2 {
		t.Fatalf("%d steps, %v", steps, err)
	}
	sameMap(t, "rebuilt", want, plain(t, s))
	left := func() bool {
		found := false
		if err := s.db.View(func(tx *bolt.Tx) error { found = tx.Bucket([]byte(bucketBeside)) != nil; return nil }); err != nil {
			t.Fatal(err)
		}
		return found
	}
	stopped, cancel := context.WithCancel(ctx)
	if err := s.Rebuild(stopped, func(int, int) { cancel() }); !errors.Is(err, context.Canceled) || left() {
		t.Errorf("given up: %v, left %v", err, left())
	}
	sameMap(t, "given up", want, plain(t, s))
	// A cut: what was being made is there, and the process is gone.
	if err := s.db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket([]byte(bucketBeside))
		if err == nil {
			_, err = b.CreateBucket([]byte(bucketCases))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r.close(s)
	s = r.login()
	if left() {
		t.Error("what a cut rebuild made is still there")
	}
	sameMap(t, "after a cut", want, plain(t, s))
	wantClean(t, s)
}
