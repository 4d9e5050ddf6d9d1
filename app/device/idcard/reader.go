// Package idcard reads ID cards with a reader of the public serial protocol, as every reader with a security module of the
// police speaks it: find a card, select it, read it. It asks for text and photo only, keeps neither photo nor fingerprints,
// and writes nothing of a card anywhere.
//
// [Sim] is a reader in software that speaks the same frames, with the faults that real ones have; [OpenPTY] gives it a
// serial line.
package idcard

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"go.bug.st/serial"

	"bianmin/offline/words"
)

// Errors that callers branch on. Each has words for the person at the counter.
var (
	// ErrNoReader reports a port that cannot be opened, or a reader that does not answer.
	ErrNoReader = words.New("idcard.noReader", nil)
	// ErrNoCard reports that no card lies on the reader.
	ErrNoCard = words.New("idcard.noCard", nil)
	// ErrMoved reports a card that was taken away while it was read.
	ErrMoved = words.New("idcard.moved", nil)
	// ErrForeign reports a card that is no ID card, or one that the reader refuses.
	ErrForeign = words.New("idcard.foreign", nil)
	// ErrModule reports a reader whose security module is faulty or not authorised.
	ErrModule = words.New("idcard.module", nil)
	// ErrLine reports answers that stay garbled: a bad cable, another device on the port.
	ErrLine = words.New("idcard.line", nil)

	errDate  = errors.New("not YYYYMMDD")
	errEmpty = errors.New("idcard: name or number is empty")
	errBirth = errors.New("idcard: number and birth date differ")
)

// Reader reads cards. Its methods may be called from any goroutine, one after the other.
type Reader interface {
	// Read reads the card that lies on the reader.
	Read(ctx context.Context) (Card, error)
	// Test asks the reader for its own state; nil when it is ready.
	Test(ctx context.Context) error
	Close() error
}

// Port is a serial line. Read returns no bytes and no error when nothing came within the time set.
type Port interface {
	io.ReadWriteCloser
	SetReadTimeout(d time.Duration) error
}

// How long things take. A card is read in a second; a line that is silent for two is dead.
const (
	baud     = 115200
	poll     = 20 * time.Millisecond
	silence  = 2 * time.Second
	attempts = 3
)

// Config of a reader.
type Config struct {
	// Silence is how long an answer may take; 0 is two seconds.
	Silence time.Duration
}

// Open opens the reader at a serial port such as /dev/ttyUSB0 or COM3: 115200 baud, 8 bits, no parity, one stop bit.
func Open(name string, cfg Config) (*Serial, error) {
	p, err := serial.Open(name, &serial.Mode{BaudRate: baud, DataBits: 8, Parity: serial.NoParity, StopBits: serial.OneStopBit})
	if err != nil {
		return nil, words.New(ErrNoReader.Key, err)
	}
	return New(p, cfg)
}

// New returns a reader on an open line.
func New(p Port, cfg Config) (*Serial, error) {
	if cfg.Silence <= 0 {
		cfg.Silence = silence
	}
	if err := p.SetReadTimeout(poll); err != nil {
		return nil, words.New(ErrNoReader.Key, errors.Join(err, p.Close()))
	}
	return &Serial{port: p, cfg: cfg}, nil
}

// Serial is a reader on a serial line.
type Serial struct {
	mu   sync.Mutex // one command at a time
	port Port
	cfg  Config
	in   splitter
}

var _ Reader = (*Serial)(nil)

// Close frees the port.
func (s *Serial) Close() error { return s.port.Close() }

// Test implements [Reader].
func (s *Serial) Test(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sw, _, err := s.ask(ctx, cmdStatus)
	if err != nil {
		return err
	}
	if sw != swDone {
		return words.New(ErrModule.Key, statusError(sw))
	}
	return nil
}

// Read implements [Reader].
func (s *Serial) Read(ctx context.Context) (Card, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var moved error
	for range attempts {
		c, err := s.read(ctx)
		switch {
		case errors.Is(err, ErrMoved): // a card that trembles is found again at once
			moved = err
			continue
		case errors.Is(err, ErrNoCard) && moved != nil:
			return Card{}, moved
		}
		return c, err
	}
	return Card{}, moved
}

func (s *Serial) read(ctx context.Context) (Card, error) {
	sw, _, err := s.ask(ctx, cmdFind)
	switch {
	case err != nil:
		return Card{}, err
	case sw != swFound && sw != swNotFound:
		return Card{}, words.New(fault(sw).Key, statusError(sw))
	}
	// A card that was read and still lies there is not found a second time, but can be selected.
	found := sw == swFound
	sw, _, err = s.ask(ctx, cmdSelect)
	switch {
	case err != nil:
		return Card{}, err
	case sw == swNotSelected && !found:
		return Card{}, ErrNoCard
	case sw != swDone:
		return Card{}, words.New(fault(sw).Key, statusError(sw))
	}
	sw, data, err := s.ask(ctx, cmdRead)
	switch {
	case err != nil:
		return Card{}, err
	case sw != swDone && !found:
		return Card{}, ErrNoCard // selected by a reader that says so of an empty plate, too
	case sw != swDone:
		return Card{}, words.New(fault(sw).Key, statusError(sw))
	}
	return parts(data)
}

// parts takes the data of a read apart: the sizes of text, photo and, in the long form, fingerprints; then these.
func parts(data []byte) (Card, error) {
	bad := func() (Card, error) { return Card{}, words.New(ErrLine.Key, errShort) }
	if len(data) < 4 {
		return bad()
	}
	text, photo, finger, head := int(binary.BigEndian.Uint16(data)), int(binary.BigEndian.Uint16(data[2:])), 0, 4
	if len(data) != head+text+photo {
		if len(data) < 6 {
			return bad()
		}
		finger, head = int(binary.BigEndian.Uint16(data[4:])), 6
		if len(data) != head+text+photo+finger {
			return bad()
		}
	}
	c, err := parse(data[head : head+text])
	if err != nil {
		return Card{}, err
	}
	c.Photo = data[head+text : head+text+photo]
	c.Finger = data[head+text+photo:]
	return c, nil
}

// ask sends a command and waits for its answer; a garbled or missing answer is asked for again.
func (s *Serial) ask(ctx context.Context, cmd uint16) (sw byte, data []byte, err error) {
	garbled := false
	for range attempts {
		if err := s.send(command(cmd)); err != nil {
			return 0, nil, err
		}
		body, err := s.receive(ctx)
		switch {
		case errors.Is(err, errChecksum) || errors.Is(err, errLength):
			garbled = true
			continue
		case errors.Is(err, errSilent):
			garbled = garbled || len(s.in.held) > 0
			continue
		case err != nil:
			return 0, nil, err
		case len(body) < statusSize:
			garbled = true
			continue
		case body[2] == swChecksum || body[2] == swLength: // what the reader got was garbled
			garbled = true
			continue
		}
		return body[2], body[statusSize:], nil
	}
	if garbled {
		return 0, nil, ErrLine
	}
	return 0, nil, words.New(ErrNoReader.Key, errSilent)
}

func (s *Serial) send(b []byte) error {
	s.drain()
	if _, err := s.port.Write(b); err != nil {
		return words.New(ErrNoReader.Key, err)
	}
	return nil
}

// drain throws away what still comes of an answer that was given up, so that it is not taken for the next one's.
func (s *Serial) drain() {
	buf := make([]byte, 512)
	for range mostLength / len(buf) {
		if r, ok := s.port.(interface{ ResetInputBuffer() error }); ok && r.ResetInputBuffer() == nil {
			break
		}
		if n, err := s.port.Read(buf); n == 0 || err != nil {
			break
		}
	}
	s.in = splitter{}
}

var errSilent = errors.New("idcard: no answer in time")

// receive waits for one frame. The time begins anew with each byte: a slow line is not a dead one.
func (s *Serial) receive(ctx context.Context) ([]byte, error) {
	buf := make([]byte, 512)
	var bad error
	for quiet := time.Duration(0); quiet < s.cfg.Silence; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := s.port.Read(buf)
		if err != nil {
			return nil, words.New(ErrNoReader.Key, err)
		}
		if n == 0 {
			if quiet += poll; bad != nil && quiet >= 5*poll {
				return nil, bad
			}
			continue
		}
		quiet = 0
		s.in.add(buf[:n])
		if len(s.in.held) > 2*mostLength {
			return nil, errLength
		}
		for { // behind what is no frame there may be one
			body, err := s.in.next()
			if body != nil {
				return body, nil
			}
			if err == nil {
				break
			}
			bad = err
		}
	}
	return nil, errSilent
}

// fault names what a status means for the person at the counter.
func fault(sw byte) *words.Error {
	switch sw {
	case swNotFound:
		return ErrNoCard
	case swNotSelected, swReadFailed, swRandom, swVerify, swNothing:
		return ErrMoved
	case swCardRefuses, swModRefuses, swKind:
		return ErrForeign
	case swSelfTest, swNoLicence, swForbidden:
		return ErrModule
	case swCommand, swUnknown:
		return ErrLine
	}
	return ErrLine
}

type statusError byte

// Error implements error.
func (e statusError) Error() string { return fmt.Sprintf("idcard: status %02X", byte(e)) }
