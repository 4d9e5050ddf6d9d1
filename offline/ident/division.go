package ident

// Level is the depth of a division.
type Level int

// The levels from province to village; LevelNone is the country, above all codes.
const (
	LevelNone Level = iota
	LevelProvince
	LevelCity
	LevelCounty
	LevelTown
	LevelVillage
)

// Division is a division code taken apart: 12 digits = province 2, city 2, county 2 (GB/T 2260), township 3, village 3.
// Each part is the code up to and including that level, or empty when the code has nothing there: for 999999101201
// Province is "99", City "9999", County "999999", Town "999999101" and Village "999999101201".
// A city without counties (such as Dongguan, 441900) has towns directly below it: its towns have no County.
type Division struct {
	Province, City, County, Town, Village string
}

// ParseDivision reads a code of 2, 4, 6, 9 or 12 digits; missing digits count as zero. ErrDivision reports anything else,
// a province 00, or a village without a town.
func ParseDivision(code string) (Division, error) {
	code = Normalize(code)
	switch len(code) {
	case 2, 4, 6, 9, 12:
	default:
		return Division{}, ErrDivision
	}
	if !digits(code) {
		return Division{}, ErrDivision
	}
	code += "000000000000"[:12-len(code)]
	if code[:2] == "00" {
		return Division{}, ErrDivision
	}
	d := Division{Province: code[:2]}
	if code[2:4] != "00" {
		d.City = code[:4]
	}
	if code[4:6] != "00" {
		d.County = code[:6]
	}
	if code[6:9] != "000" {
		d.Town = code[:9]
	}
	if code[9:] != "000" {
		d.Village = code
	}
	if d.Village != "" && d.Town == "" {
		return Division{}, ErrDivision
	}
	return d, nil
}

// Level returns the deepest level that the code names.
func (d Division) Level() Level {
	switch {
	case d.Village != "":
		return LevelVillage
	case d.Town != "":
		return LevelTown
	case d.County != "":
		return LevelCounty
	case d.City != "":
		return LevelCity
	case d.Province != "":
		return LevelProvince
	}
	return LevelNone
}

// Code returns the 12 digits, or "" for the zero value.
func (d Division) Code() string {
	var short string
	switch d.Level() {
	case LevelVillage:
		return d.Village
	case LevelTown:
		short = d.Town
	case LevelCounty:
		short = d.County
	case LevelCity:
		short = d.City
	case LevelProvince:
		short = d.Province
	default:
		return ""
	}
	return short + "000000000000"[:12-len(short)]
}

// Parent returns the division above; ok is false for a province and for the zero value.
func (d Division) Parent() (parent Division, ok bool) {
	switch d.Level() {
	case LevelVillage:
		d.Village = ""
	case LevelTown:
		d.Town = ""
	case LevelCounty:
		d.County = ""
	case LevelCity:
		d.City = ""
	default:
		return Division{}, false
	}
	return d, true
}

// Contains reports whether other is d itself or lies below it.
func (d Division) Contains(other Division) bool {
	l := d.Level()
	if l == LevelNone || other.Level() < l {
		return false
	}
	for other.Level() > l {
		other, _ = other.Parent()
	}
	return other.Code() == d.Code()
}

// String returns the 12 digits.
func (d Division) String() string { return d.Code() }
