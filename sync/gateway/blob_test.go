package gateway_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"bianmin/offline/vault"
	"bianmin/sync/gateway"
	"bianmin/sync/wire"
)

// tus sends one signed request of an upload.
func (d *device) tus(method string, addr vault.Hash, offset int64, body io.Reader, header map[string]string) (*http.Response, error) {
	d.r.t.Helper()
	path := wire.PathBlob + hex.EncodeToString(addr[:])
	a := wire.Auth{Device: d.id, Nonce: d.fresh(), Method: method, Path: path, Offset: offset}
	if err := a.Sign(d.sign); err != nil {
		d.r.t.Fatal(err)
	}
	req, err := http.NewRequest(method, d.r.srv.URL+path, body)
	if err != nil {
		d.r.t.Fatal(err)
	}
	req.Header.Set(wire.HeaderTusResumable, wire.TusVersion)
	for k, v := range a.Headers() {
		req.Header.Set(k, v)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := d.r.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp, err
}

func (d *device) create(addr vault.Hash, length int64) int {
	d.r.t.Helper()
	resp, err := d.tus(http.MethodPost, addr, length, nil, map[string]string{wire.HeaderUploadLength: strconv.FormatInt(length, 10)})
	if err != nil {
		d.r.t.Fatal(err)
	}
	return resp.StatusCode
}

func (d *device) patch(addr vault.Hash, offset int64, part io.Reader) (int, int64) {
	d.r.t.Helper()
	resp, err := d.tus(http.MethodPatch, addr, offset, part, map[string]string{
		wire.HeaderUploadOffset: strconv.FormatInt(offset, 10), "Content-Type": wire.TusContentType,
	})
	if err != nil {
		return 0, 0
	}
	at, _ := strconv.ParseInt(resp.Header.Get(wire.HeaderUploadOffset), 10, 64)
	return resp.StatusCode, at
}

func (d *device) head(addr vault.Hash) (int, int64) {
	d.r.t.Helper()
	resp, err := d.tus(http.MethodHead, addr, 0, nil, nil)
	if err != nil {
		d.r.t.Fatal(err)
	}
	at, _ := strconv.ParseInt(resp.Header.Get(wire.HeaderUploadOffset), 10, 64)
	return resp.StatusCode, at
}

// broken gives some bytes and then fails, like a line that is cut.
type broken struct {
	data []byte
}

func (b *broken) Read(p []byte) (int, error) {
	if len(b.data) == 0 {
		return 0, errors.New("cut")
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

func TestBlobResume(t *testing.T) {
	r := newRig(t)
	d := r.enrolled()
	data := bytes.Repeat([]byte("sealed bytes "), 20_000)
	addr := suite.Hash(data)
	if status, _ := d.head(addr); status != http.StatusNotFound {
		t.Fatalf("status %d for a blob nobody sent", status)
	}
	if status := d.create(addr, int64(len(data))); status != http.StatusCreated {
		t.Fatalf("create: %d", status)
	}
	if status, at := d.patch(addr, 0, bytes.NewReader(data[:1000])); status != http.StatusNoContent || at != 1000 {
		t.Fatalf("first part: %d, offset %d", status, at)
	}
	if status, _ := d.patch(addr, 0, bytes.NewReader(data[:1000])); status != http.StatusConflict {
		t.Fatalf("the same part again: %d", status)
	}
	d.patch(addr, 1000, &broken{data[1000:90_000]})
	status, at := d.head(addr)
	if status != http.StatusOK || at < 1000 || at > 90_000 {
		t.Fatalf("after the cut: %d, offset %d", status, at)
	}
	if status := d.create(addr, int64(len(data))); status != http.StatusCreated {
		t.Fatalf("create again: %d", status)
	}
	// The gateway may still be taking what the cut request sent; then it stands elsewhere, and is asked again.
	end := int64(0)
	for try := 0; status != http.StatusNoContent && try < 10; try++ {
		if _, at = d.head(addr); at >= 1000 {
			status, end = d.patch(addr, at, bytes.NewReader(data[at:]))
		}
	}
	if status != http.StatusNoContent || end != int64(len(data)) {
		t.Fatalf("the rest: %d, offset %d", status, end)
	}
	if status, end := d.head(addr); status != http.StatusOK || end != int64(len(data)) {
		t.Fatalf("whole: %d, offset %d\n%s", status, end, r.log)
	}
	f, err := r.g.Blob(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	// Another device that has the same sealed bytes need not send them.
	other := r.enrolled()
	if status, end := other.head(addr); status != http.StatusOK || end != int64(len(data)) {
		t.Fatalf("other device: %d, offset %d", status, end)
	}
	if left, err := os.ReadDir(filepath.Join(r.dir, "blobs", "parts")); err != nil || len(left) != 0 {
		t.Fatalf("%d parts left, %v", len(left), err)
	}
}

func TestBlobRefusals(t *testing.T) {
	r := newRig(t)
	d := r.enrolled()
	data := []byte("these bytes")
	addr := suite.Hash(data)
	t.Run("wrong bytes", func(t *testing.T) {
		d.create(addr, int64(len(data)))
		if status, _ := d.patch(addr, 0, bytes.NewReader([]byte("other bytes"))); status != http.StatusBadRequest {
			t.Fatalf("status %d", status)
		}
		if status, _ := d.head(addr); status != http.StatusNotFound {
			t.Fatalf("status %d: it must start anew", status)
		}
		if _, err := r.g.Blob(addr); !errors.Is(err, gateway.ErrNotFound) {
			t.Fatal(err)
		}
	})
	t.Run("longer than announced", func(t *testing.T) {
		d.create(addr, 5)
		if status, _ := d.patch(addr, 0, bytes.NewReader(data)); status != http.StatusRequestEntityTooLarge {
			t.Fatalf("status %d", status)
		}
	})
	t.Run("too large", func(t *testing.T) {
		if status := d.create(suite.Hash([]byte("x")), wire.MaxBlob+1); status != http.StatusRequestEntityTooLarge {
			t.Fatalf("status %d", status)
		}
	})
	t.Run("not begun", func(t *testing.T) {
		if status, _ := d.patch(suite.Hash([]byte("y")), 0, bytes.NewReader(data)); status != http.StatusNotFound {
			t.Fatalf("status %d", status)
		}
	})
	t.Run("signature of another offset", func(t *testing.T) {
		resp, err := d.tus(http.MethodPatch, addr, 0, bytes.NewReader(data), map[string]string{
			wire.HeaderUploadOffset: "3", "Content-Type": wire.TusContentType,
		})
		if err != nil || resp.StatusCode != http.StatusForbidden {
			t.Fatalf("%v, %v", resp.StatusCode, err)
		}
	})
	t.Run("unsigned", func(t *testing.T) {
		_, err := r.do(http.MethodHead, wire.PathBlob+hex.EncodeToString(addr[:]), nil, map[string]string{wire.HeaderTusResumable: wire.TusVersion})
		if err == nil || err.Error() != "status 400" {
			t.Fatal(err)
		}
	})
	t.Run("no address", func(t *testing.T) {
		_, err := r.do(http.MethodPost, wire.PathBlob+"..%2f..%2fetc", nil, map[string]string{wire.HeaderTusResumable: wire.TusVersion, wire.HeaderUploadLength: "3"})
		wantCode(t, err, wire.CodeBadRequest)
	})
	t.Run("other tus version", func(t *testing.T) {
		_, err := r.do(http.MethodPost, wire.PathBlob+hex.EncodeToString(addr[:]), nil, nil)
		wantCode(t, err, wire.CodeBadRequest)
	})
	t.Run("too many unfinished", func(t *testing.T) {
		m := r.enrolled()
		status := http.StatusCreated
		for i := 0; status == http.StatusCreated && i < 100; i++ {
			status = m.create(suite.Hash([]byte(fmt.Sprint(i))), 10)
		}
		if status != http.StatusServiceUnavailable {
			t.Fatalf("status %d", status)
		}
	})
}

func TestPackNeedsADevice(t *testing.T) {
	r := newRig(t)
	d := r.enrolled()
	data := bytes.Repeat([]byte("pack"), 1000)
	hash := suite.Hash(data)
	if err := r.db.Update(context.Background(), func(tx gateway.Tx) error {
		return tx.AddPack(gateway.PackRow{Kind: "test", Version: 1, Hash: hash, Size: int64(len(data)), Bytes: data})
	}); err != nil {
		t.Fatal(err)
	}
	path := wire.PathPack + hex.EncodeToString(hash[:])
	if _, err := r.do(http.MethodGet, path, nil, nil); err == nil {
		t.Fatal("a stranger got a pack")
	}
	a := wire.Auth{Device: d.id, Nonce: d.fresh(), Method: http.MethodGet, Path: path}
	if err := a.Sign(d.sign); err != nil {
		t.Fatal(err)
	}
	got, err := r.do(http.MethodGet, path, nil, a.Headers())
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	h := a.Headers()
	h["Range"] = "bytes=100-"
	if got, err = r.do(http.MethodGet, path, nil, h); err != nil || !bytes.Equal(got, data[100:]) {
		t.Fatalf("range: %d bytes, %v", len(got), err)
	}
}
