package ime

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
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

func TestReport(t *testing.T) {
	for _, file := range []string{"tuning.tsv", "heldout.tsv"} {
		for _, m := range []struct {
			name, kind  string
			o           Options
			least, most int
		}{
			{"sentences of 5-10", "text", Options{Fuzzy: AllFuzzy}, 5, 10},
			{"all texts", "text", Options{Fuzzy: AllFuzzy}, 1, 99},
			{"addresses, text", "address", Options{Fuzzy: AllFuzzy}, 1, 99},
			{"addresses", "address", Options{Fuzzy: AllFuzzy, Field: AddressField}, 1, 99},
			{"names, name field", "name", Options{Fuzzy: AllFuzzy, Field: NameField}, 1, 99},
			{"names, text field", "name", Options{Fuzzy: AllFuzzy}, 1, 99},
		} {
			s := measure(t, file, m.kind, m.o, m.least, m.most)
			t.Logf("%s %-20s n=%d top1=%.1f%% page=%.1f%% chars=%.1f%%", file, m.name, s.n, 100*share(s.top1, s.n), 100*share(s.page, s.n), 100*share(s.right, s.chars))
			if os.Getenv("SHOW") != "" && file == "tuning.tsv" {
				for i, w := range s.wrong {
					if i < 70 {
						t.Log("   ", w)
					}
				}
			}
		}
	}
}
