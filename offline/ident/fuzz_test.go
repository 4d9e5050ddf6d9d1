package ident

import (
	"math/big"
	"regexp"
	"testing"
	"time"
)

var idShape = regexp.MustCompile(`^[1-9][0-9]{16}[0-9X]$`)

// idOracle decides by the polynomial definition of ISO 7064 MOD 11-2 instead of the weights: reading the number with
// base 2 and X as 10 must leave 1 modulo 11.
func idOracle(s string, now time.Time) bool {
	if !idShape.MatchString(s) {
		return false
	}
	sum := new(big.Int)
	for _, c := range s {
		v := int64(c - '0')
		if c == 'X' {
			v = 10
		}
		sum.Add(sum.Mul(sum, big.NewInt(2)), big.NewInt(v))
	}
	if sum.Mod(sum, big.NewInt(11)).Int64() != 1 {
		return false
	}
	y, m, d := int(s[6]-'0')*1000+int(s[7]-'0')*100+int(s[8]-'0')*10+int(s[9]-'0'), int(s[10]-'0')*10+int(s[11]-'0'), int(s[12]-'0')*10+int(s[13]-'0')
	if y < 1800 || m < 1 || m > 12 || d < 1 {
		return false
	}
	last := []int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[m-1]
	if m == 2 && (y%4 == 0 && y%100 != 0 || y%400 == 0) {
		last = 29
	}
	if d > last {
		return false
	}
	ty, tm, td := now.In(China).Date()
	return y*10000+m*100+d <= ty*10000+int(tm)*100+td
}

func FuzzParseID(f *testing.F) {
	for _, s := range []string{"11010519491231002X", "440524188001010014", "999999194102030021", "110105190002290029", "110105491231002", "", "Ｘ", "999999202611230019"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseIDAt(s, now)
		if want := idOracle(Normalize(s), now); want != (err == nil) {
			t.Fatalf("%q: %v, oracle says %v", s, err, want)
		}
		if err != nil {
			return
		}
		if again, err := ParseIDAt(id.Number, now); err != nil || again != id {
			t.Fatalf("%q does not read back", id.Number)
		}
	})
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"王秀英", "阿依古丽•买买提", " a  b ", "\xff", "王.明", ". ."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := NormalizeName(s)
		if NormalizeName(n) != n {
			t.Fatalf("%q then %q is not stable", s, n)
		}
		if CheckName(n) == nil {
			if m := []rune(MaskName(n)); len(m) > 4 || len(m) == 0 {
				t.Fatalf("mask of %q is %q", n, string(m))
			}
		}
	})
}

func FuzzCodes(f *testing.F) {
	for _, s := range []string{"91350100M000100Y43", "12441500196720244T", "999999101201", "4111111111111111", "13900000000", "0999-6001001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := ParseCredit(s); err == nil && c.Code[17:] != creditTail(c.Code[:17]) {
			t.Fatalf("credit code %q against the definition", c.Code)
		}
		if d, err := ParseDivision(s); err == nil {
			if again, err := ParseDivision(d.Code()); err != nil || again != d {
				t.Fatalf("division %q does not read back", s)
			}
		}
		if err := CheckBankCard(s); err == nil && luhn(Normalize(s)) != nil {
			t.Fatalf("card %q against the oracle", s)
		}
		if p, err := NormalizePhone(s); err == nil {
			if again, err := NormalizePhone(p); err != nil || again != p {
				t.Fatalf("phone %q reads back as %q, %v", p, again, err)
			}
		}
	})
}
