// Package control lets the command line reach a machine folder that another process already holds.
//
// bbolt is never opened twice. The process that holds the folder listens on a Unix socket inside it; every other
// start of the program sends its command line there, and gets back what the command prints and its exit code. A start
// without a command asks the window to come to the front.
//
// One connection carries one command. Both directions are JSON objects, one after the other: the caller sends [Call],
// then [Input] pieces; the holder answers with [Output] pieces, the last of which has Done set.
package control

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"bianmin/offline/vault"
)

// Call is a command line sent to the process that holds the folder.
type Call struct {
	Args []string `json:"args"` // without the program's name
	Dir  string   `json:"dir"`  // the caller's working folder, for relative paths
	Lang string   `json:"lang"` // language of the answer
}

// Input is a piece of the caller's standard input.
type Input struct {
	Data []byte `json:"data,omitempty"`
	EOF  bool   `json:"eof,omitempty"`
}

// Output is a piece of what the command prints, or its end.
type Output struct {
	Out  []byte `json:"out,omitempty"`
	Err  []byte `json:"err,omitempty"`
	Done bool   `json:"done,omitempty"`
	Code int    `json:"code,omitempty"`
}

// Handler runs one command. It may be called from several goroutines at a time.
type Handler func(ctx context.Context, c Call, in io.Reader, out, errs io.Writer) (code int)

// ErrNobody reports that no process holds the folder.
var ErrNobody = errors.New("control: nobody holds the folder")

const dialWait = 2 * time.Second

// socketPath returns the socket of a machine folder. Paths of Unix sockets are short, so a long folder name moves it
// to the user's run-time folder.
func socketPath(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("control: %w", err)
	}
	p := filepath.Join(abs, "run.sock")
	if len(p) < 100 {
		return p, nil
	}
	base := os.Getenv("XDG_RUNTIME_DIR")
	if base == "" {
		base = os.TempDir()
	}
	h := vault.SM(nil).Hash([]byte(abs))
	return filepath.Join(base, "bianmin-"+hex.EncodeToString(h[:8])+".sock"), nil
}

// Listen takes the folder's socket. The caller must already hold the folder: a socket left by a dead process is
// removed.
func Listen(dir string) (net.Listener, error) {
	p, err := socketPath(dir)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control: old socket: %w", err)
	}
	l, err := net.Listen("unix", p)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	if err := os.Chmod(p, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("control: %w", err)
	}
	return l, nil
}

// Serve answers calls until ctx ends, then waits for those under way.
func Serve(ctx context.Context, l net.Listener, h Handler) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		<-ctx.Done()
		l.Close()
		return nil
	})
	g.Go(func() error {
		for {
			c, err := l.Accept()
			if err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return fmt.Errorf("control: accept: %w", err)
			}
			g.Go(func() error {
				serveOne(ctx, c, h)
				return nil
			})
		}
	})
	return g.Wait()
}

func serveOne(ctx context.Context, c net.Conn, h Handler) {
	defer c.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	dec := newReader(c)
	var call Call
	if err := dec.read(&call); err != nil {
		return
	}
	pr, pw := io.Pipe()
	var fed sync.WaitGroup
	fed.Go(func() {
		for {
			var in Input
			if err := dec.read(&in); err != nil {
				pw.CloseWithError(io.ErrUnexpectedEOF)
				cancel() // the caller is gone
				return
			}
			if in.EOF {
				pw.Close()
				continue
			}
			if _, err := pw.Write(in.Data); err != nil {
				continue // the command reads no more; go on watching for the caller
			}
		}
	})
	s := &sender{enc: json.NewEncoder(c)}
	code := h(ctx, call, pr, s.writer(false), s.writer(true))
	pr.Close()
	s.send(Output{Done: true, Code: code})
	c.Close()
	fed.Wait()
}

// sender serialises output pieces onto one connection.
type sender struct {
	mu  sync.Mutex // guards enc
	enc *json.Encoder
}

func (s *sender) send(o Output) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enc.Encode(o)
}

// maxMessage bounds one JSON object on the socket, in bytes. Pieces of input and output are far shorter.
const (
	maxMessage = 1 << 20
	piece      = 32 << 10
)

// errTooLong reports a message over the limit: whoever sends it is not this program.
var errTooLong = errors.New("control: message too long")

// reader reads JSON objects, none of them longer than maxMessage.
type reader struct {
	r    io.Reader
	dec  *json.Decoder
	left int
}

func newReader(r io.Reader) *reader {
	m := &reader{r: r}
	m.dec = json.NewDecoder(m)
	return m
}

func (m *reader) read(v any) error {
	m.left = maxMessage
	return m.dec.Decode(v)
}

// Read implements io.Reader for the decoder.
func (m *reader) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errTooLong
	}
	n, err := m.r.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func (s *sender) writer(errs bool) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		for at := 0; at < len(p); at += piece {
			part := p[at:min(at+piece, len(p))]
			o := Output{Out: part}
			if errs {
				o = Output{Err: part}
			}
			if err := s.send(o); err != nil {
				return at, err
			}
		}
		return len(p), nil
	})
}

// Do sends a command to the process that holds dir and copies what it prints. ErrNobody when there is none.
func Do(ctx context.Context, dir string, call Call, in io.Reader, out, errs io.Writer) (int, error) {
	p, err := socketPath(dir)
	if err != nil {
		return 0, err
	}
	d := net.Dialer{Timeout: dialWait}
	c, err := d.DialContext(ctx, "unix", p)
	if err != nil {
		return 0, ErrNobody
	}
	defer c.Close()
	enc := json.NewEncoder(c)
	if err := enc.Encode(call); err != nil {
		return 0, fmt.Errorf("control: send command: %w", err)
	}
	go feed(enc, in) // ends with the connection, or stays in a read of the caller's own standard input
	dec := newReader(c)
	for {
		var o Output
		if err := dec.read(&o); err != nil {
			return 0, fmt.Errorf("control: the program that holds the folder ended: %w", err)
		}
		if o.Done {
			return o.Code, nil
		}
		if _, err := out.Write(o.Out); err != nil {
			return 0, fmt.Errorf("control: %w", err)
		}
		if _, err := errs.Write(o.Err); err != nil {
			return 0, fmt.Errorf("control: %w", err)
		}
	}
}

func feed(enc *json.Encoder, in io.Reader) {
	if in != nil {
		buf := make([]byte, piece)
		for {
			n, err := in.Read(buf)
			if n > 0 {
				if enc.Encode(Input{Data: buf[:n]}) != nil {
					return
				}
			}
			if err != nil {
				break
			}
		}
	}
	enc.Encode(Input{EOF: true}) // the connection may be gone; then there is nobody to tell
}
