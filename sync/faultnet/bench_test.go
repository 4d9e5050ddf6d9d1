//go:build test

package faultnet_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bianmin/offline/journal"
	"bianmin/offline/store"
	"bianmin/packaging/corpus"
	"bianmin/sync/engine"
	"bianmin/sync/wire"
)

const (
	drained  = 10_000
	together = 500 // records of one transaction while the store is filled
)

// BenchmarkDrain delivers 10,000 records of about 3.2 kB from a real store to the real gateway over TLS on loopback, and in
// the same run its floor: the same number of bytes in the same number of requests from a flat file to a flat file, over
// the same TLS, with an fsync at both ends for each. "acknowledged" ends when every record is durable at both ends and
// the device knows; "settled" when the platform has made cases of them, too, and its events are here.
func BenchmarkDrain(b *testing.B) {
	p := newPlatform(b)
	s := p.enrol(b, "")
	s.login()
	cases := corpus.NewCases(1)
	for range drained / together {
		acts := make([]store.Act, together)
		for i := range acts {
			acts[i] = store.Act{Operator: operator, Kind: journal.KindCaseSubmitted, Body: cases.Next()}
		}
		must(b, s.st.Bulk(b.Context(), acts))
	}
	s.close()
	p.stop()
	for _, mode := range []string{"unlocked", "locked"} {
		b.Run(mode, func(b *testing.B) {
			var took, acked, floor, cpu, cpuAcked time.Duration
			var size, requests int
			for b.Loop() {
				b.StopTimer()
				q := p.copy(b)
				d := s.copy(b, q.addr)
				if mode == "unlocked" {
					d.login()
				}
				meter := &meter{Platform: d.c.Device(d.grant.Device, d.ring.DeviceKey(), d.grant.Platform.SignKey)}
				var err error
				d.e, err = engine.New(engine.Config{Journal: d.st, Platform: meter})
				must(b, err)
				b.StartTimer()
				start, before := time.Now(), cpuTime()
				r, err := d.e.Once(b.Context())
				took, cpu = took+time.Since(start), cpu+cpuTime()-before
				acked, cpuAcked = acked+meter.last.Sub(start), cpuAcked+meter.cpu-before
				b.StopTimer()
				if err != nil || r.Sent != drained {
					b.Fatalf("sent %d: %v", r.Sent, err)
				}
				wantOnce(b, q, d)
				size, requests = meter.bytes, meter.requests
				floor += flat(b, q.keys.TLSConfig(), size, requests)
				d.close()
				q.stop()
				b.StartTimer()
			}
			n := float64(b.N)
			b.ReportMetric(drained*n/acked.Seconds(), "records/s")
			b.ReportMetric(acked.Seconds()*1000/n, "ms/acknowledged")
			b.ReportMetric(took.Seconds()*1000/n, "ms/settled")
			b.ReportMetric(floor.Seconds()*1000/n, "ms/floor")
			b.ReportMetric(acked.Seconds()/floor.Seconds(), "×floor")
			b.ReportMetric(float64(cpuAcked.Microseconds())/n/drained, "cpu-µs/acknowledged")
			b.ReportMetric(float64(cpu.Microseconds())/n/drained, "cpu-µs/settled")
			b.ReportMetric(0, "ns/op") // setting up is part of it: no figure
			b.ReportMetric(float64(size)/drained, "B/record")
			b.ReportMetric(float64(requests), "requests")
		})
	}
}

// meter counts what leaves.
type meter struct {
	engine.Platform
	bytes, requests int
	last            time.Time     // when the platform's last word about records arrived
	cpu             time.Duration // processor time at that moment
}

func (m *meter) Exchange(ctx context.Context, q wire.Request) (wire.Reply, error) {
	if len(q.Packets) == 0 {
		return m.Platform.Exchange(ctx, q) // only listens
	}
	m.requests++
	for _, p := range q.Packets {
		m.bytes += len(p)
	}
	defer func() { m.last, m.cpu = time.Now(), cpuTime() }()
	return m.Platform.Exchange(ctx, q)
}

// copy starts a gateway over a copy of p's folder.
func (p *platform) copy(b *testing.B) *platform {
	b.Helper()
	q := &platform{t: b, dir: b.TempDir(), addr: "127.0.0.1:0", plan: p.plan}
	must(b, os.CopyFS(q.dir, os.DirFS(p.dir)))
	q.start()
	return q
}

// copy opens a copy of s's folder, which knocks at addr.
func (s *station) copy(b *testing.B, addr string) *station {
	b.Helper()
	d := *s
	d.t, d.dir, d.addr, d.stall, d.ring, d.st = b, filepath.Join(b.TempDir(), "data"), addr, 30*time.Second, nil, nil
	must(b, os.CopyFS(d.dir, os.DirFS(s.dir)))
	must(b, os.Chmod(filepath.Join(d.dir, "machine.key"), 0o600))
	d.open()
	return &d
}

// flat sends size bytes in so many requests from a file to a file, with an fsync at both ends for each.
func flat(b *testing.B, conf *tls.Config, size, requests int) time.Duration {
	b.Helper()
	dir := b.TempDir()
	must(b, os.WriteFile(filepath.Join(dir, "from"), make([]byte, size), 0o600))
	from, err := os.Open(filepath.Join(dir, "from"))
	must(b, err)
	defer from.Close()
	open := func(name string) *os.File {
		f, err := os.Create(filepath.Join(dir, name))
		must(b, err)
		return f
	}
	to, acks := open("to"), open("acks")
	defer to.Close()
	defer acks.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	srv := &http.Server{TLSConfig: conf, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, cerr := io.Copy(to, r.Body)
		if serr := to.Sync(); cerr != nil || serr != nil {
			w.WriteHeader(500)
		}
	})}
	go srv.ServeTLS(ln, "", "")
	defer srv.Close()
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // loopback, a floor
	defer c.CloseIdleConnections()
	part := make([]byte, (size+requests-1)/requests)
	start := time.Now()
	for {
		n, err := io.ReadFull(from, part)
		if n == 0 {
			break
		}
		resp, perr := c.Post("https://"+ln.Addr().String(), wire.ContentType, bytes.NewReader(part[:n]))
		must(b, perr)
		resp.Body.Close()
		if resp.StatusCode != 200 {
			b.Fatal(resp.Status)
		}
		_, werr := acks.WriteString("ack\n")
		must(b, werr)
		must(b, acks.Sync())
		if err != nil {
			break
		}
	}
	return time.Since(start)
}
