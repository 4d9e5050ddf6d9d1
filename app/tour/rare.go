package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bianmin/app/desktop"
	"bianmin/app/screen"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/form"
	"bianmin/offline/journal"
)

// rare takes the cards of the simulated reader into the window: a name with characters beyond the first plane, one that does
// not fit its place on the card, a card that has expired. The first of the rare names becomes a case.
func (j *journey) rare() error {
	cards := desktop.SampleCards()
	err := steps(
		func() error { j.goTo(screen.PageSettings, ""); return nil },
		func() error { return j.tap("模拟读卡器（演示）") },
		func() error { return j.tap("试读身份证") },
		func() error {
			return j.until("the reader's answer", func() bool { return j.hand.sees("读卡器正常，读到" + cards[0].Name) })
		},
		func() error { return j.shot("settings-reader") },
	)
	if err != nil {
		return err
	}
	for i, c := range cards[1:] {
		says := []string{"已读出" + cut(c.Name) + "的身份证"}
		switch i {
		case 1:
			says = append(says, "请对照证件把姓名补全")
		case 2:
			says = append(says, "已到期")
		}
		err := steps(
			func() error { j.goTo(screen.PageHome, ""); j.goTo(screen.PageWizard, "new:juzhu"); return nil },
			func() error { return j.sees("读身份证") },
			func() error { return j.tap("读身份证") },
			func() error {
				return j.until("the card", func() bool {
					return !slices.ContainsFunc(says, func(s string) bool { return !j.hand.sees(s) })
				})
			},
			func() error { return j.shot(fmt.Sprintf("card-%d", i+1)) },
			func() error { j.goTo(screen.PageHome, ""); return nil },
		)
		if err != nil {
			return err
		}
	}
	return j.rareCase(cards[1].Name, cards[2].Name)
}

// cut is what a card holds of a name.
func cut(name string) string {
	const places = 15
	r := []rune(name)
	return string(r[:min(places, len(r))])
}

// rareCase completes the draft of the rare name, and the long name by hand, and submits both.
func (j *journey) rareCase(name, long string) error {
	s, err := j.session()
	if err != nil {
		return err
	}
	drafts, err := s.Drafts(j.ctx)
	if err != nil {
		return err
	}
	cases := map[string]counter.Case{}
	for _, d := range drafts {
		if d.Who != name && d.Who != cut(long) {
			continue
		}
		whole := name
		if d.Who == cut(long) {
			whole = long
		}
		if cases[whole], err = j.complete(s, d.ID, whole); err != nil {
			return err
		}
	}
	if len(cases) != 2 {
		return fmt.Errorf("%d of two rare names became cases", len(cases))
	}
	for whole, c := range cases {
		read := slices.Contains(c.Read, "name")
		if c.Identity != journal.IdentityCard || read != (whole == name) || c.Applicant != whole {
			return fmt.Errorf("a rare name: identity %d, the name read by machine %v, kept whole %v", c.Identity, read, c.Applicant == whole)
		}
	}
	var pictures bytes.Buffer
	for _, whole := range []string{name, long} {
		j.goTo(screen.PageCase, fmt.Sprint(cases[whole].Seq))
		if err := j.sees("身份证机读"); err != nil {
			return err
		}
		if err := j.tap("显示完整信息"); err != nil {
			return err
		}
		if err := j.sees(whole); err != nil {
			return err
		}
		if err := j.shot(fmt.Sprintf("case-rare-%d", len([]rune(whole)))); err != nil {
			return err
		}
		slip, err := s.Slip(j.ctx, cases[whole].Seq, 1, 384, "zh")
		if err != nil {
			return err
		}
		pictures.Write(slip)
	}
	j.report.figure("bytes of two slips", pictures.Len())
	j.goTo(screen.PageHome, "")
	return j.dropDrafts()
}

// complete answers what the card does not, and submits.
func (j *journey) complete(s *desk.Session, draft, name string) (counter.Case, error) {
	in, err := s.Resume(j.ctx, draft)
	if err != nil {
		return counter.Case{}, err
	}
	if v := in.Form().State("name").Value; v != any(name) {
		in.Set("name", name)
	}
	for path, v := range map[form.Path]any{
		"hukou": "999999101201", "phone": "13900000001", "arrivedOn": "2026-01-05", "purpose": "other", "homeType": "employer",
		"liveAddress": "清河镇柳树村2组6号", "employed": false, "promise": true,
	} {
		in.Set(path, v)
	}
	for range 8 { // each answer may ask for another
		for _, p := range in.Ready(false) {
			if f := in.Form().State(p.Path).Field; f != nil && f.Kind == form.KindMaterial {
				if err := in.Attach(j.ctx, p.Path, j.photo, "photo.jpg"); err != nil {
					return counter.Case{}, err
				}
			}
		}
	}
	stroke := counter.Signature{Strokes: [][]int64{{10, 10, 60, 40, 90, 15, 120, 60}}, Times: [][]int64{{0, 90, 180, 260}}}
	if err := in.Sign(j.ctx, "sign", stroke); err != nil {
		return counter.Case{}, err
	}
	out, err := in.Submit(j.ctx)
	if err != nil {
		var more *counter.IncompleteError
		if errors.As(err, &more) {
			var at []string
			for _, p := range more.Problems {
				at = append(at, string(p.Path))
			}
			return counter.Case{}, fmt.Errorf("not complete: %s: %w", strings.Join(at, " "), err)
		}
		return counter.Case{}, err
	}
	return s.Case(j.ctx, out.Case)
}
