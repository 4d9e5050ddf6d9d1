package vm

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"time"

	"bianmin/app/device/pdf"
	"bianmin/app/device/printer"
	"bianmin/app/device/spool"
	"bianmin/assets/translations"
	"bianmin/offline/counter"
	"bianmin/offline/paper"
	"bianmin/offline/receipt"
	"bianmin/offline/words"
)

var errNoPrinter = words.New("print.noPrinter", nil)

// Papers lays papers out for the print queue, as an operator at work.
type Papers struct {
	c     counter.Counter
	s     counter.Session
	texts *translations.Catalog
	now   func() time.Time
}

var _ spool.Source = (*Papers)(nil)

// NewPapers returns the papers of a session.
func NewPapers(c counter.Counter, s counter.Session, texts *translations.Catalog, now func() time.Time) *Papers {
	return &Papers{c: c, s: s, texts: texts, now: now}
}

// Sheet records a print and returns its paper. From the second copy on the paper says so.
func (p *Papers) Sheet(ctx context.Context, j spool.Job, dots int) (*paper.Sheet, error) {
	return p.sheet(ctx, j, dots, counter.PrintPaper)
}

// PDF records that a paper leaves as a file, and returns it.
func (p *Papers) PDF(ctx context.Context, j spool.Job) ([]byte, error) {
	s, err := p.sheet(ctx, j, paper.DotsA4, counter.PrintPDF)
	if err != nil {
		return nil, err
	}
	return pdf.Encode(s)
}

// PNG records that a paper leaves as a picture of a roll of so many dots, and returns it.
func (p *Papers) PNG(ctx context.Context, j spool.Job, dots int) ([]byte, error) {
	s, err := p.sheet(ctx, j, dots, counter.PrintPNG)
	if err != nil {
		return nil, err
	}
	img, err := s.Raster()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := png.Encode(&out, paper.Paper(img)); err != nil {
		return nil, fmt.Errorf("vm: picture: %w", err)
	}
	return out.Bytes(), nil
}

func (p *Papers) sheet(ctx context.Context, j spool.Job, dots int, how string) (*paper.Sheet, error) {
	face, err := p.s.Face()
	if err != nil {
		return nil, err
	}
	// After a fork the machine counts anew under another number: a job must not print whatever bears the old one's.
	if c, err := p.s.Case(ctx, j.Case); err != nil {
		return nil, err
	} else if j.No != "" && c.No != j.No {
		return nil, words.New("desk.noCase", fmt.Errorf("vm: job about another case"))
	}
	stage := j.Stage
	if j.What == spool.Answers {
		stage = 0
	}
	n, err := p.s.Printed(ctx, j.Case, stage, how)
	if err != nil {
		return nil, err
	}
	if how != counter.PrintPaper {
		n = 1 // a file is looked at as often as one likes
	}
	var doc paper.Doc
	switch j.What {
	case spool.Receipt:
		doc, err = p.s.SlipDoc(ctx, j.Case, j.Stage, dots, j.Lang, n)
	case spool.Answers:
		doc, err = p.answers(ctx, j, n)
	default:
		err = fmt.Errorf("vm: no paper %q", j.What)
	}
	if err != nil {
		return nil, err
	}
	return paper.Lay(doc, face, paper.StyleFor(dots))
}

// answers describes the list of answers of a case: what was applied for, by whom, what was said and handed in. Numbers stand
// in full: it is the paper that the citizen puts a name to.
func (p *Papers) answers(ctx context.Context, j spool.Job, n uint32) (paper.Doc, error) {
	t := p.texts.In(j.Lang)
	v := NewCaseDetail(t, p.c, p.s, p.now, j.Case)
	v.reveal = true
	if err := v.Load(ctx); err != nil {
		return paper.Doc{}, err
	}
	if v.fault != nil {
		return paper.Doc{}, v.fault
	}
	st := v.State()
	d := paper.Doc{Title: t.T("print.answers.title")}
	d.Space(8)
	d.Centre(p.c.Station().In(j.Lang), 26)
	d.Space(2)
	d.Centre(st.Item, 36)
	d.Centre(t.T("print.answers.title"), 28)
	if n > 1 {
		d.Space(4)
		d.Mark(t.T("slip.copy", "n", itoa(int(n)), "time", translations.SecondText(t, p.now())), 24)
	}
	d.Space(12)
	d.Rule(3)
	d.Space(12)
	for _, f := range append(st.Numbers[:2:2], st.Facts...) {
		d.Pair(f.Name, f.Value, 24)
	}
	d.Pair(t.T("print.answers.printed"), translations.SecondText(t, p.now()), 24)
	for _, sec := range st.Sections {
		section(&d, sec)
	}
	if len(st.Papers) > 0 {
		heading(&d, t.T("case.papers"))
		for _, f := range st.Papers {
			d.Pair(f.Label, f.Note, 24)
		}
	}
	d.Space(12)
	d.Rule(1)
	d.Space(10)
	d.Text(t.T("print.answers.note"), 22)
	d.Space(16)
	d.Text(t.T("print.answers.sign"), 24)
	d.Space(40)
	return d, nil
}

func heading(d *paper.Doc, text string) {
	d.Space(10)
	d.Rule(1)
	d.Space(8)
	d.Text(text, 28)
	d.Space(4)
}

func section(d *paper.Doc, sec CaseSection) {
	heading(d, sec.Title)
	for _, a := range sec.Rows {
		switch {
		case a.Heading:
			d.Text(a.Label, 26)
		case a.Agreed:
			d.Text(a.Value+"："+a.Label, 24)
			d.Space(4)
		default:
			d.Pair(a.Label, a.Value, 24)
		}
	}
}

// TestPage describes a test page: which printer, where, how wide, with a code to scan and every size of text.
func TestPage(t Texts, c printer.Config, station string, at time.Time) paper.Doc {
	d := paper.Doc{Title: t.T("print.test.title")}
	d.Space(16)
	d.Centre(station, 26)
	d.Centre(t.T("print.test.title"), 46)
	d.Space(12)
	d.Rule(3)
	d.Space(12)
	d.Pair(t.T("printers.name"), c.Name, 24)
	d.Pair(t.T("printers.kind"), t.T("printers.kind."+string(c.Kind)), 24)
	d.Pair(t.T("printers.address"), c.Address, 24)
	d.Pair(t.T("printers.width"), widthText(t, c.Dots), 24)
	d.Pair(t.T("slip.time"), translations.SecondText(t, at), 24)
	d.Space(10)
	d.Text(t.T("print.test.text"), 24)
	if code, err := receipt.QR("https://"+c.Name, receipt.LevelQ); err == nil { // without a code it is a test page all the same
		d.Code(code.Modules)
	}
	d.Mark(t.T("print.test.mark"), 24)
	d.Space(24)
	return d
}

func widthText(t Texts, dots int) string {
	switch dots {
	case paper.Dots58:
		return t.T("printers.width.58")
	case paper.Dots80:
		return t.T("printers.width.80")
	}
	return t.T("printers.width.a4")
}

// PDF returns the receipt as a file and its name, and records it. It draws and writes: call it off the screen's goroutine.
func (v *Receipt) PDF(ctx context.Context) (name string, data []byte, err error) {
	data, err = v.press.p.PDF(ctx, spool.Job{What: spool.Receipt, Case: v.seq, Stage: v.stage, Lang: v.lang})
	return v.t.T("receipt.file", "no", v.r.No) + ".pdf", data, err
}

// Picture records that the receipt leaves as a picture, and returns it with its name.
func (v *Receipt) Picture(ctx context.Context) (name string, data []byte, err error) {
	st := v.State()
	if _, err := v.s.Printed(ctx, v.seq, v.stage, counter.PrintPNG); err != nil {
		return "", nil, err
	}
	return st.File, st.Slip, nil
}

// AnswersPDF returns the list of answers as a file and its name, and records it.
func (v *CaseDetail) AnswersPDF(ctx context.Context) (name string, data []byte, err error) {
	data, err = v.press.p.PDF(ctx, spool.Job{What: spool.Answers, Case: v.seq, Lang: v.t.Lang()})
	return v.t.T("print.answers.file", "no", v.of.No) + ".pdf", data, err
}
