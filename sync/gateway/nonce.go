package gateway

import (
	"encoding/binary"
	"time"
)

// nonceLife is how long a nonce may be used.
const nonceLife = 10 * time.Minute

const nonceSize = 32 // time 8 ‖ random 8 ‖ MAC 16

// nonce makes a nonce that any replica can check without remembering it.
func (g *Gateway) nonce() []byte {
	b := make([]byte, 16, nonceSize)
	binary.BigEndian.PutUint64(b, uint64(g.cfg.Now().UnixMilli()))
	if err := g.s.Random(b[8:]); err != nil {
		return nil // refused when it comes back; the random source is gone
	}
	m := g.s.MAC(g.keys.Nonce, []byte("nonce"), b)
	return append(b, m[:nonceSize-16]...)
}

// fresh reports whether this platform made the nonce within its life.
func (g *Gateway) fresh(n []byte) bool {
	if len(n) != nonceSize {
		return false
	}
	m := g.s.MAC(g.keys.Nonce, []byte("nonce"), n[:16])
	if !equal(m[:nonceSize-16], n[16:]) {
		return false
	}
	age := g.cfg.Now().Sub(time.UnixMilli(int64(binary.BigEndian.Uint64(n))))
	return age >= -time.Minute && age <= nonceLife
}
