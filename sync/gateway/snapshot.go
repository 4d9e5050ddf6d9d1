package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

const (
	snapshotPackets = 16      // stored packets looked at for one answer
	snapshotBytes   = 3 << 20 // packets in one answer, and at least one
	snapshotEvents  = 1 << 19 // bytes of events in one answer, and at least one
)

// snapshot gives a device back what the platform holds of its journal, or of the one that it goes on for.
func (g *Gateway) snapshot(w http.ResponseWriter, r *http.Request) {
	data, err := body(w, r, maxSmall)
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	q, err := wire.Decode[wire.SnapshotRequest](data)
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	d, err := g.device(r.Context(), q.Device, q.Nonce, func(k vault.PublicKey) error { return q.Verify(g.s, k) })
	var release func()
	if err == nil {
		release, err = g.slot(r.Context())
	}
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	out, err := g.snapshotOf(r.Context(), d, q)
	release()
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	g.log.InfoContext(r.Context(), "snapshot", slog.Uint64("device", uint64(d.Device)), slog.Uint64("of", uint64(out.Of)), slog.Uint64("after", q.After), slog.Int("packets", len(out.Packets)), slog.Int("events", len(out.Events)))
	g.answer(w, r, out)
}

func (g *Gateway) snapshotOf(ctx context.Context, d DeviceRow, q wire.SnapshotRequest) (wire.Snapshot, error) {
	out := wire.Snapshot{V: wire.Version, Packets: [][]byte{}, Events: [][]byte{}, Bodies: [][]byte{}, Ack: []byte{}}
	var of DeviceRow
	var head Head
	var packets []PacketRow
	var events []EventRow
	err := g.store.View(ctx, func(tx Tx) error {
		n, err := ownOrFormer(tx, d.Device, q.Of)
		if err != nil || n == 0 {
			return err
		}
		if of, err = tx.Device(n); err != nil {
			return err
		}
		if head, err = tx.Head(n); err != nil {
			return err
		}
		if q.After > 0 {
			rows, err := tx.Headers(n, q.After, q.After)
			if err != nil {
				return err
			}
			if len(rows) != 1 || rows[0].Hash != q.Head {
				out.Diverged = true
				return nil
			}
		}
		if packets, err = tx.Packets(n, q.After, snapshotPackets); err != nil {
			return err
		}
		if q.Cursor < head.Cursor {
			events, err = tx.Events(n, q.Cursor, wire.MaxEvents)
		}
		return err
	})
	if err != nil || of.Device == 0 {
		return out, err
	}
	out.Of = of.Device
	if out.Ack, err = g.ack(head); err != nil || out.Diverged {
		return out, err
	}
	last, err := g.resealAll(&out, d, of, packets, q.After)
	if err != nil {
		return out, err
	}
	cursor, err := g.resealEvents(&out, d, of, events, q.Cursor)
	out.More = last < head.Seq && len(out.Packets) > 0 || cursor < head.Cursor && len(out.Events) > 0
	return out, err
}

// ownOrFormer tells whose journal a device may ask for: its own, or one that it goes on for, also by several steps. 0 asks
// for the last of these; 0 comes back when there is none.
func ownOrFormer(tx Tx, device, of uint32) (uint32, error) {
	if of == device {
		return device, nil
	}
	for at := device; ; {
		e, err := tx.Epoch(at)
		if errors.Is(err, ErrNotFound) {
			if of == 0 {
				return 0, nil
			}
			return 0, &wire.Error{Code: wire.CodeBadRequest, Detail: "snapshot of another device"}
		}
		if err != nil {
			return 0, err
		}
		if of == 0 || e.Former == of {
			return e.Former, nil
		}
		at = e.Former
	}
}

// resealAll seals stored packets to the asking device, until the answer is full, and returns the last record in it. Behind
// a record that is lost nothing follows: the chain ends there for the device, too.
func (g *Gateway) resealAll(out *wire.Snapshot, d, of DeviceRow, rows []PacketRow, after uint64) (uint64, error) {
	size := 0
	for _, row := range rows {
		if row.From > after+1 || size >= snapshotBytes {
			break
		}
		records, salt, err := g.openStored(row)
		if err != nil {
			return after, err
		}
		for len(records) > 0 && records[0].Seq <= after {
			records = records[1:]
		}
		for len(records) > 0 && size < snapshotBytes {
			n := len(records)
			data, err := g.reseal(d, of, records[:n], salt)
			for errors.Is(err, packet.ErrTooLarge) && n > 1 {
				n /= 2
				data, err = g.reseal(d, of, records[:n], salt)
			}
			if err != nil {
				return after, fmt.Errorf("gateway: reseal records of device %d: %w", of.Device, err)
			}
			out.Packets = append(out.Packets, data)
			size += len(data)
			after, records = records[n-1].Seq, records[n:]
		}
	}
	return after, nil
}

func (g *Gateway) openStored(row PacketRow) ([]journal.Record, [32]byte, error) {
	p, err := packet.Parse(row.Bytes)
	if err != nil {
		return nil, [32]byte{}, fmt.Errorf("gateway: stored packet to %d of device %d: %w", row.To, row.Device, err)
	}
	records, salt, err := g.openSalted(p)
	if err != nil {
		return nil, salt, fmt.Errorf("gateway: stored packet to %d of device %d: %w", row.To, row.Device, err)
	}
	return records, salt, nil
}

func (g *Gateway) reseal(d, of DeviceRow, records []journal.Record, salt [32]byte) ([]byte, error) {
	return packet.Seal(records, packet.Options{
		Suite: g.s, Device: of.Device, Signer: g.keys.Sign, Salt: salt, Codec: packet.CodecZstd,
		Recipients: []vault.PublicKey{d.SealKey}, MaxBytes: snapshotBytes,
	})
}

// resealEvents adds events, and their bodies where they were sealed to another key, and returns the last cursor.
func (g *Gateway) resealEvents(out *wire.Snapshot, d, of DeviceRow, rows []EventRow, cursor uint64) (uint64, error) {
	size := 0
	for _, row := range rows {
		if size += len(row.Bytes) + len(row.Copy); size > snapshotEvents && len(out.Events) > 0 {
			break
		}
		body := []byte{}
		if len(row.Copy) > 0 && !equal(d.SealKey, of.SealKey) {
			plain, err := g.open(row.Copy, eventPlace(row))
			if err == nil {
				body, err = g.s.SealTo(d.SealKey, plain)
			}
			if err != nil {
				return cursor, fmt.Errorf("gateway: event %d of device %d: %w", row.Cursor, row.Device, err)
			}
		}
		out.Events, out.Bodies, cursor = append(out.Events, row.Bytes), append(out.Bodies, body), row.Cursor
	}
	return cursor, nil
}
