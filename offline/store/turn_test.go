package store

import (
	"errors"
	"testing"

	"bianmin/offline/journal"
	"bianmin/offline/words"
)

func wordOf(err error) string {
	key, _ := words.KeyOf(err)
	return key
}

// TestActsAreRefusedDuringARebuild: while projections are made again whatever a person would write is refused at once, in words;
// everything can be read; and afterwards all goes on by itself.
func TestActsAreRefusedDuringARebuild(t *testing.T) {
	r := newRig(t)
	s := r.login()
	for n := range rebuildBatch + 7 {
		if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: sampleCase(n), Receipt: fakeReceipt}); err != nil {
			t.Fatal(err)
		}
	}
	d := Draft{ID: "one", Service: "gaoling", Operator: "wang", Body: []byte("typed")}
	if err := s.SaveDraft(d); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Task(); ok || s.Ready() != nil {
		t.Fatal("a task before there was one")
	}
	head := s.head
	u := s.session()
	acts := map[string]func() error{
		"a case": func() error {
			_, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: sampleCase(1), Receipt: fakeReceipt})
			return err
		},
		"a draft":         func() error { return s.SaveDraft(d) },
		"a dropped draft": func() error { return s.DropDraft("one") },
		"an attachment":   func() error { _, err := s.PutBlob([]byte("picture"), "image/jpeg", "card.jpg"); return err },
		"a login":         func() error { return s.Unlock(u) },
		"an erasure":      func() error { _, err := s.Erase(ctx, Erasure{Cases: []uint64{1}}, nil); return err },
		"Ready":           s.Ready,
	}
	steps := 0
	if err := s.Rebuild(ctx, func(done, total int) {
		steps++
		for name, act := range acts {
			if err := act(); !errors.Is(err, ErrTask) || wordOf(err) != "store.rebuilding" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if task, ok := s.Task(); !ok || task.Kind != TaskRebuild || task.Done != done || task.Total != total || task.percent() > 99 {
			t.Errorf("task %+v, %t; %d of %d", task, ok, done, total)
		}
		if list, err := s.Cases(); err != nil || len(list) != rebuildBatch+7 {
			t.Errorf("%d cases, %v", len(list), err)
		}
		if _, err := s.Case(3); err != nil {
			t.Errorf("a case: %v", err)
		}
		if _, err := s.Receipt(3, 1); err != nil {
			t.Errorf("a receipt: %v", err)
		}
		if list, err := s.Drafts(); err != nil || len(list) != 1 {
			t.Errorf("%d drafts, %v", len(list), err)
		}
	}); err != nil || steps < 2 {
		t.Fatalf("%d steps, %v", steps, err)
	}
	if _, ok := s.Task(); ok || s.head != head {
		t.Fatalf("afterwards: task %t, head %d", ok, s.head)
	}
	for _, name := range []string{"a case", "a draft", "a dropped draft", "an attachment"} {
		if err := acts[name](); err != nil {
			t.Errorf("afterwards %s: %v", name, err)
		}
	}
	wantClean(t, s)
}

// TestLockingGivesARebuildUp: nobody waits a minute to lock a machine. What was made until then leaves no trace.
func TestLockingGivesARebuildUp(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 20)
	want := plain(t, s)
	asked, locked := make(chan struct{}), make(chan struct{})
	err := s.Rebuild(ctx, func(int, int) {
		select {
		case <-asked:
			return
		default:
		}
		s.write.mu.Lock()
		stop := s.write.tasks[0].stop
		s.write.tasks[0].stop = func() { stop(); close(asked) }
		s.write.mu.Unlock()
		go func() {
			s.Lock()
			close(locked)
		}()
		<-asked
	})
	if wordOf(err) != "store.givenUp" {
		t.Fatalf("given up: %v", err)
	}
	<-locked
	if s.session() != nil {
		t.Fatal("somebody is logged in still")
	}
	r.close(s)
	s = r.login()
	sameMap(t, "given up", want, plain(t, s))
	wantClean(t, s)
}

// TestAChecksPatience: acts wait for a check that is short; one that takes longer refuses them, and one that ends lets them through.
func TestAChecksPatience(t *testing.T) {
	s := newTurns()
	s.Lock()
	short := s.begin(TaskCheck, false, nil)
	done := make(chan error, 1)
	go func() { done <- s.act() }()
	short.end()
	s.Unlock()
	if err := <-done; err != nil {
		t.Fatalf("after a short one: %v", err)
	}
	long := s.begin(TaskCheck, false, nil) // the act above holds the turn
	if err := s.act(); wordOf(err) != "store.checking" {
		t.Fatalf("during a long one: %v", err)
	}
	other := s.begin(TaskRebuild, true, nil) // one that waits for the first
	long.end()
	if err := s.act(); wordOf(err) != "store.rebuilding" {
		t.Fatalf("during the next: %v", err)
	}
	other.end()
	s.Unlock()
	if err := s.act(); err != nil {
		t.Fatal(err)
	}
}
