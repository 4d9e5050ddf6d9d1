package desktest

import (
	"fmt"
	"testing"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/desk"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/receipt"
	"bianmin/offline/vault"
)

// Acknowledge makes the platform sign for every record of the machine so far, as after an exchange. Like everything the
// platform says here, it carries the time of the machine's clock.
func (m *Machine) Acknowledge(t testing.TB, d *desk.Desk) {
	t.Helper()
	device, head, _, _, err := d.Store().Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rec, err := d.Store().Record(head)
	if err != nil {
		t.Fatal(err)
	}
	ack, err := packet.SignAck(m.Platform.Sign, packet.Ack{Device: device, To: head, Head: rec.Hash(m.Config.Suite), At: m.Clock.Now().UnixMilli()})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.Store().TakeAck(t.Context(), ack); err != nil || got != head {
		t.Fatalf("acknowledged %d of %d: %v", got, head, err)
	}
}

// Accept makes the platform accept a case, with its signed stage-2 receipt, and returns the 办件编号.
func (m *Machine) Accept(t testing.TB, d *desk.Desk, seq uint64, due time.Time) string {
	t.Helper()
	c, err := d.Store().Case(seq)
	if err != nil {
		t.Fatal(err)
	}
	official := fmt.Sprintf("999999%s%06d", m.Clock.Now().Format("20060102"), seq)
	r := receipt.Stage2{
		Device: c.Device, Seq: seq, OfficialNo: official, At: m.Clock.Now().Unix(), Due: int32(casefile.DayOf(due)),
		Item: receipt.Fit(c.ItemName, receipt.MaxItem),
	}
	env, err := receipt.Sign(m.Platform.Sign, r.Payload())
	if err != nil {
		t.Fatal(err)
	}
	m.Tell(t, d, journal.EventAccepted, seq, journal.Accepted{OfficialNo: official, At: m.Clock.Now().UnixMilli(), Due: r.Due, Receipt: env})
	return official
}

// AskCorrection makes the platform ask for a correction of the named fields, to be answered within the legal days.
func (m *Machine) AskCorrection(t testing.TB, d *desk.Desk, seq uint64, note string, fields ...string) {
	t.Helper()
	m.Tell(t, d, journal.EventCorrection, seq, journal.Correction{
		Fields: fields, Note: note, At: m.Clock.Now().UnixMilli(), Officer: "赵敏", Telephone: "0999-6001000",
		Basis: "《中华人民共和国行政许可法》第三十二条",
	})
}

// Decide makes the platform end a case: "granted", "denied", "returned", "withdrawn" or "void".
func (m *Machine) Decide(t testing.TB, d *desk.Desk, seq uint64, result, note string) {
	t.Helper()
	m.Tell(t, d, journal.EventDecided, seq, journal.Decided{Result: result, Note: note, At: m.Clock.Now().UnixMilli()})
}

// Quarantine makes the platform say that it cannot use a record. reason is a translation key.
func (m *Machine) Quarantine(t testing.TB, d *desk.Desk, seq uint64, reason, detail string) {
	t.Helper()
	m.Tell(t, d, journal.EventQuarantined, seq, journal.Quarantined{Reason: reason, Detail: detail})
}

// Tell delivers one signed event about a record. Bodies that may name a person are sealed to the machine, as the
// platform does.
func (m *Machine) Tell(t testing.TB, d *desk.Desk, kind journal.Kind, seq uint64, body any) {
	t.Helper()
	device, _, _, cursor, err := d.Store().Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var prev vault.Hash
	if cursor > 0 {
		told, err := d.Store().Events(cursor-1, 1)
		if err != nil || len(told) != 1 {
			t.Fatalf("event %d: %v", cursor, err)
		}
		prev = told[0].Event.Hash(m.Config.Suite)
	}
	e := journal.Event{
		V: journal.Version, Device: device, Cursor: cursor + 1, Prev: prev, At: m.Clock.Now().UnixMilli(), Kind: kind, Seq: seq,
		Body: canon.MustMarshal(body),
	}
	switch kind {
	case journal.EventAccepted, journal.EventRecovery, journal.EventDeviceLocked, journal.EventDeviceUnlocked, journal.EventDeviceWiped,
		journal.EventDeviceLease, journal.EventPins: // in clear
	default:
		if e.Body, err = m.Config.Suite.SealTo(d.Ring().SealPublic(), e.Body); err != nil {
			t.Fatal(err)
		}
		e.Sealed = true
	}
	if err := e.Sign(m.Platform.Sign); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Journal().TakeEvents(t.Context(), [][]byte{e.Marshal()}); err != nil || got != e.Cursor {
		t.Fatalf("told %s: cursor %d, %v", kind, got, err)
	}
}
