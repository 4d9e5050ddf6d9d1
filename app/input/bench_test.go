package input

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"bianmin/app/look"
)

// BenchmarkPageOf300Fields builds and lays out a page with 300 framed fields: the largest form there is.
func BenchmarkPageOf300Fields(b *testing.B) {
	app := test.NewApp()
	look.Set(app, look.Standard)
	w := app.NewWindow("")
	for b.Loop() {
		rows := make([]fyne.CanvasObject, 300)
		for i := range rows {
			frame := look.NewFieldFrame(fmt.Sprint("字段", i), NewText(0))
			frame.SetHelp("请按证件上的内容填写，一字不差。")
			rows[i] = frame
		}
		w.SetContent(NewScroll(look.Column(look.Card(rows...))))
		w.Resize(fyne.NewSize(1280, 800))
	}
}
