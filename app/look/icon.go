package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"bianmin/assets/icons"
)

// Icon is a drawing of assets/icons in the colour of a role.
type Icon struct {
	widget.BaseWidget
	name string
	role Role
	size func(Tokens) float32
}

// NewIcon returns an icon as large as the text beside it; RoleClear leaves its place empty.
func NewIcon(name string, role Role) *Icon {
	return NewIconSized(name, role, func(t Tokens) float32 { return t.Icon })
}

// NewIconSized returns an icon whose edge length size tells, in pixels.
func NewIconSized(name string, role Role, size func(Tokens) float32) *Icon {
	i := &Icon{name: name, role: role, size: size}
	i.ExtendBaseWidget(i)
	return i
}

// Name and Role are what is drawn, and its colour.
func (i *Icon) Name() string { return i.name }

// Role is the colour it is drawn in.
func (i *Icon) Role() Role { return i.role }

// Set changes drawing and colour.
func (i *Icon) Set(name string, role Role) {
	if i.name == name && i.role == role {
		return
	}
	i.name, i.role = name, role
	i.Refresh()
}

// Resource returns the drawing called name in the colour role has now; an empty resource when there is none. Fyne
// caches drawings by name, so the colour is part of it.
func Resource(name string, role Role) fyne.Resource {
	drawing, ok := icons.Colored(name, hexOf(Color(role)))
	if !ok {
		return fyne.NewStaticResource("none.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>`))
	}
	return fyne.NewStaticResource(drawingName(name, role), drawing)
}

func drawingName(name string, role Role) string { return name + hexOf(Color(role))[1:] + ".svg" }

// Draw makes img show the drawing called name in the colour role has now. Fyne reads a drawing when the image is refreshed, but paints
// what it read last when the image is resized, and keeps that for all under the name of the new one: so what is new is read before anything else is done with
// the image. What is there already is not read again, which takes longer than painting it.
func Draw(img *canvas.Image, name string, role Role) {
	if img.Resource != nil && img.Resource.Name() == drawingName(name, role) {
		return
	}
	img.Resource = Resource(name, role)
	img.Refresh()
}

// CreateRenderer is called by Fyne.
func (i *Icon) CreateRenderer() fyne.WidgetRenderer {
	r := &iconRenderer{icon: i, image: canvas.NewImageFromResource(Resource(i.name, i.role))}
	r.image.FillMode = canvas.ImageFillContain
	r.image.Hidden = i.role == RoleClear
	r.Layout(i.Size())
	return r
}

type iconRenderer struct {
	icon  *Icon
	image *canvas.Image
}

func (r *iconRenderer) Destroy()                     {}
func (r *iconRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.image} }

func (r *iconRenderer) MinSize() fyne.Size {
	edge := r.icon.size(Measures())
	return fyne.NewSize(edge, edge)
}

func (r *iconRenderer) Layout(size fyne.Size) {
	edge := min(r.icon.size(Measures()), size.Width, size.Height)
	r.image.Move(fyne.NewPos((size.Width-edge)/2, (size.Height-edge)/2))
	r.image.Resize(fyne.NewSize(edge, edge))
}

func (r *iconRenderer) Refresh() {
	r.image.Hidden = r.icon.role == RoleClear
	Draw(r.image, r.icon.name, r.icon.role)
	r.Layout(r.icon.Size())
	canvas.Refresh(r.image)
}
