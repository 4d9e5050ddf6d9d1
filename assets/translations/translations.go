// Package translations holds every text a person reads, in Chinese and English.
//
// Each language has a folder of JSON files, one file an area of the program (zh/look.json, en/look.json, …), each a
// flat object of key to text. A text may hold placeholders in braces: "还有 {count} 件待送达". A key belongs to one
// file only; Load refuses a second one, so that two areas cannot overwrite each other's words.
//
// The package knows no window toolkit: view models, the command line and the gateway use it too.
package translations

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed zh en
var files embed.FS

// Languages of the catalogue. Chinese is the language every other one falls back to.
const (
	Chinese = "zh"
	English = "en"
)

// ErrDuplicate is returned by Load when two files of one language define the same key.
var ErrDuplicate = errors.New("translation key defined twice")

// Catalog is the set of texts in all languages. It is not changed after Load, so any goroutine may read it.
type Catalog struct {
	texts map[string]map[string]string // language, then key
}

// Load reads the embedded texts. It returns ErrDuplicate, or the JSON error with the name of the file.
func Load() (*Catalog, error) { return load(files) }

func load(from fs.FS) (*Catalog, error) {
	c := &Catalog{texts: make(map[string]map[string]string)}
	for _, lang := range []string{Chinese, English} {
		names, err := fs.Glob(from, path.Join(lang, "*.json"))
		if err != nil {
			return nil, fmt.Errorf("list texts of %s: %w", lang, err)
		}
		c.texts[lang] = make(map[string]string)
		for _, name := range names {
			if err := c.add(from, lang, name); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

func (c *Catalog) add(from fs.FS, lang, name string) error {
	raw, err := fs.ReadFile(from, name)
	if err != nil {
		return fmt.Errorf("read texts: %w", err)
	}
	var area map[string]string
	if err := json.Unmarshal(raw, &area); err != nil {
		return fmt.Errorf("parse %s: %w", name, err)
	}
	for key, text := range area {
		if _, taken := c.texts[lang][key]; taken {
			return fmt.Errorf("%w: %s in %s", ErrDuplicate, key, name)
		}
		c.texts[lang][key] = text
	}
	return nil
}

// T returns the text of key in lang with its placeholders filled from args. A key lang does not have is shown in
// Chinese; a key nobody has is shown as itself, so that a missing text is seen and reported, never blank.
func (c *Catalog) T(lang, key string, args map[string]any) string {
	text, ok := c.lookup(lang, key)
	if !ok || len(args) == 0 || !strings.Contains(text, "{") {
		return text
	}
	return Fill(text, func(name string) (string, bool) {
		value, ok := args[name]
		if !ok {
			return "", false
		}
		return fmt.Sprint(value), true
	})
}

// TS is T for arguments that are already text, as the errors of offline/words carry them.
func (c *Catalog) TS(lang, key string, args map[string]string) string {
	text, ok := c.lookup(lang, key)
	if !ok || len(args) == 0 {
		return text
	}
	return Fill(text, func(name string) (string, bool) { value, ok := args[name]; return value, ok })
}

// Has reports whether lang itself has a text for key.
func (c *Catalog) Has(lang, key string) bool {
	_, ok := c.texts[lang][key]
	return ok
}

// Keys returns the keys of lang in order.
func (c *Catalog) Keys(lang string) []string {
	keys := make([]string, 0, len(c.texts[lang]))
	for key := range c.texts[lang] {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (c *Catalog) lookup(lang, key string) (string, bool) {
	if text, ok := c.texts[lang][key]; ok {
		return text, true
	}
	if text, ok := c.texts[Chinese][key]; ok {
		return text, true
	}
	return key, false
}

// Fill replaces each {name} of text by value(name). A placeholder without a value stays as it is, and what is filled
// in is not searched again, so a value with braces in it can do no harm.
func Fill(text string, value func(name string) (string, bool)) string {
	var out strings.Builder
	for {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(text[open:], '}')
		if end < 0 {
			break
		}
		name := text[open+1 : open+end]
		out.WriteString(text[:open])
		if filled, ok := value(name); ok {
			out.WriteString(filled)
		} else {
			out.WriteString(text[open : open+end+1])
		}
		text = text[open+end+1:]
	}
	out.WriteString(text)
	return out.String()
}

// Placeholders returns the names in braces of text, in order of appearance.
func Placeholders(text string) []string {
	var names []string
	Fill(text, func(name string) (string, bool) {
		names = append(names, name)
		return "", true
	})
	return names
}
