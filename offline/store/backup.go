package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/durable"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// ErrNoBackup reports a folder without a backup of this machine, or a file that is none (words backup.none, backup.bad).
var ErrNoBackup = errors.New("store: no backup of this machine")

const backupSuffix = ".bak"

// backupPrefix is how the names of a device's backups begin; a number follows. The number counts on, whatever the clock
// says: the newest backup is the one with the highest.
func backupPrefix(device uint32) string {
	return "bianmin-" + strconv.FormatUint(uint64(device), 10) + "-"
}

// Backups lists the backups of a device in a folder, the newest first. A folder that is not there has none.
func Backups(dir string, device uint32) ([]string, error) {
	list, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("store: list backups: %w", err)
	}
	var nos []uint64
	for _, e := range list {
		if no, ok := backupNo(e.Name(), device); ok && e.Type().IsRegular() {
			nos = append(nos, no)
		}
	}
	slices.Sort(nos)
	slices.Reverse(nos)
	out := make([]string, len(nos))
	for i, no := range nos {
		out[i] = filepath.Join(dir, backupName(device, no))
	}
	return out, nil
}

func backupName(device uint32, no uint64) string {
	return fmt.Sprintf("%s%06d%s", backupPrefix(device), no, backupSuffix)
}

func backupNo(name string, device uint32) (uint64, bool) {
	rest, ok := strings.CutPrefix(name, backupPrefix(device))
	if !ok {
		return 0, false
	}
	rest, ok = strings.CutSuffix(rest, backupSuffix)
	no, err := strconv.ParseUint(rest, 10, 64)
	return no, ok && err == nil && backupName(device, no) == name
}

// BackupTo makes the next backup in a folder, which may be on a stick, and when it is whole and on the disk removes the
// oldest ones until keep are left (0: none is removed). Acts go on meanwhile. Errors have words backup.failed, or wrap ErrFull;
// the backups that were there stay.
func (s *Store) BackupTo(dir string, keep int) (path string, err error) {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	// Not MkdirAll: where a stick should be there must not be a folder of the machine's own disk.
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", words.New("backup.failed", fmt.Errorf("store: backup: %w", err), "dir", dir)
	}
	have, err := Backups(dir, s.o.Device)
	if err != nil {
		return "", words.New("backup.failed", err, "dir", dir)
	}
	next := uint64(1)
	if len(have) > 0 {
		no, _ := backupNo(filepath.Base(have[0]), s.o.Device)
		next = no + 1
	}
	path = filepath.Join(dir, backupName(s.o.Device, next))
	if err := s.backupRoom(dir); err != nil {
		return "", err
	}
	switch err := s.Backup(path); {
	case errors.Is(err, errNoSpace):
		return "", noSpace(0, fmt.Errorf("%w: %w", ErrFull, err))
	case err != nil:
		return "", words.New("backup.failed", err, "dir", dir)
	}
	if keep > 0 {
		for _, old := range have[min(keep-1, len(have)):] {
			if err := os.Remove(old); err != nil {
				return path, words.New("backup.failed", fmt.Errorf("store: remove old backup: %w", err), "dir", dir)
			}
		}
	}
	return path, nil
}

// backupRoom refuses a backup into the machine's own disk when it would eat up the reserve.
func (s *Store) backupRoom(dir string) error {
	free, err := s.o.FreeSpace(dir)
	if err != nil {
		return words.New("backup.failed", err, "dir", dir)
	}
	var size int64
	if err := s.db.View(func(tx *bolt.Tx) error {
		size = tx.Size()
		return nil
	}); err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	want := uint64(size)
	if a, err := filepath.Abs(dir); err == nil {
		if own, err := filepath.Abs(s.o.Dir); err == nil && strings.HasPrefix(a+string(filepath.Separator), own+string(filepath.Separator)) {
			want += s.o.Reserve
		}
	}
	if free < want {
		return noSpace(free, ErrFull)
	}
	return nil
}

// Backup writes a hot copy of the file to path, durable when it returns, after reading it back and comparing every entry.
// It holds the same sealed values; the mirror completes it after a restore. It holds no key: keys that were destroyed stay
// so. Acts go on meanwhile.
func (s *Store) Backup(path string) error {
	tmp := path + ".part"
	err := s.db.View(func(tx *bolt.Tx) error { return copyAside(tx, tmp) })
	if err != nil {
		return errors.Join(fmt.Errorf("store: backup: %w", err), removed(tmp))
	}
	if err := os.Rename(tmp, path); err != nil {
		return errors.Join(fmt.Errorf("store: backup: %w", err), removed(tmp))
	}
	return durable.SyncDir(filepath.Dir(path))
}

// removed takes a half-written file away; on a disk that is gone there is none.
func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("store: remove %s: %w", filepath.Base(path), err)
	}
	return nil
}

// copyAside writes what tx sees to a file, syncs it and reads it back.
func copyAside(tx *bolt.Tx, path string) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = tx.WriteTo(f)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	copied, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: lockTimeout})
	if err != nil {
		return err
	}
	defer copied.Close()
	return guarded(func() error { return sameContents(context.Background(), tx, copied) })
}

// Contents is what a file holds, by its own account.
type Contents struct {
	Device  uint32 // whose journal it is: this machine's number, or one it had before
	Records uint64 // head of the journal
	Events  uint64 // cursor
	Acked   uint64 // last record the platform acknowledged
	Drafts  int
	Cases   int

	head   vault.Hash
	drafts map[string]vault.Hash // sealed draft by handle
}

// contents reads a file of this machine, of whatever number of it. Errors: ErrForeign, ErrNewer, ErrDamaged.
func (s *Store) contents(tx *bolt.Tx) (Contents, error) {
	c := Contents{drafts: map[string]vault.Hash{}}
	x, newest := s.box, len(s.o.seams.migrations)
	v, err := readSchema(tx, x)
	if err != nil {
		return c, err
	}
	if v > newest {
		return c, words.New("store.newer", fmt.Errorf("%w: file %d, program %d", ErrNewer, v, newest))
	}
	var id identity
	if err := x.get(tx, bucketMeta, keyIdentity, &id); err != nil {
		return c, words.New("store.damaged", fmt.Errorf("%w: identity: %w", ErrDamaged, err))
	}
	if !slices.ContainsFunc(s.epochs(), func(e Epoch) bool { return e.Device == id.Device }) {
		return c, words.New("store.foreign", fmt.Errorf("%w: file of device %d", ErrForeign, id.Device))
	}
	var h headState
	if err := x.get(tx, bucketMeta, keyHead, &h); err != nil && !errors.Is(err, ErrNotFound) {
		return c, err
	}
	var a ackState
	if err := x.get(tx, bucketAcks, keyLastAck, &a); err != nil && !errors.Is(err, ErrNotFound) {
		return c, err
	}
	c.Device, c.Records, c.Events, c.Acked, c.head = id.Device, h.Seq, h.Cursor, a.To, h.Hash
	c.Cases = tx.Bucket([]byte(bucketSummaries)).Stats().KeyN
	return c, tx.Bucket([]byte(bucketDrafts)).ForEach(func(k, v []byte) error {
		c.drafts[string(k)] = x.suite.Hash(v)
		c.Drafts++
		return nil
	})
}

// readBackup opens a backup, reads every page, key and machine value of it, and tells what it holds.
func (s *Store) readBackup(path string) (c Contents, err error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return c, words.New("backup.none", fmt.Errorf("%w: %w", ErrNoBackup, err), "file", path)
	}
	c, err = within(s.o.OpenLimit, func() (c Contents, err error) {
		db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: lockTimeout})
		if err != nil {
			return c, err
		}
		defer db.Close()
		if err := elementsOf(path, db); err != nil {
			return c, err
		}
		return c, db.View(func(tx *bolt.Tx) error {
			if c, err = s.contents(tx); err != nil {
				return err
			}
			var first error
			for err := range tx.Check() { // to its end: a check that nobody listens to stays for ever
				first = cmp.Or(first, err)
			}
			if first != nil {
				return first
			}
			return s.tagsHold(tx)
		})
	})
	if key, _ := words.KeyOf(err); err != nil && key == "error.unknown" {
		err = words.New("backup.bad", fmt.Errorf("%w: %w", ErrNoBackup, err), "file", path)
	}
	return c, err
}

// elementsOf is checkElements for an open file.
func elementsOf(path string, db *bolt.DB) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return checkElements(f, db.Info().PageSize, info.Size())
}

// within runs fn with panics as errors, and does not wait longer than limit: bbolt turns in circles in some damaged files.
func within(limit time.Duration, fn func() (Contents, error)) (Contents, error) {
	type result struct {
		c   Contents
		err error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		r.err = guarded(func() (err error) {
			r.c, err = fn()
			return err
		})
		done <- r
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.c, r.err
	case <-timer.C:
		return Contents{}, fmt.Errorf("%w: reading did not end within %v", ErrDamaged, limit)
	}
}

// tagsHold checks every value as far as it can be while nobody is logged in.
func (s *Store) tagsHold(tx *bolt.Tx) error {
	return tx.ForEach(func(name []byte, b *bolt.Bucket) error { return s.tagsIn(string(name), nil, b) })
}

// tagsIn checks the values of a bucket and of the journals of former numbers in it, whose buckets have their own names. home
// is the key of the bucket within bucketFormer; it goes before the keys of what lies directly in it.
func (s *Store) tagsIn(bucket string, home []byte, b *bolt.Bucket) error {
	return b.ForEach(func(k, v []byte) error {
		key := k
		switch {
		case v == nil && bucket == bucketFormer && home == nil:
			return s.tagsIn(bucketFormer, k, b.Bucket(k))
		case v == nil:
			return s.tagsIn(string(k), nil, b.Bucket(k))
		case bucket == bucketMeta && string(k) == string(keySchema):
			return nil
		case home != nil:
			key = slices.Concat(home, k)
		}
		bucket := sealedAs(bucket, key)
		id, _, err := s.box.split(bucket, key, v)
		if err == nil && id == "" {
			_, err = s.box.open(bucket, key, v, noPeriods)
		}
		return err
	})
}

// NewestBackup returns the newest backup of this device in the folders that is whole, and what it holds. Error: ErrNoBackup.
// o is as for [Open]; the store may be open or not.
func NewestBackup(o Options, dirs ...string) (path string, err error) {
	s := newStore(o)
	for _, dir := range dirs {
		list, lerr := Backups(dir, o.Device)
		if lerr != nil {
			err = errors.Join(err, lerr)
			continue
		}
		for _, path := range list {
			if _, rerr := s.readBackup(path); rerr != nil {
				err = errors.Join(err, rerr)
				continue
			}
			return path, nil
		}
	}
	return "", words.New("backup.none", errors.Join(ErrNoBackup, err), "file", strings.Join(dirs, ", "))
}

// SetAside renames a file that does not open, and puts the backup in its place when one is named; without one the next
// Open begins a new file. Either way the mirror brings the records back. It returns the damaged file's new path. The
// store must be closed.
func SetAside(dir, backup string, now time.Time) (string, error) {
	path := filepath.Join(dir, fileName)
	aside := path + ".damaged-" + now.UTC().Format("20060102T150405.000")
	if err := os.Rename(path, aside); err != nil {
		return "", fmt.Errorf("store: set aside: %w", err)
	}
	if backup == "" {
		return aside, durable.SyncDir(dir)
	}
	f, err := os.Open(backup)
	if err != nil {
		return aside, fmt.Errorf("store: restore backup: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return aside, fmt.Errorf("store: restore backup: %w", err)
	}
	return aside, writeFile(path, data)
}
