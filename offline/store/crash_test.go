package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
)

func forkFor(r *rig) ([]byte, error) {
	return packet.SignFork(r.plat.sign, packet.Fork{Device: testDevice, To: 1, Head: vault.Hash{1}, At: r.clock.UnixMilli()})
}

const childEnv = "BIANMIN_STORE_CHILD"

// childFile is what the writing child must know of the test's platform, and what it is to do.
type childFile struct {
	Sign, Seal []byte
	Do         string // "save", "compact": compact after every few saves; "migrate": open with made-up migrations
	Step       string // die by itself at this step of a compaction, or of a restore
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := child(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child does what it is told until it is killed, and prints "draft n" and "ack n" after each SaveDraft and Commit has returned.
func child(dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, "child.json"))
	if err != nil {
		return err
	}
	var f childFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	keys := filepath.Join(dir, "keys")
	ring, err := vault.OpenRing(keys, suite, vault.KeyFile(filepath.Join(keys, "machine")), vault.OpenOptions{Demo: true})
	if err != nil {
		return err
	}
	o := Options{
		Dir: dir, Suite: suite, Ring: ring, Device: testDevice, Dict: dictText, Segment: 20000,
		Platform: Platform{SignKey: f.Sign, SealKey: f.Seal},
	}
	o.seams.step = func(step string) {
		if step == f.Step {
			die()
		}
	}
	if f.Do == "migrate" {
		fmt.Println("open", 0)
		o.seams.migrations = madeUp
		if f.Step == "row" {
			o.seams.migrations = append(slices.Clone(madeUp[:2]), func(tx *bolt.Tx) error {
				if err := madeUp[2](tx); err != nil {
					return err
				}
				die()
				return nil
			})
		}
	}
	s, err := Open(o)
	if err != nil {
		return err
	}
	if f.Do == "migrate" {
		return s.Close()
	}
	if f.Do == "restore" {
		fmt.Println("open", s.head)
		_, err := s.Restore(filepath.Join(dir, "backup.db"))
		return err
	}
	u, err := ring.Unlock("wang", testPIN)
	if err != nil {
		return err
	}
	if err := s.Unlock(u); err != nil {
		return err
	}
	fmt.Println("open", s.head)
	for n := int(s.head) + 1; ; n++ {
		id := strconv.Itoa(n)
		if err := s.SaveDraft(Draft{ID: id, Body: []byte("half"), Checkpoint: n%3 == 0}); err != nil {
			return err
		}
		fmt.Println("draft", n)
		c := sampleCase(n)
		if n%4 == 0 {
			b, err := s.PutBlob([]byte(fmt.Sprint(os.Getpid(), n)), "image/png", "p.png")
			if err != nil {
				return err
			}
			c.Blobs = []journal.Blob{b}
		}
		rec, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: c, Receipt: fakeReceipt, DropDraft: id})
		if err != nil {
			return err
		}
		fmt.Println("ack", rec.Seq)
		if f.Do == "compact" && n%2 == 0 {
			if _, err := s.Compact(ctx, true); err != nil {
				return err
			}
		}
	}
}

// die is kill -9 by one's own hand.
func die() {
	p, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {}
}

// tell writes what the child is to do.
func (r *rig) tellChild(f childFile) {
	r.t.Helper()
	f.Sign, f.Seal = r.plat.sign.Public(), r.plat.seal.Public()
	raw, err := json.Marshal(f)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "child.json"), raw, 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// killed runs the child until it is killed: after a pause, from its opening on or from its first save on; or by itself at a
// step. It returns the last record that was acknowledged, at least acked.
func (r *rig) killed(acked uint64, fromOpen bool, pause time.Duration) uint64 {
	r.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+r.dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	kill := func() { time.AfterFunc(pause, func() { _ = cmd.Process.Kill() }) }
	saves := 0
	sc := bufio.NewScanner(out)
	for sc.Scan() {
		word, num, _ := strings.Cut(sc.Text(), " ")
		n, err := strconv.ParseUint(num, 10, 64)
		switch {
		case word == "open" && err == nil:
			if fromOpen {
				kill()
			}
		case word == "ack" && err == nil:
			acked = n
			if saves++; saves == 1 && !fromOpen && pause >= 0 {
				kill()
			}
		case word == "draft" && err == nil:
			r.draft = n
		default:
			r.t.Fatalf("child says %q %s", sc.Text(), stderr.String())
		}
	}
	if err := cmd.Wait(); err == nil && !fromOpen {
		r.t.Fatal("child ended by itself")
	}
	return acked
}

// byItself lets the child run until it dies at its step.
const byItself = -1

// whole opens the folder after a kill and checks that nothing acknowledged is lost, half or twice.
func (r *rig) whole(acked uint64) *Store {
	t := r.t
	t.Helper()
	ring, err := vault.OpenRing(r.keys, suite, vault.KeyFile(filepath.Join(r.keys, "machine")), vault.OpenOptions{Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	r.ring, r.o.Ring, r.clock, r.o.Clock = ring, ring, time.Now(), nil
	s := r.login()
	most := acked + 1 // the act that was being written
	if back := s.Restored(); back.From != 0 {
		if back.From != most || back.To != most || s.head != most+1 {
			t.Fatalf("head %d after ack %d, taken back %+v", s.head, acked, back)
		}
		most = s.head // and the note of it
	}
	if s.head < acked || s.head > most {
		t.Fatalf("head %d after ack %d", s.head, acked)
	}
	for _, f := range verified(t, s).Faults {
		t.Errorf("%v", f)
	}
	cases, err := s.Cases()
	if err != nil || len(cases) != r.submissions(s) {
		t.Fatalf("%d cases of %d submissions in %d records, %v", len(cases), r.submissions(s), s.head, err)
	}
	r.wantDraft(s)
	for _, name := range []string{compactName, restoreName} {
		if _, err := os.Stat(filepath.Join(r.dir, name)); err == nil {
			t.Errorf("%s was left", name)
		}
	}
	return s
}

// wantDraft checks that the newest draft that was acknowledged is there, unless its case was taken in: never both.
func (r *rig) wantDraft(s *Store) {
	r.t.Helper()
	if r.draft == 0 {
		return
	}
	d, err := s.Draft(strconv.FormatUint(r.draft, 10))
	there := err == nil && string(d.Body) == "half"
	if err != nil && !errors.Is(err, ErrNotFound) {
		r.t.Fatal(err)
	}
	list, err := s.Headers(r.draft-1, 1) // the child numbers its drafts as the records that follow from them
	if err != nil {
		r.t.Fatal(err)
	}
	taken := len(list) == 1 && list[0].Kind == journal.KindCaseSubmitted
	if there == taken { // lost, or there twice
		r.t.Errorf("draft %d was acknowledged: it is there %v, its case is %v", r.draft, there, taken)
	}
	r.draft = 0
}

// submissions counts the cases that were taken in.
func (r *rig) submissions(s *Store) (n int) {
	r.t.Helper()
	list, err := s.Headers(0, int(s.head))
	if err != nil || uint64(len(list)) != s.head {
		r.t.Fatalf("%d headers of %d, %v", len(list), s.head, err)
	}
	for _, h := range list {
		switch h.Kind {
		case journal.KindCaseSubmitted:
			n++
		case journal.KindRebuilt:
		default:
			r.t.Fatalf("record %d is %s", h.Seq, h.Kind)
		}
	}
	return n
}

// rounds scales the rounds of kills: all of them with BIANMIN_FULL=1, else a tenth.
func rounds(n int) int {
	if full() {
		return n
	}
	return n / 10
}

func TestKill9LosesNothingAcknowledged(t *testing.T) {
	var r *rig
	var acked uint64
	for round := range rounds(90) {
		if round%15 == 0 { // a new folder now and then: round 0 of each from the opening on, the others after a save
			r, acked = newRig(t), 0
			r.o.Segment = 20000
			r.tellChild(childFile{Do: "save"})
		}
		acked = r.killed(acked, round%15 == 0, time.Duration(1+round*17%70)*time.Millisecond)
		s := r.whole(acked)
		r.sync(s, 1<<20)
		acked = s.head
		r.close(s)
		if uint64(len(r.plat.records)) != acked {
			t.Fatalf("round %d: platform has %d of %d records", round, len(r.plat.records), acked)
		}
	}
	if acked == 0 {
		t.Fatal("no child ever saved")
	}
}

func TestKill9InCompaction(t *testing.T) {
	r := newRig(t)
	r.o.Segment = 20000
	var acked uint64
	for _, step := range []string{"copied", "verified", "renamed", "synced"} {
		r.tellChild(childFile{Do: "compact", Step: step})
		if acked = r.killed(acked, false, byItself); acked == 0 {
			t.Fatalf("%s: no save", step)
		}
		s := r.whole(acked)
		acked = s.head
		r.close(s)
	}
	r.tellChild(childFile{Do: "compact"})
	for round := range rounds(60) {
		if round%15 == 14 {
			r, acked = newRig(t), 0
			r.o.Segment = 20000
			r.tellChild(childFile{Do: "compact"})
		}
		acked = r.killed(acked, false, time.Duration(round*13%50)*time.Millisecond)
		s := r.whole(acked)
		acked = s.head
		r.close(s)
	}
}

// madeUp are two migrations that touch every case: what a later version might do.
var madeUp = append(slices.Clone(migrations), func(tx *bolt.Tx) error {
	if _, err := tx.CreateBucket([]byte("later")); err != nil {
		return err
	}
	return tx.Bucket([]byte(bucketHeaders)).ForEach(func(k, v []byte) error {
		return tx.Bucket([]byte("later")).Put(k, bytes.Repeat(v, 20))
	})
}, func(tx *bolt.Tx) error {
	return tx.Bucket([]byte(bucketHeaders)).ForEach(func(k, v []byte) error {
		return tx.Bucket([]byte("later")).Put(k, v)
	})
})

// TestKill9InMigration kills a newer program while it brings the file to its schema: the file is of the old one or of the
// new one, never between, the copy made before the first step is the old file, and nothing is lost either way.
func TestKill9InMigration(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 40)
	want, head := plain(t, s), s.head
	r.close(s)
	old, newer := 0, 0
	for round := range rounds(60) {
		c := r.copy(t)
		f := childFile{Do: "migrate"}
		if round == 0 {
			f.Step = "row" // for certain in the middle, whatever the machine's pace
		}
		c.tellChild(f)
		c.killed(0, true, time.Duration(round*round*17%37)*300*time.Microsecond)
		c.o.Clock, c.clock = nil, time.Now()
		s, err := Open(c.o)
		switch {
		case errors.Is(err, ErrNewer):
			newer++
			c.o.seams.migrations = madeUp
			s = c.open()
			before := filepath.Join(c.dir, fmt.Sprintf("%s.before-%d", fileName, len(madeUp)))
			c.unlock(s)
			sameMap(t, "migrated", want, plain(t, s))
			if err := s.db.View(func(tx *bolt.Tx) error {
				if n := tx.Bucket([]byte("later")).Stats().KeyN; n != int(head) {
					return fmt.Errorf("%d of %d rows migrated", n, head)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			c.close(s)
			if _, err := SetAside(c.dir, before, c.clock); err != nil {
				t.Fatal(err)
			}
			c.o.seams.migrations = nil
			s = c.open()
		case err != nil:
			t.Fatalf("round %d: %v", round, err)
		case round > 0 || newer == 0:
			old++
			t.Cleanup(func() { s.Close() })
		default:
			t.Fatal("killed in the last step, and the file is of the new schema")
		}
		c.unlock(s)
		sameMap(t, "old file", want, plain(t, s))
		wantClean(t, s)
		c.close(s)
	}
	t.Logf("killed with the old file %d times, with the new one %d times", old, newer)
}
