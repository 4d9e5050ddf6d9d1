// Package store keeps a device's two logs, what follows from them, drafts and attachments on disk: one bbolt file, a
// mirror of it that needs no bbolt to be read, and a folder of sealed blobs.
//
// One act of a person is one transaction ([Store.Commit]); it returns only when the record is durable in the file and
// in the mirror. Every value is sealed with SM4-GCM bound to its place, so a changed byte is found and named
// ([Store.Verify]), never read as something else. Case lists, summaries and opened events are projections: Rebuild makes
// them again from the logs.
//
// A [Store] has two levels. Opened with the ring it is at machine level: it sends, takes acks and events, counts. After
// Unlock it reads and writes what names people. offline/doc.go draws the buckets; docs/store.md tells the rest.
package store

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Errors that callers branch on. What a clerk reads is the words key that wraps them.
var (
	// ErrBusy reports a file that another copy of the program has open (words store.busy).
	ErrBusy = errors.New("store: in use by another program")
	// ErrNewer reports a file of a newer program (words store.newer).
	ErrNewer = errors.New("store: written by a newer program")
	// ErrForeign reports a file that is not of this machine or device (words store.foreign).
	ErrForeign = errors.New("store: not of this machine")
	// ErrDamaged reports bytes that are not what was written (words store.damaged).
	ErrDamaged = errors.New("store: damaged")
	// ErrFailed reports a store that stopped after a failed write; close it and open it again (words store.failed).
	ErrFailed = errors.New("store: stopped after a failed write")
	// ErrFull reports that the reserve of free disk space is reached (words store.diskFull).
	ErrFull = errors.New("store: disk is full")
	// ErrLocked reports that somebody must be logged in for this (words store.locked).
	ErrLocked = errors.New("store: nobody is logged in")
	// ErrBehind reports a file that lost its newest records; the mirror has them, and the next Unlock brings them back.
	// Until then nothing may be written (words store.behind).
	ErrBehind = errors.New("store: records must be taken back from the mirror first")
	// ErrForked reports a file and a mirror that tell different stories (words store.forked).
	ErrForked = errors.New("store: file and mirror disagree")
	// ErrNotFound reports a record, case, draft, document or receipt that is not here.
	ErrNotFound = errors.New("store: not found")
	// ErrForeignAck reports an ack or event that is not for this journal (words store.ackForeign, store.eventForeign).
	ErrForeignAck = errors.New("store: not for this journal")
)

const (
	fileName         = "store.db"
	mirrorName       = "mirror"
	blobsName        = "blobs"
	defaultReserve   = 64 << 20
	lockTimeout      = time.Second
	defaultOpenLimit = 30 * time.Second
)

// Platform holds the public halves of the platform's working keys.
type Platform struct {
	SignKey vault.PublicKey // acks, events, forks
	SealKey vault.PublicKey // packets are sealed to it
}

// Options says what a store is and where. Dir, Suite, Ring, Platform and Device are required.
type Options struct {
	Dir      string      // folder; made with mode 0700 when it is not there
	Suite    vault.Suite // primitives
	Ring     *vault.Ring // at machine level
	Platform Platform    // whom packets are for, whose acks and events count
	Device   uint32      // device number; a file of another device is refused
	Dict     []byte      // zstd dictionary for packets; nil: none

	Now       func() time.Time                 // wall clock; nil: time.Now
	Boot      func() Boot                      // running time; nil: the system's, or none when Now is given
	Log       *slog.Logger                     // nil: discard
	FreeSpace func(dir string) (uint64, error) // bytes free; nil: asks the system
	Reserve   uint64                           // bytes that stay free; 0: 64 MiB
	Segment   int64                            // bytes of a mirror segment; 0: 16 MiB
	OpenLimit time.Duration                    // how long opening and checking the file may take; 0: 30 s

	seams seams
}

// seams are places where tests make the disk fail.
type seams struct {
	maxSize    int
	syncMirror func(*os.File) error
	migrations []func(*bolt.Tx) error
}

// Store is an open store. All methods may be called from any goroutine; Close ends it.
type Store struct {
	o    Options
	log  *slog.Logger
	now  func() time.Time
	boot func() Boot
	db   *bolt.DB
	box  *box
	path string

	ratio atomic.Uint64 // float64 bits: packed bytes for each byte of bodies, in the last run; 0: none yet

	spare spare
	write sync.Mutex // one act at a time; held over transaction and mirror
	mir   *mirror    // protected by write

	mu       sync.RWMutex // protects the rest
	unlocked *vault.Unlocked
	failed   error
	behind   bool
	head     uint64
	headHash vault.Hash
	acked    uint64
	ackAt    int64
	ackKept  int64 // ackAt as it is on disk
	cursor   uint64
	told     vault.Hash // hash of the event at cursor
	applied  appliedState
	clock    clockState
	clockOn  clockState // as it is on disk
	need     string
	forked   bool
	rows     map[uint64]Row // nil until first asked for
	kept     uint64         // counts what may have changed rows
	faults   []error        // found while opening
	restored Restored
	noted    bool     // restored is in the journal
	gaps     []uint64 // records that are missing in the mirror, ascending
}

// identity says whose file this is.
type identity struct {
	Device uint32 `cbor:"1,keyasint"`
	Made   int64  `cbor:"2,keyasint"` // Unix milliseconds
}

// headState is the newest of both logs, kept apart from their last entries so that a damaged entry does not stop
// the doctor.
type headState struct {
	Seq    uint64     `cbor:"1,keyasint"`
	Hash   vault.Hash `cbor:"2,keyasint"`
	Cursor uint64     `cbor:"3,keyasint"`
	Told   vault.Hash `cbor:"4,keyasint"`
}

// appliedState says how far the projections are.
type appliedState struct {
	Cursor uint64 `cbor:"1,keyasint"` // events up to here are in the case projections
	Dirty  bool   `cbor:"2,keyasint"` // the next Unlock builds the case projections anew
}

// ackState is the newest ack.
type ackState struct {
	To  uint64 `cbor:"1,keyasint"`
	At  int64  `cbor:"2,keyasint"` // platform's clock, Unix milliseconds
	Ack []byte `cbor:"3,keyasint"` // packet.Ack as signed
}

// Restored tells what Open and Unlock brought back from the mirror.
type Restored struct {
	From, To uint64   // records taken back, both included; 0 when none
	Events   int      // events taken back
	Drafts   int      // draft checkpoints taken back; keystrokes after them are gone
	Mirrored []uint64 // records that were missing in the mirror and were written again
	TornTail int64    // bytes cut off the mirror's end: a write that was interrupted
}

// Open opens or makes the store in o.Dir. It waits at most a second for another program's lock, checks the file's
// structure, and completes whichever of file and mirror is shorter. Errors wrap ErrBusy, ErrNewer, ErrForeign,
// ErrDamaged or ErrFull with words for the clerk.
func Open(o Options) (*Store, error) {
	if o.Suite == nil || o.Ring == nil || o.Dir == "" || len(o.Platform.SignKey) == 0 || len(o.Platform.SealKey) == 0 {
		return nil, errors.New("store: open: Dir, Suite, Ring and Platform are required")
	}
	s := newStore(o)
	for _, dir := range []string{o.Dir, filepath.Join(o.Dir, blobsName), filepath.Join(o.Dir, mirrorName)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("store: make folder: %w", err)
		}
	}
	if err := s.openFile(); err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		s.Close()
		// A damaged list of free pages sends the first write far beyond any disk; bbolt has no check for it.
		if errors.Is(err, errTooLarge) {
			err = words.New("store.damaged", fmt.Errorf("%w: %w", ErrDamaged, err))
		}
		return nil, err
	}
	return s, nil
}

func newStore(o Options) *Store {
	s := &Store{o: o, log: o.Log, now: o.Now, boot: o.Boot, path: filepath.Join(o.Dir, fileName)}
	s.box = newBox(o.Suite, o.Ring.MachineKey(), o.Ring.MachinePeriod())
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.boot == nil {
		s.boot = systemBoot
		if s.now != nil {
			s.boot = func() Boot { return Boot{} }
		}
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.o.FreeSpace == nil {
		s.o.FreeSpace = freeSpace
	}
	if s.o.Reserve == 0 {
		s.o.Reserve = defaultReserve
	}
	if s.o.Segment == 0 {
		s.o.Segment = defaultSegment
	}
	if s.o.OpenLimit == 0 {
		s.o.OpenLimit = defaultOpenLimit
	}
	if s.o.seams.migrations == nil {
		s.o.seams.migrations = migrations
	}
	sync := o.seams.syncMirror
	if sync == nil {
		sync = dataSync
	}
	s.mir = &mirror{
		dir: filepath.Join(o.Dir, mirrorName), suite: o.Suite, box: s.box, device: o.Device, limit: s.o.Segment, sync: sync, dict: o.Dict,
	}
	return s
}

// openFile opens bbolt and walks every page that holds keys, in a goroutine of its own: a damaged file makes bbolt panic,
// fault or turn in circles.
func (s *Store) openFile() error {
	type result struct {
		db  *bolt.DB
		err error
	}
	done := make(chan result, 1)
	limit := time.Now().Add(s.o.OpenLimit)
	go func() {
		var db *bolt.DB
		var file *os.File
		err := guarded(func() (err error) {
			o := bolt.Options{
				Timeout: lockTimeout, FreelistType: bolt.FreelistMapType, MaxSize: s.o.seams.maxSize, NoStatistics: true,
				OpenFile: func(name string, flag int, perm os.FileMode) (f *os.File, err error) {
					file, err = os.OpenFile(name, flag, perm)
					return file, err
				},
			}
			// The walk has a mapping of its own, so that what it touches, the whole file, does not stay in memory.
			if info, serr := os.Stat(s.path); serr == nil && info.Size() > 0 {
				ro := o
				ro.ReadOnly = true
				if db, err = bolt.Open(s.path, 0o600, &ro); err != nil {
					return err
				}
				if err := walkKeys(db, limit); err != nil {
					return err
				}
				if err := db.Close(); err != nil {
					return err
				}
				db, file = nil, nil
			}
			db, err = bolt.Open(s.path, 0o600, &o)
			return err
		})
		switch {
		case err != nil && db != nil:
			db.Close()
		case err != nil && file != nil: // bbolt panicked on the way: it still holds the lock
			unlockFile(file)
			file.Close()
		}
		done <- result{db, err}
	}()
	timer := time.NewTimer(s.o.OpenLimit + lockTimeout)
	defer timer.Stop()
	var r result
	select {
	case r = <-done:
	case <-timer.C:
		return words.New("store.damaged", fmt.Errorf("%w: opening did not end within %v", ErrDamaged, s.o.OpenLimit))
	}
	switch {
	case errors.Is(r.err, berrors.ErrTimeout):
		return words.New("store.busy", fmt.Errorf("%w: %w", ErrBusy, r.err))
	case errors.Is(r.err, os.ErrPermission):
		return words.New("store.noPermission", fmt.Errorf("store: open: %w", r.err))
	case r.err != nil:
		return words.New("store.damaged", fmt.Errorf("%w: %w", ErrDamaged, r.err))
	}
	s.db = r.db
	return nil
}

// guarded runs fn and turns panics, memory faults of a short map included, into errors.
func guarded(fn func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: bbolt: %v", ErrDamaged, p)
		}
	}()
	return fn()
}

// walkKeys reads every key. Past the deadline it stops without an error: the whole check is Verify's.
func walkKeys(db *bolt.DB, deadline time.Time) error {
	return db.View(func(tx *bolt.Tx) error {
		n := 0
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			c := b.Cursor()
			var last []byte
			for k, _ := c.First(); k != nil; k, _ = c.Next() {
				if last != nil && string(k) <= string(last) {
					return fmt.Errorf("%w: bucket %s: keys out of order", ErrDamaged, name)
				}
				last = append(last[:0], k...)
				if n++; n%1024 == 0 && time.Now().After(deadline) {
					return nil
				}
			}
			return nil
		})
	})
}

// start migrates, reads the state and completes file and mirror.
func (s *Store) start() error {
	fresh, err := migrate(s.db, s.box, s.o.seams.migrations, func(tx *bolt.Tx, v int) error {
		return tx.CopyFile(s.path+".before-"+strconv.Itoa(len(s.o.seams.migrations)), 0o600)
	})
	if err != nil {
		return err
	}
	if fresh {
		if err := s.db.Update(func(tx *bolt.Tx) error {
			return s.box.put(tx, bucketMeta, keyIdentity, identity{Device: s.o.Device, Made: s.now().UnixMilli()})
		}); err != nil {
			return fmt.Errorf("store: write identity: %w", err)
		}
	}
	known := map[uint32]segment{}
	if err := s.db.View(func(tx *bolt.Tx) error {
		var id identity
		if err := s.box.get(tx, bucketMeta, keyIdentity, &id); err != nil {
			return words.New("store.foreign", fmt.Errorf("%w: %w", ErrForeign, err))
		}
		if id.Device != s.o.Device {
			return words.New("store.foreign", fmt.Errorf("%w: file of device %d", ErrForeign, id.Device))
		}
		s.readState(tx)
		return tx.Bucket([]byte(bucketMirror)).ForEach(func(k, v []byte) error {
			var g segment
			if len(k) != 8 || s.box.decode(bucketMirror, k, v, &g) != nil {
				return nil // the segment is read instead
			}
			known[uint32(seqOf(k))] = g
			return nil
		})
	}); err != nil {
		return err
	}
	if err := openMirror(s.mir, known); err != nil {
		return err
	}
	s.restored.TornTail = s.mir.torn
	return s.catchUp(known, fresh)
}

// readState loads heads, ack, clock and projection state. A value that does not open is a fault for the doctor and stops
// commits; it does not stop opening.
func (s *Store) readState(tx *bolt.Tx) {
	read := func(bucket string, key []byte, v any) bool {
		err := s.box.get(tx, bucket, key, v)
		if err != nil && !errors.Is(err, ErrNotFound) {
			s.faults = append(s.faults, err)
			s.failed = words.New("store.damaged", err)
		}
		return err == nil
	}
	var h headState
	haveHead := read(bucketMeta, keyHead, &h)
	if k, v := tx.Bucket([]byte(bucketHeaders)).Cursor().Last(); k != nil {
		var row headerRow
		if err := s.box.decode(bucketHeaders, k, v, &row); err == nil {
			s.head, s.headHash = row.Seq, row.Hash(s.o.Suite)
		} else {
			s.faults = append(s.faults, err)
			s.failed = words.New("store.damaged", err)
		}
	}
	if k, v := tx.Bucket([]byte(bucketEvents)).Cursor().Last(); k != nil {
		var row eventRow
		if err := s.box.decode(bucketEvents, k, v, &row); err == nil {
			if ev, err := journal.ParseEvent(row.Event); err == nil {
				s.cursor, s.told = ev.Cursor, ev.Hash(s.o.Suite)
			}
		} else {
			s.faults = append(s.faults, err)
			s.failed = words.New("store.damaged", err)
		}
	}
	if haveHead && (h.Seq > s.head || h.Cursor > s.cursor) {
		if s.failed == nil {
			s.failed = words.New("store.damaged", fmt.Errorf("%w: head is record %d, last found %d", ErrDamaged, h.Seq, s.head))
		}
		s.head, s.headHash, s.cursor, s.told = h.Seq, h.Hash, h.Cursor, h.Told
	}
	var a ackState
	if read(bucketAcks, keyLastAck, &a) {
		s.acked, s.ackAt, s.ackKept = a.To, a.At, a.At
	}
	s.forked = tx.Bucket([]byte(bucketAcks)).Get(keyFork) != nil
	read(bucketMeta, keyApplied, &s.applied)
	if read(bucketMeta, keyClock, &s.clock) {
		s.clockOn = s.clock
	}
}

// Close ends the store. It waits for the act being written.
func (s *Store) Close() error {
	s.spare.close()
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.Lock()
	s.unlocked, s.rows = nil, nil
	if s.failed == nil {
		s.failed = words.New("store.failed", fmt.Errorf("%w: closed", ErrFailed))
	}
	s.mu.Unlock()
	return errors.Join(s.mir.close(), s.db.Close())
}

// fail stops the store: after a failed write nobody knows what is on the disk, so nothing more is acknowledged.
func (s *Store) fail(err error) error {
	w := words.New("store.failed", fmt.Errorf("%w: %w", ErrFailed, err))
	s.mu.Lock()
	if s.failed == nil {
		s.failed = w
	}
	s.mu.Unlock()
	s.log.Error("store stopped", slog.String("cause", err.Error()))
	return w
}

// writable reports why nothing may be written now; nil when it may. Called with write held.
func (s *Store) writable() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.failed != nil {
		return s.failed
	}
	if s.behind {
		return words.New("store.behind", ErrBehind)
	}
	return nil
}

// room refuses to write when the reserve is reached.
func (s *Store) room() error {
	free, err := s.o.FreeSpace(s.o.Dir)
	if err != nil {
		return err
	}
	if free < s.o.Reserve {
		return words.New("store.diskFull", fmt.Errorf("%w: %d bytes free", ErrFull, free), "mb", strconv.FormatUint(free>>20, 10))
	}
	return nil
}

// Room reports whether there is space for another act, so that a clerk learns it before the citizen signs. The error
// wraps ErrFull.
func (s *Store) Room() error { return s.room() }

// update runs fn in a transaction. An error of fn leaves everything as it was; an error of the commit itself stops the
// store. Called with write held.
func (s *Store) update(fn func(tx *bolt.Tx) error) error {
	var inner error
	err := s.db.Update(func(tx *bolt.Tx) error {
		inner = fn(tx)
		return inner
	})
	if err != nil && inner == nil {
		return s.fail(fmt.Errorf("commit: %w", err))
	}
	return err
}

// session returns who is logged in; nil when nobody.
func (s *Store) session() *vault.Unlocked {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.unlocked
}

// period gives a period's keys: the machine's always, others while somebody is logged in.
func (s *Store) period(id string) (vault.Period, error) {
	if id == vault.MachinePeriodID {
		return s.o.Ring.MachinePeriod(), nil
	}
	u := s.session()
	if u == nil {
		return vault.Period{}, words.New("store.locked", ErrLocked)
	}
	return u.PeriodByID(id)
}

// needUnlocked returns the session or words store.locked.
func (s *Store) needUnlocked() (*vault.Unlocked, error) {
	if u := s.session(); u != nil {
		return u, nil
	}
	return nil, words.New("store.locked", ErrLocked)
}

// Locked reports whether nobody is logged in.
func (s *Store) Locked() bool { return s.session() == nil }

// Restored tells what was brought back since the store was opened.
func (s *Store) Restored() Restored {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.restored
	r.Mirrored = slices.Clone(r.Mirrored)
	return r
}

// Faults lists what opening found damaged. Verify names the records.
func (s *Store) Faults() []error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append([]error{}, s.faults...)
}

// Backup writes a hot copy of the file to path, durable when it returns. It holds the same sealed values; the mirror
// completes it after a restore. Acts go on meanwhile.
func (s *Store) Backup(path string) error {
	tmp := path + ".part"
	if err := s.db.View(func(tx *bolt.Tx) error { return tx.CopyFile(tmp, 0o600) }); err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	f, err := os.OpenFile(tmp, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	return syncDir(filepath.Dir(path))
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
		return aside, syncDir(dir)
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
