package sqlite

import (
	"strconv"

	"bianmin/offline/vault"
	"bianmin/offline/words"
	"bianmin/sync/gateway"
)

const caseCols = `device, seq, no, official, state, service, item_code, due, at, updated, data`

func caseDst(c *gateway.CaseRow) []any {
	return []any{&c.Device, &c.Seq, &c.No, &c.Official, &c.State, &c.Service, &c.ItemCode, &c.Due, &c.At, &c.Updated, &c.Data}
}

// PutCase implements gateway.CaseTx.
func (t *txn) PutCase(c gateway.CaseRow) error {
	t.exec(`INSERT INTO cases (`+caseCols+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (device, seq) DO UPDATE SET no = excluded.no, official = excluded.official, state = excluded.state,
		service = excluded.service, item_code = excluded.item_code, due = excluded.due, at = excluded.at,
		updated = excluded.updated, data = excluded.data`,
		c.Device, c.Seq, c.No, c.Official, c.State, c.Service, c.ItemCode, c.Due, c.At, c.Updated, blob(c.Data))
	return t.fail("put case")
}

// Case implements gateway.CaseTx.
func (t *txn) Case(device uint32, seq uint64) (gateway.CaseRow, error) {
	var c gateway.CaseRow
	ok := t.row(caseDst(&c), `SELECT `+caseCols+` FROM cases WHERE device = $1 AND seq = $2`, device, int64(min(seq, 1<<62)))
	return c, t.one("case", ok, gateway.ErrNotFound)
}

// CaseByOfficial implements gateway.CaseTx.
func (t *txn) CaseByOfficial(no string) (gateway.CaseRow, error) {
	var c gateway.CaseRow
	ok := no != "" && t.row(caseDst(&c), `SELECT `+caseCols+` FROM cases WHERE official = $1`, no)
	return c, t.one("case", ok, gateway.ErrNotFound)
}

// Cases implements gateway.CaseTx.
func (t *txn) Cases(state string, limit int) ([]gateway.CaseRow, error) {
	if limit <= 0 {
		limit = 1 << 30
	}
	var out []gateway.CaseRow
	t.rows(func(scan func(...any) error) error {
		var c gateway.CaseRow
		err := scan(caseDst(&c)...)
		out = append(out, c)
		return err
	}, `SELECT `+caseCols+` FROM cases WHERE ($1 = '' OR state = $1) ORDER BY at DESC, device, seq DESC LIMIT $2`, state, limit)
	return out, t.fail("cases")
}

// DropCases implements gateway.CaseTx.
func (t *txn) DropCases(device uint32) error {
	t.exec(`DELETE FROM cases WHERE device = $1`, device)
	t.exec(`DELETE FROM carried WHERE device = $1`, device)
	t.exec(`UPDATE heads SET projected = 0 WHERE device = $1`, device)
	return t.fail("drop cases")
}

// NextSerial implements gateway.CaseTx.
func (t *txn) NextSerial(name string) (uint64, error) {
	t.exec(`INSERT INTO serials (name, n) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET n = serials.n + 1`, name)
	var n uint64
	ok := t.row([]any{&n}, `SELECT n FROM serials WHERE name = $1`, name)
	return n, t.one("serial", ok, gateway.ErrNotFound)
}

const deviceCols = `device, station, machine, sign_key, seal_key, sign_cert, seal_cert, enrolled, revoked, reason, cut_seq, cut_hash`

func deviceDst(d *gateway.DeviceRow) []any {
	return []any{
		&d.Device, &d.Station, &d.Machine, &d.SignKey, &d.SealKey, &d.SignCert, &d.SealCert, &d.At, &d.Revoked,
		&d.Reason, &d.CutSeq,
		hashOf{&d.CutHash},
	}
}

// AddDevice implements gateway.RollTx.
func (t *txn) AddDevice(d gateway.DeviceRow) (uint32, error) {
	n, err := t.NextSerial("device")
	if err != nil {
		return 0, err
	}
	zero := make([]byte, vault.HashSize)
	t.exec(`INSERT INTO devices (`+deviceCols+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, '', 0, $9)`,
		n, d.Station, d.Machine, blob(d.SignKey), blob(d.SealKey), blob(d.SignCert), blob(d.SealCert), d.At, zero)
	t.exec(`INSERT INTO heads (device, `+headCols+`) VALUES ($1, 0, $2, 0, 0, $2)`, n, zero)
	return uint32(n), t.fail("add device")
}

// SetCerts implements gateway.RollTx.
func (t *txn) SetCerts(device uint32, sign, seal []byte) error {
	n := t.exec(`UPDATE devices SET sign_cert = $1, seal_cert = $2 WHERE device = $3`, blob(sign), blob(seal), device)
	return t.one("device", n == 1, gateway.ErrNotFound)
}

// Device implements gateway.RollTx.
func (t *txn) Device(device uint32) (gateway.DeviceRow, error) {
	var d gateway.DeviceRow
	ok := t.row(deviceDst(&d), `SELECT `+deviceCols+` FROM devices WHERE device = $1`, device)
	return d, t.one("device", ok, gateway.ErrNotFound)
}

// Devices implements gateway.RollTx.
func (t *txn) Devices(station string) ([]gateway.DeviceRow, error) {
	var out []gateway.DeviceRow
	t.rows(func(scan func(...any) error) error {
		var d gateway.DeviceRow
		err := scan(deviceDst(&d)...)
		out = append(out, d)
		return err
	}, `SELECT `+deviceCols+` FROM devices WHERE ($1 = '' OR station = $1) ORDER BY device`, station)
	return out, t.fail("devices")
}

// RevokeDevice implements gateway.RollTx.
func (t *txn) RevokeDevice(device uint32, at int64, reason string, seq uint64, hash vault.Hash) error {
	n := t.exec(`UPDATE devices SET revoked = $1, reason = $2, cut_seq = $3, cut_hash = $4 WHERE device = $5`,
		at, reason, seq, hash[:], device)
	return t.one("device", n == 1, gateway.ErrNotFound)
}

// PutStation implements gateway.RollTx.
func (t *txn) PutStation(s gateway.StationRow) error {
	t.exec(`INSERT INTO stations (division, county, data) VALUES ($1, $2, $3)
		ON CONFLICT (division) DO UPDATE SET county = excluded.county, data = excluded.data`, s.Division, s.County, blob(s.Data))
	return t.fail("put station")
}

// Station implements gateway.RollTx.
func (t *txn) Station(division string) (gateway.StationRow, error) {
	var s gateway.StationRow
	ok := t.row([]any{&s.Division, &s.County, &s.Data}, `SELECT division, county, data FROM stations WHERE division = $1`, division)
	return s, t.one("station", ok, gateway.ErrNotFound)
}

// Stations implements gateway.RollTx.
func (t *txn) Stations() ([]gateway.StationRow, error) {
	var out []gateway.StationRow
	t.rows(func(scan func(...any) error) error {
		var s gateway.StationRow
		err := scan(&s.Division, &s.County, &s.Data)
		out = append(out, s)
		return err
	}, `SELECT division, county, data FROM stations ORDER BY division`)
	return out, t.fail("stations")
}

// PutOperator implements gateway.RollTx.
func (t *txn) PutOperator(o gateway.OperatorRow) error {
	t.exec(`INSERT INTO operators (station, id, data) VALUES ($1, $2, $3)
		ON CONFLICT (station, id) DO UPDATE SET data = excluded.data`, o.Station, o.ID, blob(o.Data))
	return t.fail("put operator")
}

// Operators implements gateway.RollTx.
func (t *txn) Operators(station string) ([]gateway.OperatorRow, error) {
	var out []gateway.OperatorRow
	t.rows(func(scan func(...any) error) error {
		var o gateway.OperatorRow
		err := scan(&o.Station, &o.ID, &o.Data)
		out = append(out, o)
		return err
	}, `SELECT station, id, data FROM operators WHERE station = $1 ORDER BY id`, station)
	return out, t.fail("operators")
}

// AddCode implements gateway.RollTx.
func (t *txn) AddCode(c gateway.CodeRow) error {
	n := t.exec(`INSERT INTO codes (id, station, secret, made, expires, replaces, device, used) VALUES ($1, $2, $3, $4, $5, $6, 0, 0)
		ON CONFLICT DO NOTHING`, c.ID[:], c.Station, blob(c.Secret), c.Made, c.Expires, c.Replaces)
	return t.one("code", n == 1, gateway.ErrExists)
}

// Code implements gateway.RollTx.
func (t *txn) Code(id [8]byte) (gateway.CodeRow, error) {
	c := gateway.CodeRow{ID: id}
	ok := t.row([]any{&c.Station, &c.Secret, &c.Made, &c.Expires, &c.Replaces, &c.Device, &c.Used},
		`SELECT station, secret, made, expires, replaces, device, used FROM codes WHERE id = $1`, id[:])
	return c, t.one("code", ok, gateway.ErrNotFound)
}

// UseCode implements gateway.RollTx.
func (t *txn) UseCode(id [8]byte, device uint32, at int64) error {
	n := t.exec(`UPDATE codes SET used = $1, device = $2 WHERE id = $3 AND used = 0`, at, device, id[:])
	return t.one("code", n == 1, gateway.ErrMoved)
}

// AddPack implements gateway.LibraryTx.
func (t *txn) AddPack(p gateway.PackRow) error {
	var version uint32
	var hash vault.Hash
	if t.row([]any{&version, hashOf{&hash}}, `SELECT version, hash FROM packs WHERE kind = $1 ORDER BY version DESC LIMIT 1`, p.Kind) {
		if version == p.Version && hash == p.Hash {
			return nil
		}
		if version >= p.Version {
			return words.New("gateway.packHeld", gateway.ErrExists, "kind", p.Kind, "version", strconv.FormatUint(uint64(p.Version), 10), "held", strconv.FormatUint(uint64(version), 10))
		}
	}
	t.exec(`INSERT INTO packs (kind, version, hash, size, at, bytes) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.Kind, p.Version, p.Hash[:], p.Size, p.At, p.Bytes)
	return t.fail("add pack")
}

// Pack implements gateway.LibraryTx.
func (t *txn) Pack(hash vault.Hash) (gateway.PackRow, error) {
	var p gateway.PackRow
	ok := t.row([]any{&p.Kind, &p.Version, hashOf{&p.Hash}, &p.Size, &p.At, &p.Bytes},
		`SELECT kind, version, hash, size, at, bytes FROM packs WHERE hash = $1`, hash[:])
	return p, t.one("pack", ok, gateway.ErrNotFound)
}

// Packs implements gateway.LibraryTx.
func (t *txn) Packs() ([]gateway.PackRow, error) {
	var out []gateway.PackRow
	t.rows(func(scan func(...any) error) error {
		var p gateway.PackRow
		err := scan(&p.Kind, &p.Version, hashOf{&p.Hash}, &p.Size, &p.At)
		out = append(out, p)
		return err
	}, `SELECT p.kind, p.version, p.hash, p.size, p.at FROM packs p
		WHERE p.version = (SELECT MAX(q.version) FROM packs q WHERE q.kind = p.kind) ORDER BY p.kind`)
	return out, t.fail("packs")
}

// PutDoc implements gateway.LibraryTx.
func (t *txn) PutDoc(d gateway.DocRow) error {
	n := t.exec(`INSERT INTO docs (name, version, data) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET version = excluded.version, data = excluded.data
		WHERE docs.version < excluded.version`, d.Name, d.Version, blob(d.Data))
	return t.one("document", n == 1, gateway.ErrMoved)
}

// Doc implements gateway.LibraryTx.
func (t *txn) Doc(name string) (gateway.DocRow, error) {
	d := gateway.DocRow{Name: name}
	ok := t.row([]any{&d.Version, &d.Data}, `SELECT version, data FROM docs WHERE name = $1`, name)
	return d, t.one("document", ok, gateway.ErrNotFound)
}

// Docs implements gateway.LibraryTx.
func (t *txn) Docs(prefix string) ([]gateway.DocRow, error) {
	var out []gateway.DocRow
	t.rows(func(scan func(...any) error) error {
		var d gateway.DocRow
		err := scan(&d.Name, &d.Version, &d.Data)
		out = append(out, d)
		return err
	}, `SELECT name, version, data FROM docs WHERE substr(name, 1, $1) = $2 ORDER BY name`, len([]rune(prefix)), prefix)
	return out, t.fail("documents")
}
