package main

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"bianmin/offline/pinyin"
	"bianmin/offline/pinyin/dict"
)

// How names are weighed.
const (
	damp       = 0.75 // power of a name's count in the list of words: known persons are written about far more than they are many
	listShare  = 0.75 // of our own list of given-name characters against the names in the list of words
	usualLeast = 3    // a given name is kept as one when so many persons of the list have it
	double     = 0.86 // of given names have two characters
	other      = 0.12 // probability of a character of the other sex against one of this sex
)

// nameModel makes the model of names: surnames with their shares from our list; given-name characters from our list, by
// sex, mixed with those of the persons in jieba's list of words.
func (v *vocabulary) nameModel(lists string) (dict.Names, error) {
	n := dict.Names{Single: uint16(cost(1 - double)), Double: uint16(cost(double))}
	surnames, order, err := weights(filepath.Join(lists, "surnames.txt"), func(s string) []string { return []string{s} })
	if err != nil {
		return n, err
	}
	sum := 0.0
	for _, s := range order {
		sum += surnames[s]
	}
	for _, s := range order {
		for i, syl := range v.surnameReadings(s) {
			p := surnames[s] / sum
			if i > 0 {
				p /= 4
			}
			n.Surnames = append(n.Surnames, dict.Surname{Text: s, Syl: syl, Cost: uint16(cost(p))})
		}
	}
	male, _, err := weights(filepath.Join(lists, "given-male.txt"), split)
	if err != nil {
		return n, err
	}
	female, _, err := weights(filepath.Join(lists, "given-female.txt"), split)
	if err != nil {
		return n, err
	}
	usual, usualOrder, err := weights(filepath.Join(lists, "given-usual.txt"), func(s string) []string { return []string{s} })
	if err != nil {
		return n, err
	}
	first, second, alone, whole := v.countGiven(surnames)
	n.Given = v.given([2]map[string]float64{male, female}, first, second, alone)
	n.Usual = usualGiven(whole, usual, usualOrder)
	return n, nil
}

func split(s string) []string {
	var out []string
	for _, r := range s {
		out = append(out, string(r))
	}
	return out
}

// weights reads a list whose lines are a weight and what has it: "100 王李张". Text after the weight is cut up by take.
func weights(path string, take func(string) []string) (map[string]float64, []string, error) {
	out := map[string]float64{}
	var order []string
	err := lines(path, func(line string) error {
		f := strings.Fields(line)
		w, err := strconv.ParseFloat(f[0], 64)
		if err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
		for _, s := range f[1:] {
			for _, x := range take(s) {
				if _, ok := out[x]; !ok {
					order = append(order, x)
				}
				out[x] = max(out[x], w)
			}
		}
		return nil
	})
	return out, order, err
}

// surnameReadings returns how a surname is read, best first.
func (v *vocabulary) surnameReadings(s string) [][]uint16 {
	var out [][]uint16
	for _, py := range [][]string{pinyin.NameFull(s), pinyin.Full(s)} {
		if syl, ok := v.syllabled(py); ok && !slices.ContainsFunc(out, func(o []uint16) bool { return slices.Equal(o, syl) }) {
			out = append(out, syl)
		}
	}
	return out
}

// countGiven counts the characters of the given names in the list of words, by place.
func (v *vocabulary) countGiven(surnames map[string]float64) (first, second, alone, whole map[string]float64) {
	first, second, alone, whole = map[string]float64{}, map[string]float64{}, map[string]float64{}, map[string]float64{}
	for text, count := range v.people {
		rs := []rune(text)
		n := 1
		if len(rs) > 2 {
			if _, ok := surnames[string(rs[:2])]; ok && len(rs) > 3 {
				n = 2
			}
		}
		if _, ok := surnames[string(rs[:n])]; !ok {
			continue
		}
		given := rs[n:]
		c := math.Pow(count, 1-damp)
		switch len(given) {
		case 1:
			alone[string(given)] += c
		case 2:
			first[string(given[0])] += c
			second[string(given[1])] += c
			whole[string(given)]++
		}
	}
	return first, second, alone, whole
}

// given mixes our list with the counts.
func (v *vocabulary) given(list [2]map[string]float64, first, second, alone map[string]float64) []dict.Given {
	chars := map[string]bool{}
	for _, m := range []map[string]float64{list[0], list[1], first, second, alone} {
		for c := range m {
			chars[c] = true
		}
	}
	var all []string
	for c := range chars {
		if v.usable[[]rune(c)[0]] {
			all = append(all, c)
		}
	}
	slices.Sort(all)
	sums := func(m map[string]float64) (s float64) {
		for _, c := range all {
			s += m[c]
		}
		return s + 1e-9
	}
	listSum := [2]float64{sums(list[0]), sums(list[1])}
	sum := [3]float64{sums(first), sums(second), sums(alone)}
	var out []dict.Given
	for _, c := range all {
		g := dict.Given{Char: c}
		own := [2]float64{list[0][c] / listSum[0], list[1][c] / listSum[1]}
		for sex := range own {
			// The persons of the list of words have no sex: their characters are shared out as our list has them.
			mine, others := own[sex], own[1-sex]
			lean := (mine + other*others + 1e-5) / ((1 + other) * (own[0] + own[1] + 2e-5) / 2)
			if own[0]+own[1] == 0 {
				lean = 1
			}
			p := func(counted float64) uint16 {
				return uint16(cost(listShare*(mine+other*others)/(1+other) + (1-listShare)*counted*lean + 1e-7))
			}
			g.First[sex] = p(first[c] / sum[0])
			g.Second[sex] = p(second[c] / sum[1])
			g.Alone[sex] = p(alone[c] / sum[2])
		}
		for i, rd := range v.chars[[]rune(c)[0]] {
			if i > 0 && rd.share < 0.1 {
				continue
			}
			g.Syl = rd.syl
			out = append(out, g)
		}
	}
	return out
}

// usualGiven makes the list of usual given names from the persons of the list of words and from our own.
func usualGiven(whole, list map[string]float64, order []string) []dict.UsualGiven {
	sum := 0.0
	for _, c := range whole {
		sum += c
	}
	listSum := 0.0
	for _, s := range order {
		listSum += list[s]
	}
	shares := map[string]float64{}
	for s, c := range whole {
		if c >= usualLeast {
			shares[s] += (1 - listShare) * c / sum
		}
	}
	for _, s := range order {
		shares[s] += listShare * list[s] / listSum
	}
	var out []dict.UsualGiven
	for s, p := range shares {
		out = append(out, dict.UsualGiven{Text: s, Cost: uint16(cost(p))})
	}
	slices.SortFunc(out, func(a, b dict.UsualGiven) int { return cmp.Compare(a.Text, b.Text) })
	return out
}
