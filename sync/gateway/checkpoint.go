package gateway

import (
	"context"
	"fmt"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// Checkpoint is the platform's signed word how far every journal and inbox was at a moment. It is kept outside the database: who cuts
// the newest records and events off there, together with the heads that name them, contradicts it.
type Checkpoint struct {
	V       uint8            `cbor:"1,keyasint"`
	At      int64            `cbor:"2,keyasint"` // Unix milliseconds
	Devices []CheckpointHead `cbor:"3,keyasint"`
	Sig     []byte           `cbor:"4,keyasint"` // the working key, domain "checkpoint", with Sig empty
}

// CheckpointHead is how far one device's journal and inbox were.
type CheckpointHead struct {
	Device    uint32     `cbor:"1,keyasint"`
	Seq       uint64     `cbor:"2,keyasint"`
	Head      vault.Hash `cbor:"3,keyasint"`
	Cursor    uint64     `cbor:"4,keyasint"`
	EventHash vault.Hash `cbor:"5,keyasint"`
}

const checkpointVersion = 1

// Checkpoint makes one of what the database holds now. hash is what may be printed, or countersigned by somebody else: it
// names all of it.
func (g *Gateway) Checkpoint(ctx context.Context) (data []byte, hash vault.Hash, err error) {
	c := Checkpoint{V: checkpointVersion, At: g.cfg.Now().UnixMilli(), Devices: []CheckpointHead{}}
	if err := g.store.View(ctx, func(tx Tx) error {
		devices, err := tx.Devices("")
		if err != nil {
			return err
		}
		for _, d := range devices {
			h, err := tx.Head(d.Device)
			if err != nil {
				return err
			}
			c.Devices = append(c.Devices, CheckpointHead{Device: d.Device, Seq: h.Seq, Head: h.Hash, Cursor: h.Cursor, EventHash: h.EventHash})
		}
		return nil
	}); err != nil {
		return nil, hash, err
	}
	if c.Sig, err = vault.Sign(g.keys.Sign, "checkpoint", canon.MustMarshal(c)); err != nil {
		return nil, hash, fmt.Errorf("gateway: sign checkpoint: %w", err)
	}
	if data, err = canon.Marshal(c); err != nil {
		return nil, hash, err
	}
	return data, g.s.Hash(data), nil
}

// WriteCheckpoint makes one and keeps it at path, durable.
func (g *Gateway) WriteCheckpoint(ctx context.Context, path string) (hash vault.Hash, err error) {
	data, hash, err := g.Checkpoint(ctx)
	if err == nil {
		err = writeFile(path, data)
	}
	if err != nil {
		return hash, fmt.Errorf("gateway: checkpoint: %w", err)
	}
	return hash, nil
}

// OpenCheckpoint reads a checkpoint of this platform.
func (g *Gateway) OpenCheckpoint(data []byte) (Checkpoint, error) {
	var c Checkpoint
	if err := canon.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("gateway: checkpoint: %w", err)
	}
	if c.V != checkpointVersion {
		return c, fmt.Errorf("gateway: checkpoint version %d", c.V)
	}
	u := c
	u.Sig = nil
	if err := vault.Verify(g.s, g.keys.Sign.Public(), "checkpoint", canon.MustMarshal(u), c.Sig); err != nil {
		return c, fmt.Errorf("gateway: checkpoint: %w", err)
	}
	return c, nil
}

// compare names what a checkpoint says was here, and is not any more.
func (g *Gateway) compare(ctx context.Context, c Checkpoint, rep *VerifyReport) error {
	when := time.UnixMilli(c.At).UTC().Format(time.RFC3339)
	return g.store.View(ctx, func(tx Tx) error {
		for _, d := range c.Devices {
			h, err := tx.Head(d.Device)
			if isNotFound(err) {
				rep.fault(d.Device, "checkpoint", 0, "the device of %s is not here", when)
				continue
			}
			if err != nil {
				return err
			}
			if err := compareHead(tx, d, h, when, rep); err != nil {
				return err
			}
		}
		return nil
	})
}

func compareHead(tx Tx, d CheckpointHead, h Head, when string, rep *VerifyReport) error {
	if d.Seq > 0 {
		rows, err := tx.Headers(d.Device, d.Seq, d.Seq)
		if err != nil {
			return err
		}
		switch {
		case h.Seq < d.Seq || len(rows) == 0:
			rep.fault(d.Device, "checkpoint", h.Seq+1, "records %d to %d of %s are not here", h.Seq+1, d.Seq, when)
		case rows[0].Hash != d.Head:
			rep.fault(d.Device, "checkpoint", d.Seq, "record %d is not that of %s", d.Seq, when)
		}
	}
	if d.Cursor == 0 {
		return nil
	}
	rows, err := tx.Events(d.Device, d.Cursor-1, 1)
	if err != nil {
		return err
	}
	switch {
	case h.Cursor < d.Cursor || len(rows) == 0 || rows[0].Cursor != d.Cursor:
		rep.fault(d.Device, "checkpoint", h.Cursor+1, "events %d to %d of %s are not here", h.Cursor+1, d.Cursor, when)
	case rows[0].Hash != d.EventHash:
		rep.fault(d.Device, "checkpoint", d.Cursor, "event %d is not that of %s", d.Cursor, when)
	}
	return nil
}
