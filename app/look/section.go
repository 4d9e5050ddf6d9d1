package look

import "fyne.io/fyne/v2"

// Aside puts head at the left of body where the page is wide enough for both, above it elsewhere: the heading of a
// section beside its fields.
func Aside(head, body fyne.CanvasObject) *fyne.Container {
	return Arrange(&asideLayout{}, head, body)
}

var _, _ FlowLayout = (*asideLayout)(nil), (*namedLayout)(nil)

// asideLayout keeps its width, so that MinSize answers for it.
type asideLayout struct{ width float32 }

const (
	asideFrom = 58 // width in characters from which head stands beside body
	asideHead = 13 // width of head in characters
)

func (l *asideLayout) columns(o []fyne.CanvasObject, width float32) (head, body float32, beside bool) {
	m := Measures()
	if width < m.Body*asideFrom || !o[0].Visible() {
		return width, width, false
	}
	head = m.Body * asideHead
	return head, width - head - Gap4.Size(), true
}

// HeightFor returns the height at the given width.
func (l *asideLayout) HeightFor(o []fyne.CanvasObject, width float32) float32 {
	head, body, beside := l.columns(o, width)
	if beside {
		return max(HeightFor(o[0], head), HeightFor(o[1], body))
	}
	h := HeightFor(o[1], body)
	if o[0].Visible() {
		h += HeightFor(o[0], head) + Gap2.Size()
	}
	return h
}

func (l *asideLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	w := max(o[0].MinSize().Width, o[1].MinSize().Width)
	return fyne.NewSize(w, l.HeightFor(o, max(w, l.width)))
}

func (l *asideLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	head, body, beside := l.columns(o, size.Width)
	at := fyne.NewPos(0, 0)
	tall := HeightFor(o[0], head)
	o[0].Move(at)
	o[0].Resize(fyne.NewSize(head, tall))
	switch {
	case beside:
		at.X = head + Gap4.Size()
	case o[0].Visible():
		at.Y = tall + Gap2.Size()
	}
	o[1].Move(at)
	o[1].Resize(fyne.NewSize(body, HeightFor(o[1], body)))
}

// Named is a name and what it is, side by side, as KeyObject, with a wider column for the name: long names of forms.
func Named(name, value fyne.CanvasObject) *fyne.Container {
	return Arrange(&namedLayout{}, name, value)
}

type namedLayout struct{ width float32 }

const namedHead = 12 // width of the name in characters

func (l *namedLayout) columns(width float32) (name, value float32) {
	m := Measures()
	name = min(m.Body*namedHead, width*0.4)
	return name, max(0, width-name-Gap2.Size())
}

// HeightFor returns the height at the given width.
func (l *namedLayout) HeightFor(o []fyne.CanvasObject, width float32) float32 {
	name, value := l.columns(width)
	return max(HeightFor(o[0], name), HeightFor(o[1], value))
}

func (l *namedLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	w := Measures().Body*6 + o[1].MinSize().Width
	return fyne.NewSize(w, l.HeightFor(o, max(w, l.width)))
}

func (l *namedLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	name, value := l.columns(size.Width)
	for i, w := range []float32{name, value} {
		h := HeightFor(o[i], w)
		x := float32(i) * (name + Gap2.Size())
		o[i].Move(fyne.NewPos(x, max(0, (size.Height-h)/2)))
		o[i].Resize(fyne.NewSize(w, h))
	}
}

// Relay lays out c and what is inside it anew after parts of it have changed their height, without painting what has not
// changed. Containers on the way down that keep their size are laid out too when they hold one of changed.
func Relay(c *fyne.Container, changed ...fyne.CanvasObject) {
	if c.Layout != nil {
		c.Layout.Layout(c.Objects, c.Size())
	}
	for _, o := range c.Objects {
		inner, ok := o.(*fyne.Container)
		if !ok {
			continue
		}
		for _, target := range changed {
			if Contains(inner, target) {
				Relay(inner, changed...)
				break
			}
		}
	}
}
