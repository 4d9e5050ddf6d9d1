package input

import (
	"fyne.io/fyne/v2"

	"bianmin/app/look"
)

// paged says that pages and lists have buttons to turn them.
var paged bool

// SetPaged gives every page and list that is made from now on two large buttons at its right edge, one page up and one
// page down, or takes them away. Kiosks have them: not everybody knows that a picture can be pushed.
func SetPaged(on bool) { paged = on }

// pager is the two buttons at the right edge of what scrolls. Without [SetPaged] it is nothing and takes no room.
type pager struct{ up, down *look.Button }

func newPager(turn func(pages float32)) *pager {
	if !paged {
		return &pager{}
	}
	p := &pager{
		up:   look.NewButton(look.Secondary, "", "up", func() { turn(-1) }),
		down: look.NewButton(look.Secondary, "", "down", func() { turn(1) }),
	}
	p.show(false, false)
	return p
}

// strip is the width that the buttons take: none where all is seen at once, with the whole width, and nothing is to be turned.
func (p *pager) strip(fits func() bool) float32 {
	if p.up == nil || fits() {
		return 0
	}
	return look.Measures().Touch + look.Gap1.Size()
}

func (p *pager) objects() []fyne.CanvasObject {
	if p.up == nil {
		return nil
	}
	return []fyne.CanvasObject{p.up, p.down}
}

// show enables the buttons that lead somewhere; on a page that is seen whole there are none.
func (p *pager) show(up, down bool) {
	if p.up == nil {
		return
	}
	for b, on := range map[*look.Button]bool{p.up: up, p.down: down} {
		if on {
			b.Enable()
		} else {
			b.Disable()
		}
		if hide := !up && !down; hide != b.Hidden {
			b.Hidden = hide
			b.Refresh()
		}
	}
}

// layout places the buttons in an area of the given size: each as tall as a third of it, and no taller than three fingers.
func (p *pager) layout(size fyne.Size) {
	if p.up == nil {
		return
	}
	touch := look.Measures().Touch
	tall := max(touch, min(size.Height/3, touch*3))
	x := size.Width - touch
	p.up.Resize(fyne.NewSize(touch, tall))
	p.up.Move(fyne.NewPos(x, 0))
	p.down.Resize(fyne.NewSize(touch, tall))
	p.down.Move(fyne.NewPos(x, size.Height-tall))
}
