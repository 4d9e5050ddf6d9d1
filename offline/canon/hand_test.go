package canon

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

type handmade struct {
	N uint64 `cbor:"1,keyasint"`
	I int64  `cbor:"2,keyasint"`
	B []byte `cbor:"3,keyasint"`
	T string `cbor:"4,keyasint"`
	X bool   `cbor:"5,keyasint"`
	L []pair `cbor:"6,keyasint"`
}

type pair struct {
	_ struct{} `cbor:",toarray"`
	A uint64
	C string
}

func (h handmade) append(b []byte) []byte {
	b = AppendMap(b, 6)
	b = AppendUint(AppendUint(b, 1), h.N)
	b = AppendInt(AppendUint(b, 2), h.I)
	b = AppendBytes(AppendUint(b, 3), h.B)
	b = AppendText(AppendUint(b, 4), h.T)
	b = AppendBool(AppendUint(b, 5), h.X)
	b = AppendList(AppendUint(b, 6), len(h.L))
	for _, p := range h.L {
		b = AppendText(AppendUint(AppendList(b, 2), p.A), p.C)
	}
	return b
}

func readHandmade(data []byte) (h handmade, err error) {
	r := NewReader(data)
	r.Fields(6)
	r.Key(1)
	h.N = r.Uint()
	r.Key(2)
	h.I = r.Int()
	r.Key(3)
	h.B = r.Bytes()
	r.Key(4)
	h.T = r.Text()
	r.Key(5)
	h.X = r.Bool()
	r.Key(6)
	for range r.List() {
		if r.List() != 2 {
			r.fail(errShape)
		}
		h.L = append(h.L, pair{A: r.Uint(), C: r.Text()})
	}
	return h, r.Done()
}

var handSamples = []handmade{
	{},
	{N: 23, I: -1, B: []byte{1}, T: "样", X: true, L: []pair{{A: 1, C: "a"}}},
	{N: 24, I: -24, B: bytes.Repeat([]byte{7}, 24), T: "村"},
	{N: 255, I: -25, B: bytes.Repeat([]byte{7}, 255)},
	{N: 256, I: -256, B: bytes.Repeat([]byte{7}, 256)},
	{N: math.MaxUint16, I: -257, B: bytes.Repeat([]byte{7}, 1<<16)},
	{N: math.MaxUint16 + 1, I: math.MinInt32},
	{N: math.MaxUint32, I: math.MaxInt32},
	{N: math.MaxUint32 + 1, I: math.MaxInt64},
	{N: math.MaxUint64, I: math.MinInt64},
}

func TestHandmadeIsMarshal(t *testing.T) {
	for i, h := range handSamples {
		if got, want := h.append(nil), MustMarshal(h); !bytes.Equal(got, want) {
			t.Errorf("%d: by hand %x, by reflection %x", i, got, want)
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	good := handSamples[1].append(nil)
	for i := range good {
		if _, err := readHandmade(good[:i]); err == nil {
			t.Errorf("cut at %d is read", i)
		}
	}
	if _, err := readHandmade(append(good, 0)); err == nil {
		t.Error("a byte more is read")
	}
	r := NewReader([]byte{0x18, 23})
	if r.Uint(); !errors.Is(r.Err(), ErrNotCanonical) {
		t.Errorf("a number in a long form: %v", r.Err())
	}
	r = NewReader([]byte{0x61, 0xff})
	if r.Text(); !errors.Is(r.Err(), ErrText) {
		t.Errorf("a text that is none: %v", r.Err())
	}
	r = NewReader([]byte{0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	if n := r.List(); n != 0 || r.Err() == nil {
		t.Errorf("a list longer than its bytes: %d, %v", n, r.Err())
	}
}

// FuzzReader: what is read piece by piece is exactly what Unmarshal reads.
func FuzzReader(f *testing.F) {
	for _, h := range handSamples {
		f.Add(h.append(nil))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want handmade
		werr := Unmarshal(data, &want)
		got, err := readHandmade(data)
		if (err == nil) != (werr == nil) {
			t.Fatalf("by hand %v, by reflection %v", err, werr)
		}
		if err == nil && !bytes.Equal(MustMarshal(got), data) {
			t.Fatal("read differently")
		}
	})
}
