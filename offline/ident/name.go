package ident

import (
	"strings"
	"unicode"
)

// NameMax is the longest name in characters. The rule of 2016 (民委发〔2016〕33号) asks for room for at least 50.
const NameMax = 50

// Dot is the one separator in names of national minorities and foreigners: U+00B7 (民委发〔2016〕33号).
const Dot = '·'

// NormalizeName prepares a typed name: the many look-alikes of the separator become U+00B7, full-width Latin becomes
// half-width, blanks at the ends and between Chinese characters go, several blanks become one, invisible characters go.
func NormalizeName(s string) string {
	in := make([]rune, 0, len(s))
	for _, r := range s {
		switch {
		case invisible(r):
			continue
		case blank(r):
			r = ' '
		case r >= 0xFF01 && r <= 0xFF5E:
			r -= 0xFEE0
		case dotLike(r):
			r = Dot
		}
		in = append(in, r)
	}
	out := make([]rune, 0, len(in))
	for i, r := range in {
		var prev, next rune // nearest neighbours that are no blank
		for j := i - 1; j >= 0 && prev == 0; j-- {
			if in[j] != ' ' {
				prev = in[j]
			}
		}
		for j := i + 1; j < len(in) && next == 0; j++ {
			if in[j] != ' ' {
				next = in[j]
			}
		}
		if r == '.' && IsHan(prev) && IsHan(next) {
			r = Dot
		}
		if r == ' ' {
			if prev == 0 || next == 0 || in[i-1] == ' ' || nameTight(prev) || nameTight(next) {
				continue
			}
		}
		out = append(out, r)
	}
	return string(out)
}

func nameTight(r rune) bool { return IsHan(r) || r == Dot }

func dotLike(r rune) bool {
	switch r {
	case 0x00B7, 0x0387, 0x2022, 0x2024, 0x2027, 0x2219, 0x22C5, 0x25CF, 0x2981, 0x2E31, 0x2E33, 0x30FB, 0x318D,
		0xA78F, 0xFF65, 0xFF0E:
		return true
	}
	return false
}

// IsHan reports whether r is a Chinese character of GB 18030, with the extensions that the standard library's tables do
// not list yet (all of planes 2 and 3 is reserved for them).
func IsHan(r rune) bool {
	return r >= 0x20000 && r <= 0x3FFFD || r == '〇' || unicode.Is(unicode.Han, r) && r != '々'
}

// CheckName checks a name after NormalizeName: 1 to 50 characters, Chinese characters or letters, with single
// separators U+00B7 between parts; a foreigner's Latin name may have single blanks, dashes, apostrophes and full stops
// inside. It returns ErrNameEmpty, ErrNameLong, ErrNameOld, ErrNamePrivate, ErrNameChars or ErrNameDot.
func CheckName(s string) error {
	if strings.TrimSpace(s) == "" {
		return ErrNameEmpty
	}
	r := []rune(s)
	if len(r) > NameMax {
		return ErrNameLong
	}
	if err := checkOld(s); err != nil {
		return err
	}
	letters := 0
	for i, c := range r {
		switch {
		case IsHan(c) || unicode.IsLetter(c):
			letters++
		case unicode.IsMark(c) && i > 0:
		case c == Dot:
			if i == 0 || i == len(r)-1 || r[i-1] == Dot {
				return ErrNameDot
			}
		case dotLike(c):
			return ErrNameDot
		case c == ' ' || c == '-' || c == '\'' || c == '.':
			if i == 0 || i == len(r)-1 && c != '.' || IsHan(r[i-1]) || r[i-1] == c {
				return ErrNameChars
			}
		default:
			return ErrNameChars
		}
	}
	if letters == 0 {
		return ErrNameChars
	}
	return nil
}

// MaskName masks a name for paper and lists: the surname (compound ones whole), one star, and the last character:
// 欧阳*华, 王*英, 李* (two characters), 阿*提. One character gives a star alone.
func MaskName(s string) string {
	r := []rune(s)
	switch len(r) {
	case 0:
		return ""
	case 1:
		return "*"
	}
	head := SurnameLen(s)
	if len(r) <= head+1 {
		return string(r[:min(head, len(r)-1)]) + "*"
	}
	return string(r[:head]) + "*" + string(r[len(r)-1])
}

// SurnameLen returns how many characters of a Chinese name are the surname: 2 for the compound surnames in use, else 1;
// 0 for an empty name. Names with a separator count as 1.
func SurnameLen(s string) int {
	r := []rune(s)
	if len(r) == 0 {
		return 0
	}
	if len(r) > 2 && strings.Contains(compound, string(r[:2])+" ") && !strings.ContainsRune(s, Dot) {
		return 2
	}
	return 1
}

// compound lists the compound surnames in use, each followed by a blank.
const compound = "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 " +
	"公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 " +
	"令狐 段干 百里 呼延 东郭 南门 羊舌 微生 公户 公玉 公仪 梁丘 公仲 公上 公门 公山 公坚 左丘 公伯 西门 公祖 第五 公乘 贯丘 公皙 " +
	"南荣 东里 仲长 子书 子桑 即墨 达奚 褚师 纳兰 耶律 完颜 "
