package pinyin

import (
	"fmt"
	"strings"
	"testing"
)

func TestFullAndInitials(t *testing.T) {
	tests := []struct{ in, full, initials string }{
		{"高龄津贴", "gao ling jin tie", "gljt"},
		{"临时救助", "lin shi jiu zhu", "lsjz"},
		{"居住登记", "ju zhu deng ji", "jzdj"},
		{"重庆银行", "chong qing yin hang", "cqyh"},
		{"社会保险会计", "she hui bao xian kuai ji", "shbxkj"},
		{"女", "nv", "n"},
		{"绿化", "lv hua", "lh"},
		{"残疾人两项补贴", "can ji ren liang xiang bu tie", "cjrlxbt"},
		{"参保登记", "can bao deng ji", "cbdj"},
		{"一件事（A4表）2份", "yi jian shi a4 biao 2 fen", "yjsa4b2f"},
		{"调查核对", "diao cha he dui", "dchd"},
		{"长辈版", "zhang bei ban", "zbb"},
		{"", "", ""},
		{"——", "", ""},
	}
	for _, tt := range tests {
		if got := strings.Join(Full(tt.in), " "); got != tt.full {
			t.Errorf("Full(%s) = %q, want %q", tt.in, got, tt.full)
		}
		if got := Initials(tt.in); got != tt.initials {
			t.Errorf("Initials(%s) = %q, want %q", tt.in, got, tt.initials)
		}
	}
}

func TestSurnames(t *testing.T) {
	for in, want := range map[string]string{
		"单田芳": "shan tian fang", "解晓东": "xie xiao dong", "仇英": "qiu ying", "曾国藩": "zeng guo fan", "查良镛": "zha liang yong",
		"任正非": "ren zheng fei", "盖叫天": "ge jiao tian", "尉迟恭": "yu chi gong", "万俟咏": "mo qi yong", "欧阳修": "ou yang xiu",
		"区小明": "ou xiao ming", "乐嘉": "yue jia", "翟天临": "zhai tian lin", "覃辉": "qin hui", "长孙无忌": "zhang sun wu ji",
		"令狐冲": "ling hu chong", "王解放": "wang jie fang", "朴树": "piao shu", "种师道": "chong shi dao", "阿依古丽·买买提": "a yi gu li mai mai ti",
	} {
		if got := strings.Join(NameFull(in), " "); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	if got := NameInitials("尉迟恭"); got != "ycg" {
		t.Error(got)
	}
	if got := strings.Join(Full("解除劳动合同"), " "); got != "jie chu lao dong he tong" {
		t.Errorf("a text was read as a name: %s", got)
	}
}

func TestMatch(t *testing.T) {
	const text = "高龄津贴申领"
	for _, q := range []string{
		"高龄", "津贴", "gljt", "GLJT", "ｇｌｊｔ", "gaoling", "gaolingjintie", "gaolingjt", "glj", "jintie", "gao ling", "gao'ling",
		"高ling", "高l津t", "jtsl", "高龄津贴申领", "shenl", "jtshl", "", "gaolin", "g",
	} {
		if _, ok := Match(q, text); !ok {
			t.Errorf("%q does not find %s", q, text)
		}
	}
	for _, q := range []string{"低保", "gljx", "gaolingx", "津高", "龄高", "xyz", "gljtslx", "1", "贴领"} {
		if s, ok := Match(q, text); ok {
			t.Errorf("%q finds %s with %d", q, text, s)
		}
	}
}

func TestBetterFitsScoreHigher(t *testing.T) {
	order := []struct{ query, better, worse string }{
		{"gljt", "高龄津贴", "高龄津贴复核"},
		{"gljt", "高龄津贴", "老人高龄津贴"},
		{"高龄", "高龄津贴", "城乡高龄老人"},
		{"居住", "居住登记", "外来人口居住登记"},
	}
	for _, o := range order {
		a, ok1 := Match(o.query, o.better)
		b, ok2 := Match(o.query, o.worse)
		if !ok1 || !ok2 || a <= b {
			t.Errorf("%s: %s %d, %s %d", o.query, o.better, a, o.worse, b)
		}
	}
	han, _ := Match("高龄", "高龄津贴")
	sound, _ := Match("gaoling", "高龄津贴")
	initial, _ := Match("gl", "高龄津贴")
	if !(han > sound && sound > initial) {
		t.Errorf("characters %d, sounds %d, initials %d", han, sound, initial)
	}
	first, _ := Match("chongqing", "重庆")
	other, _ := Match("zhongqing", "重庆")
	if first <= other {
		t.Errorf("the wrong reading scores %d, the right one %d", other, first)
	}
	if _, ok := MatchName("shan", "单田芳"); !ok {
		t.Error("shan does not find 单田芳")
	}
	if _, ok := MatchName("dan", "单田芳"); !ok {
		t.Error("dan does not find 单田芳, though clerks type it")
	}
}

func TestIndex(t *testing.T) {
	var b Builder
	b.Add("高龄津贴", "高龄长寿老人补贴", "养老")
	b.Add("临时救助", "急难救助")
	b.Add("居住登记")
	b.AddName("单田芳", "9021")
	x := b.Index()
	if x.Len() != 4 {
		t.Fatal(x.Len())
	}
	for q, want := range map[string]int{"gljt": 0, "laoren": 0, "养老": 0, "jnjz": 1, "lsjz": 1, "juzhu": 2, "登记": 2, "stf": 3, "9021": 3, "21": 3} {
		hits := x.Search(q, 5)
		if len(hits) == 0 || hits[0].ID != want {
			t.Errorf("%s: %v, want %d", q, hits, want)
		}
	}
	if hits := x.Search("", 2); len(hits) != 2 || hits[0].ID != 0 || hits[1].ID != 1 {
		t.Errorf("an empty query: %v", hits)
	}
	if hits := x.Search("低保", 0); len(hits) != 0 {
		t.Errorf("nothing should be found: %v", hits)
	}
	if hits := x.Search("z", 1); len(hits) != 1 {
		t.Errorf("the limit: %v", hits)
	}
	// The index and the single match agree.
	for _, q := range []string{"gl", "jz", "救", "l", "djx", "救z"} {
		found := map[int]bool{}
		for _, h := range x.Search(q, 0) {
			found[h.ID] = true
		}
		for id, texts := range [][]string{{"高龄津贴", "高龄长寿老人补贴", "养老"}, {"临时救助", "急难救助"}, {"居住登记"}} {
			any := false
			for _, s := range texts {
				_, ok := Match(q, s)
				any = any || ok
			}
			if any != found[id] {
				t.Errorf("%q on %v: index %v, match %v", q, texts, found[id], any)
			}
		}
	}
}

func FuzzMatch(f *testing.F) {
	for _, s := range [][2]string{{"gljt", "高龄津贴"}, {"zhzhzh", "张张张"}, {"\xff", "\xff"}, {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "啊啊啊"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, q, text string) {
		if len(text) > 300 {
			return
		}
		score, ok := Match(q, text)
		if !ok && score != 0 {
			t.Fatal("a score without a match")
		}
		if ini := Initials(text); ini != "" {
			if _, ok := Match(ini, text); !ok && len([]rune(ini)) < maxQuery && len(full(tokens(text, false))) > 0 && onlyRead(text) {
				t.Fatalf("%q is not found by its initials %q", text, ini)
			}
		}
	})
}

// onlyRead reports whether every character of text has a reading and is of ASCII otherwise.
func onlyRead(text string) bool {
	for _, t := range tokens(text, false) {
		if t.han && len(t.py) == 0 || !t.han && letterOf(t.r) == letters-1 {
			return false
		}
	}
	return true
}

func BenchmarkSearch20000(b *testing.B) {
	parts := []string{"红旗", "东风", "柳树", "石桥", "大王", "小李", "长岭", "向阳", "新建", "太平", "河西", "北沟", "三里", "双龙", "高坪", "清水", "白云", "金山", "平安", "和睦"}
	var bl Builder
	for i := range 20000 {
		bl.Add(fmt.Sprintf("%s%s%s村民委员会", parts[i%20], parts[i/20%20], parts[i/400%20]))
	}
	x := bl.Index()
	for _, q := range []string{"hq", "hongqidf", "红旗东", "cmwyh"} {
		b.Run(q, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if len(x.Search(q, 20)) == 0 {
					b.Fatal("nothing found")
				}
			}
		})
	}
}
