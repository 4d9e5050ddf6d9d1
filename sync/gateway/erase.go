package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/durable"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
)

// ErasureAsked is what a station tells about an erasure of its own: the county does its part when it agrees, never by
// itself, for a stolen machine could tell the same.
type ErasureAsked struct {
	Device uint32   `json:"device"`
	Seq    uint64   `json:"seq"`    // record that says so
	Period string   `json:"period"` // "" for a person's erasure
	Reason string   `json:"reason"`
	Cases  []string `json:"cases"` // numbers that are not erased here yet
}

// ErasuresAsked lists what stations have erased and the county holds still.
func (g *Gateway) ErasuresAsked(ctx context.Context) ([]ErasureAsked, error) {
	out := []ErasureAsked{}
	err := g.store.View(ctx, func(tx Tx) error {
		devices, err := tx.Devices("")
		if err != nil {
			return err
		}
		for _, d := range devices {
			head, err := tx.Head(d.Device)
			if err != nil {
				return err
			}
			rows, err := tx.Headers(d.Device, 1, head.Seq)
			if err != nil {
				return err
			}
			for _, h := range rows {
				a, err := g.asked(tx, d.Device, h)
				if err != nil {
					return err
				}
				if len(a.Cases) > 0 {
					out = append(out, a)
				}
			}
		}
		return nil
	})
	return out, err
}

// asked reads one record about an erasure; without cases for any other record, and for one that is done with.
func (g *Gateway) asked(tx Tx, device uint32, h HeaderRow) (ErasureAsked, error) {
	a := ErasureAsked{Device: device, Seq: h.Seq, Cases: []string{}}
	var seqs []uint64
	switch journal.Kind(h.Kind) {
	case journal.KindPeriodClosed, journal.KindErased:
		r, err := g.storedRecord(tx, device, h.Seq)
		if err != nil {
			return a, err
		}
		if b, err := journal.DecodeBody[journal.PeriodClosed](r.Body); err == nil && h.Kind == string(journal.KindPeriodClosed) {
			a.Period, seqs = b.Period, b.Erased
		}
		if b, err := journal.DecodeBody[journal.Erased](r.Body); err == nil && h.Kind == string(journal.KindErased) {
			a.Reason, seqs = b.Reason, b.Cases
		}
	}
	if len(seqs) == 0 {
		return a, nil
	}
	formers, err := formersOf(tx, device)
	if err != nil {
		return a, err
	}
	for _, ref := range seqs {
		of, seq := journal.SplitRef(ref)
		if of == 0 {
			of = device
		} else if !formers[of] {
			continue // not its own
		}
		row, err := tx.Case(of, seq)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return a, err
		}
		if c, err := g.openCase(row); err != nil || !c.Purged {
			a.Cases = append(a.Cases, casefile.Number(of, seq))
		}
	}
	return a, nil
}

// Erase does the county's part of an erasure: of the case with a number, what the platform stored loses its bodies. The
// packets that held them are packed anew and signed by the platform, so that the journal still verifies; the copies of
// events, the case and its attachments go. What was sealed to the station's machine in events stays, closed to everybody
// here. ErrNotFound; ErrState for a case that is not closed.
func (g *Gateway) Erase(ctx context.Context, no string) (*casefile.Case, error) {
	if err := g.CatchUp(ctx); err != nil {
		return nil, err
	}
	var out *casefile.Case
	var gone map[vault.Hash]bool
	if err := g.store.Update(ctx, func(tx Tx) error {
		row, err := find(tx, no)
		if err != nil {
			return err
		}
		c, err := g.openCase(row)
		if err != nil {
			return err
		}
		if !c.State.Closed() && !c.Purged {
			return fmt.Errorf("%w: %s", ErrState, c.State)
		}
		if gone, err = g.attachmentsOf(tx, c); err != nil {
			return err
		}
		out, err = g.eraseCase(tx, c)
		return err
	}); err != nil {
		return nil, err
	}
	for addr := range gone {
		if err := g.eraseBlob(addr); err != nil {
			return out, err
		}
	}
	g.log.WarnContext(ctx, "case erased", slog.Uint64("device", uint64(out.Device)), slog.Uint64("seq", out.Seq), slog.Int("attachments", len(gone)))
	return out, g.store.Scrub(ctx)
}

// eraseCase replaces packets, event copies and the case.
func (g *Gateway) eraseCase(tx Tx, c *casefile.Case) (*casefile.Case, error) {
	head, err := tx.Head(c.Device)
	if err != nil {
		return nil, err
	}
	about := map[uint64]bool{}
	var first journal.Record
	for seq := c.Seq - 1; seq < head.Seq; {
		rows, err := tx.Packets(c.Device, seq, packetBatch)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			return nil, fmt.Errorf("%w: packet with record %d", ErrNotFound, seq+1)
		}
		for _, row := range rows {
			records, err := g.eraseRecords(&row, tx.ReplacePacket, func(r journal.Record) bool {
				if of, ok := casefile.CaseOf(r); ok && of == c.Seq || r.Seq == c.Seq {
					about[r.Seq] = true
				}
				return about[r.Seq]
			})
			if err != nil {
				return nil, err
			}
			for _, r := range records {
				if r.Seq == c.Seq {
					first = journal.Record{Header: r.Header}
				}
			}
			seq = row.To
		}
	}
	out, err := casefile.New(first)
	if err != nil {
		return nil, err
	}
	if err := g.eraseBranches(tx, c, about); err != nil {
		return nil, err
	}
	for cursor := uint64(0); cursor < head.Cursor; {
		rows, err := tx.Events(c.Device, cursor, 200)
		if err != nil || len(rows) == 0 {
			return nil, err
		}
		for _, row := range rows {
			if cursor = row.Cursor; !about[row.Seq] {
				continue
			}
			if err := g.eraseCopy(tx, &row); err != nil {
				return nil, err
			}
			e, err := g.openEvent(row)
			if err != nil {
				return nil, err
			}
			if err := ignoreOther(out.ApplyEvent(e)); err != nil {
				return nil, err
			}
		}
	}
	return out, (&projector{g: g, tx: tx}).put(out)
}

// eraseRecords packs a stored packet anew without the bodies of some of its records, and puts it in the old one's place.
func (g *Gateway) eraseRecords(row *PacketRow, put func(p PacketRow) error, goes func(r journal.Record) bool) ([]journal.Record, error) {
	p, err := packet.Parse(row.Bytes)
	if err != nil {
		return nil, fmt.Errorf("gateway: stored packet to %d of device %d: %w", row.To, row.Device, err)
	}
	records, salt, err := g.openSalted(p)
	if err != nil {
		return nil, err
	}
	changed := false
	for i, r := range records {
		if goes(r) {
			changed = changed || r.Body != nil
			records[i].Body = nil
		}
	}
	if !changed {
		return records, nil
	}
	if row.Bytes, err = packet.Seal(records, packet.Options{
		Suite: g.s, Device: row.Device, Signer: g.keys.Sign, Salt: salt, Codec: packet.CodecZstd,
		Recipients: []vault.PublicKey{g.keys.Seals[0].Public()},
	}); err != nil {
		return nil, fmt.Errorf("gateway: erase records of device %d: %w", row.Device, err)
	}
	row.Hash = g.s.Hash(row.Bytes)
	return records, put(*row)
}

// eraseCopy leaves of the platform's copy of a sealed event an empty body of its kind.
func (g *Gateway) eraseCopy(tx Tx, row *EventRow) error {
	if len(row.Copy) == 0 {
		return nil
	}
	var empty any = journal.Decided{}
	switch journal.Kind(row.Kind) {
	case journal.EventCorrection:
		empty = journal.Correction{Fields: []string{}}
	case journal.EventQuarantined:
		empty = journal.Quarantined{}
	}
	var err error
	if row.Copy, err = g.seal(canon.MustMarshal(empty), eventPlace(*row)); err != nil {
		return err
	}
	return tx.ReplaceCopy(row.Device, row.Cursor, row.Copy)
}

// attachmentsOf returns the attachments of a case that no other case of its machine names, under whatever number.
func (g *Gateway) attachmentsOf(tx Tx, c *casefile.Case) (map[vault.Hash]bool, error) {
	gone := map[vault.Hash]bool{}
	for _, b := range c.Blobs {
		gone[b.Addr] = true
	}
	if len(gone) == 0 {
		return gone, nil
	}
	rows, err := tx.Cases("", 0)
	if err != nil {
		return nil, err
	}
	family, err := formersOf(tx, c.Device)
	if err != nil {
		return nil, err
	}
	if err := successorsOf(tx, c.Device, family); err != nil {
		return nil, err
	}
	for _, row := range rows {
		if row.Device == c.Device && row.Seq == c.Seq || row.Device != c.Device && !family[row.Device] {
			continue
		}
		other, err := g.openCase(row)
		if err != nil {
			return nil, err
		}
		for _, b := range other.Blobs {
			delete(gone, b.Addr)
		}
	}
	return gone, nil
}

// eraseBlob overwrites and removes an attachment's file.
func (g *Gateway) eraseBlob(addr vault.Hash) error {
	name := hex.EncodeToString(addr[:])
	path := filepath.Join(g.cfg.Blobs, name[:2], name)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("gateway: erase attachment: %w", err)
	}
	info, err := f.Stat()
	zeros := make([]byte, 64<<10)
	for at := int64(0); err == nil && at < info.Size(); at += int64(len(zeros)) {
		_, err = f.WriteAt(zeros[:min(int64(len(zeros)), info.Size()-at)], at)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		return fmt.Errorf("gateway: erase attachment: %w", err)
	}
	return durable.SyncDir(filepath.Dir(path))
}
