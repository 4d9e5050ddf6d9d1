package gateway_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/iotest"

	"bianmin/offline/canon"
	"bianmin/sync/wire"
)

// TestBrokenBodyIsWorthAnotherTry: a line that breaks in the middle of a request may still carry the answer back. It must not
// sound like a verdict on what was sent, or the device would give it up.
func TestBrokenBodyIsWorthAnotherTry(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{wire.PathExchange, wire.PathEnroll} {
		body := io.MultiReader(bytes.NewReader([]byte{0xa1}), iotest.ErrReader(io.ErrUnexpectedEOF))
		rec := httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodPost, path, body)
		req.Header.Set("Content-Type", wire.ContentType)
		r.g.Handler().ServeHTTP(rec, req)
		var e wire.Error
		if err := canon.Unmarshal(rec.Body.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if err := error(&e); wire.Permanent(err) || wire.CodeOf(err) == "" || rec.Code < 500 {
			t.Errorf("%s: status %d, %v", path, rec.Code, err)
		}
	}
}
