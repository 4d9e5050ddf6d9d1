package input

import (
	"cmp"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"bianmin/app/look"
)

// List shows rows of equal height, any number of them: only those in view exist. It scrolls under the finger.
type List struct {
	widget.BaseWidget
	inner   *fingerList
	rows    map[*Row]fyne.CanvasObject // all that were ever made, with their contents
	pager   *pager
	glide   *glide
	moved   float32
	sliding bool
}

var _ fyne.Draggable = (*List)(nil)

// fingerList is Fyne's list without its own selection: rows are pressable themselves.
type fingerList struct{ widget.List }

// Disabled keeps Tab from stopping at the list itself, where nothing would show it: it goes to the rows.
func (*fingerList) Disabled() bool { return true }

// Enable does nothing.
func (*fingerList) Enable() {}

// Disable does nothing.
func (*fingerList) Disable() {}

// Row is one visible row of a List, shown again for another index as the list scrolls.
type Row struct {
	*look.Pressable
	index int
}

// NewList returns a list of count() rows. build makes the content of a row, show fills it for an index, and onTap is
// called with the index of the row that was tapped.
func NewList(count func() int, build func() fyne.CanvasObject, show func(index int, content fyne.CanvasObject), onTap func(index int)) *List {
	l := &List{inner: &fingerList{}, rows: map[*Row]fyne.CanvasObject{}}
	l.glide = newGlide(l.by)
	l.pager = newPager(func(pages float32) { l.PageBy(int(pages)) })
	look.SetOnPress(stopMoving)
	l.inner.Length = count
	l.inner.CreateItem = func() fyne.CanvasObject {
		content := build()
		row := &Row{}
		row.Pressable = look.NewRow(look.AtLeast(rowHeight, look.Pad(look.Gap2, look.GapH, look.HStack(look.Gap0, look.Grow(content)))), nil)
		row.OnTap = func() { onTap(row.index) }
		l.rows[row] = content
		holder := &rowHolder{row: row, list: l}
		holder.Compose(holder, row.Pressable)
		return holder
	}
	l.inner.UpdateItem = func(id widget.ListItemID, o fyne.CanvasObject) {
		holder, ok := o.(*rowHolder)
		if !ok {
			return
		}
		holder.row.index = id
		show(id, l.rows[holder.row])
		holder.Refresh()
	}
	l.inner.OnSelected = func(id widget.ListItemID) {
		l.inner.Unselect(id)
		onTap(id)
	}
	l.inner.ExtendBaseWidget(l.inner)
	l.ExtendBaseWidget(l)
	return l
}

type rowHolder struct {
	look.Composite
	row  *Row
	list *List
}

var _ fyne.Scrollable = (*rowHolder)(nil)

// Scrolled is called by Fyne: the wheel turns lists as far as it does pages.
func (h *rowHolder) Scrolled(e *fyne.ScrollEvent) {
	look.Activity()
	h.list.by(e.Scrolled.DY * wheelStep)
}

func rowHeight(m look.Tokens) fyne.Size { return fyne.NewSize(0, m.Touch+m.Grid/2) }

// RowHeight returns the height of a row at the moment.
func RowHeight() float32 { return rowHeight(look.Measures()).Height }

// list returns the inner list with its scroll area, which Fyne makes when the size is first asked for and without
// which it cannot scroll.
func (l *List) list() *fingerList {
	l.inner.MinSize()
	return l.inner
}

// Inside returns the rows in view, from the top, and the buttons that turn its pages.
func (l *List) Inside() []fyne.CanvasObject {
	var out []fyne.CanvasObject
	top := map[fyne.CanvasObject]float32{}
	for row := range l.rows {
		if at := fyne.CurrentApp().Driver().AbsolutePositionForObject(row.Pressable); at != (fyne.Position{}) { // else it waits for use
			out = append(out, row.Pressable)
			top[row.Pressable] = at.Y
		}
	}
	slices.SortFunc(out, func(a, b fyne.CanvasObject) int { return cmp.Compare(top[a], top[b]) })
	return append(out, l.pager.objects()...)
}

// Top goes to the first row.
func (l *List) Top() { l.list().ScrollToTop() }

// Reveal scrolls so that the row is in view.
func (l *List) Reveal(index int) { l.list().ScrollTo(index) }

// PageBy goes pages up (negative) or down.
func (l *List) PageBy(pages int) {
	l.list().ScrollToOffset(max(0, l.inner.GetScrollOffset()+float32(pages)*(l.Size().Height-RowHeight()/2)))
	l.showPager()
}

// Dragged is called by Fyne.
func (l *List) Dragged(d *fyne.DragEvent) {
	look.Activity()
	l.moved += d.Dragged.DY
	switch {
	case l.sliding:
		l.glide.follow(d.Dragged.DY)
	case abs(l.moved) > slack:
		l.sliding = true
		look.ReleaseHeld()
		l.glide.follow(l.moved)
	}
}

func (l *List) by(dy float32) {
	l.inner.ScrollToOffset(max(0, l.inner.GetScrollOffset()-dy))
	l.showPager()
}

// DragEnd is called by Fyne. A movement within the slack was a tap; after a longer one the list runs on.
func (l *List) DragEnd() {
	slid := l.sliding
	l.moved, l.sliding = 0, false
	if slid {
		l.glide.release()
	} else {
		look.TapHeld()
	}
}

// showPager enables the page buttons that lead somewhere.
func (l *List) showPager() {
	at, room := l.inner.GetScrollOffset(), l.inner.Size().Height
	l.pager.show(at > 0, at+room < float32(l.inner.Length())*RowHeight()-1)
}

// CreateRenderer is called by Fyne.
func (l *List) CreateRenderer() fyne.WidgetRenderer { return &listRenderer{l} }

type listRenderer struct{ l *List }

func (r *listRenderer) Destroy() {}

func (r *listRenderer) MinSize() fyne.Size { return r.l.inner.MinSize() }

func (r *listRenderer) Objects() []fyne.CanvasObject {
	return append([]fyne.CanvasObject{r.l.inner}, r.l.pager.objects()...)
}

func (r *listRenderer) Layout(size fyne.Size) {
	fits := func() bool { return float32(r.l.inner.Length())*RowHeight() <= size.Height+1 }
	r.l.inner.Resize(fyne.NewSize(max(0, size.Width-r.l.pager.strip(fits)), size.Height))
	r.l.pager.layout(size)
	r.l.showPager()
}

func (r *listRenderer) Refresh() {
	r.Layout(r.l.Size())
	r.l.inner.Refresh()
}

// Refresh shows the rows anew, after the data changed.
func (l *List) Refresh() {
	l.inner.Refresh()
	l.BaseWidget.Refresh()
}
