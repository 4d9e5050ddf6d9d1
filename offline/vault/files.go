package vault

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"bianmin/offline/durable"
)

// maxPairBytes bounds a key or tries file before it is read: 256 operators and a century of periods stay below it.
const maxPairBytes = 1 << 20

// copies are the suffixes under which a small file is kept twice.
var copies = [2]string{".a", ".b"}

// writeDurable puts data at path so that a crash leaves the old file or the new one, never half of either:
// temp, fsync, rename, fsync of the directory.
func writeDurable(path string, data []byte) (err error) {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("vault: create %s: %w", filepath.Base(tmp), err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("vault: write %s: %w", filepath.Base(path), err), removeIfThere(tmp))
	}
	return durable.SyncDir(filepath.Dir(path))
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("vault: remove %s: %w", filepath.Base(path), err)
	}
	return nil
}

// writePair writes both copies of a small file, one after the other, so that one of them is sound at any moment.
func writePair(dir, name string, data []byte) error {
	for _, c := range copies {
		if err := writeDurable(filepath.Join(dir, name+c), data); err != nil {
			return err
		}
	}
	return nil
}

// pair is what readPair found.
type pair struct {
	data    []byte   // bytes of the newest sound copy; nil when there is none
	version uint64   // its counter
	damaged []string // copies that exist or should exist and are not sound
	stale   bool     // a sound copy is older than the newest
	missing int      // copies that are not there
	errs    []error  // why copies are not sound
}

// readPair reads both copies and picks the newest that check accepts. Check returns the copy's version counter.
func readPair(dir, name string, check func([]byte) (uint64, error)) pair {
	var p pair
	for _, c := range copies {
		data, err := readSmall(filepath.Join(dir, name+c))
		if errors.Is(err, fs.ErrNotExist) {
			p.missing++
		}
		var v uint64
		if err == nil {
			v, err = check(data)
		}
		switch {
		case err != nil:
			p.damaged = append(p.damaged, name+c)
			p.errs = append(p.errs, fmt.Errorf("%s: %w", name+c, err))
		case p.data == nil:
			p.data, p.version = data, v
		default:
			p.stale = v != p.version
			if v > p.version {
				p.data, p.version = data, v
			}
		}
	}
	return p
}

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("vault: read: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxPairBytes+1))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, fmt.Errorf("vault: read: %w", err)
	}
	if len(data) > maxPairBytes {
		return nil, fmt.Errorf("vault: file of more than %d bytes", maxPairBytes)
	}
	return data, nil
}
