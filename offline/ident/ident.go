// Package ident checks and normalises the identifiers that papers carry: citizen ID numbers (GB 11643), unified social
// credit codes (GB 32100, GB 11714), division codes (GB/T 2260 and the statistical township and village codes),
// telephone and bank card numbers, and names.
//
// Everything typed at a desk passes through here first. Checks return one of the sentinel errors below; each is a
// [words.Error], so a screen can show its text, and none of them carries what was typed: personal data never reaches
// a log. All functions are pure and may be called from any goroutine.
package ident

import (
	"strings"
	"time"

	"bianmin/offline/words"
)

// Errors of this package. Compare with errors.Is; the text for people is the translation of the key.
var (
	// ErrIDLength reports an ID number that has not 18 characters.
	ErrIDLength error = words.New("ident.idLength", nil)
	// ErrIDOld reports a 15-digit number of the first generation; ParseOldID reads it where old papers are allowed.
	ErrIDOld error = words.New("ident.idOld", nil)
	// ErrIDChars reports a character that cannot stand at its place in an ID number.
	ErrIDChars error = words.New("ident.idChars", nil)
	// ErrIDDivision reports an ID number whose address code begins with zero.
	ErrIDDivision error = words.New("ident.idDivision", nil)
	// ErrIDDate reports a birth date that is not in the calendar.
	ErrIDDate error = words.New("ident.idDate", nil)
	// ErrIDFuture reports a birth date after today.
	ErrIDFuture error = words.New("ident.idFuture", nil)
	// ErrIDChecksum reports a check character that does not fit: usually one wrong or two swapped digits.
	ErrIDChecksum error = words.New("ident.idChecksum", nil)

	// ErrPhone reports a number that is neither a mobile number nor a landline with its area code.
	ErrPhone error = words.New("ident.phone", nil)

	// ErrCardLength reports a bank card number that has not 16 to 19 digits.
	ErrCardLength error = words.New("ident.cardLength", nil)
	// ErrCardChars reports a character other than a digit in a bank card number, or a leading zero.
	ErrCardChars error = words.New("ident.cardChars", nil)
	// ErrCardChecksum reports a bank card number whose Luhn check digit does not fit.
	ErrCardChecksum error = words.New("ident.cardChecksum", nil)

	// ErrNameEmpty reports a missing name.
	ErrNameEmpty error = words.New("ident.nameEmpty", nil)
	// ErrNameLong reports a name of more than 50 characters.
	ErrNameLong error = words.New("ident.nameLong", nil)
	// ErrNameChars reports a character that cannot be part of a name.
	ErrNameChars error = words.New("ident.nameChars", nil)
	// ErrNameDot reports a separator that is not a single U+00B7 between two parts of a name.
	ErrNameDot error = words.New("ident.nameDot", nil)
	// ErrNameOld reports a character under a code point of an old system; Modern has the standard one.
	ErrNameOld error = words.New("ident.nameOld", nil)
	// ErrNamePrivate reports a code point that each old system used as it liked.
	ErrNamePrivate error = words.New("ident.namePrivate", nil)

	// ErrCreditLength reports a unified social credit code that has not 18 characters.
	ErrCreditLength error = words.New("ident.creditLength", nil)
	// ErrCreditChars reports a character outside the alphabet of GB 32100 (no I, O, S, V, Z).
	ErrCreditChars error = words.New("ident.creditChars", nil)
	// ErrCreditChecksum reports a credit code whose last character does not fit.
	ErrCreditChecksum error = words.New("ident.creditChecksum", nil)
	// ErrCreditOrg reports a credit code whose embedded organisation code (GB 11714) has a wrong check character.
	ErrCreditOrg error = words.New("ident.creditOrg", nil)

	// ErrDivision reports a text that is not a division code of 2, 4, 6, 9 or 12 digits.
	ErrDivision error = words.New("ident.division", nil)
)

// China is the time zone of every legal date in the product: UTC+8 all year.
var China = time.FixedZone("CST", 8*60*60)

// Today returns the civil date in China at the instant now, as midnight UTC, the form all dates here have.
func Today(now time.Time) time.Time {
	y, m, d := now.In(China).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// Normalize prepares a typed or scanned number: full-width characters become half-width, blanks, dashes and
// invisible characters go, letters become capitals. It never fails; what it cannot place stays for the check to refuse.
func Normalize(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			r -= 0xFEE0
		case r == 0x2010 || r == 0x2011 || r == 0x2012 || r == 0x2013 || r == 0x2014 || r == 0x2212:
			r = '-'
		}
		switch {
		case r == '-' || invisible(r) || blank(r):
			continue
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func blank(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\r', '\v', '\f', 0x00A0, 0x3000, 0x202F:
		return true
	}
	return r >= 0x2000 && r <= 0x200A
}

func invisible(r rune) bool {
	return r == 0xFEFF || r == 0x00AD || r >= 0x200B && r <= 0x200F || r >= 0x202A && r <= 0x202E || r >= 0x2060 && r <= 0x2069 ||
		r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF // they choose a form; it is the same character
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
