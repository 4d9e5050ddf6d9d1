// Package args reads the words and flags of a command line. It differs from package flag in two ways: flags may stand
// before, between and behind the words, and what is wrong is a words.Error, so that a person reads it in their language.
package args

import (
	"flag"
	"strings"

	"bianmin/offline/words"
)

// Keys of what can be wrong with a command line, texts in assets/translations.
const (
	KeyFlag    = "args.flag"    // {flag} is not known
	KeyValue   = "args.value"   // {value} is no value for {flag}
	KeyMissing = "args.missing" // {flag} needs a value
)

// Parse sets the flags of fs from a command line and returns its words in order. Flags are written -f or --f, and what
// follows a lone "--" is words. It returns flag.ErrHelp for --help and -h, or an error with one of the keys above.
func Parse(fs *flag.FlagSet, line []string) ([]string, error) {
	var plain []string
	for len(line) > 0 {
		arg := line[0]
		line = line[1:]
		if arg == "--" {
			return append(plain, line...), nil
		}
		if len(arg) < 2 || arg[0] != '-' {
			plain = append(plain, arg)
			continue
		}
		name, value, given := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		f := fs.Lookup(name)
		if f == nil {
			if name == "help" || name == "h" {
				return nil, flag.ErrHelp
			}
			return nil, words.New(KeyFlag, nil, "flag", "--"+name)
		}
		if !given {
			if b, ok := f.Value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
				value = "true"
			} else {
				if len(line) == 0 {
					return nil, words.New(KeyMissing, nil, "flag", "--"+name)
				}
				value, line = line[0], line[1:]
			}
		}
		if err := fs.Set(name, value); err != nil {
			return nil, words.New(KeyValue, err, "flag", "--"+name, "value", value)
		}
	}
	return plain, nil
}

// Value returns the value that a command line gives the flag name, "" when it gives none. It needs no flag set: how to
// say what is wrong with a line must be known before the line is read.
func Value(line []string, name string) string {
	for i, arg := range line {
		key, value, given := strings.Cut(arg, "=")
		switch {
		case arg == "--":
			return ""
		case key != "-"+name && key != "--"+name:
			continue
		case given:
			return value
		case i+1 < len(line):
			return line[i+1]
		}
	}
	return ""
}
