package vault

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxtpm"
)

// tpmVariable names the environment variable with another TPM than the system's: a device, or "unix:" and a socket, as
// virtual machines and simulators have it.
const tpmVariable = "BIANMIN_TPM"

// openSystemTPM connects to the kernel's TPM, through its resource manager.
func openSystemTPM() (transport.TPMCloser, error) {
	path := os.Getenv(tpmVariable)
	if path == "" {
		path = "/dev/tpmrm0"
	}
	if sock, ok := strings.CutPrefix(path, "unix:"); ok {
		c, err := net.Dial("unix", sock)
		if err != nil {
			return nil, fmt.Errorf("vault: connect to the TPM: %w", err)
		}
		return transport.FromReadWriteCloser(c), nil
	}
	t, err := linuxtpm.Open(path)
	if err != nil {
		return nil, fmt.Errorf("vault: open the TPM: %w", err)
	}
	return t, nil
}
