package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Epoch is a device number with its signing key. A machine whose journal forked goes on under a new one, which names the
// former number and the last record that the platform and this machine have in common.
type Epoch struct {
	Device uint32
	Signer vault.PrivateKey
	Former uint32     // 0 for the number given at enrolment
	To     uint64     // last record in common
	Head   vault.Hash // its hash
	Fork   []byte     // packet.Fork as the platform signed it
}

// Former is a number that this machine had before, as it left it.
type Former struct {
	Device uint32     `cbor:"1,keyasint"`
	Into   uint32     `cbor:"2,keyasint"` // the number that goes on for it
	To     uint64     `cbor:"3,keyasint"` // last record that is in both branches
	Head   vault.Hash `cbor:"4,keyasint"` // its hash
	Last   uint64     `cbor:"5,keyasint"` // last record here: To+1 to Last is this machine's branch
	At     int64      `cbor:"6,keyasint"` // when the new epoch began, Unix milliseconds
	Fork   []byte     `cbor:"7,keyasint"` // packet.Fork as the platform signed it
	// Replaced says that this machine took the place of another one: nothing of it was ever here.
	Replaced bool `cbor:"8,keyasint"`
}

// Lost says that no fork led on: both copies were lost, the platform gave back what it had, and numbers after To may stand on paper.
func (l Former) Lost() bool { return len(l.Fork) == 0 && !l.Replaced }

// Entered says what EnterEpoch carried into the new journal.
type Entered struct {
	Records int // of the branch, as they were
	Head    uint64
}

// space is where the buckets of one journal lie: the file, or a bucket of it for a former number.
type space interface {
	Bucket(name []byte) *bolt.Bucket
}

// bucketFormer holds one bucket for each former number: the buckets of its journal as they were, under their own names and
// with their own seals, and the key of its lineage.
const bucketFormer = "former"

var keyLineage = []byte("lineage")

// journalBuckets are the buckets that belong to one number's journal; the others (drafts, documents, attachments, clock)
// belong to the machine.
var journalBuckets = []string{
	bucketHeaders, bucketBodies, bucketReceipts, bucketOutbox, bucketAcks, bucketEvents, bucketOpened, bucketCases,
	bucketSummaries, bucketUnapplied, bucketQuarantine, bucketMirror,
}

// epochs lists all numbers of this machine, oldest first.
func (s *Store) epochs() []Epoch {
	all := append([]Epoch{{Device: s.o.Device, Signer: s.o.Ring.DeviceKey()}}, s.o.Epochs...)
	if now := s.epoch.Load(); now != nil && !slices.ContainsFunc(all, func(e Epoch) bool { return e.Device == now.Device }) {
		all = append(all, *now) // begun since the store was opened
	}
	return all
}

// Device returns the number whose journal this is now.
func (s *Store) Device() uint32 { return s.epoch.Load().Device }

// SignerOf returns the signing key of a number that this machine has or had; nil for another's.
func (s *Store) SignerOf(device uint32) vault.PrivateKey {
	for _, e := range s.epochs() {
		if e.Device == device {
			return e.Signer
		}
	}
	return nil
}

// Signer returns the signing key of that number.
func (s *Store) Signer() vault.PrivateKey { return s.epoch.Load().Signer }

func (s *Store) mirrorDir(device uint32) string {
	dir := filepath.Join(s.o.Dir, mirrorName)
	if device == s.o.Device {
		return dir
	}
	return filepath.Join(dir, strconv.FormatUint(uint64(device), 10))
}

// useEpoch makes e the epoch of this store, with a mirror that is not opened yet.
func (s *Store) useEpoch(e Epoch) {
	s.epoch.Store(&e)
	s.mir = s.newMirror(e)
}

func (s *Store) newMirror(e Epoch) *mirror {
	return &mirror{
		dir: s.mirrorDir(e.Device), suite: s.o.Suite, box: s.box, device: e.Device, limit: s.o.Segment, sync: s.o.seams.syncMirror, dict: s.o.Dict,
		dicts: map[vault.Hash][]byte{},
	}
}

// newestEpoch is the newest number that has a mirror: its journal was begun.
func (s *Store) newestEpoch() Epoch {
	all := s.epochs()
	for i := len(all) - 1; i > 0; i-- {
		if names, err := filepath.Glob(filepath.Join(s.mirrorDir(all[i].Device), "*.bmp")); err == nil && len(names) > 0 {
			return all[i]
		}
	}
	return all[0]
}

// settleEpoch finds out whose journal the file holds. A file of a former number beside the mirror of a later one is an
// older copy, put back: its journal moves aside, and the mirror brings back the later one.
func (s *Store) settleEpoch() error {
	var id identity
	if err := s.db.View(func(tx *bolt.Tx) error { return s.box.get(tx, bucketMeta, keyIdentity, &id) }); err != nil {
		return words.New("store.damaged", fmt.Errorf("%w: identity: %w", ErrDamaged, err)) // the schema bears this machine's tag
	}
	all := s.epochs()
	at := slices.IndexFunc(all, func(e Epoch) bool { return e.Device == id.Device })
	if at < 0 {
		return words.New("store.foreign", fmt.Errorf("%w: file of device %d", ErrForeign, id.Device))
	}
	newest := s.newestEpoch()
	to := slices.IndexFunc(all, func(e Epoch) bool { return e.Device == newest.Device })
	if to <= at {
		s.useEpoch(all[at])
		return nil
	}
	s.useEpoch(newest)
	return s.update(func(tx *bolt.Tx) error { return (&work{s: s, tx: tx}).moveAside(tx, id.Device, newest) })
}

// moveAside puts the journal of a former number into its own bucket and begins an empty one.
func (w *work) moveAside(tx *bolt.Tx, former uint32, e Epoch) error {
	s := w.s
	home, err := tx.CreateBucketIfNotExists([]byte(bucketFormer))
	if err != nil {
		return fmt.Errorf("store: former journal: %w", err)
	}
	aside, err := home.CreateBucket(seqKey(uint64(former)))
	if err != nil {
		return fmt.Errorf("store: former journal: %w", err)
	}
	l := Former{Device: former, Into: e.Device, To: e.To, Head: e.Head, At: s.now().UnixMilli(), Fork: e.Fork}
	if k, _ := tx.Bucket([]byte(bucketHeaders)).Cursor().Last(); k != nil {
		l.Last = seqOf(k)
	}
	plain, err := canon.Marshal(l)
	if err != nil {
		return err
	}
	value, err := s.box.seal(bucketFormer, lineageKey(former), plain)
	if err != nil {
		return err
	}
	if err := aside.Put(keyLineage, value); err != nil {
		return fmt.Errorf("store: former journal: %w", err)
	}
	for _, name := range journalBuckets {
		if err := tx.MoveBucket([]byte(name), nil, aside); err != nil {
			return fmt.Errorf("store: move %s aside: %w", name, err)
		}
		if _, err := tx.CreateBucket([]byte(name)); err != nil {
			return fmt.Errorf("store: begin %s: %w", name, err)
		}
	}
	if err := s.box.put(tx, bucketMeta, keyIdentity, identity{Device: e.Device, Made: s.now().UnixMilli()}); err != nil {
		return err
	}
	if err := s.box.put(tx, bucketMeta, keyApplied, appliedState{}); err != nil {
		return err
	}
	return w.putHead(0, vault.Hash{}, 0, vault.Hash{})
}

// lineageKey binds a lineage to its number.
func lineageKey(device uint32) []byte { return append(seqKey(uint64(device)), keyLineage...) }

// ForkPoint returns the platform's fork notice and the last record that it and this machine have in common. ErrNotFound
// when the journal is not forked.
func (s *Store) ForkPoint() (notice []byte, to uint64, head vault.Hash, err error) {
	if err := s.db.View(func(tx *bolt.Tx) error { return s.box.get(tx, bucketAcks, keyFork, &notice) }); err != nil {
		return nil, 0, head, wrapRead(err)
	}
	f, err := packet.OpenFork(s.o.Suite, s.o.Platform.SignKey, notice)
	if err != nil {
		return nil, 0, head, words.New("store.damagedValue", fmt.Errorf("%w: fork: %w", ErrDamaged, err))
	}
	s.mu.RLock()
	to, own := s.acked, s.head
	s.mu.RUnlock()
	if f.To > to && f.To <= own && s.ownHash(f.To, f.Head) == nil {
		return notice, f.To, f.Head, nil
	}
	if to == 0 {
		return notice, 0, vault.Hash{}, nil
	}
	err = s.db.View(func(tx *bolt.Tx) error { // what the platform has once acknowledged is in common
		row, err := s.header(tx, to)
		head = row.Hash(s.o.Suite)
		return err
	})
	return notice, to, head, wrapRead(err)
}

// DropFork forgets a fork notice that led nowhere: what is sent next brings a new one.
func (s *Store) DropFork() error {
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	if err := s.update(func(tx *bolt.Tx) error { return tx.Bucket([]byte(bucketAcks)).Delete(keyFork) }); err != nil {
		return err
	}
	s.mu.Lock()
	s.forked = false
	s.mu.Unlock()
	return nil
}

// EnterEpoch goes on under a new number: in one transaction the old journal moves aside, and what the platform does not
// hold of it is written into the new one, each record with its kind, time and body as it was. receipt makes the stage-1
// envelope of a submission under the new number. Nothing is dropped: the old journal stays, with its mirror. Entering the
// epoch that is in force already changes nothing.
//
// Errors: ErrLocked while nobody is logged in, ErrFull, ErrFailed, ErrBehind.
func (s *Store) EnterEpoch(ctx context.Context, e Epoch, receipt func(rec journal.Record) ([]byte, error)) (Entered, error) {
	if err := ctx.Err(); err != nil {
		return Entered{}, err
	}
	s.write.Lock()
	defer s.write.Unlock()
	if s.Device() == e.Device {
		return Entered{}, nil
	}
	if e.Former != s.Device() {
		return Entered{}, fmt.Errorf("store: epoch %d goes on for device %d, not %d", e.Device, e.Former, s.Device())
	}
	to, _, renumber := s.Renumbering()
	if renumber = renumber && len(e.Fork) == 0 && e.To == to; !renumber {
		if err := s.writable(); err != nil {
			return Entered{}, err
		}
	}
	if err := s.room(); err != nil {
		return Entered{}, err
	}
	u, err := s.needUnlocked()
	if err != nil {
		return Entered{}, err
	}
	c := &carrying{s: s, e: e, receipt: receipt, moved: map[uint64]uint64{}}
	if err := s.db.View(c.collect); err != nil {
		return Entered{}, wrapRead(err)
	}
	w := &work{s: s, rows: map[uint64]Row{}}
	err = s.update(func(tx *bolt.Tx) error {
		w.tx = tx
		if renumber {
			if err := tx.Bucket([]byte(bucketMeta)).Delete(keyLost); err != nil {
				return fmt.Errorf("store: enter epoch: %w", err)
			}
		}
		if err := w.moveAside(tx, e.Former, e); err != nil {
			return err
		}
		for _, it := range c.items {
			row, err := w.putRecord(it.period, it.rec, it.receipt, it.out)
			if err != nil {
				return err
			}
			if row.Case != 0 {
				if err := w.projectRecord(it.rec, row, it.receipt, false); err != nil {
					return err
				}
			}
		}
		for _, d := range c.drafts {
			if err := w.putDraft(s.session(), d); err != nil {
				return err
			}
		}
		return w.putHead(c.seq, c.head, 0, vault.Hash{})
	})
	if err != nil {
		return Entered{}, err
	}
	m := s.newMirror(e)
	old := s.mir
	s.mir = m
	if err := errors.Join(old.close(), openMirror(m, nil)); err != nil {
		return Entered{}, s.fail(err)
	}
	if err := s.mirrorAll(c.frames); err != nil {
		return Entered{}, err
	}
	s.mu.Lock()
	s.epoch.Store(&e)
	s.head, s.headHash, s.acked, s.ackAt, s.ackKept = c.seq, c.head, 0, 0, 0
	s.cursor, s.told, s.applied, s.need, s.forked, s.gaps, s.rows = 0, vault.Hash{}, appliedState{}, "", false, nil, w.rows
	if renumber {
		s.lost = nil
	}
	s.mu.Unlock()
	s.log.Warn("new epoch", "former", e.Former, "device", e.Device, "common", e.To, "carried", c.records)
	if renumber {
		r, err := s.savedRecovered()
		if err == nil {
			err = s.noteRecovered(u, r)
		}
		if err != nil {
			return Entered{}, err
		}
	}
	return Entered{Records: c.records, Head: c.seq}, nil
}

// carrying collects what goes into a new journal.
type carrying struct {
	s       *Store
	e       Epoch
	receipt func(rec journal.Record) ([]byte, error)

	seq     uint64
	head    vault.Hash
	items   []carriedItem
	frames  []Frame
	drafts  []Draft
	records int
	moved   map[uint64]uint64 // submissions of the branch: old number, new number
}

type carriedItem struct {
	period  vault.Period
	rec     journal.Record
	receipt []byte
	out     outboxRow
}

// collect reads the branch and makes its records anew.
func (c *carrying) collect(tx *bolt.Tx) error {
	s, e := c.s, c.e
	machine := s.o.Ring.MachinePeriod()
	s.mu.RLock()
	head, clock := s.head, s.clock
	s.mu.RUnlock()
	now := s.now()
	next, _ := clock.at(now, s.boot())
	own := journal.Header{At: now.UnixMilli(), Clock: next.quality(), Kind: journal.KindEpoch}
	if err := c.add(machine, own, canon.MustMarshal(journal.Epoch{Former: e.Former, To: e.To, Head: e.Head, Fork: append([]byte{}, e.Fork...), Records: head - min(head, e.To)})); err != nil {
		return err
	}
	for from := e.To + 1; from <= head; {
		list := journal.Carried{First: c.seq + 2}
		var rows []headerRow
		for ; from <= head && len(rows) < journal.MaxCarried; from++ {
			row, err := s.header(tx, from)
			if err != nil {
				return err
			}
			rows = append(rows, row)
			list.Headers = append(list.Headers, canon.MustMarshal(row.Header))
		}
		own.Kind = journal.KindCarried
		if err := c.add(machine, own, canon.MustMarshal(list)); err != nil {
			return err
		}
		for _, row := range rows {
			if err := c.carry(tx, row); err != nil {
				return fmt.Errorf("record %d: %w", row.Seq, err)
			}
		}
	}
	return c.machine(tx)
}

// carry writes one record of the branch as it was. A body that is erased or damaged goes as a tombstone.
func (c *carrying) carry(tx *bolt.Tx, row headerRow) error {
	c.records++
	rec, _, err := c.s.record(tx, row.Seq)
	p, perr := c.s.period(row.Period)
	switch {
	case errors.Is(perr, vault.ErrNoPeriod):
		return c.lost(vault.Period{ID: row.Period}, row.Header)
	case perr != nil:
		return perr
	case errors.Is(err, ErrDamaged), err == nil && rec.Body == nil:
		return c.lost(p, row.Header)
	case err != nil:
		return err
	}
	h := row.Header
	kind, body, err := casefile.Carry(rec, func(seq uint64) (uint64, bool) {
		to, ok := c.moved[seq]
		return to, ok
	})
	if err != nil {
		return err
	}
	h.Kind = kind
	if rec.Kind == journal.KindCaseSubmitted {
		c.moved[row.Seq] = c.seq + 1
	}
	return c.add(p, h, body)
}

func (c *carrying) add(p vault.Period, h journal.Header, body []byte) error {
	rec, err := journal.Next(c.s.o.Suite, c.e.Device, c.seq, c.head, p.Salt[:], h.At, h.Clock, h.Operator, h.Kind, body)
	if err != nil {
		return err
	}
	return c.put(p, rec)
}

// lost writes a tombstone: what is known of the record stays in the chain.
func (c *carrying) lost(p vault.Period, h journal.Header) error {
	h.Device, h.Seq, h.Prev = c.e.Device, c.seq+1, c.head
	return c.put(p, journal.Record{Header: h})
}

func (c *carrying) put(p vault.Period, rec journal.Record) (err error) {
	it := carriedItem{period: p, rec: rec}
	if rec.Kind == journal.KindCaseSubmitted && rec.Body != nil && c.receipt != nil {
		if it.receipt, err = c.receipt(rec); err != nil {
			return fmt.Errorf("receipt: %w", err)
		}
	}
	fs, out, err := c.s.framesIn(c.e, p, rec, it.receipt)
	if err != nil {
		return err
	}
	it.out = out
	c.items, c.frames = append(c.items, it), append(c.frames, fs...)
	c.seq, c.head = rec.Seq, rec.Hash(c.s.o.Suite)
	return nil
}

// machine collects what is the machine's and must be in the new mirror, too: documents, and drafts, of which answers to
// corrections name their case by its former number from now on.
func (c *carrying) machine(tx *bolt.Tx) error {
	s := c.s
	if err := tx.Bucket([]byte(bucketDocs)).ForEach(func(k, v []byte) error {
		if len(v) <= maxMirroredDoc {
			c.frames = append(c.frames, Frame{Kind: FrameDoc, Label: string(k), Payload: append([]byte{}, v...)})
		}
		return nil
	}); err != nil {
		return err
	}
	return tx.Bucket([]byte(bucketDrafts)).ForEach(func(k, v []byte) error {
		d, err := s.draft(k, v)
		if err != nil {
			return nil // the doctor names it; it stays as it is
		}
		if dev, _ := journal.SplitRef(d.CaseSeq); d.CaseSeq != 0 && dev == 0 {
			if to, ok := c.moved[d.CaseSeq]; ok {
				d.CaseSeq = to
			} else {
				d.CaseSeq = journal.FormerRef(c.e.Former, d.CaseSeq)
			}
			c.drafts = append(c.drafts, d)
		}
		sealed, err := sealToDevice(s.o.Suite, s.o.Ring.SealPublic(), canon.MustMarshal(d))
		if err != nil {
			return fmt.Errorf("store: seal draft: %w", err)
		}
		c.frames = append(c.frames, Frame{Kind: FrameDraft, Label: string(k), Payload: sealed})
		return nil
	})
}
