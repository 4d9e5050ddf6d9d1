package cli

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"

	"bianmin/offline/pinyin/ime"
	"bianmin/offline/pinyin/rare"
	"bianmin/offline/words"
)

// fields are the values of --field.
var fields = map[string]ime.Field{"text": ime.TextField, "name": ime.NameField, "address": ime.AddressField}

// pinyin turns lines of pinyin into candidates. It needs no folder; with an operator the county's own words come first.
func pinyin(ctx context.Context, e *Env, o *options, _ []string) int {
	field, ok := fields[o.field]
	if !ok || o.top < 1 || o.top > ime.MostCandidates || (o.operator == "") != (o.pinFile == "") || o.rare && o.operator != "" {
		fmt.Fprintln(e.Err, e.T("cli.help.pinyin", nil))
		fmt.Fprintln(e.Err, e.T("cli.help.rare", nil))
		return ExitUsage
	}
	if o.operator != "" && e.Host == nil {
		args := []string{
			"pinyin", "--data", o.data, "--lang", e.Lang, "--operator", o.operator, "--pin-file", o.pinFile,
			"--top", strconv.Itoa(o.top), "--field", o.field, "--exact=" + strconv.FormatBool(o.exact),
		}
		return withFolder(ctx, e, o, command{name: "pinyin", run: pinyin}, args, nil)
	}
	if o.rare {
		return convert(ctx, e, func(line string) []string {
			found := rare.Load().Find(line)
			out := make([]string, 0, o.top)
			for _, c := range found[:min(o.top, len(found))] {
				out = append(out, string(c.Rune))
			}
			return out
		})
	}
	opts := ime.Options{Field: field, Fuzzy: ime.AllFuzzy}
	if o.exact {
		opts.Fuzzy = ime.NoFuzzy
	}
	engine := ime.Load()
	if o.operator != "" {
		s, err := e.login(ctx, o)
		if err != nil {
			return e.fail(err)
		}
		defer e.logout(ctx, s)
		local, err := s.LocalWords()
		if err != nil {
			return e.fail(err)
		}
		opts.Lexicon = engine.Lexicon(local)
	}
	return convert(ctx, e, func(line string) []string { return engine.Convert(line, opts, o.top) })
}

// convert writes a line of candidates for each line of standard input.
func convert(ctx context.Context, e *Env, fn func(line string) []string) int {
	in := bufio.NewScanner(e.In)
	out := bufio.NewWriter(e.Out)
	for in.Scan() {
		line := strings.TrimPrefix(in.Text(), bom)
		fmt.Fprintln(out, strings.Join(fn(line), "\t"))
		if ctx.Err() != nil {
			return e.fail(words.New("cli.interrupted", ctx.Err()))
		}
	}
	if err := in.Err(); err != nil {
		out.Flush()
		return e.fail(words.New("pinyin.input", err))
	}
	if err := out.Flush(); err != nil {
		return e.fail(err)
	}
	return ExitOK
}
