package catalog_test

import (
	"os"
	"strings"
	"testing"

	"bianmin/assets/county"
	"bianmin/offline/catalog"
	"bianmin/offline/people"
	"bianmin/packaging/corpus"
)

// TestRosterOfATown: the largest roster there may be (a fifth of it without FULL) becomes a pack, and opens.
func TestRosterOfATown(t *testing.T) {
	persons := people.MaxPersons / 5
	if os.Getenv("BIANMIN_FULL") == "1" {
		persons = people.MaxPersons
	}
	src, err := corpus.County(county.FS(), corpus.Roster(1, persons))
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	data, err := catalog.Build(src, catalog.KindRoster, 1, key)
	if err != nil {
		msg := err.Error()
		t.Fatal(strings.SplitN(msg, "\n", 4))
	}
	if _, err := catalog.Open(data.Data, key.Public()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes packed", len(data.Data))
}
