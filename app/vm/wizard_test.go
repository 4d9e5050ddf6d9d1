package vm_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"bianmin/app/vm"
	"bianmin/assets/translations"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/form"
	"bianmin/offline/ident"
	"bianmin/offline/words"
)

// wizardTexts are the real texts in one language.
type wizardTexts struct {
	c    *translations.Catalog
	lang string
}

func (t wizardTexts) Lang() string { return t.lang }

func (t wizardTexts) T(key string, pairs ...string) string {
	args := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	return t.c.TS(t.lang, key, args)
}

func wizardWords(t *testing.T) wizardTexts {
	t.Helper()
	c, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	return wizardTexts{c, "zh"}
}

// tightIntake is an intake on a disk with no room.
type tightIntake struct{ counter.Intake }

func (tightIntake) Room() error { return words.New("store.diskFull", errors.New("no room")) }

func beginIntake(t *testing.T, s *desk.Session, service, idno string) counter.Intake {
	t.Helper()
	found, err := s.FindPeople(idno, 1)
	if err != nil || len(found) != 1 {
		t.Fatalf("found %d people, %v", len(found), err)
	}
	in, err := s.Start(t.Context(), service, found[0])
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func wizardLine(t *testing.T, w *vm.Wizard, path form.Path) vm.WizardLine {
	t.Helper()
	for _, b := range w.State().Blocks {
		for _, l := range b.Lines {
			if l.Path == path {
				return l
			}
		}
	}
	t.Fatalf("no line %s on step %s", path, w.State().ID)
	return vm.WizardLine{}
}

func moveOn(t *testing.T, w *vm.Wizard, want form.Step) {
	t.Helper()
	if got := w.Next(); got != vm.Moved || w.State().ID != want {
		t.Fatalf("outcome %d, on %s instead of %s: %v", got, w.State().ID, want, w.State().Problems)
	}
}

const wizardElder = "999999194102030021"

func TestWizardRefusesSignaturesWithoutRoom(t *testing.T) {
	_, s := desktest.New(t).Login(t)
	in := beginIntake(t, s, "gaoling", wizardElder)
	for p, v := range map[form.Path]any{
		"contactName": "刘建军", "contactRelation": "child", "contactPhone": "13900000001", "applyType": "renew",
	} {
		in.Set(p, v)
	}
	photo := []byte("%PDF-1.4\n%%EOF\n")
	if err := in.Attach(t.Context(), "idcardPhoto", photo, "card.pdf"); err != nil {
		t.Fatal(err)
	}
	w, err := vm.NewWizard(t.Context(), s, tightIntake{in}, wizardWords(t))
	if err != nil {
		t.Fatal(err)
	}
	moveOn(t, w, form.StepDetails)
	moveOn(t, w, form.StepMaterials)
	moveOn(t, w, vm.StepReview)
	if got := w.Next(); got != vm.Stayed || w.State().ID != vm.StepReview {
		t.Fatalf("outcome %d on %s", got, w.State().ID)
	}
	if n := w.State().Warning; n == nil || n.State != "danger" || !strings.Contains(n.Text, "磁盘空间不足") {
		t.Errorf("warning %+v", n)
	}
}

func TestWizardWhenFaultsAreShown(t *testing.T) {
	_, s := desktest.New(t).Login(t)
	in, err := s.Start(t.Context(), "gaoling", nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := vm.NewWizard(t.Context(), s, in, wizardWords(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name  string
		do    func()
		path  form.Path
		fault string // part of the words; "" for none
	}{
		{"untouched", func() {}, "name", ""},
		{"left empty without typing", func() { w.Left("name") }, "name", ""},
		{"half a number", func() { w.Set("idno", "99999919410203") }, "idno", ""},
		{"left half typed", func() { w.Left("idno") }, "idno", "18位"},
		{"put right", func() { w.Set("idno", wizardElder) }, "idno", ""},
		{"emptied", func() { w.Set("name", "刘"); w.Set("name", "") }, "name", "请填写姓名"},
		{"a character that no name has", func() { w.Set("name", "刘<") }, "name", "不能使用的字符"},
	} {
		step.do()
		got := wizardLine(t, w, step.path).Error
		if (got == "") != (step.fault == "") || !strings.Contains(got, step.fault) {
			t.Errorf("%s: %q", step.name, got)
		}
	}
	if p := w.State().Problems; len(p) != 0 {
		t.Errorf("summary before the person went on: %v", p)
	}
	if w.Next() != vm.Stayed || len(w.State().Problems) == 0 {
		t.Error("went on with faults")
	}
}

func validID(n string) bool {
	_, err := ident.ParseIDAt(n, desktest.Day)
	return err == nil
}

func TestWizardPersonsAreSeveralLinesInOneFrame(t *testing.T) {
	_, s := desktest.New(t).Login(t)
	in, err := s.Start(t.Context(), "juzhu", nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := vm.NewWizard(t.Context(), s, in, wizardWords(t))
	if err != nil {
		t.Fatal(err)
	}
	var child string
	for _, c := range "0123456789X" {
		if n := "99999920200101001" + string(c); validID(n) {
			child = n
		}
	}
	w.Set("idno", child) // a child: a guardian applies
	var parts []string
	for _, b := range w.State().Blocks {
		for _, l := range b.Lines {
			if l.Card == "guardian" {
				parts = append(parts, string(l.Kind)+" "+string(l.Path))
			}
		}
	}
	want := []string{"head guardian", "text guardian.name", "idnumber guardian.idno", "phone guardian.phone", "text guardian.relation"}
	if !slices.Equal(parts, want) {
		t.Errorf("guardian is %v", parts)
	}
	w.Set("guardian.phone", "139")
	w.Left("guardian.phone")
	if l := wizardLine(t, w, "guardian.phone"); l.Value != "139" || l.Error == "" {
		t.Errorf("half a telephone number: %+v", l)
	}
}

func TestWizardSpeaksBothLanguages(t *testing.T) {
	_, s := desktest.New(t).Login(t)
	texts := wizardWords(t)
	texts.lang = "en"
	w, err := vm.NewWizard(t.Context(), s, beginIntake(t, s, "gaoling", wizardElder), texts)
	if err != nil {
		t.Fatal(err)
	}
	st := w.State()
	if st.Steps[0] != "Person" || st.Next != "Next" || !strings.HasPrefix(st.Saved, "Saved ") {
		t.Errorf("steps %v, next %q, saved %q", st.Steps, st.Next, st.Saved)
	}
	if l := wizardLine(t, w, "sex"); l.Shown != "female" {
		t.Errorf("sex %q", l.Shown)
	}
}

func TestMissingAndWrongAreCountedApart(t *testing.T) {
	texts, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	gone, bad := vm.WizardProblem{Missing: true}, vm.WizardProblem{}
	for _, test := range []struct {
		of     []vm.WizardProblem
		zh, en string
	}{
		{[]vm.WizardProblem{gone, gone, gone}, "还有 3 处没有填", "3 things are missing"},
		{[]vm.WizardProblem{bad}, "有 1 处填得不对", "1 answer is wrong"},
		{[]vm.WizardProblem{gone, bad, gone, gone}, "还有 3 处没有填，有 1 处填得不对", "3 things are missing, 1 answer is wrong"},
	} {
		for lang, want := range map[string]string{"zh": test.zh, "en": test.en} {
			if got := vm.ProblemsText(texts.In(lang), test.of); got != want {
				t.Errorf("%s: %q, want %q", lang, got, want)
			}
		}
	}
}
