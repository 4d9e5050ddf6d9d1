// Package desktop starts the program with a window: it takes the machine's folder, runs the line to the platform and the
// socket for other starts of the program, and in demo mode the sample county beside it. What is seen is package window.
package desktop

import (
	"context"
	"errors"
	"fmt"
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
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	if err := o.Env.OpenLog(o.Dir); err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	if err := crashFile(o.Dir); err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	p := &program{o: o, cfg: desk.Config{Dir: o.Dir, Log: o.Env.Log}}
	defer p.close()
	if o.Demo {
		if err := p.startCounty(ctx); err != nil {
			return err
		}
	}
	a := o.NewApp(AppID)
	w := window.Options{
		App: a, Texts: o.Env.Texts, Lang: o.Env.Lang, Version: cli.Version, Log: o.Env.Log, Dir: o.Dir, Post: fyne.Do,
		Enroll: func(gateway, code string) error { return p.enroll(ctx, gateway, code) },
		Open:   func(onEvent func(engine.Event)) (window.Machine, error) { return p.open(ctx, onEvent) },
	}
	if p.county != nil {
		w.DemoPINs = demo.PINs()
		w.DemoNetwork = p.network(ctx)
	}
	shell := window.New(w)
	p.raise = func() { fyne.Do(shell.Raise) }
	context.AfterFunc(ctx, func() { fyne.Do(a.Quit) })
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

// program is what runs behind the window.
type program struct {
	o      Options
	cfg    desk.Config
	county *demo.County
	desk   *desk.Desk
	link   *link.Link
	group  *errgroup.Group
	stop   context.CancelFunc
	raise  func()
}

func (p *program) startCounty(ctx context.Context) error {
	bin, err := demo.Find()
	if err != nil {
		return words.New("demo.noGateway", err)
	}
	dir := filepath.Join(p.o.Dir, "county")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	log, err := os.OpenFile(filepath.Join(p.o.Dir, "logs", "gateway.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	defer log.Close() // the child has its own handle
	if p.county, err = demo.New(ctx, bin, dir, log); err != nil {
		return words.New("demo.failed", err)
	}
	if err := p.county.Up(ctx); err != nil {
		return words.New("demo.failed", err)
	}
	if desk.Enrolled(p.o.Dir) {
		return nil
	}
	code, err := p.county.Code(ctx)
	if err != nil {
		return words.New("demo.failed", err)
	}
	return p.enroll(ctx, p.county.URL(), code)
}

func (p *program) network(ctx context.Context) func(on bool) {
	return func(on bool) {
		var err error
		if on {
			err = p.county.Up(ctx)
		} else {
			err = p.county.Down()
		}
		if err != nil {
			p.o.Env.Log.Error("sample county's network", slog.Any("cause", err))
		}
		if p.link != nil {
			p.link.Wake()
		}
	}
}

func (p *program) enroll(ctx context.Context, gateway, code string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	_, _, err := link.Enroll(ctx, link.EnrollOptions{Config: p.cfg, Gateway: gateway, Code: code})
	return err
}

// open takes the folder and starts the line and the socket.
func (p *program) open(ctx context.Context, onEvent func(engine.Event)) (window.Machine, error) {
	d, err := desk.Open(p.cfg)
	if err != nil {
		return window.Machine{}, err
	}
	l, err := link.New(d, link.Options{Log: p.o.Env.Log, OnEvent: onEvent})
	if err != nil {
		return window.Machine{}, errors.Join(err, d.Close())
	}
	sock, err := control.Listen(p.o.Dir)
	if err != nil {
		l.Close()
		return window.Machine{}, errors.Join(words.New("desk.folderUnwritable", err), d.Close())
	}
	p.desk, p.link = d, l
	ctx, p.stop = context.WithCancel(ctx)
	p.group, ctx = errgroup.WithContext(ctx)
	p.group.Go(func() error { return l.Run(ctx) })
	host := &cli.Host{Desk: d, Link: l}
	p.group.Go(func() error { return control.Serve(ctx, sock, cli.Handler(*p.o.Env, host, p.raise)) })
	return window.Machine{Counter: d.Counter(), Wake: l.Wake, Gateway: d.Enrolment().Gateway}, nil
}

// wait ends what runs and gives the folder back.
func (p *program) wait() error {
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

func (p *program) close() {
	if err := p.wait(); err != nil {
		p.o.Env.Log.Error("close", slog.Any("cause", err))
	}
	if p.county != nil {
		if err := p.county.Down(); err != nil {
			p.o.Env.Log.Error("close sample county", slog.Any("cause", err))
		}
	}
}
