package screen

import (
	"bytes"
	"encoding/hex"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bianmin/app/device/escpos"
	"bianmin/app/device/escpos/fake"
	"bianmin/app/device/printer"
	"bianmin/app/device/spool"
	"bianmin/app/vm"
	"bianmin/offline/counter"
	"bianmin/offline/journal"
	"bianmin/offline/paper"
	"bianmin/offline/receipt"
)

// printRig is a machine with a thermal printer at its side.
type printRig struct {
	*wizardRig
	fake   *fake.Printer
	sp     *spool.Spool
	papers *vm.Papers
	id     string
}

func newPrintRig(t *testing.T) *printRig {
	r := &printRig{wizardRig: newWizardRig(t), fake: fake.New(paper.Dots58)}
	t.Cleanup(r.fake.Close)
	addr, err := r.fake.Listen()
	if err != nil {
		t.Fatal(err)
	}
	book, err := printer.OpenBook(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r.sp, err = spool.Open(spool.Options{
		Keep: r.desk, Book: book, Again: time.Nanosecond, Clock: r.machine.Clock,
		Printers: printer.Options{Rows: 1 << 30, Poll: time.Millisecond, Answer: 5 * time.Second},
		Test: func(_ spool.Job, c printer.Config) (*paper.Sheet, error) {
			face, err := r.desk.Face()
			if err != nil {
				return nil, err
			}
			return paper.Lay(vm.TestPage(rigTexts{r.wizardRig}, c, "柳树村便民服务站", r.machine.Clock.T), face, paper.StyleFor(c.Dots))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := book.Put(printer.Config{Name: "前台小票机", Kind: printer.TCP, Address: addr})
	if err != nil {
		t.Fatal(err)
	}
	r.id = c.ID
	r.papers = vm.NewPapers(r.desk.Counter(), r.session, r.texts, r.machine.Clock.Now)
	r.sp.Unlock(r.papers)
	return r
}

// take takes a case in.
func (r *printRig) take() counter.Case {
	r.t.Helper()
	line, err := os.ReadFile("../../offline/desk/testdata/gaoling.json")
	if err != nil {
		r.t.Fatal(err)
	}
	dir := r.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "card.jpg"), wizardPicture(r.t, 640, 400), 0o600); err != nil {
		r.t.Fatal(err)
	}
	got, err := r.session.SubmitAnswers(r.t.Context(), "gaoling", line, dir)
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := r.session.Case(r.t.Context(), got.Case)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// prints are the papers that the journal knows of.
func (r *printRig) prints(seq uint64) []journal.ReceiptPrinted {
	r.t.Helper()
	c, err := r.session.Case(r.t.Context(), seq)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []journal.ReceiptPrinted
	for _, a := range c.Acts {
		if a.Kind == journal.KindReceiptPrinted {
			b, err := journal.DecodeBody[journal.ReceiptPrinted](a.Body)
			if err != nil {
				r.t.Fatal(err)
			}
			out = append(out, b)
		}
	}
	return out
}

// once lets the queue print.
func (r *printRig) once(refresh func()) {
	r.t.Helper()
	if err := r.sp.Once(r.t.Context()); err != nil {
		r.t.Log(err)
	}
	refresh()
}

// A receipt from the button to the paper: looking at it is no print, the first paper is plain, the second is marked and both
// are in the journal; without paper the reason stands on the screen and the job is kept.
func TestReceiptPrints(t *testing.T) {
	r := newPrintRig(t)
	c := r.take()
	m := vm.NewReceipt(r.session, c.Seq, 0, rigTexts{r.wizardRig})
	m.UsePrinting(r.sp, r.papers)
	v := NewReceipt(r.env, m)
	r.show(v.Title(), v.Object())
	if got := r.prints(c.Seq); len(got) != 0 {
		t.Fatalf("looking printed: %+v", got)
	}
	r.fake.Set(escpos.Status{PaperOut: true})
	r.tap(v.root, "打印")
	if job := v.state.Print.Job; job == nil || job.Text != "等待打印" {
		t.Fatalf("%+v", job)
	}
	r.once(v.Refresh)
	if job := v.state.Print.Job; job == nil || !strings.Contains(job.Text, "没有纸了") || job.Tone != "warn" || job.Retry == "" {
		t.Fatalf("%+v", job)
	}
	r.shootAll("print-out", v.Refresh)
	if got := r.prints(c.Seq); len(got) != 0 {
		t.Fatalf("recorded without ink: %+v", got)
	}
	r.fake.Set(escpos.Status{})
	r.tap(v.root, "再试")
	r.once(v.Refresh)
	if job := v.state.Print.Job; job == nil || job.Text != "已打印（前台小票机）" || v.state.Print.Word != "重印" {
		t.Fatalf("%+v", v.state.Print)
	}
	r.shootAll("print-done", v.Refresh)
	r.tap(v.root, "重印")
	r.once(v.Refresh)
	papers := r.fake.Wait(2)
	for i, p := range papers {
		if text, err := receipt.Scan(paper.Paper(p)); err != nil || text != v.state.Link {
			t.Errorf("paper %d reads %q, %v", i+1, text, err)
		}
		if got := r.desk.Verify(v.state.Link); got.State != receipt.Genuine || got.Stage != 1 {
			t.Errorf("verdict %+v", got)
		}
	}
	if marked(papers[0]) || !marked(papers[1]) {
		t.Errorf("marks of a reprint: %v on the first, %v on the second", marked(papers[0]), marked(papers[1]))
	}
	want := []journal.ReceiptPrinted{{Case: c.Seq, Stage: 1, How: "printer", Copy: 1}, {Case: c.Seq, Stage: 1, How: "printer", Copy: 2}}
	if got := r.prints(c.Seq); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("journal: %+v", got)
	}
	for _, err := range r.fake.Faults() {
		t.Errorf("the printer did not understand: %v", err)
	}
	r.tap(v.root, "存为 PDF")
	if pdf := r.saved["回执-"+c.No+".pdf"]; !bytes.HasPrefix(pdf, []byte("%PDF-1.7")) {
		t.Errorf("saved %d bytes", len(pdf))
	}
	if got := r.prints(c.Seq); len(got) != 3 || got[2].How != "pdf" || got[2].Copy != 1 {
		t.Errorf("journal: %+v", got)
	}
	if len(r.failed) != 0 {
		t.Errorf("failed: %v", r.failed)
	}
}

// marked reports whether a paper has a black bar across it, as reprints have.
func marked(p *image.Gray) bool {
	black := 0
	for y := range p.Rect.Dy() {
		n := 0
		for _, g := range p.Pix[y*p.Stride : y*p.Stride+p.Rect.Dx()] {
			if g == 0 {
				n++
			}
		}
		if n > p.Rect.Dx()*8/10 {
			if black++; black > 20 {
				return true
			}
		} else if n < p.Rect.Dx()/4 {
			black = 0
		}
	}
	return false
}

// The list of answers of a case on paper and as a file, with what was said in full.
func TestAnswersPrint(t *testing.T) {
	r := newPrintRig(t)
	c := r.take()
	office, err := r.sp.Book().Put(printer.Config{Name: "宽纸小票机", Kind: printer.TCP, Address: "127.0.0.1:9", Dots: paper.Dots80})
	if err != nil {
		t.Fatal(err)
	}
	m := vm.NewCaseDetail(rigTexts{r.wizardRig}, r.desk.Counter(), r.session, r.machine.Clock.Now, c.Seq)
	m.UsePrinting(r.sp, r.papers)
	v := NewCaseDetail(r.env, m)
	r.show(v.Title(), v.Object())
	if st := v.st.Print; len(st.Printers) != 2 || !st.Printers[0].On {
		t.Fatalf("%+v", st)
	}
	m.PickPrinter(office.ID)
	v.Show(m.State())
	r.tap(v.root, "打印申请内容")
	r.once(v.Refresh)
	job := v.st.Print.Job
	if job == nil || job.Tone != "warn" || !strings.Contains(job.Text, "连不上打印机") {
		t.Fatalf("%+v", job)
	}
	r.tap(v.root, "取消打印")
	if r.sp.Waiting() != 0 || len(r.asked) != 1 {
		t.Errorf("%d wait, asked %v", r.sp.Waiting(), r.asked)
	}
	m.PickPrinter(r.id)
	v.Refresh()
	r.tap(v.root, "打印申请内容")
	r.once(v.Refresh)
	if p := r.fake.Wait(1); p[0].Rect.Dy() < 800 {
		t.Errorf("a paper of %v", p[0].Rect)
	}
	r.tap(v.root, "申请内容存为 PDF")
	if pdf := r.saved["申请内容-"+c.No+".pdf"]; len(pdf) < 5000 {
		t.Errorf("saved %d bytes: %s", len(pdf), hex.EncodeToString(pdf[:min(len(pdf), 16)]))
	}
	if dir := os.Getenv("BIANMIN_SHOTS"); dir != "" { // to look at
		if err := os.WriteFile(filepath.Join(dir, "answers.pdf"), r.saved["申请内容-"+c.No+".pdf"], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"printer", "pdf"}
	for i, p := range r.prints(c.Seq) {
		if p.Stage != 0 || p.How != want[i] || p.Copy != 1 {
			t.Errorf("journal: %+v", p)
		}
	}
	if len(r.failed) != 0 {
		t.Errorf("failed: %v", r.failed)
	}
}

// The screen without a simulator's changing port.
func TestPrintersMaster(t *testing.T) {
	r := newWizardRig(t)
	book, err := printer.OpenBook("")
	if err != nil {
		t.Fatal(err)
	}
	sp, err := spool.Open(spool.Options{Keep: r.desk, Book: book, Clock: r.machine.Clock})
	if err != nil {
		t.Fatal(err)
	}
	v := NewPrinters(r.env, vm.NewPrinters(rigTexts{r}, sp, "wang"))
	Master(t, v, "printers-none")
	c, err := book.Put(printer.Config{Name: "前台", Kind: printer.TCP, Address: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sp.Add(spool.Job{What: spool.Receipt, No: "7-3-11", Stage: 2, Printer: c.ID, By: "wang"}); err != nil {
		t.Fatal(err)
	}
	v = NewPrinters(r.env, vm.NewPrinters(rigTexts{r}, sp, "wang"))
	v.vm.Edit("")
	v.vm.Choose("kind", string(printer.Office))
	v.Refresh()
	Master(t, v, "printers")
}

// The printers' screen: add one, see its state, print a test page, see the queue.
func TestPrintersScreen(t *testing.T) {
	r := newPrintRig(t)
	m := vm.NewPrinters(rigTexts{r.wizardRig}, r.sp, "wang")
	v := NewPrinters(r.env, m)
	r.show(v.Title(), v.Object())
	st := m.State()
	if len(st.Rows) != 1 || st.Rows[0].State != "可以打印" || !st.Rows[0].First {
		t.Fatalf("%+v", st.Rows)
	}
	r.tap(v.root, "添加打印机")
	r.tap(v.form, "热敏 · 网络")
	r.tap(v.form, "80 毫米")
	r.tap(v.form, "保存")
	if st := m.State(); st.Fault == "" || !st.Form {
		t.Fatalf("a printer without a name: %+v", st)
	}
	v.name.SetText("窗口二")
	v.where.SetText("127.0.0.1:9")
	r.tap(v.form, "保存")
	st = m.State()
	if st.Form || len(st.Rows) != 2 || !strings.Contains(st.Rows[1].State, "连不上") || !strings.Contains(st.Rows[1].Note, "80 毫米") {
		t.Fatalf("%+v", st)
	}
	r.tap(v.list, "打印测试页")
	r.once(v.Refresh)
	if st := m.State(); len(st.Jobs) != 1 || st.Jobs[0].Tone != "ok" || st.Jobs[0].What != "测试页" {
		t.Fatalf("%+v", st.Jobs)
	}
	if text, err := receipt.Scan(paper.Paper(r.fake.Wait(1)[0])); err != nil || text != "https://前台小票机" {
		t.Errorf("the test page reads %q, %v", text, err)
	}
	r.fake.Set(escpos.Status{CoverOpen: true})
	if err := m.Test(r.id); err != nil {
		t.Fatal(err)
	}
	r.once(v.Refresh)
	v.ask()
	r.shootAll("printers", func() { v.ask() })
	r.tap(v.root, "添加打印机")
	r.tap(v.form, "热敏 · 串口")
	r.shootAll("printers-form", func() { v.Refresh() })
	if len(r.failed) != 0 {
		t.Errorf("failed: %v", r.failed)
	}
}
