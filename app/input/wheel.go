package input

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"bianmin/app/look"
)

// wheelStep multiplies what Fyne scrolls for one notch of the wheel, 25 pixels, to what people know from elsewhere.
const wheelStep = 3

// wheel takes the mouse wheel where it lies and draws nothing. Fyne gives the wheel to the innermost object that takes
// it, which would be the field under the mouse, and pages would stand still there.
type wheel struct {
	widget.BaseWidget
	turn func(dy float32)
}

var _ fyne.Scrollable = (*wheel)(nil)

func newWheel(turn func(dy float32)) *wheel {
	w := &wheel{turn: turn}
	w.ExtendBaseWidget(w)
	return w
}

// Scrolled is called by Fyne.
func (w *wheel) Scrolled(e *fyne.ScrollEvent) {
	look.Activity()
	w.turn(e.Scrolled.DY * wheelStep)
}

// HeightFor returns nothing: it takes the room it is given.
func (w *wheel) HeightFor(float32) float32 { return 0 }

// CreateRenderer is called by Fyne.
func (w *wheel) CreateRenderer() fyne.WidgetRenderer { return nothing{} }

// bare is the wheel's catcher below a page, where a finger that comes down beside everything holds the page.
type bare struct{ wheel }

var _ desktop.Mouseable = (*bare)(nil)

func newBare(turn func(dy float32)) *bare {
	b := &bare{wheel{turn: turn}}
	b.ExtendBaseWidget(b)
	return b
}

// MouseDown is called by Fyne.
func (b *bare) MouseDown(*desktop.MouseEvent) {
	look.Activity()
	stopMoving()
}

// MouseUp is called by Fyne.
func (b *bare) MouseUp(*desktop.MouseEvent) {}

type nothing struct{}

func (nothing) Destroy() {}

func (nothing) Layout(fyne.Size) {}

func (nothing) MinSize() fyne.Size { return fyne.Size{} }

func (nothing) Objects() []fyne.CanvasObject { return nil }

func (nothing) Refresh() {}
