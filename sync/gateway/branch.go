package gateway

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"

	"github.com/emmansun/gmsm/smx509"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
)

// importedReason is why the device of an imported branch is withdrawn from the start: it has no machine.
const importedReason = "branch of an imported mirror"

// carryBranches gives the branches of machines that cannot do it themselves an epoch: what contradicted the journals is
// carried into a device of its own, as a live machine would do, and that device is withdrawn at once.
func (m *importer) carryBranches(ctx context.Context) error {
	byDevice := map[uint32][]*load{}
	for _, f := range m.forked {
		byDevice[f.l.p.Device] = append(byDevice[f.l.p.Device], f.l)
	}
	for _, n := range slices.Sorted(maps.Keys(byDevice)) {
		d, _, err := m.g.Device(ctx, n)
		if err != nil {
			return err
		}
		if err := m.carryBranch(ctx, d, byDevice[n]); err != nil {
			return err
		}
	}
	return nil
}

// carryBranch carries the records of one branch that follow one another from the platform's journal.
func (m *importer) carryBranch(ctx context.Context, d DeviceRow, loads []*load) error {
	g := m.g
	first := loads[0].p
	common := first.From - 1
	n := 1
	for n < len(loads) && loads[n].p.From == loads[n-1].p.To+1 && loads[n].p.Prev == loads[n-1].p.Head {
		n++
	}
	loads = loads[:n]
	var into uint32
	err := g.store.Update(ctx, func(tx Tx) error {
		rows, err := tx.Carried(d.Device, first.From)
		if err != nil {
			return err
		}
		for _, c := range rows {
			if c.FormerHash == loads[0].rows[0].Hash {
				return nil // carried before, by the machine itself or by an import
			}
		}
		if common > 0 {
			held, err := tx.Headers(d.Device, common, common)
			if err != nil || len(held) != 1 || held[0].Hash != first.Prev {
				return err // it follows something that is not here: it stays evidence
			}
		}
		into, err = g.newBranch(tx, d, common, first.Prev, loads)
		return err
	})
	if errors.Is(err, ErrExists) { // an epoch for it is there, whose records have not arrived
		return nil
	}
	if err != nil || into == 0 {
		return err
	}
	g.log.WarnContext(ctx, "branch of an imported mirror", slog.Uint64("former", uint64(d.Device)), slog.Uint64("device", uint64(into)), slog.Int("records", n))
	return g.CatchUp(ctx)
}

// newBranch makes the device and its journal, in one transaction.
func (g *Gateway) newBranch(tx Tx, former DeviceRow, common uint64, prev vault.Hash, loads []*load) (uint32, error) {
	key, err := g.s.GenerateKey()
	if err != nil {
		return 0, err
	}
	now := g.cfg.Now()
	d := DeviceRow{Station: former.Station, Machine: former.Machine, SignKey: key.Public(), SealKey: former.SealKey, At: now.UnixMilli()}
	if d.Device, err = tx.AddDevice(d); err != nil {
		return 0, err
	}
	cert, err := g.keys.deviceCert(g.s, d.Device, d.Station, d.SignKey, smx509.KeyUsageDigitalSignature, now)
	if err != nil {
		return 0, err
	}
	if err := tx.SetCerts(d.Device, cert, nil); err != nil {
		return 0, err
	}
	at := now.UnixMilli()
	if err := tx.AddEpoch(EpochRow{Device: d.Device, Former: former.Device, To: common, Head: prev, Fork: g.s.Hash(loads[0].p.Bytes()), At: at}); err != nil {
		return 0, err
	}
	b := &branchWriter{g: g, tx: tx, key: key, device: d.Device, at: at}
	own := journal.Header{At: at, Kind: journal.KindEpoch}
	if err := b.add([32]byte{}, own, canon.MustMarshal(journal.Epoch{Former: former.Device, To: common, Head: prev, Fork: []byte{}, Records: uint64(len(loads))})); err != nil {
		return 0, err
	}
	moved := map[uint64]uint64{}
	for len(loads) > 0 {
		part := loads[:min(len(loads), journal.MaxCarried)]
		loads = loads[len(part):]
		list := journal.Carried{First: b.seq + 2}
		for _, l := range part {
			list.Headers = append(list.Headers, canon.MustMarshal(l.records[0].Header))
		}
		own.Kind = journal.KindCarried
		if err := b.add([32]byte{}, own, canon.MustMarshal(list)); err != nil {
			return 0, err
		}
		for _, l := range part {
			if err := b.carry(l, moved); err != nil {
				return 0, err
			}
		}
	}
	return d.Device, tx.RevokeDevice(d.Device, at, importedReason, b.seq, b.head)
}

// branchWriter writes the journal of a branch, one packet a record, as a mirror has it.
type branchWriter struct {
	g      *Gateway
	tx     Tx
	key    vault.PrivateKey
	device uint32
	at     int64
	seq    uint64
	head   vault.Hash
}

func (b *branchWriter) carry(l *load, moved map[uint64]uint64) error {
	rec := l.records[0]
	if rec.Body == nil { // erased there: its line stands
		h := rec.Header
		h.Device, h.Seq, h.Prev = b.device, b.seq+1, b.head
		return b.put([32]byte{}, journal.Record{Header: h})
	}
	_, salt, err := b.g.openSalted(l.p)
	if err != nil {
		return err
	}
	kind, body, err := casefile.Carry(rec, func(seq uint64) (uint64, bool) {
		to, ok := moved[seq]
		return to, ok
	})
	if err != nil {
		return err
	}
	if rec.Kind == journal.KindCaseSubmitted {
		moved[rec.Seq] = b.seq + 1
	}
	h := rec.Header
	h.Kind = kind
	return b.add(salt, h, bytes.Clone(body))
}

func (b *branchWriter) add(salt [32]byte, h journal.Header, body []byte) error {
	rec, err := journal.Next(b.g.s, b.device, b.seq, b.head, salt[:], h.At, h.Clock, h.Operator, h.Kind, body)
	if err != nil {
		return err
	}
	return b.put(salt, rec)
}

func (b *branchWriter) put(salt [32]byte, rec journal.Record) error {
	data, err := packet.Seal([]journal.Record{rec}, packet.Options{
		Suite: b.g.s, Device: b.device, Signer: b.key, Salt: salt, Codec: packet.CodecZstd, Recipients: []vault.PublicKey{b.g.keys.Seal().Public()},
	})
	if err != nil {
		return err
	}
	p, err := packet.Parse(data)
	if err != nil {
		return err
	}
	row := HeaderRow{Seq: rec.Seq, Hash: rec.Hash(b.g.s), Kind: string(rec.Kind), At: rec.At}
	if err := b.tx.AddPacket(b.g.packetRow(p, b.at), []HeaderRow{row}, b.seq, b.head, row.Hash); err != nil {
		return err
	}
	b.seq, b.head = rec.Seq, row.Hash
	return nil
}
