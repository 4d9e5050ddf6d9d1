package printer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"go.bug.st/serial"

	"bianmin/app/device/escpos"
	"bianmin/offline/words"
)

// line is an open way to a thermal printer.
type line struct {
	out  io.WriteCloser
	in   chan byte // what came back; nil when nothing can
	done chan struct{}
	o    Options
	mute bool // its first question was not answered: no more are asked
	knew bool // it has answered before
}

// connect opens the way to a printer.
func connect(ctx context.Context, c Config, o Options) (*line, error) {
	l := &line{o: o, done: make(chan struct{})}
	var in io.Reader
	switch c.Kind {
	case TCP:
		d := net.Dialer{Timeout: 5 * time.Second}
		conn, err := d.DialContext(ctx, "tcp", c.Address)
		if err != nil {
			return nil, words.New("print.unreachable", err)
		}
		l.out, in = conn, conn
	case Serial:
		port, err := serial.Open(c.Address, &serial.Mode{BaudRate: c.Baud})
		if err != nil {
			return nil, deviceError(err)
		}
		l.out, in = drained{port}, port
	default:
		f, back, err := openDevice(c.Address)
		if err != nil {
			return nil, err
		}
		l.out = f
		if back {
			in = f
		}
	}
	if in == nil {
		l.mute = true
		return l, nil
	}
	l.in = make(chan byte, 64)
	go l.read(in)
	return l, nil
}

// drained is a serial line on which a write returns when the bytes have left: so the printer's small memory never overflows.
type drained struct{ serial.Port }

// Write sends and waits until all is sent. The library gives up when a signal comes in between; that is no reason to.
func (d drained) Write(p []byte) (int, error) {
	for sent := 0; sent < len(p); {
		n, err := d.Port.Write(p[sent:])
		sent += max(0, n)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return sent, err
		}
	}
	for {
		if err := d.Drain(); !errors.Is(err, syscall.EINTR) {
			return len(p), err
		}
	}
}

// openDevice opens a device file. back reports whether the device can answer: a plain file takes what is printed and says
// nothing.
func openDevice(path string) (f *os.File, back bool, err error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, false, deviceError(err)
	}
	switch mode := st.Mode(); {
	case mode.IsRegular():
		f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	case mode&os.ModeCharDevice != 0:
		back = true
		if f, err = os.OpenFile(path, os.O_RDWR, 0); err != nil { // some printers only take
			back = false
			f, err = os.OpenFile(path, os.O_WRONLY, 0)
		}
	default:
		err = fmt.Errorf("printer: %s is %s", path, mode)
	}
	if err != nil {
		return nil, false, deviceError(err)
	}
	return f, back, nil
}

// deviceError says in words why a device did not open.
func deviceError(err error) error {
	var p *serial.PortError
	switch {
	case errors.Is(err, os.ErrPermission), errors.As(err, &p) && p.Code() == serial.PermissionDenied:
		return words.New("print.noPermission", err)
	case errors.Is(err, os.ErrNotExist), errors.As(err, &p) && p.Code() == serial.PortNotFound:
		return words.New("print.unplugged", err)
	case errors.As(err, &p) && p.Code() == serial.PortBusy:
		return words.New("print.taken", err)
	}
	return words.New("print.unreachable", err)
}

// read takes what the printer says until the line is closed.
func (l *line) read(in io.Reader) {
	defer close(l.in)
	buf := make([]byte, 64)
	for {
		n, err := in.Read(buf)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		for _, b := range buf[:max(0, n)] {
			select {
			case l.in <- b:
			case <-l.done:
				return
			}
		}
		if err != nil || n <= 0 {
			return
		}
	}
}

// Close closes the line.
func (l *line) Close() error {
	close(l.done)
	return l.out.Close()
}

// send writes, and gives up when the printer takes nothing any more.
func (l *line) send(ctx context.Context, data []byte) error {
	sent := make(chan error, 1)
	go func() { // ends with the line at the latest
		_, err := l.out.Write(data)
		sent <- err
	}()
	t := time.NewTimer(l.o.Write)
	defer t.Stop()
	select {
	case err := <-sent:
		if err != nil {
			return words.New("print.broke", err)
		}
		return nil
	case <-t.C:
		return words.New("print.stuck", nil)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// status asks all questions. known is false when the printer does not answer.
func (l *line) status(ctx context.Context) (s escpos.Status, known bool, err error) {
	if l.mute {
		return s, false, nil
	}
	for _, q := range escpos.Questions {
		l.drain()
		if err := l.send(ctx, escpos.Ask(q)); err != nil {
			return s, false, err
		}
		answered, err := l.answer(ctx, &s, q)
		if err != nil {
			return s, false, err
		}
		if !answered {
			l.mute = !l.knew // it may be busy, or gone
			return s, false, nil
		}
	}
	l.knew = true
	return s, true, nil
}

// drain forgets what came without a question: answers to bytes of a picture that look like one.
func (l *line) drain() {
	for {
		select {
		case _, ok := <-l.in:
			if !ok {
				return
			}
		default:
			return
		}
	}
}

// answer waits for the answer to a question.
func (l *line) answer(ctx context.Context, s *escpos.Status, q escpos.Question) (bool, error) {
	t := time.NewTimer(l.o.Answer)
	defer t.Stop()
	for {
		select {
		case b, ok := <-l.in:
			if !ok {
				return false, nil
			}
			if s.Read(q, b) {
				return true, nil
			}
		case <-t.C:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}
