package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/ident"
	"bianmin/offline/journal"
	"bianmin/offline/store"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// RetentionMonths is how long a month is kept after its end before it may be closed.
const RetentionMonths = 12

var monthForm = regexp.MustCompile(`^20\d\d-(0[1-9]|1[0-2])$`)

// erasureAct is what an erasure still has to write into the journal; it is kept by the store until it is written.
type erasureAct struct {
	_        struct{} `cbor:",toarray"`
	Operator string
	Reason   string
}

// mayErase reports whether the session may erase: that is the station lead's, for the whole station.
func (s *Session) mayErase() error {
	if err := s.open(); err != nil {
		return err
	}
	if !s.scope.manages(s.d.en.Station.Division) {
		return ErrForbidden
	}
	return nil
}

// ClosePeriod closes a month ("2026-11") whose retention is over: closed cases and everything else that was written in it
// lose their bodies, open cases go on under the current month's keys, the month's keys are destroyed, the master is made
// anew, and what is left is a record with totals. Whether the retention is over is judged by the last time that the
// platform signed, not by the machine's clock.
//
// Errors: ErrForbidden, words erase.month, erase.early, erase.noTime, erase.undelivered, erase.unfinished.
func (s *Session) ClosePeriod(ctx context.Context, month string) (store.Erased, error) {
	if err := s.mayErase(); err != nil {
		return store.Erased{}, err
	}
	if !monthForm.MatchString(month) {
		return store.Erased{}, words.New("erase.month", nil, "month", month)
	}
	c := s.d.store.Clock()
	if c.Signed == 0 {
		return store.Erased{}, words.New("erase.noTime", nil)
	}
	begin, err := time.Parse("2006-01", month)
	if err != nil {
		return store.Erased{}, words.New("erase.month", err, "month", month)
	}
	from := begin.AddDate(0, 1+RetentionMonths, 0)
	if now := time.UnixMilli(c.Signed + c.Since); now.Before(from) {
		return store.Erased{}, words.New("erase.early", nil, "month", month, "from", from.Format(time.DateOnly))
	}
	return s.erase(ctx, store.Erasure{Period: month}, "")
}

// EraseCases erases closed cases by their numbers.
//
// Errors: ErrForbidden, words desk.noCase, erase.open, erase.undelivered, erase.unfinished.
func (s *Session) EraseCases(ctx context.Context, reason string, numbers ...string) (store.Erased, error) {
	if err := s.mayErase(); err != nil {
		return store.Erased{}, err
	}
	var e store.Erasure
	for _, no := range numbers {
		device, seq, err := casefile.ParseNumber(no)
		if err != nil {
			return store.Erased{}, errNoCase(err)
		}
		if device != s.d.store.Device() {
			seq = journal.FormerRef(device, seq)
		}
		e.Cases = append(e.Cases, seq)
	}
	return s.eraseClosed(ctx, e, reason)
}

// ErasePerson erases the closed cases of somebody with an ID number, the drafts in which the number stands, and the notes of
// who looked at that person's data. Errors as EraseCases, and words erase.nobody when nothing is here.
func (s *Session) ErasePerson(ctx context.Context, reason, idNumber string) (store.Erased, error) {
	if err := s.mayErase(); err != nil {
		return store.Erased{}, err
	}
	cases, drafts, err := s.d.store.CasesOf(ident.Normalize(idNumber))
	if err != nil {
		return store.Erased{}, err
	}
	e := store.Erasure{Cases: cases, Drafts: drafts}
	p, err := s.byNumber(ident.Normalize(idNumber))
	if err != nil {
		return store.Erased{}, err
	}
	if p != nil {
		e.Person = p.ID
	}
	if len(cases)+len(drafts) == 0 && e.Person == "" {
		return store.Erased{}, words.New("erase.nobody", nil)
	}
	return s.eraseClosed(ctx, e, reason)
}

func (s *Session) eraseClosed(ctx context.Context, e store.Erasure, reason string) (store.Erased, error) {
	for _, seq := range e.Cases {
		c, err := s.visible(seq)
		if err != nil {
			return store.Erased{}, err
		}
		if !c.State.Closed() {
			return store.Erased{}, words.New("erase.open", nil, "no", c.Number())
		}
	}
	return s.erase(ctx, e, reason)
}

func (s *Session) erase(ctx context.Context, e store.Erasure, reason string) (store.Erased, error) {
	if e.Period == vault.PeriodID(s.d.store.Time()) {
		return store.Erased{}, words.New("erase.month", nil, "month", e.Period)
	}
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if s.d.unlocked == nil {
		return store.Erased{}, words.New("store.locked", store.ErrLocked)
	}
	done, err := s.d.store.Erase(ctx, e, canon.MustMarshal(erasureAct{Operator: s.op.ID, Reason: reason}))
	if err != nil {
		return done, err
	}
	if err := s.d.forgetLearned(); err != nil {
		return done, err
	}
	return done, s.d.finishErasure(ctx, s.d.unlocked)
}

// finishErasure does what an erasure has to do outside the database, also one that was cut short: it is asked at every
// login. The order matters: what is on the disk goes first, then the keys, then the note that everything is done.
// d.mu is held.
func (d *Desk) finishErasure(ctx context.Context, u *vault.Unlocked) error {
	done, act, ok, err := d.store.Erasing()
	if err != nil || !ok {
		return err
	}
	var a erasureAct
	if err := canon.Unmarshal(act, &a); err != nil {
		return fmt.Errorf("desk: erasure: %w", err)
	}
	if err := d.store.FinishErasure(); err != nil {
		return err
	}
	if done.Period != "" {
		if err := u.DestroyPeriod(done.Period); err != nil && !errors.Is(err, vault.ErrNoPeriod) {
			return err
		}
	}
	if err := d.store.CompactAway(ctx); err != nil {
		return err
	}
	plan := d.Backups()
	for _, dir := range []string{plan.Dir, filepath.Join(d.cfg.Dir, backupsFolder)} {
		if err := d.store.EraseBackups(dir); err != nil {
			return err
		}
	}
	note := store.Act{Operator: a.Operator, Kind: journal.KindErased, Body: journal.Erased{Cases: append([]uint64{}, done.Cases...), Records: done.Records, Reason: a.Reason}}
	if done.Period != "" {
		note.Kind = journal.KindPeriodClosed
		note.Body = journal.PeriodClosed{
			Period: done.Period, Records: done.Records, Carried: done.Carried,
			Cases: append([]journal.Tally{}, done.Tally...), Erased: append([]uint64{}, done.Cases...),
		}
	}
	if _, err := d.store.Commit(ctx, note); err != nil {
		return err
	}
	if err := d.store.EndErasure(); err != nil {
		return err
	}
	if _, err := d.Backup(""); err != nil {
		d.cfg.Log.WarnContext(ctx, "backup after an erasure", slog.Any("cause", err)) // the next day's will do
	}
	return nil
}
