package window

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"bianmin/app/device/speech"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// What the settings call voices, speeds and volumes.
var (
	voices  = map[string]speech.Voice{"voice.mandarin": speech.Mandarin, "voice.cantonese": speech.Cantonese, "voice.off": speech.Off}
	speeds  = map[string]int{"speed.slow": -1, "speed.calm": 0, "speed.quick": 1}
	volumes = map[string]int{"volume.low": -2, "volume.middle": -1, "volume.full": 0}
)

func settingName[V comparable](all map[string]V, v V) string {
	for name, x := range all {
		if x == v {
			return name
		}
	}
	return ""
}

// speaker is who reads aloud; silent when the program has none.
func (s *Shell) speaker() speech.Speaker {
	if s.o.Speaker == nil {
		return speech.Silent{}
	}
	return s.o.Speaker
}

// speech returns what was chosen. What a hand wrote into the file is held to what there is.
func (s *Shell) speech() speech.Settings {
	return speech.Settings{Voice: voices[s.keep.Voice], Speed: speeds[s.keep.Speed], Volume: volumes[s.keep.Volume]}
}

// setVoice changes one of the settings of reading aloud, at once, and lets it be heard.
func (s *Shell) setVoice(name string) {
	switch kind, _, _ := strings.Cut(name, "."); kind {
	case "voice":
		s.keep.Voice = name
	case "speed":
		s.keep.Speed = name
	case "volume":
		s.keep.Volume = name
	}
	s.speaker().Set(s.speech())
	s.keepSettings()
	s.speak(s.T("speech.sample"))
}

// speak says texts in place of what is being said.
func (s *Shell) speak(texts ...string) {
	s.speaker().Cut()
	for _, t := range texts {
		s.speaker().Say(s.Lang(), speech.Speakable(s.Lang(), t))
	}
}

// readAloud reads what is on the screen: the question over it when there is one, else title, message and page.
func (s *Shell) readAloud() {
	if s.sheet != nil {
		s.speak(look.Reading(s.sheet)...)
		return
	}
	if s.view == nil {
		return
	}
	texts := []string{s.view.Title()}
	for _, o := range []fyne.CanvasObject{s.notes, s.view.Object()} {
		texts = append(texts, look.Reading(o)...)
	}
	s.speak(slices.Compact(texts)...)
}

// tellSpeech tells the screen of settings what is chosen.
func (s *Shell) tellSpeech(m *vm.Settings) {
	now := s.speech()
	m.SetSpeech(settingName(voices, now.Voice), settingName(speeds, now.Speed), settingName(volumes, now.Volume))
}
