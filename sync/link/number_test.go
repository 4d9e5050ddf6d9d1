package link_test

import (
	"os"
	"path/filepath"
	"testing"

	"bianmin/offline/casefile"
	"bianmin/offline/receipt"
)

// TestNoNumberIsGivenTwice: offline a citizen gets a receipt; then everything is lost before it was sent, with or without the note of
// the last number, and what the platform has comes back. What is taken in afterwards has another number, and both receipts are
// what they say: the first genuine and unknown to the platform, the second genuine and found.
func TestNoNumberIsGivenTwice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		lose []string
	}{
		{"the note of the last number is there", []string{"store.db", "mirror"}},
		{"the disk was replaced", []string{"store.db", "mirror", "last", "backups", "blobs"}},
		{"an older copy of the folder", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, nil)
			m := p.enrol(t)
			m.login()
			first := m.take("赵建国")
			m.sync(t)
			var old *machine
			m.close()
			if c.lose == nil {
				old = m.copy()
			}
			m.open()
			m.login()
			second := m.take("钱秀英")
			if c.lose == nil {
				m.sync(t)
			}
			lost := m.take("孙玉兰") // the citizen leaves with a receipt, and nobody else knows
			before := m.d.Store().Device()
			m.close()
			for _, name := range c.lose {
				must(t, os.RemoveAll(filepath.Join(m.dir, name)))
			}
			if old != nil {
				m = old
			}
			m.open()
			if old != nil { // before anything is written on it; afterwards it would be a fork
				if _, err := m.l.Once(t.Context()); wordKey(err) != "sync.restoreLogin" {
					t.Fatalf("locked: %v", err)
				}
			}
			m.login()
			m.sync(t)
			st, err := m.d.Status(t.Context())
			must(t, err)
			if st.Fault != "" || st.Device == before || len(st.Former) != 1 || !st.Former[0].Lost || st.Former[0].Device != before || st.Recovered == nil {
				t.Fatalf("%+v", st)
			}
			want := []string{"赵建国"}
			if c.lose == nil {
				want = []string{"赵建国", "钱秀英"}
			}
			if got := m.onScreen(t); len(got) != len(want) {
				t.Fatalf("on the screen: %v", got)
			}
			given := map[string]bool{first.No: true, second.No: true, lost.No: true}
			for _, who := range []string{"李桂花", "周大勇", "吴文静"} {
				got := m.take(who)
				if given[got.No] {
					t.Fatalf("%s was given twice", got.No)
				}
				given[got.No] = true
				if device, _, err := casefile.ParseNumber(got.No); err != nil || device == before {
					t.Fatalf("%s is of device %d: %v", got.No, before, err)
				}
				want = append(want, who)
			}
			v, at, err := p.g.VerifyLink(t.Context(), lost.Link)
			if err != nil || v.State != receipt.Genuine || at.Found {
				t.Fatalf("the receipt of what was lost: %s, %+v, %v", v.State, at, err)
			}
			if v := m.d.Verify(first.Link); v.State != receipt.Genuine {
				t.Fatalf("the first receipt: %s", v.State)
			}
			m.sync(t)
			m.sync(t)
			m.delivered(t)
			p.wantOnce(t, want...)
			if got := m.onScreen(t); len(got) != len(want) {
				t.Fatalf("on the screen: %v", got)
			}
			m.close()
			must(t, os.Remove(filepath.Join(m.dir, "store.db")))
			m.open()
			m.login()
			m.sync(t)
			m.take("郑国庆")
			m.sync(t)
			m.delivered(t)
		})
	}
}
