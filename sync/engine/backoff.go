package engine

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"time"
)

// Delays between knocks.
const (
	firstDelay  = time.Second
	quickDelay  = 5 * time.Second  // most, while the outage is young
	quickFor    = time.Minute      // what young means
	slowDelay   = 10 * time.Second // first, when it is not
	maxDelay    = 5 * time.Minute
	addrsEvery  = 3 * time.Second // how often the machine's addresses are compared while waiting
	minPollGap  = 5 * time.Second // least between two polls when the platform does not hold them
	defaultPoll = wireMaxWait
)

// backoff counts the knocks of one outage.
type backoff struct {
	since time.Time // first failure
	tries int       // in the first minute
	slow  int       // after it
}

// next returns how long to wait before the next knock: never longer than the plan, up to a quarter shorter.
func (b *backoff) next(now time.Time, random io.Reader) time.Duration {
	if b.since.IsZero() {
		b.since = now
	}
	var d time.Duration
	if now.Sub(b.since) < quickFor {
		d = min(firstDelay<<min(b.tries, 10), quickDelay)
		b.tries++
	} else {
		d = min(slowDelay<<min(b.slow, 10), maxDelay)
		b.slow++
	}
	return d - spread(d/4, random)
}

func (b *backoff) reset() { *b = backoff{} }

// spread returns a random duration in [0, d].
func spread(d time.Duration, random io.Reader) time.Duration {
	var raw [8]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil || d <= 0 {
		return 0 // without randomness stations knock together; still better than not at all
	}
	return time.Duration(binary.BigEndian.Uint64(raw[:]) % uint64(d+1))
}

// addresses returns the machine's network addresses in a form that can be compared.
func (e *Engine) addresses() []string {
	list, err := e.c.Addrs()
	if err != nil {
		return nil
	}
	out := make([]string, 0, len(list))
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsLoopback() {
			continue
		}
		out = append(out, a.String())
	}
	slices.Sort(out)
	return out
}
