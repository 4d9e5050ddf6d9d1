package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// BigNumber is a number to be seen from across the room: half as large again as the heading of a page.
type BigNumber struct {
	widget.BaseWidget
	text string
	role Role
}

// NewBigNumber returns a number.
func NewBigNumber(text string, role Role) *BigNumber {
	n := &BigNumber{text: text, role: role}
	n.ExtendBaseWidget(n)
	return n
}

// Set changes number and colour.
func (n *BigNumber) Set(text string, role Role) {
	if n.text == text && n.role == role {
		return
	}
	n.text, n.role = text, role
	n.Refresh()
}

// CreateRenderer is called by Fyne.
func (n *BigNumber) CreateRenderer() fyne.WidgetRenderer {
	r := &bigNumberRenderer{n, canvas.NewText("", nil)}
	r.style()
	r.Layout(n.Size())
	return r
}

type bigNumberRenderer struct {
	n    *BigNumber
	text *canvas.Text
}

func (r *bigNumberRenderer) style() {
	r.text.Text, r.text.Color, r.text.TextSize, r.text.TextStyle = r.n.text, Color(r.n.role), Measures().PageTitle*1.5, fyne.TextStyle{Bold: true}
}

func (r *bigNumberRenderer) Destroy()                     {}
func (r *bigNumberRenderer) Layout(size fyne.Size)        { r.text.Resize(size) }
func (r *bigNumberRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.text} }

func (r *bigNumberRenderer) MinSize() fyne.Size {
	r.style()
	return r.text.MinSize()
}

func (r *bigNumberRenderer) Refresh() {
	r.style()
	r.text.Refresh()
}
