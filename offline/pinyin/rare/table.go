package rare

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
)

//go:embed table.zst
var packed []byte

// ErrFormat reports bytes that are not a packed table.
var ErrFormat = errors.New("not a table of characters")

const (
	version   = 1
	maxPlain  = 16 << 20
	mostChars = 200_000
)

// Char is what is known of a character. Fields that nobody has published are zero: docs/rare.md says how many.
type Char struct {
	Rune    rune
	Pinyin  []string // with tones, the usual reading first
	Strokes int      // all strokes
	Radical int      // 1 to 214
	Rest    int      // strokes beside the radical
	Parts   string   // ideographic description sequence: ⿰木辰
}

// Code returns the code point as people write it: U+20BB7.
func (c Char) Code() string { return fmt.Sprintf("U+%04X", c.Rune) }

// Table holds the characters. It may be used from any goroutine.
type Table struct {
	runes    []rune // sorted
	strokes  []uint8
	radical  []uint8
	rest     []uint8
	readings lines
	parts    lines

	byPart   func() map[rune][]int32 // of each part: the characters that have it directly
	bySound  func() []sound
	contents sync.Map // place of character: map[rune]int of all its parts at any depth
}

// sound is a syllable without its tone and who is read so.
type sound struct {
	letters string
	chars   []int32
}

// lines are short texts kept as one.
type lines struct {
	text string
	end  []uint32
}

func (l *lines) at(i int) string {
	from := uint32(0)
	if i > 0 {
		from = l.end[i-1]
	}
	return l.text[from:l.end[i]]
}

// Load opens the table that the program carries, once. The file is part of the program: a fault in it is a fault of the
// program, so Load panics.
var Load = sync.OnceValue(func() *Table {
	t, err := Open(packed)
	if err != nil {
		panic(err)
	}
	return t
})

// Unified reports whether r is one of the characters the table is about: the unified ideographs, not their compatibility
// forms, and 〇.
func Unified(r rune) bool {
	switch {
	case r >= 0x4E00 && r <= 0x9FFF, r >= 0x3400 && r <= 0x4DBF, r == '〇':
		return true
	case r >= 0x20000 && r <= 0x2EE5D, r >= 0x30000 && r <= 0x3FFFD:
		return true
	case r >= 0xFA0E && r <= 0xFA29: // twelve of the compatibility block are unified ones
		return strings.ContainsRune("\uFA0E\uFA0F\uFA11\uFA13\uFA14\uFA1F\uFA21\uFA23\uFA24\uFA27\uFA28\uFA29", r)
	}
	return false
}

// Pack makes the file of characters that are sorted by code point. The same characters give the same bytes.
func Pack(chars []Char) ([]byte, error) {
	plain := binary.AppendUvarint(nil, version)
	plain = binary.AppendUvarint(plain, uint64(len(chars)))
	var strokes, radical, rest, readings, parts []byte
	last := rune(0)
	for _, c := range chars {
		if c.Rune <= last || c.Strokes > 255 || c.Radical > 255 || c.Rest > 255 || c.Strokes < 0 || c.Radical < 0 || c.Rest < 0 {
			return nil, fmt.Errorf("pack characters: %U does not fit", c.Rune)
		}
		plain = binary.AppendUvarint(plain, uint64(c.Rune-last))
		last = c.Rune
		strokes, radical, rest = append(strokes, byte(c.Strokes)), append(radical, byte(c.Radical)), append(rest, byte(c.Rest))
		readings = append(append(readings, strings.Join(c.Pinyin, " ")...), '\n')
		parts = append(append(parts, known(c.Parts)...), '\n')
	}
	for _, col := range [][]byte{strokes, radical, rest, readings, parts} {
		plain = binary.AppendUvarint(plain, uint64(len(col)))
		plain = append(plain, col...)
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(4<<20))
	if err != nil {
		return nil, fmt.Errorf("pack characters: %w", err)
	}
	defer z.Close()
	return z.EncodeAll(plain, nil), nil
}

// known writes ？ for the parts of a sequence that are no characters: {12}.
func known(parts string) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(parts, '{')
		end := strings.IndexByte(parts, '}')
		if open < 0 || end < open {
			b.WriteString(parts)
			return b.String()
		}
		b.WriteString(parts[:open])
		b.WriteRune('？')
		parts = parts[end+1:]
	}
}

// Open opens a packed table. It returns an error that is ErrFormat when data is not one.
func Open(data []byte) (*Table, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPlain), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("open characters: %w", err)
	}
	defer z.Close()
	rest, err := z.DecodeAll(data, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	number := func() uint64 {
		n, k := binary.Uvarint(rest)
		if k <= 0 {
			err = ErrFormat
			return 0
		}
		rest = rest[k:]
		return n
	}
	if v := number(); v != version || err != nil {
		return nil, fmt.Errorf("%w: version %d", ErrFormat, v)
	}
	n := number()
	if n == 0 || n > mostChars || n > uint64(len(rest)) {
		return nil, fmt.Errorf("%w: %d characters", ErrFormat, n)
	}
	t := &Table{runes: make([]rune, n)}
	last := uint64(0)
	for i := range t.runes {
		last += number()
		if last > utf8.MaxRune {
			return nil, fmt.Errorf("%w: character %d", ErrFormat, i)
		}
		t.runes[i] = rune(last)
	}
	column := func() []byte {
		size := number()
		if err != nil || size > uint64(len(rest)) {
			err = ErrFormat
			return nil
		}
		c := rest[:size:size]
		rest = rest[size:]
		return c
	}
	t.strokes, t.radical, t.rest = slices.Clone(column()), slices.Clone(column()), slices.Clone(column())
	readings, parts := column(), column()
	if err != nil || len(t.strokes) != len(t.runes) || len(t.radical) != len(t.runes) || len(t.rest) != len(t.runes) {
		return nil, fmt.Errorf("%w: columns do not fit", ErrFormat)
	}
	if t.readings, err = cut(string(readings), len(t.runes)); err != nil {
		return nil, err
	}
	if t.parts, err = cut(string(parts), len(t.runes)); err != nil {
		return nil, err
	}
	t.byPart = sync.OnceValue(t.indexParts)
	t.bySound = sync.OnceValue(t.indexSounds)
	return t, nil
}

// cut takes the line breaks out of a text of n lines.
func cut(text string, n int) (lines, error) {
	l := lines{end: make([]uint32, 0, n)}
	var b strings.Builder
	b.Grow(len(text))
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimSuffix(line, "\n"))
		l.end = append(l.end, uint32(b.Len()))
	}
	if len(l.end) != n || !utf8.ValidString(text) {
		return l, fmt.Errorf("%w: %d lines for %d characters", ErrFormat, len(l.end), n)
	}
	l.text = b.String()
	return l, nil
}

// Len returns how many characters there are.
func (t *Table) Len() int { return len(t.runes) }

// Info returns what is known of r; false when it is not in the table.
func (t *Table) Info(r rune) (Char, bool) {
	i, ok := t.place(r)
	if !ok {
		return Char{}, false
	}
	return t.char(i), true
}

func (t *Table) place(r rune) (int32, bool) {
	i, ok := slices.BinarySearch(t.runes, r)
	return int32(i), ok
}

func (t *Table) char(i int32) Char {
	return Char{
		Rune: t.runes[i], Pinyin: strings.Fields(t.readings.at(int(i))), Strokes: int(t.strokes[i]),
		Radical: int(t.radical[i]), Rest: int(t.rest[i]), Parts: t.parts.at(int(i)),
	}
}
