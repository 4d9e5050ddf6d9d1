package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	gosync "sync"
	"testing"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
	"bianmin/offline/words"
	"bianmin/sync/engine"
	"bianmin/sync/wire"
)

const deviceNo = 7

var suite = vault.SM(nil)

// run is the packet of this test: a run of headers. What packets look like is offline/packet's business.
type run struct {
	Headers []journal.Header `cbor:"1,keyasint"`
	Pad     []byte           `cbor:"2,keyasint"`
}

// memJournal is a device's journal in memory.
type memJournal struct {
	mu      gosync.Mutex
	pub     vault.PublicKey
	records []journal.Header
	acked   uint64
	events  []journal.Event
	forked  bool
	needs   []string
	times   []int64
	blobs   map[[32]byte][]byte
	sent    map[[32]byte]bool
	lost    map[[32]byte]int64
	packs   map[[32]byte]int64 // wanted
	got     map[[32]byte][]byte
	pad     int   // bytes beside each record
	single  bool  // one packet a record, as a locked machine sends
	fail    error // of every method
	refuse  error // of TakePack
}

func newJournal(pub vault.PublicKey) *memJournal {
	return &memJournal{
		pub: pub, blobs: map[[32]byte][]byte{}, sent: map[[32]byte]bool{}, packs: map[[32]byte]int64{}, got: map[[32]byte][]byte{},
	}
}

func (j *memJournal) add(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for range n {
		var head vault.Hash
		seq := uint64(len(j.records))
		if seq > 0 {
			head = j.records[seq-1].Hash(suite)
		}
		r, err := journal.Next(suite, deviceNo, seq, head, []byte("salt"), 1, journal.Clock{}, "op", journal.KindLogin, []byte{1})
		if err != nil {
			panic(err)
		}
		j.records = append(j.records, r.Header)
	}
}

func (j *memJournal) addBlob(data []byte) [32]byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	a := suite.Hash(data)
	j.blobs[a] = data
	return a
}

func (j *memJournal) Position(context.Context) (uint32, uint64, uint64, uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return deviceNo, uint64(len(j.records)), j.acked, uint64(len(j.events)), j.fail
}

func (j *memJournal) Outgoing(_ context.Context, after uint64, maxBytes int) ([][]byte, uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out [][]byte
	size, last := 0, after
	for last < uint64(len(j.records)) {
		n := uint64(1)
		if !j.single {
			n = min(50, uint64(len(j.records))-last)
		}
		p := canon.MustMarshal(run{Headers: j.records[last : last+n], Pad: make([]byte, j.pad*int(n))})
		if len(out) > 0 && size+len(p) > maxBytes {
			break
		}
		out, size, last = append(out, p), size+len(p), last+n
	}
	return out, last, nil
}

func (j *memJournal) Need(_ context.Context, need string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.needs = append(j.needs, need)
	return nil
}

func (j *memJournal) TakeAck(_ context.Context, data []byte) (uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	a, err := packet.OpenAck(suite, j.pub, data)
	if err != nil {
		return 0, words.New("store.ackForeign", err)
	}
	if a.To > uint64(len(j.records)) || a.To > 0 && j.records[a.To-1].Hash(suite) != a.Head {
		return 0, words.New("store.ackForeign", nil)
	}
	j.acked = max(j.acked, a.To)
	return j.acked, nil
}

func (j *memJournal) TakeFork(_ context.Context, data []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, err := packet.OpenFork(suite, j.pub, data)
	j.forked = err == nil
	return err
}

func (j *memJournal) TakeEvents(_ context.Context, list [][]byte) (uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, data := range list {
		e, err := journal.ParseEvent(data)
		if err == nil {
			err = e.Verify(suite, j.pub)
		}
		if err != nil {
			return uint64(len(j.events)), words.New("store.eventForeign", err)
		}
		if e.Cursor == uint64(len(j.events))+1 {
			j.events = append(j.events, e)
		}
	}
	return uint64(len(j.events)), nil
}

func (j *memJournal) TakeTime(_ context.Context, at int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.times = append(j.times, at)
	return nil
}

func (j *memJournal) PendingBlobs(context.Context) ([][32]byte, []int64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var addrs [][32]byte
	var sizes []int64
	for a, b := range j.blobs {
		if !j.sent[a] {
			addrs, sizes = append(addrs, a), append(sizes, int64(len(b)))
		}
	}
	return addrs, sizes, nil
}

func (j *memJournal) BlobReader(_ context.Context, addr [32]byte) (*io.SectionReader, io.Closer, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	b := j.blobs[addr]
	if len(b) == 1 {
		return nil, nil, words.New("store.blobLost", nil)
	}
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), io.NopCloser(nil), nil
}

func (j *memJournal) BlobSent(_ context.Context, addr [32]byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sent[addr] = true
	return nil
}

func (j *memJournal) WantedBlobs(context.Context) (addrs [][32]byte, sizes []int64, devices []uint32, cases []uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for a, size := range j.lost {
		addrs, sizes, devices, cases = append(addrs, a), append(sizes, size), append(devices, deviceNo), append(cases, 1)
	}
	return addrs, sizes, devices, cases, nil
}

func (j *memJournal) TakeBlob(_ context.Context, addr [32]byte, sealed []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.blobs[addr], j.sent[addr] = sealed, true
	delete(j.lost, addr)
	return nil
}

func (j *memJournal) WantedPacks(context.Context) ([]string, []uint32, [][32]byte, []int64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var (
		kinds    []string
		versions []uint32
		hashes   [][32]byte
		sizes    []int64
	)
	for h, size := range j.packs {
		kinds, versions, hashes, sizes = append(kinds, "county"), append(versions, 1), append(hashes, h), append(sizes, size)
	}
	return kinds, versions, hashes, sizes, nil
}

func (j *memJournal) TakePack(_ context.Context, hash [32]byte, data []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.packs, hash)
	if j.refuse != nil {
		return j.refuse
	}
	j.got[hash] = data
	return nil
}

// memPlatform is a platform in memory with the meaning of package wire: one head a device, compare and set, overlap with
// equal hashes ignored, unequal answered by a fork, events after the cursor, long poll.
type memPlatform struct {
	mu       gosync.Mutex
	key      vault.PrivateKey
	headers  []journal.Header
	stored   map[uint64]int // how often a record was stored
	events   [][]byte
	prev     vault.Hash
	news     chan struct{}
	asked    []time.Time
	requests []wire.Request
	blobs    map[[32]byte]int64
	gone     map[[32]byte]bool // attachments that the platform does not have
	done     [][32]byte
	packs    map[[32]byte][]byte
	parts    int64

	before  func(n int) error                // of request n from 0, before anything is stored
	after   func(n int, r *wire.Reply) error // after; an error loses the answer
	onPart  func()
	took    time.Duration
	maxSize int
	noHold  bool
}

func newPlatform(t *testing.T) *memPlatform {
	t.Helper()
	k, err := suite.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return &memPlatform{
		key: k, stored: map[uint64]int{}, news: make(chan struct{}), blobs: map[[32]byte]int64{}, packs: map[[32]byte][]byte{}, parts: 64,
	}
}

func (p *memPlatform) tell(kind journal.Kind, seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := journal.Event{Device: deviceNo, Cursor: uint64(len(p.events)) + 1, Prev: p.prev, At: 1, Kind: kind, Seq: seq, Body: []byte{0xa0}}
	if err := e.Sign(p.key); err != nil {
		panic(err)
	}
	p.prev = e.Hash(suite)
	p.events = append(p.events, e.Marshal())
	close(p.news)
	p.news = make(chan struct{})
}

// set changes something under the mutex.
func (p *memPlatform) set(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
}

func (p *memPlatform) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

func (p *memPlatform) Exchange(ctx context.Context, q wire.Request) (wire.Reply, error) {
	p.mu.Lock()
	n := len(p.asked)
	p.asked, p.requests = append(p.asked, time.Now()), append(p.requests, q)
	before, after, took := p.before, p.after, p.took
	p.mu.Unlock()
	if took > 0 {
		select {
		case <-time.After(took):
		case <-ctx.Done():
			return wire.Reply{}, unreachable(ctx.Err())
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if before != nil {
		if err := before(n); err != nil {
			return wire.Reply{}, err
		}
	}
	size := 0
	for _, b := range q.Packets {
		size += len(b)
	}
	if p.maxSize > 0 && size > p.maxSize {
		return wire.Reply{}, &wire.Error{Code: wire.CodeTooLarge}
	}
	reply := wire.Reply{V: wire.Version, Time: wire.Time{At: time.Now().UnixMilli()}}
	p.store(q, &reply)
	if q.WaitMS > 0 && uint64(len(p.events)) <= q.Cursor && !p.noHold {
		news := p.news
		p.mu.Unlock()
		select {
		case <-news:
		case <-time.After(time.Duration(q.WaitMS) * time.Millisecond):
		case <-ctx.Done():
			p.mu.Lock()
			return wire.Reply{}, unreachable(ctx.Err())
		}
		p.mu.Lock()
	}
	if q.Cursor < uint64(len(p.events)) {
		rest := p.events[q.Cursor:]
		reply.Events = rest[:min(len(rest), 3)]
		reply.More = len(rest) > 3
	}
	var last journal.Header
	if n := len(p.headers); n > 0 {
		last = p.headers[n-1]
	}
	reply.Ack = ackOf(p, uint64(len(p.headers)), last)
	if after != nil {
		if err := after(n, &reply); err != nil {
			return wire.Reply{}, err
		}
	}
	return reply, nil
}

func (p *memPlatform) store(q wire.Request, reply *wire.Reply) {
	for _, data := range q.Packets {
		var in run
		if err := canon.Unmarshal(data, &in); err != nil {
			panic(err)
		}
		for _, h := range in.Headers {
			have := uint64(len(p.headers))
			var head vault.Hash
			if have > 0 {
				head = p.headers[have-1].Hash(suite)
			}
			switch {
			case h.Seq <= have && p.headers[h.Seq-1].Hash(suite) == h.Hash(suite):
			case h.Seq == have+1 && h.Prev == head:
				p.headers = append(p.headers, h)
				p.stored[h.Seq]++
			case h.Seq <= have+1:
				fork, err := packet.SignFork(p.key, packet.Fork{Device: q.Device, To: h.Seq - 1})
				if err != nil {
					panic(err)
				}
				reply.Fork = fork
				return
			}
		}
	}
}

func (p *memPlatform) PutBlob(ctx context.Context, addr [32]byte, size int64, r io.ReaderAt, progress func(int64)) error {
	for {
		p.mu.Lock()
		held, took, onPart := p.blobs[addr], p.took, p.onPart
		p.mu.Unlock()
		progress(held)
		if ctx.Err() != nil {
			return unreachable(ctx.Err())
		}
		if held == size {
			p.mu.Lock()
			p.done = append(p.done, addr)
			p.mu.Unlock()
			return nil
		}
		if onPart != nil {
			onPart()
		}
		select {
		case <-time.After(took):
		case <-ctx.Done():
			return unreachable(ctx.Err())
		}
		p.mu.Lock()
		p.blobs[addr] = min(size, held+p.parts)
		p.mu.Unlock()
	}
}

func (p *memPlatform) Blob(_ context.Context, addr [32]byte, _ uint32, _ uint64, size int64) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone[addr] {
		return nil, &wire.Error{Code: wire.CodeNotFound}
	}
	return make([]byte, size), nil
}

func (p *memPlatform) Pack(_ context.Context, ref wire.PackRef) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, ok := p.packs[ref.Hash]
	if !ok {
		return nil, &wire.Error{Code: wire.CodeNotFound}
	}
	return b, nil
}

// ackOf is the platform's word that it holds to, whose header is h.
func ackOf(p *memPlatform, to uint64, h journal.Header) []byte {
	a := packet.Ack{Device: deviceNo, To: to, At: 1}
	if to > 0 {
		a.Head = h.Hash(suite)
	}
	b, err := packet.SignAck(p.key, a)
	if err != nil {
		panic(err)
	}
	return b
}

func unreachable(cause error) error { return &wire.Error{Code: wire.CodeUnreachable, Cause: cause} }

var (
	_ engine.Journal  = (*memJournal)(nil)
	_ engine.Packs    = (*memJournal)(nil)
	_ engine.Platform = (*memPlatform)(nil)
)

// rig is a device, a platform and an engine between them, with every event kept.
type rig struct {
	j *memJournal
	p *memPlatform
	e *engine.Engine

	mu     gosync.Mutex
	events []engine.Event
	addrs  []net.Addr
}

func newRig(t *testing.T) *rig {
	t.Helper()
	p := newPlatform(t)
	r := &rig{p: p, j: newJournal(p.key.Public()), addrs: []net.Addr{&net.IPNet{IP: net.IPv4(10, 0, 0, 2), Mask: net.CIDRMask(24, 32)}}}
	r.restart(t)
	return r
}

func (r *rig) restart(t *testing.T) {
	t.Helper()
	e, err := engine.New(engine.Config{
		Journal: r.j, Packs: r.j, Platform: r.p,
		OnEvent: func(ev engine.Event) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, ev)
		},
		Addrs: func() ([]net.Addr, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.addrs, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.e = e
}

func (r *rig) setAddrs(a ...net.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addrs = a
}

// states returns the states in order without repetition.
func (r *rig) states() []engine.State {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []engine.State
	for _, e := range r.events {
		if len(out) == 0 || out[len(out)-1] != e.State {
			out = append(out, e.State)
		}
	}
	return out
}

// start runs the engine until the test (or the returned stop) ends.
func (r *rig) start(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.e.Run(ctx) }()
	var once gosync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// wantDelivered checks that the platform holds exactly the device's records, each stored once, and the device knows.
func (r *rig) wantDelivered(t *testing.T) {
	t.Helper()
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	if len(r.p.headers) != len(r.j.records) || r.j.acked != uint64(len(r.j.records)) {
		t.Fatalf("platform holds %d, device has %d and knows of %d", len(r.p.headers), len(r.j.records), r.j.acked)
	}
	for i, h := range r.j.records {
		if r.p.headers[i] != h {
			t.Fatalf("record %d differs", i+1)
		}
		if n := r.p.stored[h.Seq]; n != 1 {
			t.Fatalf("record %d was stored %d times", h.Seq, n)
		}
	}
}

func wantKey(t *testing.T, err error, key string) {
	t.Helper()
	if got, _ := engine.KeyOf(err); got != key {
		t.Fatalf("key %q of %v, want %q", got, err, key)
	}
}

var errTest = errors.New("test")

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func blobOf(n int) []byte { return bytes.Repeat([]byte(fmt.Sprint(n)), n)[:n] }
