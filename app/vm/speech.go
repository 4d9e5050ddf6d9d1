package vm

// SpeechChoices are the values of the choices for reading aloud, each the name of one setting and what it becomes.
var speechVoices, speechSpeeds, speechVolumes = []string{"voice.mandarin", "voice.cantonese", "voice.off"},
	[]string{"speed.slow", "speed.calm", "speed.quick"}, []string{"volume.low", "volume.middle", "volume.full"}

// SetSpeech notes the choices for reading aloud: "voice.…", "speed.…" and "volume.…".
func (v *Settings) SetSpeech(voice, speed, volume string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.speech = [3]string{voice, speed, volume}
}

func (v *Settings) speechState(st *SettingsState) {
	choices := func(names []string, on string) (out []Choice) {
		for _, n := range names {
			out = append(out, Choice{n, v.t.T("speech." + n), "", n == on})
		}
		return out
	}
	st.Voices, st.Speeds, st.Volumes = choices(speechVoices, v.speech[0]), choices(speechSpeeds, v.speech[1]), choices(speechVolumes, v.speech[2])
}
