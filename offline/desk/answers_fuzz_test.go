package desk_test

import (
	"os"
	"strings"
	"testing"

	"bianmin/offline/desk/desktest"
	"bianmin/offline/words"
	"bianmin/packaging/bomb"
)

// FuzzAnswerLine feeds lines to the command line's intake: each is taken whole or refused in words, and a refused one
// leaves no record.
func FuzzAnswerLine(f *testing.F) {
	d, s := desktest.New(f).Login(f)
	line, err := os.ReadFile("testdata/linshi.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(`{"applicant":{"name":"x"},"sign":{"strokes":[[0,0,100,100]]}}`))
	f.Add([]byte(`{"materials":["/etc/hostname"],"idcard":["../../keys/machine"]}`))
	f.Add([]byte(`{"family":[{},{}]}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		before, err := d.Store().Summary()
		if err != nil {
			t.Fatal(err)
		}
		bomb.Bounded(t, 4*bomb.Limit, func() {
			_, err = s.SubmitAnswers(t.Context(), "linshi", data, dir)
		})
		if key, _ := words.KeyOf(err); err != nil && key == "error.unknown" {
			t.Fatalf("refused without words: %v", err)
		}
		after, serr := d.Store().Summary()
		if serr != nil {
			t.Fatal(serr)
		}
		if (err == nil) != (after.Records == before.Records+1) {
			t.Fatalf("%v, and %d records became %d", err, before.Records, after.Records)
		}
	})
}

// Lines that would fill the memory are refused.
func TestAnswerLineBombs(t *testing.T) {
	_, s := desktest.New(t).Login(t)
	for name, line := range map[string]string{
		"a million rows":  `{"family":[` + strings.Repeat("{},", 1_000_000) + `{}]}`,
		"nested":          `{"family":` + strings.Repeat("[", 1_000_000),
		"endless strokes": `{"sign":{"strokes":[[` + strings.Repeat("1,2,", 900_000) + `1,2]]}}`,
	} {
		bomb.Bounded(t, 2*bomb.Limit, func() {
			if _, err := s.SubmitAnswers(t.Context(), "linshi", []byte(line), t.TempDir()); err == nil {
				t.Errorf("%s is taken", name)
			} else if key, _ := words.KeyOf(err); key == "error.unknown" {
				t.Errorf("%s is refused without words: %v", name, err)
			}
		})
	}
}
