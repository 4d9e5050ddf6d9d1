package link_test

import (
	"testing"
)

// TestBackupsAcrossANewNumber: a machine that forked and goes on under a new number makes backups, compacts, and is restored
// from a backup of the new number and from one of the old: nothing is lost, nothing is delivered twice.
func TestBackupsAcrossANewNumber(t *testing.T) {
	p := newPlatform(t, nil)
	m := p.enrol(t)
	m.login()
	m.take("赵建国")
	m.sync(t)
	old, err := m.d.Backup("")
	must(t, err)
	m.close()
	b := m.copy() // yesterday's folder
	m.open()
	m.login()
	m.take("钱秀英")
	m.sync(t)
	former := m.d.Store().Device()
	m.close()

	b.open()
	b.login()
	b.take("孙玉兰")
	b.sync(t)
	into := b.d.Store().Device()
	if into == former {
		t.Fatal("the machine goes on under its old number")
	}
	names := []string{"赵建国", "钱秀英", "孙玉兰"}
	p.wantOnce(t, names...)
	if done, err := b.d.Store().Compact(t.Context(), true); !done || err != nil {
		t.Fatalf("compact: %v, %v", done, err)
	}
	newer, err := b.d.Backup("")
	must(t, err)
	b.take("李桂花")
	names = append(names, "李桂花")

	leave := func() {
		t.Helper()
		must(t, b.s.Close(t.Context()))
		b.s = nil
	}
	back := func(who string) {
		t.Helper()
		b.login()
		if now := b.d.Store().Device(); now != into {
			t.Fatalf("restored, the machine is number %d, was %d", now, into)
		}
		for range 3 { // what the platform holds already, what is new, and what that brings
			b.sync(t)
		}
		p.wantOnce(t, names...)
		b.take(who)
		names = append(names, who)
		b.sync(t)
		b.delivered(t)
		p.wantOnce(t, names...)
	}
	leave()
	plan, err := b.d.PlanRestore("")
	must(t, err)
	if plan.From != newer || plan.Lost != 0 || plan.FromMirror == 0 || plan.Backup.Device != into {
		t.Fatalf("plan %+v", plan)
	}
	_, err = b.d.Restore(plan)
	must(t, err)
	back("周大勇")
	leave()
	head := plan.Now.Records
	plan, err = b.d.PlanRestore(b.dir + old[len(m.dir):])
	must(t, err)
	if plan.Backup.Device != former || plan.Lost != 0 || plan.FromMirror <= head {
		t.Fatalf("plan with a backup of the former number: %+v", plan)
	}
	_, err = b.d.Restore(plan)
	must(t, err)
	back("吴小梅")
}
