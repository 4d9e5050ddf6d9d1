package rare

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// MostFound is how many characters a search returns at most.
const MostFound = 600

// Find takes any of the ways to name a character and returns what it may be, likeliest first:
//   - a code point: U+20BB7, 20BB7, 0x20bb7;
//   - parts with plus signs, blanks or 、 between them: 木+辰;
//   - a radical and strokes beside it: 木7; or all strokes alone: 11;
//   - a reading without its tone: chen; a beginning of it finds more;
//   - a character: itself, then those that have it as a part.
func (t *Table) Find(query string) []Char {
	q := strings.TrimSpace(query)
	if r, ok := CodePoint(q); ok {
		if c, ok := t.Info(r); ok {
			return []Char{c}
		}
	}
	rs := []rune(q)
	switch {
	case len(rs) == 0:
		return nil
	case ascii(q):
		if n, err := strconv.Atoi(q); err == nil {
			return t.ByStrokes(0, n)
		}
		return t.ByPinyin(q)
	case len(rs) > 1 && ascii(string(rs[1:])):
		if n, err := strconv.Atoi(strings.TrimLeft(string(rs[1:]), "+ ")); err == nil {
			if radical := RadicalOf(rs[0]); radical > 0 {
				return t.ByRadical(radical, n)
			}
		}
	}
	if plain := strings.TrimFunc(q, func(r rune) bool { return !unicode.IsLetter(r) }); !hasHan(plain) {
		return t.ByPinyin(plain)
	}
	return t.ByParts(q)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return Unified(r) || component(r) })
}

// CodePoint reads a code point: U+20BB7, 20BB7, 0x20bb7. Four to six digits; four digits that are all decimal need a mark in
// front, as they may be a number.
func CodePoint(s string) (rune, bool) {
	digits := strings.ToUpper(strings.TrimSpace(s))
	marked := false
	for _, mark := range []string{"U+", "0X", "\\U", "&#X", "U"} {
		if rest, ok := strings.CutPrefix(digits, mark); ok {
			digits, marked = strings.TrimSuffix(rest, ";"), true
			break
		}
	}
	if len(digits) < 4 || len(digits) > 6 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || n > unicode.MaxRune || !marked && len(digits) == 4 && !strings.ContainsAny(digits, "0123456789") {
		return 0, false
	}
	return rune(n), true
}

// ByPinyin returns the characters read as letters say, with or without a tone number or mark; after them those whose
// reading begins so.
func (t *Table) ByPinyin(letters string) []Char {
	tone := ""
	if n := len(letters); n > 1 && letters[n-1] >= '1' && letters[n-1] <= '5' {
		letters, tone = letters[:n-1], letters[n-1:]
	}
	marked := strings.ToLower(strings.TrimSpace(letters))
	want := Plain(marked)
	if want == "" {
		return nil
	}
	if want == marked {
		marked = ""
	}
	sounds := t.bySound()
	from, _ := slices.BinarySearchFunc(sounds, want, func(s sound, w string) int { return cmp.Compare(s.letters, w) })
	var exact, longer []int32
	for _, s := range sounds[from:] {
		if !strings.HasPrefix(s.letters, want) {
			break
		}
		for _, i := range s.chars {
			switch {
			case s.letters != want:
				longer = append(longer, i)
			case (marked == "" || t.has(i, func(p string) bool { return p == marked })) &&
				(tone == "" || t.has(i, func(p string) bool { return Plain(p) == want && toneOf(p) == tone })):
				exact = append(exact, i)
			}
		}
	}
	if len(exact) > 0 && (tone != "" || marked != "") {
		longer = nil
	}
	// Whoever looks here has not found the character among the usual ones: they come last. Those that are mostly read so come
	// before those that may be read so.
	t.order(exact)
	slices.SortStableFunc(exact, func(a, b int32) int { return cmp.Compare(t.late(a, want), t.late(b, want)) })
	t.order(longer)
	return t.chars(append(exact, longer...))
}

func (t *Table) late(i int32, want string) int {
	late := 0
	first, _, _ := strings.Cut(t.readings.at(int(i)), " ")
	if Plain(first) != want {
		late++
	}
	if usual(t.runes[i]) {
		late += 2
	}
	return late
}

// usual reports whether r is one of the 6,763 characters of GB 2312, which every input method offers.
func usual(r rune) bool {
	b, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(string(r)))
	return err == nil && len(b) == 2 && b[0] >= 0xB0 && b[0] <= 0xF7 && b[1] >= 0xA1
}

// Of returns the rare characters of a text in their order, each once: those that GB 2312 does not have.
func Of(text string) []rune {
	var out []rune
	for _, r := range text {
		if Unified(r) && !usual(r) && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

func (t *Table) has(i int32, is func(string) bool) bool {
	return slices.ContainsFunc(strings.Fields(t.readings.at(int(i))), is)
}

// ByRadical returns the characters of a radical with so many strokes beside it; all of the radical when rest is negative.
func (t *Table) ByRadical(radical, rest int) []Char {
	return t.where(func(i int) bool { return int(t.radical[i]) == radical && (rest < 0 || int(t.rest[i]) == rest) })
}

// ByStrokes returns the characters with so many strokes in all, of a radical unless that is 0.
func (t *Table) ByStrokes(radical, strokes int) []Char {
	return t.where(func(i int) bool {
		return int(t.strokes[i]) == strokes && (radical == 0 || int(t.radical[i]) == radical)
	})
}

func (t *Table) where(is func(i int) bool) []Char {
	var found []int32
	for i := range t.runes {
		if is(i) {
			found = append(found, int32(i))
		}
	}
	t.order(found)
	return t.chars(found)
}

// ByParts returns the characters that have all the parts, those that are nothing else first, then those with the fewest
// strokes besides. A part that is named twice must be there twice. Signs and layout marks between the parts do not count.
func (t *Table) ByParts(parts string) []Char {
	want := map[rune]int{}
	strokes := 0
	var order []rune
	for _, r := range parts {
		if !Unified(r) && !component(r) {
			continue
		}
		r = chief(r)
		if want[r] == 0 {
			order = append(order, r)
		}
		want[r]++
		if i, ok := t.place(r); ok {
			strokes += int(t.strokes[i])
		}
	}
	if len(order) == 0 {
		return nil
	}
	var found map[int32]bool
	for _, r := range order {
		with := t.with(r)
		if found == nil {
			found = with
			continue
		}
		maps.DeleteFunc(found, func(i int32, _ bool) bool { return !with[i] })
	}
	type hit struct {
		i    int32
		fit  int // 0: just these parts as they were named; 1: just these; 2: more
		more int
	}
	single := len(order) == 1 && want[order[0]] == 1
	var hits []hit
	for i := range found {
		itself := chief(t.runes[i]) == order[0]
		if !single && itself {
			continue
		}
		ok := true
		for r, n := range want {
			if n > 1 && t.content(i, 0)[r] < n {
				ok = false
			}
		}
		if ok {
			fit := 2
			if itself || t.only(i, want) {
				fit = 1
			}
			if itself || t.named(i, parts) {
				fit = 0
			}
			hits = append(hits, hit{i, fit, int(t.strokes[i]) - strokes})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.fit, b.fit), cmp.Compare(max(a.more, -a.more), max(b.more, -b.more)), cmp.Compare(t.rank(a.i), t.rank(b.i)), cmp.Compare(a.i, b.i))
	})
	out := make([]int32, len(hits))
	for n, h := range hits {
		out[n] = h.i
	}
	return t.chars(out)
}

// named reports whether the parts of character i are just those in parts, in the same form and order.
func (t *Table) named(i int32, parts string) bool {
	bare := func(s string) string {
		return strings.Map(func(r rune) rune {
			if Unified(r) || component(r) {
				return r
			}
			return -1
		}, s)
	}
	return bare(t.parts.at(int(i))) == bare(parts)
}

// only reports whether the parts of character i, as it is first taken apart, are just those wanted.
func (t *Table) only(i int32, want map[rune]int) bool {
	left := maps.Clone(want)
	for _, r := range t.parts.at(int(i)) {
		if operator(r) {
			continue
		}
		r = chief(r)
		if left[r]--; left[r] < 0 {
			return false
		}
	}
	for _, n := range left {
		if n > 0 {
			return false
		}
	}
	return t.parts.at(int(i)) != ""
}

// with returns all characters that are r or have it as a part at any depth.
func (t *Table) with(r rune) map[int32]bool {
	index := t.byPart()
	out := map[int32]bool{}
	var todo []rune
	add := func(r rune) {
		for _, v := range forms(r) {
			todo = append(todo, v)
			if i, ok := t.place(v); ok {
				out[i] = true
			}
		}
	}
	add(r)
	for len(todo) > 0 {
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, i := range index[next] {
			if !out[i] {
				out[i] = true
				todo = append(todo, t.runes[i])
			}
		}
	}
	return out
}

// content returns how often each part is in a character, at any depth. deep keeps faulty data from going round.
func (t *Table) content(i int32, deep int) map[rune]int {
	const deepest = 12
	if c, ok := t.contents.Load(i); ok {
		return c.(map[rune]int)
	}
	out := map[rune]int{}
	if deep > deepest {
		return out
	}
	for _, r := range t.parts.at(int(i)) {
		if operator(r) {
			continue
		}
		out[chief(r)]++
		if j, ok := t.place(r); ok && j != i {
			for x, n := range t.content(j, deep+1) {
				out[x] += n
			}
		}
	}
	if deep == 0 {
		t.contents.Store(i, out)
	}
	return out
}

func (t *Table) indexParts() map[rune][]int32 {
	out := map[rune][]int32{}
	for i := range t.runes {
		for _, r := range t.parts.at(i) {
			if operator(r) || r == t.runes[i] {
				continue
			}
			if list := out[r]; len(list) == 0 || list[len(list)-1] != int32(i) {
				out[r] = append(list, int32(i))
			}
		}
	}
	return out
}

func (t *Table) indexSounds() []sound {
	at := map[string][]int32{}
	for i := range t.runes {
		for _, p := range strings.Fields(t.readings.at(i)) {
			s := Plain(p)
			if list := at[s]; len(list) == 0 || list[len(list)-1] != int32(i) {
				at[s] = append(list, int32(i))
			}
		}
	}
	out := make([]sound, 0, len(at))
	for _, s := range slices.Sorted(maps.Keys(at)) {
		out = append(out, sound{s, at[s]})
	}
	return out
}

// rank orders characters by how likely one meets them: the common block, then the extensions in the order of their making.
func (t *Table) rank(i int32) int {
	switch r := t.runes[i]; {
	case r >= 0x4E00 && r <= 0x9FFF || r == '〇':
		return 0
	case r < 0x4E00:
		return 1
	case r >= 0x2A700 && r < 0x2EBF0: // C to F hold the new simplified ones, which people bear as names
		return 2
	case r < 0x2A700:
		return 3
	default:
		return 4
	}
}

// order puts the usual ones first, then those of few strokes.
func (t *Table) order(list []int32) {
	slices.SortFunc(list, func(a, b int32) int {
		return cmp.Or(cmp.Compare(t.rank(a), t.rank(b)), cmp.Compare(t.strokes[a], t.strokes[b]), cmp.Compare(a, b))
	})
}

// chars makes the answer, each character once.
func (t *Table) chars(list []int32) []Char {
	out := make([]Char, 0, min(len(list), MostFound))
	seen := make(map[int32]bool, len(list))
	for _, i := range list {
		if len(out) == MostFound {
			break
		}
		if !seen[i] {
			seen[i] = true
			out = append(out, t.char(i))
		}
	}
	return out
}

// Plain takes the tone from a reading: chén gives chen, lǜ gives lv.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		for _, set := range vowels {
			if strings.ContainsRune(set, r) {
				return rune(set[0])
			}
		}
		switch {
		case r >= 0x300 && r <= 0x36F, r == '\'', r == ' ':
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// vowels with their tones; the first is what is typed.
var vowels = []string{"aāáǎà", "eēéěèêếềḗ", "iīíǐì", "oōóǒò", "uūúǔù", "vüǖǘǚǜ", "nńňǹ", "mḿ"}

func toneOf(s string) string {
	for _, marks := range []struct{ tone, set string }{
		{"1", "āēīōūǖḗ"}, {"2", "áéíóúǘếńḿ"}, {"3", "ǎěǐǒǔǚň"}, {"4", "àèìòùǜềǹ"},
	} {
		if strings.ContainsAny(s, marks.set) {
			return marks.tone
		}
	}
	return "5"
}
