package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

const (
	maxSmall    = 64 << 10 // bytes of a request that carries no packets
	minCompress = 512      // answers below this many bytes go as they are
)

// Handler returns the gateway's HTTP side. Serve it with Keys.TLSConfig.
func (g *Gateway) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+wire.PathHello, g.limited(g.hello))
	mux.HandleFunc("POST "+wire.PathEnroll, g.limited(g.enroll))
	mux.HandleFunc("GET "+wire.PathNonce, g.giveNonce)
	mux.HandleFunc("POST "+wire.PathEpoch, g.limited(g.epoch))
	mux.HandleFunc("POST "+wire.PathSnapshot, g.snapshot)
	mux.HandleFunc("POST "+wire.PathExchange, g.exchange)
	mux.HandleFunc("GET "+wire.PathPack+"{hash}", g.pack)
	mux.HandleFunc(wire.PathBlob+"{addr}", g.blob)
	mux.HandleFunc("GET "+wire.PathBlob+"{addr}/{device}/{seq}", g.blobBack)
	mux.HandleFunc("POST "+wire.PathStatus, g.limited(g.status))
	mux.HandleFunc("GET /v1/health", g.health)
	g.pageRoutes(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		g.refuse(w, r, &wire.Error{Code: wire.CodeNotFound})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		defer func() {
			if v := recover(); v != nil {
				if v == http.ErrAbortHandler { //nolint:errorlint // the value net/http documents
					panic(v)
				}
				g.log.ErrorContext(r.Context(), "handler panicked", slog.String("path", routeOf(r)), slog.Any("value", v))
				g.refuse(w, r, &wire.Error{Code: wire.CodeInternal})
			}
		}()
		mux.ServeHTTP(w, r)
	})
}

// routeOf names the route without the part that a person could be found by.
func routeOf(r *http.Request) string {
	if r.Pattern != "" {
		return r.Pattern
	}
	return r.Method
}

// Server returns an http.Server with limits that suit slow lines: a device may take its time, an idle one may not stay.
func (g *Gateway) Server() *http.Server {
	return &http.Server{
		Handler: g.Handler(), TLSConfig: g.keys.TLSConfig(), ReadHeaderTimeout: 20 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
}

func (g *Gateway) health(w http.ResponseWriter, r *http.Request) {
	if _, err := g.Settings(r.Context()); err != nil {
		g.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}

func (g *Gateway) giveNonce(w http.ResponseWriter, r *http.Request) {
	g.answer(w, r, wire.Nonce{V: wire.Version, Nonce: g.nonce()})
}

// body reads a request within limit bytes.
func body(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, steady(w, r.Body), limit))
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return nil, &wire.Error{Code: wire.CodeTooLarge, Detail: "at most " + strconv.FormatInt(limit, 10) + " bytes"}
	case err != nil:
		return nil, brokeOff("body", err)
	}
	return data, nil
}

// brokeOff is told when the line broke in the middle of a request. Nothing was judged and nothing stored: whoever still
// hears it asks again at once.
func brokeOff(what string, cause error) error {
	return &wire.Error{Code: wire.CodeBusy, Detail: what + " broke off", RetryAfterMS: 1, Cause: cause}
}

// stall is how long a body may stand still. A slow line may take as long as it needs; a dead one may not.
const stall = time.Minute

// steadyBody moves the connection's deadline with every read, and lifts it at the end, so that a long poll is not cut.
type steadyBody struct {
	io.ReadCloser
	rc *http.ResponseController
}

func steady(w http.ResponseWriter, body io.ReadCloser) io.ReadCloser {
	return &steadyBody{body, http.NewResponseController(w)}
}

// Read implements io.Reader.
func (b *steadyBody) Read(p []byte) (int, error) {
	_ = b.rc.SetReadDeadline(time.Now().Add(stall)) // a recorder in a test has none
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		_ = b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

var encoder = func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2))
	if err != nil {
		panic(err) // options are constants
	}
	return e
}()

// answer sends a message, compressed when the other side reads that.
func (g *Gateway) answer(w http.ResponseWriter, r *http.Request, v any) {
	data, err := canon.Marshal(v)
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", wire.ContentType)
	h.Set("Vary", "Accept-Encoding")
	if len(data) >= minCompress && strings.Contains(r.Header.Get("Accept-Encoding"), "zstd") {
		data = encoder.EncodeAll(data, nil)
		h.Set("Content-Encoding", "zstd")
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data) // when it does not arrive, the device asks again
}

var statusOf = map[wire.Code]int{
	wire.CodeBadRequest:  http.StatusBadRequest,
	wire.CodeTooLarge:    http.StatusRequestEntityTooLarge,
	wire.CodeNonce:       http.StatusUnauthorized,
	wire.CodeUnknown:     http.StatusForbidden,
	wire.CodeSignature:   http.StatusForbidden,
	wire.CodeRevoked:     http.StatusForbidden,
	wire.CodeCodeUnknown: http.StatusNotFound,
	wire.CodeCodeUsed:    http.StatusConflict,
	wire.CodeCodeExpired: http.StatusGone,
	wire.CodeBusy:        http.StatusServiceUnavailable,
	wire.CodeNotFound:    http.StatusNotFound,
	wire.CodeInternal:    http.StatusInternalServerError,
}

// refuse sends an error; what is no wire.Error is logged and told as internal.
func (g *Gateway) refuse(w http.ResponseWriter, r *http.Request, err error) { g.refuseAs(w, r, 0, err) }

func (g *Gateway) refuseAs(w http.ResponseWriter, r *http.Request, status int, err error) {
	var e *wire.Error
	if r.Context().Err() != nil && !errors.As(err, &e) { // the device hung up, or the server is to stop
		err = &wire.Error{Code: wire.CodeBusy}
	}
	if !errors.As(err, &e) {
		g.log.ErrorContext(r.Context(), "request failed", slog.String("route", routeOf(r)), slog.Any("cause", err))
		e = &wire.Error{Code: wire.CodeInternal}
	}
	out := wire.Error{V: wire.Version, Code: e.Code, Detail: e.Detail, RetryAfterMS: e.RetryAfterMS, Nonce: e.Nonce}
	if out.Code == wire.CodeNonce && out.Nonce == nil {
		out.Nonce = g.nonce()
	}
	if out.Code == wire.CodeBusy || out.Code == wire.CodeInternal {
		if out.RetryAfterMS == 0 {
			out.RetryAfterMS = jitter(4 * time.Second).Milliseconds()
		}
	}
	if status == 0 {
		status = statusOf[out.Code]
	}
	if out.RetryAfterMS > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt((out.RetryAfterMS+999)/1000, 10))
	}
	data := canon.MustMarshal(out)
	w.Header().Set("Content-Type", wire.ContentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(data)
	}
}

// device finds who asks and whether the signature check passes; revoked devices are told so.
func (g *Gateway) device(ctx context.Context, number uint32, nonce []byte, verify func(vault.PublicKey) error) (DeviceRow, error) {
	if !g.fresh(nonce) {
		return DeviceRow{}, &wire.Error{Code: wire.CodeNonce}
	}
	var d DeviceRow
	err := g.store.View(ctx, func(tx Tx) (err error) {
		d, err = tx.Device(number)
		return err
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return d, &wire.Error{Code: wire.CodeUnknown}
	case err != nil:
		return d, err
	}
	if err := verify(d.SignKey); err != nil {
		return d, &wire.Error{Code: wire.CodeSignature}
	}
	if d.Revoked != 0 {
		return d, &wire.Error{Code: wire.CodeRevoked, Detail: "withdrawn after record " + strconv.FormatUint(d.CutSeq, 10)}
	}
	return d, nil
}

// authorized checks the headers of a request without a signed body.
func (g *Gateway) authorized(r *http.Request, offset int64) (DeviceRow, error) {
	a, err := wire.ParseAuth(r.Header.Get, r.Method, r.URL.Path, offset)
	if err != nil {
		return DeviceRow{}, err
	}
	return g.device(r.Context(), a.Device, a.Nonce, func(k vault.PublicKey) error { return a.Verify(g.s, k) })
}

func hashOf(text string) (vault.Hash, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != vault.HashSize || hex.EncodeToString(b) != text {
		return vault.Hash{}, &wire.Error{Code: wire.CodeBadRequest, Detail: "hash"}
	}
	return vault.Hash(b), nil
}

// limiter is a token bucket for each address.
type limiter struct {
	rate, burst float64

	mu sync.Mutex // guards m
	m  map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

// maxBuckets bounds the memory of a limiter.
const maxBuckets = 10_000

func (l *limiter) take(who string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.m == nil {
		l.m = make(map[string]bucket)
	}
	if len(l.m) >= maxBuckets {
		for k, b := range l.m {
			if now.Sub(b.at).Seconds()*l.rate >= l.burst {
				delete(l.m, k)
			}
		}
		if len(l.m) >= maxBuckets {
			return false
		}
	}
	b, ok := l.m[who]
	if !ok {
		b = bucket{l.burst, now}
	}
	b.left = math.Min(l.burst, b.left+math.Max(0, now.Sub(b.at).Seconds())*l.rate)
	b.at = now
	ok = b.left >= 1
	if ok {
		b.left--
	}
	l.m[who] = b
	return ok
}

// limited refuses an address that asks too often.
func (g *Gateway) limited(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			host = r.RemoteAddr
		}
		if !g.limit.take(host, time.Now()) {
			g.refuseAs(w, r, http.StatusTooManyRequests, &wire.Error{Code: wire.CodeBusy, Detail: "too many requests"})
			return
		}
		next(w, r)
	}
}

func equal(a, b []byte) bool { return vault.Equal(a, b) }
