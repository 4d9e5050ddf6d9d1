package gateway_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"testing"

	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

// back asks for an attachment of a case, from an offset on; who signs is d, unless nobody does.
func (d *device) back(path, signed string, from int) (int, []byte) {
	d.r.t.Helper()
	req, err := http.NewRequest(http.MethodGet, d.r.srv.URL+path, nil)
	if err != nil {
		d.r.t.Fatal(err)
	}
	if signed != "" {
		a := wire.Auth{Device: d.id, Nonce: d.fresh(), Method: http.MethodGet, Path: signed}
		if err := a.Sign(d.sign); err != nil {
			d.r.t.Fatal(err)
		}
		for k, v := range a.Headers() {
			req.Header.Set(k, v)
		}
	}
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	resp, err := d.r.http.Do(req)
	if err != nil {
		d.r.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		d.r.t.Fatal(err)
	}
	return resp.StatusCode, data
}

// TestAttachmentsGoBackToTheirOwnDevice: a device gets back what a case of its own names, whole or from an offset on; nobody else
// does, and nothing that no case of its names.
func TestAttachmentsGoBackToTheirOwnDevice(t *testing.T) {
	r := newRig(t)
	d, other := r.enrolled(), r.enrolled()
	upload := func(d *device, data []byte) vault.Hash {
		t.Helper()
		addr := suite.Hash(data)
		if status := d.create(addr, int64(len(data))); status != http.StatusCreated {
			t.Fatalf("create: %d", status)
		}
		if status, at := d.patch(addr, 0, bytes.NewReader(data)); status != http.StatusNoContent || at != int64(len(data)) {
			t.Fatalf("upload: %d, %d", status, at)
		}
		return addr
	}
	data := bytes.Repeat([]byte("sealed "), 5000)
	addr, loose := upload(d, data), upload(d, []byte("of no case"))
	body := submission("赵建国")
	body.Blobs = []journal.Blob{{Addr: addr, Size: int64(len(data)) - vault.NonceSize - vault.TagSize, Media: "image/jpeg", Name: "card.jpg"}}
	rec := d.add(journal.KindCaseSubmitted, body)
	theirs, _ := other.submit("钱秀英")
	d.sync()
	other.sync()

	own := wire.BlobOf(addr, d.id, rec.Seq)
	if status, got := d.back(own, own, 0); status != http.StatusOK || !bytes.Equal(got, data) {
		t.Fatalf("own attachment: %d, %d bytes", status, len(got))
	}
	if status, got := d.back(own, own, 1000); status != http.StatusPartialContent || !bytes.Equal(got, data[1000:]) {
		t.Fatalf("the rest of it: %d, %d bytes", status, len(got))
	}
	for name, c := range map[string]struct {
		who          *device
		path, signed string
	}{
		"another device":              {other, own, own},
		"another device, its case":    {other, wire.BlobOf(addr, other.id, theirs.Seq), wire.BlobOf(addr, other.id, theirs.Seq)},
		"nobody":                      {d, own, ""},
		"signed for another path":     {d, own, wire.BlobOf(loose, d.id, rec.Seq)},
		"of no case":                  {d, wire.BlobOf(loose, d.id, rec.Seq), wire.BlobOf(loose, d.id, rec.Seq)},
		"of a case that is not there": {d, wire.BlobOf(addr, d.id, 999), wire.BlobOf(addr, d.id, 999)},
		"a number written otherwise":  {d, own[:len(own)-len(fmt.Sprint(rec.Seq))] + "0" + fmt.Sprint(rec.Seq), own},
		"no address":                  {d, wire.PathBlob + hex.EncodeToString(addr[:5]) + "/1/1", wire.PathBlob + hex.EncodeToString(addr[:5]) + "/1/1"},
	} {
		if status, got := c.who.back(c.path, c.signed, 0); status < 400 || bytes.Contains(got, []byte("sealed ")) {
			t.Errorf("%s: %d, %d bytes", name, status, len(got))
		}
	}
}
