// Command tour walks the whole journey of one case without a display: the real screens on Fyne's software painter, the
// real machine folder, the real gateway as a child process on loopback. It leaves screenshots, receipts, the machine's
// folder and report.json, and exits non-zero when a step fails.
//
//	tour -bin bin -out tour          the journey
//	tour -bin bin -shots docs/shots  every screen in every look, for the README
//	tour -bin bin -touch touch       only the case that is typed by clicks in a real window
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

func main() {
	out := flag.String("out", "", "folder to write the journey into; it is emptied first")
	shots := flag.String("shots", "", "folder to write screenshots of every screen into")
	touched := flag.String("touch", "", "folder to write the case into that is typed by clicks in a real window; it is emptied first")
	bin := flag.String("bin", "bin", "folder of bianmin-gatewayd")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *touched != "" && *out == "" && *shots == "" {
		ok, err := touch(ctx, *bin, *touched)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		if !ok {
			os.Exit(1)
		}
		return
	}
	if (*out == "") == (*shots == "") {
		flag.Usage()
		os.Exit(2)
	}
	dir := *out
	if dir == "" {
		dir = *shots
	}
	ok, err := tour(ctx, filepath.Join(*bin, "bianmin-gatewayd"), dir, *shots != "")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if !ok {
		os.Exit(1)
	}
}

// tour walks the journey and reports whether every step was true.
func tour(ctx context.Context, gatewayd, out string, shots bool) (bool, error) {
	gatewayd, err := filepath.Abs(gatewayd)
	if err != nil {
		return false, err
	}
	if out, err = filepath.Abs(out); err != nil {
		return false, err
	}
	if err := os.RemoveAll(out); err != nil {
		return false, err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return false, err
	}
	work, err := os.MkdirTemp("", "bianmin-tour")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(work)
	a := test.NewApp()
	defer a.Quit()
	j := &journey{ctx: ctx, app: a, bin: filepath.Dir(gatewayd), gatewayd: gatewayd, out: out, work: work, ui: make(chan func(), 256), links: map[uint8]string{}, report: report{Started: time.Now()}}
	if shots {
		j.looks()
	} else {
		j.walk()
	}
	j.close()
	if shots {
		return j.passed(), nil
	}
	return j.passed(), j.report.write(out)
}

func (j *journey) passed() bool {
	for _, s := range j.report.Steps {
		if !s.OK {
			return false
		}
	}
	return len(j.report.Steps) > 0
}

// screenSize is the smallest screen that stations use.
var screenSize = fyne.NewSize(1280, 800)
