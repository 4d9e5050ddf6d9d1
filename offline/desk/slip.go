package desk

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"strconv"
	"sync"

	"bianmin/assets/fonts"
	"bianmin/assets/translations"
	"bianmin/offline/canon"
	"bianmin/offline/counter"
	"bianmin/offline/journal"
	"bianmin/offline/paper"
	"bianmin/offline/receipt"
	"bianmin/offline/store"
	"bianmin/offline/words"
)

var slipTexts = sync.OnceValues(translations.Load)

// Slip draws a receipt as it prints, with the paper's margins, as PNG. Looking at it is no print: nothing is recorded.
func (s *Session) Slip(ctx context.Context, seq uint64, stage uint8, dots int, lang string) ([]byte, error) {
	doc, err := s.SlipDoc(ctx, seq, stage, dots, lang, 1)
	if err != nil {
		return nil, err
	}
	face, err := s.d.Face()
	if err != nil {
		return nil, err
	}
	sheet, err := paper.Lay(doc, face, paper.StyleFor(dots))
	if err != nil {
		return nil, words.New("desk.noCode", err)
	}
	img, err := sheet.Raster()
	if err != nil {
		return nil, words.New("desk.noCode", err)
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, paper.Paper(img)); err != nil {
		return nil, words.New("desk.noCode", err)
	}
	return buf.Bytes(), nil
}

// SlipDoc describes a receipt for paper of a width. From the second copy on it says so, with the time of this one.
func (s *Session) SlipDoc(ctx context.Context, seq uint64, stage uint8, dots int, lang string, copy uint32) (paper.Doc, error) {
	r, err := s.Receipt(ctx, seq, stage)
	if err != nil {
		return paper.Doc{}, err
	}
	if c, err := s.Case(ctx, seq); err == nil {
		r.Item = s.itemName(c.Service, r.Item, lang)
	}
	texts, err := slipTexts()
	if err != nil {
		return paper.Doc{}, fmt.Errorf("desk: texts of the slip: %w", err)
	}
	level := receipt.LevelM
	if dots >= receipt.Dots80 {
		level = receipt.LevelQ
	}
	code, err := receipt.QR(r.Link, level)
	if err != nil {
		return paper.Doc{}, words.New("desk.noCode", err)
	}
	t := texts.In(lang)
	text := slipText(r, t)
	if copy > 1 {
		text.Copy = t.T("slip.copy", "n", strconv.FormatUint(uint64(copy), 10), "time", translations.SecondText(t, s.d.cfg.Now()))
	}
	return receipt.SlipDoc(text, code), nil
}

// Printed records that a paper about a case leaves the machine, and returns which copy of it this is, from 1. stage is 1 or 2
// for a receipt, 0 for the list of answers; how is one of the counter's Print words. Copies on paper count by themselves,
// and files by themselves.
func (s *Session) Printed(ctx context.Context, seq uint64, stage uint8, how string) (uint32, error) {
	s.d.prints.Lock() // no two papers get one number
	defer s.d.prints.Unlock()
	c, err := s.visible(seq)
	if err != nil {
		return 0, err
	}
	n := c.Copies(stage, how) + 1
	act := store.Act{Operator: s.op.ID, Kind: journal.KindReceiptPrinted, Body: journal.ReceiptPrinted{Case: seq, Stage: stage, How: how, Copy: n}}
	if device, of := journal.SplitRef(seq); device != 0 { // the case was delivered under another number
		body := journal.ReceiptPrinted{Case: of, Stage: stage, How: how, Copy: n}
		act.Kind, act.Body = journal.KindFormerAct, journal.NewFormerAct(device, s.d.cfg.Now().UnixMilli(), s.op.ID, journal.KindReceiptPrinted, canon.MustMarshal(body))
	}
	if _, err := s.d.store.Commit(ctx, act); err != nil {
		return 0, err
	}
	return n, nil
}

// Face returns what papers are set in.
func (s *Session) Face() (*paper.Face, error) { return s.d.Face() }

// Face returns what papers are set in: the interface font, and rare characters from where Config says.
func (d *Desk) Face() (*paper.Face, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.face == nil {
		var err error
		if d.face, err = paper.NewFace(fonts.Regular, d.cfg.Glyphs); err != nil {
			return nil, err
		}
	}
	return d.face, nil
}

// printQueue is the document that holds the queue of print jobs.
const printQueue = "print.queue"

// PrintQueue returns the queue of print jobs as KeepPrintQueue kept it; nil when none was. It can be read while nobody is
// logged in.
func (d *Desk) PrintQueue() ([]byte, error) {
	raw, err := d.store.Doc(printQueue)
	if isGone(err) {
		return nil, nil
	}
	return raw, err
}

// KeepPrintQueue keeps the queue of print jobs, sealed; it is durable when KeepPrintQueue returns. The queue is open to
// the machine alone, so it must name no person.
func (d *Desk) KeepPrintQueue(raw []byte) error { return d.store.PutDoc(printQueue, raw) }

// slipText is what stands on the paper. The two stages differ in words: the first proves that the station took the case
// in, the second that the platform accepted it.
func slipText(r counter.Receipt, t translations.Texts) receipt.SlipText {
	stage := "slip.1."
	if r.Stage == receipt.StagePlatform {
		stage = "slip.2."
	}
	s := receipt.SlipText{Org: r.Station.In(t.Lang()), Title: t.T(stage + "title"), Note: t.T(stage + "note"), Scan: t.T("slip.scan")}
	add := func(key, value string) {
		if value != "" {
			s.Lines = append(s.Lines, receipt.SlipLine{Label: t.T("slip." + key), Value: value})
		}
	}
	add("item", r.Item)
	add("name", r.Name)
	add("official", r.Official)
	add(map[uint8]string{1: "takenIn", 2: "acceptedAt"}[r.Stage], translations.MomentText(t, r.At))
	add("due", translations.DayText(t, r.Due))
	under := func(key, value string) {
		s.Under = append(s.Under, receipt.SlipLine{Label: t.T("slip." + key), Value: value})
	}
	under("no", r.No)
	under("host", r.Station.ShortHost)
	under("phone", r.Station.Telephone)
	under("time", translations.SecondText(t, r.At))
	s.Footer = []string{t.T(stage + "footer")}
	return s
}
