package main

import (
	"bytes"
	"os"
	"testing"
)

// TestTheCommittedTablesAreTheOnesTheSourcesGive rebuilds both files where the npm package was fetched (make rare-tools) and
// all counts are asked for.
func TestTheCommittedTablesAreTheOnesTheSourcesGive(t *testing.T) {
	const root = "../../../"
	in := Inputs{Unicode: "/usr/share/unicode", NPM: "../node_modules"}
	if _, err := os.Stat(in.NPM + "/@mandel59"); os.Getenv("BIANMIN_FULL") == "" || err != nil {
		t.Skip("needs BIANMIN_FULL=1 and the npm package of packaging/rare (make rare-tools)")
	}
	for _, x := range []struct {
		path string
		make func(Inputs) ([]byte, error)
	}{{"offline/pinyin/rare/table.zst", Build}, {"offline/ident/old.txt", Old}} {
		want, err := os.ReadFile(root + x.path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.make(in)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("the sources give %d other bytes than the %d of %s: run make rare", len(got), len(want), x.path)
		}
	}
}

func TestRadicalAndStrokes(t *testing.T) {
	for in, want := range map[string][2]int{"1.4": {1, 4}, "85.4 86'.3": {85, 4}, "213''.0": {213, 0}, "137.-1": {137, 0}} {
		if n, rest := radical(in); [2]int{n, rest} != want {
			t.Errorf("%s gives %d %d", in, n, rest)
		}
	}
}
