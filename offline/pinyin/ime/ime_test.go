package ime

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// texts returns the candidates for letters as texts.
func texts(o Options, letters string) []string {
	var out []string
	for _, c := range typed(o, letters) {
		out = append(out, c.Text)
	}
	return out
}

// has reports whether want is among the first n candidates for letters.
func has(o Options, letters, want string, n int) bool {
	all := texts(o, letters)
	return slices.Contains(all[:min(n, len(all))], want)
}

func TestWholeSyllablesInitialsAndBoth(t *testing.T) {
	for _, tt := range []struct{ letters, want string }{
		{"shenqinggaolingjintie", "申请高龄津贴"},
		{"gaolingjintie", "高龄津贴"},
		{"gljt", "高龄津贴"},
		{"gaolingjt", "高龄津贴"},
		{"gljintie", "高龄津贴"},
		{"shenfenzheng", "身份证"},
		{"sfzh", "身份证"},
		{"sfz", "身份证"},
		{"hukoub", "户口本"},
		{"xi'an", "西安"},
		{"zhongguo", "中国"},
	} {
		if !has(Options{}, tt.letters, tt.want, PageSize) {
			t.Errorf("%s is not on the first page of %s: %v", tt.want, tt.letters, texts(Options{}, tt.letters))
		}
	}
}

func TestApostropheParts(t *testing.T) {
	for _, c := range typed(Options{}, "xi'an") {
		if c.Keys == 4 && len([]rune(c.Text)) != 2 {
			t.Errorf("xi'an was read as one syllable: %s", c.Text)
		}
	}
	if !has(Options{}, "xian", "先", 10) {
		t.Error("xian is not read as one syllable")
	}
	if got := texts(Options{}, "fang'an"); got[0] != "方案" {
		t.Errorf("fang'an: %v", got)
	}
}

func TestEachFuzzyPairCanBeSwitched(t *testing.T) {
	for _, tt := range []struct {
		fuzzy         Fuzzy
		letters, want string
	}{
		{FuzzyZ | FuzzyEn, "zenming", "证明"},
		{FuzzyZ, "zufang", "住房"},
		{FuzzyZ, "zhujin", "租金"},
		{FuzzyC, "culi", "处理"},
		{FuzzyC, "chailiao", "材料"},
		{FuzzyS, "senqing", "申请"},
		{FuzzyS, "suijiao", "睡觉"},
		{FuzzyN, "liunai", "牛奶"},
		{FuzzyN, "nianxi", "联系"},
		{FuzzyF, "hangwu", "房屋"},
		{FuzzyF, "fukou", "户口"},
		{FuzzyAn, "yinhanka", "银行卡"},
		{FuzzyAn, "bangli", "办理"},
		{FuzzyEn, "shenhuo", "生活"},
		{FuzzyIn, "jingtie", "津贴"},
		{FuzzyIn, "shenqinshu", "申请书"},
	} {
		all := AllFuzzy
		if !has(Options{Fuzzy: tt.fuzzy}, tt.letters, tt.want, 20) {
			t.Errorf("%s with its pair alone does not give %s: %v", tt.letters, tt.want, texts(Options{Fuzzy: tt.fuzzy}, tt.letters))
		}
		if !has(Options{Fuzzy: all}, tt.letters, tt.want, 20) {
			t.Errorf("%s with all pairs does not give %s", tt.letters, tt.want)
		}
		if has(Options{Fuzzy: all &^ tt.fuzzy}, tt.letters, tt.want, MostCandidates) {
			t.Errorf("%s with its pair switched off still gives %s", tt.letters, tt.want)
		}
	}
}

func TestSlipsArePutRight(t *testing.T) {
	for _, tt := range []struct{ letters, want string }{
		{"gaolignjintie", "高龄津贴"}, // gn for ng
		{"yinhagn", "银行"},
		{"zhegnming", "证明"},
		{"shneqing", "申请"}, // swapped
		{"hsenfenzheng", "身份证"},
		{"lvse", "绿色"},
		{"nver", "女儿"},
		{"lueduo", "掠夺"},
		{"jvzhuzheng", "居住证"}, // v for u
		{"yvyue", "预约"},
		{"banlii", "办理"}, // twice
		{"hukkouben", "户口本"},
		{"shenqign", "申请"},
		{"hueibao", "汇报"}, // uei
	} {
		if !has(Options{}, tt.letters, tt.want, PageSize) {
			t.Errorf("%s does not give %s: %v", tt.letters, tt.want, texts(Options{}, tt.letters))
		}
	}
}

func TestNineKeys(t *testing.T) {
	digits := func(letters string) string {
		return strings.Map(func(r rune) rune {
			for i, keys := range nine {
				if strings.ContainsRune(keys, r) {
					return rune('2' + i)
				}
			}
			return r
		}, letters)
	}
	for _, tt := range []struct{ letters, want string }{
		{"shenfenzheng", "身份证"}, {"gaolingjintie", "高龄津贴"}, {"zhongguo", "中国"}, {"hukouben", "户口本"},
	} {
		if !has(Options{NineKey: true}, digits(tt.letters), tt.want, PageSize) {
			t.Errorf("%s (%s) on nine keys: %v", tt.letters, digits(tt.letters), texts(Options{NineKey: true}, digits(tt.letters)))
		}
	}
}

func TestComposition(t *testing.T) {
	s := Load().Session(Options{})
	if s.Input('7') || s.Input('，') || s.Input(' ') || s.Active() {
		t.Fatal("what is no letter was taken")
	}
	for _, r := range "ShenQinggaoling" {
		if !s.Input(r) {
			t.Fatalf("%c was not taken", r)
		}
	}
	if text, letters := s.Composition(); text != "" || letters != "shen'qing'gao'ling" {
		t.Errorf("composition %q %q", text, letters)
	}
	i := slices.IndexFunc(s.All(), func(c Candidate) bool { return c.Text == "申请" })
	if i < 0 {
		t.Fatalf("申请 is not offered for the beginning: %v", s.All())
	}
	if text, done := s.Pick(i); text != "" || done {
		t.Errorf("pick of a part: %q %v", text, done)
	}
	if text, letters := s.Composition(); text != "申请" || letters != "gao'ling" {
		t.Errorf("composition %q %q", text, letters)
	}
	for range len("gaoling") {
		if !s.Backspace() {
			t.Fatal("backspace did nothing")
		}
	}
	if text, letters := s.Composition(); text != "申请" || letters != "" || !s.Active() {
		t.Errorf("composition %q %q", text, letters)
	}
	s.Backspace() // the pick comes back as letters
	if text, letters := s.Composition(); text != "" || letters != "shen'qing" {
		t.Errorf("composition %q %q", text, letters)
	}
	if raw := s.Raw(); raw != "shenqing" {
		t.Errorf("raw %q", raw)
	}
	if got := s.Commit(); got != "申请" || s.Active() || s.Backspace() {
		t.Errorf("commit %q", got)
	}
	if s.Commit() != "" || s.Candidates(0) != nil || s.Pages() != 0 {
		t.Error("an empty composition has candidates")
	}
}

func TestPagesHoldAllCandidates(t *testing.T) {
	s := Load().Session(Options{})
	for _, r := range "shi" {
		s.Input(r)
	}
	n := 0
	seen := map[string]bool{}
	for p := range s.Pages() {
		page := s.Candidates(p)
		if len(page) == 0 || len(page) > PageSize {
			t.Fatalf("page %d has %d", p, len(page))
		}
		for _, c := range page {
			if seen[c.Text] {
				t.Errorf("%s is offered twice", c.Text)
			}
			seen[c.Text] = true
			n++
		}
	}
	if n != MostCandidates || s.Candidates(s.Pages()) != nil || s.Candidates(-1) != nil {
		t.Errorf("%d candidates in %d pages", n, s.Pages())
	}
	if text, done := s.Pick(MostCandidates); text != "" || done {
		t.Error("a candidate that is not there was picked")
	}
}

func TestNonsenseIsCommittedAsItIs(t *testing.T) {
	s := Load().Session(Options{})
	for _, r := range "vvv" {
		s.Input(r)
	}
	if c := s.All(); len(c) != 0 {
		t.Fatalf("vvv means %v", c)
	}
	if got := s.Commit(); got != "vvv" || s.Active() {
		t.Errorf("committed %q", got)
	}
	for range 3 * maxKeys {
		s.Input('a')
	}
	if len(s.Raw()) != maxKeys {
		t.Errorf("%d keys were taken", len(s.Raw()))
	}
	if len(s.All()) == 0 {
		t.Error("a very long composition means nothing")
	}
}

func TestLexiconComesFirstWhereItsKindIsAskedFor(t *testing.T) {
	e := Load()
	lex := e.Lexicon([]Entry{
		{"汪绣莺", Person},
		{"单田芳", Person},
		{"尉迟恭", Person},
		{"阿依古丽·买买提", Person},
		{"柳树村", Place},
		{"清荷镇", Place},
		{"陶家岭", Person},
		{"桃家岭", Place},
		{"示范县人民医院", Institution},
		{"高龄津贴申领", Service},
		{"——", Other},
	})
	if lex.Len() < 10 {
		t.Fatalf("%d entries", lex.Len())
	}
	for _, tt := range []struct {
		field         Field
		letters, want string
	}{
		{NameField, "wangxiuying", "汪绣莺"},
		{NameField, "wxy", "汪绣莺"},
		{NameField, "shantianfang", "单田芳"},
		{NameField, "dantianfang", "单田芳"},
		{NameField, "yuchigong", "尉迟恭"},
		{NameField, "ayigulimaimaiti", "阿依古丽·买买提"},
		{AddressField, "qinghezhen", "清荷镇"},
		{AddressField, "liushucun", "柳树村"},
		{AddressField, "taojialing", "桃家岭"},
		{NameField, "taojialing", "陶家岭"},
		{TextField, "shifanxianrenminyiyuan", "示范县人民医院"},
		{TextField, "gljtsl", "高龄津贴申领"},
		{TextField, "gaolingjtsl", "高龄津贴申领"},
	} {
		if got := texts(Options{Field: tt.field, Lexicon: lex, Fuzzy: AllFuzzy}, tt.letters); len(got) == 0 || got[0] != tt.want {
			t.Errorf("%s: %v, want %s first", tt.letters, got[:min(5, len(got))], tt.want)
		}
	}
}

func TestLearning(t *testing.T) {
	l := &Learned{}
	o := Options{Learned: l}
	pick := func(letters string, want ...string) {
		t.Helper()
		s := Load().Session(o)
		for _, r := range letters {
			s.Input(r)
		}
		for _, w := range want {
			i := slices.IndexFunc(s.All(), func(c Candidate) bool { return c.Text == w })
			if i < 0 {
				t.Fatalf("%s is not offered: %v", w, s.All())
			}
			s.Pick(i)
		}
		if s.Active() {
			t.Fatalf("%s is not finished", letters)
		}
	}
	pick("shenqing", "申请")
	if l.Len() != 0 {
		t.Errorf("what was right at once was learned: %d", l.Len())
	}
	if has(o, "tangguqiao", "塘沽侨", 1) {
		t.Fatal("the test's word is known already")
	}
	pick("tangguqiao", "塘", "沽", "侨")
	if got := texts(o, "tangguqiao"); got[0] != "塘沽侨" {
		t.Errorf("what was put together is not first: %v", got[:5])
	}
	if !has(o, "tgq", "塘沽侨", PageSize) {
		t.Error("it is not found by its initials")
	}
	second := texts(o, "gongshi")[1]
	for range 3 {
		pick("gongshi", second)
	}
	if got := texts(o, "gongshi")[0]; got != second {
		t.Errorf("%s was picked three times and %s is first", second, got)
	}

	data, err := l.Export()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Import(data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.Export()
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("export of what was imported differs: %v", err)
	}
	if got := texts(Options{Learned: back}, "tangguqiao"); got[0] != "塘沽侨" {
		t.Errorf("import lost a word: %v", got[:5])
	}
	if !back.Forget("塘沽侨") || back.Forget("塘沽侨") {
		t.Error("forget says the wrong thing")
	}
	if has(Options{Learned: back}, "tangguqiao", "塘沽侨", 1) {
		t.Error("a forgotten word is still first")
	}
	if b, err := back.Export(); err != nil || bytes.Contains(b, []byte("塘沽侨")) {
		t.Errorf("a forgotten word is still exported: %v", err)
	}
	back.ForgetAll()
	if back.Len() != 0 || has(Options{Learned: back}, "gongshi", second, 1) {
		t.Error("something is still known")
	}
}

func TestLearnedIsBounded(t *testing.T) {
	l := &Learned{}
	e := Load()
	for i := range MostLearned + 50 {
		a, b := e.dict.Syllables[i%len(e.dict.Syllables)], e.dict.Syllables[i/len(e.dict.Syllables)]
		l.learn("字词", []string{a, b}, a+b)
		if i%2 == 0 {
			l.learn("字词", []string{a, b}, a+b)
		}
	}
	if l.Len() != MostLearned {
		t.Errorf("%d words", l.Len())
	}
	l.learn("", []string{"a"}, "a")
	l.learn(strings.Repeat("长", longestLearned+1), slices.Repeat([]string{"chang"}, longestLearned+1), "chang")
	if l.Len() != MostLearned {
		t.Errorf("what cannot be learned was: %d", l.Len())
	}
	b, err := l.Export()
	if err != nil {
		t.Fatal(err)
	}
	if back, err := Import(b); err != nil || back.Len() != MostLearned {
		t.Errorf("import: %v", err)
	}
}

func TestImportRefuses(t *testing.T) {
	l := &Learned{}
	l.learn("字", []string{"zi"}, "zi")
	good, err := l.Export()
	if err != nil {
		t.Fatal(err)
	}
	if l, err := Import(nil); err != nil || l.Len() != 0 {
		t.Errorf("nothing: %v", err)
	}
	for i := range good {
		bad := slices.Clone(good)
		bad[i] ^= 0x80
		if _, err := Import(bad); err != nil && !errors.Is(err, ErrLearned) {
			t.Errorf("byte %d: %v", i, err)
		}
		if _, err := Import(good[:i]); i > 0 && !errors.Is(err, ErrLearned) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
}

func TestContextDecides(t *testing.T) {
	s := Load().Session(Options{})
	for _, r := range "yige" {
		s.Input(r)
	}
	if got := s.Commit(); got != "一个" {
		t.Fatalf("yige is %s", got)
	}
	for _, r := range "ren" {
		s.Input(r)
	}
	if got := s.Candidates(0)[0].Text; got != "人" {
		t.Errorf("after 一个, ren is %s", got)
	}
	s.Reset()
	if s.before != ^uint32(0) {
		t.Error("the word before outlived the field")
	}
}

func TestConvertLines(t *testing.T) {
	for line, want := range map[string]string{
		"wang xiu ying":    "王秀英",
		"Shēn Qǐng":        "申请",
		"shen1 qing3":      "申请",
		"xi’an":            "西安",
		"lü se":            "绿色",
		"gao-ling jin/tie": "高龄津贴",
	} {
		if got := Load().Convert(line, Options{}, 3); len(got) == 0 || got[0] != want {
			t.Errorf("%q: %v, want %s", line, got, want)
		}
	}
	if got := Load().Convert("", Options{}, 3); len(got) != 0 {
		t.Errorf("nothing: %v", got)
	}
}

func FuzzSession(f *testing.F) {
	f.Add("shenqinggaolingjintie", false)
	f.Add("744364'\b\b2\x01", true)
	f.Fuzz(func(t *testing.T, keys string, nine bool) {
		l := &Learned{}
		s := Load().Session(Options{Fuzzy: AllFuzzy, NineKey: nine, Learned: l, Field: Field(len(keys) % 3)})
		for i, r := range keys {
			switch {
			case r == '\b':
				s.Backspace()
			case r < 8:
				s.Pick(int(r))
			case i < 2*maxKeys:
				s.Input(r)
			}
			for _, c := range s.All() {
				if c.Text == "" || c.Keys < 1 || c.Keys > len(s.typed) {
					t.Fatalf("candidate %+v for %q", c, string(s.typed))
				}
			}
			s.Composition()
		}
		s.Commit()
		if s.Active() {
			t.Fatal("still active after a commit")
		}
		if b, err := l.Export(); err != nil {
			t.Fatal(err)
		} else if _, err := Import(b); err != nil {
			t.Fatal(err)
		}
	})
}
