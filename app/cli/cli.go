// Package cli is the command line of a station's machine. It runs the same code as the screens and needs no display.
//
// Commands that need the machine's folder go to the process that holds it, when there is one (package control).
// Commands, JSON fields and exit codes are documented in docs/cli.md.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bianmin/app/control"
	"bianmin/app/device/spool"
	"bianmin/assets/translations"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/vault"
	"bianmin/offline/words"
	"bianmin/offline/words/args"
	"bianmin/sync/link"
)

// Version is set by the linker.
var Version = "dev"

// Exit codes.
const (
	ExitOK          = 0
	ExitFailed      = 1  // what was asked could not be done; the message says why
	ExitUsage       = 2  // the command line is wrong
	ExitPartly      = 3  // some lines were refused, the others are done
	ExitForged      = 4  // the receipt is not genuine
	ExitUnsure      = 5  // the receipt's key is withdrawn or unknown here: check online
	ExitNotEnrolled = 6  // the folder belongs to no station yet
	ExitPIN         = 7  // wrong PIN, or the operator is locked out
	ExitBusy        = 8  // another program holds the folder, or this machine is rebuilding or checking
	ExitOffline     = 9  // the platform could not be reached; everything is safe on this machine
	ExitDamaged     = 10 // doctor found a record that is not what was written
)

// Env is where a command runs.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	Dir      string // working folder for relative paths
	Lang     string // "zh" or "en"
	Texts    *translations.Catalog
	Log      *slog.Logger
	Host     *Host // set when the folder is already held by this process
	// Hello opens a bare window: the least a window costs on this machine. Nil in programs without a window.
	Hello func(ctx context.Context) int
	// Window opens the app on a folder; demo adds the sample county. Nil in programs without a window.
	Window func(ctx context.Context, dir string, demo bool) int
	// Kiosk is Window for a machine that the public uses alone, with its watchdog. Nil in programs without a window.
	Kiosk func(ctx context.Context, dir string, demo bool) int

	logFile io.Closer
	verbose bool // say the cause of a fault, too
}

// Host is a machine folder that this process holds.
type Host struct {
	Desk  *desk.Desk
	Link  *link.Link
	Spool *spool.Spool // what is to be printed; nil: commands open it for themselves
}

// T returns the text of key in the caller's language.
func (e *Env) T(key string, args map[string]string) string { return e.Texts.TS(e.Lang, key, args) }

func (e *Env) path(p string) string {
	if p == "" || p == "-" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(e.Dir, p)
}

type command struct {
	name   string
	folder bool // needs the machine's folder
	run    func(ctx context.Context, e *Env, o *options, rest []string) int
	words  bool // takes words beside its flags
	flags  func(fs *flag.FlagSet, o *options)
}

// options are the flags of all commands.
type options struct {
	data, gateway, code, codeFile, machine string
	operator, pinFile, newPINFile, service string
	answers, lang, field                   string
	top                                    int  // of pinyin
	exact                                  bool // of pinyin
	rare                                   bool // of pinyin: find rare characters
	kiosk                                  bool
	jsonOut, once, rebuild, verbose        bool
	to, from                               string // of backup and restore
	daily, yes                             bool
	keep                                   int

	who     counter.NewOperator // whom a command is about
	secret  string              // kind of machine secret
	out, qr string              // where a message is written to

	caseNo, personFile, reason string // what is erased, and why
	print                      printOptions

	args     []string // as typed
	setAside string   // where a damaged database was moved to, for doctor
}

func commands() []command {
	gateway := func(fs *flag.FlagSet, o *options) {
		fs.StringVar(&o.gateway, "gateway", "", "")
		fs.StringVar(&o.code, "code", "", "")
		fs.StringVar(&o.codeFile, "code-file", "", "")
		fs.StringVar(&o.machine, "machine", "", "")
		fs.StringVar(&o.secret, "secret", "", "")
	}
	operator := func(fs *flag.FlagSet, o *options) {
		fs.StringVar(&o.operator, "operator", "", "")
		fs.StringVar(&o.pinFile, "pin-file", "", "")
	}
	return []command{
		{name: "enroll", run: enroll, flags: gateway},
		{name: "intake", folder: true, run: intake, flags: func(fs *flag.FlagSet, o *options) {
			operator(fs, o)
			fs.StringVar(&o.service, "service", "", "")
			fs.StringVar(&o.answers, "answers", "", "")
		}},
		{name: "sync", folder: true, run: syncOnce, flags: func(fs *flag.FlagSet, o *options) { fs.BoolVar(&o.once, "once", false, "") }},
		{name: "status", folder: true, run: status},
		{name: "verify", folder: true, words: true, run: verify},
		{name: "doctor", folder: true, run: doctor, flags: func(fs *flag.FlagSet, o *options) {
			operator(fs, o)
			fs.BoolVar(&o.rebuild, "rebuild", false, "")
		}},
		{name: "backup", folder: true, run: backup, flags: func(fs *flag.FlagSet, o *options) {
			fs.StringVar(&o.to, "to", "", "")
			fs.BoolVar(&o.daily, "daily", false, "")
			fs.IntVar(&o.keep, "keep", 0, "")
		}},
		{name: "restore", run: restore, flags: func(fs *flag.FlagSet, o *options) {
			fs.StringVar(&o.from, "from", "", "")
			fs.BoolVar(&o.yes, "yes", false, "")
		}},
		{name: "pin", folder: true, run: changePIN, flags: func(fs *flag.FlagSet, o *options) {
			operator(fs, o)
			fs.StringVar(&o.newPINFile, "new-pin-file", "", "")
		}},
		{name: "period", folder: true, words: true, run: period, flags: eraseFlags},
		{name: "erase", folder: true, run: erase, flags: eraseFlags},
		{name: "operator", folder: true, words: true, run: operatorCommand, flags: peopleFlags},
		{name: "recover", words: true, run: recoverCommand, flags: peopleFlags},
		{name: "pinyin", run: pinyin, flags: func(fs *flag.FlagSet, o *options) {
			operator(fs, o)
			fs.IntVar(&o.top, "top", 1, "")
			fs.StringVar(&o.field, "field", "text", "")
			fs.BoolVar(&o.exact, "exact", false, "")
			fs.BoolVar(&o.rare, "rare", false, "")
		}},
		{name: "print", folder: true, words: true, run: printCommand, flags: printFlags},
		{name: "version", run: version},
		{name: "demo", run: demo},
		{name: "hello", run: hello},
		{name: "help", words: true, run: help},
	}
}

// Main runs one command line and returns the exit code. Without a command it opens the window.
func Main(ctx context.Context, line []string, e *Env) int {
	o := &options{args: line}
	name, rest := "", line
	if len(line) > 0 && !strings.HasPrefix(line[0], "-") {
		name, rest = line[0], line[1:]
	}
	if l := args.Value(line, "lang"); l == "zh" || l == "en" {
		e.Lang = l // before anything is said
	}
	var c *command
	for _, k := range commands() {
		if k.name == name {
			c = &k
		}
	}
	if name != "" && c == nil {
		return e.usage("", words.New("cli.command", nil, "name", name))
	}
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.data, "data", "", "")
	fs.StringVar(&o.lang, "lang", e.Lang, "")
	fs.BoolVar(&o.jsonOut, "json", false, "")
	fs.BoolVar(&o.verbose, "verbose", false, "")
	if c == nil || name == "demo" {
		fs.BoolVar(&o.kiosk, "kiosk", false, "")
	}
	if c != nil && c.flags != nil {
		c.flags(fs, o)
	}
	plain, err := args.Parse(fs, rest)
	if errors.Is(err, flag.ErrHelp) {
		return help(ctx, e, o, []string{name})
	}
	if err != nil {
		return e.usage(name, err)
	}
	e.verbose = o.verbose
	if o.data == "" {
		o.data = DefaultDir(name == "demo")
	}
	o.data = e.path(o.data)
	if len(plain) > 0 && (c == nil || !c.words) {
		return e.usage(name, words.New("cli.word", nil, "word", plain[0]))
	}
	switch {
	case c == nil:
		return open(ctx, e, o, false)
	case !c.folder:
		return c.run(ctx, e, o, plain)
	case e.Host == nil:
		return withFolder(ctx, e, o, *c, line, plain)
	}
	return c.run(ctx, e, o, plain)
}

// DefaultDir returns the machine's folder when --data is not given.
func DefaultDir(demo bool) string {
	base := os.Getenv("XDG_DATA_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			home = "."
		}
		base = filepath.Join(home, ".local", "share")
	}
	if demo {
		return filepath.Join(base, "bianmin-demo")
	}
	return filepath.Join(base, "bianmin")
}

// withFolder sends the command to the process that holds the folder, or takes the folder for its own run.
func withFolder(ctx context.Context, e *Env, o *options, c command, line, rest []string) int {
	code, err := control.Do(ctx, o.data, control.Call{Args: line, Dir: e.Dir, Lang: e.Lang}, e.In, e.Out, e.Err)
	if err == nil {
		return code
	}
	if !errors.Is(err, control.ErrNobody) {
		return e.fail(err)
	}
	if desk.Enrolled(o.data) {
		if err := e.OpenLog(o.data); err != nil {
			return e.fail(words.New("desk.folderUnwritable", err))
		}
	}
	cfg := desk.Config{Dir: o.data, Log: e.Log}
	d, err := desk.Open(cfg)
	if key, _ := words.KeyOf(err); err != nil && key == "store.damaged" && o.rebuild && o.operator != "" {
		// Without somebody logged in nothing could be taken back from the mirror, so the file stays until then.
		if o.setAside, err = desk.SetAside(cfg); err == nil {
			d, err = desk.Open(cfg)
		}
	}
	if err != nil {
		code := e.fail(err)
		if key, _ := words.KeyOf(err); key == "store.damaged" {
			fmt.Fprintln(e.Err, e.T("doctor.mend", nil))
		}
		return code
	}
	l, err := link.New(d, link.Options{Log: e.Log})
	if err != nil {
		return e.fail(errors.Join(err, d.Close()))
	}
	e.Host = &Host{Desk: d, Link: l}
	code = c.run(ctx, e, o, rest)
	e.Host = nil
	l.Close()
	if err := d.Close(); err != nil {
		return e.fail(err)
	}
	return code
}

// Handler answers command lines that other processes send to the holder of the folder. onRaise is called when the
// program was started a second time.
func Handler(e Env, h *Host, onRaise func()) control.Handler {
	return func(ctx context.Context, c control.Call, in io.Reader, out, errs io.Writer) int {
		own := e
		own.In, own.Out, own.Err, own.Dir, own.Host = in, out, errs, c.Dir, h
		if c.Lang != "" {
			own.Lang = c.Lang
		}
		if len(c.Args) == 0 {
			onRaise()
			return ExitOK
		}
		return Main(ctx, c.Args, &own)
	}
}

// open raises the window that holds the folder, or opens one.
func open(ctx context.Context, e *Env, o *options, demo bool) int {
	dir := o.data
	if o.kiosk && e.Kiosk != nil {
		return e.Kiosk(ctx, dir, demo)
	}
	if code, err := control.Do(ctx, dir, control.Call{Dir: e.Dir, Lang: e.Lang}, nil, e.Out, e.Err); err == nil {
		return code
	}
	if e.Window == nil {
		fmt.Fprintln(e.Err, e.T("cli.noWindow", nil))
		return ExitUsage
	}
	return e.Window(ctx, dir, demo)
}

// hello shows whether this machine opens windows at all, and what the barest one costs.
func hello(ctx context.Context, e *Env, _ *options, _ []string) int {
	if e.Hello == nil {
		fmt.Fprintln(e.Err, e.T("cli.noWindow", nil))
		return ExitUsage
	}
	return e.Hello(ctx)
}

func demo(ctx context.Context, e *Env, o *options, _ []string) int { return open(ctx, e, o, true) }

func version(_ context.Context, e *Env, o *options, _ []string) int {
	if o.jsonOut {
		return e.print(map[string]string{"version": Version, "crypto": vault.SM(nil).Name()})
	}
	fmt.Fprintln(e.Out, "bianmin", Version)
	return ExitOK
}

func help(_ context.Context, e *Env, _ *options, rest []string) int {
	key := "cli.help"
	if len(rest) > 0 && rest[0] != "" {
		if !slices.ContainsFunc(commands(), func(c command) bool { return c.name == rest[0] }) {
			return e.usage("", words.New("cli.command", nil, "name", rest[0]))
		}
		key = "cli.help." + rest[0]
	}
	fmt.Fprintln(e.Out, e.Texts.T("zh", key, nil))
	fmt.Fprintln(e.Out, e.Texts.T("en", key, nil))
	return ExitOK
}

// print writes one JSON line.
func (e *Env) print(v any) int {
	enc := json.NewEncoder(e.Out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return e.fail(err)
	}
	return ExitOK
}

// Message returns what a person reads about err, in lang.
func Message(texts *translations.Catalog, lang string, err error) string {
	key, values := words.KeyOf(err)
	if p := (*counter.IncompleteError)(nil); key == "desk.badAnswers" && errors.As(err, &p) {
		values = map[string]string{"why": p.Problems[0].Text.In(lang)}
	}
	return texts.TS(lang, key, values)
}

// usage says what is wrong with the command line and where to read about it, and returns the exit code.
func (e *Env) usage(name string, err error) int {
	fmt.Fprintln(e.Err, Message(e.Texts, e.Lang, err))
	fmt.Fprintln(e.Err, e.T("cli.helpHint", map[string]string{"command": strings.TrimSpace("bianmin help " + name)}))
	return ExitUsage
}

// fail says what happened in the caller's language and returns the exit code that fits.
func (e *Env) fail(err error) int {
	fmt.Fprintln(e.Err, Message(e.Texts, e.Lang, err))
	e.Log.Error("command ended", slog.Any("cause", err))
	if e.verbose {
		fmt.Fprintln(e.Err, e.T("cli.cause", map[string]string{"cause": err.Error()}))
	}
	key, _ := words.KeyOf(err)
	switch {
	case key == desk.ErrNotEnrolled.Key:
		return ExitNotEnrolled
	case strings.HasPrefix(key, "pin."):
		return ExitPIN
	case key == "store.busy", key == "store.rebuilding", key == "store.checking":
		return ExitBusy
	case key == "wire.unreachable", key == "wire.busy", key == "enroll.unreachable", key == "enroll.busy":
		return ExitOffline
	}
	return ExitFailed
}
