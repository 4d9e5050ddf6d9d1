package main

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"

	"bianmin/app/cli"
	"bianmin/app/device/escpos"
	"bianmin/app/device/escpos/fake"
	"bianmin/app/screen"
	"bianmin/offline/paper"
)

// printed prints the receipt on a simulated thermal printer behind a TCP port, which is out of paper at first, and reads the
// papers back.
func (j *journey) printed() error {
	roll := fake.New(paper.Dots58)
	defer roll.Close()
	addr, err := roll.Listen()
	if err != nil {
		return err
	}
	roll.Set(escpos.Status{PaperOut: true})
	err = steps(
		func() error { j.goTo(screen.PagePrinters, ""); return j.sees("还没有打印机") },
		func() error {
			return j.expect(cli.ExitOK, "前台小票机", "print", "add", "--name", "前台小票机", "--kind", "tcp", "--to", addr)
		},
		func() error { j.goTo(screen.PageReceipt, j.arg()); return nil },
		func() error {
			return j.until("the receipt", func() bool { return j.hand.sees(j.no) && j.hand.sees("打印") })
		},
		func() error { return j.tap("打印") },
		func() error {
			return j.until("the printer to say why not", func() bool { return j.hand.sees("打印机没有纸了") && j.hand.sees("已留在队列里") })
		},
		func() error { return j.shot("print-held") },
		func() error { j.goTo(screen.PagePrinters, ""); return nil },
		func() error {
			return j.until("the queue", func() bool { return j.hand.sees("再试") && j.hand.sees("收件回执 "+j.no) })
		},
		func() error { return j.shot("printers") },
		func() error { roll.Set(escpos.Status{}); return j.tap("再试") },
		func() error {
			return j.until("the paper", func() bool { return j.hand.sees("已打印（前台小票机）") })
		},
		func() error { j.goTo(screen.PageReceipt, j.arg()); return nil },
		func() error { return j.until("the reprint", func() bool { return j.hand.sees("重印") }) },
		func() error { return j.tap("重印") },
		func() error {
			return j.until("the second paper", func() bool { return len(roll.Papers()) == 2 && j.hand.sees("已打印 2 份") })
		},
		func() error { return j.shot("print-done") },
	)
	if err != nil {
		return err
	}
	if faults := roll.Faults(); len(faults) > 0 {
		return fmt.Errorf("the printer did not understand: %w", faults[0])
	}
	for i, p := range roll.Papers() {
		var out bytes.Buffer
		if err := png.Encode(&out, paper.Paper(p)); err != nil {
			return err
		}
		name := filepath.Join(j.out, fmt.Sprintf("printed-%d.png", i+1))
		if err := os.WriteFile(name, out.Bytes(), 0o644); err != nil {
			return err
		}
		if err := j.zbar(name); err != nil {
			return err
		}
		if err := j.expect(cli.ExitOK, "stage 1", "verify", name); err != nil {
			return err
		}
		j.report.figure(fmt.Sprintf("paper %d", i+1), fmt.Sprintf("%s, %d by %d dots", filepath.Base(name), p.Rect.Dx(), p.Rect.Dy()))
	}
	j.report.figure("questions to the printer", roll.Asked())
	return nil
}
