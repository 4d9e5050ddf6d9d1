// Command gen makes the table of stroke orders from the npm package cnchar-order: for each character its strokes as the
// five keys of a stroke keyboard, commonest characters first, as the dictionary of the pinyin input method counts them.
//
// The same inputs give the same bytes.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"bianmin/offline/pinyin/dict"
)

// classes are the strokes of cnchar-order as those of the five keys: 1 横 and 提, 2 竖 and 竖钩, 3 撇, 4 点 and 捺; every
// other one is a turning, 5.
var classes = map[rune]byte{'j': '1', 'i': '1', 'f': '2', 'g': '2', 's': '3', 'k': '4', 'd': '4', 'l': '4'}

func main() {
	log.SetFlags(0)
	src := flag.String("src", "packaging/stroke/node_modules/cnchar-order/cnchar.order.min.js", "the package's script")
	out := flag.String("out", "offline/pinyin/stroke/strokes.txt", "file to write")
	flag.Parse()
	data, err := Build(*src)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, data, 0o644); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d bytes\n", *out, len(data))
}

var table = regexp.MustCompile(`JSON\.parse\('(\{"[^']*\})'\)`)

// Build makes the table: a line a character, the character and its keys.
func Build(src string) ([]byte, error) {
	script, err := os.ReadFile(src)
	if err != nil {
		return nil, err
	}
	found := table.FindSubmatch(script)
	if found == nil {
		return nil, errors.New("the script has no table of orders")
	}
	var orders map[string]string
	if err := json.Unmarshal(found[1], &orders); err != nil {
		return nil, fmt.Errorf("table of orders: %w", err)
	}
	costs := common()
	chars := make([]string, 0, len(orders))
	for c := range orders {
		if utf8.RuneCountInString(c) == 1 {
			chars = append(chars, c)
		}
	}
	cost := func(c string) dict.Cost {
		if x, ok := costs[c]; ok {
			return x
		}
		return math.MaxInt32
	}
	slices.SortFunc(chars, func(a, b string) int { return cmp.Or(cmp.Compare(cost(a), cost(b)), cmp.Compare(a, b)) })
	var b bytes.Buffer
	for _, c := range chars {
		b.WriteString(c)
		for _, s := range strings.ToLower(orders[c]) {
			key, ok := classes[s]
			if !ok {
				key = '5'
			}
			b.WriteByte(key)
		}
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

// common returns what each character costs in the dictionary, in its commonest reading.
func common() map[string]dict.Cost {
	d := dict.Load()
	out := make(map[string]dict.Cost)
	for i := range d.Syllables {
		node, ok := d.Words.Find(0, uint16(i))
		if !ok {
			continue
		}
		for w, end := d.Words.Words(node); w < end; w++ {
			text := d.Words.Text(w)
			if c, known := out[text]; !known || d.Words.Cost(w) < c {
				out[text] = d.Words.Cost(w)
			}
		}
	}
	return out
}
