package client

import (
	"context"
	"net/http"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

// Epoch asks for a new number for this device, whose journal forked. q names the fork; fresh is the new signing key, seal the
// encryption key, which stays. The grant is signed by root, for this device and this fork, and its certificates are over
// these keys, or there is an error. Errors are *wire.Error.
func (d *Device) Epoch(ctx context.Context, root, seal vault.PublicKey, q wire.Epoch, fresh vault.PrivateKey) (wire.EpochGrant, error) {
	var grant wire.EpochGrant
	err := d.signed(ctx, func(nonce []byte) error {
		q.Device, q.Nonce, q.SignKey = d.id, nonce, fresh.Public()
		if err := q.Sign(d.key, fresh); err != nil {
			return &wire.Error{V: wire.Version, Code: wire.CodeSignature, Detail: "device key does not sign", Cause: err}
		}
		body, err := canon.Marshal(q)
		if err != nil {
			return &wire.Error{V: wire.Version, Code: wire.CodeBadRequest, Cause: err}
		}
		_, plain, err := d.c.do(ctx, http.MethodPost, wire.PathEpoch, body, nil)
		if err != nil {
			return err
		}
		grant, err = message[wire.EpochGrant](plain)
		return err
	})
	if err != nil {
		return wire.EpochGrant{}, err
	}
	s := d.c.c.Suite
	if err := grant.Verify(s, root); err != nil {
		return wire.EpochGrant{}, mismatch("root did not sign the epoch", err)
	}
	if grant.Former != d.id || grant.To != q.To || grant.Head != q.Head {
		return wire.EpochGrant{}, &wire.Error{V: wire.Version, Code: wire.CodeInternal, Detail: "epoch is of another fork"}
	}
	for _, cert := range []struct {
		name string
		der  []byte
		key  vault.PublicKey
	}{{"signing", grant.SignCert, fresh.Public()}, {"sealing", grant.SealCert, seal}} {
		if err := checkCert(s, root, cert.der, cert.key); err != nil {
			return wire.EpochGrant{}, mismatch(cert.name+" certificate", err)
		}
	}
	return grant, nil
}
