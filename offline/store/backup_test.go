package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/journal"
	"bianmin/offline/words"
)

func TestBackupsCountOnAndSevenStay(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.submit(s, 1)
	dir := filepath.Join(t.TempDir(), "stick")
	for _, name := range []string{"bianmin-70001-1.bak", "bianmin-70002-000001.bak", "holiday.jpg", "bianmin-70001-000009.bak.part"} {
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, name), []byte("other"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 9 {
		r.clock = r.clock.AddDate(-1, 0, 0) // whatever the clock says
		path, err := s.BackupTo(dir, 7)
		if err != nil || filepath.Base(path) != backupName(testDevice, uint64(n+1)) {
			t.Fatalf("backup %d: %s, %v", n+1, path, err)
		}
	}
	list, err := Backups(dir, testDevice)
	if err != nil || len(list) != 7 || filepath.Base(list[0]) != "bianmin-70001-000009.bak" || filepath.Base(list[6]) != "bianmin-70001-000003.bak" {
		t.Fatalf("%v, %v", list, err)
	}
	all, err := os.ReadDir(dir)
	if err != nil || len(all) != 7+3 { // what was half written under the newest one's name is gone with it
		t.Fatalf("%v, %v", all, err)
	}
	if got, err := NewestBackup(r.o, filepath.Join(dir, "none"), dir); err != nil || got != list[0] {
		t.Fatalf("newest: %s, %v", got, err)
	}
	if err := os.WriteFile(list[0], []byte("rotten"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := NewestBackup(r.o, dir); err != nil || got != list[1] {
		t.Fatalf("newest that is whole: %s, %v", got, err)
	}
	if _, err := s.BackupTo(filepath.Join(dir, "not", "there"), 7); err == nil {
		t.Fatal("a stick that is not there gets a backup")
	} else if key, _ := words.KeyOf(err); key != "backup.failed" {
		t.Fatal(err)
	}
	s.o.FreeSpace = func(string) (uint64, error) { return 1000, nil }
	if _, err := s.BackupTo(dir, 7); !errors.Is(err, ErrFull) {
		t.Fatalf("full stick: %v", err)
	}
}

// aged is a folder whose backup is older than the file: two cases, two drafts and a document later.
func aged(t *testing.T) (*rig, *Store, string) {
	r := newRig(t)
	s := r.login()
	doc := func(text string) {
		if err := s.PutDoc("settings", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	draft := func(id, body string, checkpoint bool) {
		r.clock = r.clock.Add(time.Minute)
		if err := s.SaveDraft(Draft{ID: id, Body: []byte(body), Checkpoint: checkpoint}); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 3 {
		r.submit(s, n)
	}
	r.sync(s, 1<<20)
	doc("old")
	draft("submitted later", "x", true)
	draft("typed on", "before", true)
	draft("typed on past a page", "before", false)
	draft("left alone", "same", false)
	backup := filepath.Join(r.dir, "backup.db")
	if err := s.Backup(backup); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: sampleCase(4), Receipt: fakeReceipt, DropDraft: "submitted later"}); err != nil {
		t.Fatal(err)
	}
	r.submit(s, 5)
	r.tell(s, r.plat.accept(1, r.clock))
	doc("new")
	draft("typed on", "after", false)
	draft("typed on past a page", "after", true)
	draft("new", "page", true)
	draft("new", "page and more", false)
	draft("new within a page", "y", false)
	return r, s, backup
}

// restored checks the folder of aged after the backup was put in place and somebody logged in.
func restored(t *testing.T, r *rig, s *Store) {
	t.Helper()
	if s.head != 6 {
		t.Fatalf("head %d", s.head)
	}
	rec, err := s.Record(6)
	if err != nil || rec.Kind != journal.KindRebuilt {
		t.Fatalf("record of the restore: %v, %v", rec.Kind, err)
	}
	if n, err := journal.DecodeBody[journal.Note](rec.Body); err != nil || n.What != "backup" || n.From != "4" || n.To != "5" || n.Count != 2 {
		t.Fatalf("it says %+v, %v", n, err)
	}
	for id, want := range map[string]string{
		"typed on": "before", "typed on past a page": "after", "left alone": "same", "new": "page", "submitted later": "", "new within a page": "",
	} {
		d, err := s.Draft(id)
		if want == "" && !errors.Is(err, ErrNotFound) || want != "" && string(d.Body) != want {
			t.Errorf("draft %q: %q, %v", id, d.Body, err)
		}
	}
	if d, err := s.Doc("settings"); err != nil || string(d) != "new" {
		t.Errorf("document: %q, %v", d, err)
	}
	if c, err := s.Case(1); err != nil || c.OfficialNo == "" {
		t.Errorf("event of the mirror: %+v, %v", c, err)
	}
	wantClean(t, s)
	r.sync(s, 1<<20)
	if len(r.plat.records) != 6 {
		t.Fatalf("platform has %d records", len(r.plat.records))
	}
	r.submit(s, 7)
	wantClean(t, s)
}

func TestRestoreSaysWhatItChangesAndTheMirrorBringsTheRest(t *testing.T) {
	for _, open := range []bool{false, true} {
		r, s, backup := aged(t)
		var c Change
		var err error
		if open {
			if _, err := s.Restore(backup); err == nil {
				t.Fatal("restored under a session")
			} else if key, _ := words.KeyOf(err); key != "backup.loggedIn" {
				t.Fatal(err)
			}
			s.Lock()
			c, err = s.PlanRestore(backup)
		} else {
			if _, err := PlanRestore(r.o, backup); !errors.Is(err, ErrBusy) {
				t.Fatalf("plan for a file in use: %v", err)
			}
			r.close(s)
			before := dirState(t, r.dir)
			c, err = PlanRestore(r.o, backup)
			if after := dirState(t, r.dir); after != before {
				t.Fatalf("the plan changed\n%s to\n%s", before, after)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if !c.Opens || c.Now.Records != 5 || c.Backup.Records != 3 || c.FromMirror != 2 || c.Lost != 0 || c.Gained != 0 || c.Events != 1 ||
			c.DraftsBack != 0 || c.DraftsOlder != 2 || c.DraftsMirror != 1 || c.DraftsLost != 1 {
			t.Fatalf("plan %+v", c)
		}
		var aside string
		if open {
			aside, err = s.Restore(backup)
		} else {
			aside, err = Restore(r.o, backup)
		}
		if err != nil {
			t.Fatal(err)
		}
		if fileSize(t, aside) == 0 {
			t.Fatal("the old file is not kept")
		}
		if open {
			r.unlock(s)
		} else {
			s = r.login()
		}
		restored(t, r, s)
		r.close(s)
		s = r.login() // and it is noted once
		if s.head != 7 {
			t.Fatalf("head %d", s.head)
		}
		r.close(s)
	}
}

func dirState(t *testing.T, dir string) (out string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			data, rerr := os.ReadFile(path)
			h := suite.Hash(data)
			out += path + " " + string(h[:]) + "\n"
			err = rerr
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRestoreWithoutAMirror says how many records are gone for good, and how many of them the platform has.
func TestRestoreWithoutAMirror(t *testing.T) {
	r, s, backup := aged(t)
	if _, last, err := s.Outgoing(ctx, 3, 1<<20); err != nil || last != 5 {
		t.Fatal(last, err)
	}
	r.close(s)
	if err := os.RemoveAll(filepath.Join(r.dir, mirrorName)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "gone"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := PlanRestore(r.o, backup)
	if err != nil || c.Lost != 2 || c.FromMirror != 0 || c.DraftsBack != 1 || c.DraftsLost != 2 {
		t.Fatalf("%+v, %v", c, err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, fileName), []byte("not a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = PlanRestore(r.o, backup); err != nil || c.Opens || c.Backup.Records != 3 || c.Gained != 3 {
		t.Fatalf("over a damaged file: %+v, %v", c, err)
	}
	if _, err := Restore(r.o, backup); err != nil {
		t.Fatal(err)
	}
	s = r.login()
	if s.head != 4 { // three, and the record of the restore
		t.Fatalf("head %d", s.head)
	}
	wantClean(t, s)
}

func TestWhatIsNoBackupIsRefused(t *testing.T) {
	r, s, backup := aged(t)
	var body []byte
	if err := s.db.View(func(tx *bolt.Tx) error {
		body = bytes.Clone(tx.Bucket([]byte(bucketBodies)).Get(seqKey(1)))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	r.close(s)
	other := newRig(t)
	foreign := other.login()
	theirs := filepath.Join(r.dir, "theirs.db")
	if err := foreign.Backup(theirs); err != nil {
		t.Fatal(err)
	}
	flipped, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(flipped, body) {
		t.Fatal("the backup has no body of record 1")
	}
	for rest := flipped; ; { // pages that are free may hold it, too
		n := bytes.Index(rest, body)
		if n < 0 {
			break
		}
		rest[n+len(body)/2] ^= 1
		rest = rest[n+len(body):]
	}
	bad := filepath.Join(r.dir, "flipped.db")
	text := filepath.Join(r.dir, "text.db")
	if err := errors.Join(os.WriteFile(bad, flipped, 0o600), os.WriteFile(text, []byte("hello"), 0o600)); err != nil {
		t.Fatal(err)
	}
	before := dirState(t, r.dir)
	for path, want := range map[string]error{theirs: ErrForeign, bad: ErrNoBackup, text: ErrNoBackup, filepath.Join(r.dir, "none"): ErrNoBackup, r.dir: ErrNoBackup} {
		if _, err := PlanRestore(r.o, path); !errors.Is(err, want) {
			t.Errorf("plan %s: %v", filepath.Base(path), err)
		}
		if _, err := Restore(r.o, path); !errors.Is(err, want) {
			t.Errorf("restore %s: %v", filepath.Base(path), err)
		}
	}
	if dirState(t, r.dir) != before {
		t.Fatal("a refusal changed the folder")
	}
}

func TestKill9InRestore(t *testing.T) {
	for _, step := range []string{"prepared", "aside", "placed"} {
		r, s, _ := aged(t)
		r.close(s)
		r.tellChild(childFile{Do: "restore", Step: step})
		r.killed(0, true, time.Hour)
		s = r.login()
		if step == "placed" {
			restored(t, r, s)
			continue
		}
		if s.head != 5 || s.Restored().From != 0 {
			t.Fatalf("%s: head %d, %+v", step, s.head, s.Restored())
		}
		wantClean(t, s)
		if _, err := os.Stat(filepath.Join(r.dir, restoreName)); err == nil {
			t.Fatalf("%s: temporary file left", step)
		}
	}
}
