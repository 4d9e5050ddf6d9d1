package desk

import (
	"context"
	"log/slog"
	"time"

	"bianmin/offline/counter"
	"bianmin/offline/journal"
	"bianmin/offline/receipt"
	"bianmin/offline/words"
)

// Verify judges a receipt link with the newest key lists this machine holds. Only links to the county's own host count.
func (d *Desk) Verify(link string) receipt.Verdict {
	return receipt.VerifyLink(d.cfg.Suite, link, []string{d.en.Station.ShortHost}, d.store.Time(), d.keyLists()...)
}

// keyLists returns the key list of the enrolment and every newer one that arrived. Each is signed by the root.
func (d *Desk) keyLists() []receipt.KeyList {
	var out []receipt.KeyList
	for _, data := range d.documents(d.en.KeyList, journal.EventKeyList) {
		l, err := receipt.OpenKeyList(d.cfg.Suite, d.en.Root, data)
		if err != nil {
			d.cfg.Log.Warn("key list refused", slog.Any("cause", err))
			continue
		}
		out = append(out, l)
	}
	return out
}

// PinSets returns the signed pin sets of this machine, as bytes: that of the enrolment, then those that arrived later.
func (d *Desk) PinSets() [][]byte { return d.documents(d.en.Pins, journal.EventPins) }

// documents returns first, then what events of a kind brought.
func (d *Desk) documents(first []byte, kind journal.Kind) [][]byte {
	out := [][]byte{first}
	err := d.eachEvent(kind, func(body []byte) {
		if b, err := journal.DecodeBody[journal.Document](body); err == nil {
			out = append(out, b.Data)
		}
	})
	if err != nil {
		d.cfg.Log.Error("read events", slog.String("kind", string(kind)), slog.Any("cause", err))
	}
	return out
}

// Status returns where the machine stands.
func (d *Desk) Status(context.Context) (counter.Status, error) {
	d.guard.mu.Lock()
	wiped := d.guard.wiped
	d.guard.mu.Unlock()
	if wiped {
		return counter.Status{}, ErrWiped
	}
	sum, err := d.store.Summary()
	if err != nil {
		return counter.Status{}, err
	}
	st := counter.Status{
		Device: d.store.Device(), Station: d.Station(), Demo: d.en.Demo,
		Records: sum.Records, Acknowledged: sum.Acked, Cases: sum.Cases, Drafts: sum.Drafts,
		Quarantine: sum.Quarantined, Pending: sum.Waiting, Cursor: sum.Events, Clock: counter.ViewClock(d.cfg.Now(), sum.Clock),
	}
	formers, err := d.store.Formers()
	if err != nil {
		return counter.Status{}, err
	}
	st.Former = []counter.Former{}
	for _, f := range formers {
		st.Former = append(st.Former, counter.Former{Device: f.Device, To: f.To, Last: f.Last, Into: f.Into, At: time.UnixMilli(f.At), Replaced: f.Replaced, Lost: f.Lost()})
	}
	if st.Recovered, err = d.recovered(); err != nil {
		return counter.Status{}, err
	}
	switch {
	case sum.Failed != nil:
		st.Fault, _ = words.KeyOf(sum.Failed)
	case sum.Behind:
		st.Fault = "store.behind"
	case sum.Lost:
		st.Fault = "store.lost"
	case sum.Forked:
		st.Fault = "sync.forkLogin"
	}
	st.Lease = d.lease()
	if err := d.enforce(); err != nil {
		st.Barred, _ = words.KeyOf(err)
		d.guard.mu.Lock()
		st.Reason = d.guard.orders.Reason
		d.guard.mu.Unlock()
	}
	if !sum.LastAck.IsZero() {
		at := sum.LastAck.UTC()
		st.LastAck = &at
	}
	d.mu.Lock()
	st.Locked = d.sessions == 0
	d.mu.Unlock()
	return st, nil
}
