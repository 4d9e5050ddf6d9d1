package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"bianmin/offline/casefile"
	"bianmin/sync/gateway"
)

// runErasures lists what stations have erased and the county still holds.
func runErasures(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		list, err := g.ErasuresAsked(ctx)
		if err != nil {
			return err
		}
		return t.print(list, func(w io.Writer) {
			for _, a := range list {
				what := a.Period
				if what == "" {
					what = t.say("个人删除", "a person's erasure")
				}
				fmt.Fprintf(w, "device %d\t%s\t%s\t%s\n", a.Device, what, a.Reason, strings.Join(a.Cases, " "))
			}
		})
	})
}

// runCaseErase does the county's part of an erasure.
func runCaseErase(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	yes := fs.Bool("yes", false, "确认；删除后无法恢复 / sure; it cannot be undone")
	words, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	if !*yes {
		return usage("erase.confirm")
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		c, err := g.Erase(ctx, words[0])
		if err != nil {
			return err
		}
		return t.print(lineOf(c), func(w io.Writer) {
			fmt.Fprintf(w, t.say("%s 已删除\n", "%s is erased\n"), casefile.Number(c.Device, c.Seq))
		})
	})
}
