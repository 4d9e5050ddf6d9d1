package bomb

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

var kept [][]byte

// The control: a process that takes more than the limit is caught. Without it the limit would prove nothing.
func TestChildCatchesWhatIsTooMuch(t *testing.T) {
	if os.Getenv("BIANMIN_BOMB_CONTROL") == "1" {
		Child(t, func(*testing.T) {
			for range Limit/(1<<20) + 8 {
				b := make([]byte, 1<<20)
				for i := range b {
					b[i] = byte(i)
				}
				kept = append(kept, b)
			}
		})
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestChildCatchesWhatIsTooMuch$", "-test.count=1")
	cmd.Env = append(os.Environ(), "BIANMIN_BOMB_CONTROL=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "more at its peak") {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestChildLetsLittlePass(t *testing.T) {
	Child(t, func(*testing.T) { kept = append(kept, make([]byte, 1<<20)) })
}

func TestBoundedCounts(t *testing.T) {
	probe := &counter{TB: t}
	Bounded(probe, 1<<20, func() { kept = append(kept, make([]byte, 2<<20)) })
	Bounded(probe, 4<<20, func() { kept = append(kept, make([]byte, 2<<20)) })
	if probe.failed != 1 {
		t.Errorf("%d failures", probe.failed)
	}
}

type counter struct {
	testing.TB
	failed int
}

func (c *counter) Helper()               {}
func (c *counter) Errorf(string, ...any) { c.failed++ }
