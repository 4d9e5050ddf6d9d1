package desk_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/store"
)

func backupsIn(t *testing.T, dir string) []string {
	t.Helper()
	list, err := store.Backups(dir, 7)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// The daily backup comes once a day, whatever the clock does, works while nobody is logged in, and the stick's turn goes to
// the machine's own folder while the stick is away.
func TestDailyBackup(t *testing.T) {
	m := desktest.New(t)
	d := m.Open(t)
	own := filepath.Join(m.Config.Dir, "backups")
	day := func(dir string, jump time.Duration, want int) {
		t.Helper()
		m.Clock.T = m.Clock.T.Add(jump)
		before := backupsIn(t, dir)
		d.Tend(t.Context())
		after := backupsIn(t, dir)
		if len(after) != want {
			t.Fatalf("at %v: %d backups, want %d (%d before)", m.Clock.T, len(after), want, len(before))
		}
		if len(after) > 0 && (len(before) == 0 || after[0] != before[0]) { // the file's time is the system's, not the test's clock
			if err := os.Chtimes(after[0], m.Clock.T, m.Clock.T); err != nil {
				t.Fatal(err)
			}
		}
	}
	day(own, 0, 1)
	day(own, time.Hour, 1)
	day(own, 23*time.Hour, 2)
	day(own, time.Minute, 2)
	m.Clock.T = time.Unix(0, 0) // the battery of the clock is dead
	day(own, 0, 3)
	day(own, time.Hour, 3)
	for range 8 {
		day(own, 24*time.Hour, min(7, len(backupsIn(t, own))+1))
	}
	newest := backupsIn(t, own)[0]

	stick := filepath.Join(t.TempDir(), "media", "stick")
	if err := d.SetBackups(desk.BackupPlan{Dir: stick, Keep: 2}); err != nil {
		t.Fatal(err)
	}
	day(own, 24*time.Hour, 2) // not plugged in
	if list := backupsIn(t, own); list[0] == newest {
		t.Fatal("no backup while the stick is away")
	}
	if err := os.Mkdir(filepath.Dir(stick), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		day(stick, 24*time.Hour, min(2, len(backupsIn(t, stick))+1))
	}
	if err := d.SetBackups(desk.BackupPlan{Dir: "relative"}); err == nil {
		t.Fatal("a relative folder is taken")
	}
	if p := d.Backups(); p.Dir != stick || p.Keep != 2 {
		t.Fatalf("plan %+v", p)
	}
}

// The database is compacted only when nothing was written since the last look, and somebody at work notices nothing.
func TestIdleCompaction(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	d.Tend(t.Context())
	big := make([]byte, 800<<10)
	for _, data := range [][]byte{big, nil} {
		for n := range 12 {
			if err := d.Store().PutDoc(string(rune('a'+n)), data); err != nil {
				t.Fatal(err)
			}
		}
	}
	waste := func() int64 {
		t.Helper()
		free, _, err := d.Store().Waste()
		if err != nil {
			t.Fatal(err)
		}
		return free
	}
	full := waste()
	if full < 8<<20 {
		t.Fatalf("only %d bytes free", full)
	}
	d.Tend(t.Context()) // something was written just now
	if free := waste(); free < full/2 {
		t.Fatalf("compacted at work: %d of %d bytes free", free, full)
	}
	in := start(t, s)
	fillGaoling(t, in)
	if err := in.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.Tend(t.Context())
	d.Tend(t.Context())
	if free := waste(); free > 1<<20 {
		t.Fatalf("not compacted when idle: %d bytes free", free)
	}
	if _, err := in.Submit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rep, err := d.Doctor(t.Context(), false, nil); err != nil || len(rep.Faults) != 0 {
		t.Fatalf("doctor %+v, %v", rep, err)
	}
}
