// Package picture decodes the PNG and JPEG files that people hand in, and nothing that was made to break the machine.
//
// A few kilobytes can announce a picture of many hundred megabytes, and a JPEG of many passes can keep a processor busy
// for hours. So the file is walked first: its size in memory is computed from its headers, its passes are counted, and
// only then is it decoded.
package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
)

// Media types by content.
const (
	PNG  = "image/png"
	JPEG = "image/jpeg"
)

// Limits of a picture.
const (
	MaxBytes = 32 << 20 // of a file
	// MaxMemory is what decoding any picture may take, in bytes: an A4 page at 300 dpi in full colour, a photograph of
	// 24 million pixels as cameras store them.
	MaxMemory = 36 << 20
	// A photograph with more pixels is a large file, too. Up to MaxPhotoMemory it may take this many bytes of memory for
	// each of its own.
	MaxPhotoMemory = 128 << 20
	perByte        = 16
	maxSide        = 1 << 16
	maxScans       = 64 // passes of a progressive JPEG; encoders make about ten
)

// Errors that callers branch on.
var (
	// ErrFormat reports bytes that are no PNG or JPEG, or a broken one.
	ErrFormat = errors.New("picture: not a picture that is read here")
	// ErrTooLarge reports a picture over a limit.
	ErrTooLarge = errors.New("picture: too large")
)

// Media names the type of a file by its first bytes; "" when it is neither PNG nor JPEG.
func Media(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return PNG
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return JPEG
	}
	return ""
}

// Decode reads a PNG or JPEG. Before anything is allocated for it, its memory is known to be within the limits.
// Errors: ErrFormat, ErrTooLarge.
func Decode(data []byte) (image.Image, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(data))
	}
	var need int64
	var err error
	read := png.Decode
	switch Media(data) {
	case PNG:
		need, err = pngMemory(data)
	case JPEG:
		need, err = jpegMemory(data)
		read = jpeg.Decode
	default:
		err = ErrFormat
	}
	if err != nil {
		return nil, err
	}
	if limit := max(MaxMemory, min(MaxPhotoMemory, perByte*int64(len(data)))); need > limit {
		return nil, fmt.Errorf("%w: %d bytes in memory from %d in the file, at most %d", ErrTooLarge, need, len(data), limit)
	}
	img, err := read(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return img, nil
}

// pngMemory returns what image/png takes for a file, from its IHDR chunk (PNG §11.2.1), which must be the first.
func pngMemory(data []byte) (int64, error) {
	if len(data) < 33 || string(data[12:16]) != "IHDR" {
		return 0, fmt.Errorf("%w: no header", ErrFormat)
	}
	w, h := int64(binary.BigEndian.Uint32(data[16:])), int64(binary.BigEndian.Uint32(data[20:]))
	if w <= 0 || h <= 0 || w > maxSide || h > maxSide {
		return 0, fmt.Errorf("%w: %d by %d", ErrTooLarge, w, h)
	}
	depth, colour, interlaced := int64(data[24]), data[25], data[28] != 0
	perPixel := int64(4)
	if colour == 0 || colour == 3 {
		perPixel = 1
	}
	if depth == 16 {
		perPixel *= 2
		if colour != 0 {
			perPixel = 8
		}
	}
	if colour == 0 {
		perPixel *= 4 // with a transparent grey it becomes full colour
	}
	need := w * h * perPixel
	if interlaced {
		need += need / 2 // the last of seven passes is half the picture
	}
	return need + 32*w, nil
}

// jpegMemory returns what image/jpeg takes for a file, from its frame header (ITU-T T.81 §B.2.2), and counts its scans.
func jpegMemory(data []byte) (int64, error) {
	need, scans := int64(0), 0
	for at := 2; at+4 <= len(data); {
		if data[at] != 0xff {
			return 0, fmt.Errorf("%w: no marker at %d", ErrFormat, at)
		}
		marker := data[at+1]
		switch {
		case marker == 0xff: // fill byte
			at++
			continue
		case marker == 0xd9: // end of the picture
			return needed(need)
		case marker == 0 || marker == 1 || marker >= 0xd0 && marker <= 0xd8:
			at += 2
			continue
		}
		size := int(binary.BigEndian.Uint16(data[at+2:]))
		if size < 2 || at+2+size > len(data) {
			return 0, fmt.Errorf("%w: segment beyond the end", ErrFormat)
		}
		segment := data[at+4 : at+2+size]
		at += 2 + size
		switch marker {
		case 0xc0, 0xc1, 0xc2:
			if need != 0 {
				return 0, fmt.Errorf("%w: two frames", ErrFormat)
			}
			var err error
			if need, err = frameMemory(segment, marker == 0xc2); err != nil {
				return 0, err
			}
		case 0xda:
			if scans++; scans > maxScans {
				return 0, fmt.Errorf("%w: more than %d passes", ErrTooLarge, maxScans)
			}
			for at+1 < len(data) && (data[at] != 0xff || data[at+1] == 0 || data[at+1] >= 0xd0 && data[at+1] <= 0xd7) {
				at++ // coded data, in which a marker's first byte is followed by zero
			}
		}
	}
	return needed(need)
}

func needed(n int64) (int64, error) {
	if n == 0 {
		return 0, fmt.Errorf("%w: no frame", ErrFormat)
	}
	return n, nil
}

func frameMemory(b []byte, progressive bool) (int64, error) {
	if len(b) < 6 || len(b) != 6+3*int(b[5]) {
		return 0, fmt.Errorf("%w: frame header", ErrFormat)
	}
	h, w, n := int64(binary.BigEndian.Uint16(b[1:])), int64(binary.BigEndian.Uint16(b[3:])), int(b[5])
	if w == 0 || h == 0 || n == 0 || n > 4 {
		return 0, fmt.Errorf("%w: frame of %d by %d in %d parts", ErrFormat, w, h, n)
	}
	var hs, vs [4]int64
	hMax, vMax := int64(1), int64(1)
	for i := range n {
		hs[i], vs[i] = int64(b[7+3*i]>>4), int64(b[7+3*i]&15)
		if hs[i] < 1 || hs[i] > 4 || vs[i] < 1 || vs[i] > 4 {
			return 0, fmt.Errorf("%w: sampling", ErrFormat)
		}
		hMax, vMax = max(hMax, hs[i]), max(vMax, vs[i])
	}
	if n == 1 {
		hs[0], vs[0], hMax, vMax = 1, 1, 1, 1
	}
	mx, my := (w+8*hMax-1)/(8*hMax), (h+8*vMax-1)/(8*vMax)
	samples := int64(0)
	for i := range n {
		samples += mx * my * hs[i] * vs[i] * 64
	}
	need := samples
	if progressive {
		need += 4 * samples // all coefficients are kept until the last pass
	}
	if n == 4 {
		need += 4 * w * h // CMYK is put together from its parts
	}
	return need, nil
}
