package desk

import (
	"errors"

	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// RequestMachine asks the county for the machine secret of a folder whose own is gone: a dead TPM, a lost file. A folder that
// opens needs none (words recovery.notNeeded).
func RequestMachine(cfg Config) ([]byte, error) {
	cfg = cfg.filled()
	if Wiped(cfg.Dir) {
		return nil, ErrWiped
	}
	_, err := vault.OpenRing(cfg.Dir, cfg.Suite, cfg.Machine, vault.OpenOptions{Clock: cfg.Clock})
	switch {
	case err == nil:
		return nil, words.New("recovery.notNeeded", nil)
	case errors.Is(err, vault.ErrNoRing), errors.Is(err, vault.ErrNewer), errors.Is(err, vault.ErrWrite):
		return nil, err
	}
	return vault.RequestMachine(cfg.Dir, cfg.Suite, cfg.Now().UnixMilli())
}

// TakeMachine takes the county's answer to RequestMachine. Afterwards the folder opens and every PIN is the old one.
func TakeMachine(cfg Config, answer []byte) error {
	cfg = cfg.filled()
	if err := vault.TakeMachine(cfg.Dir, cfg.Suite, cfg.Machine, answer); err != nil {
		return err
	}
	if kind := vault.MachineKind(cfg.Machine); kind != "" {
		return vault.DropMachines(cfg.Dir, kind) // where it was kept before
	}
	return nil
}
