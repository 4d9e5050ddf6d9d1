package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"bianmin/offline/journal"
)

// TestFellInMidSave: file and mirror are written at the same time, so after a crash the mirror may have an act that the file has
// not. Before anybody logs in the machine still sends what both have, takes acks and events; the login brings the act,
// whole: with its receipt, and its draft gone.
func TestFellInMidSave(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.submit(s, 1)
	r.submit(s, 2)
	if err := s.SaveDraft(Draft{ID: "third", Step: "person", Body: []byte("typed"), Checkpoint: true}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(r.dir, fileName)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	act := Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: sampleCase(3), Receipt: fakeReceipt, DropDraft: "third"}
	if _, err := s.Commit(ctx, act); err != nil {
		t.Fatal(err)
	}
	r.close(s)
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}

	s = r.open()
	if s.head != 2 || !s.behind || s.applied.Dirty { // nothing is made anew because of one act
		t.Fatalf("head %d, behind %v, %+v", s.head, s.behind, s.applied)
	}
	if _, err := s.Commit(ctx, Act{Kind: journal.KindLogin}); !errors.Is(err, ErrBehind) {
		t.Fatalf("an act over one in the mirror: %v", err)
	}
	r.sync(s, 1<<20)
	if s.acked != 2 || len(r.plat.records) != 2 {
		t.Fatalf("acknowledged %d, platform has %d", s.acked, len(r.plat.records))
	}
	r.tell(s, r.plat.accept(1, r.clock), r.plat.correct(2, r.clock))

	r.unlock(s)
	if back := s.Restored(); back.From != 3 || back.To != 3 {
		t.Fatalf("taken back %+v", back)
	}
	if c, err := s.Case(3); err != nil || len(c.Stage1) == 0 {
		t.Fatalf("the act: %+v, %v", c, err)
	}
	if list, err := s.Drafts(); err != nil || len(list) != 0 {
		t.Fatalf("drafts %v, %v", list, err)
	}
	if c, err := s.Case(1); err != nil || c.AcceptedAt == 0 {
		t.Fatalf("what the platform said meanwhile: %v, %v", c.State, err)
	}
	wantClean(t, s)
	r.sync(s, 1<<20)
	if len(r.plat.records) != 4 { // and the note that the act was taken back
		t.Fatalf("platform has %d records", len(r.plat.records))
	}
}
