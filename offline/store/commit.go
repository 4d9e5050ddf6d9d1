package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Act is one thing somebody did.
type Act struct {
	Operator string       // operator id; "" when nobody is logged in
	Kind     journal.Kind // what
	Body     any          // one of journal's body types; nil: an empty body
	// Receipt makes the stage-1 envelope of the finished record; it is stored sealed beside the record, in the same
	// transaction. It must not call the store. nil: no receipt.
	Receipt   func(rec journal.Record) ([]byte, error)
	DropDraft string // id of the draft that this act completes; "" when there is none
}

// headerRow is a record without its body, and what may be known of it while nobody is logged in.
type headerRow struct {
	journal.Header `cbor:"1,keyasint"`
	Period         string     `cbor:"2,keyasint"` // whose keys seal the body
	Sum            vault.Hash `cbor:"3,keyasint"` // SM3 of the sealed value in bucket bodies
	Case           uint64     `cbor:"4,keyasint"` // submission the record is about; 0 when about none
	Service        string     `cbor:"5,keyasint"` // submissions only, from here on
	Item           string     `cbor:"6,keyasint"`
	Due            int32      `cbor:"7,keyasint"`
	Urgent         bool       `cbor:"8,keyasint"`
	Receipt        bool       `cbor:"9,keyasint"`  // a stage-1 envelope lies in bucket receipts
	Purged         bool       `cbor:"10,keyasint"` // there is no body any more
	// Salt is the salt key under which a record was written whose period was closed while its case was open; empty when
	// it is that of Period.
	Salt []byte `cbor:"11,keyasint,omitempty"`
}

// salt puts the key that the record was salted with into p, the record's period.
func (r headerRow) salt(p *vault.Period) {
	if len(r.Salt) == len(p.Salt) {
		p.Salt = [32]byte(r.Salt)
	}
}

// outboxRow is a record ready to leave, until the platform has acknowledged it.
type outboxRow struct {
	Packet  []byte `cbor:"1,keyasint"` // one-record packet, the same bytes as in the mirror
	Receipt []byte `cbor:"2,keyasint"` // payload of its receipt frame; empty when there is none
}

// blobRow is what is known of a blob without opening it.
type blobRow struct {
	Size int64 `cbor:"1,keyasint"` // sealed bytes
	At   int64 `cbor:"2,keyasint"` // Unix milliseconds
	Sent bool  `cbor:"3,keyasint"` // the platform holds it
}

func seqOf(key []byte) uint64 {
	if len(key) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(key[:8])
}

// work is one transaction and what it changes in memory when it succeeds.
type work struct {
	s    *Store
	tx   space
	rows map[uint64]Row
}

// Commit writes one act: the record with its receipt, its packet, the case it changes, and the draft it completes, in one
// transaction, and beside it to the mirror. When it returns without an error, all of it is durable in both. On any error the
// act did not happen, except after words store.failed: then the store must be opened again, and tells.
//
// Errors: ErrLocked for acts about cases while nobody is logged in, casefile.ErrMove for an act that is not legal in the
// case's state, ErrTask, ErrFull, ErrBehind, ErrFailed, ErrNotFound for a blob that is not here.
func (s *Store) Commit(ctx context.Context, a Act) (journal.Record, error) {
	if err := ctx.Err(); err != nil {
		return journal.Record{}, fmt.Errorf("store: commit: %w", err)
	}
	var body []byte
	if a.Body != nil {
		var err error
		if body, err = canon.Marshal(a.Body); err != nil {
			return journal.Record{}, fmt.Errorf("store: commit %s: %w", a.Kind, err)
		}
	}
	if a.Kind == journal.KindLocked {
		s.write.giveUp() // nobody waits to lock the machine
		s.write.Lock()
	} else if err := s.write.act(); err != nil {
		return journal.Record{}, err
	}
	defer s.write.Unlock()
	defer s.prepareNext()
	if err := s.writable(); err != nil {
		return journal.Record{}, err
	}
	reserve := s.o.Reserve
	if small(a.Kind) {
		reserve /= smallShare
	}
	if err := s.roomFor(reserve); err != nil {
		return journal.Record{}, err
	}
	now := s.now()
	next, jump := s.clock.at(now, s.boot())
	if jump != 0 && s.head > 0 {
		note := journal.Note{
			What: journal.ClockJumped, From: now.Add(-jump).UTC().Format(time.RFC3339), To: now.UTC().Format(time.RFC3339), Count: jump.Milliseconds(),
		}
		if _, err := s.commit(Act{Operator: a.Operator, Kind: journal.KindClockJump}, canon.MustMarshal(note), now, next); err != nil {
			return journal.Record{}, err
		}
	}
	return s.commit(a, body, now, next)
}

// prepareNext does for the next act what need not be done while somebody waits for it.
func (s *Store) prepareNext() {
	s.spare.fill(s.o.Suite, s.o.Platform.SealKey, s.o.Ring.SealPublic(), func() {
		if err := s.db.writeAhead(); err != nil {
			s.log.Warn("nothing is written ahead", "cause", err.Error())
		}
	})
}

// smallShare is the part of the reserve that stays free of small acts.
const smallShare = 128

// small tells the acts that the reserve is kept for: on a full disk people still log in, see what is there and leave.
func small(k journal.Kind) bool {
	switch k {
	case journal.KindLogin, journal.KindLoginRefused, journal.KindLocked, journal.KindRebuilt:
		return true
	}
	return false
}

// commit writes one record. Called with write held.
func (s *Store) commit(a Act, body []byte, now time.Time, clock clockState) (journal.Record, error) {
	p, u, err := s.periodNow()
	if err != nil {
		return journal.Record{}, err
	}
	rec, err := journal.Next(s.o.Suite, s.Device(), s.head, s.headHash, p.Salt[:], now.UnixMilli(), clock.quality(), a.Operator, a.Kind, body)
	if err != nil {
		return journal.Record{}, fmt.Errorf("store: commit %s: %w", a.Kind, err)
	}
	if _, about := casefile.CaseOf(rec); (about || rec.Kind == journal.KindFormerAct || a.DropDraft != "") && u == nil {
		return journal.Record{}, words.New("store.locked", ErrLocked)
	}
	if err := s.blobsHere(blobsNamed(a, rec)); err != nil {
		return journal.Record{}, err
	}
	var receipt []byte
	if a.Receipt != nil {
		if receipt, err = a.Receipt(rec); err != nil {
			return journal.Record{}, fmt.Errorf("store: receipt of %s: %w", a.Kind, err)
		}
	}
	frames, out, verified, err := s.beginFrames(*s.epoch.Load(), p, rec, receipt)
	if err != nil {
		return journal.Record{}, err
	}
	w := &work{s: s, rows: map[uint64]Row{}}
	var note trace
	err = s.both(func(tx *bolt.Tx) ([]Frame, error) {
		w.tx = tx
		row, err := w.putRecord(p, rec, receipt, out)
		if err != nil {
			return nil, err
		}
		if err := w.project(tx, rec, row, receipt, true); err != nil {
			return nil, err
		}
		if a.DropDraft != "" {
			key := s.box.handle("draft", a.DropDraft)
			if err := tx.Bucket([]byte(bucketDrafts)).Delete(key); err != nil {
				return nil, fmt.Errorf("store: drop draft: %w", err)
			}
			frames = slices.Insert(frames, 0, Frame{Kind: FrameDropped, Label: string(key)})
		}
		if err := s.box.put(tx, bucketMeta, keyClock, clock); err != nil {
			return nil, err
		}
		if err := w.putHead(rec.Seq, rec.Hash(s.o.Suite), s.cursor, s.told); err != nil {
			return nil, err
		}
		note = s.traceOf(tx, rec.Seq)
		return frames, nil
	}, func() { s.writeTrace(note) })
	if verr := verified(); err == nil && verr != nil {
		err = s.fail(verr) // not acknowledged, nothing more is written or sent; the doctor names the packet
	}
	if err != nil {
		return journal.Record{}, err
	}
	s.mu.Lock()
	s.head, s.headHash = rec.Seq, rec.Hash(s.o.Suite)
	s.clock, s.clockOn = clock, clock
	s.keep(w)
	s.mu.Unlock()
	return rec, nil
}

// periodNow returns the keys for what is written now, and who is logged in. A wall clock that is known to be wrong does not
// choose the month.
func (s *Store) periodNow() (vault.Period, *vault.Unlocked, error) {
	u := s.session()
	if u == nil {
		return s.o.Ring.MachinePeriod(), nil, nil
	}
	p, err := u.Period(s.present())
	return p, u, err
}

// keep takes over what a transaction changed. Called with mu held.
func (s *Store) keep(w *work) {
	s.kept++
	if s.rows == nil {
		return
	}
	for seq, r := range w.rows {
		s.rows[seq] = r
	}
}

// framesOf seals a record for the mirror and the way.
func (s *Store) framesOf(p vault.Period, rec journal.Record, receipt []byte) ([]Frame, outboxRow, error) {
	return s.framesIn(*s.epoch.Load(), p, rec, receipt)
}

// framesIn seals a record of an epoch.
func (s *Store) framesIn(e Epoch, p vault.Period, rec journal.Record, receipt []byte) ([]Frame, outboxRow, error) {
	frames, out, verified, err := s.beginFrames(e, p, rec, receipt)
	if err != nil {
		return nil, outboxRow{}, err
	}
	return frames, out, verified()
}

// beginFrames is framesIn while the packet's signature is still being verified.
func (s *Store) beginFrames(e Epoch, p vault.Period, rec journal.Record, receipt []byte) ([]Frame, outboxRow, func() error, error) {
	data, verified, err := packet.Begin([]journal.Record{rec}, packet.Options{
		Prepared: s.spare.forRecord(), Suite: s.o.Suite, Device: e.Device, Signer: e.Signer, Salt: p.Salt, Codec: 1, Dict: s.mir.dict,
		Recipients: []vault.PublicKey{s.o.Platform.SealKey, s.o.Ring.SealPublic()},
	})
	if err != nil {
		return nil, outboxRow{}, nil, fmt.Errorf("store: seal record %d: %w", rec.Seq, err)
	}
	named := func() error {
		if err := verified(); err != nil {
			return fmt.Errorf("store: seal record %d: %w", rec.Seq, err)
		}
		return nil
	}
	out := outboxRow{Packet: data, Receipt: []byte{}}
	var frames []Frame // the record's is the last: where it is, the others are
	if receipt != nil {
		if key := s.spare.forReceipt(); key != nil {
			out.Receipt, err = sealPrepared(s.o.Suite, key, receipt)
		} else {
			out.Receipt, err = sealToDevice(s.o.Suite, s.o.Ring.SealPublic(), receipt)
		}
		if err != nil {
			return nil, outboxRow{}, nil, fmt.Errorf("store: seal receipt %d: %w", rec.Seq, err)
		}
		frames = append(frames, Frame{Kind: FrameReceipt, Number: rec.Seq, Payload: out.Receipt})
	}
	return append(frames, Frame{Kind: FrameRecord, Label: p.ID, Number: rec.Seq, Payload: data}), out, named, nil
}

// both runs fn in a transaction and, once it has succeeded, writes the transaction and the frames it returned at the same
// time: each copy waits for the disk on its own, and whichever is the longer one after a crash, the other catches up at
// opening. then runs when the mirror has its copy. An error of fn leaves everything as it was; an error of either copy stops
// the store. Called with write held.
func (s *Store) both(fn func(tx *bolt.Tx) ([]Frame, error), then func()) error {
	closing := s.mir.no
	var rotated bool
	var second chan error
	err := s.update(func(tx *bolt.Tx) error {
		frames, err := fn(tx)
		if err != nil {
			return err
		}
		second = make(chan error, 1)
		go func() {
			var err error
			if rotated, err = s.mir.append(frames...); err == nil {
				then()
			}
			second <- err
		}()
		return nil
	})
	if second == nil {
		return err
	}
	if merr := <-second; merr != nil {
		return errors.Join(err, s.fail(merr))
	}
	if err != nil || !rotated {
		return err
	}
	return s.fileSegment(closing)
}

// mirror appends frames and files the index of a segment that was closed by it. A failure stops the store. Called with
// write held.
func (s *Store) mirror(frames ...Frame) error {
	closing := s.mir.no
	rotated, err := s.mir.append(frames...)
	if err != nil {
		return s.fail(err)
	}
	if !rotated {
		return nil
	}
	return s.fileSegment(closing)
}

// fileSegment keeps the index of a closed segment.
func (s *Store) fileSegment(no uint32) error {
	return s.update(func(tx *bolt.Tx) error {
		return s.box.put(tx, bucketMirror, seqKey(uint64(no)), s.mir.closed[no])
	})
}

// putRecord writes a record's rows. A nil body is a tombstone.
func (w *work) putRecord(p vault.Period, rec journal.Record, receipt []byte, out outboxRow) (headerRow, error) {
	s, key := w.s, seqKey(rec.Seq)
	row := headerRow{Header: rec.Header, Period: p.ID, Receipt: receipt != nil, Purged: rec.Body == nil}
	row.Case, _ = casefile.CaseOf(rec)
	var blobs []journal.Blob
	if rec.Kind == journal.KindCaseSubmitted && rec.Body != nil {
		b, err := journal.DecodeBody[journal.CaseSubmitted](rec.Body)
		if err != nil {
			return row, fmt.Errorf("store: record %d: %w", rec.Seq, err)
		}
		row.Service, row.Item, row.Due, row.Urgent = b.Service, b.ItemName, b.Due, b.Urgent
		blobs = b.Blobs
	} else {
		blobs = blobsOf(rec)
	}
	if rec.Body != nil {
		value, err := s.box.sealIn(p.ID, p.Store, bucketBodies, key, rec.Body)
		if err != nil {
			return row, err
		}
		row.Sum = s.o.Suite.Hash(value)
		if own, err := s.period(p.ID); err == nil && own.Salt != p.Salt {
			row.Salt = append([]byte{}, p.Salt[:]...)
		}
		if err := putRaw(w.tx, bucketBodies, key, value); err != nil {
			return row, err
		}
	}
	if receipt != nil {
		value, err := s.box.sealIn(p.ID, p.Store, bucketReceipts, receiptKey(rec.Seq, 1), receipt)
		if err != nil {
			return row, err
		}
		if err := putRaw(w.tx, receiptHome(1), receiptKey(rec.Seq, 1), value); err != nil {
			return row, err
		}
	}
	if out.Packet != nil {
		if err := s.box.put(w.tx, bucketOutbox, key, out); err != nil {
			return row, err
		}
	}
	for _, b := range blobs {
		if err := w.wantUpload(b, rec.At); err != nil {
			return row, err
		}
	}
	return row, s.box.put(w.tx, bucketHeaders, key, row)
}

func (w *work) putHead(seq uint64, hash vault.Hash, cursor uint64, told vault.Hash) error {
	return w.s.box.put(w.tx, bucketMeta, keyHead, headState{Seq: seq, Hash: hash, Cursor: cursor, Told: told})
}

// blobsNamed is blobsOf the record of an act. A submission is not decoded for it: somebody waits.
func blobsNamed(a Act, rec journal.Record) []journal.Blob {
	if b, ok := a.Body.(journal.CaseSubmitted); ok {
		return b.Blobs
	}
	return blobsOf(rec)
}

// blobsOf lists the blobs a record refers to.
func blobsOf(rec journal.Record) []journal.Blob {
	switch rec.Kind {
	case journal.KindCaseSubmitted:
		if b, err := journal.DecodeBody[journal.CaseSubmitted](rec.Body); err == nil {
			return b.Blobs
		}
	case journal.KindCaseAmended:
		if b, err := journal.DecodeBody[journal.CaseAmended](rec.Body); err == nil {
			return b.Blobs
		}
	case journal.KindFormerAct:
		if a, err := journal.DecodeBody[journal.FormerAct](rec.Body); err == nil {
			if act, err := a.Record(rec.Seq); err == nil {
				return blobsOf(act)
			}
		}
	}
	return nil
}

// header reads a record's row.
func (s *Store) header(tx space, seq uint64) (headerRow, error) {
	var row headerRow
	if err := s.box.get(tx, bucketHeaders, seqKey(seq), &row); err != nil {
		return row, fmt.Errorf("record %d: %w", seq, err)
	}
	if row.Seq != seq {
		return row, fmt.Errorf("%w: record %d says it is %d", ErrDamaged, seq, row.Seq)
	}
	return row, nil
}

// record reads a record with its body and checks the body against the header.
func (s *Store) record(tx space, seq uint64) (journal.Record, headerRow, error) {
	row, err := s.header(tx, seq)
	if err != nil {
		return journal.Record{}, row, err
	}
	rec := journal.Record{Header: row.Header}
	if row.Purged {
		return rec, row, nil
	}
	p, err := s.period(row.Period)
	if err != nil {
		return rec, row, fmt.Errorf("record %d: %w", seq, err)
	}
	if rec.Body, err = s.bodyOf(tx, row, func(value []byte) ([]byte, error) {
		return s.box.open(bucketBodies, seqKey(seq), value, s.period)
	}); err != nil {
		return rec, row, err
	}
	row.salt(&p)
	if err := journal.CheckBody(s.o.Suite, p.Salt[:], rec); err != nil {
		return rec, row, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return rec, row, nil
}

// bodyOf reads the body of a record; nil when it was purged. Whether it belongs to the header is not compared here.
func (s *Store) bodyOf(tx space, row headerRow, open func(value []byte) ([]byte, error)) ([]byte, error) {
	if row.Purged {
		return nil, nil
	}
	value := tx.Bucket([]byte(bucketBodies)).Get(seqKey(row.Seq))
	if value == nil {
		return nil, fmt.Errorf("%w: record %d: body is gone", ErrDamaged, row.Seq)
	}
	body, err := open(value)
	if err != nil {
		return nil, fmt.Errorf("record %d: %w", row.Seq, err)
	}
	if body == nil {
		body = []byte{}
	}
	return body, nil
}

// Record returns record seq with its body, which is nil when it was purged. Errors: ErrNotFound, ErrDamaged, ErrLocked
// when the record was written by somebody logged in and nobody is now.
func (s *Store) Record(seq uint64) (journal.Record, error) {
	var rec journal.Record
	err := s.db.View(func(tx *bolt.Tx) (err error) {
		rec, _, err = s.record(tx, seq)
		return err
	})
	return rec, wrapRead(err)
}

// Headers returns up to n headers of the records after a seq, in order. It works while locked.
func (s *Store) Headers(after uint64, n int) ([]journal.Header, error) {
	var out []journal.Header
	err := s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket([]byte(bucketHeaders)).Cursor()
		for k, v := c.Seek(seqKey(after + 1)); k != nil && len(out) < n; k, v = c.Next() {
			var row headerRow
			if err := s.box.decode(bucketHeaders, k, v, &row); err != nil {
				return fmt.Errorf("record %d: %w", seqOf(k), err)
			}
			out = append(out, row.Header)
		}
		return nil
	})
	return out, wrapRead(err)
}

// Receipt returns the COSE envelope of a record's receipt: stage 1 as the device signed it, stage 2 as the platform did. A
// journal.FormerRef leads to what a former number gave out. Errors: ErrNotFound, ErrDamaged, ErrLocked for stage 1.
func (s *Store) Receipt(seq uint64, stage uint8) ([]byte, error) {
	var out []byte
	err := s.db.View(func(tx *bolt.Tx) (err error) {
		in, n, err := s.spaceOf(tx, seq)
		if err != nil {
			return err
		}
		out, err = s.receipt(in, n, stage)
		return err
	})
	return out, wrapRead(err)
}

func (s *Store) receipt(tx space, seq uint64, stage uint8) ([]byte, error) {
	key := receiptKey(seq, stage)
	value := tx.Bucket([]byte(receiptHome(stage))).Get(key)
	if value == nil {
		return nil, fmt.Errorf("%w: receipt %d of record %d", ErrNotFound, stage, seq)
	}
	return s.box.open(bucketReceipts, key, value, s.period)
}

// wrapRead gives words to errors of reading.
func wrapRead(err error) error {
	var w *words.Error
	switch {
	case err == nil, errors.As(err, &w):
		return err
	case errors.Is(err, ErrDamaged):
		return words.New("store.damagedValue", err)
	case errors.Is(err, ErrNotFound):
		return words.New("store.notFound", err)
	}
	return fmt.Errorf("store: %w", err)
}
