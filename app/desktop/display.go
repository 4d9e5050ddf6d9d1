package desktop

import (
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
)

// display says why no window can be opened here; nil when one can, or when it is not known. Without it the window's
// library ends the program with a stack trace where county IT expects a sentence.
func display() error {
	switch runtime.GOOS {
	case "windows", "darwin":
		return nil
	}
	name := os.Getenv("DISPLAY")
	if name == "" {
		return errors.New("desktop: DISPLAY is not set")
	}
	host, number, ok := strings.Cut(name, ":")
	if !ok || host != "" && host != "unix" {
		return nil // over the network, or something only the X library knows
	}
	number, _, _ = strings.Cut(number, ".")
	var err error
	for _, socket := range []string{"/tmp/.X11-unix/X" + number, "@/tmp/.X11-unix/X" + number} {
		conn, dialErr := net.Dial("unix", socket)
		if dialErr == nil {
			return conn.Close()
		}
		err = errors.Join(err, dialErr)
	}
	return err
}
