//go:build test

package desk

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"bianmin/offline/people"
	"bianmin/offline/pinyin"
	"bianmin/offline/vault"
	"bianmin/packaging/corpus"
)

// BenchmarkFind searches a sealed book of 100,000 persons on the disk as the search field does: twenty rows at most, each person
// read and opened. The floor is one person's number compared with all of them in memory, one after another.
func BenchmarkFind(b *testing.B) {
	suite := vault.SM(nil)
	dir := b.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, packsFolder), 0o700); err != nil {
		b.Fatal(err)
	}
	seal, err := suite.GenerateKey()
	if err != nil {
		b.Fatal(err)
	}
	sign, err := suite.GenerateKey()
	if err != nil {
		b.Fatal(err)
	}
	ring, err := vault.CreateRing(dir, suite, vault.KeyFile(filepath.Join(dir, "machine.key")), vault.RingOptions{
		Sign: sign, Seal: seal, Demo: true,
		Operators: []vault.NewOperator{{ID: "wang", Name: "王秀英", Role: "staff", Division: corpus.Division, PIN: "123456"}},
		Argon:     vault.Argon{MemoryKiB: 64, Time: 1, Threads: 1},
	})
	if err != nil {
		b.Fatal(err)
	}
	d := &Desk{cfg: Config{Dir: dir, Suite: suite}.filled(), ring: ring}
	n := packName{kind: "roster", version: 1, hash: vault.Hash{1}}
	town := corpus.Count("BIANMIN_PERSONS", 100_000)
	roster := corpus.Roster(1, town)
	if err := d.makeBook(n, roster); err != nil {
		b.Fatal(err)
	}
	type sought struct{ name, part, initials, number, tail string }
	r := rand.New(rand.NewPCG(3, 3))
	var all []sought
	numbers := make([]string, town)
	for i := range roster.Persons {
		numbers[i] = roster.Persons[i].Elements[people.IDNo].Value
	}
	for range 2000 {
		p := &roster.Persons[r.IntN(town)]
		name := []rune(p.Name())
		id := p.Elements[people.IDNo].Value
		all = append(all, sought{p.Name(), string(name[len(name)-2:]), pinyin.NameInitials(p.Name()), id, id[14:]})
	}
	roster = nil
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	start := time.Now()
	book, err := d.readBook(n, seal)
	if err != nil {
		b.Fatal(err)
	}
	defer book.Close()
	opened := time.Since(start)
	held := float64(heap()-before) / (1 << 20)
	for _, c := range []struct {
		name string
		of   func(sought) string
	}{
		{"name", func(s sought) string { return s.name }},
		{"two-characters", func(s sought) string { return s.part }},
		{"initials", func(s sought) string { return s.initials }},
		{"number", func(s sought) string { return s.number }},
		{"last-four", func(s sought) string { return s.tail }},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took []time.Duration
			found := 0
			for i := 0; b.Loop(); i++ {
				q := c.of(all[i%len(all)])
				start := time.Now()
				list, err := book.Find(q, 20)
				took = append(took, time.Since(start))
				if err != nil || len(list) == 0 {
					b.Fatalf("%d found, %v", len(list), err)
				}
				found += len(list)
			}
			slices.Sort(took)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/median")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/p99")
			b.ReportMetric(float64(found)/float64(len(took)), "found")
			b.ReportMetric(held, "MiB/book")
			b.ReportMetric(float64(opened.Microseconds())/1000, "ms/opened")
		})
	}
	b.Run("floor", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			q := all[i%len(all)].number
			if !slices.ContainsFunc(numbers, func(n string) bool { return strings.Compare(n, q) == 0 }) {
				b.Fatal("not there")
			}
		}
	})
}
