package desk

import (
	"context"
	"errors"
	"time"

	"bianmin/offline/counter"
	"bianmin/offline/store"
	"bianmin/offline/words"
)

// ErrRestoreLogin reports lost records that somebody must be logged in for: what the platform gives back is sealed.
var ErrRestoreLogin = words.New("sync.restoreLogin", nil)

// TakeSnapshot takes a part of what the platform gives back of this machine's journal. Receipts that were handed out are
// made again: their content follows from the records. done is true when the journal goes on. Error: the key
// "sync.restoreLogin" while nobody is logged in.
func (d *Desk) TakeSnapshot(ctx context.Context, ack []byte, packets [][]byte, more bool) (done bool, err error) {
	done, err = d.store.TakeSnapshot(ctx, ack, packets, more, receiptBy(d.store.Signer()))
	if errors.Is(err, store.ErrLocked) {
		err = ErrRestoreLogin
	}
	return done, err
}

// recovered tells what the last recovery from the platform brought back; nil when there was none.
func (d *Desk) recovered() (*counter.Recovered, error) {
	r, err := d.store.Recovered()
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &counter.Recovered{
		At: time.UnixMilli(r.At), From: r.From, To: r.To, Mirror: r.Mirror, MissingFrom: r.MissingFrom, MissingTo: r.MissingTo,
		Unknown: r.Unknown, Drafts: r.Drafts, Blobs: r.Blobs,
	}, nil
}
