package gateway

import (
	"errors"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/journal"
)

const (
	// timeTolerance is how far a machine's clock may be wrong before the platform corrects a record's time.
	timeTolerance = 5 * time.Minute
	// bootTolerance is how far wall and running time may part between two records of one boot: the device's own limit for
	// a jump, twice, as both ends were read at leisure.
	bootTolerance = 3 * time.Minute
	// foundWindow is how many records before a machine's clock was found wrong are looked at, at most.
	foundWindow = 5000
	foundBatch  = 100
)

func millis(d time.Duration) int64 { return d.Milliseconds() }

func far(a, b int64, d time.Duration) bool { return a-b > millis(d) || b-a > millis(d) }

// madeAt returns when a record was made, as well as its header alone tells: by the platform's time and the running time
// since, when the machine was not restarted in between; else as the machine read it, but not before the least time that
// had passed, and not after now.
func madeAt(h journal.Header, now int64) int64 {
	least := h.Clock.Signed + h.Clock.Since
	switch {
	case h.Clock.Signed == 0:
		return min(h.At, now)
	case h.Clock.Exact:
		return min(least, max(now, h.Clock.Signed))
	}
	return min(max(h.At, least), max(now, least))
}

// time corrects the time of a record about a case when the machine's clock was wrong. The device is told by an event, so
// both ends fold the same case, and a replay finds it.
func (p *projector) time(c *casefile.Case, r journal.Record) error {
	return p.correct(c, r, madeAt(r.Header, p.g.cfg.Now().UnixMilli()))
}

func (p *projector) correct(c *casefile.Case, r journal.Record, at int64) error {
	known := c.TimeOf(r.Seq)
	if known == 0 || !far(at, known, timeTolerance) {
		return nil
	}
	e, err := p.g.emit(p.tx, p.d, journal.EventTimed, r.Seq, journal.Timed{At: at, Read: r.At, Seq: r.Seq})
	if err != nil {
		return err
	}
	p.told = true
	return ignoreOther(c.ApplyEvent(e))
}

// found takes a record by which the device says how wrong its clock was since it was started, and corrects the records of
// that boot: from the newest back, until the running time and the clock no longer agree.
func (p *projector) found(m journal.Record) error {
	note, err := journal.DecodeBody[journal.Note](m.Body)
	if !p.live || err != nil || note.What != journal.ClockFound {
		return nil // a jump that the device noticed by itself, or a purged body
	}
	offset, later := note.Count, m
	for to, seen := m.Seq-1, 0; to > 0 && seen < foundWindow; {
		from := to - min(to, foundBatch)
		records, err := p.stored(from, to)
		if err != nil {
			return err
		}
		for i := len(records) - 1; i >= 0; i-- {
			r := records[i]
			if r.Clock.Exact {
				return nil
			}
			if later.Seq != m.Seq { // the device vouches for the record before m itself
				jump := int64(0)
				if n, err := journal.DecodeBody[journal.Note](later.Body); later.Kind == journal.KindClockJump && err == nil && n.What == journal.ClockJumped {
					jump = n.Count
				}
				if r.Clock.Signed != later.Clock.Signed || far(later.At-jump-r.At, later.Clock.Since-r.Clock.Since, bootTolerance) {
					return nil
				}
				offset += jump
			}
			if err := p.shift(r, r.At+offset); err != nil {
				return err
			}
			later = r
			seen++
		}
		to = from
	}
	return nil
}

// shift corrects one record that was projected already.
func (p *projector) shift(r journal.Record, at int64) error {
	seq, ok := casefile.CaseOf(r)
	if !ok {
		return nil
	}
	c, err := p.load(seq)
	if errors.Is(err, ErrNotFound) {
		return nil // quarantined
	}
	if err != nil {
		return err
	}
	if err := p.correct(c, r, at); err != nil {
		return err
	}
	return p.put(c)
}

// stored reads the records from+1 … to of the device out of its packets.
func (p *projector) stored(from, to uint64) ([]journal.Record, error) {
	var out []journal.Record
	for seq := from; seq < to; {
		rows, err := p.tx.Packets(p.d.Device, seq, packetBatch)
		if err != nil || len(rows) == 0 {
			return out, err
		}
		for _, row := range rows {
			records, err := p.g.recordsAfter(row, seq)
			if err != nil {
				return out, err
			}
			for _, r := range records {
				if seq = r.Seq; seq <= to {
					out = append(out, r)
				}
			}
		}
	}
	return out, nil
}
