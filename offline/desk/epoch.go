package desk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/receipt"
	"bianmin/offline/store"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// errForkLogin reports a new epoch that somebody must be logged in for: what was not delivered is packed anew.
var errForkLogin = words.New("sync.forkLogin", nil)

// epochEntry is one number that this machine got after its first one, or is about to get: the key is made, and on the disk,
// before the platform is asked, so that a lost answer brings the same number.
type epochEntry struct {
	Former   uint32     `cbor:"1,keyasint"`
	To       uint64     `cbor:"2,keyasint"`
	Head     vault.Hash `cbor:"3,keyasint"`
	Fork     []byte     `cbor:"4,keyasint"` // packet.Fork
	Sign     []byte     `cbor:"5,keyasint"` // scalar of the signing key
	Device   uint32     `cbor:"6,keyasint"` // 0 until granted
	SignCert []byte     `cbor:"7,keyasint"`
	SealCert []byte     `cbor:"8,keyasint"`
	At       int64      `cbor:"9,keyasint"` // platform time of the grant, Unix milliseconds
}

type epochFile struct {
	V       uint8        `cbor:"1,keyasint"`
	Writes  uint64       `cbor:"2,keyasint"` // the copy with more of them is newer
	Entries []epochEntry `cbor:"3,keyasint"`
}

const epochAAD = "bianmin/epochs/v1"

// epochPaths are the two copies: without the key in it nothing of an epoch could be sent.
func epochPaths(dir string) [2]string {
	return [2]string{filepath.Join(dir, "epochs"), filepath.Join(dir, "epochs.b")}
}

// readEpochs reads the newer sound copy. A machine that never forked has none.
func readEpochs(dir string, s vault.Suite, key vault.Key) (epochFile, error) {
	var newest epochFile
	var bad error
	for _, path := range epochPaths(dir) {
		sealed, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		var f epochFile
		var plain []byte
		if err == nil {
			plain, err = s.Open(key, sealed, []byte(epochAAD))
		}
		if err == nil {
			err = canon.Unmarshal(plain, &f)
		}
		if err == nil && f.V != 1 {
			err = fmt.Errorf("desk: epochs of version %d", f.V)
		}
		if err != nil {
			bad = err
			continue
		}
		if f.Writes > newest.Writes {
			newest = f
		}
	}
	if newest.Writes == 0 && bad != nil {
		return newest, words.New("desk.enrolmentDamaged", bad)
	}
	return newest, nil
}

func (d *Desk) writeEpochs(f epochFile) error {
	f.V, f.Writes = 1, f.Writes+1
	plain, err := canon.Marshal(f)
	if err != nil {
		return err
	}
	defer clear(plain)
	sealed, err := d.cfg.Suite.Seal(d.ring.MachineKey(), plain, []byte(epochAAD))
	if err != nil {
		return err
	}
	for _, path := range epochPaths(d.cfg.Dir) {
		if err := writeFile(path, sealed); err != nil {
			return words.New("desk.folderUnwritable", err)
		}
	}
	return nil
}

// storeEpochs turns the entries that were granted into what the store knows.
func storeEpochs(s vault.Suite, f epochFile) ([]store.Epoch, error) {
	var out []store.Epoch
	for _, e := range f.Entries {
		if e.Device == 0 {
			continue
		}
		k, err := s.ParsePrivateKey(e.Sign)
		if err != nil {
			return nil, words.New("desk.enrolmentDamaged", err)
		}
		out = append(out, store.Epoch{Device: e.Device, Signer: k, Former: e.Former, To: e.To, Head: e.Head, Fork: e.Fork})
	}
	return out, nil
}

// Renewal is what a machine whose journal forked asks the platform with.
type Renewal struct {
	Former uint32
	To     uint64     // last record in common
	Head   vault.Hash // its hash
	Fork   []byte     // packet.Fork as the platform signed it
	Key    vault.PrivateKey
	// Lost says that there is no fork: both copies were lost, everything the platform has is back, and numbers after To may stand on
	// paper.
	Lost bool
	// Granted says that the platform has answered already: only EnterEpoch is due.
	Granted bool
}

// Forked returns what to ask for when the platform holds another past of this machine; ok is false when it does not. The
// key in it is kept before Forked returns. It works while nobody is logged in.
func (d *Desk) Forked() (r Renewal, ok bool, err error) {
	notice := []byte(nil)
	to, head, lost := d.store.Renumbering()
	if !lost {
		notice, to, head, err = d.store.ForkPoint()
	}
	if errors.Is(err, store.ErrNotFound) {
		return Renewal{}, false, nil
	}
	if err != nil {
		return Renewal{}, false, err
	}
	f, err := readEpochs(d.cfg.Dir, d.cfg.Suite, d.ring.MachineKey())
	if err != nil {
		return Renewal{}, true, err
	}
	former := d.store.Device()
	for i := range f.Entries {
		e := &f.Entries[i]
		if e.Former != former {
			continue
		}
		if lost && e.Device == 0 && (e.To != to || len(e.Fork) > 0) { // more has come back since
			e.To, e.Head, e.Fork = to, head, nil
			if err := d.writeEpochs(f); err != nil {
				return Renewal{}, true, err
			}
		}
		k, err := d.cfg.Suite.ParsePrivateKey(e.Sign)
		if err != nil {
			return Renewal{}, true, words.New("desk.enrolmentDamaged", err)
		}
		return Renewal{Former: former, To: e.To, Head: e.Head, Fork: e.Fork, Key: k, Granted: e.Device != 0, Lost: len(e.Fork) == 0}, true, nil
	}
	k, scalar, err := newScalar(d.cfg.Suite)
	if err != nil {
		return Renewal{}, true, err
	}
	f.Entries = append(f.Entries, epochEntry{Former: former, To: to, Head: head, Fork: notice, Sign: scalar})
	if err := d.writeEpochs(f); err != nil {
		return Renewal{}, true, err
	}
	return Renewal{Former: former, To: to, Head: head, Fork: notice, Key: k, Lost: lost}, true, nil
}

// DropFork forgets a fork that the platform gives no number for, for example because a copy of this folder used its notice
// first. The next exchange brings a new notice.
func (d *Desk) DropFork() error {
	f, err := readEpochs(d.cfg.Dir, d.cfg.Suite, d.ring.MachineKey())
	if err != nil {
		return err
	}
	former := d.store.Device()
	f.Entries = slices.DeleteFunc(f.Entries, func(e epochEntry) bool { return e.Former == former && e.Device == 0 })
	if err := d.writeEpochs(f); err != nil {
		return err
	}
	return d.store.DropFork()
}

// GrantEpoch keeps what the platform answered: the number that the key of Forked got, with its certificates.
func (d *Desk) GrantEpoch(former, device uint32, signCert, sealCert []byte, at int64) error {
	f, err := readEpochs(d.cfg.Dir, d.cfg.Suite, d.ring.MachineKey())
	if err != nil {
		return err
	}
	for i := range f.Entries {
		e := &f.Entries[i]
		if e.Former != former || e.Device == device {
			continue
		}
		if e.Device != 0 {
			return fmt.Errorf("desk: epoch of device %d was granted as %d before", former, e.Device)
		}
		e.Device, e.SignCert, e.SealCert, e.At = device, signCert, sealCert, at
		return d.writeEpochs(f)
	}
	return nil
}

// EnterEpoch goes on under the number that was granted, when one is due. What was not delivered is carried over with its
// receipts. Error: the key "sync.forkLogin" while nobody is logged in; the next login does it then.
func (d *Desk) EnterEpoch(ctx context.Context) error {
	f, err := readEpochs(d.cfg.Dir, d.cfg.Suite, d.ring.MachineKey())
	if err != nil {
		return err
	}
	all, err := storeEpochs(d.cfg.Suite, f)
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.Former != d.store.Device() {
			continue
		}
		_, err := d.store.EnterEpoch(ctx, e, receiptBy(e.Signer))
		if errors.Is(err, store.ErrLocked) {
			return errForkLogin
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// receiptBy makes the stage-1 envelope of a submission: its content follows from the record, and the signature is new.
func receiptBy(k vault.PrivateKey) func(rec journal.Record) ([]byte, error) {
	return func(rec journal.Record) ([]byte, error) {
		b, err := journal.DecodeBody[journal.CaseSubmitted](rec.Body)
		if err != nil {
			return nil, err
		}
		return receipt.Sign(k, receipt.OfCase(rec.Header, b).Payload())
	}
}
