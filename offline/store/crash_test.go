package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
)

func forkFor(r *rig) ([]byte, error) {
	return packet.SignFork(r.plat.sign, packet.Fork{Device: testDevice, To: 1, Head: vault.Hash{1}, At: r.clock.UnixMilli()})
}

const childEnv = "BIANMIN_STORE_CHILD"

// childFile is what the writing child must know of the test's platform.
type childFile struct{ Sign, Seal []byte }

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

// child saves drafts, blobs and cases until it is killed, and prints "ack n" after each Commit has returned.
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
	s, err := Open(Options{
		Dir: dir, Suite: suite, Ring: ring, Device: testDevice, Dict: dictText, Segment: 20000,
		Platform: Platform{SignKey: f.Sign, SealKey: f.Seal},
	})
	if err != nil {
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
	for n := 0; ; n++ {
		id := strconv.Itoa(n)
		if err := s.SaveDraft(Draft{ID: id, Body: []byte("half"), Checkpoint: n%3 == 0}); err != nil {
			return err
		}
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
	}
}

func TestKill9LosesNothingAcknowledged(t *testing.T) {
	rounds := 3
	if full() {
		rounds = 30
	}
	r := newRig(t)
	r.o.Segment = 20000
	raw, err := json.Marshal(childFile{Sign: r.plat.sign.Public(), Seal: r.plat.seal.Public()})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "child.json"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	var acked uint64
	for round := range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+r.dir)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := func() { // round 0 from the opening on, the others after a save; then at a varying moment
			time.AfterFunc(time.Duration(1+round*17%160)*time.Millisecond, func() { _ = cmd.Process.Kill() })
		}
		saves := 0
		sc := bufio.NewScanner(out)
		for sc.Scan() {
			word, num, _ := strings.Cut(sc.Text(), " ")
			n, err := strconv.ParseUint(num, 10, 64)
			switch {
			case word == "open" && err == nil:
				if round == 0 {
					kill()
				}
			case word == "ack" && err == nil:
				acked = n
				if saves++; saves == 1 && round > 0 {
					kill()
				}
			default:
				t.Fatalf("round %d: child says %q %s", round, sc.Text(), stderr.String())
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatalf("round %d: child ended by itself", round)
		}
		ring, err := vault.OpenRing(r.keys, suite, vault.KeyFile(filepath.Join(r.keys, "machine")), vault.OpenOptions{Demo: true})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		r.ring, r.o.Ring, r.clock, r.o.Now = ring, ring, time.Now(), nil
		s := r.login()
		if s.head < acked || s.head > acked+1 {
			t.Fatalf("round %d: head %d after ack %d", round, s.head, acked)
		}
		for _, f := range verified(t, s).Faults {
			t.Errorf("round %d: %v", round, f)
		}
		cases, err := s.Cases()
		if err != nil || uint64(len(cases)) != s.head {
			t.Fatalf("round %d: %d cases of %d records, %v", round, len(cases), s.head, err)
		}
		if rest := s.Restored(); rest.From != 0 {
			t.Fatalf("round %d: the file was behind the mirror: %+v", round, rest)
		}
		r.sync(s, 1<<20)
		acked = s.head
		r.close(s)
	}
	if uint64(len(r.plat.records)) != acked || acked == 0 {
		t.Fatalf("platform has %d of %d records", len(r.plat.records), acked)
	}
}
