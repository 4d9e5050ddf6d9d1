// Package canon is the project's one binary encoding: deterministic CBOR (RFC 8949 §4.2.1).
//
// Equal values give equal bytes, so bytes can be hashed, signed and compared. Decoding is strict: it refuses
// duplicate keys, indefinite lengths, tags, unknown fields, trailing bytes, and any input that would not encode to the
// same bytes again; what is read is what was signed.
package canon

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// Errors that callers branch on.
var (
	// ErrNotCanonical reports bytes that parse but are not the one encoding of their value.
	ErrNotCanonical = errors.New("canon: not the canonical encoding")
	// ErrText reports a string that is not UTF-8. It would encode to bytes that nobody can read again.
	ErrText = errors.New("canon: text is not UTF-8")
)

var (
	enc = mustEnc()
	dec = mustDec()
)

func mustEnc() cbor.UserBufferEncMode {
	o := cbor.CoreDetEncOptions()
	o.Time = cbor.TimeUnix
	o.TagsMd = cbor.TagsForbidden
	o.NilContainers = cbor.NilContainerAsEmpty
	m, err := o.UserBufferEncMode()
	if err != nil {
		panic(err) // options are constants
	}
	return m
}

func mustDec() cbor.DecMode {
	o := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxNestedLevels:   24,
		MaxArrayElements:  1 << 17,
		MaxMapPairs:       1 << 16,
		IntDec:            cbor.IntDecConvertSignedOrFail,
		UTF8:              cbor.UTF8RejectInvalid,
		SimpleValues:      plainSimple(),
	}
	m, err := o.DecMode()
	if err != nil {
		panic(err) // options are constants
	}
	return m
}

// plainSimple refuses the simple values that mean nothing to us: all but false, true and null (RFC 8949 §3.3).
func plainSimple() *cbor.SimpleValueRegistry {
	var refuse []func(*cbor.SimpleValueRegistry) error
	for v := 0; v <= 255; v++ {
		if v < 20 || v > 31 {
			refuse = append(refuse, cbor.WithRejectedSimpleValue(cbor.SimpleValue(v)))
		}
	}
	r, err := cbor.NewSimpleValueRegistryFromDefaults(refuse...)
	if err != nil {
		panic(err) // options are constants
	}
	return r
}

// Marshal encodes v. Structs use `cbor:"1,keyasint"` tags, or `cbor:",toarray"` for positional layouts. What it returns
// Unmarshal will read: values that are nested too deeply, too long, or whose text is not UTF-8 (ErrText) are refused.
func Marshal(v any) ([]byte, error) {
	b, err := enc.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("canon: encode: %w", err)
	}
	if err := dec.Wellformed(b); err != nil {
		return nil, fmt.Errorf("canon: encode: %w", err)
	}
	if !textSound(b) {
		return nil, ErrText
	}
	return b, nil
}

// MustMarshal encodes a value of our own types, which cannot fail: for hashing, signing and comparing what came through
// Marshal or Unmarshal. It does not look into texts. It panics when given a channel or a function.
func MustMarshal(v any) []byte {
	b, err := enc.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("canon: encode: %w", err))
	}
	return b
}

// textSound walks the heads of well-formed CBOR without indefinite lengths, and checks the text strings (RFC 8949 §3.1).
func textSound(b []byte) bool {
	for len(b) > 0 {
		major, info := b[0]>>5, b[0]&31
		b = b[1:]
		n := uint64(info)
		if info >= 24 {
			size := 1 << (info - 24)
			var wide [8]byte
			copy(wide[8-size:], b[:size])
			n, b = binary.BigEndian.Uint64(wide[:]), b[size:]
		}
		if major != 2 && major != 3 {
			continue // a number, or a container whose items follow
		}
		if major == 3 && !utf8.Valid(b[:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}

// Unmarshal decodes data into v and refuses anything that v would not encode to again, byte for byte (ErrNotCanonical).
// After an error v holds nothing to rely on.
func Unmarshal(data []byte, v any) error {
	if err := dec.Unmarshal(data, v); err != nil {
		return fmt.Errorf("canon: decode: %w", err)
	}
	again := buffers.Get().(*bytes.Buffer)
	again.Reset()
	again.Grow(len(data)) // what is canonical needs no more: the largest input is held once more, not four times
	if err := enc.MarshalToBuffer(v, again); err != nil {
		return fmt.Errorf("canon: encode again: %w", err)
	}
	same := bytes.Equal(again.Bytes(), data)
	if again.Cap() <= keptBuffer {
		clear(again.Bytes()) // it may have been a key
		buffers.Put(again)
	}
	if !same {
		return ErrNotCanonical
	}
	return nil
}

// keptBuffer is how large a buffer may be to be used again, in bytes.
const keptBuffer = 64 << 10

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
