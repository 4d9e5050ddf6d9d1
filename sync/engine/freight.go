package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"bianmin/sync/wire"
)

// skipFor is how long a pack or blob that cannot be moved, for a reason of its own, is left alone.
const skipFor = 5 * time.Minute

// packs fetches what was announced and is not held.
func (e *Engine) packs(ctx context.Context, r *Result) error {
	if e.c.Packs == nil {
		return nil
	}
	kinds, versions, hashes, sizes, err := e.c.Packs.WantedPacks(ctx)
	if err != nil {
		return fmt.Errorf("list wanted packs: %w", err)
	}
	for i, h := range hashes {
		if e.skipped(h) {
			continue
		}
		if err := e.report(ctx, Sending, nil); err != nil {
			return err
		}
		data, err := e.c.Platform.Pack(ctx, wire.PackRef{Kind: kinds[i], Version: versions[i], Hash: h, Size: sizes[i]})
		if err == nil {
			if err = e.c.Packs.TakePack(ctx, h, data); err == nil {
				r.Packs++
			} else {
				err = fmt.Errorf("take pack %s %d: %w", kinds[i], versions[i], err)
			}
		}
		if err := e.own(ctx, h, "pack", err); err != nil {
			return err
		}
		if err := e.fresh(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// blobs uploads attachments, the smallest first, and lets new records pass between two parts.
func (e *Engine) blobs(ctx context.Context, r *Result) error {
	for {
		addrs, sizes, err := e.c.Journal.PendingBlobs(ctx)
		if err != nil {
			return fmt.Errorf("list attachments: %w", err)
		}
		order := make([]int, 0, len(addrs))
		var total int64
		for i, a := range addrs {
			total += sizes[i]
			if !e.skipped(a) {
				order = append(order, i)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sizes[a], sizes[b]) })
		count := func(held int64) func(*Event) {
			return func(ev *Event) { ev.Blobs, ev.BlobBytes = len(addrs), total-held }
		}
		if len(order) == 0 {
			return e.reportSame(ctx, count(0))
		}
		if err := e.report(ctx, Sending, count(0)); err != nil {
			return err
		}
		a, size := addrs[order[0]], sizes[order[0]]
		err = e.blob(ctx, a, size, count)
		if errors.Is(err, errWoken) {
			err = nil // the same blob goes on after the records
		} else if err == nil {
			r.Blobs++
		}
		if err := e.own(ctx, a, "blob", err); err != nil {
			return err
		}
		if err := e.fresh(ctx, r); err != nil {
			return err
		}
	}
}

// blob uploads one attachment; errWoken when a new record came between two parts.
func (e *Engine) blob(ctx context.Context, addr [32]byte, size int64, count func(int64) func(*Event)) error {
	src, closer, err := e.c.Journal.BlobReader(ctx, addr)
	if err != nil {
		return fmt.Errorf("open attachment: %w", err)
	}
	defer closer.Close()
	if src.Size() != size {
		size = src.Size()
	}
	part, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	start, first, moveErr := time.Now(), int64(-1), error(nil)
	progress := func(held int64) {
		if first < 0 {
			first = held
		} else {
			e.measure(int(held-first), time.Since(start))
			first, start = held, time.Now()
		}
		if err := e.report(ctx, Sending, count(held)); err != nil {
			moveErr = err
			cancel(err)
			return
		}
		if _, head, acked, _, err := e.c.Journal.Position(ctx); err == nil && head > acked && !e.forked {
			cancel(errWoken)
		}
	}
	err = e.c.Platform.PutBlob(part, addr, size, io.ReaderAt(src), progress)
	switch {
	case moveErr != nil:
		return moveErr
	case err != nil && ctx.Err() == nil && errors.Is(context.Cause(part), errWoken):
		return errWoken
	case err != nil:
		return err
	}
	if err := e.c.Journal.BlobSent(ctx, addr); err != nil {
		return fmt.Errorf("mark attachment as delivered: %w", err)
	}
	return nil
}

// back fetches attachments that this disk lost, and lets new records pass between two.
func (e *Engine) back(ctx context.Context, r *Result) error {
	addrs, sizes, devices, cases, err := e.c.Journal.WantedBlobs(ctx)
	if err != nil {
		return fmt.Errorf("list lost attachments: %w", err)
	}
	for i, a := range addrs {
		if e.skipped(a) {
			continue
		}
		if err := e.report(ctx, Sending, nil); err != nil {
			return err
		}
		data, err := e.c.Platform.Blob(ctx, a, devices[i], cases[i], sizes[i])
		if err == nil {
			if err = e.c.Journal.TakeBlob(ctx, a, data); err == nil {
				r.Back++
			} else {
				err = fmt.Errorf("take attachment back: %w", err)
			}
		}
		if err := e.own(ctx, a, "lost blob", err); err != nil {
			return err
		}
		if err := e.fresh(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// fresh exchanges again when a record was written meanwhile.
func (e *Engine) fresh(ctx context.Context, r *Result) error {
	_, head, acked, _, err := e.c.Journal.Position(ctx)
	if err != nil {
		return fmt.Errorf("read journal position: %w", err)
	}
	if head <= acked || e.forked {
		return ctx.Err()
	}
	return e.records(ctx, r)
}

// own sorts an error of one pack or blob: a fault of the line ends the round, a fault of the thing itself is remembered,
// shown, and does not keep the others waiting.
func (e *Engine) own(ctx context.Context, id [32]byte, what string, err error) error {
	switch {
	case err == nil:
		delete(e.skip, id)
		return nil
	case errors.Is(err, ErrMove), ctx.Err() != nil:
		return err
	}
	switch wire.CodeOf(err) {
	case wire.CodeBadRequest, wire.CodeTooLarge, wire.CodeNotFound, "":
		e.log.WarnContext(ctx, "left aside", slog.String("what", what), slog.Any("err", err))
		e.skip[id] = aside{time.Now().Add(skipFor), err}
		if e.soft == nil {
			e.soft = err
		}
		return nil
	}
	return err
}

// skipped reports whether a pack or blob is left alone for now; its fault stays shown.
func (e *Engine) skipped(id [32]byte) bool {
	a, ok := e.skip[id]
	if ok && time.Now().Before(a.until) {
		if e.soft == nil {
			e.soft = a.err
		}
		return true
	}
	delete(e.skip, id)
	return false
}

// reportSame refreshes the figures without a change of state.
func (e *Engine) reportSame(ctx context.Context, more func(*Event)) error {
	s := e.Status()
	if s.State != Sending && s.State != Idle {
		s.State = Sending
	}
	probe := Event{}
	more(&probe)
	if probe.Blobs == s.Blobs && probe.BlobBytes == s.BlobBytes {
		return nil
	}
	return e.report(ctx, s.State, more)
}
