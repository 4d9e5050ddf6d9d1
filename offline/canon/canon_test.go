package canon

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

type inner struct {
	_ struct{} `cbor:",toarray"`
	A int64
	B string
}

type sample struct {
	V     uint8          `cbor:"1,keyasint"`
	N     int64          `cbor:"2,keyasint"`
	U     uint64         `cbor:"3,keyasint"`
	Text  string         `cbor:"4,keyasint"`
	Bytes []byte         `cbor:"5,keyasint"`
	Fixed [4]byte        `cbor:"6,keyasint"`
	List  []inner        `cbor:"7,keyasint"`
	Map   map[string]any `cbor:"8,keyasint"`
	Yes   bool           `cbor:"24,keyasint"`
	Float float64        `cbor:"25,keyasint"`
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The exact bytes, by hand from RFC 8949 §3 and §4.2.1.
func TestExactBytes(t *testing.T) {
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"small", uint64(23), "17"},
		{"one byte", uint64(24), "1818"},
		{"two bytes", uint64(256), "190100"},
		{"eight bytes", uint64(math.MaxUint64), "1bffffffffffffffff"},
		{"negative", int64(-500), "3901f3"},
		{"least", int64(math.MinInt64), "3b7fffffffffffffff"},
		{"text", "便民", "66e4bebfe6b091"},
		{"no bytes", []byte(nil), "40"},
		{"no list", []string(nil), "80"},
		{"no map", map[string]int(nil), "a0"},
		{"short float", 1.5, "f93e00"},
		{"not a number", math.NaN(), "f97e00"},
		{"minus nothing", math.Copysign(0, -1), "f98000"},
		{"map order", map[string]int{"b": 1, "aa": 2, "a": 3}, "a3 6161 03 6162 01 626161 02"},
		{"struct", sample{
			V: 1, N: -1, U: 1 << 40, Text: "a", Bytes: []byte{1}, Fixed: [4]byte{1, 2, 3, 4}, List: []inner{{A: 5, B: "b"}},
			Map: map[string]any{"k": true}, Yes: true, Float: 0.5,
		}, "aa 01 01 02 20 03 1b0000010000000000 04 6161 05 4101 06 4401020304 07 81 82 05 6162 08 a1 616b f5 1818 f5 1819 f93800"},
	} {
		b, err := Marshal(c.v)
		if err != nil || !bytes.Equal(b, unhex(t, c.want)) {
			t.Errorf("%s: %x, want %s (%v)", c.name, b, c.want, err)
		}
		if !bytes.Equal(MustMarshal(c.v), b) {
			t.Errorf("%s: MustMarshal differs", c.name)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	in := sample{
		V: 1, N: math.MinInt64, U: math.MaxUint64, Text: "高龄津贴", Bytes: bytes.Repeat([]byte{9}, 70_000), Fixed: [4]byte{1},
		List: []inner{{A: -1, B: ""}, {A: 2, B: "二"}}, Map: map[string]any{"a": int64(1), "b": []any{"x", nil, false}}, Float: 1e300,
	}
	b, err := Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out sample
	if err := Unmarshal(b, &out); err != nil || !reflect.DeepEqual(in, out) {
		t.Fatalf("%+v: %v", out, err)
	}
}

func TestUnmarshalIsStrict(t *testing.T) {
	type two struct {
		A uint64 `cbor:"1,keyasint"`
		B []byte `cbor:"2,keyasint"`
	}
	var v two
	if err := Unmarshal(unhex(t, "a2 01 05 02 4101"), &v); err != nil || v.A != 5 || !bytes.Equal(v.B, []byte{1}) {
		t.Fatalf("the canonical form: %+v %v", v, err)
	}
	for name, in := range map[string]string{
		"nothing":             "",
		"long integer":        "a2 01 1805 02 4101",
		"long length":         "a2 01 05 02 580101",
		"long map head":       "b802 01 05 02 4101",
		"key order":           "a2 02 4101 01 05",
		"key twice":           "a3 01 05 01 05 02 4101",
		"unknown key":         "a3 01 05 02 4101 03 00",
		"missing key":         "a1 01 05",
		"null for bytes":      "a2 01 05 02 f6",
		"undefined for bytes": "a2 01 05 02 f7",
		"null for all":        "f6",
		"indefinite bytes":    "a2 01 05 02 5f4101ff",
		"indefinite map":      "bf 01 05 02 4101 ff",
		"tag":                 "a2 01 c105 02 4101",
		"trailing byte":       "a2 01 05 02 4101 00",
		"cut off":             "a2 01 05 02 41",
		"text for bytes":      "a2 01 05 02 6161",
		"float for integer":   "a2 01 f94500 02 4101",
		"negative":            "a2 01 24 02 4101",
		"list for map":        "82 05 4101",
		"text key":            "a2 6131 05 02 4101",
	} {
		if err := Unmarshal(unhex(t, in), &v); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	var any any
	for name, in := range map[string]string{
		"long float":      "fb3ff8000000000000",
		"payload of NaN":  "f97e01",
		"key order":       "a2 6162 01 6161 02",
		"key twice":       "a2 6161 01 6161 02",
		"not UTF-8":       "61ff",
		"huge array":      "9a7fffffff",
		"huge bytes":      "5b7fffffffffffffff",
		"huge text":       "7b7fffffffffffffff00",
		"too wide for us": "1bffffffffffffffff",
		"deep":            strings.Repeat("81", 40) + "00",
		"simple value":    "f8ff",
	} {
		if err := Unmarshal(unhex(t, in), &any); err == nil {
			t.Errorf("%s: accepted as %v", name, any)
		}
	}
	if err := Unmarshal(unhex(t, "a2 02 4101 01 05"), &v); !errors.Is(err, ErrNotCanonical) {
		t.Errorf("wrong order: %v", err)
	}
}

// What is written can be read: texts that are not UTF-8 and values nested too deeply are refused at once.
func TestMarshalRefusesWhatNobodyCanRead(t *testing.T) {
	for name, v := range map[string]any{
		"text":       "\xff",
		"cut rune":   "便"[:2],
		"surrogate":  "\xed\xa0\x80",
		"in struct":  sample{Text: "a\x80"},
		"in list":    []inner{{B: "good"}, {B: "\xc0\x80"}},
		"map key":    map[string]int{"\xfe": 1},
		"after bulk": []any{make([]byte, 300), strings.Repeat("长", 30_000), "\xf8"},
	} {
		if _, err := Marshal(v); !errors.Is(err, ErrText) {
			t.Errorf("%s: %v", name, err)
		}
	}
	deep := any(0)
	for range 40 {
		deep = []any{deep}
	}
	if _, err := Marshal(deep); err == nil {
		t.Error("nested 40 deep")
	}
	if _, err := Marshal(make(chan int)); err == nil {
		t.Error("channel")
	}
	for name, v := range map[string]any{
		"bytes may be anything": []byte{0xff, 0xfe}, "numbers": []any{uint64(1 << 60), int64(-1 << 40), 1.25, float64(1e300), true, nil},
		"texts of every length": []string{"", strings.Repeat("a", 23), strings.Repeat("a", 24), strings.Repeat("b", 256), strings.Repeat("c", 70_000)},
	} {
		if _, err := Marshal(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("MustMarshal of a channel did not panic")
		}
	}()
	MustMarshal(make(chan int))
}

// What reads encodes to the same bytes again, and what was encoded reads.
func FuzzUnmarshal(f *testing.F) {
	f.Add(MustMarshal(sample{V: 1, Text: "a", List: []inner{{}}, Map: map[string]any{"a": int64(1), "b": 1.5}}))
	f.Add([]byte{0x9f, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		var s sample
		if Unmarshal(data, &s) == nil {
			again, err := Marshal(s)
			if err != nil || !bytes.Equal(again, data) {
				t.Fatalf("struct: %x reads, but encodes to %x: %v", data, again, err)
			}
		}
		var v any
		if Unmarshal(data, &v) == nil {
			again, err := Marshal(v)
			if err != nil || !bytes.Equal(again, data) {
				t.Fatalf("value: %x reads, but encodes to %x: %v", data, again, err)
			}
		}
		if b, err := Marshal(string(data)); err == nil {
			var back string
			if err := Unmarshal(b, &back); err != nil || back != string(data) {
				t.Fatalf("text is written but not read: %v", err)
			}
		}
	})
}
