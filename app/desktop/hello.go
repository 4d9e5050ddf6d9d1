package desktop

import (
	"context"

	"fyne.io/fyne/v2"

	"bianmin/app/look"
)

// Hello shows a bare window with one word, in our theme and font, until it is closed: the floor of every figure about
// the real window.
func Hello(ctx context.Context, newApp func(id string) fyne.App) int {
	a := newApp(AppID)
	look.Set(a, look.Standard)
	w := a.NewWindow("便民")
	w.SetContent(look.PageTitle("便民"))
	w.Resize(fyne.NewSize(1280, 800))
	stop := context.AfterFunc(ctx, func() { fyne.Do(a.Quit) })
	defer stop()
	w.ShowAndRun()
	return 0
}
