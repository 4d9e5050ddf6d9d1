package speech

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	chineseAmount = regexp.MustCompile(`[¥￥]?\s*(\d[\d,]*)(?:\.(\d{1,2}))?\s*元`)
	englishAmount = regexp.MustCompile(`[¥￥]\s*(\d[\d,]*)(?:\.(\d{1,2}))?`)
	// number is what is read digit by digit: ID numbers, telephones, receipt numbers with their hyphens.
	number = regexp.MustCompile(`[0-9A-Z](?:[0-9A-Z]|[ -](?:[0-9A-Z])){6,}|\d+(?:-\d+)+`)
	date   = regexp.MustCompile(`(\d{4})-(\d{2})-(\d{2})`)
)

// Speakable turns a text as it is written into one as it is read: amounts as numerals (一百二十三元四角), long numbers digit
// by digit, dates as dates. lang is "zh" or "en".
func Speakable(lang, text string) string {
	text = strings.NewReplacer("·", "，", "|", "，", "\n", "，").Replace(text)
	if lang == "en" {
		text = strings.ReplaceAll(text, "，", ", ")
		return number.ReplaceAllStringFunc(text, digits)
	}
	text = date.ReplaceAllStringFunc(text, func(s string) string {
		m := date.FindStringSubmatch(s)
		month, _ := strconv.Atoi(m[2])
		day, _ := strconv.Atoi(m[3])
		return chineseDigits(m[1]) + "年" + Numeral(int64(month)) + "月" + Numeral(int64(day)) + "日"
	})
	amount := func(pattern *regexp.Regexp) {
		text = pattern.ReplaceAllStringFunc(text, func(s string) string {
			m := pattern.FindStringSubmatch(s)
			whole := strings.ReplaceAll(m[1], ",", "")
			if len(whole) > 12 {
				return s
			}
			yuan, err := strconv.ParseInt(whole, 10, 64)
			if err != nil {
				return s
			}
			cents, _ := strconv.ParseInt((m[2] + "00")[:2], 10, 64) // digits, after the pattern
			return Amount(yuan*100 + cents)
		})
	}
	amount(chineseAmount)
	amount(englishAmount)
	return number.ReplaceAllStringFunc(text, func(s string) string { return chineseDigits(s) })
}

// digits spaces the characters of a number, so that each is read for itself: "7-12" is "7, 1 2".
func digits(no string) string {
	var out []string
	for _, r := range no {
		switch {
		case r == '-' && len(out) > 0:
			out[len(out)-1] += ","
		case r != ' ':
			out = append(out, string(r))
		}
	}
	return strings.Join(out, " ")
}

const numerals = "零一二三四五六七八九"

// chineseDigits reads a number digit by digit; letters stay, each for itself.
func chineseDigits(no string) string {
	var b strings.Builder
	for _, r := range no {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune([]rune(numerals)[r-'0'])
		case r == '-':
			b.WriteRune('，') // a pause
		case r != ' ':
			b.WriteString(" " + string(r) + " ")
		}
	}
	return strings.TrimSpace(b.String())
}

// Amount returns an amount in fen as it is read: 12340 is 一百二十三元四角, 500 is 五元整.
func Amount(fen int64) string {
	if fen < 0 {
		return "负" + Amount(-fen)
	}
	out := ""
	if fen >= 100 || fen == 0 {
		out = Numeral(fen/100) + "元"
	}
	jiao, cent := fen/10%10, fen%10
	switch {
	case jiao == 0 && cent == 0:
		return out + "整"
	case jiao == 0 && out != "":
		return out + "零" + Numeral(cent) + "分"
	case cent == 0:
		return out + Numeral(jiao) + "角"
	}
	if jiao > 0 {
		out += Numeral(jiao) + "角"
	}
	return out + Numeral(cent) + "分"
}

// Numeral returns a number below 10^16 as it is read in Chinese: 10 is 十, 110 一百一十, 10050 一万零五十.
func Numeral(n int64) string {
	if n == 0 {
		return "零"
	}
	type step struct {
		size int64
		word string
	}
	for _, s := range []step{{1e8, "亿"}, {1e4, "万"}} {
		if n < s.size {
			continue
		}
		out := Numeral(n/s.size) + s.word
		rest := n % s.size
		if rest == 0 {
			return out
		}
		if rest < s.size/10 { // its highest place is empty
			out += "零"
		}
		return out + within(rest)
	}
	if n >= 10 && n < 20 {
		return strings.TrimPrefix(within(n), "一")
	}
	return within(n)
}

// within reads a number inside a larger one: ten is 一十 there.
func within(n int64) string {
	if n >= 1e4 {
		return Numeral(n)
	}
	words := []rune(numerals)
	var b strings.Builder
	zero := false
	for _, p := range []struct {
		size int64
		word string
	}{{1000, "千"}, {100, "百"}, {10, "十"}, {1, ""}} {
		d := n / p.size % 10
		switch {
		case d == 0:
			zero = zero || b.Len() > 0
		default:
			if zero {
				b.WriteRune('零')
				zero = false
			}
			b.WriteString(string(words[d]) + p.word)
		}
	}
	return b.String()
}
