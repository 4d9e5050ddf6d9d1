package ident

import "strings"

// CheckPhone accepts a mobile number of mainland China (11 digits, 1 then 3 to 9; +86 or 86 before it is allowed) or a
// landline with its area code (0 and 2 or 3 digits, then 7 or 8). Anything else is ErrPhone.
func CheckPhone(s string) error {
	_, err := NormalizePhone(s)
	return err
}

// NormalizePhone returns the digits of a number that CheckPhone accepts, without the country code; a landline keeps its
// area code with a dash: 0999-6001001.
func NormalizePhone(s string) (string, error) {
	s = Normalize(s)
	s = strings.NewReplacer("(", "", ")", "").Replace(s)
	if rest, ok := strings.CutPrefix(s, "+86"); ok {
		s = rest
	} else if len(s) == 13 && strings.HasPrefix(s, "86") {
		s = s[2:]
	}
	if !digits(s) || len(s) < 10 {
		return "", ErrPhone
	}
	if s[0] == '1' {
		if len(s) != 11 || s[1] < '3' {
			return "", ErrPhone
		}
		return s, nil
	}
	if s[0] != '0' {
		return "", ErrPhone
	}
	area := 4
	if s[1] == '1' || s[1] == '2' { // 010 and 02x: three digits and eight
		area = 3
	}
	local := s[area:]
	if s[1] == '0' || local[0] == '0' || local[0] == '1' {
		return "", ErrPhone
	}
	if area == 3 && len(local) != 8 || len(local) < 7 || len(local) > 8 {
		return "", ErrPhone
	}
	return s[:area] + "-" + local, nil
}

// MaskPhone masks a telephone number: the first three and the last four digits stay.
func MaskPhone(s string) string { return mask(s, 3, 4) }

// CheckBankCard accepts 16 to 19 digits with a right Luhn digit (ISO/IEC 7812-1), as printed on social security and bank
// cards; blanks are ignored. It returns ErrCardLength, ErrCardChars or ErrCardChecksum.
func CheckBankCard(s string) error {
	s = Normalize(s)
	if !digits(s) {
		return ErrCardChars
	}
	if len(s) < 16 || len(s) > 19 {
		return ErrCardLength
	}
	if s[0] == '0' {
		return ErrCardChars
	}
	sum := 0
	for i := 0; i < len(s); i++ {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	if sum%10 != 0 {
		return ErrCardChecksum
	}
	return nil
}

// MaskCard masks a bank card number: the first four and the last four digits stay.
func MaskCard(s string) string { return mask(s, 4, 4) }
