package link_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/casefile"
	"bianmin/offline/clocks"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/frame"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/offline/words"
	"bianmin/sync/gateway"
)

// lead logs the station's lead in: nobody else may erase.
func (m *machine) lead() {
	m.t.Helper()
	var err error
	m.s, err = m.d.Login(m.t.Context(), "li", "135790")
	must(m.t, err)
}

// takeOf takes a case in for somebody with an ID number and a photograph of their own.
func (m *machine) takeOf(name, id string, shade byte) counter.Submitted {
	m.t.Helper()
	files := m.t.TempDir()
	var card bytes.Buffer
	must(m.t, png.Encode(&card, image.NewGray(image.Rect(0, 0, 60+int(shade), 40))))
	must(m.t, os.WriteFile(filepath.Join(files, "card.jpg"), card.Bytes(), 0o600))
	line := strings.NewReplacer("刘玉珍", name, "刘建军", name, "999999194102030021", id, "[[10, 10,", "[["+string('1'+rune(shade))+"1, 10,").Replace(answers())
	line = strings.Replace(line, `"sameHome"`, `"hukouAddress": "`+name+`巷", "bank": "102", "bankcard": "6299990020000079196", "sameHome"`, 1)
	got, err := m.s.SubmitAnswers(m.t.Context(), "gaoling", []byte(line), files)
	must(m.t, err)
	return got
}

// finish decides a case at the platform.
func (p *platform) finish(t testing.TB, no, note string) {
	t.Helper()
	_, err := p.g.Process(t.Context(), no, "")
	must(t, err)
	_, err = p.g.Decide(t.Context(), no, "granted", note)
	must(t, err)
}

// sealedValues reads what a folder keeps about records, by journal, in database, mirrors and attachments: the last bytes of each
// value, so that a search for them means something. want says which records of which number count.
func sealedValues(t testing.TB, d *desk.Desk, want func(where string, device uint32, seq uint64) bool, cases ...casefile.Case) map[string][]byte {
	t.Helper()
	const tail = 40
	out := map[string][]byte{}
	add := func(name string, b []byte) {
		if len(b) > tail {
			out[name] = bytes.Clone(b[len(b)-tail:])
		}
	}
	data, err := os.ReadFile(filepath.Join(d.Dir(), "store.db"))
	must(t, err)
	path := filepath.Join(t.TempDir(), "copy.db")
	must(t, os.WriteFile(path, data, 0o600))
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	must(t, err)
	defer db.Close()
	number := func(k []byte) (n uint64) {
		for _, b := range k[:8] {
			n = n<<8 | uint64(b)
		}
		return n
	}
	journalOf := func(where string, device uint32, in func(name []byte) *bolt.Bucket) {
		for _, name := range []string{"bodies", "receipts", "cases", "outbox"} {
			b := in([]byte(name))
			if b == nil {
				continue
			}
			must(t, b.ForEach(func(k, v []byte) error {
				if want(where, device, number(k)) && (name != "receipts" || k[8] != 2) { // the platform's receipt names nobody
					add(fmt.Sprintf("%s %d %s %x", where, device, name, k), v)
				}
				return nil
			}))
		}
	}
	must(t, db.View(func(tx *bolt.Tx) error {
		journalOf("journal", d.Store().Device(), tx.Bucket)
		home := tx.Bucket([]byte("former"))
		if home == nil {
			return nil
		}
		return home.ForEachBucket(func(k []byte) error {
			b := home.Bucket(k)
			journalOf("former", uint32(number(k)), b.Bucket)
			if branch := b.Bucket([]byte("branch")); branch != nil {
				journalOf("branch", uint32(number(k)), branch.Bucket)
			}
			return nil
		})
	}))
	must(t, filepath.WalkDir(filepath.Join(d.Dir(), "mirror"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".bmp") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var device uint32
		_, _, err = frame.Scan(data, d.Suite(), func(_ int64, f frame.Frame) error {
			if f.Kind == frame.Segment {
				device = uint32(f.Payload[0])<<24 | uint32(f.Payload[1])<<16 | uint32(f.Payload[2])<<8 | uint32(f.Payload[3])
			}
			if (f.Kind == frame.Record || f.Kind == frame.Receipt) && want("mirror", device, f.Number) {
				add(fmt.Sprintf("mirror %d %c %d", device, f.Kind, f.Number), f.Payload)
			}
			return nil
		})
		return err
	}))
	for _, c := range cases {
		for i, b := range c.Blobs {
			name := hex.EncodeToString(b.Addr[:])
			data, err := os.ReadFile(filepath.Join(d.Dir(), "blobs", name[:2], name))
			must(t, err)
			add(fmt.Sprintf("attachment %s %d", c.Number(), i), data)
		}
	}
	return out
}

// found tells which of the values stand in any file of the folder.
func found(t testing.TB, dir string, values map[string][]byte) (out []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		for name, v := range values {
			if bytes.Contains(data, v) {
				out = append(out, name+" in "+filepath.Base(path))
			}
		}
		return err
	}))
	return out
}

// TestErasePersonOfAFormerNumber: a machine whose journal forked holds a person's cases in the old journal, in its branch, carried
// into the new one, in acts about the old cases, and in the mirrors of both. After the erasure nothing of it stands anywhere,
// somebody else's cases stay, and everything still verifies, here and at the platform.
func TestErasePersonOfAFormerNumber(t *testing.T) {
	t.Parallel()
	const gone, stays = "999999194105030035", "999999194105030043"
	p := newPlatform(t, nil)
	a := p.enrol(t)
	a.lead()
	one := a.takeOf("甪蒯三", gone, 1)
	other := a.takeOf("甪蒯四", stays, 2)
	a.sync(t)
	_, err := p.g.Correct(t.Context(), one.No, journal.Correction{Fields: []string{"contactPhone"}, Note: "甪蒯三的电话打不通"})
	must(t, err)
	a.sync(t)
	a.close()
	b := a.copy()
	a.open()
	a.login()
	a.take("褚文静") // what makes the fork
	a.sync(t)
	a.close()
	b.open()
	b.lead()
	branch := b.takeOf("甪蒯三", gone, 3)
	kept := b.takeOf("甪蒯四", stays, 4)
	former := b.d.Store().Device()
	for range 2 { // the fork, and then what the platform has of the former number
		b.sync(t)
	}
	in, err := b.s.Correct(t.Context(), journal.FormerRef(former, one.Seq))
	must(t, err)
	in.Set("contactPhone", "13911112222")
	_, err = in.Submit(t.Context())
	must(t, err)
	b.sync(t)
	device := b.d.Store().Device()
	if device == former {
		t.Fatal("no new number")
	}
	var mine, theirs []counter.Case
	for _, c := range b.cases(t) {
		switch full, err := b.d.Store().Case(c.Reference()); {
		case err != nil:
			t.Fatal(err)
		case full.IDNumber == gone:
			mine = append(mine, c)
		case full.IDNumber == stays:
			theirs = append(theirs, c)
		}
	}
	if len(mine) != 2 || len(theirs) != 2 {
		t.Fatalf("%d and %d cases on the screen", len(mine), len(theirs))
	}
	if _, err := b.s.ErasePerson(t.Context(), "本人要求", gone); wordKey(err) != "erase.open" {
		t.Fatalf("with open cases: %v", err)
	}
	for _, c := range slices.Concat(mine, theirs) {
		p.finish(t, c.No, "甪蒯三、甪蒯四的意见")
	}
	b.sync(t)
	b.sync(t)
	_, err = b.d.Backup("")
	must(t, err)

	number := func(c counter.Case) (uint32, uint64) {
		d, seq, err := casefile.ParseNumber(c.No)
		must(t, err)
		return d, seq
	}
	newOf := func(list []counter.Case) (seq uint64) {
		for _, c := range list {
			if d, n := number(c); d == device {
				seq = n
			}
		}
		return seq
	}
	heads, err := b.d.Store().Headers(0, 1000)
	must(t, err)
	act := uint64(0)
	for _, h := range heads {
		if h.Kind == journal.KindFormerAct {
			act = h.Seq
		}
	}
	if act == 0 || newOf(mine) == 0 {
		t.Fatal("no act about the former case, or no carried case")
	}
	whole := func(list []counter.Case) (out []casefile.Case) {
		for _, c := range list {
			full, err := b.d.Store().Case(c.Reference())
			must(t, err)
			out = append(out, full)
		}
		return out
	}
	goes := sealedValues(t, b.d, func(where string, d uint32, seq uint64) bool {
		return d == former && (seq == one.Seq || seq == branch.Seq && where != "former") || d == device && (seq == newOf(mine) || seq == act)
	}, whole(mine)...)
	keeps := sealedValues(t, b.d, func(where string, d uint32, seq uint64) bool {
		return d == former && (seq == kept.Seq && where == "branch" || seq == other.Seq) || d == device && seq == newOf(theirs)
	}, whole(theirs)...)
	if len(goes) < 12 || len(keeps) < 8 || len(found(t, b.dir, goes)) < len(goes) {
		t.Fatalf("%d and %d values to look for, %v", len(goes), len(keeps), found(t, b.dir, goes))
	}

	done, err := b.s.ErasePerson(t.Context(), "本人要求", gone)
	must(t, err)
	if !slices.Equal(done.Cases, []uint64{newOf(mine), journal.FormerRef(former, one.Seq)}) || done.Records < 4 || done.Events < 2 || done.Blobs == 0 {
		t.Errorf("done: %+v", done)
	}
	if left := found(t, b.dir, goes); len(left) > 0 {
		t.Errorf("still there: %v", left)
	}
	if left := found(t, b.dir, keeps); len(left) < len(keeps)-4 { // what was compacted or carried is sealed anew nowhere
		t.Errorf("of the other person's %d values %d are there", len(keeps), len(left))
	}
	afterwards := func() {
		t.Helper()
		b.delivered(t)
		for _, c := range mine {
			full, err := b.d.Store().Case(c.Reference())
			if err != nil || !full.Purged || full.Applicant != "" || full.State != casefile.Decided && !full.State.Closed() {
				t.Errorf("%s: purged %t, %s, %v", c.No, full.Purged, full.State, err)
			}
		}
		for _, c := range theirs {
			full, err := b.d.Store().Case(c.Reference())
			if err != nil || full.IDNumber != stays {
				t.Errorf("%s: %v", c.No, err)
			}
		}
	}
	b.sync(t)
	afterwards()
	b.close()
	b.open()
	b.lead()
	b.sync(t)
	afterwards()
	if left := found(t, b.dir, goes); len(left) > 0 {
		t.Errorf("came back: %v", left)
	}

	// The county does its part for both numbers.
	asked, err := p.g.ErasuresAsked(t.Context())
	must(t, err)
	if len(asked) != 1 || len(asked[0].Cases) != 2 {
		t.Fatalf("asked: %+v", asked)
	}
	evidence := func() (out [][]byte) {
		must(t, p.db.View(t.Context(), func(tx gateway.Tx) error {
			rows, err := tx.Evidence(former)
			for _, row := range rows {
				if row.From <= branch.Seq && branch.Seq <= row.To {
					out = append(out, row.Bytes)
				}
			}
			return err
		}))
		return out
	}
	before := evidence()
	if len(before) == 0 {
		t.Error("the platform keeps no evidence of the branch")
	}
	for _, no := range asked[0].Cases {
		_, err := p.g.Erase(t.Context(), no)
		must(t, err)
	}
	for i, now := range evidence() {
		if bytes.Equal(now, before[i]) {
			t.Error("the evidence of the branch is as it was")
		}
	}
	county := func() {
		t.Helper()
		for _, c := range mine {
			at, err := p.g.Case(t.Context(), c.No)
			if err != nil || !at.Purged || len(at.Answers) > 0 || len(at.Blobs) > 0 || at.Quarantine != "" {
				t.Errorf("at the platform %s: purged %t, %q, %v", c.No, at.Purged, at.Quarantine, err)
			}
		}
		for _, c := range theirs {
			at, err := p.g.Case(t.Context(), c.No)
			if err != nil || at.Purged || at.IDNumber != stays || at.Quarantine != "" {
				t.Errorf("at the platform %s: %v", c.No, err)
			}
		}
	}
	county()
	_, _, err = p.g.Rebuild(t.Context(), nil)
	must(t, err)
	county()
	asked, err = p.g.ErasuresAsked(t.Context())
	if err != nil || len(asked) != 0 {
		t.Errorf("still asked: %+v, %v", asked, err)
	}
	rep, err := p.g.VerifyJournals(t.Context())
	must(t, err)
	if len(rep.Faults) > 0 {
		t.Errorf("journals: %+v", rep.Faults)
	}
	b.sync(t)
	afterwards()
}

// TestClosePeriodOfAFormerNumber: a month is closed on a machine whose journal forked in it. What was finished in the month under
// either number is gone from every file, what is open goes on under either, nothing is sealed with the month's keys any more,
// and the mirror alone brings back what is left.
func TestClosePeriodOfAFormerNumber(t *testing.T) {
	t.Parallel()
	const gone, stays = "999999194105030035", "999999194105030043"
	var ahead atomic.Int64
	p := newPlatformAt(t, clocks.Wall(func() time.Time { return time.Now().AddDate(0, int(ahead.Load()), 0) }), nil)
	a := p.enrol(t)
	a.lead()
	one := a.takeOf("甪蒯三", gone, 1)
	open := a.takeOf("甪蒯四", stays, 2)
	a.sync(t)
	a.close()
	b := a.copy()
	a.open()
	a.login()
	a.take("褚文静") // what makes the fork
	a.sync(t)
	a.close()
	b.open()
	b.lead()
	branch := b.takeOf("甪蒯三", gone, 3)
	b.takeOf("甪蒯四", stays, 4)
	former := b.d.Store().Device()
	for range 2 {
		b.sync(t)
	}
	_, err := p.g.Correct(t.Context(), open.No, journal.Correction{Fields: []string{"contactPhone"}, Note: "甪蒯四的电话打不通"})
	must(t, err)
	month := vault.PeriodID(b.d.Store().Time())
	device := b.d.Store().Device()
	var done, left []counter.Case
	for _, c := range b.cases(t) {
		full, err := b.d.Store().Case(c.Reference())
		must(t, err)
		if full.IDNumber == gone {
			done = append(done, c)
			p.finish(t, c.No, "甪蒯三的意见")
		} else {
			left = append(left, c)
		}
	}
	if len(done) != 2 || len(left) != 3 {
		t.Fatalf("%d and %d cases", len(done), len(left))
	}
	b.sync(t)
	b.sync(t)
	carried := uint64(0)
	var cases []casefile.Case
	for _, c := range done {
		full, err := b.d.Store().Case(c.Reference())
		must(t, err)
		cases = append(cases, full)
		if full.Device == device {
			carried = full.Seq
		}
	}
	goes := sealedValues(t, b.d, func(where string, d uint32, seq uint64) bool {
		return d == former && (seq == one.Seq || seq == branch.Seq && where != "former") || d == device && seq == carried
	}, cases...)
	if len(goes) < 8 || len(found(t, b.dir, goes)) < len(goes) {
		t.Fatalf("%d values to look for", len(goes))
	}

	ahead.Store(20)
	b.sync(t)
	got, err := b.s.ClosePeriod(t.Context(), month)
	must(t, err)
	if !slices.Equal(got.Cases, []uint64{carried, journal.FormerRef(former, one.Seq)}) || got.Carried < 3 || len(got.Tally) != 1 || got.Tally[0].Count != 2 {
		t.Errorf("closed: %+v", got)
	}
	gonePart := func() {
		t.Helper()
		if still := found(t, b.dir, goes); len(still) > 0 {
			t.Errorf("still there: %v", still)
		}
		b.delivered(t)
	}
	b.sync(t)
	gonePart()
	for _, c := range left {
		full, err := b.d.Store().Case(c.Reference())
		must(t, err)
		if full.Purged || full.Applicant == "" || len(full.Blobs) == 0 {
			t.Errorf("the open case %s: %+v", c.No, full.State)
		}
		for _, blob := range full.Blobs {
			if _, err := b.d.Store().OpenBlob(blob); err != nil {
				t.Errorf("an attachment of %s: %v", c.No, err)
			}
		}
		if _, err := b.s.Receipt(t.Context(), c.Reference(), 1); err != nil && full.Device == device {
			t.Errorf("the receipt of %s: %v", c.No, err)
		}
	}
	in, err := b.s.Correct(t.Context(), journal.FormerRef(former, open.Seq))
	must(t, err)
	in.Set("contactPhone", "13911112222")
	_, err = in.Submit(t.Context())
	must(t, err)
	b.sync(t)
	if at, err := p.g.Case(t.Context(), open.No); err != nil || at.Correction != nil {
		t.Errorf("the answer did not arrive: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(b.dir, "store.db"))
	must(t, err)
	if bytes.Contains(data, append([]byte{byte(len(month))}, month...)) {
		t.Error("the file holds a value that is sealed with the closed month's keys")
	}
	asked, err := p.g.ErasuresAsked(t.Context())
	must(t, err)
	if len(asked) != 1 || len(asked[0].Cases) != 2 || asked[0].Period != month {
		t.Errorf("asked: %+v", asked)
	}
	b.close()
	must(t, os.Remove(filepath.Join(b.dir, "store.db")))
	b.open()
	b.lead()
	b.sync(t)
	gonePart()
}

// TestErasedStaysErasedAfterATotalLoss: a person was erased here, and the county has not done its part. Database and mirror are lost, and
// the platform gives back what it has: the erased case comes back as its header alone, and its attachments are not fetched.
func TestErasedStaysErasedAfterATotalLoss(t *testing.T) {
	t.Parallel()
	const gone, stays = "999999194105030035", "999999194105030043"
	p := newPlatform(t, nil)
	m := p.enrol(t)
	m.lead()
	one := m.takeOf("甪蒯三", gone, 1)
	other := m.takeOf("甪蒯四", stays, 2)
	m.sync(t)
	p.finish(t, one.No, "甪蒯三的意见")
	m.sync(t)
	_, err := m.s.ErasePerson(t.Context(), "本人要求", gone)
	must(t, err)
	m.sync(t)
	m.close()
	for _, name := range []string{"store.db", "mirror", "last", "backups", "blobs"} {
		must(t, os.RemoveAll(filepath.Join(m.dir, name)))
	}
	m.open()
	m.lead()
	for range 3 {
		m.sync(t)
	}
	m.delivered(t)
	was, _, err := casefile.ParseNumber(one.No)
	must(t, err)
	full, err := m.d.Store().Case(journal.FormerRef(was, one.Seq))
	must(t, err)
	if !full.Purged || full.IDNumber != "" || len(full.Answers) > 0 || len(full.Blobs) > 0 {
		t.Errorf("the erased case is back: purged %t", full.Purged)
	}
	for _, a := range full.Acts {
		if bytes.Contains(a.Body, []byte("甪蒯三")) {
			t.Error("the reviewer's words are back")
		}
	}
	full, err = m.d.Store().Case(journal.FormerRef(was, other.Seq))
	must(t, err)
	if full.IDNumber != stays || len(full.Blobs) == 0 {
		t.Error("the other's case is not whole")
	}
	for _, b := range full.Blobs {
		if _, err := m.d.Store().OpenBlob(b); err != nil {
			t.Errorf("the other's attachment: %v", err)
		}
	}
	st, err := m.d.Status(t.Context())
	if err != nil || st.Recovered == nil || st.Recovered.Blobs != 0 {
		t.Errorf("waits for attachments: %+v, %v", st.Recovered, err)
	}
	list, err := filepath.Glob(filepath.Join(m.dir, "blobs", "*", "*"))
	must(t, err)
	want := map[string]bool{}
	for _, b := range full.Blobs {
		want[hex.EncodeToString(b.Addr[:])] = true
	}
	for _, path := range list {
		if !want[filepath.Base(path)] {
			t.Errorf("attachment %s of nobody who is here", filepath.Base(path))
		}
	}
}

func wordKey(err error) string {
	key, _ := words.KeyOf(err)
	return key
}
