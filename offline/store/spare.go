package store

import (
	"sync"

	"bianmin/offline/packet"
	"bianmin/offline/vault"
)

// spare is one random key for the next record and one for its receipt, already sealed to those who will read them. They
// are made after an act, while nobody waits: sealing keys is the largest part of what an act computes. Each serves once.
type spare struct {
	wg sync.WaitGroup

	mu      sync.Mutex // guards the rest
	record  *packet.Prepared
	receipt *packet.Prepared
	making  bool
	closed  bool
}

// forRecord gives the record's key away; nil when it is not ready.
func (x *spare) forRecord() *packet.Prepared {
	x.mu.Lock()
	defer x.mu.Unlock()
	p := x.record
	x.record = nil
	return p
}

// forReceipt gives the receipt's key away; nil when it is not ready.
func (x *spare) forReceipt() *packet.Prepared {
	x.mu.Lock()
	defer x.mu.Unlock()
	p := x.receipt
	x.receipt = nil
	return p
}

// fill makes the next keys in the background, then runs more; close waits for both.
func (x *spare) fill(s vault.Suite, platform, self vault.PublicKey, more func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.making || x.closed || x.record != nil && x.receipt != nil {
		return
	}
	x.making = true
	needRecord, needReceipt := x.record == nil, x.receipt == nil
	x.wg.Go(func() {
		defer more()
		var record, receipt *packet.Prepared
		// Without randomness there is no spare; the act that needs a key says so.
		if needRecord {
			record, _ = packet.Prepare(s, []vault.PublicKey{platform, self})
		}
		if needReceipt {
			receipt, _ = packet.Prepare(s, []vault.PublicKey{self})
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.making = false
		if needRecord && !x.closed {
			x.record = record
		}
		if needReceipt && !x.closed {
			x.receipt = receipt
		}
	})
}

func (x *spare) close() {
	x.mu.Lock()
	x.closed = true
	for _, p := range []*packet.Prepared{x.record, x.receipt} {
		if p != nil {
			p.Clear()
		}
	}
	x.record, x.receipt = nil, nil
	x.mu.Unlock()
	x.wg.Wait()
}
