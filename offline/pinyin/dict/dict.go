// Package dict is the dictionary of the pinyin input method: words with their syllables and costs, which word follows
// which, and how people are named.
//
// The file beside this package is made by packaging/pinyin from free sources (LICENSES.txt) and opened when it is first
// needed. Everything in memory is a handful of flat arrays. All values are immutable and may be used from any goroutine.
package dict

import (
	_ "embed"
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
	follow  []int16            // class before × class: what is added to the cost of the second
	pairs   map[uint64]uint16  // word before, word: the cost of the second
	leave   map[uint32]int16   // word before: what is added for a word that no pair names
	numbers map[string]uint16
}

// Word classes that others need to know; the file has more.
const (
	Start       uint8 = iota // what stands before the first word
	Noun                     // nouns
	Person                   // persons' names
	Place                    // names of places
	Institution              // names of institutions
)

// None stands for no word.
const None = ^uint32(0)

// file is what is packed: CBOR of this, then zstd. Words stand in the order of their syllables; each keeps only what
// it does not share with the one before, in columns.
type file struct {
	_         struct{} `cbor:",toarray"`
	Version   uint
	Syllables []string
	Chars     []string // of each syllable, the characters read so
	Same      []byte   // of each word: leading syllables shared with the word before
	Rest      []byte   // of each word: how many more it has
	Syl       []byte   // those, low bytes
	SylHigh   []byte   // and high bytes
	Char      []byte   // each character as its place among those of its syllable, low bytes
	CharHigh  []byte
	Cost      []byte
	CostHigh  []byte
	Class     []byte
	Classes   uint
	Follow    []int16
	Pairs     []Pair
	Leave     []Leave
	Names     Names
}

// Pair says what a word costs after another. Words are numbered as in the trie.
type Pair struct {
	_      struct{} `cbor:",toarray"`
	Before uint32
	Word   uint32
	Cost   uint16
}

// Leave says what is added after a word that has pairs, for a word that is in none of them.
type Leave struct {
	_      struct{} `cbor:",toarray"`
	Before uint32
	Cost   int16
}

// Load opens the dictionary that the program carries, once. The file is part of the program: a fault in it is a fault of
// the program, so Load panics.
var Load = sync.OnceValue(func() *Dict {
	d, err := Open(packed)
	if err != nil {
		panic(err)
	}
	return d
})

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
	var f file
	if err := canon.Unmarshal(plain, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if f.Version != Version {
		return nil, fmt.Errorf("%w: version %d", ErrFormat, f.Version)
	}
	return f.open()
}

func (f *file) open() (*Dict, error) {
	d := &Dict{Syllables: f.Syllables, Names: f.Names, classes: int(f.Classes), follow: f.Follow}
	if len(f.Chars) != len(f.Syllables) || len(f.Follow) != d.classes*d.classes || !slices.IsSorted(f.Syllables) {
		return nil, fmt.Errorf("%w: tables do not fit", ErrFormat)
	}
	words, err := f.words()
	if err != nil {
		return nil, err
	}
	d.Words = compact(words)
	d.pairs = make(map[uint64]uint16, len(f.Pairs))
	for _, p := range f.Pairs {
		d.pairs[uint64(p.Before)<<32|uint64(p.Word)] = p.Cost
	}
	d.leave = make(map[uint32]int16, len(f.Leave))
	for _, l := range f.Leave {
		d.leave[l.Before] = l.Cost
	}
	d.number()
	if err := d.Names.check(d); err != nil {
		return nil, err
	}
	return d, nil
}

// packedWord is a word before its text is laid out: eight bytes of text places and of syllables.
type packedWord struct {
	word  Word
	runes []rune
}

// words unpacks the columns. Every length is checked before it is used.
func (f *file) words() ([]packedWord, error) {
	n := len(f.Same)
	if len(f.Rest) != n || len(f.Cost) != n || len(f.CostHigh) != n || len(f.Class) != n ||
		len(f.Syl) != len(f.SylHigh) || len(f.Char) != len(f.CharHigh) {
		return nil, fmt.Errorf("%w: columns of words do not fit", ErrFormat)
	}
	chars := make([][]rune, len(f.Chars))
	for i, s := range f.Chars {
		chars[i] = []rune(s)
	}
	total := len(f.Char)
	allSyl, allRunes := make([]uint16, 0, total), make([]rune, 0, total)
	words := make([]packedWord, n)
	var before []uint16
	atSyl, atChar := 0, 0
	for i := range words {
		same, rest := int(f.Same[i]), int(f.Rest[i])
		if same > len(before) || same+rest == 0 || same+rest > maxLength || atSyl+rest > len(f.Syl) || atChar+same+rest > total {
			return nil, fmt.Errorf("%w: word %d", ErrFormat, i)
		}
		from := len(allSyl)
		allSyl = append(allSyl, before[:same]...)
		for range rest {
			allSyl = append(allSyl, uint16(f.Syl[atSyl])|uint16(f.SylHigh[atSyl])<<8)
			atSyl++
		}
		for _, s := range allSyl[from:] {
			c := int(f.Char[atChar]) | int(f.CharHigh[atChar])<<8
			if int(s) >= len(chars) || c >= len(chars[s]) || int(f.Class[i]) >= int(f.Classes) {
				return nil, fmt.Errorf("%w: word %d", ErrFormat, i)
			}
			allRunes = append(allRunes, chars[s][c])
			atChar++
		}
		w := &words[i]
		w.word.Syl = allSyl[from:len(allSyl):len(allSyl)]
		w.runes = allRunes[from:len(allRunes):len(allRunes)]
		w.word.Cost = Cost(f.Cost[i]) | Cost(f.CostHigh[i])<<8
		w.word.Class = f.Class[i]
		before = w.word.Syl
	}
	return words, nil
}

// compact makes the trie of the dictionary, whose texts are kept as places in a table of characters.
func compact(words []packedWord) *Trie {
	plain := make([]Word, len(words))
	place := make(map[rune]uint16)
	var runes []rune
	for i, w := range words {
		plain[i] = w.word
		for _, r := range w.runes {
			if _, ok := place[r]; !ok {
				place[r] = uint16(len(runes))
				runes = append(runes, r)
			}
		}
	}
	t, order := build(plain)
	t.runes = runes
	t.from = make([]uint32, maxLength+2)
	t.start = make([]uint32, maxLength+2)
	for i, w := range order {
		n := len(words[w].runes)
		for k := n + 1; k < len(t.from); k++ {
			t.from[k] = uint32(i + 1)
		}
		for _, r := range words[w].runes {
			t.chars = append(t.chars, place[r])
		}
		for k := n + 1; k < len(t.start); k++ {
			t.start[k] = uint32(len(t.chars))
		}
	}
	t.from = slices.Clip(t.from)
	return t
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
// the two are not known as a pair, the classes decide.
func (d *Dict) Follows(before uint32, beforeClass uint8, w uint32, class uint8, alone Cost) Cost {
	leave := Cost(0)
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
