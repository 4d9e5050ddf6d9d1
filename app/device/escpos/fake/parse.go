package fake

import (
	"errors"
	"fmt"
	"io"
)

// buffer holds what came in and is not printed yet.
type buffer struct {
	p     *Printer // its mutex guards what follows, and its condition says that something came
	data  []byte
	ended bool
}

func (b *buffer) put(data []byte) {
	b.p.mu.Lock()
	defer b.p.mu.Unlock()
	b.data = append(b.data, data...)
	b.p.wake.Broadcast()
}

func (b *buffer) end() {
	b.p.mu.Lock()
	defer b.p.mu.Unlock()
	b.ended = true
	b.p.wake.Broadcast()
}

// take waits for n bytes. io.EOF: the line ended before the first of them; io.ErrUnexpectedEOF: in the middle.
func (b *buffer) take(n int) ([]byte, error) {
	b.p.mu.Lock()
	defer b.p.mu.Unlock()
	for len(b.data) < n && !b.ended && !b.p.closed {
		b.p.wake.Wait()
	}
	if len(b.data) < n {
		if len(b.data) == 0 {
			return nil, io.EOF
		}
		return nil, io.ErrUnexpectedEOF
	}
	out := b.data[:n:n]
	b.data = b.data[n:]
	return out, nil
}

// parse prints what comes in until the line ends. After a fault it reads on to the end without printing: nobody knows where
// the next command begins.
func (p *Printer) parse(buf *buffer) {
	for {
		err := p.command(buf)
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			p.fault(err)
			for err == nil || !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				_, err = buf.take(1)
			}
			return
		}
	}
}

// command reads one command and does it. io.EOF: there is none.
func (p *Printer) command(buf *buffer) error {
	head, err := buf.take(1)
	if err != nil {
		return err
	}
	more := func(n int) ([]byte, error) {
		b, err := buf.take(n)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return b, err
	}
	switch head[0] {
	case 0x10: // DLE EOT n, answered when it came in
		b, err := more(2)
		if err != nil {
			return fmt.Errorf("DLE: %w", err)
		}
		if b[0] != 0x04 || b[1] < 1 || b[1] > 4 {
			return fmt.Errorf("unknown command 10 %02x %02x", b[0], b[1])
		}
		return nil
	case 0x1b: // ESC @
		b, err := more(1)
		if err != nil {
			return fmt.Errorf("ESC: %w", err)
		}
		if b[0] != '@' {
			return fmt.Errorf("unknown command 1b %02x", b[0])
		}
		return nil
	case 0x1d:
		b, err := more(1)
		if err != nil {
			return fmt.Errorf("GS: %w", err)
		}
		switch b[0] {
		case 'V':
			if b, err = more(2); err != nil {
				return fmt.Errorf("GS V: %w", err)
			}
			if b[0] != 66 {
				return fmt.Errorf("unknown cut 1d 56 %02x %02x", b[0], b[1])
			}
			p.cut()
			return nil
		case 'v':
			return p.raster(more)
		}
		return fmt.Errorf("unknown command 1d %02x", b[0])
	}
	return fmt.Errorf("byte %02x is no command: text mode is not used", head[0])
}

// raster prints GS v 0.
func (p *Printer) raster(more func(int) ([]byte, error)) error {
	b, err := more(6)
	if err != nil {
		return fmt.Errorf("GS v: %w", err)
	}
	if b[0] != '0' || b[1] != 0 {
		return fmt.Errorf("unknown raster 1d 76 %02x %02x", b[0], b[1])
	}
	across, rows := int(b[2])|int(b[3])<<8, int(b[4])|int(b[5])<<8
	if across == 0 || rows == 0 || across*8 > p.dots {
		return fmt.Errorf("raster of %d by %d dots on paper of %d", across*8, rows, p.dots)
	}
	for range rows {
		row, err := more(across)
		if err != nil {
			return fmt.Errorf("raster row: %w", err)
		}
		if !p.row(row) {
			return io.EOF
		}
	}
	return nil
}
