package screen

import (
	"image/color"

	"fyne.io/fyne/v2"

	"bianmin/app/look"
)

// white is paper: codes, slips and signatures stand on it in every look.
var white = color.White

// ratio is a picture as wide as its place, in its own proportions.
type ratio struct {
	look.Composite
	of      float32 // height by width
	widest  float32
	picture fyne.CanvasObject
}

func newRatio(of, widest float32, picture fyne.CanvasObject) *ratio {
	r := &ratio{of: of, widest: widest, picture: picture}
	r.Compose(r, look.Arrange(ratioLayout{r}, picture))
	return r
}

// HeightFor returns the height of the picture at the given width.
func (r *ratio) HeightFor(width float32) float32 { return min(width, r.widest) * r.of }

type ratioLayout struct{ r *ratio }

func (l ratioLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(look.Measures().Touch, l.r.HeightFor(max(look.Measures().Touch, l.r.Size().Width)))
}

func (l ratioLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	w := min(size.Width, l.r.widest)
	o[0].Move(fyne.NewPos((size.Width-w)/2, 0))
	o[0].Resize(fyne.NewSize(w, w*l.r.of))
}
