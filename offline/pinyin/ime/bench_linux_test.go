package ime

import (
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bianmin/offline/pinyin/dict"
)

// threadTime is the processor time of this thread: what a keystroke costs, whatever else the machine does.
func threadTime(t testing.TB) time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		t.Fatal(err)
	}
	return time.Duration(now.Nano())
}

// keystrokes types every held-out sample letter by letter and returns how much processor time each letter took until its first page.
func keystrokes(t testing.TB, o Options, full bool) []time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var out []time.Duration
	for _, x := range readSamples(t, "heldout.tsv") {
		s := Load().Session(o)
		letters := strings.Join(x.syl, "")
		if !full { // initials
			letters = ""
			for _, y := range x.syl {
				letters += y[:1]
			}
		}
		for _, r := range letters {
			from := threadTime(t)
			s.Input(r)
			s.Candidates(0)
			out = append(out, threadTime(t)-from)
		}
	}
	slices.Sort(out)
	return out
}

func BenchmarkKeystroke(b *testing.B) {
	for _, m := range []struct {
		name string
		o    Options
		full bool
	}{
		{"text", Options{Fuzzy: AllFuzzy}, true},
		{"exact", Options{}, true},
		{"name", Options{Fuzzy: AllFuzzy, Field: NameField}, true},
		{"initials", Options{Fuzzy: AllFuzzy}, false},
	} {
		b.Run(m.name, func(b *testing.B) {
			Load()
			var all []time.Duration
			for b.Loop() {
				all = keystrokes(b, m.o, m.full)
			}
			at := func(p int) float64 { return float64(all[len(all)*p/1000].Microseconds()) }
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(at(500), "p50-cpu-µs")
			b.ReportMetric(at(990), "p99-cpu-µs")
			b.ReportMetric(at(999), "p99.9-cpu-µs")
		})
	}
}

// BenchmarkMemory shows what the engine keeps on the heap.
func BenchmarkMemory(b *testing.B) {
	var kept, took uint64
	var e *Engine
	for b.Loop() {
		e = nil
		debug.FreeOSMemory()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		e = New(dict.Fresh())
		runtime.GC()
		runtime.ReadMemStats(&after)
		kept, took = after.HeapAlloc-before.HeapAlloc, after.TotalAlloc-before.TotalAlloc
	}
	runtime.KeepAlive(e)
	b.ReportMetric(float64(kept)/1e6, "MB-kept")
	b.ReportMetric(float64(took)/1e6, "MB-allocated")
}
