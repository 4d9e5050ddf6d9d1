package ident

import (
	"log/slog"
	"strings"
	"time"
)

// Sex is the sex that an ID number states.
type Sex string

// The two values of Sex.
const (
	Male   Sex = "M"
	Female Sex = "F"
)

// Kind says which document an 18-character number belongs to.
type Kind string

// The kinds of document.
const (
	KindResident  Kind = "resident"  // 居民身份证
	KindHMT       Kind = "hmt"       // 港澳台居民居住证: address code 810000, 820000 or 830000
	KindForeigner Kind = "foreigner" // 外国人永久居留身份证, new version: begins with 9
	KindFictional Kind = "fictional" // division 9999..: fictional persons of the sample county
)

// century20 is the end of the century in which numbers of 15 digits were given.
var century20 = time.Date(2000, 12, 31, 0, 0, 0, 0, time.UTC)

// ID is a checked citizen ID number and what follows from it. The zero value is no ID.
// It never prints: formatting and logging give the masked form.
type ID struct {
	Number   string    // 18 characters, normalised
	Division string    // 6 digits: county of the first household registration
	Birth    time.Time // midnight UTC of the birth date
	Sex      Sex
}

// ParseIDAt reads an 18-character ID number (GB 11643-1999) as typed or scanned; now, in China, decides whether a birth date
// lies in the future. It returns ErrIDLength, ErrIDOld (15 digits), ErrIDChars, ErrIDDivision, ErrIDDate, ErrIDFuture or
// ErrIDChecksum.
func ParseIDAt(s string, now time.Time) (ID, error) {
	s = Normalize(s)
	if len(s) == 15 && digits(s) {
		return ID{}, ErrIDOld
	}
	if len([]rune(s)) != 18 {
		return ID{}, ErrIDLength
	}
	if len(s) != 18 || !digits(s[:17]) || s[17] != 'X' && !digits(s[17:]) {
		return ID{}, ErrIDChars
	}
	if s[0] == '0' {
		return ID{}, ErrIDDivision
	}
	birth, err := time.Parse("20060102", s[6:14])
	if err != nil || birth.Year() < 1800 {
		return ID{}, ErrIDDate
	}
	if checkID(s[:17]) != s[17] {
		return ID{}, ErrIDChecksum
	}
	if birth.After(Today(now)) {
		return ID{}, ErrIDFuture
	}
	sex := Female
	if s[16]%2 == 1 {
		sex = Male
	}
	return ID{Number: s, Division: s[:6], Birth: birth, Sex: sex}, nil
}

// ParseOldID reads a 15-digit number of the first generation, found on papers of before 2004, and returns it in its
// 18-character form (century 19). Errors as ParseIDAt.
func ParseOldID(s string) (ID, error) {
	s = Normalize(s)
	if len(s) != 15 {
		return ID{}, ErrIDLength
	}
	if !digits(s) {
		return ID{}, ErrIDChars
	}
	body := s[:6] + "19" + s[6:]
	return ParseIDAt(body+string(checkID(body)), century20)
}

// MakeID returns the 18-character number for a division of 6 digits, a birth date and a sequence of 0 to 999 (odd for
// men). It is used for sample persons; ErrIDChars reports a part of the wrong form.
func MakeID(division string, birth time.Time, seq int) (string, error) {
	if len(division) != 6 || !digits(division) || seq < 0 || seq > 999 {
		return "", ErrIDChars
	}
	body := division + birth.Format("20060102") + string([]byte{byte('0' + seq/100), byte('0' + seq/10%10), byte('0' + seq%10)})
	return body + string(checkID(body)), nil
}

// Complete adds the check character to the first 17 digits of an ID number; false when they are none.
func Complete(first17 string) (number string, ok bool) {
	if len(first17) != 17 || !digits(first17) {
		return "", false
	}
	return first17 + string(checkID(first17)), true
}

// checkID returns the check character of 17 digits: ISO 7064 MOD 11-2 with the weights of GB 11643.
func checkID(s string) byte {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

// IsZero reports whether id is no ID.
func (id ID) IsZero() bool { return id.Number == "" }

// Kind says which document the number belongs to.
func (id ID) Kind() Kind {
	switch {
	case id.Division == "810000" || id.Division == "820000" || id.Division == "830000":
		return KindHMT
	case strings.HasPrefix(id.Division, "9999"):
		return KindFictional
	case strings.HasPrefix(id.Division, "9"):
		return KindForeigner
	}
	return KindResident
}

// Age returns the completed years (周岁) on the civil date of on, read in on's own zone. Who was born on 29 February
// completes a year on 1 March in common years. Zero before birth.
func (id ID) Age(on time.Time) int { return Age(id.Birth, on) }

// Age returns the completed years between two civil dates, each read in its own zone; zero when on is before birth.
func Age(birth, on time.Time) int {
	by, bm, bd := birth.Date()
	y, m, d := on.Date()
	n := y - by
	if m < bm || m == bm && d < bd {
		n--
	}
	return max(n, 0)
}

// Masked returns the number with its first three and last four characters: 999***********0021.
func (id ID) Masked() string { return MaskID(id.Number) }

// String returns the masked number, so that an ID printed by mistake gives nothing away.
func (id ID) String() string { return id.Masked() }

// GoString returns the masked number, for %#v.
func (id ID) GoString() string { return id.Masked() }

// LogValue keeps ID numbers out of logs: division and birth year are left out too.
func (ID) LogValue() slog.Value { return slog.StringValue("[id]") }

// MaskID masks an ID number or another document number: the first three and the last four characters stay.
func MaskID(s string) string { return mask(s, 3, 4) }

// mask keeps head and tail characters of s and puts a star for each other; a text too short to keep them is all stars.
func mask(s string, head, tail int) string {
	r := []rune(s)
	if len(r) == 0 {
		return ""
	}
	if len(r) < head+tail+1 {
		return strings.Repeat("*", len(r))
	}
	return string(r[:head]) + strings.Repeat("*", len(r)-head-tail) + string(r[len(r)-tail:])
}
