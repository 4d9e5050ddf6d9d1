package link_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/frame"
	"bianmin/offline/vault"
)

// TestMendFromPlatform: the same record is damaged in file and mirror. The doctor names it; the platform has it whole.
func TestMendFromPlatform(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	m := p.used(t)
	seq := m.taken[1].Seq
	m.open()
	m.login()
	want := m.onScreen(t)
	m.sync(t)
	m.close()
	spoil := func(path string, value []byte) {
		t.Helper()
		data, err := os.ReadFile(path)
		must(t, err)
		n := 0
		for i := bytes.Index(data, value); i >= 0; i = bytes.Index(data, value) {
			data[i+len(value)/2] ^= 4
			n++
		}
		if n == 0 {
			t.Fatalf("%s does not have the value", path)
		}
		must(t, os.WriteFile(path, data, 0o600))
	}
	db, err := bolt.Open(filepath.Join(m.dir, "store.db"), 0o600, nil)
	must(t, err)
	var values [][]byte
	must(t, db.View(func(tx *bolt.Tx) error {
		for _, name := range []string{"bodies", "headers", "cases"} {
			values = append(values, bytes.Clone(tx.Bucket([]byte(name)).Get(vault.U64(seq))))
		}
		return nil
	}))
	must(t, db.Close())
	for _, v := range values {
		spoil(filepath.Join(m.dir, "store.db"), v)
	}
	segment := filepath.Join(m.dir, "mirror", "000001.bmp")
	data, err := os.ReadFile(segment)
	must(t, err)
	var payload []byte
	_, _, err = frame.Scan(data, suite, func(_ int64, f frame.Frame) error {
		if f.Kind == frame.Record && f.Number == seq {
			payload = bytes.Clone(f.Payload)
		}
		return nil
	})
	must(t, err)
	spoil(segment, payload)

	m.open()
	m.login()
	rep, err := m.d.Doctor(t.Context(), true, nil)
	must(t, err)
	if len(rep.Faults) == 0 {
		t.Fatal("the doctor names nothing")
	}
	n, err := m.l.Mend(t.Context())
	must(t, err)
	if n != 1 {
		t.Fatalf("%d records mended", n)
	}
	if rep, err = m.d.Doctor(t.Context(), false, nil); err != nil || len(rep.Faults) > 0 {
		t.Fatalf("doctor: %+v, %v", rep.Faults, err)
	}
	if got := m.onScreen(t); len(got) != len(want) {
		t.Fatalf("on the screen: %v, was %v", got, want)
	}
	if _, err := m.s.Receipt(t.Context(), seq, 1); err != nil {
		t.Fatal(err)
	}
	if n, err := m.l.Mend(t.Context()); n != 0 || err != nil {
		t.Fatalf("again: %d, %v", n, err)
	}
	m.sync(t)
	m.delivered(t)
	p.wantOnce(t, "赵建国", "钱秀英", "孙玉兰", "李桂花")
}
