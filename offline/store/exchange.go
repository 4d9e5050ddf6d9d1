package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Limits of packing while somebody is logged in.
const (
	maxRun      = 2000     // records in one packet
	maxReady    = 256      // packets in one answer of Outgoing, as many as a request takes
	maxRunPlain = 12 << 20 // their bodies, in bytes
	firstRatio  = 1.0 / 3  // packed bytes for each byte of bodies, before any run was packed
	fillRatio   = 0.96     // how much of the room a run is planned to fill
	leastRoom   = 4        // a request is full when less than one part in so many is left
	plainPerRow = 64       // bytes of a record that are not its body, about
	ackKeep     = 10 * time.Minute
	clockKeep   = 10 * time.Minute
)

// Position returns the device number, the last record that is in both file and mirror, the last one the platform
// acknowledged, and the last event held.
func (s *Store) Position(ctx context.Context) (device uint32, head, acked, cursor uint64, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Device(), s.sendable(s.acked), s.acked, s.cursor, ctx.Err()
}

// sendable is the last record that may leave after a seq: what is not in the mirror stays. Called with mu held.
func (s *Store) sendable(after uint64) uint64 {
	for _, gap := range s.gaps {
		if gap > after {
			return gap - 1
		}
	}
	return s.head
}

// Pending returns how many records the platform has not acknowledged.
func (s *Store) Pending() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.head - s.acked
}

// Need sets how packets are made from now on: "codec 0", "codec 1" or "dict" (without the dictionary); "" is the usual
// way. While nobody is logged in only the packets made at Commit can leave, so Outgoing waits for a login then.
func (s *Store) Need(_ context.Context, need string) error {
	switch need {
	case "", "codec 0", "codec 1", "dict":
	default:
		return fmt.Errorf("store: platform needs %q, which is unknown", need)
	}
	s.mu.Lock()
	s.need = need
	s.mu.Unlock()
	return nil
}

// Outgoing returns packets with the records after+1, after+2… in order, together at most maxBytes but at least one, and
// the last record covered. Locked, or for a single record, they are the packets made at Commit; otherwise the records
// are packed anew in large runs.
func (s *Store) Outgoing(ctx context.Context, after uint64, maxBytes int) ([][]byte, uint64, error) {
	s.mu.RLock()
	limit, need, failed := s.sendable(after), s.need, s.failed
	s.mu.RUnlock()
	switch {
	case errors.Is(failed, ErrFailed):
		return nil, after, failed // what could not be synced must not leave
	case after >= limit:
		return nil, after, ctx.Err()
	case need == "" && (s.Locked() || limit == after+1):
		return s.ready(ctx, after, limit, maxBytes)
	}
	return s.packed(ctx, after, limit, maxBytes, need)
}

// ready returns the packets made at Commit.
func (s *Store) ready(ctx context.Context, after, limit uint64, maxBytes int) ([][]byte, uint64, error) {
	var out [][]byte
	last, size := after, 0
	for last < limit && (len(out) == 0 || size < maxBytes && len(out) < maxReady) {
		data, err := s.readyOne(last + 1)
		if err != nil {
			return nil, after, err
		}
		if len(out) > 0 && size+len(data) > maxBytes {
			break
		}
		out, last, size = append(out, data), last+1, size+len(data)
	}
	return out, last, ctx.Err()
}

// readyOne returns the packet of one record: from the outbox, or when it was acknowledged once, from the mirror.
func (s *Store) readyOne(seq uint64) ([]byte, error) {
	var out outboxRow
	err := s.db.View(func(tx *bolt.Tx) error { return s.box.get(tx, bucketOutbox, seqKey(seq), &out) })
	if err == nil {
		return out.Packet, nil
	}
	s.write.Lock()
	defer s.write.Unlock()
	p, merr := s.mir.packets(seq, seq)
	if merr != nil {
		return nil, words.New("store.damagedValue", fmt.Errorf("record %d: %w: %w", seq, err, merr))
	}
	return p[0], nil
}

// packed packs runs of records of one period.
func (s *Store) packed(ctx context.Context, after, limit uint64, maxBytes int, need string) ([][]byte, uint64, error) {
	var out [][]byte
	last, room := after, maxBytes
	for last < limit && (len(out) == 0 || room >= maxBytes/leastRoom) {
		if err := ctx.Err(); err != nil {
			return nil, after, err
		}
		recs, p, err := s.gather(last, limit, min(maxRunPlain, int(float64(room)*fillRatio/s.packRatio())), false)
		if err != nil {
			return nil, after, err
		}
		var data []byte
		n := len(recs)
		if n > 0 {
			data, n, err = s.sealRun(recs, p, room, need)
			if errors.Is(err, journal.ErrBody) { // a body that is not its header's: up to the record before
				if recs, p, err = s.gather(last, limit, maxRunPlain, true); err != nil {
					return nil, after, err
				}
				if n = len(recs); n > 0 {
					data, n, err = s.sealRun(recs, p, room, need)
				}
			}
			if err != nil {
				return nil, after, err
			}
		}
		if n == 0 { // does not open here: as it was packed then
			if need != "" {
				return nil, after, words.New("store.locked", fmt.Errorf("%w: record %d cannot be packed anew", ErrLocked, last+1))
			}
			if data, err = s.readyOne(last + 1); err != nil {
				return nil, after, err
			}
			n = 1
		}
		if len(out) > 0 && len(data) > room {
			break
		}
		out, last, room = append(out, data), last+uint64(n), room-len(data)
	}
	return out, last, nil
}

// packRatio is how many bytes a packet takes for each byte of bodies, as seen in the last run.
func (s *Store) packRatio() float64 {
	if r := math.Float64frombits(s.ratio.Load()); r > 0 {
		return r
	}
	return firstRatio
}

// gather reads records of one period after a seq. It stops before one that does not open. Whether a body is the one its
// header was made for is compared here only when check is set: packet.Seal finds it out, too, and says journal.ErrBody.
func (s *Store) gather(after, limit uint64, maxPlain int, check bool) ([]journal.Record, vault.Period, error) {
	var recs []journal.Record
	var p vault.Period
	err := s.db.View(func(tx *bolt.Tx) error {
		size, own := 0, false
		for seq := after + 1; seq <= limit && len(recs) < maxRun; seq++ {
			row, err := s.header(tx, seq)
			if err != nil || len(recs) > 0 && (row.Period != p.ID || own || len(row.Salt) > 0) {
				return nil
			}
			if len(recs) == 0 {
				if p, err = s.period(row.Period); err != nil {
					return nil
				}
				own = len(row.Salt) > 0 // a packet has one salt: this record goes alone
				row.salt(&p)
			}
			rec := journal.Record{Header: row.Header}
			if rec.Body, err = s.bodyOf(tx, row, func(value []byte) ([]byte, error) {
				return s.box.openKnown(p, bucketBodies, seqKey(seq), value)
			}); err != nil {
				return nil
			}
			if check && journal.CheckBody(s.o.Suite, p.Salt[:], rec) != nil {
				return nil
			}
			if size += len(rec.Body) + plainPerRow; len(recs) > 0 && size > maxPlain {
				return nil
			}
			recs = append(recs, rec)
		}
		return nil
	})
	return recs, p, err
}

// sealRun seals as many of the records as fit, at least one.
func (s *Store) sealRun(recs []journal.Record, p vault.Period, room int, need string) ([]byte, int, error) {
	s.write.Lock()
	dict := s.mir.dict
	s.write.Unlock()
	o := packet.Options{
		Suite: s.o.Suite, Device: s.Device(), Signer: s.Signer(), Salt: p.Salt, Codec: packet.CodecZstd, Dict: dict,
		Recipients: []vault.PublicKey{s.o.Platform.SealKey}, MaxBytes: room,
	}
	switch need {
	case "codec 0":
		o.Codec, o.Dict = packet.CodecPlain, nil
	case "dict":
		o.Dict = nil
	}
	for n := len(recs); ; {
		if n == 1 {
			o.MaxBytes = 0 // one record goes whatever its size
		}
		data, err := packet.Seal(recs[:n], o)
		if err == nil {
			plain := 0
			for _, r := range recs[:n] {
				plain += len(r.Body) + plainPerRow
			}
			s.ratio.Store(math.Float64bits(float64(len(data)) / float64(plain)))
			return data, n, nil
		}
		if !errors.Is(err, packet.ErrTooLarge) || n == 1 {
			return nil, 0, fmt.Errorf("store: seal records %d to %d: %w", recs[0].Seq, recs[n-1].Seq, err)
		}
		fewer := n / 2
		if big := (*packet.SizeError)(nil); errors.As(err, &big) {
			fewer = min(n-1, int(float64(n)*fillRatio*float64(big.Limit)/float64(big.Bytes)))
		}
		n = max(fewer, 1)
	}
}

// TakeAck takes the platform's signed word on how far it holds the journal. It is durable before anything counts as
// delivered. An older or equal ack changes nothing. Errors: ErrForeignAck (words store.ackForeign) when it is not signed by
// the platform, not for this device, beyond the head, or of another record than this device's.
func (s *Store) TakeAck(ctx context.Context, ack []byte) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	foreign := func(err error) error {
		return words.New("store.ackForeign", fmt.Errorf("%w: ack: %w", ErrForeignAck, err))
	}
	a, err := packet.OpenAck(s.o.Suite, s.o.Platform.SignKey, ack)
	if err != nil {
		return 0, foreign(err)
	}
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.RLock()
	head, acked, kept := s.head, s.acked, s.ackKept
	s.mu.RUnlock()
	switch {
	case a.Device != s.Device():
		return acked, foreign(fmt.Errorf("for device %d", a.Device))
	case a.To > head:
		return acked, foreign(fmt.Errorf("to record %d, head is %d", a.To, head))
	}
	if err := s.ownHash(a.To, a.Head); err != nil {
		return acked, foreign(err)
	}
	if a.To < acked {
		return acked, nil
	}
	if a.To > acked || a.At-kept > ackKeep.Milliseconds() {
		if err := s.receivable(); err != nil {
			return acked, err
		}
		if err := s.update(func(tx *bolt.Tx) error {
			b := tx.Bucket([]byte(bucketOutbox))
			for seq := acked + 1; seq <= a.To; seq++ {
				if err := b.Delete(seqKey(seq)); err != nil {
					return fmt.Errorf("store: empty outbox: %w", err)
				}
			}
			return s.box.put(tx, bucketAcks, keyLastAck, ackState{To: a.To, At: a.At, Ack: ack})
		}); err != nil {
			return acked, err
		}
		kept = a.At
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked, s.ackAt, s.ackKept = a.To, max(s.ackAt, a.At), kept
	return s.acked, nil
}

// ownHash compares a hash with that of our own record.
func (s *Store) ownHash(seq uint64, hash vault.Hash) error {
	if seq == 0 {
		if !hash.IsZero() {
			return errors.New("record 0 with a hash")
		}
		return nil
	}
	s.mu.RLock()
	head, headHash := s.head, s.headHash
	s.mu.RUnlock()
	own := headHash
	if seq != head {
		if err := s.db.View(func(tx *bolt.Tx) error {
			row, err := s.header(tx, seq)
			own = row.Hash(s.o.Suite)
			return err
		}); err != nil {
			return err
		}
	}
	if own != hash {
		return fmt.Errorf("record %d is another one here", seq)
	}
	return nil
}

// TakeFork keeps the platform's signed word that this device's past is not the one it holds. Summary shows it from then
// on. Error: ErrForeignAck (words store.ackForeign) when it is not the platform's.
func (s *Store) TakeFork(ctx context.Context, fork []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := packet.OpenFork(s.o.Suite, s.o.Platform.SignKey, fork)
	if err == nil && f.Device != s.Device() {
		err = fmt.Errorf("for device %d", f.Device)
	}
	if err != nil {
		return words.New("store.ackForeign", fmt.Errorf("%w: fork: %w", ErrForeignAck, err))
	}
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	if err := s.update(func(tx *bolt.Tx) error { return s.box.put(tx, bucketAcks, keyFork, fork) }); err != nil {
		return err
	}
	s.mu.Lock()
	s.forked = true
	s.mu.Unlock()
	return nil
}

// TakeEvents takes events in order, checks signature and chain, and stores them in file and mirror. Events already held
// are ignored when they are the same. Those before one that does not fit stay stored; then the error is
// ErrForeignAck (words store.eventForeign). It returns the cursor afterwards.
func (s *Store) TakeEvents(ctx context.Context, events [][]byte) (uint64, error) {
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.RLock()
	cursor, told, head, applied := s.cursor, s.told, s.head, s.applied
	s.mu.RUnlock()
	if err := ctx.Err(); err != nil || len(events) == 0 {
		return cursor, err
	}
	if err := s.receivable(); err != nil {
		return cursor, err
	}
	if err := s.room(); err != nil {
		return cursor, err
	}
	var frames []Frame
	var fault error
	w := &work{s: s, rows: map[uint64]Row{}}
	at, hash := cursor, told
	err := s.update(func(tx *bolt.Tx) error {
		w.tx = tx
		p, u, err := s.periodNow()
		if err != nil {
			return err
		}
		if applied.Dirty || applied.Cursor != cursor {
			u = nil // something earlier waits for the next Unlock, so this does, too
		}
		for _, data := range events {
			if at-cursor == uint64(len(frames)) && s.held(tx, data, cursor) {
				continue
			}
			ev, err := s.checkEvent(data, at, hash)
			if err != nil {
				fault = words.New("store.eventForeign", fmt.Errorf("%w: %w", ErrForeignAck, err))
				break
			}
			row := eventRow{Event: data, After: head}
			if err := s.box.put(tx, bucketEvents, seqKey(ev.Cursor), row); err != nil {
				return err
			}
			if err := w.projectEvent(ev, u, p); err != nil {
				return err
			}
			at, hash = ev.Cursor, ev.Hash(s.o.Suite)
			f, err := s.eventFrame(ev.Cursor, row)
			if err != nil {
				return err
			}
			frames = append(frames, f)
		}
		if len(frames) == 0 {
			return errNothingDue
		}
		if u != nil {
			applied.Cursor = at
			if err := s.box.put(tx, bucketMeta, keyApplied, applied); err != nil {
				return err
			}
		}
		return w.putHead(head, s.headHash, at, hash)
	})
	switch {
	case errors.Is(err, errNothingDue):
		return cursor, fault
	case err != nil:
		return cursor, err
	}
	if err := s.mirror(frames...); err != nil {
		return cursor, err
	}
	s.mu.Lock()
	s.cursor, s.told, s.applied = at, hash, applied
	s.keep(w)
	s.mu.Unlock()
	return at, fault
}

// held reports whether an event up to the cursor is the very one that is stored.
func (s *Store) held(tx *bolt.Tx, data []byte, cursor uint64) bool {
	ev, err := journal.ParseEvent(data)
	if err != nil || ev.Cursor == 0 || ev.Cursor > cursor {
		return false
	}
	own, row, err := s.event(tx, ev.Cursor)
	return err == nil && row.hash(s.o.Suite, own) == ev.Hash(s.o.Suite)
}

// TakeTime takes the platform's clock in Unix milliseconds. It counts at once; it is written with the next act, or now
// when it makes the clock better or the one on disk is old.
func (s *Store) TakeTime(ctx context.Context, at int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.Lock()
	if at < s.clock.Signed {
		s.mu.Unlock()
		return nil // an answer that overtook another
	}
	wall, boot := s.now(), s.boot()
	found := s.clock.found(at, wall, boot)
	s.clock = s.clock.signed(at, wall, boot)
	c, on := s.clock, s.clockOn
	s.mu.Unlock()
	if found != 0 && s.head > 0 && s.writable() == nil {
		note := journal.Note{
			What: journal.ClockFound, From: wall.UTC().Format(time.RFC3339), To: time.UnixMilli(at).UTC().Format(time.RFC3339), Count: found.Milliseconds(),
		}
		_, err := s.commit(Act{Kind: journal.KindClockJump}, canon.MustMarshal(note), wall, c)
		return err
	}
	if c.quality().Quality() <= on.quality().Quality() && at-on.Signed < clockKeep.Milliseconds() {
		return nil
	}
	if err := s.receivable(); err != nil {
		return err
	}
	if err := s.update(func(tx *bolt.Tx) error { return s.box.put(tx, bucketMeta, keyClock, c) }); err != nil {
		return err
	}
	s.mu.Lock()
	s.clockOn = c
	s.mu.Unlock()
	return nil
}

// Clock returns the quality of the clock now.
func (s *Store) Clock() journal.Clock {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, _ := s.clock.at(s.now(), s.boot())
	return c.quality()
}

// Time returns the present as well as it is known: what the legal clock counts with. A wall clock that the platform's time
// contradicts is not believed.
func (s *Store) Time() time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.clock.time(s.now(), s.boot())
}

// Summary is what may be told while nobody is logged in.
type Summary struct {
	Device      uint32
	Records     uint64         // in the journal
	Acked       uint64         // of them acknowledged by the platform
	Pending     uint64         // of them not
	Events      uint64         // held
	Unopened    uint64         // events that wait for the next login
	Cases       map[string]int // by casefile.State
	NeedYou     int            // cases that wait for the desk
	Waiting     int            // cases of which the platform does not have everything yet
	Drafts      int
	Uploads     int       // blobs that wait
	Quarantined int       // records the platform cannot use
	Unapplied   int       // records and events that are in no projection; the doctor names them
	LastAck     time.Time // platform's clock; zero when there was none
	Clock       journal.Clock
	Locked      bool
	Forked      bool  // the platform holds another past of this device
	Behind      bool  // records wait to be taken back from the mirror
	Lost        bool  // records wait to be taken back from the platform
	Failed      error // why nothing may be written; nil usually
}

// Summary counts. It works while locked.
func (s *Store) Summary() (Summary, error) {
	if err := s.loadRows(); err != nil {
		return Summary{}, err
	}
	out := Summary{Cases: map[string]int{}, Clock: s.Clock()}
	if err := s.db.View(func(tx *bolt.Tx) error {
		count := func(name string) int {
			n := 0
			c := tx.Bucket([]byte(name)).Cursor()
			for k, _ := c.First(); k != nil; k, _ = c.Next() {
				n++
			}
			return n
		}
		out.Drafts = count(bucketDrafts)
		out.Quarantined, out.Unapplied = count(bucketQuarantine), count(bucketUnapplied)
		return nil
	}); err != nil {
		return Summary{}, fmt.Errorf("store: summary: %w", err)
	}
	waiting, err := s.queued(context.Background(), false)
	if err != nil {
		return Summary{}, err
	}
	out.Uploads = len(waiting)
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.rows {
		out.Cases[string(r.State)]++
		if r.Delivery(s.acked) == "needs-you" {
			out.NeedYou++
		}
		if r.LastSeq > s.acked {
			out.Waiting++
		}
	}
	out.Device, out.Records, out.Acked, out.Pending = s.Device(), s.head, s.acked, s.head-s.acked
	out.Events, out.Unopened = s.cursor, s.cursor-s.applied.Cursor
	if s.applied.Dirty {
		out.Unopened = s.cursor
	}
	if s.ackAt != 0 {
		out.LastAck = time.UnixMilli(s.ackAt)
	}
	out.Locked, out.Forked, out.Behind, out.Lost, out.Failed = s.unlocked == nil, s.forked, s.behind, s.lost != nil, s.failed
	return out, nil
}

func sortRows(rows []Row) {
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Compare(a.Seq, b.Seq) })
}

func sortUploads[T any](items []T, key func(T) (size int64, seq uint64)) {
	slices.SortFunc(items, func(a, b T) int {
		as, an := key(a)
		bs, bn := key(b)
		return cmp.Or(cmp.Compare(as, bs), cmp.Compare(an, bn))
	})
}
