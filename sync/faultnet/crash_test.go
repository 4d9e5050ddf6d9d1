package faultnet_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

const crashEnv = "BIANMIN_CRASH_CHILD"

// order is what the parent tells the child.
type order struct {
	Dir, Addr        string
	Device           uint32
	SignKey, SealKey []byte
	Pins             [][32]byte
	From             int // number of the first case
}

func TestMain(m *testing.M) {
	if o := os.Getenv(crashEnv); o != "" {
		child(o)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child saves cases and exchanges at the same time, until it is killed. It prints "ack n" only after Commit returned.
func child(text string) {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		panic(err)
	}
	t := &panicTB{}
	s := &station{t: t, dir: o.Dir, addr: o.Addr, stall: 2 * time.Second, pins: o.Pins}
	s.grant = wire.Grant{Device: o.Device, Platform: wire.Platform{SignKey: o.SignKey, SealKey: o.SealKey}}
	s.open()
	s.login()
	fmt.Println("ready")
	go func() {
		if err := s.e.Run(context.Background()); err != nil {
			panic(err)
		}
	}()
	for n := o.From; ; n++ {
		seq, err := s.save(n)
		if err != nil {
			panic(err)
		}
		fmt.Println("ack", seq)
		s.e.Wake()
	}
}

// panicTB lets the helpers run outside a test.
type panicTB struct{ testing.TB }

func (*panicTB) Helper()                   {}
func (*panicTB) Fatal(a ...any)            { panic(fmt.Sprint(a...)) }
func (*panicTB) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

// TestKill9 kills a device that saves and exchanges, at varying moments, again and again on the same data: no
// acknowledged save is lost, nothing is twice at the gateway, the store opens every time.
func TestKill9(t *testing.T) {
	p := newPlatform(t)
	s := p.enrol(t, "")
	rounds := count(90)
	next, most := 0, uint64(0)
	for round := range rounds {
		s.close()
		s.ring = nil
		o, err := json.Marshal(order{
			Dir: s.dir, Addr: p.addr, Device: s.grant.Device, SignKey: s.grant.Platform.SignKey, SealKey: s.grant.Platform.SealKey,
			Pins: s.pins, From: next,
		})
		must(t, err)
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), crashEnv+"="+string(o))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		var killed atomic.Bool
		kill := func() {
			killed.Store(true)
			_ = cmd.Process.Kill()
		}
		var timer *time.Timer
		if round%3 == 2 { // while it starts: opening, completing file and mirror, first exchange
			timer = time.AfterFunc(time.Duration(5+(round*37)%200)*time.Millisecond, kill)
		}
		acks := 0
		for sc := bufio.NewScanner(out); sc.Scan(); {
			if word, ok := strings.CutPrefix(sc.Text(), "ack "); ok {
				n, err := strconv.ParseUint(word, 10, 64)
				must(t, err)
				most = max(most, n)
				acks++
			}
			if timer == nil && acks == 1+(round*5)%23 { // in the middle of the next save, or of an exchange
				timer = time.AfterFunc(time.Duration(round*7%40)*time.Millisecond, kill)
			}
		}
		err = cmd.Wait()
		if timer == nil || err == nil || !killed.Load() {
			t.Fatalf("round %d: child ended by itself: %v", round, err)
		}
		timer.Stop()
		next += acks + 1 // one more may be in the store than was acknowledged

		s.open()
		_, head, acked, _, err := s.st.Position(t.Context())
		must(t, err)
		if head < most || acked > head {
			t.Fatalf("round %d: %d was acknowledged to the clerk, store has %d, platform %d", round, most, head, acked)
		}
		t.Logf("round %d: %d saves, head %d, platform %d", round, acks, head, acked)
	}
	s.login()
	s.drain(3)
	wantOnce(t, p, s)
	if most == 0 {
		t.Fatal("no child ever saved")
	}
	_, head, _, _, err := s.st.Position(t.Context())
	must(t, err)
	own, err := s.st.Headers(0, int(head)+1)
	must(t, err)
	seen := map[vault.Hash]bool{}
	for _, h := range own {
		if seen[h.BodyHash] {
			t.Fatalf("record %d is there twice", h.Seq)
		}
		seen[h.BodyHash] = true
	}
}
