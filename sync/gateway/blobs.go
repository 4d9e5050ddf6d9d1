package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"bianmin/offline/durable"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

const (
	partsFolder = "parts"            // uploads that are not whole
	partLife    = 7 * 24 * time.Hour // then an upload is abandoned
	maxParts    = 64                 // unfinished uploads of one device
	lockWait    = 3 * time.Second    // how long a request waits for the one before it to end
)

// parts lets one request at a time touch an upload. A newer request ends the older one: a device that asks again has
// lost its line, and nobody may wait for bytes that will not come.
type parts struct {
	mu   sync.Mutex // guards busy
	busy map[string]*holder
}

type holder struct {
	stop    func() // ends the request that holds the upload; may be nil
	stopped bool   // stop was called
	done    chan struct{}
}

// lock takes an upload; false when the one who holds it does not let go in time.
func (p *parts) lock(ctx context.Context, name string, stop func()) bool {
	limit := time.NewTimer(lockWait)
	defer limit.Stop()
	again := time.NewTicker(50 * time.Millisecond) // its next read may have moved the deadline on
	defer again.Stop()
	for {
		p.mu.Lock()
		h := p.busy[name]
		if h == nil {
			if p.busy == nil {
				p.busy = make(map[string]*holder)
			}
			p.busy[name] = &holder{stop: stop, done: make(chan struct{})}
			p.mu.Unlock()
			return true
		}
		if h.stop != nil {
			h.stop() // under the mutex: once unlock has run, the connection may serve another request
			h.stopped = true
		}
		p.mu.Unlock()
		select {
		case <-h.done:
		case <-again.C:
		case <-limit.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// unlock lets an upload go, and reports whether the request was to be stopped: its connection is of no more use then.
func (p *parts) unlock(name string) (stopped bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if h := p.busy[name]; h != nil {
		close(h.done)
		delete(p.busy, name)
		return h.stopped
	}
	return false
}

// sweep removes uploads nobody went on with.
func (p *parts) sweep(dir string, now time.Time) error {
	entries, err := os.ReadDir(filepath.Join(dir, partsFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || now.Sub(info.ModTime()) < partLife {
			continue
		}
		// A request that writes to it right now goes on writing to nothing and starts anew.
		err = os.Remove(filepath.Join(dir, partsFolder, e.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// upload is one blob on its way: the file is named <address>.<device>.<length>.
type upload struct {
	addr   vault.Hash
	device uint32
	whole  string // where it will be
	part   string // where it is; "" when not begun
	length int64
	offset int64
	done   bool
}

func (g *Gateway) upload(addr vault.Hash, device uint32) (upload, error) {
	name := hex.EncodeToString(addr[:])
	u := upload{addr: addr, device: device, whole: filepath.Join(g.cfg.Blobs, name[:2], name)}
	if info, err := os.Stat(u.whole); err == nil {
		u.length, u.offset, u.done = info.Size(), info.Size(), true
		return u, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return u, err
	}
	found, err := filepath.Glob(filepath.Join(g.cfg.Blobs, partsFolder, fmt.Sprintf("%s.%d.*", name, device)))
	if err != nil || len(found) == 0 {
		return u, err
	}
	info, err := os.Stat(found[0])
	if err != nil {
		return u, err
	}
	u.length, err = strconv.ParseInt(found[0][strings.LastIndexByte(found[0], '.')+1:], 10, 64)
	u.part, u.offset = found[0], info.Size()
	return u, err
}

func blobOptions(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set(wire.HeaderTusResumable, wire.TusVersion)
	h.Set("Tus-Version", wire.TusVersion)
	h.Set("Tus-Extension", "creation")
	h.Set("Tus-Max-Size", strconv.Itoa(wire.MaxBlob))
	w.WriteHeader(http.StatusNoContent)
}

// blob serves the uploads: tus 1.0 core with creation, where the address is chosen by the device because it is the hash.
func (g *Gateway) blob(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(wire.HeaderTusResumable, wire.TusVersion)
	if r.Header.Get(wire.HeaderTusResumable) != wire.TusVersion && r.Method != http.MethodOptions {
		w.Header().Set("Tus-Version", wire.TusVersion)
		g.refuseAs(w, r, http.StatusPreconditionFailed, &wire.Error{Code: wire.CodeBadRequest, Detail: "tus version"})
		return
	}
	switch r.Method {
	case http.MethodOptions:
		blobOptions(w, r)
	case http.MethodHead:
		g.blobHead(w, r)
	case http.MethodPost:
		g.blobCreate(w, r)
	case http.MethodPatch:
		g.blobPatch(w, r)
	default:
		w.Header().Set("Allow", "HEAD, POST, PATCH, OPTIONS")
		g.refuseAs(w, r, http.StatusMethodNotAllowed, &wire.Error{Code: wire.CodeBadRequest, Detail: "method"})
	}
}

// begin checks who asks, takes the upload and finds how far it is. The caller calls end before it answers.
func (g *Gateway) begin(w http.ResponseWriter, r *http.Request, offset int64) (u upload, end func(), err error) {
	addr, err := hashOf(r.PathValue("addr"))
	if err != nil {
		return u, nil, err
	}
	d, err := g.authorized(r, offset)
	if err != nil {
		return u, nil, err
	}
	name := fmt.Sprintf("%s.%d", addr, d.Device)
	rc := http.NewResponseController(w)
	var stop func()
	if r.Method == http.MethodPatch {
		stop = func() { _ = rc.SetReadDeadline(time.Now()) }
	}
	if !g.parts.lock(r.Context(), name, stop) {
		return u, nil, &wire.Error{Code: wire.CodeBusy, Detail: "upload is being written"}
	}
	if u, err = g.upload(addr, d.Device); err != nil {
		g.parts.unlock(name)
		return u, nil, err
	}
	return u, func() {
		if g.parts.unlock(name) {
			w.Header().Set("Connection", "close")
		}
	}, nil
}

func (g *Gateway) blobHead(w http.ResponseWriter, r *http.Request) {
	u, end, err := g.begin(w, r, 0)
	if err == nil {
		end()
		if !u.done && u.part == "" {
			err = &wire.Error{Code: wire.CodeNotFound}
		}
	}
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	w.Header().Set(wire.HeaderUploadOffset, strconv.FormatInt(u.offset, 10))
	w.Header().Set(wire.HeaderUploadLength, strconv.FormatInt(u.length, 10))
	w.WriteHeader(http.StatusOK)
}

func (g *Gateway) blobCreate(w http.ResponseWriter, r *http.Request) {
	length, err := strconv.ParseInt(r.Header.Get(wire.HeaderUploadLength), 10, 64)
	switch {
	case err != nil || length <= 0:
		g.refuse(w, r, &wire.Error{Code: wire.CodeBadRequest, Detail: "upload length"})
		return
	case length > wire.MaxBlob:
		g.refuse(w, r, &wire.Error{Code: wire.CodeTooLarge, Detail: "at most " + strconv.Itoa(wire.MaxBlob) + " bytes"})
		return
	}
	u, end, err := g.begin(w, r, length)
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	other := u.length != length && (u.done || u.part != "")
	if !u.done && u.part == "" {
		err = g.createPart(u, length)
	}
	end()
	switch {
	case err != nil:
		g.refuse(w, r, err)
		return
	case other:
		g.refuseAs(w, r, http.StatusConflict, &wire.Error{Code: wire.CodeBadRequest, Detail: "another length"})
		return
	}
	w.Header().Set("Location", r.URL.Path)
	w.Header().Set(wire.HeaderUploadOffset, strconv.FormatInt(u.offset, 10))
	w.WriteHeader(http.StatusCreated)
}

func (g *Gateway) createPart(u upload, length int64) error {
	dir := filepath.Join(g.cfg.Blobs, partsFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	open, err := filepath.Glob(filepath.Join(dir, fmt.Sprintf("*.%d.*", u.device)))
	if err != nil {
		return err
	}
	if len(open) >= maxParts {
		return &wire.Error{Code: wire.CodeBusy, Detail: "too many unfinished uploads"}
	}
	f, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("%s.%d.%d", u.addr, u.device, length)), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func (g *Gateway) blobPatch(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != wire.TusContentType {
		g.refuseAs(w, r, http.StatusUnsupportedMediaType, &wire.Error{Code: wire.CodeBadRequest, Detail: "content type"})
		return
	}
	offset, err := strconv.ParseInt(r.Header.Get(wire.HeaderUploadOffset), 10, 64)
	if err != nil || offset < 0 {
		g.refuse(w, r, &wire.Error{Code: wire.CodeBadRequest, Detail: "upload offset"})
		return
	}
	u, end, err := g.begin(w, r, offset)
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	conflict := false
	switch {
	case !u.done && u.part == "":
		err = &wire.Error{Code: wire.CodeNotFound}
	case offset != u.offset:
		conflict = true
		err = &wire.Error{Code: wire.CodeBadRequest, Detail: "offset is " + strconv.FormatInt(u.offset, 10)}
	case !u.done:
		err = g.append(w, r, &u)
	}
	end()
	switch {
	case conflict:
		g.refuseAs(w, r, http.StatusConflict, err)
		return
	case err != nil:
		g.refuse(w, r, err)
		return
	}
	w.Header().Set(wire.HeaderUploadOffset, strconv.FormatInt(u.offset, 10))
	w.WriteHeader(http.StatusNoContent)
}

// append writes a part behind what is there. What arrived before a line broke is kept.
func (g *Gateway) append(w http.ResponseWriter, r *http.Request, u *upload) error {
	f, err := os.OpenFile(u.part, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) { // finished by another request since
		return &wire.Error{Code: wire.CodeBusy, Detail: "upload moved"}
	}
	if err != nil {
		return err
	}
	at, err := f.Seek(0, io.SeekEnd)
	if err != nil || at != u.offset {
		return errors.Join(err, f.Close(), &wire.Error{Code: wire.CodeBusy, Detail: "upload moved"})
	}
	room := min(u.length-u.offset, wire.MaxBlobPart)
	n, cerr := io.Copy(f, http.MaxBytesReader(w, steady(w, r.Body), room))
	u.offset += n
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	var big *http.MaxBytesError
	if errors.As(cerr, &big) {
		return &wire.Error{Code: wire.CodeTooLarge, Detail: "part is longer than " + strconv.FormatInt(room, 10) + " bytes"}
	}
	if cerr != nil {
		return brokeOff("part", cerr)
	}
	if u.offset < u.length {
		return nil
	}
	return g.finish(r.Context(), u)
}

// finish compares the bytes with their address and puts them in their place.
func (g *Gateway) finish(ctx context.Context, u *upload) error {
	f, err := os.Open(u.part)
	if err != nil {
		return err
	}
	h := g.s.NewHash()
	_, err = io.Copy(h, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if vault.Hash(h.Sum(nil)) != u.addr {
		g.log.WarnContext(ctx, "blob is not what its address says", slog.Uint64("device", uint64(u.device)))
		return errors.Join(&wire.Error{Code: wire.CodeBadRequest, Detail: "bytes do not have this address; send them again from the start"}, os.Remove(u.part))
	}
	dir := filepath.Dir(u.whole)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.Rename(u.part, u.whole); err != nil {
		return err
	}
	return errors.Join(durable.SyncDir(dir), durable.SyncDir(g.cfg.Blobs))
}

// Blob opens the sealed bytes of a blob for a reviewer. ErrNotFound. The caller closes it.
func (g *Gateway) Blob(addr vault.Hash) (io.ReadCloser, error) {
	name := hex.EncodeToString(addr[:])
	f, err := os.Open(filepath.Join(g.cfg.Blobs, name[:2], name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: blob %s", ErrNotFound, name)
	}
	return f, err
}

// blobBack gives a device the sealed bytes of an attachment that it lost: one of a case that it took in itself, or under a
// number that it goes on for. Range requests go on where an answer broke off.
func (g *Gateway) blobBack(w http.ResponseWriter, r *http.Request) {
	f, err := g.blobOfCase(r)
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, f)
}

func (g *Gateway) blobOfCase(r *http.Request) (*os.File, error) {
	addr, err := hashOf(r.PathValue("addr"))
	if err != nil {
		return nil, err
	}
	device, derr := strconv.ParseUint(r.PathValue("device"), 10, 32)
	seq, serr := strconv.ParseUint(r.PathValue("seq"), 10, 64)
	if derr != nil || serr != nil || device == 0 || r.URL.Path != wire.BlobOf(addr, uint32(device), seq) {
		return nil, &wire.Error{Code: wire.CodeBadRequest, Detail: "case"}
	}
	d, err := g.authorized(r, 0)
	if err != nil {
		return nil, err
	}
	var row CaseRow
	err = g.cfg.Store.View(r.Context(), func(tx Tx) error {
		if _, err := ownOrFormer(tx, d.Device, uint32(device)); err != nil {
			return err
		}
		row, err = tx.Case(uint32(device), seq)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil, &wire.Error{Code: wire.CodeNotFound}
	}
	if err != nil {
		return nil, err
	}
	c, err := g.openCase(row)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(c.Blobs, func(b journal.Blob) bool { return b.Addr == addr }) {
		return nil, &wire.Error{Code: wire.CodeNotFound}
	}
	name := hex.EncodeToString(addr[:])
	f, err := os.Open(filepath.Join(g.cfg.Blobs, name[:2], name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &wire.Error{Code: wire.CodeNotFound}
	}
	return f, err
}
