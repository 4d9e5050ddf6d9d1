// Package dict is the dictionary of the pinyin input method: words with their syllables and costs, which word follows
// which, and how people are named.
//
// The file beside this package is made by packaging/pinyin from free sources (LICENSES.txt) and opened when it is first
// needed. Everything in memory is a handful of flat arrays. All values are immutable and may be used from any goroutine.
package dict

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/canon"
)

//go:embed words.zst
var packed []byte

// Version of the file's format.
const Version = 1

// Limits of a dictionary; an opened one holds them.
const (
	maxLength = 8        // characters of a word
	maxPlain  = 24 << 20 // bytes of the file when unpacked
)

// ErrFormat reports a file that is no dictionary, or one of another version.
var ErrFormat = errors.New("dict: not a dictionary")

// Dict is an opened dictionary.
type Dict struct {
	Syllables []string // in the order of letters, ü as v; a syllable's number is its place
	Words     *Trie
	Names     Names

	classes int
	follow  []int16           // class before × class: what is added to the cost of the second
	pairs   map[uint64]uint16 // word before, word: the cost of the second
	leave   map[uint32]int16  // word before: what is added for a word that no pair names
	numbers map[string]uint16
}

// Word classes that others need to know; the file has more.
const (
	Start       uint8 = iota // what stands before the first word, and after the last
	Noun                     // nouns
	Person                   // persons' names
	Place                    // names of places
	Institution              // names of institutions
)

// None stands for no word.
const None = ^uint32(0)

// head is the first part of what is packed, in CBOR; the columns of words and pairs follow it as they are. Words stand in
// the order of their syllables; each keeps only what it does not share with the one before.
type head struct {
	_         struct{} `cbor:",toarray"`
	Version   uint
	Syllables []string
	Chars     []string // of each syllable, the characters read so
	Classes   uint
	Follow    []int16
	Names     Names
	Columns   []uint // bytes of each column
}

// The columns.
const (
	colSame     = iota // of each word: leading syllables shared with the word before
	colRest            // of each word: how many more it has
	colSyl             // those, low bytes
	colSylHigh         // and high bytes
	colChar            // of each character: its place among those of its syllable, low bytes
	colCharHigh        // and high bytes
	colCost            // of each word, low bytes
	colCostHigh        // and high bytes
	colClass           // of each word
	colPairs           // numbers, each the difference to the one before: word before, word, cost
	colLeave           // numbers: word before, as difference; cost
	columns
)

// Pair says what a word costs after another. Words are numbered as in the trie; the number after the last of them stands for
// the edge of a sentence: as Before for its beginning, as Word for its end.
type Pair struct {
	Before uint32
	Word   uint32
	Cost   uint16
}

// Leave says what is added after a word that has pairs, for a word that is in none of them.
type Leave struct {
	Before uint32
	Cost   int16
}

// Load opens the dictionary that the program carries, once. The file is part of the program: a fault in it is a fault of
// the program, so Load panics.
var Load = sync.OnceValue(Fresh)

// Fresh opens the dictionary that the program carries, as Load does, but anew.
func Fresh() *Dict {
	d, err := Open(packed)
	if err != nil {
		panic(err)
	}
	return d
}

// Open opens a packed dictionary. It returns an error that is ErrFormat when data is not one.
func Open(data []byte) (*Dict, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPlain), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("open dictionary: %w", err)
	}
	defer z.Close()
	plain, err := z.DecodeAll(data, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	n, k := binary.Uvarint(plain)
	if k <= 0 || n > uint64(len(plain)-k) {
		return nil, fmt.Errorf("%w: head", ErrFormat)
	}
	var h head
	if err := canon.Unmarshal(plain[k:k+int(n)], &h); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if h.Version != Version {
		return nil, fmt.Errorf("%w: version %d", ErrFormat, h.Version)
	}
	var cols [columns][]byte
	rest := plain[k+int(n):]
	if len(h.Columns) != columns {
		return nil, fmt.Errorf("%w: %d columns", ErrFormat, len(h.Columns))
	}
	for i, size := range h.Columns {
		if size > uint(len(rest)) {
			return nil, fmt.Errorf("%w: column %d", ErrFormat, i)
		}
		cols[i], rest = rest[:size], rest[size:]
	}
	return h.open(cols)
}

func (h *head) open(cols [columns][]byte) (*Dict, error) {
	d := &Dict{Syllables: h.Syllables, Names: h.Names, classes: int(h.Classes), follow: h.Follow}
	if len(h.Chars) != len(h.Syllables) || len(h.Follow) != d.classes*d.classes || d.classes > 256 || !slices.IsSorted(h.Syllables) {
		return nil, fmt.Errorf("%w: tables do not fit", ErrFormat)
	}
	var err error
	if d.Words, err = h.words(cols); err != nil {
		return nil, err
	}
	if err := d.openPairs(cols[colPairs], cols[colLeave]); err != nil {
		return nil, err
	}
	d.number()
	if err := d.Names.check(d); err != nil {
		return nil, err
	}
	return d, nil
}

// numbers reads a column of signed numbers.
func numbers(col []byte, fn func(n []int64) error, at int) error {
	group := make([]int64, 0, at)
	for len(col) > 0 {
		n, k := binary.Varint(col)
		if k <= 0 {
			return fmt.Errorf("%w: numbers", ErrFormat)
		}
		col = col[k:]
		if group = append(group, n); len(group) == at {
			if err := fn(group); err != nil {
				return err
			}
			group = group[:0]
		}
	}
	return nil
}

func (d *Dict) openPairs(pairs, leave []byte) error {
	d.pairs = make(map[uint64]uint16, len(pairs)/5)
	d.leave = make(map[uint32]int16, len(leave)/3)
	var before, word int64
	err := numbers(pairs, func(n []int64) error {
		before, word = before+n[0], word+n[1]
		if min(before, word) < 0 || max(before, word) > int64(d.Words.Len()) || n[2] < 0 || n[2] > 1<<16-1 {
			return fmt.Errorf("%w: pair", ErrFormat)
		}
		d.pairs[uint64(before)<<32|uint64(word)] = uint16(n[2])
		return nil
	}, 3)
	if err != nil {
		return err
	}
	before = 0
	return numbers(leave, func(n []int64) error {
		before += n[0]
		d.leave[uint32(before)] = int16(n[1])
		return nil
	}, 2)
}

// words lays out the words. Every length and place is checked before it is used.
func (h *head) words(cols [columns][]byte) (*Trie, error) {
	n := len(cols[colSame])
	total := len(cols[colChar])
	if len(cols[colRest]) != n || len(cols[colCost]) != n || len(cols[colCostHigh]) != n || len(cols[colClass]) != n ||
		len(cols[colSyl]) != len(cols[colSylHigh]) || total != len(cols[colCharHigh]) {
		return nil, fmt.Errorf("%w: columns of words do not fit", ErrFormat)
	}
	chars := make([][]uint16, len(h.Chars)) // of syllable: its characters as places in runes
	place := make(map[rune]uint16)
	var runes []rune
	for i, s := range h.Chars {
		for _, r := range s {
			p, ok := place[r]
			if !ok {
				p = uint16(len(runes))
				place[r] = p
				runes = append(runes, r)
			}
			chars[i] = append(chars[i], p)
		}
	}
	var b builder
	var held [maxLength]uint16
	length, atSyl, atChar := 0, 0, 0
	for i := range n {
		same, rest := int(cols[colSame][i]), int(cols[colRest][i])
		now := same + rest
		if same > length || now == 0 || now > maxLength || atSyl+rest > len(cols[colSyl]) || atChar+now > total || uint(cols[colClass][i]) >= h.Classes {
			return nil, fmt.Errorf("%w: word %d", ErrFormat, i)
		}
		for k := same; k < now; k++ {
			held[k] = uint16(cols[colSyl][atSyl]) | uint16(cols[colSylHigh][atSyl])<<8
			atSyl++
		}
		length = now
		l := b.add(same, held[:now], Cost(cols[colCost][i])|Cost(cols[colCostHigh][i])<<8, cols[colClass][i])
		for _, s := range held[:now] {
			c := int(cols[colChar][atChar]) | int(cols[colCharHigh][atChar])<<8
			atChar++
			if int(s) >= len(chars) || c >= len(chars[s]) {
				return nil, fmt.Errorf("%w: word %d", ErrFormat, i)
			}
			l.chars = append(l.chars, chars[s][c])
		}
	}
	t := b.trie()
	t.runes = runes
	t.from, t.start = make([]uint32, maxLength+2), make([]uint32, maxLength+2)
	t.chars = make([]uint16, 0, total)
	words := uint32(0)
	for i := range maxLength {
		t.from[i+1], t.start[i+1] = words, uint32(len(t.chars))
		if i < len(b.levels) {
			words += uint32(len(b.levels[i].node))
			t.chars = append(t.chars, b.levels[i].chars...)
		}
	}
	t.from[maxLength+1], t.start[maxLength+1] = words, uint32(len(t.chars))
	return t, nil
}

func (d *Dict) number() {
	d.numbers = make(map[string]uint16, len(d.Syllables))
	for i, s := range d.Syllables {
		d.numbers[s] = uint16(i)
	}
}

// Syllable returns the number of a syllable written in letters.
func (d *Dict) Syllable(s string) (uint16, bool) {
	n, ok := d.numbers[s]
	return n, ok
}

// Syllabled returns the numbers of syllables, or false when one of them is none.
func (d *Dict) Syllabled(syl []string) ([]uint16, bool) {
	out := make([]uint16, len(syl))
	for i, s := range syl {
		n, ok := d.numbers[s]
		if !ok {
			return nil, false
		}
		out[i] = n
	}
	return out, true
}

// Follows returns what a word of the dictionary costs after another one, either of which may be None: then, and when
// the two are not known as a pair, the classes decide. No word of the class Start is the beginning of a sentence, and of the
// two as w its end.
func (d *Dict) Follows(before uint32, beforeClass uint8, w uint32, class uint8, alone Cost) Cost {
	leave := Cost(0)
	if before == None && beforeClass == Start {
		before = uint32(d.Words.Len())
	}
	if w == None && class == Start {
		w = uint32(d.Words.Len())
	}
	if before != None {
		if l, ok := d.leave[before]; ok {
			leave = Cost(l)
			if w != None {
				if c, ok := d.pairs[uint64(before)<<32|uint64(w)]; ok {
					return Cost(c)
				}
			}
		}
	}
	return max(1, alone+leave+Cost(d.follow[int(beforeClass)*d.classes+int(class)]))
}

func appendRune(b []byte, r rune) []byte { return utf8.AppendRune(b, r) }
