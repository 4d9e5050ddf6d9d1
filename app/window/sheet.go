package window

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"bianmin/app/look"
)

// sheet is a question over the window: what is lost, and two buttons. What lies below cannot be touched meanwhile.
type sheet struct {
	widget.BaseWidget
	veil    *canvas.Rectangle
	card    fyne.CanvasObject
	text    *look.Text
	yes, no *look.Button
}

var _ fyne.Tappable = (*sheet)(nil)

// veil is how dark the window below a question is.
var veil = color.NRGBA{A: 0x8C}

func newSheet(title, text, yes, no string, danger bool, onYes, onNo func()) *sheet {
	q := &sheet{veil: canvas.NewRectangle(veil), text: look.Body(text)}
	kind, icon, ink := look.Primary, "help", look.RolePrimary
	if danger {
		kind, icon, ink = look.Danger, "warn", look.RoleDanger
	}
	q.yes, q.no = look.NewButton(kind, yes, "", onYes), look.SecondaryButton(no, onNo)
	q.card = look.Card(
		look.HStackTop(look.Gap2, look.NewIconSized(icon, ink, func(m look.Tokens) float32 { return m.TileIcon * 0.8 }),
			look.Grow(look.VStack(look.Gap1, look.Title(title), q.text))),
		look.HStack(look.Gap2, look.Spring(), q.no, q.yes))
	q.ExtendBaseWidget(q)
	return q
}

// Content is what the question says, to be read aloud.
func (q *sheet) Content() fyne.CanvasObject { return q.card }

// Tapped is called by Fyne: a tap beside the question does nothing.
func (q *sheet) Tapped(*fyne.PointEvent) {}

// CreateRenderer is called by Fyne.
func (q *sheet) CreateRenderer() fyne.WidgetRenderer { return &sheetRenderer{q} }

type sheetRenderer struct{ q *sheet }

func (r *sheetRenderer) Destroy() {}

func (r *sheetRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.q.veil, r.q.card} }

func (r *sheetRenderer) MinSize() fyne.Size { return r.q.card.MinSize() }

func (r *sheetRenderer) Layout(size fyne.Size) {
	r.q.veil.Resize(size)
	margin := look.Gap3.Size()
	width := min(look.Measures().Body*36, size.Width-2*margin)
	height := min(look.HeightFor(r.q.card, width), size.Height)
	r.q.card.Resize(fyne.NewSize(width, height))
	r.q.card.Move(fyne.NewPos((size.Width-width)/2, (size.Height-height)/2))
}

func (r *sheetRenderer) Refresh() {
	r.Layout(r.q.Size())
	r.q.veil.Refresh()
	r.q.card.Refresh()
}

// confirm asks before something is lost. Esc and the other button leave everything as it is.
func (s *Shell) confirm(title, text, yes string, danger bool, then func()) {
	q := newSheet(title, text, yes, s.T("window.no"), danger, func() {
		s.dropSheet()
		then()
	}, s.dropSheet)
	s.showSheet(q)
	if danger {
		s.win.Canvas().Focus(q.no)
	} else {
		s.win.Canvas().Focus(q.yes)
	}
}

// showSheet puts a sheet over the window, in place of one that is there.
func (s *Shell) showSheet(q fyne.CanvasObject) {
	s.dropSheet()
	s.sheet = q
	c := s.win.Canvas()
	q.Resize(c.Size())
	c.Overlays().Add(q)
}

func (s *Shell) dropSheet() {
	if s.sheet == nil {
		return
	}
	gone := s.sheet
	s.win.Canvas().Overlays().Remove(gone)
	s.sheet = nil
	if c, ok := gone.(interface{ closed() }); ok { // a camera stops when nobody looks
		c.closed()
	}
}
