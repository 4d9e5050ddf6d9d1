// Package canon is the project's one binary encoding: deterministic CBOR (RFC 8949 §4.2.1).
//
// Equal values give equal bytes, so bytes can be hashed, signed and compared. Decoding is strict: it refuses
// duplicate keys, indefinite lengths, tags, unknown fields, trailing bytes, and any input that would not encode to the
// same bytes again; what is read is what was signed.
package canon

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// ErrNotCanonical reports bytes that parse but are not the one encoding of their value.
var ErrNotCanonical = errors.New("canon: not the canonical encoding")

var (
	enc = mustEnc()
	dec = mustDec()
)

func mustEnc() cbor.EncMode {
	o := cbor.CoreDetEncOptions()
	o.Time = cbor.TimeUnix
	o.TagsMd = cbor.TagsForbidden
	o.NilContainers = cbor.NilContainerAsEmpty
	m, err := o.EncMode()
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
		IntDec:            cbor.IntDecConvertSigned,
		UTF8:              cbor.UTF8RejectInvalid,
	}
	m, err := o.DecMode()
	if err != nil {
		panic(err) // options are constants
	}
	return m
}

// Marshal encodes v. Structs use `cbor:"1,keyasint"` tags, or `cbor:",toarray"` for positional layouts.
func Marshal(v any) ([]byte, error) {
	b, err := enc.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("canon: encode: %w", err)
	}
	return b, nil
}

// MustMarshal encodes a value of our own types, which cannot fail. It panics when given a channel or a function.
func MustMarshal(v any) []byte {
	b, err := Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// Unmarshal decodes data into v and refuses anything that v would not encode to again, byte for byte.
func Unmarshal(data []byte, v any) error {
	if err := dec.Unmarshal(data, v); err != nil {
		return fmt.Errorf("canon: decode: %w", err)
	}
	again, err := Marshal(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, data) {
		return ErrNotCanonical
	}
	return nil
}
