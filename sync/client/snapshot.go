package client

import (
	"context"
	"net/http"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

// Snapshot asks for what the platform holds of a journal after a record and an event. of is whose journal; 0 the one that
// this device goes on for. What comes back is proven by who takes it. Errors are *wire.Error.
func (d *Device) Snapshot(ctx context.Context, of uint32, after uint64, head vault.Hash, cursor uint64) (wire.Snapshot, error) {
	var out wire.Snapshot
	err := d.signed(ctx, func(nonce []byte) error {
		q := wire.SnapshotRequest{Device: d.id, Nonce: nonce, Of: of, After: after, Head: head, Cursor: cursor}
		if err := q.Sign(d.key); err != nil {
			return &wire.Error{V: wire.Version, Code: wire.CodeSignature, Detail: "device key does not sign", Cause: err}
		}
		body, err := canon.Marshal(q)
		if err != nil {
			return &wire.Error{V: wire.Version, Code: wire.CodeBadRequest, Cause: err}
		}
		_, plain, err := d.c.do(ctx, http.MethodPost, wire.PathSnapshot, body, nil)
		if err != nil {
			return err
		}
		out, err = message[wire.Snapshot](plain)
		return err
	})
	return out, err
}
