package vm_test

import (
	"errors"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bianmin/app/device/escpos/fake"
	"bianmin/app/device/printer"
	"bianmin/app/device/spool"
	"bianmin/app/vm"
	"bianmin/assets/translations"
	"bianmin/offline/counter"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/paper"
	"bianmin/offline/receipt"
)

// Both receipts of a case on both papers, through the queue and a simulated printer: zbarimg reads the code of what came out,
// and it is genuine. The second paper of each is a copy.
func TestReceiptsOnPaper(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "card.jpg"), casePhoto(t), 0o600); err != nil {
		t.Fatal(err)
	}
	line, err := os.ReadFile("../../offline/desk/testdata/gaoling.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.SubmitAnswers(t.Context(), "gaoling", line, dir)
	if err != nil {
		t.Fatal(err)
	}
	m.Acknowledge(t, d)
	m.Accept(t, d, got.Case, m.Clock.T.AddDate(0, 0, 20))
	texts, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	book, err := printer.OpenBook("")
	if err != nil {
		t.Fatal(err)
	}
	sp, err := spool.Open(spool.Options{Keep: d, Book: book, Clock: m.Clock, Printers: printer.Options{Rows: 1 << 30, Answer: 10 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	sp.Unlock(vm.NewPapers(d.Counter(), s, texts, m.Clock.Now))
	// A job whose number belongs to another case by now is not printed.
	dead, err := book.Put(printer.Config{Name: "坏的", Kind: printer.TCP, Address: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vm.NewPapers(d.Counter(), s, texts, m.Clock.Now).Sheet(t.Context(), spool.Job{What: spool.Receipt, Case: got.Case, Stage: 1, No: "9-9-9"}, paper.Dots58); err == nil {
		t.Error("printed another case")
	}
	// What does not come out stands on the home screen.
	stuck, err := sp.Add(spool.Job{What: spool.Receipt, Case: got.Case, Stage: 1, Printer: dead.ID})
	if err != nil {
		t.Fatal(err)
	}
	home := vm.NewHome(newCaseWords(t), d.Counter(), s, m.Clock.Now)
	home.UsePrinting(sp)
	if err := home.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rows := home.State().Today; len(rows) == 0 || rows[len(rows)-1].Word != "未打印" || rows[len(rows)-1].To.Page != "printers" || rows[len(rows)-1].Count != 1 {
		t.Errorf("今日: %+v", rows)
	}
	if err := sp.Cancel(stuck.ID); err != nil {
		t.Fatal(err)
	}
	for copies, dots := range []int{paper.Dots58, paper.Dots80} {
		roll := fake.New(dots)
		defer roll.Close()
		addr, err := roll.Listen()
		if err != nil {
			t.Fatal(err)
		}
		c, err := book.Put(printer.Config{Name: "前台", Kind: printer.TCP, Address: addr, Dots: dots})
		if err != nil {
			t.Fatal(err)
		}
		for i, stage := range []uint8{receipt.StageStation, receipt.StagePlatform} {
			if _, err := sp.Add(spool.Job{What: spool.Receipt, Case: got.Case, Stage: stage, Printer: c.ID, Lang: "zh", By: "wang"}); err != nil {
				t.Fatal(err)
			}
			if err := sp.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			img := roll.Wait(i + 1)[i]
			file := filepath.Join(dir, "paper.png")
			f, err := os.Create(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(png.Encode(f, paper.Paper(img)), f.Close()); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("zbarimg", "-q", "--raw", file).Output()
			if err != nil {
				t.Fatalf("zbarimg (apt-get install zbar-tools): %v", err)
			}
			link := strings.TrimSpace(string(out))
			want, err := s.Receipt(t.Context(), got.Case, stage)
			if err != nil || link != want.Link {
				t.Errorf("stage %d, %d dots: %q, want %q, %v", stage, dots, link, want.Link, err)
			}
			if v := d.Verify(link); v.State != receipt.Genuine || v.Stage != stage {
				t.Errorf("stage %d, %d dots: %+v", stage, dots, v)
			}
			of, err := s.Case(t.Context(), got.Case)
			if err != nil || of.Copies(stage, counter.PrintPaper) != uint32(copies+1) {
				t.Errorf("stage %d: %d copies, %v", stage, of.Copies(stage, counter.PrintPaper), err)
			}
		}
		if f := roll.Faults(); len(f) != 0 {
			t.Errorf("the printer did not understand: %v", f)
		}
	}
}

// The first paper is plain; later ones say which copy they are, and when.
func TestReprintsSaySo(t *testing.T) {
	m := desktest.New(t)
	_, s := m.Login(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "card.jpg"), casePhoto(t), 0o600); err != nil {
		t.Fatal(err)
	}
	line, err := os.ReadFile("../../offline/desk/testdata/gaoling.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.SubmitAnswers(t.Context(), "gaoling", line, dir)
	if err != nil {
		t.Fatal(err)
	}
	words := func(lang string, copy uint32) string {
		t.Helper()
		doc, err := s.SlipDoc(t.Context(), got.Case, 1, paper.Dots58, lang, copy)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, b := range doc.Blocks {
			out = append(out, b.Label+b.Text)
		}
		return strings.Join(out, "\n")
	}
	if text := words("zh", 1); strings.Contains(text, "重印") {
		t.Errorf("the first paper: %s", text)
	}
	if text := words("zh", 3); !strings.Contains(text, "重印 · 第 3 份\n2026年11月22日 09:30:00") {
		t.Errorf("the third paper: %s", text)
	}
	if text := words("en", 2); !strings.Contains(text, "REPRINT · copy 2") {
		t.Errorf("the second paper in English: %s", text)
	}
}
