package main

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/sync/gateway"
)

// caseLine is a case in a list: it shows no name in full.
type caseLine struct {
	No         string `json:"no"`
	OfficialNo string `json:"officialNo"`
	Device     uint32 `json:"device"`
	Seq        uint64 `json:"seq"`
	Service    string `json:"service"`
	Item       string `json:"item"`
	Applicant  string `json:"applicant"` // masked
	State      string `json:"state"`
	StateText  string `json:"stateText"`
	Urgent     bool   `json:"urgent"`
	At         string `json:"at"`        // taken in, by the desk's clock, RFC 3339
	Due        string `json:"due"`       // 2006-01-02
	Priority   uint8  `json:"priority"`  // 0 normal, higher is sooner
	PapersDue  string `json:"papersDue"` // last day for papers that are missing and may follow; "" when none are
}

// caseFull is what case show prints.
type caseFull struct {
	caseLine
	Name        string          `json:"name"`
	IDNumber    string          `json:"idNumber"`
	Phone       string          `json:"phone"`
	Division    string          `json:"division"`
	Operator    string          `json:"operator"`
	ItemCode    string          `json:"itemCode"`
	Form        string          `json:"form"`
	FormVersion uint32          `json:"formVersion"`
	AcceptedAt  string          `json:"acceptedAt"`
	Result      string          `json:"result"`
	Quarantine  string          `json:"quarantine"`
	Correction  *correctionLine `json:"correction"`
	Papers      []string        `json:"papers"` // fields of papers that may follow and are missing
	Answers     any             `json:"answers"`
	Blobs       []blobLine      `json:"blobs"`
	Timeline    []stepLine      `json:"timeline"`
	// Branch says how the case stands to the branches of a journal that forked; null usually.
	Branch *gateway.CaseBranch `json:"branch"`
}

type correctionLine struct {
	Fields    []string `json:"fields"`
	Note      string   `json:"note"`
	AskedAt   string   `json:"askedAt"`
	AnswerBy  string   `json:"answerBy"`
	Officer   string   `json:"officer"`
	Telephone string   `json:"telephone"`
	Basis     string   `json:"basis"`
}

type blobLine struct {
	Address string `json:"address"`
	Name    string `json:"name"`
	Media   string `json:"media"`
	Size    int64  `json:"size"`
}

type stepLine struct {
	At      string `json:"at"`
	Kind    string `json:"kind"`
	State   string `json:"state"`
	By      string `json:"by"`
	Note    string `json:"note"`
	Seq     uint64 `json:"seq"`
	Cursor  uint64 `json:"cursor"`
	Ignored bool   `json:"ignored"`
}

func stamp(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}

func lineOf(c *casefile.Case) caseLine {
	due := c.OfficialDue
	if due == 0 {
		due = c.PromisedDue
	}
	return caseLine{
		No: c.Number(), OfficialNo: c.OfficialNo, Device: c.Device, Seq: c.Seq, Service: c.Service, Item: c.ItemName,
		Applicant: c.MaskedName(), State: string(c.State), StateText: c.State.Label(), Urgent: c.Urgent,
		At: stamp(c.SubmittedAt), Due: due.String(), Priority: c.Priority, PapersDue: papersDue(c).String(),
	}
}

// papersDue is the day for papers that are still missing; 0 when none are.
func papersDue(c *casefile.Case) casefile.Day {
	if len(c.Papers) == 0 || c.State.Closed() {
		return 0
	}
	return c.PapersDue
}

func fullOf(c *casefile.Case) caseFull {
	f := caseFull{
		caseLine: lineOf(c), Name: c.Applicant, IDNumber: c.IDNumber, Phone: c.Phone, Division: c.Division,
		Operator: c.Operator, ItemCode: c.ItemCode, Form: c.FormID, FormVersion: c.FormVersion,
		AcceptedAt: stamp(c.AcceptedAt), Result: c.Result, Quarantine: c.Quarantine, Answers: answers(c.Answers),
		Blobs: []blobLine{}, Timeline: []stepLine{}, Papers: append([]string{}, c.Papers...),
	}
	if q := c.Correction; q != nil {
		f.Correction = &correctionLine{q.Fields, q.Note, stamp(q.AskedAt), q.AnswerBy.String(), q.Officer, q.Telephone, q.Basis}
	}
	for _, b := range c.Blobs {
		f.Blobs = append(f.Blobs, blobLine{hex.EncodeToString(b.Addr[:]), b.Name, b.Media, b.Size})
	}
	for _, s := range c.Timeline {
		f.Timeline = append(f.Timeline, stepLine{stamp(s.At), string(s.Kind), string(s.State), s.By, s.Note, s.Seq, s.Cursor, s.Ignored})
	}
	return f
}

// answers turns CBOR answers into what JSON can hold.
func answers(data []byte) any {
	var v any
	if err := canon.Unmarshal(data, &v); err != nil {
		return nil
	}
	return plain(v)
}

func plain(v any) any {
	switch x := v.(type) {
	case map[any]any:
		m := make(map[string]any, len(x))
		for k, e := range x {
			m[fmt.Sprint(k)] = plain(e)
		}
		return m
	case []any:
		for i := range x {
			x[i] = plain(x[i])
		}
		return x
	case []byte:
		return hex.EncodeToString(x)
	}
	return v
}

func (t *tool) printCase(c *casefile.Case) error {
	return t.print(lineOf(c), func(w io.Writer) { t.caseText(w, c) })
}

func (t *tool) caseText(w io.Writer, c *casefile.Case) {
	l := lineOf(c)
	mark := ""
	switch {
	case c.Urgent:
		mark = "  " + t.say("[加急]", "[urgent]")
	case c.Priority > 0:
		mark = "  " + t.say("[优先]", "[sooner]")
	}
	fmt.Fprintf(w, "%s  %s  %s  %s  %s  %s%s\n", l.No, t.moment(c.SubmittedAt), t.texts.T(c.State.Key()), l.Item, l.Applicant, l.OfficialNo, mark)
}

func runCaseList(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	state := fs.String("state", "", "状态，如 taken-in、accepted / a state")
	limit := fs.Int("limit", 0, "最多几件 / at most")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	known := *state == ""
	for _, s := range casefile.States {
		known = known || string(s) == *state
	}
	if !known {
		return usage(keyValue, "flag", "--state", "value", *state)
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		list, err := g.Cases(ctx, casefile.State(*state), *limit)
		if err != nil {
			return err
		}
		lines := []caseLine{}
		for _, c := range list {
			lines = append(lines, lineOf(c))
		}
		return t.print(lines, func(w io.Writer) {
			for _, c := range list {
				t.caseText(w, c)
			}
		})
	})
}

func runCaseShow(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	names, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		c, err := g.Case(ctx, names[0])
		if err != nil {
			return err
		}
		f := fullOf(c)
		if f.Branch, err = g.CaseBranches(ctx, c.Device, c.Seq); err != nil {
			return err
		}
		return t.print(f, func(w io.Writer) {
			t.caseText(w, c)
			if b := f.Branch; b != nil && b.FormerNo != "" {
				fmt.Fprintf(w, "  %s %s\n", t.say("分支上的回执号", "receipt number on the branch"), b.FormerNo)
			}
			if b := f.Branch; b != nil && len(b.Others) > 0 {
				fmt.Fprintf(w, "  %s %v\n", t.say("另一分支上同号的办件", "cases that bore this number on another branch"), b.Others)
			}
			fmt.Fprintf(w, "  %s  %s  %s\n", f.Name, f.IDNumber, f.Phone)
			if f.Due != "" {
				fmt.Fprintf(w, "  %s %s\n", t.say("承诺办结", "due"), t.day(f.Due))
			}
			if q := f.Correction; q != nil {
				fmt.Fprintf(w, "  %s %v %s (%s %s)\n", t.say("补正", "correction"), q.Fields, q.Note, t.say("截止", "by"), t.day(q.AnswerBy))
			}
			if f.PapersDue != "" {
				fmt.Fprintf(w, "  %s %v (%s %s)\n", t.say("待补交材料", "papers to follow"), f.Papers, t.say("截止", "by"), t.day(f.PapersDue))
			}
			for _, s := range c.Timeline {
				step, state := t.texts.T(s.Key()), t.texts.T(s.State.Key())
				if state != step {
					step += " → " + state
				}
				fmt.Fprintf(w, "  %s  %s  %s %s\n", t.moment(s.At), step, s.By, s.Note)
			}
		})
	})
}

// runAct runs a reviewer's act on one case.
func runAct(ctx context.Context, t *tool, no string, fn func(g *gateway.Gateway) (*casefile.Case, error)) error {
	return t.with(ctx, func(g *gateway.Gateway) error {
		c, err := fn(g)
		if err != nil {
			return fmt.Errorf("%s: %w", no, err)
		}
		return t.printCase(c)
	})
}

func runCaseAccept(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	names, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	return runAct(ctx, t, names[0], func(g *gateway.Gateway) (*casefile.Case, error) { return g.Accept(ctx, names[0]) })
}

// runNoted runs an act that takes a note.
func runNoted(ctx context.Context, t *tool, fs *flag.FlagSet, args []string, needed bool, act func(g *gateway.Gateway, no, note string) (*casefile.Case, error)) error {
	note := fs.String("note", "", "意见 / the officer's words")
	names, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	if needed && *note == "" {
		return usage(keyNeeded, "flags", "--note")
	}
	return runAct(ctx, t, names[0], func(g *gateway.Gateway) (*casefile.Case, error) { return act(g, names[0], *note) })
}

func runCaseRefuse(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	return runNoted(ctx, t, fs, args, true, func(g *gateway.Gateway, no, note string) (*casefile.Case, error) { return g.Refuse(ctx, no, note) })
}

func runCaseProcess(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	return runNoted(ctx, t, fs, args, false, func(g *gateway.Gateway, no, note string) (*casefile.Case, error) {
		return g.Process(ctx, no, note)
	})
}

func runCaseDeliver(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	return runNoted(ctx, t, fs, args, false, func(g *gateway.Gateway, no, note string) (*casefile.Case, error) {
		return g.Deliver(ctx, no, note)
	})
}

func runCaseCorrect(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	var q journal.Correction
	fs.Func("field", "需要补正的字段，可多次 / a field to change, may be repeated", func(s string) error {
		q.Fields = append(q.Fields, s)
		return nil
	})
	fs.StringVar(&q.Note, "note", "", "补正内容 / what is to be changed and why")
	fs.StringVar(&q.Officer, "officer", "", "经办人 / the officer")
	fs.StringVar(&q.Telephone, "phone", "", "联系电话 / the officer's telephone")
	fs.StringVar(&q.Basis, "basis", "", "法律依据 / legal basis")
	names, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	if len(q.Fields) == 0 || q.Note == "" {
		return usage(keyNeeded, "flags", "--field, --note")
	}
	return runAct(ctx, t, names[0], func(g *gateway.Gateway) (*casefile.Case, error) { return g.Correct(ctx, names[0], q) })
}

// fieldWords says what is wrong with the fields of a correction, and which may be named.
func (t *tool) fieldWords(e *gateway.FieldsError) string {
	var out []string
	for _, f := range e.Faults {
		out = append(out, t.texts.T(f.Key, flat(f.Args)...))
	}
	out = append(out, t.texts.T("case.fieldsOpen", "fields", strings.Join(e.Fields, ", ")))
	return strings.Join(out, "\n")
}

func runCaseDecide(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	note := fs.String("note", "", "意见 / the officer's words")
	results := []string{"granted", "denied", "returned", "void"}
	texts := []string{"准予 / granted", "不予 / denied", "退件 / returned", "作废 / void"}
	chosen := make([]*bool, len(results))
	for i, r := range results {
		chosen[i] = fs.Bool(r, false, texts[i])
	}
	names, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	result := ""
	for i, r := range results {
		if *chosen[i] {
			if result != "" {
				return usage(keyOneOf, "flags", "--granted, --denied, --returned, --void")
			}
			result = r
		}
	}
	if result == "" {
		return usage(keyOneOf, "flags", "--granted, --denied, --returned, --void")
	}
	return runAct(ctx, t, names[0], func(g *gateway.Gateway) (*casefile.Case, error) { return g.Decide(ctx, names[0], result, *note) })
}

func runCaseRebuild(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		records, events, err := g.Rebuild(ctx, nil)
		if err == nil {
			err = g.CatchUp(ctx)
		}
		if err != nil {
			return err
		}
		list, err := g.Cases(ctx, "", 0)
		if err != nil {
			return err
		}
		out := map[string]int{"records": records, "events": events, "cases": len(list)}
		return t.print(out, func(w io.Writer) {
			fmt.Fprintf(w, t.say("已重建 %d 件办件（%d 条记录，%d 条事件）\n", "%d cases rebuilt from %d records and %d events\n"), len(list), records, events)
		})
	})
}
