package link_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // to change the platform's database behind its back
)

// TestWhatThePlatformLostIsSentAgain: somebody cuts the end of a machine's journal off in the platform's database, with the heads that
// name it. The platform's own checkpoint tells, and the machine, which was told that it was delivered, sends it again.
func TestWhatThePlatformLostIsSentAgain(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	m := p.enrol(t)
	m.login()
	m.take("赵建国")
	m.sync(t)
	_, _, kept, _, err := m.d.Store().Position(t.Context())
	must(t, err)
	m.take("钱秀英")
	m.take("孙玉兰")
	m.sync(t)
	m.delivered(t)
	data, _, err := p.g.Checkpoint(t.Context())
	must(t, err)
	cp, err := p.g.OpenCheckpoint(data)
	must(t, err)
	raw, err := sql.Open("sqlite", filepath.Join(p.dir, "gateway.db"))
	must(t, err)
	defer raw.Close()
	device := m.d.Store().Device()
	for _, q := range []string{
		"DELETE FROM packets WHERE device = $1 AND to_seq > $2", "DELETE FROM headers WHERE device = $1 AND seq > $2",
		"UPDATE heads SET seq = $2, projected = $2, head = (SELECT hash FROM headers h WHERE h.device = $1 AND h.seq = $2) WHERE device = $1",
	} {
		_, err := raw.Exec(q, device, kept)
		must(t, err)
	}
	rep, err := p.g.VerifyJournals(t.Context(), cp)
	must(t, err)
	if len(rep.Faults) == 0 {
		t.Fatal("nothing is noticed")
	}
	m.take("李桂花")
	m.sync(t)
	m.sync(t)
	m.delivered(t)
	p.wantOnce(t, "赵建国", "钱秀英", "孙玉兰", "李桂花")
	rep, err = p.g.VerifyJournals(t.Context(), cp)
	must(t, err)
	if len(rep.Faults) > 0 {
		t.Fatalf("afterwards: %+v", rep.Faults)
	}
}
