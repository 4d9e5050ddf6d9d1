package gateway_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/sync/gateway"
)

// attacked is a gateway whose database somebody changes behind its back.
type attacked struct {
	*rig
	d   *device
	raw *sql.DB
	cp  gateway.Checkpoint
}

var attackedTables = []string{"packets", "headers", "events", "heads"}

func newAttacked(t *testing.T) *attacked {
	t.Helper()
	r := newRig(t, autoAccept)
	a := &attacked{rig: r, d: r.enrolled()}
	for i := range 5 {
		rec, _ := a.d.submit(fmt.Sprintf("甪蒯%d", i))
		a.d.add(journal.KindLogin, journal.Note{})
		a.d.sync()
		if i%2 == 0 { // a sealed event
			if _, err := r.g.Correct(t.Context(), casefile.Number(a.d.id, rec.Seq), journal.Correction{Fields: []string{"phone"}, Note: "电话"}); err != nil {
				t.Fatal(err)
			}
			a.d.sync()
		}
	}
	data, _, err := r.g.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a.cp, err = r.g.OpenCheckpoint(data); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		bad := slices.Clone(data)
		bad[i] ^= 0x20
		if _, err := r.g.OpenCheckpoint(bad); err == nil {
			t.Fatalf("a checkpoint with byte %d changed opens", i)
		}
	}
	if a.raw, err = sql.Open("sqlite", filepath.Join(r.dir, "gateway.db")); err != nil {
		t.Fatal(err)
	}
	a.raw.SetMaxOpenConns(1)
	t.Cleanup(func() { a.raw.Close() })
	for _, table := range attackedTables {
		a.exec("CREATE TABLE saved_" + table + " AS SELECT * FROM " + table)
	}
	return a
}

func (a *attacked) exec(query string, args ...any) {
	a.t.Helper()
	if _, err := a.raw.Exec(query, args...); err != nil {
		a.t.Fatalf("%s: %v", query, err)
	}
}

func (a *attacked) number(query string, args ...any) (n uint64) {
	a.t.Helper()
	if err := a.raw.QueryRow(query, args...).Scan(&n); err != nil {
		a.t.Fatalf("%s: %v", query, err)
	}
	return n
}

func (a *attacked) bytes(query string, args ...any) (b []byte) {
	a.t.Helper()
	if err := a.raw.QueryRow(query, args...).Scan(&b); err != nil {
		a.t.Fatalf("%s: %v", query, err)
	}
	return b
}

// finds lets the journals be verified after an attack, wants the device named, with the place when that is sure, and puts everything
// back.
func (a *attacked) finds(name, where string, seq uint64, against ...gateway.Checkpoint) {
	a.t.Helper()
	rep, err := a.g.VerifyJournals(a.t.Context(), against...)
	if err != nil {
		a.t.Fatalf("%s: %v", name, err)
	}
	if len(rep.Faults) == 0 {
		a.t.Errorf("%s: nothing is noticed", name)
	} else if f := rep.Faults[0]; f.Device != a.d.id || where != "" && f.Where != where || seq != 0 && f.Seq != seq || f.Reason == "" {
		a.t.Errorf("%s: named as %+v, want %s %d", name, f, where, seq)
	}
	for _, table := range attackedTables {
		a.exec("DELETE FROM " + table)
		a.exec("INSERT INTO " + table + " SELECT * FROM saved_" + table)
	}
}

// rows lists the numbers of a table's rows, ascending.
func (a *attacked) rows(table, column string) (out []uint64) {
	a.t.Helper()
	list, err := a.raw.Query("SELECT "+column+" FROM "+table+" WHERE device = $1 ORDER BY "+column, a.d.id)
	if err != nil {
		a.t.Fatal(err)
	}
	defer list.Close()
	for list.Next() {
		var n uint64
		if err := list.Scan(&n); err != nil {
			a.t.Fatal(err)
		}
		out = append(out, n)
	}
	if err := list.Err(); err != nil {
		a.t.Fatal(err)
	}
	return out
}

// sampled are the positions at which bytes are altered: the ends, and some between.
func sampled(n int) []int {
	out := []int{0, 1, n / 2, n - 1}
	for i := 7; i < n; i += max(13, n/12) {
		out = append(out, i)
	}
	return out
}

// TestJournalsNameEveryAttack: for packets, header rows and events alike a byte altered anywhere, a row gone at the beginning, in
// the middle and at the end, two in each other's place, one doubled, and the end cut off are noticed, and named.
func TestJournalsNameEveryAttack(t *testing.T) {
	a := newAttacked(t)
	if rep, err := a.g.VerifyJournals(t.Context(), a.cp); err != nil || len(rep.Faults) > 0 || rep.Records < 10 || rep.Events < 7 {
		t.Fatalf("before: %+v, %v", rep, err)
	}
	packets, cursors := a.rows("packets", "to_seq"), a.rows("events", "cursor_no")
	headers := a.rows("headers", "seq")
	if len(packets) < 5 || len(cursors) < 7 || len(headers) < 10 {
		t.Fatalf("%d packets, %d events, %d header rows", len(packets), len(cursors), len(headers))
	}
	ends := func(list []uint64) []uint64 { return []uint64{list[0], list[len(list)/2], list[len(list)-1]} }
	last := packets[len(packets)-1]

	for _, to := range ends(packets) {
		from := a.number("SELECT from_seq FROM packets WHERE device = $1 AND to_seq = $2", a.d.id, to)
		data := a.bytes("SELECT bytes FROM packets WHERE device = $1 AND to_seq = $2", a.d.id, to)
		for _, i := range sampled(len(data)) {
			bad := slices.Clone(data)
			bad[i] ^= 1
			a.exec("UPDATE packets SET bytes = $1 WHERE device = $2 AND to_seq = $3", bad, a.d.id, to)
			a.finds(fmt.Sprintf("packet to %d, byte %d", to, i), "packet", from)
			hash := suite.Hash(bad)
			a.exec("UPDATE packets SET bytes = $1, hash = $2 WHERE device = $3 AND to_seq = $4", bad, hash[:], a.d.id, to)
			a.finds(fmt.Sprintf("packet to %d, byte %d, with its hash", to, i), "packet", from)
		}
		a.exec("UPDATE packets SET bytes = $1 WHERE device = $2 AND to_seq = $3", data[:len(data)-9], a.d.id, to)
		a.finds(fmt.Sprintf("packet to %d cut", to), "packet", from)
		a.exec("DELETE FROM packets WHERE device = $1 AND to_seq = $2", a.d.id, to)
		a.finds(fmt.Sprintf("packet to %d gone", to), "packet", 0)
	}
	for i := range packets[1:] { // two in each other's place
		one, two := packets[i], packets[i+1]
		for _, column := range []string{"bytes", "hash"} {
			a.exec(fmt.Sprintf(`UPDATE packets SET %[1]s = (SELECT s.%[1]s FROM saved_packets s WHERE s.device = packets.device
				AND s.to_seq = CASE packets.to_seq WHEN $1 THEN $2 ELSE $1 END) WHERE device = $3 AND to_seq IN ($1, $2)`, column), one, two, a.d.id)
		}
		a.finds(fmt.Sprintf("packets to %d and %d in each other's place", one, two), "packet", 0)
	}
	// The last packet once more, as a new one behind it.
	from := a.number("SELECT from_seq FROM packets WHERE device = $1 AND to_seq = $2", a.d.id, last)
	more := last - from + 1
	a.exec("INSERT INTO packets SELECT device, to_seq + $1, from_seq + $1, hash, at, bytes FROM saved_packets WHERE device = $2 AND to_seq = $3", more, a.d.id, last)
	a.exec("INSERT INTO headers SELECT device, seq + $1, hash, kind, at FROM saved_headers WHERE device = $2 AND seq >= $3", more, a.d.id, from)
	a.exec("UPDATE heads SET seq = seq + $1 WHERE device = $2", more, a.d.id)
	a.finds("the last packet doubled", "packet", 0)

	for _, seq := range ends(headers) {
		for _, set := range []string{"hash = zeroblob(32)", "kind = 'login.refused'", "at = at + 1"} {
			a.exec("UPDATE headers SET "+set+" WHERE device = $1 AND seq = $2", a.d.id, seq)
			a.finds(fmt.Sprintf("header row %d, %s", seq, set), "header", seq)
		}
		a.exec("DELETE FROM headers WHERE device = $1 AND seq = $2", a.d.id, seq)
		a.finds(fmt.Sprintf("header row %d gone", seq), "header", 0)
	}
	for i := range headers[1:] {
		one, two := headers[i], headers[i+1]
		for _, column := range []string{"hash", "kind", "at"} {
			a.exec(fmt.Sprintf(`UPDATE headers SET %[1]s = (SELECT s.%[1]s FROM saved_headers s WHERE s.device = headers.device
				AND s.seq = CASE headers.seq WHEN $1 THEN $2 ELSE $1 END) WHERE device = $3 AND seq IN ($1, $2)`, column), one, two, a.d.id)
		}
		a.finds(fmt.Sprintf("header rows %d and %d in each other's place", one, two), "header", one)
	}
	a.exec("UPDATE heads SET head = zeroblob(32) WHERE device = $1", a.d.id)
	a.finds("another head", "head", 0)

	a.attackEvents(cursors, ends(cursors))

	// The end cut off with all that names it: packet, header rows, head. The events that name its records tell.
	prev := packets[len(packets)-2]
	cut := func() {
		a.exec("DELETE FROM packets WHERE device = $1 AND to_seq > $2", a.d.id, prev)
		a.exec("DELETE FROM headers WHERE device = $1 AND seq > $2", a.d.id, prev)
		a.exec("UPDATE heads SET seq = $1, head = (SELECT hash FROM headers h WHERE h.device = heads.device AND h.seq = $1) WHERE device = $2", prev, a.d.id)
	}
	cut()
	a.finds("the journal's end cut off", "event", 0)
	// The events, too: now only what lies outside the database tells.
	short := a.number("SELECT MIN(cursor_no) - 1 FROM events WHERE device = $1 AND seq > $2", a.d.id, prev)
	cut()
	a.exec("DELETE FROM events WHERE device = $1 AND cursor_no > $2", a.d.id, short)
	a.exec("UPDATE heads SET cursor_no = $1, event_head = (SELECT hash FROM events e WHERE e.device = heads.device AND e.cursor_no = $1) WHERE device = $2", short, a.d.id)
	if rep, err := a.g.VerifyJournals(t.Context()); err != nil || len(rep.Faults) > 0 {
		t.Errorf("alone it could tell: %+v, %v; say so in docs/threats.md", rep.Faults, err)
	}
	a.finds("journal and inbox cut back", "checkpoint", prev+1, a.cp)
	a.exec("DELETE FROM heads WHERE device = $1", a.d.id)
	a.exec("INSERT INTO heads SELECT device, 0, zeroblob(32), 0, 0, zeroblob(32) FROM saved_heads WHERE device = $1", a.d.id)
	for _, table := range []string{"packets", "headers", "events"} {
		a.exec("DELETE FROM "+table+" WHERE device = $1", a.d.id)
	}
	a.finds("all of it gone", "checkpoint", 1, a.cp)
	if rep, err := a.g.VerifyJournals(t.Context(), a.cp); err != nil || len(rep.Faults) > 0 {
		t.Fatalf("put back: %+v, %v", rep, err)
	}
}

// attackEvents does the same to the inbox.
func (a *attacked) attackEvents(cursors, ends []uint64) {
	a.t.Helper()
	for _, n := range ends {
		data := a.bytes("SELECT bytes FROM events WHERE device = $1 AND cursor_no = $2", a.d.id, n)
		for _, i := range sampled(len(data)) {
			bad := slices.Clone(data)
			bad[i] ^= 1
			a.exec("UPDATE events SET bytes = $1 WHERE device = $2 AND cursor_no = $3", bad, a.d.id, n)
			a.finds(fmt.Sprintf("event %d, byte %d", n, i), "event", n)
		}
		for _, set := range []string{"hash = zeroblob(32)", "kind = 'case.refused'", "seq = seq + 1"} {
			a.exec("UPDATE events SET "+set+" WHERE device = $1 AND cursor_no = $2", a.d.id, n)
			a.finds(fmt.Sprintf("event %d, %s", n, set), "event", n)
		}
		a.exec("UPDATE events SET bytes = $1 WHERE device = $2 AND cursor_no = $3", data[:len(data)-5], a.d.id, n)
		a.finds(fmt.Sprintf("event %d cut", n), "event", n)
		a.exec("DELETE FROM events WHERE device = $1 AND cursor_no = $2", a.d.id, n)
		a.finds(fmt.Sprintf("event %d gone", n), "event", 0)
	}
	sealed := a.number("SELECT MIN(cursor_no) FROM events WHERE device = $1 AND length(copy_body) > 0", a.d.id)
	copied := a.bytes("SELECT copy_body FROM events WHERE device = $1 AND cursor_no = $2", a.d.id, sealed)
	for _, i := range sampled(len(copied)) {
		bad := slices.Clone(copied)
		bad[i] ^= 1
		a.exec("UPDATE events SET copy_body = $1 WHERE device = $2 AND cursor_no = $3", bad, a.d.id, sealed)
		a.finds(fmt.Sprintf("the copy of event %d, byte %d", sealed, i), "event", sealed)
	}
	for i := range cursors[1:] {
		one, two := cursors[i], cursors[i+1]
		for _, column := range []string{"bytes", "hash", "kind", "seq", "at", "copy_body"} {
			a.exec(fmt.Sprintf(`UPDATE events SET %[1]s = (SELECT s.%[1]s FROM saved_events s WHERE s.device = events.device
				AND s.cursor_no = CASE events.cursor_no WHEN $1 THEN $2 ELSE $1 END) WHERE device = $3 AND cursor_no IN ($1, $2)`, column), one, two, a.d.id)
		}
		a.finds(fmt.Sprintf("events %d and %d in each other's place", one, two), "event", one)
	}
	end := cursors[len(cursors)-1]
	a.exec("INSERT INTO events SELECT device, cursor_no + 1, hash, kind, seq, at, bytes, copy_body FROM saved_events WHERE device = $1 AND cursor_no = $2", a.d.id, end)
	a.exec("UPDATE heads SET cursor_no = cursor_no + 1 WHERE device = $1", a.d.id)
	a.finds("the last event doubled", "event", end+1)
	a.exec("UPDATE heads SET event_head = zeroblob(32) WHERE device = $1", a.d.id)
	a.finds("another head of the inbox", "head", 0)
	a.exec("DELETE FROM events WHERE device = $1 AND cursor_no = $2", a.d.id, end)
	a.exec("UPDATE heads SET cursor_no = $1, event_head = (SELECT hash FROM events e WHERE e.device = heads.device AND e.cursor_no = $1) WHERE device = $2", end-1, a.d.id)
	a.finds("the inbox's end cut off", "checkpoint", end, a.cp)
}
