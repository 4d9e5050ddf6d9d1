package gateway

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"bianmin/offline/canon"
)

func TestReadable(t *testing.T) {
	deep := any("leaf")
	for range 20 {
		deep = []any{deep}
	}
	for name, v := range map[string]any{
		"answers": map[string]any{"b": "陈", "aa": int64(-7), "a": []any{true, nil, []byte{1}, map[string]any{}}},
		"numbers": []any{0, 23, 24, 255, 256, 65535, 65536, 1 << 32, math.MaxInt64, math.MinInt64},
		"float":   1.5, "number keys": map[int]int{1: 2}, "deep": deep, "empty": map[string]any{},
	} {
		data := canon.MustMarshal(v)
		if !readable(data) {
			t.Errorf("%s: refused", name)
		}
		if readable(append(data, 0)) {
			t.Errorf("%s: accepted with a byte behind it", name)
		}
		if readable(data[:len(data)-1]) {
			t.Errorf("%s: accepted without its last byte", name)
		}
	}
	if _, ok := skipPlain(canon.MustMarshal(map[string]any{"a": 1, "b": []any{"x", false}}), plainDepth); !ok {
		t.Error("plain answers are not recognised at a glance")
	}
	for name, data := range map[string]string{
		"nothing": "", "key order": "\xa2\x61b\x01\x61a\x01", "key twice": "\xa2\x61a\x01\x61a\x01", "long number": "\x18\x05",
		"long length": "\x78\x01a", "not text": "\x61\xff", "indefinite": "\x9f\xff", "tag": "\xc1\x05", "too wide": "\x1b\xff" + strings.Repeat("\xff", 7),
		"undefined": "\xf7", "simple": "\xf8\xff",
	} {
		var v any
		if want := canon.Unmarshal([]byte(data), &v) == nil; readable([]byte(data)) != want {
			t.Errorf("%s: readable %v, canon %v", name, !want, want)
		}
	}
}

func FuzzReadable(f *testing.F) {
	f.Add(canon.MustMarshal(map[string]any{"a": int64(1), "b": []any{true, nil, "x", []byte{1, 2}}}))
	f.Add([]byte("\xa2\x61b\x01\x61a\x01"))
	f.Add([]byte("\x1b\x80\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rest, ok := skipPlain(data, plainDepth)
		if !ok {
			return
		}
		if !bytes.HasSuffix(data, rest) {
			t.Fatalf("%x: %x is left", data, rest)
		}
		var v any
		if err := canon.Unmarshal(data[:len(data)-len(rest)], &v); err != nil {
			t.Fatalf("%x at a glance, but %v", data, err)
		}
	})
}
