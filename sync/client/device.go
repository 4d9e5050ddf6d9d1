package client

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

// Device is a client that speaks for one enrolled device: it holds the nonce and signs. Any goroutine may use it; it
// satisfies engine.Platform.
type Device struct {
	c        *Client
	id       uint32
	key      vault.PrivateKey
	platform vault.PublicKey

	mu    sync.Mutex // protects what follows
	nonce []byte
	part  int64               // bytes of the next blob part
	packs map[[32]byte][]byte // beginnings of packs that broke off
}

// Device returns the client of device id with its signing key. platform is the public key the gateway signs time with.
func (c *Client) Device(id uint32, key vault.PrivateKey, platform vault.PublicKey) *Device {
	return &Device{c: c, id: id, key: key, platform: platform, part: firstPart, packs: make(map[[32]byte][]byte)}
}

// Nonce asks the gateway for a fresh nonce.
func (c *Client) Nonce(ctx context.Context) ([]byte, error) {
	_, body, err := c.do(ctx, http.MethodGet, wire.PathNonce, nil, nil)
	if err != nil {
		return nil, err
	}
	n, err := message[wire.Nonce](body)
	if err != nil {
		return nil, err
	}
	return n.Nonce, nil
}

// fresh returns the nonce at hand, or a new one. old is one that was refused, or nil.
func (d *Device) fresh(ctx context.Context, old []byte) ([]byte, error) {
	d.mu.Lock()
	n := d.nonce
	d.mu.Unlock()
	if len(n) > 0 && !bytes.Equal(n, old) {
		return n, nil
	}
	n, err := d.c.Nonce(ctx)
	if err != nil {
		return nil, err
	}
	d.keep(n)
	return n, nil
}

func (d *Device) keep(nonce []byte) {
	if len(nonce) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.nonce = bytes.Clone(nonce)
}

// signed runs try with a nonce, and once more with a fresh one when the gateway refused the first.
func (d *Device) signed(ctx context.Context, try func(nonce []byte) error) error {
	nonce, err := d.fresh(ctx, nil)
	if err != nil {
		return err
	}
	err = try(nonce)
	var e *wire.Error
	if !errors.As(err, &e) || e.Code != wire.CodeNonce {
		return err
	}
	d.keep(e.Nonce)
	if nonce, err = d.fresh(ctx, nonce); err != nil {
		return err
	}
	return try(nonce)
}

// Exchange fills in device, nonce and signature, sends the request and returns the answer. The answer's time is signed by
// the platform for this very request; anything else is an error. Errors are *wire.Error.
func (d *Device) Exchange(ctx context.Context, r wire.Request) (wire.Reply, error) {
	var reply wire.Reply
	hold := time.Duration(min(r.WaitMS, wire.MaxWaitMS)) * time.Millisecond
	err := d.signed(ctx, func(nonce []byte) error {
		r.Device, r.Nonce = d.id, nonce
		if err := r.Sign(d.key); err != nil {
			return &wire.Error{V: wire.Version, Code: wire.CodeSignature, Detail: "device key does not sign", Cause: err}
		}
		body, err := canon.Marshal(r)
		if err != nil {
			return &wire.Error{V: wire.Version, Code: wire.CodeBadRequest, Cause: err}
		}
		if len(body) > wire.MaxRequest {
			return &wire.Error{V: wire.Version, Code: wire.CodeTooLarge, Detail: "request of " + strconv.Itoa(len(body)) + " bytes"}
		}
		_, plain, err := d.c.do(withHold(ctx, hold), http.MethodPost, wire.PathExchange, body, nil)
		if err != nil {
			return err
		}
		if reply, err = message[wire.Reply](plain); err != nil {
			return err
		}
		if !bytes.Equal(reply.Time.Nonce, nonce) {
			return &wire.Error{V: wire.Version, Code: wire.CodeInternal, Detail: "time is of another request"}
		}
		if err := reply.Time.Verify(d.c.c.Suite, d.platform); err != nil {
			return &wire.Error{V: wire.Version, Code: wire.CodeInternal, Detail: "time", Cause: err}
		}
		return nil
	})
	if err != nil {
		return wire.Reply{}, err
	}
	d.keep(reply.Nonce)
	return reply, nil
}

// auth returns the headers that sign a request without a signed body.
func (d *Device) auth(nonce []byte, method, path string, offset int64) (map[string]string, error) {
	a := wire.Auth{Device: d.id, Nonce: nonce, Method: method, Path: path, Offset: offset}
	if err := a.Sign(d.key); err != nil {
		return nil, &wire.Error{V: wire.Version, Code: wire.CodeSignature, Detail: "device key does not sign", Cause: err}
	}
	return a.Headers(), nil
}

// Pack fetches a pack by its hash. What arrived before a line broke is kept in memory, and the next call goes on from
// there. The bytes' SM3 is ref.Hash, or there is an error.
func (d *Device) Pack(ctx context.Context, ref wire.PackRef) ([]byte, error) {
	limit := int64(MaxPack)
	if ref.Size > MaxPack || ref.Size < 0 {
		return nil, &wire.Error{V: wire.Version, Code: wire.CodeTooLarge, Detail: "pack of " + strconv.FormatInt(ref.Size, 10) + " bytes"}
	} else if ref.Size > 0 {
		limit = ref.Size
	}
	return d.get(ctx, wire.PathPack+hex.EncodeToString(ref.Hash[:]), ref.Hash, limit)
}

// Blob fetches the sealed bytes of an attachment of a case back from the platform: of this device, or of one that it goes on
// for. It goes on where a broken line ended it, like Pack. Errors: CodeNotFound when the platform does not hold it.
func (d *Device) Blob(ctx context.Context, addr [32]byte, device uint32, seq uint64, size int64) ([]byte, error) {
	if size <= 0 || size > wire.MaxBlob {
		return nil, &wire.Error{V: wire.Version, Code: wire.CodeTooLarge, Detail: "blob of " + strconv.FormatInt(size, 10) + " bytes"}
	}
	return d.get(ctx, wire.BlobOf(addr, device, seq), addr, size)
}

// get fetches what a hash names.
func (d *Device) get(ctx context.Context, path string, hash [32]byte, limit int64) ([]byte, error) {
	var data []byte
	err := d.signed(ctx, func(nonce []byte) error {
		header, err := d.auth(nonce, http.MethodGet, path, 0)
		if err != nil {
			return err
		}
		data, err = d.fetch(ctx, path, hash, limit, header)
		return err
	})
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	delete(d.packs, hash)
	d.mu.Unlock()
	if d.c.c.Suite.Hash(data) != hash {
		return nil, &wire.Error{V: wire.Version, Code: wire.CodeInternal, Detail: "bytes are not what their hash says"}
	}
	return data, nil
}

// fetch gets the rest of a pack or blob. It reads the body itself, because resty throws a broken one away.
func (d *Device) fetch(ctx context.Context, path string, hash [32]byte, limit int64, header map[string]string) ([]byte, error) {
	d.mu.Lock()
	have := d.packs[hash]
	d.mu.Unlock()
	r := d.c.rest.R().SetContext(ctx).SetDoNotParseResponse(true).SetHeader("Accept-Encoding", "identity").SetHeaders(header)
	if len(have) > 0 {
		r.SetHeader("Range", fmt.Sprintf("bytes=%d-", len(have)))
	}
	resp, err := r.Get(path)
	if err != nil {
		return nil, d.c.lost(ctx, err)
	}
	raw := resp.RawBody()
	defer raw.Close()
	switch status := resp.StatusCode(); {
	case status == http.StatusOK:
		have = nil
	case status == http.StatusPartialContent && resp.Header().Get("Content-Range") != "" && rangeStart(resp.Header().Get("Content-Range")) == int64(len(have)):
	case status >= http.StatusBadRequest && status != http.StatusRequestedRangeNotSatisfiable:
		body, err := io.ReadAll(io.LimitReader(raw, 64<<10))
		if err != nil {
			return nil, d.c.lost(ctx, err)
		}
		return nil, refusal(status, resp.Header(), body)
	default:
		d.remember(hash, nil)
		return nil, &wire.Error{V: wire.Version, Code: wire.CodeInternal, Detail: "fetch: status " + strconv.Itoa(status)}
	}
	more, err := io.ReadAll(io.LimitReader(raw, limit-int64(len(have))+1))
	data := append(have[:len(have):len(have)], more...)
	if int64(len(data)) > limit {
		d.remember(hash, nil)
		return nil, &wire.Error{V: wire.Version, Code: wire.CodeInternal, Detail: "more bytes than announced"}
	}
	if err != nil {
		d.remember(hash, data)
		return nil, d.c.lost(ctx, err)
	}
	return data, nil
}

// remember keeps the beginning of one pack, and of no other.
func (d *Device) remember(hash [32]byte, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.packs)
	if len(data) > 0 {
		d.packs[hash] = data
	}
}

// rangeStart reads "bytes 100-199/200"; −1 when it is something else.
func rangeStart(h string) int64 {
	var from, to, total int64
	if _, err := fmt.Sscanf(h, "bytes %d-%d/%d", &from, &to, &total); err != nil {
		return -1
	}
	return from
}
