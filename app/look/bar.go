package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Bar shows how much of a long piece of work is done. It moves only when it is told so.
type Bar struct {
	widget.BaseWidget
	share float32
}

// NewBar returns an empty bar.
func NewBar() *Bar {
	b := &Bar{}
	b.ExtendBaseWidget(b)
	return b
}

// Set shows a share between 0 and 1.
func (b *Bar) Set(share float32) {
	if share = min(max(share, 0), 1); share != b.share {
		b.share = share
		b.Refresh()
	}
}

// Share returns what is shown.
func (b *Bar) Share() float32 { return b.share }

// CreateRenderer is called by Fyne.
func (b *Bar) CreateRenderer() fyne.WidgetRenderer {
	r := &barRenderer{b, canvas.NewRectangle(nil), canvas.NewRectangle(nil)}
	r.style()
	return r
}

type barRenderer struct {
	b            *Bar
	ground, done *canvas.Rectangle
}

func (r *barRenderer) style() {
	r.ground.FillColor, r.ground.StrokeColor, r.ground.StrokeWidth = Color(RoleSunken), Color(RoleBorder), 1
	r.done.FillColor = Color(RolePrimary)
}

func (r *barRenderer) Destroy()                     {}
func (r *barRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.ground, r.done} }
func (r *barRenderer) MinSize() fyne.Size {
	return fyne.NewSize(Measures().Body*4, Measures().Body*0.5)
}

func (r *barRenderer) Layout(size fyne.Size) {
	r.ground.Resize(size)
	r.done.Resize(fyne.NewSize(size.Width*r.b.share, size.Height))
}

func (r *barRenderer) Refresh() {
	r.style()
	r.Layout(r.b.Size())
	canvas.Refresh(r.b)
}
