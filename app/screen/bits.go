package screen

import (
	"fyne.io/fyne/v2"

	"bianmin/app/look"
	"bianmin/app/vm"
)

// stateOf reads the states that view models name: "ok", "info", "warn" and "danger".
func stateOf(name string) look.State {
	switch name {
	case "ok":
		return look.StateSuccess
	case "info":
		return look.StateInfo
	case "warn":
		return look.StateWarning
	case "danger":
		return look.StateDanger
	default:
		return look.StateNone
	}
}

// public reports whether a person is alone with the machine.
func (e *Env) public() bool { return e.Public != nil && e.Public() }

// upright reports whether the window is taller than wide: a screen that stands on end.
func (e *Env) upright() bool {
	if e.Window == nil {
		return false
	}
	size := e.Window.Canvas().Size()
	return size.Height > size.Width
}

// goTo opens the page that a view model names.
func goTo(env *Env, to vm.Target) { env.Go(Route{Page(to.Page), to.Arg}) }

// linkRow is a row of a card that leads somewhere: an icon, a word with a line below it, what stands at its right, and
// an arrow. note may be empty; tap nil makes it a row to read.
func linkRow(icon, word, note string, tap func(), right ...fyne.CanvasObject) fyne.CanvasObject {
	lines := []fyne.CanvasObject{look.Strong(word)}
	if note != "" {
		lines = append(lines, look.Label(note))
	}
	cells := []fyne.CanvasObject{look.NewIcon(icon, look.RolePrimary), look.Grow(look.VStack(look.GapH, lines...))}
	cells = append(cells, right...)
	if tap == nil {
		return look.Pad(look.Gap2, look.Gap2, look.HStack(look.Gap2, cells...))
	}
	cells = append(cells, look.NewIcon("right", look.RoleSecondary))
	return look.NewRow(look.Pad(look.Gap2, look.Gap2, look.HStack(look.Gap2, cells...)), tap)
}

// titledRows is a card of rows under a title.
func titledRows(title string, rows ...fyne.CanvasObject) fyne.CanvasObject {
	return look.VStack(look.Gap1, look.Title(title), look.RowsCard(rows...))
}

// pickChip is a word to narrow a list by: tinted, with a tick, while it is on.
type pickChip struct {
	*look.Pressable
	tick *look.Icon
}

func newPickChip(label string, tap func()) *pickChip {
	c := &pickChip{tick: look.NewIcon("check", look.RolePrimary)}
	c.tick.Hide()
	c.Pressable = look.NewPressable(look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(m.Touch, m.Touch) },
		look.Pad(look.Gap2, look.Gap0, look.HStack(look.GapH, c.tick, look.Body(label).Single()))), tap)
	c.Within(c)
	return c
}

func (c *pickChip) set(on bool) {
	c.tick.Hidden = !on
	c.SetSelected(on)
	c.Refresh()
}

// bullet is a line of a list, with its number.
func bullet(number, text string) fyne.CanvasObject {
	return look.HStackTop(look.Gap1, look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(m.Body*1.5, 0) },
		look.NewText(number, look.StyleBody, look.RoleSecondary).Single()), look.Grow(look.Body(text)))
}

// replace puts objects into a container in place of what is there.
func replace(c *fyne.Container, objects ...fyne.CanvasObject) {
	c.Objects = objects
	c.Refresh()
}

// focusOn gives the keyboard to obj when it stands on a canvas.
func focusOn(c fyne.Canvas, obj fyne.Focusable) {
	if c != nil && obj != nil {
		c.Focus(obj)
	}
}

// canvasOf returns the canvas that obj stands on; nil while it stands on none.
func canvasOf(obj fyne.CanvasObject) fyne.Canvas {
	app := fyne.CurrentApp()
	if app == nil {
		return nil
	}
	return app.Driver().CanvasForObject(obj)
}

// lookButtons are larger text, more contrast and the other language, for the pages before a login. The callbacks are
// read at the tap; either may be nil.
func lookButtons(env *Env, onLook, onLang *func(string)) []fyne.CanvasObject {
	now := look.Current()
	larger, contrast := now, now
	larger.Elder, contrast.HighContrast = !now.Elder, !now.HighContrast
	other, word := "en", "English"
	if env.Lang() == "en" {
		other, word = "zh", "中文"
	}
	pick := func(icon, text string, fn *func(string), name string) fyne.CanvasObject {
		return look.QuietButton(text, icon, func() {
			if *fn != nil {
				(*fn)(name)
			}
		})
	}
	text, tone := env.T("login.larger"), env.T("login.contrast")
	if now.Elder {
		text = env.T("login.standard")
	}
	if now.HighContrast {
		tone = env.T("login.normalContrast")
	}
	buttons := []fyne.CanvasObject{
		pick("elder", text, onLook, larger.String()), pick("contrast", tone, onLook, contrast.String()), pick("text", word, onLang, other),
	}
	if now.Elder && env.ReadAloud != nil && !env.public() { // a kiosk has one at the top
		buttons = append(buttons, look.QuietButton(env.T("speech.read"), "speaker", env.ReadAloud))
	}
	return buttons
}
