package storetest

import (
	"context"
	"testing"

	"bianmin/sync/gateway"
)

func testErasing(t *testing.T, open func() (gateway.Store, error)) {
	s := start(t, open)
	d := addDevice(t, s)
	p := gateway.PacketRow{Device: d, From: 1, To: 2, Hash: hash(1), At: 7, Bytes: []byte("with bodies")}
	e := gateway.EventRow{Device: d, Cursor: 1, Hash: hash(3), Kind: "case.decided", Seq: 1, At: 8, Bytes: []byte("signed"), Copy: []byte("the words")}
	update(t, s, func(tx gateway.Tx) error {
		h, err := tx.Head(d)
		if err != nil {
			return err
		}
		if err := tx.AddPacket(p, nil, h.Seq, h.Hash, hash(2)); err != nil {
			return err
		}
		if err := tx.AddEvidence(p, 9); err != nil {
			return err
		}
		if _, err := tx.NextEvent(d); err != nil {
			return err
		}
		return tx.AddEvent(e)
	})
	update(t, s, func(tx gateway.Tx) error {
		other := p
		other.To = 3
		wantErr(t, "a packet that is not there", tx.ReplacePacket(other), gateway.ErrNotFound)
		return nil
	})
	update(t, s, func(tx gateway.Tx) error {
		wantErr(t, "evidence that is not there", tx.ReplaceEvidence(hash(9), p), gateway.ErrNotFound)
		return nil
	})
	update(t, s, func(tx gateway.Tx) error {
		wantErr(t, "an event that is not there", tx.ReplaceCopy(d, 9, nil), gateway.ErrNotFound)
		return nil
	})
	p.Bytes, p.Hash, e.Copy = []byte("without"), hash(5), []byte("-")
	update(t, s, func(tx gateway.Tx) error {
		if err := tx.ReplacePacket(p); err != nil {
			return err
		}
		if err := tx.ReplaceEvidence(hash(1), p); err != nil {
			return err
		}
		return tx.ReplaceCopy(d, 1, e.Copy)
	})
	if err := s.Scrub(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := s.View(context.Background(), func(tx gateway.Tx) error {
		ps, err := tx.Packets(d, 0, 9)
		want(t, "packet", ps, err, []gateway.PacketRow{p})
		ps, err = tx.Evidence(d)
		want(t, "evidence", ps, err, []gateway.PacketRow{p})
		es, err := tx.Events(d, 0, 9)
		want(t, "event", es, err, []gateway.EventRow{e})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
