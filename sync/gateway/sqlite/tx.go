package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"bianmin/offline/vault"
	"bianmin/offline/words"
	"bianmin/sync/gateway"
)

// txn is one transaction. It remembers its first error, so that statements can be written one after another.
type txn struct {
	ctx context.Context
	c   *conn
	err error
}

var _ gateway.Tx = (*txn)(nil)

func (t *txn) stmt(query string) *sql.Stmt {
	if t.err != nil {
		return nil
	}
	if s, ok := t.c.m[query]; ok {
		return s
	}
	s, err := t.c.c.PrepareContext(t.ctx, query)
	if err != nil {
		t.err = err
		return nil
	}
	t.c.m[query] = s
	return s
}

// exec returns the number of rows changed.
func (t *txn) exec(query string, args ...any) int64 {
	s := t.stmt(query)
	if s == nil {
		return 0
	}
	r, err := s.ExecContext(t.ctx, args...)
	if err != nil {
		t.err = err
		return 0
	}
	n, err := r.RowsAffected()
	if err != nil {
		t.err = err
	}
	return n
}

// row reads one row; false when there is none.
func (t *txn) row(dst []any, query string, args ...any) bool {
	s := t.stmt(query)
	if s == nil {
		return false
	}
	err := s.QueryRowContext(t.ctx, args...).Scan(dst...)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.err = err
	}
	return err == nil
}

func (t *txn) rows(each func(scan func(...any) error) error, query string, args ...any) {
	s := t.stmt(query)
	if s == nil {
		return
	}
	r, err := s.QueryContext(t.ctx, args...)
	if err != nil {
		t.err = err
		return
	}
	for r.Next() {
		if err := each(r.Scan); err != nil {
			t.err = err
			break
		}
	}
	t.err = errors.Join(t.err, r.Err(), r.Close())
}

func (t *txn) fail(what string) error {
	if t.err == nil {
		return nil
	}
	return fmt.Errorf("sqlite: %s: %w", what, t.err)
}

// one returns the error of a single row: the transaction's, or missing when found is false.
func (t *txn) one(what string, found bool, missing error) error {
	if t.err != nil {
		return t.fail(what)
	}
	if !found {
		err := fmt.Errorf("%w: %s", missing, what)
		switch what {
		case "case", "device", "station", "code", "pack": // what people ask for by name
			if errors.Is(missing, gateway.ErrNotFound) {
				return words.New("gateway.none."+what, err)
			}
		}
		return err
	}
	return nil
}

func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// hashOf scans 32 bytes.
type hashOf struct{ h *vault.Hash }

// Scan implements sql.Scanner.
func (x hashOf) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok || len(b) != len(x.h) {
		return fmt.Errorf("hash column holds %T of %d bytes", src, len(b))
	}
	copy(x.h[:], b)
	return nil
}

const headCols = `seq, head, projected, cursor_no, event_head`

// Head implements gateway.JournalTx.
func (t *txn) Head(device uint32) (gateway.Head, error) {
	h := gateway.Head{Device: device}
	ok := t.row([]any{&h.Seq, hashOf{&h.Hash}, &h.Projected, &h.Cursor, hashOf{&h.EventHash}},
		`SELECT `+headCols+` FROM heads WHERE device = $1`, device)
	return h, t.one("head", ok, gateway.ErrNotFound)
}

// AddPacket implements gateway.JournalTx.
func (t *txn) AddPacket(p gateway.PacketRow, rows []gateway.HeaderRow, seq uint64, old, hash vault.Hash) error {
	n := t.exec(`UPDATE heads SET seq = $1, head = $2 WHERE device = $3 AND seq = $4 AND head = $5`,
		p.To, hash[:], p.Device, seq, old[:])
	if err := t.one("head", n == 1, gateway.ErrMoved); err != nil {
		return err
	}
	t.exec(`INSERT INTO packets (device, to_seq, from_seq, hash, at, bytes) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.Device, p.To, p.From, p.Hash[:], p.At, p.Bytes)
	for len(rows) > 0 {
		n := headerBatch
		if len(rows) < n {
			n = 1
		}
		args := make([]any, 0, headerBatch*headerCols)
		for _, r := range rows[:n] {
			args = append(args, p.Device, r.Seq, r.Hash[:], r.Kind, r.At)
		}
		t.exec(insertHeaders[n], args...)
		rows = rows[n:]
	}
	return t.fail("add packet")
}

// Headers are inserted many to a statement: what a statement costs is mostly its call.
const (
	headerBatch = 32
	headerCols  = 5
)

var insertHeaders = map[int]string{1: insertHeader(1), headerBatch: insertHeader(headerBatch)}

func insertHeader(n int) string {
	var q strings.Builder
	q.WriteString(`INSERT INTO headers (device, seq, hash, kind, at) VALUES `)
	for i := range n {
		if i > 0 {
			q.WriteString(", ")
		}
		at := i * headerCols
		fmt.Fprintf(&q, "($%d, $%d, $%d, $%d, $%d)", at+1, at+2, at+3, at+4, at+5)
	}
	return q.String()
}

// Headers implements gateway.JournalTx.
func (t *txn) Headers(device uint32, from, to uint64) ([]gateway.HeaderRow, error) {
	var out []gateway.HeaderRow
	t.rows(func(scan func(...any) error) error {
		var r gateway.HeaderRow
		err := scan(&r.Seq, hashOf{&r.Hash}, &r.Kind, &r.At)
		out = append(out, r)
		return err
	}, `SELECT seq, hash, kind, at FROM headers WHERE device = $1 AND seq >= $2 AND seq <= $3 ORDER BY seq`,
		device, from, int64(min(to, 1<<62)))
	return out, t.fail("headers")
}

// Packets implements gateway.JournalTx.
func (t *txn) Packets(device uint32, seq uint64, limit int) ([]gateway.PacketRow, error) {
	out := t.packets(`SELECT device, from_seq, to_seq, hash, at, bytes FROM packets
		WHERE device = $1 AND to_seq > $2 ORDER BY to_seq LIMIT $3`, device, seq, limit)
	return out, t.fail("packets")
}

func (t *txn) packets(query string, args ...any) []gateway.PacketRow {
	var out []gateway.PacketRow
	t.rows(func(scan func(...any) error) error {
		var p gateway.PacketRow
		err := scan(&p.Device, &p.From, &p.To, hashOf{&p.Hash}, &p.At, &p.Bytes)
		out = append(out, p)
		return err
	}, query, args...)
	return out
}

// SetProjected implements gateway.JournalTx.
func (t *txn) SetProjected(device uint32, from, to uint64) error {
	n := t.exec(`UPDATE heads SET projected = $1 WHERE device = $2 AND projected = $3`, to, device, from)
	return t.one("projection", n == 1, gateway.ErrMoved)
}

// Behind implements gateway.JournalTx.
func (t *txn) Behind() ([]uint32, error) {
	var out []uint32
	t.rows(func(scan func(...any) error) error {
		var d uint32
		err := scan(&d)
		out = append(out, d)
		return err
	}, `SELECT device FROM heads WHERE projected < seq ORDER BY device`)
	return out, t.fail("behind")
}

// AddEvidence implements gateway.JournalTx.
func (t *txn) AddEvidence(p gateway.PacketRow, limit int) error {
	t.exec(`INSERT INTO evidence (device, hash, from_seq, to_seq, at, bytes)
		SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT COUNT(*) FROM evidence WHERE device = $1) < $7
		ON CONFLICT DO NOTHING`, p.Device, p.Hash[:], p.From, p.To, p.At, p.Bytes, limit)
	return t.fail("add evidence")
}

// Evidence implements gateway.JournalTx.
func (t *txn) Evidence(device uint32) ([]gateway.PacketRow, error) {
	out := t.packets(`SELECT device, from_seq, to_seq, hash, at, bytes FROM evidence
		WHERE device = $1 ORDER BY at, hash`, device)
	return out, t.fail("evidence")
}

// NextEvent implements gateway.InboxTx. The update takes the row lock before the head is read.
func (t *txn) NextEvent(device uint32) (gateway.Head, error) {
	n := t.exec(`UPDATE heads SET cursor_no = cursor_no WHERE device = $1`, device)
	if err := t.one("inbox", n == 1, gateway.ErrNotFound); err != nil {
		return gateway.Head{}, err
	}
	return t.Head(device)
}

// AddEvent implements gateway.InboxTx.
func (t *txn) AddEvent(e gateway.EventRow) error {
	n := t.exec(`UPDATE heads SET cursor_no = $1, event_head = $2 WHERE device = $3 AND cursor_no = $4`,
		e.Cursor, e.Hash[:], e.Device, e.Cursor-1)
	if err := t.one("inbox", n == 1, gateway.ErrMoved); err != nil {
		return err
	}
	t.exec(`INSERT INTO events (device, cursor_no, hash, kind, seq, at, bytes, copy_body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		e.Device, e.Cursor, e.Hash[:], e.Kind, e.Seq, e.At, e.Bytes, blob(e.Copy))
	return t.fail("add event")
}

// Events implements gateway.InboxTx.
func (t *txn) Events(device uint32, cursor uint64, limit int) ([]gateway.EventRow, error) {
	var out []gateway.EventRow
	t.rows(func(scan func(...any) error) error {
		var e gateway.EventRow
		err := scan(&e.Device, &e.Cursor, hashOf{&e.Hash}, &e.Kind, &e.Seq, &e.At, &e.Bytes, &e.Copy)
		out = append(out, e)
		return err
	}, `SELECT device, cursor_no, hash, kind, seq, at, bytes, copy_body FROM events
		WHERE device = $1 AND cursor_no > $2 ORDER BY cursor_no LIMIT $3`, device, int64(min(cursor, 1<<62)), limit)
	return out, t.fail("events")
}
