package store

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// TestPagesInCircles: page numbers are bent so that they lead in circles, to the same page twice, or out of the file. bbolt
// alone would go round until the memory is used up; opening says at once that the file is damaged, and uses no memory.
func TestPagesInCircles(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 40)
	page := s.db.db.Info().PageSize
	r.close(s)
	path := filepath.Join(r.dir, fileName)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var branches, leaves []int
	for id := 2; (id+1)*page <= len(good); id++ {
		head := good[id*page:]
		if binary.LittleEndian.Uint64(head) != uint64(id) {
			continue
		}
		switch binary.LittleEndian.Uint16(head[8:]) {
		case flagBranch:
			branches = append(branches, id)
		case flagLeaf:
			leaves = append(leaves, id)
		}
	}
	if len(branches) < 2 || len(leaves) < 10 {
		t.Fatalf("%d branches, %d leaves: too few to bend", len(branches), len(leaves))
	}
	bend := func(fn func(rnd *rand.Rand, own, elem int) uint64) func(rnd *rand.Rand) []byte {
		return func(rnd *rand.Rand) []byte {
			bad := append([]byte{}, good...)
			for _, id := range branches { // all: which are in use is not asked
				n := int(binary.LittleEndian.Uint16(bad[id*page+10:]))
				elem := rnd.IntN(n)
				binary.LittleEndian.PutUint64(bad[id*page+pageHead+elem*pageElement+8:], fn(rnd, id, elem))
			}
			return bad
		}
	}
	for _, c := range []struct {
		name string
		make func(rnd *rand.Rand) []byte
	}{
		{"to itself", bend(func(_ *rand.Rand, own, _ int) uint64 { return uint64(own) })},
		{"to the root", bend(func(*rand.Rand, int, int) uint64 { return uint64(branches[0]) })},
		{"to another branch", bend(func(rnd *rand.Rand, _, _ int) uint64 { return uint64(branches[rnd.IntN(len(branches))]) })},
		{"to a leaf of another bucket", bend(func(rnd *rand.Rand, _, _ int) uint64 { return uint64(leaves[rnd.IntN(len(leaves))]) })},
		{"to a meta page", bend(func(*rand.Rand, int, int) uint64 { return 1 })},
		{"out of the file", bend(func(rnd *rand.Rand, _, _ int) uint64 { return rnd.Uint64() | 1<<40 })},
	} {
		t.Run(c.name, func(t *testing.T) {
			for round := range uint64(6) {
				if err := os.WriteFile(path, c.make(rand.New(rand.NewPCG(5, round))), 0o600); err != nil {
					t.Fatal(err)
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				s, err := Open(r.o)
				runtime.ReadMemStats(&after)
				if err == nil {
					s.Close()
					if c.name == "to a leaf of another bucket" { // a leaf that is not in use any more
						continue
					}
					t.Fatal("it opens")
				}
				if !errors.Is(err, ErrDamaged) {
					t.Fatal(err)
				}
				if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
					t.Fatalf("%d MB were used to find out", used>>20)
				}
			}
		})
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	wantClean(t, r.login())
}

// TestOpeningEndsInTime: what no check foresaw still ends at the limit.
func TestOpeningEndsInTime(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 3)
	r.close(s)
	o := r.o
	o.OpenLimit = time.Nanosecond
	release := make(chan struct{})
	o.seams.opened = func(*bolt.DB) { <-release }
	_, err := Open(o)
	close(release)
	if !errors.Is(err, ErrDamaged) {
		t.Fatalf("opening ended with %v", err)
	}
}
