// Package printer brings sheets to paper: thermal printers on a device file, a TCP port or a serial line, and office printers
// by IPP. What a printer says about itself comes back as errors with words for people.
package printer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"bianmin/app/device/escpos"
	"bianmin/offline/paper"
	"bianmin/offline/words"
)

// Kind is how a printer is reached.
type Kind string

// Kinds of printers.
const (
	File   Kind = "file"   // thermal, a device file: /dev/usb/lp0
	TCP    Kind = "tcp"    // thermal, host:9100
	Serial Kind = "serial" // thermal, a serial line: /dev/ttyUSB0
	Office Kind = "ipp"    // sheets of A4, ipp://host:631/printers/name
)

// Kinds are all of them, in the order in which they are offered.
var Kinds = []Kind{File, TCP, Serial, Office}

// Limits of what is typed.
const (
	DefaultPort = "9100" // of thermal printers
	DefaultBaud = 9600   // of serial ones, as they leave the factory
	mostName    = 30     // characters
)

// Bauds are the speeds of serial lines that are offered.
var Bauds = []int{9600, 19200, 38400, 57600, 115200}

// Config says which printer, where and with which paper.
type Config struct {
	ID      string `json:"id"`
	Name    string `json:"name"` // as people call it
	Kind    Kind   `json:"kind"`
	Address string `json:"address"`
	Dots    int    `json:"dots"` // width of the paper: paper.Dots58, paper.Dots80 or paper.DotsA4
	Baud    int    `json:"baud,omitempty"`
}

// Thermal reports whether it prints on a roll.
func (c Config) Thermal() bool { return c.Kind != Office }

// Check completes what was typed and refuses what cannot be right. Errors: print.badAddress, print.badName.
func (c Config) Check() (Config, error) {
	c.Name, c.Address = strings.TrimSpace(c.Name), strings.TrimSpace(c.Address)
	if c.Name == "" || len([]rune(c.Name)) > mostName {
		return c, words.New("print.badName", nil)
	}
	bad := func(cause error) (Config, error) { return c, words.New("print.badAddress."+string(c.Kind), cause) }
	switch c.Kind {
	case File, Serial:
		if c.Address == "" || strings.ContainsAny(c.Address, "\x00\n") {
			return bad(nil)
		}
	case TCP:
		if !strings.Contains(c.Address, ":") || strings.HasSuffix(c.Address, "]") {
			c.Address = net.JoinHostPort(strings.Trim(c.Address, "[]"), DefaultPort)
		}
		if host, port, err := net.SplitHostPort(c.Address); err != nil || host == "" || port == "" {
			return bad(err)
		}
	case Office:
		if u, err := url.Parse(c.Address); err != nil || u.Host == "" || u.Scheme != "ipp" && u.Scheme != "ipps" {
			return bad(err)
		}
		c.Dots = paper.DotsA4
	default:
		return c, words.New("print.badKind", fmt.Errorf("printer: kind %q", c.Kind))
	}
	if c.Thermal() && c.Dots != paper.Dots58 && c.Dots != paper.Dots80 {
		c.Dots = paper.Dots58
	}
	if c.Kind == Serial && c.Baud <= 0 {
		c.Baud = DefaultBaud
	}
	return c, nil
}

// Printer prints one sheet after the other. It is used by one goroutine at a time.
type Printer interface {
	// State asks the printer about itself. An error says why it cannot be asked.
	State(ctx context.Context) (State, error)
	// Print prints one sheet. begin is called once, when the printer has said that it can print, or cannot say; before any
	// ink. An error after that is also ErrStarted: the paper may have come out, in part or whole.
	Print(ctx context.Context, begin func() (*paper.Sheet, error)) error
}

// State is what a printer says.
type State struct {
	Trouble string // translation key; "" when it prints
	Low     bool   // paper, ink or toner nears its end
	Mute    bool   // it says nothing about itself; it may print all the same
}

// ErrStarted is joined to errors that came when printing had begun.
var ErrStarted = errors.New("printer: had begun")

// started joins ErrStarted to an error.
func started(err error) error { return fmt.Errorf("%w: %w", ErrStarted, err) }

// Options of Open. The zero value is for real printers.
type Options struct {
	// Answer is how long a printer may take to answer a question; 0: a second.
	Answer time.Duration
	// Write is how long a band may take until the printer takes it; 0: twenty seconds.
	Write time.Duration
	// Rows is how many rows a thermal printer prints a second; after the last band it is watched for as long as the sheet
	// takes; 0: 500, which is 60 mm a second.
	Rows int
	// Done is how long an office printer may take for a sheet; 0: two minutes.
	Done time.Duration
	// Poll is the pause between two questions; 0: 250 ms.
	Poll time.Duration
}

func (o Options) filled() Options {
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	set(&o.Answer, time.Second)
	set(&o.Write, 20*time.Second)
	set(&o.Done, 2*time.Minute)
	set(&o.Poll, 250*time.Millisecond)
	if o.Rows <= 0 {
		o.Rows = 500
	}
	return o
}

// Open returns the driver of a printer. It reaches the printer only when it is used.
func Open(c Config, o Options) (Printer, error) {
	c, err := c.Check()
	if err != nil {
		return nil, err
	}
	if c.Kind == Office {
		return &office{config: c, o: o.filled()}, nil
	}
	return &thermal{config: c, o: o.filled()}, nil
}

// troubleOf turns a status into an error; nil when the printer prints.
func troubleOf(s escpos.Status) error {
	if key := s.Trouble(); key != "" {
		return words.New(key, nil)
	}
	return nil
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
