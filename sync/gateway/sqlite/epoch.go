package sqlite

import "bianmin/sync/gateway"

const epochCols = `device, former, to_seq, head, fork_hash, replaces, at`

// AddEpoch implements gateway.EpochTx.
func (t *txn) AddEpoch(e gateway.EpochRow) error {
	var used int64
	if t.row([]any{&used}, `SELECT device FROM epochs WHERE former = $1 AND fork_hash = $2`, e.Former, e.Fork[:]) {
		return t.one("epoch of this notice", false, gateway.ErrExists)
	}
	replaces := 0
	if e.Replaces {
		replaces = 1
	}
	n := t.exec(`INSERT INTO epochs (`+epochCols+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		e.Device, e.Former, e.To, e.Head[:], e.Fork[:], replaces, e.At)
	return t.one("epoch", n == 1, gateway.ErrExists)
}

// Epochs implements gateway.EpochTx.
func (t *txn) Epochs(former uint32) ([]gateway.EpochRow, error) {
	var out []gateway.EpochRow
	t.rows(func(scan func(...any) error) error {
		var e gateway.EpochRow
		err := scan(&e.Device, &e.Former, &e.To, hashOf{&e.Head}, hashOf{&e.Fork}, &e.Replaces, &e.At)
		out = append(out, e)
		return err
	}, `SELECT `+epochCols+` FROM epochs WHERE ($1 = 0 OR former = $1) ORDER BY device`, former)
	return out, t.fail("epochs")
}

// Epoch implements gateway.EpochTx.
func (t *txn) Epoch(device uint32) (gateway.EpochRow, error) {
	var e gateway.EpochRow
	ok := t.row([]any{&e.Device, &e.Former, &e.To, hashOf{&e.Head}, hashOf{&e.Fork}, &e.Replaces, &e.At},
		`SELECT `+epochCols+` FROM epochs WHERE device = $1`, device)
	return e, t.one("epoch", ok, gateway.ErrNotFound)
}

const carriedCols = `device, seq, former, former_seq, former_prev, former_hash, former_at`

// PutCarried implements gateway.EpochTx.
func (t *txn) PutCarried(c gateway.CarriedRow) error {
	t.exec(`INSERT INTO carried (`+carriedCols+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		c.Device, c.Seq, c.Former, c.FormerSeq, c.FormerPrev[:], c.FormerHash[:], c.FormerAt)
	return t.fail("put carried")
}

// Carried implements gateway.EpochTx.
func (t *txn) Carried(former uint32, seq uint64) ([]gateway.CarriedRow, error) {
	return t.carried(`SELECT `+carriedCols+` FROM carried WHERE former = $1 AND former_seq = $2 ORDER BY device, seq`, former, int64(min(seq, 1<<62)))
}

// CarriedInto implements gateway.EpochTx.
func (t *txn) CarriedInto(device uint32) ([]gateway.CarriedRow, error) {
	return t.carried(`SELECT `+carriedCols+` FROM carried WHERE device = $1 ORDER BY seq`, device)
}

func (t *txn) carried(query string, args ...any) ([]gateway.CarriedRow, error) {
	var out []gateway.CarriedRow
	t.rows(func(scan func(...any) error) error {
		var c gateway.CarriedRow
		err := scan(&c.Device, &c.Seq, &c.Former, &c.FormerSeq, hashOf{&c.FormerPrev}, hashOf{&c.FormerHash}, &c.FormerAt)
		out = append(out, c)
		return err
	}, query, args...)
	return out, t.fail("carried")
}

// Lost implements gateway.EpochTx.
func (t *txn) Lost(device uint32) ([]gateway.HeaderRow, error) {
	var out []gateway.HeaderRow
	t.rows(func(scan func(...any) error) error {
		var r gateway.HeaderRow
		err := scan(&r.Seq, hashOf{&r.Hash}, &r.Kind, &r.At)
		out = append(out, r)
		return err
	}, `SELECT seq, hash, kind, at FROM headers WHERE device = $1 AND kind = $2 ORDER BY seq DESC`, device, gateway.KindLost)
	return out, t.fail("lost")
}

// FillLost implements gateway.EpochTx.
func (t *txn) FillLost(p gateway.PacketRow, r gateway.HeaderRow) error {
	n := t.exec(`UPDATE headers SET hash = $1, kind = $2, at = $3 WHERE device = $4 AND seq = $5 AND kind = $6`,
		r.Hash[:], r.Kind, r.At, p.Device, r.Seq, gateway.KindLost)
	if err := t.one("lost record", n == 1, gateway.ErrMoved); err != nil {
		return err
	}
	t.exec(`INSERT INTO packets (device, to_seq, from_seq, hash, at, bytes) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.Device, p.To, p.From, p.Hash[:], p.At, p.Bytes)
	return t.fail("fill lost record")
}
