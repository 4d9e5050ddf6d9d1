//go:build !windows

package vault

// HasDPAPI reports whether the system has such a store.
const HasDPAPI = false

// DPAPI returns a Machine that is nowhere but on Windows.
func DPAPI(string) Machine { return noDPAPI{} }

type noDPAPI struct{}

func (noDPAPI) Name() string { return "DPAPI" }

// Secret reports that this is not Windows.
func (noDPAPI) Secret() ([]byte, error) { return nil, ErrDPAPI }
