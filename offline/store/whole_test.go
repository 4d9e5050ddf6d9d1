package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/journal"
)

// TestDrawingIsTrue compares the drawing in offline/doc.go with a full store: buckets, key sizes, and what seals them.
func TestDrawingIsTrue(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.o.Segment = 1
	r.populate(s, 4)
	fork, err := forkFor(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.TakeFork(ctx, fork); err != nil {
		t.Fatal(err)
	}
	r.close(s)
	s = r.login()
	for range 3 { // every append begins a segment now, so the index fills
		r.submit(s, 9)
	}
	text, err := os.ReadFile("../doc.go")
	if err != nil {
		t.Fatal(err)
	}
	type line struct{ key, sealed string }
	drawn := map[string]line{}
	for _, l := range strings.Split(string(text), "\n") {
		l, ok := strings.CutPrefix(l, "//\t")
		if !ok || !strings.HasPrefix(l, "├ ") && !strings.HasPrefix(l, "└ ") {
			continue
		}
		cols := []rune(l)
		drawn[strings.TrimSpace(string(cols[2:14]))] = line{strings.TrimSpace(string(cols[14:35])), strings.TrimSpace(string(cols[84:]))}
	}
	sizes := map[string]int{"seq": 8, "cursor": 8, "segment": 8, "seq, stage": 9, "mark, number": 9, "handle": 32, "address": 32}
	seen := 0
	if err := s.db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			seen++
			l, ok := drawn[string(name)]
			if !ok {
				t.Errorf("bucket %s is not in the drawing", name)
				return nil
			}
			n := 0
			err := b.ForEach(func(k, v []byte) error {
				n++
				if want, fixed := sizes[l.key]; fixed && len(k) != want {
					t.Errorf("%s: key of %d bytes, drawn as %q", name, len(k), l.key)
				}
				if string(name) == bucketMeta && string(k) == string(keySchema) {
					return nil
				}
				id, _, err := s.box.split(sealedAs(string(name), k), k, v)
				if err != nil {
					return err
				}
				want := "machine"
				if id != "" {
					want = "period"
				}
				if !strings.Contains(l.sealed, want) {
					t.Errorf("%s: sealed by %s, drawn as %q", name, want, l.sealed)
				}
				return nil
			})
			if n == 0 {
				t.Errorf("bucket %s is empty: the test shows nothing about it", name)
			}
			return err
		})
	}); err != nil {
		t.Fatal(err)
	}
	if seen != len(drawn) || seen != len(buckets) {
		t.Fatalf("%d buckets, %d drawn, %d known", seen, len(drawn), len(buckets))
	}
}

// found lists the files under dir whose bytes or name hold one of the words, in UTF-8 or either UTF-16.
func found(t testing.TB, dir string, wanted []string) []string {
	t.Helper()
	var needles [][]byte
	for _, w := range wanted {
		var le, be []byte
		for _, u := range utf16.Encode([]rune(w)) {
			le, be = binary.LittleEndian.AppendUint16(le, u), binary.BigEndian.AppendUint16(be, u)
		}
		needles = append(needles, []byte(w), le, be)
	}
	var out []string
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		data = append(data, path...)
		for _, n := range needles {
			if bytes.Contains(data, n) {
				out = append(out, fmt.Sprintf("%s: %q", path, n))
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestNoNameInAnyFile(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 50)
	if err := s.Backup(filepath.Join(r.dir, "backup.db")); err != nil {
		t.Fatal(err)
	}
	if err := s.DropDraft("d1-" + canaryName); err != nil {
		t.Fatal(err)
	}
	if err := s.Rebuild(ctx, nil); err != nil {
		t.Fatal(err)
	}
	s.Lock()
	r.tell(s, r.plat.correct(4, r.clock))
	r.close(s)
	canaries := []string{canaryName, canaryID, canaryPhone, canaryAnswer, canaryBlob, canaryDraft, "高龄津贴", "情况属实"}
	if hits := found(t, r.dir, canaries); len(hits) > 0 {
		t.Fatalf("in clear: %v", hits)
	}
	var wide []byte // the search must see what is there
	for _, u := range utf16.Encode([]rune(canaryName)) {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	for name, data := range map[string][]byte{"control-8": []byte("x" + canaryName), "control-16": append([]byte("x"), wide...)} {
		if err := os.WriteFile(filepath.Join(r.dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if hits := found(t, r.dir, canaries); len(hits) != 2 {
		t.Fatalf("the search does not see what is there: %v", hits)
	}
}

func TestSegmentsRollAndReadBack(t *testing.T) {
	r := newRig(t)
	r.o.Segment = 4000
	s := r.login()
	r.populate(s, 10)
	if err := s.SetDict([]byte(strings.Repeat("another dictionary, from a newer pack. ", 20))); err != nil {
		t.Fatal(err)
	}
	for n := range 10 {
		r.submit(s, n)
	}
	want, head := plain(t, s), s.head
	nos, err := s.mir.segments()
	if err != nil || len(nos) < 5 {
		t.Fatalf("segments %v, %v", nos, err)
	}
	r.close(s)
	s = r.login()
	if len(s.mir.closed) != len(nos)-1 || s.mir.records.last() != head || len(s.mir.records) != 1 {
		t.Fatalf("index %d of %d segments, records %v", len(s.mir.closed), len(nos), s.mir.records)
	}
	wantClean(t, s)
	r.close(s)
	if _, err := SetAside(r.dir, "", r.clock); err != nil {
		t.Fatal(err)
	}
	s = r.login() // both dictionaries are found in the mirror
	sameMap(t, "from segments", want, plain(t, s))
	wantClean(t, s)
}

func TestClock(t *testing.T) {
	r, c := clockRig(t)
	s := r.login()
	pass := func(d time.Duration) { c.run(d, 0) }
	note := func() journal.Record {
		t.Helper()
		rec, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindSettings})
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	if q := note().Clock.Quality(); q != 0 {
		t.Fatalf("quality %d before any signed time", q)
	}
	signed := c.wall.UnixMilli() + 5000
	if err := s.TakeTime(ctx, signed); err != nil {
		t.Fatal(err)
	}
	pass(10 * time.Minute)
	if q := note().Clock; q.Signed != signed || q.Since != 600_000 || !q.Exact {
		t.Fatalf("clock %+v", q)
	}
	r.close(s)
	s = r.login() // the same boot
	pass(time.Minute)
	if q := note().Clock; q.Since != 660_000 || !q.Exact {
		t.Fatalf("clock after reopening %+v", q)
	}
	c.wall = c.wall.AddDate(-6, 0, 0) // the battery is dead
	pass(time.Minute)
	before := s.head
	rec := note()
	if rec.Seq != before+2 {
		t.Fatalf("the jump is not in the journal: record %d after %d", rec.Seq, before)
	}
	jump, err := s.Record(before + 1)
	if err != nil || jump.Kind != journal.KindClockJump {
		t.Fatalf("record %v, %v", jump.Kind, err)
	}
	if q := rec.Clock; q.Exact || q.Since != 720_000 {
		t.Fatalf("clock after a jump %+v", q)
	}
	r.close(s)
	c.boot, c.up = "two", time.Second
	s = r.login()
	pass(time.Minute)
	if q := note().Clock; q.Exact || q.Since != 720_000 || q.Quality() != 1 {
		t.Fatalf("clock after a restart %+v", q) // least time: what passed while off is not known
	}
	if err := s.TakeTime(ctx, signed+1_000_000); err != nil {
		t.Fatal(err)
	}
	if c := s.Clock(); !c.Exact || c.Since != 0 || c.Quality() != 2 {
		t.Fatalf("clock after a signed time %+v", c)
	}
	if err := s.TakeTime(ctx, signed); err != nil || s.Clock().Signed != signed+1_000_000 {
		t.Fatalf("an older time counted: %+v, %v", s.Clock(), err)
	}
}

func TestManyHandsAtOnce(t *testing.T) {
	r := newRig(t)
	s := r.login()
	var wg sync.WaitGroup
	fail := make(chan error, 100)
	do := func(fn func(i int) error) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 8 {
				if err := fn(i); err != nil {
					fail <- err
					return
				}
			}
		}()
	}
	do(func(i int) error {
		_, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: sampleCase(i), Receipt: fakeReceipt})
		return err
	})
	do(func(i int) error {
		_, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindSettings})
		return err
	})
	do(func(i int) error { return s.SaveDraft(Draft{ID: "x", Body: []byte{byte(i)}, Checkpoint: i%2 == 0}) })
	do(func(int) error { _, err := s.Cases(); return err })
	do(func(int) error { _, err := s.Summary(); return err })
	do(func(int) error { _, _, err := s.Outgoing(ctx, 0, 1<<20); return err })
	do(func(i int) error { _, err := s.PutBlob([]byte{byte(i)}, "", ""); return err })
	do(func(int) error { _, err := s.Verify(ctx, nil); return err })
	wg.Wait()
	close(fail)
	for err := range fail {
		t.Error(err)
	}
	if s.head != 16 {
		t.Fatalf("%d records", s.head)
	}
	wantClean(t, s)
}

// BenchmarkDurableSave measures an act of 4 KB with its receipt, durable in file and mirror, and a draft, and in turn with
// each its floor: 4 KB appended to a file and synced. Medians, because a disk has bad moments. "cpu" is the computing of
// all threads; it is steady on a busy machine.
func BenchmarkDurableSave(b *testing.B) {
	body := sampleCase(1)
	answers := make([]byte, 0, 4096)
	for len(answers)+64 < 4096-len(body.Consent)-600 {
		answers = append(answers, fmt.Sprintf("field-%04d=%x;", len(answers), len(answers)*7919)...)
	}
	body.Answers = answers
	measure := func(b *testing.B, s *Store, save func()) {
		f, err := os.OpenFile(filepath.Join(b.TempDir(), "floor"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		block := make([]byte, 4096)
		var floors, saves []time.Duration
		var cpu time.Duration
		for b.Loop() {
			s.spare.wg.Wait() // a clerk types for minutes between two saves
			start := time.Now()
			if _, err := f.Write(block); err != nil {
				b.Fatal(err)
			}
			if err := dataSync(f); err != nil {
				b.Fatal(err)
			}
			floors = append(floors, time.Since(start))
			before := cpuTime()
			start = time.Now()
			save()
			saves, cpu = append(saves, time.Since(start)), cpu+cpuTime()-before
		}
		slices.Sort(floors)
		slices.Sort(saves)
		mid := len(saves) / 2
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(saves[mid].Microseconds()), "µs/save")
		b.ReportMetric(float64(floors[mid].Microseconds()), "µs/floor")
		b.ReportMetric(float64(saves[mid])/float64(floors[mid]), "×floor")
		b.ReportMetric(float64(cpu.Microseconds())/float64(len(saves)), "cpu-µs/save")
	}
	b.Run("case", func(b *testing.B) {
		r := newRig(b)
		s := r.login()
		measure(b, s, func() {
			if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: body, Receipt: fakeReceipt}); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("draft", func(b *testing.B) {
		r := newRig(b)
		s := r.login()
		measure(b, s, func() {
			if err := s.SaveDraft(Draft{ID: "d", Service: "gaoling", Operator: "wang", Field: "person.name", Body: answers}); err != nil {
				b.Fatal(err)
			}
		})
	})
}
