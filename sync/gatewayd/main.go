// Command gatewayd is the platform's end of Bianmin: it serves devices and the citizen page, and does what reviewers and
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
	"strings"
	"syscall"

	"bianmin/offline/catalog"
	"bianmin/offline/private"
	"bianmin/offline/words"
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

// usageError is a wrong command line.
type usageError struct{ text string }

// Error implements error.
func (e usageError) Error() string { return e.text }

func run(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	t := &tool{in: in, out: out, err: errw, zh: chinese()}
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" || args[0] == "-help" {
		t.help()
		if len(args) == 0 {
			return exitUsage
		}
		return exitOK
	}
	for _, c := range commands() {
		rest, ok := match(c.name, args)
		if !ok {
			continue
		}
		fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		fs.BoolVar(&t.json, "json", false, "输出 JSON / print JSON")
		fs.StringVar(&t.dir, "data", "gateway", "数据目录 / data folder")
		fs.BoolVar(&t.verbose, "verbose", false, "详细日志 / log more")
		fs.Func("lang", "zh 或 en / zh or en", func(s string) error {
			t.zh = strings.HasPrefix(s, "zh")
			return nil
		})
		return t.done(c, fs, c.run(ctx, t, fs, rest))
	}
	t.help()
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
func parse(fs *flag.FlagSet, args []string, least, most int) ([]string, error) {
	var words []string
	for {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, usageError{err.Error()}
		}
		if fs.NArg() == 0 {
			break
		}
		words, args = append(words, fs.Arg(0)), fs.Args()[1:]
	}
	if len(words) < least || len(words) > most {
		return nil, usageError{fmt.Sprintf("%d words, want %d to %d", len(words), least, most)}
	}
	return words, nil
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
		t.fail("usage", use.text)
		if !t.json {
			t.usage(t.err, c, fs)
		}
		return exitUsage
	case errors.Is(err, gateway.ErrNotFound):
		t.fail("notFound", t.say("没有找到", "not found")+": "+err.Error())
		return exitNotFound
	case errors.Is(err, gateway.ErrState):
		t.fail("state", t.say("现在的状态不能这样办理", "the state of the case does not allow this")+": "+err.Error())
		return exitState
	case errors.Is(err, gateway.ErrFields):
		t.fail("fields", t.fieldWords(err))
		return exitUsage
	case errors.Is(err, gateway.ErrExists), errors.Is(err, catalog.ErrRollback):
		t.fail("exists", t.say("已经存在或更新过", "exists already, or a newer one does")+": "+err.Error())
		return exitState
	}
	key := "failed"
	var w *words.Error
	if errors.As(err, &w) {
		key = w.Key
	}
	t.fail(key, err.Error())
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

func (t *tool) fail(key, text string) {
	if t.json {
		_ = json.NewEncoder(t.err).Encode(map[string]string{"error": key, "message": text})
		return
	}
	fmt.Fprintln(t.err, "gatewayd:", text)
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
	fmt.Fprintf(w, "gatewayd %s %s\n  %s\n  %s\n", c.name, c.args, c.zh, c.en)
	fs.VisitAll(func(f *flag.Flag) {
		def := ""
		if f.DefValue != "" && f.DefValue != "false" {
			def = " (" + f.DefValue + ")"
		}
		fmt.Fprintf(w, "    --%-18s %s%s\n", f.Name, f.Usage, def)
	})
}

func (t *tool) help() {
	fmt.Fprintf(t.out, "gatewayd — 便民平台端 / the platform's end of Bianmin\n\n")
	for _, c := range commands() {
		fmt.Fprintf(t.out, "  %s %s\n      %s\n      %s\n", c.name, c.args, c.zh, c.en)
	}
	fmt.Fprint(t.out, `
  所有命令 / every command: --data DIR (默认 ./gateway)  --json  --lang zh|en  --help
  NO 是回执号（设备-序号-校验）或办件编号 / NO is a receipt number (device-seq-check) or an official case number
  退出码 / exit codes: 0 成功 ok · 1 失败 failed · 2 用法 usage · 3 未找到 not found · 4 伪造或被改动 forged or changed · 5 状态不允许 not in this state
`)
}
