package screen

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"bianmin/app/vm"
	"bianmin/offline/casefile"
	"bianmin/offline/form"
)

// correct submits 高龄津贴 and opens the answer to a correction of the given fields.
func (r *wizardRig) correct(note string, fields ...string) (seq uint64) {
	r.t.Helper()
	r.takeToSignature()
	test.Tap(r.line("promise").field.Focusable().(fyne.Tappable))
	test.Tap(r.line("share").field.Focusable().(fyne.Tappable))
	r.writeName()
	r.next()
	cases, err := r.session.Cases(r.t.Context())
	if err != nil || len(cases) != 1 {
		r.t.Fatalf("%d cases, %v; failed %v", len(cases), err, r.failed)
	}
	seq = cases[0].Seq
	r.machine.AskCorrection(r.t, r.desk, seq, note, fields...)
	in, err := r.session.Correct(r.t.Context(), seq)
	if err != nil {
		r.t.Fatal(err)
	}
	r.open(in)
	return seq
}

// Who applies was wrong: the helper's section opens with its papers, is filled in and submitted.
func TestWizardCorrectionOpensWhatFollows(t *testing.T) {
	r := newWizardRig(t)
	seq := r.correct("是儿子来代办的，请改为代办。", "way")
	if !slices.Equal(r.w.state.Steps, []string{"信息", "核对"}) {
		t.Fatalf("steps %v", r.w.state.Steps)
	}
	r.pick("way", "他人代办")
	if !slices.Equal(r.w.state.Steps, []string{"信息", "材料", "核对"}) {
		t.Fatalf("steps %v", r.w.state.Steps)
	}
	for _, path := range []form.Path{"agentName", "agentIdno", "agentRelation", "agentPhone", "agentReason"} {
		if l := r.line(path).line; l.Fixed || l.Kind == vm.LineFact {
			t.Fatalf("%s can't be typed into: %+v", path, l)
		}
	}
	r.pick("way", "本人申请")
	if r.w.page.lines[pathKey("agentName")] != nil || len(r.w.state.Steps) != 2 {
		t.Error("the helper's section stays when the change is undone")
	}
	r.pick("way", "他人代办")
	r.typeIn("agentName", "刘建军")
	r.typeIn("agentIdno", wizardID(t, "99999919700101001"))
	r.typeIn("agentPhone", "13900000003")
	r.typeIn("agentReason", "老人行动不便")
	r.next()
	if r.w.state.ID != form.StepDetails || len(r.w.state.Problems) != 1 {
		t.Fatalf("on %s without the relation: %v", r.w.state.ID, r.w.state.Problems)
	}
	r.pick("agentRelation", "子女")
	r.shootAll("8-correction-follows", r.w.Refresh)
	r.must(form.StepMaterials)
	if l := r.line("idcardPhoto").line; !l.Fixed {
		t.Errorf("a paper that nobody asked for is open: %+v", l)
	}
	r.picks = append(r.picks, wizardPick{"agent.png", wizardPicture(t, 320, 200)})
	r.pick("agentPhoto", "选择文件")
	r.must(vm.StepReview)
	r.next()
	if last := r.routes[len(r.routes)-1]; last.Page != PageCase || len(r.failed) != 0 {
		t.Fatalf("went to %v, failed %v", last, r.failed)
	}
	answers, err := r.session.Answers(t.Context(), seq)
	if err != nil {
		t.Fatal(err)
	}
	if v := answers.Values(false); v["way"] != "agent" || v["agentName"] != "刘建军" || v["contactName"] != "刘建军" || len(answers.Problems()) != 0 {
		t.Errorf("the case has %v", v)
	}
}

// An answer that changes nothing needs the clerk's word that it was right.
func TestWizardCorrectionThatChangesNothing(t *testing.T) {
	r := newWizardRig(t)
	seq := r.correct("电话打不通，请核对。", "contactPhone")
	yes := r.env.Confirm
	var text string
	r.env.Confirm = func(_, why, _ string, _ bool, _ func()) { text = why } // the clerk goes back
	r.must(vm.StepReview)
	went := len(r.routes)
	r.next()
	if len(r.routes) != went || !strings.Contains(text, "没有改动") || r.w.busy {
		t.Fatalf("went to %v, asked %q", r.routes[went:], text)
	}
	r.env.Confirm = yes
	r.next()
	if len(r.routes) != went+1 || len(r.failed) != 0 {
		t.Fatalf("went to %v, failed %v", r.routes[went:], r.failed)
	}
	c, err := r.session.Case(t.Context(), seq)
	if err != nil || c.State != casefile.CorrectionDone {
		t.Fatalf("case is %s, %v", c.State, err)
	}
}
