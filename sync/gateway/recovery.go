package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

const (
	recoveryDoc  = "recovery" // document: the county's recovery key, signed by the root
	recoveryFile = "recovery.key"
)

// CreateRecovery makes the county's recovery key and writes its private half to a file of mode 0600 in dir, from where it
// should be moved off-line. ErrExists when there is one.
func CreateRecovery(dir string, s vault.Suite) (vault.PublicKey, error) {
	path := filepath.Join(dir, recoveryFile)
	if _, err := os.Stat(path); err == nil {
		return nil, words.New("gateway.recoveryExists", ErrExists)
	}
	k, err := s.GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("gateway: make recovery key: %w", err)
	}
	d, err := k.Bytes()
	if err != nil {
		return nil, fmt.Errorf("gateway: make recovery key: %w", err)
	}
	return k.Public(), writeSecret(path, []byte(hex.EncodeToString(d)+"\n"))
}

// OpenRecovery reads the private half of the recovery key: of a file, or of the key folder. ErrNotFound.
func OpenRecovery(path string, s vault.Suite) (vault.PrivateKey, error) {
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		path = filepath.Join(path, recoveryFile)
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, words.New("gateway.noRecovery", ErrNotFound)
	}
	return readSM2(path, s)
}

// PublishRecovery signs the public half of the county's recovery key, keeps it for new grants and tells every device in
// force. From their next login on they seal their master to it, in place of an older one.
func (g *Gateway) PublishRecovery(ctx context.Context, pub vault.PublicKey) error {
	at := g.cfg.Now().UnixMilli()
	data, err := vault.SignCountyKey(g.keys.Root, pub, at)
	if err != nil {
		return err
	}
	var told []uint32
	err = g.store.Update(ctx, func(tx Tx) error {
		if err := tx.PutDoc(DocRow{Name: recoveryDoc, Version: uint64(at), Data: data}); err != nil {
			return err
		}
		told, err = g.announce(tx, "", 0, journal.EventRecovery, journal.Document{Data: data})
		return err
	})
	if err != nil {
		return err
	}
	g.hub.wake(told...)
	return nil
}

// Recovery returns the public half in force. ErrNotFound while there is none.
func (g *Gateway) Recovery(ctx context.Context) (pub vault.PublicKey, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		doc, err := tx.Doc(recoveryDoc)
		if err != nil {
			return err
		}
		pub, _, err = vault.OpenCountyKey(g.s, g.keys.Root.Public(), doc.Data)
		return err
	})
	return pub, err
}

// RecoveryOf finds the device that made a recovery request and checks that it did, as far as a request can be checked: a
// machine that has lost its secret cannot sign. ErrNotFound for a device that was never enrolled here.
func (g *Gateway) RecoveryOf(ctx context.Context, request []byte) (vault.RecoveryRequest, DeviceRow, error) {
	q, err := vault.ParseRecoveryRequest(request)
	if err != nil {
		return q, DeviceRow{}, err
	}
	devices, err := g.Devices(ctx)
	if err != nil {
		return q, DeviceRow{}, err
	}
	for _, d := range devices {
		if equal(d.SealKey, q.Seal) {
			return q, d, q.Verify(g.s, d.SignKey)
		}
	}
	return q, DeviceRow{}, words.New("gateway.none.device", ErrNotFound)
}
