package rare

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func text(found []Char) string {
	var b strings.Builder
	for _, c := range found {
		b.WriteRune(c.Rune)
	}
	return b.String()
}

func TestFind(t *testing.T) {
	table := Load()
	for _, x := range []struct {
		query, first string // first: what the answer begins with
		has          string // what is in it
	}{
		{"U+20BB7", "𠮷", ""},
		{"20BB7", "𠮷", ""},
		{" u+20bb7 ", "𠮷", ""},
		{"0x2EBF0", "\U0002EBF0", ""}, // of the amendment
		{"木+辰", "桭", ""},
		{"木 辰", "桭", ""},
		{"木、辰", "桭", ""},
		{"⿰木辰", "桭", ""},
		{"土+口", "", "𠮷吐"},
		{"钅+享", "\U0002CB5A", "錞"}, // the simplified one first, as it was named
		{"金+享", "錞", "\U0002CB5A"},
		{"韦+华", "\U0002E9F5", ""},
		{"水+水+水", "", "淼"},
		{"氵+水", "", "沝"},
		{"木7", "", "桭"},
		{"木 + 7", "", "桭"},
		{"氵5", "", "泓"},
		{"chen", "", "桭辰陳"},
		{"chén", "", "辰"},
		{"chen2", "", "辰"},
		{"lv", "", "吕驴"},
		{"U+0041", "", ""},
		{"", "", ""},
		{"+", "", ""},
		{"99", "", ""},
	} {
		got := text(table.Find(x.query))
		if !strings.HasPrefix(got, x.first) {
			t.Errorf("%s finds %.40s, want %s first", x.query, got, x.first)
		}
		for _, r := range x.has {
			if !strings.ContainsRune(got, r) {
				t.Errorf("%s does not find %c", x.query, r)
			}
		}
	}
	for _, r := range text(table.Find("水+水+水")) {
		if table.content(mustPlace(t, table, r), 0)['水'] < 3 {
			t.Errorf("%c has not three waters", r)
		}
	}
	if got := text(table.Find("chen4")); strings.ContainsRune(got, '辰') {
		t.Error("a tone is not heeded")
	}
	if n := len(table.Find("yi")); n != MostFound {
		t.Errorf("%d characters are read yi", n)
	}
}

func mustPlace(t *testing.T, table *Table, r rune) int32 {
	t.Helper()
	i, ok := table.place(r)
	if !ok {
		t.Fatalf("no %c", r)
	}
	return i
}

// TestEveryBlockIsThere counts the characters of GB 18030-2022 level 3 and its amendment by the blocks of Unicode.
func TestEveryBlockIsThere(t *testing.T) {
	table := Load()
	for _, b := range []struct {
		name        string
		first, last rune
		want        int
	}{
		{"basic", 0x4E00, 0x9FFF, 20992},
		{"A", 0x3400, 0x4DBF, 6592},
		{"B", 0x20000, 0x2A6DF, 42720},
		{"C", 0x2A700, 0x2B739, 4154},
		{"D", 0x2B740, 0x2B81D, 222},
		{"E", 0x2B820, 0x2CEA1, 5762},
		{"F", 0x2CEB0, 0x2EBE0, 7473},
		{"I", 0x2EBF0, 0x2EE5D, 622},
		{"G", 0x30000, 0x3134A, 4939},
		{"H", 0x31350, 0x323AF, 4192},
	} {
		n, parts, radical := 0, 0, 0
		for r := b.first; r <= b.last; r++ {
			c, ok := table.Info(r)
			if !ok {
				continue
			}
			n++
			if c.Strokes == 0 || c.Code() == "" {
				t.Errorf("%U: no strokes", r)
			}
			if c.Parts != "" {
				parts++
			}
			if c.Radical > 0 {
				radical++
			}
		}
		if n != b.want || radical != n || parts < n*99/100 {
			t.Errorf("block %s: %d of %d, %d with radical, %d with parts", b.name, n, b.want, radical, parts)
		}
	}
}

func TestRadicals(t *testing.T) {
	list := Load().Radicals()
	if len(list) != 214 {
		t.Fatalf("%d radicals", len(list))
	}
	for i, r := range list {
		if r.Number != i+1 || r.Strokes == 0 {
			t.Errorf("radical %d: %+v", i+1, r)
		}
	}
	for r, want := range map[rune]int{'氵': 85, '水': 85, '亻': 9, '讠': 149, '龍': 212, '龙': 212, '⻊': 157, 'A': 0} {
		if got := RadicalOf(r); got != want {
			t.Errorf("%c is radical %d, want %d", r, got, want)
		}
	}
}

func TestOpenRefusesWhatIsNoTable(t *testing.T) {
	small, err := Pack([]Char{{Rune: '一', Strokes: 1, Radical: 1, Pinyin: []string{"yī"}}, {Rune: '丁', Strokes: 2, Radical: 1, Parts: "⿱一{3}"}})
	if err != nil {
		t.Fatal(err)
	}
	table, err := Open(small)
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := table.Info('丁'); !ok || c.Parts != "⿱一？" || table.Len() != 2 {
		t.Errorf("%+v", c)
	}
	for _, bad := range [][]byte{nil, {1, 2, 3}, small[:len(small)-3]} {
		if _, err := Open(bad); !errors.Is(err, ErrFormat) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
	if _, err := Pack([]Char{{Rune: '丁'}, {Rune: '一'}}); err == nil {
		t.Error("characters in the wrong order are packed")
	}
}

// TestMemory holds what the open table keeps with everything that searches build.
func TestMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	table, err := Open(packed)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"木+辰", "chen", "水+水", "木7"} {
		if len(table.Find(q)) == 0 {
			t.Errorf("%s finds nothing", q)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	kept := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%.1f MB", float64(kept)/1e6)
	if kept > 20<<20 {
		t.Errorf("%d bytes are kept", kept)
	}
	runtime.KeepAlive(table)
}

func FuzzFind(f *testing.F) {
	for _, q := range []string{"木+辰", "U+20BB7", "chen2", "木7", "⿰", "99999999", "ü"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		found := Load().Find(q)
		if len(found) > MostFound || slices.ContainsFunc(found, func(c Char) bool { return c.Rune == 0 || c.Strokes == 0 }) {
			t.Errorf("%q: %d found", q, len(found))
		}
	})
}
