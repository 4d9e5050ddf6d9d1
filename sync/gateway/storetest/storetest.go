// Package storetest is the suite every driver of gateway.Store passes.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"bianmin/offline/vault"
	"bianmin/sync/gateway"
)

// Run runs the suite. open returns a store over the database of this test: the first call makes it, further calls in
// the same test open the same one again. Run closes what it opens.
func Run(t *testing.T, open func(t *testing.T) func() (gateway.Store, error)) {
	for _, c := range []struct {
		name string
		fn   func(t *testing.T, open func() (gateway.Store, error))
	}{
		{"journal", testJournal},
		{"inbox", testInbox},
		{"cases", testCases},
		{"roll", testRoll},
		{"library", testLibrary},
		{"epochs", testEpochs},
		{"erasing", testErasing},
		{"rollback", testRollback},
		{"reopen", testReopen},
		{"races", testRaces},
		{"version", testVersion},
		{"cancelled", testCancelled},
	} {
		t.Run(c.name, func(t *testing.T) { c.fn(t, open(t)) })
	}
}

func hash(n byte) (h vault.Hash) {
	for i := range h {
		h[i] = n
	}
	return h
}

func start(t *testing.T, open func() (gateway.Store, error)) gateway.Store {
	t.Helper()
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func update(t *testing.T, s gateway.Store, fn func(tx gateway.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func want[T any](t *testing.T, what string, got T, err error, wanted T) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if !reflect.DeepEqual(got, wanted) {
		t.Fatalf("%s:\n got %+v\nwant %+v", what, got, wanted)
	}
}

func wantErr(t *testing.T, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("%s: got %v, want %v", what, err, target)
	}
}

func addDevice(t *testing.T, s gateway.Store) (device uint32) {
	t.Helper()
	update(t, s, func(tx gateway.Tx) (err error) {
		device, err = tx.AddDevice(gateway.DeviceRow{Station: "999999101201", Machine: "desk", SignKey: []byte{4}, SealKey: []byte{5}, At: 7})
		return err
	})
	return device
}

func run(device uint32, from, to uint64) (gateway.PacketRow, []gateway.HeaderRow) {
	p := gateway.PacketRow{Device: device, From: from, To: to, Hash: hash(byte(100 + to)), At: 1000, Bytes: []byte(fmt.Sprint("packet ", from, to))}
	var rows []gateway.HeaderRow
	for q := from; q <= to; q++ {
		rows = append(rows, gateway.HeaderRow{Seq: q, Hash: hash(byte(q)), Kind: "login", At: int64(q) * 10})
	}
	return p, rows
}

func testJournal(t *testing.T, open func() (gateway.Store, error)) {
	s := start(t, open)
	d := addDevice(t, s)
	p1, r1 := run(d, 1, 3)
	p2, r2 := run(d, 4, 5)
	update(t, s, func(tx gateway.Tx) error {
		_, err := tx.Head(d + 1)
		wantErr(t, "head of nobody", err, gateway.ErrNotFound)
		h, err := tx.Head(d)
		want(t, "first head", h, err, gateway.Head{Device: d})
		return tx.AddPacket(p1, r1, 0, vault.Hash{}, hash(3))
	})
	update(t, s, func(tx gateway.Tx) error {
		wantErr(t, "old head", tx.AddPacket(p2, r2, 3, hash(9), hash(5)), gateway.ErrMoved)
		wantErr(t, "old seq", tx.AddPacket(p2, r2, 2, hash(3), hash(5)), gateway.ErrMoved)
		wantErr(t, "nobody", tx.AddPacket(gateway.PacketRow{Device: d + 1}, nil, 0, vault.Hash{}, hash(1)), gateway.ErrMoved)
		return tx.AddPacket(p2, r2, 3, hash(3), hash(5))
	})
	update(t, s, func(tx gateway.Tx) error {
		h, err := tx.Head(d)
		want(t, "head", h, err, gateway.Head{Device: d, Seq: 5, Hash: hash(5)})
		rows, err := tx.Headers(d, 2, 4)
		want(t, "headers", rows, err, []gateway.HeaderRow{r1[1], r1[2], r2[0]})
		rows, err = tx.Headers(d, 6, ^uint64(0))
		want(t, "no headers", len(rows), err, 0)
		ps, err := tx.Packets(d, 0, 10)
		want(t, "packets", ps, err, []gateway.PacketRow{p1, p2})
		ps, err = tx.Packets(d, 3, 10)
		want(t, "later packets", ps, err, []gateway.PacketRow{p2})
		ps, err = tx.Packets(d, 0, 1)
		want(t, "one packet", ps, err, []gateway.PacketRow{p1})
		b, err := tx.Behind()
		want(t, "behind", b, err, []uint32{d})
		wantErr(t, "projection elsewhere", tx.SetProjected(d, 1, 5), gateway.ErrMoved)
		if err := tx.SetProjected(d, 0, 5); err != nil {
			return err
		}
		b, err = tx.Behind()
		want(t, "nobody behind", len(b), err, 0)
		for i := range 4 {
			p := gateway.PacketRow{Device: d, From: 2, To: 3, Hash: hash(byte(i / 2)), At: int64(i), Bytes: []byte{byte(i)}}
			if err := tx.AddEvidence(p, 3); err != nil {
				return err
			}
		}
		ev, err := tx.Evidence(d)
		want(t, "evidence once each", len(ev), err, 2)
		if err := tx.AddEvidence(gateway.PacketRow{Device: d, Hash: hash(7), Bytes: []byte{1}}, 2); err != nil {
			return err
		}
		ev, err = tx.Evidence(d)
		want(t, "evidence bounded", len(ev), err, 2)
		return nil
	})
}

func testInbox(t *testing.T, open func() (gateway.Store, error)) {
	s := start(t, open)
	d := addDevice(t, s)
	var all []gateway.EventRow
	update(t, s, func(tx gateway.Tx) error {
		_, err := tx.NextEvent(d + 9)
		wantErr(t, "inbox of nobody", err, gateway.ErrNotFound)
		for i := byte(1); i <= 3; i++ {
			h, err := tx.NextEvent(d)
			want(t, "cursor", h.Cursor, err, uint64(i-1))
			e := gateway.EventRow{
				Device: d, Cursor: h.Cursor + 1, Hash: hash(i), Kind: "case.accepted", Seq: uint64(i), At: 5,
				Bytes: []byte{i},
			}
			if i == 2 {
				e.Copy = []byte{9, 9}
			}
			all = append(all, e)
			if err := tx.AddEvent(e); err != nil {
				return err
			}
		}
		wantErr(t, "same cursor", tx.AddEvent(all[2]), gateway.ErrMoved)
		h, err := tx.Head(d)
		want(t, "inbox head", h, err, gateway.Head{Device: d, Cursor: 3, EventHash: hash(3)})
		return nil
	})
	view(t, s, func(tx gateway.Tx) error {
		es, err := tx.Events(d, 0, 10)
		want(t, "events", es, err, all)
		es, err = tx.Events(d, 1, 1)
		want(t, "one event", es, err, all[1:2])
		es, err = tx.Events(d, ^uint64(0), 10)
		want(t, "no events", len(es), err, 0)
		return nil
	})
}

func view(t *testing.T, s gateway.Store, fn func(tx gateway.Tx) error) {
	t.Helper()
	if err := s.View(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func testCases(t *testing.T, open func() (gateway.Store, error)) {
	s := start(t, open)
	d := addDevice(t, s)
	c := gateway.CaseRow{
		Device: d, Seq: 3, No: "1-3-X", State: "received", Service: "gaoling", ItemCode: "i", Due: 20000, At: 5, Updated: 5,
		Data: []byte("sealed"),
	}
	later := gateway.CaseRow{Device: d, Seq: 4, No: "1-4-1", State: "received", At: 9}
	update(t, s, func(tx gateway.Tx) error {
		_, err := tx.Case(d, 3)
		wantErr(t, "no case", err, gateway.ErrNotFound)
		_, err = tx.CaseByOfficial("")
		wantErr(t, "empty number", err, gateway.ErrNotFound)
		if err := errors.Join(tx.PutCase(c), tx.PutCase(later)); err != nil {
			return err
		}
		c.State, c.Official, c.Updated, c.Data = "accepted", "8899", 8, []byte("again")
		return tx.PutCase(c)
	})
	update(t, s, func(tx gateway.Tx) error {
		got, err := tx.Case(d, 3)
		want(t, "case", got, err, c)
		got, err = tx.CaseByOfficial("8899")
		want(t, "case by official number", got, err, c)
		list, err := tx.Cases("", 0)
		want(t, "cases", list, err, []gateway.CaseRow{later, c})
		list, err = tx.Cases("accepted", 5)
		want(t, "accepted cases", list, err, []gateway.CaseRow{c})
		list, err = tx.Cases("", 1)
		want(t, "limit", list, err, []gateway.CaseRow{later})
		if err := tx.DropCases(d); err != nil {
			return err
		}
		list, err = tx.Cases("", 0)
		want(t, "dropped", len(list), err, 0)
		for i := uint64(1); i < 4; i++ {
			n, err := tx.NextSerial("a")
			want(t, "serial", n, err, i)
		}
		n, err := tx.NextSerial("b")
		want(t, "other serial", n, err, 1)
		return nil
	})
}

func testRoll(t *testing.T, open func() (gateway.Store, error)) {
	s := start(t, open)
	st := gateway.StationRow{Division: "999999101201", County: "999999", Data: []byte{1}}
	code := gateway.CodeRow{ID: [8]byte{1, 2}, Station: st.Division, Secret: []byte{3}, Made: 1, Expires: 2}
	a, b := addDevice(t, s), addDevice(t, s)
	update(t, s, func(tx gateway.Tx) error {
		if a == 0 || b <= a {
			t.Fatalf("device numbers %d, %d", a, b)
		}
		if err := errors.Join(
			tx.PutStation(gateway.StationRow{Division: st.Division, Data: []byte{0}}), tx.PutStation(st),
			tx.PutOperator(gateway.OperatorRow{Station: st.Division, ID: "wang", Data: []byte{1}}),
			tx.PutOperator(gateway.OperatorRow{Station: st.Division, ID: "li", Data: []byte{2}}),
			tx.PutOperator(gateway.OperatorRow{Station: st.Division, ID: "wang", Data: []byte{3}}),
			tx.AddCode(code), tx.SetCerts(a, []byte{6}, []byte{7}),
			tx.RevokeDevice(b, 50, "stolen", 4, hash(4)),
		); err != nil {
			return err
		}
		wantErr(t, "same code", tx.AddCode(code), gateway.ErrExists)
		wantErr(t, "revoke nobody", tx.RevokeDevice(99, 1, "", 0, vault.Hash{}), gateway.ErrNotFound)
		wantErr(t, "certify nobody", tx.SetCerts(99, nil, nil), gateway.ErrNotFound)
		return nil
	})
	update(t, s, func(tx gateway.Tx) error {
		got, err := tx.Station(st.Division)
		want(t, "station", got, err, st)
		_, err = tx.Station("0")
		wantErr(t, "no station", err, gateway.ErrNotFound)
		all, err := tx.Stations()
		want(t, "stations", all, err, []gateway.StationRow{st})
		ops, err := tx.Operators(st.Division)
		want(t, "operators", ops, err, []gateway.OperatorRow{{Station: st.Division, ID: "li", Data: []byte{2}}, {Station: st.Division, ID: "wang", Data: []byte{3}}})
		d, err := tx.Device(a)
		want(t, "device", d, err, gateway.DeviceRow{
			Device: a, Station: st.Division, Machine: "desk", SignKey: []byte{4}, SealKey: []byte{5},
			SignCert: []byte{6}, SealCert: []byte{7}, At: 7,
		})
		d, err = tx.Device(b)
		want(t, "revoked", []any{d.Revoked, d.Reason, d.CutSeq, d.CutHash}, err, []any{int64(50), "stolen", uint64(4), hash(4)})
		_, err = tx.Device(77)
		wantErr(t, "no device", err, gateway.ErrNotFound)
		ds, err := tx.Devices(st.Division)
		want(t, "devices", len(ds), err, 2)
		ds, err = tx.Devices("elsewhere")
		want(t, "no devices", len(ds), err, 0)
		c, err := tx.Code(code.ID)
		want(t, "code", c, err, code)
		_, err = tx.Code([8]byte{9})
		wantErr(t, "no code", err, gateway.ErrNotFound)
		if err := tx.UseCode(code.ID, a, 60); err != nil {
			return err
		}
		wantErr(t, "code twice", tx.UseCode(code.ID, b, 61), gateway.ErrMoved)
		c, err = tx.Code(code.ID)
		want(t, "used code", []any{c.Device, c.Used}, err, []any{a, int64(60)})
		return nil
	})
}

func testLibrary(t *testing.T, open func() (gateway.Store, error)) {
	s := start(t, open)
	p := gateway.PackRow{Kind: "county", Version: 2, Hash: hash(2), Size: 3, At: 4, Bytes: []byte{1, 2, 3}}
	newer := gateway.PackRow{Kind: "county", Version: 3, Hash: hash(3), Size: 1, At: 5, Bytes: []byte{4}}
	update(t, s, func(tx gateway.Tx) error {
		if err := errors.Join(tx.AddPack(p), tx.AddPack(p)); err != nil {
			return err
		}
		wantErr(t, "same version, other bytes", tx.AddPack(gateway.PackRow{Kind: "county", Version: 2, Hash: hash(9), Bytes: []byte{1}}), gateway.ErrExists)
		wantErr(t, "older version", tx.AddPack(gateway.PackRow{Kind: "county", Version: 1, Hash: hash(1), Bytes: []byte{1}}), gateway.ErrExists)
		return tx.AddPack(newer)
	})
	update(t, s, func(tx gateway.Tx) error {
		got, err := tx.Pack(hash(2))
		want(t, "old pack", got, err, p)
		_, err = tx.Pack(hash(8))
		wantErr(t, "no pack", err, gateway.ErrNotFound)
		list, err := tx.Packs()
		newer.Bytes = nil
		want(t, "packs", list, err, []gateway.PackRow{newer})
		if err := errors.Join(
			tx.PutDoc(gateway.DocRow{Name: "keys/999999", Version: 1, Data: []byte{1}}),
			tx.PutDoc(gateway.DocRow{Name: "keys/999999", Version: 2, Data: []byte{2}}),
			tx.PutDoc(gateway.DocRow{Name: "pins", Version: 1, Data: []byte{3}}),
		); err != nil {
			return err
		}
		wantErr(t, "old document", tx.PutDoc(gateway.DocRow{Name: "keys/999999", Version: 2, Data: []byte{7}}), gateway.ErrMoved)
		d, err := tx.Doc("keys/999999")
		want(t, "document", d, err, gateway.DocRow{Name: "keys/999999", Version: 2, Data: []byte{2}})
		_, err = tx.Doc("nothing")
		wantErr(t, "no document", err, gateway.ErrNotFound)
		ds, err := tx.Docs("keys/")
		want(t, "documents", ds, err, []gateway.DocRow{d})
		return nil
	})
}

// testRollback: an act that fails leaves nothing, not even its serials.
func testRollback(t *testing.T, open func() (gateway.Store, error)) {
	s := start(t, open)
	d := addDevice(t, s)
	boom := errors.New("boom")
	err := s.Update(context.Background(), func(tx gateway.Tx) error {
		p, rows := run(d, 1, 2)
		if _, err := tx.NextSerial("x"); err != nil {
			return err
		}
		if err := tx.AddPacket(p, rows, 0, vault.Hash{}, hash(2)); err != nil {
			return err
		}
		return boom
	})
	wantErr(t, "the caller's error", err, boom)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("panic was swallowed")
			}
		}()
		_ = s.Update(context.Background(), func(tx gateway.Tx) error {
			_, _ = tx.NextSerial("x")
			panic("in the middle")
		})
	}()
	update(t, s, func(tx gateway.Tx) error {
		h, err := tx.Head(d)
		want(t, "head", h, err, gateway.Head{Device: d})
		ps, err := tx.Packets(d, 0, 9)
		want(t, "packets", len(ps), err, 0)
		n, err := tx.NextSerial("x")
		want(t, "serial", n, err, 1)
		return nil
	})
}

func testReopen(t *testing.T, open func() (gateway.Store, error)) {
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	d := addDevice(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.View(context.Background(), func(gateway.Tx) error { return nil }); err == nil {
		t.Fatal("a closed store still reads")
	}
	s = start(t, open)
	view(t, s, func(tx gateway.Tx) error {
		row, err := tx.Device(d)
		want(t, "device", row.Machine, err, "desk")
		return nil
	})
}

// testRaces: two stores over one database append to one device; each record goes in once, the loser sees ErrMoved.
func testRaces(t *testing.T, open func() (gateway.Store, error)) {
	a, b := start(t, open), start(t, open)
	d := addDevice(t, a)
	const rounds = 20
	for seq := uint64(0); seq < rounds; seq++ {
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, s := range []gateway.Store{a, b} {
			wg.Add(1)
			go func() {
				defer wg.Done()
				p, rows := run(d, seq+1, seq+1)
				p.Bytes = []byte{byte(i)}
				var old vault.Hash
				if seq > 0 {
					old = hash(byte(seq))
				}
				errs[i] = s.Update(context.Background(), func(tx gateway.Tx) error {
					if err := tx.AddPacket(p, rows, seq, old, hash(byte(seq+1))); err != nil {
						return err
					}
					h, err := tx.NextEvent(d)
					if err != nil {
						return err
					}
					return tx.AddEvent(gateway.EventRow{Device: d, Cursor: h.Cursor + 1, Hash: hash(byte(i)), Bytes: []byte{byte(i)}})
				})
			}()
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, gateway.ErrMoved) {
				t.Fatalf("round %d: %v", seq, err)
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d winners", seq, won)
		}
	}
	view(t, b, func(tx gateway.Tx) error {
		es, err := tx.Events(d, 0, 100)
		want(t, "events", len(es), err, rounds)
		ps, err := tx.Packets(d, 0, 100)
		want(t, "packets", len(ps), err, rounds)
		for i, p := range ps {
			if !bytes.Equal(p.Bytes, es[i].Bytes) {
				t.Fatalf("record %d: packet of store %d, event of store %d", i+1, p.Bytes[0], es[i].Bytes[0])
			}
		}
		return nil
	})
}

func testVersion(t *testing.T, open func() (gateway.Store, error)) {
	a, b := start(t, open), start(t, open)
	before, err := a.Version(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.Version(context.Background())
	want(t, "nobody wrote", again, err, before)
	addDevice(t, b)
	after, err := a.Version(context.Background())
	if err != nil || after == before {
		t.Fatalf("another store wrote: %d, then %d, %v", before, after, err)
	}
	addDevice(t, a)
	own, err := a.Version(context.Background())
	if err != nil || own == after {
		t.Fatalf("this store wrote: %d, then %d, %v", after, own, err)
	}
}

func testCancelled(t *testing.T, open func() (gateway.Store, error)) {
	s := start(t, open)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	wantErr(t, "update", s.Update(ctx, func(gateway.Tx) error { return nil }), context.Canceled)
	wantErr(t, "view", s.View(ctx, func(gateway.Tx) error { return nil }), context.Canceled)
	addDevice(t, s)
}

func testEpochs(t *testing.T, open func() (gateway.Store, error)) {
	s := start(t, open)
	former, heir, other := addDevice(t, s), addDevice(t, s), addDevice(t, s)
	first := gateway.EpochRow{Device: heir, Former: former, To: 4, Head: hash(4), Fork: hash(9), At: 7}
	second := gateway.EpochRow{Device: other, Former: former, Head: hash(0), Fork: hash(10), Replaces: true, At: 8}
	update(t, s, func(tx gateway.Tx) error {
		_, err := tx.Epoch(heir)
		wantErr(t, "no epoch yet", err, gateway.ErrNotFound)
		if err := tx.AddEpoch(first); err != nil {
			return err
		}
		wantErr(t, "notice used before", tx.AddEpoch(gateway.EpochRow{Device: other, Former: former, Fork: hash(9)}), gateway.ErrExists)
		wantErr(t, "second epoch of a device", tx.AddEpoch(gateway.EpochRow{Device: heir, Former: former, Fork: hash(11)}), gateway.ErrExists)
		return tx.AddEpoch(second)
	})
	row := gateway.CarriedRow{Device: heir, Seq: 3, Former: former, FormerSeq: 5, FormerPrev: hash(4), FormerHash: hash(5), FormerAt: 99}
	update(t, s, func(tx gateway.Tx) error {
		e, err := tx.Epoch(heir)
		want(t, "epoch", e, err, first)
		list, err := tx.Epochs(former)
		want(t, "epochs", list, err, []gateway.EpochRow{first, second})
		list, err = tx.Epochs(0)
		want(t, "all epochs", list, err, []gateway.EpochRow{first, second})
		list, err = tx.Epochs(heir)
		want(t, "no heir", len(list), err, 0)
		if err := tx.PutCarried(row); err != nil {
			return err
		}
		return tx.PutCarried(row) // a replay writes it again
	})
	update(t, s, func(tx gateway.Tx) error {
		rows, err := tx.Carried(former, 5)
		want(t, "carried", rows, err, []gateway.CarriedRow{row})
		rows, err = tx.Carried(former, 6)
		want(t, "nothing carried", len(rows), err, 0)
		rows, err = tx.CarriedInto(heir)
		want(t, "carried into", rows, err, []gateway.CarriedRow{row})
		if err := tx.DropCases(heir); err != nil {
			return err
		}
		rows, err = tx.CarriedInto(heir)
		want(t, "dropped with the projection", len(rows), err, 0)
		return nil
	})
	p, _ := run(other, 3, 3)
	after := gateway.HeaderRow{Seq: 3, Hash: hash(3), Kind: "login", At: 30}
	gone := []gateway.HeaderRow{{Seq: 2, Hash: hash(2), Kind: gateway.KindLost}, {Seq: 1, Hash: hash(0), Kind: gateway.KindLost}}
	update(t, s, func(tx gateway.Tx) error {
		if err := tx.AddPacket(p, []gateway.HeaderRow{gone[1], gone[0], after}, 0, vault.Hash{}, hash(3)); err != nil {
			return err
		}
		rows, err := tx.Lost(other)
		want(t, "lost", rows, err, gone)
		fill, _ := run(other, 2, 2)
		found := gateway.HeaderRow{Seq: 2, Hash: hash(2), Kind: "login", At: 20}
		if err := tx.FillLost(fill, found); err != nil {
			return err
		}
		wantErr(t, "filled already", tx.FillLost(fill, found), gateway.ErrMoved)
		rows, err = tx.Headers(other, 1, 3)
		want(t, "headers", rows, err, []gateway.HeaderRow{gone[1], found, after})
		ps, err := tx.Packets(other, 0, 9)
		want(t, "packets", ps, err, []gateway.PacketRow{fill, p})
		return nil
	})
}
