package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/durable"
	"bianmin/offline/frame"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
)

// carriedMark ends the label of a record's frame in the mirror when the record was salted with the key of another, closed
// period.
const carriedMark = "+"

// FinishErasure does the part of an erasure that lies outside the file: it writes the mirror's segments anew, removes
// attachments, and whatever older copies of the file lie in the folder. What is removed is overwritten first, as far as the
// file system lets a program do that. It may be called again after a crash; without an erasure it does nothing.
func (s *Store) FinishErasure() error {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	s.write.Lock()
	defer s.write.Unlock()
	var m erasing
	err := s.db.View(func(tx *bolt.Tx) error { return s.box.get(tx, bucketMeta, keyErasing, &m) })
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return wrapRead(err)
	}
	for _, addr := range m.Blobs {
		name := hex.EncodeToString(addr[:])
		if err := Shred(filepath.Join(s.o.Dir, blobsName, name[:2], name)); err != nil {
			return err
		}
	}
	if err := errors.Join(s.rewriteMirror(), s.rewriteFormer()); err != nil {
		return s.fail(err)
	}
	return s.shredCopies()
}

// rewriteMirror writes every segment anew that holds something erased. Called with write held.
func (s *Store) rewriteMirror() error {
	nos, err := s.mir.segments()
	if err != nil {
		return err
	}
	if err := s.mir.close(); err != nil { // where a file that is open cannot be replaced
		return err
	}
	for _, no := range nos {
		if err := s.rewriteSegment(s.mir, no, s.erasedFrame); err != nil {
			return fmt.Errorf("store: mirror segment %d: %w", no, err)
		}
	}
	fresh := s.newMirror(*s.epoch.Load())
	fresh.dict = s.mir.dict
	if err := openMirror(fresh, nil); err != nil {
		return err
	}
	s.mir = fresh
	return s.update(func(tx *bolt.Tx) error { return s.fileIndex(tx, nil) })
}

// rewriteSegment writes a segment anew when kept leaves less of it.
func (s *Store) rewriteSegment(m *mirror, no uint32, kept func(tx *bolt.Tx, f Frame) ([]Frame, bool, error)) error {
	var out []byte
	changed := false
	if err := s.db.View(func(tx *bolt.Tx) error {
		data, end, bad, err := m.scan(no, func(_ int64, f Frame) error {
			left, same, err := kept(tx, f)
			if err != nil {
				return err
			}
			changed = changed || !same
			for _, f := range left {
				if out, err = frame.Append(out, s.o.Suite, f); err != nil {
					return err
				}
			}
			return nil
		})
		changed = changed || len(bad) > 0 || end < int64(len(data)) // bytes that are no frame may be torn ones
		return err
	}); err != nil {
		return err
	}
	if !changed {
		return nil
	}
	path := filepath.Join(m.dir, segmentName(no))
	return replace(path, out)
}

// erasedFrame returns what stays of a frame; same is true when it stays as it is.
func (s *Store) erasedFrame(tx *bolt.Tx, f Frame) (kept []Frame, same bool, err error) {
	switch f.Kind {
	case FrameRecord:
		row, err := s.header(tx, f.Number)
		switch {
		case err != nil:
			return []Frame{f}, true, nil // beyond the file, or damaged: not ours to judge
		case row.Purged:
			return s.purgedFrame(*s.epoch.Load(), f, row)
		case len(row.Salt) > 0 && f.Label != row.Period+carriedMark:
			f.Label = row.Period + carriedMark
			return []Frame{f}, false, nil
		}
	case FrameReceipt:
		if row, err := s.header(tx, f.Number); err == nil && row.Purged {
			return nil, false, nil
		}
	case FrameEvent:
		var row eventRow
		if err := s.box.get(tx, bucketEvents, seqKey(f.Number), &row); err == nil && row.gone() {
			g, err := s.eventFrame(f.Number, row)
			return []Frame{g}, false, err
		}
	case FrameDraft, FrameDropped:
		if tx.Bucket([]byte(bucketDrafts)).Get([]byte(f.Label)) == nil {
			return nil, false, nil // submitted, thrown away, or erased
		}
	}
	return []Frame{f}, true, nil
}

// purgedFrame packs a record's header alone, with no salt: nothing in it helps to guess the body.
func (s *Store) purgedFrame(e Epoch, f Frame, row headerRow) ([]Frame, bool, error) {
	if p, err := packet.Parse(f.Payload); err == nil && p.Codec == packet.CodecPlain && len(f.Payload) < purgedMost {
		return []Frame{f}, true, nil // it was packed so before
	}
	data, err := packet.Seal([]journal.Record{{Header: row.Header}}, packet.Options{
		Suite: s.o.Suite, Device: e.Device, Signer: e.Signer, Codec: packet.CodecPlain,
		Recipients: []vault.PublicKey{s.o.Platform.SealKey, s.o.Ring.SealPublic()},
	})
	if err != nil {
		return nil, false, fmt.Errorf("store: pack header %d: %w", row.Seq, err)
	}
	f.Payload = data
	return []Frame{f}, false, nil
}

const packsName = "packs"

// shredCopies removes what lies beside the file and may hold what was erased: files set aside as damaged, replaced or
// migrated, temporary ones, torn tails.
func (s *Store) shredCopies() error {
	return filepath.WalkDir(s.o.Dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && e.Name() == packsName {
			return fs.SkipDir // a pack may be on its way into it just now
		}
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		name := e.Name()
		switch {
		case strings.HasPrefix(name, fileName+".") && name != compactName,
			strings.HasSuffix(name, ".part"), strings.HasSuffix(name, ".torn"), strings.HasPrefix(name, ".tmp-"):
			return Shred(path)
		}
		return nil
	})
}

// EraseBackups removes the backups of this machine in a folder, overwritten first.
func (s *Store) EraseBackups(dir string) error {
	for _, e := range s.epochs() {
		list, err := Backups(dir, e.Device)
		if err != nil {
			return err
		}
		for _, path := range list {
			if err := Shred(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// CompactAway writes the file anew without anything that is not in use, however often acts come in between, and overwrites
// the old one.
func (s *Store) CompactAway(ctx context.Context) error {
	return overwritten(s.path, func() error {
		for range compactTries {
			if done, err := s.Compact(ctx, true); done || err != nil {
				return err
			}
		}
		return fmt.Errorf("store: compact: acts came in between, %d times", compactTries)
	})
}

const compactTries = 20

// purgedMost bounds a packet that holds one header and no body, in bytes; any other is packed again.
const purgedMost = 700

// Shred overwrites a file with zeros, makes that durable, and removes it. Whether the old bytes are really gone is up to the
// file system and the disk: journalling, copying and wear-levelling ones keep them. A file that is not there is no error.
func Shred(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		if err = errors.Join(zero(f), f.Close()); err == nil {
			err = os.Remove(path)
		}
	}
	if err != nil {
		return fmt.Errorf("store: erase %s: %w", filepath.Base(path), err)
	}
	return durable.SyncDir(filepath.Dir(path))
}

// zero overwrites what a file holds, durable.
func zero(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	zeros := make([]byte, 64<<10)
	for at := int64(0); at < info.Size(); at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), info.Size()-at)], at); err != nil {
			return err
		}
	}
	return f.Sync()
}

// overwritten runs fn, which puts another file in the place of path, and then overwrites the one that was there. Where a
// file that is open cannot be replaced, the old one is only forgotten.
func overwritten(path string, fn func() error) error {
	if !renameOpen {
		return fn()
	}
	old, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("store: erase %s: %w", filepath.Base(path), err)
	}
	defer old.Close()
	if err := fn(); err != nil {
		return err
	}
	now, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("store: erase %s: %w", filepath.Base(path), err)
	}
	if was, err := old.Stat(); err != nil || os.SameFile(was, now) {
		return fmt.Errorf("store: %s was not replaced: %w", filepath.Base(path), err)
	}
	return zero(old)
}

// replace puts data in a file's place, durable, and overwrites what was there before.
func replace(path string, data []byte) error {
	return overwritten(path, func() error { return writeFile(path, data) })
}
