package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Buckets of the file. offline/doc.go draws the tree; a test compares the drawing with a populated file.
const (
	bucketMeta       = "meta"
	bucketHeaders    = "headers"
	bucketBodies     = "bodies"
	bucketReceipts   = "receipts"
	bucketOutbox     = "outbox"
	bucketAcks       = "acks"
	bucketEvents     = "events"
	bucketOpened     = "opened"
	bucketCases      = "cases"
	bucketSummaries  = "summaries"
	bucketUnapplied  = "unapplied"
	bucketQuarantine = "quarantine"
	bucketDrafts     = "drafts"
	bucketDocs       = "docs"
	bucketBlobs      = "blobs"
	bucketBlobIndex  = "blobindex"
	bucketUploads    = "uploads"
	bucketMirror     = "mirror"
)

// buckets lists every bucket of the newest schema, in the order of the drawing.
var buckets = []string{
	bucketMeta, bucketHeaders, bucketBodies, bucketReceipts, bucketOutbox, bucketAcks, bucketEvents, bucketOpened,
	bucketCases, bucketSummaries, bucketUnapplied, bucketQuarantine, bucketDrafts, bucketDocs, bucketBlobs,
	bucketBlobIndex, bucketUploads, bucketMirror,
}

// projections are the buckets that Rebuild empties and fills again from headers, bodies and events. Receipts are in
// part a projection: stage 2 comes from events.
var projections = []string{bucketOpened, bucketCases, bucketSummaries, bucketUnapplied, bucketQuarantine}

// Keys of bucket meta.
var (
	keySchema   = []byte("schema")
	keyIdentity = []byte("identity")
	keyHead     = []byte("head")
	keyClock    = []byte("clock")
	keyApplied  = []byte("applied")
	keyErasing  = []byte("erasing")  // what an erasure still has to do outside the file
	keyRestored = []byte("restored") // put in by a restore, until the next login: Unix milliseconds
)

// Keys of bucket acks.
var (
	keyLastAck = []byte("last")
	keyFork    = []byte("fork")
)

// migrations[i] takes the file from schema i to i+1. Never edit or reorder a shipped entry.
var migrations = []func(*bolt.Tx) error{createBuckets, receiptsBeside}

// Schema is the version of the file's layout that this program writes.
func Schema() int { return len(migrations) }

func createBuckets(tx *bolt.Tx) error {
	for _, name := range buckets {
		if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return fmt.Errorf("create bucket %s: %w", name, err)
		}
	}
	return nil
}

// receiptsBeside moves the desk's receipts beside their records' bodies. From schema 2 on there may also be packed values
// (layout version 2) and fresh cases (Row.Fresh), which a program for schema 1 cannot read.
func receiptsBeside(tx *bolt.Tx) error {
	if err := moveReceipts(tx); err != nil {
		return err
	}
	home := tx.Bucket([]byte(bucketFormer))
	if home == nil {
		return nil
	}
	return home.ForEachBucket(func(k []byte) error {
		b := home.Bucket(k)
		if branch := b.Bucket(branchName); branch != nil {
			if err := moveReceipts(branch); err != nil {
				return err
			}
		}
		return moveReceipts(b)
	})
}

func moveReceipts(in space) error {
	from, to := in.Bucket([]byte(bucketReceipts)), in.Bucket([]byte(bucketBodies))
	if from == nil || to == nil {
		return nil
	}
	moved := map[string][]byte{}
	if err := from.ForEach(func(k, v []byte) error {
		if len(k) == receiptKeySize && k[receiptKeySize-1] == 1 {
			moved[string(k)] = v
		}
		return nil
	}); err != nil {
		return fmt.Errorf("move receipts: %w", err)
	}
	for _, k := range slices.Sorted(maps.Keys(moved)) {
		if err := errors.Join(to.Put([]byte(k), bytes.Clone(moved[k])), from.Delete([]byte(k))); err != nil {
			return fmt.Errorf("move receipt %x: %w", k, err)
		}
	}
	return nil
}

// errNothingDue leaves a write transaction without writing.
var errNothingDue = errors.New("store: nothing to migrate")

// migrate brings the file to the newest schema in one transaction: all steps or none. before runs ahead of the first
// step when the file already holds data; first, after the last step, when it is new.
func migrate(db *bolt.DB, x *box, steps []func(*bolt.Tx) error, before func(*bolt.Tx, int) error, first func(*bolt.Tx) error) (fresh bool, err error) {
	err = db.Update(func(tx *bolt.Tx) error {
		v, err := readSchema(tx, x)
		if err != nil {
			return err
		}
		fresh = v == 0
		switch {
		case v > len(steps):
			return words.New("store.newer", fmt.Errorf("%w: file %d, program %d", ErrNewer, v, len(steps)))
		case v == len(steps):
			return errNothingDue
		}
		if v > 0 {
			if err := before(tx, v); err != nil {
				return err
			}
		}
		for ; v < len(steps); v++ {
			if err := steps[v](tx); err != nil {
				return fmt.Errorf("store: migrate %d to %d: %w", v, v+1, err)
			}
		}
		if err := writeSchema(tx, x, v); err != nil || !fresh {
			return err
		}
		return first(tx)
	})
	if errors.Is(err, errNothingDue) {
		err = nil
	}
	return fresh, err
}

// readSchema returns 0 for a new file. The number is authenticated, so a flipped bit is not taken for another version.
func readSchema(tx *bolt.Tx, x *box) (int, error) {
	b := tx.Bucket([]byte(bucketMeta))
	if b == nil {
		return 0, nil
	}
	v := b.Get(keySchema)
	if len(v) != 4+macSize {
		return 0, words.New("store.damaged", fmt.Errorf("%w: schema version has %d bytes", ErrDamaged, len(v)))
	}
	if !vault.Equal(x.tag(bucketMeta, keySchema, v[:4]), v[4:]) {
		var id identity
		if x.get(tx, bucketMeta, keyIdentity, &id) == nil { // what only this machine can have written
			return 0, words.New("store.damaged", fmt.Errorf("%w: schema version", ErrDamaged))
		}
		return 0, words.New("store.foreign", fmt.Errorf("%w: schema version is not of this machine", ErrForeign))
	}
	return int(binary.BigEndian.Uint32(v)), nil
}

func writeSchema(tx *bolt.Tx, x *box, version int) error {
	v := binary.BigEndian.AppendUint32(nil, uint32(version))
	v = append(v, x.tag(bucketMeta, keySchema, v)...)
	if err := tx.Bucket([]byte(bucketMeta)).Put(keySchema, v); err != nil {
		return fmt.Errorf("store: write schema: %w", err)
	}
	return nil
}

// seqKey is the key of record or event n: 8 bytes big-endian, so cursor order is log order.
func seqKey(n uint64) []byte { return vault.U64(n) }

const receiptKeySize = 9

// receiptKey is seq followed by the stage.
func receiptKey(seq uint64, stage uint8) []byte { return append(vault.U64(seq), stage) }

// receiptHome is the bucket that a receipt lies in. The desk's own lies beside the body of its record: a save then changes
// no page of another bucket for it.
func receiptHome(stage uint8) string {
	if stage == 1 {
		return bucketBodies
	}
	return bucketReceipts
}

// sealedAs is the bucket that the seal of a value names: that of what it is, wherever it lies.
func sealedAs(bucket string, key []byte) string {
	if bucket == bucketBodies && len(key) == receiptKeySize {
		return bucketReceipts
	}
	return bucket
}

// Marks of bucket unapplied: what the number in the key counts.
const (
	markRecord = 'r'
	markEvent  = 'e'
)

func markKey(mark byte, n uint64) []byte { return append([]byte{mark}, vault.U64(n)...) }
