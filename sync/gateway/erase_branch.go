package gateway

import (
	"fmt"

	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

// formersOf returns the numbers that a device goes on for, however many there were.
func formersOf(tx Tx, device uint32) (map[uint32]bool, error) {
	out := map[uint32]bool{}
	for {
		e, err := tx.Epoch(device)
		if isNotFound(err) || err == nil && out[e.Former] {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		device = e.Former
		out[device] = true
	}
}

// successorsOf adds the numbers that go on for a device.
func successorsOf(tx Tx, device uint32, to map[uint32]bool) error {
	epochs, err := tx.Epochs(device)
	if err != nil {
		return err
	}
	for _, e := range epochs {
		if to[e.Device] {
			continue
		}
		to[e.Device] = true
		if err := successorsOf(tx, e.Device, to); err != nil {
			return err
		}
	}
	return nil
}

// eraseBranches takes a case's records out of what lies outside its own journal: acts about it under later numbers, and, of a
// case that was carried on from a branch, the packets of that branch that are kept as evidence. about holds the case's records.
func (g *Gateway) eraseBranches(tx Tx, c *casefile.Case, about map[uint64]bool) error {
	later := map[uint32]bool{}
	if err := successorsOf(tx, c.Device, later); err != nil {
		return err
	}
	for device := range later {
		if err := g.eraseActs(tx, device, c); err != nil {
			return err
		}
	}
	into, err := tx.CarriedInto(c.Device)
	if err != nil {
		return err
	}
	was := map[uint32]map[vault.Hash]bool{}
	for _, row := range into {
		if !about[row.Seq] {
			continue
		}
		if was[row.Former] == nil {
			was[row.Former] = map[vault.Hash]bool{}
		}
		was[row.Former][row.FormerHash] = true
	}
	for former, hashes := range was {
		rows, err := tx.Evidence(former)
		if err != nil {
			return err
		}
		for _, row := range rows {
			old := row.Hash
			if _, err := g.eraseRecords(&row, func(p PacketRow) error { return tx.ReplaceEvidence(old, p) }, func(r journal.Record) bool {
				return hashes[r.Header.Hash(g.s)]
			}); err != nil {
				return fmt.Errorf("gateway: evidence of device %d: %w", former, err)
			}
		}
	}
	return nil
}

// eraseActs takes the acts about a case of a former number out of the journal of a later one.
func (g *Gateway) eraseActs(tx Tx, device uint32, c *casefile.Case) error {
	head, err := tx.Head(device)
	if err != nil {
		return err
	}
	for seq := uint64(0); seq < head.Seq; {
		rows, err := tx.Packets(device, seq, packetBatch)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return fmt.Errorf("%w: packet with record %d", ErrNotFound, seq+1)
		}
		for _, row := range rows {
			if _, err := g.eraseRecords(&row, tx.ReplacePacket, func(r journal.Record) bool { return actAbout(r, c) }); err != nil {
				return err
			}
			seq = row.To
		}
	}
	return nil
}

// actAbout reports whether a record is an act about a case of a former number.
func actAbout(r journal.Record, c *casefile.Case) bool {
	if r.Kind != journal.KindFormerAct || r.Body == nil {
		return false
	}
	b, err := journal.DecodeBody[journal.FormerAct](r.Body)
	if err != nil || b.Device != c.Device {
		return false
	}
	act, err := b.Record(r.Seq)
	if err != nil {
		return false
	}
	of, ok := casefile.CaseOf(act)
	return ok && of == c.Seq
}
