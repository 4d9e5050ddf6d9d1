package desk_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bianmin/offline/casefile"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/form"
)

// submitFile takes in the case of a file of answers.
func submitFile(t *testing.T, s *desk.Session, service string) counter.Submitted {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "card.jpg"), photo(t, 320, 200), 0o600); err != nil {
		t.Fatal(err)
	}
	line, err := os.ReadFile(filepath.Join("testdata", service+".json"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.SubmitAnswers(t.Context(), service, line, dir)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// 先行救助: papers may follow within twenty working days, and the case says until when and which.
func TestPapersThatMayFollow(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	got := submitFile(t, s, "linshi")
	cat, err := s.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	load := func() counter.Case {
		t.Helper()
		c, err := s.Case(t.Context(), got.Case)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := load()
	today := casefile.DayOf(m.Clock.Now())
	due, _ := casefile.Due(today, casefile.Limit{Days: 20, Unit: casefile.Workdays}, cat.Calendar, nil, today)
	if c.Priority != 2 || c.PapersDue != due || !slices.Equal(c.Papers, []string{"hukouBook", "hardshipProof"}) || !c.MayHandIn() {
		t.Fatalf("priority %d, papers %v until %s, want %s", c.Priority, c.Papers, c.PapersDue, due)
	}
	in, err := s.HandIn(t.Context(), got.Case)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []form.Path{"idcardPhoto", "amount", "family[0].name"} {
		if !in.Form().State(path).ReadOnly {
			t.Errorf("%s is open", path)
		}
	}
	if _, err := in.Submit(t.Context()); !errors.Is(err, counter.ErrNoPapers) {
		t.Errorf("nothing handed in: %v", err)
	}
	if err := in.Attach(t.Context(), "hardshipProof", photo(t, 300, 200), "bill.jpg"); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if in, err = s.HandIn(t.Context(), got.Case); err != nil || in.Form().State("hardshipProof").Value == nil {
		t.Fatalf("the draft did not come back: %v", err)
	}
	if _, err := in.Submit(t.Context()); err != nil {
		t.Fatal(err)
	}
	c = load()
	if c.State != casefile.TakenIn || !slices.Equal(c.Papers, []string{"hukouBook"}) || len(c.Blobs) == 0 {
		t.Fatalf("case is %s, papers %v", c.State, c.Papers)
	}
	if last := c.Timeline[len(c.Timeline)-1]; last.Key() != "case.step.papers" || last.Ignored {
		t.Errorf("time line %s, ignored %v", last.Key(), last.Ignored)
	}
	// While a correction is open, the papers go with its answer.
	m.AskCorrection(t, d, got.Case, "电话请核对。", "phone")
	if _, err := s.HandIn(t.Context(), got.Case); !errors.Is(err, counter.ErrNoPapersDue) {
		t.Errorf("papers beside a correction: %v", err)
	}
	if in, err = s.Correct(t.Context(), got.Case); err != nil {
		t.Fatal(err)
	}
	if in.Form().State("hukouBook").ReadOnly || !in.Form().State("hardshipProof").ReadOnly {
		t.Error("in the correction the missing papers must be open, and only these")
	}
	in.Set("phone", "13900000009")
	if err := in.Attach(t.Context(), "hukouBook", photo(t, 310, 200), "book.jpg"); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Submit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c = load(); len(c.Papers) != 0 || c.MayHandIn() {
		t.Errorf("papers %v", c.Papers)
	}
	if _, err := s.HandIn(t.Context(), got.Case); !errors.Is(err, counter.ErrNoPapersDue) {
		t.Errorf("nothing is missing: %v", err)
	}
	if r, err := d.Doctor(t.Context(), true, nil); err != nil || len(r.Faults) != 0 {
		t.Fatalf("rebuilt with %v, %v", r.Faults, err)
	}
	if again := load(); len(again.Papers) != 0 || again.PapersDue != due || again.Priority != 2 || again.State != c.State {
		t.Errorf("rebuilt: %+v", again.Case)
	}
}

// Cases that need somebody come first, then those about to be late, then by priority, then by day.
func TestCasesComeByPriority(t *testing.T) {
	m := desktest.New(t)
	_, s := m.Login(t)
	plain := submitFile(t, s, "gaoling")
	urgent := submitFile(t, s, "linshi")
	short := submitFile(t, s, "juzhu") // three days: due before the others
	list, err := s.Cases(t.Context())
	if err != nil || len(list) != 3 {
		t.Fatal(err)
	}
	var order []uint64
	for _, c := range list {
		order = append(order, c.Seq)
	}
	if want := []uint64{urgent.Case, short.Case, plain.Case}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}
