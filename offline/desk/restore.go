package desk

import (
	"context"
	"errors"
	"time"

	"bianmin/offline/counter"
	"bianmin/offline/journal"
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

// TakeFormer takes a part of what the platform holds of a number that this machine goes on for. Receipts of a number whose key is here
// are made again; those of another machine's cannot be: its key died with it.
func (d *Desk) TakeFormer(ctx context.Context, p store.FormerPart) (store.Followed, error) {
	if k := d.store.SignerOf(p.Device); k != nil {
		p.Receipt = receiptBy(k)
	}
	return d.store.TakeFormer(ctx, p)
}

// followDoc notes that the platform was asked whether this machine goes on for another one.
const followDoc = "follow"

// Follow says what to ask the platform for: numbers that this machine goes on for, of which something new is there, and how
// far each is here. A number 0 asks whether there is one at all. Empty while nobody is logged in, because what comes is
// sealed.
func (d *Desk) Follow() ([]store.Followed, error) {
	if d.store.Locked() || d.store.Lost() {
		return nil, nil
	}
	have, err := d.store.Following()
	if err != nil {
		return nil, err
	}
	if len(have) == 0 {
		_, err := d.store.Doc(followDoc)
		if errors.Is(err, store.ErrNotFound) {
			return []store.Followed{{}}, nil
		}
		return nil, err
	}
	told := map[uint32]uint64{}
	if err := d.eachEvent(journal.EventFormer, func(body []byte) {
		if b, err := journal.DecodeBody[journal.FormerTold](body); err == nil {
			told[b.Device] = max(told[b.Device], b.Cursor)
		}
	}); err != nil {
		return nil, err
	}
	var out []store.Followed
	for _, f := range have {
		if !f.Begun || told[f.Device] > f.Cursor {
			out = append(out, f)
		}
	}
	return out, nil
}

// Asked notes that the platform was asked whether this machine goes on for another one; it is asked once.
func (d *Desk) Asked() error { return d.store.PutDoc(followDoc, []byte{1}) }

// TakeRecords takes records that the platform gives back in the place of ones that neither copy has whole; see
// store.TakeRecords.
func (d *Desk) TakeRecords(ctx context.Context, after uint64, hash [32]byte, packets [][]byte) (last uint64, err error) {
	return d.store.TakeRecords(ctx, after, hash, packets, receiptBy(d.store.Signer()))
}
