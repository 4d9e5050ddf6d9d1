package screen

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"bianmin/app/input"
	"bianmin/app/vm"
	"bianmin/offline/canon"
	"bianmin/offline/counter"
	"bianmin/offline/form"
)

// kindsIntake keeps files and signatures in the answers, as the desk does, without sealing them.
type kindsIntake struct{ memoryIntake }

func kindsBlob(data []byte, name, mime string) form.BlobRef {
	b := form.BlobRef{Addr: make([]byte, 32), Key: make([]byte, 16), Plain: make([]byte, 32), MIME: mime, Size: int64(len(data)), Name: name}
	b.Addr[0] = byte(len(data))
	return b
}

func (k *kindsIntake) Attach(_ context.Context, path form.Path, data []byte, name string) error {
	have, err := form.Blobs(k.fs.State(path).Value)
	k.fs.Set(path, append(have, kindsBlob(data, name, "image/png")))
	return err
}

func (k *kindsIntake) Sign(_ context.Context, path form.Path, g counter.Signature) error {
	k.fs.Set(path, form.Signature{Strokes: g.Strokes, PNG: kindsBlob(g.PNG, "sign.png", "image/png")})
	return nil
}

// Ready leaves signatures to the last, as the desk does.
func (k *kindsIntake) Ready(signatures bool) (out []*form.Problem) {
	for _, p := range k.fs.Problems() {
		if signatures || k.fs.State(p.Path).Field.Kind != form.KindSignature {
			out = append(out, p)
		}
	}
	return out
}

const kindsRows = 20_000

// kindsProgram is a form with every kind, and what it sees of the world.
func kindsProgram(t *testing.T) (*form.Program, form.Env) {
	t.Helper()
	src, err := os.ReadFile("testdata/kinds.json")
	if err != nil {
		t.Fatal(err)
	}
	f, err := form.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	p, err := form.Compile(f, form.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]form.Option, kindsRows)
	for i := range rows {
		rows[i] = form.Option{
			Code: fmt.Sprintf("c%05d", i), Label: form.Text{ZH: fmt.Sprintf("第%05d家单位", i), EN: fmt.Sprintf("employer %05d", i)},
			Keys: []string{fmt.Sprintf("dw%05d", i)},
		}
	}
	return p, form.Env{
		Now: func() time.Time { return time.Unix(1795311000, 0) }, Division: "999999101201", Lists: form.ListMap{"employers": form.NewList(rows)},
	}
}

// Every kind of field is reached on the screen, typed as a person does, refused in words when wrong, kept in the draft and
// shown on the review.
func TestWizardTakesEveryKind(t *testing.T) {
	r := newWizardRig(t)
	p, env := kindsProgram(t)
	kinds := map[form.Kind]bool{}
	p.Form().Each(func(fd, _ *form.Field) { kinds[fd.Kind] = true })
	for _, k := range []form.Kind{
		form.KindText, form.KindLongText, form.KindInteger, form.KindDecimal, form.KindMoney, form.KindDate, form.KindChoice, form.KindChoices,
		form.KindYesNo, form.KindConsent, form.KindDivision, form.KindIDNumber, form.KindPhone, form.KindBankCard, form.KindPerson,
		form.KindGroup, form.KindMaterial, form.KindSignature, form.KindNote, form.KindComputed,
	} {
		if !kinds[k] {
			t.Errorf("the form has no %s", k)
		}
	}
	in := &kindsIntake{memoryIntake{fs: p.Start(env)}}
	w := r.open(in)

	// Typed fields: first something wrong, which is said once the field is left, then the answer.
	typed := func(path form.Path, wrong, right, value string) {
		t.Helper()
		if wrong != "" {
			r.typeIn(path, wrong)
			r.window.Canvas().Unfocus()
			w.vm.Left(path)
			w.update()
			if l := r.line(path).line; l.Error == "" {
				t.Errorf("%s takes %q", path, wrong)
			}
			r.line(path).field.SetText("")
		}
		r.typeIn(path, right)
		if l := r.line(path).line; l.Value != value || l.Error != "" {
			t.Errorf("%s is %q with %q, want %q", path, l.Value, l.Error, value)
		}
	}
	typed("name", "张<", "张三", "张三")
	typed("idno", "999999194102030022", elder, elder)
	if l := r.line("age").line; l.Kind != vm.LineFact || l.Shown != "85" {
		t.Errorf("computed %+v", l)
	}
	typed("phone", "139", "13900000001", "13900000001")
	r.must(form.StepDetails)
	typed("story", "短", "家里失火，粮食烧毁", "家里失火，粮食烧毁")
	typed("persons", "99", "4", "4")
	typed("area", "", "85.5", "85.5")
	typed("income", "9999999", "1234.5", "1234.50")
	typed("since", "20270101", "20260301", "2026-03-01")
	typed("card", "6299990020000079197", "6299990020000079196", "6299990020000079196")
	typed("head.name", "李<", "李四", "李四")
	typed("head.phone", "1", "13900000002", "13900000002")
	if n := r.w.page.lines["note told"]; n == nil || !strings.Contains(n.line.Shown, "1,234.50元") {
		t.Error("the note does not show the amount")
	}
	r.pick("one", "甲类")
	r.pick("many", "红")
	r.pick("many", "蓝")
	r.pick("yes", "是")
	for path, want := range map[form.Path]string{"one": "a", "many": "blue,red", "yes": "true"} {
		if l := r.line(path).line; l.Value != want || l.Error != "" {
			t.Errorf("%s is %+v", path, l)
		}
	}
	long, ok := r.line("employer").field.(*input.ChoiceOne)
	if !ok {
		t.Fatalf("the long list is a %T", r.line("employer").field)
	}
	long.Search("")
	if n := len(long.Found()); n != kindsRows {
		t.Errorf("the list has %d rows", n)
	}
	r.window.Canvas().Focus(long.Focusable())
	test.Type(long.Focusable(), "dw12345")
	if found := long.Found(); len(found) != 1 || found[0].Label != "第12345家单位" {
		t.Fatalf("found %v", found)
	}
	long.Focusable().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if l := r.line("employer").line; l.Value != "c12345" || l.Error != "" {
		t.Errorf("employer %+v", l)
	}
	place, ok := r.line("place").field.(*input.DivisionPicker)
	if !ok {
		t.Fatalf("the place is asked with a %T", r.line("place").field)
	}
	for _, code := range []string{"999999101000", "999999101201"} {
		place.Choose(code)
	}
	if l := r.line("place").line; l.Value != "999999101201" || l.Error != "" {
		t.Errorf("place %+v", l)
	}
	r.tap(r.w.page.box, "添加家人")
	if w.focused() != "family[0].name" {
		t.Errorf("after adding a row the keyboard is on %q", w.focused())
	}
	typed("family[0].name", "王<", "王五", "王五")

	// The machine stops here: the draft brings everything back.
	var d form.Draft
	if err := canon.Unmarshal(canon.MustMarshal(in.fs.Draft()), &d); err != nil {
		t.Fatal(err)
	}
	back := p.Start(env)
	if lost := back.Restore(d); len(lost) != 0 || !reflect.DeepEqual(back.Values(true), in.fs.Values(true)) {
		t.Fatalf("lost %v\n%v\n%v", lost, back.Values(true), in.fs.Values(true))
	}
	in = &kindsIntake{memoryIntake{fs: back, step: string(form.StepDetails)}}
	w = r.open(in)

	r.must(form.StepMaterials)
	r.next()
	if w.state.ID != form.StepMaterials || len(w.state.Problems) != 1 {
		t.Fatalf("without the paper on %s: %v", w.state.ID, w.state.Problems)
	}
	r.picks = append(r.picks, wizardPick{"paper.png", wizardPicture(t, 320, 200)})
	r.pick("paper", "选择文件")
	r.must(vm.StepReview)
	for _, text := range []string{
		"张三", "999999 19410203 0021", "85", "139 0000 0001", "家里失火，粮食烧毁", "4", "85.5", "1,234.50元", "2026年3月1日", "甲类", "蓝、红", "是",
		"第12345家单位", "6299 9900 2000 0079 196", "1 份：paper.png", "王五",
	} {
		if !says(w.root, text) && !says(w.root, strings.ReplaceAll(text, ",", "")) {
			t.Errorf("the review does not show %q", text)
		}
	}
	for label, want := range map[string][]string{"所在村": {"柳树村"}, "户主": {"李四", "13900000002"}} {
		found := false
		for _, b := range w.state.Review {
			for _, row := range b.Rows {
				if row.Label == label {
					found = true
					for _, part := range want {
						if !strings.Contains(row.Value, part) {
							t.Errorf("%s is %q on the review", label, row.Value)
						}
					}
				}
			}
		}
		if !found {
			t.Errorf("%s is not on the review", label)
		}
	}
	r.must(form.StepSignature)
	r.next()
	if len(w.state.Problems) != 1 || w.state.ID != form.StepSignature {
		t.Fatalf("without consent: %v", w.state.Problems)
	}
	test.Tap(r.line("agree").field.Focusable().(fyne.Tappable))
	r.writeName()
	r.next()
	if v := in.fs.Values(true); len(in.fs.Problems()) != 0 || v["agree"] != true || v["sign"] == nil {
		t.Errorf("at the end %v", in.fs.Problems())
	}
}
