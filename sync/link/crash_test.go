package link_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/words"
	"bianmin/sync/gateway"
	"bianmin/sync/link"
)

const childEnv = "BIANMIN_EPOCH_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(dir)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child logs in and syncs until everything is delivered, or until it is killed.
func child(dir string) {
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	ctx := context.Background()
	d, err := desk.Open(desk.Config{Dir: dir, Suite: suite})
	check(err)
	l, err := link.New(d, link.Options{})
	check(err)
	_, err = d.Login(ctx, operator, pin)
	check(err)
	fmt.Println("ready")
	for {
		_, err := l.Once(ctx)
		_, head, acked, _, perr := d.Store().Position(ctx)
		check(perr)
		if err == nil && head == acked {
			fmt.Println("done")
			select {} // the parent kills it all the same
		}
	}
}

// TestKillInEpoch kills a forked machine with kill -9 while it goes on in a new epoch, at varying moments; afterwards it
// goes on where it was, and every case of its branch arrives once.
func TestKillInEpoch(t *testing.T) {
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
	b.take("沈志刚")
	b.close()
	want := []string{"赵建国", "褚文静"}
	rounds := 3
	if full {
		rounds = 30
	}
	finished := 0
	for round := range rounds {
		m := b.copy()
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), childEnv+"="+m.dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		var timer *time.Timer
		sc := bufio.NewScanner(out)
		for sc.Scan() {
			switch sc.Text() {
			case "ready":
				timer = time.AfterFunc(time.Duration(5+round*230/rounds)*time.Millisecond, func() { _ = cmd.Process.Kill() })
			case "done":
				finished++
			}
		}
		if err := cmd.Wait(); timer == nil || err == nil {
			t.Fatalf("round %d: child ended by itself: %v", round, err)
		}
		m.open()
		m.loginSoon()
		m.sync(t)
		m.delivered(t)
		into := m.d.Store().Device()
		if got := p.applicants(t, into); !slices.Equal(got, []string{"蒋丽华", "沈志刚"}) {
			t.Fatalf("round %d: device %d brought %v", round, into, got)
		}
		m.close()
		want = append(want, "蒋丽华", "沈志刚")
	}
	t.Logf("%d of %d children were through before they were killed", finished, rounds)
	p.wantOnce(t, want...)
}

// loginSoon logs in; a machine that died in the middle of a login counts that as a wrong PIN, so there may be a short wait.
func (m *machine) loginSoon() {
	m.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); ; <-tick.C {
		var err error
		m.s, err = m.d.Login(m.t.Context(), operator, pin)
		if key, _ := words.KeyOf(err); err == nil || key != "pin.wait" || time.Now().After(end) {
			must(m.t, err)
			return
		}
	}
}

// TestEpochCopies: after a new epoch any one of its two copies is enough, and an older copy of the file is no way back.
func TestEpochCopies(t *testing.T) {
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
	before, err := os.ReadFile(filepath.Join(b.dir, "store.db"))
	must(t, err)
	b.open()
	b.login()
	b.sync(t)
	b.take("沈志刚")
	into := b.d.Store().Device()
	b.close()
	mirror := filepath.Join("mirror", strconv.FormatUint(uint64(into), 10))
	for _, c := range []struct {
		name  string
		spoil func(dir string) error
		cases int // on the screen; without a line, what the platform gave of the former number comes back later
	}{
		{"mirror of the epoch gone", func(dir string) error { return os.RemoveAll(filepath.Join(dir, mirror)) }, 4},
		{"all mirrors gone", func(dir string) error { return os.RemoveAll(filepath.Join(dir, "mirror")) }, 4},
		{"file of before the epoch put back", func(dir string) error { return os.WriteFile(filepath.Join(dir, "store.db"), before, 0o600) }, 3},
		{"file gone", func(dir string) error { return os.Remove(filepath.Join(dir, "store.db")) }, 2},
		{"one copy of the epochs gone", func(dir string) error { return os.Remove(filepath.Join(dir, "epochs")) }, 4},
		{"one copy of the epochs damaged", func(dir string) error { return os.WriteFile(filepath.Join(dir, "epochs"), []byte("x"), 0o600) }, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := b.copy()
			m.t = t
			must(t, c.spoil(m.dir))
			m.open()
			m.login()
			if m.d.Store().Device() != into {
				t.Fatalf("opens as device %d", m.d.Store().Device())
			}
			cases := m.cases(t)
			var who []string
			for _, c := range cases {
				who = append(who, m.whoIs(t, c))
			}
			if len(who) != c.cases || !slices.Contains(who, "蒋丽华") || !slices.Contains(who, "沈志刚") {
				t.Fatalf("on the screen: %v", who)
			}
			r, err := m.d.Doctor(t.Context(), false, nil)
			must(t, err)
			if len(r.Faults) > 0 {
				t.Fatalf("doctor: %+v", r.Faults)
			}
			m.close()
		})
	}
	both := b.copy()
	for _, name := range []string{"epochs", "epochs.b"} {
		must(t, os.WriteFile(filepath.Join(both.dir, name), []byte("x"), 0o600))
	}
	_, err = desk.Open(both.config())
	if key, _ := words.KeyOf(err); key != "desk.enrolmentDamaged" {
		t.Fatalf("both copies of the epochs damaged: %v", err)
	}
	if errors.Is(err, os.ErrNotExist) {
		t.Fatal("damage is taken for absence")
	}
}

// TestImportOfForkedMachine: a machine that went on in a new epoch dies. Its folder holds the mirrors of both numbers; what it
// had not delivered comes in, once, and the branch under the old number is known.
func TestImportOfForkedMachine(t *testing.T) {
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
	b.sync(t)
	b.take("沈志刚")
	into := b.d.Store().Device()
	b.close()
	files := mirrorOf(t, b.dir)
	more, err := filepath.Glob(filepath.Join(b.dir, "mirror", "*", "*.bmp"))
	must(t, err)
	for _, name := range more {
		data, err := os.ReadFile(name)
		must(t, err)
		rel, err := filepath.Rel(filepath.Join(b.dir, "mirror"), name)
		must(t, err)
		files = append(files, gateway.MirrorFile{Name: filepath.ToSlash(rel), Data: data})
	}
	rep, err := p.g.Import(t.Context(), files)
	must(t, err)
	if len(rep.Refused) != 0 || len(rep.Devices) != 2 || rep.Devices[0].Carried == 0 || rep.Devices[0].New != 0 || rep.Devices[1].Device != into || rep.Devices[1].Cases != 1 {
		t.Fatalf("%+v", rep)
	}
	p.wantOnce(t, "赵建国", "褚文静", "蒋丽华", "沈志刚")
}

// TestImportOfDeadClone: the machine with the other branch dies before it ever spoke to the platform. The import carries its
// branch; receipts that it handed out stand.
func TestImportOfDeadClone(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	a := p.enrol(t)
	a.login()
	one := a.take("赵建国")
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
	_, err := b.s.Printed(t.Context(), one.Seq, 1, counter.PrintPaper)
	must(t, err)
	_, err = b.s.Printed(t.Context(), got.Seq, 1, counter.PrintPaper)
	must(t, err)
	b.take("沈志刚")
	b.close()
	for range 2 { // and again: nothing twice
		rep, err := p.g.Import(t.Context(), mirrorOf(t, b.dir))
		must(t, err)
		if len(rep.Refused) != 0 || len(rep.Devices) != 1 || rep.Devices[0].Carried < 5 || rep.Devices[0].New != 0 {
			t.Fatalf("%+v", rep)
		}
	}
	list, err := p.g.Branches(t.Context(), a.d.Store().Device())
	must(t, err)
	if len(list) != 1 || list[0].Carried < 5 {
		t.Fatalf("%+v", list)
	}
	p.branchReceipt(t, got, list[0].Device)
	p.wantOnce(t, "赵建国", "褚文静", "蒋丽华", "沈志刚")
	a.take("卫东升")
	a.sync(t)
	a.delivered(t)
	p.wantOnce(t, "赵建国", "褚文静", "蒋丽华", "沈志刚", "卫东升")
}
