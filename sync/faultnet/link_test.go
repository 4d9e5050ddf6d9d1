package faultnet_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/store"
	"bianmin/sync/engine"
	"bianmin/sync/faultnet"
	"bianmin/sync/wire"
)

var _ engine.Journal = (*store.Store)(nil)

// TestCutAtRandomPoints saves cases while the line is cut again and again, at seeded places in either direction, some of
// them black holes.
func TestCutAtRandomPoints(t *testing.T) {
	for _, mode := range []string{"unlocked", "locked"} {
		t.Run(mode, func(t *testing.T) {
			p := newPlatform(t)
			cases, cuts := count(500), max(5, count(37))
			proxy, err := faultnet.NewProxy(p.addr, faultnet.Random(20261122, cuts, 30_000, true))
			must(t, err)
			defer proxy.Close()
			s := p.enrol(t, proxy.Addr())
			s.login()
			saved := make(chan error, 1)
			save := func() {
				for n := range cases {
					if _, err := s.save(n); err != nil {
						saved <- fmt.Errorf("save %d: %w", n, err)
						return
					}
				}
				saved <- nil
			}
			if mode == "locked" {
				save()
				s.st.Lock() // what was taken in leaves while nobody is logged in
			} else {
				go save()
			}
			rounds := 0
			for done := false; !done; rounds++ {
				select {
				case err := <-saved:
					must(t, err)
					done = true
				default:
				}
				if _, err := s.e.Once(t.Context()); wire.Permanent(err) || err != nil && wire.CodeOf(err) == "" {
					t.Fatalf("round %d: %v", rounds, err)
				}
			}
			rounds += s.drain(10 * cuts)
			wantOnce(t, p, s)
			came, cut := proxy.Connections()
			for i := 0; came <= cuts; i++ { // use up the rest of the plan
				if i == 20*cuts {
					t.Fatalf("%d connections only", came)
				}
				s.login()
				_, err := s.save(cases + i)
				must(t, err)
				rounds += s.drain(10 * cuts)
				came, cut = proxy.Connections()
			}
			wantOnce(t, p, s)
			if cut < cuts*8/10 { // a connection may end before its fault, when the client gives up first
				t.Fatalf("only %d of %d faults struck", cut, cuts)
			}
			t.Logf("%d cases, %d connections, %d cut, %d rounds", cases, came, cut, rounds)
		})
	}
}

// TestLostReplies loses the answer after so many of its plain bytes: before the first, after it, in the status line, in
// a header, in the body, one before the end.
func TestLostReplies(t *testing.T) {
	p := newPlatform(t)
	s := p.enrol(t, "")
	s.login()
	for i, at := range []int64{0, 1, 9, 40, 120, 200, 300, 400, 500} {
		_, err := s.save(i)
		must(t, err)
		s.c.Close() // a fresh connection for the plan
		p.ln.SetPlan(func(n int) faultnet.Fault {
			if n == 0 {
				return faultnet.Fault{Up: -1, Down: at}
			}
			return faultnet.Clean
		})
		_, err = s.e.Once(t.Context())
		if err != nil && wire.CodeOf(err) != wire.CodeUnreachable {
			t.Fatalf("answer cut at %d: %v", at, err)
		}
		if at < 200 && err == nil {
			t.Fatalf("answer cut at %d was not missed", at)
		}
		s.drain(2)
		wantOnce(t, p, s)
	}
}

func TestBlackHole(t *testing.T) {
	p := newPlatform(t)
	hole := true
	proxy, err := faultnet.NewProxy(p.addr, func(n int) faultnet.Fault {
		if hole && n%2 == 0 {
			return faultnet.Fault{Up: int64(n) * 700, Down: -1, Hole: true}
		} else if hole {
			return faultnet.Fault{Up: -1, Down: int64(n) * 500, Hole: true}
		}
		return faultnet.Clean
	})
	must(t, err)
	defer proxy.Close()
	s := p.enrol(t, proxy.Addr())
	s.login()
	for n := range 5 {
		_, err := s.save(n)
		must(t, err)
	}
	for range 4 {
		start := time.Now()
		_, err := s.e.Once(t.Context())
		if wire.CodeOf(err) != wire.CodeUnreachable || time.Since(start) > 4*time.Second {
			t.Fatalf("%v after %v", err, time.Since(start))
		}
	}
	proxy.SetPlan(faultnet.Always(faultnet.Clean))
	s.drain(1)
	wantOnce(t, p, s)
}

func TestRepeatedRequests(t *testing.T) {
	for _, together := range []bool{false, true} {
		p := newPlatform(t)
		p.stop()
		twice := 0
		p.wrap = func(h http.Handler) http.Handler {
			return faultnet.Repeat(h, func(r *http.Request) bool {
				hit := r.Method != http.MethodGet && (r.URL.Path == wire.PathExchange || strings.HasPrefix(r.URL.Path, wire.PathBlob))
				if hit {
					twice++
				}
				return hit
			}, together)
		}
		p.start()
		s := p.enrol(t, "")
		s.login()
		for n := range 50 {
			_, err := s.save(n)
			must(t, err)
			if n%10 == 9 {
				s.drain(5)
			}
		}
		wantOnce(t, p, s)
		if twice < 5 {
			t.Fatalf("%d requests were repeated", twice)
		}
	}
}

// TestGatewayComesBack stops and starts the gateway under a running engine, which nobody tells.
func TestGatewayComesBack(t *testing.T) {
	p := newPlatform(t)
	s := p.enrol(t, "")
	s.login()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.e.Run(ctx) }()
	defer func() {
		cancel()
		must(t, <-done)
	}()
	eventually(t, 5*time.Second, "idle", func() bool { return s.e.Status().State == engine.Idle })
	for round := range 2 {
		p.stop()
		for n := range 3 {
			_, err := s.save(round*3 + n)
			must(t, err)
			s.e.Wake()
		}
		eventually(t, 5*time.Second, "offline with three waiting", func() bool {
			ev := s.e.Status()
			return ev.State == engine.Offline && ev.Pending == 3 && ev.Key == "wire.unreachable"
		})
		p.start()
		took := eventually(t, 7*time.Second, "delivered by itself", func() bool {
			ev := s.e.Status()
			return ev.State == engine.Idle && ev.Pending == 0
		})
		wantOnce(t, p, s)
		t.Logf("delivered %v after the gateway came back", took.Round(time.Millisecond))
	}
	_, err := s.save(99)
	must(t, err)
	s.e.Wake()
	eventually(t, 5*time.Second, "delivered", func() bool { return s.e.Status().Acked == 7 })
}

// TestRefusals checks that the gateway's refusals reach people as what they are.
func TestRefusals(t *testing.T) {
	p := newPlatform(t)
	s := p.enrol(t, "")
	d := s.c.Device(4711, s.ring.DeviceKey(), s.grant.Platform.SignKey)
	if _, err := d.Exchange(t.Context(), wire.Request{}); wire.CodeOf(err) != wire.CodeUnknown {
		t.Fatalf("stranger: %v", err)
	}
	s.login()
	_, err := s.save(1)
	must(t, err)
	s.drain(1)
	_, err = s.save(2)
	must(t, err)
	_, err = p.g.Revoke(t.Context(), s.grant.Device, "stolen")
	must(t, err)
	_, err = s.e.Once(t.Context())
	if wire.CodeOf(err) != wire.CodeRevoked {
		t.Fatalf("withdrawn: %v", err)
	}
	if ev := s.e.Status(); ev.State != engine.NeedsAttention || ev.Key != "wire.revoked" || ev.Pending != 1 {
		t.Fatalf("status %+v", ev)
	}
}

// TestReviewerIsHeardAtOnce lets a reviewer act while the device holds its long poll.
func TestReviewerIsHeardAtOnce(t *testing.T) {
	p := newPlatform(t)
	s := p.enrol(t, "")
	s.login()
	seq, err := s.save(1)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.e.Run(ctx) }()
	defer func() {
		cancel()
		must(t, <-done)
	}()
	eventually(t, 5*time.Second, "idle", func() bool { ev := s.e.Status(); return ev.State == engine.Idle && ev.Acked == seq })
	_, err = p.g.Accept(ctx, casefile.Number(s.grant.Device, seq))
	must(t, err)
	took := eventually(t, 4*time.Second, "the acceptance", func() bool {
		list, err := s.st.Events(0, 10)
		must(t, err)
		return len(list) == 1 && list[0].Event.Kind == journal.EventAccepted
	})
	t.Logf("acceptance after %v", took.Round(time.Millisecond))
}
