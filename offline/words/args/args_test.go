package args

import (
	"errors"
	"flag"
	"io"
	"reflect"
	"testing"

	"bianmin/offline/words"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		line []string
		want []string
		name string
		n    int
		yes  bool
		key  string
		args map[string]string
	}{
		{line: nil},
		{line: []string{"a", "--name", "x", "b", "-n=3", "--yes", "c"}, want: []string{"a", "b", "c"}, name: "x", n: 3, yes: true},
		{line: []string{"--yes=false", "--name="}},
		{line: []string{"-", "--", "--bogus"}, want: []string{"-", "--bogus"}},
		{line: []string{"--name", "--yes"}, name: "--yes"}, // as in package flag: a value may look like a flag
		{line: []string{"a", "--bogus"}, key: KeyFlag, args: map[string]string{"flag": "--bogus"}},
		{line: []string{"--bogus=1"}, key: KeyFlag, args: map[string]string{"flag": "--bogus"}},
		{line: []string{"--n", "many"}, key: KeyValue, args: map[string]string{"flag": "--n", "value": "many"}},
		{line: []string{"--yes=perhaps"}, key: KeyValue, args: map[string]string{"flag": "--yes", "value": "perhaps"}},
		{line: []string{"a", "--name"}, key: KeyMissing, args: map[string]string{"flag": "--name"}},
	} {
		fs := flag.NewFlagSet("t", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		name, n, yes := fs.String("name", "", ""), fs.Int("n", 0, ""), fs.Bool("yes", false, "")
		got, err := Parse(fs, test.line)
		if test.key != "" {
			key, args := words.KeyOf(err)
			if key != test.key || !reflect.DeepEqual(args, test.args) {
				t.Errorf("%v: error %v with %v", test.line, err, args)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, test.want) || *name != test.name || *n != test.n || *yes != test.yes {
			t.Errorf("%v: words %q, %v; name %q, n %d, yes %v", test.line, got, err, *name, *n, *yes)
		}
	}
	for _, arg := range []string{"--help", "-h", "-help"} {
		if _, err := Parse(flag.NewFlagSet("t", flag.ContinueOnError), []string{"a", arg}); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%s: %v", arg, err)
		}
	}
}

func TestValue(t *testing.T) {
	for _, test := range []struct {
		line []string
		want string
	}{
		{nil, ""},
		{[]string{"--bogus", "--lang", "en"}, "en"},
		{[]string{"-lang=zh", "x"}, "zh"},
		{[]string{"x", "--lang"}, ""},
		{[]string{"--", "--lang", "en"}, ""},
	} {
		if got := Value(test.line, "lang"); got != test.want {
			t.Errorf("%v: %q", test.line, got)
		}
	}
}
