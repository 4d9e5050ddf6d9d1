package sqlite

import (
	"context"
	"fmt"
	"math"

	"bianmin/offline/vault"
	"bianmin/sync/gateway"
)

// ReplacePacket implements gateway.JournalTx.
func (t *txn) ReplacePacket(p gateway.PacketRow) error {
	n := t.exec(`UPDATE packets SET hash = $1, bytes = $2 WHERE device = $3 AND from_seq = $4 AND to_seq = $5`,
		p.Hash[:], p.Bytes, p.Device, p.From, p.To)
	return t.one("replace packet", n == 1, gateway.ErrNotFound)
}

// ReplaceEvidence implements gateway.JournalTx.
func (t *txn) ReplaceEvidence(old vault.Hash, p gateway.PacketRow) error {
	n := t.exec(`UPDATE evidence SET hash = $1, bytes = $2 WHERE device = $3 AND hash = $4`, p.Hash[:], p.Bytes, p.Device, old[:])
	return t.one("replace evidence", n == 1, gateway.ErrNotFound)
}

// ReplaceCopy implements gateway.InboxTx.
func (t *txn) ReplaceCopy(device uint32, cursor uint64, body []byte) error {
	n := t.exec(`UPDATE events SET copy_body = $1 WHERE device = $2 AND cursor_no = $3`, blob(body), device, int64(min(cursor, math.MaxInt64)))
	return t.one("replace copy", n == 1, gateway.ErrNotFound)
}

// Scrub implements gateway.Store. Freed pages are overwritten by SQLite itself (secure_delete); the log of writes is
// brought into the file and cut to nothing.
func (s *Store) Scrub(ctx context.Context) error {
	k := <-s.write
	defer func() { s.write <- k }()
	var busy, log, moved int
	if err := k.c.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &moved); err != nil {
		return fmt.Errorf("sqlite: scrub: %w", err)
	}
	if busy != 0 {
		return fmt.Errorf("sqlite: scrub: another program reads; try again")
	}
	return nil
}
