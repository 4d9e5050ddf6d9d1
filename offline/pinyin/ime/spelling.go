package ime

import (
	"slices"
	"strings"

	"bianmin/offline/pinyin/dict"
)

// Fuzzy says which sounds are taken for each other, for people whose speech does not tell them apart.
type Fuzzy uint16

// The pairs that can be switched.
const (
	FuzzyZ  Fuzzy = 1 << iota // z and zh
	FuzzyC                    // c and ch
	FuzzyS                    // s and sh
	FuzzyN                    // n and l, at the beginning
	FuzzyF                    // f and h
	FuzzyAn                   // an and ang, also ian and iang, uan and uang
	FuzzyEn                   // en and eng
	FuzzyIn                   // in and ing

	NoFuzzy  Fuzzy = 0
	AllFuzzy Fuzzy = FuzzyZ | FuzzyC | FuzzyS | FuzzyN | FuzzyF | FuzzyAn | FuzzyEn | FuzzyIn
)

// What it costs to read letters as another syllable than they spell.
const (
	fuzzyCost   = 5 * dict.Unit
	slipCost    = 5 * dict.Unit
	umlautCost  = dict.Unit / 2 // v for u after j, q, x, y
	initialCost = 3 * dict.Unit
	prefixCost  = 2 * dict.Unit
	vowelCost   = dict.Unit // a syllable that begins with a, e, o without an apostrophe before it: xian is xian before xi'an
)

// reading says that the letters so far may stand for the syllables from lo to hi.
type reading struct {
	lo, hi uint16
	cost   dict.Cost
	fuzzy  Fuzzy // all of these must be switched on
	slip   bool
}

// spelling is a node of the letter trie.
type spelling struct {
	next     [26]int16 // 0: none
	readings []reading
	lo, hi   uint16 // the syllables that begin with these letters; none when lo > hi
	initial  bool   // an initial by itself
}

const initials = "b p m f d t n l g k h j q x zh ch sh r z c s y w a e o"

// spellings makes the letter trie of all syllables, their fuzzy forms and the usual slips.
func spellings(syllables []string) []spelling {
	t := []spelling{{lo: 1}}
	at := func(s string) int16 {
		n := int16(0)
		for i := 0; i < len(s); i++ {
			c := s[i] - 'a'
			if t[n].next[c] == 0 {
				t[n].next[c] = int16(len(t))
				t = append(t, spelling{lo: 1})
			}
			n = t[n].next[c]
		}
		return n
	}
	exact := make(map[string]bool)
	for i, s := range syllables {
		exact[s] = true
		n := at(s)
		t[n].readings = append(t[n].readings, reading{lo: uint16(i), hi: uint16(i)})
		for k := 1; k <= len(s); k++ {
			p := &t[at(s[:k])]
			if p.lo > p.hi {
				p.lo = uint16(i)
			}
			p.hi = uint16(i)
		}
	}
	for s := range strings.FieldsSeq(initials) {
		t[at(s)].initial = true
	}
	for i, s := range syllables {
		forms := fuzzyForms(s)
		typed := make(map[string]bool, len(forms))
		for _, f := range forms {
			typed[f.letters] = true
			n := at(f.letters)
			t[n].readings = append(t[n].readings, reading{uint16(i), uint16(i), fuzzyCost * dict.Cost(f.pairs), f.fuzzy, false})
		}
		for _, f := range slips(s) {
			if !exact[f.letters] && !typed[f.letters] && f.letters != s {
				typed[f.letters] = true
				n := at(f.letters)
				t[n].readings = append(t[n].readings, reading{uint16(i), uint16(i), f.cost, 0, f.cost >= slipCost})
			}
		}
	}
	return t
}

type fuzzyForm struct {
	letters string
	fuzzy   Fuzzy
	pairs   int
}

// fuzzyForms returns what somebody may type for s who confuses sounds.
func fuzzyForms(s string) []fuzzyForm {
	type swap struct {
		a, b  string
		fuzzy Fuzzy
	}
	heads := []swap{{"zh", "z", FuzzyZ}, {"ch", "c", FuzzyC}, {"sh", "s", FuzzyS}, {"n", "l", FuzzyN}, {"f", "h", FuzzyF}}
	tails := []swap{{"ang", "an", FuzzyAn}, {"eng", "en", FuzzyEn}, {"ing", "in", FuzzyIn}}
	all := []fuzzyForm{{s, 0, 0}}
	for _, h := range heads {
		for _, w := range []swap{h, {h.b, h.a, h.fuzzy}} {
			rest, ok := strings.CutPrefix(s, w.a)
			if ok && (len(w.a) > 1 || !strings.HasPrefix(rest, "h")) {
				all = append(all, fuzzyForm{w.b + rest, h.fuzzy, 1})
				break
			}
		}
	}
	for _, f := range slices.Clone(all) {
		for _, x := range tails {
			for _, w := range []swap{x, {x.b, x.a, x.fuzzy}} {
				if rest, ok := strings.CutSuffix(f.letters, w.a); ok {
					all = append(all, fuzzyForm{rest + w.b, f.fuzzy | x.fuzzy, f.pairs + 1})
					break
				}
			}
		}
	}
	return all[1:]
}

type slip struct {
	letters string
	cost    dict.Cost
}

// slips returns what hurried or unsure fingers type for s. The first spelling of several with the same letters counts.
func slips(s string) []slip {
	var out []slip
	add := func(cost dict.Cost, letters ...string) {
		for _, l := range letters {
			out = append(out, slip{l, cost})
		}
	}
	if i := strings.IndexByte(s, 'v'); i > 0 {
		add(umlautCost, s[:i]+"yu"+s[i+1:]) // nyu
		if s[i+1:] != "" {
			add(0, s[:i]+"u"+s[i+1:]) // lue
		}
	}
	if len(s) > 1 && strings.IndexByte("jqxy", s[0]) >= 0 && s[1] == 'u' {
		add(umlautCost, s[:1]+"v"+s[2:])
	}
	for short, long := range map[string]string{"iu": "iou", "ui": "uei"} {
		if rest, ok := strings.CutSuffix(s, short); ok {
			add(umlautCost, rest+long)
		}
	}
	if rest, ok := strings.CutSuffix(s, "un"); ok && strings.IndexByte("jqxy", s[0]) < 0 {
		add(umlautCost, rest+"uen")
	}
	if rest, ok := strings.CutSuffix(s, "ng"); ok {
		add(slipCost, rest+"gn", rest+"g", rest+"ngg")
	}
	if len(s) > 2 && strings.IndexByte("bpmfw", s[0]) >= 0 && s[1:] == "eng" {
		add(slipCost, s[:1]+"ong")
	}
	for i := 0; i+1 < len(s); i++ { // swapped neighbours
		if s[i] != s[i+1] {
			add(slipCost+dict.Unit, s[:i]+s[i+1:i+2]+s[i:i+1]+s[i+2:])
		}
	}
	for i := 0; i < len(s); i++ { // a letter twice
		add(slipCost+dict.Unit, s[:i+1]+s[i:])
	}
	return out
}
