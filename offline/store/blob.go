package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
	"bianmin/offline/durable"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// MaxBlob is the largest attachment in plain bytes; sealed it is 28 bytes longer.
const MaxBlob = 64<<20 - vault.NonceSize - vault.TagSize

// uploadRow is a blob that the platform does not hold yet.
type uploadRow struct {
	Size int64  `cbor:"1,keyasint"` // sealed bytes
	Seq  uint64 `cbor:"2,keyasint"` // order in which they were asked for
	// Of and Device name the case of a blob that goes the other way: this disk lost it, and the platform gives it back. 0
	// otherwise.
	Of     uint64 `cbor:"3,keyasint,omitempty"`
	Device uint32 `cbor:"4,keyasint,omitempty"`
}

func (s *Store) blobPath(addr [32]byte) string {
	name := hex.EncodeToString(addr[:])
	return filepath.Join(s.o.Dir, blobsName, name[:2], name)
}

// SealBlob seals an attachment under a random key: SM4-GCM, nonce ‖ ciphertext ‖ tag, no associated data. The address is
// SM3 of the sealed bytes.
func SealBlob(s vault.Suite, plain []byte, media, name string) (sealed []byte, b journal.Blob, err error) {
	k, err := s.NewKey()
	if err != nil {
		return nil, b, err
	}
	if sealed, err = s.Seal(k, plain, nil); err != nil {
		return nil, b, err
	}
	b = journal.Blob{
		Addr: s.Hash(sealed), Key: k, Plain: s.Hash(plain), Size: int64(len(plain)), Media: media, Name: filepath.Base(name),
	}
	return sealed, b, nil
}

// UnsealBlob opens the sealed bytes of a blob and checks that they are the ones the record names. Error: ErrDamaged.
func UnsealBlob(s vault.Suite, b journal.Blob, sealed []byte) ([]byte, error) {
	if s.Hash(sealed) != b.Addr {
		return nil, fmt.Errorf("%w: blob is not the one its address names", ErrDamaged)
	}
	plain, err := s.Open(b.Key, sealed, nil)
	if err != nil || int64(len(plain)) != b.Size || s.Hash(plain) != b.Plain {
		return nil, fmt.Errorf("%w: blob does not open to what the record names", ErrDamaged)
	}
	return plain, nil
}

// PutBlob seals an attachment into the blob folder and returns what a record needs to name it. The same bytes put twice
// are kept once. It is uploaded after a record that names it was committed. Errors: ErrLocked, ErrFull, words
// store.blobTooLarge.
func (s *Store) PutBlob(plain []byte, media, name string) (journal.Blob, error) {
	var b journal.Blob
	if len(plain) > MaxBlob {
		return b, words.New("store.blobTooLarge", fmt.Errorf("store: blob of %d bytes", len(plain)))
	}
	if err := s.write.act(); err != nil {
		return b, err
	}
	defer s.write.Unlock()
	if err := s.writable(); err != nil {
		return b, err
	}
	u, err := s.needUnlocked()
	if err != nil {
		return b, err
	}
	if err := s.room(); err != nil {
		return b, err
	}
	h := s.o.Suite.Hash(plain)
	key := s.box.handle("blob", string(h[:]))
	if b, ok := s.knownBlob(key); ok {
		b.Media, b.Name = media, filepath.Base(name)
		return b, nil
	}
	p, err := u.Period(s.present())
	if err != nil {
		return b, err
	}
	sealed, b, err := SealBlob(s.o.Suite, plain, media, name)
	if err != nil {
		return b, fmt.Errorf("store: seal blob: %w", err)
	}
	path := s.blobPath(b.Addr)
	if err := writeBlob(path, sealed); errors.Is(err, errNoSpace) {
		return b, noSpace(0, fmt.Errorf("%w: %w", ErrFull, err))
	} else if err != nil {
		return b, s.fail(err)
	}
	return b, s.update(func(tx *bolt.Tx) error {
		row := blobRow{Size: int64(len(sealed)), At: s.now().UnixMilli()}
		if err := s.box.put(tx, bucketBlobs, b.Addr[:], row); err != nil {
			return err
		}
		return s.box.putIn(tx, p, bucketBlobIndex, key, canon.MustMarshal(b))
	})
}

// writeBlob makes the file of a blob, and its folder, durable.
func writeBlob(path string, sealed []byte) error {
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return fmt.Errorf("store: blob folder: %w", err)
		}
		if err := durable.SyncDir(filepath.Dir(filepath.Dir(path))); err != nil {
			return err
		}
	}
	return writeFile(path, sealed)
}

// knownBlob finds a blob with the same plain bytes whose file is still whole in size.
func (s *Store) knownBlob(key []byte) (journal.Blob, bool) {
	var b journal.Blob
	err := s.db.View(func(tx *bolt.Tx) error {
		value := tx.Bucket([]byte(bucketBlobIndex)).Get(key)
		if value == nil {
			return ErrNotFound
		}
		plain, err := s.box.open(bucketBlobIndex, key, value, s.period)
		if err != nil {
			return err
		}
		return canon.Unmarshal(plain, &b)
	})
	if err != nil {
		return b, false
	}
	info, err := os.Stat(s.blobPath(b.Addr))
	return b, err == nil && info.Size() == b.Size+vault.NonceSize+vault.TagSize
}

// OpenBlob returns an attachment's plain bytes. Errors: ErrNotFound, ErrDamaged.
func (s *Store) OpenBlob(b journal.Blob) ([]byte, error) {
	sealed, err := os.ReadFile(s.blobPath(b.Addr))
	if errors.Is(err, os.ErrNotExist) {
		return nil, words.New("store.blobMissing", fmt.Errorf("%w: blob %x", ErrNotFound, b.Addr[:4]))
	}
	if err != nil {
		return nil, fmt.Errorf("store: read blob: %w", err)
	}
	plain, err := UnsealBlob(s.o.Suite, b, sealed)
	return plain, wrapRead(err)
}

// blobsHere checks that the attachments a record names are on the disk: blobs first, then the record.
func (s *Store) blobsHere(blobs []journal.Blob) error {
	for _, b := range blobs {
		if !s.blobIsHere(b) {
			return words.New("store.blobMissing", fmt.Errorf("%w: blob %x", ErrNotFound, b.Addr[:4]))
		}
	}
	return nil
}

// wantUpload queues a blob that a record names, unless the platform holds it.
func (w *work) wantUpload(b journal.Blob, at int64) error {
	var row blobRow
	err := w.s.box.get(w.tx, bucketBlobs, b.Addr[:], &row)
	if err != nil { // came with a record from the mirror, or its row is damaged
		row = blobRow{Size: b.Size + vault.NonceSize + vault.TagSize, At: at}
		if err := w.s.box.put(w.tx, bucketBlobs, b.Addr[:], row); err != nil {
			return err
		}
	}
	if row.Sent {
		return nil
	}
	seq, err := w.tx.Bucket([]byte(bucketUploads)).NextSequence()
	if err != nil {
		return fmt.Errorf("store: queue blob: %w", err)
	}
	return w.s.box.put(w.tx, bucketUploads, b.Addr[:], uploadRow{Size: row.Size, Seq: seq})
}

// PendingBlobs returns addresses and sealed sizes of the blobs of committed records that the platform does not hold yet,
// small ones first. It works while locked.
func (s *Store) PendingBlobs(ctx context.Context) ([][32]byte, []int64, error) {
	items, err := s.queued(ctx, false)
	if err != nil {
		return nil, nil, err
	}
	addrs, sizes := make([][32]byte, len(items)), make([]int64, len(items))
	for i, it := range items {
		addrs[i], sizes[i] = it.addr, it.row.Size
	}
	return addrs, sizes, ctx.Err()
}

// queuedBlob is a blob that has to move.
type queuedBlob struct {
	addr [32]byte
	row  uploadRow
}

// queued returns the blobs that go to the platform, or those that come back from there, small ones first.
func (s *Store) queued(ctx context.Context, back bool) ([]queuedBlob, error) {
	var items []queuedBlob
	if err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bucketUploads)).ForEach(func(k, v []byte) error {
			var row uploadRow
			if err := s.box.decode(bucketUploads, k, v, &row); err != nil || len(k) != 32 {
				s.log.ErrorContext(ctx, "upload entry does not open; the doctor names it")
				return nil
			}
			if (row.Of != 0) == back {
				items = append(items, queuedBlob{[32]byte(k), row})
			}
			return nil
		})
	}); err != nil {
		return nil, fmt.Errorf("store: queued blobs: %w", err)
	}
	sortUploads(items, func(i queuedBlob) (int64, uint64) { return i.row.Size, i.row.Seq })
	return items, nil
}

// BlobReader opens the sealed bytes of a blob for reading at any offset. The caller closes the Closer. Error: ErrNotFound.
func (s *Store) BlobReader(_ context.Context, addr [32]byte) (*io.SectionReader, io.Closer, error) {
	f, err := os.Open(s.blobPath(addr))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, words.New("store.blobMissing", fmt.Errorf("%w: blob %x", ErrNotFound, addr[:4]))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("store: open blob: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("store: open blob: %w", err)
	}
	return io.NewSectionReader(f, 0, info.Size()), f, nil
}

// BlobSent marks a blob as held by the platform; it is not pending any more, whatever record names it.
func (s *Store) BlobSent(ctx context.Context, addr [32]byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	return s.update(func(tx *bolt.Tx) error {
		var row blobRow
		if err := s.box.get(tx, bucketBlobs, addr[:], &row); err != nil {
			return fmt.Errorf("store: blob %x: %w", addr[:4], err)
		}
		row.Sent = true
		if err := s.box.put(tx, bucketBlobs, addr[:], row); err != nil {
			return err
		}
		return tx.Bucket([]byte(bucketUploads)).Delete(addr[:])
	})
}
