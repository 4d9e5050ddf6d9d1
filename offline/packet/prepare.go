package packet

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"bianmin/offline/vault"
)

// Prepared is a content key that is already sealed to its recipients. Sealing it is most of what a small packet costs and
// depends on nothing in it, so it can be done before there is anything to say. It serves for one packet. Its methods may
// be called from any goroutine.
type Prepared struct {
	to []vault.PublicKey

	mu      sync.Mutex // guards the rest
	content vault.Key
	keys    []Key // nil when it was used
}

// Prepare makes a fresh content key and seals it to recipients.
func Prepare(s vault.Suite, recipients []vault.PublicKey) (*Prepared, error) {
	content, keys, err := sealKey(s, recipients)
	if err != nil {
		return nil, err
	}
	return &Prepared{to: slices.Clone(recipients), content: content, keys: keys}, nil
}

// take gives the key away; false when it was used, or is for other recipients.
func (p *Prepared) take(recipients []vault.PublicKey) (vault.Key, []Key, bool) {
	if p == nil || !slices.EqualFunc(p.to, recipients, func(a, b vault.PublicKey) bool { return bytes.Equal(a, b) }) {
		return vault.Key{}, nil, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	content, keys := p.content, p.keys
	clear(p.content[:])
	p.keys = nil
	return content, keys, keys != nil
}

// Take gives the key and its sealed forms to somebody who seals other things than packets to the same recipients; false
// when it was used.
func (p *Prepared) Take() (content vault.Key, keys []Key, ok bool) {
	if p == nil {
		return vault.Key{}, nil, false
	}
	return p.take(p.to)
}

// Clear forgets the key.
func (p *Prepared) Clear() { p.take(p.to) }

func sealKey(s vault.Suite, recipients []vault.PublicKey) (vault.Key, []Key, error) {
	content, err := s.NewKey()
	if err != nil {
		return content, nil, err
	}
	keys := make([]Key, len(recipients))
	for i, to := range recipients {
		sealed, err := s.SealTo(to, content[:])
		if err != nil {
			clear(content[:])
			return content, nil, fmt.Errorf("packet: seal content key: %w", err)
		}
		keys[i] = Key{KID: to.KID(), Sealed: sealed}
	}
	return content, keys, nil
}
