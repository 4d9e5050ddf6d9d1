package idcard

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// preamble begins every frame, in both directions.
var preamble = []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69}

// Commands of the host: two bytes, a class and a parameter.
const (
	cmdStatus   uint16 = 0x11FF // state of the security module
	cmdFind     uint16 = 0x2001
	cmdSelect   uint16 = 0x2002
	cmdRead     uint16 = 0x3001 // text and photo
	cmdReadFull uint16 = 0x3010 // text, photo and fingerprints
)

// Status words, the third byte of SW1 SW2 SW3; the first two are zero in all that are in use.
const (
	swDone        byte = 0x90
	swFound       byte = 0x9F
	swNothing     byte = 0x91 // the card has no such item
	swChecksum    byte = 0x10 // the reader got a frame whose checksum does not fit
	swLength      byte = 0x11
	swCommand     byte = 0x21
	swForbidden   byte = 0x23
	swUnknown     byte = 0x24
	swCardRefuses byte = 0x31 // the card does not accept the module
	swModRefuses  byte = 0x32 // the module does not accept the card
	swVerify      byte = 0x33
	swKind        byte = 0x40 // a card of another kind
	swReadFailed  byte = 0x41
	swRandom      byte = 0x47
	swSelfTest    byte = 0x60
	swNoLicence   byte = 0x66 // the security module is not authorised
	swNotFound    byte = 0x80
	swNotSelected byte = 0x81
)

// Sizes of a frame, in bytes. The length field counts what follows it, the checksum included.
const (
	lengthSize = 2
	statusSize = 3
	mostLength = 4096 // a card with photo and fingerprints has 2,314
)

// Faults of a frame; a command with one of them is sent again.
var (
	errChecksum = errors.New("idcard: checksum does not fit")
	errLength   = errors.New("idcard: length out of range")
	errShort    = errors.New("idcard: data is shorter than it says")
)

// checksum is the exclusive or of the length field and everything behind it.
func checksum(b []byte) byte {
	var x byte
	for _, c := range b {
		x ^= c
	}
	return x
}

// frame returns preamble, length, body and checksum.
func frame(body []byte) []byte {
	out := append([]byte{}, preamble...)
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+1))
	out = append(out, body...)
	return append(out, checksum(out[len(preamble):]))
}

// command returns the frame of a command.
func command(cmd uint16) []byte { return frame([]byte{byte(cmd >> 8), byte(cmd)}) }

// answer returns the frame of an answer.
func answer(sw byte, data []byte) []byte { return frame(append([]byte{0, 0, sw}, data...)) }

// splitter finds frames in a stream of bytes, whatever stands between them.
type splitter struct{ held []byte }

// add takes bytes as they came.
func (s *splitter) add(b []byte) { s.held = append(s.held, b...) }

// next returns the body of the next whole frame, nil while there is none. What is no frame is dropped; a frame with a
// fault is dropped, too, and told.
func (s *splitter) next() ([]byte, error) {
	at := bytes.Index(s.held, preamble)
	if at < 0 {
		// The end may be the beginning of a preamble.
		if keep := len(preamble) - 1; len(s.held) > keep {
			s.held = append(s.held[:0], s.held[len(s.held)-keep:]...)
		}
		return nil, nil
	}
	s.held = s.held[at:]
	head := len(preamble) + lengthSize
	if len(s.held) < head {
		return nil, nil
	}
	n := int(binary.BigEndian.Uint16(s.held[len(preamble):]))
	if n < 3 || n > mostLength {
		s.held = s.held[len(preamble):]
		return nil, fmt.Errorf("%w: %d", errLength, n)
	}
	if len(s.held) < head+n {
		return nil, nil
	}
	whole := s.held[len(preamble) : head+n]
	if checksum(whole[:len(whole)-1]) != whole[len(whole)-1] {
		s.held = s.held[len(preamble):] // what was taken for the frame may hold the next preamble
		return nil, errChecksum
	}
	body := append([]byte{}, whole[lengthSize:len(whole)-1]...)
	s.held = append(s.held[:0], s.held[head+n:]...)
	return body, nil
}
