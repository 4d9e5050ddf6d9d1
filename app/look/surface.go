package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Surface is a painted rectangle: the ground of cards, bars, fields and chips.
type Surface struct {
	widget.BaseWidget
	fill, stroke Role
	square       bool
	round        bool
	circle       bool
	thick        float32
}

// NewSurface returns a rectangle with the corner radius of the mode; RoleClear leaves fill or edge out.
func NewSurface(fill, stroke Role) *Surface {
	s := &Surface{fill: fill, stroke: stroke}
	s.ExtendBaseWidget(s)
	return s
}

// Square takes the corner radius away, for bars that reach the window's edge.
func (s *Surface) Square() *Surface {
	s.square = true
	return s
}

// Round makes the short sides half circles, for chips.
func (s *Surface) Round() *Surface {
	s.round = true
	return s
}

// Circle is Round in every mode, for marks whose roundness tells something.
func (s *Surface) Circle() *Surface {
	s.circle = true
	return s
}

// SetRoles changes the colours.
func (s *Surface) SetRoles(fill, stroke Role) {
	if s.fill == fill && s.stroke == stroke {
		return
	}
	s.fill, s.stroke = fill, stroke
	s.Refresh()
}

// SetThick sets the thickness of the edge in pixels; 0 is the border of the mode.
func (s *Surface) SetThick(pixels float32) {
	if s.thick == pixels {
		return
	}
	s.thick = pixels
	s.Refresh()
}

// HeightFor returns 0: a surface is as tall as what it is under.
func (s *Surface) HeightFor(float32) float32 { return 0 }

// CreateRenderer is called by Fyne.
func (s *Surface) CreateRenderer() fyne.WidgetRenderer {
	r := &surfaceRenderer{surface: s, rect: canvas.NewRectangle(nil)}
	r.Layout(s.Size()) // Fyne throws renderers away that were not painted for a minute, and makes them anew without a layout
	return r
}

type surfaceRenderer struct {
	surface *Surface
	rect    *canvas.Rectangle
}

func (r *surfaceRenderer) paint() {
	s, m := r.surface, Measures()
	r.rect.FillColor = Color(s.fill)
	r.rect.StrokeColor = Color(s.stroke)
	r.rect.StrokeWidth = 0
	if s.stroke != RoleClear {
		r.rect.StrokeWidth = m.Border
		if s.thick > 0 {
			r.rect.StrokeWidth = s.thick
		}
	}
	switch {
	case s.square:
		r.rect.CornerRadius = 0
	case s.circle, s.round && m.Radius > 0:
		r.rect.CornerRadius = s.Size().Height / 2
	default:
		r.rect.CornerRadius = m.Radius
	}
}

func (r *surfaceRenderer) Destroy()                     {}
func (r *surfaceRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *surfaceRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.rect} }

func (r *surfaceRenderer) Layout(size fyne.Size) {
	r.rect.Resize(size)
	r.paint()
}

func (r *surfaceRenderer) Refresh() {
	r.paint()
	r.rect.Refresh()
}
