//go:build nowindow

package main

import "bianmin/app/cli"

// withWindow does nothing: with the tag nowindow the program is the command line alone, static and without cgo, for
// machines of county IT that have no display.
func withWindow(*cli.Env) {}
