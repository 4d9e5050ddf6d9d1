package canon

import (
	"encoding/binary"
	"errors"
	"math"
	"unicode/utf8"
)

// What is coded a hundred thousand times in a row has its own code, made of the parts below: to decode by reflection and to
// encode again for the comparison costs ten times as much. The bytes are those of Marshal, and a [Reader] takes what
// Unmarshal takes; tests of the packages that use them hold both against each other.

// AppendUint appends an unsigned number in its shortest form.
func AppendUint(b []byte, n uint64) []byte { return appendHead(b, 0, n) }

// AppendInt appends a signed number.
func AppendInt(b []byte, n int64) []byte {
	if n < 0 {
		return appendHead(b, 1, ^uint64(n))
	}
	return appendHead(b, 0, uint64(n))
}

// AppendBytes appends a byte string; nil is an empty one.
func AppendBytes(b, v []byte) []byte { return append(appendHead(b, 2, uint64(len(v))), v...) }

// AppendText appends a text. That it is UTF-8 is the caller's to know.
func AppendText(b []byte, v string) []byte { return append(appendHead(b, 3, uint64(len(v))), v...) }

// AppendList appends the head of a list of n items, which must follow.
func AppendList(b []byte, n int) []byte { return appendHead(b, 4, uint64(n)) }

// AppendMap appends the head of a map of n pairs, which must follow in the order of their keys.
func AppendMap(b []byte, n int) []byte { return appendHead(b, 5, uint64(n)) }

// AppendBool appends true or false.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 0xf5)
	}
	return append(b, 0xf4)
}

func appendHead(b []byte, major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}

// errShape reports CBOR that is not what a Reader was asked for.
var errShape = errors.New("canon: not the shape that is due here")

// Reader reads canonical CBOR piece by piece. After the first error, which Err and Done return, everything it gives is zero.
// Byte strings and texts are not longer than what is left to read, so nothing is allocated for a length that lies.
type Reader struct {
	b   []byte
	err error
}

// NewReader returns a reader of data, which must not be changed while it is in use.
func NewReader(data []byte) *Reader { return &Reader{b: data} }

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// Done returns the first error, or one when anything is left to read.
func (r *Reader) Done() error {
	if r.err == nil && len(r.b) > 0 {
		r.err = errShape
	}
	return r.err
}

// Refuse makes err the first error, if there was none: what was read is not what it should be.
func (r *Reader) Refuse(err error) { r.fail(err) }

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err, r.b = err, nil
	}
}

// head reads the head of an item of the wanted major type.
func (r *Reader) head(major byte) uint64 {
	if len(r.b) == 0 || r.b[0]>>5 != major {
		r.fail(errShape)
		return 0
	}
	info := r.b[0] & 31
	if info < 24 {
		r.b = r.b[1:]
		return uint64(info)
	}
	if info > 27 {
		r.fail(errShape)
		return 0
	}
	size := 1 << (info - 24)
	if len(r.b) < 1+size {
		r.fail(errShape)
		return 0
	}
	var n uint64
	for _, c := range r.b[1 : 1+size] {
		n = n<<8 | uint64(c)
	}
	if n < [4]uint64{24, 1 << 8, 1 << 16, 1 << 32}[info-24] {
		r.fail(ErrNotCanonical)
		return 0
	}
	r.b = r.b[1+size:]
	return n
}

// Uint reads an unsigned number.
func (r *Reader) Uint() uint64 { return r.head(0) }

// Below reads an unsigned number less than limit.
func (r *Reader) Below(limit uint64) uint64 {
	n := r.head(0)
	if n >= limit {
		r.fail(errShape)
		return 0
	}
	return n
}

// Exactly reads a byte string of n bytes.
func (r *Reader) Exactly(n int) []byte {
	b := r.take(2)
	if len(b) != n {
		r.fail(errShape)
		return nil
	}
	return b
}

// Int reads a signed number.
func (r *Reader) Int() int64 {
	major := byte(0)
	if len(r.b) > 0 && r.b[0]>>5 == 1 {
		major = 1
	}
	n := r.head(major)
	if n > math.MaxInt64 {
		r.fail(errShape)
		return 0
	}
	if major == 1 && r.err == nil {
		return ^int64(n)
	}
	return int64(n)
}

// Int32 reads a signed number of 32 bits.
func (r *Reader) Int32() int32 {
	n := r.Int()
	if n != int64(int32(n)) {
		r.fail(errShape)
		return 0
	}
	return int32(n)
}

// Bytes reads a byte string: a part of the data, not a copy. It is never nil unless there was an error.
func (r *Reader) Bytes() []byte { return r.take(2) }

// Text reads a text. ErrText when it is not UTF-8.
func (r *Reader) Text() string {
	b := r.take(3)
	if !utf8.Valid(b) {
		r.fail(ErrText)
		return ""
	}
	return string(b)
}

func (r *Reader) take(major byte) []byte {
	n := r.head(major)
	if r.err != nil {
		return nil
	}
	if n > uint64(len(r.b)) {
		r.fail(errShape)
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// Bool reads true or false.
func (r *Reader) Bool() bool {
	if len(r.b) == 0 || r.b[0] != 0xf4 && r.b[0] != 0xf5 {
		r.fail(errShape)
		return false
	}
	v := r.b[0] == 0xf5
	r.b = r.b[1:]
	return v
}

// List reads the head of a list and returns how many items follow. It is an error when they are more than there are bytes.
func (r *Reader) List() int { return r.container(4, 1) }

// Map reads the head of a map and returns how many pairs follow.
func (r *Reader) Map() int { return r.container(5, 2) }

func (r *Reader) container(major byte, least int) int {
	n := r.head(major)
	if n > uint64(len(r.b)/least) {
		r.fail(errShape)
		return 0
	}
	return int(n)
}

// Fields reads the head of a map that has the keys 1 to n.
func (r *Reader) Fields(n int) {
	if r.Map() != n {
		r.fail(errShape)
	}
}

// Key reads the key n of a map.
func (r *Reader) Key(n uint64) {
	if r.Uint() != n {
		r.fail(errShape)
	}
}
