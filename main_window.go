//go:build !nowindow

package main

import (
	"context"

	fyneapp "fyne.io/fyne/v2/app"

	"bianmin/app/cli"
	"bianmin/app/desktop"
)

// withWindow lets the command line open the window.
func withWindow(env *cli.Env) {
	env.Hello = func(ctx context.Context) int { return desktop.Hello(ctx, env, fyneapp.NewWithID) }
	env.Kiosk = func(ctx context.Context, dir string, demo bool) int {
		return desktop.Kiosk(ctx, desktop.Options{NewApp: fyneapp.NewWithID, Env: env, Dir: dir, Demo: demo})
	}
	env.Window = func(ctx context.Context, dir string, demo bool) int {
		return desktop.Run(ctx, desktop.Options{NewApp: fyneapp.NewWithID, Env: env, Dir: dir, Demo: demo})
	}
}
