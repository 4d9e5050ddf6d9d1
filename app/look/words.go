package look

import (
	"sync"

	"bianmin/assets/translations"
)

// spoken is the language of the parts' own words. The catalogue is read once, at the first word.
var spoken = struct {
	lang string
	load func() *translations.Catalog
}{
	lang: translations.Chinese,
	load: sync.OnceValue(func() *translations.Catalog {
		c, err := translations.Load()
		if err != nil {
			panic(err) // the files are compiled in and a test loads them: only a broken build gets here
		}
		return c
	}),
}

// SetLang sets the language ("zh" or "en") of the words the parts bring themselves. The caller then refreshes its
// windows.
func SetLang(lang string) {
	spoken.lang = lang
	now.generation++
}

// Lang returns the language of the moment.
func Lang() string { return spoken.lang }

// Word returns the text of key in the language of the moment; pairs are placeholder names and values in turn.
func Word(key string, pairs ...any) string {
	var args map[string]any
	for i := 0; i+1 < len(pairs); i += 2 {
		if args == nil {
			args = make(map[string]any, len(pairs)/2)
		}
		if name, ok := pairs[i].(string); ok {
			args[name] = pairs[i+1]
		}
	}
	return spoken.load().T(spoken.lang, key, args)
}
