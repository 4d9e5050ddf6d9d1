package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Kinds of machine secrets, as files and commands name them.
const (
	MachineTPM   = "tpm"
	MachineDPAPI = "dpapi"
	MachineFile  = "file"
)

// machineFiles are the files of each kind in a machine's folder.
var machineFiles = map[string]string{MachineTPM: "machine.tpm", MachineDPAPI: "machine.dpapi", MachineFile: "machine.key"}

// MachineIn returns where the secret of a folder lives, or is to live: in what a file there says, else in the best that this
// machine has: a TPM, the system's key store, a file. kind, when not "", asks for one of them, whatever is there.
func MachineIn(dir, kind string) (Machine, error) {
	if kind == "" {
		kind = kindIn(dir)
	}
	if kind == "" {
		kind = BestMachine()
	}
	path := filepath.Join(dir, machineFiles[kind])
	switch kind {
	case MachineTPM:
		return TPM(path, nil), nil
	case MachineDPAPI:
		return DPAPI(path), nil
	case MachineFile:
		return KeyFile(path), nil
	}
	return nil, fmt.Errorf("vault: no machine secret %q", kind)
}

// BestMachine returns the kind of the best place for a secret that this machine has now.
func BestMachine() string {
	switch {
	case HasTPM():
		return MachineTPM
	case HasDPAPI:
		return MachineDPAPI
	}
	return MachineFile
}

// MachineKind returns the kind of a Machine of this package; "" for another.
func MachineKind(m Machine) string {
	switch m.Name() {
	case "TPM 2.0":
		return MachineTPM
	case "DPAPI":
		return MachineDPAPI
	case "key file":
		return MachineFile
	}
	return ""
}

// kindIn returns the kind of which a folder has a file; "" when it has none.
func kindIn(dir string) string {
	for _, kind := range []string{MachineTPM, MachineDPAPI, MachineFile} {
		for _, c := range []string{"", ".b"} {
			if _, err := os.Stat(filepath.Join(dir, machineFiles[kind]+c)); err == nil || !errors.Is(err, fs.ErrNotExist) {
				return kind
			}
		}
	}
	return ""
}

// DropMachines removes the machine secrets of a folder but those of one kind: the county gave the secret back, and it lives
// elsewhere now.
func DropMachines(dir, but string) error {
	var err error
	for kind, name := range machineFiles {
		if kind == but {
			continue
		}
		for _, c := range []string{"", ".b"} {
			err = errors.Join(err, shred(filepath.Join(dir, name+c)))
		}
	}
	return err
}
