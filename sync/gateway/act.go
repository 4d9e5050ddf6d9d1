package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/receipt"
	"bianmin/offline/words"
)

// ErrState reports an act that the state of the case does not allow; nothing was written.
var ErrState error = words.New("case.move", nil)

// ErrFields reports a correction that names fields the form does not have.
var ErrFields error = words.New("case.fields", nil)

// chinaTime is the time of official numbers and due days.
var chinaTime = time.FixedZone("CST", 8*60*60)

// basisCorrection is the legal ground of a correction when the reviewer names none.
const basisCorrection = "《中华人民共和国行政许可法》第三十二条"

// autoAccept accepts a case at once when the county wants that and an official number can be made.
func (p *projector) autoAccept(c *casefile.Case, sub journal.Record) error {
	set, err := p.settings()
	if err != nil || !set.AutoAccept {
		return err
	}
	err = p.accept(c, sub)
	if errors.Is(err, receipt.ErrPayload) || errors.Is(err, errNoCode) {
		p.g.log.Warn("case waits for a person", slog.Uint64("device", uint64(c.Device)), slog.Uint64("seq", c.Seq), slog.Any("cause", err))
		return nil
	}
	return err
}

// errNoCode reports an item without a usable code.
var errNoCode = errors.New("gateway: item has no code for an official number")

// accept writes the accepted event with the platform's receipt and applies it. It does not store the case.
func (p *projector) accept(c *casefile.Case, sub journal.Record) error {
	if !casefile.CanMove(c.State, casefile.Accepted, c.AcceptedAt != 0) {
		return fmt.Errorf("%w: %s", ErrState, c.State)
	}
	now := p.g.cfg.Now()
	lib, err := p.g.libraryOf(p.tx)
	if err != nil {
		return err
	}
	no := c.OfficialNo
	if no == "" {
		if no, err = p.officialNo(lib.code(c.Service, c.ItemCode), now); err != nil {
			return err
		}
	}
	due := lib.due(c, now)
	s1, err := stage1(sub)
	if err != nil {
		return err
	}
	of := p.g.s.Hash(s1)
	envelope, err := receipt.Sign(p.g.keys.Sign, receipt.Stage2{
		Device: c.Device, Seq: c.Seq, Of: [8]byte(of[:8]), OfficialNo: no, At: now.Unix(), Due: int32(due), Item: c.ItemName,
	}.Payload())
	if err != nil {
		return err
	}
	e, err := p.g.emit(p.tx, p.d, journal.EventAccepted, c.Seq, journal.Accepted{
		OfficialNo: no, At: now.UnixMilli(), Due: int32(due), Receipt: envelope,
	})
	if err != nil {
		return err
	}
	p.told = true
	return c.ApplyEvent(e)
}

// stage1 is the payload of the receipt that the station printed for a submission: it follows from the record.
func stage1(r journal.Record) ([]byte, error) {
	b, err := journal.DecodeBody[journal.CaseSubmitted](r.Body)
	if err != nil {
		return nil, err
	}
	return receipt.OfCase(r.Header, b).Payload(), nil
}

// officialNo makes a 办件编号: item code, day, serial of that item and day.
func (p *projector) officialNo(code string, now time.Time) (string, error) {
	if code == "" {
		return "", errNoCode
	}
	stem := code + now.In(chinaTime).Format("20060102")
	n, err := p.tx.NextSerial("official " + stem)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s%04d", stem, n), nil
}

// find returns a case by its receipt number or its 办件编号. ErrNotFound.
func find(tx Tx, no string) (CaseRow, error) {
	no = strings.TrimSpace(no)
	if device, seq, err := casefile.ParseNumber(no); err == nil {
		return tx.Case(device, seq)
	}
	return tx.CaseByOfficial(strings.ToUpper(no))
}

// act runs a reviewer's act on one case within a transaction, and stores the case.
func (g *Gateway) act(ctx context.Context, no string, fn func(p *projector, c *casefile.Case) error) (*casefile.Case, error) {
	if err := g.CatchUp(ctx); err != nil {
		return nil, err
	}
	var out *casefile.Case
	var device uint32
	err := g.store.Update(ctx, func(tx Tx) error {
		row, err := find(tx, no)
		if err != nil {
			return err
		}
		c, err := g.openCase(row)
		if err != nil {
			return err
		}
		d, err := tx.Device(row.Device)
		if err != nil {
			return err
		}
		p := &projector{g: g, tx: tx, d: d, live: true}
		if err := fn(p, c); err != nil {
			return err
		}
		out, device = c, row.Device
		return p.put(c)
	})
	if errors.Is(err, casefile.ErrMove) {
		err = fmt.Errorf("%w: %w", ErrState, err)
	}
	if err != nil {
		return nil, err
	}
	g.hub.wake(device)
	return out, nil
}

// tell writes a reviewer's event and applies it; an illegal move is an error, and nothing is written.
func (p *projector) tell(c *casefile.Case, kind journal.Kind, content any) error {
	e, err := p.g.emit(p.tx, p.d, kind, c.Seq, content)
	if err != nil {
		return err
	}
	return c.ApplyEvent(e)
}

// Accept accepts a case (受理). ErrNotFound, ErrState.
func (g *Gateway) Accept(ctx context.Context, no string) (*casefile.Case, error) {
	return g.act(ctx, no, func(p *projector, c *casefile.Case) error {
		sub, err := g.storedRecord(p.tx, c.Device, c.Seq)
		if err != nil {
			return err
		}
		return p.accept(c, sub)
	})
}

// Refuse refuses a case (不予受理). ErrNotFound, ErrState.
func (g *Gateway) Refuse(ctx context.Context, no, note string) (*casefile.Case, error) {
	return g.act(ctx, no, func(p *projector, c *casefile.Case) error {
		return p.tell(c, journal.EventRefused, journal.Decided{Note: note, At: g.cfg.Now().UnixMilli()})
	})
}

// Correct asks for a correction (补正告知). AnswerBy 0 means five working days, Basis "" the administrative licence law.
// Every field must be one of the case's form, when that form is published here. ErrNotFound, ErrState, ErrFields.
func (g *Gateway) Correct(ctx context.Context, no string, q journal.Correction) (*casefile.Case, error) {
	return g.act(ctx, no, func(p *projector, c *casefile.Case) error {
		lib, err := g.libraryOf(p.tx)
		if err != nil {
			return err
		}
		if unknown, names := lib.unknownFields(c.FormID, c.FormHash, q.Fields); len(unknown) > 0 {
			return words.New("gateway.fields", ErrFields, "fields", strings.Join(unknown, ", "), "names", strings.Join(names, ", "))
		}
		now := g.cfg.Now()
		q.At = now.UnixMilli()
		if q.AnswerBy == 0 {
			today := casefile.DayOf(now)
			by, _ := casefile.Due(today, casefile.Limit{Days: casefile.AskDays, Unit: casefile.Workdays}, lib.calendar, nil, today)
			q.AnswerBy = int32(by)
		}
		if q.Basis == "" {
			q.Basis = basisCorrection
		}
		if q.Telephone == "" {
			set, err := p.settings()
			if err != nil {
				return err
			}
			q.Telephone = set.Telephone
		}
		return p.tell(c, journal.EventCorrection, q)
	})
}

// Process moves a case into the procedure (办理中). ErrNotFound, ErrState.
func (g *Gateway) Process(ctx context.Context, no, note string) (*casefile.Case, error) {
	return g.act(ctx, no, func(p *projector, c *casefile.Case) error {
		return p.tell(c, journal.EventProcessing, journal.Decided{Note: note, At: g.cfg.Now().UnixMilli()})
	})
}

// Decide closes a case (办结). result is a word of journal.Decided. ErrNotFound, ErrState.
func (g *Gateway) Decide(ctx context.Context, no, result, note string) (*casefile.Case, error) {
	return g.act(ctx, no, func(p *projector, c *casefile.Case) error {
		return p.tell(c, journal.EventDecided, journal.Decided{Result: result, Note: note, At: g.cfg.Now().UnixMilli()})
	})
}

// Deliver says that the result is in the citizen's hands (送达). ErrNotFound, ErrState.
func (g *Gateway) Deliver(ctx context.Context, no, note string) (*casefile.Case, error) {
	return g.act(ctx, no, func(p *projector, c *casefile.Case) error {
		return p.tell(c, journal.EventDelivered, journal.Decided{Note: note, At: g.cfg.Now().UnixMilli()})
	})
}

// Case returns one case by receipt number or 办件编号. ErrNotFound.
func (g *Gateway) Case(ctx context.Context, no string) (c *casefile.Case, err error) {
	if err := g.CatchUp(ctx); err != nil {
		return nil, err
	}
	err = g.store.View(ctx, func(tx Tx) error {
		row, err := find(tx, no)
		if err != nil {
			return err
		}
		c, err = g.openCase(row)
		return err
	})
	return c, err
}

// Cases lists cases, newest first, of one state ("" all), at most limit (0 all).
func (g *Gateway) Cases(ctx context.Context, state casefile.State, limit int) (out []*casefile.Case, err error) {
	if err := g.CatchUp(ctx); err != nil {
		return nil, err
	}
	err = g.store.View(ctx, func(tx Tx) error {
		rows, err := tx.Cases(string(state), limit)
		if err != nil {
			return err
		}
		for _, row := range rows {
			c, err := g.openCase(row)
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}
