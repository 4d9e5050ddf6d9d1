package main

import (
	"bytes"
	"os"
	"testing"
)

const root = "../../../"

// TestTheCommittedTableIsTheOneTheSourcesGive rebuilds the table where the npm package was fetched (make rare-tools) and all
// counts are asked for.
func TestTheCommittedTableIsTheOneTheSourcesGive(t *testing.T) {
	in := Inputs{Unicode: "/usr/share/unicode", NPM: "../node_modules"}
	if _, err := os.Stat(in.NPM + "/@mandel59"); os.Getenv("BIANMIN_FULL") == "" || err != nil {
		t.Skip("needs BIANMIN_FULL=1 and the npm package of packaging/rare (make rare-tools)")
	}
	committed(t, "offline/pinyin/rare/table.zst", in, Build)
}

// TestTheCommittedOldCodePointsAreTheOnesTheSourcesGive needs no npm package: Unicode's files, and two tables of GB 18030.
func TestTheCommittedOldCodePointsAreTheOnesTheSourcesGive(t *testing.T) {
	committed(t, "offline/ident/old.txt", Inputs{Unicode: "/usr/share/unicode"}, Old)
}

func committed(t *testing.T, path string, in Inputs, build func(Inputs) ([]byte, error)) {
	t.Helper()
	want, err := os.ReadFile(root + path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := build(in)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the sources give %d other bytes than the %d of %s: run make rare", len(got), len(want), path)
	}
}

func TestRadicalAndStrokes(t *testing.T) {
	for in, want := range map[string][2]int{"1.4": {1, 4}, "85.4 86'.3": {85, 4}, "213''.0": {213, 0}, "137.-1": {137, 0}} {
		if n, rest := radical(in); [2]int{n, rest} != want {
			t.Errorf("%s gives %d %d", in, n, rest)
		}
	}
}
