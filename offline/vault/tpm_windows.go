package vault

import (
	"fmt"

	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/windowstpm"
)

// openSystemTPM connects to the TPM base services.
func openSystemTPM() (transport.TPMCloser, error) {
	t, err := windowstpm.Open()
	if err != nil {
		return nil, fmt.Errorf("vault: open the TPM: %w", err)
	}
	return t, nil
}
