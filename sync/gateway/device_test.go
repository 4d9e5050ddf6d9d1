package gateway_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/canon"
	"bianmin/offline/clocks"
	"bianmin/offline/ident"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/receipt"
	"bianmin/offline/vault"
	"bianmin/sync/gateway"
	"bianmin/sync/gateway/sqlite"
	"bianmin/sync/wire"
)

var suite = vault.SM(nil)

const (
	county   = "999999"
	station  = "999999101201"
	itemCode = "12999999MB0000018K3442199806003"
)

// clock is a wall clock that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// rig is a gateway on loopback.
type rig struct {
	t    *testing.T
	dir  string
	g    *gateway.Gateway
	db   gateway.Store
	keys *gateway.Keys
	srv  *httptest.Server
	http *http.Client
	clk  *clock
	log  *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type option func(*gateway.Config, *gateway.Settings)

func autoAccept(_ *gateway.Config, s *gateway.Settings) { s.AutoAccept = true }

func newRig(t *testing.T, opts ...option) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), log: new(lockedBuffer)}
	r.clk = &clock{t: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
	var err error
	if r.keys, err = gateway.CreateKeys(filepath.Join(r.dir, "keys"), suite, []string{"127.0.0.1"}, r.clk.now()); err != nil {
		t.Fatal(err)
	}
	r.start(opts...)
	ctx := context.Background()
	set := gateway.Settings{Name: "示范县", County: county, Telephone: "0999-1234567", ShortHost: "fw.example.gov.cn"}
	for _, o := range opts {
		o(&gateway.Config{}, &set)
	}
	if err := r.g.SaveSettings(ctx, set); err != nil {
		t.Fatal(err)
	}
	st := wire.Station{Division: station, Name: "河口村便民服务站", Telephone: "0999-7654321", County: county}
	ops := []wire.Operator{{ID: "wang", Name: "王秀英", Role: "staff", Division: station, Activation: "246810"}}
	if err := r.g.PutStation(ctx, st, ops); err != nil {
		t.Fatal(err)
	}
	return r
}

// start opens the store and serves; stop closes both.
func (r *rig) start(opts ...option) {
	r.t.Helper()
	db, err := sqlite.Open(context.Background(), filepath.Join(r.dir, "gateway.db"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.db = db
	cfg := gateway.Config{
		Store: db, Keys: r.keys, Blobs: filepath.Join(r.dir, "blobs"), Clock: clocks.Wall(r.clk.now), Suite: suite, Rate: 1e6, Burst: 1e6,
		Log: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Poll: 20 * time.Millisecond,
	}
	for _, o := range opts {
		o(&cfg, &gateway.Settings{})
	}
	if r.g, err = gateway.New(cfg); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.g.Run(ctx) }()
	srv := httptest.NewUnstartedServer(r.g.Handler())
	srv.TLS = r.keys.TLSConfig()
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	r.srv, r.http = srv, srv.Client()
	r.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
		srv.Close()
		if err := db.Close(); err != nil {
			r.t.Error(err)
		}
	})
}

// post sends a message and decodes the answer; a refusal comes back as *wire.Error.
func post[T any](r *rig, path string, msg any) (T, error) {
	r.t.Helper()
	var out T
	data, ok := msg.([]byte)
	if !ok {
		data = canon.MustMarshal(msg)
	}
	body, err := r.do(http.MethodPost, path, data, nil)
	if err != nil {
		return out, err
	}
	return wire.Decode[T](body)
}

func (r *rig) do(method, path string, body []byte, header map[string]string) ([]byte, error) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.srv.URL+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "zstd")
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.Header.Get("Content-Encoding") == "zstd" {
		d, err := zstd.NewReader(nil)
		if err != nil {
			return nil, err
		}
		defer d.Close()
		if data, err = d.DecodeAll(data, nil); err != nil {
			return nil, err
		}
	}
	if resp.StatusCode >= 400 {
		if len(data) == 0 {
			return nil, fmt.Errorf("status %d", resp.StatusCode)
		}
		e, err := wire.Decode[wire.Error](data)
		if err != nil {
			return nil, fmt.Errorf("status %d with %q", resp.StatusCode, data)
		}
		return data, &e
	}
	return data, nil
}

func wantCode(t *testing.T, err error, code wire.Code) *wire.Error {
	t.Helper()
	var e *wire.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	return e
}

// device is a machine with a journal in memory, in its plainest form.
type device struct {
	r          *rig
	id         uint32
	sign, seal vault.PrivateKey
	grant      wire.Grant
	salt       [32]byte
	records    []journal.Record
	heads      []vault.Hash // heads[n] is the hash of record n
	nonce      []byte
	acked      uint64
	cursor     uint64
	eventHead  vault.Hash
	events     []journal.Event
}

func newKeyPair(t *testing.T) vault.PrivateKey {
	t.Helper()
	k, err := suite.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// enrolled makes a device through the real enrolment.
func (r *rig) enrolled() *device {
	r.t.Helper()
	code, _, err := r.g.NewCode(context.Background(), station, time.Hour)
	if err != nil {
		r.t.Fatal(err)
	}
	d := r.machine()
	if err := d.enroll(code); err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *rig) machine() *device {
	return &device{r: r, sign: newKeyPair(r.t), seal: newKeyPair(r.t), heads: []vault.Hash{{}}, salt: [32]byte{7}}
}

// hello asks who the platform is, and checks the answer.
func (d *device) hello() (wire.HelloReply, error) {
	nonce := []byte("0123456789abcdef")
	h, err := post[wire.HelloReply](d.r, wire.PathHello, wire.Hello{V: wire.Version, Nonce: nonce})
	if err != nil {
		return h, err
	}
	if err := h.Verify(suite, nonce); err != nil {
		return h, err
	}
	_, err = wire.OpenPins(suite, h.Root, h.Pins)
	return h, err
}

func (d *device) enroll(code wire.EnrollCode) error {
	h, err := d.hello()
	if err != nil {
		return err
	}
	if wire.RootFingerprint(suite, h.Root) != code.Root {
		return errors.New("another root")
	}
	q := wire.Enroll{CodeID: code.ID(suite), Nonce: h.Nonce, SignKey: d.sign.Public(), SealKey: d.seal.Public(), Machine: "desk"}
	q.Proof = wire.EnrollProof(suite, code.Secret, q.Nonce, q.SignKey, q.SealKey)
	if err := q.Sign(d.sign); err != nil {
		return err
	}
	reply, err := post[wire.EnrollReply](d.r, wire.PathEnroll, q)
	if err != nil {
		return err
	}
	if err := vault.Verify(suite, h.Root, "grant", reply.Grant, reply.Sig); err != nil {
		return err
	}
	plain, err := d.seal.OpenSealed(reply.Grant)
	if err != nil {
		return err
	}
	d.grant, err = wire.Decode[wire.Grant](plain)
	d.id = d.grant.Device
	return err
}

// add writes a record.
func (d *device) add(kind journal.Kind, body any) journal.Record {
	d.r.t.Helper()
	data, ok := body.([]byte)
	if !ok {
		data = canon.MustMarshal(body)
	}
	n := uint64(len(d.records))
	at := d.r.clk.now().UnixMilli()
	r, err := journal.Next(suite, d.id, n, d.heads[n], d.salt[:], at, journal.Clock{}, "wang", kind, data)
	if err != nil {
		d.r.t.Fatal(err)
	}
	d.records = append(d.records, r)
	d.heads = append(d.heads, r.Hash(suite))
	return r
}

func submission(name string) journal.CaseSubmitted {
	return journal.CaseSubmitted{
		Service: "gaoling", ItemCode: itemCode, ItemName: "高龄津贴", FormID: "gaoling", FormVersion: 1,
		Answers: canon.MustMarshal(map[string]any{"name": name}), Applicant: name, IDNumber: "999999194102030021",
		Phone: "13800000000", Division: station, Due: 20800,
	}
}

// submit writes a case and returns its record and the receipt a station prints.
func (d *device) submit(name string) (journal.Record, []byte) {
	b := submission(name)
	r := d.add(journal.KindCaseSubmitted, b)
	env, err := receipt.Sign(d.sign, receipt.Stage1{
		Device: d.id, Seq: r.Seq, At: r.At / 1000, Quality: r.Clock.Quality(), Item: b.ItemName, Name: ident.MaskName(name),
		Prev: [8]byte(r.Prev[:8]), Due: b.Due,
	}.Payload())
	if err != nil {
		d.r.t.Fatal(err)
	}
	return r, env
}

func (d *device) packet(from, to uint64, codec uint8, dict []byte) []byte {
	d.r.t.Helper()
	p, err := packet.Seal(d.records[from-1:to], packet.Options{
		Suite: suite, Device: d.id, Signer: d.sign, Salt: d.salt, Recipients: []vault.PublicKey{d.grant.Platform.SealKey},
		Codec: codec, Dict: dict,
	})
	if err != nil {
		d.r.t.Fatal(err)
	}
	return p
}

func (d *device) fresh() []byte {
	d.r.t.Helper()
	if d.nonce == nil {
		body, err := d.r.do(http.MethodGet, wire.PathNonce, nil, nil)
		if err != nil {
			d.r.t.Fatal(err)
		}
		n, err := wire.Decode[wire.Nonce](body)
		if err != nil {
			d.r.t.Fatal(err)
		}
		d.nonce = n.Nonce
	}
	return d.nonce
}

func (d *device) request(wait time.Duration, packets ...[]byte) wire.Request {
	d.r.t.Helper()
	q := wire.Request{Device: d.id, Nonce: d.fresh(), Cursor: d.cursor, Packets: packets, WaitMS: wait.Milliseconds()}
	if err := q.Sign(d.sign); err != nil {
		d.r.t.Fatal(err)
	}
	return q
}

// send exchanges once and takes what comes, checking all signatures.
func (d *device) send(q wire.Request) (wire.Reply, error) {
	reply, err := post[wire.Reply](d.r, wire.PathExchange, q)
	if err != nil {
		return reply, err
	}
	d.nonce = reply.Nonce
	if err := reply.Time.Verify(suite, d.grant.Platform.SignKey); err != nil || !bytes.Equal(reply.Time.Nonce, q.Nonce) {
		return reply, fmt.Errorf("time: %w", err)
	}
	ack, err := packet.OpenAck(suite, d.grant.Platform.SignKey, reply.Ack)
	if err != nil {
		return reply, err
	}
	d.acked = ack.To
	for _, raw := range reply.Events {
		e, err := journal.ParseEvent(raw)
		if err != nil {
			return reply, err
		}
		if err := e.Verify(suite, d.grant.Platform.SignKey); err != nil {
			return reply, err
		}
		if d.eventHead, err = journal.CheckEvents(suite, d.id, d.cursor, d.eventHead, []journal.Event{e}); err != nil {
			return reply, err
		}
		d.cursor = e.Cursor
		if e.Sealed {
			if e.Body, err = d.seal.OpenSealed(e.Body); err != nil {
				return reply, fmt.Errorf("event %d: %w", e.Cursor, err)
			}
			e.Sealed = false
		}
		d.events = append(d.events, e)
	}
	return reply, nil
}

// exchange sends packets and must succeed.
func (d *device) exchange(packets ...[]byte) wire.Reply {
	d.r.t.Helper()
	reply, err := d.send(d.request(0, packets...))
	var e *wire.Error
	if errors.As(err, &e) && e.Code == wire.CodeNonce {
		d.nonce = e.Nonce
		reply, err = d.send(d.request(0, packets...))
	}
	if err != nil {
		d.r.t.Fatal(err)
	}
	return reply
}

// sync sends everything not acknowledged, and takes all events.
func (d *device) sync() {
	d.r.t.Helper()
	for n := uint64(len(d.records)); ; {
		var ps [][]byte
		if d.acked < n {
			ps = append(ps, d.packet(d.acked+1, n, packet.CodecPlain, nil))
		}
		reply := d.exchange(ps...)
		if d.acked == n && !reply.More {
			return
		}
	}
}

// last returns the newest event of a kind.
func (d *device) last(kind journal.Kind) journal.Event {
	d.r.t.Helper()
	for i := len(d.events) - 1; i >= 0; i-- {
		if d.events[i].Kind == kind {
			return d.events[i]
		}
	}
	d.r.t.Fatalf("no event %s among %d", kind, len(d.events))
	return journal.Event{}
}

func bodyOf[T any](t *testing.T, e journal.Event) T {
	t.Helper()
	b, err := journal.DecodeBody[T](e.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTLS13Only: nothing older is spoken.
func TestTLS13Only(t *testing.T) {
	r := newRig(t)
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}}} //nolint:gosec // the old version is the point
	if resp, err := c.Get(r.srv.URL + wire.PathNonce); err == nil {
		resp.Body.Close()
		t.Fatal("TLS 1.2 was accepted")
	}
}
