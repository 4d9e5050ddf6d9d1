//go:build nowindow && unix

package main

import (
	"os"
	"syscall"
)

var abort os.Signal = syscall.SIGABRT
