package link_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"bianmin/offline/journal"
	"bianmin/offline/receipt"
	"bianmin/sync/link"
)

// TestReplacementMachine: a machine is gone. Another one is enrolled in its place, with keys of its own: what the platform
// held of the old one is on its screen, what the platform says about it later arrives there, and corrections are answered
// from there.
func TestReplacementMachine(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	old := p.enrol(t)
	old.login()
	one := old.take("赵建国")
	two := old.take("钱秀英")
	old.sync(t)
	old.take("孙玉兰") // was never delivered
	former := old.d.Store().Device()
	old.close()
	_, err := p.g.Revoke(t.Context(), former, "stolen")
	must(t, err)

	code, _, err := p.g.NewReplacementCode(t.Context(), former, time.Hour)
	must(t, err)
	m := &machine{t: t, dir: filepath.Join(t.TempDir(), "data")}
	_, _, err = link.Enroll(t.Context(), link.EnrollOptions{Config: m.config(), Gateway: "https://" + p.addr, Code: code.String(), Machine: "new"})
	must(t, err)
	m.open()
	m.sync(t) // locked: nothing can be opened yet, and nothing is asked for
	m.login()
	if got := m.onScreen(t); len(got) != 0 {
		t.Fatalf("before the first sync: %v", got)
	}
	m.sync(t)
	if got := m.onScreen(t); !slices.Equal(got, []string{"赵建国", "钱秀英"}) {
		t.Fatalf("on the screen: %v", got)
	}
	st, err := m.d.Status(t.Context())
	must(t, err)
	if len(st.Former) != 1 || !st.Former[0].Replaced || st.Former[0].Device != former || st.Device == former {
		t.Fatalf("%+v", st)
	}
	cases := m.cases(t)
	for _, c := range cases {
		if c.AcceptedAt == 0 || c.Device != former {
			t.Fatalf("case %s: %s", c.No, c.State)
		}
		r, err := m.s.Receipt(t.Context(), c.Reference(), 2)
		must(t, err)
		if v := m.d.Verify(r.Link); v.State != receipt.Genuine {
			t.Fatalf("stage 2 of %s: %s", c.No, v.Reason)
		}
		if _, err := m.s.Receipt(t.Context(), c.Reference(), 1); wordKey(err) != "desk.receiptElsewhere" { // its key is gone with the old machine
			t.Fatalf("stage 1 of %s: %v", c.No, err)
		}
	}

	_, err = p.g.Correct(t.Context(), two.No, journal.Correction{Fields: []string{"contactPhone"}, Note: "电话打不通"})
	must(t, err)
	m.sync(t)
	ref := journal.FormerRef(former, two.Seq)
	in, err := m.s.Correct(t.Context(), ref)
	must(t, err)
	in.Set("contactPhone", "13911112222")
	_, err = in.Submit(t.Context())
	must(t, err)
	m.sync(t)
	at, err := p.g.Case(t.Context(), two.No)
	must(t, err)
	if at.Correction != nil {
		t.Fatalf("the answer did not reach %s: %s", two.No, at.State)
	}
	_, err = p.g.Process(t.Context(), one.No, "")
	must(t, err)
	m.sync(t)
	c, err := m.s.Case(t.Context(), journal.FormerRef(former, one.Seq))
	must(t, err)
	if c.State != "processing" {
		t.Fatalf("what the platform said later did not arrive: %s", c.State)
	}
	m.take("周大勇")
	m.sync(t)
	m.delivered(t)
	p.wantOnce(t, "赵建国", "钱秀英", "周大勇")
	// The mirror of the old machine is found: what it had not delivered comes in, and is on the new machine's screen.
	rep, err := p.g.Import(t.Context(), mirrorOf(t, old.dir))
	must(t, err)
	if len(rep.Devices) != 1 || rep.Devices[0].Cases != 1 {
		t.Fatalf("%+v", rep)
	}
	m.sync(t)
	want := []string{"赵建国", "钱秀英", "孙玉兰", "周大勇"}
	slices.Sort(want)
	if got := m.onScreen(t); !slices.Equal(got, want) {
		t.Fatalf("after the import: %v", got)
	}
	m.close()
	m.open()
	m.login()
	if got := m.onScreen(t); !slices.Equal(got, want) {
		t.Fatalf("after a restart: %v", got)
	}
}
