package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

func TestCommitIsWholeAndDurable(t *testing.T) {
	r := newRig(t)
	s := r.login()
	if err := s.SaveDraft(Draft{ID: "d", Service: "gaoling", Operator: "wang", Field: "person.name", Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	body := sampleCase(1)
	rec, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: body, Receipt: fakeReceipt, DropDraft: "d"})
	if err != nil {
		t.Fatal(err)
	}
	r.close(s)
	s = r.login()
	got, err := s.Record(1)
	if err != nil || got.Header != rec.Header || !bytes.Equal(got.Body, rec.Body) {
		t.Fatalf("record came back as %+v, %v", got.Header, err)
	}
	if env, err := s.Receipt(1, 1); err != nil || !bytes.Contains(env, []byte("receipt of 1")) {
		t.Fatalf("receipt: %q, %v", env, err)
	}
	if _, err := s.Draft("d"); !errors.Is(err, ErrNotFound) {
		t.Fatalf("draft after its act: %v", err)
	}
	c, err := s.Case(1)
	if err != nil || c.Applicant != canaryName || c.State != casefile.TakenIn || string(c.Stage1) == "" {
		t.Fatalf("case: %v %v", c.State, err)
	}
	sum, err := s.Summary()
	if err != nil || sum.Records != 1 || sum.Pending != 1 || sum.Drafts != 0 || sum.Cases[string(casefile.TakenIn)] != 1 {
		t.Fatalf("summary %+v, %v", sum, err)
	}
	packets, err := s.mir.packets(1, 1)
	if err != nil {
		t.Fatal(err)
	}
	r.plat.take(packets) // the mirror holds what the platform can open
	if r.plat.records[0].Header != rec.Header || !bytes.Equal(r.plat.records[0].Body, rec.Body) {
		t.Fatal("mirror holds another record")
	}
	wantClean(t, s)
}

func TestIllegalActsAreRefusedWhole(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.submit(s, 1)
	acts := map[string]struct {
		act  Act
		want error
	}{
		"amend without a question": {Act{Kind: journal.KindCaseAmended, Body: journal.CaseAmended{Case: 1, Cursor: 9, Answers: []byte{0xa0}}}, casefile.ErrMove},
		"case that is not here":    {Act{Kind: journal.KindCaseWithdrawn, Body: journal.CaseWithdrawn{Case: 7}}, ErrNotFound},
		"blob that is not here": {Act{Kind: journal.KindCaseSubmitted, Body: journal.CaseSubmitted{
			Service: "x", Blobs: []journal.Blob{{Size: 3}},
		}}, ErrNotFound},
		"receipt that fails": {Act{Kind: journal.KindCaseSubmitted, Body: sampleCase(2), Receipt: func(journal.Record) ([]byte, error) {
			return nil, os.ErrInvalid
		}}, os.ErrInvalid},
	}
	for name, a := range acts {
		if _, err := s.Commit(ctx, a.act); !errors.Is(err, a.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := s.Pending(); n != 1 {
		t.Fatalf("journal has %d records after refused acts", n)
	}
	if r.submit(s, 3).Seq != 2 {
		t.Fatal("refused acts left a hole")
	}
	wantClean(t, s)
}

func TestLockedMachineSendsAndListens(t *testing.T) {
	r := newRig(t)
	s := r.login()
	for n := range 5 {
		r.submit(s, n)
	}
	r.close(s)
	s = r.open() // nobody is logged in
	if _, err := s.Case(1); !errors.Is(err, ErrLocked) {
		t.Fatalf("case while locked: %v", err)
	}
	if _, err := s.Record(1); !errors.Is(err, ErrLocked) {
		t.Fatalf("record while locked: %v", err)
	}
	if _, err := s.Commit(ctx, Act{Kind: journal.KindCaseSubmitted, Body: sampleCase(9)}); !errors.Is(err, ErrLocked) {
		t.Fatalf("case taken in while locked: %v", err)
	}
	if _, err := s.Commit(ctx, Act{Kind: journal.KindLoginRefused, Body: journal.Note{What: "pin"}}); err != nil {
		t.Fatalf("refused login: %v", err)
	}
	r.sync(s, 2000)
	if len(r.plat.records) != 6 || s.Pending() != 0 {
		t.Fatalf("platform has %d records, %d pending", len(r.plat.records), s.Pending())
	}
	r.tell(s, r.plat.accept(1, r.clock), r.plat.correct(2, r.clock))
	rows, err := s.Rows()
	if err != nil || rows[0].State != casefile.Accepted || rows[1].State != casefile.CorrectionAsked || rows[2].State != casefile.TakenIn {
		t.Fatalf("rows %+v, %v", rows, err)
	}
	if got := rows[1].Delivery(s.acked); got != casefile.NeedsYou {
		t.Fatalf("delivery %v", got)
	}
	if env, err := s.Receipt(1, 2); err != nil || string(env) != "stage 2" {
		t.Fatalf("stage 2 while locked: %q, %v", env, err)
	}
	told, err := s.Events(0, 10)
	if err != nil || len(told) != 2 || told[0].Body == nil || told[1].Body != nil {
		t.Fatalf("events while locked: %+v, %v", told, err)
	}
	wantClean(t, s)
	r.unlock(s)
	c, err := s.Case(2)
	if err != nil || c.State != casefile.CorrectionAsked || c.Correction == nil || !strings.Contains(c.Correction.Note, canaryName) {
		t.Fatalf("case after login: %v %+v, %v", c.State, c.Correction, err)
	}
	if told, err = s.Events(1, 10); err != nil || len(told) != 1 || told[0].Body == nil {
		t.Fatalf("event after login: %+v, %v", told, err)
	}
	if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseAmended, Body: journal.CaseAmended{Case: 2, Cursor: 2, Answers: []byte{0xa0}}}); err != nil {
		t.Fatalf("answer: %v", err)
	}
	if c, err = s.Case(2); err != nil || c.State != casefile.CorrectionDone {
		t.Fatalf("after the answer: %v, %v", c.State, err)
	}
	s.Lock()
	if _, err := s.Cases(); !errors.Is(err, ErrLocked) {
		t.Fatalf("cases after Lock: %v", err)
	}
	wantClean(t, s)
}

func TestForeignAcksCountForNothing(t *testing.T) {
	r := newRig(t)
	s := r.login()
	for n := range 3 {
		r.submit(s, n)
	}
	packets, _, err := s.Outgoing(ctx, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	r.plat.take(packets)
	good := packet.Ack{Device: testDevice, To: 3, Head: r.plat.head, At: r.clock.UnixMilli()}
	change := func(fn func(*packet.Ack)) packet.Ack { a := good; fn(&a); return a }
	for name, c := range map[string]struct {
		key vault.PrivateKey
		ack packet.Ack
	}{
		"another signer":   {newKey(t), good},
		"another device":   {r.plat.sign, change(func(a *packet.Ack) { a.Device++ })},
		"beyond the head":  {r.plat.sign, change(func(a *packet.Ack) { a.To = 4 })},
		"another record":   {r.plat.sign, change(func(a *packet.Ack) { a.Head[0] ^= 1 })},
		"hash of record 3": {r.plat.sign, change(func(a *packet.Ack) { a.To = 2 })},
		"nothing, hashed":  {r.plat.sign, change(func(a *packet.Ack) { a.To = 0 })},
	} {
		data, err := packet.SignAck(c.key, c.ack)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.TakeAck(ctx, data)
		if key, _ := words.KeyOf(err); !errors.Is(err, ErrForeignAck) || key != "store.ackForeign" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.Pending() != 3 {
		t.Fatalf("%d pending after foreign acks", s.Pending())
	}
	part, err := packet.SignAck(r.plat.sign, packet.Ack{Device: testDevice, To: 2, Head: r.plat.records[1].Hash(suite), At: r.clock.UnixMilli()})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		ack  []byte
		want uint64
	}{{part, 2}, {r.plat.ack(r.clock), 3}, {part, 3}} {
		if got, err := s.TakeAck(ctx, step.ack); err != nil || got != step.want {
			t.Fatalf("acked %d, %v; want %d", got, err, step.want)
		}
	}
	r.close(s)
	if s = r.open(); s.Pending() != 0 {
		t.Fatal("ack was not durable")
	}
	if sum, err := s.Summary(); err != nil || !sum.LastAck.Equal(time.UnixMilli(r.clock.UnixMilli())) {
		t.Fatalf("last ack %v, %v", sum.LastAck, err)
	}
}

func TestEventsMustFit(t *testing.T) {
	r := newRig(t)
	s := r.login()
	for n := range 3 {
		r.submit(s, n)
	}
	r.sync(s, 1<<20)
	e1 := r.plat.accept(1, r.clock)
	e2 := r.plat.accept(2, r.clock)
	saved := *r.plat
	e3 := r.plat.accept(3, r.clock)
	if got, err := s.TakeEvents(ctx, [][]byte{e1, e3}); got != 1 || !errors.Is(err, ErrForeignAck) {
		t.Fatalf("gap: cursor %d, %v", got, err)
	}
	if got, err := s.TakeEvents(ctx, [][]byte{e1, e2, e2[:10]}); got != 2 || !errors.Is(err, ErrForeignAck) {
		t.Fatalf("cut event: cursor %d, %v", got, err)
	}
	forger := saved
	forger.sign = newKey(t)
	if got, err := s.TakeEvents(ctx, [][]byte{forger.accept(3, r.clock)}); got != 2 || !errors.Is(err, ErrForeignAck) {
		t.Fatalf("forged: cursor %d, %v", got, err)
	}
	other := saved // the platform's own key, another past
	other.cursor, other.told = 1, vault.Hash{1}
	if got, err := s.TakeEvents(ctx, [][]byte{other.accept(2, r.clock)}); got != 2 || !errors.Is(err, ErrForeignAck) {
		t.Fatalf("another event 2: cursor %d, %v", got, err)
	}
	if got, err := s.TakeEvents(ctx, [][]byte{e1, e2}); got != 2 || err != nil {
		t.Fatalf("repeated: cursor %d, %v", got, err)
	}
	if got, err := s.TakeEvents(ctx, [][]byte{e2, e3}); got != 3 || err != nil {
		t.Fatalf("overlap: cursor %d, %v", got, err)
	}
	if n := len(s.mir.events); n != 1 || s.mir.events[0] != (run{From: 1, To: 3}) {
		t.Fatalf("mirror holds events %v", s.mir.events)
	}
	wantClean(t, s)
}

func TestOutgoingBatches(t *testing.T) {
	r := newRig(t)
	s := r.login()
	for n := range 40 {
		r.submit(s, n)
		if n == 20 {
			r.clock = r.clock.AddDate(0, 1, 0)
		}
	}
	packets, last, err := s.Outgoing(ctx, 0, 1<<20)
	if err != nil || last != 40 || len(packets) != 2 {
		t.Fatalf("%d packets to %d, %v; want one a month", len(packets), last, err)
	}
	for _, need := range []string{"", "codec 1", "dict", "codec 0"} {
		if err := s.Need(ctx, need); err != nil {
			t.Fatal(err)
		}
		for _, maxBytes := range []int{1, 2500, 4 << 20} {
			p := &platform{t: t, seal: r.plat.seal, device: r.plat.device, dicts: r.plat.dicts}
			for after := uint64(0); after < 40; {
				packets, last, err := s.Outgoing(ctx, after, maxBytes)
				if err != nil || last <= after {
					t.Fatalf("need %q, %d bytes: after %d to %d, %v", need, maxBytes, after, last, err)
				}
				size := 0
				for _, data := range packets {
					size += len(data)
					pk, err := packet.Parse(data)
					if err != nil {
						t.Fatal(err)
					}
					if need == "codec 0" && pk.Codec != 0 || need == "dict" && !pk.Dict.IsZero() {
						t.Fatalf("need %q: codec %d, dictionary %v", need, pk.Codec, pk.Dict)
					}
				}
				if len(packets) > 1 && size > maxBytes {
					t.Fatalf("%d bytes where %d are allowed", size, maxBytes)
				}
				p.take(packets)
				after = last
			}
			if len(p.records) != 40 {
				t.Fatalf("need %q: %d records", need, len(p.records))
			}
		}
	}
	if err := s.Need(ctx, "codec 9"); err == nil {
		t.Fatal("unknown need was taken")
	}
	s.Lock()
	if _, _, err := s.Outgoing(ctx, 0, 1<<20); !errors.Is(err, ErrLocked) {
		t.Fatalf("repacking while locked: %v", err)
	}
}

func TestOutgoingAfterAckComesFromTheMirror(t *testing.T) {
	r := newRig(t)
	s := r.login()
	for n := range 3 {
		r.submit(s, n)
	}
	r.sync(s, 1<<20)
	s.Lock()
	packets, last, err := s.Outgoing(ctx, 0, 1<<20) // a platform that asks for the past again
	if err != nil || last != 3 {
		t.Fatalf("to %d, %v", last, err)
	}
	r.plat.take(packets)
}

func TestFailedSyncStopsTheStore(t *testing.T) {
	r := newRig(t)
	broken := false
	r.o.seams.syncMirror = func(f *os.File) error {
		if broken {
			return os.ErrDeadlineExceeded
		}
		return f.Sync()
	}
	s := r.login()
	r.submit(s, 1)
	broken = true
	if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: sampleCase(2)}); !errors.Is(err, ErrFailed) {
		t.Fatalf("commit over a failed sync: %v", err)
	}
	broken = false
	_, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindSettings})
	if key, _ := words.KeyOf(err); !errors.Is(err, ErrFailed) || key != "store.failed" {
		t.Fatalf("commit after a failed sync: %v", err)
	}
	if _, _, err := s.Outgoing(ctx, 0, 1<<20); !errors.Is(err, ErrFailed) {
		t.Fatalf("sending after a failed sync: %v", err)
	}
	if err := s.SaveDraft(Draft{ID: "x"}); !errors.Is(err, ErrFailed) {
		t.Fatalf("draft after a failed sync: %v", err)
	}
	r.close(s)
	s = r.login()
	if s.head < 1 || s.head > 2 {
		t.Fatalf("head %d", s.head)
	}
	wantClean(t, s)
	r.sync(s, 1<<20)
}

func TestFileFullNeverHalfAnAct(t *testing.T) {
	r := newRig(t)
	r.o.seams.maxSize = 512 << 10
	s := r.login()
	var done uint64
	var err error
	for n := 0; n < 1000; n++ {
		var rec journal.Record
		if rec, err = s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: sampleCase(n), Receipt: fakeReceipt}); err != nil {
			break
		}
		done = rec.Seq
	}
	if err == nil || done == 0 {
		t.Fatalf("file never filled: %d records", done)
	}
	r.close(s)
	r.o.seams.maxSize = 0
	s = r.login()
	// The act that failed is there, as the mirror had it, or it is not.
	if back := s.Restored(); s.head != done && (back.From != done+1 || back.To != done+1 || s.head != done+2) {
		t.Fatalf("head %d after %d acknowledged, taken back %+v", s.head, done, back)
	}
	wantClean(t, s)
}

func TestReserveIsKept(t *testing.T) {
	r := newRig(t)
	free := uint64(1 << 40)
	r.o.FreeSpace = func(string) (uint64, error) { return free, nil }
	s := r.login()
	r.submit(s, 1)
	free = 63 << 20
	_, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: sampleCase(2)})
	if key, args := words.KeyOf(err); !errors.Is(err, ErrFull) || key != "store.diskFull" || args["mb"] != "63" {
		t.Fatalf("commit: %v", err)
	}
	if _, err := s.PutBlob([]byte("x"), "image/png", "x"); !errors.Is(err, ErrFull) {
		t.Fatalf("blob: %v", err)
	}
	if err := s.SaveDraft(Draft{ID: "x"}); !errors.Is(err, ErrFull) {
		t.Fatalf("draft: %v", err)
	}
	if err := s.Room(); !errors.Is(err, ErrFull) {
		t.Fatalf("room: %v", err)
	}
	free = 64 << 20
	if rec := r.submit(s, 2); rec.Seq != 2 {
		t.Fatalf("record %d after space came back", rec.Seq)
	}
}

func TestOpenRefusals(t *testing.T) {
	r := newRig(t)
	s := r.login()
	start := time.Now()
	_, err := Open(r.o)
	if key, _ := words.KeyOf(err); !errors.Is(err, ErrBusy) || key != "store.busy" {
		t.Fatalf("second open: %v", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Fatalf("second open waited %v", d)
	}
	r.submit(s, 1)
	r.close(s)

	o := r.o
	o.Device++
	if _, err := Open(o); !errors.Is(err, ErrForeign) {
		t.Fatalf("another device: %v", err)
	}
	o = r.o
	o.Ring = newRig(t).ring
	if _, err := Open(o); !errors.Is(err, ErrForeign) {
		t.Fatalf("another machine's keys: %v", err)
	}
	s = r.open()
	if err := s.update(func(tx *bolt.Tx) error { return writeSchema(tx, s.box, Schema()+1) }); err != nil {
		t.Fatal(err)
	}
	r.close(s)
	_, err = Open(r.o)
	if key, _ := words.KeyOf(err); !errors.Is(err, ErrNewer) || key != "store.newer" {
		t.Fatalf("newer file: %v", err)
	}
	if _, err := Open(Options{}); err == nil {
		t.Fatal("opened without options")
	}
}

func TestMigrationIsAllOrNothing(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 3)
	want := plain(t, s)
	r.close(s)
	fail := true
	r.o.seams.migrations = append(append([]func(*bolt.Tx) error{}, migrations...),
		func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("later")); return err },
		func(tx *bolt.Tx) error {
			if fail {
				return os.ErrInvalid
			}
			return nil
		})
	if _, err := Open(r.o); !errors.Is(err, os.ErrInvalid) {
		t.Fatalf("failing step: %v", err)
	}
	fail = false
	s = r.login()
	sameMap(t, "migrated", want, plain(t, s))
	if err := s.db.View(func(tx *bolt.Tx) error {
		v, err := readSchema(tx, s.box)
		if v != len(migrations)+2 || tx.Bucket([]byte("later")) == nil {
			t.Errorf("schema %d", v)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "store.db.before-"+strconv.Itoa(len(migrations)+2))); err != nil {
		t.Fatalf("copy before migrating: %v", err)
	}
	r.close(s)
	r.o.seams.migrations = nil
	if _, err := Open(r.o); !errors.Is(err, ErrNewer) {
		t.Fatalf("older program: %v", err)
	}
}

func TestDraftsAndDocs(t *testing.T) {
	r := newRig(t)
	s := r.login()
	d := Draft{ID: "d1", Service: "gaoling", Operator: "wang", Field: "person.phone", Step: "person", CaseSeq: 4, Cursor: 9, Body: []byte("值")}
	for i := range 20 {
		d.Body = append(d.Body, byte('a'+i))
		d.Checkpoint = i == 10
		if err := s.SaveDraft(d); err != nil {
			t.Fatal(err)
		}
		r.clock = r.clock.Add(time.Second)
	}
	if err := s.SaveDraft(Draft{ID: "d2", Body: []byte("newer")}); err != nil {
		t.Fatal(err)
	}
	r.close(s)
	s = r.open()
	if _, err := s.Draft("d1"); !errors.Is(err, ErrLocked) {
		t.Fatalf("draft while locked: %v", err)
	}
	if err := s.SaveDraft(d); !errors.Is(err, ErrLocked) {
		t.Fatalf("save while locked: %v", err)
	}
	if sum, err := s.Summary(); err != nil || sum.Drafts != 2 {
		t.Fatalf("drafts counted while locked: %+v, %v", sum, err)
	}
	r.unlock(s)
	got, err := s.Draft("d1")
	if err != nil || !bytes.Equal(got.Body, d.Body) || got.Field != d.Field || got.CaseSeq != 4 || got.Cursor != 9 || got.Updated == 0 {
		t.Fatalf("draft %+v, %v", got, err)
	}
	all, err := s.Drafts()
	if err != nil || len(all) != 2 || all[0].ID != "d2" {
		t.Fatalf("drafts %v, %v", all, err)
	}
	for range 2 {
		if err := s.DropDraft("d1"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Draft("d1"); !errors.Is(err, ErrNotFound) {
		t.Fatalf("dropped draft: %v", err)
	}
	if err := s.PutDoc("packs", []byte("v1")); err != nil {
		t.Fatal(err)
	}
	if err := s.PutDoc("packs", []byte("v2")); err != nil {
		t.Fatal(err)
	}
	s.Lock()
	if data, err := s.Doc("packs"); err != nil || string(data) != "v2" {
		t.Fatalf("document while locked: %q, %v", data, err)
	}
	if err := s.PutDoc("packs", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Doc("packs"); !errors.Is(err, ErrNotFound) {
		t.Fatalf("removed document: %v", err)
	}
}

func TestLogsNameNobody(t *testing.T) {
	var b bytes.Buffer
	l := testLog(&b)
	r := newRig(t)
	r.o.Log = l
	s := r.login()
	r.populate(s, 5)
	l.Info("draft", "draft", Draft{ID: canaryName, Service: "gaoling", Body: []byte(canaryDraft)})
	damage(t, r, s, bucketBodies, seqKey(2))
	s = r.login()
	if err := s.Rebuild(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if b.Len() == 0 {
		t.Fatal("nothing was logged")
	}
	for _, c := range []string{canaryName, canaryID, canaryPhone, canaryAnswer, canaryDraft} {
		if strings.Contains(b.String(), c) {
			t.Errorf("log holds %q", c)
		}
	}
}
