package faultnet

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy relays TCP connections on loopback to a target, with faults. Close it.
type Proxy struct {
	ln net.Listener
	wg sync.WaitGroup

	mu     sync.Mutex // protects what follows
	target string
	plan   Plan
	n      int
	conns  map[net.Conn]bool
	closed bool

	cuts atomic.Int64
}

// NewProxy listens on a free port of 127.0.0.1. target is "host:port"; it may change with SetTarget.
func NewProxy(target string, plan Plan) (*Proxy, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("faultnet: listen: %w", err)
	}
	p := &Proxy{ln: ln, target: target, plan: plan, conns: make(map[net.Conn]bool)}
	p.wg.Go(p.accept)
	return p, nil
}

// Addr returns "127.0.0.1:port".
func (p *Proxy) Addr() string { return p.ln.Addr().String() }

// Connections returns how many connections came, and how many faults struck.
func (p *Proxy) Connections() (came, cut int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n, int(p.cuts.Load())
}

// SetTarget changes where new connections go; "" refuses them.
func (p *Proxy) SetTarget(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// SetPlan changes the plan and counts connections from 0 again.
func (p *Proxy) SetPlan(plan Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.n = plan, 0
}

// Drop cuts all connections that are open now.
func (p *Proxy) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// Close stops listening, cuts everything, and waits.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	err := p.ln.Close()
	p.Drop()
	p.wg.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		c, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		f, target := p.plan(p.n), p.target
		p.n++
		ok := p.add(c)
		p.mu.Unlock()
		if ok {
			p.wg.Go(func() { p.relay(c, f, target) })
		}
	}
}

// add keeps a connection for Drop; mu is held.
func (p *Proxy) add(c net.Conn) bool {
	if p.closed {
		c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *Proxy) relay(client net.Conn, f Fault, target string) {
	defer p.forget(client)
	if target == "" {
		reset(client)
		return
	}
	server, err := net.Dial("tcp", target)
	if err != nil {
		reset(client)
		return
	}
	p.mu.Lock()
	ok := p.add(server)
	p.mu.Unlock()
	if !ok {
		return
	}
	defer p.forget(server)
	var wg sync.WaitGroup
	cut := func() { p.cuts.Add(1) }
	wg.Go(func() { pipe(server, client, &gate{left: f.Up}, f, cut) })
	wg.Go(func() { pipe(client, server, &gate{left: f.Down}, f, cut) })
	wg.Wait()
}

func (p *Proxy) forget(c net.Conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// pipe copies from src to dst until an end or the gate. A cut line lets arrive what had passed: the far end reads it, then
// the end; the near end is reset.
func pipe(dst, src net.Conn, g *gate, f Fault, cut func()) {
	stop := func() {
		cut()
		if f.Hole {
			swallow(src)
			return
		}
		closeWrite(dst)
		reset(src)
	}
	if g.left == 0 {
		stop()
		return
	}
	buf := make([]byte, 16<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if f.Delay > 0 {
				<-time.After(f.Delay)
			}
			pass, end := g.take(n)
			if _, werr := dst.Write(buf[:pass]); werr != nil {
				closeWrite(src)
				swallow(src)
				return
			}
			if end {
				stop()
				return
			}
		}
		if err != nil {
			closeWrite(dst)
			return
		}
	}
}

func closeWrite(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.CloseWrite() // the other side may be gone already
	}
}

// swallow reads until the connection is closed by somebody else.
func swallow(c net.Conn) {
	buf := make([]byte, 16<<10)
	for {
		if _, err := c.Read(buf); err != nil {
			return
		}
	}
}

// reset closes with RST, as a cut line looks from the near end.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	c.Close()
}
