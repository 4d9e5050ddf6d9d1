package screen

import (
	"bytes"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"bianmin/app/vm"
	"bianmin/offline/counter"
	"bianmin/offline/form"
	"bianmin/offline/ident"
	"bianmin/offline/receipt"
)

const elder = "999999194102030021" // 刘玉珍 of the sample roster

// takeToSignature fills in 高龄津贴 through the screens, up to the signature.
func (r *wizardRig) takeToSignature() {
	r.t.Helper()
	r.start("gaoling", elder)
	r.must(form.StepDetails)
	for path, text := range map[form.Path]string{"contactName": "刘建军", "contactPhone": "13900000001"} {
		if f := r.line(path); f.line.Value == "" {
			r.typeIn(path, text)
		}
	}
	r.pick("contactRelation", "子女")
	r.must(form.StepMaterials)
	for _, path := range []form.Path{"idcardPhoto", "hukouBook"} {
		r.picks = append(r.picks, wizardPick{string(path) + ".png", wizardPicture(r.t, 640, 400)})
		r.pick(path, "选择文件")
	}
	r.must(vm.StepReview)
	r.must(form.StepSignature)
}

func TestWizardFromCardToReceipt(t *testing.T) {
	r := newWizardRig(t)
	r.start("gaoling", elder)
	w := r.w
	if got := w.state.Steps; !slices.Equal(got, []string{"身份", "信息", "材料", "核对", "签名", "回执"}) {
		t.Fatalf("steps %v", got)
	}
	name := r.line("name").line
	if name.Value != "刘玉珍" || !strings.HasPrefix(name.Source, "公安人口库 · 20") || !name.Fixed {
		t.Errorf("prefilled name is %+v", name)
	}
	if age := r.line("age").line; age.Kind != vm.LineFact || age.Shown != "85" {
		t.Errorf("computed age is %+v", age)
	}
	if len(w.state.Problems) != 0 {
		t.Errorf("faults before anything was typed: %v", w.state.Problems)
	}
	Master(t, w, "wizard-identity")
	r.shootAll("1-identity", w.Refresh)
	r.must(form.StepDetails)
	Master(t, w, "wizard-details")
	r.shootAll("2-details", w.Refresh)
	if note := r.w.page.lines["note amountNote"]; note == nil || !strings.Contains(note.line.Shown, "30.00元") {
		t.Errorf("the note with the amount is missing")
	}
	for path, text := range map[form.Path]string{"contactName": "刘建军", "contactPhone": "13900000001"} {
		if r.line(path).line.Value == "" {
			r.typeIn(path, text)
		}
	}
	r.pick("contactRelation", "子女")
	r.must(form.StepMaterials)
	Master(t, w, "wizard-materials")
	r.shoot("3-materials-empty")
	for _, path := range []form.Path{"idcardPhoto", "hukouBook"} {
		r.picks = append(r.picks, wizardPick{string(path) + ".png", wizardPicture(t, 640, 400)})
		r.pick(path, "选择文件")
		if l := r.line(path).line; l.Value != "1" || l.Error != "" {
			t.Fatalf("material %s: %+v", path, l)
		}
	}
	r.shootAll("3-materials", w.Refresh)
	r.must(vm.StepReview)
	if !says(w.root, "子女") || !says(w.root, "1 份：idcardPhoto.png") {
		t.Error("the review does not show what was given")
	}
	Master(t, w, "wizard-review")
	r.shootAll("4-review", w.Refresh)
	r.must(form.StepSignature)
	Master(t, w, "wizard-signature")
	r.shoot("5-signature-before")
	r.next()
	if len(w.state.Problems) != 2 || w.state.ID != form.StepSignature {
		t.Fatalf("without consent: %v", w.state.Problems)
	}
	r.shoot("5-signature-problems")
	test.Tap(r.line("promise").field.Focusable().(fyne.Tappable))
	test.Tap(r.line("share").field.Focusable().(fyne.Tappable))
	padInView(t, r)
	r.next()
	if len(r.routes) != 0 || w.sign.fault.Hidden {
		t.Fatal("a blank signature went through")
	}
	at := r.app.Driver().AbsolutePositionForObject(w.sign.pad).AddXY(100, 60)
	test.Drag(r.window.Canvas(), at, 4, 3)
	r.next()
	if len(r.routes) != 0 || w.sign.fault.Hidden {
		t.Fatal("a dot went through as a signature")
	}
	w.sign.pad.Clear()
	r.writeName()
	r.shootAll("5-signature", w.Refresh)
	r.next()
	if len(r.failed) != 0 || len(r.routes) != 1 || r.routes[0].Page != PageReceipt {
		t.Fatalf("went to %v, failed %v", r.routes, r.failed)
	}
	w.Leave()
	status, err := r.desk.Status(t.Context())
	if err != nil || status.Pending != 1 || status.Drafts != 0 {
		t.Errorf("status %+v, %v", status, err)
	}
}

func TestWizardResumesOnTheSameStepAndField(t *testing.T) {
	r := newWizardRig(t)
	r.start("gaoling", elder)
	r.must(form.StepDetails)
	r.line("contactPhone").field.SetText("")
	r.typeIn("contactPhone", "1390000")
	r.window.Canvas().Focus(r.line("contactName").field.Focusable())
	r.w.Tick()
	if text, failed := r.w.vm.Saved(); failed || !strings.HasPrefix(text, "已保存 ") {
		t.Errorf("autosave mark %q", text)
	}
	// The machine is switched off: nobody leaves or closes anything.
	if err := r.desk.Close(); err != nil {
		t.Fatal(err)
	}
	r.desk, r.session = r.machine.Login(t)
	drafts, err := r.session.Drafts(t.Context())
	if err != nil || len(drafts) != 1 {
		t.Fatalf("drafts %v, %v", drafts, err)
	}
	in, err := r.session.Resume(t.Context(), drafts[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	w := r.open(in)
	if w.state.ID != form.StepDetails || w.vm.Field() != "contactName" {
		t.Fatalf("back on %s %s", w.state.ID, w.vm.Field())
	}
	if r.window.Canvas().Focused() != r.line("contactName").field.Focusable() {
		t.Error("the keyboard is not on the field where it was")
	}
	top := r.app.Driver().AbsolutePositionForObject(r.line("contactName").obj).Y
	if foot := r.app.Driver().AbsolutePositionForObject(w.scroll).Y + w.scroll.Size().Height; top < 60 || top > foot-40 {
		t.Errorf("the field is at %v, out of view", top)
	}
	if l := r.line("contactPhone").line; l.Value != "1390000" || l.Error == "" {
		t.Errorf("half a number came back as %+v", l)
	}
}

func TestWizardSaysWhatIsWrongAtTheRightTime(t *testing.T) {
	r := newWizardRig(t)
	r.start("gaoling", "")
	r.typeIn("idno", "9999991941")
	if e := r.line("idno").line.Error; e != "" {
		t.Errorf("after ten digits: %q", e)
	}
	r.typeIn("idno", "02030022")
	if e := r.line("idno").line.Error; !strings.Contains(e, "输错了一位") {
		t.Errorf("after eighteen digits: %q", e)
	}
	r.typeIn("name", "刘")
	if e := r.line("name").line.Error; e != "" {
		t.Errorf("name while typing: %q", e)
	}
	r.next()
	if r.w.state.ID != form.StepIdentity || len(r.w.state.Problems) < 2 || !r.w.summary.Visible() {
		t.Fatalf("went on to %s with %v", r.w.state.ID, r.w.state.Problems)
	}
	r.shootAll("6-problems", r.w.Refresh)
	at := slices.IndexFunc(r.w.state.Problems, func(p vm.WizardProblem) bool { return p.Path == "hukouAddress" })
	if at < 0 {
		t.Fatalf("no word about the address: %v", r.w.state.Problems)
	}
	r.tap(r.w.summary, r.w.state.Problems[at].Text)
	if r.window.Canvas().Focused() != r.line("hukouAddress").field.Focusable() {
		t.Error("the summary does not lead to the field")
	}
	test.Type(r.line("hukouAddress").field.Focusable(), "柳树村8号")
	if slices.ContainsFunc(r.w.state.Problems, func(p vm.WizardProblem) bool { return p.Path == "hukouAddress" }) {
		t.Error("the summary still names what was put right")
	}
}

func TestWizardSectionsComeAndGoAroundTheKeyboard(t *testing.T) {
	r := newWizardRig(t)
	r.start("gaoling", elder)
	r.must(form.StepDetails)
	agent := slices.ContainsFunc(r.w.state.Blocks, func(b vm.WizardBlock) bool { return b.ID == "agent" })
	if agent {
		t.Fatal("the agent's section is there too early")
	}
	way := r.line("way")
	r.w.scroll.Reveal(way.obj)
	before := r.w.scroll.Offset()
	agentCard, ok := tappable(way.obj, "他人代办").(fyne.Focusable)
	if !ok {
		t.Fatal("the option cannot have the keyboard")
	}
	r.window.Canvas().Focus(agentCard)
	agentCard.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	if r.line("way") != way {
		t.Error("the widget was made anew")
	}
	r.line("agentIdno")
	if off := r.w.scroll.Offset(); off != before {
		t.Errorf("the page jumped from %v to %v", before, off)
	}
	if r.w.focused() != "way" {
		t.Errorf("the keyboard went to %q", r.w.focused())
	}
	r.pick("way", "本人申请")
	if r.w.page.lines[pathKey("agentIdno")] != nil {
		t.Error("the agent's section stays")
	}
}

// wizardID adds the check character to seventeen digits.
func wizardID(t *testing.T, digits string) string {
	t.Helper()
	for _, c := range "0123456789X" {
		if _, err := ident.ParseIDAt(digits+string(c), time.Now()); err == nil {
			return digits + string(c)
		}
	}
	t.Fatalf("%s is no ID number", digits)
	return ""
}

func TestWizardGroupsAndSeveralSigners(t *testing.T) {
	r := newWizardRig(t)
	r.start("linshi", elder)
	r.w.vm.Set("phone", "13900000001")
	r.w.vm.Set("hukou", "999999101201")
	r.w.vm.Set("live", "999999101201")
	r.w.vm.Set("liveAddress", "柳树村8号")
	r.w.Refresh()
	r.must(form.StepDetails)
	r.pick("kind", "支出型")
	r.pick("cause", "突发重大疾病")
	r.typeIn("story", "住院治疗，自付费用较高。")
	r.typeIn("expenses", "12000.5")
	if l := r.line("expenses").line; l.Value != "12000.50" || l.Error != "" {
		t.Errorf("amount %+v", l)
	}
	r.typeIn("amount", "3000")
	r.pick("category", "其他")
	r.typeIn("income", "500")
	for i, name := range []string{"张三", "李四"} {
		r.tap(r.w.page.box, "添加家庭成员（申请人以外）")
		path := func(id string) form.Path { return form.RowPath("family", i, id) }
		if r.w.focused() != path("name") {
			t.Errorf("after adding a row the keyboard is on %q", r.w.focused())
		}
		r.typeIn(path("name"), name)
		r.typeIn(path("idno"), wizardID(t, []string{"99999919850312001", "99999919900101001"}[i]))
		r.typeIn(path("income"), "100")
		r.pick(path("relation"), "子女")
	}
	if l := r.line("members").line; l.Shown != "3" {
		t.Errorf("members %+v", l)
	}
	r.shootAll("7-group", r.w.Refresh)
	r.tap(r.w.page.box, "移除")
	if l := r.line("members").line; l.Shown != "2" || len(r.asked) != 1 {
		t.Errorf("after removing: %+v, asked %v", l, r.asked)
	}
	if l := r.line("family[0].name"); l.line.Value != "李四" || l.field.Text() != "李四" {
		t.Errorf("the second row did not move up: %q %q", l.line.Value, l.field.Text())
	}
	if l := r.line("bankcard"); l.line.Value == "" {
		r.typeIn("bankcard", "6299990020000079196")
	}
	r.must(form.StepMaterials)
	for _, path := range []form.Path{"idcardPhoto", "hukouBook", "hardshipProof"} {
		r.picks = append(r.picks, wizardPick{string(path) + ".png", wizardPicture(t, 320, 200)})
		r.pick(path, "选择文件")
	}
	r.must(vm.StepReview)
	r.must(form.StepSignature)
	test.Tap(r.line("authorise").field.Focusable().(fyne.Tappable))
	test.Tap(r.line("promise").field.Focusable().(fyne.Tappable))
	if r.w.sign.name.Text() != "请李四签名" || r.w.next.Text() != "签好了，下一位" || len(r.w.state.Signers) != 2 {
		t.Fatalf("first %q, button %q, %d signers", r.w.sign.name.Text(), r.w.next.Text(), len(r.w.state.Signers))
	}
	r.writeName()
	r.next()
	if r.w.sign.name.Text() != "请刘玉珍签名" || !r.w.sign.pad.Blank() || r.w.next.Text() != "签好了，提交" {
		t.Fatalf("second %q, button %q", r.w.sign.name.Text(), r.w.next.Text())
	}
	r.shootAll("7-second-signer", r.w.Refresh)
	r.writeName()
	r.next()
	if len(r.routes) != 1 || len(r.failed) != 0 {
		t.Fatalf("went to %v, failed %v", r.routes, r.failed)
	}
}

func TestWizardWipesASignatureWhenAnswersChange(t *testing.T) {
	r := newWizardRig(t)
	r.takeToSignature()
	in := r.w
	test.Tap(r.line("promise").field.Focusable().(fyne.Tappable))
	test.Tap(r.line("share").field.Focusable().(fyne.Tappable))
	if _, err := in.vm.Sign(t.Context(), "sign", counter.Signature{Strokes: [][]int64{{10, 10, 60, 40, 90, 15, 120, 60}}}); err != nil {
		t.Fatal(err)
	}
	in.Refresh()
	if in.state.Signer != -1 || in.sign.frame.Visible() {
		t.Fatal("the signature is not shown as made")
	}
	r.shoot("5-signed")
	if !in.Back() || in.state.ID != vm.StepReview {
		t.Fatalf("back on %s", in.state.ID)
	}
	r.tap(in.review, "修改")
	if in.state.ID != form.StepIdentity || in.state.Next != "改好了，回到核对" {
		t.Fatalf("on %s with %q", in.state.ID, in.state.Next)
	}
	r.pick("sameHome", "否")
	r.pick("sameHome", "是")
	r.must(vm.StepReview)
	r.must(form.StepSignature)
	if in.state.Signer != 0 || in.state.Warning == nil {
		t.Errorf("after a change signer %d, warning %v", in.state.Signer, in.state.Warning)
	}
	r.shoot("5-sign-again")
}

func TestWizardHelperSignsWithAReason(t *testing.T) {
	r := newWizardRig(t)
	r.takeToSignature()
	test.Tap(r.line("promise").field.Focusable().(fyne.Tappable))
	test.Tap(r.line("share").field.Focusable().(fyne.Tappable))
	test.Tap(r.w.sign.helper)
	r.writeName()
	r.next()
	if len(r.routes) != 0 || r.w.sign.why.Error() == "" {
		t.Fatal("a helper signed without a reason")
	}
	test.Type(r.w.sign.reason.Focusable(), "不识字")
	r.shoot("5-helper")
	r.next()
	if len(r.routes) != 1 || len(r.failed) != 0 {
		t.Fatalf("routes %v, failed %v", r.routes, r.failed)
	}
	cases, err := r.session.Cases(t.Context())
	if err != nil || len(cases) != 1 {
		t.Fatal(err)
	}
	answers, err := r.session.Answers(t.Context(), cases[0].Seq)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := form.ReadSignature(answers.State("sign").Value)
	if err != nil || sig.By != "helper" || sig.Reason != "不识字" {
		t.Errorf("signature by %q because %q, %v", sig.By, sig.Reason, err)
	}
}

func TestWizardMaterials(t *testing.T) {
	r := newWizardRig(t)
	r.start("gaoling", elder)
	r.w.vm.Set("contactName", "刘建军")
	r.w.vm.Set("contactRelation", "child")
	r.w.vm.Set("contactPhone", "13900000001")
	r.must(form.StepDetails)
	r.must(form.StepMaterials)
	choose := func(path form.Path, word, name string, data []byte) vm.WizardLine {
		t.Helper()
		r.picks = append(r.picks, wizardPick{name, data})
		r.pick(path, word)
		return r.line(path).line
	}
	if l := choose("idcardPhoto", "选择文件", "notes.txt", []byte("hello")); l.Value != "0" || !strings.Contains(l.Error, "不是照片") {
		t.Fatalf("a text file: %+v", l)
	}
	r.shoot("3-materials-refused")
	if l := choose("idcardPhoto", "选择文件", "front.png", wizardPicture(t, 300, 200)); l.Value != "1" || l.Error != "" {
		t.Fatalf("a picture: %+v", l)
	}
	if l := choose("idcardPhoto", "再添加一份", "back.png", wizardPicture(t, 310, 200)); l.Value != "2" || l.Can {
		t.Fatalf("the second picture: %+v", l)
	}
	choose("idcardPhoto", "更换", "front2.png", wizardPicture(t, 320, 200))
	if f := r.w.vm.Files("idcardPhoto"); len(f) != 2 || f[0].Name != "front2.png" || f[1].Name != "back.png" {
		t.Errorf("after replacing: %v", f)
	}
	if l := choose("idcardPhoto", "更换", "bad.txt", []byte("hello")); l.Value != "2" || l.Error == "" {
		t.Errorf("a bad replacement: %+v", l)
	}
	r.pick("idcardPhoto", "移除")
	if f := r.w.vm.Files("idcardPhoto"); len(f) != 1 || len(r.asked) != 1 {
		t.Errorf("after removing %v, asked %v", f, r.asked)
	}
	if l := choose("hukouBook", "选择文件", "book.pdf", []byte("%PDF-1.4\n%%EOF\n")); l.Value != "1" || l.Error != "" {
		t.Errorf("a PDF: %+v", l)
	}
}

func TestWizardAnswersACorrection(t *testing.T) {
	r := newWizardRig(t)
	r.takeToSignature()
	test.Tap(r.line("promise").field.Focusable().(fyne.Tappable))
	test.Tap(r.line("share").field.Focusable().(fyne.Tappable))
	r.writeName()
	r.next()
	if len(r.routes) != 1 {
		t.Fatalf("not submitted: %v", r.failed)
	}
	cases, err := r.session.Cases(t.Context())
	if err != nil || len(cases) != 1 {
		t.Fatal(err)
	}
	seq := cases[0].Seq
	r.machine.AskCorrection(t, r.desk, seq, "联系电话打不通，请核对。", "contactPhone", "hukouBook")
	in, err := r.session.Correct(t.Context(), seq)
	if err != nil {
		t.Fatal(err)
	}
	w := r.open(in)
	if w.state.Notice == nil || !strings.Contains(w.state.Notice.Text, "打不通") || !strings.Contains(w.state.Notice.Title, "个工作日") {
		t.Fatalf("notice %+v", w.state.Notice)
	}
	if !slices.Equal(w.state.Steps, []string{"信息", "材料", "核对"}) || w.state.ID != form.StepDetails {
		t.Fatalf("steps %v, on %s", w.state.Steps, w.state.ID)
	}
	Master(t, w, "wizard-correction")
	if l := r.line("contactName").line; l.Kind != vm.LineFact {
		t.Errorf("what was not asked for is open: %+v", l)
	}
	r.shootAll("8-correction", w.Refresh)
	phone := r.line("contactPhone")
	phone.field.SetText("")
	r.typeIn("contactPhone", "13900000002")
	r.must(form.StepMaterials)
	r.must(vm.StepReview)
	r.shoot("8-correction-review")
	r.next()
	if last := r.routes[len(r.routes)-1]; last.Page != PageCase || last.Arg != vm.CaseArg(seq) || len(r.failed) != 0 {
		t.Fatalf("went to %v, failed %v", last, r.failed)
	}
	answers, err := r.session.Answers(t.Context(), seq)
	if err != nil {
		t.Fatal(err)
	}
	if v := answers.State("contactPhone").Value; v != "13900000002" {
		t.Errorf("the case has %v", v)
	}
}

func TestWizardLeavesADraftBehind(t *testing.T) {
	r := newWizardRig(t)
	r.start("gaoling", elder)
	if r.w.back.Text() != "保存并离开" {
		t.Errorf("first button says %q", r.w.back.Text())
	}
	r.typeIn("hukouAddress", "8")
	test.Tap(r.w.back)
	if r.backs != 1 || len(r.said) != 1 {
		t.Fatalf("back %d times, said %v", r.backs, r.said)
	}
	r.w.Leave()
	drafts, err := r.session.Drafts(t.Context())
	if err != nil || len(drafts) != 1 {
		t.Errorf("drafts %v, %v", drafts, err)
	}
}

func TestReceiptScreen(t *testing.T) {
	r := newWizardRig(t)
	r.takeToSignature()
	test.Tap(r.line("promise").field.Focusable().(fyne.Tappable))
	test.Tap(r.line("share").field.Focusable().(fyne.Tappable))
	r.writeName()
	r.next()
	cases, err := r.session.Cases(t.Context())
	if err != nil || len(cases) != 1 {
		t.Fatal(err)
	}
	m := vm.NewReceipt(r.session, cases[0].Seq, 0, rigTexts{r})
	v := NewReceipt(r.env, m)
	r.show(v.Title(), v.Object())
	if s := v.state; !s.Ready || s.No != cases[0].No || s.Sentence != "已保存在本机，联网后自动送达" || len(s.Stages) != 0 {
		t.Fatalf("receipt %s says %q, %d stages", s.No, s.Sentence, len(s.Stages))
	}
	for _, size := range []fyne.Size{{Width: 1280, Height: 800}, {Width: 1024, Height: 768}} {
		r.window.Resize(size)
		var shot bytes.Buffer
		if err := png.Encode(&shot, r.window.Canvas().Capture()); err != nil {
			t.Fatal(err)
		}
		if text, err := receipt.ScanPicture(shot.Bytes()); err != nil || text != v.state.Link {
			t.Errorf("at %v the screen reads %q, %v", size, text, err)
		}
	}
	Master(t, v, "receipt")
	r.shootAll("9-receipt", v.Refresh)
	r.tap(v.root, "保存图片")
	file := r.saved[v.state.File]
	if text, err := receipt.ScanPicture(file); err != nil || text != v.state.Link {
		t.Errorf("the saved slip reads %q, %v", text, err)
	}
	before, err := r.desk.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v.Refresh()
	if after, err := r.desk.Status(t.Context()); err != nil || after.Records != before.Records {
		t.Errorf("looking again wrote %d records, %v", after.Records-before.Records, err)
	}
	r.machine.Acknowledge(t, r.desk)
	r.machine.Accept(t, r.desk, cases[0].Seq, r.machine.Clock.T.AddDate(0, 0, 20))
	v.Refresh()
	if s := v.state; len(s.Stages) != 2 || s.Heading != "已受理" || s.Official == "" {
		t.Fatalf("accepted: %d stages, %q, %q", len(s.Stages), s.Heading, s.Official)
	}
	r.shoot("9-receipt-2")
	r.tap(v.stages, "收件回执")
	if v.state.Heading != "已收件" {
		t.Errorf("after switching: %s", v.state.Heading)
	}
	r.routes = nil
	v.TapPrimary()
	r.tap(v.root, "查看办件")
	r.tap(v.root, "返回首页")
	if want := []Route{{PageServices, ""}, {PageCase, vm.CaseArg(cases[0].Seq)}, {PageHome, ""}}; !slices.Equal(r.routes, want) {
		t.Errorf("went to %v", r.routes)
	}
}

// 居住登记: a person is several lines, and the papers follow the kind of home.
func TestWizardRegistersAResident(t *testing.T) {
	r := newWizardRig(t)
	r.start("juzhu", elder)
	if r.line("phone").line.Value == "" {
		r.typeIn("phone", "13900000001")
	}
	r.must(form.StepDetails)
	r.typeIn("arrivedOn", "20260301")
	r.pick("purpose", "投靠亲友")
	r.typeIn("liveAddress", "清河镇柳树村2组8号")
	r.pick("homeType", "投靠亲友")
	for path, text := range map[form.Path]string{"host.name": "刘建军", "host.phone": "13900000002", "host.relation": "子女"} {
		r.typeIn(path, text)
		if l := r.line(path).line; l.Value == "" || l.Error != "" {
			t.Errorf("%s is %+v", path, l)
		}
	}
	r.pick("employed", "否")
	if p := r.w.state.Problems; len(p) != 0 {
		t.Errorf("faults %v", p)
	}
	r.must(form.StepMaterials)
	if l := r.line("hostNote").line; l.Kind == "" {
		t.Error("the host's note is not asked for")
	}
	if r.w.page.lines["lease"] != nil {
		t.Error("a lease is asked of a guest")
	}
}

// padInView holds that after the last statement is agreed to the pad is in view whole, with its buttons.
func padInView(t *testing.T, r *wizardRig) {
	t.Helper()
	if !r.w.state.Agreed {
		t.Fatal("not every statement is agreed to")
	}
	driver := fyne.CurrentApp().Driver()
	view := driver.AbsolutePositionForObject(r.w.scroll).Y
	for name, o := range map[string]fyne.CanvasObject{"name": r.w.sign.name, "pad and clear": r.w.sign.pad, "helper": r.w.sign.helper} {
		top := driver.AbsolutePositionForObject(o).Y - view
		if top < 0 || top+o.Size().Height > r.w.scroll.Size().Height {
			t.Errorf("%s is at %v, %v high, in a view of %v", name, top, o.Size().Height, r.w.scroll.Size().Height)
		}
	}
}
