//go:build nowindow && !unix

package main

import "os"

var abort = os.Kill
