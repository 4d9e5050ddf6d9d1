package casefile

import (
	"bytes"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
)

const device = 17

// base is 2026-11-16 10:00 in China, a Monday.
var base = time.Date(2026, 11, 16, 2, 0, 0, 0, time.UTC).UnixMilli()

const day = 24 * 60 * 60 * 1000

func record(seq uint64, at int64, kind journal.Kind, body any) journal.Record {
	return journal.Record{Header: journal.Header{V: 1, Device: device, Seq: seq, At: at, Operator: "wang", Kind: kind}, Body: canon.MustMarshal(body)}
}

func event(cursor, seq uint64, at int64, kind journal.Kind, body any) journal.Event {
	return journal.Event{V: 1, Device: device, Cursor: cursor, Seq: seq, At: at, Kind: kind, Body: canon.MustMarshal(body)}
}

func submitted(seq uint64) journal.Record {
	return record(seq, base, journal.KindCaseSubmitted, journal.CaseSubmitted{
		Service: "gaoling", ItemCode: "115", ItemName: "高龄津贴", FormID: "gaoling", FormVersion: 1, Answers: []byte{0xa0},
		Applicant: "欧阳秀英", IDNumber: "999999194102030021", Phone: "13900000001", Division: "999999101201",
		Blobs: []journal.Blob{{Size: 1, Name: "id"}}, Due: int32(mustDay("2026-12-14")),
	})
}

func mustDay(s string) Day {
	d, err := ParseDay(s)
	if err != nil {
		panic(err)
	}
	return d
}

var (
	accepted   = event(1, 5, base+1000, journal.EventAccepted, journal.Accepted{OfficialNo: "99-1", At: base + 1000, Due: int32(mustDay("2026-12-14")), Receipt: []byte{9}})
	correction = event(2, 5, base+day, journal.EventCorrection, journal.Correction{Fields: []string{"bank.card"}, Note: "卡号看不清", At: base + day, Officer: "赵", Telephone: "0999-6001001"})
	amended    = record(9, base+2*day, journal.KindCaseAmended, journal.CaseAmended{Case: 5, Cursor: 2, Answers: []byte{0xa1, 0x61, 0x61, 0x01}, Blobs: []journal.Blob{{Size: 2, Name: "card"}}})
	complete   = event(3, 5, base+2*day+5, journal.EventComplete, journal.Decided{At: base + 2*day + 5})
	processing = event(4, 5, base+2*day+6, journal.EventProcessing, journal.Decided{})
	special    = event(5, 5, base+3*day, journal.EventSpecial, journal.Decided{Result: "start", At: base + 3*day})
	specialEnd = event(6, 5, base+5*day, journal.EventSpecial, journal.Decided{Result: "end", At: base + 5*day})
	granted    = event(7, 5, base+6*day, journal.EventDecided, journal.Decided{Result: "granted", Note: "同意", At: base + 6*day})
	delivered  = event(8, 5, base+7*day, journal.EventDelivered, journal.Decided{At: base + 7*day})
	printed    = record(6, base+50, journal.KindReceiptPrinted, journal.ReceiptPrinted{Case: 5, Stage: 1, How: "png", Copy: 1})
)

func TestWholeWay(t *testing.T) {
	c, err := New(submitted(5))
	if err != nil {
		t.Fatal(err)
	}
	if c.State != TakenIn || c.Delivery(4) != OnMachine || c.Delivery(5) != AtPlatform || c.MaskedName() != "欧阳*英" {
		t.Fatalf("taken in: %s %s %s", c.State, c.Delivery(4), c.MaskedName())
	}
	steps := []struct {
		apply    func() error
		state    State
		delivery Delivery
	}{
		{func() error { return c.ApplyRecord(printed) }, TakenIn, AtPlatform}, // nobody waits for a print
		{func() error { return c.ApplyEvent(accepted) }, Accepted, PlatformTook},
		{func() error { return c.ApplyEvent(correction) }, CorrectionAsked, NeedsYou},
		{func() error { return c.ApplyRecord(amended) }, CorrectionDone, OnMachine},
		{func() error { return c.ApplyEvent(complete) }, CorrectionDone, OnMachine},
		{func() error { return c.ApplyEvent(processing) }, Processing, OnMachine},
		{func() error { return c.ApplyEvent(special) }, Special, OnMachine},
		{func() error { return c.ApplyEvent(specialEnd) }, Processing, OnMachine},
		{func() error { return c.ApplyEvent(granted) }, Granted, OnMachine},
		{func() error { return c.ApplyEvent(delivered) }, Delivered, OnMachine},
	}
	for i, s := range steps {
		if err := s.apply(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if c.State != s.state || c.Delivery(5) != s.delivery {
			t.Fatalf("step %d: state %s, want %s; delivery %s, want %s", i, c.State, s.state, c.Delivery(5), s.delivery)
		}
		if _, ok := c.MayAmend(); ok != (s.state == CorrectionAsked) {
			t.Fatalf("step %d: may amend %v", i, ok)
		}
	}
	if c.Delivery(9) != PlatformTook || c.OfficialNo != "99-1" || c.Result != "同意" || c.ClosedAt != base+6*day || len(c.Blobs) != 2 ||
		!bytes.Equal(c.Answers, []byte{0xa1, 0x61, 0x61, 0x01}) || c.LastSeq != 9 || len(c.Timeline) != 11 || !bytes.Equal(c.Stage2, []byte{9}) {
		t.Fatalf("at the end: %+v", c)
	}
	for i, s := range c.Timeline {
		if s.Ignored || i > 0 && s.At < c.Timeline[i-1].At {
			t.Errorf("line %d of the time line: %+v", i, s)
		}
	}
	if want := []Pause{{mustDay("2026-11-17"), mustDay("2026-11-18")}, {mustDay("2026-11-19"), mustDay("2026-11-21")}}; !reflect.DeepEqual(c.Pauses(), want) {
		t.Errorf("pauses %v, want %v", c.Pauses(), want)
	}
	data, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := back.Marshal(); err != nil || !bytes.Equal(again, data) {
		t.Fatalf("stored form does not read back: %v", err)
	}
}

func TestAnyOrderGivesTheSameCase(t *testing.T) {
	records := []journal.Record{submitted(5), printed, amended}
	events := []journal.Event{accepted, correction, complete, processing, special, specialEnd, granted, delivered}
	want, err := Fold(records, events)
	if err != nil {
		t.Fatal(err)
	}
	wantBytes, err := want.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	rounds := 200
	if os.Getenv("BIANMIN_FULL") == "1" {
		rounds = 2000
	}
	for seed := range rounds {
		rnd := rand.New(rand.NewPCG(uint64(seed), 1))
		c, err := New(submitted(5))
		if err != nil {
			t.Fatal(err)
		}
		order := rnd.Perm(len(records) + len(events))
		for _, i := range append(order, order[:3]...) { // some twice
			if i < len(records) {
				err = c.ApplyRecord(records[i])
			} else {
				err = c.ApplyEvent(events[i-len(records)])
			}
			if err != nil && !errors.Is(err, ErrMove) && !errors.Is(err, ErrOther) {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		if got, err := c.Marshal(); err != nil || !bytes.Equal(got, wantBytes) {
			t.Fatalf("seed %d: another case: %s %v", seed, c.State, err)
		}
	}
}

func TestIllegalMoves(t *testing.T) {
	c, err := New(submitted(5))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ApplyRecord(amended); !errors.Is(err, ErrMove) {
		t.Errorf("an answer to no question: %v", err)
	}
	c, _ = New(submitted(5))
	if err := c.ApplyEvent(granted); !errors.Is(err, ErrMove) || c.State != TakenIn {
		t.Errorf("granted before acceptance: %v, %s", err, c.State)
	}
	if len(c.Timeline) != 2 || !c.Timeline[1].Ignored {
		t.Errorf("what the platform said is lost: %+v", c.Timeline)
	}
	if err := c.ApplyRecord(record(6, base, journal.KindCaseWithdrawn, journal.CaseWithdrawn{Case: 7})); !errors.Is(err, ErrOther) {
		t.Errorf("a record of another case: %v", err)
	}
	if err := c.ApplyEvent(event(9, 6, base, journal.EventAccepted, journal.Accepted{})); !errors.Is(err, ErrOther) {
		t.Errorf("an event of another case: %v", err)
	}
	before, _ := c.Marshal()
	if err := c.ApplyEvent(journal.Event{Device: device, Cursor: 10, Seq: 5, Kind: journal.EventAccepted, Body: []byte{1}}); err == nil || errors.Is(err, ErrMove) {
		t.Errorf("an unreadable body: %v", err)
	}
	if after, _ := c.Marshal(); !bytes.Equal(before, after) {
		t.Error("an unreadable body changed the case")
	}
	if _, err := New(amended); !errors.Is(err, ErrOther) {
		t.Errorf("a case from an answer: %v", err)
	}
}

func TestWithdrawal(t *testing.T) {
	withdrawn := record(8, base+4*day, journal.KindCaseWithdrawn, journal.CaseWithdrawn{Case: 5, Reason: "不办了"})
	c, err := Fold([]journal.Record{submitted(5), withdrawn}, []journal.Event{accepted})
	if err != nil || c.State != Withdrawn || c.MayWithdraw() {
		t.Fatalf("%v %s", err, c.State)
	}
	// The platform had decided before it heard: its word stands.
	if err := c.ApplyEvent(granted); err != nil || c.State != Granted {
		t.Fatalf("%v %s", err, c.State)
	}
	// The platform confirms.
	c, _ = Fold([]journal.Record{submitted(5), withdrawn}, []journal.Event{accepted})
	if err := c.ApplyEvent(event(7, 5, base+5*day, journal.EventDecided, journal.Decided{Result: "withdrawn"})); err != nil || c.State != Withdrawn {
		t.Fatalf("%v %s", err, c.State)
	}
	if err := c.ApplyEvent(event(8, 5, base+6*day, journal.EventDecided, journal.Decided{Result: "granted"})); !errors.Is(err, ErrMove) {
		t.Fatalf("granted after a confirmed withdrawal: %v", err)
	}
	// Too late.
	c, _ = Fold([]journal.Record{submitted(5)}, []journal.Event{accepted, granted})
	late := record(8, base+8*day, journal.KindCaseWithdrawn, journal.CaseWithdrawn{Case: 5})
	if err := c.ApplyRecord(late); !errors.Is(err, ErrMove) || c.State != Granted {
		t.Fatalf("withdrawn after the decision: %v %s", err, c.State)
	}
}

func TestSealedEvents(t *testing.T) {
	c, _ := Fold([]journal.Record{submitted(5)}, []journal.Event{accepted})
	sealed := func(e journal.Event) journal.Event {
		e.Sealed, e.Body = true, []byte("sealed")
		return e
	}
	if err := c.ApplyEvent(sealed(correction)); err != nil || c.State != CorrectionAsked || c.Correction.Note != "" || !c.Timeline[2].Sealed {
		t.Fatalf("%v %s %+v", err, c.State, c.Correction)
	}
	if err := c.ApplyEvent(correction); err != nil || c.Correction.Note != "卡号看不清" || c.Timeline[2].Sealed {
		t.Fatalf("opened: %v %+v", err, c.Correction)
	}
	if err := c.ApplyEvent(sealed(correction)); err != nil || c.Correction.Note != "卡号看不清" {
		t.Fatalf("sealed again: %v %+v", err, c.Correction)
	}
	if err := c.ApplyRecord(amended); err != nil {
		t.Fatal(err)
	}
	if err := c.ApplyEvent(sealed(granted)); err != nil || c.State != Decided || !c.State.Closed() {
		t.Fatalf("%v %s", err, c.State)
	}
	if err := c.ApplyEvent(granted); err != nil || c.State != Granted {
		t.Fatalf("%v %s", err, c.State)
	}
}

func TestQuarantine(t *testing.T) {
	c, _ := Fold([]journal.Record{submitted(5)}, nil)
	q := event(1, 5, base+1, journal.EventQuarantined, journal.Quarantined{Reason: "quarantine.form", Detail: "x"})
	if err := c.ApplyEvent(q); err != nil || c.Delivery(5) != NeedsYou || c.Quarantine != "quarantine.form" {
		t.Fatalf("%v %s", err, c.Delivery(5))
	}
	late := accepted
	late.Cursor = 2
	if err := c.ApplyEvent(late); err != nil || c.Delivery(5) != PlatformTook {
		t.Fatalf("%v %s", err, c.Delivery(5))
	}
}

func TestPurged(t *testing.T) {
	r := submitted(5)
	r.Body = nil
	c, err := New(r)
	if err != nil || !c.Purged || c.State != TakenIn || c.Applicant != "" {
		t.Fatalf("%v %+v", err, c)
	}
	data, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if c, err = Parse(data); err != nil {
		t.Fatal(err)
	}
	if err := c.ApplyEvent(accepted); err != nil || c.State != Accepted || !c.Purged {
		t.Fatal(err)
	}
}

func TestTableIsWhole(t *testing.T) {
	for _, s := range States {
		if s.Label() == "" {
			t.Errorf("%s has no official word", s)
		}
		next, ok := legal[s]
		if !ok {
			t.Errorf("%s is not in the table", s)
		}
		for _, to := range next {
			if labels[to] == "" {
				t.Errorf("%s leads to the unknown %q", s, to)
			}
		}
		if s.Closed() && CanMove(s, Processing, true) {
			t.Errorf("%s is closed and can be processed", s)
		}
	}
	// Every state can be reached from a draft.
	seen := map[State]bool{Draft: true}
	for queue := []State{Draft}; len(queue) > 0; queue = queue[1:] {
		for _, to := range append(Moves(queue[0], true), Moves(queue[0], false)...) {
			if !seen[to] {
				seen[to] = true
				queue = append(queue, to)
			}
		}
	}
	if len(seen) != len(States) {
		t.Errorf("only %d of %d states can be reached", len(seen), len(States))
	}
	tests := []struct {
		from, to State
		accepted bool
		want     bool
	}{
		{Draft, Accepted, false, false},
		{TakenIn, Granted, false, false},
		{CorrectionDone, Granted, false, false},
		{CorrectionDone, Granted, true, true},
		{CorrectionDone, Refused, true, false},
		{CorrectionDone, Refused, false, true},
		{CorrectionAsked, CorrectionAsked, false, false},
		{Accepted, CorrectionAsked, true, true},
		{Rated, Void, true, false},
		{"nonsense", TakenIn, false, false},
	}
	for _, tt := range tests {
		if got := CanMove(tt.from, tt.to, tt.accepted); got != tt.want {
			t.Errorf("%s to %s, accepted %v: %v", tt.from, tt.to, tt.accepted, got)
		}
	}
}

func TestLogsNameNobody(t *testing.T) {
	c, _ := New(submitted(5))
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("case", slog.Any("case", c))
	for _, s := range []string{"欧阳", "9999991941", "1390000"} {
		if strings.Contains(log.String(), s) {
			t.Errorf("the log holds %s: %s", s, log.String())
		}
	}
	if !strings.Contains(log.String(), c.Number()) {
		t.Error(log.String())
	}
}
