package speech

import (
	"encoding/binary"
	"errors"
)

// Tables of IMA ADPCM (IMA Digital Audio Focus and Technical Working Groups, 1992).
var (
	adpcmIndex = [16]int{-1, -1, -1, -1, 2, 4, 6, 8, -1, -1, -1, -1, 2, 4, 6, 8}
	adpcmStep  = [89]int{
		7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118, 130,
		143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282,
		1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630,
		9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
	}
)

var errClip = errors.New("speech: no recording in IMA ADPCM")

// decode reads a WAV file of one channel in IMA ADPCM (format 0x11) and returns its samples.
func decode(wav []byte) ([]int16, error) {
	if len(wav) < 12 || string(wav[:4]) != "RIFF" || string(wav[8:12]) != "WAVE" {
		return nil, errClip
	}
	block, samples := 0, -1
	for at := 12; at+8 <= len(wav); {
		id, size := string(wav[at:at+4]), int(binary.LittleEndian.Uint32(wav[at+4:]))
		at += 8
		if size < 0 || size > len(wav)-at {
			return nil, errClip
		}
		body := wav[at : at+size]
		switch id {
		case "fmt ":
			if size < 16 || binary.LittleEndian.Uint16(body) != 0x11 || binary.LittleEndian.Uint16(body[2:]) != 1 {
				return nil, errClip
			}
			block = int(binary.LittleEndian.Uint16(body[12:]))
		case "fact":
			if size >= 4 {
				samples = int(binary.LittleEndian.Uint32(body))
			}
		case "data":
			if block < 4 {
				return nil, errClip
			}
			var out []int16
			for ; len(body) >= 4; body = body[min(block, len(body)):] {
				out = decodeBlock(out, body[:min(block, len(body))])
			}
			if samples >= 0 && samples < len(out) {
				out = out[:samples]
			}
			return out, nil
		}
		at += size + size&1
	}
	return nil, errClip
}

func decodeBlock(out []int16, b []byte) []int16 {
	value := int(int16(binary.LittleEndian.Uint16(b)))
	index := min(int(b[2]), len(adpcmStep)-1)
	out = append(out, int16(value))
	for _, two := range b[4:] {
		for _, code := range [2]int{int(two & 0x0F), int(two >> 4)} {
			step := adpcmStep[index]
			diff := step >> 3
			if code&4 != 0 {
				diff += step
			}
			if code&2 != 0 {
				diff += step >> 1
			}
			if code&1 != 0 {
				diff += step >> 2
			}
			if code&8 != 0 {
				diff = -diff
			}
			value = max(-32768, min(32767, value+diff))
			index = max(0, min(len(adpcmStep)-1, index+adpcmIndex[code]))
			out = append(out, int16(value))
		}
	}
	return out
}
