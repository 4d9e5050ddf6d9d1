package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Fault is one thing that is not as it was written.
type Fault struct {
	Where string       // bucket, or "mirror", "blob", "file", "chain"
	Seq   uint64       // record, or event cursor in bucket events; 0 when it belongs to none
	Kind  journal.Kind // of the record or event, when it can be told
	At    time.Time    // of the record or event, when it can be told
	Key   string       // hexadecimal key of the value
	What  string       // words key: what is wrong, for people
	Err   error        // for the log
}

// String names the fault for the doctor's plain output.
func (f Fault) String() string {
	return fmt.Sprintf("%s seq=%d kind=%s key=%s %s: %v", f.Where, f.Seq, f.Kind, f.Key, f.What, f.Err)
}

// Report is what Verify found.
type Report struct {
	Locked   bool // period values were checked by their tags only
	Records  uint64
	Events   uint64
	Acked    uint64
	Values   int   // sealed values looked at
	Frames   int   // frames of the mirror
	Blobs    int   // attachments
	BadBytes int64 // bytes of the mirror that are no frame; a fault only when something is missing for it
	Faults   []Fault
}

// OK reports whether nothing is wrong.
func (r Report) OK() bool { return len(r.Faults) == 0 }

// Verify looks at everything: the chain header by header, every sealed value, the mirror frame by frame, every blob. With
// somebody logged in every value is opened; locked, the period values are checked by the machine's tag. It changes
// nothing. Acts wait for it a second, then they are refused in words (ErrTask); locking the machine gives it up. progress may be nil. The error is ctx's or of the disk; what is wrong with the
// data is in the report.
func (s *Store) Verify(ctx context.Context, progress func(done, total int)) (Report, error) {
	ctx, stop, asked := stoppable(ctx)
	task := s.write.begin(TaskCheck, false, stop)
	defer task.end()
	s.write.Lock()
	defer s.write.Unlock()
	r, err := s.verify(ctx, func(done, total int) {
		task.tell(done, total)
		if progress != nil {
			progress(done, total)
		}
	})
	return r, asked(err)
}

func (s *Store) verify(ctx context.Context, progress func(done, total int)) (Report, error) {
	s.mu.RLock()
	v := &verifier{s: s, ctx: ctx, progress: progress, u: s.unlocked, head: s.head, acked: s.acked, cursor: s.cursor}
	for _, err := range s.faults {
		s.log.Error("found while opening", "cause", err.Error())
	}
	s.mu.RUnlock()
	v.r = Report{Locked: v.u == nil, Records: v.head, Events: v.cursor, Acked: v.acked}
	v.kinds = map[uint64]journal.Header{}
	v.hashes = map[uint64]vault.Hash{}
	v.receipts = map[uint64]bool{}
	v.opened, v.sent, v.heard = map[uint64]bool{}, map[uint64]vault.Hash{}, map[uint64]vault.Hash{}
	err := guarded(func() error {
		return s.db.View(func(tx *bolt.Tx) error {
			v.tx = tx
			for _, name := range buckets {
				v.total += tx.Bucket([]byte(name)).Stats().KeyN
			}
			if err := elementsOf(s.path, tx.DB()); err != nil {
				return err
			}
			for err := range tx.Check() {
				v.add(Fault{Where: "file", What: "doctor.structure", Err: err})
			}
			for _, step := range []func() error{v.chain, v.events, v.values, v.former, v.ack, v.mirror, v.blobs} {
				if err := step(); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if errors.Is(err, ErrDamaged) {
		v.add(Fault{Where: "file", What: "doctor.structure", Err: err})
		err = nil
	}
	return v.r, err
}

type verifier struct {
	s        *Store
	ctx      context.Context
	progress func(done, total int)
	u        *vault.Unlocked
	tx       *bolt.Tx
	r        Report
	head     uint64
	acked    uint64
	cursor   uint64
	done     int
	total    int
	kinds    map[uint64]journal.Header
	hashes   map[uint64]vault.Hash
	receipts map[uint64]bool       // records that a stage-1 receipt was given for
	opened   map[uint64]bool       // records whose body opens and is the header's
	named    []named               // blobs that records name
	sent     map[uint64]vault.Hash // SM3 of packets that verify, by record
	heard    map[uint64]vault.Hash // SM3 of events that verify, by cursor
}

// named is a blob that a record names.
type named struct {
	seq  uint64
	addr [32]byte
}

// add files a fault, with what is known of its record.
func (v *verifier) add(f Fault) {
	if h, ok := v.kinds[f.Seq]; ok && f.Where != bucketEvents && f.Where != bucketOpened {
		f.Kind, f.At = h.Kind, time.UnixMilli(h.At)
	}
	v.r.Faults = append(v.r.Faults, f)
}

func (v *verifier) tick() error {
	v.done++
	if v.done%64 == 0 {
		if v.progress != nil {
			v.progress(v.done, max(v.total, v.done))
		}
		return v.ctx.Err()
	}
	return nil
}

// chain goes through the headers in order. A header that does not open is named; the chain is taken up behind it.
func (v *verifier) chain() error {
	s := v.s
	c := v.tx.Bucket([]byte(bucketHeaders)).Cursor()
	next, known := uint64(1), true
	var prev vault.Hash
	for k, value := c.First(); k != nil; k, value = c.Next() {
		if err := v.tick(); err != nil {
			return err
		}
		v.r.Values++
		seq := seqOf(k)
		for ; next < seq && next <= v.head; next++ {
			v.lost(next)
			known = false
		}
		next = seq + 1
		var row headerRow
		err := s.box.decode(bucketHeaders, k, value, &row)
		if err == nil && (len(k) != 8 || row.Seq != seq || row.Device != s.Device() || seq > v.head) {
			err = fmt.Errorf("%w: header of device %d, record %d", ErrDamaged, row.Device, row.Seq)
		}
		if err != nil {
			f := Fault{Where: bucketHeaders, Seq: seq, Key: hex.EncodeToString(k), What: "doctor.value", Err: err}
			f.Kind, f.At = v.fromMirror(seq)
			v.add(f)
			known = false
			continue
		}
		v.kinds[seq], v.hashes[seq] = row.Header, row.Hash(s.o.Suite)
		if known && row.Prev != prev {
			v.add(Fault{Where: "chain", Seq: seq, What: "doctor.chain", Err: journal.ErrGap})
		}
		prev, known = v.hashes[seq], true
		v.body(row)
	}
	for ; next <= v.head; next++ {
		v.lost(next)
	}
	for seq := v.head + 1; seq <= s.mir.records.last(); seq++ {
		v.lost(seq) // the mirror has it; the next login takes it back
	}
	if h, ok := v.hashes[v.head]; ok && h != s.headHash {
		v.add(Fault{Where: "chain", Seq: v.head, What: "doctor.chain", Err: fmt.Errorf("%w: head is another", ErrDamaged)})
	}
	return nil
}

func (v *verifier) lost(seq uint64) {
	f := Fault{Where: bucketHeaders, Seq: seq, What: "doctor.lost", Err: fmt.Errorf("%w: no header", ErrDamaged)}
	f.Kind, f.At = v.fromMirror(seq)
	v.add(f)
}

// fromMirror asks the mirror what a record was whose header does not open.
func (v *verifier) fromMirror(seq uint64) (journal.Kind, time.Time) {
	if v.u == nil || !v.s.mir.records.has(seq) {
		return "", time.Time{}
	}
	f, err := v.s.find(0, func(n uint64) bool { return n == seq })
	if err != nil {
		return "", time.Time{}
	}
	rec, _, _, err := v.s.openFrame(v.u, f.packets[seq])
	if err != nil {
		return "", time.Time{}
	}
	return rec.Kind, time.UnixMilli(rec.At)
}

// body checks that a record's body and receipt are there and the ones the header names.
func (v *verifier) body(row headerRow) {
	s, key := v.s, seqKey(row.Seq)
	if row.Receipt {
		v.receipts[row.Seq] = true
	}
	if row.Receipt && v.tx.Bucket([]byte(receiptHome(1))).Get(receiptKey(row.Seq, 1)) == nil {
		v.add(Fault{Where: receiptHome(1), Seq: row.Seq, What: "doctor.lost", Err: fmt.Errorf("%w: no receipt", ErrDamaged)})
	}
	if row.Purged {
		return
	}
	value := v.tx.Bucket([]byte(bucketBodies)).Get(key)
	if value == nil {
		v.add(Fault{Where: bucketBodies, Seq: row.Seq, What: "doctor.lost", Err: fmt.Errorf("%w: no body", ErrDamaged)})
		return
	}
	p, err := s.period(row.Period)
	if err != nil {
		return // locked, or erased
	}
	plain, err := s.box.open(bucketBodies, key, value, s.period)
	if err != nil {
		return // values names it
	}
	v.opened[row.Seq] = true
	rec := journal.Record{Header: row.Header, Body: plain}
	if rec.Body == nil {
		rec.Body = []byte{}
	}
	row.salt(&p)
	if err := journal.CheckBody(s.o.Suite, p.Salt[:], rec); err != nil {
		v.add(Fault{Where: bucketBodies, Seq: row.Seq, Key: hex.EncodeToString(key), What: "doctor.body", Err: err})
		return
	}
	for _, b := range blobsOf(rec) {
		v.named = append(v.named, named{row.Seq, b.Addr})
	}
}

// values opens every value of the other buckets, or checks its tag while locked.
func (v *verifier) values() error {
	s := v.s
	for _, name := range buckets {
		if name == bucketHeaders || name == bucketEvents {
			continue
		}
		err := v.tx.Bucket([]byte(name)).ForEach(func(k, value []byte) error {
			if err := v.tick(); err != nil {
				return err
			}
			v.r.Values++
			if name == bucketMeta && string(k) == string(keySchema) || name == bucketBodies && len(k) == 8 && v.opened[seqOf(k)] {
				return nil // Open has checked it, or chain
			}
			plain, err := s.box.open(sealedAs(name, k), k, value, s.period)
			if errors.Is(err, ErrLocked) || errors.Is(err, vault.ErrNoPeriod) {
				err = nil // the tag is right; nobody is here to open it
				if name == bucketBodies && len(k) == 8 {
					err = v.sum(k, value)
				}
			}
			if err != nil {
				v.add(Fault{Where: name, Seq: recordOf(name, k), Key: hex.EncodeToString(k), What: "doctor.value", Err: err})
				return nil
			}
			if name == bucketOutbox && plain != nil {
				v.outbox(k, plain)
			}
			if (name == bucketBodies || name == bucketOutbox) && seqOf(k) > v.head {
				v.add(Fault{Where: name, Seq: seqOf(k), Key: hex.EncodeToString(k), What: "doctor.extra", Err: ErrDamaged})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for seq := range v.kinds {
		if v.kinds[seq].Kind == journal.KindCaseSubmitted {
			v.projected(seq)
		}
	}
	return nil
}

// projected looks whether a case has its row, and its value when more happened than its submission.
func (v *verifier) projected(seq uint64) {
	var r Row
	err := v.s.box.get(v.tx, bucketSummaries, seqKey(seq), &r)
	switch {
	case errors.Is(err, ErrNotFound):
		v.add(Fault{Where: bucketSummaries, Seq: seq, What: "doctor.projection", Err: fmt.Errorf("%w: case has no row", ErrDamaged)})
	case err != nil || r.Fresh || v.s.applied.Dirty: // named already; not due
	case v.tx.Bucket([]byte(bucketCases)).Get(seqKey(seq)) == nil:
		v.add(Fault{Where: bucketCases, Seq: seq, What: "doctor.projection", Err: fmt.Errorf("%w: case has no value", ErrDamaged)})
	}
}

// sum compares a sealed body with the hash its header keeps.
func (v *verifier) sum(k, value []byte) error {
	row, err := v.s.header(v.tx, seqOf(k))
	if err != nil {
		return nil // the header is named already
	}
	if row.Sum != v.s.o.Suite.Hash(value) {
		return fmt.Errorf("%w: body is not the one the header names", ErrDamaged)
	}
	return nil
}

func (v *verifier) outbox(k, plain []byte) {
	var out outboxRow
	err := canon.Unmarshal(plain, &out)
	if err == nil {
		if err = v.packet(seqOf(k), out.Packet); err == nil {
			v.sent[seqOf(k)] = v.s.o.Suite.Hash(out.Packet)
		}
	}
	if err != nil {
		v.add(Fault{Where: bucketOutbox, Seq: seqOf(k), Key: hex.EncodeToString(k), What: "doctor.packet", Err: err})
	}
}

// packet checks a one-record packet against this device's key and chain.
func (v *verifier) packet(seq uint64, data []byte) error {
	p, err := packet.Parse(data)
	if err != nil {
		return err
	}
	if p.Device != v.s.Device() || p.From != seq || p.To != seq {
		return fmt.Errorf("%w: packet of records %d to %d", ErrDamaged, p.From, p.To)
	}
	if err := p.Verify(v.s.o.Suite, v.s.Signer().Public()); err != nil {
		return err
	}
	if h, ok := v.hashes[seq]; ok && h != p.Head {
		return fmt.Errorf("%w: packet and journal hold different records", ErrForked)
	}
	return nil
}

// recordOf tells which record a key belongs to.
func recordOf(bucket string, k []byte) uint64 {
	switch bucket {
	case bucketBodies, bucketReceipts, bucketOutbox, bucketCases, bucketSummaries, bucketQuarantine, bucketOpened:
		return seqOf(k)
	case bucketUnapplied:
		if len(k) == 9 && k[0] == markRecord {
			return seqOf(k[1:])
		}
	}
	return 0
}

// ack checks the newest ack against the journal.
func (v *verifier) ack() error {
	s := v.s
	var a ackState
	if err := s.box.get(v.tx, bucketAcks, keyLastAck, &a); err != nil {
		return nil // none, or named already
	}
	ack, err := packet.OpenAck(s.o.Suite, s.o.Platform.SignKey, a.Ack)
	switch h, ok := v.hashes[a.To]; {
	case err != nil:
	case ack.To != a.To || a.To > v.head:
		err = fmt.Errorf("%w: ack to record %d, head is %d", ErrDamaged, a.To, v.head)
	case ok && h != ack.Head:
		err = fmt.Errorf("%w: ack is for another record %d", ErrForked, a.To)
	}
	if err != nil {
		v.add(Fault{Where: bucketAcks, Seq: a.To, What: "doctor.ack", Err: err})
	}
	return nil
}

// mirror reads every frame: packets verify and are the journal's records, events are the events held, what is sealed to
// the device opens.
func (v *verifier) mirror() error {
	s := v.s
	good, told := map[uint64]bool{}, map[uint64]bool{}
	nos, err := s.mir.segments()
	if err != nil {
		return err
	}
	type bad struct {
		f    Frame
		what string
		err  error
	}
	var bads []bad
	for _, no := range nos {
		var frames []Frame
		data, end, spans, err := s.mir.scan(no, func(_ int64, f Frame) error {
			v.r.Frames++
			frames = append(frames, f)
			return v.ctx.Err()
		})
		if err != nil {
			return err
		}
		faults := make([]error, len(frames))
		for from := 0; from < len(frames); from += verifyBatch {
			part := frames[from:min(from+verifyBatch, len(frames))]
			each(len(part), func(i int) { faults[from+i] = v.frame(part[i]) })
			for range part {
				if err := v.tick(); err != nil {
					return err
				}
			}
		}
		for i, f := range frames {
			err := faults[i]
			switch {
			case f.Kind == FrameRecord && err != nil:
				bads = append(bads, bad{f, "doctor.packet", err})
			case f.Kind == FrameRecord:
				good[f.Number] = true
			case f.Kind == FrameGone && err != nil:
				bads = append(bads, bad{f, "doctor.value", err})
			case f.Kind == FrameGone:
				told[f.Number] = true
			case f.Kind == FrameEvent && err != nil:
				bads = append(bads, bad{f, "doctor.signature", err})
			case f.Kind == FrameEvent:
				told[f.Number] = true
			case err != nil:
				v.add(Fault{Where: "mirror", Seq: f.Number, What: "doctor.value", Err: err})
			}
			if f.Kind == FrameReceipt {
				delete(v.receipts, f.Number)
			}
		}
		v.r.BadBytes += int64(len(data)) - end
		for _, b := range spans {
			v.r.BadBytes += b.To - b.From
		}
	}
	for _, b := range bads { // harmless when the same record lies elsewhere in the mirror, whole
		if b.f.Kind == FrameRecord && good[b.f.Number] || b.f.Kind == FrameEvent && told[b.f.Number] {
			continue
		}
		v.add(Fault{Where: "mirror", Seq: b.f.Number, What: b.what, Err: b.err})
		good[b.f.Number] = good[b.f.Number] || b.f.Kind == FrameRecord
	}
	for seq := uint64(1); seq <= v.head; seq++ {
		if !good[seq] {
			v.add(Fault{Where: "mirror", Seq: seq, What: "doctor.lost", Err: fmt.Errorf("%w: no frame", ErrDamaged)})
		}
	}
	for seq := uint64(1); seq <= v.head; seq++ {
		if v.receipts[seq] && good[seq] {
			v.add(Fault{Where: "mirror", Seq: seq, What: "doctor.lost", Err: fmt.Errorf("%w: no frame of the receipt", ErrDamaged)})
		}
	}
	for n := uint64(1); n <= v.cursor; n++ {
		if !told[n] {
			v.add(Fault{Where: "mirror", What: "doctor.lost", Err: fmt.Errorf("%w: no frame of event %d", ErrDamaged, n)})
		}
	}
	return nil
}

// blobs hashes every attachment, and checks that those which records name are known.
func (v *verifier) blobs() error {
	s := v.s
	known := map[[32]byte]bool{}
	if err := v.tx.Bucket([]byte(bucketBlobs)).ForEach(func(k, value []byte) error {
		var row blobRow
		if len(k) != 32 || s.box.decode(bucketBlobs, k, value, &row) != nil {
			return nil // named already
		}
		if err := v.tick(); err != nil {
			return err
		}
		v.r.Blobs++
		known[[32]byte(k)] = true
		if err := s.checkBlob([32]byte(k), row.Size); err != nil {
			what := "doctor.blob"
			if errors.Is(err, os.ErrNotExist) {
				what = "doctor.blobMissing"
			}
			v.add(Fault{Where: "blob", Key: hex.EncodeToString(k), Seq: v.blobOwner([32]byte(k)), What: what, Err: err})
		}
		return nil
	}); err != nil {
		return err
	}
	if v.u == nil {
		return nil
	}
	for _, b := range v.named {
		if !known[b.addr] {
			v.add(Fault{Where: "blob", Seq: b.seq, Key: hex.EncodeToString(b.addr[:]), What: "doctor.blobMissing", Err: ErrNotFound})
		}
	}
	return nil
}

// blobOwner finds the record that names a blob; 0 while locked.
func (v *verifier) blobOwner(addr [32]byte) uint64 {
	for seq := uint64(1); seq <= v.head; seq++ {
		rec, _, err := v.s.record(v.tx, seq)
		if err != nil {
			continue
		}
		for _, b := range blobsOf(rec) {
			if b.Addr == addr {
				return seq
			}
		}
	}
	return 0
}

func (s *Store) checkBlob(addr [32]byte, size int64) error {
	f, err := os.Open(s.blobPath(addr))
	if err != nil {
		return err
	}
	defer f.Close()
	h := s.o.Suite.NewHash()
	n, err := io.Copy(h, f)
	if err != nil {
		return err
	}
	if n != size || [32]byte(h.Sum(nil)) != addr {
		return fmt.Errorf("%w: blob of %d bytes does not hash to its address", ErrDamaged, n)
	}
	return nil
}

// Words turns a fault into what people read: the fault's key with the record's number and time.
func (f Fault) Words() *words.Error {
	return words.New(f.What, f.Err, "where", f.Where, "seq", fmt.Sprint(f.Seq), "kind", string(f.Kind), "at", f.At.UTC().Format(time.RFC3339))
}
