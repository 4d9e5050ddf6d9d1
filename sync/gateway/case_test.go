package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/clocks"
	"bianmin/offline/journal"
	"bianmin/offline/receipt"
	"bianmin/sync/gateway"
	"bianmin/sync/gateway/sqlite"
	"bianmin/sync/wire"
)

// another opens a second gateway over the same database, as the command line does beside a server.
func (r *rig) another() *gateway.Gateway {
	r.t.Helper()
	db, err := sqlite.Open(context.Background(), filepath.Join(r.dir, "gateway.db"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := db.Close(); err != nil {
			r.t.Error(err)
		}
	})
	g, err := gateway.New(gateway.Config{Store: db, Keys: r.keys, Blobs: filepath.Join(r.dir, "blobs"), Clock: clocks.Wall(r.clk.now)})
	if err != nil {
		r.t.Fatal(err)
	}
	return g
}

// status asks as the citizen page does.
func (r *rig) status(envelope []byte) gateway.Status {
	r.t.Helper()
	body, err := r.do(http.MethodPost, wire.PathStatus, envelope, map[string]string{"Content-Type": wire.ContentType})
	if err != nil {
		r.t.Fatal(err)
	}
	var st gateway.Status
	if err := json.Unmarshal(body, &st); err != nil {
		r.t.Fatal(err)
	}
	return st
}

func TestCorrectionRoundTrip(t *testing.T) {
	r := newRig(t, autoAccept)
	ctx := context.Background()
	d := r.enrolled()
	rec, env := d.submit("阿依古丽·买买提")
	no := casefile.Number(d.id, rec.Seq)
	if st := r.status(env); st.Found || st.Withdrawn || st.Stage != 1 || st.Station == "" {
		t.Fatalf("before it arrived: %+v", st)
	}
	d.sync()
	r.clk.add(time.Minute)
	if _, err := r.g.Correct(ctx, no, journal.Correction{Fields: []string{"phone", "photo"}, Note: "电话号码少一位", Officer: "赵科长"}); err != nil {
		t.Fatal(err)
	}
	d.sync()
	e := d.last(journal.EventCorrection)
	q := bodyOf[journal.Correction](t, e)
	// 20 November 2026 is a Friday: five working days later is the next Friday.
	if by := casefile.Day(q.AnswerBy).String(); by != "2026-11-27" || q.Basis == "" || q.Telephone != "0999-1234567" || len(q.Fields) != 2 {
		t.Fatalf("%+v, answer by %s", q, by)
	}
	if _, err := r.g.Decide(ctx, no, "granted", ""); !errors.Is(err, gateway.ErrState) {
		t.Fatalf("decided while a correction is open: %v", err)
	}
	if st := r.status(env); st.State != string(casefile.CorrectionAsked) || st.StateText.ZH != "补正告知" {
		t.Fatalf("%+v", st)
	}
	r.clk.add(time.Hour)
	answers := canon.MustMarshal(map[string]any{"phone": "13900000000"})
	d.add(journal.KindCaseAmended, journal.CaseAmended{Case: rec.Seq, Cursor: e.Cursor, Answers: answers, Note: "已补"})
	d.sync()
	c, err := r.g.Case(ctx, no)
	if err != nil || c.State != casefile.CorrectionDone || !bytes.Equal(c.Answers, answers) {
		t.Fatalf("%s, %v", c.State, err)
	}
	r.clk.add(time.Hour)
	if _, err := r.g.Decide(ctx, c.OfficialNo, "granted", "同意发放"); err != nil {
		t.Fatal(err)
	}
	d.sync()
	if dec := bodyOf[journal.Decided](t, d.last(journal.EventDecided)); dec.Result != "granted" || dec.Note != "同意发放" {
		t.Fatalf("%+v", dec)
	}
	if st := r.status(env); st.State != string(casefile.Granted) || st.Stage != 2 || st.OfficialNo != c.OfficialNo || st.Due == "" {
		t.Fatalf("%+v", st)
	}
	if _, err := r.g.Decide(ctx, no, "denied", ""); !errors.Is(err, gateway.ErrState) {
		t.Fatalf("decided twice: %v", err)
	}
	n := len(d.events)
	d.sync()
	if len(d.events) != n {
		t.Fatal("a refused act left an event")
	}
	if _, err := r.g.Accept(ctx, "1-999-00"); !errors.Is(err, gateway.ErrNotFound) {
		t.Fatalf("no such case: %v", err)
	}
	// An answer to nothing arrives and is told to be of no use.
	d.add(journal.KindCaseAmended, journal.CaseAmended{Case: rec.Seq, Cursor: e.Cursor, Answers: answers})
	d.sync()
	if q := bodyOf[journal.Quarantined](t, d.last(journal.EventQuarantined)); q.Reason != gateway.ReasonMove {
		t.Fatalf("%+v", q)
	}
}

func TestAcceptByHandAndRefuse(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	d := r.enrolled()
	a, env := d.submit("刘大山")
	b, _ := d.submit("刘大山")
	d.sync()
	if len(d.events) != 0 {
		t.Fatalf("%d events though nothing is accepted by itself", len(d.events))
	}
	if st := r.status(env); !st.Found || st.Stage != 1 || st.State != string(casefile.TakenIn) {
		t.Fatalf("%+v", st)
	}
	ca, err := r.g.Accept(ctx, casefile.Number(d.id, a.Seq))
	if err != nil || !strings.HasSuffix(ca.OfficialNo, "202611200001") {
		t.Fatalf("%v, %v", ca, err)
	}
	if _, err := r.g.Accept(ctx, ca.OfficialNo); !errors.Is(err, gateway.ErrState) {
		t.Fatalf("accepted twice: %v", err)
	}
	cb, err := r.g.Refuse(ctx, casefile.Number(d.id, b.Seq), "不属于本县受理范围")
	if err != nil || cb.State != casefile.Refused {
		t.Fatalf("%v, %v", cb, err)
	}
	for _, act := range []func() (*casefile.Case, error){
		func() (*casefile.Case, error) { return r.g.Process(ctx, ca.OfficialNo, "") },
		func() (*casefile.Case, error) { return r.g.Decide(ctx, ca.OfficialNo, "returned", "重复申请") },
		func() (*casefile.Case, error) { return r.g.Deliver(ctx, ca.OfficialNo, "本人领取") },
	} {
		if _, err := act(); err != nil {
			t.Fatal(err)
		}
	}
	list, err := r.g.Cases(ctx, casefile.Delivered, 0)
	if err != nil || len(list) != 1 || list[0].Seq != a.Seq {
		t.Fatalf("%v, %v", list, err)
	}
	d.sync()
	if k := d.last(journal.EventDelivered); k.Seq != a.Seq {
		t.Fatalf("%+v", k)
	}
}

// TestRebuild: cases made again from packets and events are the cases that grew live.
func TestRebuild(t *testing.T) {
	r := newRig(t, autoAccept)
	ctx := context.Background()
	a, b := r.enrolled(), r.enrolled()
	for i, d := range []*device{a, b, a} {
		for j := range 5 {
			d.submit(fmt.Sprintf("张%d%d", i, j))
			r.clk.add(time.Second)
		}
		bad := submission("坏")
		bad.Answers = []byte{0xff}
		d.add(journal.KindCaseSubmitted, bad)
		d.sync()
	}
	ask := func(d *device, seq uint64) {
		if _, err := r.g.Correct(ctx, casefile.Number(d.id, seq), journal.Correction{Fields: []string{"phone"}, Note: "补"}); err != nil {
			t.Fatal(err)
		}
		r.clk.add(time.Minute)
		d.sync()
		d.add(journal.KindCaseAmended, journal.CaseAmended{Case: seq, Cursor: d.cursor, Answers: canon.MustMarshal(map[string]any{"n": seq})})
		d.add(journal.KindReceiptPrinted, journal.ReceiptPrinted{Case: seq, Stage: 2, How: "png", Copy: 1})
		d.sync()
	}
	ask(a, 2)
	ask(b, 3)
	a.add(journal.KindCaseWithdrawn, journal.CaseWithdrawn{Case: 4, Reason: "不办了"})
	a.add(journal.KindCaseAmended, journal.CaseAmended{Case: 5, Cursor: 1, Answers: canon.MustMarshal(map[string]any{})}) // nobody asked
	a.sync()
	if _, err := r.g.Decide(ctx, casefile.Number(a.id, 2), "granted", "同意"); err != nil {
		t.Fatal(err)
	}
	snapshot := func() map[string]any {
		out := map[string]any{}
		if err := r.db.View(ctx, func(tx gateway.Tx) error {
			rows, err := tx.Cases("", 0)
			for _, row := range rows {
				row.Data = nil // sealed under a random nonce; compared opened, below
				out[row.No] = row
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		cases, err := r.g.Cases(ctx, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			data, err := c.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			out[c.Number()+" data"] = data
		}
		return out
	}
	live := snapshot()
	if len(live) != 30 {
		t.Fatalf("%d cases", len(live)/2)
	}
	var head gateway.Head
	look := func() {
		var err error
		if _, head, err = r.g.Device(ctx, a.id); err != nil {
			t.Fatal(err)
		}
	}
	look()
	before := head
	records, events, err := r.g.Rebuild(ctx, nil)
	if err != nil || records != len(a.records)+len(b.records) || events == 0 {
		t.Fatalf("%d records, %d events, %v", records, events, err)
	}
	if look(); head != before {
		t.Fatalf("head %+v, was %+v", head, before)
	}
	if again := snapshot(); !reflect.DeepEqual(live, again) {
		for k := range live {
			if !reflect.DeepEqual(live[k], again[k]) {
				t.Errorf("%s differs:\n%v\n%v", k, live[k], again[k])
			}
		}
		t.Fatal("replay is not what was live")
	}
}

// TestCatchUp: what was acknowledged and not projected, because the gateway fell over in between, is projected later.
func TestCatchUp(t *testing.T) {
	r := newRig(t, autoAccept)
	d := r.enrolled()
	d.submit("孙立")
	d.sync()
	if err := r.db.Update(context.Background(), func(tx gateway.Tx) error { return tx.DropCases(d.id) }); err != nil {
		t.Fatal(err)
	}
	list, err := r.g.Cases(context.Background(), "", 0)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d cases, %v", len(list), err)
	}
}

func TestEnrolment(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	newCode := func(valid time.Duration) wire.EnrollCode {
		t.Helper()
		code, _, err := r.g.NewCode(ctx, station, valid)
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	code := newCode(time.Hour)
	d := r.machine()
	if err := d.enroll(code); err != nil {
		t.Fatal(err)
	}
	g := d.grant
	if g.Station.Division != station || g.Station.ShortHost != "fw.example.gov.cn" || len(g.Operators) != 1 || g.Operators[0].Activation != "246810" {
		t.Fatalf("%+v", g)
	}
	list, err := receipt.OpenKeyList(suite, r.keys.Root.Public(), g.KeyList)
	if err != nil || len(list.Keys) != 2 || !bytes.Equal(list.Keys[1].Public, d.sign.Public()) {
		t.Fatalf("%+v, %v", list, err)
	}
	t.Run("lost answer", func(t *testing.T) {
		first := d.id
		if err := d.enroll(code); err != nil || d.id != first {
			t.Fatalf("device %d, then %d, %v", first, d.id, err)
		}
	})
	t.Run("used", func(t *testing.T) { wantCode(t, r.machine().enroll(code), wire.CodeCodeUsed) })
	t.Run("expired", func(t *testing.T) {
		old := newCode(time.Minute)
		r.clk.add(2 * time.Minute)
		wantCode(t, r.machine().enroll(old), wire.CodeCodeExpired)
	})
	t.Run("never issued", func(t *testing.T) {
		c, err := wire.NewEnrollCode(suite, r.keys.Root.Public(), nil)
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, r.machine().enroll(c), wire.CodeCodeUnknown)
	})
	t.Run("right name, wrong secret", func(t *testing.T) {
		c := newCode(time.Hour)
		m := r.machine()
		h, err := m.hello()
		if err != nil {
			t.Fatal(err)
		}
		q := wire.Enroll{CodeID: c.ID(suite), Nonce: h.Nonce, SignKey: m.sign.Public(), SealKey: m.seal.Public()}
		if err := q.Sign(m.sign); err != nil { // no proof
			t.Fatal(err)
		}
		_, err = post[wire.EnrollReply](r, wire.PathEnroll, q)
		wantCode(t, err, wire.CodeCodeUnknown)
		if err := m.enroll(c); err != nil { // and the code is still good
			t.Fatal(err)
		}
	})
	t.Run("key of somebody else", func(t *testing.T) {
		c := newCode(time.Hour)
		m, thief := r.machine(), r.machine()
		h, err := m.hello()
		if err != nil {
			t.Fatal(err)
		}
		q := wire.Enroll{CodeID: c.ID(suite), Nonce: h.Nonce, SignKey: m.sign.Public(), SealKey: thief.seal.Public()}
		q.Proof = wire.EnrollProof(suite, c.Secret, q.Nonce, q.SignKey, q.SealKey)
		if err := q.Sign(thief.sign); err != nil {
			t.Fatal(err)
		}
		_, err = post[wire.EnrollReply](r, wire.PathEnroll, q)
		wantCode(t, err, wire.CodeSignature)
	})
	t.Run("mistyped", func(t *testing.T) {
		s := []byte(newCode(time.Hour).String())
		for i := range s {
			if s[i] == '-' {
				continue
			}
			typo := bytes.Clone(s)
			if typo[i] = '7'; s[i] == '7' {
				typo[i] = '8'
			}
			if _, err := wire.ParseEnrollCode(string(typo)); !errors.Is(err, wire.ErrCode) {
				t.Fatalf("character %d changed: %v", i, err)
			}
		}
	})
	t.Run("no such station", func(t *testing.T) {
		if _, _, err := r.g.NewCode(ctx, "999999999999", time.Hour); !errors.Is(err, gateway.ErrNotFound) {
			t.Fatal(err)
		}
	})
	t.Run("too often", func(t *testing.T) {
		slow := newRig(t, func(c *gateway.Config, _ *gateway.Settings) { c.Rate, c.Burst = 0.001, 2 })
		var err error
		for range 3 {
			_, err = slow.machine().hello()
		}
		if e := wantCode(t, err, wire.CodeBusy); e.RetryAfterMS <= 0 {
			t.Fatal("no advice when to come back")
		}
	})
}

func TestSecretsOnDisk(t *testing.T) {
	r := newRig(t, autoAccept)
	d := r.enrolled()
	d.submit("尉迟敬德")
	d.sync()
	if _, err := r.g.Correct(context.Background(), casefile.Number(d.id, 1), journal.Correction{Fields: []string{"phone"}, Note: "尉迟敬德的电话"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"root.key", "sign.key", "seal.key", "store.key", "nonce.key", "tls.key", "tls-backup.key"} {
		info, err := os.Stat(filepath.Join(r.dir, "keys", name))
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	for _, name := range []string{"gateway.db", "gateway.db-wal"} {
		data, err := os.ReadFile(filepath.Join(r.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"尉迟", "999999194102030021", "13800000000", "王秀英", "246810"} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
	if _, err := gateway.CreateKeys(filepath.Join(r.dir, "keys"), suite, nil, r.clk.now()); !errors.Is(err, gateway.ErrExists) {
		t.Fatalf("keys were made again: %v", err)
	}
}

// TestVerifyJournalsFindsDamage: a byte changed in the database is found and named.
func TestVerifyJournalsFindsDamage(t *testing.T) {
	r := newRig(t)
	d := r.enrolled()
	for range 3 {
		d.add(journal.KindLogin, journal.Note{})
		d.sync()
	}
	if err := r.db.Update(context.Background(), func(tx gateway.Tx) error {
		h, err := tx.Head(d.id)
		if err != nil {
			return err
		}
		wrong := h.Hash
		wrong[0] ^= 1
		p := gateway.PacketRow{Device: d.id, From: 4, To: 4, Hash: wrong, Bytes: []byte("not a packet")}
		return tx.AddPacket(p, []gateway.HeaderRow{{Seq: 4, Hash: wrong, Kind: "login"}}, h.Seq, h.Hash, wrong)
	}); err != nil {
		t.Fatal(err)
	}
	rep, err := r.g.VerifyJournals(context.Background())
	if err != nil || len(rep.Faults) != 1 || rep.Faults[0].Device != d.id || rep.Faults[0].Seq != 4 || rep.Records != 3 {
		t.Fatalf("%+v, %v", rep, err)
	}
}
