package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/durable"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// ErrLost reports a machine whose file and mirror have both lost records that the platform holds. Nothing is written until
// they are back (words store.lost): what is written before would bear numbers that are taken.
var ErrLost = errors.New("store: records must be taken back from the platform first")

var keyLost = []byte("lost")

// lostState says since when records are missing, and what is known of them.
type lostState struct {
	At     int64  `cbor:"1,keyasint"` // Unix milliseconds
	From   uint64 `cbor:"2,keyasint"` // first record that is missing
	Last   uint64 `cbor:"3,keyasint"` // last record that was ever written here, as far as known; 0: not known
	Drafts int    `cbor:"4,keyasint"` // drafts that were here then
	Mirror uint64 `cbor:"5,keyasint"` // last record that the mirror still had then; 0 when its end was damaged
	// Renumber says that everything is back, and that records after it may have been written, of which nothing is left: their
	// numbers stand on paper. Nothing is written until this machine has a new number.
	Renumber bool `cbor:"6,keyasint,omitempty"`
}

// Recovered tells what came back from the platform, and what did not.
type Recovered struct {
	At     int64  `cbor:"1,keyasint"` // Unix milliseconds
	From   uint64 `cbor:"2,keyasint"` // records that came back, both included
	To     uint64 `cbor:"3,keyasint"`
	Mirror uint64 `cbor:"4,keyasint"` // last record that the mirror brought back after them; 0: none
	// MissingFrom to MissingTo were written here, never acknowledged, and are gone; 0 when none are known to be.
	MissingFrom uint64 `cbor:"5,keyasint"`
	MissingTo   uint64 `cbor:"6,keyasint"`
	Unknown     bool   `cbor:"7,keyasint"` // whether records were written after To cannot be told
	Drafts      int    `cbor:"8,keyasint"` // drafts that are gone
	Blobs       int    `cbor:"9,keyasint"` // attachments of the records that came back that are not on this disk; the platform has them
}

const recoveredDoc = "recovered"

// lost makes words of the state.
func lostWords(cause error) error {
	return words.New("store.lost", fmt.Errorf("%w: %w", ErrLost, cause))
}

// Lost reports whether records must come back from the platform.
func (s *Store) Lost() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.lost != nil
}

// Recovered returns what the last recovery from the platform brought back; ErrNotFound when there was none.
func (s *Store) Recovered() (Recovered, error) {
	r, err := s.savedRecovered()
	if err != nil {
		return r, err
	}
	back, err := s.queued(context.Background(), true)
	r.Blobs = len(back)
	return r, err
}

// savedRecovered reads the note of the last recovery.
func (s *Store) savedRecovered() (r Recovered, err error) {
	data, err := s.Doc(recoveredDoc)
	if err == nil {
		err = wrapRead(canon.Unmarshal(data, &r))
	}
	return r, err
}

// saveRecovered keeps it, also while nothing else may be written. Called with write held.
func (s *Store) saveRecovered(r Recovered) error {
	return s.putDoc(recoveredDoc, canon.MustMarshal(r))
}

// markLost stops everything but reading until the platform has given back what is missing. Called with write held.
func (s *Store) markLost() error {
	t := s.readTrace()
	l := lostState{At: s.now().UnixMilli(), From: s.head + 1, Last: t.Head, Drafts: t.Drafts}
	if s.mir.torn == 0 {
		l.Mirror = s.mir.records.last()
	}
	if err := s.update(func(tx *bolt.Tx) error { return s.box.put(tx, bucketMeta, keyLost, l) }); err != nil {
		return err
	}
	s.mu.Lock()
	s.lost = &l
	s.mu.Unlock()
	s.log.Error("records are in neither file nor mirror", "from", l.From, "last", l.Last)
	return nil
}

// MarkLost takes the platform's signed word that it holds more of this journal than is here. Errors: ErrForeignAck when
// it does not say that.
func (s *Store) MarkLost(ack []byte) error {
	a, err := packet.OpenAck(s.o.Suite, s.o.Platform.SignKey, ack)
	s.write.Lock()
	defer s.write.Unlock()
	if err == nil && (a.Device != s.Device() || a.To <= s.head) {
		err = fmt.Errorf("to record %d of device %d, head is %d", a.To, a.Device, s.head)
	}
	if err != nil {
		return words.New("store.ackForeign", fmt.Errorf("%w: ack: %w", ErrForeignAck, err))
	}
	if s.Lost() {
		return nil
	}
	if err := s.writable(); err != nil {
		return err
	}
	return s.markLost()
}

// Unlost lets the journal go on as it is: the platform says that it holds another one. What it does not hold it will call a
// fork.
func (s *Store) Unlost() error {
	s.write.Lock()
	defer s.write.Unlock()
	return s.unlost()
}

func (s *Store) unlost() error {
	if err := s.update(func(tx *bolt.Tx) error { return tx.Bucket([]byte(bucketMeta)).Delete(keyLost) }); err != nil {
		return err
	}
	s.mu.Lock()
	s.lost = nil
	s.mu.Unlock()
	return nil
}

// Tip returns the last record here and its hash: from there the platform is asked for more.
func (s *Store) Tip() (head uint64, hash vault.Hash) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.head, s.headHash
}

// TakeSnapshot takes records of this journal that the platform gives back: signed by it, sealed to this device, leading
// from the last record here to the ack's. They are durable in file and mirror when it returns. receipt makes the stage-1
// envelope of a submission again. done is true when nothing is missing any more, or more is false: then what the mirror
// still holds is taken back, too, the projections are made, and a record says what happened. Where numbers after the last record
// may have been given out, nothing is written yet: see Renumbering.
//
// Errors: ErrLocked, ErrForeignAck (words store.snapshotForeign) for anything that is not proven.
func (s *Store) TakeSnapshot(ctx context.Context, ack []byte, packets [][]byte, more bool, receipt func(rec journal.Record) ([]byte, error)) (done bool, err error) {
	foreign := func(err error) (bool, error) { return false, foreignSnapshot(err) }
	a, err := packet.OpenAck(s.o.Suite, s.o.Platform.SignKey, ack)
	if err == nil && a.Device != s.Device() {
		err = fmt.Errorf("of device %d", a.Device)
	}
	if err != nil {
		return foreign(err)
	}
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.RLock()
	failed, lost, head, hash := s.failed, s.lost, s.head, s.headHash
	s.mu.RUnlock()
	u, err := s.needUnlocked()
	switch {
	case failed != nil:
		return false, failed
	case lost == nil:
		return true, nil
	case err != nil:
		return false, err
	}
	if err := s.room(); err != nil {
		return false, err
	}
	var taken []carriedItem
	var frames []Frame
	for _, data := range packets {
		recs, salt, err := s.openSnapshot(u, data, s.Device(), head, hash)
		if err != nil {
			return foreign(err)
		}
		for _, rec := range recs {
			it, fs, err := s.restoredItem(u, rec, salt, receipt)
			if err != nil {
				return false, err
			}
			taken, frames = append(taken, it), append(frames, fs...)
			head, hash = rec.Seq, rec.Hash(s.o.Suite)
		}
	}
	if head == a.To && hash != a.Head || head > a.To {
		return foreign(fmt.Errorf("records lead to another record %d", head))
	}
	if err := s.putRestored(taken, frames, head, hash); err != nil {
		return false, err
	}
	if head < a.To && more && len(packets) > 0 {
		return false, ctx.Err()
	}
	return true, s.endSnapshot(u, a, ack, *lost)
}

// openSnapshot opens a packet of the platform with records of a device after head.
func (s *Store) openSnapshot(u *vault.Unlocked, data []byte, device uint32, head uint64, hash vault.Hash) ([]journal.Record, [32]byte, error) {
	var salt [32]byte
	p, err := packet.Parse(data)
	if err != nil {
		return nil, salt, err
	}
	if p.Device != device || p.From != head+1 || p.Prev != hash {
		return nil, salt, fmt.Errorf("%w: packet of device %d from record %d", journal.ErrGap, p.Device, p.From)
	}
	if err := p.Verify(s.o.Suite, s.o.Platform.SignKey); err != nil {
		return nil, salt, err
	}
	return p.Open(s.o.Suite, u.SealKey(), nil)
}

// restoredItem makes ready what file and mirror keep of a record that came back. Its period is the one with the same salt
// key; when that was erased, the record stands without its body.
func (s *Store) restoredItem(u *vault.Unlocked, rec journal.Record, salt [32]byte, receipt func(rec journal.Record) ([]byte, error)) (carriedItem, []Frame, error) {
	it := carriedItem{rec: rec}
	month := vault.PeriodID(time.UnixMilli(rec.At))
	for _, id := range []string{month, vault.MachinePeriodID} {
		if p, err := u.PeriodByID(id); err == nil && p.Salt == salt {
			it.period = p
		}
	}
	if it.period.ID == "" {
		s.log.Error("period of a record is not here", "seq", rec.Seq, "month", month)
		it.period, it.rec.Body = vault.Period{ID: month}, nil
	}
	var err error
	if rec.Kind == journal.KindCaseSubmitted && it.rec.Body != nil && receipt != nil {
		if it.receipt, err = receipt(rec); err != nil {
			return it, nil, fmt.Errorf("store: receipt %d: %w", rec.Seq, err)
		}
	}
	frames, _, err := s.framesOf(it.period, it.rec, it.receipt)
	return it, frames, err
}

// putRestored writes records that the platform holds: nothing of them waits to be sent. Called with write held.
func (s *Store) putRestored(items []carriedItem, frames []Frame, head uint64, hash vault.Hash) error {
	if len(items) == 0 {
		return nil
	}
	if err := s.update(func(tx *bolt.Tx) error {
		w := &work{s: s, tx: tx, rows: map[uint64]Row{}}
		for _, it := range items {
			of, _ := casefile.CaseOf(it.rec)
			if err := s.wantBack(tx, s.Device(), of, it.rec); err != nil {
				return err
			}
			if _, err := w.putRecord(it.period, it.rec, it.receipt, outboxRow{}); err != nil {
				return err
			}
		}
		s.applied.Dirty = true
		if err := s.box.put(tx, bucketMeta, keyApplied, s.applied); err != nil {
			return err
		}
		return w.putHead(head, hash, s.cursor, s.told)
	}); err != nil {
		return err
	}
	s.mu.Lock()
	s.head, s.headHash = head, hash
	s.mu.Unlock()
	return s.mirrorAll(frames)
}

// endSnapshot takes back what only the mirror has after the platform's last record, and opens the journal again.
func (s *Store) endSnapshot(u *vault.Unlocked, a packet.Ack, ack []byte, lost lostState) error {
	r := Recovered{At: s.now().UnixMilli(), From: lost.From, To: s.head, Drafts: lost.Drafts}
	if s.head < lost.From {
		r.From, r.To = 0, 0
	}
	own, ownHash := s.head, s.headHash
	if s.mir.records.last() > s.head {
		if err := s.takeBack(u); errors.Is(err, ErrFailed) {
			return err
		} else if err != nil { // its records do not follow the platform's
			s.log.Error("the mirror's last records cannot be taken back", "cause", err.Error())
		}
		if r.Mirror = s.head; s.head == own {
			r.Mirror = 0
		}
	}
	if last := max(lost.Last, s.mir.records.last()); last > s.head {
		r.MissingFrom, r.MissingTo = s.head+1, last
	}
	r.Unknown = lost.Last == 0
	// A whole mirror knows the last number that was given out; what is left of a damaged one, or an older copy, does not.
	sure := lost.Mirror >= s.head && lost.Mirror >= lost.Last
	lost.Renumber = !sure
	if s.mir.records.last() > s.head { // what is left there follows nothing
		if err := s.renewMirror(); err != nil {
			return err
		}
	}
	if err := s.update(func(tx *bolt.Tx) error {
		n := 0
		if err := tx.Bucket([]byte(bucketDrafts)).ForEach(func(_, _ []byte) error { n++; return nil }); err != nil {
			return err
		}
		r.Drafts = max(0, r.Drafts-n)
		if a.To <= own && (a.To < own || a.Head == ownHash) {
			if err := s.box.put(tx, bucketAcks, keyLastAck, ackState{To: a.To, At: a.At, Ack: ack}); err != nil {
				return err
			}
		}
		if !sure {
			return s.box.put(tx, bucketMeta, keyLost, lost)
		}
		return tx.Bucket([]byte(bucketMeta)).Delete(keyLost)
	}); err != nil {
		return err
	}
	s.mu.Lock()
	if s.lost = &lost; sure {
		s.lost = nil
	}
	if a.To <= own {
		s.acked, s.ackAt, s.ackKept = a.To, a.At, a.At
	}
	s.mu.Unlock()
	if err := s.purgeErased(); err != nil {
		return err
	}
	if err := s.rebuild(u, nil); err != nil {
		return err
	}
	s.log.Warn("records came back from the platform", "from", r.From, "to", r.To, "missing", r.MissingTo, "sure", sure)
	if sure {
		if err := s.noteRecovered(u, r); err != nil {
			return err
		}
	}
	return s.saveRecovered(r)
}

// noteRecovered writes the record that says what came back.
func (s *Store) noteRecovered(u *vault.Unlocked, r Recovered) error {
	now := s.now()
	next, _ := s.clock.at(now, s.boot())
	note := journal.Note{What: "platform", From: strconv.FormatUint(r.From, 10), To: strconv.FormatUint(r.To, 10), Count: int64(r.MissingTo - min(r.MissingTo, r.MissingFrom))}
	if r.MissingTo != 0 {
		note.Count++
	}
	_, err := s.commit(Act{Operator: u.Operator().ID, Kind: journal.KindRebuilt}, canon.MustMarshal(note), now, next)
	return err
}

// Renumbering returns the last record and its hash when the platform has given everything back and this machine may have written
// records after it, of which nothing is left: it goes on under a new number, so that none is ever given out twice.
func (s *Store) Renumbering() (to uint64, head vault.Hash, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.head, s.headHash, s.lost != nil && s.lost.Renumber
}

// renewMirror sets the mirror aside and writes a new one from the file.
func (s *Store) renewMirror() error {
	dir := s.mir.dir
	if err := s.mir.close(); err != nil {
		return s.fail(err)
	}
	aside := dir + ".aside-" + s.now().UTC().Format("20060102T150405.000")
	if err := os.Mkdir(aside, 0o700); err != nil {
		return s.fail(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.bmp*"))
	for _, name := range names {
		err = errors.Join(err, os.Rename(name, filepath.Join(aside, filepath.Base(name))))
	}
	m := s.newMirror(*s.epoch.Load())
	if err = errors.Join(err, durable.SyncDir(aside), openMirror(m, nil)); err != nil {
		return s.fail(err)
	}
	s.mir = m
	if err := s.update(func(tx *bolt.Tx) error {
		if err := tx.DeleteBucket([]byte(bucketMirror)); err != nil {
			return err
		}
		_, err := tx.CreateBucket([]byte(bucketMirror))
		return err
	}); err != nil {
		return err
	}
	var docs []Frame
	if err := s.db.View(func(tx *bolt.Tx) error {
		s.mu.Lock()
		s.gaps = s.unmirrored(tx, true)
		s.mu.Unlock()
		return tx.Bucket([]byte(bucketDocs)).ForEach(func(k, v []byte) error {
			if len(v) <= maxMirroredDoc {
				docs = append(docs, Frame{Kind: FrameDoc, Label: string(k), Payload: append([]byte{}, v...)})
			}
			return nil
		})
	}); err != nil {
		return err
	}
	if err := s.mirrorAll(docs); err != nil {
		return err
	}
	if err := s.fillMirror(); err != nil {
		return err
	}
	return s.mirrorEvents()
}

// trace is a third, small note of how far the journal went, so that after the loss of both copies it can be said what is
// gone. It is written without waiting for the disk: nothing but a sentence on a screen rests on it.
type trace struct {
	Device uint32 `cbor:"1,keyasint"`
	Head   uint64 `cbor:"2,keyasint"`
	Drafts int    `cbor:"3,keyasint"`
}

const (
	traceName = "last"
	traceSize = 128 // bytes of one of its two places
)

func (s *Store) tracePath() string { return filepath.Join(s.o.Dir, traceName) }

// traceOf is the note of a transaction that makes head the newest record.
func (s *Store) traceOf(tx *bolt.Tx, head uint64) trace {
	t := trace{Device: s.Device(), Head: head}
	c := tx.Bucket([]byte(bucketDrafts)).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		t.Drafts++
	}
	return t
}

// writeTrace keeps the note in the place of its parity: a torn write leaves the other one.
func (s *Store) writeTrace(t trace) {
	sealed, err := s.box.seal(bucketMeta, []byte(traceName), canon.MustMarshal(t))
	if err != nil || len(sealed) > traceSize-2 {
		return
	}
	slot := binary.BigEndian.AppendUint16(make([]byte, 0, traceSize), uint16(len(sealed)))
	slot = append(slot, sealed...)
	f, err := os.OpenFile(s.tracePath(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	_, werr := f.WriteAt(slot[:traceSize:traceSize], int64(t.Head%2)*traceSize)
	if err := errors.Join(werr, f.Close()); err != nil {
		s.log.Warn("trace", "cause", err.Error())
	}
}

// readTrace returns the newest note that opens; zero when there is none.
func (s *Store) readTrace() trace {
	var newest trace
	data, err := os.ReadFile(s.tracePath())
	if err != nil {
		return newest
	}
	for ; len(data) > 2; data = data[min(traceSize, len(data)):] {
		n := int(binary.BigEndian.Uint16(data))
		if n > len(data)-2 {
			continue
		}
		var t trace
		plain, err := s.box.open(bucketMeta, []byte(traceName), data[2:2+n], noPeriods)
		if err == nil && canon.Unmarshal(plain, &t) == nil && t.Device == s.Device() && t.Head >= newest.Head {
			newest = t
		}
	}
	return newest
}

// Broken lists the acknowledged records that do not open here and that the mirror does not help with, after a rebuild. Only
// the platform has them whole. Somebody must be logged in.
func (s *Store) Broken() ([]uint64, error) {
	if _, err := s.needUnlocked(); err != nil {
		return nil, err
	}
	s.write.Lock()
	defer s.write.Unlock()
	return s.broken()
}

func (s *Store) broken() ([]uint64, error) {
	bad, err := s.diagnose()
	if err != nil {
		return nil, err
	}
	var out []uint64
	for seq := range bad.records {
		if seq <= s.acked {
			out = append(out, seq)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Before returns the nearest record before seq whose header opens, and its hash; 0 for the beginning.
func (s *Store) Before(seq uint64) (at uint64, hash vault.Hash, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		for at = seq - 1; at > 0; at-- {
			if row, err := s.header(tx, at); err == nil {
				hash = row.Hash(s.o.Suite)
				return nil
			}
		}
		return nil
	})
	return at, hash, err
}

// TakeRecords puts records that the platform gives back, after a record whose hash is known, in the place of broken ones, in
// file and mirror. What is whole stays as it is. It returns the last record of the packets. Errors as TakeSnapshot.
func (s *Store) TakeRecords(ctx context.Context, after uint64, hash vault.Hash, packets [][]byte, receipt func(rec journal.Record) ([]byte, error)) (last uint64, err error) {
	if err := ctx.Err(); err != nil {
		return after, err
	}
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.writable(); err != nil {
		return after, err
	}
	u, err := s.needUnlocked()
	if err != nil {
		return after, err
	}
	list, err := s.broken()
	if err != nil {
		return after, err
	}
	var frames []Frame
	var items []carriedItem
	for _, data := range packets {
		recs, salt, err := s.openSnapshot(u, data, s.Device(), after, hash)
		if err != nil {
			return after, foreignSnapshot(err)
		}
		for _, rec := range recs {
			after, hash = rec.Seq, rec.Hash(s.o.Suite)
			if !slices.Contains(list, rec.Seq) {
				continue
			}
			it, fs, err := s.restoredItem(u, rec, salt, receipt)
			if err != nil {
				return after, err
			}
			items, frames = append(items, it), append(frames, fs...)
		}
	}
	if len(items) == 0 {
		return after, nil
	}
	if err := s.update(func(tx *bolt.Tx) error {
		w := &work{s: s, tx: tx, rows: map[uint64]Row{}}
		for _, it := range items {
			if !s.fits(tx, it.rec.Header, it.rec.Hash(s.o.Suite)) {
				return foreignSnapshot(fmt.Errorf("%w: record %d is not the one that the chain has", journal.ErrGap, it.rec.Seq))
			}
			if _, err := w.putRecord(it.period, it.rec, it.receipt, outboxRow{}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return after, err
	}
	if err := s.mirrorAll(frames); err != nil {
		return after, err
	}
	return after, s.rebuild(u, nil)
}
