package look

import (
	"fyne.io/fyne/v2"
)

// FieldFrame is the frame around one input: label above, help and error below, and where a prefilled value comes from
// beside the label.
type FieldFrame struct {
	Composite
	label  *Text
	star   *Text
	mark   *Text
	source *Badge          // nil until there is one: most fields of a long form never have one
	aside  *fyne.Container // source, then the buttons beside it
	help   *Text
	fault  *fyne.Container // icon and words, filled with the first error
	words  *Text
	input  fyne.CanvasObject
}

// faulty is an input that can show by its edge that its value is refused.
type faulty interface{ SetFaulty(bool) }

// NewFieldFrame returns a frame around input.
func NewFieldFrame(label string, input fyne.CanvasObject) *FieldFrame {
	f := &FieldFrame{
		label: Strong(label).Single(),
		star:  NewText("*", StyleStrong, RoleDanger).Single(),
		mark:  Label("").Single(),
		aside: HStack(Gap1),
		help:  Label(""),
		words: NewText("", StyleBody, RoleDanger),
		input: input,
	}
	f.fault = HStackTop(GapH)
	for _, o := range []fyne.CanvasObject{f.star, f.mark, f.help, f.fault, f.aside} {
		o.Hide()
	}
	f.Compose(f, VStack(GapH, Arrange(&sidesLayout{}, HStack(GapH, f.label, f.star, f.mark), f.aside), input, f.fault, f.help))
	return f
}

// Input returns the input inside.
func (f *FieldFrame) Input() fyne.CanvasObject { return f.input }

// SetLabel changes the label.
func (f *FieldFrame) SetLabel(label string) { f.label.SetText(label) }

// SetRequired marks the field with a star when it has to be filled in.
func (f *FieldFrame) SetRequired(required bool) {
	f.star.Hidden = !required
	f.Refresh()
}

// SetMark shows a word beside the label, for example 选填 or 免填.
func (f *FieldFrame) SetMark(word string) {
	f.mark.Hidden = word == ""
	f.mark.SetText(word)
	f.Refresh()
}

// SetHelp shows a line below the input; "" takes it away.
func (f *FieldFrame) SetHelp(text string) {
	f.help.Hidden = text == ""
	f.help.SetText(text)
	f.Refresh()
}

// SetError shows below the input, in words, why its value is refused; "" takes it away.
func (f *FieldFrame) SetError(text string) {
	if f.words.Text() == text && f.fault.Hidden == (text == "") {
		return
	}
	if text != "" && len(f.fault.Objects) == 0 {
		f.fault.Objects = []fyne.CanvasObject{AtLeast(func(t Tokens) fyne.Size {
			return fyne.NewSize(t.Icon, t.Body*t.LineSpacing)
		}, NewIcon("danger", RoleDanger)), Grow(f.words)}
	}
	f.fault.Hidden = text == ""
	f.words.SetText(text)
	if in, ok := f.input.(faulty); ok {
		in.SetFaulty(text != "")
	}
	f.Refresh()
}

// Error returns the words of SetError.
func (f *FieldFrame) Error() string { return f.words.Text() }

// SetSource tells where a prefilled value comes from, for example "公安人口库 · 2026-11-01"; aside are buttons beside it
// such as 异议. "" takes both away.
func (f *FieldFrame) SetSource(text string, aside ...fyne.CanvasObject) {
	f.aside.Objects = nil
	f.aside.Hidden = text == ""
	if text != "" {
		f.source = NewBadge(StateInfo, text)
		f.source.mark.Set("shield", RolePrimary)
		f.aside.Objects = append([]fyne.CanvasObject{f.source}, aside...)
	}
	f.Refresh()
}

// sidesLayout puts the first object at the left and the second at the right; where both have no room in a row, the
// second stands below.
type sidesLayout struct{ width float32 }

var _ FlowLayout = (*sidesLayout)(nil)

func (l *sidesLayout) fits(o []fyne.CanvasObject, width float32) bool {
	return !o[1].Visible() || o[0].MinSize().Width+Gap1.Size()+o[1].MinSize().Width <= width
}

func (l *sidesLayout) HeightFor(o []fyne.CanvasObject, width float32) float32 {
	first := HeightFor(o[0], width)
	switch {
	case !o[1].Visible():
		return first
	case l.fits(o, width):
		return max(first, HeightFor(o[1], o[1].MinSize().Width))
	}
	return first + GapH.Size() + HeightFor(o[1], width)
}

func (l *sidesLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	w := o[0].MinSize().Width
	if o[1].Visible() {
		w = max(w, o[1].MinSize().Width)
	}
	return fyne.NewSize(w, l.HeightFor(o, max(w, l.width)))
}

func (l *sidesLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	first := HeightFor(o[0], size.Width)
	if !l.fits(o, size.Width) {
		o[0].Move(fyne.NewPos(0, 0))
		o[0].Resize(fyne.NewSize(size.Width, first))
		o[1].Move(fyne.NewPos(0, first+GapH.Size()))
		o[1].Resize(fyne.NewSize(size.Width, HeightFor(o[1], size.Width)))
		return
	}
	right := o[1].MinSize().Width
	if !o[1].Visible() {
		right = 0
	}
	second := HeightFor(o[1], right)
	o[0].Move(fyne.NewPos(0, (size.Height-first)/2))
	o[0].Resize(fyne.NewSize(size.Width-right, first))
	o[1].Move(fyne.NewPos(size.Width-right, (size.Height-second)/2))
	o[1].Resize(fyne.NewSize(right, second))
}
