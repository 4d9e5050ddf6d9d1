package desk

import (
	"bytes"
	"fmt"
	"image/png"
	"sync"

	"bianmin/assets/fonts"
	"bianmin/assets/translations"
	"bianmin/offline/counter"
	"bianmin/offline/glyph"
	"bianmin/offline/receipt"
	"bianmin/offline/words"
)

var slipTexts = sync.OnceValues(translations.Load)

// drawSlip draws a receipt as it prints, with the paper's margins, as PNG.
func (d *Desk) drawSlip(r counter.Receipt, dots int, lang string) ([]byte, error) {
	texts, err := slipTexts()
	if err != nil {
		return nil, fmt.Errorf("desk: texts of the slip: %w", err)
	}
	level := receipt.LevelM
	if dots == receipt.Dots80 {
		level = receipt.LevelQ
	}
	code, err := receipt.QR(r.Link, level)
	if err != nil {
		return nil, words.New("desk.noCode", err)
	}
	text := slipText(r, texts.In(lang))
	text.Other = glyph.System().Face
	slip, err := receipt.Slip(text, code, fonts.Regular, dots)
	if err != nil {
		return nil, words.New("desk.noCode", err)
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, receipt.Paper(slip)); err != nil {
		return nil, words.New("desk.noCode", err)
	}
	return buf.Bytes(), nil
}

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
