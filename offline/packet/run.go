package packet

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

// run is what a packet encrypts: the salt key once, and of each record what does not follow from the packet's clear
// part. Device, seq, prev and the body's hash are rebuilt.
type run struct {
	_    struct{} `cbor:",toarray"`
	Salt [32]byte
	Rows []row
}

// row is one record. Times are differences to the row before (the first to zero), so that a busy day is small numbers;
// they wrap around, so every value survives.
type row struct {
	_        struct{} `cbor:",toarray"`
	At       int64    // Header.At
	Signed   int64    // Header.Clock.Signed
	Since    int64    // Header.Clock.Since
	Exact    bool     // Header.Clock.Exact
	Operator string
	Kind     journal.Kind
	Body     []byte
	Gone     []byte // bodyHash of a purged body, which then is empty; else empty
}

func newRun(records []journal.Record, salt [32]byte) run {
	r := run{Salt: salt, Rows: make([]row, len(records))}
	var last journal.Header
	for i, rec := range records {
		r.Rows[i] = row{
			At: rec.At - last.At, Signed: rec.Clock.Signed - last.Clock.Signed, Since: rec.Clock.Since - last.Clock.Since,
			Exact: rec.Clock.Exact, Operator: rec.Operator, Kind: rec.Kind, Body: rec.Body,
		}
		if rec.Body == nil {
			r.Rows[i].Gone = rec.BodyHash[:]
		}
		last = rec.Header
	}
	return r
}

// rowFields are the items of a row's list.
const rowFields = 8

func (r run) marshal() ([]byte, error) {
	size := 64
	for i := range r.Rows {
		row := &r.Rows[i]
		if !utf8.ValidString(row.Operator) || !utf8.ValidString(string(row.Kind)) {
			return nil, canon.ErrText
		}
		size += 64 + len(row.Operator) + len(row.Kind) + len(row.Body) + len(row.Gone)
	}
	b := canon.AppendList(make([]byte, 0, size), 2)
	b = canon.AppendBytes(b, r.Salt[:])
	b = canon.AppendList(b, len(r.Rows))
	for i := range r.Rows {
		row := &r.Rows[i]
		b = canon.AppendList(b, rowFields)
		b = canon.AppendInt(b, row.At)
		b = canon.AppendInt(b, row.Signed)
		b = canon.AppendInt(b, row.Since)
		b = canon.AppendBool(b, row.Exact)
		b = canon.AppendText(b, row.Operator)
		b = canon.AppendText(b, string(row.Kind))
		b = canon.AppendBytes(b, row.Body)
		b = canon.AppendBytes(b, row.Gone)
	}
	return b, nil
}

// parseRun reads a run. Bodies are parts of plain, not copies.
func parseRun(plain []byte) (run, error) {
	if len(plain) > MaxPlain {
		return run{}, fmt.Errorf("%w: records of %d bytes", ErrFormat, len(plain))
	}
	var r run
	c := canon.NewReader(plain)
	fields := c.List()
	copy(r.Salt[:], c.Exactly(len(r.Salt)))
	n := c.List()
	if c.Err() == nil && (fields != 2 || n > MaxRecords) {
		return run{}, fmt.Errorf("%w: %d records", ErrFormat, n)
	}
	r.Rows = make([]row, n)
	for i := range r.Rows {
		if c.List() != rowFields && c.Err() == nil {
			return run{}, fmt.Errorf("%w: record %d of the packet is no row", ErrFormat, i)
		}
		r.Rows[i] = row{
			At: c.Int(), Signed: c.Int(), Since: c.Int(), Exact: c.Bool(), Operator: c.Text(), Kind: journal.Kind(c.Text()),
			Body: c.Bytes(), Gone: c.Bytes(),
		}
	}
	if err := c.Done(); err != nil {
		return run{}, fmt.Errorf("%w: records: %w", ErrFormat, err)
	}
	if len(r.Rows) == 0 {
		return run{}, fmt.Errorf("%w: %d records", ErrFormat, len(r.Rows))
	}
	for i, row := range r.Rows {
		if err := row.check(); err != nil {
			return run{}, fmt.Errorf("%w: record %d of the packet: %w", ErrFormat, i, err)
		}
	}
	return r, nil
}

func (r row) check() error {
	switch {
	case len(r.Body) > journal.MaxBody:
		return fmt.Errorf("body of %d bytes", len(r.Body))
	case len(r.Gone) != 0 && len(r.Gone) != vault.HashSize:
		return errors.New("tombstone")
	case len(r.Gone) != 0 && len(r.Body) != 0:
		return errors.New("tombstone with a body")
	}
	return nil
}

// records rebuilds the records and returns the hash of the last.
func (r run) records(s vault.Suite, p *Packet) ([]journal.Record, vault.Hash, error) {
	if uint64(len(r.Rows)) != p.To-p.From+1 {
		return nil, vault.Hash{}, fmt.Errorf("%w: %d records for %d to %d", ErrContent, len(r.Rows), p.From, p.To)
	}
	out := make([]journal.Record, len(r.Rows))
	head := p.Prev
	var last journal.Header
	for i, row := range r.Rows {
		h := journal.Header{
			V: journal.Version, Device: p.Device, Seq: p.From + uint64(i), Prev: head, At: last.At + row.At,
			Clock:    journal.Clock{Signed: last.Clock.Signed + row.Signed, Since: last.Clock.Since + row.Since, Exact: row.Exact},
			Operator: row.Operator, Kind: row.Kind,
		}
		rec := journal.Record{Header: h}
		if len(row.Gone) > 0 {
			rec.BodyHash = vault.Hash(row.Gone)
		} else {
			if rec.Body = row.Body; rec.Body == nil { // nil means purged
				rec.Body = []byte{}
			}
			rec.BodyHash = journal.BodyHash(s, r.Salt[:], h.Seq, rec.Body)
		}
		head, last = rec.Hash(s), rec.Header
		out[i] = rec
	}
	return out, head, nil
}
