package stroke

import (
	"slices"
	"strings"
	"testing"
)

// orders are those of common characters, as the primary school's books give them.
var orders = map[string]string{
	"一": "1", "人": "34", "木": "1234", "王": "1121", "李": "1234521", "刘": "413422", "高": "4125125251",
	"中": "2512", "心": "4544", "户": "4513", "女": "531", "水": "2534", "永": "45534",
}

func TestOrders(t *testing.T) {
	for c, want := range orders {
		if got := Load().Order(c); got != want {
			t.Errorf("%s is written %s, want %s", c, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	tab := Load()
	for keys, want := range map[string]string{"1234": "木", "34": "人", "1121": "王", "2512": "中"} {
		if got := tab.Find(keys, 9); !slices.Contains(got, want) {
			t.Errorf("%s finds %v, not %s", keys, got, want)
		}
	}
	if got := tab.Find("1*34", 50); !slices.Contains(got, "木") {
		t.Errorf("a star stands for nothing: %v", got)
	}
	if got := tab.Find("1234521", 1); len(got) != 1 || got[0] != "李" {
		t.Errorf("the whole character is not first: %v", got)
	}
	if tab.Find("", 5) != nil || len(tab.Find("1", 7)) != 7 {
		t.Error("nothing finds something, or the limit does not hold")
	}
}

// TestTable holds that every character is there once and every stroke is one of the five.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	tab := Load()
	if tab.Len() < 6900 {
		t.Fatalf("%d characters", tab.Len())
	}
	for i, c := range tab.chars {
		if seen[c] || tab.orders[i] == "" || strings.Trim(tab.orders[i], "12345") != "" || len(tab.orders[i]) > Longest {
			t.Errorf("%s %s", c, tab.orders[i])
		}
		seen[c] = true
	}
}

func BenchmarkFind(b *testing.B) {
	tab := Load()
	for b.Loop() {
		tab.Find("12*4", 50)
	}
}
