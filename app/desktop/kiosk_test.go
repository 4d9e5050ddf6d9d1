package desktop

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"bianmin/app/window"
)

// TestMain is also the program of a kiosk without a window: it notes its process and what it was handed, tells what it was
// asked to, and lives until it is ended.
func TestMain(m *testing.M) {
	dir := os.Getenv("BIANMIN_TEST_KIOSK")
	if dir == "" {
		os.Exit(m.Run())
	}
	w := newWatched(os.Stdin, os.Stdout)
	starts, _ := filepath.Glob(filepath.Join(dir, "start-*"))
	raw, _ := json.Marshal(w.restored)
	o := window.Options{}
	w.wear(&o)
	o.Handover(window.Handover{Operator: "wang", PIN: "246810", Draft: fmt.Sprint("draft ", len(starts)+1)})
	o.OnTick()
	name := filepath.Join(dir, fmt.Sprint("start-", len(starts)+1))
	if os.WriteFile(name+".part", []byte(fmt.Sprintf("%d\n%s\n", os.Getpid(), raw)), 0o600) != nil || os.Rename(name+".part", name) != nil {
		os.Exit(1)
	}
	ticks := time.Tick(50 * time.Millisecond)
	for {
		select {
		case <-w.gone:
			os.Exit(0)
		case <-ticks:
			if _, err := os.Stat(filepath.Join(dir, "hang")); err != nil {
				o.OnTick()
			}
		}
	}
}

type watchRig struct {
	t    *testing.T
	dir  string
	done chan struct{}
	stop context.CancelFunc
}

func watch(t *testing.T, hung time.Duration) *watchRig {
	r := &watchRig{t: t, dir: t.TempDir(), done: make(chan struct{})}
	w := &watchdog{log: slog.New(slog.DiscardHandler), hung: hung, pause: time.Millisecond, command: func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "BIANMIN_TEST_KIOSK="+r.dir)
		return cmd
	}}
	ctx, stop := context.WithCancel(t.Context())
	r.stop = stop
	go func() {
		w.run(ctx)
		close(r.done)
	}()
	t.Cleanup(func() {
		stop()
		<-r.done
	})
	return r
}

// started waits for the nth program and returns its process and what it was handed.
func (r *watchRig) started(n int) (*os.Process, window.Handover) {
	r.t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); {
		raw, err := os.ReadFile(filepath.Join(r.dir, fmt.Sprint("start-", n)))
		if err != nil {
			<-time.After(10 * time.Millisecond)
			continue
		}
		head, rest, _ := strings.Cut(string(raw), "\n")
		pid, err := strconv.Atoi(head)
		if err != nil {
			r.t.Fatal(err)
		}
		var h window.Handover
		if err := json.Unmarshal([]byte(rest), &h); err != nil {
			r.t.Fatal(err)
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			r.t.Fatal(err)
		}
		return p, h
	}
	r.t.Fatalf("program %d does not start", n)
	return nil, window.Handover{}
}

func TestTheWatchdogStartsAKilledProgramAgain(t *testing.T) {
	r := watch(t, time.Minute)
	for n := 1; n <= 4; n++ {
		p, h := r.started(n)
		want := window.Handover{}
		if n > 1 {
			want = window.Handover{Operator: "wang", PIN: "246810", Draft: fmt.Sprint("draft ", n-1)}
		}
		if h != want {
			t.Fatalf("program %d was handed draft %q of %q", n, h.Draft, h.Operator)
		}
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	r.started(5)
	r.stop()
	<-r.done // the program ends with its watchdog
}

func TestTheWatchdogEndsAProgramThatHangs(t *testing.T) {
	r := watch(t, 2*time.Second)
	r.started(1)
	if err := os.WriteFile(filepath.Join(r.dir, "hang"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, h := r.started(2); h.Draft != "draft 1" {
		t.Errorf("handed %q", h.Draft)
	}
}

func TestAHandoverIsNotLogged(t *testing.T) {
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", slog.Any("h", window.Handover{Operator: "wang", PIN: "246810"}))
	if strings.Contains(b.String(), "246810") || strings.Contains(b.String(), "wang") {
		t.Error(b.String())
	}
}
