package link_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/counter"
	"bianmin/offline/journal"
	"bianmin/offline/receipt"
	"bianmin/offline/words"
)

// applicants returns whom to call in a device's cases at the platform, by record.
func (p *platform) applicants(t testing.TB, device uint32) []string {
	t.Helper()
	must(t, p.g.CatchUp(t.Context()))
	all, err := p.g.Cases(t.Context(), "", 0)
	must(t, err)
	slices.Reverse(all)
	var out []string
	for _, c := range all {
		if device == 0 || c.Device == device {
			out = append(out, whoOf(t, c))
		}
	}
	return out
}

// wantOnce checks that the platform has exactly these cases, each once, and that every journal is sound.
func (p *platform) wantOnce(t testing.TB, want ...string) {
	t.Helper()
	got := p.applicants(t, 0)
	slices.Sort(got)
	want = slices.Clone(want)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("the platform has %v, taken in were %v", got, want)
	}
	rep, err := p.g.VerifyJournals(t.Context())
	must(t, err)
	if len(rep.Faults) > 0 {
		t.Fatalf("journals: %+v", rep.Faults)
	}
	n, _, err := p.g.Rebuild(t.Context(), nil)
	must(t, err)
	again := p.applicants(t, 0)
	slices.Sort(again)
	if n == 0 || !slices.Equal(again, want) {
		t.Fatalf("rebuilt: %v", again)
	}
}

// delivered checks that the machine has an ack for everything, and that doctor finds nothing.
func (m *machine) delivered(t testing.TB) {
	t.Helper()
	_, head, acked, _, err := m.d.Store().Position(t.Context())
	must(t, err)
	if head == 0 || head != acked {
		t.Fatalf("head %d, acknowledged %d", head, acked)
	}
	r, err := m.d.Doctor(t.Context(), false, nil)
	must(t, err)
	if len(r.Faults) > 0 {
		t.Fatalf("doctor: %+v", r.Faults)
	}
}

// sync does a round and expects it to go through.
func (m *machine) sync(t testing.TB) {
	t.Helper()
	if _, err := m.l.Once(t.Context()); err != nil {
		t.Fatalf("sync: %v", err)
	}
}

// branchReceipt checks what a receipt that was handed out on a branch is worth now.
func (p *platform) branchReceipt(t testing.TB, got counter.Submitted, into uint32) {
	t.Helper()
	v, st, err := p.g.VerifyLink(t.Context(), got.Link)
	must(t, err)
	if v.State != receipt.Genuine || !st.Found || st.Withdrawn || !st.Branch || st.No != got.No {
		t.Fatalf("%s: %s %+v", got.No, v.State, st)
	}
	if into == 0 {
		if st.BranchNo != "" {
			t.Fatalf("%s: carried to %s already", got.No, st.BranchNo)
		}
		return
	}
	c, err := p.g.Case(t.Context(), st.BranchNo)
	must(t, err)
	if c.Device != into || st.State != string(c.State) {
		t.Fatalf("%s became %s of device %d in %s; status says %s", got.No, st.BranchNo, c.Device, c.State, st.State)
	}
	b, err := p.g.CaseBranches(t.Context(), c.Device, c.Seq)
	must(t, err)
	if b == nil || b.FormerNo != got.No {
		t.Fatalf("case %s does not tell that it was %s: %+v", st.BranchNo, got.No, b)
	}
}

func mainReceipt(t testing.TB, p *platform, got counter.Submitted) {
	t.Helper()
	v, st, err := p.g.VerifyLink(t.Context(), got.Link)
	must(t, err)
	if v.State != receipt.Genuine || !st.Found || st.Withdrawn || st.Branch {
		t.Fatalf("%s: %s %+v", got.No, v.State, st)
	}
}

// TestYesterdaysFolder: a folder is put back as it was, three cases are taken in on it, and it is synced.
func TestYesterdaysFolder(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	m := p.enrol(t)
	m.login()
	var taken []counter.Submitted
	var names []string
	take := func(m *machine, name string) counter.Submitted {
		got := m.take(name)
		taken, names = append(taken, got), append(names, name)
		return got
	}
	take(m, "赵建国")
	take(m, "钱秀英")
	m.sync(t)
	m.close()
	backup := m.copy()
	m.open()
	m.login()
	take(m, "孙玉兰")
	take(m, "李桂花")
	m.sync(t)
	former := m.d.Store().Device()
	m.close()

	backup.open()
	backup.login()
	draft, err := backup.s.Start(t.Context(), "gaoling", nil)
	must(t, err)
	must(t, draft.Close(t.Context()))
	var branch []counter.Submitted
	for _, name := range []string{"周大勇", "吴小梅", "郑国强"} {
		branch = append(branch, take(backup, name))
	}
	if branch[0].No != taken[2].No {
		t.Logf("the branch's first case is %s, the main journal's %s", branch[0].No, taken[2].No)
	}
	backup.sync(t)
	into := backup.d.Store().Device()
	if into == former {
		t.Fatal("the machine goes on under its old number")
	}
	backup.delivered(t)
	p.wantOnce(t, names...)
	if got := p.applicants(t, into); !slices.Equal(got, []string{"周大勇", "吴小梅", "郑国强"}) {
		t.Fatalf("the new epoch brought %v", got)
	}
	for _, got := range branch {
		p.branchReceipt(t, got, into)
	}
	for _, got := range taken[:4] {
		mainReceipt(t, p, got)
	}

	list, err := p.g.Branches(t.Context(), former)
	must(t, err)
	if len(list) != 1 || list[0].Device != into || list[0].Evidence == 0 || list[0].Carried < 3 || list[0].From != list[0].To+1 {
		t.Fatalf("branches: %+v", list)
	}
	// The machine says what happened, shows the old cases beside the new ones, and keeps the draft.
	st, err := backup.d.Status(t.Context())
	must(t, err)
	if st.Device != into || len(st.Former) != 1 || st.Former[0].Device != former || st.Former[0].To != list[0].To || st.Fault != "" {
		t.Fatalf("%+v", st)
	}
	cases := backup.cases(t)
	var here []string
	for _, c := range cases {
		again, err := backup.s.Case(t.Context(), c.Reference())
		must(t, err)
		who := whoOf(t, again.Case)
		here = append(here, who)
		if again.No != c.No || again.Seq != c.Seq {
			t.Fatalf("case %s is found as %s", c.No, again.No)
		}
		if who == "孙玉兰" || who == "李桂花" { // its first receipt is where it was handed out
			continue
		}
		r, err := backup.s.Receipt(t.Context(), c.Reference(), 1)
		must(t, err)
		if v := backup.d.Verify(r.Link); v.State != receipt.Genuine {
			t.Fatalf("receipt of %s: %s, %s", c.No, v.State, v.Reason)
		}
	}
	slices.Sort(here)
	want := slices.Clone(names) // the main journal's too: the platform gives them back
	slices.Sort(want)
	if !slices.Equal(here, want) {
		t.Fatalf("on the screen: %v", here)
	}
	drafts, err := backup.s.Drafts(t.Context())
	must(t, err)
	if len(drafts) != 1 || drafts[0].ID != draft.ID() {
		t.Fatalf("%d drafts", len(drafts))
	}
	// Life goes on, also after a restart, and from the mirror alone.
	take(backup, "王淑芬")
	backup.sync(t)
	backup.close()
	backup.open()
	backup.login()
	take(backup, "冯立新")
	backup.sync(t)
	backup.delivered(t)
	p.wantOnce(t, names...)
}

// TestClonedFolder: one folder on two machines, both used, both synced.
func TestClonedFolder(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	a := p.enrol(t)
	a.login()
	a.take("赵建国")
	a.sync(t)
	a.close()
	b := a.copy()
	c := a.copy()
	a.open()
	b.open()
	c.open()
	a.login()
	b.login()
	c.login()
	a.take("褚文静")
	branch := []counter.Submitted{b.take("蒋丽华"), b.take("沈志刚")}
	third := c.take("杨德福")
	a.sync(t)
	p.branchReceiptUnknown(t, branch[0])
	b.sync(t)
	c.sync(t)
	a.take("卫东升")
	a.sync(t)
	former, of, ofC := a.d.Store().Device(), b.d.Store().Device(), c.d.Store().Device()
	if of == former || ofC == former || of == ofC {
		t.Fatalf("numbers %d, %d, %d", former, of, ofC)
	}
	for _, m := range []*machine{a, b, c} {
		m.delivered(t)
	}
	p.wantOnce(t, "赵建国", "褚文静", "卫东升", "蒋丽华", "沈志刚", "杨德福")
	p.branchReceipt(t, branch[0], of)
	p.branchReceipt(t, branch[1], of)
	p.branchReceipt(t, third, ofC)
	list, err := p.g.Branches(t.Context(), 0)
	must(t, err)
	if len(list) != 2 || list[0].Former != former || list[1].Former != former {
		t.Fatalf("%+v", list)
	}
	// The clone is cloned again.
	b.close()
	b2 := b.copy()
	b.open()
	b2.open()
	b.login()
	b2.login()
	b.take("韩春梅")
	b2.take("朱海燕")
	b.sync(t)
	b2.sync(t)
	b2.delivered(t)
	p.wantOnce(t, "赵建国", "褚文静", "卫东升", "蒋丽华", "沈志刚", "杨德福", "韩春梅", "朱海燕")
	st, err := b2.d.Status(t.Context())
	must(t, err)
	if len(st.Former) != 2 || st.Former[0].Device != former || st.Former[1].Device != of {
		t.Fatalf("%+v", st.Former)
	}
	cases := b2.cases(t)
	var here []string
	for _, c := range cases {
		here = append(here, b2.whoIs(t, c))
	}
	slices.Sort(here)
	want := []string{"赵建国", "褚文静", "卫东升", "蒋丽华", "沈志刚", "韩春梅", "朱海燕"} // of three numbers; 杨德福 is c's
	slices.Sort(want)
	if !slices.Equal(here, want) {
		t.Fatalf("on the screen: %v", here)
	}
}

// branchReceiptUnknown: before its packet arrives, a branch's receipt is not in the log.
func (p *platform) branchReceiptUnknown(t testing.TB, got counter.Submitted) {
	t.Helper()
	_, st, err := p.g.VerifyLink(t.Context(), got.Link)
	must(t, err)
	if st.Found {
		t.Fatalf("%s is found before it was sent: %+v", got.No, st)
	}
}

// TestForkWhileLocked: the fork is found while nobody is logged in. The number is got at once, the cases follow with the next
// login; nothing is sent twice, and the branch's receipts already count as evidence.
func TestForkWhileLocked(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	a := p.enrol(t)
	a.login()
	a.take("赵建国")
	a.sync(t)
	a.close()
	b := a.copy()
	a.open()
	a.login()
	a.take("褚文静")
	a.sync(t)
	b.open()
	b.login()
	got := b.take("蒋丽华")
	b.close()
	b.open()
	_, err := b.l.Once(t.Context())
	if key, _ := words.KeyOf(err); key != "sync.forkLogin" {
		t.Fatalf("locked: %v", err)
	}
	st, err := b.d.Status(t.Context())
	must(t, err)
	if st.Fault != "sync.forkLogin" {
		t.Fatalf("fault %q", st.Fault)
	}
	p.branchReceipt(t, got, 0)
	former := b.d.Store().Device()
	b.login()
	if b.d.Store().Device() == former {
		t.Fatal("the login does not enter the epoch")
	}
	b.sync(t)
	b.delivered(t)
	p.branchReceipt(t, got, b.d.Store().Device())
	p.wantOnce(t, "赵建国", "褚文静", "蒋丽华")
}

// TestForkByItself: the line runs; nobody gives a command.
func TestForkByItself(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	a := p.enrol(t)
	a.login()
	a.take("赵建国")
	a.sync(t)
	a.close()
	b := a.copy()
	a.open()
	a.login()
	a.take("褚文静")
	a.sync(t)
	b.open()
	b.login()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.l.Run(ctx) }()
	b.take("蒋丽华")
	b.l.Wake()
	former := a.d.Store().Device()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); ; <-tick.C {
		_, head, acked, _, err := b.d.Store().Position(t.Context())
		must(t, err)
		if b.d.Store().Device() != former && head == acked {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("head %d, acknowledged %d: %+v", head, acked, b.l.State())
		}
	}
	stop()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	b.delivered(t)
	p.wantOnce(t, "赵建国", "褚文静", "蒋丽华")
}

// TestFormerCases: on the branch a delivered case was withdrawn and its receipt printed; both reach the case itself. A
// correction that was asked before the fork is answered in the new epoch.
func TestFormerCases(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	a := p.enrol(t)
	a.login()
	one := a.take("赵建国")
	a.sync(t)
	two := a.take("钱秀英")
	a.sync(t)
	_, err := p.g.Correct(t.Context(), two.No, journal.Correction{Fields: []string{"contactPhone"}, Note: "电话打不通"})
	must(t, err)
	a.sync(t)
	a.close()
	b := a.copy()
	a.open()
	a.login()
	a.take("褚文静")
	a.sync(t)
	b.open()
	b.login()
	_, err = b.s.Printed(t.Context(), one.Seq, 1, counter.PrintPaper)
	must(t, err)
	b.take("蒋丽华")
	begun, err := b.s.Correct(t.Context(), two.Seq)
	must(t, err)
	must(t, begun.Close(t.Context()))
	b.sync(t)
	former := a.d.Store().Device()
	ref := journal.FormerRef(former, two.Seq)
	in, err := b.s.Correct(t.Context(), ref)
	must(t, err)
	if in.ID() != begun.ID() {
		t.Fatal("the answer that was begun is not gone on with")
	}
	in.Set("contactPhone", "13911112222")
	got, err := in.Submit(t.Context())
	must(t, err)
	if got.No != two.No {
		t.Fatalf("answered as %s", got.No)
	}
	for want := range uint32(2) { // a receipt of a case that was delivered under the former number
		n, err := b.s.Printed(t.Context(), ref, 1, counter.PrintPaper)
		must(t, err)
		if n != want+1 {
			t.Fatalf("copy %d, want %d", n, want+1)
		}
	}
	c, err := b.s.Case(t.Context(), ref)
	must(t, err)
	if c.Correction != nil {
		t.Fatal("on the screen the correction still waits")
	}
	b.sync(t)
	b.delivered(t)
	at, err := p.g.Case(t.Context(), two.No)
	must(t, err)
	if at.Correction != nil || at.Device != former {
		t.Fatalf("at the platform %s is in %s", two.No, at.State)
	}
	if at.Copies(1, counter.PrintPaper) != 2 {
		t.Fatalf("the platform knows of %d papers", at.Copies(1, counter.PrintPaper))
	}
	first, err := p.g.Case(t.Context(), one.No)
	must(t, err)
	if !slices.ContainsFunc(first.Timeline, func(s casefile.Step) bool { return s.Kind == journal.KindReceiptPrinted }) {
		t.Fatal("the print on the branch did not reach the case")
	}
	p.wantOnce(t, "赵建国", "钱秀英", "褚文静", "蒋丽华")
	if again, err := p.g.Case(t.Context(), two.No); err != nil || again.Correction != nil || again.State != at.State {
		t.Fatalf("rebuilt: %v, %v", again.State, err)
	}
}

// TestForkNoticeUsedBefore: a copy of the forked folder was quicker with the notice that both hold. The other one gets a new
// notice, and goes on, too.
func TestForkNoticeUsedBefore(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	a := p.enrol(t)
	a.login()
	a.take("赵建国")
	a.sync(t)
	a.close()
	b := a.copy()
	a.open()
	a.login()
	a.take("褚文静")
	a.sync(t)
	b.open()
	b.login()
	b.take("蒋丽华")
	b.close()
	b.open()
	_, err := b.l.Once(t.Context()) // gets notice and number, and waits for a login
	if key, _ := words.KeyOf(err); key != "sync.forkLogin" {
		t.Fatal(err)
	}
	b.close()
	c := b.copy()
	for _, name := range []string{"epochs", "epochs.b"} { // as it was before the key was made
		must(t, os.Remove(filepath.Join(c.dir, name)))
	}
	b.open()
	b.login()
	b.sync(t)
	b.delivered(t)
	c.open()
	c.login()
	c.take("沈志刚")
	if _, err := c.l.Once(t.Context()); err == nil {
		t.Fatal("a notice serves twice")
	}
	c.sync(t)
	c.delivered(t)
	if b.d.Store().Device() == c.d.Store().Device() {
		t.Fatal("two machines have one number")
	}
	p.wantOnce(t, "赵建国", "褚文静", "蒋丽华", "蒋丽华", "沈志刚")
}
