package ident

import (
	"errors"
	"slices"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

func TestOldCharacters(t *testing.T) {
	for _, x := range []struct {
		name string
		old  []OldChar
		now  string
		err  error
	}{
		{"王\uE863芳", []OldChar{{0xE863, 0x4DAE}}, "王䶮芳", ErrNameOld},              // GBK FEA0 − 1: 䶮
		{"\uE855", []OldChar{{0xE855, 0x241FE}}, "𤇾", ErrNameOld},                 // GB 18030-2005 to 2022
		{"\uE81E\uE81E", []OldChar{{0xE81E, 0x9FB4}}, "\u9FB4\u9FB4", ErrNameOld}, // once
		{"李\uF9B4", []OldChar{{0xF9B4, 0x9818}}, "李領", ErrNameOld},                // compatibility
		{"李\U0002F800", []OldChar{{0x2F800, 0x4E3D}}, "李丽", ErrNameOld},           // its supplement
		{"\u2F08小明", []OldChar{{0x2F08, 0x4EBA}}, "人小明", ErrNameOld},              // a radical's sign
		{"王\uE000", []OldChar{{0xE000, 0}}, "王\uE000", ErrNamePrivate},            // anybody's guess
		{"王\U000F0001", []OldChar{{0xF0001, 0}}, "王\U000F0001", ErrNamePrivate},   //
		{"\uFA0E", nil, "\uFA0E", nil},                                            // a unified one among the compatibility ones
		{"𠮷\U0002B8F3·\U0002E9F5芳", nil, "𠮷\U0002B8F3·\U0002E9F5芳", nil},          // extensions B, C, F
		{"阿卜杜热合曼·阿卜杜热依木·买买提艾力江·吐尔逊", nil, "阿卜杜热合曼·阿卜杜热依木·买买提艾力江·吐尔逊", nil},        // 25 characters and more
	} {
		if got := OldChars(x.name); !slices.Equal(got, x.old) {
			t.Errorf("%+q: %v", x.name, got)
		}
		if got := Modern(x.name); got != x.now {
			t.Errorf("%+q becomes %+q", x.name, got)
		}
		if err := CheckName(x.name); !errors.Is(err, x.err) {
			t.Errorf("%+q: %v", x.name, err)
		}
	}
}

// TestEveryCompatibilityCharacterHasItsStandard compares the list with the normal forms of Unicode.
func TestEveryCompatibilityCharacterHasItsStandard(t *testing.T) {
	n := 0
	for r := rune(0xF900); r <= 0x2FA1F; r++ {
		if r == 0xFB00 {
			r = 0x2F800
		}
		want, _ := runeOf(norm.NFC.String(string(r)))
		got, ok := standards()[r]
		if ok != (want != r) || ok && got != want {
			t.Errorf("%U: %U, want %U", r, got, want)
		}
		if ok {
			n++
		}
	}
	if n < 1000 {
		t.Errorf("%d compatibility characters", n)
	}
	for from, to := range standards() {
		if standards()[to] != 0 || private(to) || !unicode.IsGraphic(to) && to < 0x20000 {
			t.Errorf("%U becomes %U", from, to)
		}
	}
}

func runeOf(s string) (rune, int) {
	for _, r := range s {
		return r, len(s)
	}
	return 0, 0
}

func TestOtherDotsBecomeTheOne(t *testing.T) {
	for _, dot := range "•．・·‧∙⋅･●․·ㆍ⦁⸱⸳ꞏ" {
		name := "买买提" + string(dot) + "艾力"
		if got := NormalizeName(name); got != "买买提·艾力" {
			t.Errorf("%U: %q", dot, got)
		}
	}
	if got := NormalizeName("葛\U000E0100田\uFE00"); got != "葛田" {
		t.Errorf("what chooses a form stays: %q", got)
	}
	long := ""
	for range 49 {
		long += "阿"
	}
	if CheckName(long+"𠮷") != nil || !errors.Is(CheckName(long+"𠮷阿"), ErrNameLong) {
		t.Error("fifty characters are the limit, whatever bytes they take")
	}
}
