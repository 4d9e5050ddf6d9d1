package store

import (
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Followed says how far the platform's journal and inbox of a former number are here.
type Followed struct {
	Device uint32     `cbor:"1,keyasint"`
	Head   uint64     `cbor:"2,keyasint"` // last record of the platform's journal
	Hash   vault.Hash `cbor:"3,keyasint"`
	Cursor uint64     `cbor:"4,keyasint"` // last event
	Told   vault.Hash `cbor:"5,keyasint"`
	// Begun is false until something was taken from the platform: then Head is the last record in common.
	Begun bool `cbor:"6,keyasint"`
}

// FormerPart is a part of what the platform holds of a former number.
type FormerPart struct {
	Device  uint32
	Ack     []byte
	Packets [][]byte // sealed to this device, signed by the platform
	Events  [][]byte // as signed
	Bodies  [][]byte // for each event its body sealed to this device; empty when it opens as it is
	// Receipt makes the stage-1 envelope of a submission again, when this machine has the number's key; nil when it has not.
	Receipt func(rec journal.Record) ([]byte, error)
}

var (
	keyFollowed = []byte("followed")
	// branchName is the bucket, in that of a former number, for what this machine's branch had under numbers that the
	// platform's journal uses, too.
	branchName = []byte("branch")
)

func followedKey(device uint32) []byte { return append(seqKey(uint64(device)), keyFollowed...) }

// followed reads how far a former number is followed. Before anything came from the platform it is what this machine had in
// common with it.
func (s *Store) followed(b *bolt.Bucket, l Former) (Followed, error) {
	f := Followed{Device: l.Device, Head: l.To, Hash: l.Head}
	if value := b.Get(keyFollowed); value != nil {
		plain, err := s.box.open(bucketFormer, followedKey(l.Device), value, noPeriods)
		if err == nil {
			err = canon.Unmarshal(plain, &f)
		}
		return f, err
	}
	if l.Replaced {
		return Followed{Device: l.Device}, nil
	}
	if k, _ := b.Bucket([]byte(bucketEvents)).Cursor().Last(); k != nil {
		ev, row, err := s.event(b, seqOf(k))
		if err != nil {
			return f, err
		}
		f.Cursor, f.Told = ev.Cursor, row.hash(s.o.Suite, ev)
	}
	return f, nil
}

// Following lists how far each former number is followed; not at all is one whose journal was lost with the file. It works while
// locked.
func (s *Store) Following() ([]Followed, error) {
	var out []Followed
	lost := map[uint32]bool{}
	for _, e := range s.epochs()[1:] {
		lost[e.Former] = e.Former != s.Device()
	}
	err := s.eachFormer(func(l Former, b *bolt.Bucket) error {
		f, err := s.followed(b, l)
		out = append(out, f)
		lost[l.Device] = false
		return err
	})
	for _, e := range s.epochs()[1:] {
		if lost[e.Former] {
			out = append(out, Followed{Device: e.Former})
		}
	}
	return out, wrapRead(err)
}

// TakeFormer takes a part of what the platform holds of a number that this machine goes on for: records and events that lead
// on from what is here, proven by the platform's signatures. It begins a number that is new here: that of a machine whose
// place this one took. It is durable when it returns; the mirror has no part in it, because the platform has it.
// Errors: ErrLocked, ErrForeignAck (words store.snapshotForeign).
func (s *Store) TakeFormer(ctx context.Context, p FormerPart) (Followed, error) {
	if err := ctx.Err(); err != nil {
		return Followed{}, err
	}
	a, err := packet.OpenAck(s.o.Suite, s.o.Platform.SignKey, p.Ack)
	if err == nil && (a.Device != p.Device || p.Device == s.Device() || len(p.Bodies) != len(p.Events)) {
		err = fmt.Errorf("ack of device %d for %d", a.Device, p.Device)
	}
	if err != nil {
		return Followed{}, foreignSnapshot(err)
	}
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.writable(); err != nil {
		return Followed{}, err
	}
	if err := s.room(); err != nil {
		return Followed{}, err
	}
	u, err := s.needUnlocked()
	if err != nil {
		return Followed{}, err
	}
	var f Followed
	err = s.update(func(tx *bolt.Tx) error {
		b, l, err := s.formerOf(tx, p.Device, a)
		if err != nil {
			return err
		}
		if f, err = s.followed(b, l); err != nil {
			return err
		}
		if !f.Begun {
			if err := s.splitBranch(b, l); err != nil {
				return err
			}
			f.Begun = true
		}
		in := &following{work: work{s: s, tx: b, rows: map[uint64]Row{}}, tx: tx, u: u, f: &f, again: p.Receipt}
		if in.period, err = u.Period(s.present()); err != nil {
			return err
		}
		if in.erased, err = s.erasedHere(tx); err != nil {
			return err
		}
		for _, data := range p.Packets {
			if err := in.packet(data); err != nil {
				return err
			}
		}
		if f.Head > a.To || f.Head == a.To && f.Hash != a.Head {
			return foreignSnapshot(fmt.Errorf("records lead to another record %d", f.Head))
		}
		for i, data := range p.Events {
			if err := in.event(data, p.Bodies[i]); err != nil {
				return err
			}
		}
		return s.putFollowed(b, f)
	})
	return f, err
}

func (s *Store) putFollowed(b *bolt.Bucket, f Followed) error {
	plain, err := canon.Marshal(f)
	if err != nil {
		return err
	}
	value, err := s.box.seal(bucketFormer, followedKey(f.Device), plain)
	if err != nil {
		return err
	}
	return b.Put(keyFollowed, value)
}

func foreignSnapshot(err error) error {
	return words.New("store.snapshotForeign", fmt.Errorf("%w: snapshot: %w", ErrForeignAck, err))
}

// formerOf finds the bucket of a former number, or begins it.
func (s *Store) formerOf(tx *bolt.Tx, device uint32, a packet.Ack) (*bolt.Bucket, Former, error) {
	b, err := s.formerSpace(tx, device)
	if err == nil {
		l, err := s.lineage(device, b)
		return b, l, err
	}
	home, err := tx.CreateBucketIfNotExists([]byte(bucketFormer))
	if err != nil {
		return nil, Former{}, fmt.Errorf("store: former journal: %w", err)
	}
	if b, err = home.CreateBucket(seqKey(uint64(device))); err != nil {
		return nil, Former{}, fmt.Errorf("store: former journal: %w", err)
	}
	for _, name := range journalBuckets {
		if _, err := b.CreateBucket([]byte(name)); err != nil {
			return nil, Former{}, fmt.Errorf("store: former journal: %w", err)
		}
	}
	l := Former{Device: device, Into: s.Device(), To: a.To, Head: a.Head, Last: a.To, At: s.now().UnixMilli(), Replaced: true}
	for _, e := range s.epochs()[1:] {
		if e.Former == device { // it was here, and was lost with the file
			l.Into, l.To, l.Head, l.Last, l.Fork, l.Replaced = e.Device, e.To, e.Head, e.To, e.Fork, false
		}
	}
	if !l.Replaced {
		if err := s.putFollowed(b, Followed{Device: device, Begun: true}); err != nil {
			return nil, l, err
		}
	}
	plain, err := canon.Marshal(l)
	if err != nil {
		return nil, l, err
	}
	value, err := s.box.seal(bucketFormer, lineageKey(device), plain)
	if err != nil {
		return nil, l, err
	}
	return b, l, b.Put(keyLineage, value)
}

// splitBranch moves what this machine's branch had under numbers after the last common one aside: the platform's journal
// uses the same numbers for other records.
func (s *Store) splitBranch(b *bolt.Bucket, l Former) error {
	if l.Replaced {
		return nil
	}
	aside, err := b.CreateBucketIfNotExists(branchName)
	if err != nil {
		return fmt.Errorf("store: branch: %w", err)
	}
	for _, name := range []string{bucketHeaders, bucketBodies, bucketReceipts, bucketOutbox, bucketCases, bucketSummaries} {
		from := b.Bucket([]byte(name))
		to, err := aside.CreateBucketIfNotExists([]byte(name))
		if err != nil {
			return fmt.Errorf("store: branch: %w", err)
		}
		var keys [][]byte
		if err := from.ForEach(func(k, v []byte) error {
			if seqOf(k) <= l.To {
				return nil
			}
			keys = append(keys, append([]byte{}, k...))
			return to.Put(k, v)
		}); err != nil {
			return fmt.Errorf("store: branch: %w", err)
		}
		for _, k := range keys {
			if err := from.Delete(k); err != nil {
				return fmt.Errorf("store: branch: %w", err)
			}
		}
	}
	return nil
}

// following writes a part of a former number's logs.
type following struct {
	work
	tx     *bolt.Tx // the machine's; that of work is the former number's
	u      *vault.Unlocked
	f      *Followed
	period vault.Period
	again  func(rec journal.Record) ([]byte, error)
	erased map[uint64]bool // cases that were erased on this machine, by journal.FormerRef; the county may have them still
}

func (in *following) packet(data []byte) error {
	s, f := in.s, in.f
	recs, salt, err := s.openSnapshot(in.u, data, f.Device, f.Head, f.Hash)
	if err != nil {
		return foreignSnapshot(err)
	}
	for _, rec := range recs {
		w := &in.work
		if of, ok := casefile.CaseOf(rec); ok && in.erased[journal.FormerRef(f.Device, of)] {
			rec.Body = nil
		}
		row := headerRow{Header: rec.Header, Period: in.period.ID, Purged: rec.Body == nil}
		row.Case, _ = casefile.CaseOf(rec)
		if rec.Body != nil {
			value, err := s.box.sealIn(in.period.ID, in.period.Store, bucketBodies, seqKey(rec.Seq), rec.Body)
			if err != nil {
				return err
			}
			row.Sum = s.o.Suite.Hash(value)
			if salt != in.period.Salt {
				row.Salt = append([]byte{}, salt[:]...)
			}
			if err := putRaw(w.tx, bucketBodies, seqKey(rec.Seq), value); err != nil {
				return err
			}
		}
		var receipt []byte
		if rec.Kind == journal.KindCaseSubmitted && rec.Body != nil && in.again != nil {
			if receipt, err = in.again(rec); err != nil {
				return fmt.Errorf("store: receipt %d: %w", rec.Seq, err)
			}
			value, err := s.box.sealIn(in.period.ID, in.period.Store, bucketReceipts, receiptKey(rec.Seq, 1), receipt)
			if err != nil {
				return err
			}
			if err := putRaw(w.tx, receiptHome(1), receiptKey(rec.Seq, 1), value); err != nil {
				return err
			}
			row.Receipt = true
		}
		if err := s.box.put(w.tx, bucketHeaders, seqKey(rec.Seq), row); err != nil {
			return err
		}
		if row.Case != 0 {
			if err := w.projectRecord(rec, row, receipt, false); err != nil {
				return err
			}
		}
		if err := s.wantBack(in.tx, f.Device, row.Case, rec); err != nil {
			return err
		}
		f.Head, f.Hash = rec.Seq, rec.Hash(s.o.Suite)
	}
	return nil
}

func (in *following) event(data, body []byte) error {
	s, f := in.s, in.f
	ev, err := journal.ParseEvent(data)
	if err == nil && ev.Cursor <= f.Cursor {
		return nil // here already
	}
	if err == nil {
		_, err = journal.CheckEvents(s.o.Suite, f.Device, f.Cursor, f.Told, []journal.Event{ev})
	}
	if err == nil {
		err = ev.Verify(s.o.Suite, s.o.Platform.SignKey)
	}
	if err != nil {
		return foreignSnapshot(err)
	}
	row := eventRow{Event: data, After: f.Head}
	f.Cursor, f.Told = ev.Cursor, ev.Hash(s.o.Suite)
	if of, err := s.header(in.work.tx, ev.Seq); ev.Sealed && err == nil && of.Purged {
		gone := ev
		gone.Body, gone.Sig = []byte{}, []byte{}
		row.Event, row.Hash = gone.Marshal(), f.Told[:]
		ev.Body, body = []byte{}, nil
	}
	if err := s.box.put(in.work.tx, bucketEvents, seqKey(ev.Cursor), row); err != nil {
		return err
	}
	if ev.Sealed && len(body) > 0 {
		ev.Body = body // the same, sealed to this device
	}
	err = in.projectEvent(ev, in.u, in.period)
	if errors.Is(err, ErrNotFound) {
		return in.unapplied(markEvent, ev.Cursor, err)
	}
	return err
}
