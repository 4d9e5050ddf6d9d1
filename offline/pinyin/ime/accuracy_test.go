package ime

import (
	"bufio"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"bianmin/assets/county"
	"bianmin/offline/pinyin"
	"bianmin/offline/pinyin/dict"
)

// sample is one line of the test data: what is typed and what should come out.
type sample struct {
	kind, text string
	syl        []string
}

func readSamples(t testing.TB, name string) []sample {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []sample
	in := bufio.NewScanner(f)
	for in.Scan() {
		p := strings.Split(in.Text(), "\t")
		if len(p) != 3 {
			t.Fatalf("%s: %q", name, in.Text())
		}
		out = append(out, sample{p[0], p[1], strings.Fields(p[2])})
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// typed returns the candidates for letters.
func typed(o Options, letters string) []Candidate {
	s := Load().Session(o)
	for _, r := range letters {
		s.Input(r)
	}
	return s.All()
}

// score counts how well samples are converted.
type score struct {
	n, top1, page int
	chars, right  int
	wrong         []string
}

func (s *score) count(x sample, got []Candidate) {
	s.n++
	want := []rune(x.text)
	s.chars += len(want)
	for i, c := range got[:min(len(got), PageSize)] {
		if c.Text == x.text {
			s.page++
			if i == 0 {
				s.top1++
			}
			break
		}
	}
	if len(got) == 0 {
		return
	}
	first := []rune(got[0].Text)
	for i, r := range want {
		if i < len(first) && first[i] == r {
			s.right++
		}
	}
	if got[0].Text != x.text {
		s.wrong = append(s.wrong, x.text+" → "+got[0].Text)
	}
}

func share(a, b int) float64 { return float64(a) / float64(max(b, 1)) }

// measure runs the samples of a file that are of one kind.
func measure(t testing.TB, file, kind string, o Options, least, most int) *score {
	s := &score{}
	for _, x := range readSamples(t, file) {
		if n := utf8.RuneCountInString(x.text); x.kind == kind && n >= least && n <= most {
			s.count(x, typed(o, strings.Join(x.syl, "")))
		}
	}
	return s
}

// TestAccuracy holds the figures of docs/pinyin.md on data that neither the dictionary nor its tuning has seen. The bars lie
// under what was measured, so that a worse dictionary is noticed. BIANMIN_PINYIN_SHOW prints what went wrong in the half
// that may be looked at.
func TestAccuracy(t *testing.T) {
	for _, m := range []struct {
		name, kind        string
		o                 Options
		least, most       int
		top1, page, chars float64 // bars on the held-out half
	}{
		{"sentences of 5-10", "text", Options{Fuzzy: AllFuzzy}, 5, 10, 0.75, 0.92, 0.935},
		{"all texts", "text", Options{Fuzzy: AllFuzzy}, 1, 99, 0.75, 0.91, 0.93},
		{"addresses", "address", Options{Fuzzy: AllFuzzy, Field: AddressField}, 1, 99, 0.70, 0.88, 0.90},
		{"strangers, name field", "name", Options{Fuzzy: AllFuzzy, Field: NameField}, 1, 99, 0.55, 0.85, 0.75},
		{"strangers, text field", "name", Options{Fuzzy: AllFuzzy}, 1, 99, 0.45, 0.75, 0.65},
	} {
		tuning := measure(t, "tuning.tsv", m.kind, m.o, m.least, m.most)
		held := measure(t, "heldout.tsv", m.kind, m.o, m.least, m.most)
		for name, s := range map[string]*score{"tuning": tuning, "held out": held} {
			t.Logf("%-22s %-8s n=%d first %.1f%% page %.1f%% characters %.1f%%", m.name, name, s.n,
				100*share(s.top1, s.n), 100*share(s.page, s.n), 100*share(s.right, s.chars))
		}
		if os.Getenv("BIANMIN_PINYIN_SHOW") != "" {
			t.Log(strings.Join(tuning.wrong, "\n"))
		}
		if held.n < 100 || share(held.top1, held.n) < m.top1 || share(held.page, held.n) < m.page || share(held.right, held.chars) < m.chars {
			t.Errorf("%s: below the bars %.2f %.2f %.2f", m.name, m.top1, m.page, m.chars)
		}
	}
}

// TestBlindSamples holds the figures on sentences by somebody who had seen neither the lists nor the other samples. Nobody
// looked at single errors, and nothing was chosen by them.
func TestBlindSamples(t *testing.T) {
	for _, m := range []struct {
		name, kind  string
		least, most int
		top1, chars float64 // bars
	}{
		{"counter, 5-10", "text", 5, 10, 0.70, 0.93},
		{"counter, 11-20", "text", 11, 20, 0.65, 0.95},
		{"daily life", "daily", 5, 10, 0.38, 0.84},
	} {
		s := measure(t, "blind.tsv", m.kind, Options{Fuzzy: AllFuzzy}, m.least, m.most)
		t.Logf("%-15s n=%d first %.1f%% page %.1f%% characters %.1f%%", m.name, s.n,
			100*share(s.top1, s.n), 100*share(s.page, s.n), 100*share(s.right, s.chars))
		if s.n < 90 || share(s.top1, s.n) < m.top1 || share(s.right, s.chars) < m.chars {
			t.Errorf("%s: below the bars %.2f %.2f", m.name, m.top1, m.chars)
		}
	}
}

// TestNothingOfTheTestIsInTheSources holds that no sample stands as a whole in what the dictionary is made from by us.
func TestNothingOfTheTestIsInTheSources(t *testing.T) {
	var own strings.Builder
	names, err := filepath.Glob("../../../packaging/pinyin/lists/corpus*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal("no text of ours", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		own.Write(b)
	}
	for _, file := range []string{"tuning.tsv", "heldout.tsv", "blind.tsv"} {
		found, long := 0, 0
		for _, x := range readSamples(t, file) {
			if x.kind != "text" || utf8.RuneCountInString(x.text) < 6 {
				continue
			}
			long++
			if strings.Contains(own.String(), x.text) {
				found++
				t.Log("take out of the lists: ", x.text)
			}
		}
		t.Logf("%s: %d of %d sentences stand in our text, too", file, found, long)
		if found > 0 {
			t.Errorf("%s: %d of %d", file, found, long)
		}
	}
}

// TestLocalNamesComeFirst types every name and place of the sample county.
func TestLocalNamesComeFirst(t *testing.T) {
	local := sampleCounty(t)
	lex := Load().Lexicon(local)
	fields := map[Kind]Field{Person: NameField, Place: AddressField, Institution: TextField, Service: TextField}
	counts := map[Kind]*score{}
	for _, x := range local {
		py := pinyin.Full(x.Text)
		if x.Kind == Person {
			py = pinyin.NameFull(x.Text)
		}
		if counts[x.Kind] == nil {
			counts[x.Kind] = &score{}
		}
		counts[x.Kind].count(sample{text: x.Text}, typed(Options{Fuzzy: AllFuzzy, Field: fields[x.Kind], Lexicon: lex}, strings.Join(py, "")))
	}
	for k, s := range counts {
		t.Logf("kind %d: n=%d first %.1f%% %v", k, s.n, 100*share(s.top1, s.n), s.wrong)
		if share(s.top1, s.n) < 0.98 {
			t.Errorf("kind %d: %.1f%% come first", k, 100*share(s.top1, s.n))
		}
	}
}

// sampleCounty reads the local words of the sample county.
func sampleCounty(t *testing.T) []Entry {
	t.Helper()
	var out []Entry
	seen := map[Entry]bool{}
	add := func(text string, kind Kind) {
		if e := (Entry{text, kind}); text != "" && !seen[e] {
			seen[e] = true
			out = append(out, e)
		}
	}
	read := func(name string, v any) {
		b, err := fs.ReadFile(county.FS(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, v); err != nil {
			t.Fatal(err)
		}
	}
	var roster struct {
		Persons []struct {
			Elements map[string]struct{ Value string }
		}
	}
	read("roster.json", &roster)
	for _, p := range roster.Persons {
		add(p.Elements["name"].Value, Person)
	}
	type named struct{ Name any }
	for _, f := range []struct {
		file string
		kind Kind
	}{{"divisions.json", Place}, {"institutions.json", Institution}, {"items.json", Service}} {
		var list []named
		read(f.file, &list)
		for _, x := range list {
			switch n := x.Name.(type) {
			case string:
				add(n, f.kind)
			case map[string]any:
				zh, _ := n["zh"].(string)
				add(zh, f.kind)
			}
		}
	}
	if len(out) < 100 {
		t.Fatalf("the sample county has %d local words", len(out))
	}
	return out
}

// TestMemory holds how much the engine keeps.
func TestMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	e := New(dict.Fresh())
	runtime.GC()
	runtime.ReadMemStats(&after)
	if len(e.convert(&keys{letters: []uint32{1}, breaks: []bool{false, false}}, &Options{}, dict.None, dict.Start)) == 0 {
		t.Error("a means nothing")
	}
	kept := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%.1f MB kept", float64(kept)/1e6)
	if kept > 16<<20 {
		t.Errorf("%d bytes are kept", kept)
	}
}
