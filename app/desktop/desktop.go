// Package desktop starts the program with a window: it takes the machine's folder, runs the line to the platform and the
// socket for other starts of the program, and in demo mode the sample county beside it. What is seen is package window.
package desktop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"fyne.io/fyne/v2"
	"golang.org/x/sync/errgroup"

	"bianmin/app/cli"
	"bianmin/app/control"
	"bianmin/app/demo"
	"bianmin/app/device/speech"
	"bianmin/app/input/rarepanel"
	"bianmin/app/window"
	"bianmin/offline/desk"
	"bianmin/offline/words"
	"bianmin/sync/engine"
	"bianmin/sync/link"
)

// AppID names the program to the desktop.
const AppID = "cn.gov.example.bianmin"

// Options of Run.
type Options struct {
	NewApp func(id string) fyne.App // makes Fyne's application; main passes it, so that tests need no display
	Env    *cli.Env
	Dir    string
	Demo   bool

	watch *watched // of a kiosk; nil without a watchdog
}

// Run opens the window and returns the exit code when it is closed.
func Run(ctx context.Context, o Options) int {
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(o.Env.Err, cli.Message(o.Env.Texts, o.Env.Lang, err))
		o.Env.Log.Error("program ended", slog.Any("cause", err))
		if key, _ := words.KeyOf(err); key == "error.unknown" {
			fmt.Fprintln(o.Env.Err, err)
		}
		if errors.Is(err, errBusy) {
			return cli.ExitBusy
		}
		return cli.ExitFailed
	}
	return cli.ExitOK
}

var errBusy = words.New("store.busy", nil)

func run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := display(); err != nil {
		return words.New("window.noDisplay", err)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	if err := o.Env.OpenLog(o.Dir); err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	if err := crashFile(o.Dir); err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	// What Fyne reports is for those who read the log. It knows no personal data.
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(o.Env.Log.Handler(), slog.LevelWarn).Writer())
	p := &Program{Env: o.Env, Dir: o.Dir}
	defer p.Close()
	if o.Demo {
		if err := p.startCounty(ctx); err != nil {
			return err
		}
	}
	a := o.NewApp(AppID)
	w := p.Window(ctx)
	w.App, w.Post = a, fyne.Do
	voice := speech.New(o.Env.Log, nil)
	defer voice.Close()
	w.Speaker = voice
	if o.watch != nil {
		o.watch.wear(&w)
		go func() {
			select {
			case <-o.watch.gone:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	var shell *window.Shell // set before the UI goroutine runs what is posted
	p.Raise = func() { fyne.Do(func() { shell.Raise() }) }
	p.Changed = func() { fyne.Do(func() { shell.Changed() }) }
	p.Printed = func() { fyne.Do(func() { shell.Printed() }) }
	shell = window.New(w)
	context.AfterFunc(ctx, func() { fyne.Do(a.Quit) })
	if socket := os.Getenv(placesEnv); socket != "" && o.Demo {
		err := tellPlaces(ctx, socket, o.Env.Log, func() (p window.Place) {
			fyne.DoAndWait(func() { p = shell.Places() })
			return p
		})
		if err != nil {
			return err
		}
	}
	shell.ShowAndRun()
	cancel()
	return p.wait()
}

// crashFile makes a crash leave its stack in the folder. It names no data: values are not part of it.
func crashFile(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, "logs", "crash.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	return debug.SetCrashOutput(f, debug.CrashOptions{})
}

// Program is what runs behind the window: the folder, the line, the socket. Env and Dir are required.
type Program struct {
	Env    *cli.Env
	Dir    string
	County *demo.County // the sample county beside the app; nil outside demo mode
	Raise  func()       // brings the window to the front; nil does nothing
	// Changed is called when a command that came through the socket has ended: the folder may hold something new. It is
	// called on any goroutine; nil does nothing.
	Changed func()
	// Printed is called when a print job changed, on any goroutine; nil does nothing.
	Printed func()

	sim   simReader // of the sample county
	desk  *desk.Desk
	link  *link.Link
	group *errgroup.Group
	stop  context.CancelFunc
}

// Window returns what the window needs of the program. The caller adds App and Post.
func (p *Program) Window(ctx context.Context) window.Options {
	w := window.Options{
		Texts: p.Env.Texts, Lang: p.Env.Lang, Version: cli.Version, Log: p.Env.Log, Dir: p.Dir,
		Enroll: func(gateway, code string) error { return p.enroll(ctx, gateway, code) },
		Open:   func(onEvent func(engine.Event)) (window.Machine, error) { return p.open(ctx, onEvent) },
	}
	w.Devices = p.devices()
	w.Repair = func() error {
		_, err := desk.SetAside(p.config())
		return err
	}
	w.Rare = func(insert func(string), done func(), read rarepanel.Read) fyne.CanvasObject {
		panel := rarepanel.New(insert, done)
		if read != nil {
			panel.Card(read)
		}
		return panel
	}
	if p.County != nil {
		w.DemoPINs = demo.PINs()
		w.DemoNetwork = p.network(ctx)
	}
	return w
}

// Desk returns the folder that is held; nil before the window opened it.
func (p *Program) Desk() *desk.Desk { return p.desk }

func (p *Program) config() desk.Config { return desk.Config{Dir: p.Dir, Log: p.Env.Log} }

func (p *Program) raise() {
	if p.Raise != nil {
		p.Raise()
	}
}

func (p *Program) printed() {
	if p.Printed != nil {
		p.Printed()
	}
}

func (p *Program) startCounty(ctx context.Context) error {
	bin, err := demo.Find()
	if err != nil {
		return words.New("demo.noGateway", err)
	}
	dir := filepath.Join(p.Dir, "county")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	log, err := os.OpenFile(filepath.Join(p.Dir, "logs", "gateway.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	defer log.Close() // the child has its own handle
	if p.County, err = demo.New(ctx, bin, dir, log); err != nil {
		return words.New("demo.failed", err)
	}
	if err := p.County.Up(ctx); err != nil {
		return words.New("demo.failed", err)
	}
	if desk.Enrolled(p.Dir) {
		return nil
	}
	code, err := p.County.Code(ctx)
	if err != nil {
		return words.New("demo.failed", err)
	}
	return p.enroll(ctx, p.County.URL(), code)
}

func (p *Program) network(ctx context.Context) func(on bool) {
	return func(on bool) {
		var err error
		if on {
			err = p.County.Up(ctx)
		} else {
			err = p.County.Down()
		}
		if err != nil {
			p.Env.Log.Error("sample county's network", slog.Any("cause", err))
		}
		if p.link != nil {
			p.link.Wake()
		}
	}
}

func (p *Program) enroll(ctx context.Context, gateway, code string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	_, _, err := link.Enroll(ctx, link.EnrollOptions{Config: p.config(), Gateway: gateway, Code: code})
	return err
}

// open takes the folder and starts the line and the socket.
func (p *Program) open(ctx context.Context, onEvent func(engine.Event)) (window.Machine, error) {
	d, err := desk.Open(p.config())
	if err != nil {
		return window.Machine{}, err
	}
	l, err := link.New(d, link.Options{Log: p.Env.Log, OnEvent: onEvent})
	if err != nil {
		return window.Machine{}, errors.Join(err, d.Close())
	}
	sp, err := cli.NewSpool(p.Env, d, p.Dir, p.printed)
	if err != nil {
		l.Close()
		return window.Machine{}, errors.Join(err, d.Close())
	}
	sock, err := control.Listen(p.Dir)
	if err != nil {
		l.Close()
		return window.Machine{}, errors.Join(words.New("desk.folderUnwritable", err), d.Close())
	}
	p.desk, p.link = d, l
	ctx, p.stop = context.WithCancel(ctx)
	p.group, ctx = errgroup.WithContext(ctx)
	p.group.Go(func() error { return l.Run(ctx) })
	p.group.Go(func() error { return d.Upkeep(ctx) })
	p.group.Go(func() error { return giveBack(ctx) })
	p.group.Go(func() error { return sp.Run(ctx) })
	host := &cli.Host{Desk: d, Link: l, Spool: sp}
	p.group.Go(func() error { return control.Serve(ctx, sock, p.handler(host)) })
	return window.Machine{Counter: d.Counter(), Wake: l.Wake, Gateway: d.Enrolment().Gateway, Spool: sp}, nil
}

// settled is how long after the folder was opened the first exchange has usually been made.
const settled = 2 * time.Second

// giveBack returns to the machine, once, the memory that the start took and that is not needed any more: a segment of the mirror,
// rows that were counted, packs that were looked through. Go keeps it for later, which does not come at a counter.
func giveBack(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-time.After(settled):
		debug.FreeOSMemory()
	}
	return nil
}

// handler answers command lines that come through the socket, and shows what they changed.
func (p *Program) handler(h *cli.Host) control.Handler {
	serve := cli.Handler(*p.Env, h, p.raise)
	return func(ctx context.Context, c control.Call, in io.Reader, out, errs io.Writer) int {
		code := serve(ctx, c, in, out, errs)
		if len(c.Args) == 0 {
			return code
		}
		if c.Args[0] == "intake" {
			h.Link.Wake()
		}
		if p.Changed != nil {
			p.Changed()
		}
		return code
	}
}

// wait ends what runs and gives the folder back.
func (p *Program) wait() error {
	if p.group == nil {
		return nil
	}
	p.stop()
	err := p.group.Wait()
	p.group = nil
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	p.link.Close()
	return errors.Join(err, p.desk.Close())
}

// Close ends what runs and gives the folder back; the sample county goes down, too.
func (p *Program) Close() {
	if err := p.wait(); err != nil {
		p.Env.Log.Error("close", slog.Any("cause", err))
	}
	if p.County != nil {
		if err := p.County.Down(); err != nil {
			p.Env.Log.Error("close sample county", slog.Any("cause", err))
		}
	}
}
