//go:build linux

package vault

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

	"bianmin/offline/clocks"
)

// tpmLimit is how long a command may take; a simulator that hangs fails the test, not the clock of everything.
const tpmLimit = time.Minute

// simulator is a TPM 2.0 of its own: swtpm, over a pair of sockets.
type simulator struct {
	mu   sync.Mutex // one command at a time
	conn net.Conn
	cmd  *exec.Cmd
}

// newTPM starts a fresh TPM, with seeds that no other has.
func newTPM(t testing.TB) *simulator {
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
	s := &simulator{cmd: exec.Command(bin, "socket", "--tpm2", "--tpmstate", "dir="+t.TempDir(), "--fd", "3",
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
		s.die()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return s
}

// die ends the TPM for good.
func (s *simulator) die() {
	s.conn.Close()
	s.cmd.Process.Kill()
	s.cmd.Wait() // its error is the kill
}

// Send passes one command and its answer.
func (s *simulator) Send(command []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.conn.SetDeadline(time.Now().Add(tpmLimit)); err != nil {
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
func (s *simulator) Close() error { return nil }

func (s *simulator) open() (transport.TPMCloser, error) { return s, nil }

func TestTPMKeepsTheSecret(t *testing.T) {
	tpm, dir := newTPM(t), t.TempDir()
	path := filepath.Join(dir, "machine.tpm")
	m := TPM(path, tpm.open)
	if _, err := m.(existing).existing(); !errors.Is(err, ErrNoMachine) {
		t.Fatalf("before it was made: %v", err)
	}
	secret, err := m.Secret()
	must(t, err)
	for range 3 { // nothing is left in the TPM that another start would miss, or that fills it up
		again, err := TPM(path, tpm.open).Secret()
		if err != nil || !bytes.Equal(again, secret) {
			t.Fatalf("read again: %v", err)
		}
	}
	for i, p := range []string{path, path + ".b"} {
		data, err := os.ReadFile(p)
		if err != nil || bytes.Contains(data, secret) || bytes.Contains(data, secret[:16]) {
			t.Fatalf("%s: %v, or it holds the secret", p, err)
		}
		bad := bytes.Clone(data)
		bad[len(bad)-1] ^= 1
		writeFile(t, p, bad[:len(bad)-i]) // changed, then cut
		again, err := TPM(path, tpm.open).Secret()
		if err != nil || !bytes.Equal(again, secret) {
			t.Fatalf("one copy damaged: %v", err)
		}
		if now, err := os.ReadFile(p); err != nil || !bytes.Equal(now, data) {
			t.Errorf("%s was not written again: %v", p, err)
		}
	}
	other := newTPM(t)
	if _, err := TPM(path, other.open).Secret(); !errors.Is(err, ErrTPMForeign) {
		t.Errorf("another TPM: %v", err)
	}
	tpm.die()
	if _, err := TPM(path, tpm.open).Secret(); !errors.Is(err, ErrTPM) {
		t.Errorf("a dead TPM: %v", err)
	}
	if _, err := TPM(path, func() (transport.TPMCloser, error) { return nil, errors.New("no such device") }).Secret(); !errors.Is(err, ErrTPM) {
		t.Errorf("no TPM: %v", err)
	}
	must(t, m.(interface{ Destroy() error }).Destroy())
	if _, err := TPM(path, other.open).(existing).existing(); !errors.Is(err, ErrNoMachine) {
		t.Errorf("after it was destroyed: %v", err)
	}
}

// A folder copied to another machine does not open there, whatever PIN is known; on its own machine six digits will do.
func TestCopiedFolderDoesNotOpen(t *testing.T) {
	tpm := newTPM(t)
	f := newFixtureOn(t, func(dir string) Machine { return TPM(filepath.Join(dir, "machine.tpm"), tpm.open) })
	if name, protected := f.ring.MachineName(); name != "TPM 2.0" || !protected {
		t.Errorf("%s, protected %v", name, protected)
	}
	u := mustUnlock(t, f.ring, "wang", "204816")
	must(t, u.ChangePIN("204816", "730194"))
	want := period(t, u, f)
	f.reopen(t)
	if got := period(t, mustUnlock(t, f.ring, "wang", "730194"), f); got != want {
		t.Error("reads other keys")
	}
	copied := t.TempDir()
	must(t, os.CopyFS(copied, os.DirFS(f.dir)))
	elsewhere := TPM(filepath.Join(copied, "machine.tpm"), newTPM(t).open)
	if _, err := OpenRing(copied, f.suite, elsewhere, OpenOptions{Clock: clocks.Wall(f.clock.now)}); !errors.Is(err, ErrTPMForeign) {
		t.Errorf("on another machine: %v", err)
	}
	if _, err := OpenRing(copied, f.suite, KeyFile(filepath.Join(copied, "machine.key")), OpenOptions{Clock: clocks.Wall(f.clock.now)}); !errors.Is(err, ErrNoMachine) {
		t.Errorf("with a key file instead: %v", err)
	}
}

// A dead TPM is survived through the county's key: on a new TPM, or on a file.
func TestDeadTPMIsSurvived(t *testing.T) {
	for _, to := range []string{MachineTPM, MachineFile} {
		t.Run(to, func(t *testing.T) {
			tpm, county := newTPM(t), mustKey(t)
			f := newFixtureOn(t, func(dir string) Machine { return TPM(filepath.Join(dir, "machine.tpm"), tpm.open) })
			u := mustUnlock(t, f.ring, "wang", "204816")
			must(t, u.SetCounty(county.Public()))
			want := period(t, u, f)
			tpm.die()
			if _, err := OpenRing(f.dir, f.suite, f.machine, OpenOptions{}); !errors.Is(err, ErrTPM) {
				t.Fatalf("with a dead TPM: %v", err)
			}
			ask, err := RequestMachine(f.dir, f.suite, 1)
			must(t, err)
			if _, err := AnswerRecovery(f.suite, mustKey(t), ask); !errors.Is(err, ErrRecovery) {
				t.Errorf("without the county's key: %v", err)
			}
			answer, err := AnswerRecovery(f.suite, county, ask)
			must(t, err)
			f.machine = KeyFile(filepath.Join(f.dir, "machine.key"))
			if to == MachineTPM {
				f.machine = TPM(filepath.Join(f.dir, "machine.tpm"), newTPM(t).open)
			}
			must(t, TakeMachine(f.dir, f.suite, f.machine, answer))
			must(t, DropMachines(f.dir, to))
			if kindIn(f.dir) != to {
				t.Errorf("the folder says %q", kindIn(f.dir))
			}
			f.reopen(t)
			if got := period(t, mustUnlock(t, f.ring, "wang", "204816"), f); got != want {
				t.Error("reads other keys")
			}
		})
	}
}

// The best place is found by itself, and what is there stays.
func TestMachineIsFound(t *testing.T) {
	sock := filepath.Join(t.TempDir(), "tpm")
	t.Setenv(tpmVariable, "unix:"+sock)
	dir := t.TempDir()
	m, err := MachineIn(dir, "")
	if err != nil || m.Name() != "key file" {
		t.Fatalf("without a TPM: %v, %v", m, err)
	}
	l, err := net.Listen("unix", sock)
	must(t, err)
	tpm := newTPM(t)
	served := make(chan struct{})
	go func() { // a resource manager: every client speaks to the one TPM
		defer close(served)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			for {
				n, err := c.Read(buf)
				if err != nil {
					break
				}
				out, err := tpm.Send(buf[:n])
				if err != nil {
					break
				}
				if _, err := c.Write(out); err != nil {
					break
				}
			}
			c.Close()
		}
	}()
	defer func() { l.Close(); <-served }()
	if m, err = MachineIn(dir, ""); err != nil || m.Name() != "TPM 2.0" {
		t.Fatalf("with a TPM: %v, %v", m, err)
	}
	secret, err := m.Secret()
	must(t, err)
	if m, err = MachineIn(dir, ""); err != nil || m.Name() != "TPM 2.0" {
		t.Fatalf("afterwards: %v, %v", m, err)
	}
	if again, err := m.Secret(); err != nil || !bytes.Equal(again, secret) {
		t.Errorf("read again: %v", err)
	}
	old := t.TempDir()
	if _, err := KeyFile(filepath.Join(old, "machine.key")).Secret(); err != nil {
		t.Fatal(err)
	}
	if m, err = MachineIn(old, ""); err != nil || m.Name() != "key file" {
		t.Errorf("a folder with a file: %v, %v", m, err)
	}
	if _, err := MachineIn(dir, "floppy"); err == nil {
		t.Error("an unknown kind")
	}
}
