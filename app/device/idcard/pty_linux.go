package idcard

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// OpenPTY makes a serial line out of nothing: what is written to the file comes out of the port of that name, and the other
// way round. Serve a [Sim] on the file and [Open] the port. Close the file when done.
func OpenPTY() (line *os.File, port string, err error) {
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, "", fmt.Errorf("idcard: make a line: %w", err)
	}
	c, err := f.SyscallConn()
	if err != nil {
		return nil, "", errors.Join(err, f.Close())
	}
	n := 0
	var ierr error
	err = c.Control(func(fd uintptr) {
		if ierr = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); ierr != nil {
			return
		}
		if n, ierr = unix.IoctlGetInt(int(fd), unix.TIOCGPTN); ierr != nil {
			return
		}
		var t *unix.Termios
		if t, ierr = unix.IoctlGetTermios(int(fd), unix.TCGETS); ierr != nil {
			return
		}
		t.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG | unix.IEXTEN
		t.Iflag &^= unix.ICRNL | unix.IXON | unix.BRKINT | unix.INPCK | unix.ISTRIP
		t.Oflag &^= unix.OPOST
		ierr = unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
	})
	if err = errors.Join(err, ierr); err != nil {
		return nil, "", errors.Join(fmt.Errorf("idcard: make a line: %w", err), f.Close())
	}
	return f, fmt.Sprintf("/dev/pts/%d", n), nil
}
