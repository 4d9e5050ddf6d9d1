package cli

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bianmin/app/device/escpos"
	"bianmin/app/device/printer"
	"bianmin/app/device/spool"
	"bianmin/app/vm"
	"bianmin/offline/casefile"
	"bianmin/offline/clocks"
	"bianmin/offline/desk"
	"bianmin/offline/journal"
	"bianmin/offline/paper"
	"bianmin/offline/words"
)

// printFlags are the flags of the command print.
func printFlags(fs *flag.FlagSet, o *options) {
	fs.StringVar(&o.operator, "operator", "", "")
	fs.StringVar(&o.pinFile, "pin-file", "", "")
	fs.StringVar(&o.who.Name, "name", "", "")
	fs.StringVar(&o.to, "to", "", "")
	fs.StringVar(&o.out, "out", "", "")
	fs.StringVar(&o.print.kind, "kind", "", "")
	fs.StringVar(&o.print.printer, "printer", "", "")
	fs.IntVar(&o.print.width, "width", 0, "")
	fs.IntVar(&o.print.baud, "baud", 0, "")
	fs.IntVar(&o.print.stage, "stage", 0, "")
}

// printOptions are the flags of print alone.
type printOptions struct {
	kind, printer      string
	width, baud, stage int
}

// NewSpool opens the print queue and the printers of a folder. changed may be nil.
func NewSpool(e *Env, d *desk.Desk, dir string, changed func()) (*spool.Spool, error) {
	book, err := printer.OpenBook(dir)
	if err != nil {
		return nil, err
	}
	return spool.Open(spool.Options{
		Keep: d, Book: book, Log: e.Log, Changed: changed,
		Test: func(j spool.Job, c printer.Config) (*paper.Sheet, error) {
			return testSheet(e, d, c, j.Lang)
		},
	})
}

func testSheet(e *Env, d *desk.Desk, c printer.Config, lang string) (*paper.Sheet, error) {
	face, err := d.Face()
	if err != nil {
		return nil, err
	}
	return paper.Lay(vm.TestPage(e.Texts.In(lang), c, d.Station().In(lang), clocks.System().Now()), face, paper.StyleFor(c.Dots))
}

// printCommand prints, and manages printers and the queue.
func printCommand(ctx context.Context, e *Env, o *options, rest []string) int {
	if len(rest) == 0 {
		return e.spell("print")
	}
	sp := e.Host.Spool
	if sp == nil {
		var err error
		if sp, err = NewSpool(e, e.Host.Desk, o.data, nil); err != nil {
			return e.fail(err)
		}
	}
	what, args := rest[0], rest[1:]
	arg := ""
	if len(args) == 1 {
		arg = args[0]
	}
	switch {
	case what == "list" && len(args) == 0:
		return e.listPrinters(ctx, o, sp)
	case what == "add" && len(args) == 0:
		return e.addPrinter(o, sp)
	case what == "remove" && arg != "", what == "first" && arg != "":
		if _, ok := sp.Book().Get(arg); !ok {
			return e.fail(words.New("print.noPrinter", nil))
		}
		act := sp.Book().Remove
		if what == "first" {
			act = sp.Book().SetFirst
		}
		return e.done(act(arg), "cli.print.kept")
	case what == "queue" && len(args) == 0:
		return e.listJobs(o, sp)
	case what == "retry" && arg != "", what == "cancel" && arg != "":
		id, err := strconv.ParseUint(arg, 10, 64)
		if err != nil {
			return e.spell("print")
		}
		act := sp.Cancel
		if what == "retry" {
			act = sp.Retry
		}
		return e.done(act(id), "cli.print.kept")
	case what == "test" && len(args) == 0:
		c, ok := choose(sp, o.print.printer)
		if !ok {
			return e.fail(words.New("print.noPrinter", nil))
		}
		return e.printSheet(ctx, o, c, func(dots int) (*paper.Sheet, error) { return testSheet(e, e.Host.Desk, c, e.Lang) })
	case (what == spool.Receipt || what == spool.Answers) && arg != "":
		return e.printCase(ctx, o, sp, what, arg)
	}
	return e.spell("print")
}

func (e *Env) done(err error, key string) int {
	if err != nil {
		return e.fail(err)
	}
	fmt.Fprintln(e.Out, e.T(key, nil))
	return ExitOK
}

// choose returns the printer with an id, or the one that prints unless another one is chosen.
func choose(sp *spool.Spool, id string) (printer.Config, bool) {
	if id != "" {
		return sp.Book().Get(id)
	}
	return sp.Book().First()
}

// printerView is a printer as print list --json prints it.
type printerView struct {
	printer.Config
	First   bool   `json:"first"`
	State   string `json:"state"` // "ready", or the translation key of what is wrong
	Message string `json:"message"`
}

func (e *Env) listPrinters(ctx context.Context, o *options, sp *spool.Spool) int {
	list := []printerView{}
	first, _ := sp.Book().First()
	for _, c := range sp.Book().List() {
		v := printerView{Config: c, First: c.ID == first.ID, State: "ready"}
		var st printer.State
		p, err := printer.Open(c, printer.Options{})
		if err == nil {
			st, err = p.State(ctx)
		}
		switch {
		case err != nil:
			v.State, _ = words.KeyOf(err)
			v.Message = Message(e.Texts, e.Lang, err)
		case st.Trouble != "":
			v.State, v.Message = st.Trouble, e.T(st.Trouble, nil)
		case st.Mute:
			v.Message = e.T("printers.state.mute", nil)
		case st.Low:
			v.Message = e.T("printers.state.low", nil)
		default:
			v.Message = e.T("printers.state.ready", nil)
		}
		list = append(list, v)
	}
	if o.jsonOut {
		return e.print(list)
	}
	for _, v := range list {
		mark := " "
		if v.First {
			mark = "*"
		}
		fmt.Fprintf(e.Out, "%s %s  %s  %s  %s\n", mark, v.ID, v.Name, v.Address, v.Message)
	}
	if len(list) == 0 {
		fmt.Fprintln(e.Out, e.T("printers.none", nil))
	}
	return ExitOK
}

func (e *Env) addPrinter(o *options, sp *spool.Spool) int {
	if o.who.Name == "" || o.print.kind == "" || o.to == "" {
		return e.spell("print")
	}
	dots := map[int]int{0: paper.Dots58, 58: paper.Dots58, 80: paper.Dots80}[o.print.width]
	if dots == 0 {
		return e.spell("print")
	}
	to := o.to
	if k := printer.Kind(o.print.kind); k == printer.File {
		to = e.path(to)
	}
	c, err := sp.Book().Put(printer.Config{Name: o.who.Name, Kind: printer.Kind(o.print.kind), Address: to, Dots: dots, Baud: o.print.baud})
	if err != nil {
		return e.fail(err)
	}
	if o.jsonOut {
		return e.print(c)
	}
	fmt.Fprintln(e.Out, e.T("cli.print.added", map[string]string{"id": c.ID, "name": c.Name}))
	return ExitOK
}

// jobView is a job as print queue --json prints it. It names no person.
type jobView struct {
	ID      uint64 `json:"id"`
	What    string `json:"what"`
	No      string `json:"no,omitempty"`
	Stage   uint8  `json:"stage,omitempty"`
	Printer string `json:"printer"`
	At      string `json:"at"`
	State   string `json:"state"`
	Cause   string `json:"cause,omitempty"`
	Begun   bool   `json:"begun"`
}

func (e *Env) listJobs(o *options, sp *spool.Spool) int {
	list := []jobView{}
	for _, j := range sp.Jobs() {
		list = append(list, jobView{
			ID: j.ID, What: j.What, No: j.No, Stage: j.Stage, Printer: j.Printer,
			At: time.UnixMilli(j.At).UTC().Format(time.RFC3339), State: string(j.State), Cause: j.Cause, Begun: j.Begun,
		})
	}
	if o.jsonOut {
		return e.print(list)
	}
	for _, j := range list {
		cause := ""
		if j.Cause != "" {
			cause = e.T(j.Cause, nil)
		}
		fmt.Fprintln(e.Out, strings.TrimSpace(fmt.Sprintln(j.ID, j.What, j.No, j.Printer, j.State, cause)))
	}
	if len(list) == 0 {
		fmt.Fprintln(e.Out, e.T("printers.noJobs", nil))
	}
	return ExitOK
}

// printCase prints a receipt or the answers of a case, on a printer or into a file.
func (e *Env) printCase(ctx context.Context, o *options, sp *spool.Spool, what, no string) int {
	device, seq, err := casefile.ParseNumber(no)
	if err != nil {
		return e.fail(words.New("desk.noCase", err))
	}
	if o.operator == "" || o.pinFile == "" || o.print.stage < 0 || o.print.stage > 2 {
		return e.spell("print")
	}
	c, found := choose(sp, o.print.printer)
	if o.out == "" && !found {
		return e.fail(words.New("print.noPrinter", nil))
	}
	s, err := e.login(ctx, o)
	if err != nil {
		return e.fail(err)
	}
	defer e.logout(ctx, s)
	j := spool.Job{What: what, Case: seq, Stage: uint8(max(1, o.print.stage)), No: no, Lang: e.Lang, By: s.Operator().ID}
	if device != e.Host.Desk.Store().Device() {
		j.Case = journal.FormerRef(device, seq)
	}
	papers := vm.NewPapers(e.Host.Desk.Counter(), s, e.Texts, clocks.System().Now)
	if o.out != "" {
		return e.printFile(ctx, o, papers, j)
	}
	return e.printSheet(ctx, o, c, func(dots int) (*paper.Sheet, error) { return papers.Sheet(ctx, j, dots) })
}

// printSheet prints on a printer, at once. Unlike a job of the window it is not kept when that fails: the caller knows.
func (e *Env) printSheet(ctx context.Context, o *options, c printer.Config, sheet func(dots int) (*paper.Sheet, error)) int {
	p, err := printer.Open(c, printer.Options{})
	if err != nil {
		return e.fail(err)
	}
	if err := p.Print(ctx, func() (*paper.Sheet, error) { return sheet(c.Dots) }); err != nil {
		return e.fail(err)
	}
	if o.jsonOut {
		return e.print(map[string]string{"printer": c.ID})
	}
	fmt.Fprintln(e.Out, e.T("print.state.done", map[string]string{"printer": c.Name}))
	return ExitOK
}

// printFile writes a paper as PDF, as a picture, or as the bytes for a thermal printer, by the ending of the file's name.
func (e *Env) printFile(ctx context.Context, o *options, papers *vm.Papers, j spool.Job) int {
	dots := map[int]int{0: paper.Dots58, 58: paper.Dots58, 80: paper.Dots80}[o.print.width]
	if dots == 0 {
		return e.spell("print")
	}
	var data []byte
	var err error
	switch filepath.Ext(o.out) {
	case ".pdf":
		data, err = papers.PDF(ctx, j)
	case ".png":
		data, err = papers.PNG(ctx, j, dots)
	case ".bin":
		data, err = bytesOf(papers.Sheet(ctx, j, dots))
	default:
		return e.spell("print")
	}
	if err != nil {
		return e.fail(err)
	}
	if err := os.WriteFile(e.path(o.out), data, 0o600); err != nil {
		return e.fail(words.New("cli.print.unwritten", err))
	}
	if o.jsonOut {
		return e.print(map[string]string{"file": o.out})
	}
	fmt.Fprintln(e.Out, e.T("cli.print.file", map[string]string{"file": o.out}))
	return ExitOK
}

func bytesOf(s *paper.Sheet, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	img, err := s.Raster()
	if err != nil {
		return nil, err
	}
	return escpos.Encode(img)
}
