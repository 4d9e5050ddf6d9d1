package store

import (
	"errors"
	"fmt"
	"testing"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/words"
)

// A flipped byte in what says whose file it is makes the file damaged, not somebody else's: the mirror mends it.
func TestDamagedMetaIsNotCalledForeign(t *testing.T) {
	first := newRig(t)
	s := first.login()
	first.populate(s, 2)
	want := plain(t, s)
	first.close(s)
	for _, key := range [][]byte{keySchema, keyIdentity} {
		for part := range 3 {
			t.Run(fmt.Sprintf("%s-%d", key, part), func(t *testing.T) {
				r := first.copy(t)
				s := r.open()
				if err := s.update(func(tx *bolt.Tx) error {
					b := tx.Bucket([]byte(bucketMeta))
					value := append([]byte{}, b.Get(key)...)
					value[part*(len(value)-1)/2] ^= 0x10
					return b.Put(key, value)
				}); err != nil {
					t.Fatal(err)
				}
				r.close(s)
				_, err := Open(r.o)
				if name, _ := words.KeyOf(err); !errors.Is(err, ErrDamaged) || errors.Is(err, ErrForeign) || name != "store.damaged" {
					t.Fatalf("called %v", err)
				}
				if _, err := SetAside(r.dir, "", r.clock); err != nil {
					t.Fatal(err)
				}
				s = r.login()
				defer r.close(s)
				wantClean(t, s)
				if got := plain(t, s); len(got) != len(want) {
					t.Errorf("%d values came back from the mirror, want %d", len(got), len(want))
				}
			})
		}
	}
}
