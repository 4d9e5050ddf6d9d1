package look

import (
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// TestDrawingsTakeTheColourOfTheLook goes, out of sight, from high contrast in the old-age sizes to the standard look, where drawings have another
// colour and another size, and looks for the old colour.
func TestDrawingsTakeTheColourOfTheLook(t *testing.T) {
	app := test.NewTempApp(t)
	for _, part := range []struct {
		name string
		make func() fyne.CanvasObject
	}{
		{"icon", func() fyne.CanvasObject { return NewIcon("search", RolePrimary) }},
		{"button", func() fyne.CanvasObject { return NewButton(Secondary, "", "trash", nil) }},
	} {
		t.Run(part.name, func(t *testing.T) {
			Set(app, HighContrastElder)
			w := app.NewWindow("")
			defer w.Close()
			o := part.make()
			w.SetContent(o)
			w.Resize(fyne.NewSize(200, 200))
			if shows(w, Color(RolePrimary)) == 0 {
				t.Fatal("the drawing is not there")
			}
			old := Color(RolePrimary)
			w.SetContent(NewText("", StyleBody, RoleText)) // as with a keyboard that is not up while the look is changed
			Set(app, Standard)
			o.Refresh()
			w.SetContent(o)
			if n := shows(w, old); n > 0 || shows(w, Color(RolePrimary)) == 0 {
				t.Errorf("%d pixels have the colour of the look before, %d the new one", n, shows(w, Color(RolePrimary)))
			}
		})
	}
}

// shows counts the pixels of a colour.
func shows(w fyne.Window, c color.NRGBA) int {
	img, n := w.Canvas().Capture(), 0
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA) == c {
				n++
			}
		}
	}
	return n
}
