// Command bianmin-gatewayd is the platform's end of Bianmin: it serves devices and the citizen page, and does what reviewers and
// county IT ask. One static binary, no cgo; its data is one folder. docs/gateway.md describes every command.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"bianmin/assets/translations"
	"bianmin/offline/catalog"
	"bianmin/offline/ident"
	"bianmin/offline/private"
	"bianmin/offline/words"
	"bianmin/offline/words/args"
	"bianmin/sync/gateway"
)

// Exit codes.
const (
	exitOK       = 0 // done; verify: genuine
	exitFailed   = 1 // it did not work
	exitUsage    = 2 // the command line is wrong
	exitNotFound = 3 // no such case, device, station, receipt
	exitForged   = 4 // verify: forged; journal verify: something was changed
	exitState    = 5 // the case, device or pack is not in a state for this; verify: withdrawn or unknown
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	if err := private.NoDumps(); err != nil {
		fmt.Fprintln(os.Stderr, err) // a server that forbids this still has to serve
	}
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// tool is one call of the program.
type tool struct {
	in       io.Reader
	out, err io.Writer
	zh       bool
	texts    translations.Texts // of that language
	json     bool
	dir      string
	verbose  bool
}

// command is one command of the program.
type command struct {
	name   string // one or two words
	args   string
	zh, en string
	run    func(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error
}

// program is what people call to run this.
const program = "bianmin-gatewayd"

// Keys of what can be wrong with a command line, beside those of package args.
const (
	keyNeeded = "gateway.use.needed" // {flags} are needed
	keyOneOf  = "gateway.use.oneOf"  // exactly one of {flags} is needed
	keyValue  = args.KeyValue        // {value} is no value for {flag}
)

// usageError is a wrong command line. The chain holds the words.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// usage returns a wrong command line; pairs are placeholder names and values in turn.
func usage(key string, pairs ...string) error { return usageError{words.New(key, nil, pairs...)} }

func run(ctx context.Context, line []string, in io.Reader, out, errw io.Writer) int {
	texts, err := translations.Load()
	if err != nil {
		fmt.Fprintln(errw, err)
		return exitFailed
	}
	t := &tool{in: in, out: out, err: errw, zh: chinese()}
	if l := args.Value(line, "lang"); l != "" {
		t.zh = strings.HasPrefix(l, "zh") // before anything is said
	}
	t.texts = texts.In(t.say(translations.Chinese, translations.English))
	if len(line) == 0 || line[0] == "help" || line[0] == "--help" || line[0] == "-h" || line[0] == "-help" {
		t.help()
		if len(line) == 0 {
			return exitUsage
		}
		return exitOK
	}
	for _, c := range commands() {
		rest, ok := match(c.name, line)
		if !ok {
			continue
		}
		fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		fs.BoolVar(&t.json, "json", false, "输出 JSON / print JSON")
		fs.StringVar(&t.dir, "data", "gateway", "数据目录 / data folder")
		fs.BoolVar(&t.verbose, "verbose", false, "详细日志，出错时显示原因 / log more, say the cause of a fault")
		fs.String("lang", "", "zh 或 en / zh or en")
		return t.done(c, fs, c.run(ctx, t, fs, rest))
	}
	bad := words.New("cli.command", nil, "name", line[0])
	if strings.HasPrefix(line[0], "-") {
		bad = words.New(args.KeyFlag, nil, "flag", line[0])
	}
	t.json = slices.Contains(line, "--json")
	t.fail("usage", bad)
	t.hint("help")
	return exitUsage
}

// common are the flags of every command, and whether a value follows. They may stand before and between its words.
var common = map[string]bool{"data": true, "lang": true, "json": false, "verbose": false}

// match finds the words of a command at the front of args, and returns everything else.
func match(name string, args []string) (rest []string, ok bool) {
	var flags []string
	for _, want := range strings.Fields(name) {
		for len(args) > 0 && strings.HasPrefix(args[0], "-") {
			key, _, given := strings.Cut(strings.TrimLeft(args[0], "-"), "=")
			follows, known := common[key]
			n := 1
			if follows && !given {
				n = 2
			}
			if !known || len(args) < n {
				return nil, false
			}
			flags, args = append(flags, args[:n]...), args[n:]
		}
		if len(args) == 0 || args[0] != want {
			return nil, false
		}
		args = args[1:]
	}
	return append(flags, args...), true
}

// chinese reports whether the person reads Chinese, by the locale.
func chinese() bool {
	for _, v := range []string{"BIANMIN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if s := os.Getenv(v); s != "" {
			return strings.HasPrefix(s, "zh")
		}
	}
	return false
}

// parse reads flags and words in any order, and checks how many words there are.
func parse(fs *flag.FlagSet, line []string, least, most int) ([]string, error) {
	names, err := args.Parse(fs, line)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil, err
	case err != nil:
		return nil, usageError{err}
	case len(names) > most:
		return nil, usage("cli.word", "word", names[most])
	case len(names) < least:
		return nil, usage("gateway.use.few")
	}
	return names, nil
}

// done tells the outcome and returns the exit code.
func (t *tool) done(c command, fs *flag.FlagSet, err error) int {
	var use usageError
	var code exitError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, flag.ErrHelp):
		t.usage(t.out, c, fs)
		return exitOK
	case errors.As(err, &code):
		return code.code
	case errors.As(err, &use):
		t.fail("usage", err)
		t.hint(c.name + " --help")
		return exitUsage
	case errors.Is(err, gateway.ErrNotFound):
		t.fail("notFound", err)
		return exitNotFound
	case errors.Is(err, gateway.ErrFields):
		t.fail("fields", err)
		return exitUsage
	case errors.Is(err, gateway.ErrState):
		t.fail("state", err)
		return exitState
	case errors.Is(err, gateway.ErrExists), errors.Is(err, catalog.ErrRollback):
		t.fail("exists", err)
		return exitState
	}
	key, _ := words.KeyOf(err)
	if key == "error.unknown" {
		key = "failed"
	}
	t.fail(key, err)
	return exitFailed
}

// exitError ends the program with a code after everything was said.
type exitError struct{ code int }

// Error implements error.
func (e exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func (t *tool) say(zh, en string) string {
	if t.zh {
		return zh
	}
	return en
}

// fail says what went wrong in the person's language; the chain of causes is for --verbose. key names the fault in JSON.
func (t *tool) fail(key string, err error) {
	textKey, pairs := words.KeyOf(err)
	if textKey == "error.unknown" {
		if textKey = "gateway." + key; key == "usage" {
			textKey = "gateway.failed"
		}
	}
	text := t.texts.T(textKey, flat(pairs)...)
	if fields := (*gateway.FieldsError)(nil); errors.As(err, &fields) {
		text = t.fieldWords(fields)
	}
	if faults := (*catalog.LintError)(nil); errors.As(err, &faults) { // who made the pack needs file, line and reason
		for _, f := range faults.Faults {
			text += "\n" + f.String()
		}
	}
	if t.json {
		v := map[string]string{"error": key, "message": text}
		if t.verbose {
			v["cause"] = err.Error()
		}
		_ = json.NewEncoder(t.err).Encode(v)
		return
	}
	fmt.Fprintf(t.err, "%s: %s\n", program, text)
	if t.verbose {
		fmt.Fprintln(t.err, t.texts.T("cli.cause", "cause", err.Error()))
	}
}

func flat(values map[string]string) []string {
	var out []string
	for k, v := range values {
		out = append(out, k, v)
	}
	return out
}

// hint says where to read about a command line.
func (t *tool) hint(rest string) {
	if !t.json {
		fmt.Fprintln(t.err, t.texts.T("cli.helpHint", "command", program+" "+rest))
	}
}

// moment returns a time in milliseconds as people read it, in China's time; "" for 0.
func (t *tool) moment(ms int64) string {
	if ms == 0 {
		return ""
	}
	return translations.MomentText(t.texts, time.UnixMilli(ms))
}

// day returns a civil date that JSON shows as people read it.
func (t *tool) day(date string) string {
	d, err := time.ParseInLocation(time.DateOnly, date, ident.China)
	if err != nil {
		return date
	}
	return translations.DayText(t.texts, d)
}

// when is moment for a time that JSON shows.
func (t *tool) when(stamp string) string {
	at, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return stamp
	}
	return t.moment(at.UnixMilli())
}

// print prints v as JSON, or calls text.
func (t *tool) print(v any, text func(w io.Writer)) error {
	if !t.json {
		text(t.out)
		return nil
	}
	e := json.NewEncoder(t.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (t *tool) usage(w io.Writer, c command, fs *flag.FlagSet) {
	fmt.Fprintf(w, "%s %s %s\n  %s\n  %s\n", program, c.name, c.args, c.zh, c.en)
	fs.VisitAll(func(f *flag.Flag) {
		def := ""
		if f.DefValue != "" && f.DefValue != "false" {
			def = " (" + f.DefValue + ")"
		}
		fmt.Fprintf(w, "    --%-18s %s%s\n", f.Name, f.Usage, def)
	})
}

func (t *tool) help() {
	fmt.Fprintf(t.out, "%s — 便民平台端 / the platform's end of Bianmin\n\n", program)
	for _, c := range commands() {
		fmt.Fprintf(t.out, "  %s %s\n      %s\n      %s\n", c.name, c.args, c.zh, c.en)
	}
	fmt.Fprint(t.out, `
  所有命令 / every command: --data DIR (默认 ./gateway)  --json  --lang zh|en  --verbose  --help
  NO 是回执号（设备-序号-校验）或办件编号 / NO is a receipt number (device-seq-check) or an official case number
  退出码 / exit codes: 0 成功 ok · 1 失败 failed · 2 用法 usage · 3 未找到 not found · 4 伪造或被改动 forged or changed · 5 状态不允许 not in this state
`)
}
