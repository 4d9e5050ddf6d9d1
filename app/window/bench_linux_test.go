package window

import (
	"bufio"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"golang.org/x/sys/unix"

	"bianmin/app/look"
)

// typedKeys is how many keys are typed for each figure.
const typedKeys = 1000

// heldOut returns the letters of sentences that nothing was tuned with.
func heldOut(b *testing.B) []string {
	b.Helper()
	f, err := os.Open("../../offline/pinyin/ime/testdata/heldout.tsv")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var out []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if parts := strings.Split(lines.Text(), "\t"); len(parts) == 3 { // kind, text, syllables
			out = append(out, strings.ReplaceAll(parts[2], " ", ""))
		}
	}
	if len(out) < 100 {
		b.Fatalf("only %d sentences", len(out))
	}
	return out
}

// threadTime is the processor time of this thread.
func threadTime(b *testing.B) time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		b.Fatal(err)
	}
	return time.Duration(now.Nano())
}

// BenchmarkKeyInTheWindow types into the form's fields, in the old-age sizes on an upright screen and in the usual look: from the key
// until the candidates are laid out, with all that the window does then. A sentence is dropped before the next.
func BenchmarkKeyInTheWindow(b *testing.B) {
	for _, field := range []struct {
		name string
		at   int
	}{{"name", 0}, {"address", 2}} {
		for _, l := range []look_{{"zh", look.Elder, sizes[2]}, {"zh", look.Standard, sizes[1]}} {
			for _, onScreen := range []bool{true, false} {
				kind := map[bool]string{true: "on the screen", false: "pressed"}[onScreen]
				b.Run(field.name+" "+l.mode.String()+" "+kind, func(b *testing.B) {
					p := newTypist(b, nil)
					p.enter()
					p.wear(l)
					p.go_("wizard", "new:gaoling")
					p.settle()
					var all []time.Duration
					for b.Loop() {
						all = p.timeKeys(b, field.at, onScreen)
					}
					per := func(n int) float64 { return float64(all[len(all)*n/1000].Microseconds()) }
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(per(500), "p50-cpu-µs")
					b.ReportMetric(per(990), "p99-cpu-µs")
				})
			}
		}
	}
}

// timeKeys returns the processor time of each key, sorted.
func (p *keyTypist) timeKeys(b *testing.B, field int, onScreen bool) []time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p.s.win.Canvas().Unfocus()
	p.pass()
	p.pass()
	f := p.fields()[field]
	if onScreen {
		p.touch(f)
	} else {
		p.s.win.Canvas().Focus(f.Focusable())
	}
	var out []time.Duration
	for _, sentence := range heldOut(b) {
		for _, r := range sentence {
			if onScreen {
				k := p.key(string(r))
				from := threadTime(b)
				p.click(k)
				out = append(out, threadTime(b)-from)
			} else {
				from := threadTime(b)
				p.s.win.Canvas().Focused().TypedRune(r)
				out = append(out, threadTime(b)-from)
			}
		}
		if !p.s.Board().Composing() {
			b.Fatalf("%q is not composed", sentence)
		}
		p.press(fyne.KeyEscape)
		if len(out) >= typedKeys {
			break
		}
	}
	slices.Sort(out)
	return out
}
