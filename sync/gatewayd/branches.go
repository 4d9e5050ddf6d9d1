package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"bianmin/sync/gateway"
)

func runJournalBranches(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	device := fs.Uint("device", 0, "设备号，默认全部 / device number (all)")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		list, err := g.Branches(ctx, uint32(*device))
		if err != nil {
			return err
		}
		return t.print(list, func(w io.Writer) {
			if len(list) == 0 {
				fmt.Fprintln(w, t.say("没有分叉的日志", "no journal forked"))
			}
			for _, b := range list {
				t.branchText(w, b)
			}
		})
	})
}

func (t *tool) branchText(w io.Writer, b gateway.Branch) {
	if b.Device == 0 {
		fmt.Fprintf(w, t.say("设备 %d 的日志已分叉，尚无设备接续；留作证据的数据包 %d 个\n",
			"the journal of device %d forked, and nobody goes on with the branch yet; %d packets kept as evidence\n"), b.Former, b.Evidence)
		return
	}
	if b.Replaces {
		fmt.Fprintf(w, t.say("设备 %d 由设备 %d 接替（%s），平台记录到第 %d 条\n", "device %d was replaced by device %d (%s); the platform held its records up to %d\n"), b.Former, b.Device, b.At, b.To)
		return
	}
	fmt.Fprintf(w, t.say("设备 %d 的日志在第 %d 条之后分叉，由设备 %d 接续（%s），", "the journal of device %d forked after record %d; device %d goes on with the branch (%s), "),
		b.Former, b.To, b.Device, b.At)
	if b.Carried == 0 {
		fmt.Fprint(w, t.say("分支记录尚未送达；", "whose records have not arrived yet; "))
	} else {
		fmt.Fprintf(w, t.say("分支记录 %d 至 %d 共 %d 条已送达；", "whose records %d to %d, %d in all, arrived; "), b.From, b.Last, b.Carried)
	}
	fmt.Fprintf(w, t.say("留作证据的数据包 %d 个\n", "%d packets kept as evidence\n"), b.Evidence)
}
