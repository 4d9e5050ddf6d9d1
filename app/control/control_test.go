package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bianmin/packaging/bomb"
)

func serve(t *testing.T, dir string, h Handler) {
	t.Helper()
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

func TestCommandTravelsBothWays(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir, func(_ context.Context, c Call, in io.Reader, out, errs io.Writer) int {
		b, err := io.ReadAll(in)
		if err != nil {
			t.Errorf("stdin: %v", err)
		}
		io.WriteString(out, strings.Join(c.Args, "+")+"@"+filepath.Base(c.Dir)+":"+string(b))
		io.WriteString(errs, "warn")
		return 7
	})
	var out, errs bytes.Buffer
	code, err := Do(t.Context(), dir, Call{Args: []string{"status", "--json"}, Dir: "/x/y"}, strings.NewReader("input"), &out, &errs)
	if err != nil || code != 7 {
		t.Fatalf("code %d, err %v", code, err)
	}
	if got := out.String(); got != "status+--json@y:input" {
		t.Errorf("out %q", got)
	}
	if errs.String() != "warn" {
		t.Errorf("errs %q", errs.String())
	}
}

func TestNobody(t *testing.T) {
	if _, err := Do(t.Context(), t.TempDir(), Call{}, nil, io.Discard, io.Discard); !errors.Is(err, ErrNobody) {
		t.Fatalf("got %v", err)
	}
}

func TestLeftSocketIsTaken(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "run.sock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	serve(t, dir, func(context.Context, Call, io.Reader, io.Writer, io.Writer) int { return 0 })
	if code, err := Do(t.Context(), dir, Call{}, nil, io.Discard, io.Discard); err != nil || code != 0 {
		t.Fatalf("code %d, err %v", code, err)
	}
}

func TestLongFolderName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("长", 60))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	serve(t, dir, func(context.Context, Call, io.Reader, io.Writer, io.Writer) int { return 3 })
	if code, err := Do(t.Context(), dir, Call{}, nil, io.Discard, io.Discard); err != nil || code != 3 {
		t.Fatalf("code %d, err %v", code, err)
	}
}

func TestCallerGoneCancels(t *testing.T) {
	dir := t.TempDir()
	started, ended := make(chan struct{}), make(chan struct{})
	serve(t, dir, func(ctx context.Context, _ Call, _ io.Reader, _, _ io.Writer) int {
		close(started)
		<-ctx.Done()
		close(ended)
		return 1
	})
	l, err := socketPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := dial(l)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, `{"args":["sync"]}`+"\n")
	<-started
	c.Close()
	<-ended
}

func dial(path string) (net.Conn, error) { return net.Dial("unix", path) }

// Much output comes through whole, in pieces.
func TestLongOutput(t *testing.T) {
	dir := t.TempDir()
	long := strings.Repeat("0123456789abcdef", 1<<18) // 4 MiB
	serve(t, dir, func(_ context.Context, _ Call, _ io.Reader, out, _ io.Writer) int {
		io.WriteString(out, long)
		return 0
	})
	var out bytes.Buffer
	if _, err := Do(t.Context(), dir, Call{}, nil, &out, io.Discard); err != nil || out.String() != long {
		t.Fatalf("%d bytes, %v", out.Len(), err)
	}
}

// A peer that sends without end is cut off; what it sent is not kept.
func TestEndlessMessage(t *testing.T) {
	bomb.Child(t, func(t *testing.T) {
		endless := io.MultiReader(strings.NewReader(`{"args":["`), zeros{})
		var c Call
		if err := newReader(endless).read(&c); !errors.Is(err, errTooLong) {
			t.Errorf("a call: %v", err)
		}
		var o Output
		if err := newReader(io.MultiReader(strings.NewReader(`{"out":"`), zeros{})).read(&o); !errors.Is(err, errTooLong) {
			t.Errorf("an output: %v", err)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'A'
	}
	return len(p), nil
}

// FuzzServe speaks anything to the socket of a process: every call that is understood gets an end, and nothing breaks.
func FuzzServe(f *testing.F) {
	f.Add([]byte(`{"args":["status"],"dir":"/","lang":"zh"}{"data":"YQ=="}{"eof":true}`))
	f.Add([]byte(`{"args":[]}{"data":"!"}`))
	f.Add([]byte(`[1,2]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		bomb.Bounded(t, bomb.Limit, func() {
			ours, theirs := net.Pipe()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				serveOne(t.Context(), ours, func(_ context.Context, c Call, in io.Reader, out, _ io.Writer) int {
					n, _ := io.Copy(io.Discard, in)
					io.WriteString(out, strings.Join(c.Args, " "))
					return int(n % 3)
				})
			}()
			said := make(chan bool, 1)
			go func() {
				done := false
				dec := newReader(theirs)
				for {
					var o Output
					if err := dec.read(&o); err != nil {
						break
					}
					done = done || o.Done
				}
				said <- done
			}()
			theirs.Write(data)
			theirs.Write([]byte(`{"eof":true}`))
			theirs.Close()
			<-ended
			<-said
		})
	})
}
