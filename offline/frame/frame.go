// Package frame is the form of a mirror segment: what a machine appends as the second copy of its logs, and what the county
// reads of a machine that is dead. It knows no database; docs/store.md has the bytes.
package frame

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"bianmin/offline/vault"
)

// Kind says what one frame of a mirror segment carries. Kinds are append-only.
type Kind byte

// Frames of the mirror.
const (
	// Segment opens a segment. Number is the segment's, Payload the device number as 4 bytes big-endian.
	Segment Kind = 'S'
	// Dict is a zstd dictionary that packets after it in this segment use, sealed by the machine key. Label is its
	// SM3. Who imports the file elsewhere has the dictionary from the packs.
	Dict Kind = 'Z'
	// Record is a one-record packet. Number is the record's seq, Label the id of its period.
	Record Kind = 'R'
	// Receipt is a stage-1 receipt envelope sealed to the device's encryption key. Number is the record's seq.
	Receipt Kind = 'Q'
	// Event is an event as the platform signed it. Number is its cursor, Label the journal's head then, in decimal.
	Event Kind = 'E'
	// Draft is a checkpoint of a draft, sealed to the device's encryption key. Label is the draft's handle.
	Draft Kind = 'D'
	// Dropped says that the draft of that Label is gone: submitted or thrown away.
	Dropped Kind = 'X'
	// Gone is what is left of an event whose body was erased, sealed by the machine key. Number is its cursor.
	Gone Kind = 'G'
	// Doc is a value of bucket docs as it is sealed there. Label is its key.
	Doc Kind = 'F'
)

// Frame is one entry of a mirror segment. On disk:
//
//	"BMF1" ‖ kind u8 ‖ label length u8 ‖ number u64 ‖ payload length u32 ‖ label ‖ check (8 bytes) ‖ payload
//
// Integers are big-endian; check is the first 8 bytes of SM3 over everything before it, then the payload. The check
// finds torn and rotten frames; that a frame is genuine is shown by what is in it (signatures, sealing).
type Frame struct {
	Kind    Kind
	Label   string // at most 255 bytes
	Number  uint64
	Payload []byte
}

const (
	frameMagic = "BMF1"
	frameFixed = 4 + 1 + 1 + 8 + 4
	checkSize  = 8
	// maxFrame bounds a payload: a packet of one record of the largest body, with room.
	maxFrame = 4 << 20
)

// How many bytes of frames may be hashed in vain in one segment: so many, and so many times its size.
const (
	maxWrongHash  = 256 << 20
	maxWrongTimes = 16
)

// ErrHostile reports a segment that was made to keep a processor busy: honest damage spoils some hundred frames, not one
// at every twenty bytes.
var ErrHostile = errors.New("frame: too many frames are not what they say")

// ErrTorn reports bytes that are not one whole frame.
var ErrTorn = errors.New("frame: not a whole frame")

// Append appends f's bytes to dst.
func Append(dst []byte, s vault.Suite, f Frame) ([]byte, error) {
	if len(f.Label) > 255 || len(f.Payload) > maxFrame {
		return dst, fmt.Errorf("frame: %c: label of %d bytes, payload of %d", f.Kind, len(f.Label), len(f.Payload))
	}
	start := len(dst)
	dst = append(dst, frameMagic...)
	dst = append(dst, byte(f.Kind), byte(len(f.Label)))
	dst = binary.BigEndian.AppendUint64(dst, f.Number)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(f.Payload)))
	dst = append(dst, f.Label...)
	sum := s.Hash(dst[start:], f.Payload)
	dst = append(dst, sum[:checkSize]...)
	return append(dst, f.Payload...), nil
}

// Parse reads the frame at the start of data and returns its length. The payload is a part of data.
func Parse(data []byte, s vault.Suite) (Frame, int, error) {
	if len(data) < frameFixed || string(data[:4]) != frameMagic {
		return Frame{}, 0, ErrTorn
	}
	label, size := int(data[5]), binary.BigEndian.Uint32(data[14:18])
	if size > maxFrame {
		return Frame{}, 0, ErrTorn
	}
	head := frameFixed + label
	end := head + checkSize + int(size)
	if len(data) < end {
		return Frame{}, 0, ErrTorn
	}
	f := Frame{
		Kind: Kind(data[4]), Label: string(data[frameFixed:head]), Number: binary.BigEndian.Uint64(data[6:14]),
		Payload: data[head+checkSize : end],
	}
	if sum := s.Hash(data[:head], f.Payload); !bytes.Equal(sum[:checkSize], data[head:head+checkSize]) {
		return Frame{}, 0, ErrTorn
	}
	return f, end, nil
}

// looksWhole reports whether data begins with a frame whose check had to be computed.
func looksWhole(data []byte) bool {
	if len(data) < frameFixed || string(data[:4]) != frameMagic {
		return false
	}
	size := int64(binary.BigEndian.Uint32(data[14:]))
	return size <= maxFrame && int64(len(data)) >= frameFixed+int64(data[5])+checkSize+size
}

// Span is a stretch of a segment in which no whole frame was found: from the offset From to before To.
type Span struct{ From, To int64 }

// Scan walks a segment. Bytes that are no frame are skipped to the next whole frame and listed; end is where the
// last whole frame ends, so a torn tail is data[end:]. Error: ErrHostile, or fn's.
func Scan(data []byte, s vault.Suite, fn func(off int64, f Frame) error) (end int64, bad []Span, err error) {
	off, hashed := 0, int64(0)
	for off < len(data) {
		f, n, err := Parse(data[off:], s)
		if err != nil && looksWhole(data[off:]) {
			if hashed += int64(binary.BigEndian.Uint32(data[off+14:])); hashed > maxWrongHash+maxWrongTimes*int64(len(data)) {
				return end, bad, ErrHostile
			}
		}
		if err == nil {
			if off > int(end) {
				bad = append(bad, Span{end, int64(off)})
			}
			if err := fn(int64(off), f); err != nil {
				return end, bad, err
			}
			off += n
			end = int64(off)
			continue
		}
		next := bytes.Index(data[off+1:], []byte(frameMagic))
		if next < 0 {
			break
		}
		off += 1 + next
	}
	return end, bad, nil
}
