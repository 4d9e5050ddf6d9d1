package main

import (
	"bytes"
	"os"
	"testing"
)

// TestTheCommittedTableIsTheOneTheSourceGives rebuilds the table where its npm package was fetched (make stroke).
func TestTheCommittedTableIsTheOneTheSourceGives(t *testing.T) {
	const src = "../node_modules/cnchar-order/cnchar.order.min.js"
	if _, err := os.Stat(src); os.Getenv("BIANMIN_FULL") == "" || err != nil {
		t.Skip("needs BIANMIN_FULL=1 and the npm package of packaging/stroke (make stroke)")
	}
	want, err := os.ReadFile("../../../offline/pinyin/stroke/strokes.txt")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Build(src)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the source gives %d other bytes than the %d committed: run make stroke", len(got), len(want))
	}
}
