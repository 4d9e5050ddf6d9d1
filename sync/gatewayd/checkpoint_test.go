package main

import (
	"os"
	"path/filepath"
)

// checkpoints makes one by command beside the one that serving made by itself, compares with both, and sees that a changed
// one is refused.
func (p *platform) checkpoints() {
	p.t.Helper()
	own, err := checkpoints(filepath.Join(p.dir, checkpointsFolder))
	if err != nil || len(own) != 1 {
		p.t.Fatalf("made by itself: %v, %v", own, err)
	}
	file := filepath.Join(p.t.TempDir(), "today")
	var made struct{ File, Hash string }
	p.call(&made, exitOK, "journal", "checkpoint", "--to", file)
	if made.File != file || len(made.Hash) != 64 {
		p.t.Fatalf("%+v", made)
	}
	p.call(nil, exitOK, "journal", "verify", "--against", file)
	data, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(file, data, 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.call(nil, exitFailed, "journal", "verify", "--against", file)
}
