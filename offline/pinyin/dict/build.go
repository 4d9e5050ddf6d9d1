package dict

import (
	"encoding/binary"
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
	h := head{Version: Version, Syllables: s.Syllables, Classes: uint(s.Classes), Follow: s.Follow, Names: s.Names}
	var cols [columns][]byte
	put := func(col int, n int) { cols[col] = append(cols[col], byte(n)) }
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
		put(colSame, same)
		put(colRest, len(w.Syl)-same)
		for _, x := range w.Syl[same:] {
			put(colSyl, int(x))
			put(colSylHigh, int(x>>8))
		}
		for i, r := range rs {
			c := place(w.Syl[i], r)
			put(colChar, c)
			put(colCharHigh, c>>8)
		}
		c := int(clamp(w.Cost))
		put(colCost, c)
		put(colCostHigh, c>>8)
		put(colClass, int(w.Class))
		before = w.Syl
	}
	for _, c := range chars {
		h.Chars = append(h.Chars, string(c))
	}
	if s.Pairs != nil {
		t, err := h.words(cols)
		if err != nil {
			return nil, err
		}
		pairs, leave := s.Pairs(t)
		var last Pair
		for _, p := range pairs {
			cols[colPairs] = binary.AppendVarint(cols[colPairs], int64(p.Before)-int64(last.Before))
			cols[colPairs] = binary.AppendVarint(cols[colPairs], int64(p.Word)-int64(last.Word))
			cols[colPairs] = binary.AppendVarint(cols[colPairs], int64(p.Cost))
			last = p
		}
		from := uint32(0)
		for _, l := range leave {
			cols[colLeave] = binary.AppendVarint(cols[colLeave], int64(l.Before)-int64(from))
			cols[colLeave] = binary.AppendVarint(cols[colLeave], int64(l.Cost))
			from = l.Before
		}
	}
	for _, c := range cols {
		h.Columns = append(h.Columns, uint(len(c)))
	}
	b, err := canon.Marshal(&h)
	if err != nil {
		return nil, fmt.Errorf("pack dictionary: %w", err)
	}
	plain := append(binary.AppendUvarint(nil, uint64(len(b))), b...)
	for _, c := range cols {
		plain = append(plain, c...)
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(4<<20))
	if err != nil {
		return nil, fmt.Errorf("pack dictionary: %w", err)
	}
	defer z.Close()
	return z.EncodeAll(plain, nil), nil
}
