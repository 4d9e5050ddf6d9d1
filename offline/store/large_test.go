//go:build test

package store

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/packaging/corpus"
)

// large is a store with very many records, acknowledged as they came; BIANMIN_RECORDS asks for another number.
func large(b testing.TB) (*rig, *Store, int) {
	b.Helper()
	n := corpus.Count("BIANMIN_RECORDS", 100_000)
	const together = 500
	r := newRig(b)
	s := r.login()
	cases := corpus.NewCases(1)
	for range n / together {
		acts := make([]Act, together)
		for i := range acts {
			acts[i] = Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: cases.Next(), Receipt: fakeReceipt}
		}
		if err := s.Bulk(ctx, acts); err != nil {
			b.Fatal(err)
		}
		s.mu.RLock()
		ack := packet.Ack{Device: testDevice, To: s.head, Head: s.headHash, At: r.clock.UnixMilli()}
		s.mu.RUnlock()
		data, err := packet.SignAck(r.plat.sign, ack)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.TakeAck(ctx, data); err != nil {
			b.Fatal(err)
		}
	}
	return r, s, n
}

// written is how many bytes this process has written to files so far, and how many of them, in whole pages, the system will give
// to the disk; 0 where it does not tell.
func written() (calls, disk int64) {
	data, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(data)) {
		name, v, _ := strings.Cut(strings.TrimSpace(line), ": ")
		n, _ := strconv.ParseInt(v, 10, 64)
		switch name {
		case "wchar":
			calls = n
		case "write_bytes":
			disk = n
		}
	}
	return calls, disk
}

// BenchmarkLarge measures at 100,000 records: a save with the bytes it writes, the doctor, and all projections made again.
func BenchmarkLarge(b *testing.B) {
	r, s, n := large(b)
	b.Run("save", func(b *testing.B) {
		f, err := os.OpenFile(filepath.Join(r.dir, "floor"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		block := make([]byte, 4096)
		cases := corpus.NewCases(2)
		var saves, floors []time.Duration
		var calls, disk int64
		for b.Loop() {
			s.spare.wg.Wait()
			start := time.Now()
			if _, err := f.Write(block); err != nil {
				b.Fatal(err)
			}
			if err := dataSync(f); err != nil {
				b.Fatal(err)
			}
			floors = append(floors, time.Since(start))
			act := Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: cases.Next(), Receipt: fakeReceipt}
			c0, d0 := written()
			start = time.Now()
			if _, err := s.Commit(ctx, act); err != nil {
				b.Fatal(err)
			}
			saves = append(saves, time.Since(start))
			c1, d1 := written()
			calls, disk = calls+c1-c0, disk+d1-d0
		}
		slices.Sort(saves)
		slices.Sort(floors)
		mid := len(saves) / 2
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(saves[mid].Microseconds()), "µs/save")
		b.ReportMetric(float64(floors[mid].Microseconds()), "µs/floor")
		b.ReportMetric(float64(saves[mid])/float64(floors[mid]), "×floor")
		b.ReportMetric(float64(calls)/1000/float64(len(saves)), "kB/save")
		b.ReportMetric(float64(disk)/1000/float64(len(saves)), "kB-of-pages/save")
	})
	report := func(b *testing.B, what string, do func() error) {
		cpu := cpuTime()
		start := time.Now()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most := m.HeapSys - m.HeapReleased
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(time.Since(start).Seconds(), "s/"+what)
		b.ReportMetric((cpuTime() - cpu).Seconds(), "cpu-s/"+what)
		b.ReportMetric(float64(n), "records")
		b.ReportMetric(float64(most)/(1<<20), "MiB/heap")
	}
	b.Run("doctor", func(b *testing.B) {
		report(b, "doctor", func() error {
			rep, err := s.Verify(ctx, nil)
			if err == nil && !rep.OK() {
				b.Fatal(rep.Faults[0])
			}
			return err
		})
	})
	b.Run("rebuild", func(b *testing.B) {
		report(b, "rebuild", func() error { return s.Rebuild(ctx, nil) })
	})
}
