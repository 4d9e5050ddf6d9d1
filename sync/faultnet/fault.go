package faultnet

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// Fault is what happens to one connection. The zero value cuts it at once; Clean does nothing.
type Fault struct {
	Up    int64         // bytes from client to server that pass before the fault; negative: no limit
	Down  int64         // bytes from server to client that pass before the fault; negative: no limit
	Hole  bool          // at the limit the connection stays open and silent instead of being cut
	Delay time.Duration // before each piece of data in either direction
}

// Clean passes everything.
var Clean = Fault{Up: -1, Down: -1}

// Plan gives the fault of the n-th connection, n from 0. It is called from one goroutine at a time.
type Plan func(n int) Fault

// Always gives every connection the same fault.
func Always(f Fault) Plan { return func(int) Fault { return f } }

// Random cuts the first cuts connections at seeded places, after 64 to span bytes in one direction, one in ten of them as a
// black hole when holes is set; later connections are clean. Places are spread evenly over magnitudes: as many fall
// into the first hundreds of bytes, where TLS shakes hands, as into thousands or tens of thousands, the middle of bodies.
func Random(seed uint64, cuts int, span int64, holes bool) Plan {
	r := rand.New(rand.NewPCG(seed, 0x626d))
	return func(n int) Fault {
		if n >= cuts {
			return Clean
		}
		f := Clean
		at := int64(64 * math.Exp(r.Float64()*math.Log(float64(span)/64)))
		if r.IntN(2) == 0 {
			f.Up = at
		} else {
			f.Down = at
		}
		f.Hole = holes && r.IntN(10) == 0
		return f
	}
}

// gate counts bytes of one direction.
type gate struct {
	mu   sync.Mutex // protects left
	left int64      // negative: no limit
}

// take returns how many of n bytes pass, and whether the limit is reached.
func (g *gate) take(n int) (pass int, end bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.left < 0 {
		return n, false
	}
	pass = int(min(int64(n), g.left))
	g.left -= int64(pass)
	return pass, g.left == 0
}
