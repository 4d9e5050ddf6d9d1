package vm

import (
	"context"
	"strconv"
	"sync"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/counter"
	"bianmin/sync/engine"
)

// Sync is the state of the screen 同步: what is here, what the platform holds, what it accepted, and what the line does.
// Its methods may be called from any goroutine.
type Sync struct {
	t       Texts
	c       counter.Counter
	s       counter.Session
	now     func() time.Time
	gateway string
	wake    func()

	mu         sync.Mutex // guards what follows
	event      engine.Event
	asked      bool // 立即同步 was tapped, and nothing was heard since
	status     counter.Status
	read       [3]uint64 // position of the two logs at which the following was read
	loaded     bool
	here       int
	delivered  int
	accepted   int
	quarantine []counter.Quarantined
	network    networkState
}

// networkState is what the switch of the sample county was last set to.
type networkState uint8

const (
	networkUnknown networkState = iota
	networkOn
	networkOff
)

// NewSync returns the state. gateway is the platform's address; wake tells the engine to try at once. Apply it the last
// event of the engine, then Load.
func NewSync(t Texts, c counter.Counter, s counter.Session, now func() time.Time, gateway string, wake func()) *Sync {
	return &Sync{t: t, c: c, s: s, now: now, gateway: gateway, wake: wake}
}

// SyncState is what the screen 同步 shows.
type SyncState struct {
	Tone, Title, Text string // what the line does: "ok", "info", "warn" or "danger"
	Offline           bool
	Figures           []SyncFigure // here, delivered, accepted
	Sending           []Fact       // what is on its way; empty when nothing waits
	Line              []Fact       // last acknowledgement, address, clock
	History           []Notice     // what was repaired on the machine; usually nothing
	Trouble           []SyncTrouble
	TroubleText       string
	Now               string // word of the one button
	NowNote           string // said after it was tapped; "" otherwise
	Network           string // word of the sample county's switch
	NetworkTo         bool   // what the switch does: true connects
}

// SyncFigure is one of the three numbers.
type SyncFigure struct {
	Word, Note string
	Count      int
	Tone       string
}

// SyncTrouble is a record the platform holds but cannot use.
type SyncTrouble struct {
	Title, Why, More string
	To               Target // the case; zero when it is about none
}

// Apply takes what the engine told.
func (v *Sync) Apply(e engine.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e.LastAck.IsZero() {
		e.LastAck = v.event.LastAck
	}
	v.event, v.asked = e, false
}

// Load reads where the machine stands. It reads the cases only when one of the two logs has grown: call it as often as
// events come, off the screen's goroutine.
func (v *Sync) Load(ctx context.Context) error {
	st, err := v.c.Status(ctx)
	if err != nil {
		return err
	}
	at := [3]uint64{st.Records, st.Acknowledged, st.Cursor}
	v.mu.Lock()
	v.status = st
	same := v.loaded && v.read == at
	v.mu.Unlock()
	if same {
		return nil
	}
	cases, err := v.s.Cases(ctx)
	if err != nil {
		return err
	}
	quarantine, err := v.s.Quarantine(ctx)
	if err != nil {
		return err
	}
	var here, delivered, accepted int
	for i := range cases {
		switch c := &cases[i]; {
		case c.Ref == 0 && c.LastSeq > st.Acknowledged:
			here++
		case c.AcceptedAt == 0:
			delivered++
		default:
			accepted++
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.loaded, v.read, v.here, v.delivered, v.accepted, v.quarantine = true, at, here, delivered, accepted, quarantine
	return nil
}

// SyncNow makes the engine try at once.
func (v *Sync) SyncNow() {
	v.mu.Lock()
	v.asked = true
	v.mu.Unlock()
	v.wake()
}

// SetNetwork notes that the sample county's network was cut or restored.
func (v *Sync) SetNetwork(on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.network = networkOff
	if on {
		v.network = networkOn
	}
}

// State returns what to show.
func (v *Sync) State() SyncState {
	v.mu.Lock()
	defer v.mu.Unlock()
	t := v.t
	st := SyncState{Now: t.T("syncpage.now")}
	v.headline(&st)
	st.Figures = []SyncFigure{
		{Word: t.T("syncpage.here"), Note: t.T("syncpage.hereNote"), Count: v.here, Tone: "ok"},
		{Word: t.T("syncpage.delivered"), Note: t.T("syncpage.deliveredNote"), Count: v.delivered, Tone: "info"},
		{Word: t.T("syncpage.accepted"), Note: t.T("syncpage.acceptedNote"), Count: v.accepted, Tone: "ok"},
	}
	if v.here > 0 {
		st.Figures[0].Tone = "warn"
	} else {
		st.Figures[0].Note = t.T("syncpage.hereNone")
	}
	st.Sending, st.Line = v.sending(), v.line()
	st.History = History(t, v.status)
	for _, q := range v.quarantine {
		st.Trouble = append(st.Trouble, v.trouble(q))
	}
	if len(st.Trouble) > 0 {
		st.TroubleText = t.T("syncpage.troubleText")
	}
	if v.asked {
		st.NowNote = t.T("syncpage.asked")
	}
	st.NetworkTo = v.network == networkOff || v.network == networkUnknown && st.Offline
	st.Network = t.T("syncpage.cut")
	if st.NetworkTo {
		st.Network = t.T("syncpage.restore")
	}
	return st
}

func (v *Sync) headline(st *SyncState) {
	t, e := v.t, v.event
	waiting := func(some, none string) string {
		if v.here > 0 {
			return t.T(some, "n", itoa(v.here))
		}
		return t.T(none)
	}
	switch e.State {
	case engine.NeedsAttention:
		st.Tone, st.Title, st.Text = "danger", t.T("syncpage.attention"), t.T("syncpage.attentionText")
		if e.Key != "" {
			st.Text = t.T(e.Key, pairs(e.Args)...)
		}
	case engine.Connecting:
		st.Tone, st.Title, st.Text, st.Offline = "info", t.T("syncpage.connecting"), waiting("syncpage.safeSome", "syncpage.safeNone"), true
	case engine.Sending:
		st.Tone, st.Title, st.Text = "info", t.T("syncpage.sending"), waiting("syncpage.sendingSome", "syncpage.sendingNone")
	case engine.Idle:
		st.Tone, st.Title, st.Text = "ok", t.T("syncpage.done"), t.T("syncpage.doneText")
		if v.here > 0 { // just submitted: the engine is about to wake
			st.Tone, st.Title, st.Text = "info", t.T("syncpage.online"), t.T("syncpage.sendingSome", "n", itoa(v.here))
		}
	default:
		st.Tone, st.Title, st.Text, st.Offline = "warn", t.T("syncpage.offline"), waiting("syncpage.safeSome", "syncpage.safeNone"), true
		if e.Key == "wire.busy" {
			st.Title, st.Text = t.T("syncpage.busy"), t.T(e.Key)
		}
	}
}

func (v *Sync) sending() []Fact {
	t, e := v.t, v.event
	if e.State != engine.Sending && e.Pending == 0 && e.Blobs == 0 {
		return nil
	}
	var out []Fact
	add := func(key, value string) { out = append(out, Fact{t.T(key), value}) }
	add("syncpage.records", t.T("syncpage.recordsN", "n", utoa(e.Pending)))
	if e.Blobs > 0 {
		add("syncpage.blobs", t.T("syncpage.blobsN", "n", itoa(e.Blobs), "size", bytesText(e.BlobBytes)))
	}
	if e.State == engine.Sending {
		add("syncpage.sent", bytesText(e.Sent))
		if e.Left > 0 {
			add("syncpage.left", sendTime(t, e.Left))
		}
	}
	return out
}

func (v *Sync) line() []Fact {
	t, e, now := v.t, v.event, v.now()
	var out []Fact
	add := func(key, value string) { out = append(out, Fact{t.T(key), value}) }
	last := e.LastAck
	if v.status.LastAck != nil && v.status.LastAck.After(last) {
		last = *v.status.LastAck
	}
	if last.IsZero() {
		add("syncpage.lastAck", t.T("syncpage.never"))
	} else {
		add("syncpage.lastAck", DayOrTime(t, last, now))
	}
	if !e.NextTry.IsZero() {
		add("syncpage.nextTry", DayOrTime(t, e.NextTry, now))
	}
	add("syncpage.address", v.gateway)
	add("syncpage.clock", v.clock(now))
	return out
}

// clock says how well the machine's clock is known.
func (v *Sync) clock(now time.Time) string {
	c := v.status.Clock
	if c.Signed == nil {
		return v.t.T("syncpage.clock.unconfirmed")
	}
	key := "syncpage.clock." + c.Quality
	return v.t.T(key, "when", DayOrTime(v.t, *c.Signed, now))
}

func (v *Sync) trouble(q counter.Quarantined) SyncTrouble {
	t := v.t
	r := SyncTrouble{Title: t.T("syncpage.troubleRecord", "n", utoa(q.Seq)), Why: t.T(q.Reason), More: MomentText(t, q.At)}
	if q.Reason == "" { // its body is not opened yet
		r.Why = t.T("quarantine.sealed")
	}
	if q.Detail != "" {
		r.More += " · " + q.Detail
	}
	if q.No != "" {
		r.Title = t.T("syncpage.troubleCase", "no", q.No)
		if _, seq, err := casefile.ParseNumber(q.No); err == nil {
			r.To = Target{pageCase, utoa(seq)}
		}
	}
	return r
}

// bytesText writes a size as people read it: 340 KB, 1.2 MB.
func bytesText(n int64) string {
	const kilo, mega = 1 << 10, 1 << 20
	switch {
	case n < kilo:
		return strconv.FormatInt(n, 10) + " B"
	case n < mega:
		return strconv.FormatInt((n+kilo/2)/kilo, 10) + " KB"
	default:
		return strconv.FormatFloat(float64(n)/mega, 'f', 1, 64) + " MB"
	}
}

// sendTime says a time left: roughly, because lines change.
func sendTime(t Texts, d time.Duration) string {
	switch {
	case d < time.Minute:
		return t.T("syncpage.left.soon")
	case d < 90*time.Minute:
		return t.T("syncpage.left.minutes", "n", itoa(int(d.Round(time.Minute)/time.Minute)))
	default:
		return t.T("syncpage.left.hours", "n", itoa(int(d.Round(time.Hour)/time.Hour)))
	}
}
