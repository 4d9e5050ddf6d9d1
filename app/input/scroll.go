package input

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"bianmin/app/look"
)

// slack is how far, in pixels, a finger may move and still mean a tap. Fyne calls two pixels a drag, and then no
// longer a tap, which a dry or trembling finger never manages.
const slack float32 = 12

// Scroll is a page that is taller than the window: it follows the finger, the wheel and the bar, and gives its content
// exactly its own width, so that text wraps instead of running off the side.
type Scroll struct {
	widget.BaseWidget
	// OnScrolled is called with the new distance from the top; nil does nothing.
	OnScrolled func(offset float32)

	content fyne.CanvasObject
	view    *fyne.Container // the wheel's catcher below the content
	inner   *container.Scroll
	pager   *pager
	glide   *glide
	moved   float32
	sliding bool
}

var _ fyne.Draggable = (*Scroll)(nil)

// NewScroll returns a scroll area around content.
func NewScroll(content fyne.CanvasObject) *Scroll {
	s := &Scroll{content: content}
	s.glide = newGlide(s.by)
	s.pager = newPager(s.PageBy)
	s.view = look.Arrange(viewLayout{s}, newBare(s.by), content)
	s.inner = container.NewVScroll(s.view)
	s.inner.OnScrolled = func(p fyne.Position) {
		s.showPager()
		if s.OnScrolled != nil {
			s.OnScrolled(p.Y)
		}
	}
	s.ExtendBaseWidget(s)
	look.SetOnFocus(bringIntoView)
	look.SetOnPress(stopMoving)
	return s
}

// viewLayout gives the content the width of the scroll area and the height that follows from it.
type viewLayout struct{ s *Scroll }

func (l viewLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, look.HeightFor(l.s.content, l.s.width()))
}

func (l viewLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(size)
	l.s.content.Resize(fyne.NewSize(l.s.width(), size.Height))
}

// scrollAround returns the innermost scroll area that obj is seen in; nil when there is none. Lists see to their rows themselves.
func scrollAround(obj fyne.CanvasObject) *Scroll {
	c := fyne.CurrentApp().Driver().CanvasForObject(obj)
	if c == nil {
		return nil
	}
	var find func(o fyne.CanvasObject, in *Scroll) (*Scroll, bool)
	find = func(o fyne.CanvasObject, in *Scroll) (*Scroll, bool) {
		if o == obj {
			return in, true
		}
		if o == nil || !o.Visible() {
			return nil, false
		}
		switch s := o.(type) {
		case *List:
			return nil, false
		case *Scroll:
			in = s
		}
		for _, part := range look.Inside(o) {
			if s, ok := find(part, in); ok {
				return s, true
			}
		}
		return nil, false
	}
	for _, root := range append(c.Overlays().List(), c.Content()) {
		if s, ok := find(root, nil); ok {
			return s
		}
	}
	return nil
}

// bringIntoView scrolls to what the keyboard has come to: Tab reaches what is out of sight, too.
func bringIntoView(obj fyne.CanvasObject) {
	if s := scrollAround(obj); s != nil && s.Size().Height > 0 && obj.Size().Height > 0 {
		s.Reveal(obj)
	}
}

// width is that of the content: what the page buttons leave.
func (s *Scroll) width() float32 { return max(0, s.Size().Width-s.pager.strip(s.fits)) }

// fits reports whether the content is seen whole.
func (s *Scroll) fits() bool { return look.HeightFor(s.content, s.Size().Width) <= s.Size().Height }

// limit is the greatest distance from the top.
func (s *Scroll) limit() float32 { return max(0, s.view.Size().Height-s.Size().Height) }

func (s *Scroll) showPager() { s.pager.show(s.Offset() > 0, s.Offset() < s.limit()-1) }

// SetContent changes what is scrolled and goes to its top.
func (s *Scroll) SetContent(content fyne.CanvasObject) {
	s.content = content
	s.view.Objects[1] = content
	s.glide.stop()
	s.inner.Offset = fyne.Position{}
	s.Refresh()
}

// Content returns what is scrolled.
func (s *Scroll) Content() fyne.CanvasObject { return s.content }

// Inside returns what is scrolled and the buttons that turn its pages.
func (s *Scroll) Inside() []fyne.CanvasObject {
	return append([]fyne.CanvasObject{s.content}, s.pager.objects()...)
}

// Offset returns the distance from the top in pixels.
func (s *Scroll) Offset() float32 { return s.inner.Offset.Y }

// ScrollTo goes to the given distance from the top, as far as there is content.
func (s *Scroll) ScrollTo(offset float32) {
	s.inner.ScrollToOffset(fyne.NewPos(0, min(max(0, offset), s.limit())))
	s.showPager()
}

// Top goes to the beginning.
func (s *Scroll) Top() { s.ScrollTo(0) }

// PageBy goes pages up (negative) or down, leaving a little of the page before in view.
func (s *Scroll) PageBy(pages float32) { s.ScrollTo(s.Offset() + pages*s.Size().Height*0.85) }

// Reveal scrolls so that obj, somewhere inside, is in view with some room around it.
func (s *Scroll) Reveal(obj fyne.CanvasObject) {
	driver := fyne.CurrentApp().Driver()
	top := driver.AbsolutePositionForObject(obj).Y - driver.AbsolutePositionForObject(s).Y + s.Offset()
	room := look.Gap3.Size()
	switch {
	case top-room < s.Offset():
		s.ScrollTo(top - room)
	case top+obj.Size().Height+room > s.Offset()+s.Size().Height:
		s.ScrollTo(top + obj.Size().Height + room - s.Size().Height)
	}
}

func (s *Scroll) by(dy float32) { s.ScrollTo(s.Offset() - dy) }

// Dragged is called by Fyne.
func (s *Scroll) Dragged(d *fyne.DragEvent) {
	look.Activity()
	s.moved += d.Dragged.DY
	switch {
	case s.sliding:
		s.glide.follow(d.Dragged.DY)
	case abs(s.moved) > slack:
		s.sliding = true
		look.ReleaseHeld()
		s.glide.follow(s.moved)
	}
}

// DragEnd is called by Fyne. A movement within the slack was a tap; after a longer one the page runs on.
func (s *Scroll) DragEnd() {
	slid := s.sliding
	s.moved, s.sliding = 0, false
	if slid {
		s.glide.release()
	} else {
		look.TapHeld()
	}
}

// HeightFor returns a small height: a scroll area takes the room it is given.
func (s *Scroll) HeightFor(float32) float32 { return look.Measures().Touch }

// CreateRenderer is called by Fyne.
func (s *Scroll) CreateRenderer() fyne.WidgetRenderer { return &scrollRenderer{s} }

type scrollRenderer struct{ s *Scroll }

func (r *scrollRenderer) Destroy() {}
func (r *scrollRenderer) MinSize() fyne.Size {
	t := look.Measures().Touch
	return fyne.NewSize(t, t)
}

func (r *scrollRenderer) Objects() []fyne.CanvasObject {
	return append([]fyne.CanvasObject{r.s.inner}, r.s.pager.objects()...)
}

func (r *scrollRenderer) Layout(size fyne.Size) {
	r.s.pager.layout(size)
	r.fit(size)
}

func (r *scrollRenderer) fit(size fyne.Size) {
	r.s.inner.Resize(fyne.NewSize(r.s.width(), size.Height))
	size = r.s.inner.Size()
	r.s.view.Resize(r.s.view.MinSize().Max(size))
	r.s.ScrollTo(r.s.Offset())
}

func (r *scrollRenderer) Refresh() {
	r.s.pager.layout(r.s.Size())
	r.fit(r.s.Size())
	r.s.inner.Refresh()
}

func abs(x float32) float32 {
	if x < 0 {
		return -x
	}
	return x
}

// Reveal scrolls the page that obj is on so that obj is in view.
func Reveal(obj fyne.CanvasObject) { bringIntoView(obj) }
