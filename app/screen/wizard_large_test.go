package screen

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"bianmin/app/vm"
	"bianmin/offline/casefile"
	"bianmin/offline/catalog"
	"bianmin/offline/counter"
	"bianmin/offline/form"
	"bianmin/offline/people"
)

// memoryIntake is an intake of any form, in memory.
type memoryIntake struct {
	noDevices
	fs    *form.Session
	step  string
	field form.Path
}

// noDevices is what devices bring to a case that has none.
type noDevices struct{}

func (noDevices) Take(counter.Reading) (counter.Taken, error) { return counter.Taken{}, nil }
func (noDevices) Judge(form.Path, int, []string)              {}
func (noDevices) Judged(form.Path) []counter.PhotoFaults      { return nil }
func (noDevices) Waive(context.Context, form.Path, string, string) error {
	return counter.ErrNothingWaived
}

func (m *memoryIntake) ID() string { return "memory" }
func (m *memoryIntake) Item() catalog.Item {
	return catalog.Item{Name: form.Text{ZH: "长表单", EN: "Long form"}}
}
func (m *memoryIntake) Form() *form.Session                       { return m.fs }
func (m *memoryIntake) Correction() *casefile.Correction          { return nil }
func (m *memoryIntake) CaseSeq() uint64                           { return 0 }
func (m *memoryIntake) Person() *people.Person                    { return nil }
func (m *memoryIntake) Set(path form.Path, v any) []form.Change   { return m.fs.Set(path, v) }
func (m *memoryIntake) RemoveRow(g string, row int) []form.Change { return m.fs.RemoveRow(g, row) }
func (m *memoryIntake) Detach(form.Path, int)                     {}
func (m *memoryIntake) Place() (string, form.Path)                { return m.step, m.field }
func (m *memoryIntake) Saved() time.Time                          { return time.Unix(1795311000, 0) }
func (m *memoryIntake) SaveError() error                          { return nil }
func (m *memoryIntake) Flush(context.Context) error               { return nil }
func (m *memoryIntake) Ready(bool) []*form.Problem                { return m.fs.Problems() }
func (m *memoryIntake) Affirm()                                   {}
func (m *memoryIntake) Room() error                               { return nil }
func (m *memoryIntake) Close(context.Context) error               { return nil }
func (m *memoryIntake) Discard(context.Context) error             { return nil }

func (m *memoryIntake) AddRow(g string) []form.Change {
	_, changes := m.fs.AddRow(g)
	return changes
}

func (m *memoryIntake) Attach(context.Context, form.Path, []byte, string) error { return nil }

func (m *memoryIntake) Sign(context.Context, form.Path, counter.Signature) error { return nil }

func (m *memoryIntake) Leave(_ context.Context, step string, field form.Path) error {
	m.step, m.field = step, field
	return nil
}

func (m *memoryIntake) Submit(context.Context) (counter.Submitted, error) {
	return counter.Submitted{}, nil
}

// largeForm has n questions on one step, every tenth shown only after the one before, and a sum over numbers.
func largeForm(t testing.TB, n int) *form.Session {
	t.Helper()
	var b strings.Builder
	b.WriteString(`{"id":"large","version":1,"service":"large","title":{"zh":"长表单","en":"Long form"},
"applicant":{"name":"f0","idno":"idno"},"sections":[{"id":"who","step":"identity","title":{"zh":"人","en":"Who"},"fields":[
{"id":"idno","kind":"idnumber","label":{"zh":"身份证号","en":"ID number"},"element":"person.idno","personal":true}`)
	for i := range n {
		kind, more := "text", ""
		switch i % 10 {
		case 1:
			kind = "phone"
		case 2:
			kind = "yesno"
		case 3:
			more = fmt.Sprintf(`,"relevant":"f%d == true"`, i-1)
		case 4:
			kind = "money"
		case 5:
			kind, more = "choice", `,"options":[{"code":"a","label":{"zh":"甲","en":"A"}},{"code":"b","label":{"zh":"乙","en":"B"}}]`
		}
		fmt.Fprintf(&b, `,{"id":"f%d","kind":%q,"label":{"zh":"第%d问","en":"Question %d"},"element":"large.f%d","personal":true%s}`, i, kind, i, i, i, more)
	}
	b.WriteString(`]}]}`)
	f, err := form.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	p, err := form.Compile(f, form.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p.Start(form.Env{})
}

func TestWizardTouchesOnlyWhatAKeystrokeChanges(t *testing.T) {
	r := newWizardRig(t)
	w := r.open(&memoryIntake{fs: largeForm(t, 300)})
	touched := map[form.Path]int{}
	before := map[string]*lineView{}
	for key, v := range w.page.lines {
		before[key] = v
		update := v.update
		v.update = func(old, now vm.WizardLine) {
			touched[now.Path]++
			update(old, now)
		}
	}
	r.typeIn("f150", "张")
	if len(touched) != 1 || touched["f150"] != 1 {
		t.Errorf("one keystroke touched %v", touched)
	}
	offset := w.scroll.Offset()
	r.pick("f152", "是")
	if w.page.lines[pathKey("f153")] == nil {
		t.Fatal("the dependent question is not there")
	}
	if w.scroll.Offset() != offset {
		t.Errorf("the page moved from %v to %v", offset, w.scroll.Offset())
	}
	for key, v := range before {
		if w.page.lines[key] != v {
			t.Errorf("%s was made anew", key)
		}
	}
}

func BenchmarkWizardKeystroke(b *testing.B) {
	r := newWizardRig(b)
	r.open(&memoryIntake{fs: largeForm(b, 300)})
	entry := r.line("f150").field.Focusable()
	r.window.Canvas().Focus(entry)
	for b.Loop() {
		test.Type(entry, "张")
		r.line("f150").field.SetText("")
	}
}

func BenchmarkWizardLargeStep(b *testing.B) {
	r := newWizardRig(b)
	r.open(&memoryIntake{fs: largeForm(b, 300)})
	for b.Loop() {
		r.w.rebuild()
	}
}
