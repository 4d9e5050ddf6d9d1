package desktop

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"time"

	"bianmin/app/cli"
	"bianmin/app/window"
	"bianmin/offline/clocks"
)

// kioskChild marks the process that has a kiosk's window, for itself.
const kioskChild = "BIANMIN_KIOSK_CHILD"

// How the watchdog of a kiosk works.
const (
	hungAfter  = 5 * time.Second        // with no sign of life the program is ended
	startAgain = 500 * time.Millisecond // between the end of one and the start of the next
	slowest    = 4 * time.Second        // between starts of a program that ends again and again
)

// Kiosk runs the window of a self-service machine under a watchdog: this process starts the program once more, and again
// whenever it ends or no longer moves. It returns when ctx ends.
func Kiosk(ctx context.Context, o Options) int {
	if os.Getenv(kioskChild) != "" {
		o.watch = newWatched(os.Stdin, os.Stdout)
		return Run(ctx, o)
	}
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(o.Env.Err, err)
		return cli.ExitFailed
	}
	err = os.MkdirAll(o.Dir, 0o700)
	if err == nil {
		err = o.Env.OpenLogAs(o.Dir, "kiosk.log")
	}
	if err != nil {
		fmt.Fprintln(o.Env.Err, cli.Message(o.Env.Texts, o.Env.Lang, err))
		return cli.ExitFailed
	}
	w := &watchdog{log: o.Env.Log, hung: hungAfter, pause: startAgain, command: func() *exec.Cmd {
		cmd := exec.Command(self, os.Args[1:]...)
		cmd.Env = append(os.Environ(), kioskChild+"=1")
		cmd.Stderr = o.Env.Err
		return cmd
	}}
	w.run(ctx)
	return cli.ExitOK
}

// sign is what the program tells its watchdog, a line of JSON each: that it lives, or what to keep for the next start.
type sign struct {
	Alive bool             `json:"alive,omitempty"`
	Keep  *window.Handover `json:"keep,omitempty"`
}

// watchdog keeps one program running.
type watchdog struct {
	log     *slog.Logger
	hung    time.Duration // with no sign for so long, once there was one, the program is ended
	pause   time.Duration // before the next start; doubles with each that lives for a moment only
	command func() *exec.Cmd

	keep window.Handover // for the next start, in memory only
}

// run returns when ctx ends and the program with it.
func (w *watchdog) run(ctx context.Context) {
	pause := w.pause
	for ctx.Err() == nil {
		from := clocks.System().Now()
		err := w.once(ctx)
		if ctx.Err() != nil {
			return
		}
		w.log.Error("the program of the kiosk ended", slog.Any("cause", err), slog.Duration("after", clocks.System().Now().Sub(from)))
		if clocks.System().Now().Sub(from) > 2*slowest {
			pause = w.pause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, slowest)
	}
}

// once runs the program to its end.
func (w *watchdog) once(ctx context.Context) error {
	cmd := w.command()
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	// The program takes a file that was closed for one whose watchdog has died, and ends: it stays open.
	if err := json.NewEncoder(in).Encode(w.keep); err != nil {
		w.log.Warn("hand over", slog.Any("cause", err))
	}
	signs := make(chan sign)
	go func() {
		defer close(signs)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var s sign
			if json.Unmarshal(lines.Bytes(), &s) == nil {
				signs <- s
			}
		}
	}()
	var silent <-chan time.Time // no sign yet: a slow machine takes its time to start
	stop := ctx.Done()
	for {
		select {
		case s, ok := <-signs:
			if !ok {
				return cmd.Wait()
			}
			if s.Keep != nil {
				w.keep = *s.Keep
			}
			silent = time.After(w.hung)
		case <-silent:
			silent = nil
			w.log.Error("the program of the kiosk no longer moves")
			kill(w.log, cmd)
		case <-stop:
			stop = nil
			if err := in.Close(); err != nil { // it saves and ends
				w.log.Warn("end the program of the kiosk", slog.Any("cause", err))
			}
			silent = time.After(w.hung)
		}
	}
}

func kill(log *slog.Logger, cmd *exec.Cmd) {
	if err := cmd.Process.Kill(); err != nil {
		log.Error("kill the program of the kiosk", slog.Any("cause", err))
	}
}

// watched is the program's end of the line to its watchdog.
type watched struct {
	restored window.Handover
	gone     chan struct{} // closed when the watchdog has gone, or wants the program to end

	mu  sync.Mutex // guards out
	out *json.Encoder
}

// newWatched reads what was kept for this start.
func newWatched(in io.Reader, out io.Writer) *watched {
	w := &watched{out: json.NewEncoder(out), gone: make(chan struct{})}
	lines := bufio.NewReader(in)
	if line, err := lines.ReadBytes('\n'); err == nil {
		if err := json.Unmarshal(line, &w.restored); err != nil {
			w.restored = window.Handover{}
		}
		clear(line)
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines) // its end is all that is waited for
		close(w.gone)
	}()
	return w
}

func (w *watched) tell(s sign) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.out.Encode(s) // without a watchdog the program ends by gone
}

// wear makes o the options of a kiosk's window.
func (w *watched) wear(o *window.Options) {
	o.Kiosk, o.Restored = true, w.restored
	o.Handover = func(h window.Handover) { w.tell(sign{Keep: &h}) }
	o.OnTick = func() { w.tell(sign{Alive: true}) }
}
