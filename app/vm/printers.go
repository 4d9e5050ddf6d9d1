package vm

import (
	"context"
	"strconv"
	"sync"

	"bianmin/app/device/printer"
	"bianmin/app/device/spool"
	"bianmin/offline/paper"
)

// Printers is the state of the screen 打印机: the printers of this machine, how they are, and what waits to be printed.
type Printers struct {
	t  Texts
	sp *spool.Spool
	o  printer.Options
	by string

	mu     sync.Mutex // guards what follows
	busy   bool
	states map[string]printerState
	edit   printer.Config // what the form shows
	open   bool           // the form is open
	fault  error
}

type printerState struct {
	state printer.State
	err   error
}

// NewPrinters returns the state; by is the operator's id. sp may be nil: the machine has no spool.
func NewPrinters(t Texts, sp *spool.Spool, by string) *Printers {
	return &Printers{t: t, sp: sp, by: by, states: map[string]printerState{}}
}

// PrintersState is what the screen shows.
type PrintersState struct {
	Note  string
	Rows  []PrinterRow
	Jobs  []PrintJob
	Empty string // what stands there without printers
	NoJob string // and without jobs

	Form    bool // a printer is being added or changed
	Title   string
	Name    string
	Address string
	Hint    string // what an address looks like
	Kinds   []Choice
	Widths  []Choice // none for office printers
	Bauds   []Choice // of serial lines only
	Found   []Choice // what is plugged in, to choose instead of typing
	Fault   string
	Busy    bool
}

// PrinterRow is one printer.
type PrinterRow struct {
	ID, Name, Note string
	State, Tone    string // in words
	First          bool   // prints unless another one is chosen
}

// State returns what to show.
func (v *Printers) State() PrintersState {
	v.mu.Lock()
	defer v.mu.Unlock()
	t := v.t
	s := PrintersState{Note: t.T("printers.note"), Empty: t.T("printers.none"), NoJob: t.T("printers.noJobs"), Form: v.open, Busy: v.busy}
	if v.sp == nil {
		return s
	}
	first, _ := v.sp.Book().First()
	for _, c := range v.sp.Book().List() {
		s.Rows = append(s.Rows, v.row(c, c.ID == first.ID))
	}
	jobs := v.sp.Jobs()
	for i := len(jobs) - 1; i >= 0; i-- { // what was printed last stands first
		s.Jobs = append(s.Jobs, jobInWords(t, v.sp, jobs[i]))
	}
	if v.fault != nil {
		s.Fault = Words(t, v.fault)
	}
	if v.open {
		v.form(&s)
	}
	return s
}

func (v *Printers) row(c printer.Config, first bool) PrinterRow {
	t := v.t
	r := PrinterRow{ID: c.ID, Name: c.Name, First: first, Note: t.T("printers.kind."+string(c.Kind)) + " · " + c.Address + " · " + widthText(t, c.Dots)}
	st, asked := v.states[c.ID]
	switch {
	case !asked:
		r.State, r.Tone = t.T("printers.state.asking"), "info"
	case st.err != nil:
		r.State, r.Tone = Words(t, st.err), "warn"
	case st.state.Trouble != "":
		r.State, r.Tone = t.T(st.state.Trouble), "warn"
	case st.state.Mute:
		r.State, r.Tone = t.T("printers.state.mute"), "info"
	case st.state.Low:
		r.State, r.Tone = t.T("printers.state.low"), "warn"
	default:
		r.State, r.Tone = t.T("printers.state.ready"), "ok"
	}
	return r
}

func (v *Printers) form(s *PrintersState) {
	t, c := v.t, v.edit
	s.Title, s.Name, s.Address = t.T("printers.add"), c.Name, c.Address
	if c.ID != "" {
		s.Title = t.T("printers.change")
	}
	s.Hint = t.T("printers.address." + string(c.Kind))
	for _, k := range printer.Kinds {
		s.Kinds = append(s.Kinds, Choice{Value: string(k), Label: t.T("printers.kind." + string(k)), On: k == c.Kind})
	}
	if c.Thermal() {
		for _, d := range []int{paper.Dots58, paper.Dots80} {
			s.Widths = append(s.Widths, Choice{Value: itoa(d), Label: widthText(t, d), On: d == c.Dots})
		}
	}
	if c.Kind == printer.Serial {
		for _, b := range printer.Bauds {
			s.Bauds = append(s.Bauds, Choice{Value: itoa(b), Label: itoa(b), On: b == c.Baud})
		}
	}
	for _, name := range printer.Found(c.Kind) {
		s.Found = append(s.Found, Choice{Value: name, Label: name, On: name == c.Address})
	}
}

// Ask asks every printer how it is. It waits for them: call it off the screen's goroutine.
func (v *Printers) Ask(ctx context.Context) {
	if v.sp == nil {
		return
	}
	for _, c := range v.sp.Book().List() {
		var st printerState
		p, err := printer.Open(c, v.o)
		if err == nil {
			st.state, err = p.State(ctx)
		}
		st.err = err
		v.mu.Lock()
		v.states[c.ID] = st
		v.mu.Unlock()
	}
}

// Edit opens the form for a printer; "" for a new one.
func (v *Printers) Edit(id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open, v.fault = true, nil
	v.edit = printer.Config{Kind: printer.File, Dots: paper.Dots58, Baud: printer.DefaultBaud}
	if v.sp == nil {
		return
	}
	if c, ok := v.sp.Book().Get(id); ok {
		v.edit = c
	} else if found := printer.Found(printer.File); len(found) > 0 {
		v.edit.Address = found[0]
	}
}

// Typed takes what the form holds, so that choosing a kind does not lose it.
func (v *Printers) Typed(name, address string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.edit.Name, v.edit.Address = name, address
}

// Choose takes a choice of the form: "kind", "width", "baud" or "found", and its value.
func (v *Printers) Choose(what, value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n, err := strconv.Atoi(value)
	switch {
	case what == "kind" && v.edit.Kind != printer.Kind(value):
		v.edit.Kind, v.edit.Address = printer.Kind(value), ""
		if found := printer.Found(v.edit.Kind); len(found) > 0 {
			v.edit.Address = found[0]
		}
	case what == "width" && err == nil:
		v.edit.Dots = n
	case what == "baud" && err == nil:
		v.edit.Baud = n
	case what == "found":
		v.edit.Address = value
	}
}

// Close closes the form without keeping anything.
func (v *Printers) Close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open, v.fault = false, nil
}

// Save keeps the printer of the form; it reports whether it did. It writes to the disk.
func (v *Printers) Save() bool {
	v.mu.Lock()
	c := v.edit
	v.mu.Unlock()
	c, err := v.sp.Book().Put(c)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fault = err
	if err == nil {
		v.open = false
		delete(v.states, c.ID)
	}
	return err == nil
}

// Remove forgets a printer. It writes to the disk.
func (v *Printers) Remove(id string) error { return v.sp.Book().Remove(id) }

// SetFirst chooses the printer that prints unless another one is chosen. It writes to the disk.
func (v *Printers) SetFirst(id string) error { return v.sp.Book().SetFirst(id) }

// Test puts a test page for a printer into the queue. It writes to the disk.
func (v *Printers) Test(id string) error {
	_, err := v.sp.Add(spool.Job{What: spool.Test, Printer: id, Lang: v.t.Lang(), By: v.by})
	return err
}

// Retry lets a held job print again.
func (v *Printers) Retry(id uint64) error { return v.sp.Retry(id) }

// Cancel takes a job back.
func (v *Printers) Cancel(id uint64) error { return v.sp.Cancel(id) }
