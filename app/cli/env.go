package cli

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/DeRuina/timberjack"

	"bianmin/assets/translations"
)

// Limits of the log in a machine's folder: it never fills the disk.
const (
	logMegabytes = 5
	logBackups   = 2
)

// NewEnv returns the environment of this process: its streams, its folder, and the language of its locale (BIANMIN_LANG
// wins; Chinese unless the locale is English).
func NewEnv(texts *translations.Catalog) (*Env, error) {
	wd, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("cli: working folder: %w", err)
	}
	return &Env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Dir: wd, Lang: systemLang(os.Getenv), Texts: texts,
		Log: slog.New(slog.DiscardHandler),
	}, nil
}

func systemLang(getenv func(string) string) string {
	for _, name := range []string{"BIANMIN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			if strings.HasPrefix(v, "en") {
				return "en"
			}
			return "zh"
		}
	}
	return "zh"
}

// OpenLog sends the log to the machine's folder. It holds no personal data: types that do redact themselves.
func (e *Env) OpenLog(dir string) error { return e.OpenLogAs(dir, "bianmin.log") }

// OpenLogAs sends the log to a file of the given name there: two processes never write one file.
func (e *Env) OpenLogAs(dir, name string) error {
	logs := filepath.Join(dir, "logs")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return fmt.Errorf("cli: log folder: %w", err)
	}
	w := &timberjack.Logger{Filename: filepath.Join(logs, name), MaxSize: logMegabytes, MaxBackups: logBackups, FileMode: 0o600}
	e.Close()
	e.logFile = w
	e.Log = slog.New(slog.NewJSONHandler(w, nil))
	return nil
}

// Close closes the log.
func (e *Env) Close() {
	if e.logFile != nil {
		e.logFile.Close()
		e.logFile = nil
	}
	e.Log = slog.New(slog.DiscardHandler)
}

var _ io.Closer = (*timberjack.Logger)(nil)
