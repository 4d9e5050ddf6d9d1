package window

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"bianmin/app/look"
	"bianmin/app/vm"
	"bianmin/offline/durable"
)

const settingsName = "settings.json"

// settings are what a person chose about the window. They hold nothing personal and are kept apart from the machine's
// data: they are needed before anybody logs in.
type settings struct {
	Look     string `json:"look,omitempty"` // look.Mode.String
	Lang     string `json:"lang,omitempty"`
	Idle     int    `json:"idle,omitempty"`  // minutes with nobody there after which the machine locks; 0: the default
	Voice    string `json:"voice,omitempty"` // who reads aloud, how fast and how loud: "voice.…", "speed.…", "volume.…"
	Speed    string `json:"speed,omitempty"`
	Volume   string `json:"volume,omitempty"`
	Phrase   bool   `json:"phrase,omitempty"`   // PINs are typed in a field instead of the pad
	Reader   string `json:"reader,omitempty"`   // port of the ID-card reader; "": none
	Camera   string `json:"camera,omitempty"`   // id of the camera, see camera.Camera; "": none
	Keyboard string `json:"keyboard,omitempty"` // when the keyboard on the screen comes up: keyboard.Auto, Always, Never
	Layout   string `json:"layout,omitempty"`   // to write Chinese with: keyboard.FullKeys, NineKeys, StrokeKeys
	Exact    uint16 `json:"exact,omitempty"`    // ime.Fuzzy pairs that are told apart
	// PublicDrafts are ids of the drafts of who is at a self-service machine, to be discarded should it go off meanwhile.
	PublicDrafts []string `json:"publicDrafts,omitempty"`
}

// readSettings returns the settings kept in dir; the zero value when there are none, or they cannot be read.
func readSettings(dir string, log *slog.Logger) settings {
	var out settings
	if dir == "" {
		return out
	}
	data, err := os.ReadFile(filepath.Join(dir, settingsName))
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("settings not read", slog.Any("cause", err))
	}
	return out
}

// write replaces the settings in dir; after a power cut either the old or the new ones are there.
func (v settings) write(dir string) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = durable.WriteFile(filepath.Join(dir, settingsName), append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("window: settings: %w", err)
	}
	return nil
}

func (s *Shell) keepSettings() {
	if s.o.Dir == "" {
		return
	}
	if err := s.keep.write(s.o.Dir); err != nil {
		s.log.Error("keep settings", slog.Any("cause", err))
		s.say("warn", s.T("window.settingsUnwritten"))
	}
}

// setLook changes the look at once.
func (s *Shell) setLook(name string) {
	mode := look.ParseMode(name)
	s.keep.Look = mode.String()
	look.Set(s.o.App, mode)
	s.rebuild()
	s.keepSettings()
}

// idleAfter is how long the machine stays open with nobody at it. What a hand wrote into the file is held to the choices.
func (s *Shell) idleAfter() time.Duration {
	if slices.Contains(vm.IdleMinutes, s.keep.Idle) {
		return time.Duration(s.keep.Idle) * time.Minute
	}
	return idleLock
}

// setIdle changes it at once.
func (s *Shell) setIdle(minutes int) {
	s.keep.Idle = minutes
	s.touch()
	s.keepSettings()
}

// setLang changes the language at once.
func (s *Shell) setLang(lang string) {
	s.keep.Lang, s.lang = lang, lang
	look.SetLang(lang)
	s.rebuild()
	s.keepSettings()
}
