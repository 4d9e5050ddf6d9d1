package vm_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bianmin/app/vm"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/form"
)

// 补交材料, from the home screen to the case: until when, what is missing, and only that is open.
func TestPapersFromHomeToCase(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	dir, words := t.TempDir(), newCaseWords(t)
	if err := os.WriteFile(filepath.Join(dir, "card.jpg"), casePhoto(t), 0o600); err != nil {
		t.Fatal(err)
	}
	line, err := os.ReadFile("../../offline/desk/testdata/linshi.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.SubmitAnswers(t.Context(), "linshi", line, dir)
	if err != nil {
		t.Fatal(err)
	}
	today := func() *vm.TodayRow {
		t.Helper()
		h := vm.NewHome(words, d.Counter(), s, m.Clock.Now)
		if err := h.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		rows := h.State().Today
		if i := slices.IndexFunc(rows, func(r vm.TodayRow) bool { return r.To.Arg == vm.CasesPapers }); i >= 0 {
			return &rows[i]
		}
		return nil
	}
	detail := func() vm.CaseDetailState {
		t.Helper()
		v := vm.NewCaseDetail(words, d.Counter(), s, m.Clock.Now, got.Case)
		if err := v.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		return v.State()
	}
	if r := today(); r == nil || r.Count != 1 || r.Word != "待补交材料" || r.State != "warn" {
		t.Fatalf("今日 has %+v", r)
	}
	list := vm.NewCases(words, s, m.Clock.Now, vm.CasesPapers)
	if err := list.Load(t.Context()); err != nil || list.State().Len != 1 {
		t.Errorf("the list has %d, %v", list.State().Len, err)
	}
	st := detail()
	if st.PrimaryTo != (vm.Target{Page: "wizard", Arg: fmt.Sprintf("papers:%d", got.Case)}) || st.Primary != "补交材料" {
		t.Errorf("the button is %q to %+v", st.Primary, st.PrimaryTo)
	}
	fact := func(list []vm.Fact, name string) string {
		i := slices.IndexFunc(list, func(f vm.Fact) bool { return f.Name == name })
		if i < 0 {
			return ""
		}
		return list[i].Value
	}
	if until := fact(st.Numbers, "材料补交期限"); !strings.HasPrefix(until, "2026年12月") {
		t.Errorf("papers until %q", until)
	}
	if missing := fact(st.Facts, "待补交的材料"); missing != "户口簿或居住证、困难证明材料" {
		t.Errorf("missing %q", missing)
	}
	in, err := s.HandIn(t.Context(), got.Case)
	if err != nil {
		t.Fatal(err)
	}
	w, err := vm.NewWizard(t.Context(), s, in, wizardWords(t))
	if err != nil {
		t.Fatal(err)
	}
	ws := w.State()
	if !slices.Equal(ws.Steps, []string{"材料", "核对"}) || ws.Notice == nil || !strings.Contains(ws.Notice.Title, "12月") {
		t.Fatalf("steps %v, notice %+v", ws.Steps, ws.Notice)
	}
	if l := wizardLine(t, w, "idcardPhoto"); !l.Fixed {
		t.Error("a paper that is there is open")
	}
	for _, path := range []form.Path{"hukouBook", "hardshipProof"} {
		if err := w.Attach(t.Context(), path, casePhoto(t), "paper.jpg"); err != nil {
			t.Fatal(err)
		}
	}
	moveOn(t, w, vm.StepReview)
	if ws = w.State(); ws.Next != "提交材料" {
		t.Errorf("button %q", ws.Next)
	}
	if _, err := w.Submit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := today(); r != nil {
		t.Errorf("今日 still has %+v", r)
	}
	st = detail()
	told := slices.ContainsFunc(st.Steps, func(x vm.CaseStep) bool { return x.What == "补交材料" && x.Who == "王秀英" })
	if st.Primary == "补交材料" || !told {
		t.Errorf("button %q, steps %+v", st.Primary, st.Steps)
	}
	// Another case lets its day go by.
	if got, err = s.SubmitAnswers(t.Context(), "linshi", line, dir); err != nil {
		t.Fatal(err)
	}
	m.Clock.T = m.Clock.T.AddDate(0, 2, 0)
	if r := today(); r == nil || r.State != "danger" || fact(detail().Numbers, "材料补交期限（已过）") == "" {
		t.Errorf("after the day: %+v", r)
	}
}
