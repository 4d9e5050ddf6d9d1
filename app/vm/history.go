package vm

import (
	"strings"
	"time"

	"bianmin/offline/counter"
)

// Notice is something that happened to the machine itself, told in words.
type Notice struct {
	Tone, Title, Text string // Tone is "info", "ok" or "warn"
	At                time.Time
}

// historyFresh is how long the first page points at what happened.
const historyFresh = 7 * 24 * time.Hour

// History tells what was repaired on the machine: numbers that it changed because its journal had parted from the
// platform's, and what came back from the platform, and what did not. The newest is first.
func History(t Texts, st counter.Status) []Notice {
	var out []Notice
	if r := st.Recovered; r != nil {
		out = append(out, recovered(t, *r))
	}
	for i := len(st.Former) - 1; i >= 0; i-- {
		f := st.Former[i]
		n := Notice{Tone: "info", At: f.At, Title: t.T("history.former", "device", utoa(uint64(f.Device)), "into", utoa(uint64(f.Into)))}
		if f.Replaced {
			n.Title = t.T("history.replaced", "device", utoa(uint64(f.Device)))
			n.Text = t.T("history.replacedText", "when", MomentText(t, f.At), "device", utoa(uint64(f.Device)), "to", utoa(f.To))
		} else if f.Lost {
			n.Text = t.T("history.formerLost", "when", MomentText(t, f.At), "to", utoa(f.To))
		} else if f.Last > f.To {
			n.Text = t.T("history.formerText", "when", MomentText(t, f.At), "from", utoa(f.To+1), "last", utoa(f.Last))
		} else {
			n.Text = t.T("history.formerNone", "when", MomentText(t, f.At))
		}
		out = append(out, n)
	}
	return out
}

func recovered(t Texts, r counter.Recovered) Notice {
	n := Notice{Tone: "ok", At: r.At, Title: t.T("history.recovered")}
	said := []string{t.T("history.recoveredNone", "when", MomentText(t, r.At))}
	if r.To != 0 {
		said[0] = t.T("history.recoveredText", "when", MomentText(t, r.At), "from", utoa(r.From), "to", utoa(r.To))
	}
	say := func(key string, pairs ...string) { said = append(said, t.T(key, pairs...)) }
	if r.Mirror != 0 {
		say("history.mirror", "to", utoa(r.Mirror))
	}
	switch {
	case r.MissingTo != 0:
		n.Tone = "warn"
		say("history.missing", "from", utoa(r.MissingFrom), "to", utoa(r.MissingTo))
	case r.Unknown:
		n.Tone = "warn"
		say("history.missingUnknown")
	default:
		say("history.missingNone")
	}
	if r.Drafts > 0 {
		n.Tone = "warn"
		say("history.drafts", "n", itoa(r.Drafts))
	}
	if r.Blobs > 0 {
		say("history.blobs", "n", itoa(r.Blobs))
	}
	between := ""
	if t.Lang() == "en" {
		between = " "
	}
	n.Text = strings.Join(said, between)
	return n
}

// fresh counts what happened lately.
func fresh(all []Notice, now time.Time) (n int) {
	for _, x := range all {
		if age := now.Sub(x.At); age < historyFresh {
			n++
		}
	}
	return n
}
