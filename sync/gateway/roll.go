package gateway

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/receipt"
	"bianmin/offline/vault"
	"bianmin/offline/words"
	"bianmin/sync/wire"
)

// Devices lists all devices by number.
func (g *Gateway) Devices(ctx context.Context) (out []DeviceRow, err error) {
	err = g.store.View(ctx, func(tx Tx) (err error) {
		out, err = tx.Devices("")
		return err
	})
	return out, err
}

// Device returns one device. ErrNotFound.
func (g *Gateway) Device(ctx context.Context, number uint32) (d DeviceRow, h Head, err error) {
	err = g.store.View(ctx, func(tx Tx) (err error) {
		if d, err = tx.Device(number); err != nil {
			return err
		}
		h, err = tx.Head(number)
		return err
	})
	return d, h, err
}

// Revoke withdraws a device: its requests are refused, and no receipt of its key is called genuine offline. The cut is
// the last record held here: online, receipts up to it still stand. A new key list goes to the county's other devices.
// ErrNotFound, ErrExists when it was revoked before.
func (g *Gateway) Revoke(ctx context.Context, number uint32, reason string) (DeviceRow, error) {
	var d DeviceRow
	var told []uint32
	err := g.store.Update(ctx, func(tx Tx) (err error) {
		if d, err = tx.Device(number); err != nil {
			return err
		}
		if d.Revoked != 0 {
			return words.New("gateway.revokedBefore", ErrExists, "device", strconv.FormatUint(uint64(number), 10))
		}
		head, err := tx.Head(number)
		if err != nil {
			return err
		}
		d.Revoked, d.Reason, d.CutSeq, d.CutHash = g.cfg.Now().UnixMilli(), reason, head.Seq, head.Hash
		if err := tx.RevokeDevice(number, d.Revoked, reason, head.Seq, head.Hash); err != nil {
			return err
		}
		told, err = g.publishKeys(tx, d.Station, number)
		return err
	})
	if err != nil {
		return DeviceRow{}, err
	}
	g.hub.wake(append(told, number)...)
	return d, nil
}

// Publish takes a pack that the platform root signed, stores it and tells the county's devices. ErrExists when a newer
// version, or this one with other bytes, is there.
func (g *Gateway) Publish(ctx context.Context, data []byte) (PackRow, error) {
	p, err := openPack(data, g.keys)
	if err != nil {
		return PackRow{}, err
	}
	row := PackRow{Kind: p.Kind, Version: p.Version, Hash: p.Hash, Size: int64(len(data)), At: g.cfg.Now().UnixMilli(), Bytes: data}
	var told []uint32
	err = g.store.Update(ctx, func(tx Tx) error {
		if old, err := tx.Pack(row.Hash); err == nil {
			row = old // published before: nobody needs to hear it again
			return nil
		}
		if err := tx.AddPack(row); err != nil {
			return err
		}
		if err := putDict(tx, g.s, p); err != nil {
			return err
		}
		told, err = g.announce(tx, p.County, 0, journal.EventPack, journal.PackPublished{
			Kind: row.Kind, Version: row.Version, Hash: row.Hash, Size: row.Size,
		})
		return err
	})
	if err != nil {
		return PackRow{}, err
	}
	g.hub.wake(told...)
	row.Bytes = nil
	return row, nil
}

// Packs lists the newest pack of each kind.
func (g *Gateway) Packs(ctx context.Context) (out []PackRow, err error) {
	err = g.store.View(ctx, func(tx Tx) (err error) {
		out, err = tx.Packs()
		return err
	})
	return out, err
}

// pack hands out a pack. Rosters name people, so only devices in force get any. Ranges are served, so a broken download
// goes on where it stopped.
func (g *Gateway) pack(w http.ResponseWriter, r *http.Request) {
	hash, err := hashOf(r.PathValue("hash"))
	if err == nil {
		_, err = g.authorized(r, 0)
	}
	var p PackRow
	if err == nil {
		err = g.store.View(r.Context(), func(tx Tx) (err error) {
			p, err = tx.Pack(hash)
			return err
		})
		if isNotFound(err) {
			err = &wire.Error{Code: wire.CodeNotFound}
		}
	}
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("ETag", `"`+hex.EncodeToString(hash[:])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.Bytes))
}

// JournalLine is one record as journal list prints it.
type JournalLine struct {
	Seq  uint64 `json:"seq"`
	Kind string `json:"kind"`
	Hash string `json:"hash"`
	At   string `json:"at"` // the device's clock, RFC 3339
}

// Journal lists a device's records. ErrNotFound.
func (g *Gateway) Journal(ctx context.Context, device uint32) (lines []JournalLine, err error) {
	lines = []JournalLine{}
	err = g.store.View(ctx, func(tx Tx) error {
		if _, err := tx.Head(device); err != nil {
			return err
		}
		rows, err := tx.Headers(device, 1, ^uint64(0))
		for _, r := range rows {
			lines = append(lines, JournalLine{r.Seq, r.Kind, r.Hash.String(), time.UnixMilli(r.At).UTC().Format(time.RFC3339Nano)})
		}
		return err
	})
	return lines, err
}

// JournalFault is something in the store that is not what was written.
type JournalFault struct {
	Device uint32 `json:"device"`
	Where  string `json:"where"` // "packet", "header", "head", "event"
	Seq    uint64 `json:"seq"`   // record, or cursor for events
	Reason string `json:"reason"`
}

// VerifyReport is what VerifyJournals found.
type VerifyReport struct {
	Devices  int            `json:"devices"`
	Records  uint64         `json:"records"`
	Events   uint64         `json:"events"`
	Evidence int            `json:"evidence"` // packets kept that contradict a journal
	Faults   []JournalFault `json:"faults"`
}

// VerifyJournals reads everything again: packets' signatures and chains, header rows, heads, events' signatures and
// chains. What was cut off at the end, heads included, is seen in comparison with what was before: events that name records, and
// checkpoints. Faults are in the report; the error is for what stopped the check.
func (g *Gateway) VerifyJournals(ctx context.Context, against ...Checkpoint) (VerifyReport, error) {
	rep := VerifyReport{Faults: []JournalFault{}}
	devices, err := g.Devices(ctx)
	if err != nil {
		return rep, err
	}
	for _, d := range devices {
		rep.Devices++
		if err := g.store.View(ctx, func(tx Tx) error {
			h, err := tx.Head(d.Device)
			if err != nil {
				return err
			}
			ev, err := tx.Evidence(d.Device)
			if err != nil {
				return err
			}
			rep.Evidence += len(ev)
			if err := g.verifyRecords(tx, d, h, &rep); err != nil {
				return err
			}
			return g.verifyEvents(tx, h, &rep)
		}); err != nil {
			return rep, err
		}
	}
	for _, c := range against {
		if err := g.compare(ctx, c, &rep); err != nil {
			return rep, err
		}
	}
	return rep, nil
}

func (r *VerifyReport) fault(device uint32, where string, seq uint64, format string, args ...any) {
	r.Faults = append(r.Faults, JournalFault{device, where, seq, fmt.Sprintf(format, args...)})
}

func (g *Gateway) verifyRecords(tx Tx, d DeviceRow, h Head, rep *VerifyReport) error {
	var seq uint64
	var head vault.Hash
	for seq < h.Seq {
		rows, err := tx.Packets(d.Device, seq, packetBatch)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			rep.fault(d.Device, "packet", seq+1, "no packet holds this record")
			return nil
		}
		for _, row := range rows {
			records, err := g.verifyPacket(d, row)
			if err != nil {
				rep.fault(d.Device, "packet", row.From, "%v", err)
				return nil
			}
			if row.From > seq+1 {
				lost, err := lostBefore(tx, d.Device, seq, row, records[0].Prev)
				if err != nil {
					return err
				}
				if !lost {
					rep.fault(d.Device, "packet", seq+1, "no packet holds this record")
					return nil
				}
				seq, head = row.From-1, records[0].Prev
			}
			lines, err := tx.Headers(d.Device, row.From, row.To)
			if err != nil {
				return err
			}
			if len(lines) != len(records) {
				rep.fault(d.Device, "header", row.From, "%d header rows for %d records", len(lines), len(records))
				return nil
			}
			for i, r := range records {
				hash := r.Hash(g.s)
				switch {
				case lines[i].Seq != r.Seq || lines[i].Hash != hash || lines[i].Kind != string(r.Kind) || lines[i].At != r.At:
					rep.fault(d.Device, "header", r.Seq, "row is not of the record in the packet")
				case r.Seq == seq+1 && r.Prev != head:
					rep.fault(d.Device, "packet", r.Seq, "record does not follow the one before")
				}
				if r.Seq == seq+1 {
					seq, head = r.Seq, hash
					rep.Records++
				}
			}
		}
	}
	if seq != h.Seq || head != h.Hash {
		rep.fault(d.Device, "head", h.Seq, "head is not the hash of the last record")
	}
	return nil
}

func (g *Gateway) verifyPacket(d DeviceRow, row PacketRow) ([]journal.Record, error) {
	if g.s.Hash(row.Bytes) != row.Hash {
		return nil, fmt.Errorf("bytes were changed")
	}
	p, err := packet.Parse(row.Bytes)
	if err != nil {
		return nil, err
	}
	if p.Device != d.Device || p.From != row.From || p.To != row.To {
		return nil, fmt.Errorf("packet is of other records")
	}
	err = p.Verify(g.s, d.SignKey)
	if err == nil {
		return g.openPacket(p)
	}
	// What was erased the platform packed anew; only there may it stand for the device.
	if p.Verify(g.s, g.keys.Sign.Public()) != nil {
		return nil, err
	}
	records, oerr := g.openPacket(p)
	if oerr != nil || !slices.ContainsFunc(records, func(r journal.Record) bool { return r.Body == nil }) {
		return nil, errors.Join(err, oerr)
	}
	return records, nil
}

func (g *Gateway) verifyEvents(tx Tx, h Head, rep *VerifyReport) error {
	var cursor uint64
	var head vault.Hash
	for cursor < h.Cursor {
		rows, err := tx.Events(h.Device, cursor, wire.MaxEvents)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			rep.fault(h.Device, "event", cursor+1, "event is missing")
			return nil
		}
		for _, row := range rows {
			e, err := journal.ParseEvent(row.Bytes)
			if err == nil {
				err = e.Verify(g.s, g.keys.Sign.Public())
			}
			if err == nil {
				head, err = journal.CheckEvents(g.s, h.Device, cursor, head, []journal.Event{e})
			}
			if err == nil && e.Sealed {
				_, err = g.open(row.Copy, eventPlace(row))
			}
			if err == nil && e.Seq > h.Seq {
				err = fmt.Errorf("it is about record %d, which is not here", e.Seq)
			}
			if err == nil && (row.Hash != head || row.Kind != string(e.Kind) || row.Seq != e.Seq) {
				err = fmt.Errorf("row is not of the event")
			}
			if err != nil {
				rep.fault(h.Device, "event", row.Cursor, "%v", err)
				return nil
			}
			cursor = row.Cursor
			rep.Events++
		}
	}
	if head != h.EventHash {
		rep.fault(h.Device, "head", h.Cursor, "head is not the hash of the last event")
	}
	return nil
}

// VerifyLink judges a receipt link with the county's key lists and, when it is genuine or withdrawn offline, with the
// platform's own log.
func (g *Gateway) VerifyLink(ctx context.Context, link string) (receipt.Verdict, Status, error) {
	lists, err := g.KeyLists(ctx)
	if err != nil {
		return receipt.Verdict{}, Status{}, err
	}
	_, envelope, err := receipt.ParseLink(link)
	if err != nil {
		return receipt.VerifyLink(g.s, link, nil, g.cfg.Now(), lists...), Status{}, nil
	}
	return g.judge(ctx, envelope, lists)
}
