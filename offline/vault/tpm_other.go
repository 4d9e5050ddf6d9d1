//go:build !linux && !windows

package vault

import "github.com/google/go-tpm/tpm2/transport"

// openSystemTPM knows no TPM on this system.
func openSystemTPM() (transport.TPMCloser, error) { return nil, ErrNoTPM }
