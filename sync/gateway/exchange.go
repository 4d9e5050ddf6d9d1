package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

const (
	slotWait      = 2 * time.Second        // how long a request waits for a slot before it is told "later"
	projectBudget = 400 * time.Millisecond // how long an exchange works on projections before it answers
	maxEvidence   = 64                     // packets kept of a device that contradicts itself
	maxTries      = 8                      // when several exchanges of one device race
	replyEvents   = 6 << 20                // bytes of events in one answer
)

func (g *Gateway) exchange(w http.ResponseWriter, r *http.Request) {
	data, err := body(w, r, wire.MaxRequest)
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	q, err := wire.Decode[wire.Request](data)
	if err == nil && (q.V != wire.Version || len(q.Packets) > wire.MaxPackets) {
		err = &wire.Error{Code: wire.CodeBadRequest, Detail: "request"}
	}
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	release, err := g.slot(r.Context())
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	reply, err := g.exchanged(r.Context(), q)
	release()
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	// Hold the answer only when it has no news: an ack of packets goes back at once.
	if len(reply.Events) == 0 && len(q.Packets) == 0 && q.WaitMS > 0 && reply.Fork == nil && reply.Need == "" {
		if err := g.await(r.Context(), q, &reply); err != nil {
			g.refuse(w, r, err)
			return
		}
	}
	reply.Time = wire.Time{At: g.cfg.Now().UnixMilli(), Nonce: q.Nonce}
	if err := reply.Time.Sign(g.keys.Sign); err != nil {
		g.refuse(w, r, err)
		return
	}
	reply.Nonce = g.nonce()
	if !reply.More {
		reply.RetryAfterMS = jitter(g.cfg.RetryAfter).Milliseconds()
	}
	g.answer(w, r, reply)
}

// slot bounds how many exchanges are worked on at once.
func (g *Gateway) slot(ctx context.Context) (release func(), err error) {
	release = func() { <-g.slots }
	select {
	case g.slots <- struct{}{}:
		return release, nil
	default:
	}
	t := time.NewTimer(slotWait)
	defer t.Stop()
	select {
	case g.slots <- struct{}{}:
		return release, nil
	case <-t.C:
		return nil, &wire.Error{Code: wire.CodeBusy, Detail: "too many exchanges"}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// exchanged does everything but waiting.
func (g *Gateway) exchanged(ctx context.Context, q wire.Request) (wire.Reply, error) {
	d, err := g.device(ctx, q.Device, q.Nonce, func(k vault.PublicKey) error { return q.Verify(g.s, k) })
	if err != nil {
		return wire.Reply{}, err
	}
	reply := wire.Reply{V: wire.Version}
	t := taken{}
	if len(q.Packets) > 0 {
		if t, err = g.take(ctx, d, q.Packets); err != nil {
			return wire.Reply{}, err
		}
		reply.Need = t.need
		if t.fork != nil {
			if reply.Fork, err = packet.SignFork(g.keys.Sign, *t.fork); err != nil {
				return wire.Reply{}, err
			}
		}
		if t.refused != nil && len(t.fresh) == 0 && t.fork == nil && t.need == "" {
			return wire.Reply{}, t.refused
		}
		// What is durable is projected even when the device hangs up now; what takes too long, Run does. A backlog is
		// acknowledged first: the next packets travel while it is projected.
		if !g.backlog.put(d, t.fresh, time.Now()) {
			g.projectNow(context.WithoutCancel(ctx), d, t.fresh, projectBudget)
		}
	} else {
		g.backlog.wait(ctx, q.Device, projectBudget)
	}
	if err := g.fill(ctx, q, &reply); err != nil {
		return reply, err
	}
	reply.More = reply.More || g.backlog.has(q.Device)
	return reply, nil
}

// fill puts ack and events into the answer, from one state of the store.
func (g *Gateway) fill(ctx context.Context, q wire.Request, reply *wire.Reply) error {
	var head Head
	var rows []EventRow
	err := g.store.View(ctx, func(tx Tx) (err error) {
		if head, err = tx.Head(q.Device); err != nil {
			return err
		}
		if q.Cursor < head.Cursor {
			rows, err = tx.Events(q.Device, q.Cursor, wire.MaxEvents)
		}
		return err
	})
	if err != nil {
		return err
	}
	size := 0
	reply.Events = [][]byte{}
	for _, e := range rows {
		if size += len(e.Bytes); size > replyEvents && len(reply.Events) > 0 {
			break
		}
		reply.Events = append(reply.Events, e.Bytes)
	}
	reply.More = q.Cursor+uint64(len(reply.Events)) < head.Cursor
	reply.Ack, err = g.ack(head)
	return err
}

// await holds the answer until there is an event, or the time is over.
func (g *Gateway) await(ctx context.Context, q wire.Request, reply *wire.Reply) error {
	w := g.hub.join(q.Device, q.Cursor)
	defer g.hub.leave(w)
	t := time.NewTimer(time.Duration(min(q.WaitMS, wire.MaxWaitMS)) * time.Millisecond)
	defer t.Stop()
	w.wake() // an event may have come between the first look and joining
	for {
		select {
		case <-w.c:
			if err := g.fill(ctx, q, reply); err != nil || len(reply.Events) > 0 {
				return err
			}
		case <-t.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// taken is what became of the packets of one request.
type taken struct {
	fresh   []journal.Record // records that are new and durable now
	fork    *packet.Fork
	need    string
	refused error // the first packet that is no packet of this device; those before it count
}

// load is a packet as it was read, verified and opened.
type load struct {
	p       *packet.Packet
	records []journal.Record
	rows    []HeaderRow
	need    string // what to ask the device for, when it does not open
	err     error
}

// take verifies packets and stores what is new in one transaction.
func (g *Gateway) take(ctx context.Context, d DeviceRow, raw [][]byte) (taken, error) {
	var t taken
	var loads []*load
	parsed := make([]*load, len(raw))
	refusals := make([]error, len(raw))
	each(len(raw), func(i int) { parsed[i], refusals[i] = g.parse(d, raw[i]) })
	for i, l := range parsed {
		if t.refused = refusals[i]; t.refused != nil {
			break
		}
		loads = append(loads, l)
	}
	if err := g.unpackNew(ctx, d, loads); err != nil {
		return taken{}, err
	}
	for try := 0; ; try++ {
		plan, err := g.plan(ctx, d, loads)
		if err != nil {
			return taken{}, err
		}
		err = g.keep(ctx, d, plan)
		if errors.Is(err, ErrMoved) && try < maxTries {
			continue // another exchange of this device was quicker
		}
		if errors.Is(err, ErrMoved) {
			return taken{}, &wire.Error{Code: wire.CodeBusy, Detail: "device is being served elsewhere", Cause: err}
		}
		if err != nil {
			return taken{}, err
		}
		t.fork, t.need = plan.fork, plan.need
		if t.refused == nil {
			t.refused = plan.refused
		}
		for _, s := range plan.steps {
			t.fresh = append(t.fresh, s.records...)
		}
		if len(t.fresh) > 0 {
			g.log.DebugContext(ctx, "records stored", slog.Uint64("device", uint64(d.Device)), slog.Int("records", len(t.fresh)))
		}
		return t, nil
	}
}

func (g *Gateway) parse(d DeviceRow, data []byte) (*load, error) {
	p, err := packet.Parse(data)
	if err != nil {
		code := wire.CodeBadRequest
		if len(data) > wire.MaxPacket {
			code = wire.CodeTooLarge
		}
		return nil, &wire.Error{Code: code, Detail: "packet", Cause: err}
	}
	if p.Device != d.Device {
		return nil, &wire.Error{Code: wire.CodeBadRequest, Detail: "packet of another device"}
	}
	if err := p.Verify(g.s, d.SignKey); err != nil {
		return nil, &wire.Error{Code: wire.CodeSignature, Detail: "packet"}
	}
	return &load{p: p}, nil
}

// unpackNew opens the packets that bring something, before a transaction is begun.
func (g *Gateway) unpackNew(ctx context.Context, d DeviceRow, loads []*load) error {
	var head Head
	err := g.store.View(ctx, func(tx Tx) (err error) {
		head, err = tx.Head(d.Device)
		return err
	})
	if err != nil {
		return err
	}
	each(len(loads), func(i int) {
		if loads[i].p.To > head.Seq {
			g.unpack(loads[i])
		}
	})
	return nil
}

// each does n independent things on all processors: signatures and keys of packets are what an exchange computes most.
func each(n int, do func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers < 2 {
		for i := range n {
			do(i)
		}
		return
	}
	var wg sync.WaitGroup
	var next atomic.Int64
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}

// unpack opens a packet, once.
func (g *Gateway) unpack(l *load) {
	if l.records != nil || l.need != "" || l.err != nil {
		return
	}
	records, err := g.openPacket(l.p)
	switch {
	case errors.Is(err, packet.ErrNeedDict):
		l.need = "dict"
		return
	case errors.Is(err, packet.ErrCodec):
		l.need = "codec 1"
		return
	case err != nil && l.p.Codec != packet.CodecPlain:
		l.need = "codec 0" // whatever is wrong with it, plain CBOR has the fewest ways to be wrong
		return
	case err != nil:
		l.err = &wire.Error{Code: wire.CodeBadRequest, Detail: "packet does not open", Cause: err}
		return
	}
	l.records = records
	l.rows = make([]HeaderRow, len(records))
	for i, r := range records {
		l.rows[i] = HeaderRow{Seq: r.Seq, Hash: l.p.Head, Kind: string(r.Kind), At: r.At}
		if i > 0 {
			l.rows[i-1].Hash = r.Prev // opening the packet has proven the chain from prev to head
		}
	}
}

// plan is what to store, decided from one state of the store.
type plan struct {
	head     Head
	steps    []step
	fork     *packet.Fork
	evidence []*packet.Packet // the first is the one that contradicts; the others follow it in the request
	need     string
	refused  error
}

// step is one packet to store and its records that are new.
type step struct {
	p       *packet.Packet
	records []journal.Record
	rows    []HeaderRow
}

// plan compares packets with what is held.
func (g *Gateway) plan(ctx context.Context, d DeviceRow, loads []*load) (plan, error) {
	var pl plan
	err := g.store.View(ctx, func(tx Tx) error {
		var err error
		if pl.head, err = tx.Head(d.Device); err != nil {
			return err
		}
		seq := pl.head.Seq
		pending := map[uint64]HeaderRow{} // of steps planned before
		for i, l := range loads {
			if l.p.From > seq+1 {
				return nil // a gap: the ack tells where to go on
			}
			held, err := g.held(tx, d.Device, pending, l.p, seq)
			if err != nil {
				return err
			}
			if l.p.To <= seq && held[l.p.To] == l.p.Head {
				continue // all of it is here: one hash says it for the whole chain
			}
			g.unpack(l)
			if pl.need, pl.refused = l.need, l.err; pl.need != "" || pl.refused != nil {
				return nil
			}
			if to, ok := divergence(l, held, seq); ok {
				pl.fork = &packet.Fork{Device: d.Device, To: to, Head: held[to], At: g.cfg.Now().UnixMilli()}
				for _, l := range loads[i:] {
					pl.evidence = append(pl.evidence, l.p)
				}
				return nil
			}
			skip := int(seq + 1 - l.p.From)
			s := step{p: l.p, records: l.records[skip:], rows: l.rows[skip:]}
			for _, r := range s.rows {
				pending[r.Seq] = r
			}
			pl.steps = append(pl.steps, s)
			seq = l.p.To
		}
		return nil
	})
	return pl, err
}

// held returns the hashes of the records From-2 … To that are here or planned. Record 0 has the zero hash.
func (g *Gateway) held(tx Tx, device uint32, pending map[uint64]HeaderRow, p *packet.Packet, seq uint64) (map[uint64]vault.Hash, error) {
	from, to := uint64(1), min(p.To, seq)
	if p.From > 2 {
		from = p.From - 2
	}
	out := map[uint64]vault.Hash{0: {}}
	rows, err := tx.Headers(device, from, to)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		out[r.Seq] = r.Hash
	}
	for q := from; q <= to; q++ {
		if r, ok := pending[q]; ok {
			out[q] = r.Hash
		}
	}
	return out, nil
}

// divergence looks for the first record of a packet that is not the one held, header by header. It returns the last
// record before it. A packet whose first record already follows something else names record From-2: the device must
// look for the last common record from there.
func divergence(l *load, held map[uint64]vault.Hash, seq uint64) (to uint64, ok bool) {
	if l.p.Prev != held[l.p.From-1] {
		return max(l.p.From, 2) - 2, true
	}
	for _, r := range l.rows {
		if r.Seq > seq {
			break
		}
		if held[r.Seq] != r.Hash {
			return r.Seq - 1, true
		}
	}
	return 0, false
}

// keep stores a plan. ErrMoved when the head is not where the plan was made for.
func (g *Gateway) keep(ctx context.Context, d DeviceRow, pl plan) error {
	if len(pl.steps) == 0 && len(pl.evidence) == 0 {
		return nil
	}
	now := g.cfg.Now().UnixMilli()
	return g.store.Update(ctx, func(tx Tx) error {
		seq, hash := pl.head.Seq, pl.head.Hash
		for _, s := range pl.steps {
			if err := tx.AddPacket(g.packetRow(s.p, now), s.rows, seq, hash, s.p.Head); err != nil {
				return err
			}
			seq, hash = s.p.To, s.p.Head
		}
		if len(pl.evidence) == 0 {
			return nil
		}
		g.log.WarnContext(ctx, "device contradicts its journal", slog.Uint64("device", uint64(d.Device)), slog.Uint64("common", pl.fork.To))
		for _, p := range pl.evidence {
			if err := tx.AddEvidence(g.packetRow(p, now), maxEvidence); err != nil {
				return err
			}
		}
		return nil
	})
}

func (g *Gateway) packetRow(p *packet.Packet, at int64) PacketRow {
	return PacketRow{Device: p.Device, From: p.From, To: p.To, Hash: g.s.Hash(p.Bytes()), At: at, Bytes: p.Bytes()}
}
