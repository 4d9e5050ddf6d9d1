package desk_test

import (
	"errors"
	"strings"
	"testing"

	"bianmin/offline/casefile"
	"bianmin/offline/counter"
	"bianmin/offline/desk/desktest"
)

// An answer that changes nothing is refused, unless the clerk says that the answers are right; the record then says so.
func TestCorrectionThatChangesNothing(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	in := start(t, s)
	fillGaoling(t, in)
	got, err := in.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m.AskCorrection(t, d, got.Case, "电话请核对。", "contactPhone")
	if in, err = s.Correct(t.Context(), got.Case); err != nil {
		t.Fatal(err)
	}
	before, err := d.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unchanged := func(what string) {
		t.Helper()
		if _, err := in.Submit(t.Context()); !errors.Is(err, counter.ErrUnchanged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	unchanged("at once")
	in.Set("contactPhone", "13900000002")
	in.Set("contactPhone", "13900000001")
	unchanged("changed and changed back")
	if after, err := d.Status(t.Context()); err != nil || after.Records != before.Records {
		t.Errorf("%d records written, %v", after.Records-before.Records, err)
	}
	if c, err := s.Case(t.Context(), got.Case); err != nil || c.State != casefile.CorrectionAsked {
		t.Fatalf("case is %s, %v", c.State, err)
	}
	in.Affirm()
	if _, err := in.Submit(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := s.Case(t.Context(), got.Case)
	if err != nil || c.State != casefile.CorrectionDone {
		t.Fatalf("case is %s, %v", c.State, err)
	}
	if last := c.Timeline[len(c.Timeline)-1]; !strings.Contains(last.Note, "没有错") {
		t.Errorf("the time line does not say it: %+v", last)
	}
	// The statement is about answers that stay; a change needs none, and takes it back.
	m.AskCorrection(t, d, got.Case, "电话还是打不通。", "contactPhone")
	if in, err = s.Correct(t.Context(), got.Case); err != nil {
		t.Fatal(err)
	}
	in.Affirm()
	in.Set("contactPhone", "13900000009")
	if _, err := in.Submit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, err = s.Case(t.Context(), got.Case); err != nil || c.Timeline[len(c.Timeline)-1].Note != "" {
		t.Errorf("a changed answer carries the statement: %v", err)
	}
	if c.Phone != "13900000009" {
		t.Errorf("the case still names the telephone %s", c.Phone)
	}
}
