package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bianmin/packaging/bomb"
)

// TestBackupInCircles: a backup from a stick is as little to be trusted as a file of the machine: pages that lead in circles, a
// list of free pages that does not end and keys that lie outside the file are refused in words, at once and within memory.
func TestBackupInCircles(t *testing.T) {
	bomb.Child(t, func(t *testing.T) {
		r := newRig(t)
		s := r.login()
		r.populate(s, 40)
		page := s.db.db.Info().PageSize
		path := filepath.Join(r.dir, "backup.db")
		if err := s.Backup(path); err != nil {
			t.Fatal(err)
		}
		r.close(s)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := PlanRestore(r.o, path); err != nil {
			t.Fatal(err)
		}
		tree := &pageTree{r: bytes.NewReader(good), size: int64(page)}
		live, err := tree.meta()
		if err != nil {
			t.Fatal(err)
		}
		own := filepath.Join(r.dir, fileName)
		order := binary.LittleEndian
		each := func(kind uint16, fn func(page []byte)) func(data []byte) int {
			return func(data []byte) (n int) {
				for id := 2; (id+1)*page <= len(data); id++ {
					p := data[id*page:]
					if order.Uint64(p) == uint64(id) && order.Uint16(p[8:]) == kind && order.Uint16(p[10:]) > 0 {
						fn(p)
						n++
					}
				}
				return n
			}
		}
		for name, bend := range map[string]func(data []byte) int{
			"a branch leads to itself": each(flagBranch, func(p []byte) { copy(p[pageHead+8:pageHead+16], p[:8]) }),
			"free pages without end": each(flagFree, func(p []byte) {
				order.PutUint16(p[10:], 0xffff)
				order.PutUint64(p[pageHead:], 1<<40)
			}),
			"more free pages than fit": each(flagFree, func(p []byte) {
				order.PutUint16(p[10:], 0xffff)
				order.PutUint64(p[pageHead:], 1<<24)
			}),
			"a page in use is free": each(flagFree, func(p []byte) { order.PutUint64(p[pageHead:], live) }),
			"a free page twice": each(flagFree, func(p []byte) {
				if order.Uint16(p[10:]) > 1 {
					copy(p[pageHead+8:pageHead+16], p[pageHead:])
				} else {
					order.PutUint64(p[pageHead:], 0)
				}
			}),
			"a branch's key outside":   each(flagBranch, func(p []byte) { order.PutUint32(p[pageHead:], 0x3fffffff) }),
			"a value that is a bucket": each(flagLeaf, func(p []byte) { p[pageHead] |= leafBucket }),
			"a leaf's key outside":     each(flagLeaf, func(p []byte) { order.PutUint32(p[pageHead+4:], 0x3fffffff) }),
			"a leaf's value outside":   each(flagLeaf, func(p []byte) { order.PutUint32(p[pageHead+12:], 0x7fffffff) }),
		} {
			bad := append([]byte{}, good...)
			if bend(bad) == 0 {
				t.Fatalf("%s: nothing to bend", name)
			}
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := PlanRestore(r.o, path); !errors.Is(err, ErrNoBackup) && !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: %v", name, err)
			}
			// The same in the machine's own file: it does not open, or the doctor names it.
			if err := os.WriteFile(own, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(r.o)
			if err != nil {
				if !errors.Is(err, ErrDamaged) {
					t.Errorf("%s: open: %v", name, err)
				}
				continue
			}
			if rep, err := s.Verify(ctx, nil); err != nil || rep.OK() {
				t.Errorf("%s: it opens, and the doctor says %v, %v", name, rep.Faults, err)
			}
			s.Close()
		}
	})
}

// FuzzBackup changes a backup at one place, or hands over a file that is none: it is refused, or it is what it was.
func FuzzBackup(f *testing.F) {
	r := newRig(f)
	s := r.login()
	r.submit(s, 1)
	if err := s.SaveDraft(Draft{ID: "d", Body: []byte("half")}); err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(r.dir, "backup.db")
	if err := s.Backup(path); err != nil {
		f.Fatal(err)
	}
	r.close(s)
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	r.o.OpenLimit = 5 * time.Second
	reader := newStore(r.o)
	want, err := reader.readBackup(path)
	if err != nil {
		f.Fatal(err)
	}
	for id := range len(good) / os.Getpagesize() {
		f.Add(uint32(id*os.Getpagesize()+8), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	}
	f.Add(uint32(0), []byte("hello"))
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		data := patch
		if at > 0 {
			data = append([]byte{}, good...)
			copy(data[int(at)%len(data):], patch)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		bomb.Bounded(t, bomb.Limit, func() {
			got, err := reader.readBackup(path)
			if err != nil {
				if !errors.Is(err, ErrNoBackup) && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) && !errors.Is(err, ErrNewer) {
					t.Errorf("no words for %v", err)
				}
				if strings.Contains(err.Error(), "did not end") {
					t.Error(err)
				}
				return
			}
			if got.Records != want.Records || got.head != want.head || got.Device != want.Device {
				t.Errorf("another backup: %+v", got)
			}
		})
	})
}
