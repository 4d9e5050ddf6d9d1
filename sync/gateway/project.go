package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
)

const (
	projectBatch = 200 // records projected in one transaction
	packetBatch  = 8   // packets read at once in a replay
)

// Reasons of quarantine: translation keys that the device shows.
const (
	ReasonBody    = "quarantine.body"    // the record's body cannot be read
	ReasonAnswers = "quarantine.answers" // the answers cannot be read
	ReasonItem    = "quarantine.item"    // the case names no service item
	ReasonPurged  = "quarantine.purged"  // the body was purged before it arrived
	ReasonNoCase  = "quarantine.noCase"  // the record is about a case that is not here
	ReasonMove    = "quarantine.move"    // the case is not in a state for it
)

// projectNow projects records that were just stored, within the budget; Run does the rest.
func (g *Gateway) projectNow(ctx context.Context, d DeviceRow, fresh []journal.Record, budget time.Duration) {
	deadline := g.cfg.Now().Add(budget)
	err := g.projectRecords(ctx, d, fresh, deadline)
	if errors.Is(err, ErrMoved) { // something older is left, or another replica is at it
		err = g.project(ctx, d, deadline)
	}
	if err != nil && !errors.Is(err, ErrMoved) {
		g.log.ErrorContext(ctx, "project", slog.Uint64("device", uint64(d.Device)), slog.Any("cause", err))
	}
}

// projectRecords projects consecutive records. ErrMoved when the projection does not stand right before them.
func (g *Gateway) projectRecords(ctx context.Context, d DeviceRow, records []journal.Record, deadline time.Time) error {
	for len(records) > 0 && !g.cfg.Now().After(deadline) {
		if err := g.warm(ctx); err != nil {
			return err
		}
		batch := records[:min(projectBatch, len(records))]
		records = records[len(batch):]
		var told bool
		var also []uint32
		err := g.store.Update(ctx, func(tx Tx) error {
			if err := tx.SetProjected(d.Device, batch[0].Seq-1, batch[len(batch)-1].Seq); err != nil {
				return err
			}
			p := projector{g: g, tx: tx, d: d, live: true}
			for _, r := range batch {
				if err := p.record(r); err != nil {
					return fmt.Errorf("gateway: project record %d of device %d: %w", r.Seq, d.Device, err)
				}
			}
			told, also = p.told, p.also
			return nil
		})
		if err != nil {
			return err
		}
		if told {
			g.hub.wake(d.Device)
		}
		g.hub.wake(also...)
	}
	return nil
}

// project reads the packets after the projection and projects them until the deadline (zero: to the end).
func (g *Gateway) project(ctx context.Context, d DeviceRow, deadline time.Time) error {
	if deadline.IsZero() {
		deadline = g.cfg.Now().Add(24 * time.Hour)
	}
	for !g.cfg.Now().After(deadline) {
		var head Head
		var rows []PacketRow
		err := g.store.View(ctx, func(tx Tx) (err error) {
			if head, err = tx.Head(d.Device); err == nil && head.Projected < head.Seq {
				rows, err = tx.Packets(d.Device, head.Projected, packetBatch)
			}
			return err
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		var records []journal.Record
		last := head.Projected
		for _, row := range rows {
			rs, err := g.recordsAfter(row, last)
			if err != nil {
				return err
			}
			records, last = append(records, rs...), row.To
		}
		if len(records) == 0 {
			return fmt.Errorf("gateway: packets of device %d after record %d hold none", d.Device, head.Projected)
		}
		if first := records[0].Seq; first > head.Projected+1 {
			if err := g.bridge(ctx, d.Device, head.Projected, first-1); err != nil {
				return err
			}
		}
		if err := g.projectRecords(ctx, d, records, deadline); err != nil {
			return err
		}
	}
	return nil
}

// recordsAfter opens a stored packet and returns its records after seq.
func (g *Gateway) recordsAfter(row PacketRow, seq uint64) ([]journal.Record, error) {
	p, err := packet.Parse(row.Bytes)
	if err != nil {
		return nil, fmt.Errorf("gateway: stored packet to %d of device %d: %w", row.To, row.Device, err)
	}
	records, err := g.openPacket(p)
	if err != nil {
		return nil, fmt.Errorf("gateway: stored packet to %d of device %d: %w", row.To, row.Device, err)
	}
	for len(records) > 0 && records[0].Seq <= seq {
		records = records[1:]
	}
	return records, nil
}

// projectBacklog projects one device's backlog, if one is in, and says when to look again.
func (g *Gateway) projectBacklog(ctx context.Context) time.Duration {
	w, ok, again := g.backlog.next(time.Now())
	if !ok {
		return again
	}
	g.projectNow(ctx, w.device, w.records, time.Hour)
	if w.stored {
		if err := g.project(ctx, w.device, time.Time{}); err != nil && !errors.Is(err, ErrMoved) && ctx.Err() == nil {
			g.log.ErrorContext(ctx, "project", slog.Uint64("device", uint64(w.device.Device)), slog.Any("cause", err))
		}
	}
	g.backlog.done(w.device.Device, time.Now())
	return 0
}

// CatchUp projects everything that is stored and not projected yet.
func (g *Gateway) CatchUp(ctx context.Context) error {
	return g.catchUp(ctx, func(uint32) bool { return false })
}

// catchUp leaves out devices whose projection others do.
func (g *Gateway) catchUp(ctx context.Context, but func(device uint32) bool) error {
	var devices []DeviceRow
	err := g.store.View(ctx, func(tx Tx) error {
		behind, err := tx.Behind()
		if err != nil {
			return err
		}
		for _, n := range behind {
			if but(n) {
				continue
			}
			d, err := tx.Device(n)
			if err != nil {
				return err
			}
			devices = append(devices, d)
		}
		return nil
	})
	for _, d := range devices {
		if perr := g.project(ctx, d, time.Time{}); perr != nil && !errors.Is(perr, ErrMoved) {
			err = errors.Join(err, perr)
		}
	}
	return err
}

// projector applies records and events to the cases of one device within a transaction.
type projector struct {
	g    *Gateway
	tx   Tx
	d    DeviceRow
	live bool // events are written; in a replay they are there already
	told bool // an event was written
	set  *Settings

	also    []uint32       // other devices that were told something
	from    *projector     // for an act that another device's journal holds: what is wrong with it goes there
	fromRec journal.Record // the record that holds it
}

// settings reads the county's settings once.
func (p *projector) settings() (Settings, error) {
	if p.set == nil {
		set, err := settings(p.tx)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return set, err
		}
		p.set = &set
	}
	return *p.set, nil
}

// record applies one record. An error is of the store or of a key, never of the record: what the platform cannot use
// is quarantined.
func (p *projector) record(r journal.Record) error {
	switch r.Kind {
	case journal.KindCaseSubmitted:
		return p.submitted(r)
	case journal.KindCaseAmended, journal.KindCaseWithdrawn, journal.KindReceiptPrinted:
		return p.about(r)
	case journal.KindCarried:
		return p.carried(r)
	case journal.KindFormerAct:
		return p.formerAct(r)
	case journal.KindClockJump:
		return p.found(r)
	}
	return nil
}

func (p *projector) submitted(r journal.Record) error {
	if r.Body == nil && !p.live { // erased since
		c, err := casefile.New(r)
		if err != nil {
			return err
		}
		return p.put(c)
	}
	if r.Body == nil {
		return p.quarantine(nil, r, ReasonPurged, "")
	}
	b, err := journal.DecodeBody[journal.CaseSubmitted](r.Body)
	if err != nil {
		return p.quarantine(nil, r, ReasonBody, err.Error())
	}
	switch {
	case b.Service == "" || b.ItemName == "":
		return p.quarantine(nil, r, ReasonItem, "")
	case !readable(b.Answers):
		return p.quarantine(nil, r, ReasonAnswers, "")
	}
	c, err := casefile.New(r)
	if err != nil {
		return p.quarantine(nil, r, ReasonBody, err.Error())
	}
	if p.live {
		if err := p.time(c, r); err != nil {
			return err
		}
		if err := p.autoAccept(c, r); err != nil {
			return err
		}
	}
	return p.put(c)
}

// about applies a record about an earlier case.
func (p *projector) about(r journal.Record) error {
	if r.Body == nil {
		return nil // its line in the chain stands
	}
	seq, ok := casefile.CaseOf(r)
	if !ok {
		return p.quarantine(nil, r, ReasonBody, "")
	}
	c, err := p.load(seq)
	if errors.Is(err, ErrNotFound) {
		return p.quarantine(nil, r, ReasonNoCase, "")
	}
	if err != nil {
		return err
	}
	err = c.ApplyRecord(r)
	if err == nil && p.live {
		if err := p.time(c, r); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(err, casefile.ErrMove):
		if err := p.quarantine(c, r, ReasonMove, string(c.State)); err != nil {
			return err
		}
	case err != nil:
		return p.quarantine(c, r, ReasonBody, err.Error())
	case p.live && c.State == casefile.CorrectionDone && c.AcceptedAt == 0:
		sub, err := p.g.storedRecord(p.tx, p.d.Device, seq)
		if err != nil {
			return err
		}
		if err := p.autoAccept(c, sub); err != nil {
			return err
		}
	}
	return p.put(c)
}

// quarantine tells the device that a record arrived and cannot be used. detail names no person.
func (p *projector) quarantine(c *casefile.Case, r journal.Record, reason, detail string) error {
	if p.from != nil {
		return p.from.quarantine(nil, p.fromRec, reason, detail)
	}
	if !p.live {
		return nil
	}
	e, err := p.g.emit(p.tx, p.d, journal.EventQuarantined, r.Seq, journal.Quarantined{Reason: reason, Detail: detail})
	if err != nil {
		return err
	}
	p.told = true
	p.g.log.Warn("record quarantined", slog.Uint64("device", uint64(p.d.Device)), slog.Uint64("seq", r.Seq), slog.String("reason", reason))
	if c == nil {
		return nil
	}
	return ignoreOther(c.ApplyEvent(e))
}

// ignoreOther drops what only says that the act is kept as an ignored step, or not about the case.
func ignoreOther(err error) error {
	if errors.Is(err, casefile.ErrOther) || errors.Is(err, casefile.ErrMove) {
		return nil
	}
	return err
}

func (p *projector) load(seq uint64) (*casefile.Case, error) {
	row, err := p.tx.Case(p.d.Device, seq)
	if err != nil {
		return nil, err
	}
	return p.g.openCase(row)
}

func (g *Gateway) openCase(row CaseRow) (*casefile.Case, error) {
	plain, err := g.open(row.Data, casePlace(row.Device, row.Seq))
	if err != nil {
		return nil, fmt.Errorf("gateway: case %s: %w", row.No, err)
	}
	return casefile.Parse(plain)
}

func casePlace(device uint32, seq uint64) string { return fmt.Sprintf("case %d %d", device, seq) }

func (p *projector) put(c *casefile.Case) error {
	plain, err := c.Marshal()
	if err != nil {
		return err
	}
	row := CaseRow{
		Device: c.Device, Seq: c.Seq, No: c.Number(), Official: c.OfficialNo, State: string(c.State), Service: c.Service,
		ItemCode: c.ItemCode, Due: int32(dueOf(c)), At: c.SubmittedAt,
	}
	for _, s := range c.Timeline {
		row.Updated = max(row.Updated, s.At)
	}
	if row.Data, err = p.g.seal(plain, casePlace(c.Device, c.Seq)); err != nil {
		return err
	}
	return p.tx.PutCase(row)
}

func dueOf(c *casefile.Case) casefile.Day {
	if c.OfficialDue != 0 {
		return c.OfficialDue
	}
	return c.PromisedDue
}

// storedRecord fetches one record out of its packet.
func (g *Gateway) storedRecord(tx Tx, device uint32, seq uint64) (journal.Record, error) {
	rows, err := tx.Packets(device, seq-1, 1)
	if err != nil {
		return journal.Record{}, err
	}
	if len(rows) > 0 {
		records, err := g.recordsAfter(rows[0], seq-1)
		if err != nil {
			return journal.Record{}, err
		}
		if len(records) > 0 && records[0].Seq == seq {
			return records[0], nil
		}
	}
	return journal.Record{}, fmt.Errorf("%w: record %d of device %d", ErrNotFound, seq, device)
}

// Rebuild drops all cases and makes them again from packets and events, one device at a time; progress may be nil. The
// result is what the live projection made. It returns the number of records and events read.
func (g *Gateway) Rebuild(ctx context.Context, progress func(device uint32, records int)) (records, events int, err error) {
	var devices []DeviceRow
	if err := g.store.View(ctx, func(tx Tx) (err error) {
		devices, err = tx.Devices("")
		return err
	}); err != nil {
		return 0, 0, err
	}
	for _, d := range devices {
		var r, e int
		if err := g.store.Update(ctx, func(tx Tx) (err error) {
			r, e, err = g.replay(tx, d)
			return err
		}); err != nil {
			return records, events, fmt.Errorf("gateway: rebuild device %d: %w", d.Device, err)
		}
		records, events = records+r, events+e
		if progress != nil {
			progress(d.Device, records)
		}
	}
	return records, events, nil
}

// replay makes a device's cases again. Records that were never projected live are left to the projection, which alone
// writes events.
func (g *Gateway) replay(tx Tx, d DeviceRow) (records, events int, err error) {
	head, err := tx.Head(d.Device)
	if err != nil {
		return 0, 0, err
	}
	if err := tx.DropCases(d.Device); err != nil {
		return 0, 0, err
	}
	p := projector{g: g, tx: tx, d: d}
	caseOf := map[uint64]uint64{} // record → case
	for seq := uint64(0); seq < head.Projected; {
		rows, err := tx.Packets(d.Device, seq, packetBatch)
		if err != nil {
			return records, events, err
		}
		before := seq
		for _, row := range rows {
			rs, err := g.recordsAfter(row, seq)
			if err != nil {
				return records, events, err
			}
			for _, r := range rs {
				if r.Seq > head.Projected {
					break
				}
				if of, ok := casefile.CaseOf(r); ok {
					caseOf[r.Seq] = of
				}
				if err := p.record(r); err != nil {
					return records, events, err
				}
				seq, records = r.Seq, records+1
			}
		}
		if seq == before {
			return records, events, fmt.Errorf("%w: packet with record %d", ErrNotFound, seq+1)
		}
	}
	for cursor := uint64(0); cursor < head.Cursor; {
		rows, err := tx.Events(d.Device, cursor, 200)
		if err != nil {
			return records, events, err
		}
		if len(rows) == 0 {
			return records, events, fmt.Errorf("%w: event %d", ErrNotFound, cursor+1)
		}
		for _, row := range rows {
			cursor, events = row.Cursor, events+1
			if err := p.event(row, caseOf); err != nil {
				return records, events, err
			}
		}
	}
	if head.Projected == 0 {
		return records, events, nil
	}
	return records, events, tx.SetProjected(d.Device, 0, head.Projected)
}

func (p *projector) event(row EventRow, caseOf map[uint64]uint64) error {
	of, ok := caseOf[row.Seq]
	if !ok {
		return nil
	}
	c, err := p.load(of)
	if errors.Is(err, ErrNotFound) {
		return nil // quarantined
	}
	if err != nil {
		return err
	}
	e, err := p.g.openEvent(row)
	if err != nil {
		return err
	}
	if err := ignoreOther(c.ApplyEvent(e)); err != nil {
		return err
	}
	return p.put(c)
}
