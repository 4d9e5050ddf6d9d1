// Bianmin (便民) takes in public-service cases at the last counter of the state, where the network fails and nothing may
// be lost. This file only wires the parts together; docs/ARCHITECTURE.md says which part does what.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"bianmin/app/cli"
	"bianmin/assets/translations"
	"bianmin/offline/private"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := private.NoDumps(); err != nil {
		fmt.Fprintln(os.Stderr, err) // a machine that forbids this still has to take in cases
	}
	texts, err := translations.Load()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return cli.ExitFailed
	}
	env, err := cli.NewEnv(texts)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return cli.ExitFailed
	}
	defer env.Close()
	withWindow(env)
	return cli.Main(ctx, os.Args[1:], env)
}
