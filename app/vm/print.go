package vm

import (
	"bianmin/app/device/printer"
	"bianmin/app/device/spool"
	"bianmin/assets/translations"
	"bianmin/offline/counter"
	"bianmin/offline/receipt"
)

// PrintState is what a screen shows about printing one paper.
type PrintState struct {
	Any      bool     // this machine has a printer
	Word     string   // of the button: 打印, or 重印 once a copy is out
	Note     string   // what a reprint means; "" before
	Printers []Choice // to choose from; none unless there are several
	Job      *PrintJob
}

// PrintJob is one job in words.
type PrintJob struct {
	ID            uint64
	What          string // 收件回执 7-1043-5
	Where         string // name of the printer
	When          string
	Text, Tone    string // how it stands; tone as the other states name it
	Retry, Cancel string // words of what can be done; "" when it cannot
}

// press is what prints the papers of a screen. The zero value prints nothing: the machine has no spool.
type press struct {
	sp   *spool.Spool
	p    *Papers // for files
	pick string  // printer that was chosen; "" is the first
}

// chosen returns the printer to use; false when there is none.
func (p *press) chosen() (printer.Config, bool) {
	if p.sp == nil {
		return printer.Config{}, false
	}
	if c, ok := p.sp.Book().Get(p.pick); ok {
		return c, true
	}
	return p.sp.Book().First()
}

// state says how a paper's printing stands. copies is how many are out.
func (p *press) state(t Texts, what string, of uint64, stage uint8, copies uint32) PrintState {
	c, any := p.chosen()
	s := PrintState{Any: any, Word: t.T("print.print")}
	if copies > 0 {
		s.Word, s.Note = t.T("print.again"), t.T("print.againNote", "n", itoa(int(copies)))
	}
	if !any {
		return s
	}
	if list := p.sp.Book().List(); len(list) > 1 {
		for _, o := range list {
			s.Printers = append(s.Printers, Choice{Value: o.ID, Label: o.Name, On: o.ID == c.ID})
		}
	}
	if j, ok := p.sp.Of(what, of, stage); ok {
		job := jobInWords(t, p.sp, j)
		s.Job = &job
	}
	return s
}

// jobInWords says how a job stands.
func jobInWords(t Texts, sp *spool.Spool, j spool.Job) PrintJob {
	out := PrintJob{ID: j.ID, What: jobTitle(t, j), When: MomentText(t, millis(j.At)), Where: t.T("print.gone"), Tone: "info"}
	if c, ok := sp.Book().Get(j.Printer); ok {
		out.Where = c.Name
	}
	switch j.State {
	case spool.Waiting:
		out.Text, out.Cancel = t.T("print.state.waiting"), t.T("print.cancel")
		if j.What != spool.Test && sp.Locked() {
			out.Text = t.T("print.state.locked")
		}
	case spool.Printing:
		out.Text, out.Cancel = t.T("print.state.printing"), t.T("print.cancel")
	case spool.Done:
		out.Text, out.Tone = t.T("print.state.done", "printer", out.Where), "ok"
	default:
		out.Text, out.Tone = t.T(j.Cause)+sentenceGap(t)+t.T("print.kept"), "warn"
		if j.Begun {
			out.Text += sentenceGap(t) + t.T("print.begun")
		}
		out.Retry, out.Cancel = t.T("print.retry"), t.T("print.cancel")
	}
	return out
}

// sentenceGap is what stands between two sentences.
func sentenceGap(t Texts) string {
	if t.Lang() == translations.English {
		return " "
	}
	return ""
}

// jobTitle names a job's paper without naming a person.
func jobTitle(t Texts, j spool.Job) string {
	switch {
	case j.What == spool.Test:
		return t.T("print.what.test")
	case j.What == spool.Answers:
		return t.T("print.what.answers", "no", j.No)
	case j.Stage == receipt.StagePlatform:
		return t.T("slip.2.title") + " " + j.No
	}
	return t.T("slip.1.title") + " " + j.No
}

// UsePrinting lets the receipt be printed through sp and saved by p; without, it is only looked at. sp may be nil.
func (v *Receipt) UsePrinting(sp *spool.Spool, p *Papers) { v.press.sp, v.press.p = sp, p }

// PickPrinter chooses another printer for this receipt.
func (v *Receipt) PickPrinter(id string) { v.press.pick = id }

// Print puts the receipt into the queue. It writes to the disk: call it off the screen's goroutine. Errors: print.noPrinter,
// print.queueFull, those of the store.
func (v *Receipt) Print() error {
	return v.press.add(spool.Job{What: spool.Receipt, Case: v.seq, Stage: v.stage, No: v.r.No, Lang: v.lang, By: v.s.Operator().ID})
}

func (p *press) add(j spool.Job) error {
	c, ok := p.chosen()
	if !ok {
		return errNoPrinter
	}
	j.Printer = c.ID
	_, err := p.sp.Add(j)
	return err
}

// RetryPrint and CancelPrint are about a job of this receipt. They write to the disk.
func (v *Receipt) RetryPrint(id uint64) error { return v.press.sp.Retry(id) }

// CancelPrint takes a job back.
func (v *Receipt) CancelPrint(id uint64) error { return v.press.sp.Cancel(id) }

// UsePrinting lets the home screen tell what waits to be printed; sp may be nil.
func (h *Home) UsePrinting(sp *spool.Spool) { h.press.sp = sp }

// unprinted returns how many papers did not come out yet.
func (h *Home) unprinted() int {
	if h.press.sp == nil {
		return 0
	}
	return h.press.sp.Waiting()
}

// UsePrinting lets the list of answers be printed through sp and saved by p; without, it is only looked at. sp may be nil.
func (v *CaseDetail) UsePrinting(sp *spool.Spool, p *Papers) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.press.sp, v.press.p = sp, p
}

// PrintAnswers puts the list of answers into the queue. It writes to the disk: call it off the screen's goroutine.
func (v *CaseDetail) PrintAnswers() error {
	v.mu.Lock()
	p, no, by := v.press, v.of.No, v.s.Operator().ID
	v.mu.Unlock()
	return p.add(spool.Job{What: spool.Answers, Case: v.seq, No: no, Lang: v.t.Lang(), By: by})
}

// PickPrinter chooses another printer for this list.
func (v *CaseDetail) PickPrinter(id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.press.pick = id
}

// RetryPrint tries a job of this case again.
func (v *CaseDetail) RetryPrint(id uint64) error { return v.press.sp.Retry(id) }

// CancelPrint takes a job of this case back.
func (v *CaseDetail) CancelPrint(id uint64) error { return v.press.sp.Cancel(id) }

// copiesOf returns how many papers of a case are out.
func copiesOf(c counter.Case, stage uint8) uint32 {
	if c.Case == nil {
		return 0
	}
	return c.Copies(stage, counter.PrintPaper)
}
