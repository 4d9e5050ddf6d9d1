package main

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"bianmin/offline/pinyin/dict"
)

// How our own text is weighed against the newspapers and novels behind jieba's counts.
const (
	ownShare  = 0.65 // of the probability of all words
	discount  = 0.6  // taken off each count, so that what was seen once does not weigh too much
	termCount = 2500 // of a term that is listed but not seen in the text
	classPart = 0.8  // how much of what follows what is decided by classes
	follows   = 4    // pairs: how many words seen after one make its pairs as sure as its class
)

// classes of words; the first is what stands before a sentence. Kinds of particles that take different neighbours are apart.
var classes = []string{
	"^", "n", "nr", "ns", "nt", "nz", "v", "vn", "a", "d", "r", "m", "q", "p", "c", "uj", "ul", "uz", "ud", "uv", "u", "f", "t", "s",
	"b", "y", "i", "j", "g", "zg", "z", "x",
}

func class(tag string) uint8 {
	switch tag {
	case "nrt", "nrfg":
		tag = "nr"
	case "l":
		tag = "i"
	case "ad", "vd", "df":
		tag = "d"
	case "mq":
		tag = "m"
	case "ng", "vg", "ag", "tg", "dg", "mg", "rg", "k", "h":
		tag = "g"
	case "ug":
		tag = "ul"
	case "an":
		tag = "n"
	case "rr", "rz":
		tag = "r"
	case "vq", "vi":
		tag = "v"
	case "o", "e":
		tag = "y"
	}
	if i := slices.Index(classes, tag); i > 0 {
		return uint8(i)
	}
	return uint8(len(classes) - 1)
}

// addCorpus adds our terms as words, cuts our text into words and raises their counts. It returns the text, cut.
func (v *vocabulary) addCorpus(lists string) ([][]*entry, error) {
	err := lines(filepath.Join(lists, "terms.txt"), func(line string) error {
		for _, t := range strings.Fields(line) {
			text, weight, found := strings.Cut(t, "=")
			n := 1.0
			if found {
				var err error
				if n, err = strconv.ParseFloat(weight, 64); err != nil {
					return err
				}
			}
			text, letters, found := strings.Cut(text, "/")
			if n := len([]rune(text)); n < 2 || n > maxWord {
				continue
			}
			syl, ok := v.read(text)
			if found {
				if syl, ok = v.syllabled(strings.Split(letters, "'")); !ok || len(syl) != len([]rune(text)) {
					return fmt.Errorf("terms: %s is not read %s", text, letters)
				}
			}
			if ok {
				v.add(text, syl, termCount*n, class("n"))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	text, err := sentences(lists)
	if err != nil {
		return nil, err
	}
	cut := v.cutAll(text)
	counts, tokens := map[*entry]float64{}, 0.0
	for _, s := range cut {
		for _, e := range s {
			counts[e]++
			tokens++
		}
	}
	if tokens == 0 {
		return cut, nil
	}
	one := ownShare / (1 - ownShare) * v.total() / tokens
	for e, n := range counts {
		e.count += one * (n - discount)
	}
	return cut, nil
}

// corpusFiles are the files of our text.
const corpusFiles = "corpus*.txt"

// sentences reads our text: what stands between characters that are not Chinese is one sentence.
func sentences(lists string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(lists, corpusFiles))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range names {
		err := lines(name, func(line string) error {
			out = append(out, strings.FieldsFunc(line, func(r rune) bool { return !unicode.Is(unicode.Han, r) })...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (v *vocabulary) cutAll(text []string) [][]*entry {
	total := v.total()
	out := make([][]*entry, len(text))
	for i, s := range text {
		out[i] = v.cut([]rune(s), total)
	}
	return out
}

// cut cuts a text into its likeliest words.
func (v *vocabulary) cut(s []rune, total float64) []*entry {
	best := make([]float64, len(s)+1)
	from := make([]*entry, len(s)+1)
	for i := range best[1:] {
		best[i+1] = math.Inf(1)
	}
	for i := range s {
		for n := 1; n <= min(max(1, v.longest[s[i]]), len(s)-i); n++ {
			e, ok := v.words[string(s[i:i+n])]
			if !ok {
				continue
			}
			if c := best[i] - math.Log(e.count/total); c < best[i+n] {
				best[i+n], from[i+n] = c, e
			}
		}
	}
	var out []*entry
	for i := len(s); i > 0; {
		e := from[i]
		if e == nil {
			return nil
		}
		out = append(out, e)
		i -= len([]rune(e.text))
	}
	slices.Reverse(out)
	return out
}

// classModel finds what the class before adds to the cost of a word: the logarithm of how much likelier its class is
// there than anywhere, mixed with no knowledge.
func classModel(corpus [][]*entry) []int16 {
	k := len(classes)
	pair := make([]float64, k*k)
	before, any, n := make([]float64, k), make([]float64, k), 0.0
	for _, s := range corpus {
		if len(s) == 0 {
			continue
		}
		last := dict.Start
		for _, e := range s {
			pair[int(last)*k+int(e.class)]++
			before[last]++
			any[e.class]++
			n++
			last = e.class
		}
		pair[int(last)*k+int(dict.Start)]++
		before[last]++
		any[dict.Start]++
		n++
	}
	out := make([]int16, k*k)
	for a := range k {
		for b := range k {
			alone := (any[b] + 0.5) / (n + 0.5*float64(k))
			const faith = 20 // seen so often, classes are believed half
			given := (pair[a*k+b] + faith*alone) / (before[a] + faith)
			out[a*k+b] = int16(cost(classPart*given/alone + 1 - classPart))
		}
	}
	return out
}

// pairs finds which words follow which, from our text, and which begin and end sentences. The cost of a pair mixes what was
// seen with what the classes say, by how many different words were seen after the first (Witten and Bell).
func (v *vocabulary) pairs(t *dict.Trie, corpus [][]*entry, follow []int16) ([]dict.Pair, []dict.Leave) {
	type two struct{ a, b *entry }
	edge := &entry{class: dict.Start}
	seen := map[two]float64{}
	after, kinds := map[*entry]float64{}, map[*entry]float64{}
	for _, s := range corpus {
		if len(s) == 0 {
			continue
		}
		last := edge
		for _, e := range append(slices.Clip(s), edge) {
			p := two{last, e}
			if seen[p] == 0 {
				kinds[p.a]++
			}
			seen[p]++
			after[p.a]++
			last = e
		}
	}
	number := v.numbers(t)
	number[edge.text] = []uint32{uint32(t.Len())}
	total := v.total()
	var pairs []dict.Pair
	var leave []dict.Leave
	for p, n := range seen {
		share := after[p.a] / (after[p.a] + follows*kinds[p.a])
		alone := p.b.count / total
		if p.b == edge {
			alone = math.Exp(-float64(dict.EndCost) / float64(dict.Unit))
		}
		alone *= math.Exp(-float64(follow[int(p.a.class)*len(classes)+int(p.b.class)]) / float64(dict.Unit))
		c := cost(min(1, share*n/after[p.a]+(1-share)*alone))
		for _, a := range number[p.a.text] {
			for _, b := range number[p.b.text] {
				pairs = append(pairs, dict.Pair{Before: a, Word: b, Cost: uint16(max(1, c))})
			}
		}
	}
	for e, n := range after {
		share := n / (n + follows*kinds[e])
		for _, a := range number[e.text] {
			leave = append(leave, dict.Leave{Before: a, Cost: int16(cost(1 - share))})
		}
	}
	slices.SortFunc(pairs, func(x, y dict.Pair) int {
		return cmp.Or(cmp.Compare(x.Before, y.Before), cmp.Compare(x.Word, y.Word))
	})
	slices.SortFunc(leave, func(x, y dict.Leave) int { return cmp.Compare(x.Before, y.Before) })
	return pairs, leave
}

// numbers finds the words of the trie by their text: under their chief reading.
func (v *vocabulary) numbers(t *dict.Trie) map[string][]uint32 {
	out := make(map[string][]uint32, t.Len())
	for w := range uint32(t.Len()) {
		text := t.Text(w)
		if old := out[text]; len(old) > 0 {
			if t.Cost(w) < t.Cost(old[0]) {
				old[0] = w
			}
			continue
		}
		out[text] = []uint32{w}
	}
	return out
}
