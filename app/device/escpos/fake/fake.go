// Package fake is a thermal printer that prints into memory. It speaks what package escpos speaks, over anything that bytes
// go through, and can be out of paper, open, switched offline or without an answer, also in the middle of a paper.
//
// It is strict where real printers are lenient: text, and any command that it does not know, is a fault. So a test that
// finds papers and no faults has seen raster and nothing else.
package fake

import (
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"slices"
	"sync"

	"bianmin/app/device/escpos"
)

// Printer is a simulated printer. Its methods may be called from any goroutine.
type Printer struct {
	dots  int
	press sync.Mutex // held by the line that prints: one paper after the other

	mu     sync.Mutex // guards what follows
	wake   *sync.Cond // something below has changed
	status escpos.Status
	mute   bool // answers nothing, as printers without a way back
	left   int  // rows of paper before it ends; -1: enough
	life   int  // rows before the plug is pulled; -1: it stays in
	rows   [][]byte
	papers []*image.Gray
	faults []error
	closed bool
	asked  int
	ends   []io.Closer
	group  sync.WaitGroup
}

// New returns a printer for paper of a width in dots, with paper in it.
func New(dots int) *Printer {
	p := &Printer{dots: dots, left: -1, life: -1}
	p.wake = sync.NewCond(&p.mu)
	return p
}

// Listen makes the printer reachable at a TCP port of the loopback and returns the address. Close ends it.
func (p *Printer) Listen() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("fake printer: %w", err)
	}
	p.keep(l)
	p.group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			p.Attach(c)
		}
	})
	return l.Addr().String(), nil
}

// Attach connects a line: a connection, or the far end of a pseudo terminal. Lines print one after the other; questions are
// answered on all of them. The printer closes a line when it ends.
func (p *Printer) Attach(line io.ReadWriteCloser) {
	p.keep(line)
	p.group.Go(func() {
		buf := &buffer{p: p}
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.press.Lock()
			defer p.press.Unlock()
			p.parse(buf)
		}()
		p.receive(line, buf)
		<-done
		if err := line.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			p.fault(err)
		}
	})
}

func (p *Printer) keep(c io.Closer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ends = append(p.ends, c)
}

// Close ends the printer and waits for its lines.
func (p *Printer) Close() {
	p.mu.Lock()
	p.closed = true
	ends := p.ends
	p.wake.Broadcast()
	p.mu.Unlock()
	for _, c := range ends {
		_ = c.Close() // it may be closed already
	}
	p.group.Wait()
}

// Set changes what the printer says about itself, and with it whether it prints.
func (p *Printer) Set(s escpos.Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = s
	if !s.PaperOut && p.left == 0 {
		p.left = -1
	}
	p.wake.Broadcast()
}

// Mute makes the printer answer nothing, or answer again.
func (p *Printer) Mute(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute = on
}

// PaperFor leaves paper for so many rows; then the paper is out, in the middle of what is printed.
func (p *Printer) PaperFor(rows int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = rows
	p.status.PaperOut = rows == 0
}

// Unplug pulls the plug after so many rows: nothing more is printed or answered, and nobody tells the line's other end, as
// when a printer in the network loses its power. Negative puts it back in.
func (p *Printer) Unplug(rows int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.life = rows
	p.wake.Broadcast()
}

// Papers returns the papers that were cut, oldest first.
func (p *Printer) Papers() []*image.Gray {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.papers)
}

// Faults returns what no printer would have understood.
func (p *Printer) Faults() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.faults)
}

// Asked returns how many questions were asked.
func (p *Printer) Asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// Wait waits until n papers were cut, or the printer was closed.
func (p *Printer) Wait(n int) []*image.Gray {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.papers) < n && !p.closed {
		p.wake.Wait()
	}
	return slices.Clone(p.papers)
}

func (p *Printer) fault(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, err)
}

// receive takes bytes from the line. As in a real printer, questions are answered as they come in, whatever waits before
// them, and even where the same bytes are part of a picture.
func (p *Printer) receive(line io.ReadWriter, buf *buffer) {
	defer buf.end()
	chunk := make([]byte, 4096)
	var last [2]byte
	for {
		n, err := line.Read(chunk)
		for _, b := range chunk[:n] {
			if last == [2]byte{0x10, 0x04} && b >= 1 && b <= 4 {
				if a, ok := p.answer(escpos.Question(b)); ok {
					if _, err := line.Write([]byte{a}); err != nil {
						return
					}
				}
			}
			last = [2]byte{last[1], b}
		}
		buf.put(chunk[:n])
		if err != nil {
			return
		}
	}
}

func (p *Printer) answer(q escpos.Question) (byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	return p.status.Byte(q), !p.mute && p.life != 0
}

// row prints one row when there is paper and nothing is in the way; before that it waits.
func (p *Printer) row(data []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.closed && (!p.status.Ready() || p.life == 0) {
		p.wake.Wait()
	}
	if p.closed {
		return false
	}
	p.life -= min(1, max(0, p.life))
	p.rows = append(p.rows, slices.Clone(data))
	if p.left > 0 {
		if p.left--; p.left == 0 {
			p.status.PaperOut = true
		}
	}
	return true
}

// cut makes a paper of the rows.
func (p *Printer) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	img := image.NewGray(image.Rect(0, 0, p.dots, len(p.rows)))
	for y, row := range p.rows {
		for x := range p.dots {
			if x/8 >= len(row) || row[x/8]&(0x80>>(x%8)) == 0 {
				img.Pix[y*img.Stride+x] = 0xff
			}
		}
	}
	p.rows = nil
	p.papers = append(p.papers, img)
	p.wake.Broadcast()
}

// Drain waits until every line has ended and what came over it is printed.
func (p *Printer) Drain() { p.group.Wait() }
