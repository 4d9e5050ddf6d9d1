package link

import (
	"context"
	"errors"
	"io"
	"math"
	"sync"

	"bianmin/offline/desk"
	"bianmin/offline/store"
	"bianmin/sync/client"
	"bianmin/sync/engine"
	"bianmin/sync/wire"
)

// line speaks for the machine under the number that it has at the moment, and gets it a new one when its journal forked.
type line struct {
	d *desk.Desk
	c *client.Client

	mu     sync.Mutex // protects what follows
	device uint32
	as     *client.Device
}

var (
	_ engine.Platform = (*line)(nil)
	_ engine.Recovery = (*line)(nil)
)

// now returns the client of the number in force.
func (l *line) now() *client.Device {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := l.d.Store()
	if device := st.Device(); l.as == nil || l.device != device {
		l.device, l.as = device, l.c.Device(device, st.Signer(), l.d.Enrolment().SignKey)
	}
	return l.as
}

// Exchange implements [engine.Platform], and so do the two methods below.
func (l *line) Exchange(ctx context.Context, r wire.Request) (wire.Reply, error) {
	return l.now().Exchange(ctx, r)
}

// PutBlob uploads sealed bytes.
func (l *line) PutBlob(ctx context.Context, addr [32]byte, size int64, r io.ReaderAt, progress func(held int64)) error {
	return l.now().PutBlob(ctx, addr, size, r, progress)
}

// Pack fetches a pack.
func (l *line) Pack(ctx context.Context, ref wire.PackRef) ([]byte, error) {
	return l.now().Pack(ctx, ref)
}

// Blob fetches an attachment back.
func (l *line) Blob(ctx context.Context, addr [32]byte, device uint32, seq uint64, size int64) ([]byte, error) {
	return l.now().Blob(ctx, addr, device, seq, size)
}

// Forked implements [engine.Recovery].
func (l *line) Forked(context.Context) (bool, error) {
	_, forked, err := l.d.Forked()
	return forked, err
}

// Renew implements [engine.Recovery]. The key is on the disk before the platform is asked, and the answer before the journal
// moves: killed anywhere in between, the next round goes on with the same key and the same number.
func (l *line) Renew(ctx context.Context) error {
	r, forked, err := l.d.Forked()
	if err != nil || !forked {
		return err
	}
	if !r.Granted {
		en := l.d.Enrolment()
		g, err := l.now().Epoch(ctx, en.Root, l.d.Ring().SealPublic(), wire.Epoch{Fork: r.Fork, To: r.To, Head: r.Head, Lost: r.Lost}, r.Key)
		if wire.CodeOf(err) == wire.CodeBadRequest && !r.Lost {
			return errors.Join(err, l.d.DropFork())
		}
		if err != nil {
			return err
		}
		if err := l.d.GrantEpoch(g.Former, g.Device, g.SignCert, g.SealCert, g.At); err != nil {
			return err
		}
	}
	return l.d.EnterEpoch(ctx)
}

// Lost implements [engine.Recovery].
func (l *line) Lost(context.Context) (bool, error) { return l.d.Store().Lost(), nil }

// noEvents asks for a snapshot without events: they come with the next exchange.
const noEvents = math.MaxUint64

// Restore implements [engine.Recovery]. Each part is durable before the next is asked for: cut anywhere, the next round goes
// on from there.
func (l *line) Restore(ctx context.Context, ack []byte) error {
	st := l.d.Store()
	if ack != nil {
		if err := st.MarkLost(ack); err != nil {
			return err
		}
	}
	if st.Locked() { // before anything is fetched: it could not be opened
		return desk.ErrRestoreLogin
	}
	for {
		head, hash := st.Tip()
		part, err := l.now().Snapshot(ctx, st.Device(), head, hash, noEvents)
		if err != nil {
			return err
		}
		if part.Diverged {
			return st.Unlost()
		}
		done, err := l.d.TakeSnapshot(ctx, part.Ack, part.Packets, part.More)
		if err != nil {
			return err
		}
		if _, _, renumber := st.Renumbering(); done && renumber {
			return l.Renew(ctx)
		}
		if done {
			return nil
		}
	}
}

// Follow implements [engine.Recovery]: records first, then the events about them.
func (l *line) Follow(ctx context.Context) error {
	list, err := l.d.Follow()
	if err != nil {
		return err
	}
	for _, f := range list {
		for records, done := true, false; !done; {
			cursor := f.Cursor
			if records {
				cursor = noEvents
			}
			part, err := l.now().Snapshot(ctx, f.Device, f.Head, f.Hash, cursor)
			if err != nil {
				return err
			}
			if part.Of == 0 || part.Diverged {
				return l.d.Asked()
			}
			if f, err = l.d.TakeFormer(ctx, store.FormerPart{
				Device: part.Of, Ack: part.Ack, Packets: part.Packets, Events: part.Events, Bodies: part.Bodies,
			}); err != nil {
				return err
			}
			switch {
			case part.More:
			case records:
				records = false
			default:
				done = true
			}
		}
	}
	return nil
}
