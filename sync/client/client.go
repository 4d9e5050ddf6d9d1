package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/klauspost/compress/zstd"

	"bianmin/offline/clocks"
	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

// Defaults of Config.
const (
	DefaultStall = 30 * time.Second
	DefaultDial  = 8 * time.Second
)

// MaxPack is the largest pack that is fetched, in bytes.
const MaxPack = 64 << 20

// sendBuffer is asked for in bytes (Linux doubles it). A larger one hides a stalled upload from the progress limit: the
// kernel would swallow a whole packet at once and need minutes to pass it on.
const sendBuffer = 64 << 10

// Config is what a client needs. BaseURL, Pins and Suite are required; the zero value of the rest is usable.
type Config struct {
	BaseURL string                                // https://host[:port], without path
	Pins    func() [][32]byte                     // SHA-256 of SubjectPublicKeyInfo the gateway may show; asked at each handshake. Enroll does without
	Suite   vault.Suite                           //
	Log     *slog.Logger                          // nil: discard
	Stall   time.Duration                         // a request without progress for so long is given up; 0: 30 s
	Dial    time.Duration                         // limit for the TCP and for the TLS handshake, each; 0: 8 s
	Clock   clocks.Clock                          // nil: the system's
	Proxy   func(*http.Request) (*url.URL, error) // nil: http.ProxyFromEnvironment
}

// Client talks to one gateway. Any goroutine may use it.
type Client struct {
	c    Config
	rest *resty.Client
	base *http.Transport
	log  *slog.Logger
}

// errPin is what the TLS handshake reports for a key that is not in the pin set.
var errPin = errors.New("client: the gateway's TLS key is not pinned")

// New checks c and returns a client. It does not connect.
func New(c Config) (*Client, error) {
	if c.Pins == nil {
		return nil, errors.New("client: Config.Pins is required")
	}
	return newClient(c, func(cs tls.ConnectionState) error {
		if len(cs.PeerCertificates) == 0 || !slices.Contains(c.Pins(), pinOf(cs)) {
			return errPin
		}
		return nil
	})
}

// pinOf returns the pin of the key the other side proved to hold.
func pinOf(cs tls.ConnectionState) [32]byte {
	return sha256.Sum256(cs.PeerCertificates[0].RawSubjectPublicKeyInfo)
}

func newClient(c Config, verify func(tls.ConnectionState) error) (*Client, error) {
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("client: base address %q is not https://host[:port]", c.BaseURL)
	}
	if c.Suite == nil {
		return nil, errors.New("client: Config.Suite is required")
	}
	if c.Stall <= 0 {
		c.Stall = DefaultStall
	}
	if c.Dial <= 0 {
		c.Dial = DefaultDial
	}
	c.Clock = clocks.Or(c.Clock)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Proxy == nil {
		c.Proxy = http.ProxyFromEnvironment
	}
	dialer := &net.Dialer{Timeout: c.Dial, KeepAlive: 15 * time.Second}
	base := &http.Transport{
		Proxy: c.Proxy,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if t, ok := conn.(*net.TCPConn); ok {
				_ = t.SetWriteBuffer(sendBuffer) // best effort: only sharpens the progress limit
			}
			return conn, err
		},
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS13,
			// Go's own check wants a public certificate authority, a matching name and a right clock. We want none of
			// them: VerifyConnection runs on every handshake (also when this is set, also on resumption) and accepts
			// only keys from the pin set the platform root signed. TLS itself still proves that the other side holds
			// the key. Dates are not looked at on purpose: a dead CMOS battery must not cut a village off.
			InsecureSkipVerify: true, //nolint:gosec // see above
			Time:               c.Clock.Now,
			VerifyConnection:   verify,
		},
		TLSHandshakeTimeout: c.Dial,
		MaxIdleConnsPerHost: 2,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true, // zstd is asked for and bounded here
		WriteBufferSize:     16 << 10,
	}
	cl := &Client{c: c, base: base, log: c.Log}
	cl.rest = resty.NewWithClient(&http.Client{Transport: &watchdog{base: base, stall: c.Stall}}).
		SetBaseURL(strings.TrimSuffix(c.BaseURL, "/")).
		SetRetryCount(0).
		SetDebug(false).
		SetLogger(quiet{}).
		SetResponseBodyLimit(wire.MaxReply).
		SetRedirectPolicy(resty.RedirectPolicyFunc(func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse })).
		SetHeader("User-Agent", "bianmin/"+strconv.Itoa(wire.Version))
	return cl, nil
}

// Close drops idle connections.
func (c *Client) Close() { c.base.CloseIdleConnections() }

// quiet silences resty: what it would print may hold addresses and bodies.
type quiet struct{}

func (quiet) Errorf(string, ...any) {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Debugf(string, ...any) {}

// do sends one message and returns the answer's plain bytes. Any status of 300 and above is a *wire.Error.
func (c *Client) do(ctx context.Context, method, path string, body []byte, header map[string]string) (*resty.Response, []byte, error) {
	r := c.rest.R().SetContext(ctx).
		SetHeader("Accept", wire.ContentType).
		SetHeader("Accept-Encoding", "zstd")
	if body != nil {
		r.SetHeader("Content-Type", wire.ContentType).SetBody(body)
	}
	r.SetHeaders(header)
	resp, err := r.Execute(method, path)
	if err != nil {
		return nil, nil, c.lost(ctx, err)
	}
	plain, err := decoded(resp.Header().Get("Content-Encoding"), resp.Body())
	if err != nil {
		return nil, nil, &wire.Error{V: wire.Version, Code: wire.CodeInternal, Detail: "answer does not decompress", Cause: err}
	}
	if resp.StatusCode() >= http.StatusMultipleChoices {
		return resp, nil, refusal(resp.StatusCode(), resp.Header(), plain)
	}
	return resp, plain, nil
}

// lost makes a *wire.Error of a request that got no answer.
func (c *Client) lost(ctx context.Context, err error) error {
	c.base.CloseIdleConnections() // a line that failed once is not asked twice
	code, detail := wire.CodeUnreachable, ""
	switch {
	case errors.Is(err, errPin):
		code = wire.CodePinMismatch
	case errors.Is(err, resty.ErrResponseBodyTooLarge):
		code, detail = wire.CodeInternal, "answer over its limit"
	case errors.Is(err, errStalled):
		detail = "no progress"
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without the address
	}
	return &wire.Error{V: wire.Version, Code: code, Detail: detail, Cause: err}
}

// refusal makes a *wire.Error of an answer with a status of 300 and above. What is not our message comes from a relay on
// the way: a balancer, a log-in page; that is never the gateway's last word, except for size.
func refusal(status int, h http.Header, body []byte) error {
	if strings.HasPrefix(h.Get("Content-Type"), wire.ContentType) && len(body) > 0 {
		if e, err := wire.Decode[wire.Error](body); err == nil && e.Code != "" {
			if e.RetryAfterMS == 0 {
				e.RetryAfterMS = retryAfter(h)
			}
			return &e
		}
	}
	e := &wire.Error{V: wire.Version, Code: wire.CodeInternal, Detail: "status " + strconv.Itoa(status), RetryAfterMS: retryAfter(h)}
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		e.Code = wire.CodeBusy
	case http.StatusRequestEntityTooLarge:
		e.Code = wire.CodeTooLarge
	case http.StatusNotFound:
		e.Code = wire.CodeNotFound
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		e.Code = wire.CodeUnreachable
	}
	if status < http.StatusBadRequest {
		e.Code = wire.CodeUnreachable
	}
	return e
}

// retryAfter reads the header in its form of seconds, in milliseconds; 0 when there is none.
func retryAfter(h http.Header) int64 {
	n, err := strconv.ParseInt(h.Get("Retry-After"), 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return n * 1000
}

// decoded undoes a content encoding within wire.MaxReply.
func decoded(encoding string, body []byte) ([]byte, error) {
	switch encoding {
	case "", "identity":
		return body, nil
	case "zstd":
	default:
		return nil, fmt.Errorf("client: content encoding %q", encoding)
	}
	d, err := zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(wire.MaxReply*2))
	if err != nil {
		return nil, fmt.Errorf("client: zstd: %w", err)
	}
	defer d.Close()
	plain, err := io.ReadAll(io.LimitReader(d, wire.MaxReply+1))
	if err != nil {
		return nil, fmt.Errorf("client: zstd: %w", err)
	}
	if len(plain) > wire.MaxReply {
		return nil, fmt.Errorf("client: answer over %d bytes", wire.MaxReply)
	}
	return plain, nil
}

// message decodes an answer; what does not decode is the gateway's fault, not a refusal of ours.
func message[T any](body []byte) (T, error) {
	v, err := wire.Decode[T](body)
	if err != nil {
		return v, &wire.Error{V: wire.Version, Code: wire.CodeInternal, Detail: "answer is not a message", Cause: err}
	}
	return v, nil
}
