package idcard

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"bianmin/offline/ident"
	"bianmin/offline/words"
)

// Kind is what card it is.
type Kind string

// The kinds of card that are read.
const (
	Resident  Kind = "resident"  // 居民身份证
	HMT       Kind = "hmt"       // 港澳台居民居住证, mark J
	Foreigner Kind = "foreigner" // 外国人永久居留身份证 of 2017, mark I
)

// Errors of a card that was read and cannot be used.
var (
	// ErrKind reports a card whose text is laid out in a way that this program does not know.
	ErrKind = words.New("idcard.kind", nil)
	// ErrText reports text on the card that is not what the layout asks for.
	ErrText = words.New("idcard.text", nil)
)

// Card is what a card says. Text is without the blanks that fill it up.
type Card struct {
	Kind     Kind
	Name     string
	Latin    string // name in Latin letters, cards of foreigners
	Sex      string // "M", "F", "" when the card does not say
	Nation   string // 民族, code of GB/T 3304, two digits; residents only
	Country  string // ISO 3166 code of three letters; foreigners only
	Birth    time.Time
	Address  string
	Number   string
	Issuer   string
	From     time.Time
	Until    time.Time // zero: long-term (长期)
	PassNo   string    // 通行证号码, residents of Hong Kong, Macau and Taiwan
	Photo    []byte    // 1,024 bytes, WLT: a closed format, for which there is no open decoder; never kept
	Finger   []byte    // up to 1,024 bytes; never asked for and never kept
	NameFull bool      // the name fills its 15 places on the card: it may go on beyond them
	Private  []rune    // characters of the private-use area in name and address: from old systems, each means something else
	Broken   int       // half characters that were left out of name and address
}

// LogValue keeps the card out of logs.
func (Card) LogValue() slog.Value { return slog.StringValue("[card]") }

// String keeps the card out of formatted text.
func (Card) String() string { return "[card]" }

// GoString keeps the card out of formatted text.
func (Card) GoString() string { return "[card]" }

// Expired reports whether the card is not valid any more on the day of now, China time. The last day is valid.
func (c Card) Expired(now time.Time) bool {
	return !c.Until.IsZero() && ident.Today(now).After(c.Until)
}

// Early reports whether the card is not valid yet.
func (c Card) Early(now time.Time) bool { return !c.From.IsZero() && ident.Today(now).Before(c.From) }

const (
	textSize  = 256 // bytes, UTF-16LE
	photoSize = 1024
	markAt    = 248 // where cards of other kinds have their letter
	nameUnits = 15
	longTerm  = "长期"
)

// field is a place in the text block, in bytes.
type field struct{ at, size int }

// layouts of the text block by kind. A field that is not in a layout is not on such a card.
var layouts = map[Kind]map[string]field{
	Resident: {
		"name": {0, 30}, "sex": {30, 2}, "nation": {32, 4}, "birth": {36, 16}, "address": {52, 70}, "number": {122, 36},
		"issuer": {158, 30}, "from": {188, 16}, "until": {204, 16},
	},
	HMT: {
		"name": {0, 30}, "sex": {30, 2}, "birth": {36, 16}, "address": {52, 70}, "number": {122, 36},
		"issuer": {158, 30}, "from": {188, 16}, "until": {204, 16}, "pass": {220, 18},
	},
	Foreigner: {
		"latin": {0, 120}, "sex": {120, 2}, "number": {122, 30}, "country": {152, 6}, "name": {158, 30}, "from": {188, 16},
		"until": {204, 16}, "birth": {220, 16},
	},
}

// parse reads the text block of a card.
func parse(text []byte) (Card, error) {
	if len(text) < textSize {
		return Card{}, words.New(ErrText.Key, fmt.Errorf("%w: %d bytes of text", errShort, len(text)))
	}
	c := Card{Kind: Resident}
	switch mark := binary.LittleEndian.Uint16(text[markAt:]); mark {
	case 'J':
		c.Kind = HMT
	case 'I':
		c.Kind = Foreigner
	case 0, ' ':
	default:
		return Card{}, words.New(ErrKind.Key, fmt.Errorf("idcard: mark %#x", mark))
	}
	get := func(name string) string {
		f, ok := layouts[c.Kind][name]
		if !ok {
			return ""
		}
		return c.text(text[f.at : f.at+f.size])
	}
	c.Name, c.Latin, c.Address = get("name"), get("latin"), get("address")
	c.Nation, c.Country, c.Number = get("nation"), get("country"), ident.Normalize(get("number"))
	c.Issuer, c.PassNo = get("issuer"), get("pass")
	c.NameFull = len(utf16.Encode([]rune(c.Name))) >= nameUnits
	if c.Name == "" {
		c.Name = c.Latin
	}
	switch get("sex") {
	case "1":
		c.Sex = "M"
	case "2":
		c.Sex = "F"
	}
	var err error
	for _, d := range []struct {
		into *time.Time
		text string
	}{{&c.Birth, get("birth")}, {&c.From, get("from")}, {&c.Until, get("until")}} {
		if d.text == longTerm && d.into == &c.Until || d.text == "" && d.into == &c.From {
			continue
		}
		if *d.into, err = time.Parse("20060102", d.text); err != nil {
			return Card{}, words.New(ErrText.Key, fmt.Errorf("idcard: a date does not read: %w", errDate))
		}
	}
	if c.Name == "" || c.Number == "" {
		return Card{}, words.New(ErrText.Key, errEmpty)
	}
	return c, c.check()
}

// check compares the number with what the card says beside it.
func (c Card) check() error {
	if c.Kind == Foreigner {
		return nil // the number of 2017 has 15 characters and no birth date
	}
	id, err := ident.ParseIDAt(c.Number, time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		return words.New(ErrText.Key, err)
	}
	if !id.Birth.Equal(c.Birth) {
		return words.New(ErrText.Key, errBirth)
	}
	return nil
}

// text decodes UTF-16LE: pairs of surrogates become one character, half ones are left out and counted, characters of the
// private-use areas are kept and noted.
func (c *Card) text(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	var out strings.Builder
	for _, r := range utf16.Decode(units) {
		switch {
		case r == utf8.RuneError:
			c.Broken++
			continue
		case r == 0:
			continue
		case privateUse(r):
			c.Private = append(c.Private, r)
		}
		out.WriteRune(r)
	}
	return strings.TrimSpace(out.String())
}

func privateUse(r rune) bool {
	return r >= 0xE000 && r <= 0xF8FF || r >= 0xF0000 && r <= 0xFFFFD || r >= 0x100000 && r <= 0x10FFFD
}

// encode writes the text block of a card, as the simulator does. What does not fit is cut, as an issuing office cuts it.
func (c Card) encode() []byte {
	b := make([]byte, textSize)
	for i := 0; i < len(b); i += 2 {
		b[i] = ' '
	}
	kind := c.Kind
	if kind == "" {
		kind = Resident
	}
	put := func(name, text string) {
		f, ok := layouts[kind][name]
		if !ok {
			return
		}
		for i, u := range utf16.Encode([]rune(text)) {
			if 2*i >= f.size {
				return
			}
			binary.LittleEndian.PutUint16(b[f.at+2*i:], u)
		}
	}
	sex := map[string]string{"M": "1", "F": "2"}[c.Sex]
	if sex == "" {
		sex = "0"
	}
	until := longTerm
	if !c.Until.IsZero() {
		until = c.Until.Format("20060102")
	}
	for name, text := range map[string]string{
		"name": c.Name, "latin": c.Latin, "sex": sex, "nation": c.Nation, "birth": c.Birth.Format("20060102"), "address": c.Address,
		"number": c.Number, "issuer": c.Issuer, "from": c.From.Format("20060102"), "until": until, "country": c.Country, "pass": c.PassNo,
	} {
		put(name, text)
	}
	switch kind {
	case HMT:
		b[markAt] = 'J'
	case Foreigner:
		b[markAt] = 'I'
	}
	return b
}
