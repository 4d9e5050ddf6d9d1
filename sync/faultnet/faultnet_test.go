package faultnet_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bianmin/sync/faultnet"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// echo listens on loopback and answers every connection with what it said; got counts the bytes that arrived.
func echo(t *testing.T) (addr string, got *atomic.Int64) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { ln.Close() })
	got = new(atomic.Int64)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 4096)
				for {
					n, err := c.Read(buf)
					got.Add(int64(n))
					if _, werr := c.Write(buf[:n]); err != nil || werr != nil {
						return
					}
				}
			}()
		}
	}()
	return ln.Addr().String(), got
}

// talk sends n bytes through addr and returns how many came back, and how it ended.
func talk(t *testing.T, addr string, n int) (back int, err error) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	must(t, c.SetDeadline(time.Now().Add(700*time.Millisecond)))
	if _, err := c.Write(make([]byte, n)); err != nil {
		return 0, err
	}
	return io.ReadFull(c, make([]byte, n))
}

func TestProxyCutsWhereItIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		f        faultnet.Fault
		up, back int
		deadline bool
	}{
		"clean":      {faultnet.Clean, 1000, 1000, false},
		"at once":    {faultnet.Fault{}, 0, 0, false},
		"going up":   {faultnet.Fault{Up: 300, Down: -1}, 300, -1, false}, // the reset overtakes what was echoed
		"down":       {faultnet.Fault{Up: -1, Down: 120}, 1000, -1, false},
		"up hole":    {faultnet.Fault{Up: 300, Down: -1, Hole: true}, 300, 300, true},
		"down hole":  {faultnet.Fault{Up: -1, Down: 120, Hole: true}, 1000, 120, true},
		"total hole": {faultnet.Fault{Hole: true}, 0, 0, true},
	} {
		addr, got := echo(t)
		p, err := faultnet.NewProxy(addr, faultnet.Always(c.f))
		must(t, err)
		back, err := talk(t, p.Addr(), 1000)
		if c.back >= 0 && back != c.back || c.back < 0 && back > 300 {
			t.Errorf("%s: %d bytes came back, want %d", name, back, c.back)
		}
		if (err == nil) != (c.back == 1000) || errors.Is(err, os.ErrDeadlineExceeded) != c.deadline {
			t.Errorf("%s: ended with %v", name, err)
		}
		must(t, p.Close())
		for end := time.Now().Add(2 * time.Second); got.Load() != int64(c.up) && time.Now().Before(end); {
			<-time.After(time.Millisecond)
		}
		if up := got.Load(); up != int64(c.up) {
			t.Errorf("%s: %d bytes went up, want %d", name, up, c.up)
		}
		if came, cut := p.Connections(); came != 1 || (cut > 0) != (err != nil) {
			t.Errorf("%s: %d connections, %d cut", name, came, cut)
		}
	}
}

func TestProxyWithoutTargetAndDrop(t *testing.T) {
	addr, _ := echo(t)
	p, err := faultnet.NewProxy(addr, faultnet.Always(faultnet.Clean))
	must(t, err)
	defer p.Close()
	c, err := net.Dial("tcp", p.Addr())
	must(t, err)
	defer c.Close()
	_, err = c.Write([]byte("x"))
	must(t, err)
	_, err = io.ReadFull(c, make([]byte, 1))
	must(t, err)
	p.Drop()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Fatal("still open after Drop")
	}
	p.SetTarget("")
	if n, err := talk(t, p.Addr(), 10); err == nil {
		t.Fatalf("%d bytes came back from nowhere", n)
	}
	p.SetTarget(addr)
	_, err = talk(t, p.Addr(), 10)
	must(t, err)
}

func TestDelay(t *testing.T) {
	addr, _ := echo(t)
	p, err := faultnet.NewProxy(addr, faultnet.Always(faultnet.Fault{Up: -1, Down: -1, Delay: 60 * time.Millisecond}))
	must(t, err)
	defer p.Close()
	start := time.Now()
	_, err = talk(t, p.Addr(), 10)
	must(t, err)
	if took := time.Since(start); took < 120*time.Millisecond {
		t.Fatalf("there and back in %v", took)
	}
}

func TestRandomIsTheSameAgain(t *testing.T) {
	a, b := faultnet.Random(5, 20, 1000, true), faultnet.Random(5, 20, 1000, true)
	other := faultnet.Random(6, 20, 1000, true)
	differs := false
	for n := range 25 {
		f := a(n)
		if f != b(n) {
			t.Fatal("one seed, two plans")
		}
		differs = differs || f != other(n)
		if clean := f == faultnet.Clean; clean != (n >= 20) {
			t.Fatalf("connection %d: %+v", n, f)
		}
	}
	if !differs {
		t.Fatal("two seeds, one plan")
	}
}

func TestListenerLosesTheAnswer(t *testing.T) {
	for _, at := range []int64{0, 1, 17, 100, -1} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		var served atomic.Int64
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			served.Add(1)
			_, _ = io.WriteString(w, strings.Repeat("x", 4096))
		})}
		go srv.Serve(faultnet.NewListener(ln, faultnet.Always(faultnet.Fault{Up: -1, Down: at})))
		c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}
		resp, err := c.Post("http://"+ln.Addr().String(), "text/plain", strings.NewReader("q"))
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		if (err == nil) != (at < 0) || served.Load() != 1 {
			t.Errorf("cut at %d: err %v, served %d", at, err, served.Load())
		}
		must(t, srv.Close())
	}
}

func TestListenerHoleAnswersNobody(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") })}
	l := faultnet.NewListener(ln, faultnet.Always(faultnet.Fault{Up: -1, Down: 3, Hole: true}))
	go srv.Serve(l)
	defer srv.Close()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 300 * time.Millisecond}
	if _, err := c.Get("http://" + ln.Addr().String()); err == nil {
		t.Fatal("an answer out of a hole")
	}
	l.SetPlan(faultnet.Always(faultnet.Fault{Up: -1, Down: -1, Delay: time.Millisecond}))
	resp, err := c.Get("http://" + ln.Addr().String())
	must(t, err)
	resp.Body.Close()
}

func TestRepeat(t *testing.T) {
	for _, together := range []bool{false, true} {
		var bodies atomic.Int64
		h := faultnet.Repeat(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			if err != nil || !bytes.Equal(b, []byte("hello")) {
				t.Errorf("body %q, %v", b, err)
			}
			bodies.Add(1)
			w.WriteHeader(http.StatusTeapot)
		}), func(r *http.Request) bool { return r.Method == http.MethodPost }, together)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("hello")))
		if w.Code != http.StatusTeapot || bodies.Load() != 2 {
			t.Fatalf("status %d, %d requests", w.Code, bodies.Load())
		}
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", strings.NewReader("hello")))
		if bodies.Load() != 3 {
			t.Fatalf("%d requests", bodies.Load())
		}
	}
}
