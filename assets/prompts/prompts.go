// Package prompts holds the phrases that the program speaks most, recorded: a counter without a speech synthesiser still
// says them. packaging/prompts/build.sh records them with espeak-ng; LICENCE.txt says what may be done with them.
package prompts

import (
	"embed"
	"fmt"
	"strings"
	"sync"
)

//go:embed phrases.tsv cmn/*.wav yue/*.wav en/*.wav
var files embed.FS

// Tongues of the recordings: Mandarin, Cantonese, English.
const (
	Mandarin  = "cmn"
	Cantonese = "yue"
	English   = "en"
)

// Phrase is one line of the table: its name, and its words in Chinese and English.
type Phrase struct{ ID, Chinese, English string }

// Phrases returns the table.
var Phrases = sync.OnceValue(func() []Phrase {
	raw, err := files.ReadFile("phrases.tsv")
	if err != nil {
		panic(err) // compiled in
	}
	var out []Phrase
	for line := range strings.Lines(string(raw)) {
		if cells := strings.Split(strings.TrimRight(line, "\n"), "\t"); len(cells) == 3 {
			out = append(out, Phrase{cells[0], cells[1], cells[2]})
		}
	}
	return out
})

// Find returns the recording (a WAV file, IMA ADPCM) of words in a tongue; false when these words are not recorded.
func Find(tongue, words string) ([]byte, bool) {
	for _, p := range Phrases() {
		if tongue == English && p.English == words || tongue != English && p.Chinese == words {
			raw, err := files.ReadFile(fmt.Sprintf("%s/%s.wav", tongue, p.ID))
			return raw, err == nil
		}
	}
	return nil, false
}
