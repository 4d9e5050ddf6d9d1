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
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"bianmin/offline/clocks"
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
	Enrolled bool        // the folder belongs to a station already: an empty file is a lost one
	Epochs   []Epoch     // numbers that came after Device, oldest first: see EnterEpoch
	Dict     []byte      // zstd dictionary for packets; nil: none

	Clock     clocks.Clock                     // nil: the system's
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
	step       func(string)   // told where compaction and restore are
	opened     func(*bolt.DB) // called when bbolt has the file, before it is checked
}

// Store is an open store. All methods may be called from any goroutine; Close ends it.
type Store struct {
	o    Options
	log  *slog.Logger
	now  func() time.Time
	boot func() clocks.Boot
	db   *file
	box  *box
	path string

	epoch atomic.Pointer[Epoch] // whose journal this is now

	ratio atomic.Uint64 // float64 bits: packed bytes for each byte of bodies, in the last run; 0: none yet

	spare spare
	write *turns  // one act at a time; held over transaction and mirror
	mir   *mirror // protected by write

	reading sync.Mutex // taken to fill rows

	upkeep sync.Mutex // one backup, compaction or restore at a time; taken before write

	mu sync.RWMutex // protects state
	state
}

// state is what the store knows of file and mirror.
type state struct {
	unlocked *vault.Unlocked
	failed   error
	behind   bool
	cut      bool       // behind by nothing but the act that was being written: see cutShort
	backup   bool       // the file was a backup until now: drafts and documents of the mirror may be newer
	lost     *lostState // records that only the platform has; nil usually
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
	Backup   bool     // the file was a backup that was put in place
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
			return nil, words.New("store.noPermission", fmt.Errorf("store: make folder: %w", err))
		}
	}
	if err := s.openFile(); err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		s.Close()
		return nil, openFault(err)
	}
	return s, nil
}

func newStore(o Options) *Store {
	s := &Store{write: newTurns(), o: o, log: o.Log, path: filepath.Join(o.Dir, fileName)}
	s.box = newBox(o.Suite, o.Ring.MachineKey(), o.Ring.MachinePeriod())
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	c := clocks.Or(o.Clock)
	s.now, s.boot = c.Now, c.Boot
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
	s.o.seams.syncMirror = sync
	s.useEpoch(s.epochs()[0])
	return s
}

var errLate = errors.New("store: opening took too long")

// openFile opens bbolt and walks every page that holds keys, in a goroutine of its own: a damaged file makes bbolt panic,
// fault or turn in circles.
func (s *Store) openFile() error {
	type result struct {
		db     *bolt.DB
		handle *os.File
		err    error
	}
	done, late := make(chan result, 1), make(chan struct{})
	limit := time.Now().Add(s.o.OpenLimit)
	go func() {
		var db *bolt.DB
		var file *os.File
		err := guarded(func() (err error) {
			// The walk has a mapping of its own, so that what it touches, the whole file, does not stay in memory.
			if info, serr := os.Stat(s.path); serr == nil && info.Size() > 0 {
				if db, err = s.openBolt(s.path, &file, true); err != nil {
					return err
				}
				if s.o.seams.opened != nil {
					s.o.seams.opened(db)
				}
				if err := checkPages(file, db.Info().PageSize, info.Size()); err != nil {
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
			select {
			case <-late: // nobody waits any more
				return errLate
			default:
			}
			if db, err = s.openBolt(s.path, &file, false); err != nil {
				return err
			}
			return stillThere(s.path, file)
		})
		switch {
		case err != nil && db != nil:
			db.Close()
		case err != nil && file != nil: // bbolt panicked on the way: it still holds the lock
			unlockFile(file)
			file.Close()
		}
		done <- result{db, file, err}
	}()
	timer := time.NewTimer(s.o.OpenLimit + lockTimeout)
	defer timer.Stop()
	var r result
	select {
	case r = <-done:
	case <-timer.C:
		close(late)
		go func() { // whenever it ends, it must not keep the file
			if r := <-done; r.err == nil {
				r.db.Close()
			}
		}()
		return words.New("store.damaged", fmt.Errorf("%w: opening did not end within %v", ErrDamaged, s.o.OpenLimit))
	}
	switch {
	case errors.Is(r.err, berrors.ErrTimeout), errors.Is(r.err, errReplaced):
		return words.New("store.busy", fmt.Errorf("%w: %w", ErrBusy, r.err))
	case errors.Is(r.err, os.ErrPermission), errors.Is(r.err, errReadOnly):
		return words.New("store.noPermission", fmt.Errorf("store: open: %w", r.err))
	case errors.Is(r.err, errNoSpace):
		return openFault(r.err)
	case r.err != nil:
		return words.New("store.damaged", fmt.Errorf("%w: %w", ErrDamaged, r.err))
	}
	s.db = &file{db: r.db, handle: r.handle}
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
	if err := s.clearTemporary(); err != nil {
		return err
	}
	fresh, err := migrate(s.db.db, s.box, s.o.seams.migrations, func(tx *bolt.Tx, v int) error {
		return copyAside(tx, s.path+".before-"+strconv.Itoa(len(s.o.seams.migrations)))
	}, func(tx *bolt.Tx) error {
		return s.box.put(tx, bucketMeta, keyIdentity, identity{Device: s.newestEpoch().Device, Made: s.now().UnixMilli()})
	})
	if err != nil {
		return err
	}
	if err := s.settleEpoch(); err != nil {
		return err
	}
	known := map[uint32]segment{}
	if err := s.db.View(func(tx *bolt.Tx) error {
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
	if err := s.catchUp(known, fresh); err != nil {
		return err
	}
	if fresh && s.o.Enrolled && s.failed == nil && s.mir.records.last() == 0 {
		return s.markLost()
	}
	return nil
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
				s.cursor, s.told = ev.Cursor, row.hash(s.o.Suite, ev)
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
	var l lostState
	if s.lost = nil; read(bucketMeta, keyLost, &l) {
		s.lost = &l
	}
	read(bucketMeta, keyApplied, &s.applied)
	s.backup = tx.Bucket([]byte(bucketMeta)).Get(keyRestored) != nil
	if read(bucketMeta, keyClock, &s.clock) {
		s.clockOn = s.clock
	}
}

// Close ends the store. It waits for the act being written, and gives a long task up.
func (s *Store) Close() error {
	s.spare.close()
	s.write.giveUp()
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
	if s.failed == nil && s.behind {
		return words.New("store.behind", ErrBehind)
	}
	return s.stopped()
}

// receivable is writable for what the platform says of records that are here: that may be taken while the mirror has newer ones,
// so that a machine that fell in mid-save sends and collects before the next login, too. Called with write held.
func (s *Store) receivable() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.stopped()
}

// stopped is called with mu held.
func (s *Store) stopped() error {
	if s.failed != nil {
		return s.failed
	}
	if s.lost != nil {
		return lostWords(fmt.Errorf("from record %d", s.lost.From))
	}
	return nil
}

// room refuses to write when the reserve is reached.
func (s *Store) room() error { return s.roomFor(s.o.Reserve) }

func (s *Store) roomFor(reserve uint64) error {
	free, err := s.o.FreeSpace(s.o.Dir)
	if err != nil {
		return s.fail(err) // the folder is gone
	}
	if free < reserve {
		return noSpace(free, ErrFull)
	}
	return nil
}

func noSpace(free uint64, err error) error {
	return words.New("store.diskFull", fmt.Errorf("%w: %d bytes free", err, free), "mb", strconv.FormatUint(free>>20, 10))
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
