package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/receipt"
	"bianmin/sync/gateway"
	"bianmin/sync/wire"
)

func TestExchangeStoresAndAccepts(t *testing.T) {
	r := newRig(t, autoAccept)
	d := r.enrolled()
	d.add(journal.KindEnrolled, journal.Note{What: station})
	rec, env := d.submit("欧阳淑华")
	d.exchange(d.packet(1, 2, packet.CodecZstd, nil))
	if d.acked != 2 {
		t.Fatalf("acked %d", d.acked)
	}
	a := bodyOf[journal.Accepted](t, d.last(journal.EventAccepted))
	if want := itemCode + "20261120" + "0001"; a.OfficialNo != want {
		t.Fatalf("official number %q, want %q", a.OfficialNo, want)
	}
	list, err := receipt.OpenKeyList(suite, r.keys.Root.Public(), d.grant.KeyList)
	if err != nil {
		t.Fatal(err)
	}
	v := receipt.VerifyAt(suite, a.Receipt, r.clk.now(), list)
	if v.State != receipt.Genuine || v.S2 == nil || v.S2.OfficialNo != a.OfficialNo {
		t.Fatalf("stage 2: %+v", v)
	}
	payload, err := receipt.PayloadOf(env)
	if err != nil {
		t.Fatal(err)
	}
	if h := suite.Hash(payload); v.S2.Of != [8]byte(h[:8]) {
		t.Fatal("stage 2 does not name the stage-1 receipt")
	}
	c, err := r.g.Case(context.Background(), casefile.Number(d.id, rec.Seq))
	if err != nil || c.State != casefile.Accepted || c.Applicant != "欧阳淑华" {
		t.Fatalf("case %+v, %v", c, err)
	}
	if log := r.log.String(); strings.Contains(log, "欧阳") || strings.Contains(log, "999999194102030021") {
		t.Fatal("the log names a person")
	}
}

func TestOverlapAndReplay(t *testing.T) {
	r := newRig(t)
	d := r.enrolled()
	for range 6 {
		d.add(journal.KindLogin, journal.Note{What: "desk"})
	}
	first := d.packet(1, 3, 0, nil)
	q := d.request(0, first)
	if _, err := d.send(q); err != nil {
		t.Fatal(err)
	}
	if _, err := d.send(q); err != nil { // the reply was lost: the very same bytes again
		t.Fatal(err)
	}
	d.exchange(d.packet(2, 5, 0, nil)) // overlaps by two
	if d.acked != 5 {
		t.Fatalf("acked %d", d.acked)
	}
	d.exchange(d.packet(1, 2, 0, nil), d.packet(3, 6, 0, nil))
	if d.acked != 6 {
		t.Fatalf("acked %d", d.acked)
	}
	reply := d.exchange()
	if d.acked != 6 || len(reply.Fork) != 0 {
		t.Fatalf("acked %d, fork %v", d.acked, reply.Fork)
	}
	lines, err := r.g.Journal(context.Background(), d.id)
	if err != nil || len(lines) != 6 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for i, l := range lines {
		if l.Seq != uint64(i+1) || l.Hash != d.heads[i+1].String() {
			t.Fatalf("line %d: %+v", i, l)
		}
	}
	rep, err := r.g.VerifyJournals(context.Background())
	if err != nil || len(rep.Faults) != 0 || rep.Records != 6 || rep.Evidence != 0 {
		t.Fatalf("%+v, %v", rep, err)
	}
}

// TestGap: what does not follow is not stored, and the ack says where to go on.
func TestGap(t *testing.T) {
	r := newRig(t)
	d := r.enrolled()
	for range 4 {
		d.add(journal.KindLogin, journal.Note{})
	}
	d.exchange(d.packet(3, 4, 0, nil))
	if d.acked != 0 {
		t.Fatalf("acked %d", d.acked)
	}
	d.exchange(d.packet(1, 2, 0, nil), d.packet(4, 4, 0, nil))
	if d.acked != 2 {
		t.Fatalf("acked %d", d.acked)
	}
}

func TestFork(t *testing.T) {
	for name, c := range map[string]struct {
		common, sent uint64 // records in common, and how the clone sends what follows
		from         uint64
		to           uint64 // what the fork names
	}{
		"packet begins before":       {common: 3, from: 2, to: 3},
		"packet begins at the fork":  {common: 3, from: 4, to: 3},
		"packet begins behind":       {common: 2, from: 5, to: 3},
		"whole history is different": {common: 0, from: 1, to: 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			d := r.enrolled()
			clone := *d
			for i := uint64(1); i <= 6; i++ {
				rec := d.add(journal.KindLogin, journal.Note{Count: int64(i)})
				if i <= c.common {
					clone.records, clone.heads = append(clone.records, rec), append(clone.heads, d.heads[i])
				}
			}
			d.exchange(d.packet(1, 6, 0, nil))
			for i := c.common; i < 8; i++ {
				clone.add(journal.KindLogin, journal.Note{What: "clone", Count: int64(i)})
			}
			clone.nonce = nil
			p := clone.packet(c.from, 8, 0, nil)
			reply := clone.exchange(p)
			f, err := packet.OpenFork(suite, d.grant.Platform.SignKey, reply.Fork)
			if err != nil {
				t.Fatal(err)
			}
			if f.To != c.to || f.Head != d.heads[c.to] || f.Device != d.id {
				t.Fatalf("fork at %d, want %d", f.To, c.to)
			}
			if clone.acked != 6 {
				t.Fatalf("acked %d: a fork must not move the head", clone.acked)
			}
			clone.exchange(p) // evidence is kept once
			if err := r.db.View(context.Background(), func(tx gateway.Tx) error {
				ev, err := tx.Evidence(d.id)
				if err == nil && (len(ev) != 1 || !bytes.Equal(ev[0].Bytes, p)) {
					t.Errorf("%d pieces of evidence", len(ev))
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if rep, err := r.g.VerifyJournals(context.Background()); err != nil || len(rep.Faults) != 0 || rep.Evidence != 1 {
				t.Fatalf("%+v, %v", rep, err)
			}
		})
	}
}

// TestRace: two exchanges of one device at once, again and again; every record is stored and accepted exactly once.
func TestRace(t *testing.T) {
	r := newRig(t, autoAccept)
	d := r.enrolled()
	const rounds = 12
	for round := range rounds {
		d.submit("张建国")
		d.submit("李秀兰")
		n := uint64(len(d.records))
		a, b := *d, *d
		qa := a.request(0, a.packet(n-1, n, 0, nil))
		b.nonce = nil
		qb := b.request(0, b.packet(n-1, n-1, 0, nil), b.packet(n, n, 0, nil))
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, f := range []func() error{
			func() error { _, err := a.send(qa); return err },
			func() error { _, err := b.send(qb); return err },
		} {
			wg.Add(1)
			go func() { defer wg.Done(); errs[i] = f() }()
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if a.acked != n && b.acked != n {
			t.Fatalf("round %d: acked %d and %d of %d", round, a.acked, b.acked, n)
		}
		d.nonce = nil
		d.sync()
	}
	accepted := map[uint64]int{}
	numbers := map[string]bool{}
	for _, e := range d.events {
		if e.Kind == journal.EventAccepted {
			accepted[e.Seq]++
			numbers[bodyOf[journal.Accepted](t, e).OfficialNo] = true
		}
	}
	if len(accepted) != 2*rounds || len(numbers) != 2*rounds {
		t.Fatalf("%d cases accepted with %d numbers, want %d", len(accepted), len(numbers), 2*rounds)
	}
	for seq, n := range accepted {
		if n != 1 {
			t.Errorf("record %d accepted %d times", seq, n)
		}
	}
	if rep, err := r.g.VerifyJournals(context.Background()); err != nil || len(rep.Faults) != 0 || rep.Records != 2*rounds {
		t.Fatalf("%+v, %v", rep, err)
	}
}

func TestRefusals(t *testing.T) {
	r := newRig(t)
	d := r.enrolled()
	d.add(journal.KindLogin, journal.Note{})
	p := d.packet(1, 1, 0, nil)
	other := r.enrolled()
	other.add(journal.KindLogin, journal.Note{})

	t.Run("bad signature", func(t *testing.T) {
		q := d.request(0, p)
		q.Cursor = 99
		_, err := d.send(q)
		wantCode(t, err, wire.CodeSignature)
	})
	t.Run("another device's key", func(t *testing.T) {
		q := d.request(0, p)
		if err := q.Sign(other.sign); err != nil {
			t.Fatal(err)
		}
		_, err := d.send(q)
		wantCode(t, err, wire.CodeSignature)
	})
	t.Run("unknown device", func(t *testing.T) {
		q := d.request(0)
		q.Device = 4711
		if err := q.Sign(d.sign); err != nil {
			t.Fatal(err)
		}
		_, err := d.send(q)
		wantCode(t, err, wire.CodeUnknown)
	})
	t.Run("another device's packet", func(t *testing.T) {
		_, err := d.send(d.request(0, other.packet(1, 1, 0, nil)))
		wantCode(t, err, wire.CodeBadRequest)
	})
	t.Run("forged packet", func(t *testing.T) {
		forged := *d
		forged.sign = other.sign
		_, err := d.send(d.request(0, forged.packet(1, 1, 0, nil)))
		wantCode(t, err, wire.CodeSignature)
	})
	t.Run("packet for somebody else", func(t *testing.T) {
		foreign := *d
		foreign.grant.Platform.SealKey = other.seal.Public()
		_, err := d.send(d.request(0, foreign.packet(1, 1, 0, nil)))
		wantCode(t, err, wire.CodeBadRequest)
	})
	t.Run("stale nonce", func(t *testing.T) {
		q := d.request(0, p)
		r.clk.add(11 * time.Minute)
		_, err := d.send(q)
		e := wantCode(t, err, wire.CodeNonce)
		d.nonce = e.Nonce // the answer brings the next one
		if _, err := d.send(d.request(0)); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("nonce of somebody else", func(t *testing.T) {
		q := d.request(0)
		q.Nonce = bytes.Repeat([]byte{1}, 32)
		if err := q.Sign(d.sign); err != nil {
			t.Fatal(err)
		}
		_, err := d.send(q)
		wantCode(t, err, wire.CodeNonce)
	})
	t.Run("not a message", func(t *testing.T) {
		_, err := post[wire.Reply](r, wire.PathExchange, []byte("hello"))
		wantCode(t, err, wire.CodeBadRequest)
	})
	t.Run("another version", func(t *testing.T) {
		q := d.request(0)
		q.V = 2
		_, err := post[wire.Reply](r, wire.PathExchange, q)
		wantCode(t, err, wire.CodeBadRequest)
	})
	t.Run("oversize", func(t *testing.T) {
		_, err := post[wire.Reply](r, wire.PathExchange, make([]byte, wire.MaxRequest+1))
		wantCode(t, err, wire.CodeTooLarge)
	})
	t.Run("oversize packet", func(t *testing.T) {
		_, err := d.send(d.request(0, make([]byte, wire.MaxPacket+1)))
		wantCode(t, err, wire.CodeTooLarge)
	})
	t.Run("nowhere", func(t *testing.T) {
		_, err := r.do("GET", "/v1/nothing", nil, nil)
		wantCode(t, err, wire.CodeNotFound)
	})
	d.exchange()
	if d.acked != 0 {
		t.Fatalf("acked %d: a refused request left something", d.acked)
	}
	// Of several packets those before the bad one count.
	d.exchange(p, []byte("rubbish"))
	if d.acked != 1 {
		t.Fatalf("acked %d", d.acked)
	}
}

func TestRevoked(t *testing.T) {
	r := newRig(t)
	d, other := r.enrolled(), r.enrolled()
	d.add(journal.KindLogin, journal.Note{})
	_, early := d.submit("王桂香")
	d.sync()
	d.add(journal.KindLogin, journal.Note{})
	_, late := d.submit("王桂香")
	row, err := r.g.Revoke(context.Background(), d.id, "lost")
	if err != nil || row.CutSeq != 2 || row.CutHash != d.heads[2] {
		t.Fatalf("%+v, %v", row, err)
	}
	if _, err := r.g.Revoke(context.Background(), d.id, "again"); !errors.Is(err, gateway.ErrExists) {
		t.Fatalf("revoked twice: %v", err)
	}
	_, err = d.send(d.request(0, d.packet(3, 4, 0, nil)))
	wantCode(t, err, wire.CodeRevoked)
	if !wire.Permanent(err) {
		t.Fatal("a revoked device must not ask again")
	}
	other.sync()
	list, err := receipt.OpenKeyList(suite, r.keys.Root.Public(), bodyOf[journal.Document](t, other.last(journal.EventKeyList)).Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, env := range [][]byte{early, late} {
		if v := receipt.VerifyAt(suite, env, r.clk.now(), list); v.State != receipt.Withdrawn {
			t.Fatalf("offline: %+v", v)
		}
	}
	if st := r.status(early); !st.Found || st.Withdrawn {
		t.Fatalf("online, before the cut: %+v", st)
	}
	if st := r.status(late); st.Found || !st.Withdrawn {
		t.Fatalf("online, after the cut: %+v", st)
	}
}

func TestNeed(t *testing.T) {
	r := newRig(t)
	d := r.enrolled()
	d.add(journal.KindLogin, journal.Note{})
	reply := d.exchange(d.packet(1, 1, packet.CodecZstd, []byte("a dictionary the gateway does not hold")))
	if reply.Need != "dict" || d.acked != 0 {
		t.Fatalf("need %q, acked %d", reply.Need, d.acked)
	}
	reply = d.exchange(d.packet(1, 1, packet.CodecPlain, nil))
	if reply.Need != "" || d.acked != 1 {
		t.Fatalf("need %q, acked %d", reply.Need, d.acked)
	}
}

// TestQuarantine: a record that cannot be used is delivered all the same, and the reason comes back as an event.
func TestQuarantine(t *testing.T) {
	noAnswers := submission("赵六")
	noAnswers.Answers = []byte{0xff}
	noItem := submission("赵六")
	noItem.Service = ""
	for name, c := range map[string]struct {
		kind   journal.Kind
		body   any
		reason string
	}{
		"body":    {journal.KindCaseSubmitted, []byte("not CBOR of a case"), gateway.ReasonBody},
		"answers": {journal.KindCaseSubmitted, noAnswers, gateway.ReasonAnswers},
		"item":    {journal.KindCaseSubmitted, noItem, gateway.ReasonItem},
		"no case": {journal.KindCaseAmended, journal.CaseAmended{Case: 77, Answers: canon.MustMarshal(map[string]any{})}, gateway.ReasonNoCase},
		"amend":   {journal.KindCaseWithdrawn, []byte{1}, gateway.ReasonBody},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, autoAccept)
			d := r.enrolled()
			bad := d.add(c.kind, c.body)
			good, _ := d.submit("赵六")
			d.sync()
			e := d.last(journal.EventQuarantined)
			if q := bodyOf[journal.Quarantined](t, e); q.Reason != c.reason || e.Seq != bad.Seq {
				t.Fatalf("%+v about %d", q, e.Seq)
			}
			if e := d.last(journal.EventAccepted); e.Seq != good.Seq {
				t.Fatalf("accepted %d: the bad record blocked the line", e.Seq)
			}
			if _, err := r.g.Case(context.Background(), casefile.Number(d.id, bad.Seq)); !errors.Is(err, gateway.ErrNotFound) {
				t.Fatalf("the bad record became a case: %v", err)
			}
		})
	}
	t.Run("purged", func(t *testing.T) {
		r := newRig(t)
		d := r.enrolled()
		d.submit("赵六")
		d.records[0].Body = nil
		d.sync()
		if q := bodyOf[journal.Quarantined](t, d.last(journal.EventQuarantined)); q.Reason != gateway.ReasonPurged {
			t.Fatalf("%+v", q)
		}
	})
}

// TestLongPoll: a waiting device hears at once what a reviewer does, in this process or in another one.
func TestLongPoll(t *testing.T) {
	r := newRig(t)
	d := r.enrolled()
	rec, _ := d.submit("陈阿妹")
	other, _ := d.submit("陈阿妹")
	d.sync()
	wait := func(seq uint64, act func() error) {
		t.Helper()
		q := d.request(20 * time.Second)
		started := time.Now()
		done := make(chan error, 1)
		go func() { done <- act() }()
		reply, err := d.send(q)
		if err := errors.Join(err, <-done); err != nil {
			t.Fatal(err)
		}
		if len(reply.Events) != 1 || d.last(journal.EventAccepted).Seq != seq {
			t.Fatalf("%d events", len(reply.Events))
		}
		if took := time.Since(started); took > 10*time.Second {
			t.Fatalf("woke after %v", took)
		}
	}
	wait(rec.Seq, func() error {
		_, err := r.g.Accept(context.Background(), casefile.Number(d.id, rec.Seq))
		return err
	})
	second := r.another()
	wait(other.Seq, func() error {
		_, err := second.Accept(context.Background(), casefile.Number(d.id, other.Seq))
		return err
	})
	// Nothing happens: the answer comes when the time is over.
	if reply, err := d.send(d.request(30 * time.Millisecond)); err != nil || len(reply.Events) != 0 {
		t.Fatalf("%d events, %v", len(reply.Events), err)
	}
}
