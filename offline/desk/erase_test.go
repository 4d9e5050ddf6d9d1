package desk_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/frame"
	"bianmin/offline/journal"
	"bianmin/offline/store"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// leadMachine is a machine whose operator is the station's lead. Its log and the system's folder for temporary files lie beside its
// data, so that they are searched, too.
func leadMachine(t *testing.T) *desktest.Machine {
	t.Helper()
	m := desktest.NewWith(t, func(_ *desktest.Machine, g *desk.Grant) { g.Operators[0].Role = "lead" })
	beside := filepath.Dir(m.Config.Dir)
	temp := filepath.Join(beside, "tmp")
	if err := os.Mkdir(temp, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", temp)
	log, err := os.Create(filepath.Join(beside, "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	m.Config.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return m
}

// take takes in one case of 临时救助 for somebody, with a photograph of their own.
func take(t *testing.T, s *desk.Session, name, id string, shade uint8) counter.Submitted {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "card.jpg"), photo(t, 200+int(shade), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	line, err := os.ReadFile("testdata/linshi.json")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("刘玉珍", name, "999999194102030021", id).Replace(string(line))
	text = strings.Replace(text, `"kind": "emergency"`, `"hukou": "999999101201", "liveAddress": "`+name+`巷", "kind": "emergency"`, 1)
	text = strings.NewReplacer("[[10, 10,", fmt.Sprintf("[[%d, 10,", shade), "[[0, 0,", fmt.Sprintf("[[%d, 0,", shade)).Replace(text)
	got, err := s.SubmitAnswers(t.Context(), "linshi", []byte(text), dir)
	if err != nil {
		t.Fatal(describe(err))
	}
	return got
}

func decide(t *testing.T, m *desktest.Machine, d *desk.Desk, seq uint64, note string) {
	t.Helper()
	m.Accept(t, d, seq, m.Clock.T.AddDate(0, 0, 20))
	m.Tell(t, d, journal.EventProcessing, seq, journal.Decided{Note: note, At: m.Clock.T.UnixMilli()})
	m.Decide(t, d, seq, "granted", note)
}

// leftovers reads every file of a folder.
func leftovers(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	if err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		out[path] = data
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// value is one sealed value of the database.
type value struct {
	bucket string
	key    []byte
	bytes  []byte
}

// database reads a copy of the folder's database, as a thief would.
func database(t *testing.T, dir string) (out []value) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				out = append(out, value{string(name), bytes.Clone(k), bytes.Clone(v)})
				return nil
			})
		})
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

const tail = 40 // bytes of a sealed value that name it in a search

// sealedOf returns the very bytes in which records, their receipts, projections, events and attachments lie in database,
// mirror and folder of attachments, so that a search for them afterwards means something.
func sealedOf(t *testing.T, d *desk.Desk, seqs ...uint64) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	add := func(name string, b []byte) {
		if len(b) > tail {
			out[name] = b[len(b)-tail:]
		}
	}
	cursors := map[uint64]bool{}
	events, err := d.Store().Events(0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if slices.Contains(seqs, e.Event.Seq) && e.Event.Sealed {
			cursors[e.Event.Cursor] = true
		}
	}
	for _, v := range database(t, d.Dir()) {
		if len(v.key) < 8 {
			continue
		}
		n := binary.BigEndian.Uint64(v.key)
		switch v.bucket {
		case "bodies", "receipts", "cases", "outbox":
			if slices.Contains(seqs, n) {
				add(fmt.Sprintf("%s %x", v.bucket, v.key), v.bytes)
			}
		case "events", "opened":
			if cursors[n] {
				add(fmt.Sprintf("%s %x", v.bucket, v.key), v.bytes)
			}
		}
	}
	segments, err := filepath.Glob(filepath.Join(d.Dir(), "mirror", "*.bmp"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range segments {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := frame.Scan(data, d.Suite(), func(_ int64, f frame.Frame) error {
			mine := (f.Kind == frame.Record || f.Kind == frame.Receipt) && slices.Contains(seqs, f.Number)
			if mine || f.Kind == frame.Event && cursors[f.Number] {
				add(fmt.Sprintf("mirror %c %d", f.Kind, f.Number), f.Payload)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, seq := range seqs {
		c, err := d.Store().Case(seq)
		if err != nil || len(c.Blobs) == 0 {
			t.Fatalf("case %d: %d attachments, %v", seq, len(c.Blobs), err)
		}
		for i, b := range c.Blobs {
			name := hex.EncodeToString(b.Addr[:])
			data, err := os.ReadFile(filepath.Join(d.Dir(), "blobs", name[:2], name))
			if err != nil {
				t.Fatal(err)
			}
			add(fmt.Sprintf("attachment %d of %d", i, seq), data)
		}
	}
	return out
}

// nothingLeft fails when any of the values stands in any file of the folder, or of what lies beside it.
func nothingLeft(t *testing.T, dir string, values map[string][]byte) {
	t.Helper()
	for path, data := range leftovers(t, filepath.Dir(dir)) {
		for name, v := range values {
			if bytes.Contains(data, v) {
				t.Errorf("%s still holds %s", filepath.Base(path), name)
			}
		}
	}
}

// A month is closed: what was finished in it is gone from every file, no key that is left opens what was copied before, the
// open case goes on, and the chain verifies, also after everything is built again from the mirror.
func TestClosePeriod(t *testing.T) {
	m := leadMachine(t)
	d, s := m.Login(t)
	dir := d.Dir()
	closed := take(t, s, "甪蒯一", "999999194105030019", 1)
	open := take(t, s, "甪蒯二", "999999194105030027", 2)
	m.Acknowledge(t, d)
	decide(t, m, d, closed.Seq, "甪蒯一的审查意见")
	m.Accept(t, d, open.Seq, m.Clock.T.AddDate(0, 0, 20))
	m.AskCorrection(t, d, open.Seq, "甪蒯二请补照片", "idcardPhoto")
	draft := start(t, s)
	if err := draft.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.Acknowledge(t, d)
	if _, err := d.Backup(""); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "store.db.damaged-20261101T000000.000"), []byte("甪蒯一"), 0o600); err != nil {
		t.Fatal(err)
	}
	month := vault.PeriodID(m.Clock.T)
	sealed := sealedOf(t, d, closed.Seq)
	if len(sealed) < 5 {
		t.Fatalf("only %d values to look for", len(sealed))
	}
	stolen := database(t, dir)
	oldRing, err := os.ReadFile(filepath.Join(dir, "keys.a"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := d.Ring().Unlock(desktest.Operator, desktest.PIN)
	if err != nil {
		t.Fatal(err)
	}
	lost, err := keys.PeriodByID(month)
	if err != nil {
		t.Fatal(err)
	}
	keys.Close()

	if _, err := s.ClosePeriod(t.Context(), month); keyOf(err) != "erase.noTime" {
		t.Errorf("without the platform's time: %v", err)
	}
	m.Clock.T = m.Clock.T.AddDate(0, 6, 0)
	signTime(t, m, d)
	if _, err := s.ClosePeriod(t.Context(), month); keyOf(err) != "erase.early" {
		t.Errorf("half a year later: %v", err)
	}
	m.Clock.T = m.Clock.T.AddDate(1, 0, 0)
	signTime(t, m, d)
	if _, err := s.ClosePeriod(t.Context(), "2026-13"); keyOf(err) != "erase.month" {
		t.Errorf("no month: %v", err)
	}
	done, err := s.ClosePeriod(t.Context(), month)
	if err != nil {
		t.Fatal(err)
	}
	if len(done.Cases) != 1 || done.Cases[0] != closed.Seq || done.Blobs == 0 || done.Events == 0 || done.Carried == 0 || len(done.Tally) != 1 || done.Tally[0].Count != 1 {
		t.Errorf("done: %+v", done)
	}
	nothingLeft(t, dir, sealed)
	afterwards := func(d *desk.Desk, s *desk.Session) {
		t.Helper()
		rep, err := d.Doctor(t.Context(), false, nil)
		if err != nil || len(rep.Faults) > 0 {
			t.Errorf("doctor: %+v, %v", rep.Faults, err)
		}
		if c, err := d.Store().Case(closed.Seq); err != nil || !c.Purged || c.Applicant != "" || len(c.Blobs) > 0 {
			t.Errorf("the closed case: purged %t, %s, %d attachments, %v", c.Purged, c.State, len(c.Blobs), err)
		}
		if _, err := d.Store().Receipt(closed.Seq, 1); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("its receipt: %v", err)
		}
		c, err := d.Store().Case(open.Seq)
		if err != nil || c.Applicant != "甪蒯二" || c.State != casefile.CorrectionAsked || c.Correction == nil || !strings.Contains(c.Correction.Note, "甪蒯二") {
			t.Errorf("the open case: %s, %s, %v, %v", c.Applicant, c.State, c.Correction, err)
		}
		for _, b := range c.Blobs {
			if _, err := d.Store().OpenBlob(b); err != nil {
				t.Errorf("its attachment: %v", err)
			}
		}
		if v := d.Verify(open.Link); v.State != "genuine" {
			t.Errorf("its receipt: %s", v.State)
		}
		if list, err := s.Drafts(t.Context()); err != nil || len(list) != 1 {
			t.Errorf("%d drafts, %v", len(list), err)
		}
	}
	afterwards(d, s)
	last := lastOf(t, d, journal.KindPeriodClosed)
	b, err := journal.DecodeBody[journal.PeriodClosed](last.Body)
	if err != nil || b.Period != month || b.Records != done.Records || len(b.Erased) != 1 {
		t.Errorf("the record: %+v, %v", b, err)
	}
	if _, err := s.ClosePeriod(t.Context(), month); err != nil && keyOf(err) == "error.unknown" {
		t.Errorf("closing it twice: %v", err)
	}

	// No key that is left opens what a thief copied before; and the month's wrapped keys stand nowhere any more.
	u, err := d.Ring().Unlock(desktest.Operator, desktest.PIN)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.PeriodByID(month); !errors.Is(err, vault.ErrNoPeriod) {
		t.Errorf("the month's keys: %v", err)
	}
	left := []vault.Key{d.Ring().MachineKey()}
	for _, id := range []string{vault.MachinePeriodID, vault.PeriodID(m.Clock.T)} {
		p, err := u.PeriodByID(id)
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, p.Store, p.Blob)
	}
	tried, personal := 0, 0
	for _, v := range stolen {
		if len(v.bytes) == 0 || !bytes.HasPrefix(v.bytes[1:], append([]byte{byte(len(month))}, month...)) {
			continue
		}
		personal++
		key := lost.Store
		if v.bucket == "blobindex" {
			key = lost.Blob
		}
		if !opens(d.Suite(), key, v) {
			t.Errorf("%s %x does not open with its own key: the test shows nothing", v.bucket, v.key)
		}
		for _, k := range left {
			tried++
			if opens(d.Suite(), k, v) {
				t.Errorf("%s %x opens with a key that is left", v.bucket, v.key)
			}
		}
	}
	if personal < 10 || tried < 5*personal {
		t.Errorf("%d values, %d tries", personal, tried)
	}
	was := wrapped(t, oldRing, month)
	if len(was) == 0 {
		t.Fatal("the old key file does not name the month")
	}
	nothingLeft(t, dir, map[string][]byte{"the month's wrapped keys": was, "the month's key": lost.Store[:], "its salt": lost.Salt[:]})
	u.Close()
	// The file is lost: the mirror alone brings all that is left back.
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "store.db")); err != nil {
		t.Fatal(err)
	}
	d, s = m.Login(t)
	afterwards(d, s)
	nothingLeft(t, dir, sealed)
}

// One person is erased: cases, attachments, draft, notes, the reviewer's words; everybody else's stay.
func TestErasePerson(t *testing.T) {
	m := leadMachine(t)
	d, s := m.Login(t)
	dir := d.Dir()
	one := take(t, s, "甪蒯三", "999999194105030035", 3)
	again := take(t, s, "甪蒯三", "999999194105030035", 4)
	other := take(t, s, "甪蒯四", "999999194105030043", 5)
	if _, err := s.ErasePerson(t.Context(), "本人要求", "999999194105030035"); keyOf(err) != "erase.open" {
		t.Errorf("with an open case: %v", err)
	}
	m.Acknowledge(t, d)
	for _, c := range []counter.Submitted{one, again, other} {
		decide(t, m, d, c.Seq, "甪蒯三、甪蒯四的意见")
	}
	m.Acknowledge(t, d)
	sealed := sealedOf(t, d, one.Seq, again.Seq)
	kept := sealedOf(t, d, other.Seq)
	if _, err := s.EraseCases(t.Context(), "", "99-1-X"); keyOf(err) != "desk.noCase" {
		t.Errorf("a number that is none: %v", err)
	}
	done, err := s.ErasePerson(t.Context(), "本人要求", "999999194105030035")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(done.Cases, []uint64{one.Seq, again.Seq}) || done.Blobs < 2 || done.Events < 4 {
		t.Errorf("done: %+v", done)
	}
	nothingLeft(t, dir, sealed)
	for _, c := range []counter.Submitted{one, again} {
		if got, err := d.Store().Case(c.Seq); err != nil || !got.Purged || got.IDNumber != "" {
			t.Errorf("case %d: purged %t, %v", c.Seq, got.Purged, err)
		}
	}
	if c, err := d.Store().Case(other.Seq); err != nil || c.Applicant != "甪蒯四" {
		t.Errorf("the other's case: %v", err)
	}
	found := 0
	for _, data := range leftovers(t, dir) {
		for _, v := range kept {
			if bytes.Contains(data, v) {
				found++
			}
		}
	}
	if found == 0 {
		t.Error("the other person's values are not found either: the search shows nothing")
	}
	if rep, err := d.Doctor(t.Context(), false, nil); err != nil || len(rep.Faults) > 0 {
		t.Errorf("doctor: %+v, %v", rep.Faults, err)
	}
	rec := lastOf(t, d, journal.KindErased)
	if b, err := journal.DecodeBody[journal.Erased](rec.Body); err != nil || b.Reason != "本人要求" || len(b.Cases) != 2 {
		t.Errorf("the record: %+v, %v", b, err)
	}
	if _, err := s.ErasePerson(t.Context(), "", "999999194105030051"); keyOf(err) != "erase.nobody" {
		t.Errorf("somebody who was never here: %v", err)
	}
}

// Only who leads the station may erase, and only what the platform holds.
func TestWhoMayErase(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	if _, err := s.ClosePeriod(t.Context(), "2025-01"); !errors.Is(err, desk.ErrForbidden) {
		t.Errorf("staff closes a month: %v", err)
	}
	if _, err := s.ErasePerson(t.Context(), "", "999999194102030021"); !errors.Is(err, desk.ErrForbidden) {
		t.Errorf("staff erases: %v", err)
	}
	d.Close()
	m = leadMachine(t)
	d, s = m.Login(t)
	c := take(t, s, "甪蒯五", "999999194105030051", 6)
	m.Acknowledge(t, d)
	decide(t, m, d, c.Seq, "意见")
	if _, err := d.Store().Commit(t.Context(), store.Act{Operator: "wang", Kind: journal.KindReceiptPrinted, Body: journal.ReceiptPrinted{Case: c.Seq, Stage: 1, How: "png", Copy: 1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EraseCases(t.Context(), "", c.No); keyOf(err) != "erase.undelivered" {
		t.Errorf("an act about it that waits: %v", err)
	}
}

func keyOf(err error) string {
	key, _ := words.KeyOf(err)
	return key
}

func signTime(t *testing.T, m *desktest.Machine, d *desk.Desk) {
	t.Helper()
	if err := d.Store().TakeTime(t.Context(), m.Clock.T.UnixMilli()); err != nil {
		t.Fatal(err)
	}
}

func lastOf(t *testing.T, d *desk.Desk, kind journal.Kind) journal.Record {
	t.Helper()
	heads, err := d.Store().Headers(0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range slices.Backward(heads) {
		if h.Kind == kind {
			rec, err := d.Store().Record(h.Seq)
			if err != nil {
				t.Fatal(err)
			}
			return rec
		}
	}
	t.Fatalf("no record of kind %s", kind)
	return journal.Record{}
}

// opens tries a key on a value of the database, at its place.
func opens(suite vault.Suite, k vault.Key, v value) bool {
	n := int(v.bytes[1])
	if len(v.bytes) < 2+n+16 {
		return false
	}
	id, sealed := v.bytes[2:2+n], v.bytes[2+n:]
	if n > 0 {
		sealed = sealed[:len(sealed)-16]
	}
	bucket := v.bucket
	if bucket == "bodies" && len(v.key) == 9 { // a receipt lies beside its body
		bucket = "receipts"
	}
	aad := slices.Concat([]byte("bianmin/store\x00"), []byte(bucket), []byte{0}, vault.U64(uint64(len(v.key))), v.key, []byte{v.bytes[0], byte(n)}, id)
	_, err := suite.Open(k, sealed, aad)
	return err == nil
}

// wrapped returns the sealed keys of a month in a key file.
func wrapped(t *testing.T, data []byte, month string) []byte {
	t.Helper()
	var f struct {
		Periods []struct {
			ID   string `cbor:"1,keyasint"`
			Keys []byte `cbor:"2,keyasint"`
		} `cbor:"9,keyasint"`
	}
	if err := cbor.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	for _, p := range f.Periods {
		if p.ID == month {
			return p.Keys
		}
	}
	return nil
}

// Power goes between the transaction and what lies outside it, or later: the next login finishes what was begun.
func TestErasureIsFinishedAfterACrash(t *testing.T) {
	for name, further := range map[string]func(d *desk.Desk) error{
		"after the transaction": func(*desk.Desk) error { return nil },
		"after the mirror":      func(d *desk.Desk) error { return d.Store().FinishErasure() },
		"after the compaction": func(d *desk.Desk) error {
			return errors.Join(d.Store().FinishErasure(), d.Store().CompactAway(t.Context()))
		},
	} {
		t.Run(name, func(t *testing.T) { cutErasure(t, further) })
	}
}

func cutErasure(t *testing.T, further func(d *desk.Desk) error) {
	m := leadMachine(t)
	d, s := m.Login(t)
	dir := d.Dir()
	c := take(t, s, "甪蒯六", "999999194105030019", 7)
	m.Acknowledge(t, d)
	decide(t, m, d, c.Seq, "甪蒯六的意见")
	m.Acknowledge(t, d)
	sealed := sealedOf(t, d, c.Seq)
	if _, err := d.Backup(""); err != nil {
		t.Fatal(err)
	}
	act := canon.MustMarshal([]any{desktest.Operator, "本人要求"})
	if _, err := d.Store().Erase(t.Context(), store.Erasure{Cases: []uint64{c.Seq}}, act); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Store().Erase(t.Context(), store.Erasure{Cases: []uint64{c.Seq}}, act); !errors.Is(err, store.ErrErasing) {
		t.Errorf("another erasure meanwhile: %v", err)
	}
	found := 0
	for _, data := range leftovers(t, dir) {
		for _, v := range sealed {
			if bytes.Contains(data, v) {
				found++
			}
		}
	}
	if found < 3 {
		t.Errorf("only %d values are left to be erased after the transaction", found)
	}
	if err := further(d); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil { // as if the program had ended here
		t.Fatal(err)
	}
	d, _ = m.Login(t)
	nothingLeft(t, dir, sealed)
	if _, _, ok, err := d.Store().Erasing(); ok || err != nil {
		t.Errorf("still under way: %v", err)
	}
	if rec := lastOf(t, d, journal.KindErased); rec.Operator != desktest.Operator {
		t.Errorf("the record is %q's", rec.Operator)
	}
	if rep, err := d.Doctor(t.Context(), false, nil); err != nil || len(rep.Faults) > 0 {
		t.Errorf("doctor: %+v, %v", rep.Faults, err)
	}
}
