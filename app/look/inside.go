package look

import "fyne.io/fyne/v2"

// Inside returns what o is made of, in the order in which it is painted, for those who walk what a window shows: of a part
// that tells by a method Inside what it tells, of containers and the parts of this package their objects. Insides of Fyne's
// own widgets are not looked into.
func Inside(o fyne.CanvasObject) []fyne.CanvasObject {
	switch o := o.(type) {
	case interface{ Inside() []fyne.CanvasObject }:
		return o.Inside()
	case interface{ parts() fyne.CanvasObject }:
		return []fyne.CanvasObject{o.parts()}
	case *fyne.Container:
		return o.Objects
	case interface{ Content() fyne.CanvasObject }: // a question over the window
		return []fyne.CanvasObject{o.Content()}
	}
	return nil
}

// Inside returns the steps that are shown.
func (s *Steps) Inside() []fyne.CanvasObject {
	out := make([]fyne.CanvasObject, len(s.cells))
	for i, c := range s.cells {
		out[i] = c
	}
	return out
}

// Inside returns the word of the step.
func (c *stepCell) Inside() []fyne.CanvasObject { return []fyne.CanvasObject{c.number, c.word} }
