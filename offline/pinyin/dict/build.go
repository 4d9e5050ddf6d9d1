package dict

import (
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/canon"
)

// Source is what a dictionary is made of.
type Source struct {
	Syllables []string // sorted
	Words     []Word   // of at most 8 characters, as many as syllables
	Classes   int
	Follow    []int16 // Classes × Classes
	Names     Names

	// Pairs, when set, is called with the trie of the words and returns which follow which.
	Pairs func(*Trie) ([]Pair, []Leave)
}

// Pack makes the file. The same source gives the same bytes.
func Pack(s Source) ([]byte, error) {
	words := slices.Clone(s.Words)
	slices.SortStableFunc(words, func(a, b Word) int { return compare(&a, &b) })
	f := file{Version: Version, Syllables: s.Syllables, Classes: uint(s.Classes), Follow: s.Follow, Names: s.Names}
	places := make([]map[rune]int, len(s.Syllables))
	chars := make([][]rune, len(s.Syllables))
	for i := range places {
		places[i] = make(map[rune]int)
	}
	place := func(syl uint16, r rune) int {
		p, ok := places[syl][r]
		if !ok {
			p = len(chars[syl])
			places[syl][r] = p
			chars[syl] = append(chars[syl], r)
		}
		return p
	}
	for _, w := range words { // single characters first, the usual ones before the rare
		if len(w.Syl) == 1 {
			place(w.Syl[0], []rune(w.Text)[0])
		}
	}
	var before []uint16
	for _, w := range words {
		rs := []rune(w.Text)
		if len(rs) != len(w.Syl) || len(rs) == 0 || len(rs) > maxLength {
			return nil, fmt.Errorf("pack dictionary: word %q has %d syllables", w.Text, len(w.Syl))
		}
		same := 0
		for same < len(before) && same < len(w.Syl) && before[same] == w.Syl[same] {
			same++
		}
		f.Same = append(f.Same, byte(same))
		f.Rest = append(f.Rest, byte(len(w.Syl)-same))
		for _, x := range w.Syl[same:] {
			f.Syl, f.SylHigh = append(f.Syl, byte(x)), append(f.SylHigh, byte(x>>8))
		}
		for i, r := range rs {
			c := place(w.Syl[i], r)
			f.Char, f.CharHigh = append(f.Char, byte(c)), append(f.CharHigh, byte(c>>8))
		}
		c := clamp(w.Cost)
		f.Cost, f.CostHigh = append(f.Cost, byte(c)), append(f.CostHigh, byte(c>>8))
		f.Class = append(f.Class, w.Class)
		before = w.Syl
	}
	for _, c := range chars {
		f.Chars = append(f.Chars, string(c))
	}
	if s.Pairs != nil {
		unpacked, err := f.words()
		if err != nil {
			return nil, err
		}
		f.Pairs, f.Leave = s.Pairs(compact(unpacked))
	}
	plain, err := canon.Marshal(&f)
	if err != nil {
		return nil, fmt.Errorf("pack dictionary: %w", err)
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8<<20))
	if err != nil {
		return nil, fmt.Errorf("pack dictionary: %w", err)
	}
	defer z.Close()
	return z.EncodeAll(plain, nil), nil
}
