package store

import (
	"context"
	"errors"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// sealedSize is the size of a blob on the disk and on the way.
func sealedSize(b journal.Blob) int64 { return b.Size + vault.NonceSize + vault.TagSize }

// blobIsHere reports whether the file of a blob is on the disk, whole in size.
func (s *Store) blobIsHere(b journal.Blob) bool {
	info, err := os.Stat(s.blobPath(b.Addr))
	return err == nil && info.Size() == sealedSize(b)
}

// wantBack queues the attachments of a record that came from the platform and whose files this disk has not: they are fetched. One
// whose file is here is left to wantUpload; the platform says when it holds it already. at is the space of the machine, device
// whose record it is.
func (s *Store) wantBack(at space, device uint32, of uint64, rec journal.Record) error {
	for _, b := range blobsOf(rec) {
		if s.blobIsHere(b) || of == 0 {
			continue
		}
		row := blobRow{Size: sealedSize(b), At: rec.At, Sent: true}
		if err := s.box.put(at, bucketBlobs, b.Addr[:], row); err != nil {
			return err
		}
		seq, err := at.Bucket([]byte(bucketUploads)).NextSequence()
		if err != nil {
			return fmt.Errorf("store: queue blob: %w", err)
		}
		if err := s.box.put(at, bucketUploads, b.Addr[:], uploadRow{Size: row.Size, Seq: seq, Of: of, Device: device}); err != nil {
			return err
		}
	}
	return nil
}

// wantLost queues every attachment that the platform holds and whose file is gone or damaged here. Called with write held and
// somebody logged in: the records say whose they are.
func (s *Store) wantLost() error {
	lost := map[[32]byte]bool{}
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bucketBlobs)).ForEach(func(k, v []byte) error {
			var row blobRow
			if len(k) == 32 && s.box.decode(bucketBlobs, k, v, &row) == nil && row.Sent && s.checkBlob([32]byte(k), row.Size) != nil {
				lost[[32]byte(k)] = true
			}
			return nil
		})
	})
	if err != nil || len(lost) == 0 {
		return wrapRead(err)
	}
	return s.update(func(tx *bolt.Tx) error {
		for seq := uint64(1); seq <= s.head && len(lost) > 0; seq++ {
			rec, row, err := s.record(tx, seq)
			if err != nil {
				continue // the doctor names it
			}
			for _, b := range blobsOf(rec) {
				if !lost[b.Addr] || row.Case == 0 {
					continue
				}
				delete(lost, b.Addr)
				if err := os.Remove(s.blobPath(b.Addr)); err != nil && !errors.Is(err, os.ErrNotExist) { // not what its name says
					return fmt.Errorf("store: damaged blob: %w", err)
				}
				if err := s.wantBack(tx, s.Device(), row.Case, rec); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// WantedBlobs returns the attachments that this disk lost and the platform gives back, small ones first: addresses, sealed sizes,
// and device number and submission of the case of each. It works while locked.
func (s *Store) WantedBlobs(ctx context.Context) (addrs [][32]byte, sizes []int64, devices []uint32, cases []uint64, err error) {
	list, err := s.queued(ctx, true)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	for _, q := range list {
		addrs, sizes, devices, cases = append(addrs, q.addr), append(sizes, q.row.Size), append(devices, q.row.Device), append(cases, q.row.Of)
	}
	return addrs, sizes, devices, cases, ctx.Err()
}

// TakeBlob keeps the sealed bytes of an attachment that came back. Errors: ErrNotFound when it is not wanted, ErrDamaged when the
// bytes are others, ErrFull.
func (s *Store) TakeBlob(ctx context.Context, addr [32]byte, sealed []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.o.Suite.Hash(sealed) != addr {
		return words.New("store.damagedValue", fmt.Errorf("%w: attachment is not the one its address names", ErrDamaged))
	}
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.receivable(); err != nil {
		return err
	}
	if err := s.room(); err != nil {
		return err
	}
	var row uploadRow
	if err := s.db.View(func(tx *bolt.Tx) error { return s.box.get(tx, bucketUploads, addr[:], &row) }); err != nil || row.Of == 0 {
		return wrapRead(errors.Join(err, fmt.Errorf("%w: attachment is not wanted", ErrNotFound)))
	}
	err := writeBlob(s.blobPath(addr), sealed)
	if errors.Is(err, errNoSpace) {
		return noSpace(0, fmt.Errorf("%w: %w", ErrFull, err))
	}
	if err != nil {
		return s.fail(err)
	}
	return s.update(func(tx *bolt.Tx) error { return tx.Bucket([]byte(bucketUploads)).Delete(addr[:]) })
}
