package dict

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func smallSource() Source {
	return Source{
		Syllables: []string{"an", "ban", "li", "xi", "xian"},
		Words: []Word{
			{"西", []uint16{3}, 300, Noun},
			{"安", []uint16{0}, 310, Noun},
			{"先", []uint16{4}, 200, Noun},
			{"线", []uint16{4}, 400, Noun},
			{"西安", []uint16{3, 0}, 500, Place},
			{"办理", []uint16{1, 2}, 450, Noun},
			{"办", []uint16{1}, 350, Noun},
			{"理", []uint16{2}, 360, Noun},
		},
		Classes: 5, Follow: make([]int16, 25),
		Names: Names{Surnames: []Surname{{Text: "安", Syl: []uint16{0}, Cost: 100}}, Given: []Given{{Char: "理", Syl: 2}}},
		Pairs: func(t *Trie) ([]Pair, []Leave) {
			var a, b uint32
			for w := range uint32(t.Len()) {
				switch t.Text(w) {
				case "西安":
					a = w
				case "办理":
					b = w
				}
			}
			edge := uint32(t.Len())
			return []Pair{{a, b, 77}, {b, edge, 66}, {edge, b, 55}}, []Leave{{a, 30}, {b, 8}, {edge, 5}}
		},
	}
}

func TestPackAndOpen(t *testing.T) {
	src := smallSource()
	data, err := Pack(src)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Pack(src); err != nil || !bytes.Equal(data, again) {
		t.Errorf("the same source gives other bytes: %v", err)
	}
	d, err := Open(data)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Word{}
	for _, w := range src.Words {
		want[w.Text] = w
	}
	if d.Words.Len() != len(want) {
		t.Fatalf("%d words", d.Words.Len())
	}
	place := map[string]uint32{}
	for w := range uint32(d.Words.Len()) {
		x := want[d.Words.Text(w)]
		if !slices.Equal(d.Words.Syllables(w), x.Syl) || d.Words.Cost(w) != x.Cost || d.Words.Class(w) != x.Class {
			t.Errorf("%s came back as %v %d %d", d.Words.Text(w), d.Words.Syllables(w), d.Words.Cost(w), d.Words.Class(w))
		}
		place[d.Words.Text(w)] = w
	}
	xian, ok := d.Words.Find(0, 4)
	if !ok {
		t.Fatal("xian is not found")
	}
	first, end := d.Words.Words(xian)
	if end-first != 2 || d.Words.Text(first) != "先" {
		t.Errorf("words of xian: %d, the first is %s", end-first, d.Words.Text(first))
	}
	if _, ok := d.Words.Find(xian, 0); ok {
		t.Error("xian an is a word")
	}
	if a, b := d.Words.Range(0, 3, 4); b-a != 2 {
		t.Errorf("%d syllables begin with x", b-a)
	}
	if c := d.Follows(place["西安"], Place, place["办理"], Noun, 450); c != 77 {
		t.Errorf("a pair costs %d", c)
	}
	if c := d.Follows(place["西安"], Place, place["先"], Noun, 200); c != 230 {
		t.Errorf("what is no pair costs %d", c)
	}
	if c := d.Follows(None, Start, place["先"], Noun, 200); c != 205 {
		t.Errorf("at the beginning it costs %d", c)
	}
	if c := d.Follows(None, Start, place["办理"], Noun, 450); c != 55 {
		t.Errorf("what often begins a sentence costs %d there", c)
	}
	if c := d.Follows(place["办理"], Noun, None, Start, EndCost); c != 66 {
		t.Errorf("the end costs %d after what often ends a sentence", c)
	}
	if c := d.Follows(place["先"], Noun, None, Start, EndCost); c != EndCost {
		t.Errorf("the end costs %d after a word of which nothing is known", c)
	}
}

func TestOpenRefuses(t *testing.T) {
	data, err := Pack(smallSource())
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		if _, err := Open(data[:i]); !errors.Is(err, ErrFormat) {
			t.Fatalf("cut at %d: %v", i, err)
		}
		bad := slices.Clone(data)
		bad[i] ^= 0x55
		if _, err := Open(bad); err != nil && !errors.Is(err, ErrFormat) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	src := smallSource()
	src.Words = append(src.Words, Word{"长", []uint16{0, 1}, 1, Noun})
	if _, err := Pack(src); err == nil {
		t.Error("a word with too many syllables was packed")
	}
}

func TestTheDictionaryHoldsWhatItIsFor(t *testing.T) {
	d := Load()
	if n := d.Words.Len(); n < 200_000 {
		t.Errorf("%d words", n)
	}
	for _, s := range []string{"lv", "nv", "lve", "nve", "er", "zhuang", "a"} {
		if _, ok := d.Syllable(s); !ok {
			t.Errorf("no syllable %s", s)
		}
	}
	if len(d.Names.Surnames) < 400 || len(d.Names.Given) < 1000 || len(d.Names.Usual) < 500 {
		t.Errorf("names: %d %d %d", len(d.Names.Surnames), len(d.Names.Given), len(d.Names.Usual))
	}
	if len(packed) > 4<<20 {
		t.Errorf("the file has %d bytes", len(packed))
	}
}
