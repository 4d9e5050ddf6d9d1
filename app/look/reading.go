package look

import (
	"strings"

	"fyne.io/fyne/v2"
)

// Speaks is a part that says for itself what is read aloud of it; "" is nothing.
type Speaks interface{ Spoken() string }

// Reading returns the words of root that are seen, in the order in which they are read, for reading aloud. Insides of
// Fyne's own widgets are not looked into.
func Reading(root fyne.CanvasObject) []string {
	var out []string
	read(root, func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, text)
		}
	})
	return out
}

func read(o fyne.CanvasObject, say func(string)) {
	if o == nil || !o.Visible() {
		return
	}
	switch o := o.(type) {
	case *Text:
		say(o.text)
	case *Button:
		say(o.text)
	case *BigNumber:
		say(o.text)
	case *Steps:
		say(o.names[o.current])
	case Speaks:
		say(o.Spoken())
	case interface{ parts() fyne.CanvasObject }:
		read(o.parts(), say)
	case *fyne.Container:
		for _, c := range o.Objects {
			read(c, say)
		}
	case interface{ Content() fyne.CanvasObject }: // what scrolls
		read(o.Content(), say)
	}
}
