package client

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"bianmin/sync/wire"
)

// Sizes of blob parts in bytes: the first, and the least after failures. The most is wire.MaxBlobPart.
const (
	firstPart = 256 << 10
	leastPart = 32 << 10
	quickPart = 4 * time.Second // a part within this doubles the next
)

// PutBlob uploads a sealed blob with tus 1.0 core: ask where the gateway stands, create if it knows nothing, send parts
// from there. It may be called again after any failure and goes on where the gateway stands. progress (may be nil) gets
// the bytes the gateway holds, on the caller's goroutine, after each answer. Errors are *wire.Error.
func (d *Device) PutBlob(ctx context.Context, addr [32]byte, size int64, r io.ReaderAt, progress func(held int64)) error {
	if size < 0 || size > wire.MaxBlob {
		return &wire.Error{V: wire.Version, Code: wire.CodeTooLarge, Detail: "blob of " + strconv.FormatInt(size, 10) + " bytes"}
	}
	path := wire.PathBlob + hex.EncodeToString(addr[:])
	held, err := d.blobOffset(ctx, path, size)
	if wire.CodeOf(err) == wire.CodeNotFound {
		held, err = 0, d.blobCreate(ctx, path, size)
	}
	if err != nil {
		return err
	}
	var buf []byte
	again := false // the gateway stood elsewhere once already
	for {
		if progress != nil {
			progress(held)
		}
		if held == size {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return d.c.lost(ctx, err)
		}
		n := min(d.partSize(), size-held)
		if int64(cap(buf)) < n {
			buf = make([]byte, n)
		}
		buf = buf[:n]
		if got, err := r.ReadAt(buf, held); int64(got) < n {
			return fmt.Errorf("client: read blob: %w", err)
		}
		start := time.Now()
		next, err := d.blobPart(ctx, path, held, buf)
		if errors.Is(err, errOffset) && !again {
			again = true
			if held, err = d.blobOffset(ctx, path, size); err == nil {
				continue
			}
		}
		d.paced(time.Since(start), err)
		if err != nil {
			return unwrapOffset(err)
		}
		if next <= held || next > size {
			return &wire.Error{V: wire.Version, Code: wire.CodeInternal, Detail: fmt.Sprintf("blob offset %d after %d of %d", next, held, size)}
		}
		held, again = next, false
	}
}

// errOffset marks the answer to a part that does not start where the gateway stands.
var errOffset = errors.New("client: gateway stands elsewhere")

func unwrapOffset(err error) error {
	if errors.Is(err, errOffset) {
		return &wire.Error{V: wire.Version, Code: wire.CodeBusy, Detail: "blob is being written by another upload"}
	}
	return err
}

func (d *Device) partSize() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.part
}

// paced adapts the size of parts to the line.
func (d *Device) paced(took time.Duration, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err != nil:
		d.part = max(d.part/2, leastPart)
	case took < quickPart:
		d.part = min(d.part*2, wire.MaxBlobPart)
	case took > 4*quickPart:
		d.part = max(d.part/2, leastPart)
	}
}

// tus sends one request of the upload and returns the answer's header.
func (d *Device) tus(ctx context.Context, method, path string, offset int64, body []byte, header map[string]string) (http.Header, error) {
	var answer http.Header
	err := d.signed(ctx, func(nonce []byte) error {
		h, err := d.auth(nonce, method, path, offset)
		if err != nil {
			return err
		}
		h[wire.HeaderTusResumable] = wire.TusVersion
		for k, v := range header {
			h[k] = v
		}
		resp, _, err := d.c.do(ctx, method, path, body, h)
		if resp != nil {
			answer = resp.Header()
			status := resp.StatusCode()
			// The answer to HEAD has no body to carry a code.
			if method == http.MethodHead && status == http.StatusUnauthorized && wire.CodeOf(err) == wire.CodeInternal {
				return &wire.Error{V: wire.Version, Code: wire.CodeNonce, Cause: err}
			}
			if status == http.StatusConflict {
				return errOffset
			}
		}
		return err
	})
	return answer, err
}

// blobOffset asks how much the gateway holds.
func (d *Device) blobOffset(ctx context.Context, path string, size int64) (int64, error) {
	h, err := d.tus(ctx, http.MethodHead, path, 0, nil, nil)
	if err != nil {
		return 0, unwrapOffset(err)
	}
	held, err := strconv.ParseInt(h.Get(wire.HeaderUploadOffset), 10, 64)
	if err != nil || held < 0 || held > size {
		return 0, &wire.Error{V: wire.Version, Code: wire.CodeInternal, Detail: "blob offset " + strconv.Quote(h.Get(wire.HeaderUploadOffset))}
	}
	return held, nil
}

func (d *Device) blobCreate(ctx context.Context, path string, size int64) error {
	_, err := d.tus(ctx, http.MethodPost, path, size, []byte{}, map[string]string{wire.HeaderUploadLength: strconv.FormatInt(size, 10)})
	if errors.Is(err, errOffset) {
		return nil // another try made it
	}
	return err
}

func (d *Device) blobPart(ctx context.Context, path string, offset int64, part []byte) (int64, error) {
	h, err := d.tus(ctx, http.MethodPatch, path, offset, part, map[string]string{
		wire.HeaderUploadOffset: strconv.FormatInt(offset, 10), "Content-Type": wire.TusContentType,
	})
	if err != nil {
		return 0, err
	}
	next, err := strconv.ParseInt(h.Get(wire.HeaderUploadOffset), 10, 64)
	if err != nil {
		return 0, &wire.Error{V: wire.Version, Code: wire.CodeInternal, Detail: "blob offset " + strconv.Quote(h.Get(wire.HeaderUploadOffset))}
	}
	return next, nil
}
