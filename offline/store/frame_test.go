package store

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"bianmin/offline/frame"
)

type frameVector struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Label   string `json:"label"`
	Number  uint64 `json:"number"`
	Payload string `json:"payload"` // hexadecimal
	Bytes   string `json:"bytes"`   // hexadecimal; what is expected on disk
	Bad     bool   `json:"bad"`     // bytes are refused
}

func vectors(t testing.TB) []frameVector {
	t.Helper()
	raw, err := os.ReadFile("testdata/frames.json")
	if err != nil {
		t.Fatal(err)
	}
	var v []frameVector
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFrameVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			data := unhex(t, v.Bytes)
			f, n, err := frame.Parse(data, suite)
			if v.Bad {
				if !errors.Is(err, frame.ErrTorn) {
					t.Fatalf("bad frame reads as %+v, %v", f, err)
				}
				return
			}
			if err != nil || n != len(data) || string(f.Kind) != v.Kind || f.Label != v.Label || f.Number != v.Number ||
				!bytes.Equal(f.Payload, unhex(t, v.Payload)) {
				t.Fatalf("read %+v, %d, %v", f, n, err)
			}
			again, err := frame.Append(nil, suite, f)
			if err != nil || !bytes.Equal(again, data) {
				t.Fatalf("written as %x, %v", again, err)
			}
		})
	}
}

func TestScanFindsFramesAroundDamage(t *testing.T) {
	var data []byte
	var ends []int
	for i := range 20 {
		var err error
		data, err = frame.Append(data, suite, Frame{Kind: FrameRecord, Label: "2026-11", Number: uint64(i + 1), Payload: bytes.Repeat([]byte{byte(i)}, 50+i)})
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, len(data))
	}
	seen := func(d []byte) (nums []uint64, end int64, bad []frame.Span) {
		end, bad, err := frame.Scan(d, suite, func(_ int64, f Frame) error { nums = append(nums, f.Number); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return nums, end, bad
	}
	for cut := range data { // a torn tail loses the torn frame only
		nums, end, bad := seen(data[:cut])
		want := 0
		for want < len(ends) && ends[want] <= cut {
			want++
		}
		if len(nums) != want || len(bad) != 0 || want > 0 && end != int64(ends[want-1]) {
			t.Fatalf("cut at %d: %d frames, end %d, bad %v", cut, len(nums), end, bad)
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 { // one changed byte loses its own frame only
		d := append([]byte{}, data...)
		at := rnd.IntN(ends[18])
		d[at] ^= byte(1 + rnd.IntN(255))
		nums, end, bad := seen(d)
		if len(nums) != 19 || len(bad) != 1 || end != int64(len(d)) || int64(at) < bad[0].From || int64(at) >= bad[0].To {
			t.Fatalf("byte %d: %d frames, bad %v", at, len(nums), bad)
		}
	}
}

func TestRuns(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for round := range 200 {
		var r runs
		model := map[uint64]bool{}
		for range 60 {
			n := 1 + rnd.Uint64N(40)
			r = r.add(n)
			model[n] = true
		}
		for n := uint64(1); n <= 45; n++ {
			if r.has(n) != model[n] {
				t.Fatalf("round %d: has(%d) in %v", round, n, r)
			}
		}
		missing := r.missing(42)
		for _, n := range missing {
			if model[n] {
				t.Fatalf("round %d: %d is not missing in %v", round, n, r)
			}
		}
		have := 0
		for n := range model {
			if n <= 42 {
				have++
			}
		}
		if have+len(missing) != 42 {
			t.Fatalf("round %d: %d here, %d missing", round, have, len(missing))
		}
		for i := 1; i < len(r); i++ {
			if r[i].From <= r[i-1].To+1 {
				t.Fatalf("round %d: %v touches", round, r)
			}
		}
	}
	r := runs{}.join(run{From: 5, To: math.MaxUint64}).add(3)
	if got := r.missing(6); len(got) != 3 || !r.has(1<<60) {
		t.Fatalf("open end: %v", got)
	}
}

func FuzzFrame(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(unhex(f, v.Bytes))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fr, n, err := frame.Parse(data, suite)
		if err == nil {
			again, err := frame.Append(nil, suite, fr)
			if err != nil || !bytes.Equal(again, data[:n]) {
				t.Fatalf("re-encodes to %x, %v", again, err)
			}
		}
		end, bad, err := frame.Scan(data, suite, func(int64, Frame) error { return nil })
		if err != nil || end > int64(len(data)) {
			t.Fatalf("scan: %d of %d, %v", end, len(data), err)
		}
		for _, b := range bad {
			if b.From >= b.To || b.To > end {
				t.Fatalf("span %v of %d", b, end)
			}
		}
	})
}

// FuzzValue feeds changed values to the opener: whatever is not what was sealed is refused.
func FuzzValue(f *testing.F) {
	r := newRig(f)
	x := newBox(suite, r.ring.MachineKey(), r.ring.MachinePeriod())
	p := r.ring.MachinePeriod()
	value, err := x.sealIn(p.ID, p.Store, bucketBodies, seqKey(1), []byte("body"))
	if err != nil {
		f.Fatal(err)
	}
	own, err := x.seal(bucketHeaders, seqKey(1), []byte("row"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(value)
	f.Add(own)
	s := &Store{write: newTurns(), o: Options{Ring: r.ring}}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := x.open(bucketBodies, seqKey(1), data, s.period); (err == nil) != bytes.Equal(data, value) {
			t.Fatalf("body: %v", err)
		}
		if _, err := x.open(bucketHeaders, seqKey(1), data, s.period); (err == nil) != bytes.Equal(data, own) {
			t.Fatalf("header: %v", err)
		}
		if _, err := x.open(bucketBodies, seqKey(2), data, s.period); err == nil {
			t.Fatal("opens in another place")
		}
	})
}
