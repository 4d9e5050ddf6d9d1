package main

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bianmin/offline/clocks"
	"bianmin/sync/gateway"
)

const (
	checkpointsFolder = "checkpoints"
	checkpointEvery   = 24 * time.Hour
	checkpointLook    = time.Hour
	checkpointsKept   = 400
	checkpointEnd     = ".checkpoint"
)

// checkpoints lists the files of a folder, oldest first; none when there is no such folder.
func checkpoints(dir string) ([]string, error) {
	list, err := filepath.Glob(filepath.Join(dir, "*"+checkpointEnd))
	if err != nil {
		return nil, fmt.Errorf("checkpoints: %w", err)
	}
	slices.Sort(list)
	return list, nil
}

// writeCheckpoint puts a new one into a file, or into the gateway's folder when path is "". It returns where it lies and
// what may be printed of it.
func (t *tool) writeCheckpoint(ctx context.Context, g *gateway.Gateway, path string) (string, string, error) {
	if path == "" {
		dir := filepath.Join(t.dir, checkpointsFolder)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", "", fmt.Errorf("checkpoint: %w", err)
		}
		path = filepath.Join(dir, clocks.System().Now().UTC().Format("20060102T150405.000")+checkpointEnd)
	}
	hash, err := g.WriteCheckpoint(ctx, path)
	return path, hash.String(), err
}

// keepCheckpoints writes one a day while the gateway serves; the oldest ones go. What fails is logged, and tried again.
func (t *tool) keepCheckpoints(ctx context.Context, g *gateway.Gateway) error {
	tick := time.NewTicker(checkpointLook)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			t.checkpointDue(ctx, g)
		case <-ctx.Done():
			return nil
		}
	}
}

// checkpointDue writes one when the last is a day old.
func (t *tool) checkpointDue(ctx context.Context, g *gateway.Gateway) {
	if err := t.dailyCheckpoint(ctx, g); err != nil && ctx.Err() == nil {
		slog.New(slog.NewTextHandler(t.err, nil)).ErrorContext(ctx, "checkpoint", slog.Any("cause", err))
	}
}

func (t *tool) dailyCheckpoint(ctx context.Context, g *gateway.Gateway) error {
	list, err := checkpoints(filepath.Join(t.dir, checkpointsFolder))
	if err != nil {
		return err
	}
	if len(list) > 0 {
		info, err := os.Stat(list[len(list)-1])
		if err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
		if age := clocks.System().Now().Sub(info.ModTime()); age >= 0 && age < checkpointEvery {
			return nil
		}
	}
	if _, _, err := t.writeCheckpoint(ctx, g, ""); err != nil {
		return err
	}
	for len(list) >= checkpointsKept {
		if err := os.Remove(list[0]); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
		list = list[1:]
	}
	return nil
}

// against reads the checkpoints to verify with: those that are named, and the newest of the gateway's own.
func (t *tool) against(g *gateway.Gateway, named string) ([]gateway.Checkpoint, error) {
	own, err := checkpoints(filepath.Join(t.dir, checkpointsFolder))
	if err != nil {
		return nil, err
	}
	paths := own[max(0, len(own)-1):]
	if named != "" {
		paths = append(paths, strings.Split(named, ",")...)
	}
	var out []gateway.Checkpoint
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("checkpoint: %w", err)
		}
		c, err := g.OpenCheckpoint(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		out = append(out, c)
	}
	return out, nil
}

func runJournalCheckpoint(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	to := fs.String("to", "", "写到哪个文件 / file to write to (the gateway's folder)")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		path, hash, err := t.writeCheckpoint(ctx, g, *to)
		if err != nil {
			return err
		}
		return t.print(map[string]any{"file": path, "hash": hash}, func(w io.Writer) {
			fmt.Fprintf(w, "%s\n%s\n", path, spaced(hash))
		})
	})
}

// spaced writes a hash in groups, as it is read from paper.
func spaced(hash string) string {
	if _, err := hex.DecodeString(hash); err != nil {
		return hash
	}
	var out []string
	for len(hash) > 8 {
		out, hash = append(out, hash[:8]), hash[8:]
	}
	return strings.Join(append(out, hash), " ")
}
