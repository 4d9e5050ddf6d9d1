package receipt

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"bianmin/offline/canon"
)

// PayloadVersion is the version of both payloads, their first element.
const PayloadVersion = 1

// Stages, the second element of a payload.
const (
	StageStation  = 1 // 收件回执: the station took it in
	StagePlatform = 2 // 受理通知书: the platform accepted it
)

// Limits of texts, in characters (code points). MaxItem is part of the format; so are the others.
const (
	MaxItem     = 16
	MaxName     = 8
	MaxOfficial = 50 // 办件编号 has 43 characters today
)

// Bounds of numbers. They are what every reader, a browser's included, holds without loss.
const (
	maxSeq    = 1<<53 - 1
	maxAt     = 253402300799 // the last second of the year 9999
	maxDue    = 2932896      // the last day of the year 9999
	maxBytes  = 320          // largest envelope read; the largest that Sign makes is smaller
	prevBytes = 8
)

// ErrPayload reports bytes that are not a payload of a known version and stage, or break one of its rules.
var ErrPayload = errors.New("receipt: not a receipt payload")

// Stage1 is what a 收件回执 says. On the wire it is the array
// [1, 1, device, seq, at, quality, item, name, prev, due or null].
type Stage1 struct {
	Device  uint32  // device number, from 1
	Seq     uint64  // number of the record in the device's journal, from 1
	At      int64   // wall clock of the device, Unix seconds
	Quality uint8   // of that clock: 0 never confirmed, 1 at least, 2 exact since the last signed time
	Item    string  // name of the service item, 1 to 16 characters
	Name    string  // masked name of the applicant, at most 8 characters
	Prev    [8]byte // first bytes of the hash of the record before: ties the receipt into the chain
	Due     int32   // promised day, days since 1970-01-01; 0 when none is promised
}

// Stage2 is what a 受理通知书 says. On the wire it is the array [1, 2, device, seq, of, officialNo, at, due or null, item].
type Stage2 struct {
	Device     uint32  // device that took the case in
	Seq        uint64  // number of its record
	Of         [8]byte // first bytes of SM3 over the stage-1 payload
	OfficialNo string  // 办件编号, at most 50 printable ASCII characters
	At         int64   // when the platform accepted, Unix seconds
	Due        int32   // day by which it must be decided, days since 1970-01-01; 0 when none is set
	Item       string  // name of the service item, 1 to 16 characters
}

type wire1 struct {
	_        struct{} `cbor:",toarray"`
	V, Stage uint8
	Device   uint32
	Seq      uint64
	At       int64
	Quality  uint8
	Item     string
	Name     string
	Prev     []byte
	Due      *int32
}

type wire2 struct {
	_          struct{} `cbor:",toarray"`
	V, Stage   uint8
	Device     uint32
	Seq        uint64
	Of         []byte
	OfficialNo string
	At         int64
	Due        *int32
	Item       string
}

func dueOrNull(d int32) *int32 {
	if d == 0 {
		return nil
	}
	return &d
}

func nullOrDue(d *int32) int32 {
	if d == nil {
		return 0
	}
	return *d
}

// Payload returns the bytes to sign. Item and Name are put through Fit first, so that no name keeps a citizen waiting;
// numbers out of their bounds are caught by Sign.
func (r Stage1) Payload() []byte {
	return canon.MustMarshal(wire1{
		V: PayloadVersion, Stage: StageStation, Device: r.Device, Seq: r.Seq, At: r.At, Quality: r.Quality,
		Item: Fit(r.Item, MaxItem), Name: Fit(r.Name, MaxName), Prev: r.Prev[:], Due: dueOrNull(r.Due),
	})
}

// Payload returns the bytes to sign. Item is put through Fit first.
func (r Stage2) Payload() []byte {
	return canon.MustMarshal(wire2{
		V: PayloadVersion, Stage: StagePlatform, Device: r.Device, Seq: r.Seq, Of: r.Of[:], OfficialNo: r.OfficialNo,
		At: r.At, Due: dueOrNull(r.Due), Item: Fit(r.Item, MaxItem),
	})
}

// ParsePayload reads a payload and returns a Stage1 or a Stage2. It is strict: ErrPayload for anything that Payload
// would not write, byte for byte, and for numbers and texts out of their bounds.
func ParsePayload(data []byte) (any, error) {
	if len(data) < 3 || len(data) > maxBytes || data[1] != PayloadVersion {
		return nil, fmt.Errorf("%w: version", ErrPayload)
	}
	switch data[2] {
	case StageStation:
		return parse1(data)
	case StagePlatform:
		return parse2(data)
	}
	return nil, fmt.Errorf("%w: stage %d", ErrPayload, data[2])
}

func parse1(data []byte) (any, error) {
	var w wire1
	if err := canon.Unmarshal(data, &w); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	r := Stage1{
		Device: w.Device, Seq: w.Seq, At: w.At, Quality: w.Quality, Item: w.Item, Name: w.Name, Due: nullOrDue(w.Due),
	}
	if err := bounds(w.Device, w.Seq, w.At, w.Due, w.Item, w.Prev); err != nil {
		return nil, err
	}
	if w.Quality > 2 {
		return nil, fmt.Errorf("%w: clock quality %d", ErrPayload, w.Quality)
	}
	if w.Name != Fit(w.Name, MaxName) {
		return nil, fmt.Errorf("%w: name", ErrPayload)
	}
	r.Prev = [prevBytes]byte(w.Prev)
	return r, nil
}

func parse2(data []byte) (any, error) {
	var w wire2
	if err := canon.Unmarshal(data, &w); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	r := Stage2{
		Device: w.Device, Seq: w.Seq, OfficialNo: w.OfficialNo, At: w.At, Due: nullOrDue(w.Due), Item: w.Item,
	}
	if err := bounds(w.Device, w.Seq, w.At, w.Due, w.Item, w.Of); err != nil {
		return nil, err
	}
	if len(w.OfficialNo) == 0 || len(w.OfficialNo) > MaxOfficial {
		return nil, fmt.Errorf("%w: official number", ErrPayload)
	}
	for i := range len(w.OfficialNo) {
		if c := w.OfficialNo[i]; c <= ' ' || c > '~' {
			return nil, fmt.Errorf("%w: official number", ErrPayload)
		}
	}
	r.Of = [prevBytes]byte(w.Of)
	return r, nil
}

func bounds(device uint32, seq uint64, at int64, due *int32, item string, hash []byte) error {
	switch {
	case device == 0:
		return fmt.Errorf("%w: device 0", ErrPayload)
	case seq == 0 || seq > maxSeq:
		return fmt.Errorf("%w: seq %d", ErrPayload, seq)
	case at < 0 || at > maxAt:
		return fmt.Errorf("%w: time %d", ErrPayload, at)
	case due != nil && (*due < 1 || *due > maxDue):
		return fmt.Errorf("%w: due day %d", ErrPayload, *due)
	case len(hash) != prevBytes:
		return fmt.Errorf("%w: hash of %d bytes", ErrPayload, len(hash))
	case item == "" || item != Fit(item, MaxItem):
		return fmt.Errorf("%w: item", ErrPayload)
	}
	return nil
}

// Fit returns s as a receipt can carry it: at most limit characters, without the characters that a receipt refuses
// (control and format characters, right-to-left scripts and their marks, line separators, tags, noncharacters), which
// could make the page show something else than was signed. Invalid UTF-8 is dropped. What is already fit is returned
// unchanged.
func Fit(s string, limit int) string {
	var b strings.Builder
	n := 0
	for i := 0; i < len(s) && n < limit; {
		r, size := utf8.DecodeRuneInString(s[i:])
		if !(r == utf8.RuneError && size == 1) && !foreign(r) {
			b.WriteRune(r)
			n++
		}
		i += size
	}
	return b.String()
}

// foreign ranges, in order. The page has the same table; TestPageHasTheSameTable compares the two.
var foreignRanges = [][2]rune{
	{0x0000, 0x001f},     // control
	{0x007f, 0x009f},     // control
	{0x00ad, 0x00ad},     // soft hyphen
	{0x034f, 0x034f},     // combining grapheme joiner
	{0x0590, 0x08ff},     // Hebrew, Arabic, Syriac, Thaana, NKo and their marks
	{0x115f, 0x1160},     // Hangul fillers
	{0x17b4, 0x17b5},     // Khmer inherent vowels, invisible
	{0x180b, 0x180f},     // Mongolian selectors
	{0x200b, 0x200f},     // zero width, direction marks
	{0x2028, 0x202e},     // separators, direction overrides
	{0x2060, 0x206f},     // invisible operators, direction isolates
	{0x3164, 0x3164},     // Hangul filler
	{0xd800, 0xdfff},     // surrogates
	{0xfb1d, 0xfdff},     // Hebrew and Arabic forms
	{0xfe70, 0xfeff},     // Arabic forms, byte order mark
	{0xffa0, 0xffa0},     // Hangul filler
	{0xfff0, 0xffff},     // specials, noncharacters
	{0x10800, 0x10fff},   // right-to-left scripts
	{0x1d173, 0x1d17a},   // musical format
	{0x1e800, 0x1efff},   // right-to-left scripts
	{0xe0000, 0xe00ff},   // tags
	{0xe01f0, 0x10ffff},  // unassigned, private planes
	{0x110000, 0x7fffff}, // not Unicode
}

func foreign(r rune) bool {
	for _, f := range foreignRanges {
		if r >= f[0] && r <= f[1] {
			return true
		}
	}
	return r&0xfffe == 0xfffe // noncharacters at the end of each plane
}
