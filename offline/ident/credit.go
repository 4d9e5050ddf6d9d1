package ident

import "strings"

// Credit is a checked unified social credit code and its parts (GB 32100-2015 §4).
type Credit struct {
	Code       string // 18 characters, normalised
	Department string // registering department, 1 character: 9 market supervision, 5 civil affairs, 1 establishment office …
	Kind       string // kind within the department, 1 character: 91 enterprise, 92 individual business, 93 farmers' cooperative
	Division   string // 6 digits of the registering authority
	Org        string // organisation code of GB 11714 with its check character, 9 characters
}

// creditAlphabet gives each character its value 0 to 30; I, O, S, V and Z are left out.
const creditAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// ParseCredit reads a unified social credit code and checks both check characters. It returns ErrCreditLength,
// ErrCreditChars, ErrCreditChecksum or ErrCreditOrg.
func ParseCredit(s string) (Credit, error) {
	s = Normalize(s)
	if len([]rune(s)) != 18 {
		return Credit{}, ErrCreditLength
	}
	if len(s) != 18 || !digits(s[2:8]) {
		return Credit{}, ErrCreditChars
	}
	sum, weight := 0, 1
	for i := 0; i < 17; i++ {
		v := strings.IndexByte(creditAlphabet, s[i])
		if v < 0 {
			return Credit{}, ErrCreditChars
		}
		sum += v * weight
		weight = weight * 3 % 31
	}
	if strings.IndexByte(creditAlphabet, s[17]) < 0 {
		return Credit{}, ErrCreditChars
	}
	if creditAlphabet[(31-sum%31)%31] != s[17] {
		return Credit{}, ErrCreditChecksum
	}
	if !orgCheck(s[8:17]) {
		return Credit{}, ErrCreditOrg
	}
	return Credit{Code: s, Department: s[:1], Kind: s[1:2], Division: s[2:8], Org: s[8:17]}, nil
}

// orgCheck verifies an organisation code of 9 characters. GB 11714 gives letters the values 10 to 35.
func orgCheck(s string) bool {
	weights := [8]int{3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		c := s[i]
		v := int(c - '0')
		if c >= 'A' {
			v = int(c-'A') + 10
		}
		sum += v * w
	}
	return "0X987654321"[sum%11] == s[8]
}
