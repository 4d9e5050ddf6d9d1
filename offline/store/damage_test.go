package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/casefile"
	"bianmin/offline/journal"
)

// damage flips one bit in the middle of a sealed value in the raw file, wherever the file has it. It closes s.
func damage(t testing.TB, r *rig, s *Store, bucket string, key []byte) {
	t.Helper()
	var value []byte
	if err := s.db.View(func(tx *bolt.Tx) error {
		value = append(value, tx.Bucket([]byte(bucket)).Get(key)...)
		return nil
	}); err != nil || len(value) == 0 {
		t.Fatalf("no value %s/%x: %v", bucket, key, err)
	}
	r.close(s)
	flipAll(t, filepath.Join(r.dir, fileName), value, len(value)/2)
}

func flipAll(t testing.TB, path string, value []byte, at int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := bytes.Index(data, value); i >= 0; i = bytes.Index(data, value) {
		data[i+at] ^= 0x10
		n++
	}
	if n == 0 {
		t.Fatalf("value not found in %s", path)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestOneBitAnywhereIsNamed damages one value of every bucket in the raw file, in turn: the doctor names it, locked and
// unlocked, and where the mirror has it Rebuild puts it right.
func TestOneBitAnywhereIsNamed(t *testing.T) {
	cases := []struct {
		bucket string
		key    []byte
		seq    uint64
		heals  bool
	}{
		{bucketHeaders, seqKey(2), 2, true},
		{bucketHeaders, seqKey(6), 6, true}, // the newest
		{bucketHeaders, seqKey(1), 1, true},
		{bucketBodies, seqKey(2), 2, true},
		{bucketBodies, seqKey(6), 6, true},
		{receiptHome(1), receiptKey(3, 1), 3, true},
		{receiptHome(2), receiptKey(1, 2), 1, true},
		{bucketOutbox, seqKey(6), 6, false},
		{bucketEvents, seqKey(2), 2, true},
		{bucketEvents, seqKey(4), 4, true},
		{bucketOpened, seqKey(2), 2, true},
		{bucketCases, seqKey(2), 2, true},
		{bucketSummaries, seqKey(2), 2, true},
		{bucketUnapplied, markKey(markEvent, 4), 0, true},
		{bucketQuarantine, seqKey(3), 3, true},
		{bucketDocs, nil, 0, true},
		{bucketDrafts, nil, 0, false},
		{bucketBlobs, nil, 0, false},
		{bucketBlobIndex, nil, 0, false},
		{bucketUploads, nil, 0, false},
		{bucketMeta, keyHead, 0, true},
		{bucketMeta, keyClock, 0, true},
		{bucketMeta, keyApplied, 0, true},
		{bucketAcks, keyLastAck, 0, true},
	}
	first := newRig(t)
	s := first.login()
	first.populate(s, 4) // records 1–4, person opened 5, amended 6
	want := plain(t, s)
	wantClean(t, s)
	first.close(s)
	for _, c := range cases {
		t.Run(fmt.Sprintf("%s-%x", c.bucket, c.key), func(t *testing.T) {
			r := first.copy(t)
			s := r.login()
			key := c.key
			if key == nil {
				if err := s.db.View(func(tx *bolt.Tx) error {
					k, _ := tx.Bucket([]byte(c.bucket)).Cursor().First()
					key = append(key, k...)
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
			damage(t, r, s, c.bucket, key)
			s = r.open()
			named := func(locked bool) {
				t.Helper()
				rep := verified(t, s)
				if rep.Locked != locked {
					t.Fatalf("locked %v", rep.Locked)
				}
				for _, f := range rep.Faults {
					if f.Where == c.bucket && f.Seq == c.seq && strings.HasPrefix(f.Key, fmt.Sprintf("%x", key)) {
						if c.bucket == bucketBodies && (f.Kind == "" || f.At.IsZero()) {
							t.Errorf("fault without kind or time: %v", f)
						}
						return
					}
				}
				t.Fatalf("locked %v: value not named among %v", locked, rep.Faults)
			}
			named(true)
			if err := s.Unlock(r.operator()); err != nil {
				t.Fatal(err)
			}
			named(false)
			if !c.heals {
				return
			}
			if err := s.Rebuild(ctx, nil); err != nil {
				t.Fatalf("rebuild: %v", err)
			}
			wantClean(t, s)
			sameMap(t, "healed", want, plain(t, s))
			r.submit(s, 9)
			r.close(s)
			wantClean(t, r.login())
		})
	}
}

func TestUnlockedBodyOfAnotherRecordIsNamed(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 4)
	// A value moved to another key, by somebody with the machine's file but not its keys.
	if err := s.update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucketBodies))
		return b.Put(seqKey(3), append([]byte{}, b.Get(seqKey(2))...))
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Record(3); !errors.Is(err, ErrDamaged) {
		t.Fatalf("moved body reads as %v", err)
	}
	rep := verified(t, s)
	if len(rep.Faults) != 1 || rep.Faults[0].Seq != 3 || rep.Faults[0].Kind != journal.KindCaseSubmitted {
		t.Fatalf("faults %v", rep.Faults)
	}
}

// TestBrokenPagesNeverPanic overwrites stretches of the file. Open may refuse; when it does not, reading and the doctor
// return, and acts are not lost silently.
func TestBrokenPagesNeverPanic(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 30)
	want := plain(t, s)
	r.close(s)
	path := filepath.Join(r.dir, fileName)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rounds := 20
	if full() {
		rounds = 200
	}
	refused, named := 0, 0
	for round := range rounds {
		rnd := rand.New(rand.NewPCG(7, uint64(round)))
		bad := append([]byte{}, good...)
		for range 1 + rnd.IntN(3) {
			from := rnd.IntN(len(bad))
			n := min(1+rnd.IntN(4096), len(bad)-from)
			for i := from; i < from+n; i++ {
				bad[i] = byte(rnd.Uint32())
			}
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(r.o)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
				t.Errorf("round %d: %v", round, err)
			}
			refused++
			continue
		}
		s.mu.Lock()
		s.unlocked = r.operator() // without Unlock: nothing is to be repaired here
		s.mu.Unlock()
		if rep := verified(t, s); !rep.OK() {
			named++
		} else {
			sameMap(t, fmt.Sprintf("round %d, nothing named", round), want, plain(t, s))
		}
		s.Close()
	}
	t.Logf("%d rounds: %d refused, %d named", rounds, refused, named)
	if refused+named == 0 {
		t.Fatal("no damage was seen in any round")
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	wantClean(t, r.login())
}

func TestMirrorTailIsCompletedFromTheFile(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 3)
	r.sync(s, 1<<20)
	r.submit(s, 4)
	r.submit(s, 5)
	head := s.head
	r.close(s)
	seg := filepath.Join(r.dir, mirrorName, segmentName(1))
	for _, cut := range []func(size int64) int64{
		func(int64) int64 { return 1 },
		func(int64) int64 { return 700 },
		func(size int64) int64 { return size / 2 },
		func(size int64) int64 { return size },
	} {
		info, err := os.Stat(seg)
		if err != nil {
			t.Fatal(err)
		}
		n := cut(info.Size())
		if err := os.Truncate(seg, info.Size()-n); err != nil {
			t.Fatal(err)
		}
		s = r.open()
		rest := s.Restored()
		if len(rest.Mirrored) == 0 && len(s.gaps) == 0 && s.mir.records.last() != head {
			t.Errorf("cut %d: %+v", n, rest)
		}
		if _, sendable, _, _, err := s.Position(ctx); err != nil || n < 1000 && sendable != head {
			t.Errorf("cut %d: sendable %d of %d, %v", n, sendable, head, err)
		}
		r.unlock(s) // what the outbox no longer has is packed again
		if got := s.mir.records.missing(head); len(got) != 0 {
			t.Errorf("cut %d: mirror still misses %v", n, got)
		}
		for _, f := range verified(t, s).Faults {
			t.Errorf("cut %d: %v", n, f)
		}
		r.close(s)
	}
	if err := os.RemoveAll(filepath.Join(r.dir, mirrorName)); err != nil {
		t.Fatal(err)
	}
	s = r.login()
	wantClean(t, s)
}

func TestLostFileComesBackFromTheMirror(t *testing.T) {
	for _, how := range []string{"gone", "backup"} {
		t.Run(how, func(t *testing.T) {
			r := newRig(t)
			s := r.login()
			backup := filepath.Join(r.dir, "backup.db")
			for n := range 3 {
				r.submit(s, n)
			}
			if err := s.Backup(backup); err != nil {
				t.Fatal(err)
			}
			r.sync(s, 1<<20)
			r.tell(s, r.plat.accept(1, r.clock), r.plat.correct(2, r.clock))
			for n := range 3 {
				r.submit(s, n+3)
			}
			if err := s.PutDoc("settings", []byte("elder")); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"kept", "sent", "thrown"} {
				if err := s.SaveDraft(Draft{ID: id, Step: "person", Body: []byte("checkpoint"), Checkpoint: true}); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.SaveDraft(Draft{ID: "kept", Step: "person", Body: []byte("checkpoint and more")}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: sampleCase(7), Receipt: fakeReceipt, DropDraft: "sent"}); err != nil {
				t.Fatal(err)
			}
			if err := s.DropDraft("thrown"); err != nil {
				t.Fatal(err)
			}
			want, head, hash := plain(t, s), s.head, s.headHash
			r.close(s)

			from := backup
			if how == "gone" {
				from = ""
			}
			if _, err := SetAside(r.dir, from, r.clock); err != nil {
				t.Fatal(err)
			}
			s = r.open()
			if sum, err := s.Summary(); err != nil || !sum.Behind {
				t.Fatalf("summary %+v, %v", sum, err)
			}
			if _, err := s.Commit(ctx, Act{Kind: journal.KindLoginRefused}); !errors.Is(err, ErrBehind) {
				t.Fatalf("act before the records are back: %v", err) // it would fork the journal
			}
			if doc, err := s.Doc("settings"); err != nil || string(doc) != "elder" {
				t.Fatalf("document: %q, %v", doc, err)
			}
			r.unlock(s)
			rep := s.Restored()
			if rep.To != head || rep.Drafts != 1 || rep.Events != 2 {
				t.Fatalf("restored %+v", rep)
			}
			rec, err := s.Record(head + 1)
			if err != nil || rec.Kind != journal.KindRebuilt || rec.Prev != hash {
				t.Fatalf("the restore is not in the journal: %+v, %v", rec.Header, err)
			}
			sameMap(t, "restored", want, plain(t, s))
			if d, err := s.Draft("kept"); err != nil || string(d.Body) != "checkpoint" {
				t.Fatalf("draft %q, %v", d.Body, err)
			}
			if all, err := s.Drafts(); err != nil || len(all) != 1 {
				t.Fatalf("drafts %v, %v", all, err)
			}
			wantClean(t, s)
			r.sync(s, 1<<20)
			if c, err := s.Case(2); err != nil || c.State != casefile.CorrectionAsked {
				t.Fatalf("case 2: %v, %v", c.State, err)
			}
		})
	}
}

func TestTwoStoriesAreNotMerged(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.submit(s, 1)
	backup := filepath.Join(r.dir, "backup.db")
	if err := s.Backup(backup); err != nil {
		t.Fatal(err)
	}
	mirror := filepath.Join(r.dir, mirrorName)
	aside := filepath.Join(r.t.TempDir(), "mirror")
	copyDir(t, mirror, aside)
	r.submit(s, 2)
	r.close(s)
	newMirror := filepath.Join(r.t.TempDir(), "mirror")
	copyDir(t, mirror, newMirror)
	// The whole folder of yesterday comes back, and another record 2 is made.
	if _, err := SetAside(r.dir, backup, r.clock); err != nil {
		t.Fatal(err)
	}
	copyDir(t, aside, mirror)
	s = r.login()
	r.submit(s, 77)
	r.close(s)
	copyDir(t, newMirror, mirror)
	s = r.open()
	if _, err := s.Commit(ctx, Act{Kind: journal.KindLoginRefused}); !errors.Is(err, ErrForked) {
		t.Fatalf("act over two stories: %v", err)
	}
	found := false
	for _, f := range verified(t, s).Faults {
		found = found || f.Where == "mirror" && f.Seq == 2 && errors.Is(f.Err, ErrForked)
	}
	if !found {
		t.Fatal("the doctor does not name the forked record")
	}
}

func copyDir(t testing.TB, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedMirrorIsNamedAndFilledAgain(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 5)
	packets, err := s.mir.packets(3, 3)
	if err != nil {
		t.Fatal(err)
	}
	r.close(s)
	flipAll(t, filepath.Join(r.dir, mirrorName, segmentName(1)), packets[0], 40)
	s = r.open()
	named := false
	for _, f := range verified(t, s).Faults {
		named = named || f.Where == "mirror" && f.Seq == 3
	}
	if !named {
		t.Fatal("damaged frame is not named")
	}
	r.unlock(s)
	if err := s.Rebuild(ctx, nil); err != nil {
		t.Fatal(err)
	}
	rep := verified(t, s)
	if !rep.OK() || rep.BadBytes == 0 {
		t.Fatalf("after rebuild: %d bad bytes, %v", rep.BadBytes, rep.Faults)
	}
}

func TestRebuildGivesTheSameBytes(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 20)
	s.Lock()
	r.tell(s, r.plat.event(journal.EventDecided, 1, journal.Decided{Result: "granted", Note: "同意"}, r.clock))
	r.unlock(s)
	want := plain(t, s)
	if len(want) < 50 {
		t.Fatalf("only %d values", len(want))
	}
	rows, err := s.Rows()
	if err != nil {
		t.Fatal(err)
	}
	var steps []int
	if err := s.Rebuild(ctx, func(done, total int) { steps = append(steps, done*100/total) }); err != nil {
		t.Fatal(err)
	}
	if len(steps) == 0 || steps[len(steps)-1] != 100 {
		t.Fatalf("progress %v", steps)
	}
	sameMap(t, "rebuilt", want, plain(t, s))
	again, err := s.Rows()
	if err != nil || fmt.Sprint(again) != fmt.Sprint(rows) {
		t.Fatalf("rows %v, want %v, %v", again, rows, err)
	}

	s.Lock()
	if err := s.Rebuild(ctx, nil); err != nil {
		t.Fatal(err)
	}
	locked, err := s.Rows()
	if err != nil || len(locked) != len(rows) {
		t.Fatalf("locked rows %v, %v", locked, err)
	}
	for i, row := range locked {
		w := rows[i]
		if w.State == casefile.Granted {
			w.State = casefile.Decided // the result is sealed
		}
		w.Fresh = row.Fresh // no row has a value in bucket cases yet
		if row != w {
			t.Errorf("locked row %+v, want %+v", row, w)
		}
	}
	r.unlock(s)
	sameMap(t, "rebuilt at login", want, plain(t, s))
	wantClean(t, s)

	stopped, cancel := contextDone()
	cancel()
	if err := s.Rebuild(stopped, nil); err == nil {
		t.Fatal("cancelled rebuild went through")
	}
	sameMap(t, "cancelled", want, plain(t, s))
}
