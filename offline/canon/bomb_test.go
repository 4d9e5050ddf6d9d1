package canon

import (
	"bytes"
	"encoding/binary"
	"testing"

	"bianmin/packaging/bomb"
)

type bombTarget struct {
	A []byte              `cbor:"1,keyasint"`
	B [][]byte            `cbor:"2,keyasint"`
	C []bombTarget        `cbor:"3,keyasint"`
	D map[string]string   `cbor:"4,keyasint"`
	E map[int64][][64]int `cbor:"5,keyasint"`
}

// Input that says more than it holds is refused before anything is made for it.
func TestBombs(t *testing.T) {
	head := func(major byte, n uint64) []byte { return binary.BigEndian.AppendUint64([]byte{major<<5 | 27}, n) }
	bombs := map[string][]byte{
		"a text of 2^62 bytes":       append([]byte{0xa1, 0x01}, head(2, 1<<62)...),
		"an array of 2^62":           append([]byte{0xa1, 0x02}, head(4, 1<<62)...),
		"an array of 2^32":           append([]byte{0xa1, 0x03}, head(4, 1<<32)...),
		"a map of 2^62":              append([]byte{0xa1, 0x04}, head(5, 1<<62)...),
		"a million arrays, nested":   bytes.Repeat([]byte{0x81}, 1<<20),
		"a million maps, nested":     bytes.Repeat([]byte{0xa1, 0x01}, 1<<19),
		"arrays of 2^16, nested":     bytes.Repeat(head(4, 1<<16), 24),
		"more elements than allowed": append(append([]byte{0xa1, 0x02}, head(4, 1<<18)...), make([]byte, 1<<18)...),
		"elements of another kind":   append(append([]byte{0xa1, 0x03}, head(4, 1<<17)...), make([]byte, 1<<17)...),
		"more pairs than allowed":    append(append([]byte{0xa1, 0x04}, head(5, 1<<17)...), make([]byte, 1<<18)...),
		"text without end":           append([]byte{0x7f}, bytes.Repeat([]byte{0x61, 'a'}, 1<<19)...),
		"tags, nested":               bytes.Repeat([]byte{0xc1}, 1<<20),
	}
	bomb.Child(t, func(t *testing.T) {
		for name, data := range bombs {
			var v bombTarget
			var w any
			if Unmarshal(data, &v) == nil || Unmarshal(data, &w) == nil {
				t.Errorf("%s is read", name)
			}
		}
	})
}
