//go:build test

// Command fill makes the demo machine in a folder one of a large town, for measuring: the sample county gets a roster of
// 100,000 persons, the machine 20,000 cases. The demo must have been started there once, and must not be running. It is part of no
// build for a station.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"bianmin/app/demo"
	"bianmin/assets/county"
	"bianmin/offline/desk"
	"bianmin/offline/journal"
	"bianmin/offline/receipt"
	"bianmin/offline/store"
	"bianmin/offline/vault"
	"bianmin/packaging/corpus"
)

const (
	operator = "wang"
	together = 500 // cases of one transaction
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "fill:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	data := flag.String("data", "", "folder of the demo")
	gateway := flag.String("gateway", "", "the gateway program")
	persons := flag.Int("persons", 100_000, "persons of the roster")
	cases := flag.Int("cases", 20_000, "cases of the machine")
	flag.Parse()
	d, err := desk.Open(desk.Config{Dir: *data, Suite: vault.SM(nil)})
	if err != nil {
		return err
	}
	defer d.Close()
	s, err := d.Login(ctx, operator, demo.PINs()[operator])
	if err != nil {
		return err
	}
	division, key := d.Station().Division, d.Ring().DeviceKey()
	g := corpus.NewCases(1)
	for left := *cases; left > 0; left -= together {
		acts := make([]store.Act, min(together, left))
		for i := range acts {
			body := g.Next()
			body.Service, body.Division = "gaoling", division
			acts[i] = store.Act{Operator: operator, Kind: journal.KindCaseSubmitted, Body: body, Receipt: func(rec journal.Record) ([]byte, error) {
				return receipt.Sign(key, receipt.OfCase(rec.Header, body).Payload())
			}}
		}
		if err := d.Store().Bulk(ctx, acts); err != nil {
			return err
		}
	}
	if err := s.Close(ctx); err != nil {
		return err
	}
	folder, err := corpus.County(county.FS(), corpus.Roster(1, *persons, division))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bianmin-county-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, folder); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, *gateway, "pack", "publish", dir, "--data", filepath.Join(*data, "county"))
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}
