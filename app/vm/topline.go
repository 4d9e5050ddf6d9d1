package vm

import (
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/counter"
	"bianmin/sync/engine"
)

// Topline is the state of the line to the platform as the bar at the top says it. It belongs to one goroutine, that of
// the window.
type Topline struct {
	event  engine.Event
	status counter.Status
}

// ToplineState is what the bar shows.
type ToplineState struct {
	Text    string
	State   string // "ok", "info", "warn" or "danger"
	Offline bool
}

// Apply takes what the engine told.
func (l *Topline) Apply(e engine.Event) {
	if e.LastAck.IsZero() {
		e.LastAck = l.event.LastAck
	}
	l.event = e
}

// Event is the newest thing the engine told.
func (l *Topline) Event() engine.Event { return l.event }

// SetStatus takes the counts of the machine. It reports whether the logs or the drafts have changed since.
func (l *Topline) SetStatus(s counter.Status) bool {
	old := l.status
	l.status = s
	return old.Records != s.Records || old.Acknowledged != s.Acknowledged || old.Cursor != s.Cursor || old.Drafts != s.Drafts ||
		old.Quarantine != s.Quarantine
}

// Needs returns how many cases wait for the clerk: corrections asked, and records the platform could not use.
func (l *Topline) Needs() int {
	return l.status.Quarantine + l.status.Cases[string(casefile.CorrectionAsked)]
}

// State returns what to show: what needs the clerk before what the line is doing.
func (l *Topline) State(t Texts) ToplineState {
	pending, needs := l.status.Pending, l.Needs()
	offline := l.event.State == engine.Offline || l.event.State == engine.Connecting
	switch {
	case l.event.State == engine.NeedsAttention:
		return ToplineState{Text: t.T("top.attention"), State: "danger"}
	case needs > 0 && offline:
		return ToplineState{Text: t.T("top.offline") + " · " + t.T("top.needs", "n", itoa(needs)), State: "danger", Offline: true}
	case needs > 0:
		return ToplineState{Text: t.T("top.needs", "n", itoa(needs)), State: "danger"}
	case offline && pending > 0:
		return ToplineState{Text: t.T("top.offline") + " · " + t.T("top.pending", "n", itoa(pending)), State: "warn", Offline: true}
	case offline:
		return ToplineState{Text: t.T("top.offline") + " · " + t.T("top.nothing"), State: "warn", Offline: true}
	case pending > 0:
		return ToplineState{Text: t.T("top.sending", "n", itoa(pending)), State: "info"}
	}
	at := l.event.LastAck
	if at.IsZero() && l.status.LastAck != nil {
		at = *l.status.LastAck
	}
	if at.IsZero() {
		return ToplineState{Text: t.T("top.online"), State: "ok"}
	}
	return ToplineState{Text: t.T("top.online") + " · " + t.T("top.delivered", "time", shortTime(t, at, l.status.Clock.Now)), State: "ok"}
}

// shortTime is the time of a moment today, month and day of others.
func shortTime(t Texts, at, now time.Time) string {
	if now.IsZero() || casefile.DayOf(at) == casefile.DayOf(now) {
		return ClockText(at)
	}
	return DayText(t, at)
}
