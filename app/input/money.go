package input

import (
	"strconv"
	"strings"
)

// ParseFen returns the fen of a plain amount in yuan such as "1234.5"; false when it is none. There are at most two
// digits after the point and no sign.
func ParseFen(yuan string) (int64, bool) {
	whole, fraction, _ := strings.Cut(yuan, ".")
	if whole == "" || len(fraction) > 2 {
		return 0, false
	}
	digits := whole + fraction + strings.Repeat("0", 2-len(fraction))
	if strings.ContainsAny(digits, "+-_") {
		return 0, false
	}
	fen, err := strconv.ParseInt(digits, 10, 64)
	return fen, err == nil
}

// FormatFen returns fen as a plain amount in yuan with two digits after the point.
func FormatFen(fen int64) string {
	sign := ""
	magnitude := uint64(fen)
	if fen < 0 {
		sign, magnitude = "-", -magnitude
	}
	cents := strconv.FormatUint(magnitude%100, 10)
	if len(cents) < 2 {
		cents = "0" + cents
	}
	return sign + strconv.FormatUint(magnitude/100, 10) + "." + cents
}
