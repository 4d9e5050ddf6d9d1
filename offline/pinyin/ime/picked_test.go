package ime

import (
	"slices"
	"testing"
	"unicode/utf8"

	"bianmin/offline/canon"
)

// readings are sounds that mean several words each, of one syllable to three.
var readings = []string{
	"shi", "yi", "li", "zhang", "wang", "gongshi", "shiji", "yiyi", "lishi", "jianjian", "zhishi", "shenqing", "baozhang", "shijian", "jiaofei",
	"cunwei", "youyi", "qingshi", "zhuren", "jihua", "daxuesheng", "yanglao", "dianhua", "huji", "shenfen", "fangwu", "canji", "jiuzhu", "weiyuanhui",
	"lihua", "jianguo", "xiuying", "yulan", "wangxiuying", "zhangwei", "lina", "liuyang",
}

// TestAWordPickedOnceComesFirst picks each candidate of the first pages once, each on a machine that has learned nothing else: the next time it
// stands on the first page, and before every word of its length that was never picked.
func TestAWordPickedOnceComesFirst(t *testing.T) {
	picks, first := 0, 0
	for _, field := range []Field{TextField, NameField, AddressField} {
		for _, letters := range readings {
			before := texts(Options{Field: field}, letters)
			for at := 1; at < min(len(before), 2*PageSize); at++ {
				word := before[at]
				l := &Learned{}
				o := Options{Field: field, Learned: l}
				s := Load().Session(o)
				for _, r := range letters {
					s.Input(r)
				}
				s.Pick(at)
				if s.Active() {
					continue // a part of what was typed
				}
				picks++
				after := texts(o, letters)
				now := slices.Index(after, word)
				if now < 0 || now >= PageSize {
					t.Errorf("field %d, %s: %s was picked at %d and is at %d", field, letters, word, at, now)
					continue
				}
				if now == 0 {
					first++
				}
				for _, other := range after[:now] {
					if utf8.RuneCountInString(other) == utf8.RuneCountInString(word) {
						t.Errorf("field %d, %s: %s was picked and comes after %s", field, letters, word, other)
					}
				}
			}
		}
	}
	if picks < 500 {
		t.Errorf("only %d words were picked", picks)
	}
	t.Logf("%d words picked once, %d of them first afterwards", picks, first)
}

// TestTheLastPickComesFirst goes back and forth between two words: the one picked last is first, and a longer text is converted as if
// neither had been picked alone.
func TestTheLastPickComesFirst(t *testing.T) {
	l := &Learned{}
	o := Options{Learned: l}
	sentence := texts(o, "dadianhuawenyixia")[0]
	pick := func(word string) {
		t.Helper()
		s := Load().Session(o)
		for _, r := range "dianhua" {
			s.Input(r)
		}
		s.Pick(slices.IndexFunc(s.All(), func(c Candidate) bool { return c.Text == word }))
		if got := texts(o, "dianhua"); got[0] != word {
			t.Errorf("%s was picked and %s is first", word, got[0])
		}
	}
	pick("点化")
	pick("电话")
	pick("点化")
	pick("电话")
	if got := texts(o, "dadianhuawenyixia")[0]; got != sentence {
		t.Errorf("the sentence is %s, it was %s", got, sentence)
	}
}

// TestWhatWasLearnedBeforeIsRead reads the form of version 1, which did not say what was typed.
func TestWhatWasLearnedBeforeIsRead(t *testing.T) {
	old := learnedFileV1{Version: 1, Picks: 3, Words: []wordV1{{Text: "点化", Syl: []string{"dian", "hua"}, Count: 2, Last: 3}}}
	data, err := canon.Marshal(&old)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Import(data)
	if err != nil || l.Len() != 1 {
		t.Fatalf("%d words, %v", l.Len(), err)
	}
	if got := texts(Options{Learned: l}, "dianhua"); got[0] != "点化" {
		t.Errorf("first is %s", got[0])
	}
	data, err = l.Export()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Import(data); err != nil || again.Len() != 1 {
		t.Errorf("exported and read again: %v", err)
	}
}
