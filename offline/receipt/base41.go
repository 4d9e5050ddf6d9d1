package receipt

import (
	"errors"
	"fmt"
)

// base41 is RFC 9285 with 41 instead of 45: two bytes become three characters, least significant first; a last single
// byte becomes two. All 41 characters may stand in a URL fragment and in QR alphanumeric mode.
const alphabet41 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*-/:"

// ErrBase41 reports text that is not the one base41 form of any bytes.
var ErrBase41 = errors.New("receipt: not base41")

var values41 = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i := range len(alphabet41) {
		t[alphabet41[i]] = int8(i)
	}
	return t
}()

// encode41 returns the base41 form of data.
func encode41(data []byte) string {
	out := make([]byte, 0, len(data)/2*3+2)
	for ; len(data) >= 2; data = data[2:] {
		n := int(data[0])<<8 | int(data[1])
		out = append(out, alphabet41[n%41], alphabet41[n/41%41], alphabet41[n/41/41])
	}
	if len(data) == 1 {
		n := int(data[0])
		out = append(out, alphabet41[n%41], alphabet41[n/41])
	}
	return string(out)
}

// decode41 reverses encode41. Each byte string has one base41 form: groups that stand for more than 65535 (or 255, for
// the last two characters) and a single last character are refused with ErrBase41.
func decode41(s string) ([]byte, error) {
	out := make([]byte, 0, len(s)/3*2+1)
	for at := 0; at < len(s); at += 3 {
		group := s[at:min(at+3, len(s))]
		n, unit := 0, 1
		for i := range len(group) {
			v := values41[group[i]]
			if v < 0 {
				return nil, fmt.Errorf("%w: character %d", ErrBase41, at+i)
			}
			n += int(v) * unit
			unit *= 41
		}
		switch {
		case len(group) == 3 && n <= 0xffff:
			out = append(out, byte(n>>8), byte(n))
		case len(group) == 2 && n <= 0xff:
			out = append(out, byte(n))
		default:
			return nil, fmt.Errorf("%w: group at %d", ErrBase41, at)
		}
	}
	return out, nil
}
