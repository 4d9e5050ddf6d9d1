package screen

import (
	"fyne.io/fyne/v2"

	"bianmin/app/look"
	"bianmin/app/vm"
)

// typingCard are the choices about typing: when the keyboard on the screen comes up, what one writes Chinese with, which
// sounds are taken for each other, and the wiping of what was learned.
type typingCard struct {
	root             fyne.CanvasObject
	up, rows, sounds map[string]*look.Pressable
}

func (s *Settings) newTypingCard(st vm.SettingsState) *typingCard {
	t := s.env.T
	c := &typingCard{up: map[string]*look.Pressable{}, rows: map[string]*look.Pressable{}, sounds: map[string]*look.Pressable{}}
	forget := look.NewButton(look.Danger, t("settings.forget"), "trash", func() {
		s.env.Confirm(t("settings.forgetAsk"), t("settings.forgetLost"), t("settings.forget"), true, func() {
			if s.OnForget != nil {
				s.OnForget()
			}
		})
	})
	c.root = look.Card(look.Title(t("settings.keyboardTitle")), s.choices(st.Keyboard, c.up, &s.OnKeyboard, 13), look.Line(),
		look.Title(t("settings.layoutTitle")), s.choices(st.Layouts, c.rows, &s.OnLayout, 13), look.Line(),
		look.Title(t("settings.fuzzyTitle")), look.Body(t("settings.fuzzyNote")), s.choices(st.Fuzzy, c.sounds, &s.OnFuzzy, 9), look.Line(),
		look.Title(t("settings.learnedTitle")), look.Body(t("settings.learnedNote")), look.Wrap(look.Gap2, forget))
	return c
}

// show marks what is chosen.
func (c *typingCard) show(s *Settings, st vm.SettingsState) {
	mark := func(all []vm.Choice, cards map[string]*look.Pressable) {
		for _, x := range all {
			cards[x.Value].SetSelected(x.On)
			s.marks[cards[x.Value]].Hidden = !x.On
		}
	}
	mark(st.Keyboard, c.up)
	mark(st.Layouts, c.rows)
	mark(st.Fuzzy, c.sounds)
}
