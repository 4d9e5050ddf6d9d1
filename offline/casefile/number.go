package casefile

import (
	"fmt"
	"strconv"
	"strings"

	"bianmin/offline/words"
)

// ErrNumber reports a text that is not a receipt number, or one with a wrong check: something was misread or misheard.
var ErrNumber error = words.New("case.number", nil)

// Number returns the receipt number of a case: "device-seq-check", for example "17-342-05". It can be made without a
// network, read out on the telephone, and typed.
//
// check is two digits of ISO 7064 MOD 97-10 over device·10²⁰ + seq, so that it also notices a digit that slipped over
// the dash. It finds every single wrong digit and every swap of neighbours in either part.
func Number(device uint32, seq uint64) string {
	return fmt.Sprintf("%d-%d-%02d", device, seq, check97(device, seq))
}

// check97 returns 98 − (n·100 mod 97) with n = device·10²⁰ + seq.
func check97(device uint32, seq uint64) uint64 {
	const shift = 73 // 10²⁰ mod 97, checked by a test
	n := (uint64(device)%97*shift + seq%97) % 97
	return 98 - n*100%97
}

// ParseNumber reads a receipt number as typed: full-width characters, other dashes, and blanks around or instead of
// dashes are understood. ErrNumber reports anything that Number could not have made.
func ParseNumber(s string) (device uint32, seq uint64, err error) {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			r -= 0xFEE0
		case r >= 0x2010 && r <= 0x2015, r == 0x2212, r == 0x3000:
			r = ' '
		}
		if r == '-' {
			r = ' '
		}
		return r
	}, s)
	f := strings.Fields(s)
	if len(f) != 3 || len(f[2]) != 2 {
		return 0, 0, ErrNumber
	}
	for _, p := range f[:2] {
		if len(p) > 20 || p[0] == '0' || p[0] == '+' {
			return 0, 0, ErrNumber
		}
	}
	d, err := strconv.ParseUint(f[0], 10, 32)
	if err != nil {
		return 0, 0, ErrNumber
	}
	n, err := strconv.ParseUint(f[1], 10, 64)
	if err != nil {
		return 0, 0, ErrNumber
	}
	if f[2] != fmt.Sprintf("%02d", check97(uint32(d), n)) {
		return 0, 0, ErrNumber
	}
	return uint32(d), n, nil
}
