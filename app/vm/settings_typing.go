package vm

import "slices"

// Typing is what a person chose about typing, in the words of package keyboard.
type Typing struct {
	Up     string   // when the keyboard on the screen comes up: "auto", "always" or "never"
	Layout string   // to write Chinese with: "full", "nine" or "stroke"
	Exact  []string // names of FuzzyPairs that are told apart
}

// FuzzyPairs are the pairs of sounds that may be taken for each other, in the order of the settings.
var FuzzyPairs = []string{"z", "c", "s", "n", "f", "an", "en", "in"}

// SetTyping notes what was chosen about typing.
func (v *Settings) SetTyping(t Typing) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.typing = t
}

// typingState fills in the choices about typing. v.mu is held.
func (v *Settings) typingState(st *SettingsState) {
	t := v.t
	all := func(area, on string, values ...string) (out []Choice) {
		for _, x := range values {
			key := "settings." + area + "." + x
			note := t.T(key + "Note")
			if note == key+"Note" {
				note = ""
			}
			out = append(out, Choice{x, t.T(key), note, x == on})
		}
		return out
	}
	st.Keyboard = all("keyboard", v.typing.Up, "auto", "always", "never")
	st.Layouts = all("layout", v.typing.Layout, "full", "nine", "stroke")
	for _, p := range FuzzyPairs {
		st.Fuzzy = append(st.Fuzzy, Choice{p, t.T("settings.fuzzy." + p), "", !slices.Contains(v.typing.Exact, p)})
	}
}
