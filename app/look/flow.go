package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Flow is a part whose height follows from its width, as that of wrapped text does. The stacks of this package ask
// for it before they place their children, so that a page is right after one layout.
type Flow interface {
	fyne.CanvasObject
	// HeightFor returns the least height at the given width, in pixels.
	HeightFor(width float32) float32
}

// FlowLayout is a layout that can tell its height at a width, for containers whose height follows from it.
type FlowLayout interface {
	fyne.Layout
	// HeightFor returns the least height of objects at the given width, in pixels.
	HeightFor(objects []fyne.CanvasObject, width float32) float32
}

// HeightFor returns the least height of obj at the given width: what a Flow or one of our layouts answers, the minimum
// height of anything else.
func HeightFor(obj fyne.CanvasObject, width float32) float32 {
	switch o := obj.(type) {
	case Flow:
		return o.HeightFor(width)
	case *fyne.Container:
		if l, ok := o.Layout.(FlowLayout); ok {
			return l.HeightFor(o.Objects, width)
		}
	}
	return obj.MinSize().Height
}

// Arrange returns a container of objects under layout. Unlike Fyne's constructor it does not lay out at once, when no
// size is known yet: long forms nest containers a dozen deep, and each level would lay out all those below again.
func Arrange(layout fyne.Layout, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: layout, Objects: objects}
}

// Contains reports whether target is root or somewhere inside it, through containers and the parts of this package.
// Insides of Fyne's own widgets are not looked into.
func Contains(root, target fyne.CanvasObject) bool {
	if root == target {
		return true
	}
	switch o := root.(type) {
	case interface{ parts() fyne.CanvasObject }:
		return Contains(o.parts(), target)
	case *fyne.Container:
		for _, child := range o.Objects {
			if Contains(child, target) {
				return true
			}
		}
	}
	return false
}

// Composite is the ground of a widget made of other parts: it draws root, and refreshing it refreshes root. Embed it
// and call Compose in the constructor.
type Composite struct {
	widget.BaseWidget
	root fyne.CanvasObject
}

// Compose makes w, which embeds c, draw root.
func (c *Composite) Compose(w fyne.Widget, root fyne.CanvasObject) {
	c.root = root
	c.ExtendBaseWidget(w)
}

// HeightFor returns the least height of the parts at the given width.
func (c *Composite) HeightFor(width float32) float32 { return HeightFor(c.root, width) }

func (c *Composite) parts() fyne.CanvasObject { return c.root }

// CreateRenderer is called by Fyne.
func (c *Composite) CreateRenderer() fyne.WidgetRenderer {
	return &partsRenderer{root: c.root, objects: []fyne.CanvasObject{c.root}}
}

// partsRenderer shows one object at full size and passes Refresh on, which Fyne's simple renderer does not.
type partsRenderer struct {
	root    fyne.CanvasObject
	objects []fyne.CanvasObject
}

func (r *partsRenderer) Destroy()                     {}
func (r *partsRenderer) Layout(size fyne.Size)        { r.root.Resize(size) }
func (r *partsRenderer) MinSize() fyne.Size           { return r.root.MinSize() }
func (r *partsRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *partsRenderer) Refresh()                     { r.root.Refresh() }
