package rarepanel

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"bianmin/app/look"
)

// key is what is tapped on the panel. It cannot have the keyboard.
type key struct {
	look.Touch
	ground      *look.Surface
	word, under *look.Text
	body        *fyne.Container
	chosen, big bool
}

// key returns a key with a word and, when under is not empty, a smaller one below it.
func (p *Panel) key(word, under string, tap func()) *key {
	k := &key{ground: look.NewSurface(look.RoleSurface, look.RoleBorder)}
	k.word = look.NewText(word, look.StyleBody, look.RoleText).Single().Align(fyne.TextAlignCenter)
	k.under = look.NewText(under, look.StyleLabel, look.RoleSecondary).Single().Align(fyne.TextAlignCenter)
	k.under.Hidden = under == ""
	k.body = look.Layer(k.ground, look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(m.Touch, m.Touch) },
		look.Pad(look.GapH, look.Gap0, look.VStack(look.Gap0, look.Spring(), k.word, k.under, look.Spring()))))
	k.OnTap = func() {
		look.Activity()
		tap()
		if p.OnTouch != nil {
			p.OnTouch()
		}
	}
	k.Extend(k, k.draw)
	return k
}

// large writes the word so that strokes can be told apart.
func (k *key) large() {
	k.big = true
	k.word.SetStyle(look.StylePageTitle)
}

// selectIt shows it as the one that is chosen.
func (k *key) selectIt(on bool) {
	k.chosen = on
	k.draw()
}

func (k *key) draw() {
	switch {
	case k.Pressed():
		k.ground.SetRoles(look.RolePrimarySoft, look.RolePrimary)
	case k.chosen:
		k.ground.SetRoles(look.RolePrimary, look.RoleClear)
	default:
		k.ground.SetRoles(look.RoleSurface, look.RoleBorder)
	}
	role := look.RoleText
	if k.chosen && !k.Pressed() {
		role = look.RoleOnPrimary
	}
	k.word.SetRole(role)
	k.ground.Refresh()
}

// Inside returns the words on it.
func (k *key) Inside() []fyne.CanvasObject { return []fyne.CanvasObject{k.body} }

// CreateRenderer is called by Fyne.
func (k *key) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(k.body) }
