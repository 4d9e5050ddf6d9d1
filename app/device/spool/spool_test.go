package spool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"bianmin/app/device/escpos"
	"bianmin/app/device/escpos/fake"
	"bianmin/app/device/printer"
	"bianmin/app/device/spool"
	"bianmin/assets/fonts"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/paper"
	"bianmin/offline/words"
)

// source lays out a line of text and counts.
type source struct {
	mu   sync.Mutex // guards what follows
	n    int
	fail error
}

func (s *source) Sheet(_ context.Context, j spool.Job, dots int) (*paper.Sheet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	s.n++
	return page(fmt.Sprint("办件 ", j.Case, " 第 ", s.n, " 份"), dots)
}

func page(text string, dots int) (*paper.Sheet, error) {
	face, err := paper.NewFace(fonts.Regular, nil)
	if err != nil {
		return nil, err
	}
	var d paper.Doc
	d.Centre(text, 26)
	d.Space(600)
	return paper.Lay(d, face, paper.StyleFor(dots))
}

// disk keeps a queue as a disk does.
type disk struct{ raw []byte }

func (d *disk) PrintQueue() ([]byte, error) { return bytes.Clone(d.raw), nil }

func (d *disk) KeepPrintQueue(raw []byte) error { d.raw = bytes.Clone(raw); return nil }

// rig is a spool with a fake printer.
type rig struct {
	t    *testing.T
	disk disk
	rows int // that are printed in a second
	dir  string
	fake *fake.Printer
	sp   *spool.Spool
	src  *source
	id   string
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, rows: 1 << 30, fake: fake.New(paper.Dots58), src: &source{}, dir: t.TempDir()}
	t.Cleanup(r.fake.Close)
	addr, err := r.fake.Listen()
	if err != nil {
		t.Fatal(err)
	}
	r.open()
	c, err := r.sp.Book().Put(printer.Config{Name: "前台", Kind: printer.TCP, Address: addr})
	if err != nil {
		t.Fatal(err)
	}
	r.id = c.ID
	return r
}

// open opens the queue, as a start of the program does.
func (r *rig) open() {
	r.t.Helper()
	book, err := printer.OpenBook(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	r.sp, err = spool.Open(spool.Options{
		Keep: &r.disk, Book: book, Again: time.Nanosecond,
		Printers: printer.Options{Rows: r.rows, Poll: time.Millisecond, Answer: 5 * time.Second},
		Test:     func(_ spool.Job, c printer.Config) (*paper.Sheet, error) { return page("测试页", c.Dots) },
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) add(what string, of uint64) spool.Job {
	r.t.Helper()
	j, err := r.sp.Add(spool.Job{What: what, Case: of, Stage: 1, Printer: r.id, Lang: "zh", By: "wang"})
	if err != nil {
		r.t.Fatal(err)
	}
	return j
}

func (r *rig) job(id uint64) spool.Job {
	r.t.Helper()
	jobs := r.sp.Jobs()
	i := slices.IndexFunc(jobs, func(j spool.Job) bool { return j.ID == id })
	if i < 0 {
		r.t.Fatalf("no job %d among %+v", id, jobs)
	}
	return jobs[i]
}

func (r *rig) want(id uint64, state spool.State, cause string, begun bool) {
	r.t.Helper()
	if j := r.job(id); j.State != state || j.Cause != cause || j.Begun != begun {
		r.t.Fatalf("job %+v, want %s %q begun %v", j, state, cause, begun)
	}
}

// A job waits for somebody to log in, over a restart; then it prints, and is gone.
func TestAJobWaitsForALogin(t *testing.T) {
	r := newRig(t)
	j := r.add(spool.Receipt, 7)
	if err := r.sp.Once(t.Context()); !errors.Is(err, spool.ErrIdle) {
		t.Fatalf("printed while locked: %v", err)
	}
	r.open()
	r.want(j.ID, spool.Waiting, "", false)
	if err := r.sp.Once(t.Context()); !errors.Is(err, spool.ErrIdle) {
		t.Fatalf("printed while locked: %v", err)
	}
	test := r.add(spool.Test, 0) // a test page is about nobody
	if err := r.sp.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.want(test.ID, spool.Done, "", false)
	r.sp.Unlock(r.src)
	if err := r.sp.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.want(j.ID, spool.Done, "", false)
	if len(r.fake.Wait(2)) != 2 || len(r.fake.Faults()) != 0 || r.sp.Waiting() != 0 {
		t.Errorf("%d papers, %v, %d wait", len(r.fake.Papers()), r.fake.Faults(), r.sp.Waiting())
	}
	r.open()
	if jobs := r.sp.Jobs(); len(jobs) != 0 {
		t.Errorf("after a restart: %+v", jobs)
	}
}

// Without paper the job is held with the reason, and goes on by itself when there is some; nothing is recorded for it before.
func TestTroubleBeforeTheFirstInk(t *testing.T) {
	r := newRig(t)
	r.sp.Unlock(r.src)
	r.fake.Set(escpos.Status{PaperOut: true})
	j := r.add(spool.Receipt, 7)
	for range 3 {
		err := r.sp.Once(t.Context())
		if key, _ := words.KeyOf(err); key != "print.paperOut" {
			t.Fatal(err)
		}
		r.want(j.ID, spool.Held, "print.paperOut", false)
	}
	if r.src.n != 0 {
		t.Errorf("%d papers were laid out", r.src.n)
	}
	r.fake.Set(escpos.Status{})
	if err := r.sp.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.want(j.ID, spool.Done, "", false)
}

// Paper that ends in the middle holds the job until a person says so: part of it is out.
func TestTroubleInTheMiddle(t *testing.T) {
	r := newRig(t)
	r.rows = 20 // the printer is watched for as long as it takes to notice
	r.open()
	r.sp.Unlock(r.src)
	r.fake.PaperFor(100)
	j := r.add(spool.Receipt, 7)
	err := r.sp.Once(t.Context())
	if key, _ := words.KeyOf(err); key != "print.paperOut" {
		t.Fatal(err)
	}
	r.want(j.ID, spool.Held, "print.paperOut", true)
	r.fake.Set(escpos.Status{})
	if err := r.sp.Once(t.Context()); !errors.Is(err, spool.ErrIdle) {
		t.Fatalf("printed again by itself: %v", err)
	}
	r.rows = 1 << 30
	r.open()
	r.sp.Unlock(r.src)
	r.want(j.ID, spool.Held, "print.paperOut", true)
	if err := r.sp.Once(t.Context()); !errors.Is(err, spool.ErrIdle) {
		t.Fatalf("printed again by itself after a restart: %v", err)
	}
	if err := r.sp.Retry(j.ID); err != nil {
		t.Fatal(err)
	}
	if err := r.sp.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.want(j.ID, spool.Done, "", false)
	if r.src.n != 2 {
		t.Errorf("laid out %d times: the second one is a reprint", r.src.n)
	}
}

// A power cut while printing: the job is held, and not printed a second time as if it were the first.
func TestPowerCut(t *testing.T) {
	r := newRig(t)
	r.sp.Unlock(cutting{r})
	j := r.add(spool.Receipt, 7)
	if err := r.sp.Once(t.Context()); err == nil {
		t.Fatal("printed")
	}
	r.want(j.ID, spool.Held, "print.interrupted", true)
}

// cutting ends the program at the moment the paper was to be laid out.
type cutting struct{ r *rig }

func (c cutting) Sheet(context.Context, spool.Job, int) (*paper.Sheet, error) {
	c.r.open()
	return nil, errors.New("power cut")
}

// What can be done about jobs: cancel, clear, refuse what cannot be.
func TestCancelAndLimits(t *testing.T) {
	r := newRig(t)
	if _, err := r.sp.Add(spool.Job{What: spool.Receipt, Printer: "p9"}); err == nil {
		t.Error("a job for a printer that is not there")
	}
	a, b := r.add(spool.Receipt, 7), r.add(spool.Answers, 7)
	if j, ok := r.sp.Of(spool.Answers, 7, 1); !ok || j.ID != b.ID {
		t.Errorf("%+v", j)
	}
	if err := r.sp.Cancel(a.ID); err != nil || r.sp.Waiting() != 1 {
		t.Fatal(err, r.sp.Waiting())
	}
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		_, err = r.sp.Add(spool.Job{What: spool.Receipt, Case: 1, Printer: r.id})
	}
	if key, _ := words.KeyOf(err); key != "print.queueFull" {
		t.Errorf("%v", err)
	}
	if err := r.sp.Clear(); err != nil || len(r.sp.Jobs()) != 0 {
		t.Errorf("%v, %d jobs", err, len(r.sp.Jobs()))
	}
	r.sp.Unlock(r.src)
	c := r.add(spool.Receipt, 8)
	r.src.fail = words.New("desk.noCase", nil)
	if err := r.sp.Once(t.Context()); err == nil {
		t.Fatal("printed a case that is not there")
	}
	r.want(c.ID, spool.Held, "desk.noCase", false)
	if err := r.sp.Once(t.Context()); !errors.Is(err, spool.ErrIdle) {
		t.Errorf("what fails for good is tried for ever: %v", err)
	}
	r.src.fail = counter.ErrLocked // locked in the middle
	if err := r.sp.Retry(c.ID); err != nil {
		t.Fatal(err)
	}
	if err := r.sp.Once(t.Context()); err == nil {
		t.Fatal("printed while locked")
	}
	r.want(c.ID, spool.Waiting, "", false)
}

// Run prints what is added, at once, and ends with its context.
func TestRun(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.sp.Run(ctx) }()
	r.sp.Unlock(r.src)
	for i := range 3 {
		r.add(spool.Receipt, uint64(i+1))
		if got := len(r.fake.Wait(i + 1)); got != i+1 {
			t.Fatalf("%d papers", got)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestOnARealDesk: the queue lies sealed in the store, names nobody, is read while the machine is locked, and survives a
// restart.
func TestOnARealDesk(t *testing.T) {
	m := desktest.New(t)
	r := newRig(t)
	open := func() (*desk.Desk, *spool.Spool) {
		t.Helper()
		d, err := desk.Open(m.Config)
		if err != nil {
			t.Fatal(err)
		}
		sp, err := spool.Open(spool.Options{Keep: d, Book: r.sp.Book()})
		if err != nil {
			t.Fatal(err)
		}
		return d, sp
	}
	d, sp := open()
	want, err := sp.Add(spool.Job{What: spool.Receipt, Case: 7, Stage: 1, No: "1-7-3", Printer: r.id, Lang: "zh", By: "wang"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := d.PrintQueue()
	if err != nil || !bytes.Contains(raw, []byte("1-7-3")) {
		t.Fatalf("%q, %v", raw, err)
	}
	if regexp.MustCompile(`\p{Han}{2}`).Match(raw) {
		t.Fatalf("Chinese text in it: %q", raw)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d, sp = open()
	if jobs := sp.Jobs(); len(jobs) != 1 || jobs[0] != want {
		t.Errorf("after a restart: %+v", jobs)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}
