package faultnet

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// Listener wraps the listener of an HTTP server. Put it above TLS: then Down counts the bytes of the plain answer, so a
// reply can be lost after its first byte, in the middle of a header, in the middle of the body.
type Listener struct {
	net.Listener

	mu   sync.Mutex // protects what follows
	plan Plan
	n    int
}

// NewListener wraps ln.
func NewListener(ln net.Listener, plan Plan) *Listener { return &Listener{Listener: ln, plan: plan} }

// SetPlan changes the plan and counts connections from 0 again.
func (l *Listener) SetPlan(plan Plan) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plan, l.n = plan, 0
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.plan(l.n)
	l.n++
	return &conn{Conn: c, f: f, up: &gate{left: f.Up}, down: &gate{left: f.Down}}, nil
}

type conn struct {
	net.Conn
	f        Fault
	up, down *gate
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if c.f.Delay > 0 {
		<-time.After(c.f.Delay)
	}
	n, err := c.Conn.Read(p)
	pass, end := c.up.take(n)
	if end {
		return pass, c.finish()
	}
	return pass, err
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	if c.f.Delay > 0 {
		<-time.After(c.f.Delay)
	}
	pass, end := c.down.take(len(p))
	n, err := 0, error(nil)
	if pass > 0 {
		n, err = c.Conn.Write(p[:pass])
	}
	if !end || err != nil {
		return n, err
	}
	if c.f.Hole {
		return len(p), nil // the server believes it answered
	}
	return n, c.finish()
}

func (c *conn) finish() error {
	if !c.f.Hole {
		c.Conn.Close()
	}
	return net.ErrClosed
}

// Repeat hands each request for which twice says so to h two times, at the same moment when together is set, and answers
// with the second result: what a client's or a relay's own retry does. Bodies are limited to 16 MiB.
func Repeat(h http.Handler, twice func(*http.Request) bool, together bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !twice(r) {
			h.ServeHTTP(w, r)
			return
		}
		body, err := readBody(r)
		if err != nil {
			return // the request itself did not arrive
		}
		var wg sync.WaitGroup
		first := func() { h.ServeHTTP(httptest.NewRecorder(), withBody(r, body)) }
		if together {
			wg.Go(first)
		} else {
			first()
		}
		h.ServeHTTP(w, withBody(r, body))
		wg.Wait()
	})
}
