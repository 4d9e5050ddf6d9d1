package translations

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestLanguagesHaveTheSameKeysAndPlaceholders(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Keys(Chinese)) == 0 {
		t.Fatal("no Chinese texts")
	}
	for _, pair := range [][2]string{{Chinese, English}, {English, Chinese}} {
		for _, key := range c.Keys(pair[0]) {
			if !c.Has(pair[1], key) {
				t.Errorf("%s has %q, %s has not", pair[0], key, pair[1])
			}
		}
	}
	for _, key := range c.Keys(Chinese) {
		zh, en := Placeholders(c.texts[Chinese][key]), Placeholders(c.texts[English][key])
		slices.Sort(zh)
		slices.Sort(en)
		if !slices.Equal(slices.Compact(zh), slices.Compact(en)) {
			t.Errorf("%q: placeholders %v in Chinese, %v in English", key, zh, en)
		}
		for _, lang := range []string{Chinese, English} {
			if text := c.texts[lang][key]; strings.TrimSpace(text) == "" {
				t.Errorf("%s %q is blank", lang, key)
			}
		}
	}
}

func TestTextFallsBackToChineseThenKey(t *testing.T) {
	c := &Catalog{texts: map[string]map[string]string{
		Chinese: {"both": "您好，{name}", "only": "仅中文"},
		English: {"both": "Hello, {name}"},
	}}
	for _, test := range []struct {
		lang, key string
		args      map[string]any
		want      string
	}{
		{English, "both", map[string]any{"name": "Wang"}, "Hello, Wang"},
		{Chinese, "both", map[string]any{"name": 3}, "您好，3"},
		{English, "only", nil, "仅中文"},
		{English, "nobody.has.this", map[string]any{"x": 1}, "nobody.has.this"},
		{"de", "both", map[string]any{"name": "{name}"}, "您好，{name}"},
		{Chinese, "both", map[string]any{"other": 1}, "您好，{name}"},
	} {
		if got := c.T(test.lang, test.key, test.args); got != test.want {
			t.Errorf("T(%s, %s) = %q, want %q", test.lang, test.key, got, test.want)
		}
	}
	if got := c.TS(English, "both", map[string]string{"name": "Li"}); got != "Hello, Li" {
		t.Errorf("TS = %q", got)
	}
}

func TestTwoFilesMayNotDefineOneKey(t *testing.T) {
	_, err := load(fstest.MapFS{
		"zh/a.json": {Data: []byte(`{"k":"一"}`)},
		"zh/b.json": {Data: []byte(`{"k":"二"}`)},
	})
	if !errors.Is(err, ErrDuplicate) {
		t.Fatalf("err = %v, want ErrDuplicate", err)
	}
	_, err = load(fstest.MapFS{"en/broken.json": {Data: []byte(`{"k":`)}})
	if err == nil || !strings.Contains(err.Error(), "broken.json") {
		t.Fatalf("err = %v, want one that names the file", err)
	}
}

func FuzzFill(f *testing.F) {
	f.Add("还有 {count} 件，{what}")
	f.Add("{{}}{")
	f.Fuzz(func(t *testing.T, text string) {
		same := Fill(text, func(string) (string, bool) { return "", false })
		if same != text {
			t.Fatalf("unfilled %q became %q", text, same)
		}
	})
}
