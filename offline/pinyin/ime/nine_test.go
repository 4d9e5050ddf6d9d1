package ime

import (
	"slices"
	"strings"
	"testing"
)

func TestReadingsOfNineKeys(t *testing.T) {
	s := Load().Session(Options{NineKey: true})
	for _, r := range "94642466" { // 中 or zhong's neighbours, then a second syllable
		s.Input(r)
	}
	all := s.Readings()
	if len(all) == 0 {
		t.Fatal("nothing to choose from")
	}
	for i, syl := range all {
		if slices.Contains(all[:i], syl) {
			t.Errorf("%s is there twice", syl)
		}
	}
	for _, want := range []string{"ying", "xing", "w", "x", "y", "z"} {
		if !slices.Contains(all, want) {
			t.Errorf("%s is not among %q", want, all)
		}
	}
	s.Read("ying")
	if _, keys := s.Composition(); !strings.HasPrefix(keys, "ying") {
		t.Errorf("shown as %q", keys)
	}
	if best := s.All()[0]; s.engine.dict.Syllables[best.syl[0]] != "ying" {
		t.Errorf("%s is not read ying", best.Text)
	}
	if next := s.Readings(); slices.Contains(next, "ying") || !slices.Contains(next, "bi") {
		t.Errorf("the second syllable may be %q", next)
	}
	for s.Backspace() {
	}
	if s.Readings() != nil || s.Active() {
		t.Error("something is left")
	}
	s.Read("ying") // nothing to settle
	if s.Active() {
		t.Error("nothing was settled into something")
	}
}

func TestLettersHaveNoReadings(t *testing.T) {
	s := Load().Session(Options{})
	for _, r := range "zhong" {
		s.Input(r)
	}
	if got := s.Readings(); got != nil {
		t.Errorf("letters may be read %q", got)
	}
}
