package screen

import (
	"fyne.io/fyne/v2"

	"bianmin/app/look"
	"bianmin/app/vm"
)

// speak says texts aloud, in place of what is being said. Without a voice it does nothing.
func speak(env *Env, texts ...string) {
	if env.Speak != nil {
		env.Speak(texts...)
	}
}

// readButton is a button that reads aloud what words returns at the tap.
func readButton(env *Env, words func() []string) *look.Button {
	return look.NewButton(look.Secondary, env.T("speech.read"), "speaker", func() { speak(env, words()...) })
}

// speechCard is the card of the settings for reading aloud: who reads, how fast, how loud.
func (s *Settings) speechCard(st vm.SettingsState) fyne.CanvasObject {
	return look.Card(look.Title(s.env.T("speech.title")), look.Label(s.env.T("speech.note")),
		s.choices(st.Voices, s.voices, &s.OnVoice, 13),
		look.Line(), look.Title(s.env.T("speech.speedTitle")), s.choices(st.Speeds, s.voices, &s.OnVoice, 13),
		look.Line(), look.Title(s.env.T("speech.volumeTitle")), s.choices(st.Volumes, s.voices, &s.OnVoice, 13))
}
