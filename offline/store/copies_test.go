package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
)

// readings asks every reader for everything; an error reads as "!".
func readings(s *Store) map[string]string {
	out := map[string]string{}
	put := func(key string, v any, err error) {
		if out[key] = "!"; err == nil {
			out[key] = fmt.Sprintf("%+v", v)
		}
	}
	for seq := uint64(1); seq <= 40; seq++ {
		rec, err := s.Record(seq)
		put(fmt.Sprint("record ", seq), rec, err)
		for stage := uint8(1); stage <= 2; stage++ {
			env, err := s.Receipt(seq, stage)
			put(fmt.Sprint("receipt ", seq, stage), env, err)
		}
		c, err := s.Case(seq)
		var plain []byte
		if err == nil {
			plain, err = c.Marshal()
		}
		put(fmt.Sprint("case ", seq), plain, err)
	}
	for after := uint64(0); after < 10; after++ {
		h, err := s.Headers(after, 1)
		put(fmt.Sprint("header after ", after), h, err)
		told, err := s.Events(after, 1)
		put(fmt.Sprint("event after ", after), told, err)
	}
	rows, err := s.Rows()
	for _, r := range rows {
		put(fmt.Sprint("row ", r.Seq), r, err)
	}
	drafts, err := s.Drafts()
	for _, d := range drafts {
		put("draft "+d.ID, string(canon.MustMarshal(d)), nil)
	}
	if len(drafts) == 0 {
		put("drafts", nil, err)
	}
	doc, err := s.Doc("settings")
	put("doc", doc, err)
	return out
}

// noWrongValue compares what readers say with what is right: they may refuse, or lack something, but never say another thing.
func noWrongValue(t *testing.T, what string, want, got map[string]string) (refused int) {
	t.Helper()
	for key, v := range got {
		switch w, ok := want[key]; {
		case v == "!" && w != "!":
			refused++
		case v != "!" && !ok:
			t.Errorf("%s: %s is there, and never was", what, key)
		case v != "!" && v != w:
			t.Errorf("%s: %s reads as\n%.300s, was\n%.300s", what, key, v, w)
		}
	}
	return refused
}

// TestBitFlipsInLiveValues flips single bits inside the values that the file holds, 400 of them, one at a time: readers
// refuse and never say a wrong value, the doctor names it, and one rebuild heals what the mirror has.
func TestBitFlipsInLiveValues(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 5)
	if err := s.PutDoc("settings", []byte("elder")); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveDraft(Draft{ID: "one", Step: "person", Body: []byte(canaryDraft), Checkpoint: true}); err != nil {
		t.Fatal(err)
	}
	want := readings(s)
	type live struct {
		bucket string
		key    []byte
		value  []byte
	}
	var all []live
	if err := s.db.View(func(tx *bolt.Tx) error {
		for _, name := range buckets {
			if err := tx.Bucket([]byte(name)).ForEach(func(k, v []byte) error {
				all = append(all, live{name, append([]byte{}, k...), append([]byte{}, v...)})
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	r.close(s)
	path := filepath.Join(r.dir, fileName)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	segment := filepath.Join(r.dir, mirrorName, segmentName(1))
	mirrored, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	u := r.operator()
	rounds := 40
	if full() {
		rounds = 400
	}
	rnd := rand.New(rand.NewPCG(11, 400))
	noticed, refusedToOpen, refused, healed := 0, 0, 0, 0
	for round := range rounds {
		v := all[(round*7919+round/len(all))%len(all)]
		at, bit := rnd.IntN(len(v.value)), byte(1)<<rnd.IntN(8)
		what := fmt.Sprintf("round %d: %s/%x, byte %d of %d", round, v.bucket, v.key, at, len(v.value))
		bad := append([]byte{}, good...)
		if !flipIn(bad, v.value, at, bit) {
			t.Fatalf("%s: the file does not have the value", what)
		}
		if err := errors.Join(os.WriteFile(path, bad, 0o600), os.WriteFile(segment, mirrored, 0o600)); err != nil {
			t.Fatal(err)
		}
		s, err := Open(r.o)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
				t.Errorf("%s: %v", what, err)
			}
			noticed, refusedToOpen = noticed+1, refusedToOpen+1
			continue
		}
		locked := verified(t, s).OK()
		s.mu.Lock()
		s.unlocked = u // without Unlock: nothing is to be repaired before it was looked at
		s.mu.Unlock()
		refused += noWrongValue(t, what, want, readings(s))
		if rep := verified(t, s); rep.OK() && locked {
			t.Errorf("%s: nobody notices", what)
		} else {
			noticed++
		}
		switch v.bucket {
		case bucketDrafts, bucketBlobs, bucketBlobIndex, bucketUploads, bucketOutbox, bucketMirror, bucketAcks:
		default:
			if err := s.Rebuild(ctx, nil); err != nil {
				t.Errorf("%s: rebuild: %v", what, err)
				break
			}
			if rep := verified(t, s); !rep.OK() {
				t.Errorf("%s: after the rebuild: %v", what, rep.Faults)
			}
			got := readings(s)
			for key, w := range want {
				if got[key] != w {
					t.Errorf("%s: after the rebuild %s reads as %.200s", what, key, got[key])
				}
			}
			healed++
		}
		s.Close()
	}
	t.Logf("%d flips in %d live values: %d noticed (%d at opening), %d readings refused, none wrong; %d healed", rounds, len(all), noticed, refusedToOpen, refused, healed)
	if noticed != rounds || healed == 0 {
		t.Fatalf("%d of %d noticed, %d healed", noticed, rounds, healed)
	}
}

// flipIn flips a bit of a value wherever data has it: pages that are not in use any more may hold it, too.
func flipIn(data, value []byte, at int, bit byte) (found bool) {
	for i := 0; i+len(value) <= len(data); i++ {
		if string(data[i:i+len(value)]) == string(value) {
			data[i+at] ^= bit
			found = true
			i += len(value) - 1
		}
	}
	return found
}

// TestWholeFileDamaged: the file is gone, cut, zeroed, or has lost both of its first pages: it is noticed, and a hot backup
// with the mirror, or the mirror alone, bring everything back.
func TestWholeFileDamaged(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 6)
	backup := filepath.Join(t.TempDir(), "hot.db")
	if err := s.Backup(backup); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		r.submit(s, 20+n)
	}
	want, head := plain(t, s), s.head
	r.close(s)
	size, err := os.Stat(filepath.Join(r.dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	page := int64(os.Getpagesize())
	edit := func(fn func(data []byte) []byte) func(path string) error {
		return func(path string) error {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, fn(data), 0o600)
		}
	}
	cut := func(n int64) func(path string) error { return func(path string) error { return os.Truncate(path, n) } }
	for _, c := range []struct {
		name  string
		spoil func(path string) error
	}{
		{"deleted", os.Remove},
		{"empty", cut(0)},
		{"one byte", cut(1)},
		{"one page", cut(page)},
		{"two pages", cut(2 * page)},
		{"half", cut(size.Size() / 2)},
		{"last page cut", cut(size.Size() - page)},
		{"zeroed", edit(func(d []byte) []byte { clear(d); return d })},
		{"second half zeroed", edit(func(d []byte) []byte { clear(d[len(d)/2:]); return d })},
		{"both meta pages zeroed", edit(func(d []byte) []byte { clear(d[:2*page]); return d })},
		{"a bit in each meta page", edit(func(d []byte) []byte { d[40] ^= 1; d[page+40] ^= 1; return d })},
		{"all of it noise", edit(func(d []byte) []byte {
			rnd := rand.New(rand.NewPCG(3, 5))
			for i := range d {
				d[i] = byte(rnd.Uint32())
			}
			return d
		})},
	} {
		for _, with := range []string{backup, ""} {
			name := c.name + " and a backup"
			if with == "" {
				name = c.name + ", no backup"
			}
			t.Run(name, func(t *testing.T) {
				c2 := r.copy(t)
				path := filepath.Join(c2.dir, fileName)
				if err := c.spoil(path); err != nil {
					t.Fatal(err)
				}
				s, err := Open(c2.o)
				switch {
				case err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign):
					t.Fatal(err)
				case err == nil: // it opens as an empty or a shorter one: then that is seen, or nothing of it was in use
					sum, serr := s.Summary()
					if rep := verified(t, s); serr == nil && !sum.Behind && rep.OK() {
						c2.unlock(s)
						sameMap(t, "nobody notices", want, plain(t, s))
					}
					c2.close(s)
				}
				if _, err := os.Stat(path); err == nil {
					if _, err := SetAside(c2.dir, with, c2.clock); err != nil {
						t.Fatal(err)
					}
				}
				s = c2.login()
				if s.head != head+1 { // and the record that tells what was taken back
					t.Fatalf("head %d, was %d", s.head, head)
				}
				wantClean(t, s)
				sameMap(t, "taken back", want, plain(t, s))
			})
		}
	}
}

// TestMirrorTornAnywhere cuts the mirror at many bytes, and deletes it: it is whole again after one login, written from the
// file.
func TestMirrorTornAnywhere(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 6)
	r.sync(s, 1<<20)
	r.submit(s, 30)
	want, head := plain(t, s), s.head
	r.close(s)
	info, err := os.Stat(filepath.Join(r.dir, mirrorName, segmentName(1)))
	if err != nil {
		t.Fatal(err)
	}
	offsets := []int64{0, 1, 17, info.Size() - 1}
	samples := 4
	if full() {
		samples = 40
	}
	rnd := rand.New(rand.NewPCG(19, 5))
	for range samples {
		offsets = append(offsets, rnd.Int64N(info.Size()))
	}
	for _, off := range append(offsets, -1) {
		c := r.copy(t)
		dir := filepath.Join(c.dir, mirrorName)
		if off < 0 {
			err = os.RemoveAll(dir)
		} else {
			err = os.Truncate(filepath.Join(dir, segmentName(1)), off)
		}
		if err != nil {
			t.Fatal(err)
		}
		s := c.login()
		if s.head != head {
			t.Fatalf("cut at %d: head %d", off, s.head)
		}
		if missing := s.mir.records.missing(head); len(missing) > 0 {
			t.Errorf("cut at %d: the mirror misses %v", off, missing)
		}
		wantClean(t, s)
		c.close(s)
		// The new mirror alone brings everything back.
		if err := os.Remove(filepath.Join(c.dir, fileName)); err != nil {
			t.Fatal(err)
		}
		s = c.login()
		got := readings(s)
		for seq := uint64(1); seq <= head; seq++ {
			if got[fmt.Sprint("record ", seq)] == "!" {
				t.Errorf("cut at %d: record %d did not come back from the new mirror", off, seq)
			}
		}
		c.close(s)
	}
	s = r.login()
	sameMap(t, "untouched", want, plain(t, s))
}
