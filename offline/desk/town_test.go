//go:build test

package desk_test

import (
	"runtime"
	"testing"
	"time"

	"bianmin/assets/county"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/journal"
	"bianmin/offline/store"
	"bianmin/packaging/corpus"
)

const together = 500 // cases of one transaction while the store is filled

// townMachine installs a machine with a town's roster and many cases, all acknowledged.
func townMachine(b *testing.B) *desktest.Machine {
	b.Helper()
	folder, err := corpus.County(county.FS(), corpus.Roster(1, corpus.Count("BIANMIN_PERSONS", 100_000), "999999101201"))
	if err != nil {
		b.Fatal(err)
	}
	m := desktest.NewOf(b, folder)
	d, _ := m.Login(b)
	cases := corpus.NewCases(1)
	for range corpus.Count("BIANMIN_CASES", 20_000) / together {
		acts := make([]store.Act, together)
		for i := range acts {
			body := cases.Next()
			body.Service, body.Division = "gaoling", "999999101201"
			acts[i] = store.Act{Operator: desktest.Operator, Kind: journal.KindCaseSubmitted, Body: body}
		}
		if err := d.Store().Bulk(b.Context(), acts); err != nil {
			b.Fatal(err)
		}
	}
	m.Acknowledge(b, d)
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
	return m
}

// BenchmarkTown compares a machine with 100,000 persons and 20,000 cases with an empty one: the folder opened (what the first
// screen waits for), a login, and the cases on the first screen after it.
func BenchmarkTown(b *testing.B) {
	for _, c := range []struct {
		name string
		make func(*testing.B) *desktest.Machine
	}{{"empty", func(b *testing.B) *desktest.Machine { return desktest.New(b) }}, {"full", townMachine}} {
		m := c.make(b)
		b.Run(c.name, func(b *testing.B) {
			var open, login, home, search time.Duration
			var held uint64
			for b.Loop() {
				start := time.Now()
				d, err := desk.Open(m.Config)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := d.Store().Summary(); err != nil {
					b.Fatal(err)
				}
				open += time.Since(start)
				start = time.Now()
				s, err := d.Login(b.Context(), desktest.Operator, desktest.PIN)
				if err != nil {
					b.Fatal(err)
				}
				login += time.Since(start)
				start = time.Now()
				if _, err := s.Cases(b.Context()); err != nil {
					b.Fatal(err)
				}
				home += time.Since(start)
				start = time.Now()
				if _, err := s.FindPeople("wxy", 20); err != nil {
					b.Fatal(err)
				}
				search += time.Since(start)
				runtime.GC()
				var mem runtime.MemStats
				runtime.ReadMemStats(&mem)
				held = mem.HeapAlloc
				if err := d.Close(); err != nil {
					b.Fatal(err)
				}
			}
			n := float64(b.N)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(open.Seconds()*1000/n, "ms/open")
			b.ReportMetric(login.Seconds()*1000/n, "ms/login")
			b.ReportMetric(home.Seconds()*1000/n, "ms/cases")
			b.ReportMetric(search.Seconds()*1000/n, "ms/first-search")
			b.ReportMetric(float64(held)/(1<<20), "MiB/heap")
		})
	}
}
