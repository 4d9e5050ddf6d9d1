package look

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// QR shows a two-dimensional code for a phone to scan from the screen: as large as its room allows, whole pixels a
// module, black on white with its quiet zone in every look.
type QR struct {
	widget.BaseWidget
	modules [][]bool
	picture *image.Gray // drawn for edge pixels
	edge    int
}

// quietZone is the white margin a code needs, in modules (ISO/IEC 18004).
const quietZone = 4

// NewQR returns a view of a code: rows of modules, true is black, without quiet zone. nil shows an empty white square.
func NewQR(modules [][]bool) *QR {
	q := &QR{modules: modules}
	q.ExtendBaseWidget(q)
	return q
}

// Set shows another code.
func (q *QR) Set(modules [][]bool) {
	q.modules, q.picture = modules, nil
	q.Refresh()
}

// HeightFor returns the height of a square of the given width.
func (q *QR) HeightFor(width float32) float32 { return width }

// paint draws the code in a square in the middle of w by h pixels.
func (q *QR) paint(w, h int) image.Image {
	side := min(w, h)
	if q.picture != nil && q.edge == side {
		return q.picture
	}
	img := image.NewGray(image.Rect(0, 0, side, side))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	if n := len(q.modules); n > 0 {
		dots := side / (n + 2*quietZone)
		at := (side - n*dots) / 2
		for y, row := range q.modules {
			for x, black := range row {
				if !black {
					continue
				}
				for dy := range dots {
					from := img.PixOffset(at+x*dots, at+y*dots+dy)
					clear(img.Pix[from : from+dots])
				}
			}
		}
	}
	q.picture, q.edge = img, side
	return img
}

// CreateRenderer is called by Fyne.
func (q *QR) CreateRenderer() fyne.WidgetRenderer {
	raster := canvas.NewRaster(q.paint)
	raster.ScaleMode = canvas.ImageScalePixels
	r := &qrRenderer{q: q, raster: raster}
	r.Layout(q.Size())
	return r
}

type qrRenderer struct {
	q      *QR
	raster *canvas.Raster
}

func (r *qrRenderer) Destroy()                     {}
func (r *qrRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.raster} }
func (r *qrRenderer) Refresh()                     { r.raster.Refresh() }

func (r *qrRenderer) MinSize() fyne.Size {
	t := Measures().Touch
	return fyne.NewSize(t*3, t*3)
}

// Layout keeps the picture square: the raster gets exactly the pixels it draws.
func (r *qrRenderer) Layout(size fyne.Size) {
	side := min(size.Width, size.Height)
	r.raster.Resize(fyne.NewSquareSize(side))
	r.raster.Move(fyne.NewPos((size.Width-side)/2, (size.Height-side)/2))
}
