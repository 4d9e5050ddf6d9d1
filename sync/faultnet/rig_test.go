package faultnet_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/clocks"
	"bianmin/offline/journal"
	"bianmin/offline/store"
	"bianmin/offline/vault"
	"bianmin/sync/client"
	"bianmin/sync/engine"
	"bianmin/sync/faultnet"
	"bianmin/sync/gateway"
	"bianmin/sync/gateway/sqlite"
	"bianmin/sync/wire"
)

const (
	division = "999901001001"
	operator = "9901"
	pin      = "135790"
)

var (
	suite = vault.SM(nil)
	full  = os.Getenv("BIANMIN_FULL") == "1"
	// cheap is Argon2 for tests: its cost is measured elsewhere.
	cheap = vault.Argon{Time: 1, MemoryKiB: 64, Threads: 1}
)

// count scales rounds: all of them with BIANMIN_FULL=1, else a tenth, at least one.
func count(n int) int {
	if full {
		return n
	}
	return max(1, n/10)
}

// platform is the real gateway over its real database, on loopback, that can be stopped and started.
type platform struct {
	t    testing.TB
	dir  string
	addr string // the same after a restart
	wrap func(http.Handler) http.Handler
	plan faultnet.Plan
	clk  clocks.Clock // nil: the system's

	g     *gateway.Gateway
	db    *sqlite.Store
	keys  *gateway.Keys
	srv   *http.Server
	ln    *faultnet.Listener
	stopG context.CancelFunc
	wg    sync.WaitGroup
}

func newPlatform(t testing.TB) *platform {
	t.Helper()
	p := &platform{t: t, dir: t.TempDir(), addr: "127.0.0.1:0", plan: faultnet.Always(faultnet.Clean)}
	_, err := gateway.CreateKeys(filepath.Join(p.dir, "keys"), suite, []string{"127.0.0.1"}, time.Now())
	must(t, err)
	p.start()
	ctx := context.Background()
	must(t, p.g.SaveSettings(ctx, gateway.Settings{Name: "示例县", County: division[:6], Telephone: "12345", ShortHost: "127.0.0.1"}))
	must(t, p.g.PutStation(ctx, wire.Station{Division: division, Name: "示例站", Telephone: "12345", County: division[:6], ShortHost: "127.0.0.1"},
		[]wire.Operator{{ID: operator, Name: "示例员", Role: "staff", Division: division, Activation: pin}}))
	t.Cleanup(p.stop)
	return p
}

func (p *platform) start() {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p.stopG = cancel
	var err error
	p.db, err = sqlite.Open(ctx, filepath.Join(p.dir, "gateway.db"))
	must(p.t, err)
	p.keys, err = gateway.OpenKeys(filepath.Join(p.dir, "keys"), suite)
	must(p.t, err)
	p.g, err = gateway.New(gateway.Config{
		Store: p.db, Keys: p.keys, Blobs: filepath.Join(p.dir, "blobs"), Suite: suite, Log: gatewayLog(),
		RetryAfter: 10 * time.Millisecond, Clock: p.clk,
	})
	must(p.t, err)
	tcp, err := net.Listen("tcp", p.addr)
	must(p.t, err)
	p.addr = tcp.Addr().String()
	p.srv = p.g.Server()
	if p.wrap != nil {
		p.srv.Handler = p.wrap(p.srv.Handler)
	}
	p.ln = faultnet.NewListener(tls.NewListener(tcp, p.keys.TLSConfig()), p.plan)
	srv, ln, g := p.srv, p.ln, p.g
	p.wg.Go(func() { _ = srv.Serve(ln) })
	p.wg.Go(func() {
		if err := g.Run(ctx); err != nil {
			p.t.Errorf("gateway: %v", err)
		}
	})
}

// gatewayLog shows the gateway's log with BIANMIN_LOG=1.
func gatewayLog() *slog.Logger {
	if os.Getenv("BIANMIN_LOG") == "1" {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.DiscardHandler)
}

func (p *platform) stop() {
	if p.srv == nil {
		return
	}
	p.srv.Close()
	p.stopG()
	p.wg.Wait()
	must(p.t, p.db.Close())
	p.srv = nil
}

// station is a device: ring, store, client, engine.
type station struct {
	t     testing.TB
	dir   string
	addr  string
	stall time.Duration
	grant wire.Grant
	root  vault.PublicKey
	pins  [][32]byte
	clk   clocks.Clock // nil: the system's

	ring *vault.Ring
	st   *store.Store
	c    *client.Client
	e    *engine.Engine
}

// enrol makes a device of the platform. addr is where it will knock later; "" the platform itself.
func (p *platform) enrol(t testing.TB, addr string) *station {
	t.Helper()
	s := &station{t: t, dir: t.TempDir(), addr: addr, stall: 500 * time.Millisecond}
	if addr == "" {
		s.addr = p.addr
	}
	sign, err := suite.GenerateKey()
	must(t, err)
	seal, err := suite.GenerateKey()
	must(t, err)
	code, _, err := p.g.NewCode(t.Context(), division, time.Hour)
	must(t, err)
	cfg := client.Config{BaseURL: "https://" + p.addr, Suite: suite, Stall: 5 * time.Second}
	var pins []byte
	s.grant, s.root, pins, err = client.Enroll(t.Context(), cfg, code, sign, seal, "test")
	must(t, err)
	set, err := wire.OpenPins(suite, s.root, pins)
	must(t, err)
	s.pins = set.Pins
	op := s.grant.Operators[0]
	ring, err := vault.CreateRing(s.dir, suite, s.machine(), vault.RingOptions{
		Sign: sign, Seal: seal, Argon: cheap, Demo: true,
		Operators: []vault.NewOperator{{ID: op.ID, Name: op.Name, Role: op.Role, Division: op.Division, PIN: op.Activation}},
	})
	must(t, err)
	s.ring = ring
	s.open()
	t.Cleanup(s.close)
	return s
}

func (s *station) machine() vault.Machine { return vault.KeyFile(filepath.Join(s.dir, "machine.key")) }

// open opens the store and puts an engine before it. Nobody is logged in.
func (s *station) open() {
	s.t.Helper()
	if s.ring == nil {
		ring, err := vault.OpenRing(s.dir, suite, s.machine(), vault.OpenOptions{Demo: true})
		must(s.t, err)
		s.ring = ring
	}
	var err error
	s.st, err = store.Open(store.Options{
		Dir: s.dir, Suite: suite, Ring: s.ring, Device: s.grant.Device, Clock: s.clk,
		Platform: store.Platform{SignKey: s.grant.Platform.SignKey, SealKey: s.grant.Platform.SealKey},
	})
	must(s.t, err)
	s.dial(nil)
}

// dial makes a fresh client and engine.
func (s *station) dial(onEvent func(engine.Event)) {
	s.t.Helper()
	var err error
	s.c, err = client.New(client.Config{
		BaseURL: "https://" + s.addr, Suite: suite, Stall: s.stall, Dial: s.stall, Pins: func() [][32]byte { return s.pins }, Clock: s.clk,
	})
	must(s.t, err)
	s.e, err = engine.New(engine.Config{
		Journal: s.st, Platform: s.c.Device(s.grant.Device, s.ring.DeviceKey(), s.grant.Platform.SignKey), OnEvent: onEvent,
	})
	must(s.t, err)
}

// login unlocks. A machine that died in the middle of a login counts that as a wrong PIN, so there may be a short wait.
func (s *station) login() {
	s.t.Helper()
	u, err := s.ring.Unlock(operator, pin)
	for end := time.Now().Add(10 * time.Second); errors.Is(err, vault.ErrWait) && time.Now().Before(end); {
		<-time.After(20 * time.Millisecond)
		u, err = s.ring.Unlock(operator, pin)
	}
	must(s.t, err)
	must(s.t, s.st.Unlock(u))
}

func (s *station) close() {
	if s.st != nil {
		s.c.Close()
		must(s.t, s.st.Close())
		s.st = nil
	}
}

// body is a case of about 3 kB. n tells it from others.
func body(n int, blobs ...journal.Blob) journal.CaseSubmitted {
	answers := map[string]any{"no": n, "name": fmt.Sprintf("样例%d", n)}
	for i := range 40 {
		answers[fmt.Sprintf("field%02d", i)] = fmt.Sprintf("%x", suite.Hash([]byte{byte(n), byte(n >> 8), byte(i)}))[:48]
	}
	return journal.CaseSubmitted{
		Service: "gaoling", ItemCode: "11990000000000000X4442000000001", ItemName: "高龄津贴", FormID: "gaoling", FormVersion: 1,
		Answers: canon.MustMarshal(answers), Applicant: fmt.Sprintf("样例%d", n), Division: division, Blobs: blobs,
	}
}

// save commits one case and returns its record number. Every 25th has a photo of some tens of kilobytes.
func (s *station) save(n int) (uint64, error) {
	var blobs []journal.Blob
	if n%25 == 24 {
		photo := make([]byte, 20_000+n*100)
		if err := suite.Random(photo); err != nil {
			return 0, err
		}
		b, err := s.st.PutBlob(photo, "image/jpeg", "photo.jpg")
		if err != nil {
			return 0, err
		}
		blobs = append(blobs, b)
	}
	rec, err := s.st.Commit(context.Background(), store.Act{Operator: operator, Kind: journal.KindCaseSubmitted, Body: body(n, blobs...)})
	return rec.Seq, err
}

// wantOnce checks that the platform holds exactly the device's journal: every record once, with its hash, one case for
// each submission, every blob, and that the device has the ack of the last one.
func wantOnce(t testing.TB, p *platform, s *station) {
	t.Helper()
	ctx := context.Background()
	_, head, acked, cursor, err := s.st.Position(ctx)
	must(t, err)
	if head == 0 || acked != head {
		t.Fatalf("head %d, acknowledged %d", head, acked)
	}
	own, err := s.st.Headers(0, int(head)+1)
	must(t, err)
	must(t, p.g.CatchUp(ctx))
	err = p.db.View(ctx, func(tx gateway.Tx) error {
		h, err := tx.Head(s.grant.Device)
		must(t, err)
		if h.Seq != head || h.Cursor < cursor {
			t.Fatalf("platform is at %d and cursor %d, device at %d and %d", h.Seq, h.Cursor, head, cursor)
		}
		rows, err := tx.Headers(s.grant.Device, 1, head+1)
		must(t, err)
		if len(rows) != len(own) {
			t.Fatalf("platform has %d records, device %d", len(rows), len(own))
		}
		cases := 0
		for i, r := range rows {
			if r.Seq != own[i].Seq || r.Hash != own[i].Hash(suite) {
				t.Fatalf("record %d differs", own[i].Seq)
			}
			if own[i].Kind == journal.KindCaseSubmitted {
				cases++
				if _, err := tx.Case(s.grant.Device, r.Seq); err != nil {
					t.Fatalf("record %d has no case: %v", r.Seq, err)
				}
			}
		}
		all, err := tx.Cases("", 0)
		must(t, err)
		mine := 0
		for _, c := range all {
			if c.Device == s.grant.Device {
				mine++
			}
		}
		if mine != cases {
			t.Fatalf("%d cases at the platform, %d submitted", mine, cases)
		}
		return nil
	})
	must(t, err)
	addrs, _, err := s.st.PendingBlobs(ctx)
	must(t, err)
	if len(addrs) > 0 {
		t.Fatalf("%d blobs wait", len(addrs))
	}
}

// drain does rounds until one succeeds, at most tries.
func (s *station) drain(tries int) (rounds int) {
	s.t.Helper()
	for rounds = 1; ; rounds++ {
		_, err := s.e.Once(context.Background())
		if err == nil {
			return rounds
		}
		if wire.Permanent(err) || wire.CodeOf(err) == "" || rounds == tries {
			s.t.Fatalf("round %d: %v", rounds, err)
		}
	}
}

// eventually waits for ok, at most limit.
func eventually(t testing.TB, limit time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Since(start) > limit {
			t.Fatalf("not within %v: %s", limit, what)
		}
		<-tick.C
	}
	return time.Since(start)
}
