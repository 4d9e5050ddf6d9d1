package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	gopinyin "github.com/mozillazg/go-pinyin"

	"bianmin/offline/pinyin/dict"
)

// Weights, in the counts of jieba's list (60 million words of text in all).
const (
	maxWord       = 8     // characters of a word
	leastName     = 60    // a person's name this frequent is a word (李白); the others only teach the name model
	leastAlien    = 20    // the same for foreign names
	leastRare     = 1     // rarer words are left out
	rareReading   = 0.002 // share of a character's uses that a reading without any word gets
	raise         = 10    // added to every word's count: words that are rare in newspapers are less rare at a counter
	alone         = 0.7   // weight of single characters that are no particles: they break up words
	countyCount   = 300
	townCount     = 12
	villageCount  = 3
	leastVillages = 4 // a village's name is kept when so many villages have it
)

// entry is a word under one reading.
type entry struct {
	text  string
	syl   []uint16
	count float64
	class uint8
}

type vocabulary struct {
	syllables []string
	number    map[string]uint16
	words     map[string]*entry  // by text, the chief reading
	chars     map[rune][]reading // readings of single characters, best first
	usable    map[rune]bool      // characters of the standard list
	people    map[string]float64 // persons' names with their counts
	entries   []*entry           // all, in the order of adding
	longest   map[rune]int       // longest word by first character
}

type reading struct {
	syl   uint16
	share float64
}

// readVocabulary reads the words of jieba with the readings of pinyin-pro, and all characters.
func readVocabulary(in Inputs) (*vocabulary, error) {
	v := &vocabulary{number: map[string]uint16{}, words: map[string]*entry{}, chars: map[rune][]reading{}, people: map[string]float64{}, longest: map[rune]int{}}
	if err := v.readStandard(in.Standard); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(in.NPM, "@pinyin-pro/data/json/complete.json"))
	if err != nil {
		return nil, err
	}
	var read map[string][2]any
	if err := json.Unmarshal(raw, &read); err != nil {
		return nil, fmt.Errorf("readings: %w", err)
	}
	v.readSyllables()
	readings := make(map[string][]uint16, len(read))
	for text, e := range read {
		s, _ := e[0].(string)
		if syl, ok := v.syllabled(strings.Fields(plain(s))); ok && len(syl) == len([]rune(text)) {
			readings[text] = syl
		}
	}
	if err := v.readJieba(in.NPM, readings); err != nil {
		return nil, err
	}
	v.readChars(readings)
	return v, nil
}

// readStandard reads the standard list of characters (4 bytes each, packed): words with others in them are left out.
func (v *vocabulary) readStandard(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		return err
	}
	v.usable = map[rune]bool{}
	for i := 0; i+4 <= len(raw); i += 4 {
		v.usable[rune(binary.BigEndian.Uint32(raw[i:]))] = true
	}
	return nil
}

// plain strips tones: lǜ gives lv.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		for _, set := range []string{"aāáǎà", "eēéěèêếềḗ", "iīíǐì", "oōóǒò", "uūúǔù", "vüǖǘǚǜ", "nńňǹ", "mḿ"} {
			if i := strings.IndexRune(set, r); i > 0 {
				return rune(set[0])
			}
		}
		if r == 0x300 || r == 0x304 || r == 0x30C || r == 0x301 {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// readSyllables takes the syllables of Mandarin from the table of characters, those that at least two characters have.
func (v *vocabulary) readSyllables() {
	count := map[string]int{}
	for r := range gopinyin.PinyinDict {
		if !v.usable[rune(r)] {
			continue
		}
		first, _, _ := strings.Cut(gopinyin.PinyinDict[r], ",")
		count[plain(first)]++
	}
	for _, s := range strings.Fields("lve nve ei o yo lo hm ng n m") { // interjections, and what the first readings lack
		count[s]++
	}
	for _, s := range strings.Fields("hm ng n m ê hng") { // cannot be told from initials
		delete(count, s)
	}
	v.syllables = slices.Sorted(maps.Keys(count))
	for i, s := range v.syllables {
		v.number[s] = uint16(i)
	}
}

func (v *vocabulary) syllabled(py []string) ([]uint16, bool) {
	out := make([]uint16, len(py))
	for i, p := range py {
		switch p {
		case "lue":
			p = "lve"
		case "nue":
			p = "nve"
		}
		n, ok := v.number[p]
		if !ok {
			return nil, false
		}
		out[i] = n
	}
	return out, true
}

func (v *vocabulary) readJieba(npm string, readings map[string][]uint16) error {
	f, err := os.Open(filepath.Join(npm, "@node-rs/jieba/dict.txt"))
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	for in.Scan() {
		p := strings.Fields(in.Text())
		if len(p) < 2 {
			continue
		}
		text := p[0]
		count, err := strconv.ParseFloat(p[1], 64)
		if err != nil {
			return fmt.Errorf("jieba: %q: %w", in.Text(), err)
		}
		tag := "x"
		if len(p) > 2 {
			tag = p[2]
		}
		rs := []rune(text)
		if len(rs) > maxWord || !v.standard(rs) {
			continue
		}
		if tag == "nr" || tag == "nrfg" {
			v.people[text] += count
			if count < leastName && len(rs) > 1 {
				continue
			}
		}
		if tag == "nrt" && count < leastAlien || count < leastRare && len(rs) > 1 {
			continue
		}
		syl, ok := readings[text]
		if !ok {
			continue
		}
		if len(rs) > 1 {
			count += raise
		} else if c := classes[class(tag)]; strings.Contains(" n nr ns v a g zg b j nz i s t z x ", " "+c+" ") {
			count *= alone
		}
		v.add(text, syl, count, class(tag))
	}
	return in.Err()
}

func (v *vocabulary) standard(rs []rune) bool {
	for _, r := range rs {
		if !v.usable[r] {
			return false
		}
	}
	return len(rs) > 0
}

// add adds a word or raises its count.
func (v *vocabulary) add(text string, syl []uint16, count float64, class uint8) *entry {
	if e, ok := v.words[text]; ok {
		e.count += count
		return e
	}
	e := &entry{text: text, syl: syl, count: count, class: class}
	v.words[text] = e
	v.entries = append(v.entries, e)
	rs := []rune(text)
	v.longest[rs[0]] = max(v.longest[rs[0]], len(rs))
	return e
}

// readChars finds how often a character is read how: by its words, weighed with their counts. Characters outside the
// standard list are kept as single characters that come last.
func (v *vocabulary) readChars(readings map[string][]uint16) {
	seen := map[rune]map[uint16]float64{}
	for _, e := range v.entries {
		for i, r := range []rune(e.text) {
			if seen[r] == nil {
				seen[r] = map[uint16]float64{}
			}
			seen[r][e.syl[i]] += e.count
		}
	}
	all := slices.Sorted(maps.Keys(gopinyin.PinyinDict))
	for _, c := range all {
		r := rune(c)
		if r > 0xFFFF && !v.usable[r] {
			continue
		}
		total := 0.0
		for _, n := range seen[r] {
			total += n
		}
		var rd []reading
		for i, p := range strings.Split(gopinyin.PinyinDict[c], ",") {
			syl, ok := v.syllabled([]string{plain(p)})
			if !ok || slices.ContainsFunc(rd, func(x reading) bool { return x.syl == syl[0] }) {
				continue
			}
			share := rareReading
			if total > 0 {
				share = max(share, seen[r][syl[0]]/total)
			} else if i == 0 {
				share = 1
			}
			rd = append(rd, reading{syl[0], share})
		}
		for _, syl := range slices.Sorted(maps.Keys(seen[r])) {
			if !slices.ContainsFunc(rd, func(x reading) bool { return x.syl == syl }) {
				rd = append(rd, reading{syl, seen[r][syl] / total})
			}
		}
		if len(rd) == 0 {
			continue
		}
		slices.SortStableFunc(rd, func(a, b reading) int { return cmp.Compare(b.share, a.share) })
		v.chars[r] = rd
		text := string(r)
		if e, ok := v.words[text]; ok {
			if syl, ok := readings[text]; ok { // as a word of its own a character has the reading it is listed with
				for i := range rd {
					if rd[i].syl == syl[0] {
						rd[i].share += 1
					}
				}
				for i := range rd {
					rd[i].share /= 2
				}
				slices.SortStableFunc(rd, func(a, b reading) int { return cmp.Compare(b.share, a.share) })
			}
			e.syl = []uint16{rd[0].syl}
			continue
		}
		count := 0.01
		if v.usable[r] {
			count = 1
		}
		v.add(text, []uint16{rd[0].syl}, count, class("g"))
	}
}

// read returns the syllables of a text by its longest words.
func (v *vocabulary) read(text string) ([]uint16, bool) {
	rs := []rune(text)
	var out []uint16
	for i := 0; i < len(rs); {
		n := min(v.longest[rs[i]], len(rs)-i)
		for ; n > 1; n-- {
			if e, ok := v.words[string(rs[i:i+n])]; ok {
				out = append(out, e.syl...)
				break
			}
		}
		if n <= 1 {
			rd := v.chars[rs[i]]
			if len(rd) == 0 {
				return nil, false
			}
			out = append(out, rd[0].syl)
			n = 1
		}
		i += n
	}
	return out, true
}

func (v *vocabulary) total() float64 {
	sum := 0.0
	for _, e := range v.entries {
		sum += e.count
	}
	return sum
}

func cost(p float64) dict.Cost { return dict.Cost(math.Round(-math.Log(p) * float64(dict.Unit))) }

// dictWords returns all words under all their readings.
func (v *vocabulary) dictWords() []dict.Word {
	total := v.total()
	var out []dict.Word
	for _, e := range v.entries {
		if len(e.syl) > 1 {
			out = append(out, dict.Word{Text: e.text, Syl: e.syl, Cost: cost(e.count / total), Class: e.class})
			continue
		}
		for _, rd := range v.chars[[]rune(e.text)[0]] {
			out = append(out, dict.Word{Text: e.text, Syl: []uint16{rd.syl}, Cost: cost(e.count / total * rd.share), Class: e.class})
		}
	}
	return out
}

// lines calls fn for each line of a file that is not empty and no comment.
func lines(path string, fn func(line string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	for in.Scan() {
		line := strings.TrimSpace(in.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := fn(line); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return in.Err()
}
