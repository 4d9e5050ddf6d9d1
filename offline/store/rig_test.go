package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
	"bianmin/offline/clocks"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
)

const (
	testDevice = 70001
	testPIN    = "246810"
)

var (
	suite    = vault.SM(nil)
	ctx      = context.Background()
	dictText = bytes.Repeat([]byte("高龄津贴 临时救助 居住登记 申请人 身份证 联系电话 "), 20)
)

// platform is the other end as the tests need it.
type platform struct {
	t          testing.TB
	sign, seal vault.PrivateKey
	device     vault.PublicKey
	deviceSeal vault.PublicKey
	cursor     uint64
	told       vault.Hash
	records    []journal.Record
	head       vault.Hash
	dicts      map[vault.Hash][]byte
}

// rig is a device's folder with its keys and a platform.
type rig struct {
	t     testing.TB
	dir   string
	keys  string
	ring  *vault.Ring
	plat  *platform
	clock time.Time
	o     Options
	draft uint64 // newest that a child acknowledged
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, dir: filepath.Join(t.TempDir(), "data"), clock: time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)}
	r.keys = filepath.Join(r.dir, "keys")
	sign, seal := newKey(t), newKey(t)
	ring, err := vault.CreateRing(r.keys, suite, vault.KeyFile(filepath.Join(r.keys, "machine")), vault.RingOptions{
		Sign: sign, Seal: seal, Demo: true, Argon: vault.Argon{Time: 1, MemoryKiB: 64, Threads: 1}, Clock: clocks.Wall(r.now),
		Operators: []vault.NewOperator{{ID: "wang", Name: "王秀英", Role: "staff", Division: "999999001001", PIN: testPIN}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.ring = ring
	r.plat = &platform{
		t: t, sign: newKey(t), seal: newKey(t), device: sign.Public(), deviceSeal: seal.Public(),
		dicts: map[vault.Hash][]byte{suite.Hash(dictText): dictText},
	}
	r.o = Options{
		Dir: r.dir, Suite: suite, Ring: ring, Device: testDevice, Clock: clocks.Wall(r.now), Dict: dictText,
		Platform:  Platform{SignKey: r.plat.sign.Public(), SealKey: r.plat.seal.Public()},
		FreeSpace: func(string) (uint64, error) { return 1 << 40, nil },
	}
	return r
}

// copy is the same device in a copy of the folder; the store must be closed.
func (r *rig) copy(t testing.TB) *rig {
	t.Helper()
	c, p := *r, *r.plat
	c.t, p.t = t, t
	c.plat = &p
	c.dir = filepath.Join(t.TempDir(), "data")
	c.keys = filepath.Join(c.dir, "keys")
	if err := os.CopyFS(c.dir, os.DirFS(r.dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(c.keys, "machine"), 0o600); err != nil {
		t.Fatal(err)
	}
	ring, err := vault.OpenRing(c.keys, suite, vault.KeyFile(filepath.Join(c.keys, "machine")), vault.OpenOptions{Demo: true, Clock: clocks.Wall(c.now)})
	if err != nil {
		t.Fatal(err)
	}
	c.ring = ring
	c.o.Dir, c.o.Ring, c.o.Clock = c.dir, ring, clocks.Wall(c.now)
	return &c
}

func newKey(t testing.TB) vault.PrivateKey {
	t.Helper()
	k, err := suite.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (r *rig) now() time.Time { return r.clock }

// open opens the store at machine level and closes it when the test ends.
func (r *rig) open() *Store {
	r.t.Helper()
	s, err := Open(r.o)
	if err != nil {
		r.t.Fatalf("open: %v", err)
	}
	r.t.Cleanup(func() { s.Close() })
	return s
}

// login opens the store and logs the operator in.
func (r *rig) login() *Store {
	r.t.Helper()
	s := r.open()
	r.unlock(s)
	return s
}

func (r *rig) unlock(s *Store) {
	r.t.Helper()
	if err := s.Unlock(r.operator()); err != nil {
		r.t.Fatalf("unlock: %v", err)
	}
}

func (r *rig) operator() *vault.Unlocked {
	r.t.Helper()
	u, err := r.ring.Unlock("wang", testPIN)
	if err != nil {
		r.t.Fatal(err)
	}
	return u
}

func (r *rig) close(s *Store) {
	r.t.Helper()
	if err := s.Close(); err != nil {
		r.t.Fatalf("close: %v", err)
	}
}

// Canaries: words that may never be found in any file.
const (
	canaryName   = "司马秋水怀瑾"
	canaryID     = "999999194403051238"
	canaryPhone  = "13987654321"
	canaryAnswer = "柳林巷九十九号东厢"
	canaryBlob   = "BLOB-CANARY-0123456789"
	canaryDraft  = "草稿金丝雀七七八"
)

func sampleCase(n int) journal.CaseSubmitted {
	answers := map[string]string{
		"person.name": canaryName, "person.idno": canaryID, "person.address": fmt.Sprintf("%s %d", canaryAnswer, n),
		"note": string(bytes.Repeat([]byte("情况属实。"), 30)),
	}
	return journal.CaseSubmitted{
		Service: "gaoling", ItemCode: "999999-001", ItemName: "高龄津贴", FormID: "gaoling", FormVersion: 1,
		Answers: canon.MustMarshal(answers), Applicant: canaryName, IDNumber: canaryID, Phone: canaryPhone,
		Division: "999999001001", Urgent: n%5 == 0, Due: 20800, Consent: "我同意 " + canaryName,
	}
}

func fakeReceipt(rec journal.Record) ([]byte, error) {
	return []byte(fmt.Sprintf("receipt of %d for %s", rec.Seq, canaryName)), nil
}

func (r *rig) submit(s *Store, n int) journal.Record {
	r.t.Helper()
	rec, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: sampleCase(n), Receipt: fakeReceipt})
	if err != nil {
		r.t.Fatalf("commit %d: %v", n, err)
	}
	r.clock = r.clock.Add(time.Minute)
	return rec
}

// take opens packets as the gateway does: signature, chain, equal overlaps.
func (p *platform) take(packets [][]byte) {
	p.t.Helper()
	for _, data := range packets {
		pk, err := packet.Parse(data)
		if err != nil {
			p.t.Fatal(err)
		}
		if err := pk.Verify(suite, p.device); err != nil {
			p.t.Fatal(err)
		}
		recs, _, err := pk.Open(suite, p.seal, p.dicts)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, rec := range recs {
			switch n := uint64(len(p.records)); {
			case rec.Seq <= n:
				if p.records[rec.Seq-1].Header != rec.Header {
					p.t.Fatalf("record %d changed", rec.Seq)
				}
			case rec.Seq != n+1 || rec.Prev != p.head:
				p.t.Fatalf("record %d does not follow %d", rec.Seq, n)
			default:
				p.records, p.head = append(p.records, rec), rec.Hash(suite)
			}
		}
	}
}

func (p *platform) ack(at time.Time) []byte {
	p.t.Helper()
	data, err := packet.SignAck(p.sign, packet.Ack{Device: testDevice, To: uint64(len(p.records)), Head: p.head, At: at.UnixMilli()})
	if err != nil {
		p.t.Fatal(err)
	}
	return data
}

// event makes the next event. Bodies other than acceptance are sealed to the device.
func (p *platform) event(kind journal.Kind, seq uint64, body any, at time.Time) []byte {
	p.t.Helper()
	e := journal.Event{
		V: journal.Version, Device: testDevice, Cursor: p.cursor + 1, Prev: p.told, At: at.UnixMilli(), Kind: kind, Seq: seq,
		Body: canon.MustMarshal(body),
	}
	if kind != journal.EventAccepted && kind != journal.EventPack {
		sealed, err := suite.SealTo(p.deviceSeal, e.Body)
		if err != nil {
			p.t.Fatal(err)
		}
		e.Body, e.Sealed = sealed, true
	}
	if err := e.Sign(p.sign); err != nil {
		p.t.Fatal(err)
	}
	p.cursor, p.told = e.Cursor, e.Hash(suite)
	return e.Marshal()
}

func (p *platform) accept(seq uint64, at time.Time) []byte {
	return p.event(journal.EventAccepted, seq, journal.Accepted{
		OfficialNo: fmt.Sprintf("999999-2026-%05d", seq), At: at.UnixMilli(), Due: 20801, Receipt: []byte("stage 2"),
	}, at)
}

func (p *platform) correct(seq uint64, at time.Time) []byte {
	return p.event(journal.EventCorrection, seq, journal.Correction{
		Fields: []string{"person.address"}, Note: "请补充 " + canaryName, At: at.UnixMilli(),
	}, at)
}

// sync sends all and takes the ack.
func (r *rig) sync(s *Store, maxBytes int) {
	r.t.Helper()
	for {
		_, head, acked, _, err := s.Position(ctx)
		if err != nil {
			r.t.Fatal(err)
		}
		if acked == head {
			return
		}
		packets, last, err := s.Outgoing(ctx, acked, maxBytes)
		if err != nil {
			r.t.Fatal(err)
		}
		if last <= acked {
			r.t.Fatalf("outgoing after %d ends at %d, head %d", acked, last, head)
		}
		r.plat.take(packets)
		if got, err := s.TakeAck(ctx, r.plat.ack(r.clock)); err != nil || got != last {
			r.t.Fatalf("ack: %d, %v; sent up to %d", got, err, last)
		}
	}
}

func (r *rig) tell(s *Store, events ...[]byte) {
	r.t.Helper()
	if got, err := s.TakeEvents(ctx, events); err != nil || got != r.plat.cursor {
		r.t.Fatalf("take events: cursor %d, %v; platform is at %d", got, err, r.plat.cursor)
	}
}

// populate fills every bucket.
func (r *rig) populate(s *Store, cases int) {
	r.t.Helper()
	if err := s.PutDoc("settings", []byte(`{"lang":"zh"}`)); err != nil {
		r.t.Fatal(err)
	}
	b, err := s.PutBlob([]byte(canaryBlob+canaryName), "image/jpeg", canaryName+".jpg")
	if err != nil {
		r.t.Fatal(err)
	}
	for n := range cases {
		c := sampleCase(n)
		if n == 0 {
			c.Blobs = []journal.Blob{b}
		}
		if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: c, Receipt: fakeReceipt}); err != nil {
			r.t.Fatal(err)
		}
		r.clock = r.clock.Add(time.Minute)
	}
	if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindPersonOpened, Body: journal.PersonOpened{Person: "p1", Purpose: canaryAnswer}}); err != nil {
		r.t.Fatal(err)
	}
	r.sync(s, 1<<20)
	r.tell(s, r.plat.accept(1, r.clock), r.plat.correct(2, r.clock),
		r.plat.event(journal.EventQuarantined, 3, journal.Quarantined{Reason: "record.unknownForm", Detail: canaryName}, r.clock),
		r.plat.event(journal.EventDecided, 999, journal.Decided{Result: "granted"}, r.clock))
	if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseAmended, Body: journal.CaseAmended{
		Case: 2, Cursor: 2, Answers: canon.MustMarshal(map[string]string{"person.address": canaryAnswer}),
	}}); err != nil {
		r.t.Fatal(err)
	}
	for _, step := range []string{"person", "materials"} {
		if err := s.SaveDraft(Draft{ID: "d1-" + canaryName, Service: "linshi", Operator: "wang", Step: step, Field: "person.name", Body: []byte(canaryDraft), Checkpoint: true}); err != nil {
			r.t.Fatal(err)
		}
	}
}

// plain returns the opened values of the projections.
func plain(t testing.TB, s *Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	if err := s.db.View(func(tx *bolt.Tx) error {
		for _, name := range append([]string{bucketBodies, bucketReceipts}, projections...) {
			if err := tx.Bucket([]byte(name)).ForEach(func(k, v []byte) error {
				name := sealedAs(name, k)
				if name == bucketBodies {
					return nil
				}
				p, err := s.box.open(name, k, v, s.period)
				out[fmt.Sprintf("%s/%x", name, k)] = string(p)
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func sameMap(t testing.TB, what string, want, got map[string]string) {
	t.Helper()
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s: %s differs", what, k)
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			t.Errorf("%s: %s is new", what, k)
		}
	}
}

func verified(t testing.TB, s *Store) Report {
	t.Helper()
	r, err := s.Verify(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantClean(t testing.TB, s *Store) {
	t.Helper()
	for _, f := range verified(t, s).Faults {
		t.Errorf("fault: %v", f)
	}
}

func full() bool { return os.Getenv("BIANMIN_FULL") == "1" }

func testLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
