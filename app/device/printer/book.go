package printer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.bug.st/serial"

	"bianmin/offline/durable"
	"bianmin/offline/words"
)

// bookName is the file with the printers of a machine.
const bookName = "printers.json"

// mostPrinters is how many printers a machine may have.
const mostPrinters = 16

// Book is the printers of a machine. It names no person, and can be read while nobody is logged in. Its methods may be called
// from any goroutine.
type Book struct {
	path string // "": in memory only

	mu   sync.Mutex // guards what follows
	page bookPage
}

// bookPage is what the file holds.
type bookPage struct {
	First    string   `json:"first,omitempty"` // the printer that prints unless another one is chosen
	Last     int      `json:"last"`            // number of the newest id
	Printers []Config `json:"printers"`
}

// OpenBook reads the printers of a machine's folder; "" keeps none. A file that cannot be read is an error, and is not
// written over.
func OpenBook(dir string) (*Book, error) {
	b := &Book{}
	if dir == "" {
		return b, nil
	}
	b.path = filepath.Join(dir, bookName)
	raw, err := os.ReadFile(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &b.page)
	}
	if err != nil {
		return nil, words.New("print.bookUnread", fmt.Errorf("printer: %s: %w", b.path, err))
	}
	return b, nil
}

// List returns the printers in the order in which they were added.
func (b *Book) List() []Config {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.page.Printers)
}

// Get returns a printer.
func (b *Book) Get(id string) (Config, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.find(id)
	if i < 0 {
		return Config{}, false
	}
	return b.page.Printers[i], true
}

// First returns the printer that prints unless another one is chosen; false when there is none.
func (b *Book) First() (Config, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := b.find(b.page.First); i >= 0 {
		return b.page.Printers[i], true
	}
	if len(b.page.Printers) == 0 {
		return Config{}, false
	}
	return b.page.Printers[0], true
}

func (b *Book) find(id string) int {
	return slices.IndexFunc(b.page.Printers, func(c Config) bool { return c.ID == id })
}

// Put adds a printer, or changes the one with its id. Errors: those of Config.Check, print.tooMany, print.bookUnwritten.
func (b *Book) Put(c Config) (Config, error) {
	c, err := c.Check()
	if err != nil {
		return c, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.page
	next.Printers = slices.Clone(next.Printers)
	if i := b.find(c.ID); i >= 0 {
		next.Printers[i] = c
	} else {
		if len(next.Printers) >= mostPrinters {
			return c, words.New("print.tooMany", nil)
		}
		next.Last++
		c.ID = "p" + strconv.Itoa(next.Last)
		next.Printers = append(next.Printers, c)
	}
	return c, b.keep(next)
}

// Remove forgets a printer.
func (b *Book) Remove(id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.page
	next.Printers = slices.DeleteFunc(slices.Clone(next.Printers), func(c Config) bool { return c.ID == id })
	return b.keep(next)
}

// SetFirst chooses the printer that prints unless another one is chosen.
func (b *Book) SetFirst(id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.page
	next.First = id
	return b.keep(next)
}

// keep writes the file anew; after a power cut the old or the new one is there. mu is held.
func (b *Book) keep(next bookPage) error {
	if b.path != "" {
		if err := write(b.path, next); err != nil {
			return words.New("print.bookUnwritten", err)
		}
	}
	b.page = next
	return nil
}

func write(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("printer: %w", err)
	}
	if err := durable.WriteFile(path, append(raw, '\n')); err != nil {
		return fmt.Errorf("printer: %w", err)
	}
	return nil
}

// Found lists what is plugged in and may be a printer of a kind: device files, serial lines.
func Found(kind Kind) []string {
	switch kind {
	case File:
		var out []string
		for _, pattern := range []string{"/dev/usb/lp*", "/dev/lp*"} {
			list, err := filepath.Glob(pattern)
			if err == nil { // the patterns are right; an error is for wrong ones only
				out = append(out, list...)
			}
		}
		return out
	case Serial:
		list, err := serial.GetPortsList()
		if err != nil {
			return nil // nothing is found, and the address can be typed
		}
		return slices.DeleteFunc(list, func(name string) bool { return strings.HasPrefix(name, "/dev/ttyS") })
	}
	return nil
}
