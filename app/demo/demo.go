// Package demo runs the sample county beside the app: a gateway of its own as a child process on loopback, with a sample
// station and its operators. Nothing of it reaches a real platform.
package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// PINs are the first PINs of the sample county's operators, shown on the login screen in demo mode only.
func PINs() map[string]string { return map[string]string{"wang": "246810", "li": "135790"} }

// readyWait bounds how long the gateway may take to answer.
const readyWait = 30 * time.Second

// County is the sample county's gateway. Its methods may be called from any goroutine.
type County struct {
	bin, dir, addr string
	errs           io.Writer

	mu  sync.Mutex // guards cmd
	cmd *exec.Cmd  // nil while the network is "cut"
}

// Find returns the gateway program: beside this one, or on the search path.
func Find() (string, error) {
	if self, err := os.Executable(); err == nil {
		p := filepath.Join(filepath.Dir(self), "bianmin-gatewayd")
		if _, err := os.Stat(p); err == nil {
			return p, nil
		}
	}
	p, err := exec.LookPath("bianmin-gatewayd")
	if err != nil {
		return "", fmt.Errorf("demo: the gateway program bianmin-gatewayd is not beside the app: %w", err)
	}
	return p, nil
}

// New prepares the sample county in dir and keeps its address from one start to the next. errs gets the gateway's
// log; nil discards it.
func New(ctx context.Context, bin, dir string, errs io.Writer) (*County, error) {
	c := &County{bin: bin, dir: dir, errs: errs}
	addrFile := filepath.Join(dir, "address")
	if b, err := os.ReadFile(addrFile); err == nil {
		c.addr = strings.TrimSpace(string(b))
		return c, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("demo: find a free port: %w", err)
	}
	c.addr = l.Addr().String()
	l.Close()
	if _, err := c.Run(ctx, "init", "--sample", "--short-host", c.addr); err != nil {
		return nil, err
	}
	if err := os.WriteFile(addrFile, []byte(c.addr+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("demo: keep the address: %w", err)
	}
	return c, nil
}

// URL is where the county's gateway answers.
func (c *County) URL() string { return "https://" + c.addr }

// Host is the short host of receipt links.
func (c *County) Host() string { return c.addr }

// Run runs one gateway command on the county and returns what it prints.
func (c *County) Run(ctx context.Context, command string, args ...string) ([]byte, error) {
	var errs bytes.Buffer
	cmd := exec.CommandContext(ctx, c.bin, append([]string{command, "--data", c.dir}, args...)...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("demo: gateway %s: %w: %s", command, err, strings.TrimSpace(errs.String()))
	}
	return out, nil
}

// Code issues a one-time enrolment code for the sample station.
func (c *County) Code(ctx context.Context) (string, error) {
	out, err := c.Run(ctx, "enroll", "--json")
	if err != nil {
		return "", err
	}
	var v struct {
		Code string `json:"code"`
	}
	if err := json.Unmarshal(out, &v); err != nil || v.Code == "" {
		return "", fmt.Errorf("demo: gateway gave no code: %w", err)
	}
	return v.Code, nil
}

// Up starts the gateway and returns when it answers. It ends with this process.
func (c *County) Up(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd != nil {
		return nil
	}
	cmd := exec.Command(c.bin, "serve", "--data", c.dir, "--addr", c.addr, "--exit-with-parent")
	cmd.Stderr = c.errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("demo: start the gateway: %w", err)
	}
	// The gateway ends when its standard input does, which is when this process ends, however it ends.
	if _, err := cmd.StdinPipe(); err != nil {
		return fmt.Errorf("demo: start the gateway: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("demo: start the gateway: %w", err)
	}
	ready := make(chan error, 1)
	go func() {
		s := bufio.NewScanner(out)
		if s.Scan() {
			ready <- nil
		} else {
			ready <- errors.New("demo: the gateway ended before it answered")
		}
		for s.Scan() { // keep the pipe empty
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	select {
	case err = <-ready:
	case <-ctx.Done():
		err = fmt.Errorf("demo: the gateway does not answer: %w", ctx.Err())
	}
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		return err
	}
	c.cmd = cmd
	return nil
}

// Down stops the gateway, as if the network were cut.
func (c *County) Down() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil {
		return nil
	}
	err := c.cmd.Process.Signal(os.Interrupt)
	if err == nil {
		done := make(chan struct{})
		go func(cmd *exec.Cmd) { cmd.Wait(); close(done) }(c.cmd)
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			c.cmd.Process.Kill()
			<-done
		}
	}
	c.cmd = nil
	if err != nil {
		return fmt.Errorf("demo: stop the gateway: %w", err)
	}
	return nil
}
