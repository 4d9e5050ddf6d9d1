package desk

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"bianmin/offline/catalog"
	"bianmin/offline/vault"
)

// A pack is looked through for faults once, when it arrives; that takes ten times as long as reading it. What passed is
// noted beside it: a MAC of this machine's over the pack's hash and the version of the rules. Without the note, with a
// wrong one, or with new rules, the pack is looked through again. Its signature is verified at every opening.
const checkedSuffix = ".checked"

func (d *Desk) checkedFile(n packName) string {
	return filepath.Join(d.cfg.Dir, packsFolder, n.file()+checkedSuffix)
}

func (d *Desk) checkedMAC(hash vault.Hash) []byte {
	key := d.ring.MachineKey()
	defer clear(key[:])
	m := d.cfg.Suite.MAC(key[:], []byte("bianmin/pack-checked/v1\x00"), vault.U64(catalog.CheckVersion), hash[:])
	return m[:]
}

// readPack opens a pack's bytes: quickly when this machine has looked through these very bytes before.
func (d *Desk) readPack(n packName, data []byte) (*catalog.Pack, error) {
	mac := d.checkedMAC(d.cfg.Suite.Hash(data))
	note, err := os.ReadFile(d.checkedFile(n))
	if err == nil && vault.Equal(note, mac) {
		return catalog.OpenChecked(data, d.en.Root)
	}
	p, err := catalog.Open(data, d.en.Root)
	if err != nil {
		return nil, err
	}
	d.noteChecked(n, p.Hash)
	return p, nil
}

// noteChecked notes that a pack was looked through. A note that cannot be written costs time later, nothing else.
func (d *Desk) noteChecked(n packName, hash vault.Hash) {
	if err := writeFile(d.checkedFile(n), d.checkedMAC(hash)); err != nil {
		d.cfg.Log.Warn("note checked pack", slog.Any("cause", err))
	}
}

// dropChecked removes the note of a pack that is gone.
func (d *Desk) dropChecked(n packName) {
	if err := os.Remove(d.checkedFile(n)); err != nil && !errors.Is(err, os.ErrNotExist) {
		d.cfg.Log.Warn("remove note of a pack", slog.Any("cause", err))
	}
}
