//go:build linux

// Package tpmtest gives tests a TPM 2.0 of their own: swtpm, each with seeds that no other has.
package tpmtest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2/transport"
)

// limit is how long a command may take; a simulator that hangs fails the test, not the clock of everything.
const limit = time.Minute

// TPM is one simulator, over a pair of sockets.
type TPM struct {
	mu   sync.Mutex // one command at a time
	conn net.Conn
	cmd  *exec.Cmd
}

// New starts a fresh TPM. It ends with the test.
func New(t testing.TB) *TPM {
	t.Helper()
	bin, err := exec.LookPath("swtpm")
	if err != nil {
		t.Fatal("this test needs swtpm (apt-get install swtpm)")
	}
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	s := &TPM{cmd: exec.Command(bin, "socket", "--tpm2", "--tpmstate", "dir="+t.TempDir(), "--fd", "3",
		"--flags", "not-need-init,startup-clear", "--seccomp", "action=none")}
	s.cmd.ExtraFiles = []*os.File{theirs}
	var log bytes.Buffer
	s.cmd.Stderr = &log
	if s.conn, err = net.FileConn(ours); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(ours.Close(), theirs.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Die()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return s
}

// Die ends the TPM for good.
func (s *TPM) Die() {
	s.conn.Close()
	s.cmd.Process.Kill()
	s.cmd.Wait() // its error is the kill
}

// Send passes one command and its answer.
func (s *TPM) Send(command []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return nil, err
	}
	if _, err := s.conn.Write(command); err != nil {
		return nil, err
	}
	head := make([]byte, 10)
	if _, err := io.ReadFull(s.conn, head); err != nil {
		return nil, err
	}
	n := int(head[2])<<24 | int(head[3])<<16 | int(head[4])<<8 | int(head[5])
	out := append(head, make([]byte, n-len(head))...)
	_, err := io.ReadFull(s.conn, out[len(head):])
	return out, err
}

// Close leaves the TPM running, as closing a device does.
func (s *TPM) Close() error { return nil }

// Open connects to the TPM, as package vault asks for it.
func (s *TPM) Open() (transport.TPMCloser, error) { return s, nil }

// Serve lets other processes reach the TPM, as a resource manager does, and returns the path of the socket.
func (s *TPM) Serve(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tpm") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tpm")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	clients.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			clients.Go(func() {
				defer c.Close()
				s.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		clients.Wait()
		os.RemoveAll(dir)
	})
	return path
}

// serve passes commands of one client until it hangs up.
func (s *TPM) serve(c net.Conn) {
	const most = 4096 // the largest command of a TPM
	buf := make([]byte, most)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		out, err := s.Send(buf[:n])
		if err != nil {
			return
		}
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}
