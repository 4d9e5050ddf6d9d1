package desk_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"bianmin/offline/desk/desktest"
)

// learnedFiles returns the files of what was learned on a machine.
func learnedFiles(t *testing.T, m *desktest.Machine) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(m.Config.Dir, "learned", "*"))
	noError(t, err)
	return all
}

func TestLearnedWordsAreSealedForTheirOperator(t *testing.T) {
	m, _ := withPeople(t)
	d := m.Open(t)
	ctx := t.Context()
	s := login(t, d, desktest.Operator, desktest.PIN)
	if got, err := s.LearnedWords(); err != nil || got != nil {
		t.Fatalf("at the beginning: %q, %v", got, err)
	}
	secret := []byte("王秀兰 wang xiu lan")
	noError(t, s.KeepLearned(ctx, secret))
	files := learnedFiles(t, m)
	if len(files) != 1 {
		t.Fatalf("files %q", files)
	}
	raw, err := os.ReadFile(files[0])
	noError(t, err)
	if bytes.Contains(raw, secret[:9]) {
		t.Fatal("it is readable")
	}
	other := login(t, d, "li", "135790")
	if got, err := other.LearnedWords(); err != nil || got != nil {
		t.Fatalf("another operator has %q, %v", got, err)
	}
	noError(t, other.KeepLearned(ctx, []byte("x")))
	noError(t, s.Close(ctx))
	if _, err := s.LearnedWords(); err == nil {
		t.Fatal("a closed session reads it")
	}

	noError(t, d.Close())
	d = m.Open(t)
	s = login(t, d, desktest.Operator, desktest.PIN)
	if got, err := s.LearnedWords(); err != nil || !bytes.Equal(got, secret) {
		t.Fatalf("after a restart: %q, %v", got, err)
	}
	// One operator's file in the other's place opens nothing.
	for _, f := range learnedFiles(t, m) {
		if now, err := os.ReadFile(f); err == nil && !bytes.Equal(now, raw) {
			noError(t, os.WriteFile(f, raw, 0o600))
		}
	}
	other = login(t, d, "li", "135790")
	if got, err := other.LearnedWords(); err == nil {
		t.Fatalf("the other operator got %q", got)
	}
	lead := login(t, d, "he", "909192")
	noError(t, lead.RemoveOperator(ctx, "li"))
	if n := len(learnedFiles(t, m)); n != 1 {
		t.Fatalf("after an operator was removed there are %d files", n)
	}
	noError(t, s.KeepLearned(ctx, nil))
	if n := len(learnedFiles(t, m)); n != 0 {
		t.Fatalf("wiped: %d files", n)
	}
	noError(t, s.KeepLearned(ctx, nil)) // there is nothing to wipe
}

func TestAnErasureForgetsWhatWasLearned(t *testing.T) {
	m := leadMachine(t)
	d, s := m.Login(t)
	ctx := t.Context()
	done := take(t, s, "甪蒯一", "999999194105030019", 1)
	m.Acknowledge(t, d)
	decide(t, m, d, done.Seq, "不予救助")
	m.Acknowledge(t, d)
	noError(t, s.KeepLearned(ctx, []byte("王秀兰")))
	if _, err := s.EraseCases(ctx, "本人申请", done.No); err != nil {
		t.Fatal(describe(err))
	}
	if n := len(learnedFiles(t, m)); n != 0 {
		t.Fatalf("%d files are left", n)
	}
	// What the window still has in memory may name the person.
	noError(t, s.KeepLearned(ctx, []byte("王秀兰")))
	if n := len(learnedFiles(t, m)); n != 0 {
		t.Fatal("it came back")
	}
	noError(t, s.Close(ctx))
	again, err := d.Login(ctx, desktest.Operator, desktest.PIN)
	noError(t, err)
	noError(t, again.KeepLearned(ctx, []byte("李建国")))
	if n := len(learnedFiles(t, m)); n != 1 {
		t.Fatal("nothing is kept any more")
	}
}
