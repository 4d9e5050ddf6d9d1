//go:build !linux

package idcard

import (
	"errors"
	"os"
)

// OpenPTY makes a serial line out of nothing; here it cannot.
func OpenPTY() (line *os.File, port string, err error) {
	return nil, "", errors.ErrUnsupported
}
