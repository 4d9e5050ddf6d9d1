package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"bianmin/app/cli"
	"bianmin/app/demo"
	"bianmin/app/desktop"
	"bianmin/app/screen"
	"bianmin/app/window"
	"bianmin/assets/translations"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
)

// patience bounds how long the tour waits for something that must come by itself.
const patience = 30 * time.Second

// journey is the tour under way: one county, one machine, one window.
type journey struct {
	ctx      context.Context
	app      fyne.App
	bin      string // folder of the programs
	gatewayd string
	prefix   string // of the names of screenshots
	out      string
	work     string
	ui       chan func() // what other goroutines want done on the UI goroutine, which is the tour's
	report   report
	shots    int
	plain    bool // pictures keep their plain names: for the README
	kiosk    bool // the window is that of a self-service machine

	county  *demo.County
	program *desktop.Program
	env     *cli.Env
	shell   *window.Shell
	hand    hand
	photo   []byte // what the clerk chooses when asked for a file
	saved   map[string][]byte
	own     *desk.Session

	no    string // receipt number of the case
	seq   uint64
	links map[uint8]string // of the receipts, by stage
}

// session is a session beside the window's, to look at what the screens stand on. It is logged in once.
func (j *journey) session() (*desk.Session, error) {
	if j.own != nil {
		return j.own, nil
	}
	s, err := j.program.Desk().Login(j.ctx, "li", demo.PINs()["li"])
	j.own = s
	return s, err
}

// theCase is the journey's only case.
func (j *journey) theCase() (counter.Case, error) {
	s, err := j.session()
	if err != nil {
		return counter.Case{}, err
	}
	list, err := s.Cases(j.ctx)
	if err != nil {
		return counter.Case{}, err
	}
	if len(list) != 1 {
		return counter.Case{}, fmt.Errorf("%d cases, not one", len(list))
	}
	return s.Case(j.ctx, list[0].Seq)
}

func (j *journey) data() string {
	if j.plain {
		return filepath.Join(j.work, "data")
	}
	return filepath.Join(j.out, "data")
}

// startCounty makes the sample county and starts its gateway.
func (j *journey) startCounty() error {
	dir := filepath.Join(j.work, "county")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var err error
	if j.county, err = demo.New(j.ctx, j.gatewayd, dir, os.Stderr); err != nil {
		return err
	}
	return j.county.Up(j.ctx)
}

// start opens the window on the machine's folder, as the program does.
func (j *journey) start() error {
	texts, err := translations.Load()
	if err != nil {
		return err
	}
	if j.env, err = cli.NewEnv(texts); err != nil {
		return err
	}
	j.env.Lang = "zh"
	if err := j.env.OpenLog(j.data()); err != nil {
		return err
	}
	j.program = &desktop.Program{Env: j.env, Dir: j.data(), County: j.county}
	o := j.program.Window(j.ctx)
	o.App = j.app
	o.Post = func(fn func()) { j.ui <- fn }
	o.Work = func(fn func()) { fn() }
	o.Kiosk = j.kiosk
	o.Devices.Wedge = false // the hand types faster than any person
	o.PickFile = func(_ []string, then func(string, []byte)) { then("照片.jpg", j.photo) }
	j.saved = map[string][]byte{}
	o.SaveFile = func(name string, data []byte) { j.saved[name] = data }
	j.shell = window.New(o)
	shell := j.shell
	j.program.Printed = func() { j.ui <- shell.Printed }
	j.shell.Window().Resize(screenSize)
	j.hand = hand{j.shell.Window().Canvas()}
	j.settle()
	return nil
}

// stop ends the program; the folder stays.
func (j *journey) stop() {
	if j.program == nil {
		return
	}
	if j.own != nil {
		j.own.Close(context.WithoutCancel(j.ctx)) // the program ends every session anyway
		j.own = nil
	}
	county := j.program.County
	j.program.County = nil // the county outlives the program here
	done := make(chan struct{})
	go func(p *desktop.Program) { p.Close(); close(done) }(j.program)
	for open := true; open; {
		select {
		case fn := <-j.ui:
			fn()
		case <-done:
			open = false
		}
	}
	j.settle()
	j.program.County = county
	j.shell.Window().Close()
	j.env.Close()
	j.program, j.shell = nil, nil
}

func (j *journey) close() {
	j.stop()
	if j.county != nil {
		if err := j.county.Down(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// settle does what waits for the UI goroutine.
func (j *journey) settle() {
	for {
		select {
		case fn := <-j.ui:
			fn()
		default:
			return
		}
	}
}

// until waits for something that comes by itself.
func (j *journey) until(what string, is func() bool) error {
	end := time.NewTimer(patience)
	defer end.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		j.settle()
		if is() {
			return nil
		}
		select {
		case fn := <-j.ui:
			fn()
		case <-tick.C:
			j.shell.Tick()
		case <-j.ctx.Done():
			return j.ctx.Err()
		case <-end.C:
			return fmt.Errorf("waited %v for %s; the screen says: %s", patience, what, clip(j.hand.all()))
		}
	}
}

// sees is an error unless every text is on the screen.
func (j *journey) sees(texts ...string) error {
	j.settle()
	var missing []string
	for _, t := range texts {
		if !j.hand.sees(t) {
			missing = append(missing, t)
		}
	}
	if missing != nil {
		return fmt.Errorf("the screen does not say %q; it says: %s", missing, clip(j.hand.all()))
	}
	return nil
}

func (j *journey) tap(texts ...string) error {
	for _, t := range texts {
		if err := j.hand.tap(t); err != nil {
			return err
		}
		j.settle()
	}
	return nil
}

func (j *journey) write(label, text string) error {
	err := j.hand.write(label, text)
	j.settle()
	return err
}

func (j *journey) goTo(p screen.Page, arg string) {
	j.shell.Go(screen.Route{Page: p, Arg: arg})
	j.settle()
}

// shot saves the window; names count up, so that the folder tells the story.
func (j *journey) shot(name string) error {
	j.shots++
	name = j.prefix + name
	path := filepath.Join(j.out, "screens", fmt.Sprintf("%02d-%s.png", j.shots, name))
	if j.plain {
		path = filepath.Join(j.out, name+".png")
	}
	_, err := j.hand.shot(path)
	return err
}

// command runs a command line on the machine's folder, as county IT does.
func (j *journey) command(args ...string) (out string, code int, err error) {
	return j.commandOn(j.data(), args...)
}

// commandOn runs a command line on another folder.
func (j *journey) commandOn(dir string, args ...string) (out string, code int, err error) {
	texts, err := translations.Load()
	if err != nil {
		return "", 0, err
	}
	env, err := cli.NewEnv(texts)
	if err != nil {
		return "", 0, err
	}
	defer env.Close()
	var o, e bytes.Buffer
	env.In, env.Out, env.Err, env.Lang = strings.NewReader(""), &o, &e, "en"
	code = cli.Main(j.ctx, append(args, "--data", dir), env)
	return o.String() + e.String(), code, nil
}

// expect runs a command and is an error unless it exits so and says so.
func (j *journey) expect(code int, says string, args ...string) error {
	out, got, err := j.command(args...)
	if err != nil {
		return err
	}
	if got != code || !strings.Contains(out, says) {
		return fmt.Errorf("bianmin %s: exit %d, want %d; it says %q, want %q", strings.Join(args, " "), got, code, clip(out), says)
	}
	return nil
}

// steps runs functions until one fails.
func steps(fns ...func() error) error {
	for _, fn := range fns {
		if err := fn(); err != nil {
			return err
		}
	}
	return nil
}
