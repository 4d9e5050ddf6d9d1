package gateway

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"bianmin/offline/canon"
)

// Limits of what is recognised at a glance; all below what canon allows.
const (
	plainDepth = 16
	plainItems = 1 << 12
)

// readable reports whether answers are canonical CBOR. Nearly all are recognised without building their values, which is
// what projecting a case would mostly cost.
func readable(data []byte) bool {
	if rest, ok := skipPlain(data, plainDepth); ok && len(rest) == 0 {
		return true
	}
	var v any
	return canon.Unmarshal(data, &v) == nil
}

// skipPlain passes over one value that is canonical beyond doubt: whole numbers, text, bytes, true, false, null, and lists
// and maps of them with text keys in order. false: let canon decide.
func skipPlain(data []byte, depth int) (rest []byte, ok bool) {
	major, n, rest, ok := plainHead(data)
	if !ok || depth == 0 {
		return nil, false
	}
	switch major {
	case 0, 1:
		return rest, true
	case 2, 3:
		if uint64(len(rest)) < n || major == 3 && !utf8.Valid(rest[:n]) {
			return nil, false
		}
		return rest[n:], true
	case 4:
		if n > plainItems {
			return nil, false
		}
		for range n {
			if rest, ok = skipPlain(rest, depth-1); !ok {
				return nil, false
			}
		}
		return rest, true
	case 5:
		if n > plainItems {
			return nil, false
		}
		var last []byte
		for range n {
			if len(rest) == 0 || rest[0]>>5 != 3 {
				return nil, false
			}
			after, ok := skipPlain(rest, depth-1)
			if !ok {
				return nil, false
			}
			key := rest[:len(rest)-len(after)]
			if last != nil && bytes.Compare(last, key) >= 0 {
				return nil, false
			}
			last = key
			if rest, ok = skipPlain(after, depth-1); !ok {
				return nil, false
			}
		}
		return rest, true
	case 7:
		return rest, n == 20 || n == 21 || n == 22 // false, true, null
	}
	return nil, false
}

// plainHead reads the head of a value in its shortest form; numbers that do not fit 63 bits are left to canon.
func plainHead(data []byte) (major byte, n uint64, rest []byte, ok bool) {
	if len(data) == 0 {
		return 0, 0, nil, false
	}
	major, info := data[0]>>5, data[0]&31
	if info < 24 {
		return major, uint64(info), data[1:], true
	}
	if info > 27 || major == 7 {
		return 0, 0, nil, false
	}
	size := 1 << (info - 24)
	if len(data) < 1+size {
		return 0, 0, nil, false
	}
	var wide [8]byte
	copy(wide[8-size:], data[1:1+size])
	n = binary.BigEndian.Uint64(wide[:])
	least := [4]uint64{24, 1 << 8, 1 << 16, 1 << 32}[info-24]
	return major, n, data[1+size:], n >= least && n < 1<<63
}
