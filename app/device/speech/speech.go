// Package speech says texts aloud: recorded prompts for the phrases that recur (package prompts), a synthesiser found on
// the machine for the rest, and nothing at all where neither is. Saying never blocks: what is to be said waits in a queue,
// which can be cut off at any moment and is then empty.
//
// What is said goes to other programs through their standard input, never on a command line, where every program of the
// machine could read it.
package speech

import (
	"slices"
	"strings"

	gopinyin "github.com/mozillazg/go-pinyin"
)

// Voice is who speaks Chinese texts. English ones have one voice.
type Voice string

// Voices. The zero value is Mandarin.
const (
	Mandarin  Voice = ""
	Cantonese Voice = "cantonese"
	Off       Voice = "off" // nothing is said
)

// Settings are what people choose. The zero value is Mandarin at a calm speed and full volume.
type Settings struct {
	Voice  Voice
	Speed  int // -1 slow, 0 calm, 1 quick
	Volume int // -2 very low, -1 low, 0 full
}

// Speaker says texts, one after the other. All methods return at once and may be called from any goroutine.
type Speaker interface {
	// Say adds texts of a language ("zh" or "en") to what is to be said.
	Say(lang string, texts ...string)
	// Cut ends what is being said, in the middle of a word, and forgets what was to follow.
	Cut()
	// Set changes voice, speed and volume, from the next text on. Off cuts off, too.
	Set(s Settings)
}

// Silent says nothing.
type Silent struct{}

var _ Speaker = Silent{}

// Say does nothing.
func (Silent) Say(string, ...string) {}

// Cut does nothing.
func (Silent) Cut() {}

// Set does nothing.
func (Silent) Set(Settings) {}

// Pinyin returns Chinese text in pinyin with the tones as digits ("qing3 qian1 ming2"), which the Mandarin voice of
// espeak-ng up to 1.51 needs: it knows no characters. Marks become pauses; what is no Chinese stays.
func Pinyin(text string) string {
	a := gopinyin.NewArgs()
	a.Style = gopinyin.Tone3
	var b strings.Builder
	for _, r := range text {
		if got := gopinyin.SinglePinyin(r, a); len(got) > 0 {
			s := got[0]
			if !strings.ContainsAny(s, "1234") {
				s += "5" // the light tone
			}
			b.WriteString(" " + s)
			continue
		}
		if i := slices.Index([]rune("，、；：。！？（）·"), r); i >= 0 {
			r = []rune(",,,,.!?,, ")[i]
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}
