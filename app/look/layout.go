package look

import (
	"math"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/layout"
)

// VStack puts objects below each other at full width, gap apart. Hidden objects take no room; a Grow child, and
// layout.NewSpacer, takes what is left.
func VStack(gap Gap, objects ...fyne.CanvasObject) *fyne.Container {
	return Arrange(&vstack{gap: gap}, objects...)
}

// HStack puts objects beside each other, gap apart, centred in height. A Grow child, and layout.NewSpacer, takes what
// is left of the width.
func HStack(gap Gap, objects ...fyne.CanvasObject) *fyne.Container {
	return Arrange(&hstack{gap: gap}, objects...)
}

// HStackTop is HStack with the objects at the top instead of centred.
func HStackTop(gap Gap, objects ...fyne.CanvasObject) *fyne.Container {
	return Arrange(&hstack{gap: gap, top: true}, objects...)
}

// HStackFill is HStack with every object as tall as the row.
func HStackFill(gap Gap, objects ...fyne.CanvasObject) *fyne.Container {
	return Arrange(&hstack{gap: gap, fill: true}, objects...)
}

// Spring takes the free room of a stack.
func Spring() fyne.CanvasObject { return layout.NewSpacer() }

// Grow makes obj take the free room of the stack it is in; several share it equally.
func Grow(obj fyne.CanvasObject) *fyne.Container {
	return Arrange(&growLayout{}, obj)
}

// Layer puts objects on top of each other, all at full size.
func Layer(objects ...fyne.CanvasObject) *fyne.Container {
	return Arrange(&layerLayout{}, objects...)
}

// Pad puts room around obj: h at both sides, v above and below.
func Pad(h, v Gap, obj fyne.CanvasObject) *fyne.Container {
	return Arrange(&padLayout{h: h, v: v}, obj)
}

// Column centres obj in a column at most ColumnWidth wide with margins of the grid.
func Column(obj fyne.CanvasObject) *fyne.Container {
	return Arrange(&columnLayout{widest: ColumnWidth}, Pad(Gap3, Gap3, obj))
}

// Narrow centres obj in a column at most width pixels wide, for login and short questions.
func Narrow(width float32, obj fyne.CanvasObject) *fyne.Container {
	return Arrange(&columnLayout{widest: width}, obj)
}

// Grid puts objects in as many equal columns as fit, each at least least(measures) wide, gap apart.
func Grid(gap Gap, least func(Tokens) float32, objects ...fyne.CanvasObject) *fyne.Container {
	return Arrange(&gridLayout{gap: gap, least: least}, objects...)
}

// Wrap puts objects side by side, gap apart, and begins a new row where they do not fit: chips, buttons of a card.
func Wrap(gap Gap, objects ...fyne.CanvasObject) *fyne.Container {
	return Arrange(&wrapLayout{gap: gap}, objects...)
}

// AtLeast gives obj the least size returned by size; zero asks for nothing in that direction.
func AtLeast(size func(Tokens) fyne.Size, obj fyne.CanvasObject) *fyne.Container {
	return Arrange(&leastLayout{size: size}, obj)
}

// AtMost keeps obj from getting wider than width tells: a field as wide as what goes into it.
func AtMost(width func(Tokens) float32, obj fyne.CanvasObject) *fyne.Container {
	return Arrange(&mostLayout{width: width}, obj)
}

// Centered puts obj in the middle of the room it gets, at its least size.
func Centered(obj fyne.CanvasObject) *fyne.Container {
	return Arrange(&hstack{centre: true}, obj)
}

// Line is a thin line across the page, between rows of one surface.
func Line() fyne.CanvasObject {
	return AtLeast(func(t Tokens) fyne.Size { return fyne.NewSize(0, t.Border) }, NewSurface(RoleBorder, RoleClear))
}

func isSpring(obj fyne.CanvasObject) bool {
	if s, ok := obj.(layout.SpacerObject); ok {
		return s.ExpandHorizontal() || s.ExpandVertical()
	}
	if c, ok := obj.(*fyne.Container); ok {
		_, grow := c.Layout.(*growLayout)
		return grow
	}
	return false
}

func visible(objects []fyne.CanvasObject) []fyne.CanvasObject {
	if !slices.ContainsFunc(objects, func(o fyne.CanvasObject) bool { return !o.Visible() }) {
		return objects
	}
	return slices.DeleteFunc(slices.Clone(objects), func(o fyne.CanvasObject) bool { return !o.Visible() })
}

type vstack struct {
	gap   Gap
	width float32 // of the last layout; MinSize answers for it
}

func (v *vstack) heights(objects []fyne.CanvasObject, width float32) (each []float32, total float32, springs int) {
	each = make([]float32, len(objects))
	for i, o := range objects {
		each[i] = HeightFor(o, width)
		if isSpring(o) {
			springs++
		}
		total += each[i]
	}
	if len(objects) > 1 {
		total += v.gap.Size() * float32(len(objects)-1)
	}
	return each, total, springs
}

func (v *vstack) HeightFor(objects []fyne.CanvasObject, width float32) float32 {
	_, total, _ := v.heights(visible(objects), width)
	return total
}

func (v *vstack) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	v.width = size.Width
	objects = visible(objects)
	each, total, springs := v.heights(objects, size.Width)
	spare := float32(0)
	if springs > 0 {
		spare = max(0, size.Height-total) / float32(springs)
	}
	y := float32(0)
	for i, o := range objects {
		h := each[i]
		if isSpring(o) {
			h += spare
		}
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, h))
		y += h + v.gap.Size()
	}
}

func (v *vstack) MinSize(objects []fyne.CanvasObject) fyne.Size {
	objects = visible(objects)
	min := fyne.Size{}
	for _, o := range objects {
		min.Width = max(min.Width, o.MinSize().Width)
	}
	_, min.Height, _ = v.heights(objects, max(v.width, min.Width))
	return min
}

type hstack struct {
	gap               Gap
	top, fill, centre bool
	width             float32 // of the last layout; MinSize answers for it
}

func (h *hstack) widths(objects []fyne.CanvasObject, width float32) []float32 {
	each := make([]float32, len(objects))
	var used float32
	springs := 0
	for i, o := range objects {
		if isSpring(o) {
			springs++
			continue
		}
		each[i] = o.MinSize().Width
		used += each[i]
	}
	if len(objects) > 1 {
		used += h.gap.Size() * float32(len(objects)-1)
	}
	for i, o := range objects { // wrapping text may be as wide as it likes before springs take the rest
		if more := min(prefer(o)-each[i], width-used); !isSpring(o) && more > 0 {
			each[i] += more
			used += more
		}
	}
	for i, o := range objects {
		if isSpring(o) {
			each[i] = max(0, width-used) / float32(springs)
		}
	}
	return each
}

// prefer returns the width at which obj does not have to wrap.
func prefer(obj fyne.CanvasObject) float32 {
	var widest, sum float32
	children := func(objects []fyne.CanvasObject) {
		for _, o := range visible(objects) {
			w := prefer(o)
			widest = max(widest, w)
			sum += w
		}
	}
	switch o := obj.(type) {
	case *Text:
		for _, line := range strings.Split(o.text, "\n") {
			widest = max(widest, o.measure(line))
		}
		return ceil(widest)
	case interface{ parts() fyne.CanvasObject }:
		return max(prefer(o.parts()), obj.MinSize().Width)
	case *fyne.Container:
		switch l := o.Layout.(type) {
		case *padLayout:
			return prefer(o.Objects[0]) + 2*l.h.Size()
		case *vstack, *layerLayout, *growLayout:
			children(o.Objects)
			return widest
		case *mostLayout:
			return max(o.MinSize().Width, l.width(Measures()))
		case *leastLayout:
			children(o.Objects)
			return max(widest, l.size(Measures()).Width)
		case *wrapLayout:
			children(o.Objects)
			return sum + l.gap.Size()*float32(max(0, len(visible(o.Objects))-1))
		case *hstack:
			children(o.Objects)
			return sum + l.gap.Size()*float32(max(0, len(visible(o.Objects))-1))
		}
	}
	return obj.MinSize().Width
}

func ceil(x float32) float32 { return float32(math.Ceil(float64(x))) }

func (h *hstack) HeightFor(objects []fyne.CanvasObject, width float32) float32 {
	objects = visible(objects)
	var tallest float32
	for i, w := range h.widths(objects, width) {
		tallest = max(tallest, HeightFor(objects[i], w))
	}
	return tallest
}

func (h *hstack) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	h.width = size.Width
	objects = visible(objects)
	widths := h.widths(objects, size.Width)
	x := float32(0)
	if h.centre && len(widths) == 1 {
		x = (size.Width - widths[0]) / 2
	}
	for i, o := range objects {
		tall := HeightFor(o, widths[i])
		y := (size.Height - tall) / 2
		switch {
		case h.fill:
			y, tall = 0, size.Height
		case h.top:
			y = 0
		}
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(widths[i], tall))
		x += widths[i] + h.gap.Size()
	}
}

func (h *hstack) MinSize(objects []fyne.CanvasObject) fyne.Size {
	objects = visible(objects)
	min := fyne.Size{}
	for _, o := range objects {
		min.Width += o.MinSize().Width
	}
	if len(objects) > 1 {
		min.Width += h.gap.Size() * float32(len(objects)-1)
	}
	min.Height = h.HeightFor(objects, max(h.width, min.Width))
	return min
}

// layerLayout lays its children out at full size.
type layerLayout struct{ width float32 }

func (l *layerLayout) HeightFor(objects []fyne.CanvasObject, width float32) float32 {
	var tallest float32
	for _, o := range visible(objects) {
		tallest = max(tallest, HeightFor(o, width))
	}
	return tallest
}

func (l *layerLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	for _, o := range objects {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(size)
	}
}

func (l *layerLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	min := fyne.Size{}
	for _, o := range visible(objects) {
		min.Width = max(min.Width, o.MinSize().Width)
	}
	min.Height = l.HeightFor(objects, max(l.width, min.Width))
	return min
}

type growLayout struct{ layerLayout }

type padLayout struct {
	h, v  Gap
	width float32
}

func (p *padLayout) HeightFor(objects []fyne.CanvasObject, width float32) float32 {
	return HeightFor(objects[0], width-2*p.h.Size()) + 2*p.v.Size()
}

func (p *padLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	p.width = size.Width
	objects[0].Move(fyne.NewPos(p.h.Size(), p.v.Size()))
	objects[0].Resize(size.Subtract(fyne.NewSize(2*p.h.Size(), 2*p.v.Size())))
}

func (p *padLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	w := objects[0].MinSize().Width + 2*p.h.Size()
	return fyne.NewSize(w, p.HeightFor(objects, max(p.width, w)))
}

type columnLayout struct{ widest, width float32 }

func (c *columnLayout) HeightFor(objects []fyne.CanvasObject, width float32) float32 {
	return HeightFor(objects[0], min(width, c.widest))
}

func (c *columnLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	c.width = size.Width
	w := min(size.Width, c.widest)
	objects[0].Move(fyne.NewPos((size.Width-w)/2, 0))
	objects[0].Resize(fyne.NewSize(w, size.Height))
}

func (c *columnLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	w := objects[0].MinSize().Width
	return fyne.NewSize(w, c.HeightFor(objects, max(c.width, w)))
}

type gridLayout struct {
	gap   Gap
	least func(Tokens) float32
	width float32
}

func (g *gridLayout) columns(count int, width float32) (int, float32) {
	gap := g.gap.Size()
	n := max(1, int((width+gap)/(g.least(Measures())+gap)))
	n = min(n, max(1, count))
	return n, (width - gap*float32(n-1)) / float32(n)
}

func (g *gridLayout) rows(objects []fyne.CanvasObject, width float32) (heights []float32, columns int, cell float32) {
	columns, cell = g.columns(len(objects), width)
	for i, o := range objects {
		if i%columns == 0 {
			heights = append(heights, 0)
		}
		heights[len(heights)-1] = max(heights[len(heights)-1], HeightFor(o, cell))
	}
	return heights, columns, cell
}

func (g *gridLayout) HeightFor(objects []fyne.CanvasObject, width float32) float32 {
	heights, _, _ := g.rows(visible(objects), width)
	var total float32
	for _, h := range heights {
		total += h
	}
	return total + g.gap.Size()*float32(max(0, len(heights)-1))
}

func (g *gridLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	g.width = size.Width
	objects = visible(objects)
	heights, columns, cell := g.rows(objects, size.Width)
	y := float32(0)
	for i, o := range objects {
		row, col := i/columns, i%columns
		o.Move(fyne.NewPos(float32(col)*(cell+g.gap.Size()), y))
		o.Resize(fyne.NewSize(cell, heights[row]))
		if col == columns-1 {
			y += heights[row] + g.gap.Size()
		}
	}
}

func (g *gridLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	w := g.least(Measures())
	return fyne.NewSize(w, g.HeightFor(objects, max(g.width, w)))
}

type mostLayout struct{ width func(Tokens) float32 }

func (l *mostLayout) HeightFor(o []fyne.CanvasObject, width float32) float32 {
	return HeightFor(o[0], min(width, l.width(Measures())))
}

func (l *mostLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(fyne.NewSize(min(size.Width, l.width(Measures())), size.Height))
}

func (l *mostLayout) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

type wrapLayout struct {
	gap   Gap
	width float32
}

// place walks the rows: at is called, when not nil, with each object and its place; it returns the height of all.
// Objects of one row stand on its middle line.
func (l *wrapLayout) place(objects []fyne.CanvasObject, width float32, at func(o fyne.CanvasObject, x, y, w, h float32)) float32 {
	type cell struct {
		o       fyne.CanvasObject
		x, w, h float32
	}
	gap := l.gap.Size()
	var row []cell
	var x, y, tall float32
	flush := func() {
		for _, c := range row {
			if at != nil {
				at(c.o, c.x, y+(tall-c.h)/2, c.w, c.h)
			}
		}
		row = row[:0]
	}
	for _, o := range visible(objects) {
		w := min(prefer(o), max(width, o.MinSize().Width))
		h := HeightFor(o, w)
		if x > 0 && x+w > width {
			flush()
			x, y, tall = 0, y+tall+gap, 0
		}
		row = append(row, cell{o, x, w, h})
		x += w + gap
		tall = max(tall, h)
	}
	flush()
	return y + tall
}

func (l *wrapLayout) HeightFor(objects []fyne.CanvasObject, width float32) float32 {
	return l.place(objects, width, nil)
}

func (l *wrapLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	l.place(objects, size.Width, func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, h))
	})
}

func (l *wrapLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var w float32
	for _, o := range visible(objects) {
		w = max(w, o.MinSize().Width)
	}
	return fyne.NewSize(w, l.HeightFor(objects, max(w, l.width)))
}

type leastLayout struct {
	layerLayout
	size func(Tokens) fyne.Size
}

func (l *leastLayout) HeightFor(objects []fyne.CanvasObject, width float32) float32 {
	return max(l.size(Measures()).Height, l.layerLayout.HeightFor(objects, width))
}

func (l *leastLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return l.layerLayout.MinSize(objects).Max(l.size(Measures()))
}
