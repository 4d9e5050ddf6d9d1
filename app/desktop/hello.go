package desktop

import (
	"context"
	"fmt"

	"fyne.io/fyne/v2"

	"bianmin/app/cli"
	"bianmin/app/look"
	"bianmin/offline/words"
)

// Hello shows a bare window with one word, in our theme and font, until it is closed: the floor of every figure about
// the real window.
func Hello(ctx context.Context, e *cli.Env, newApp func(id string) fyne.App) int {
	if err := display(); err != nil {
		fmt.Fprintln(e.Err, cli.Message(e.Texts, e.Lang, words.New("window.noDisplay", err)))
		return cli.ExitFailed
	}
	a := newApp(AppID)
	look.Set(a, look.Standard)
	w := a.NewWindow("便民")
	w.SetContent(look.PageTitle("便民"))
	w.Resize(fyne.NewSize(1280, 800))
	stop := context.AfterFunc(ctx, func() { fyne.Do(a.Quit) })
	defer stop()
	w.ShowAndRun()
	return cli.ExitOK
}
