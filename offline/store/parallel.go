package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

// each does n independent things on all processors: signatures are most of what a doctor computes.
func each(n int, do func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers < 2 {
		for i := range n {
			do(i)
		}
		return
	}
	var wg sync.WaitGroup
	var next atomic.Int64
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}

// events checks the platform's chain and signatures.
func (v *verifier) events() error {
	s := v.s
	var told vault.Hash
	known := true
	type found struct {
		ev  journal.Event
		sum vault.Hash
		row eventRow
		err error // of reading
		bad error // of the signature
	}
	for from := uint64(1); from <= v.cursor; from += verifyBatch {
		list := make([]found, min(verifyBatch, v.cursor-from+1))
		for i := range list {
			f := &list[i]
			f.ev, f.row, f.err = s.event(v.tx, from+uint64(i))
			f.sum = s.o.Suite.Hash(f.row.Event)
		}
		each(len(list), func(i int) {
			if f := &list[i]; f.err == nil && !f.row.gone() {
				f.bad = f.ev.Verify(s.o.Suite, s.o.Platform.SignKey)
			}
		})
		for i := range list {
			if err := v.tick(); err != nil {
				return err
			}
			v.r.Values++
			n, f := from+uint64(i), &list[i]
			what, err := "doctor.value", f.err
			switch {
			case errors.Is(err, ErrNotFound):
				what = "doctor.lost"
			case err == nil && known && f.ev.Prev != told:
				what, err = "doctor.chain", journal.ErrGap
			case err == nil:
				what, err = "doctor.signature", f.bad
			}
			if err != nil {
				v.add(Fault{Where: bucketEvents, Seq: n, Key: hex.EncodeToString(seqKey(n)), Kind: f.ev.Kind, What: what, Err: err})
			} else {
				v.heard[n] = f.sum
			}
			known = f.ev.Cursor == n
			if known {
				told = f.row.hash(s.o.Suite, f.ev)
			}
		}
	}
	return nil
}

// verifyBatch is how many things are read one after another before they are verified together.
const verifyBatch = 1024

// frame says what is wrong with one frame of the mirror. What was verified in the file already need only be the same.
func (v *verifier) frame(f Frame) error {
	s := v.s
	switch f.Kind {
	case FrameRecord:
		if sum, ok := v.sent[f.Number]; ok && sum == s.o.Suite.Hash(f.Payload) {
			return nil
		}
		return v.packet(f.Number, f.Payload)
	case FrameEvent:
		if sum, ok := v.heard[f.Number]; ok && sum == s.o.Suite.Hash(f.Payload) {
			return nil
		}
		ev, err := journal.ParseEvent(f.Payload)
		if err == nil && ev.Cursor != f.Number {
			err = fmt.Errorf("%w: event %d", ErrDamaged, ev.Cursor)
		}
		if err == nil {
			err = ev.Verify(s.o.Suite, s.o.Platform.SignKey)
		}
		return err
	case FrameGone:
		var row eventRow
		if err := s.box.decode(bucketEvents, seqKey(f.Number), f.Payload, &row); err != nil || !row.gone() {
			return fmt.Errorf("%w: erased event %d: %w", ErrDamaged, f.Number, err)
		}
	case FrameReceipt, FrameDraft:
		if v.u != nil {
			_, err := openAtDevice(s.o.Suite, v.u.SealKey(), f.Payload)
			return err
		}
	}
	return nil
}
