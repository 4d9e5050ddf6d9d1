package ident

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

func TestParseID(t *testing.T) {
	tests := []struct {
		name, in, number, birth string
		sex                     Sex
		wantErr                 error
	}{
		{"standard woman", "11010519491231002X", "11010519491231002X", "1949-12-31", Female, nil},
		{"standard man", "440524188001010014", "440524188001010014", "1880-01-01", Male, nil},
		{"third vector", "34052419800101001X", "34052419800101001X", "1980-01-01", Male, nil},
		{"sample man", "999999194102030013", "999999194102030013", "1941-02-03", Male, nil},
		{"sample woman", "999999194102030021", "999999194102030021", "1941-02-03", Female, nil},
		{"sample 18", "999999194102030187", "999999194102030187", "1941-02-03", Female, nil},
		{"small x and blanks", " 110105 19491231 002x ", "11010519491231002X", "1949-12-31", Female, nil},
		{"full width", "１１０１０５１９４９１２３１００２ｘ", "11010519491231002X", "1949-12-31", Female, nil},
		{"empty", "", "", "", "", ErrIDLength},
		{"short", "1101051949123100", "", "", "", ErrIDLength},
		{"long", "11010519491231002X1", "", "", "", ErrIDLength},
		{"first generation", "110105491231002", "", "", "", ErrIDOld},
		{"letter inside", "1101051949A231002X", "", "", "", ErrIDChars},
		{"X inside", "1101051949X231002X", "", "", "", ErrIDChars},
		{"chinese digit", "11010519491231002十", "", "", "", ErrIDChars},
		{"no province", "010105194912310029", "", "", "", ErrIDDivision},
		{"month 13", "110105194913310029", "", "", "", ErrIDDate},
		{"30 February", "110105194902300029", "", "", "", ErrIDDate},
		{"29 February of a common year", "110105190002290029", "", "", "", ErrIDDate},
		{"year 0000", "110105000012310029", "", "", "", ErrIDDate},
		{"wrong check", "999999194102030022", "", "", "", ErrIDChecksum},
		{"two swapped digits", "999999194120030021", "", "", "", ErrIDDate},
		{"X where a digit belongs", "99999919410203002X", "", "", "", ErrIDChecksum},
		{"tomorrow", mustMake("2026-11-23"), "", "", "", ErrIDFuture},
		{"today", mustMake("2026-11-22"), mustMake("2026-11-22"), "2026-11-22", Male, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, err := ParseIDAt(tt.in, now)
			if !errors.Is(err, tt.wantErr) {
				t.Fatalf("error %v, want %v", err, tt.wantErr)
			}
			if err != nil {
				if !id.IsZero() {
					t.Fatalf("an error came with a number")
				}
				return
			}
			if id.Number != tt.number || id.Birth.Format("2006-01-02") != tt.birth || id.Sex != tt.sex || id.Division != tt.number[:6] {
				t.Fatalf("got %s %s %s", id.Number, id.Birth, id.Sex)
			}
		})
	}
}

func mustMake(birth string) string {
	b, err := time.Parse("2006-01-02", birth)
	if err != nil {
		panic(err)
	}
	s, err := MakeID("999999", b, 1)
	if err != nil {
		panic(err)
	}
	return s
}

func TestEveryWrongDigitIsSeen(t *testing.T) {
	const good = "999999194102030021"
	for i := range good {
		for c := byte('0'); c <= '9'; c++ {
			if good[i] == c {
				continue
			}
			bad := good[:i] + string(c) + good[i+1:]
			if _, err := ParseIDAt(bad, now); err == nil {
				t.Errorf("digit %d changed to %c was accepted", i, c)
			}
		}
	}
	for i := 0; i+1 < len(good); i++ {
		if good[i] == good[i+1] {
			continue
		}
		bad := good[:i] + string(good[i+1]) + string(good[i]) + good[i+2:]
		if _, err := ParseIDAt(bad, now); err == nil {
			t.Errorf("swapped digits %d and %d were accepted", i, i+1)
		}
	}
}

func TestFutureIsDecidedInChina(t *testing.T) {
	late := time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC) // already the 23rd in China
	if _, err := ParseIDAt(mustMake("2026-11-23"), late); err != nil {
		t.Fatalf("born today in China: %v", err)
	}
}

func TestOldID(t *testing.T) {
	id, err := ParseOldID("110105491231002")
	if err != nil || id.Number != "11010519491231002X" {
		t.Fatalf("got %s, %v", id.Number, err)
	}
	if _, err := ParseOldID("11010549123100"); !errors.Is(err, ErrIDLength) {
		t.Fatalf("short: %v", err)
	}
	if _, err := ParseOldID("11010549123100a"); !errors.Is(err, ErrIDChars) {
		t.Fatalf("letter: %v", err)
	}
}

func TestAge(t *testing.T) {
	tests := []struct {
		birth, on string
		want      int
	}{
		{"1941-02-03", "2026-11-22", 85},
		{"1946-11-22", "2026-11-22", 80},
		{"1946-11-23", "2026-11-22", 79},
		{"2004-02-29", "2022-02-28", 17},
		{"2004-02-29", "2022-03-01", 18},
		{"2026-11-22", "2026-11-22", 0},
		{"2027-01-01", "2026-11-22", 0},
	}
	for _, tt := range tests {
		b, _ := time.Parse("2006-01-02", tt.birth)
		o, _ := time.Parse("2006-01-02", tt.on)
		if got := (ID{Birth: b}).Age(o); got != tt.want {
			t.Errorf("%s on %s: %d, want %d", tt.birth, tt.on, got, tt.want)
		}
	}
}

func TestKind(t *testing.T) {
	for div, want := range map[string]Kind{"110105": KindResident, "810000": KindHMT, "830000": KindHMT, "999999": KindFictional, "931840": KindForeigner} {
		if got := (ID{Division: div}).Kind(); got != want {
			t.Errorf("%s: %s, want %s", div, got, want)
		}
	}
}

func TestIDNeverPrints(t *testing.T) {
	id, err := ParseIDAt("999999194102030021", now)
	if err != nil {
		t.Fatal(err)
	}
	if id.Masked() != "999***********0021" {
		t.Fatalf("masked %s", id.Masked())
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("one", slog.Any("id", id))
	for _, out := range []string{log.String(), id.String(), fmt.Sprintf("%v %+v %#v %s", id, id, id, id)} {
		if strings.Contains(out, "19410203") || strings.Contains(out, "1941") {
			t.Errorf("personal data in %q", out)
		}
	}
	_, err = ParseIDAt("999999194102030022", now)
	if strings.ContainsAny(err.Error(), "0123456789") {
		t.Errorf("the error repeats what was typed: %v", err)
	}
}

func TestPhone(t *testing.T) {
	tests := []struct {
		in, want string
	}{
		{"13900000000", "13900000000"},
		{"１３９ ００００ ００００", "13900000000"},
		{"+86 139-0000-0000", "13900000000"},
		{"8613900000000", "13900000000"},
		{"19900000000", "19900000000"},
		{"0999-6001001", "0999-6001001"},
		{"(0999) 60010012", "0999-60010012"},
		{"010-60010012", "010-60010012"},
		{"021 6001001", ""},
		{"12900000000", ""},
		{"1390000000", ""},
		{"139000000000", ""},
		{"6001001", ""},
		{"0099-6001001", ""},
		{"0999-1001001", ""},
		{"0999-600100", ""},
		{"0999-600100123", ""},
		{"1390000000a", ""},
		{"", ""},
		{"０", ""},
	}
	for _, tt := range tests {
		got, err := NormalizePhone(tt.in)
		if (err != nil) != (tt.want == "") || got != tt.want || err != nil && !errors.Is(err, ErrPhone) {
			t.Errorf("%q: %q, %v; want %q", tt.in, got, err, tt.want)
		}
		if (CheckPhone(tt.in) == nil) != (tt.want != "") {
			t.Errorf("CheckPhone(%q) disagrees", tt.in)
		}
	}
	if MaskPhone("13912345678") != "139****5678" {
		t.Error(MaskPhone("13912345678"))
	}
}

func TestBankCard(t *testing.T) {
	tests := []struct {
		in   string
		want error
	}{
		{"6222020200112233449", luhn("6222020200112233449")},
		{"4111 1111 1111 1111", nil},
		{"6212345678901265", nil},
		{"4111111111111112", ErrCardChecksum},
		{"411111111111111", ErrCardLength},
		{"41111111111111111111", ErrCardLength},
		{"4111a11111111111", ErrCardChars},
		{"0000000000000000", ErrCardChars},
		{"", ErrCardLength},
	}
	for _, tt := range tests {
		if err := CheckBankCard(tt.in); !errors.Is(err, tt.want) {
			t.Errorf("%q: %v, want %v", tt.in, err, tt.want)
		}
	}
	if MaskCard("6222020200112233") != "6222********2233" {
		t.Error(MaskCard("6222020200112233"))
	}
}

// luhn is an independent oracle: it doubles through a table and works from the left.
func luhn(s string) error {
	doubled := [10]int{0, 2, 4, 6, 8, 1, 3, 5, 7, 9}
	sum, odd := 0, len(s)%2 == 0
	for _, c := range s {
		d := int(c - '0')
		if odd {
			d = doubled[d]
		}
		sum += d
		odd = !odd
	}
	if sum%10 != 0 {
		return ErrCardChecksum
	}
	return nil
}

func TestNames(t *testing.T) {
	tests := []struct {
		in, norm string
		want     error
	}{
		{"王秀英", "王秀英", nil},
		{" 李　明 ", "李明", nil},
		{"阿依古丽•买买提", "阿依古丽·买买提", nil},
		{"阿依古丽.买买提", "阿依古丽·买买提", nil},
		{"阿依古丽 ・ 买买提", "阿依古丽·买买提", nil},
		{"𠀀𪜀", "𠀀𪜀", nil},
		{"\U0002EBF0\U00030000丂", "\U0002EBF0\U00030000丂", nil},
		{"Ｊｏｈｎ  Smith", "John Smith", nil},
		{"Mary O'Neil Jr.", "Mary O'Neil Jr.", nil},
		{"", "", ErrNameEmpty},
		{"　", "", ErrNameEmpty},
		{"王1", "王1", ErrNameChars},
		{"王\u202e明", "王明", nil},
		{"王\ue000", "王\ue000", ErrNamePrivate},
		{"·王", "·王", ErrNameDot},
		{"王·", "王·", ErrNameDot},
		{"王··明", "王··明", ErrNameDot},
		{"王-明", "王-明", ErrNameChars},
		{strings.Repeat("王", 50), strings.Repeat("王", 50), nil},
		{strings.Repeat("王", 51), strings.Repeat("王", 51), ErrNameLong},
		{"😀", "😀", ErrNameChars},
	}
	for _, tt := range tests {
		n := NormalizeName(tt.in)
		if n != tt.norm {
			t.Errorf("%q normalises to %q, want %q", tt.in, n, tt.norm)
		}
		if err := CheckName(n); !errors.Is(err, tt.want) {
			t.Errorf("%q: %v, want %v", tt.in, err, tt.want)
		}
		if NormalizeName(n) != n {
			t.Errorf("%q is not stable", n)
		}
	}
	if err := CheckName("阿依古丽•买买提"); !errors.Is(err, ErrNameDot) {
		t.Errorf("a foreign dot passed unnormalised: %v", err)
	}
}

func TestMaskName(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "王": "*", "李明": "李*", "王秀英": "王*英", "欧阳建华": "欧阳*华", "欧阳华": "欧阳*", "欧阳": "欧*",
		"阿依古丽·买买提": "阿*提", "王小明明": "王*明", "\U0002EBF0明": "\U0002EBF0*",
	} {
		if got := MaskName(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestCredit(t *testing.T) {
	tests := []struct {
		in   string
		want error
	}{
		{"91350100M000100Y43", nil},
		{"91350100m000100y43", nil},
		{"91350100M000100Y4Z", ErrCreditChars},
		{"91350100M000100Y4A", ErrCreditChecksum},
		{"12441500196720244T", nil},
		{"11341702764753563W", nil},
		{"1134170276475356", ErrCreditLength},
		{"I1341702764753563W", ErrCreditChars},
		{"1134170A764753563W", ErrCreditChars},
		{"11341702764753564" + creditTail("11341702764753564"), ErrCreditOrg},
		{"", ErrCreditLength},
	}
	for _, tt := range tests {
		c, err := ParseCredit(tt.in)
		if !errors.Is(err, tt.want) {
			t.Errorf("%q: %v, want %v", tt.in, err, tt.want)
		}
		if err == nil && (c.Org != c.Code[8:17] || c.Division != c.Code[2:8] || c.Department+c.Kind != c.Code[:2]) {
			t.Errorf("%q taken apart as %+v", tt.in, c)
		}
	}
}

// creditTail computes the check character by the definition, with whole powers of three.
func creditTail(s string) string {
	sum := new(big.Int)
	for i, c := range s {
		w := new(big.Int).Exp(big.NewInt(3), big.NewInt(int64(i)), nil)
		sum.Add(sum, w.Mul(w, big.NewInt(int64(strings.IndexRune(creditAlphabet, c)))))
	}
	r := new(big.Int).Mod(sum, big.NewInt(31)).Int64()
	return string(creditAlphabet[(31-r)%31])
}

func TestDivision(t *testing.T) {
	tests := []struct {
		in, code, parent string
		level            Level
		bad              bool
	}{
		{"999999101201", "999999101201", "999999101000", LevelVillage, false},
		{"999999101", "999999101000", "999999000000", LevelTown, false},
		{"999999", "999999000000", "999900000000", LevelCounty, false},
		{"9999", "999900000000", "990000000000", LevelCity, false},
		{"99", "990000000000", "", LevelProvince, false},
		{"441900003000", "441900003000", "441900000000", LevelTown, false},
		{"９９９９９９", "999999000000", "999900000000", LevelCounty, false},
		{"999999000201", "", "", 0, true},
		{"000000", "", "", 0, true},
		{"99999", "", "", 0, true},
		{"99999x", "", "", 0, true},
		{"", "", "", 0, true},
	}
	for _, tt := range tests {
		d, err := ParseDivision(tt.in)
		if tt.bad {
			if !errors.Is(err, ErrDivision) {
				t.Errorf("%q: %v", tt.in, err)
			}
			continue
		}
		if err != nil || d.Code() != tt.code || d.Level() != tt.level || d.String() != tt.code {
			t.Errorf("%q: %v level %d, %v", tt.in, d, d.Level(), err)
		}
		p, ok := d.Parent()
		if ok != (tt.parent != "") || p.Code() != tt.parent {
			t.Errorf("%q: parent %v", tt.in, p)
		}
		if ok && (!p.Contains(d) || d.Contains(p) || !d.Contains(d)) {
			t.Errorf("%q: Contains is wrong", tt.in)
		}
	}
	if (Division{}).Contains(Division{}) || (Division{}).Level() != LevelNone {
		t.Error("the zero division is something")
	}
}

func TestNormalizeIsStable(t *testing.T) {
	for _, s := range []string{"ａＢ１２－３４", " x y\u200bz ", "—１—", "十二"} {
		n := Normalize(s)
		if Normalize(n) != n {
			t.Errorf("%q", s)
		}
	}
	if got := Normalize("ａＢ１２－３４"); got != "AB1234" {
		t.Error(got)
	}
}
